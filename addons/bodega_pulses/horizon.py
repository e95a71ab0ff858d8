"""Before when points are gone; writers and the one who deletes keep out of each other's way."""

from datetime import timedelta

from bodega_pulses.instants import DAY, micros
from bodega_pulses.models import Horizon
from bodega_pulses.partitions import partitioned
from bodega_sdk import database, now, setting

#: Two numbers that stand for the horizon among PostgreSQL's advisory locks.
LOCK = "1886743667, 2"


def gone_before() -> int:
    """Return before when points have been deleted."""
    found = Horizon.select(Horizon.at).where(Horizon.id == 1).scalar()
    return int(found or 0)


def wanted() -> int:
    """Return before when points are to be deleted: the beginning of a day, UTC; 0 for never."""
    days = setting("pulses.kept_days")
    if not days:
        return 0
    return micros(now() - timedelta(days=days)) // DAY * DAY


def advance(at: int) -> None:
    """Move the horizon; nobody writes meanwhile. It never moves back. In a transaction."""
    if partitioned():
        database.execute_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
    # On SQLite a transaction has the one lock that there is.
    if Horizon.update(at=at).where(Horizon.id == 1, Horizon.at < at).execute():
        return
    Horizon.insert(id=1, at=at).on_conflict_ignore().execute()
