"""The jobs of notifications."""

from datetime import timedelta

from bodega_notifications import delivering
from bodega_notifications.hearing import hear_again
from bodega_notifications.models import Notification
from bodega_notifications.sending import send
from bodega_sdk import JobRun, job, now, setting


@job("notifications.deliver_due", lane="mail", every=timedelta(minutes=1))
def deliver_due(run: JobRun) -> None:
    """Send digests, and what waited for the end of quiet hours."""
    more = True
    while more:
        with run.transaction():
            found = delivering.due()
            delivering.hand_over(found)
            more = bool(found)


@job("notifications.prune", lane="bulk", every=timedelta(days=1))
def prune(run: JobRun) -> None:
    """Forget notifications that are older than anybody needs."""
    oldest = now() - timedelta(days=setting("notifications.keep_days"))
    with run.transaction():
        Notification.delete().where(Notification.created_at < oldest).execute()


JOBS = (send, hear_again, deliver_due, prune)
