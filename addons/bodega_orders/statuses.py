"""The statuses of an order, and who may lead from one to another: one table says all of it."""

from collections.abc import Iterable
from dataclasses import dataclass

from bodega_sdk.errors import Conflict, FieldError, PermissionDenied

PENDING, CONFIRMED, PROCESSING = "pending", "confirmed", "processing"
SHIPPED, DELIVERED, CANCELLED, REFUNDED = "shipped", "delivered", "cancelled", "refunded"
STATUSES = (PENDING, CONFIRMED, PROCESSING, SHIPPED, DELIVERED, CANCELLED, REFUNDED)
PAYMENT_STATUSES = (
    "unpaid", "authorized", "paid", "partially_refunded", "refunded", "failed"
)  # fmt: skip
#: Statuses of an order that something is still to be done for.
OPEN = (PENDING, CONFIRMED, PROCESSING)
#: Who acts: the order's customer, the shop's people, or the shop itself.
CUSTOMER, STAFF, SYSTEM = "customer", "staff", "system"
ACTORS = (CUSTOMER, STAFF, SYSTEM)


@dataclass(frozen=True, slots=True)
class By:
    """Who does something to an order.

    Args:
        role: one of :data:`ACTORS`.
        account: id of the account; empty for a guest and for the shop itself.
    """

    role: str
    account: str = ""


#: The shop itself.
SHOP = By(SYSTEM)


@dataclass(frozen=True, slots=True)
class Transition:
    """A way from one status to another.

    Args:
        source, target: the statuses.
        action: what people call it.
        who: which of :data:`ACTORS` may.
        stamp: the order's field that says when.
        event: name of the event that tells of it.
    """

    source: str
    target: str
    action: str
    who: frozenset[str]
    stamp: str
    event: str


def _ways(
    sources: Iterable[str], target: str, action: str, who: Iterable[str], stamp: str, event: str
) -> list[Transition]:
    return [Transition(source, target, action, frozenset(who), stamp, event) for source in sources]


#: The table.
TRANSITIONS: tuple[Transition, ...] = (
    *_ways((PENDING,), CONFIRMED, "confirm", (STAFF, SYSTEM), "confirmed_at", "order.confirmed"),
    *_ways((CONFIRMED,), PROCESSING, "process", (STAFF,), "processing_at",
           "order.processing_started"),
    *_ways((PROCESSING,), SHIPPED, "ship", (STAFF,), "shipped_at", "order.shipped"),
    *_ways((SHIPPED,), DELIVERED, "deliver", (STAFF,), "delivered_at", "order.delivered"),
    *_ways((PENDING,), CANCELLED, "cancel", ACTORS, "cancelled_at", "order.cancelled"),
    *_ways((CONFIRMED,), CANCELLED, "cancel", (CUSTOMER, STAFF), "cancelled_at",
           "order.cancelled"),
    *_ways((PROCESSING,), CANCELLED, "cancel", (STAFF,), "cancelled_at", "order.cancelled"),
    *_ways((CONFIRMED, PROCESSING, SHIPPED, DELIVERED, CANCELLED), REFUNDED, "refund", (SYSTEM,),
           "refunded_at", "order.refunded"),
)  # fmt: skip
_BY_WAY = {(way.source, way.target): way for way in TRANSITIONS}


class WrongStatus(Conflict):
    """An order's status does not allow something; ``order_status`` of the problem says it."""

    code, title = "wrong-status", "The order's status does not allow it"

    def __init__(self, status: str, message: str) -> None:
        super().__init__(
            message, [FieldError("status", message, status)], extra={"order_status": status}
        )


def way(source: str, target: str, role: str) -> Transition:
    """Return the way from one status to another.

    Raises:
        WrongStatus: there is none.
        PermissionDenied: there is one, but not for this role.
    """
    found = _BY_WAY.get((source, target))
    if found is None:
        raise WrongStatus(source, _no_way(source, target))
    if role not in found.who:
        raise PermissionDenied(
            f"A {source} order is not for a {role} to {found.action}; ask the shop.",
            [FieldError("status", "Not in this status.", source)],
        )
    return found


def _no_way(source: str, target: str) -> str:
    ways = [item.target for item in TRANSITIONS if item.source == source]
    then = f"it can become {' or '.join(ways)}" if ways else "nothing leads on from there"
    return f"The order is {source} and cannot become {target}: {then}."


def can(source: str, role: str) -> list[Transition]:
    """Return the ways that a role may go from a status."""
    return [item for item in TRANSITIONS if item.source == source and role in item.who]


def payment_status(
    total: int, authorized: int, captured: int, refunded: int, *, failed: bool
) -> str:
    """Return what sums in minor units make of an order's payment.

    Args:
        total: what is to be paid.
        authorized: held and not captured.
        captured, refunded: all that was ever taken, and given back of it.
        failed: whether the last attempt failed.
    """
    if captured - refunded >= total:
        return "paid"
    if refunded:
        return "partially_refunded" if captured > refunded else "refunded"
    if authorized + captured >= total:
        return "authorized"
    return "failed" if failed else "unpaid"
