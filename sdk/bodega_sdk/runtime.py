"""The one thing the kernel gives the SDK: the running shop, bound to the work at hand.

A request, a job or a command runs inside :func:`bound`; the functions of the SDK
find the shop there. Only the models' database is one for the whole process: two
shops in one process take turns, as tests do.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from bodega_sdk.errors import UnboundError

if TYPE_CHECKING:
    import peewee

    from bodega_sdk.capabilities import Grant
    from bodega_sdk.events import Event, Occurrence
    from bodega_sdk.extensions import Extension
    from bodega_sdk.jobs import Job, JobState
    from bodega_sdk.throttling import RateLimit


class Runtime(Protocol):
    """What the kernel provides to the SDK. Addons use the SDK's functions instead."""

    def transaction(self) -> AbstractContextManager[None]:
        """See :func:`bodega_sdk.models.transaction`."""

    def publish(self, event: "Event", told: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        """See :meth:`bodega_sdk.events.Event.publish_many`."""

    def read_log(
        self, after: int, limit: int, names: tuple[str, ...], until: int | None
    ) -> "list[Occurrence]":
        """See :func:`bodega_sdk.log.read_log`."""

    def newest_offset(self) -> int:
        """See :func:`bodega_sdk.log.newest_offset`."""

    def event_types(self) -> "tuple[Event, ...]":
        """See :func:`bodega_sdk.log.event_types`."""

    def audit(self, action: str, target: str, details: Mapping[str, Any]) -> None:
        """See :func:`bodega_sdk.auditing.audit`."""

    def enqueue(
        self,
        job: "Job",
        payload: Mapping[str, Any],
        run_at: datetime | None,
        job_id: UUID | None = None,
    ) -> UUID:
        """See :meth:`bodega_sdk.jobs.Job.enqueue`."""

    def job_state(self, job_id: UUID) -> "JobState | None":
        """See :func:`bodega_sdk.jobs.job_state`."""

    def cancel_job(self, job_id: UUID) -> bool:
        """See :func:`bodega_sdk.jobs.cancel_job`."""

    def work_here(self, job_id: UUID) -> bool:
        """See :func:`bodega_sdk.jobs.work_here`."""

    def send_mail(self, to: str, subject: str, text: str, html: str) -> UUID:
        """See :func:`bodega_sdk.mail.send_mail`; what it is given has been checked."""

    def setting(self, name: str) -> Any:
        """See :func:`bodega_sdk.settings.setting`."""

    def count(self, query: "peewee.ModelSelect") -> int:
        """Return the exact number of rows of a query, counted once per version of its tables."""

    def touch(self, *tables: str) -> None:
        """Say that raw SQL changed tables, so that cached counts of them are dropped."""

    def actor(self) -> str:
        """See :func:`bodega_sdk.identity.actor`."""

    def acting_for(self, subject: str) -> AbstractContextManager[None]:
        """See :func:`bodega_sdk.identity.acting_for`."""

    def issue_token(
        self,
        subject: str,
        roles: tuple[str, ...],
        use: str,
        lifetime: timedelta,
        claims: Mapping[str, Any],
    ) -> str:
        """See :func:`bodega_sdk.identity.issue_token`."""

    def read_token(self, token: str, use: str) -> dict[str, Any]:
        """See :func:`bodega_sdk.identity.read_token`."""

    def revoke_session(self, session: str, until: datetime, version: int | None) -> None:
        """See :func:`bodega_sdk.identity.revoke_session`."""

    def permissions_of(self, roles: tuple[str, ...]) -> frozenset[str]:
        """See :func:`bodega_sdk.permissions.permissions_held_by`."""

    def derive_key(self, purpose: str) -> bytes:
        """See :func:`bodega_sdk.secrets.derive_key`."""

    def hit_limit(self, limit: "RateLimit", key: str) -> None:
        """See :meth:`bodega_sdk.throttling.RateLimit.hit`."""

    def limit_left(self, limit: "RateLimit", key: str) -> int:
        """See :meth:`bodega_sdk.throttling.RateLimit.left`."""

    def reset_limit(self, limit: "RateLimit", key: str) -> None:
        """See :meth:`bodega_sdk.throttling.RateLimit.reset`."""

    def public_url(self) -> str:
        """See :func:`bodega_sdk.addresses.public_url`."""

    def hook_caller(self, name: str) -> Callable[[dict[str, Any]], Any] | None:
        """Return what calls a hook with its arguments by name; None when nobody implements it."""

    def extensions(self, resource: str) -> "tuple[Extension, ...]":
        """See :func:`bodega_sdk.extensions.extensions_of`."""

    def grant(self) -> "Grant | None":
        """Return what the addon at work may use; None when the house itself is."""

    def package_of(self, addon: str) -> str | None:
        """Return the import name of an addon's package; None unless it is enabled."""

    def folder(self, name: str) -> Path:
        """See :func:`bodega_sdk.files.folder`."""


_current: ContextVar[Runtime] = ContextVar("bodega_runtime")


def runtime() -> Runtime:
    """Return the shop this work is bound to.

    Raises:
        UnboundError: called outside a request, a job or a command.
    """
    try:
        return _current.get()
    except LookupError:
        raise UnboundError(
            "no shop is bound here: call this in a request, a job or a command, "
            "or inside 'with bodega_sdk.runtime.bound(shop):'"
        ) from None


@contextmanager
def bound(shop: Runtime) -> Iterator[None]:
    """Bind a shop to the work done inside the ``with`` block."""
    token = _current.set(shop)
    try:
        yield
    finally:
        _current.reset(token)
