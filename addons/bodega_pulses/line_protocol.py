"""Reads InfluxDB's line protocol: ``measurement,tag=… field=… timestamp``.

A line is one point: its tags name ``product``, and may name ``unit`` and ``source``; without
a ``source`` it is the measurement; its one field is ``value``, a number. What else a line may
hold in InfluxDB would have to be dropped here, or would put points of two things into one
series: it is refused by name.
"""

import re
from datetime import datetime

import msgspec

from bodega_pulses.batches import MOST_ERRORS, Batch, Head, head_fault, refused
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
_NOT_PLAIN = '\\"#\t\r'
_LISTS = msgspec.json.Decoder(list[tuple[str, float, int]])
#: A time of twenty digits.
_TOO_LATE = 10**19
_ESCAPED = re.compile(r"\\([,= \\])")


class _Fault(Exception):
    """A line is no point: which member, why, what was found."""


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
        whole = self._text(data)
        text = whole.strip("\n")
        # Lines are counted from the first that was sent.
        first = 1 + len(whole) - len(whole.lstrip("\n"))
        return self._by_columns(text, first) or self._by_lines(text, first)

    def _by_columns(self, text: str, first: int) -> Batch | None:
        """Read lines that are all as plain as can be, as JSON; None where one is not.

        A line becomes a list of its head, its value and its time. What JSON reads that a
        line may not be, or reads otherwise, is left to who reads line by line.
        """
        if any(mark in text for mark in _NOT_PLAIN):
            return None
        # Which is faster than to replace so many characters.
        lists = '",'.join(text.split(" value=")).replace(" ", ",").replace("\n", '],["')
        try:
            points = _LISTS.decode(f'[["{lists}]]')
            heads, values, times = map(list, zip(*points, strict=True))
            # Two lines that look like one point have a tag in their head that begins with '['.
            places = {head: self._place(head) for head in dict.fromkeys(heads)}
        except (msgspec.DecodeError, _Fault):
            return None
        if not 0 <= min(times) <= max(times) < _TOO_LATE:
            return None
        if not -LARGEST <= min(values) <= max(values) <= LARGEST:
            return None
        if self._times != 1:
            times = [time * self._times for time in times]
        if self._over != 1:
            times = [time // self._over for time in times]
        of = list(map(places.__getitem__, heads))
        return Batch(
            list(self._heads), of, times, values,
            lambda place, name: f"line {place + first}: {name}",
        )  # fmt: skip

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

    def _text(self, data: bytes) -> str:
        try:
            text = data.decode()
            # One character is found faster than two.
            return text.replace("\r\n", "\n") if "\r" in text else text
        except UnicodeDecodeError as error:
            number = data.count(b"\n", 0, error.start) + 1
            raise refused([FieldError(f"line {number}", "Expected UTF-8.")]) from None

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
