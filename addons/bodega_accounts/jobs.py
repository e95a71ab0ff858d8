"""The jobs of accounts."""

from datetime import timedelta

from bodega_accounts import mailed_tokens, profile, resetting, sessions
from bodega_accounts.registering import ask_later, register_later
from bodega_sdk import JobRun, job


@job("accounts.prune", every=timedelta(hours=1))
def prune(run: JobRun) -> None:
    """Forget sessions and mailed tokens that are over."""
    with run.transaction():
        sessions.prune()
        mailed_tokens.prune()


JOBS = (register_later, ask_later, resetting.mail_later, profile.mail_later, prune)
