"""Made-up bodies and parameters: sound ones, and ones that no handler should trip over."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count, zip_longest
from typing import Any
from uuid import UUID

from marshmallow import fields, validate

from bodega_sdk.http import Parameter
from bodega_sdk.ids import uuid7
from bodega_sdk.schemas import Amount, Email, Schema, Timestamp, Url, Uuid

_HUGE = 2**63 - 1
#: What is of no field's type, or beyond every bound.
_WRONG: tuple[Any, ...] = (
    None,
    "",
    0,
    -1,
    [],
    {},
    True,
    "\0",
    "x" * 5000,
    10**30,
    1.5,
    "🙂",
    ["x"],
    {"x": 1},
)
_NAMED = {
    "currency": "EUR", "country": "DE", "language": "en", "locale": "en", "phone": "+4930123456",
    "password": "correct horse battery", "timezone": "UTC",
}  # fmt: skip
_numbers = count(1)


@dataclass
class Ids:
    """Ids of rows that are there, by table, to be referred to."""

    known: dict[str, list[str]] = field(default_factory=dict)

    def one(self, name: str = "", number: int = 0) -> str:
        """Return the id of a row that a name seems to mean, or of any; or one that nobody has.

        Args:
            name: a member or a segment of a path: ``product``, ``product_id``, ``products``.
            number: another one for another number.
        """
        found = self._meant(name) or [key for keys in self.known.values() for key in keys]
        return found[number % len(found)] if found else str(uuid7())

    def _meant(self, name: str) -> list[str]:
        noun = name.replace("-", "_").removesuffix("_id")
        nouns = (noun, noun.removesuffix("s"), noun.removesuffix("es"), f"{noun[:-3]}y")
        return [
            key
            for table, keys in self.known.items()
            if noun and any(table.endswith(f"_{item}") for item in nouns)
            for key in keys
        ]


def sound(schema: type[Schema], ids: Ids, *, whole: bool) -> dict[str, Any]:
    """Return a body that a schema accepts, as far as that can be told from its fields.

    Args:
        whole: with the members that may be left out, too.
    """
    members = schema().load_fields
    return {
        member.data_key or name: value(name, member, ids)
        for name, member in members.items()
        if whole or member.required
    }


def value(name: str, member: fields.Field[Any], ids: Ids) -> Any:
    """Return a value that a field accepts."""
    for rule in member.validators:
        if isinstance(rule, validate.OneOf):
            return next(iter(rule.choices))
    if "example" in member.metadata:
        return member.metadata["example"]
    for kind, make in _MAKERS:
        if isinstance(member, kind):
            return make(name, member, ids)
    return "made up"


def _nested(name: str, member: Any, ids: Ids) -> Any:
    schema = member.schema
    kind = schema if isinstance(schema, type) else type(schema)
    made = sound(kind, ids, whole=True)
    return [made] if member.many else made


def _whole_number(name: str, member: fields.Field[Any], ids: Ids) -> int:
    least, most = _bounds(member)
    return 1 if least <= 1 <= most else least


def _bounds(member: fields.Field[Any]) -> tuple[int, int]:
    for rule in member.validators:
        if isinstance(rule, validate.Range):
            low: Any = -_HUGE - 1 if rule.min is None else rule.min
            high: Any = _HUGE if rule.max is None else rule.max
            return int(low), int(high)
    return -_HUGE - 1, _HUGE


def _lengths(member: fields.Field[Any]) -> tuple[int, int]:
    for rule in member.validators:
        if isinstance(rule, validate.Length):
            return rule.equal or rule.min or 0, rule.equal or rule.max or 200
    return 0, 200


def _text(name: str, member: fields.Field[Any], ids: Ids) -> str:
    least, most = _lengths(member)
    known = next((text for word, text in _NAMED.items() if word in name), "")
    if known and least <= len(known) <= most:
        return known
    made = f"{name} {next(_numbers)}"
    return made[-most:].ljust(least, "x")


_MAKERS: tuple[tuple[type, Callable[[str, Any, Ids], Any]], ...] = (
    (fields.Nested, _nested),
    (fields.List, lambda name, member, ids: [value(name, member.inner, ids)]),
    (fields.Dict, lambda name, member, ids: {}),
    (Email, lambda name, member, ids: f"somebody{next(_numbers)}@example.com"),
    (Url, lambda name, member, ids: "https://example.com/x"),
    (fields.UUID, lambda name, member, ids: ids.one(name)),
    (Timestamp, lambda name, member, ids: "2030-01-01T00:00:00Z"),
    (fields.DateTime, lambda name, member, ids: "2030-01-01T00:00:00Z"),
    (fields.Date, lambda name, member, ids: "2030-01-01"),
    (Amount, lambda name, member, ids: "12.50"),
    (fields.Boolean, lambda name, member, ids: True),
    (fields.Integer, _whole_number),
    (fields.Float, lambda name, member, ids: 1.5),
    (fields.Decimal, lambda name, member, ids: "1.5"),
    (fields.String, _text),
)


def hard(member: fields.Field[Any]) -> list[Any]:
    """Return values at the edges of what a field accepts, then such as it should refuse."""
    edges: list[Any] = []
    if isinstance(member, fields.Integer):
        least, most = _bounds(member)
        edges = [0, -1, least, most]
    elif isinstance(member, Amount):
        edges = ["0", "0.00", "-1", "0.001", "99999999999999", "1e5", "NaN"]
    elif isinstance(member, Timestamp):
        edges = ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2030-01-01T00:00:00"]
    elif isinstance(member, Uuid):
        edges = [str(uuid7()), "0"]
    elif isinstance(member, fields.List):
        edges = [[], [None]]
    elif isinstance(member, fields.String):
        least, most = _lengths(member)
        edges = ["", " ", "🙂é", "0", "%_'\"\\", "x" * most, "x" * least, "-1"]
    return [*edges, *(item for item in _WRONG if item not in edges)]


def bodies(schema: type[Schema], ids: Ids, most: int) -> Iterator[Any]:
    """Yield bodies that are sound but for one member, each member in its turn."""
    members = schema().load_fields
    rows = [[(name, item) for item in hard(member)] for name, member in members.items()]
    turns = (pair for turn in zip_longest(*rows) for pair in turn if pair is not None)
    for (name, item), _ in zip(turns, range(most), strict=False):
        made = sound(schema, ids, whole=True)
        yield made | {members[name].data_key or name: item}


def texts(parameter: Parameter, ids: Ids) -> list[str]:
    """Return texts of a query parameter: sound ones first, then such as it should refuse."""
    found: list[str] = list(map(str, parameter.choices))
    if parameter.type is UUID:
        found += [ids.one(parameter.name), str(uuid7())]
    elif parameter.type in (int, Decimal):
        bounds: Sequence[int | None] = (parameter.minimum, parameter.maximum)
        found += ["1", *(str(item) for item in bounds if item is not None), "0", "-1", str(_HUGE)]
    elif parameter.type is bool:
        found += ["true", "false"]
    elif not found:
        found += ["made up", "0", "🙂é", "%_'\"\\", "-1", "2030-01-01", "x" * 900]
    return [*found, "", "\0", "9" * 400, "x" * 5000]
