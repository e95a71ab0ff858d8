"""Writes points: by COPY into the table itself where nothing can be there, else beside it.

What is measured is appended nearly always. Whether a series has anything between the first
and the last of the points to come is one look at the index for each series; when none has,
the rows are copied straight in, which costs what a bare COPY costs. Otherwise they go to a
table of the transaction's own, are compared, and only what differs is written.

Call these in a transaction, with the series held: then nobody else writes points of them.
"""

import io
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any

import peewee

from bodega_pulses.models import Point
from bodega_pulses.partitions import partitioned
from bodega_sdk import database

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_ROW = struct.Struct("!hiiiqid").pack
_STAGED = "pulses_point_staged"
#: Series that SQLite looks at one by one.
_FEW = 200


@dataclass(frozen=True, slots=True)
class Columns:
    """Points of one or more series, by series and time, each time once."""

    series: Sequence[int]
    at: Sequence[int]
    values: Sequence[float]

    def only(self, places: Sequence[int]) -> "Columns":
        """Return some of the points, at these places."""
        return Columns(
            [self.series[one] for one in places],
            [self.at[one] for one in places],
            [self.values[one] for one in places],
        )

    def ranges(self) -> list[tuple[int, int, int]]:
        """Return each series with its first and its last time."""
        first = dict(zip(reversed(self.series), reversed(self.at), strict=True))
        last = dict(zip(self.series, self.at, strict=True))
        return [(one, first[one], last[one]) for one in last]


@dataclass(frozen=True, slots=True)
class Written:
    """What became of points: the places of those that were new, and of those that differed."""

    created: Sequence[int]
    changed: Sequence[int] = field(default=())


def write(rows: Columns) -> Written:
    """Write points; the same again changes nothing, another value takes the place."""
    if not rows.at:
        return Written(())
    if _all_new(rows.ranges()):
        _put(Point._meta.table_name, rows)
        return Written(range(len(rows.at)))
    with _staged(rows):
        found = _compare()
        if found.created or found.changed:
            _merge()
        return found


def _all_new(ranges: list[tuple[int, int, int]]) -> bool:
    """Whether no series has a point in its range."""
    if partitioned():
        query = (
            "SELECT 1 FROM unnest(%s::int[], %s::bigint[], %s::bigint[]) AS r (series, first, last)"
            " WHERE EXISTS (SELECT 1 FROM pulses_point AS p WHERE p.series = r.series"
            " AND p.at BETWEEN r.first AND r.last) LIMIT 1"
        )
        columns = [list(column) for column in zip(*ranges, strict=True)]
        return database.execute_sql(query, columns).fetchone() is None
    if len(ranges) > _FEW:
        return False
    query = "SELECT 1 FROM pulses_point WHERE series = ? AND at BETWEEN ? AND ? LIMIT 1"
    return not any(database.execute_sql(query, one).fetchone() for one in ranges)


def _put(table: str, rows: Columns) -> None:
    cursor: Any = database.obj.cursor()
    with peewee.__exception_wrapper__:
        if partitioned():
            sql = f"COPY {table} (series, at, value) FROM STDIN (FORMAT binary)"
            cursor.copy_expert(sql, io.BytesIO(packed(rows)), 1 << 20)
        else:
            together = zip(rows.series, rows.at, rows.values, strict=True)
            sql = f"INSERT INTO {table} (series, at, value) VALUES (?, ?, ?)"
            cursor.executemany(sql, together)


def packed(rows: Columns) -> bytes:
    """Return rows as COPY reads them in its binary format, which nobody has to parse."""
    three, four, eight = repeat(3), repeat(4), repeat(8)
    packs = map(_ROW, three, four, rows.series, eight, rows.at, eight, rows.values)
    return b"".join((_HEADER, *packs, b"\xff\xff"))


@contextmanager
def _staged(rows: Columns) -> Iterator[None]:
    gone = " ON COMMIT DROP" if partitioned() else ""
    database.execute_sql(
        f"CREATE TEMP TABLE {_STAGED}{gone} AS SELECT series, at, value FROM pulses_point "
        "WHERE 1 = 0"
    )
    _put(_STAGED, rows)
    yield
    database.execute_sql(f"DROP TABLE {_STAGED}")


def _compare() -> Written:
    # One look at the index for each row, whatever the planner thinks of a table that it has
    # never seen.
    query = (
        f"SELECT s.value, (SELECT p.value FROM pulses_point AS p WHERE p.series = s.series "
        f"AND p.at = s.at) FROM {_STAGED} AS s ORDER BY s.series, s.at"
    )
    found = database.execute_sql(query).fetchall()
    created = [place for place, (_, old) in enumerate(found) if old is None]
    changed = [
        place for place, (new, old) in enumerate(found) if old is not None and old != new
    ]  # fmt: skip
    return Written(created, changed)


def _merge() -> None:
    database.execute_sql(
        f"INSERT INTO pulses_point (series, at, value) SELECT series, at, value FROM {_STAGED} "
        "WHERE true ORDER BY series, at ON CONFLICT (series, at) DO UPDATE SET "
        "value = excluded.value WHERE pulses_point.value <> excluded.value"
    )
