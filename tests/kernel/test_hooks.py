"""Hooks that addons publish: their chains, and what the policy of each kind makes of failures."""

import random
from collections.abc import Callable, Iterator
from itertools import permutations
from typing import Any

import pytest
from falcon import testing
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from bodega.addons import lifecycle
from bodega.addons.listing import listing
from bodega.assembly import build
from bodega.errors import AddonError
from bodega.http.gate import Gate
from bodega.shop import Shop
from bodega_sdk.errors import HookFailed, Vetoed
from bodega_sdk.models import transaction

NEEDS = 'depends=("ballroom",)'
#: kind → a hook of ballroom, its arguments, and what a sound implementation returns.
HOOKS: dict[str, tuple[str, str, str]] = {
    "provide": ("choose_seat", "guest, taken", "7"),
    "filter": ("announce", "text, guest", "text + '?'"),
    "veto": ("refuse_guest", "guest", "None"),
    "observe": ("guest_arrived", "guest, notes", "None"),
}
CLOSED = ("provide", "filter", "veto")
#: What a body does wrong → what is told of it.
WRONGS = {
    "raise ValueError('no ' + guest)": "ValueError: no Ada",
    "raise SystemExit(3)": "SystemExit: 3",
    "import sys; sys.exit()": "SystemExit",
    "raise BaseException('odd')": "BaseException: odd",
    "return object()": "WrongResult: returned object, the hook states",
    "raise type('E', (Exception,), {'__str__': lambda e: 1 / 0})()": "E",
    "raise ValueError('\\0 and \\ud800')": "ValueError: \ufffd and ?",
}
#: What a wrapper does wrong → what is told of it.
WRONG_WRAPPERS = {
    "if False: yield": "WrongResult: did not yield",
    "yield; yield": "WrongResult: yielded more than once",
    "raise ValueError('early'); yield": "ValueError: early",
    "yield; raise ValueError('late')": "ValueError: late",
    "yield; raise SystemExit(1)": "SystemExit: 1",
    "yield; return object()": "WrongResult: returned object",
}


class Ballroom:
    """A shop with the sample addon ballroom; tests add guests that implement its hooks."""

    def __init__(self, shop: Shop, site: Any, rebind: Callable[[], None]) -> None:
        self.shop, self.site, self._rebind = shop, site, rebind
        site.install("ballroom")

    def enable(self, *names: str) -> None:
        """Enable addons and bind the test to the Assembly that has them."""
        for name in names:
            lifecycle.enable(self.shop, name)
        self._rebind()

    def implement(self, name: str, kind: str, body: str, marks: str = "") -> None:
        """Write an addon that implements a hook, and enable it."""
        self.site.write(name, implementation(kind, body, marks), fields=NEEDS)
        self.enable(name)

    def call(self, kind: str) -> Any:
        """Call the hook of a kind."""
        arguments = {"provide": ("Ada", [1]), "filter": ("Ada", "Ada"), "veto": ("Ada",),
                     "observe": ("Ada", {})}  # fmt: skip
        return self.hook(kind)(*arguments[kind])

    def hook(self, kind: str) -> Any:
        """The hook of a kind."""
        return getattr(self.site.module("ballroom", "hookspecs"), HOOKS[kind][0])

    def guests(self) -> list[str]:
        """The names in ballroom's table."""
        model = self.site.module("ballroom", "models").Guest
        return [row.name for row in model.select().order_by(model.created_at, model.id)]

    def come_in(self) -> testing.Result:
        """Come in, through the API."""
        return testing.simulate_post(Gate(self.shop), "/api/v1/ballroom/guests")


def implementation(kind: str, body: str, marks: str = "") -> str:
    """Return a plugin that implements the hook of a kind."""
    name, arguments, _ = HOOKS[kind]
    return f"""
from bodega_sdk import hookimpl
from bodega_sample_ballroom.models import Guest


@hookimpl({marks})
def {name}({arguments}):
    {body}
"""


@pytest.fixture
def ballroom(empty_shop: Any, site: Any, rebind: Any) -> Ballroom:
    made = Ballroom(empty_shop, site, rebind)
    made.enable("ballroom")
    return made


