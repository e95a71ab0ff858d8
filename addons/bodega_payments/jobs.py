"""The jobs of payments."""

from datetime import timedelta
from uuid import UUID

from bodega_orders import api as orders
from bodega_payments import choosing, planning, receiving, reconciling, recording
from bodega_payments.models import Payment, ReceivedEvent
from bodega_payments.providers import Misconfigured, ProviderDown, Refused
from bodega_payments.sandbox import delivering
from bodega_sdk import JobRun, job, now, setting
from bodega_sdk.errors import TryLater


@job("payments.reconcile", every=timedelta(minutes=5))
def reconcile(run: JobRun) -> None:
    """Ask providers about what is unsettled, and repair what got lost."""
    reconciling.reconcile()


@job("payments.settle")
def settle(run: JobRun, order_id: str) -> None:
    """Give back what an order does not want any more, e.g. because it was cancelled."""
    order = UUID(order_id)
    with run.transaction():
        orders.hold(order)
        payment = Payment.select().where(Payment.order == order).order_by(Payment.id).first()
        if payment is not None:
            recording.settle(payment)


@job("payments.detach", max_attempts=10)
def detach(run: JobRun, provider: str, method: str) -> None:
    """Have a provider forget a method whose owner is gone."""
    try:
        choosing.provider(provider).detach_method(method, f"{method}:detach")
    except Refused:
        return  # It is forgotten there.
    except (ProviderDown, Misconfigured) as error:
        raise TryLater(str(error), timedelta(hours=1)) from error


@job("payments.prune", lane="bulk", every=timedelta(days=1))
def prune(run: JobRun) -> None:
    """Forget what providers told long ago; payments, refunds and the ledger stay."""
    oldest = now() - timedelta(days=setting("payments.events_days"))
    old = (ReceivedEvent.created_at < oldest) & ReceivedEvent.handled_at.is_null(False)
    with run.transaction():
        ReceivedEvent.delete().where(old).execute()
    with run.transaction():
        delivering.forget(oldest)


JOBS = (
    planning.call, receiving.handle, reconcile, settle, detach, prune,
    delivering.tell, delivering.advance,
)  # fmt: skip
