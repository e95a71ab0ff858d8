"""Making HTML of blocks: the only place that knows markup."""

import re
from collections.abc import Iterable
from dataclasses import fields
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from bodega_sdk.console import Badge, Block, Line, Link, Picture, Progress, Table
from bodega_sdk.money import Money

FOLDER = Path(__file__).parent
#: Rows of one table or chart; what an addon brings beyond is left out, and said to be.
MOST_ROWS = 1000
_BLOCKS: tuple[type, ...] = get_args(Block)
_PARTS: tuple[type, ...] = (*_BLOCKS, Link, Badge, Picture, Progress)


@cache
def _environment() -> Environment:
    loader = FileSystemLoader(FOLDER / "templates")
    made = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    made.filters |= {
        "kind": kind, "shown": shown, "instant": instant, "paragraphs": paragraphs,
        "numeric": numeric, "curve": curve,
    }  # fmt: skip
    return made


def render(template: str, **values: Any) -> Markup:
    """Return what a template makes of values."""
    return Markup(_environment().get_template(template).render(values))  # noqa: S704


def render_blocks(blocks: Iterable[Block]) -> Markup:
    """Return the blocks of a page as HTML.

    Raises:
        TypeError: something is no block, or a cell holds what cannot be shown.
    """
    return render("blocks.html", blocks=[_checked(block) for block in blocks], most=MOST_ROWS)


def _checked(block: Any) -> Any:
    if not isinstance(block, _BLOCKS):
        names = ", ".join(item.__name__ for item in _BLOCKS)
        raise TypeError(f"expected blocks out of {names}; found {block!r:.100}")
    return plain(block)


def plain(value: Any) -> Any:
    """Return a block or a part of one, checked again and with plain texts only.

    A text that says of itself that it is safe HTML would be believed by the templates.
    """
    if isinstance(value, str):
        return str.__str__(value)
    for part in _PARTS:
        if isinstance(value, part):
            names = [field.name for field in fields(part)]
            return part(**{name: plain(getattr(value, name)) for name in names})
    return tuple(map(plain, value)) if isinstance(value, tuple) else value


def kind(value: Any) -> str:
    """Return how a block or a cell is to be shown."""
    if isinstance(value, _PARTS):
        return type(value).__name__.lower()
    if value is None:
        return "none"
    if isinstance(value, datetime):
        return "instant"
    if isinstance(value, int | float | Decimal | Money) and not isinstance(value, bool):
        return "number"
    return "words"


def shown(value: Any) -> str:
    """Return a plain cell as text.

    Raises:
        TypeError: it is of no type that a cell may hold.
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.2f}".removesuffix(".00")
    if isinstance(value, Decimal):
        return f"{value:,f}"
    if isinstance(value, Money):
        return f"{Decimal(str(value)):,f} {value.currency}"
    if isinstance(value, str | UUID):
        return str(value)
    raise TypeError(f"a cell cannot hold {value!r:.100}")


def instant(value: datetime) -> tuple[str, str]:
    """Return an instant for programs and for people, both in UTC.

    Raises:
        ValueError: it is naive.
    """
    if value.tzinfo is None:
        raise ValueError(f"expected an aware datetime, found {value!r}")
    moment = value.astimezone(UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}", f"{moment:%Y-%m-%d %H:%M:%S}"


def paragraphs(text: str) -> list[str]:
    """Return the paragraphs of a text: what empty lines divide."""
    return [part for part in re.split(r"\n\s*\n", text) if part.strip()]


def numeric(table: Table) -> list[bool]:
    """Return for each column of a table whether it holds numbers, which stand on the right."""
    columns = [[kind(row[i]) for row in table.rows[:MOST_ROWS]] for i in range(len(table.columns))]
    return ["number" in kinds and set(kinds) <= {"number", "none"} for kinds in columns]


def curve(line: Line) -> str:
    """Return the points of a line chart in a box of 100 by 40, the lowest number at its foot."""
    values = [value for _, value in line.points[:MOST_ROWS]]
    low, high = min(values), max(values)
    span, steps = (high - low) or 1, (len(values) - 1) or 1
    places = (
        f"{index * 100 / steps:.2f},{39 - (value - low) / span * 38:.2f}"
        for index, value in enumerate(values)
    )
    return " ".join(places)