@pytest.fixture(autouse=True)
def logs() -> Iterator[list[Any]]:
    """What is logged; unconfigured, structlog would take seconds to draw each traceback."""
    with capture_logs() as found:
        yield found


def outcome(kind: str, addon: str, outcome: str) -> float:
    """How often an implementation's calls ended so, in this process."""
    labels = {"hook": f"ballroom.{HOOKS[kind][0]}", "addon": addon, "outcome": outcome}
    return REGISTRY.get_sample_value("bodega_hook_calls_total", labels) or 0.0


# Nobody, one, several.


def test_a_hook_that_nobody_implements_gives_what_its_kind_says(ballroom: Ballroom) -> None:
    assert ballroom.call("provide") is None
    assert ballroom.call("filter") == "Ada"
    assert ballroom.hook("filter")(guest="Bob", text="Ada") == "Ada"
    assert ballroom.call("veto") is None
    assert ballroom.call("observe") is None


def test_the_first_provider_that_returns_something_is_the_last_one_asked(
    ballroom: Ballroom,
) -> None:
    ballroom.implement("a", "provide", "return None")
    ballroom.implement("b", "provide", "return 0")
    ballroom.implement("c", "provide", "return 3")
    before = outcome("provide", "c", "ok")
    assert ballroom.call("provide") == 0
    assert outcome("provide", "c", "ok") == before


def test_each_filter_gets_what_the_one_before_returned(ballroom: Ballroom) -> None:
    for name in "bac":
        ballroom.implement(name, "filter", f"return text + '{name}'")
    assert ballroom.call("filter") == "Adaabc"


def test_a_veto_names_the_addon_and_its_reason_and_asks_nobody_after_it(
    ballroom: Ballroom,
) -> None:
    ballroom.implement("a", "veto", "return None")
    ballroom.implement("b", "veto", "return f'{guest} dances badly'")
    ballroom.implement("c", "veto", "raise ValueError")
    vetoed = outcome("veto", "b", "vetoed")
    with pytest.raises(Vetoed, match="b forbids it: Ada dances badly") as caught:
        ballroom.call("veto")
    assert caught.value.extra == {"addon": "b", "hook": "ballroom.refuse_guest"}
    assert outcome("veto", "b", "vetoed") == vetoed + 1


def test_a_veto_is_a_conflict_and_nothing_was_written(ballroom: Ballroom) -> None:
    ballroom.implement("strict", "veto", "return 'We are full.'")
    answer = ballroom.come_in()
    assert answer.status_code == 409
    assert answer.json["type"] == "/api/problems/vetoed"
    assert answer.json["addon"] == "strict"
    assert ballroom.guests() == []


def test_every_observer_is_called_and_what_it_returns_is_of_no_account(ballroom: Ballroom) -> None:
    for name in "ab":
        ballroom.implement(name, "observe", f"Guest.create(name='seen by {name}')")
    assert ballroom.call("observe") is None
    assert ballroom.guests() == ["seen by a", "seen by b"]


def test_an_implementation_takes_the_arguments_that_it_wants_by_name(ballroom: Ballroom) -> None:
    ballroom.site.write(
        "picky",
        "from bodega_sdk import hookimpl\n"
        "@hookimpl\n"
        "def announce(guest, *, text, loud=False):\n    return f'{guest} {text} {loud}'\n",
        fields=NEEDS,
    )
    ballroom.enable("picky")
    assert ballroom.call("filter") == "Ada Ada False"
    assert ballroom.hook("filter")(guest="Bob", text="Hear") == "Bob Hear False"


def test_a_call_with_other_arguments_than_the_hooks_is_the_callers_error(
    ballroom: Ballroom,
) -> None:
    ballroom.implement("a", "veto", "return None")
    before = outcome("veto", "a", "failed")
    for arguments in ((), ("Ada", "Bob")):
        with pytest.raises(TypeError):
            ballroom.hook("veto")(*arguments)
    assert outcome("veto", "a", "failed") == before


