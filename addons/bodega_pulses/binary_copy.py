"""PostgreSQL's binary format of COPY, for rows of numbers, which neither side has to parse.

Source of the format: PostgreSQL's documentation, COPY, "Binary Format".
"""

import sys
from array import array
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain, repeat
from struct import Struct
from typing import Any

#: What a file of COPY begins with, and what it ends with.
HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
END = b"\xff\xff"
#: Kinds of columns, as :mod:`struct` names them → their bytes: int, bigint, double precision.
_SIZES = {"i": 4, "q": 8, "d": 8}


@lru_cache
def _row(kinds: str) -> Struct:
    """Return a row: how many columns, and each behind its length."""
    return Struct("!h" + "".join(f"i{kind}" for kind in kinds))


def packed(kinds: str, columns: Sequence[Iterable[float]]) -> bytes:
    """Return rows as COPY reads them, behind a header and before an end.

    Args:
        kinds: of each column: ``i``, ``q`` or ``d``.
        columns: as many numbers each as there are rows.

    Raises:
        struct.error: a number is too large for its column.
    """
    told = ((repeat(_SIZES[kind]), column) for kind, column in zip(kinds, columns, strict=True))
    return b"".join(map(_row(kinds).pack, repeat(len(kinds)), *chain.from_iterable(told)))


def unpacked(kinds: str, data: bytes) -> list[list[Any]]:
    """Return the columns of a file that COPY wrote: none of its rows has a NULL."""
    width, begin = _row(kinds).size, len(HEADER)
    found = []
    # How many columns there are, and before each its length.
    offset = 2
    for kind in kinds:
        offset += 4
        found.append(_column(kind, data[begin + offset : -len(END)], width))
        offset += _SIZES[kind]
    return found


def _column(kind: str, data: bytes, width: int) -> list[Any]:
    """Return the numbers that begin rows, byte by byte of them: there is no object for a row."""
    size = _SIZES[kind]
    together = bytearray(len(range(0, len(data), width)) * size)
    for place in range(size):
        together[place::size] = data[place::width]
    column = array(kind, bytes(together))
    if sys.byteorder == "little":
        column.byteswap()
    return column.tolist()
