"""The events of lending, and what it does when others' happen."""

from uuid import UUID

from bodega_lending.models import Loan, Offer

from bodega_sdk import Event, Occurrence

_FIELDS = {
    "loan": "UUID of the loan",
    "offer": "UUID of the offer",
    "ticket": "text, the number on the borrower's ticket",
    "due_at": "instant when it is due, ISO 8601",
}
loan_opened = Event("loan.opened", "A product was lent out.", _FIELDS)
loan_returned = Event("loan.returned", "A product that was lent out came back.", _FIELDS)
ALL = (loan_opened, loan_returned)


def publish(event: Event, loan: Loan) -> None:
    """Publish an event about a loan."""
    data = {
        "loan": str(loan.id),
        "offer": str(loan.offer_id),
        "ticket": loan.ticket,
        "due_at": loan.due_at.isoformat(),
    }
    event.publish(str(loan.id), data)


def close_offer(occurrence: Occurrence) -> None:
    """Close the offer of a product that was made inactive."""
    if not occurrence.data["is_active"]:
        product = UUID(occurrence.data["id"])
        Offer.update(is_open=False).where(Offer.product == product).execute()
