"""Reads points from JSON: all at once by columns, and one by one where something is wrong."""

import re
from collections.abc import Callable, Sequence
from functools import cache, lru_cache, partial
from itertools import product
from math import isfinite
from operator import attrgetter
from typing import Annotated, Any, Literal

import msgspec
import orjson

from bodega_pulses import instants
from bodega_pulses.batches import (
    MOST_ERRORS,
    Batch,
    Form,
    Head,
    cut_lines,
    head_fault,
    numbered,
    refused,
    size_of,
)
from bodega_pulses.sketches import LARGEST
from bodega_sdk.errors import BadRequest, FieldError

_WHEN = "Expected a time in ISO 8601 with a zone, e.g. 2026-11-22T12:00:00Z."
#: Takes the place of a point and a member; returns the field that errors name.
Named = Callable[[int, str], str]


# JSON has no NaN, which would be neither.
_Value = Annotated[float, msgspec.Meta(ge=-LARGEST, le=LARGEST)]


class _Point(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    product: str
    timestamp: str
    value: _Value
    unit: str = ""
    source: str = ""


class _Points(msgspec.Struct, forbid_unknown_fields=True):
    points: list[_Point]


_MEMBERS = frozenset(_Point.__struct_fields__)
_LIST, _OBJECT = msgspec.json.Decoder(list[_Point]), msgspec.json.Decoder(_Points)
_LINES = msgspec.json.Decoder(_Point)
_BETWEEN = re.compile(rb"\}\s*,\s*\{")
#: A line that may not begin with a point: the end of one, or one behind blanks.
_TORN = re.compile(rb"\n(?!\{)")


def read_json(data: bytes) -> Batch:
    """Return the points of a JSON document: one, a list, or an object with ``points``.

    Raises:
        BadRequest: it is not JSON, or holds no points.
        InvalidInput: naming each fault; there may be more than are listed.
    """
    try:
        points = _OBJECT.decode(data).points if data[:1] == b"{" else _LIST.decode(data)
        return _by_columns(points, numbered)
    except (TypeError, ValueError, OverflowError):
        return _one_by_one(_document(data), numbered)


def read_lines(data: bytes) -> Batch:
    """Return the points of NDJSON, one on each line.

    Raises:
        BadRequest: a line is not JSON.
        InvalidInput: naming each fault; there may be more than are listed.
    """

    @cache
    def numbers() -> list[int]:
        return _filled(data.splitlines())

    def named(place: int, member: str) -> str:
        return f"line {numbers()[place]}: {member}"

    text = data.strip()
    # One byte is found far faster than two.
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n")
    try:
        return _by_columns(_on_lines(_LINES, text), named)
    except (TypeError, ValueError, OverflowError):
        return _one_by_one(_lines(data), named)


def _on_lines(decoder: Any, text: bytes) -> list[Any]:
    points: list[Any] = decoder.decode_lines(text)
    # Where no point goes over the end of a line, as many points as lines are one on each.
    if len(points) != text.count(b"\n") + 1 or _TORN.search(text):
        raise ValueError("not one on each line")
    return points


def _cut_list(body: bytes) -> list[bytes]:
    """Cut a list between points; what only looks so, in a text, leaves pieces that are no JSON."""
    body = body.strip()
    if body[:1] != b"[" or body[-1:] != b"]":
        return [body]
    pieces: list[bytes] = []
    begin = 1
    while found := _BETWEEN.search(body, begin + size_of(pieces)):
        pieces.append(b"[%b]" % body[begin : found.start() + 1])
        begin = found.end() - 1
    return [*pieces, b"[" + body[begin:]]


def _knowing(
    read: Callable[[bytes], Batch], lines: bool, heads: Sequence[Head]
) -> Callable[[bytes], Batch]:
    products, units, sources = zip(*heads, strict=True)
    if len(set(units)) > 1 or len(set(sources)) > 1:
        return read
    decoder = _decoder(units[0], sources[0], lines)
    decode = partial(_on_lines, decoder) if lines else decoder.decode
    places = {product: place for place, product in enumerate(products)}

    def known(piece: bytes) -> Batch:
        try:
            points = decode(piece)
            of = list(map(places.__getitem__, map(attrgetter("product"), points)))
            return _batch(heads, of, points, numbered)
        except (TypeError, ValueError, OverflowError, KeyError):
            return read(piece)

    return known


@lru_cache(256)
def _decoder(unit: str, source: str, lines: bool) -> Any:
    """Return what decodes points of one unit and one source, and refuses all others."""
    alone: Any = Literal
    members = [
        # A unit that is not empty cannot be left out.
        (name, alone[text], text) if not text else (name, alone[text])
        for name, text in (("unit", unit), ("source", source))
    ]
    members += [("product", str), ("timestamp", str), ("value", _Value)]
    point = msgspec.defstruct(
        "_Known", members, kw_only=True, forbid_unknown_fields=True, gc=False
    )  # fmt: skip
    kind: Any = point if lines else list[point]  # type: ignore[valid-type]
    return msgspec.json.Decoder(kind)


JSON = Form(read_json, _cut_list, partial(_knowing, read_json, False))
NDJSON = Form(read_lines, cut_lines, partial(_knowing, read_lines, True))


def _by_columns(points: Sequence[_Point], named: Named) -> Batch:
    """Return the columns; one of several exceptions when anything is wrong."""
    if not points:
        return Batch([], [], [], [], named)
    heads, of = _heads(points)
    for head in heads:
        _check(head)
    return _batch(heads, of, points, named)


def _batch(heads: Sequence[Head], of: Sequence[int], points: Sequence[Any], named: Named) -> Batch:
    texts = list(map(attrgetter("timestamp"), points))
    # Products are often measured at the same times.
    once = list(dict.fromkeys(texts))
    at = instants.read_instants(once)
    span = min(at), max(at)
    if len(once) < len(texts):
        times = dict(zip(once, at, strict=True))
        at = list(map(times.__getitem__, texts))
    return Batch(heads, of, at, list(map(attrgetter("value"), points)), named, span)


# The same in each piece of a body; what is no head, and may be long, is not kept.
@lru_cache(4096)
def _check(head: Head) -> None:
    if head_fault(head):
        raise ValueError("no product, unit or source")


def _heads(points: Sequence[_Point]) -> tuple[list[Head], list[int]]:
    """Return what the points belong to, each once, and for each point the place of its head."""
    units, sources = (set(map(attrgetter(name), points)) for name in ("unit", "source"))
    alike = len(units) == len(sources) == 1
    # A tuple for each point takes longer than all the rest.
    names = ("product",) if alike else ("product", "unit", "source")
    keys = list(map(attrgetter(*names), points))
    places: dict[Any, int] = {key: place for place, key in enumerate(dict.fromkeys(keys))}
    heads = list(product(places, units, sources)) if alike else list(places)
    return heads, list(map(places.__getitem__, keys))


def _document(data: bytes) -> list[Any]:
    """Return what a JSON document holds, as it is."""
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
    return found


def _lines(data: bytes) -> list[Any]:
    lines = data.splitlines()
    points = []
    for number in _filled(lines):
        try:
            points.append(orjson.loads(lines[number - 1]))
        except orjson.JSONDecodeError as error:
            message = f"Line {number} is not JSON: {error}."
            raise BadRequest(message, [FieldError(f"line {number}", message)]) from None
    return points


def _filled(lines: list[bytes]) -> list[int]:
    """Return the numbers of lines that are not blank, from 1."""
    return [number for number, line in enumerate(lines, 1) if line and not line.isspace()]


def _unreadable(message: str) -> BadRequest:
    return BadRequest(message, [FieldError("body", message)])


def _one_by_one(points: Sequence[Any], named: Named) -> Batch:
    if faults := _faults(points, named):
        raise refused(faults)
    return _by_columns([msgspec.convert(point, _Point) for point in points], named)


def _faults(points: Sequence[Any], named: Named) -> list[FieldError]:
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
