"""Reads InfluxDB's line protocol: ``measurement,tag=… field=… timestamp``.

A line is one point: its tags name ``product``, and may name ``unit`` and ``source``; without
a ``source`` it is the measurement; its one field is ``value``, a number. What else a line may
hold in InfluxDB would have to be dropped here, or would put points of two things into one
series: it is refused by name.
"""

import re
from datetime import datetime
from functools import lru_cache, partial

import orjson

from bodega_pulses.batches import (
    MOST_ERRORS,
    Batch,
    Form,
    Head,
    cut_lines,
    head_fault,
    refused,
)
from bodega_pulses.instants import micros
from bodega_pulses.sketches import LARGEST
from bodega_sdk.errors import FieldError

#: Precision of timestamps → what makes microseconds of them: multiply, divide.
PRECISIONS = {"ns": (1, 1000), "us": (1, 1), "ms": (1000, 1), "s": (1_000_000, 1)}
_TAGS = ("product", "unit", "source")
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?[iu]?")
_TIME = re.compile(r"-?\d{1,19}")
#: A part of a line up to what is not escaped.
_PARTS = {mark: re.compile(rf"(?:\\.|[^\\{mark}])*") for mark in (" ", ",", "=")}
#: What is escaped, a comment, or a blank to JSON only.
_NOT_PLAIN = tuple(b'\\"#\t\r'[place : place + 1] for place in range(5))
#: A time of twenty digits.
_TOO_LATE = 10**19
_ESCAPED = re.compile(r"\\([,= \\])")


class _Fault(Exception):
    """A line is no point: which member, why, what was found."""


def form(precision: str, now: datetime) -> Form:
    """Return line protocol of a precision, see :func:`read`."""
    return Form(partial(read, precision=precision, now=now), cut_lines)


def read(data: bytes, precision: str, now: datetime) -> Batch:
    """Read lines; those without a timestamp are of now.

    Args:
        precision: one of :data:`PRECISIONS`.

    Raises:
        InvalidInput: naming each line that cannot be taken, the member, and what was found.
    """
    return _Reader(precision, micros(now)).read(data)


