"""The outbox: events appended with the change they report, numbered when committed.

PostgreSQL's sequences are not the order of commits: a reader that follows ids skips a
transaction that commits late. So a row gets no offset when it is inserted; the relay
gives one to each row it can see, in one transaction at a time, and readers see only
rows that have one. SQLite has one writer, which numbers the row at once.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import peewee

from bodega.database.connection import is_postgres
from bodega.database.tables import Counter, EventRow, SubscriptionRow
from bodega_sdk.encoding import to_json
from bodega_sdk.events import Event, Occurrence
from bodega_sdk.models import now

_RELAY_LOCK = 0x0B0D_E6A1
_COUNTER = "event_offset"


#: Key and data of an event.
Told = tuple[str, Mapping[str, Any]]
# Not by the query builder: every transaction that matters comes through here.
_INSERT = 'INSERT INTO bodega_event (name, version, key, data, occurred_at, "offset") '
_ONE = _INSERT + "VALUES (%s, %s, %s, %s, %s, NULL)"
_SEVERAL = _INSERT + (
    "SELECT %s, %s, told.key, told.data::jsonb, %s, NULL "
    "FROM unnest(%s::text[], %s::text[]) WITH ORDINALITY AS told (key, data, place) ORDER BY place"
)
_NUMBERED = _INSERT + "VALUES (?, ?, ?, json(?), ?, ?)"


def append(database: Any, event: Event, told: Sequence[Told]) -> None:
    """Write events of one name in the open transaction, in this order."""
    if not told:
        return
    moment = EventRow.occurred_at.db_value(now())
    keys, texts = [key for key, _ in told], [to_json(data).decode() for _, data in told]
    of_all = event.name, event.version
    if not is_postgres(database):
        first = _advance(database, len(told)) - len(told) + 1
        for offset, (key, text) in enumerate(zip(keys, texts, strict=True), first):
            database.execute_sql(_NUMBERED, (*of_all, key, text, moment, offset))
    elif len(told) == 1:
        database.execute_sql(_ONE, (*of_all, keys[0], texts[0], moment))
    else:
        database.execute_sql(_SEVERAL, (*of_all, moment, keys, texts))


def relay(database: Any, limit: int = 5000) -> int:
    """Number the committed events that have no offset; any process may call it.

    Returns:
        How many were numbered; 0 also when another process is at it.
    """
    if not is_postgres(database):
        return 0
    with database.atomic():
        held = database.execute_sql("SELECT pg_try_advisory_xact_lock(%s)", (_RELAY_LOCK,))
        return _number(database, limit) if held.fetchone()[0] else 0


def _number(database: Any, limit: int) -> int:
    pending = database.execute_sql(
        'SELECT id FROM bodega_event WHERE "offset" IS NULL ORDER BY id LIMIT %s', (limit,)
    ).fetchall()
    if not pending:
        return 0
    last = _advance(database, len(pending))
    # Rows that another transaction commits meanwhile are not in `pending`; they come next.
    database.execute_sql(
        'UPDATE bodega_event SET "offset" = numbered.place FROM '
        "(SELECT * FROM unnest(%s::bigint[], %s::bigint[]) AS n (id, place)) AS numbered "
        "WHERE bodega_event.id = numbered.id",
        ([row[0] for row in pending], list(range(last - len(pending) + 1, last + 1))),
    )
    return len(pending)


def _advance(database: Any, by: int) -> int:
    mark = database.param
    row = database.execute_sql(
        f"INSERT INTO bodega_counter (name, value) VALUES ('{_COUNTER}', {mark}) "
        "ON CONFLICT (name) DO UPDATE SET value = bodega_counter.value + excluded.value "
        "RETURNING value",
        (by,),
    ).fetchone()
    return int(row[0])


def last_offset(database: Any) -> int:
    """Return the offset of the newest event, 0 when there is none."""
    row = Counter.select(Counter.value).where(Counter.name == _COUNTER).tuples().first(database)
    return int(row[0]) if row else 0


def read(
    database: Any,
    after: int,
    limit: int = 500,
    names: Sequence[str] | None = None,
    key: str | Sequence[str] | None = None,
    until: int | None = None,
) -> Iterator[Occurrence]:
    """Read the log in order.

    Args:
        after: the offset to go on behind.
        limit: events at most.
        names: only events of these names or patterns.
        key: only events about this thing, or these things.
        until: only events up to this offset.
    """
    query = select(names, key).where(EventRow.offset > after)
    if until is not None:
        query = query.where(EventRow.offset <= until)
    for row in query.order_by(EventRow.offset).limit(limit).execute(database):
        yield Occurrence(row.offset, row.name, row.version, row.key, row.data, row.occurred_at)


def select(
    names: Sequence[str] | None = None, key: str | Sequence[str] | None = None
) -> peewee.ModelSelect:
    """Return the query of the events of some names or patterns, about one or some things."""
    query = EventRow.select().where(EventRow.offset.is_null(False))
    if names is not None and "*" not in names:
        query = query.where(named(names))
    if key is not None:
        about = EventRow.key == key if isinstance(key, str) else EventRow.key.in_(list(key))
        query = query.where(about)
    return query


def named(names: Sequence[str]) -> Any:
    """Return the condition that an event's name is one of some names or patterns."""
    plain = [name for name in names if not name.endswith("*")]
    found = EventRow.name.in_(plain)
    for start in (name[:-1] for name in names if name.endswith("*")):
        # No LIKE: SQLite's knows no difference between upper and lower case.
        found |= peewee.fn.SUBSTR(EventRow.name, 1, len(start)) == start
    return found


def names_between(database: Any, after: int, until: int) -> set[str]:
    """Return the names of the events behind an offset, up to another one."""
    query = EventRow.select(EventRow.name).where(EventRow.offset > after, EventRow.offset <= until)
    return {name for (name,) in query.distinct().tuples().execute(database)}


def oldest_offset(database: Any) -> int:
    """Return the offset of the oldest event that is still there; the next one's when none is."""
    row = EventRow.select(peewee.fn.MIN(EventRow.offset)).tuples().first(database)
    return last_offset(database) + 1 if row is None or row[0] is None else int(row[0])


def unnumbered(database: Any) -> tuple[int, datetime | None]:
    """Return how many committed events have no offset yet, and since when the oldest waits."""
    count, oldest = peewee.fn.COUNT(EventRow.id), peewee.fn.MIN(EventRow.occurred_at)
    query = EventRow.select(count, oldest).where(EventRow.offset.is_null())
    number, since = query.tuples().first(database)
    return int(number), since


def begin_reading(database: Any, names: Iterable[str]) -> int:
    """Let subscriptions that have no place in the log yet begin behind what is in it now.

    Returns:
        The offset that they begin behind.
    """
    there = {name for (name,) in SubscriptionRow.select(SubscriptionRow.name).tuples()}
    missing = sorted(set(names) - there)
    if missing:
        relay(database)  # What was committed before is no news.
    start = last_offset(database)
    for name in missing:
        SubscriptionRow.insert(name=name, offset=start).on_conflict_ignore().execute()
    return start
