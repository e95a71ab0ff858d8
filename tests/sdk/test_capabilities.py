"""Capabilities: their names, what includes what, who is at work."""

from types import ModuleType
from typing import Any

import pytest

from bodega_sdk import Manifest
from bodega_sdk.capabilities import KINDS, Callers, Grant, beyond, covers
from bodega_sdk.errors import CapabilityError, ManifestError


def manifest(**uses: Any) -> Manifest:
    return Manifest("loyalty", "1.0.0", "bodega_loyalty", "Points", uses=uses)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("events", "order.paid"),
        ("events", "order.*"),
        ("events", "*"),
        ("hosts", "points.example"),
        ("hosts", "*.points.example"),
        ("hosts", "*"),
        ("hosts", "localhost"),
        ("hosts", "127.0.0.1"),
        ("hosts", "::1"),
        ("secrets", "payments.api_key"),
        ("jobs", "mail.send"),
        ("addons", "gift_cards"),
    ],
)
def test_a_sound_name_is_taken(kind: str, name: str) -> None:
    assert manifest(**{kind: (name,)}).uses == {kind: (name,)}


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("events", "order"),
        ("events", "order*"),
        ("events", "*.paid"),
        ("events", 7),
        ("hosts", "https://points.example"),
        ("hosts", "points.example:443"),
        ("hosts", "points.example/v1"),
        ("hosts", "Points.example"),
        ("hosts", "points.*"),
        ("hosts", ""),
        ("hosts", "0:0:0:0:0:0:0:1"),
        ("secrets", "api_key"),
        ("secrets", "payments.*"),
        ("jobs", "send"),
        ("addons", "gift cards"),
        ("addons", "orders>=1"),
    ],
)
def test_what_is_no_such_name_is_refused_with_what_was_expected(kind: str, name: Any) -> None:
    with pytest.raises(ManifestError) as caught:
        manifest(**{kind: (name,)})
    assert f"uses '{kind}': expected " in str(caught.value)
    assert repr(name) in str(caught.value)


def test_a_word_where_a_tuple_belongs_is_refused() -> None:
    with pytest.raises(ManifestError, match="uses 'events' must be a tuple"):
        manifest(events="order.paid")


def test_uses_that_are_no_dict_are_refused() -> None:
    with pytest.raises(ManifestError, match="uses must be a dict"):
        Manifest("loyalty", "1.0.0", "bodega_loyalty", "Points", uses=("events",))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "pattern", "name", "found"),
    [
        ("events", "order.paid", "order.paid", True),
        ("events", "order.*", "order.paid", True),
        ("events", "order.*", "orders.paid", False),
        ("events", "*", "order.paid", True),
        ("events", "order.paid", "order.paid_late", False),
        ("hosts", "points.example", "points.example", True),
        ("hosts", "points.example", "a.points.example", False),
        ("hosts", "*.points.example", "a.points.example", True),
        ("hosts", "*.points.example", "a.b.points.example", True),
        ("hosts", "*.points.example", "points.example", False),
        ("hosts", "*.points.example", "badpoints.example", False),
        ("hosts", "*", "points.example", True),
        ("secrets", "payments.key", "payments.key", True),
        ("secrets", "payments.key", "payments.key2", False),
    ],
)
def test_a_pattern_includes_just_what_it_says(
    kind: str, pattern: str, name: str, found: bool
) -> None:
    assert covers(kind, (pattern,), name) is found


def test_what_is_asked_beyond_is_what_nothing_that_was_approved_includes() -> None:
    approved = {"events": ("order.*",), "hosts": ("*.points.example",)}
    asked = {
        "events": ("order.paid", "product.updated"),
        "hosts": ("a.points.example", "points.example"),
        "jobs": ("mail.send",),
    }
    assert beyond(asked, approved) == {
        "events": ("product.updated",),
        "hosts": ("points.example",),
        "jobs": ("mail.send",),
    }
    assert beyond(asked, None) == {}
    assert beyond({"events": ("order.*",)}, {"events": ("order.paid",)}) == {"events": ("order.*",)}


def test_a_host_that_is_named_is_more_than_any_public_one() -> None:
    assert beyond({"hosts": ("*", "localhost")}, {"hosts": ("*",)}) == {"hosts": ("localhost",)}
    grant = Grant("a", {"hosts": ("*", "localhost")}, {"hosts": ("*",)})
    assert grant.granted("hosts") == ("*",)


def test_what_is_granted_is_both_asked_for_and_approved() -> None:
    grant = Grant("a", {"events": ("order.*",)}, {"events": ("order.paid", "cart.left")})
    assert grant.granted("events") == ("order.paid",)
    assert grant.allows("events", "order.paid")
    assert not grant.allows("events", "order.sent")
    assert not grant.allows("events", "cart.left")


def test_its_own_it_may_use_without_saying() -> None:
    grant = Grant("loyalty", depends=frozenset({"orders"}))
    assert grant.allows("secrets", "loyalty.key")
    assert grant.allows("jobs", "loyalty.award")
    assert grant.allows("addons", "loyalty")
    assert grant.allows("addons", "orders")
    assert not grant.allows("secrets", "loyalty_more.key")
    assert not grant.allows("hosts", "loyalty.example")
    assert not grant.allows("events", "loyalty.awarded")


@pytest.mark.parametrize("kind", KINDS)
def test_a_refusal_names_the_addon_the_thing_and_the_line_to_write(kind: str) -> None:
    grant = Grant("loyalty", {kind: ("known.one",)})
    with pytest.raises(CapabilityError) as caught:
        grant.require(kind, "other.one")
    told = str(caught.value)
    assert (caught.value.addon, caught.value.kind, caught.value.name) == (
        "loyalty", kind, "other.one",
    )  # fmt: skip
    assert "'loyalty'" in told
    assert f"uses={{'{kind}': ('known.one', 'other.one')}}" in told


def test_a_refusal_of_what_is_not_approved_names_the_command_that_approves() -> None:
    grant = Grant("loyalty", {"hosts": ("points.example",)}, {})
    with pytest.raises(CapabilityError, match="'bodega addons upgrade loyalty --approve'"):
        grant.require("hosts", "points.example")


def module(name: str, text: str) -> Any:
    """Return a module as an addon would bring it."""
    made = ModuleType(name)
    exec(text, made.__dict__)
    return made


def test_the_addon_at_work_is_the_innermost_on_the_stack() -> None:
    outer, inner = Grant("outer"), Grant("inner")
    callers = Callers({"bodega_outer": outer, "there.bodega_inner": inner})
    calls = "def call(function): return function()"
    of_outer = module("bodega_outer.jobs", calls)
    of_inner = module("there.bodega_inner.api", calls)
    library = module("bodega_outermost", calls)
    assert callers.at_work() is None
    assert of_outer.call(callers.at_work) is outer
    assert of_outer.call(lambda: of_inner.call(callers.at_work)) is inner
    assert of_inner.call(lambda: of_outer.call(callers.at_work)) is outer
    assert of_outer.call(lambda: library.call(callers.at_work)) is outer
    assert library.call(callers.at_work) is None


def test_code_without_a_module_belongs_to_whoever_calls_it() -> None:
    grant = Grant("outer")
    callers = Callers({"bodega_outer": grant})
    space = {"callers": callers}
    exec("def ask(): return callers.at_work()", space)
    outer = module("bodega_outer", "def call(function): return function()")
    assert outer.call(space["ask"]) is grant
