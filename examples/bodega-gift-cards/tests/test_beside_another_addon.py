"""Another addon, in the folder ``neighbour``, has a say in what this one does."""

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.bodega("gift_cards", "xmas")
Make = Callable[..., dict[str, Any]]


def price(admin: Any, product: dict[str, Any]) -> str:
    """Ask what a product costs."""
    quoted = admin.get(f"/api/v1/products/{product['id']}/quote").expect(200)
    return str(quoted["unit_price"])


def test_gift_cards_are_not_discounted_whatever_others_do(admin: Any, sell: Make) -> None:
    card, lamp = sell("CARD", is_gift_card=True), sell("LAMP")
    assert (price(admin, card), price(admin, lamp)) == ("25.00", "12.50")


def test_another_addon_says_what_codes_begin_with(issue: Make) -> None:
    assert issue()["code"].startswith("XMAS-")
    assert "XMAS" not in issue(amount="49.99")["code"]


def test_a_prefix_is_eight_characters_at_most(issue: Make) -> None:
    code = issue(amount="500.00")["code"].replace("-", "")
    assert code.startswith("XMASXMAS")
    assert len(code) == 8 + 16
