"""Card numbers have no place here: a request that carries one is refused, and not repeated."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import marshmallow

from bodega_sdk.schemas import Schema, ValidationError

# Digits of a card, as people write them. Ids have letters or other lengths between.
_NUMBER = re.compile(r"(?<![0-9A-Za-z_-])(?:[0-9][ -]?){11,18}[0-9](?![0-9A-Za-z_-])")
_MESSAGE = "Card numbers must never be sent here. Send the id of a payment method."


def holds_card_number(text: str) -> bool:
    """Whether a text has a number in it that could be a card's (12 to 19 digits, Luhn)."""
    return any(_luhn(re.sub(r"\D", "", found)) for found in _NUMBER.findall(text))


def _luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(map(int, reversed(digits))):
        doubled = digit * 2 if place % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


class CardlessSchema(Schema):
    """A schema of a body that must not hold a card's number anywhere."""

    @marshmallow.pre_load
    def refuse_cards(self, data: Any, **kwargs: Any) -> Any:
        """Refuse the body without saying what is in it."""
        if any(map(holds_card_number, _texts(data, 0))):
            raise ValidationError(_MESSAGE)
        return data


def _texts(value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, str | int) and not isinstance(value, bool):
        yield str(value)
    elif isinstance(value, Mapping) and depth < 10:
        for key, inner in value.items():
            yield str(key)
            yield from _texts(inner, depth + 1)
    elif isinstance(value, list) and depth < 10:
        for inner in value:
            yield from _texts(inner, depth + 1)
