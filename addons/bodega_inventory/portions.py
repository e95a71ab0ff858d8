"""Many ids or rows, so many at a time."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")

#: Ids of one statement; SQLite takes 32,766.
KEYS = 5000
#: Rows of one statement.
ROWS = 500


def portions(things: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield lists of at most so many things. For a few it is much faster than peewee's."""
    waiting = iter(things)
    while some := list(islice(waiting, size)):
        yield some
