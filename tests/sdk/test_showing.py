"""Rows are shown as marshmallow would show them, only faster."""

from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, ClassVar
from uuid import UUID

import orjson
import peewee
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import post_dump

from bodega_sdk import Entity, Money
from bodega_sdk.encoding import to_json
from bodega_sdk.schemas import (
    Amount,
    Boolean,
    Dict,
    Integer,
    Schema,
    String,
    Timestamp,
    Uuid,
    of_columns,
)
from bodega_sdk.showing import Shower


class Row(Entity):
    """A row of all kinds of columns."""

    text: Any = peewee.TextField(null=True)
    number: Any = peewee.IntegerField(null=True)
    flag: Any = peewee.BooleanField(default=False)
    owner: Any = peewee.UUIDField(null=True)
    bag: Any = peewee.JSONField(null=True)
    minor: Any = peewee.BigIntegerField(default=0)

    class Meta:
        table_name = "shown_row"

    @property
    def price(self) -> Money:
        """An amount."""
        return Money(self.minor, "EUR")


class RowSchema(Schema):
    """All kinds of members."""

    made: ClassVar = {
        "double": lambda row: (row.number or 0) * 2,
        "half": of_columns(lambda number: (number or 0) // 2, "number"),
        "both": of_columns(lambda text, number: f"{text} {number}", "text", "number"),
        "later": of_columns(lambda: None),
        # What is no column of a row is asked of the row.
        "whole": of_columns(str, "price"),
    }

    double = Integer()
    half = Integer()
    both = String()
    later = String()
    whole = String()
    id = Uuid()
    text = String()
    number = Integer(data_key="count")
    flag = Boolean()
    owner = Uuid(allow_none=True)
    bag = Dict()
    price = Amount()
    created_at = Timestamp()
    secret = String(load_only=True)


_ROWS = st.builds(
    Row,
    id=st.uuids(),
    text=st.none() | st.text(),
    number=st.none() | st.integers(-(2**62), 2**62),
    flag=st.booleans(),
    owner=st.none() | st.uuids(),
    bag=st.none() | st.dictionaries(st.text(), st.integers(-9, 9)),
    minor=st.integers(-(10**15), 10**15),
    created_at=st.datetimes(datetime(1900, 1, 1), datetime(9000, 1, 1), timezones=st.just(UTC)),
)


def as_json(value: Any) -> Any:
    return orjson.loads(to_json(value))


@given(st.lists(_ROWS, max_size=3))
def test_what_is_shown_is_what_marshmallow_shows(rows: list[Row]) -> None:
    shown = Shower(RowSchema, Row).show(rows)
    usual = RowSchema().dump(rows, many=True)
    assert as_json(shown) == as_json(usual)
    assert [list(item) for item in shown] == [list(item) for item in usual]


def test_of_a_row_that_was_read_without_columns_these_are_none() -> None:
    row = Row(id=UUID(int=1), number=7)
    row.__data__ = {"id": row.id, "number": 7, "minor": 100}
    shown = Shower(RowSchema, Row).show([row])[0]
    assert (shown["both"], shown["half"], shown["text"]) == ("None 7", 3, None)
    row.__data__ = {"id": row.id, "minor": 100}
    shown = Shower(RowSchema, Row).show([row])[0]
    assert (shown["both"], shown["half"], shown["double"]) == ("None None", 0, 0)


def test_what_cannot_be_planned_is_left_to_marshmallow() -> None:
    class Hooked(RowSchema):
        @post_dump
        def shout(self, data: Any, **_: Any) -> Any:
            return data | {"text": data["text"].upper()}

    class Own(RowSchema):
        def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
            return "own" if attr == "text" else super().get_attribute(obj, attr, default)

    class Unknown(RowSchema):
        nowhere = String()

    row = Row(text="a", id=UUID(int=1))
    assert Shower(Hooked, Row).show([row])[0]["text"] == "A"
    assert Shower(Own, Row).show([row])[0]["text"] == "own"
    assert "nowhere" not in Shower(Unknown, Row).show([row])[0]
    plain = SimpleNamespace(text="b", id=UUID(int=2), number=3, price=Decimal("1.50"))
    assert Shower(RowSchema, Row).show([plain])[0]["price"] == "1.50"


@given(st.integers(-(10**15), 10**15), st.sampled_from(["EUR", "JPY", "KWD"]))
def test_amounts_are_written_with_the_decimals_of_their_currency(minor: int, code: str) -> None:
    places = {"EUR": 2, "JPY": 0, "KWD": 3}[code]
    assert Decimal(str(Money(minor, code))) == Decimal(minor).scaleb(-places)
    assert len(str(Money(minor, code)).partition(".")[2]) == places
