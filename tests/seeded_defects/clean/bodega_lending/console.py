"""The console page of lending."""

from collections.abc import Iterator

from bodega_lending.loans import overdue
from bodega_lending.models import Loan

from bodega_sdk import Request
from bodega_sdk.console import PAGE, Block, Facts, Table, page_links

_ROWS = 50


def late_loans(request: Request) -> Iterator[Block]:
    """Show how many products are out, and who is late."""
    out = Loan.select().where(Loan.returned_at.is_null()).count()
    yield Facts([("Lent out", out), ("Overdue", overdue().count())])
    rows = list(overdue().limit(_ROWS + 1).offset((request.query["page"] - 1) * _ROWS))
    yield Table(
        ["Ticket", "Borrower", "Due", "Reminded"],
        [[row.ticket, row.borrower, row.due_at, row.reminded_at] for row in rows[:_ROWS]],
        caption="Loans that should have come back",
        empty="Nobody is late.",
    )
    yield page_links(request, more=len(rows) > _ROWS)


PARAMETERS = (PAGE,)
