"""Words as the search compares them: folded, cut out of text, CJK in pairs of characters."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import islice

from bodega_products.text import fold

#: Characters of a word that count.
LONGEST = 40
_CJK = (
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\uac00-\ud7af\U00020000-\U0003ffff"
)
_PIECE = re.compile(f"[{_CJK}]+|[^\\W_{_CJK}]+")
_IS_CJK = re.compile(f"[{_CJK}]")
_JOINER = re.compile(r"[-'’._/&+]")
_JOINED = re.compile(r"[^\W_]+(?:[-'’._/&+][^\W_]+)+")
_ASCII = re.compile(r"[a-z0-9]+")
_NOT_WORD = re.compile(r"[\W_]+")
_RUN = re.compile(r"[^\W\d_]+|\d+")
# Endings of a SKU that are indexed, so that a fragment is the beginning of a word.
_ENDINGS = 12


def plain(text: str) -> str:
    """Return text as it is compared: without case, accents and ways of writing a character."""
    folded = fold(text)
    return folded if folded.isascii() else unicodedata.normalize("NFC", folded)


def pieces(folded: str) -> list[str]:
    """Return what stands in plain text: words, and runs of CJK characters."""
    return [piece[:LONGEST] for piece in _PIECE.findall(folded)]


def is_cjk(piece: str) -> bool:
    """Whether a piece is of a script that does not part words."""
    return _IS_CJK.match(piece) is not None


def pairs(run: str) -> list[str]:
    """Return the pairs of neighbours in a run of CJK characters."""
    return [run[place : place + 2] for place in range(len(run) - 1)]


def words(folded: str) -> Iterator[str]:
    """Yield the words of plain text as they are indexed.

    The last character of a run stands alone, so that each begins some word.
    """
    for piece in pieces(folded):
        if is_cjk(piece):
            yield from pairs(piece)
            yield piece[-1]
        else:
            yield piece


def joined(folded: str) -> list[str]:
    """Return what is written with hyphens and the like as one word: ``t-shirt`` as ``tshirt``."""
    if not _JOINER.search(folded):
        return []
    return [squeezed(found) for found in _JOINED.findall(folded)]


def squeezed(folded: str) -> str:
    """Return plain text without anything but letters and digits."""
    return _NOT_WORD.sub("", folded)[:LONGEST]


def field(text: str, most: int, *, join: bool = True) -> str:
    """Return a text as it is indexed: its words with one space on either side of each.

    Args:
        most: words that count.
        join: whether what :func:`joined` returns stands behind them.
    """
    folded = plain(text)
    if not folded:
        return ""
    if folded.isascii():
        found = [word[:LONGEST] for word in _ASCII.findall(folded)]
    else:
        found = list(islice(words(folded), most))
    extra = joined(folded)[:most] if join else []
    return padded(found[:most]) + padded(extra)


def padded(found: Iterable[str]) -> str:
    """Return words with a space on either side of each; empty without words."""
    text = " ".join(found)
    return f" {text} " if text else ""


def sku_field(sku: str) -> str:
    """Return a SKU as it is indexed: whole, its endings, and its parts."""
    folded = plain(sku)
    parts = pieces(folded)
    found = list(islice(dict.fromkeys(_endings(folded)), _ENDINGS))
    return padded(found) + (padded(parts) if len(parts) > 1 else "")


def _endings(folded: str) -> Iterator[str]:
    """Yield what begins with each run of letters or digits and goes on to the end.

    Of digits that begin with zeros also what begins behind these.
    """
    runs = _RUN.findall(folded)
    for place, run in enumerate(runs):
        rest = "".join(runs[place:])
        yield rest[:LONGEST]
        if run[0] == "0" and run.strip("0"):
            yield rest.lstrip("0")[:LONGEST]


def distance(word: str, other: str, most: int, *, prefix: bool = False) -> int:
    """Return how many edits part two words; neighbours that change places are one.

    Args:
        most: above it the number does not matter.
        prefix: whether the nearest beginning of the other word counts.
    """
    before: list[int] = []
    row = list(range(len(other) + 1))
    for place, char in enumerate(word, 1):
        before, above, row = row, before, [place]
        for at, found in enumerate(other, 1):
            cost = min(before[at] + 1, row[at - 1] + 1, before[at - 1] + (char != found))
            if place > 1 and at > 1 and char == other[at - 2] and word[place - 2] == found:
                cost = min(cost, above[at - 2] + 1)
            row.append(cost)
        if min(row) > most and (not before or min(before) > most):
            return most + 1
    return min(row) if prefix else row[-1]
