"""The jobs of webhooks."""

from datetime import timedelta

from bodega_sdk import JobRun, job, now, setting
from bodega_webhooks.models import WAITING, Attempt, Delivery, Payload
from bodega_webhooks.replaying import replay

_CHUNK = 2000


@job("webhooks.prune", every=timedelta(hours=1))
def prune(run: JobRun) -> None:
    """Forget deliveries that were made or given up long ago, with attempts and bodies."""
    oldest = now() - timedelta(days=setting("webhooks.kept_days"))
    old = (Delivery.created_at < oldest) & (Delivery.status != WAITING)
    # What was replayed since is kept.
    old &= Delivery.updated_at < oldest
    while True:
        ids = [row.id for row in Delivery.select(Delivery.id).where(old).limit(_CHUNK)]
        with run.transaction():
            Attempt.delete().where(Attempt.delivery.in_(ids)).execute()
            Delivery.delete().where(Delivery.id.in_(ids)).execute()
        if len(ids) < _CHUNK:
            break
    with run.transaction():
        # Few deliveries are older and still there.
        used = Delivery.select(Delivery.payload).where(Delivery.created_at < oldest)
        Payload.delete().where(Payload.created_at < oldest, Payload.id.not_in(used)).execute()


JOBS = (replay, prune)
