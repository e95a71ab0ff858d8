"""What other addons may call."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bodega_lending.models import Loan, Offer

__all__ = ["OpenLoan", "open_loans"]


@dataclass(frozen=True, slots=True)
class OpenLoan:
    """A product that somebody has.

    Args:
        ticket: the number on the borrower's ticket.
        due_at: when it should come back, UTC.
    """

    ticket: str
    borrower: str
    due_at: datetime


def open_loans(product: UUID) -> tuple[OpenLoan, ...]:
    """Return the loans of a product that are not back yet, the next that is due first."""
    open_ones = (Offer.product == product) & Loan.returned_at.is_null()
    query = Loan.select().join(Offer).where(open_ones).order_by(Loan.due_at)
    return tuple(OpenLoan(row.ticket, row.borrower, row.due_at) for row in query)