# Order.


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_five_addons_wrapping_one_hook_give_the_same_chain_in_any_order(
    site: Any, ballroom: Ballroom
) -> None:
    body = "found = yield\n    return f'{found}{__name__[-8]}'"
    for name in "edcba":
        site.write(name, implementation("filter", body, "wrapper=True"), fields=NEEDS)
    orders = list(permutations("abcde"))
    for order in random.Random(5).sample(orders, 4):
        ballroom.enable(*order)
        assert ballroom.call("filter") == "Adaabcde"
        chain = ballroom.shop.assembly.chains["announce"]
        assert [item.addon for item in chain.called] == list("edcba")
        for name in order:
            lifecycle.disable(ballroom.shop, name)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_who_depends_on_another_is_called_after_it_and_surrounds_it(
    site: Any, ballroom: Ballroom
) -> None:
    plain, wrapper = "return text + __name__[-8]", "return (yield) + __name__[-8].upper()"
    for name, needs in (("z", "ballroom"), ("a", "z")):
        text = implementation("filter", plain) + implementation(
            "filter", wrapper, "wrapper=True, specname='announce'"
        ).replace("def announce", "def around")
        site.write(name, text, fields=f'depends=("{needs}",)')
    ballroom.enable("a")
    assert ballroom.call("filter") == "AdazaZA"


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_tryfirst_comes_before_and_trylast_behind_the_others(ballroom: Ballroom) -> None:
    marks = {"a": "trylast=True", "b": "", "c": "tryfirst=True", "d": "tryfirst=True"}
    for name, mark in marks.items():
        ballroom.implement(name, "filter", f"return text + '{name}'", mark)
    assert ballroom.call("filter") == "Adacdba"


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_tryfirst_wrapper_is_the_outermost_and_a_trylast_one_the_innermost(
    ballroom: Ballroom,
) -> None:
    marks = {"a": ", tryfirst=True", "b": "", "c": ", trylast=True"}
    for name, mark in marks.items():
        ballroom.implement(name, "filter", f"return (yield) + '{name}'", f"wrapper=True{mark}")
    assert ballroom.call("filter") == "Adacba"


def test_a_wrapper_sees_the_result_of_the_others_and_may_change_it(ballroom: Ballroom) -> None:
    ballroom.implement("base", "provide", "return 7")
    ballroom.implement("more", "provide", "return (yield) + 1", "wrapper=True")
    assert ballroom.call("provide") == 8


def test_a_wrapper_may_find_a_reason_and_put_another_in_its_words(ballroom: Ballroom) -> None:
    ballroom.implement("base", "veto", "return 'no' if guest == 'Bob' else None")
    ballroom.implement(
        "polite", "veto", "reason = yield\n    return reason and 'Sorry: ' + reason", "wrapper=True"
    )
    ballroom.call("veto")
    with pytest.raises(Vetoed, match="polite forbids it: Sorry: no"):
        ballroom.hook("veto")("Bob")


# What is refused when an addon is enabled.


REFUSED = {
    "def refuse_guest(stranger): pass": "its argument 'stranger' is not among those of the hook",
    "def refuse_guest(*args): pass": "its argument 'args' must have a name",
    "def refuse_guest(guest, /): pass": "its argument 'guest' must have a name",
    "async def refuse_guest(guest): pass": "declared with 'def'",
    "def refuse_guest(guest): yield": "mark it @hookimpl(wrapper=True)",
    "def refuse_gest(guest): pass": "perhaps 'refuse_guest' is meant",
}


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("function", "reason"), REFUSED.items())
def test_an_implementation_that_does_not_fit_is_refused_with_its_place(
    ballroom: Ballroom, function: str, reason: str
) -> None:
    text = f"from bodega_sdk import hookimpl\n\n\n@hookimpl\n{function}\n"
    file = ballroom.site.write("odd", text, fields=NEEDS) / "plugin.py"
    with pytest.raises(AddonError) as caught:
        ballroom.enable("odd")
    assert "odd is quarantined" in str(caught.value)
    assert reason in str(caught.value)
    assert f"{file}:4" in str(caught.value)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("marks", "reason"),
    [("wrapper=True", "a wrapper must yield once"), ("hookwrapper=True", "write wrapper=True")],
)
def test_a_wrapper_of_another_fashion_is_refused(
    ballroom: Ballroom, marks: str, reason: str
) -> None:
    ballroom.site.write("odd", implementation("veto", "pass", marks), fields=NEEDS)
    with pytest.raises(AddonError, match=reason):
        ballroom.enable("odd")


