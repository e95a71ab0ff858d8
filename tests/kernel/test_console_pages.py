"""Pages that addons declare: what they may declare, and who owns a page."""

from pathlib import Path
from typing import Any

import pytest

from bodega.addons import ledger, lifecycle
from bodega.addons.claims import Claim
from bodega.addons.planning import Planner
from bodega.console.rendering import render_blocks
from bodega.errors import AddonError
from bodega_sdk import console

PLUGIN = """
from bodega_sdk import *
from bodega_sdk.console import *


def render(request):
    return [Text("Hello")]


@hookimpl
def register_console_pages():
    return [{}]
"""


def plugin(*pages: str) -> str:
    return PLUGIN.format(", ".join(pages))


def page(path: Any = "odd", title: Any = "Odd", permission: str = "AUTHENTICATED") -> str:
    return f"ConsolePage({path!r}, {title!r}, {permission}, render)"


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("pages", "fault"),
    [
        ((page("other"),), "console page 'other' must begin with odd"),
        ((page("odder"),), "must begin with odd"),
        ((page("Odd"),), "expected lower-case segments"),
        ((page("/odd"),), "expected lower-case segments"),
        ((page("odd/"),), "expected lower-case segments"),
        ((page("odd/../jobs"),), "expected lower-case segments"),
        ((page("odd/{id}"),), "expected lower-case segments"),
        ((page(7),), "expected lower-case segments"),
        ((page("odd"), page("odd")), "console page odd is declared twice"),
        ((page(title=""),), "expected a title"),
        ((page(permission="PUBLIC"),), "the console is for those who are logged in"),
        ((page(permission="'odd.read'"),), "asks for 'odd.read'"),
        (("ConsolePage('odd', 'Odd', AUTHENTICATED, None)",), "a function that renders it"),
        (("'odd'",), "register_console_pages: expected ConsolePage, found 'odd'"),
    ],
)
def test_an_addon_is_quarantined_when_a_page_breaks_a_rule(
    empty_shop: Any, site: Any, pages: tuple[str, ...], fault: str
) -> None:
    site.write("odd", plugin(*pages))
    site.write_down_as_enabled("odd")
    assert fault in str(empty_shop.refresh().faults["odd"])


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", ["jobs", "events", "processes"])
def test_an_addon_does_not_take_a_page_of_the_kernels(
    empty_shop: Any, site: Any, name: str
) -> None:
    fields = "{'routes': ('odd',)}"
    site.write(name, plugin(page(name)), fields=fields)
    site.write_down_as_enabled(name)
    fault = str(empty_shop.refresh().faults[name])
    assert f"'/console/{name}' belongs to the kernel" in fault


def test_two_addons_with_one_page_are_refused_naming_both(empty_shop: Any, site: Any) -> None:
    site.write("odd", plugin(page()))
    site.write("even", plugin(page()), fields="{'routes': ('odd',)}")
    lifecycle.enable(empty_shop, "odd")
    with pytest.raises(AddonError, match="console page 'odd'") as refusal:
        lifecycle.enable(empty_shop, "even")
    assert "even" in str(refusal.value)
    assert "odd" in str(refusal.value)
    assert ledger.owners("odd") == [(Claim("console page", "odd"), "odd")]


def test_of_two_enabled_addons_with_one_page_the_later_is_quarantined(
    empty_shop: Any, site: Any
) -> None:
    site.write("odd", plugin(page()))
    site.write("even", plugin(page()), fields="{'routes': ('odd',)}")
    site.write_down_as_enabled("odd", "even")
    assembly = empty_shop.refresh()
    pages = [item.path for item in assembly.pages if item.path not in ("users", "api-keys")]
    assert pages == ["odd"]
    assert "console page 'odd' belongs to" in str(assembly.faults)


def test_a_plan_tells_the_pages_that_would_come(empty_shop: Any, site: Any) -> None:
    site.write("odd_one", plugin(page("odd-one"), page("odd-one/late")))
    empty_shop.refresh()
    plan = Planner(empty_shop).plan("enable", "odd_one")
    assert plan.added["console page"] == ("odd-one", "odd-one/late")


def test_every_block_is_documented() -> None:
    text = (Path(__file__).parents[2] / "docs" / "console.md").read_text()
    assert [name for name in console.__all__ if f"`{name}" not in text] == []
    for name in console.__all__:
        found = getattr(console, name)
        assert not isinstance(found, type) or not (found.__doc__ or "").startswith(f"{name}(")


def test_a_picture_is_one_of_this_shop_and_small() -> None:
    shown = render_blocks([console.Table(("", ""), [(1, console.Picture("/a?b=1&c", "<x>", 48))])])
    assert '<img src="/a?b=1&amp;c" alt="&lt;x&gt;" width="48" loading="lazy">' in shown
    for address in ("https://elsewhere.example/a.png", "//elsewhere.example/a", "data:x", ""):
        with pytest.raises(ValueError, match="expected an address of this shop"):
            console.Picture(address, "A lamp")
    for side in (0, 481):
        with pytest.raises(ValueError, match="a side of 1 to 480 pixels"):
            console.Picture("/a.png", "A lamp", side)
