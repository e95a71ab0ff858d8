"""Reads points from JSON: all at once by columns, and one by one where something is wrong."""

from collections.abc import Callable, Sequence
from itertools import chain
from math import isfinite
from operator import itemgetter
from typing import Any

import orjson

from bodega_pulses import instants
from bodega_pulses.batches import MOST_ERRORS, Batch, head_fault, refused
from bodega_pulses.sketches import LARGEST
from bodega_sdk.errors import BadRequest, FieldError

_MEMBERS = frozenset(("product", "timestamp", "value", "unit", "source"))
_WHEN = "Expected a time in ISO 8601 with a zone, e.g. 2026-11-22T12:00:00Z."


def read_json(data: bytes) -> tuple[Any, ...]:
    """Return the points of a JSON document: one, a list, or an object with ``points``.

    Raises:
        BadRequest: it is not JSON, or holds no points.
    """
    try:
        found = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise _unreadable(f"The body is not JSON: {error}.") from None
    if isinstance(found, dict) and found.keys() == {"points"}:
        found = found["points"]
    elif isinstance(found, dict):
        found = [found]
    if not isinstance(found, list):
        raise _unreadable('Expected a point, a list of points, or {"points": […]}.')
    return tuple(found)


def read_lines(data: bytes) -> tuple[tuple[Any, ...], Callable[[int, str], str]]:
    """Return the points of NDJSON, one on each line, and how their errors are named.

    Raises:
        BadRequest: a line is not JSON.
    """
    lines = data.splitlines()
    filled = [number for number, line in enumerate(lines, 1) if line and not line.isspace()]

    def named(place: int, member: str) -> str:
        return f"line {filled[place]}: {member}"

    points = []
    for number in filled:
        try:
            points.append(orjson.loads(lines[number - 1]))
        except orjson.JSONDecodeError as error:
            message = f"Line {number} is not JSON: {error}."
            raise BadRequest(message, [FieldError(f"line {number}", message)]) from None
    return tuple(points), named


def _unreadable(message: str) -> BadRequest:
    return BadRequest(message, [FieldError("body", message)])


def batch_of(points: Sequence[Any], named: Callable[[int, str], str] | None = None) -> Batch:
    """Check points and return them by columns.

    Raises:
        InvalidInput: naming each fault; there may be more than are listed.
    """
    naming = {} if named is None else {"named": named}
    try:
        batch = _columns(points, naming)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        batch = None
    if batch is None:
        raise refused(_faults(points, named or Batch([], [], [], []).named))
    return batch


def _columns(points: Sequence[Any], naming: dict[str, Any]) -> Batch | None:
    """Return the columns; None, or one of many exceptions, when anything is wrong."""
    if not points:
        return Batch([], [], [], [], **naming)
    known = set(chain.from_iterable(points))
    if not known <= _MEMBERS:
        return None
    values = list(map(itemgetter("value"), points))
    if not set(map(type, values)) <= {int, float}:
        return None
    values = list(map(float, values))
    # JSON has no NaN, which would be neither.
    if not -LARGEST <= min(values) <= max(values) <= LARGEST:
        return None
    keys = _keys(points, known)
    heads = {key: place for place, key in enumerate(dict.fromkeys(keys))}
    if any(map(head_fault, heads)):
        return None
    texts = list(map(itemgetter("timestamp"), points))
    # Products are often measured at the same times.
    times = {text: instants.read_instant(text) for text in set(texts)}
    at = list(map(times.__getitem__, texts))
    return Batch(list(heads), list(map(heads.__getitem__, keys)), at, values, **naming)


def _keys(points: Sequence[Any], known: set[str]) -> list[Any]:
    """Return product, unit and source of each point, at the speed of C where all have them."""
    if sum(map(len, points)) == len(points) * len(known):
        if known >= {"unit", "source"}:
            return list(map(itemgetter("product", "unit", "source"), points))
        if "unit" in known:
            return [(*key, "") for key in map(itemgetter("product", "unit"), points)]
    return [(p["product"], p.get("unit", ""), p.get("source", "")) for p in points]


def _faults(points: Sequence[Any], named: Callable[[int, str], str]) -> list[FieldError]:
    found: list[FieldError] = []
    for place, point in enumerate(points):
        found += [
            FieldError(named(place, member).rstrip(".: "), told, value)
            for member, told, value in _faults_of(point)
        ]
        if len(found) >= MOST_ERRORS:
            break
    return found


def _faults_of(point: Any) -> list[tuple[str, str, Any]]:
    if not isinstance(point, dict):
        return [("", "Expected a point: a JSON object.", point)]
    known = ", ".join(sorted(_MEMBERS))
    faults: list[tuple[str, str, Any]] = [
        (name, f"Unknown member; a point has: {known}.", None) for name in point.keys() - _MEMBERS
    ]
    faults += [
        (name, "This member is required.", None)
        for name in ("product", "timestamp", "value")
        if name not in point
    ]
    head = (point.get("product", "-"), point.get("unit", ""), point.get("source", ""))
    if fault := head_fault(head):
        faults.append(fault)
    if "value" in point and not _is_value(point["value"]):
        told = f"Expected a number of a magnitude of {LARGEST:g} at most."
        faults.append(("value", told, point["value"]))
    if "timestamp" in point and not _is_time(point["timestamp"]):
        faults.append(("timestamp", _WHEN, point["timestamp"]))
    return faults


def _is_value(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) <= LARGEST and isfinite(value)


def _is_time(text: Any) -> bool:
    try:
        return instants.read_instant(text) is not None
    except (TypeError, ValueError, OverflowError):
        return False