BAD_SPECS = {
    "@hook('vote')\ndef h(a: int) -> int: 'x.'": "its kind must be one of provide, filter, veto",
    "@hook('provide', budget=0)\ndef h(a: int) -> int: 'x.'": "its budget must be seconds",
    "@hook('provide', budget='1')\ndef h(a: int) -> int: 'x.'": "its budget must be seconds",
    "@hook('provide')\ndef h(a: int) -> int: pass": "it needs a docstring",
    "@hook('provide')\ndef h(a) -> int: 'x.'": "its argument 'a' needs an annotation",
    "@hook('provide')\ndef h(a: int): 'x.'": "what it returns needs an annotation",
    "@hook('provide')\ndef h(*a: int) -> int: 'x.'": "its argument 'a' must have a name",
    "@hook('provide')\nasync def h(a: int) -> int: 'x.'": "declared with 'def'",
    "@hook('filter')\ndef h() -> int: 'x.'": "a filter needs an argument",
    "@hook('filter')\ndef h(a: int) -> str: 'x.'": "a filter returns what its first argument is",
    "@hook('veto')\ndef h(a: int) -> bool: 'x.'": "a veto returns 'str | None'",
    "@hook('observe')\ndef h(a: int) -> int: 'x.'": "an observer returns None",
    "@hook('provide')\ndef h(a: int) -> None: 'x.'": "a provider returns something",
    "@hook('provide')\ndef h(a: int) -> 'Nowhere': 'x.'": "cannot be checked: name 'Nowhere'",
    "@hook('observe')\ndef register_models() -> None: 'x.'": "is one of the kernel's",
}


@pytest.mark.parametrize(("spec", "reason"), BAD_SPECS.items())
def test_a_hook_that_cannot_be_one_quarantines_its_publisher_with_its_place(
    site: Any, spec: str, reason: str
) -> None:
    file = site.write("odd") / "hookspecs.py"
    file.write_text(f"from bodega_sdk import hook\n\n\n{spec}\n")
    fault = build(site.catalogue(), ["odd"]).faults["odd"]
    assert reason in fault.reason
    assert "kernel's" in reason or f"{file}:4" in fault.reason


def test_two_addons_that_publish_one_name_collide_in_either_order(site: Any) -> None:
    for first, second in permutations(("left", "right")):
        for name in (first, second):
            spec = "from bodega_sdk import hook\n@hook('observe')\ndef h(a: int) -> None: 'X.'\n"
            (site.write(name) / "hookspecs.py").write_text(spec)
        assembly = build(site.catalogue(), [first, second])
        assert [addon.name for addon in assembly.addons] == ["left"]
        assert "hook 'h' belongs to left already" in assembly.faults["right"].reason
        assert "Disable left or right" in assembly.faults["right"].remedy


@pytest.mark.parametrize("rivals", list(permutations(("left", "right"))))
def test_the_second_of_two_rivals_is_refused_naming_both(
    empty_shop: Any, site: Any, rivals: tuple[str, str]
) -> None:
    spec = "from bodega_sdk import hook\n@hook('observe')\ndef h(a: int) -> None: 'X.'\n"
    for name in rivals:
        (site.write(name) / "hookspecs.py").write_text(spec)
    lifecycle.enable(empty_shop, rivals[0])
    with pytest.raises(AddonError) as caught:
        lifecycle.enable(empty_shop, rivals[1])
    assert all(name in str(caught.value) for name in rivals)
    lifecycle.disable(empty_shop, rivals[0])
    with pytest.raises(AddonError, match=f"hook 'h' belongs to {rivals[0]} already"):
        lifecycle.enable(empty_shop, rivals[1])


