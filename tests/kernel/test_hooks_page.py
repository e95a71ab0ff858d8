"""The examples of docs/hooks.md run, and the page tells the numbers that the code has."""

import re
from pathlib import Path
from typing import Any

import pytest

from bodega.addons import lifecycle
from bodega.hooks.breakers import FAILURES, PAUSE
from bodega_sdk.errors import Vetoed
from bodega_sdk.hooks import BUDGET

PAGE = (Path(__file__).parents[2] / "docs" / "hooks.md").read_text()


def written(name: str) -> str:
    """Return what the page writes into a file, all its pieces in order."""
    pieces = re.findall(rf"```python\n# {name}\n(.*?)```", PAGE, re.DOTALL)
    assert pieces, name
    return "\n".join(pieces)


@pytest.fixture
def tickets(empty_shop: Any, site: Any, rebind: Any) -> Any:
    """The addons of the page, enabled; the module that sells tickets."""
    folder = site.write("tickets")
    for name in ("hookspecs", "selling"):
        (folder / f"{name}.py").write_text(written(f"tickets/{name}.py"))
    site.write("club", written("club/plugin.py"), fields='depends=("tickets",)')
    lifecycle.enable(empty_shop, "club")
    rebind()
    return site.module("tickets", "selling")


def test_the_examples_run(tickets: Any, site: Any) -> None:
    assert tickets.seat_for("member Ada", ("1", "2")) == "2"
    assert tickets.seat_for("Bob", ("1", "2")) == "1"
    assert tickets.print_ticket("2", "Ada") == "SEAT 2 (WITH A DRINK)"
    tickets.sell(("Ada", "Bob"))
    with pytest.raises(Vetoed, match="Mallory is banned"):
        tickets.sell(("Ada", "Mallory"))
    tickets.sold("Ada", "2")
    assert site.module("club", "plugin").visits == ["Ada"]


def test_the_page_has_the_numbers_of_the_code() -> None:
    assert FAILURES == 5
    assert "Five failures in a row" in PAGE
    assert f"After {PAUSE:g} s" in PAGE
    assert f"({BUDGET:g} unless the hook says otherwise)" in PAGE
