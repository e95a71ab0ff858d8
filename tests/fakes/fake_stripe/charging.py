"""Charges: what is taken, let go, given back and disputed."""

from typing import Any

from fake_stripe.books import Books, Object
from fake_stripe.cards import Card

#: Of each payment: 2.9 % and 30 cents.
FEE = (29, 1000, 30)


def charged(books: Books, intent: Object, method: Object, card: Card, *, captured: bool) -> Object:
    """Make the charge of an intent; one that failed when the card declines."""
    declined = card.declines
    charge = books.add(
        "ch", "charge", amount=intent["amount"], amount_captured=0, amount_refunded=0,
        balance_transaction=None, captured=False, currency=intent["currency"],
        customer=intent["customer"], disputed=False, metadata=dict(intent["metadata"]),
        failure_code=card.code or None, failure_message=None, paid=not declined,
        payment_intent=intent["id"], payment_method=method["id"], refunded=False,
        status="failed" if declined else "succeeded", description=intent["description"],
        payment_method_details={"type": card.kind, card.kind: dict(method[card.kind])},
        outcome={"type": "issuer_declined" if declined else "authorized"},
    )  # fmt: skip
    intent["latest_charge"] = charge["id"]
    if declined:
        books.tell("charge.failed", charge)
        return charge
    if captured:
        take(books, charge, intent["amount"])
    books.tell("charge.succeeded", charge)
    return charge


def take(books: Books, charge: Object, amount: int) -> None:
    """Capture a charge, or a part of it; the rest is let go, which Stripe calls a refund."""
    rate, of, fixed = FEE
    fee = amount * rate // of + fixed
    charge.update(captured=True, amount_captured=amount)
    charge["balance_transaction"] = books.move(
        "charge", amount, charge["currency"], charge["id"], fee
    )
    if amount < charge["amount"]:
        let_go(books, charge, charge["amount"] - amount)


def let_go(books: Books, charge: Object, amount: int, reason: str | None = None) -> None:
    """Release what was held and will not be taken."""
    refunded(books, charge, amount, "succeeded", reason=reason, moves=False)


def refunded(
    books: Books, charge: Object, amount: int, status: str, *,
    reason: str | None = None, metadata: Any = None, moves: bool = True,
) -> Object:  # fmt: skip
    """Make a refund of a charge."""
    refund = books.add(
        "re", "refund", amount=amount, charge=charge["id"], currency=charge["currency"],
        payment_intent=charge["payment_intent"], reason=reason, status=status,
        metadata=dict(metadata or {}), balance_transaction=None, failure_reason=None,
    )  # fmt: skip
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    if moves:
        refund["balance_transaction"] = books.move(
            "refund", -amount, charge["currency"], refund["id"]
        )
    books.tell("refund.created", refund)
    books.tell("charge.refunded", charge)
    return refund


def refund_ends(books: Books, refund: Object, status: str) -> None:
    """Let a refund succeed or fail, at last."""
    if refund["status"] == status:
        return
    charge = books.find("charge", refund["charge"])
    refund["status"] = status
    if status == "failed":
        refund["failure_reason"] = "expired_or_canceled_card"
        charge["amount_refunded"] -= refund["amount"]
        charge["refunded"] = False
        books.move("refund_failure", refund["amount"], charge["currency"], refund["id"])
        books.tell("refund.failed", refund)
    books.tell("refund.updated", refund)
    books.tell("charge.refund.updated", refund)


def disputed(books: Books, charge: Object, card: Card) -> Object:
    """Let the customer's bank ask, or take the money back."""
    inquiry = card.dispute == "inquiry"
    dispute = books.add(
        "dp", "dispute", amount=charge["amount"], charge=charge["id"],
        currency=charge["currency"], payment_intent=charge["payment_intent"],
        reason="fraudulent", is_charge_refundable=inquiry, metadata={},
        status="warning_needs_response" if inquiry else "needs_response",
    )  # fmt: skip
    charge["disputed"] = True
    books.tell("charge.dispute.created", dispute)
    if not inquiry:
        books.move("adjustment", -charge["amount"], charge["currency"], dispute["id"], 1500)
        books.tell("charge.dispute.funds_withdrawn", dispute)
    return dispute


def dispute_ends(books: Books, dispute: Object, status: str) -> None:
    """Let a dispute be ``won`` or ``lost`` by the shop."""
    dispute["status"] = status
    if status == "won":
        books.move("adjustment", dispute["amount"], dispute["currency"], dispute["id"])
        books.tell("charge.dispute.funds_reinstated", dispute)
    books.tell("charge.dispute.closed", dispute)
