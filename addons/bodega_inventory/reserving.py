"""Reservations: pieces that are promised until a time, and then sold or released."""

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from bodega_inventory.book import Book, Cause
from bodega_inventory.items import LARGEST, Item, merged
from bodega_inventory.models import EXPIRED, OPEN, RELEASED, SOLD, Reservation
from bodega_sdk import database, hold_words, now, setting, transaction
from bodega_sdk.bulk import insert_models, portions
from bodega_sdk.errors import Conflict, FieldError, InvalidInput, NotFound

#: Reservations that end in one transaction.
_BATCH = 200
#: Rows of one statement.
_INSERTED = 100


@dataclass(frozen=True, slots=True)
class Reserved:
    """What is promised under one reference.

    Args:
        reference: the maker's word for it, e.g. ``"cart:0190…"``.
        items: what is promised, in the order of the items' ids.
        status: ``open``, ``sold``, ``released`` or ``expired``.
        expires_at: when it ends by itself while it is open.
    """

    reference: str
    items: tuple[Item, ...]
    status: str
    expires_at: datetime


def reserve(
    items: Sequence[Item], reference: str, expires: datetime | None = None, *, actor: str = "",
    fresh: bool = False,
) -> Reserved:  # fmt: skip
    """Promise items, all of them or none, until a time.

    The same items under the same reference are promised once, however often it is called.
    A reference whose reservation was released or has ended can be used again.

    Args:
        items: what is wanted; what comes twice is added up.
        reference: one for the whole shop, at most 200 characters.
        expires: when it ends by itself; after ``inventory.reservation_minutes`` when None.
        actor: id of the account that did it; empty when the shop itself did.
        fresh: whether the reference was made just now, so that nobody else can know it and
            nothing is looked up.

    Raises:
        InvalidInput: there is no such product or variant, or a quantity is not positive.
        OutOfStock: naming each item that is short, with what is there.
        Conflict: the reference holds other items, or was sold.
    """
    _refuse_words(items, reference)
    wanted = merged(items)
    ends = expires or now() + timedelta(minutes=setting("inventory.reservation_minutes"))
    # Whatever is refused is refused before anything is written: no savepoint is needed.
    with nullcontext() if database.obj.in_transaction() else transaction():
        if not fresh:
            hold_words(f"inventory {reference}")
        book = Book(wanted)
        there = [] if fresh else _of(reference)
        if any(row.status in (OPEN, SOLD) for row in there):
            return _same(reference, wanted, there)
        cause = Cause(reference=reference, actor=actor)
        counted = {item.id: bool(book.level(item.id).tracked) for item in wanted}
        for place, item in enumerate(wanted):
            if counted[item.id]:
                book.move(item, "reservation", -item.quantity, cause, place)
        book.close(reference)
        if there:
            Reservation.delete().where(Reservation.reference == reference).execute()
        rows = [_row(item, book, cause, ends, counted[item.id]) for item in wanted]
        for some in portions(rows, _INSERTED):
            insert_models(some)
    return Reserved(reference, tuple(wanted), OPEN, ends)


def _refuse_words(items: Sequence[Item], reference: str) -> None:
    if not items or any(not 0 < item.quantity <= LARGEST for item in items):
        message = f"Name one item or more, and 1 to {LARGEST} pieces of each."
        raise InvalidInput(message, [FieldError("items", message)])
    if not 0 < len(reference) <= 200:
        message = "Expected 1 to 200 characters."
        raise InvalidInput(message, [FieldError("reference", message, reference)])


def _of(reference: str) -> list[Reservation]:
    query = Reservation.select().where(Reservation.reference == reference)
    return list(query.order_by(Reservation.item))


def _same(reference: str, wanted: list[Item], there: list[Reservation]) -> Reserved:
    """Return what a reference holds, if it is what is wanted."""
    held = [row for row in there if row.status in (OPEN, SOLD)]
    if [(i.id, i.quantity) for i in wanted] != [(row.item, row.quantity) for row in held]:
        message = "This reference holds other items; release it first."
        raise Conflict(message, [FieldError("reference", message, reference)])
    return _shown(held)


def _shown(rows: Sequence[Reservation]) -> Reserved:
    items = tuple(Item(row.product, row.variant, row.quantity) for row in rows)
    return Reserved(rows[0].reference, items, rows[0].status, rows[0].expires_at)


def _row(item: Item, book: Book, cause: Cause, ends: datetime, counted: bool) -> Reservation:
    return Reservation(
        reference=cause.reference, item=item.id, product=item.product, variant=item.variant,
        organization=book.level(item.id).organization, quantity=item.quantity, counted=counted,
        actor=cause.actor, expires_at=ends,
    )  # fmt: skip


