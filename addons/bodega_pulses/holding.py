"""What whoever writes points keeps from others until the commit, and asks for first: one message.

Each statement of it sees what was committed while those before it waited.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from bodega_products import api as products
from bodega_pulses import horizon, naming
from bodega_pulses.instants import MINUTE
from bodega_pulses.models import Horizon, Mark, Point, Series
from bodega_pulses.naming import Key
from bodega_pulses.partitions import partitioned
from bodega_sdk import database

_POINTS, _SERIES = Point._meta.table_name, Series._meta.table_name
#: The numbers of the series are kept for the statements behind, in the transaction.
_HELD = "current_setting('bodega.pulses_held')::int[]"
# Not by the query builder, which takes longer than the database.
_HOLD = f"""
SELECT pg_advisory_xact_lock_shared({horizon.LOCK});
WITH held AS (
    SELECT s.number FROM {_SERIES} AS s
    JOIN unnest(%s::uuid[], %s::text[], %s::text[]) AS wanted (product, unit, source)
    USING (product, unit, source) ORDER BY s.number FOR UPDATE OF s)
SELECT set_config('bodega.pulses_held', COALESCE(array_agg(number), '{{}}')::text, true) FROM held
"""
_MARK = f"""
INSERT INTO {Mark._meta.table_name} (series, first, behind)
SELECT number, %s, %s FROM unnest({_HELD}) AS number
"""
_TELL = f"""
SELECT s.product, s.unit, s.source, s.number, EXISTS (
    SELECT 1 FROM {_POINTS} AS p WHERE p.series = s.number AND p.at BETWEEN %s AND %s
), {products.exists_sql("s.product")}, (SELECT at FROM {Horizon._meta.table_name} WHERE id = 1)
FROM {_SERIES} AS s WHERE s.number = ANY({_HELD})
"""
#: Series that SQLite looks at one by one.
_FEW = 200


@dataclass(frozen=True, slots=True)
class Held:
    """What was asked for.

    Args:
        numbers: of the series.
        gone_before: before when points have been deleted; it stays there until the commit.
        new: whether no series has a point in the span.
        gone: whether any product is; on PostgreSQL only.
    """

    numbers: dict[Key, int]
    gone_before: int
    new: bool
    gone: bool


def hold(keys: Iterable[Key], span: tuple[int, int], marked: bool = False) -> Held:
    """Hold series, in one order, and the horizon.

    Args:
        span: the first and the last time that will be written.
        marked: whether all minutes of the span are to be marked, see :func:`rolling.mark`; on
            PostgreSQL only.

    Raises:
        SeriesLacking: there are not all of them.
    """
    wanted = list(dict.fromkeys(keys))
    held = _held(wanted, span, marked) if partitioned() else _known(wanted, span)
    if lacking := set(wanted).difference(held.numbers):
        raise naming.SeriesLacking(lacking)
    return held


def _held(keys: Sequence[Key], span: tuple[int, int], marked: bool) -> Held:
    products, units, sources = (list(some) for some in zip(*keys, strict=True))
    ids = f"{{{','.join([key.hex for key in products])}}}"
    query = [_HOLD]
    values: list[Any] = [ids, units, sources]
    if marked:
        query.append(_MARK)
        values += [span[0] // MINUTE * MINUTE, (span[1] // MINUTE + 1) * MINUTE]
    rows = database.execute_sql(";".join((*query, _TELL)), (*values, *span)).fetchall()
    return Held(
        {row[:3]: row[3] for row in rows},
        rows[0][6] or 0 if rows else 0,
        not any(row[4] for row in rows),
        not all(row[5] for row in rows),
    )


def _known(keys: Sequence[Key], span: tuple[int, int]) -> Held:
    # On SQLite a transaction has the one lock that there is.
    numbers = naming.known(keys)
    query = f"SELECT 1 FROM {_POINTS} WHERE series = ? AND at BETWEEN ? AND ? LIMIT 1"
    new = len(numbers) <= _FEW and not any(
        database.execute_sql(query, (one, *span)).fetchone() for one in numbers.values()
    )
    return Held(numbers, horizon.gone_before(), new, gone=False)
