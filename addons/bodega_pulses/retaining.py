"""Deleting points that are older than the shop keeps; rollups stay for good."""

from bodega_pulses import horizon, partitions, rolling
from bodega_pulses.models import Series
from bodega_sdk import database, transaction

#: Points that one transaction deletes.
_PORTION = 20_000


def prune() -> int:
    """Delete old points; return before when, in microseconds: 0 when nothing is deleted ever.

    First the horizon is moved, behind which nobody writes from then on; then the rollups of
    all that was written there are made; only then are points deleted. A process that dies in
    between leaves points that the next run deletes.
    """
    at = max(horizon.wanted(), horizon.gone_before())
    if not at:
        return 0
    with transaction():
        horizon.advance(at)
    rolling.settle(before=at)
    partitions.drop_before(at)
    for (number,) in list(Series.select(Series.number).where(Series.first_at < at).tuples()):
        while _delete_some(number, at):
            pass
    return at


def _delete_some(number: int, at: int) -> int:
    mark = database.obj.param
    with transaction():
        done = database.execute_sql(
            "DELETE FROM pulses_point WHERE (series, at) IN (SELECT series, at FROM pulses_point "
            f"WHERE series = {mark} AND at < {mark} ORDER BY at LIMIT {_PORTION})",
            (number, at),
        )
        return int(done.rowcount)