def commit(reservation: Reserved | str, *, actor: str = "") -> Reserved:
    """Sell what was promised; what was sold already is sold once.

    Args:
        reservation: what :func:`reserve` returned, or its reference.
        actor: as of :func:`reserve`.

    Raises:
        NotFound: there is no such reservation.
        Conflict: it was released or has ended; reserve again.
    """
    return _end(_reference(reservation), SOLD, actor)


def release(reservation: Reserved | str, *, actor: str = "") -> Reserved:
    """Let go of what was promised; what was released already is left as it is.

    Args:
        reservation: what :func:`reserve` returned, or its reference.
        actor: as of :func:`reserve`.

    Raises:
        NotFound: there is no such reservation.
        Conflict: it was sold; take it back with :func:`bodega_inventory.api.restock`.
    """
    return _end(_reference(reservation), RELEASED, actor)


def _reference(reservation: Reserved | str) -> str:
    return reservation if isinstance(reservation, str) else reservation.reference


def _end(reference: str, status: str, actor: str) -> Reserved:
    with transaction():
        # Nobody uses the reference again meanwhile, for other products.
        hold_words(f"inventory {reference}")
        # Which products they are of never changes; how they stand is read under the lock.
        touched = {row.product for row in _of(reference)}
        book = Book([], touched, strict=False)
        rows = _of(reference)
        if not rows:
            message = "There is no reservation with this reference."
            raise NotFound(message, [FieldError("reference", message, reference)])
        still = [row for row in rows if row.status == OPEN]
        if not still:
            return _ended_before(rows, status)
        if status == SOLD and len(still) < len(rows):
            message = "A part of this reservation is released already; reserve again."
            raise Conflict(message, [FieldError("reference", message, reference)])
        _close(book, still, status, actor)
        book.close(reference)
        return _shown(still)


def _ended_before(rows: list[Reservation], status: str) -> Reserved:
    sold = any(row.status == SOLD for row in rows)
    if sold != (status == SOLD):
        word = "sold" if sold else "released" if rows[0].status == RELEASED else "at its end"
        message = f"This reservation is {word} already."
        raise Conflict(message, [FieldError("reference", message, rows[0].reference)])
    return _shown([row for row in rows if row.status == SOLD] or rows)


def _close(book: Book, rows: Iterable[Reservation], status: str, actor: str) -> None:
    """End reservations that are open; their products' rows are held."""
    for row in rows:
        item = Item(row.product, row.variant, row.quantity)
        cause = Cause("" if status != EXPIRED else "its time was over", row.reference, None, actor)
        if row.counted:
            book.move(item, "release", row.quantity, cause)
            if status == SOLD:
                book.move(item, "sale", -row.quantity, cause)
        row.status, row.closed_at, row.updated_at = status, now(), now()
        row.save()


def release_one(key: UUID, actor: str) -> Reservation:
    """Release one line of a reservation.

    Raises:
        NotFound: it is not there any more.
        Conflict: it is not open any more.
    """
    with transaction():
        book = Book([], [_line(key).product], strict=False)
        row = _line(key)
        if row.status != OPEN:
            message = f"This reservation is {row.status} already."
            raise Conflict(message, [FieldError("status", message, row.status)])
        _close(book, [row], RELEASED, actor)
        book.close(row.reference)
        return row


def _line(key: UUID) -> Reservation:
    found = Reservation.find(key)
    if found is None:
        message = "There is no reservation with this id."
        raise NotFound(message, [FieldError("id", message, str(key))])
    return found


def expire(limit: int = _BATCH) -> int:
    """End reservations whose time is over, in the open transaction; return how many.

    Args:
        limit: how many, at most.
    """
    over = (Reservation.status == OPEN) & (Reservation.expires_at <= now())
    due = list(Reservation.select().where(over).order_by(Reservation.expires_at).limit(limit))
    if not due:
        return 0
    book = Book([], {row.product for row in due}, strict=False)
    keys = [row.id for row in due]
    rows = list(Reservation.select().where(Reservation.id.in_(keys), over))
    _close(book, rows, EXPIRED, "")
    book.close("expired")
    return len(due)


def forget(before: datetime) -> int:
    """Delete reservations that ended before a time; return how many. The ledger stays."""
    old = (Reservation.status != OPEN) & (Reservation.closed_at < before)
    return int(Reservation.delete().where(old).execute())