def test_an_optional_implementation_waits_for_its_publisher(
    empty_shop: Any, site: Any, rebind: Any
) -> None:
    text = "from bodega_sdk import hookimpl\n@hookimpl(optionalhook=True)\n"
    text += "def announce(text):\n    return text.upper()\n"
    site.write("shy", text, fields='uses={"addons": ("ballroom",)}')
    lifecycle.enable(empty_shop, "shy")
    site.install("ballroom")
    planned = lifecycle.plan(empty_shop, "enable", "ballroom")
    assert planned.added["hook implementation"] == ("announce by shy",)
    lifecycle.enable(empty_shop, "ballroom")
    rebind()
    assert site.module("ballroom", "hookspecs").announce("Ada", guest="Ada") == "ADA"
    lifecycle.disable(empty_shop, "ballroom")
    assert "announce" not in empty_shop.refresh().chains


def test_a_publisher_is_not_disabled_under_those_who_implement_its_hooks(
    empty_shop: Any, site: Any
) -> None:
    site.install("ballroom")
    text = "from bodega_sdk import hookimpl\n@hookimpl\ndef announce(text): pass\n"
    site.write("free", text, fields='uses={"addons": ("ballroom",)}')
    with pytest.raises(AddonError, match="unknown hook 'announce'"):
        lifecycle.enable(empty_shop, "free")
    lifecycle.enable(empty_shop, "ballroom")
    lifecycle.enable(empty_shop, "free")
    with pytest.raises(AddonError, match="unknown hook 'announce'"):
        lifecycle.disable(empty_shop, "ballroom")


def test_a_plan_shows_the_hooks_and_the_implementations_that_come_and_go(
    ballroom: Ballroom,
) -> None:
    ballroom.site.write("a", implementation("veto", "pass"), fields=NEEDS)
    planned = lifecycle.plan(ballroom.shop, "enable", "a")
    assert planned.added["hook implementation"] == ("refuse_guest by a",)
    ballroom.enable("a")
    planned = lifecycle.plan(ballroom.shop, "disable", "ballroom", cascade=True)
    assert planned.removed["hook implementation"] == ("refuse_guest by a",)
    assert planned.removed["hook"] == ("announce", "choose_seat", "guest_arrived", "refuse_guest")


# Failures.


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("kind", CLOSED)
@pytest.mark.parametrize(("body", "told"), WRONGS.items())
def test_a_failure_of_a_closed_hook_fails_the_operation_and_names_the_addon(
    ballroom: Ballroom, kind: str, body: str, told: str, logs: list[Any]
) -> None:
    ballroom.implement("bad", kind, body)
    failed = outcome(kind, "bad", "failed")
    with pytest.raises(HookFailed) as caught:
        ballroom.call(kind)
    assert (caught.value.addon, caught.value.hook) == ("bad", f"ballroom.{HOOKS[kind][0]}")
    (line,) = (item for item in logs if item["event"] == "hook failed")
    assert line["addon"] == "bad"
    assert line["hook"] == f"ballroom.{HOOKS[kind][0]}"
    assert line["at"] == f"{ballroom.site.package('bad')}/plugin.py:6"
    assert told in line["reason"]
    assert f"{ballroom.site.package('bad')}/plugin.py:" in line["reason"]
    assert outcome(kind, "bad", "failed") == failed + 1


@pytest.mark.parametrize(("body", "told"), WRONGS.items())
def test_a_failure_of_an_open_hook_is_logged_and_the_next_one_is_called(
    ballroom: Ballroom, body: str, told: str, logs: list[Any]
) -> None:
    ballroom.implement("bad", "observe", body)
    ballroom.implement("good", "observe", "Guest.create(name='good')")
    failed = outcome("observe", "bad", "failed")
    assert ballroom.call("observe") is None
    (line,) = (item for item in logs if item["event"] == "hook failed")
    assert line["addon"] == "bad"
    assert told in line["reason"]
    assert ballroom.guests() == ["good"]
    assert outcome("observe", "bad", "failed") == failed + 1


@pytest.mark.parametrize("kind", CLOSED)
def test_a_failure_answers_503_naming_addon_and_hook_and_nothing_was_written(
    ballroom: Ballroom, kind: str
) -> None:
    ballroom.implement("good", "observe", "return None")
    ballroom.implement("bad", kind, "Guest.create(name='bad'); raise ValueError('secret')")
    answer = ballroom.come_in()
    assert answer.status_code == 503
    assert answer.json["type"] == "/api/problems/hook-failed"
    assert answer.json["addon"] == "bad"
    assert answer.json["hook"] == f"ballroom.{HOOKS[kind][0]}"
    assert int(answer.headers["Retry-After"]) > 0
    assert "secret" not in answer.text
    assert ballroom.guests() == []


