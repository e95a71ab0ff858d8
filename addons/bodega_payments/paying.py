"""Paying for an order: begun, confirmed, captured, canceled.

Each act is planned under the order's lock, committed, and then made. Who sends the same
request again goes on where the first one stopped.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from uuid import UUID

from bodega_orders import api as orders
from bodega_payments import calling, checkpoints, planning, recording
from bodega_payments.errors import NothingDue, declined, too_much, unavailable, wrong_state
from bodega_payments.models import Call, Payment
from bodega_payments.providers import ProviderError
from bodega_sdk import Money, setting, transaction
from bodega_sdk.errors import Conflict, FieldError, NotFound, invalid

#: Statuses in which a method can be tried.
PAYABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
_FINAL = ("succeeded", "canceled")
_DERIVED = "derived:"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a client asks for.

    Args:
        order: id of the order.
        capture_method: ``automatic`` or ``manual``.
        payment_method: the provider's id of a method; empty to choose it later.
        save: whether to keep the method.
        return_url: where the customer comes back to; may be empty.
    """

    order: UUID
    capture_method: str = "automatic"
    payment_method: str = ""
    save: bool = False
    return_url: str = ""

    @property
    def fingerprint(self) -> str:
        """A hash of all of it."""
        text = json.dumps(asdict(self), sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()


def begin(wanted: Wanted, key: str) -> Payment:
    """Begin to pay for an order, or go on with what was begun with the same key.

    Args:
        key: the client's idempotency key; without one, the order's open payment is gone on with.

    Raises:
        NothingDue: all of it is paid, or on its way.
        InvalidInput: the key was used for something else.
        Problem: see :func:`calling.make`.
    """
    with transaction():
        order = orders.hold(wanted.order)
        before = _found(wanted, key)
        payment = before or _write(wanted, key, order)
        # A request that is sent again does not try again what was declined.
        if not (before and key and _was_tried(before, wanted.payment_method)):
            _plan_confirming(payment, wanted.payment_method)
    checkpoints.passing("intent_written")
    after = go_on(payment.id)
    if before and key and after.error_code:
        raise declined(after.id, after.error_code, after.error)
    return after


def _was_tried(payment: Payment, method: str) -> bool:
    tried = (Call.payment == payment) & (Call.act == "confirm") & (Call.method == method)
    return bool(Call.select().where(tried).exists())


def _found(wanted: Wanted, key: str) -> Payment | None:
    mine = Payment.order == wanted.order
    if not key:
        query = Payment.select().where(mine, Payment.status.not_in(_FINAL))
        derived = query.where(
            Payment.idempotency_key.startswith(_DERIVED),
            Payment.capture_method == wanted.capture_method,
            Payment.provider == setting("payments.provider"),
        )
        found: Payment | None = derived.order_by(Payment.id.desc()).first()
        return found
    found = Payment.select().where(mine, Payment.idempotency_key == key).first()
    if found is not None and found.fingerprint != wanted.fingerprint:
        raise invalid("Idempotency-Key", "It was used for a payment with other values.")
    return found


def _write(wanted: Wanted, key: str, order: orders.OrderFacts) -> Payment:
    due = _due(order)
    count = Payment.select().where(Payment.order == order.id).count()
    made: Payment = Payment.create(
        order=order.id, order_number=order.number, account=order.account,
        provider=setting("payments.provider"), currency=order.total.currency, amount=due,
        capture_method=wanted.capture_method, return_url=wanted.return_url,
        save_method=wanted.save and order.account is not None,
        idempotency_key=key or f"{_DERIVED}{count + 1}", fingerprint=wanted.fingerprint,
    )  # fmt: skip
    planning.plan(made, "create")
    return made


def _due(order: orders.OrderFacts) -> int:
    """Return what is left to pay for an order, in minor units."""
    if order.status in ("cancelled", "refunded"):
        message = f"The order is {order.status}; nothing is to be paid for it."
        raise NothingDue(message, [FieldError("order", message)])
    rows = Payment.select().where(Payment.order == order.id)
    due = order.total.minor - sum(row.authorized + row.captured for row in rows)
    if due <= 0:
        message = "The order is paid for already."
        raise NothingDue(message, [FieldError("order", message)])
    return int(due)


def _plan_confirming(payment: Payment, method: str) -> None:
    """Plan to try a method, unless that is under way or has led to something."""
    if not method or payment.status not in PAYABLE:
        return
    before = planning.pending(payment, "confirm")
    if before is not None and before.method == method:
        return
    # The customer is being asked about this very method.
    if payment.status == "requires_action" and _was_tried(payment, method):
        return
    planning.plan(payment, "confirm", method=method)
    # What the last attempt failed with is past: this one may fail with the same.
    Payment.update(error_code="", error="").where(Payment.id == payment.id).execute()


def go_on(payment_id: UUID) -> Payment:
    """Make the calls of a payment that are open, in their order."""
    calls = Call.select().where(Call.payment == payment_id, Call.ended_at.is_null())
    for call in list(calls.order_by(Call.id)):
        calling.make(call.id)
    found: Payment = Payment.get_by_id(payment_id)
    return found


def confirm(payment_id: UUID, method: str, return_url: str) -> Payment:
    """Try a method, or without one find out what became of the last one (the return page)."""
    with transaction():
        payment = held(payment_id)
        if return_url:
            Payment.update(return_url=return_url).where(Payment.id == payment.id).execute()
        if method and payment.status not in (*PAYABLE, *_FINAL, "processing", "requires_capture"):
            raise wrong_state(payment.status, "confirmed")
        _plan_confirming(payment, method)
        if not method and payment.status == "requires_confirmation":
            planning.plan(payment, "confirm")
    checkpoints.passing("intent_written")
    found = go_on(payment_id)
    return found if method else look(found)


def look(payment: Payment) -> Payment:
    """Ask the provider what a payment has come to; what is known is returned if it is silent."""
    if payment.provider_id is None or payment.status == "canceled":
        return payment
    try:
        return recording.refresh(payment.id)
    except ProviderError as error:
        raise unavailable(payment.id, "The payment provider does not answer.") from error


def capture(payment_id: UUID, amount: int | None) -> Payment:
    """Take what is held, or a part of it; the rest is let go.

    Args:
        amount: minor units; None for all of it.

    Raises:
        WrongState: nothing is held.
        TooMuch: less is held.
    """
    with transaction():
        payment = held(payment_id)
        if payment.status != "requires_capture" or planning.pending(payment, "cancel"):
            raise wrong_state(payment.status, "captured")
        wanted = payment.authorized if amount is None else amount
        if not 0 < wanted <= payment.authorized:
            most = Money(payment.authorized, payment.currency)
            raise too_much("amount", Money(wanted, payment.currency), most)
        before = planning.pending(payment, "capture")
        if before is not None and before.amount != wanted:
            message = "Another amount of this payment is being captured now."
            raise Conflict(message, [FieldError("amount", message)])
        if before is None:
            planning.plan(payment, "capture", amount=wanted)
    checkpoints.passing("intent_written")
    return go_on(payment_id)


def cancel(payment_id: UUID, *, held_too: bool) -> Payment:
    """End a payment that nothing was captured of.

    Args:
        held_too: whether what is held may be let go; customers cannot do that.

    Raises:
        WrongState: it has ended, or the bank is at work.
    """
    with transaction():
        payment = held(payment_id)
        allowed = (*PAYABLE, "requires_capture") if held_too else PAYABLE
        if payment.status not in allowed:
            raise wrong_state(payment.status, "canceled")
        if not planning.pending(payment, "cancel"):
            planning.plan(payment, "cancel")
    checkpoints.passing("intent_written")
    return go_on(payment_id)


def held(payment_id: UUID) -> Payment:
    """Return a payment whose order and row are held."""
    found = Payment.get_or_none(Payment.id == payment_id)
    if found is None:
        message = "There is no payment with this id."
        raise NotFound(message, [FieldError("id", message, str(payment_id))])
    orders.hold(found.order)
    payment = Payment.find(payment_id, lock=True)
    assert payment is not None
    return payment
