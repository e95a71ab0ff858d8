"""Work that lending does later."""

from datetime import timedelta
from uuid import UUID

from bodega_lending.models import Loan

from bodega_sdk import JobRun, job, now, setting


@job("lending.remind", lane="mail")
def remind(run: JobRun, loan_id: str) -> None:
    """Write down that a borrower is to be reminded, unless the product came back."""
    with run.transaction():
        loan = Loan.find(UUID(loan_id), lock=True)
        if loan is not None and loan.returned_at is None:
            loan.reminded_at = now()
            loan.save()


@job("lending.forget_returned", every=timedelta(days=1))
def forget_returned(run: JobRun) -> None:
    """Delete loans that came back long ago."""
    oldest = now() - timedelta(days=setting("lending.keep_days"))
    with run.transaction():
        Loan.delete().where(Loan.returned_at < oldest).execute()
