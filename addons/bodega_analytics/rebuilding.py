"""Making the sums anew from the orders themselves, beside those that are served.

Orders are counted a portion at a time, each in a transaction of its own, into another
generation. What happens meanwhile is counted in both. At the end readers are given the new
one, in one step.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import peewee

from bodega_analytics import counting
from bodega_analytics.models import SUMS, Counted, State
from bodega_analytics.parts import parts_of, sources
from bodega_sdk import addon_api, now, transaction

#: Opens a transaction: a job's own, or the plain one.
Within = Callable[[], AbstractContextManager[Any]]
_PORTION = 200
#: Rows of one DELETE.
_ROWS = 5000
#: Differences that a check lists of each kind of sum.
MOST = 100


class Overtaken(Exception):
    """Somebody else began to make the sums anew; theirs are as good."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A sum that is not what the orders come to.

    Args:
        name: of the kind of sum.
        place: span, slot, currency and what it is about.
        measure, off: what is wrong, and by how much it is too high.
    """

    name: str
    place: tuple[Any, ...]
    measure: str
    off: int


def rebuild(within: Within = transaction) -> int:
    """Make all sums of orders anew, and serve them; return how many orders were counted.

    Raises:
        Overtaken: somebody else began to do so meanwhile.
    """
    made_of = sources()
    generation, counted = _build(within)
    with within():
        _refuse_overtaken(generation)
        State.update(
            serving=generation, building=None, sources=made_of, rebuilt_at=now(),
            revision=State.revision + 1,
        ).where(State.id == 1).execute()  # fmt: skip
    sweep(within)
    return counted


def is_due() -> bool:
    """Whether the sums were made of other addons than there are now, or never."""
    state = State.get_or_none(State.id == 1)
    return sources() != (state.sources if state else "")


def check(within: Within = transaction) -> list[Difference]:
    """Return where the sums that are served are not what the orders come to.

    Events that nobody has counted yet are differences too.

    Raises:
        Overtaken: somebody else began to make the sums anew meanwhile.
    """
    generation, _ = _build(within)
    with within():
        state = _refuse_overtaken(generation)
        found = list(_differences(state.serving, generation))
        State.update(building=None).where(State.id == 1).execute()
    sweep(within)
    return found


def _build(within: Within) -> tuple[int, int]:
    """Count all orders into a new generation; return it and how many they were."""
    with within():
        state = counting.hold()
        generation = state.newest + 1
        State.update(newest=generation, building=generation).where(State.id == 1).execute()
    counted = 0
    for some in _portions():
        with within():
            _refuse_overtaken(generation)
            counting.settle(generation, some, parts_of(some))
        counted += len(some)
    return generation, counted


def _portions() -> Iterator[list[UUID]]:
    orders = addon_api("orders")
    last: UUID | None = None
    while orders is not None and (some := orders.order_ids(last, _PORTION)):
        yield some
        last = some[-1]


def _refuse_overtaken(generation: int) -> State:
    state = counting.hold()
    if state.building != generation:
        raise Overtaken(f"generation {generation} was given up for {state.building}")
    return state


def sweep(within: Within = transaction) -> None:
    """Delete the generations that are neither served nor being made."""
    for model in (Counted, *SUMS.values()):
        more = True
        while more:
            with within():
                more = _sweep(model)


def _sweep(model: Any) -> bool:
    state = counting.hold()
    kept = [state.serving, *([] if state.building is None else [state.building])]
    some = model.select(model.id).where(model.generation.not_in(kept)).limit(_ROWS)
    return bool(model.delete().where(model.id.in_(some)).execute())


def _differences(served: int, right: int) -> Iterator[Difference]:
    for name, model in SUMS.items():
        keys: list[Any] = [model.span, model.at, model.currency]
        keys += [getattr(model, model.about)] if model.about else []
        sign = peewee.Case(None, [(model.generation == served, 1)], -1)
        offs = [peewee.fn.SUM(getattr(model, one) * sign) for one in model.measures]
        wrong = peewee.fn.SUM(0)
        for off in offs:
            wrong += peewee.fn.ABS(off)
        query = model.select(*keys, *(off.coerce(False) for off in offs))
        both = query.where(model.generation.in_([served, right])).group_by(*keys)
        for row in both.having(wrong > 0).order_by(*keys).limit(MOST).tuples():
            yield from _of_row(name, model, row, len(keys))


def _of_row(name: str, model: Any, row: tuple[Any, ...], keys: int) -> Iterator[Difference]:
    for measure, off in zip(model.measures, row[keys:], strict=True):
        if off:
            yield Difference(name, row[:keys], measure, int(off))
