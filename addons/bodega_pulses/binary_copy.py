"""PostgreSQL's binary format of COPY, for rows of numbers, which neither side has to parse.

Source of the format: PostgreSQL's documentation, COPY, "Binary Format".
"""

import sys
from array import array
from collections.abc import Iterator, Sequence
from functools import lru_cache
from struct import pack
from typing import Any

#: What a file of COPY begins with, and what it ends with.
HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
END = b"\xff\xff"
#: Kinds of columns, as :mod:`struct` names them → their bytes: int, bigint, double precision.
_SIZES = {"i": 4, "q": 8, "d": 8}


@lru_cache
def _empty(kinds: str) -> bytes:
    """Return a row of zeros: how many columns, and each behind its length."""
    columns = b"".join(_SIZES[kind].to_bytes(4, "big") + bytes(_SIZES[kind]) for kind in kinds)
    return len(kinds).to_bytes(2, "big") + columns


def packed(kinds: str, columns: Sequence[Sequence[float]]) -> bytes:
    """Return rows as COPY reads them, behind a header and before an end.

    Args:
        kinds: of each column: ``i``, ``q`` or ``d``.
        columns: as many numbers each as there are rows.

    Raises:
        struct.error: a number is too large for its column.
    """
    count, row = len(columns[0]), _empty(kinds)
    rows, width = bytearray(row * count), len(row)
    for (offset, kind), column in zip(_columns(kinds), columns, strict=True):
        data, size = pack(f"!{count}{kind}", *column), _SIZES[kind]
        # Byte by byte of the numbers: there is no object for a row.
        for place in range(size):
            rows[offset + place :: width] = data[place::size]
    return bytes(rows)


def unpacked(kinds: str, data: bytes) -> list[list[Any]]:
    """Return the columns of a file that COPY wrote: none of its rows has a NULL."""
    width, begin = len(_empty(kinds)), len(HEADER)
    return [
        _column(kind, data[begin + offset : -len(END)], width) for offset, kind in _columns(kinds)
    ]


def _columns(kinds: str) -> Iterator[tuple[int, str]]:
    """Yield where in a row each column's number is, and its kind."""
    # How many columns there are, and before each its length.
    offset = 2
    for kind in kinds:
        offset += 4
        yield offset, kind
        offset += _SIZES[kind]


def _column(kind: str, data: bytes, width: int) -> list[Any]:
    """Return the numbers that begin rows, byte by byte of them, as :func:`packed` puts them."""
    size = _SIZES[kind]
    together = bytearray(len(range(0, len(data), width)) * size)
    for place in range(size):
        together[place::size] = data[place::width]
    column = array(kind, bytes(together))
    if sys.byteorder == "little":
        column.byteswap()
    return column.tolist()
