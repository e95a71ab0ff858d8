"""Extras: a companion of things with short filters, and an include."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import peewee

from bodega_sdk import (
    Companion,
    Extension,
    Filter,
    Include,
    Parameter,
    Request,
    extends,
    hookimpl,
)
from bodega_sdk.schemas import Integer, Schema, String


class ThingExtra(Companion):
    """What a thing has too."""

    id: Any = extends("things.thing")
    stock: Any = peewee.IntegerField(default=0)
    seen: Any = peewee.IntegerField(default=0)
    secret: Any = peewee.CharField(max_length=50, default="none")
    note: Any = peewee.CharField(max_length=50, default="")
    # Nobody but the addon itself writes it, and nobody sees it.
    hits: Any = peewee.IntegerField(default=0)

    class Meta:
        """Peewee's options."""

        table_name = "extras_thing"


class ExtraSchema(Schema):
    """What a thing has too."""

    stock = Integer(minimum=0)
    seen = Integer(dump_only=True)
    secret = String(max_length=50, metadata={"permission": "extras.secret"})
    note = String(max_length=50, metadata={"write_permission": "extras.secret"})


class WordSchema(Schema):
    """A word."""

    word = String()


def _in_stock(value: bool) -> Any:
    there = ThingExtra.stock > 0
    return there if value else (~there | ThingExtra.id.is_null())


def words_of(ids: Sequence[UUID], request: Request) -> dict[UUID, list[dict[str, Any]]]:
    """Return a word for the first thing only."""
    return {ids[0]: [{"word": "first"}]}


@hookimpl
def register_extensions() -> Iterable[Extension]:
    """The companion."""
    in_stock = Filter(Parameter("in_stock", bool, "Whether some are there."), _in_stock)
    short = {"in_stock": in_stock, "stock_min": "stock__gte"}
    return [
        Extension(ThingExtra, ExtraSchema, filters=("stock",), orderings=("stock",), short=short)
    ]


@hookimpl
def register_includes() -> Iterable[Include]:
    """The include."""
    return [Include("things.thing", "words", WordSchema, words_of)]
