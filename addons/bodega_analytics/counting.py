"""Counting orders: what each has added is replaced by what it adds now.

Nobody adds what an event says. An event only names an order; what that adds is computed
anew, and the difference to what it had added goes into the sums, with a note of the former.
So an event that comes twice, late, or in another order changes nothing that is right.
"""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from bodega_analytics.adding import add_parts
from bodega_analytics.models import Counted, State
from bodega_analytics.parts import Parts, Place, parts_of
from bodega_sdk import locked, transaction, uuid7
from bodega_sdk.bulk import among, insert_models, portions

_ROWS = 100


def hold() -> State:
    """Return the state, held until the commit: whoever writes sums does so alone.

    Call it in a transaction.
    """
    found: State | None = locked(State.select().where(State.id == 1)).first()
    if found is not None:
        return found
    State.insert(id=1).on_conflict_ignore().execute()
    return hold()


def count(orders: Iterable[UUID]) -> None:
    """Count orders as they are now, in the sums that are served and in those being made."""
    wanted = sorted(set(orders))
    if not wanted:
        return
    with transaction():
        state = hold()
        # Read under the lock: whoever read before has written before.
        found = parts_of(wanted)
        changed = settle(state.serving, wanted, found)
        if state.building is not None:
            settle(state.building, wanted, found)
        if changed:
            touch()


def touch() -> None:
    """Write down that the sums that are served have changed; the state is held."""
    State.update(revision=State.revision + 1).where(State.id == 1).execute()


def settle(generation: int, orders: Sequence[UUID], found: Mapping[UUID, Parts]) -> bool:
    """Replace what orders have added to a generation; return whether that changed anything.

    Args:
        orders: all that are meant, also those that are gone.
        found: what they add now.
    """
    mine = Counted.generation == generation
    held = {row.order: row for row in Counted.select().where(mine, among(Counted.order, orders))}
    change: dict[Place, dict[str, int]] = {}
    stale, fresh = [], []
    for order in orders:
        before = held[order].parts if order in held else ""
        after = found[order].text if order in found else ""
        if before == after:
            continue
        _differ(change, Parts.read(before) if before else Parts(), -1)
        _differ(change, found.get(order, Parts()), 1)
        if before:
            stale.append(held[order].id)
        if after:
            fresh.append(Counted(id=uuid7(), generation=generation, order=order, parts=after))
    _note(stale, fresh)
    return add_parts(generation, change)


def _differ(change: dict[Place, dict[str, int]], parts: Parts, sign: int) -> None:
    for place, numbers in parts.found.items():
        held = change.setdefault(place, {})
        for measure, number in numbers.items():
            held[measure] = held.get(measure, 0) + sign * number


def _note(stale: Sequence[UUID], fresh: Sequence[Counted]) -> None:
    if stale:
        Counted.delete().where(among(Counted.id, stale)).execute()
    for some in portions(fresh, _ROWS):
        insert_models(list(some))
