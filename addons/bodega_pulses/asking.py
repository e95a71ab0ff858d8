"""Reads what is asked for from a query."""

from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from bodega_pulses import instants, querying
from bodega_pulses.instants import DAY, HOUR, MINUTE, micros
from bodega_pulses.querying import (
    AGGREGATES,
    FILLS,
    LARGEST_PAGE,
    MOST_SERIES,
    RESOLUTIONS,
    Question,
)
from bodega_sdk import Parameter, Request, now

PRODUCT = Parameter(
    "product", UUID, "Only of this product; of all by default, where they have few series."
)
_UNIT = Parameter("unit", str, "Only of this unit.")
_SOURCE = Parameter("source", str, "Only of this source.")
_FROM = Parameter(
    "from", str, "From when on, ISO 8601 with a zone; by default an hour, a day, a month or a year "
    "before `to`, by the resolution.",
)  # fmt: skip
_TO = Parameter("to", str, "Until when, that not included; now by default.")
_RESOLUTION = Parameter("resolution", str, "Points, or buckets.", "raw", choices=RESOLUTIONS)
_AGGREGATE = Parameter(
    "aggregate", str, f"Some of {', '.join(AGGREGATES)}, parted by commas; avg by default."
)
_FILL = Parameter(
    "fill", str, "What stands where no points are: nothing, null, 0, or what was before.", "none",
    choices=FILLS,
)  # fmt: skip
_ZONE = Parameter("timezone", str, "Whose days 1d are, e.g. Europe/Berlin; UTC by default.")
_SIZE = Parameter("page_size", int, "Rows of a page.", 1000, 1, LARGEST_PAGE)
_CURSOR = Parameter("cursor", str, "From `next`.")
PARAMETERS = (
    PRODUCT, _UNIT, _SOURCE, _FROM, _TO, _RESOLUTION, _AGGREGATE, _FILL, _ZONE, _SIZE, _CURSOR,
)  # fmt: skip
_SPANS = {"raw": HOUR, "1m": DAY, "1h": 30 * DAY, "1d": 366 * DAY}


def question_of(request: Request) -> Question:
    """Return what is asked for.

    Raises:
        BadRequest: naming the parameter, what was found and what was expected.
    """
    query = request.query
    resolution = query["resolution"]
    behind = _time(_TO, query.get("to"), micros(now()) + MINUTE // 60)
    first = _time(_FROM, query.get("from"), behind - _SPANS[resolution])
    if first > behind:
        raise _FROM.wrong("Must not be later than 'to'.", query.get("from"))
    series = querying.series_of(*(query.get(name) for name in ("product", "unit", "source")))
    if len(series) > MOST_SERIES:
        told = f"There are more than {MOST_SERIES} series: name a product, a unit or a source."
        raise PRODUCT.wrong(told, query.get("product"))
    limit = max(query["page_size"], len(series))
    after = _place(query.get("cursor"))
    return Question(
        series, first, behind, resolution, _aggregates(query, resolution), _fill(query, resolution),
        _zone(query.get("timezone"), resolution), after, limit,
    )  # fmt: skip


def pinned(question: Question) -> dict[str, str]:
    """Return the range as parameters, so that the next page is of the same one."""
    return {"from": instants.shown(question.first), "to": instants.shown(question.behind)}


def _time(parameter: Parameter, text: str | None, otherwise: int) -> int:
    if text is None:
        return otherwise
    try:
        # A plus that was not escaped has become a blank.
        found = instants.read_instant(text.replace(" ", "+"))
    except (TypeError, ValueError, OverflowError):
        expected = "Expected a time in ISO 8601 with a zone, e.g. 2026-11-22T12:00:00Z."
        raise parameter.wrong(expected, text) from None
    if not 0 <= found <= _LATEST:
        raise parameter.wrong("Expected a time between 1970 and 2200.", text)
    return found


_LATEST = 7_258_118_400 * 1_000_000


def _aggregates(query: Any, resolution: str) -> tuple[str, ...]:
    text = query.get("aggregate")
    if resolution == "raw":
        if text is not None:
            raise _AGGREGATE.wrong("Points are not aggregated: name a resolution.", text)
        return ()
    found = tuple(dict.fromkeys((text or "avg").split(",")))
    for name in found:
        if name not in AGGREGATES:
            raise _AGGREGATE.wrong(f"Expected some of: {', '.join(AGGREGATES)}.", name)
    return found


def _fill(query: Any, resolution: str) -> str:
    found: str = query["fill"]
    if resolution == "raw" and found != "none":
        raise _FILL.wrong("Between points nothing is filled: name a resolution.", found)
    return found


def _zone(name: str | None, resolution: str) -> ZoneInfo | None:
    if name is None or name == "UTC":
        return None
    found = instants.zone_named(name)
    if found is None:
        raise _ZONE.wrong("Expected the name of a time zone, e.g. Europe/Berlin.", name)
    if resolution != "1d":
        raise _ZONE.wrong("Only days depend on a time zone: leave it out, or ask for 1d.", name)
    return found


def _place(text: str | None) -> tuple[int, int]:
    if text is None:
        return -1, -1
    at, dot, number = text.partition(".")
    # Series have numbers of 32 bits, times of 64.
    if not (
        dot
        and text.isascii()
        and at.isdecimal()
        and number.isdecimal()
        and len(at) < 19
        and len(number) < 10
    ):
        raise _CURSOR.wrong("Expected what 'next' says.", text)
    return int(at), int(number)
