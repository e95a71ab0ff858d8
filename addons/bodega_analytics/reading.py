"""Reading sums: of days where a period contains whole ones, of slots where it cuts them."""

from collections.abc import Iterable, Sequence
from functools import reduce
from operator import or_
from typing import Any

import peewee

from bodega_analytics.models import DAY, SLOT, State, Sum
from bodega_analytics.slots import PER_DAY, cut_days

#: Cut days that are asked for one by one; more are read by slots alone.
_CUTS = 100


def within(model: Any, edges: Sequence[int]) -> Any:
    """Return the condition of the rows that make up the time between edges, each once.

    Args:
        model: a sum.
        edges: slots in order; no row of a day lies on both sides of one.
    """
    first, last = edges[0], edges[-1]
    inside = (model.at >= first) & (model.at < last)
    cuts = cut_days(edges)
    if len(cuts) > _CUTS:
        found = (model.span == SLOT) & inside
    elif cuts:
        pieces = [(model.at >= max(day, first)) & (model.at < min(day + PER_DAY, last))
                  for day in cuts]  # fmt: skip
        days = (model.span == DAY) & inside & model.at.not_in(cuts)
        found = days | ((model.span == SLOT) & reduce(or_, pieces))
    else:
        found = (model.span == DAY) & inside
    return found & served(model)


def served(model: Any) -> Any:
    """Return the condition that readers are to see a sum."""
    if not issubclass(model, Sum):
        return peewee.SQL("1 = 1")
    serving = State.select(State.serving).where(State.id == 1)
    return model.generation == peewee.fn.COALESCE(serving, 0)


def sums(
    model: Any, edges: Sequence[int], by: Iterable[Any], measures: Iterable[str], *more: Any
) -> list[tuple[Any, ...]]:
    """Return what measures come to between the first and the last edge, in one query.

    Args:
        edges: see :func:`within`.
        by: what is told apart; it stands before the numbers of each row.
        more: further conditions.
    """
    keys = list(by)
    query = model.select(*keys, *(total(model, one) for one in measures))
    found = query.where(within(model, edges), *more)
    rows = (found.group_by(*keys) if keys else found).tuples()
    return [(*row[: len(keys)], *(int(one or 0) for one in row[len(keys) :])) for row in rows]


def total(model: Any, measure: str) -> Any:
    """Return the sum of a measure, as a number of the database."""
    return peewee.fn.SUM(getattr(model, measure)).coerce(False)


def ranked(
    model: Any, edges: Sequence[int], key: Any, rank: Any, measures: Sequence[str], limit: int,
    *more: Any, source: Any = None,
) -> list[tuple[Any, ...]]:  # fmt: skip
    """Return the greatest, the first first: a key and what its measures come to, in one query.

    Args:
        key: what is ranked.
        rank: by which sum.
        source: a query of the model to begin with, e.g. with a join.
    """
    query = (model.select() if source is None else source).select(
        key, *(total(model, one) for one in measures)
    )
    found = query.where(within(model, edges), *more).group_by(key)
    rows = found.having(rank > 0).order_by(rank.desc(), key).limit(limit).tuples()
    return [(row[0], *(int(one or 0) for one in row[1:])) for row in rows]
