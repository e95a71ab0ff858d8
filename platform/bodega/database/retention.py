"""Retention: the log's oldest events go, once they are old and whoever is enabled has read them."""

from datetime import timedelta
from typing import TYPE_CHECKING

from bodega.database import outbox
from bodega.database.connection import is_postgres
from bodega.database.tables import EventRow, SubscriptionRow
from bodega_sdk.models import now

if TYPE_CHECKING:
    from bodega.shop import Session

_LOCK = 0x0B0D_E6A3
#: Events of one transaction.
BATCH = 1000


def prune(session: "Session", batch: int = BATCH) -> bool:
    """Delete some of the oldest events that nobody needs any more; False when there are no more.

    The real-time server tells clients that come back for pruned events to read the state anew.
    """
    days = session.shop.settings.event_days
    last = _last_unneeded(session, timedelta(days=days), batch) if days else 0
    if not last:
        return False
    database = session.databases.shop
    with session.transaction():
        if is_postgres(database):
            held = database.execute_sql("SELECT pg_try_advisory_xact_lock(%s)", (_LOCK,))
            if not held.fetchone()[0]:
                return True
        gone: int = EventRow.delete().where(EventRow.offset <= last).execute()
    return gone >= batch


def _last_unneeded(session: "Session", kept: timedelta, batch: int) -> int:
    """Return the offset of the last event of the log's next batch that can go; 0 for none."""
    query = EventRow.select(EventRow.offset, EventRow.occurred_at)
    query = query.where(EventRow.offset <= read_by_all(session)).order_by(EventRow.offset)
    last, before = 0, now() - kept
    for offset, occurred_at in query.limit(batch).tuples():
        if occurred_at >= before:
            break  # Those behind it wait for it: the log has no holes.
        last = offset
    return last


def read_by_all(session: "Session") -> int:
    """Return the offset up to which every subscription of an enabled addon has read the log.

    Of a quarantined addon nobody knows what it subscribes to: what has a place, counts. A
    disabled one holds nothing back; when it is enabled again, it goes on at the oldest event.
    """
    assembly = session.assembly
    names = {item.name for item in assembly.subscriptions}
    manifests = session.shop.catalogue.manifests
    quarantined = [f">{manifests[name].package}." for name in assembly.faults if name in manifests]
    places: list[int] = [
        row.offset
        for row in SubscriptionRow.select()
        if row.name in names or any(package in row.name for package in quarantined)
    ]
    return min([outbox.last_offset(session.databases.shop), *places])
