"""What payments do about events of others."""

from uuid import UUID

from bodega_payments import jobs
from bodega_payments.models import Customer, PaymentMethod
from bodega_sdk import Occurrence


def give_back(event: Occurrence) -> None:
    """Have what was paid for a cancelled order given back, and its payments ended."""
    jobs.settle.enqueue(order_id=str(event.data["id"]))


def forget_account(event: Occurrence) -> None:
    """Forget what an account kept that is gone; its payments stay, without a name."""
    account = UUID(str(event.data["id"]))
    mine = PaymentMethod.account == account
    for row in PaymentMethod.select().where(mine):
        jobs.detach.enqueue(provider=row.provider, method=row.provider_id)
    PaymentMethod.delete().where(mine).execute()
    Customer.delete().where(Customer.account == account).execute()