def test_a_failing_observer_loses_its_own_writes_only(ballroom: Ballroom) -> None:
    ballroom.implement("a", "observe", "Guest.create(name='a')")
    ballroom.implement("b", "observe", "Guest.create(name='b'); Guest.create(name=None)")
    ballroom.implement("c", "observe", "Guest.create(name='c')")
    with transaction():
        ballroom.call("observe")
    assert ballroom.guests() == ["a", "c"]
    assert ballroom.come_in().status_code == 200
    assert ballroom.guests() == ["a", "c", "Ada", "a", "c"]


def test_bad_sql_of_an_addon_is_its_own_fault_and_does_not_break_the_transaction(
    ballroom: Ballroom,
) -> None:
    ballroom.implement("bad", "observe", "Guest.raw('SELECT nothing FROM nowhere').execute()")
    for _ in range(5):
        assert ballroom.come_in().status_code == 200
    assert ballroom.shop.breakers.of("bad", "ballroom.guest_arrived").open


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("kind", HOOKS)
@pytest.mark.parametrize(("body", "told"), WRONG_WRAPPERS.items())
def test_whatever_a_wrapper_does_wrong_is_a_failure(
    ballroom: Ballroom, kind: str, body: str, told: str, logs: list[Any]
) -> None:
    ballroom.implement("good", kind, f"Guest.create(name='good'); return {HOOKS[kind][2]}")
    ballroom.implement("bad", kind, body, "wrapper=True")
    ballroom.implement("outer", kind, "return (yield)", "wrapper=True")
    if kind == "observe":
        ballroom.call(kind)
        assert ballroom.guests() == ["good"]
    else:
        with pytest.raises(HookFailed) as caught:
            ballroom.call(kind)
        assert caught.value.addon == "bad"
    lines = [item for item in logs if item["event"] == "hook failed"]
    assert [item["addon"] for item in lines] == ["bad"]
    assert told in lines[0]["reason"]


@pytest.mark.parametrize(("kind", "result"), [("provide", "7"), ("veto", "'full'")])
def test_a_wrapper_that_forgets_to_return_the_result_fails(
    ballroom: Ballroom, kind: str, result: str, logs: list[Any]
) -> None:
    ballroom.implement("good", kind, f"return {result}")
    ballroom.implement("bad", kind, "yield", "wrapper=True")
    with pytest.raises(HookFailed) as caught:
        ballroom.call(kind)
    assert caught.value.addon == "bad"
    assert "lost the result of the others" in str(logs)


def test_a_veto_without_a_word_is_a_failure_not_a_pass(ballroom: Ballroom) -> None:
    ballroom.implement("bad", "veto", "return ' '")
    with pytest.raises(HookFailed):
        ballroom.call("veto")


@pytest.mark.parametrize(
    "ending", ["raise", "return 'fine'", "yield", "raise SystemExit", "raise ValueError('worse')"]
)
def test_a_wrapper_cleans_up_after_a_failure_inside_and_cannot_make_it_undone(
    ballroom: Ballroom, ending: str
) -> None:
    ballroom.implement("bad", "filter", "raise ValueError('inside')")
    body = f"try:\n        yield\n    except Exception:\n        Guest.create(name='x'); {ending}"
    ballroom.implement("around", "filter", body, "wrapper=True")
    with pytest.raises(HookFailed) as caught:
        ballroom.call("filter")
    assert caught.value.addon == "bad"
    assert ballroom.guests() == ["x"]


def test_what_an_implementation_does_to_its_arguments_nobody_else_sees(ballroom: Ballroom) -> None:
    spoil = "notes['spoilt'] = 'yes'; Guest.create(name=str(len(notes)))"
    ballroom.implement("a", "observe", spoil)
    ballroom.implement("b", "observe", spoil)
    ballroom.implement("w", "observe", f"{spoil}; yield", "wrapper=True")
    notes = {"given": "yes"}
    ballroom.hook("observe")("Ada", notes)
    assert notes == {"given": "yes"}
    assert ballroom.guests() == ["2", "2", "2"]


