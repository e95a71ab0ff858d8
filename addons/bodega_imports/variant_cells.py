"""Cells of our own format that hold the variants of a product as JSON.

``[{"sku": "T-S", "options": {"Size": "S"}, "price": "19.99"}]``; without a price of its own a
variant costs what its product does.
"""

from collections.abc import Callable
from typing import Any

import orjson

#: Variants of one product.
MOST_VARIANTS = 2048
_EXPECTED = 'expected variants as JSON such as [{"sku": "T-S", "options": {"Size": "S"}}]'
_LONGEST = {"sku": 100, "the name of an option": 255, "an option": 255}


def variants_of(price: Callable[[str], object]) -> Callable[[str], object]:
    """Return how a cell with variants reads: one that cannot be used raises ValueError.

    Args:
        price: how the text of a price reads.
    """

    def parse(cell: str) -> object:
        try:
            listed = orjson.loads(cell)
        except orjson.JSONDecodeError:
            raise ValueError(_EXPECTED) from None
        if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
            raise ValueError(_EXPECTED)
        if len(listed) > MOST_VARIANTS:
            raise ValueError(f"expected at most {MOST_VARIANTS:,} variants, found {len(listed):,}")
        return [_variant(item, price) for item in listed]

    return parse


def _variant(item: dict[str, Any], price: Callable[[str], object]) -> dict[str, object]:
    if unknown := item.keys() - {"sku", "options", "price"}:
        raise ValueError(f"a variant has sku, options and price; found {min(unknown)[:50]!r}")
    options, amount = item.get("options") or {}, item.get("price")
    if not isinstance(options, dict) or len(options) > 10:
        raise ValueError('expected options as an object such as {"Size": "S"}, at most 10')
    if amount is not None and not isinstance(amount, str):
        raise ValueError('expected the price of a variant as a text such as "19.99"')
    return {
        "sku": _text("sku", item.get("sku") or ""),
        "options": {
            _text("the name of an option", name): _text("an option", value)
            for name, value in options.items()
        },
        "price_minor": None if amount is None else price(amount),
    }


def _text(what: str, value: object) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise ValueError(f"expected a text for {what} of a variant")
    if len(text := value.strip()) > _LONGEST[what]:
        raise ValueError(f"{what} of a variant has more than {_LONGEST[what]} characters")
    return text
