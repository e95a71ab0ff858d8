"""What analytics do about events: count what they name."""

from collections import Counter
from uuid import UUID

from bodega_analytics import counting
from bodega_analytics.adding import add_interest
from bodega_analytics.slots import slot_of
from bodega_sdk import Occurrence

#: Events of orders, and of what pays for them: their key is the order's id.
ORDERS = ("order.*", "payment.*")


def count_orders(events: list[Occurrence]) -> None:
    """Count the orders that events are about."""
    counting.count(UUID(event.key) for event in events)


def count_carted(events: list[Occurrence]) -> None:
    """Count what was put into carts."""
    found = Counter((slot_of(one.occurred_at), UUID(one.data["product"])) for one in events)
    _add("carted", found)


def count_views(events: list[Occurrence]) -> None:
    """Count what was looked at."""
    found: Counter[tuple[int, UUID]] = Counter()
    for event in events:
        at = slot_of(event.occurred_at)
        for product, number in event.data["products"].items():
            found[at, UUID(product)] += number
    _add("views", found)


def _add(measure: str, found: Counter[tuple[int, UUID]]) -> None:
    counting.hold()
    add_interest({place: {measure: number} for place, number in found.items()})
    counting.touch()
