"""Offering products, lending them out and taking them back. Call these in a transaction."""

import hmac
from datetime import timedelta
from typing import Any
from uuid import UUID

import peewee
from bodega_lending import events, jobs
from bodega_lending.hookspecs import refuse_loan
from bodega_lending.models import Loan, Offer

from bodega_sdk import now, setting, transaction, uuid7
from bodega_sdk.errors import Conflict, FieldError, NotFound, invalid


def save_offer(offer: Offer, data: dict[str, Any], *, new: bool) -> Offer:
    """Make or change an offer by loaded data.

    Raises:
        Conflict: the product is offered already.
        InvalidInput: there is no such product.
    """
    for name, value in data.items():
        setattr(offer, name, value)
    _refuse_second(offer)
    offer.updated_at = now()
    try:
        with transaction():
            offer.save(force_insert=new)
    except peewee.IntegrityError:
        _refuse_second(offer)  # Somebody may have been quicker.
        message = "There is no product with this id."
        raise invalid("product", message, str(offer.product)) from None
    return offer


def _refuse_second(offer: Offer) -> None:
    same = (Offer.product == offer.product) & (Offer.id != offer.id)
    if Offer.select().where(same).exists():
        message = "Another offer is of this product already."
        found = FieldError("product", message, str(offer.product))
        raise Conflict(f"'product': {message}", [found])


def lend(offer_id: UUID, borrower: str) -> Loan:
    """Lend a product out.

    Raises:
        InvalidInput: there is no such offer.
        Conflict: the offer is closed.
        Vetoed: an addon has a reason against it.
    """
    offer = Offer.find(offer_id, lock=True)
    if offer is None:
        raise invalid("offer", "There is no offer with this id.", str(offer_id))
    if not offer.is_open:
        raise Conflict("This product is not lent out at present.")
    refuse_loan(borrower, offer.product)
    # The operator may have lowered the limit since the offer was made.
    days = min(max(offer.days, 1), setting("lending.longest_days"))
    due_at = now() + timedelta(days=days)
    loan: Loan = Loan.create(offer=offer, ticket=_ticket(), borrower=borrower, due_at=due_at)
    events.publish(events.loan_opened, loan)
    jobs.remind.enqueue(run_at=loan.due_at, loan_id=str(loan.id))
    return loan


def _ticket() -> str:
    """Return a number that nobody guesses who does not know the secret."""
    secret = setting("lending.ticket_secret").encode()
    return hmac.new(secret, uuid7().bytes, "sha256").hexdigest()[:16].upper()


def take_back(loan_id: UUID) -> Loan:
    """Take a product back.

    Raises:
        NotFound: there is no such loan.
        Conflict: it came back already.
    """
    loan = Loan.find(loan_id, lock=True)
    if loan is None:
        message = "There is no loan with this id."
        raise NotFound(message, [FieldError("id", message, str(loan_id))])
    if loan.returned_at is not None:
        raise Conflict("This product came back already.")
    loan.returned_at = loan.updated_at = now()
    loan.save()
    events.publish(events.loan_returned, loan)
    return loan


def overdue() -> peewee.ModelSelect:
    """Return the loans that should have come back, those that are due longest first."""
    late = Loan.returned_at.is_null() & (Loan.due_at < now())
    return Loan.select().where(late).order_by(Loan.due_at)
