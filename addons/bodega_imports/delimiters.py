"""Which character separates the columns of a CSV file."""

import csv
import re
from contextlib import suppress

#: Those that people choose; the first of equals wins.
USUAL = (",", ";", "\t", "|")
#: Those that occur in plain names and numbers too, so that they need more evidence.
_RARE = (":", "^", "~")
# No name holds a control character, so one in the header separates.
_CONTROLS = re.compile(r"[\x01-\x08\x0e-\x1f]")
# Excel's own hint, a line before the header.
_HINT = re.compile(r'"?sep=([^\r\n"\0])"?(?:\r\n|\r|\n|\Z)', re.IGNORECASE)
_QUOTED = re.compile(r'"[^"]*"?')
_SAMPLE = 50


def hinted(head: str) -> str:
    """Return the delimiter that the line ``sep=;`` names; empty without such a line."""
    found = _HINT.match(head)
    return found[1] if found else ""


def sniff(head: str, filename: str = "") -> str:
    """Return the delimiter of a file that begins with a text.

    Args:
        filename: one that ends in ``.tsv`` or ``.tab`` makes the tab the first of equals.
    """
    bare = _QUOTED.sub("", head).lstrip("\r\n ")
    first = re.split(r"[\r\n]", bare, maxsplit=1)[0]
    if controls := _CONTROLS.findall(first):
        return str(max(sorted(set(controls)), key=controls.count))
    usual = ("\t", ",", ";", "|") if filename.lower().endswith((".tsv", ".tab")) else USUAL
    if found := [sign for sign in usual if sign in first]:
        return max(found, key=lambda sign: _evidence(head, sign, first)) if found[1:] else found[0]
    rare = [sign for sign in _RARE if sign in first and _evidence(head, sign, first)[0] == 1]
    return rare[0] if rare else ","


def _evidence(head: str, sign: str, first: str) -> tuple[float, int]:
    """Return which share of the records has as many columns as the header, and how many."""
    lines = re.findall(r"[^\r\n]*(?:\r\n|\r|\n)", head.lstrip("\r\n "))[: _SAMPLE * 4]
    widths: list[int] = []
    # Of a cell above the limit: the widths before it tell enough.
    with suppress(csv.Error):
        for values in csv.reader(lines, delimiter=sign):
            widths += [len(values)] if values else []
    rest = widths[1 : _SAMPLE + 1]
    alike = sum(width == widths[0] for width in rest) / len(rest) if rest else 0.5
    return round(alike, 1), first.count(sign)