class _Reader:
    """Reads lines, each distinct beginning of them once."""

    def __init__(self, precision: str, now: int) -> None:
        self._times, self._over = PRECISIONS[precision]
        self._now = now
        self._places: dict[str, int] = {}
        self._heads: dict[Head, int] = {}
        self._errors: list[FieldError] = []

    def read(self, data: bytes) -> Batch:
        # One byte is found far faster than two.
        whole = data.replace(b"\r\n", b"\n") if b"\r" in data else data
        body = whole.strip(b"\n")
        # Lines are counted from the first that was sent.
        first = 1 + len(whole) - len(whole.lstrip(b"\n"))
        return self._by_columns(body, first) or self._by_lines(_text(body, first), first)

    def _by_columns(self, body: bytes, first: int) -> Batch | None:
        """Read lines that are all as plain as can be, as JSON; None where one is not.

        A line becomes its head, a text, its value and its time, numbers. What JSON reads that
        a line may not be, or reads otherwise, is left to who reads line by line.
        """
        if any(mark in body for mark in _NOT_PLAIN):
            return None
        # Which is faster than to replace so many characters.
        flat = b'",'.join(body.split(b" value=")).replace(b" ", b",").replace(b"\n", b',"')
        try:
            found = orjson.loads(b'["%b]' % flat)
            heads, values, times = found[::3], found[1::3], found[2::3]
            # A text begins where a line does, and nowhere else: each line has its three.
            if set(map(type, heads)) != {str} or set(map(type, times)) != {int}:
                return None
            if not (kinds := set(map(type, values))) <= {float, int}:
                return None
            places = {head: self._place(head) for head in dict.fromkeys(heads)}
        except (orjson.JSONDecodeError, _Fault):
            return None
        span = min(times), max(times)
        if not 0 <= span[0] <= span[1] < _TOO_LATE:
            return None
        if not -LARGEST <= min(values) <= max(values) <= LARGEST:
            return None
        if int in kinds:
            values = list(map(float, values))
        if self._times != 1:
            times = [time * self._times for time in times]
        if self._over != 1:
            times = [time // self._over for time in times]
        of = list(map(places.__getitem__, heads))
        return Batch(
            list(self._heads), of, times, values,
            lambda place, name: f"line {place + first}: {name}", self._micros(span),
        )  # fmt: skip

    def _micros(self, times: tuple[int, int]) -> tuple[int, int]:
        first, last = (time * self._times // self._over for time in times)
        return first, last

    def _by_lines(self, text: str, first: int) -> Batch:
        of: list[int] = []
        at: list[int] = []
        values: list[float] = []
        lines: list[int] = []
        for number, line in enumerate(text.split("\n"), first):
            if not line or line[0] == "#" or line.isspace():
                continue
            try:
                place, value, time = self._point(line)
            except _Fault as fault:
                self._note(number, fault)
                if len(self._errors) >= MOST_ERRORS:
                    break
                continue
            of.append(place)
            values.append(value)
            at.append(time)
            lines.append(number)
        if self._errors:
            raise refused(self._errors)
        return Batch(
            list(self._heads), of, at, values, lambda place, name: f"line {lines[place]}: {name}"
        )

    def _note(self, number: int, fault: _Fault) -> None:
        name, told, found = fault.args
        field = f"line {number}: {name}" if name else f"line {number}"
        self._errors.append(FieldError(field, told, found))

    def _point(self, line: str) -> tuple[int, float, int]:
        if "\\" in line or '"' in line:
            head, fields, time = _split(line)
        else:
            parts = line.split(" ")
            if len(parts) == 3:
                head, fields, time = parts
            elif len(parts) == 2:
                (head, fields), time = parts, ""
            else:
                head, fields, time = _split(line)
        place = self._places.get(head)
        if place is None:
            place = self._place(head)
        if time and _TIME.fullmatch(time):
            return place, _value(fields), int(time) * self._times // self._over
        if time:
            raise _Fault("timestamp", "Expected a whole number.", time)
        return place, _value(fields), self._now

    def _place(self, text: str) -> int:
        head = _head(text)
        self._places[text] = self._heads.setdefault(head, len(self._heads))
        return self._places[text]


def _text(body: bytes, first: int) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        number = body.count(b"\n", 0, error.start) + first
        raise refused([FieldError(f"line {number}", "Expected UTF-8.")]) from None


def _split(line: str) -> tuple[str, str, str]:
    """Split a line at the blanks that are not escaped."""
    parts, rest = [], line.strip()
    while rest:
        part = _part(rest, " ")
        if len(part) == len(rest) or rest[len(part)] == " ":
            parts.append(part)
            rest = rest[len(part) :].lstrip(" ")
            continue
        break
    if rest or not 2 <= len(parts) <= 3:
        told = "Expected 'measurement,product=… value=…' and a timestamp, parted by blanks."
        raise _Fault("", told, line)
    return parts[0], parts[1], parts[2] if parts[2:] else ""


def _part(text: str, mark: str) -> str:
    """Return what of a text is before a mark that is not escaped."""
    found = _PARTS[mark].match(text)
    return found[0] if found else ""


def _plain(text: str) -> str:
    return _ESCAPED.sub(r"\1", text)


# The same in each piece of a body; what is no head, and may be long, is not kept.
@lru_cache(4096)
def _head(text: str) -> Head:
    measurement = _part(text, ",")
    tags: dict[str, str] = {}
    rest = text[len(measurement) :]
    while rest.startswith(","):
        pair = _part(rest[1:], ",")
        name = _part(pair, "=")
        if not name or len(name) + 1 >= len(pair):
            raise _Fault("tags", "Expected name=value.", pair or rest)
        if name not in _TAGS:
            raise _Fault(name[:50], "Unknown tag; there are product, unit and source.", name)
        if name in tags:
            raise _Fault(name, "This tag is there twice.", pair)
        tags[name] = _plain(pair[len(name) + 1 :])
        rest = rest[1 + len(pair) :]
    if rest or not measurement:
        raise _Fault("measurement", "Expected the name of a measurement, then tags.", text)
    if "product" not in tags:
        raise _Fault("product", "A tag 'product' is required: a product's id or SKU.", text)
    head = tags["product"], tags.get("unit", ""), tags.get("source", _plain(measurement))
    if fault := head_fault(head):
        raise _Fault(*fault)
    return head


def _value(fields: str) -> float:
    name, _, text = fields.partition("=")
    if name != "value":
        raise _Fault("fields", "Expected one field, 'value'.", fields)
    if not _NUMBER.fullmatch(text):
        told = "Expected one number, e.g. value=21.5 or value=3i, and no other field."
        raise _Fault("value", told, text)
    value = float(text.rstrip("iu"))
    if not abs(value) <= LARGEST:
        raise _Fault("value", f"Expected a magnitude of {LARGEST:g} at most.", text)
    return value
