"""What is refused when an addon is enabled, and what a plan shows of hooks."""

from itertools import permutations
from typing import Any

import pytest
from tests.kernel.hooks.ballroom import NEEDS, Ballroom, implementation

from bodega.addons import lifecycle
from bodega.assembly import build
from bodega.errors import AddonError

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
