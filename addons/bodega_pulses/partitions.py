"""Months of points as partitions of PostgreSQL; elsewhere there is nothing to be done."""

import re
from collections.abc import Iterable
from typing import Any
from weakref import WeakKeyDictionary

import peewee

from bodega_pulses.instants import micros, month_bounds, month_of
from bodega_sdk import database, now, transaction

#: Two numbers that stand for pulses among PostgreSQL's advisory locks.
_LOCK = "1886743667, 1"
_REST = "pulses_point_rest"
_NAMED = re.compile(r"pulses_point_y(\d{4})m(\d{2})")

Month = tuple[int, int]
#: Database → months that were there once: those that are dropped are of times not taken any more.
_seen: WeakKeyDictionary[Any, set[Month]] = WeakKeyDictionary()


def partitioned() -> bool:
    """Whether points lie in partitions."""
    return isinstance(database.obj, peewee.PostgresqlDatabase)


def name_of(month: Month) -> str:
    """Return the table of a month."""
    return f"pulses_point_y{month[0]:04}m{month[1]:02}"


def there() -> list[Month]:
    """Return the months that have a partition, in order."""
    if not partitioned():
        return []
    query = (
        "SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid "
        "WHERE inhparent = 'pulses_point'::regclass ORDER BY relname"
    )
    names = [name for (name,) in database.execute_sql(query).fetchall()]
    found = (_NAMED.fullmatch(name) for name in names)
    return [(int(one[1]), int(one[2])) for one in found if one]


def lacking(times: Iterable[int]) -> list[Month]:
    """Return the months of times that have no partition."""
    if not partitioned():
        return []
    wanted = {month_of(at) for at in times}
    seen = _seen.setdefault(database.obj, set())
    if not wanted <= seen:
        seen.update(there())
    return sorted(wanted - seen)


def make(months: Iterable[Month], patience: int = 2000) -> None:
    """Make partitions, each in a transaction of its own, and move there what waits for them.

    Where others keep the table for longer than the patience, nothing is made: points go to
    the partition of the rest meanwhile, and the job tries again.

    Args:
        patience: milliseconds.
    """
    for month in months:
        try:
            with transaction():
                database.execute_sql(f"SET LOCAL lock_timeout = {int(patience)}")
                _make(month)
        except peewee.OperationalError:
            return


def _make(month: Month) -> None:
    # Whoever locks both locks the whole first, as those who write do.
    database.execute_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
    if month in there():
        return
    name, (first, behind) = name_of(month), month_bounds(*month)
    database.execute_sql("LOCK TABLE pulses_point IN SHARE ROW EXCLUSIVE MODE")
    database.execute_sql(f"CREATE TABLE {name} (LIKE pulses_point INCLUDING ALL)")
    database.execute_sql(
        f"WITH moved AS (DELETE FROM {_REST} WHERE at >= {first} AND at < {behind} RETURNING *) "
        f"INSERT INTO {name} SELECT * FROM moved"
    )
    database.execute_sql(
        f"ALTER TABLE pulses_point ATTACH PARTITION {name} FOR VALUES FROM ({first}) TO ({behind})"
    )


def coming(months: int = 2) -> list[Month]:
    """Return this month, the next ones, and those whose points wait in the rest."""
    if not partitioned():
        return []
    year, month = month_of(micros(now()))
    wanted = [
        (year + (month + more - 1) // 12, (month + more - 1) % 12 + 1) for more in range(months + 1)
    ]
    return sorted({*wanted, *_waiting()}.difference(there()))


def _waiting() -> Iterable[Month]:
    """Yield the months of what is in the rest, which is nothing nearly always."""
    at = None
    while True:
        condition = "" if at is None else f"WHERE at >= {at}"
        query = f"SELECT min(at) FROM {_REST} {condition}"
        at = database.execute_sql(query).fetchone()[0]
        if at is None:
            return
        month = month_of(at)
        yield month
        at = month_bounds(*month)[1]


def drop_before(at: int) -> int:
    """Drop the months that are wholly before a time; return how many there were."""
    gone = [month for month in there() if month_bounds(*month)[1] <= at]
    for month in gone:
        with transaction():
            database.execute_sql("SET LOCAL lock_timeout = 5000")
            database.execute_sql(f"DROP TABLE {name_of(month)}")
    return len(gone)
