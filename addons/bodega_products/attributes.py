"""Attributes: whatever else is known of a product, as a JSON object that is not too large."""

import json
import math
from collections.abc import Iterator
from typing import Any

import peewee

from bodega_products.models import Product
from bodega_sdk import database
from bodega_sdk.errors import InvalidInput, invalid
from bodega_sdk.schemas import Dict, ValidationError

LARGEST = 16_384
DEEPEST = 4
MOST = 200
_LONGEST_NAME = 100
#: Attributes that a list is narrowed by: each is looked up in every product.
_PAIRS = 10


class Attributes(Dict):
    """A JSON object of at most 200 values, 4 levels and 16 kB."""

    def __init__(self, **kwargs: Any) -> None:
        told = f"A JSON object: {MOST} values, {DEEPEST} levels and {LARGEST:,} bytes at most."
        super().__init__(metadata={"description": told}, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, dict):
            raise self.make_error("invalid")
        for count, (level, name, item) in enumerate(_walk(value), 1):
            _check(level, name, item)
            if count > MOST:
                raise ValidationError(f"Must have at most {MOST} values.")
        if len(json.dumps(value, ensure_ascii=False).encode()) > LARGEST:
            raise ValidationError(f"Must have at most {LARGEST:,} bytes.")
        return value


def _walk(value: Any) -> Iterator[tuple[int, str, Any]]:
    """Yield level, name and value of everything in an object; no deeper than one too deep."""
    waiting: list[tuple[int, Any]] = [(1, value)]
    while waiting:
        level, found = waiting.pop()
        pairs = found.items() if isinstance(found, dict) else (("", item) for item in found)
        for name, item in pairs:
            yield level, str(name), item
            if isinstance(item, dict | list):
                waiting.append((level + 1, item))


def _check(level: int, name: str, value: Any) -> None:
    if level > DEEPEST:
        raise ValidationError(f"Must be at most {DEEPEST} levels deep.")
    if len(name) > _LONGEST_NAME:
        raise ValidationError(f"Names must be at most {_LONGEST_NAME} characters long.")
    if "\0" in name or (isinstance(value, str) and "\0" in value):
        raise ValidationError("NUL characters are not allowed.")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValidationError("Numbers must be finite.")


def having(pairs: str) -> Any:
    """Return the condition that a product has attributes: ``color:red,size:L``.

    A value is found as text, and as the number or truth value that it reads as.

    Raises:
        InvalidInput: what was sent is no such list.
    """
    condition: Any = True
    listed = pairs.split(",")
    if len(listed) > _PAIRS:
        raise invalid("attribute", f"Expected {_PAIRS} attributes at most.", pairs)
    for pair in listed:
        name, colon, value = (item.strip() for item in pair.partition(":"))
        if not (name and colon and value) or '"' in name or "\\" in name:
            raise _malformed(pairs)
        condition = _has(name, value) & condition
    return condition


def _malformed(found: str) -> InvalidInput:
    message = "Expected name:value, and commas between several of these."
    return invalid("attribute", message, found)


def _has(name: str, value: str) -> Any:
    wanted = [value, *_read(value)]
    if isinstance(database.obj, peewee.PostgresqlDatabase):
        found: Any = Product.attributes.contains({name: wanted[0]})
        for other in wanted[1:]:
            found |= Product.attributes.contains({name: other})
        return found
    path = f'$."{name}"'
    column = peewee.fn.json_extract(Product.attributes, path).coerce(False)
    kind = peewee.fn.json_type(Product.attributes, path).coerce(False)
    found = (kind == "text") & (column == value)
    for other in wanted[1:]:
        if isinstance(other, bool):
            found |= kind == str(other).lower()
        else:
            found |= kind.in_(("integer", "real")) & (column == other)
    return found


def _read(value: str) -> Iterator[Any]:
    if value in ("true", "false"):
        yield value == "true"
    try:
        number = float(value)
    except ValueError:
        return
    if math.isfinite(number) and abs(number) < 2**53:
        yield int(number) if number.is_integer() else number