def test_another_addons_failure_inside_an_implementation_is_not_held_against_it(
    ballroom: Ballroom,
) -> None:
    ballroom.implement("bad", "veto", "raise ValueError")
    ballroom.implement(
        "caller", "provide",
        "from bodega_sample_ballroom import hookspecs; return hookspecs.refuse_guest('Bob') or 1",
    )  # fmt: skip
    for _ in range(6):
        with pytest.raises(HookFailed) as caught:
            ballroom.call("provide")
        assert caught.value.addon == "bad"
    assert ballroom.shop.breakers.of("bad", "ballroom.refuse_guest").open
    assert not ballroom.shop.breakers.of("caller", "ballroom.choose_seat").open


def test_a_database_that_does_not_answer_is_no_addons_fault(ballroom: Ballroom) -> None:
    ballroom.implement(
        "unlucky", "veto",
        "import peewee, psycopg2; raise peewee.OperationalError(psycopg2.OperationalError('gone'))",
    )  # fmt: skip
    for _ in range(6):
        answer = ballroom.come_in()
        assert answer.status_code == 503
        assert answer.json["type"] == "/api/problems/unavailable"
    assert not ballroom.shop.breakers.of("unlucky", "ballroom.refuse_guest").open


# A hook belongs to the Assembly.


def test_who_is_disabled_is_called_no_more_and_work_in_hand_ends_as_it_began(
    ballroom: Ballroom,
) -> None:
    ballroom.implement("loud", "filter", "return text.upper()")
    lifecycle.disable(ballroom.shop, "loud")
    assert ballroom.call("filter") == "ADA"
    ballroom.enable()
    assert ballroom.call("filter") == "Ada"


def test_an_addon_whose_hook_works_is_listed_as_enabled(ballroom: Ballroom) -> None:
    ballroom.implement("fine", "veto", "return None")
    ballroom.call("veto")
    states = {item.name: item.state for item in listing(ballroom.shop)}
    assert states["fine"] == "enabled"


def test_the_ledger_knows_whose_hook_it_is(ballroom: Ballroom, terminal: Any) -> None:
    done = terminal.run("why", "announce")
    assert done.stdout == "hook announce belongs to ballroom\n", done.stderr


# Explaining.


def test_all_hooks_are_listed_on_the_command_line(ballroom: Ballroom, terminal: Any) -> None:
    ballroom.implement("a", "veto", "return None")
    lines = [line.split() for line in terminal.run("explain").stdout.splitlines()]
    assert lines == [
        ["HOOK", "KIND", "BUDGET", "IMPLEMENTATIONS"],
        ["accounts.account_links", "filter", "0.05", "s", "0"],
        ["ballroom.announce", "filter", "0.05", "s", "0"],
        ["ballroom.choose_seat", "provide", "0.05", "s", "0"],
        ["ballroom.guest_arrived", "observe", "0.05", "s", "0"],
        ["ballroom.refuse_guest", "veto", "0.05", "s", "1"],
    ]


def test_a_hook_is_explained_with_its_chain_in_order(ballroom: Ballroom, terminal: Any) -> None:
    ballroom.implement("a", "filter", "return text", "trylast=True")
    ballroom.implement("b", "filter", "return text")
    ballroom.implement("c", "filter", "return (yield)", "wrapper=True")
    for name in ("announce", "ballroom.announce"):
        text = terminal.run("explain", name).stdout
        assert "kind:    filter" in text
        assert "failure: closed" in text
        assert "Return what is called out when the guest comes in." in text
        place = ballroom.site.package("c") / "plugin.py"
        assert f"1. c  {place}:6  [wrapper]" in text
        assert text.index("2. b") < text.index("3. a")
        assert "[trylast]" in text


def test_a_hook_that_nobody_publishes_is_refused_naming_those_there_are(
    ballroom: Ballroom, terminal: Any
) -> None:
    done = terminal.run("explain", "orders.announce")
    assert done.returncode == 1
    assert "ballroom.announce, ballroom.choose_seat" in done.stderr
