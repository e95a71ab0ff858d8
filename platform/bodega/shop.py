"""A shop in one process: its databases, its queue and the Assembly it serves."""

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import structlog

from bodega import capabilities, startup, state
from bodega.addons.discovery import Catalogue, discover
from bodega.assembly import Assembly
from bodega.database import outbox
from bodega.database.collections import Counts
from bodega.database.connection import Databases, open_databases
from bodega.database.tables import KERNEL_TABLES, JobRow
from bodega.database.versions import Versions
from bodega.errors import OperatorError
from bodega.hooks import quarantine
from bodega.hooks.breakers import Breakers
from bodega.hooks.calling import Caller
from bodega.http import addresses
from bodega.http.caching import Answers, Stores
from bodega.jobs import administration
from bodega.jobs.queue import Queue
from bodega.jobs.runner import Runner
from bodega.mail import box
from bodega.mail.jobs import send_mail
from bodega.processes import Register
from bodega.secret_sources import SecretSources
from bodega.security import secrets, tokens
from bodega.security.audit import AuditLog
from bodega.security.callers import caller, calling
from bodega.security.identifying import Identifying
from bodega.security.keys import KeyRing, load_keys
from bodega.security.revocations import Revocations
from bodega.security.throttle import Throttle
from bodega.settings import Settings
from bodega.telemetry.redaction import remember
from bodega_sdk import models
from bodega_sdk.capabilities import Callers, Grant
from bodega_sdk.encoding import to_json
from bodega_sdk.errors import Conflict
from bodega_sdk.events import Event, Occurrence
from bodega_sdk.extensions import Extension
from bodega_sdk.identity import ANONYMOUS, Identity
from bodega_sdk.jobs import Job, JobState
from bodega_sdk.models import now
from bodega_sdk.permissions import permissions_of
from bodega_sdk.throttling import RateLimit

log = structlog.get_logger(__name__)


class Session:
    """The shop bound to one Assembly: what requests and jobs run on.

    It is the :class:`bodega_sdk.runtime.Runtime` that the SDK's functions find.
    """

    def __init__(self, shop: "Shop", assembly: Assembly) -> None:
        self.shop = shop
        self.assembly = assembly
        self.databases = shop.databases
        self.view: Any = None
        self._counts = Counts(
            shop.databases.shop, shop.versions, (*assembly.models, *KERNEL_TABLES)
        )
        # Who is implemented by nobody is not among them: calling it costs this look-up.
        self._callers = {
            name: Caller(chain, shop.breakers, shop.databases.shop)
            for name, chain in assembly.chains.items()
            if chain.called
        }
        self.answers = Answers(self)
        self._at_work = Callers(capabilities.grants(assembly.addons, assembly.approved))
        self._packages = {addon.name: addon.manifest.package for addon in assembly.addons}
        self._secrets = capabilities.secrets(assembly.addons, assembly.settings)
        self.outside = SecretSources(self)
        self._lock = threading.Lock()
        self.in_flight = 0

    def enter(self) -> None:
        """Begin a piece of work on this Assembly."""
        with self._lock:
            self.in_flight += 1

    def leave(self) -> None:
        """End it."""
        with self._lock:
            self.in_flight -= 1

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """See :func:`bodega_sdk.models.transaction`."""
        with self.shop.transaction():
            yield

    def publish(self, event: Event, told: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        """See :meth:`bodega_sdk.events.Event.publish_many`."""
        if event.name not in self.assembly.events:
            raise OperatorError(
                f"event {event.name!r} is not declared; return it from register_events"
            )
        database = self.databases.shop
        # What goes wrong breaks the whole transaction anyhow: no savepoint is needed.
        with nullcontext() if database.in_transaction() else self.shop.transaction():
            outbox.append(database, event, told)

    def read_log(
        self, after: int, limit: int, names: tuple[str, ...], until: int | None
    ) -> list[Occurrence]:
        """See :func:`bodega_sdk.log.read_log`."""
        capabilities.require_events(self.grant(), self.assembly.addons, names)
        return list(outbox.read(self.databases.shop, after, limit, names or None, until=until))

    def newest_offset(self) -> int:
        """See :func:`bodega_sdk.log.newest_offset`."""
        return outbox.last_offset(self.databases.shop)

    def event_types(self) -> tuple[Event, ...]:
        """See :func:`bodega_sdk.log.event_types`."""
        return tuple(event for _, event in sorted(self.assembly.events.items()))

    def audit(self, action: str, target: str, details: Mapping[str, Any]) -> None:
        """See :func:`bodega_sdk.auditing.audit`."""
        self.shop.audit_log.note(action, target, details)

    def enqueue(
        self,
        job: Job,
        payload: Mapping[str, Any],
        run_at: datetime | None,
        job_id: UUID | None = None,
    ) -> UUID:
        """See :meth:`bodega_sdk.jobs.Job.enqueue`."""
        if job.name not in self.assembly.jobs:
            raise OperatorError(f"job {job.name!r} is not declared; return it from register_jobs")
        self._require("jobs", job.name)
        row = JobRow(
            name=job.name,
            lane=job.lane,
            payload=orjson.loads(to_json(payload)),
            max_attempts=job.max_attempts,
            run_at=run_at or now(),
            **({"id": job_id} if job_id else {}),
        )
        with self.shop.transaction():
            row.save(force_insert=True)
            if run_at is None:
                self.databases.shop.after_commit(lambda: self.shop.queue.wake(job.lane))
        found: UUID = row.id
        return found

    def send_mail(self, to: str, subject: str, text: str, html: str) -> UUID:
        """See :func:`bodega_sdk.mail.send_mail`."""
        return box.write(self.shop, send_mail, to, subject, box.Body(text, html))

    def job_state(self, job_id: UUID) -> JobState | None:
        """See :func:`bodega_sdk.jobs.job_state`."""
        row = JobRow.get_or_none(JobRow.id == job_id)
        if row is None:
            return None
        return JobState(
            row.id, row.name, row.status, row.attempts, row.done, row.total, row.error,
            row.created_at, row.started_at, row.finished_at,
        )  # fmt: skip

    def cancel_job(self, job_id: UUID) -> bool:
        """See :func:`bodega_sdk.jobs.cancel_job`."""
        row = JobRow.get_or_none(JobRow.id == job_id)
        if row is None:
            return False
        self._require("jobs", row.name)
        try:
            administration.cancel(self.shop, job_id)
        except Conflict:
            return False
        return True

    def work_here(self, job_id: UUID) -> bool:
        """See :func:`bodega_sdk.jobs.work_here`."""
        if any(process.kind == "worker" for process in self.shop.register.living()):
            return False
        row = JobRow.get_or_none(JobRow.id == job_id)
        if row is None:
            return False
        lane: str = row.lane
        runner = Runner(self.shop, f"command {os.getpid()}", threads=1)
        threading.Thread(target=runner.work, args=(lane,), name="work-here", daemon=True).start()
        return True

    def setting(self, name: str) -> Any:
        """See :func:`bodega_sdk.settings.setting`."""
        value = self.assembly.settings[name]
        if name not in self._secrets:
            return value
        self._require("secrets", name)
        if found := self.outside.value(name):
            value = found.value
        elif secrets.is_sealed(value):
            value = secrets.unseal(self.shop.settings.key(), name, value)
        remember(str(value))
        return value

    def count(self, query: Any) -> int:
        """See :class:`bodega.database.collections.Counts`."""
        return self._counts.count(query)

    def touch(self, *tables: str) -> None:
        """See :class:`bodega_sdk.runtime.Runtime`."""
        self.databases.shop.touch(*tables)

    def actor(self) -> str:
        """Return the id of the account that is at work."""
        return caller().subject

    def acting_for(self, subject: str) -> AbstractContextManager[None]:
        """Say for whom is done what is done in the block."""
        return calling(replace(caller(), subject=subject))

    def issue_token(
        self,
        subject: str,
        roles: tuple[str, ...],
        use: str,
        lifetime: timedelta,
        claims: Mapping[str, Any],
    ) -> str:
        """See :func:`bodega_sdk.identity.issue_token`."""
        shop = self.shop
        # The key that signed so far may have been retired.
        shop.revocations.keep_up()
        return tokens.sign(shop.keys, shop.shop_id, subject, roles, use, lifetime, claims)

    def read_token(self, token: str, use: str) -> dict[str, Any]:
        """See :func:`bodega_sdk.identity.read_token`."""
        shop = self.shop
        claims = tokens.read(shop.keys_for(token), shop.shop_id, token, use)
        shop.identifying.refuse_ended(claims)
        return claims

    def identify(self, token: str | None) -> Identity:
        """Return who an access token belongs to; anonymous without one.

        Raises:
            Unauthenticated: the token is no good.
        """
        if token is None:
            return ANONYMOUS
        return self.shop.identifying.identify(self, token)

    def revoke_session(self, session: str, until: datetime, version: int | None) -> None:
        """See :func:`bodega_sdk.identity.revoke_session`."""
        with self.shop.transaction():
            self.shop.revocations.add(session, version, until)

    def permissions_of(self, roles: tuple[str, ...]) -> frozenset[str]:
        """See :func:`bodega_sdk.permissions.permissions_held_by`."""
        return permissions_of(roles, self.assembly.grants, self.assembly.permissions)

    def derive_key(self, purpose: str) -> bytes:
        """See :func:`bodega_sdk.secrets.derive_key`."""
        return secrets.derive(self.shop.settings.key(), f"bodega addon {purpose}")

    def hit_limit(self, limit: RateLimit, key: str) -> None:
        """See :meth:`bodega_sdk.throttling.RateLimit.hit`."""
        self.shop.throttle.hit(limit, key)

    def limit_left(self, limit: RateLimit, key: str) -> int:
        """See :meth:`bodega_sdk.throttling.RateLimit.left`."""
        return self.shop.throttle.left(limit, key)

    def reset_limit(self, limit: RateLimit, key: str) -> None:
        """See :meth:`bodega_sdk.throttling.RateLimit.reset`."""
        self.shop.throttle.reset(limit, key)

    def public_url(self) -> str:
        """See :func:`bodega_sdk.addresses.public_url`."""
        return addresses.public_url(self.shop.settings)

    def hook_caller(self, name: str) -> Callable[[dict[str, Any]], Any] | None:
        """See :class:`bodega_sdk.hooks.Hook`."""
        return self._callers.get(name)

    def extensions(self, resource: str) -> tuple[Extension, ...]:
        """See :func:`bodega_sdk.extensions.extensions_of`."""
        return self.assembly.extensions.get(resource, ())

    def grant(self) -> Grant | None:
        """See :class:`bodega_sdk.runtime.Runtime`."""
        return self._at_work.at_work()

    def package_of(self, addon: str) -> str | None:
        """See :class:`bodega_sdk.runtime.Runtime`."""
        return self._packages.get(addon)

    def _require(self, kind: str, name: str) -> None:
        grant = self.grant()
        if grant is not None:
            grant.require(kind, name)

    def folder(self, name: str) -> Path:
        """See :func:`bodega_sdk.files.folder`."""
        path = self.shop.settings.home / "files" / name
        path.mkdir(parents=True, exist_ok=True)
        return path


class Shop:
    """One process's shop.

    Args:
        settings: of the deployment.
        view: computed for each Assembly before it is served, e.g. the WSGI app.
        connections: to PostgreSQL, at most.
    """

    def __init__(
        self,
        settings: Settings,
        view: Callable[[Session], Any] | None = None,
        connections: int = 20,
    ) -> None:
        self.settings = settings
        self._view = view or (lambda session: None)
        self.databases: Databases = open_databases(settings, connections)
        models.database.initialize(self.databases.shop)
        self.versions = Versions(self.databases.shop)
        self.audit_log = AuditLog(self.databases.shop, settings.home, settings.key)
        self.databases.shop.recorder = self.audit_log
        self.register = Register(self.databases.runtime)
        self.catalogue = Catalogue({}, {})
        self._keys: KeyRing | None = None
        self._keys_read = 0.0
        self._keys_lock = threading.Lock()
        self.identifying = Identifying(self)
        self.revocations = Revocations(
            self.databases.shop, settings.home / "run", self._security_changed
        )
        self._queue: Queue | None = None
        self._shop_id = ""
        self._older: list[Session] = []
        self.breakers = Breakers()
        self.throttle = Throttle(settings, lambda: self.shop_id)
        self.answer_stores = Stores(settings.redis_url, lambda: self.shop_id)
        self.current = Session(self, Assembly(0))

    # What is known only after the first start.

    @property
    def shop_id(self) -> str:
        """The shop's own id."""
        if not self._shop_id:
            self._shop_id = state.shop_id()
        return self._shop_id

    @property
    def queue(self) -> Queue:
        """The wake-ups."""
        if self._queue is None:
            self._queue = Queue(self.settings, self.shop_id)
        return self._queue

    @property
    def keys(self) -> KeyRing:
        """The keys that sign tokens."""
        # Under the lock, so that what was read before a change is not kept after it.
        with self._keys_lock:
            if self._keys is None:
                self._keys = load_keys(self.settings.key())
                self._keys_read = time.monotonic()
            if self._keys is None:
                raise OperatorError("this shop was never started; run 'bodega migrate' first")
            return self._keys

    def keys_for(self, token: str) -> KeyRing:
        """Return the keys, read again if a token names one that is not known yet."""
        self.revocations.keep_up()
        unknown = self.keys.find(tokens.key_id(token)) is None
        # At most once a second: anybody can make up names of keys.
        if unknown and time.monotonic() - self._keys_read > 1:
            self._forget_keys()
        return self.keys

    def _forget_keys(self) -> None:
        with self._keys_lock:
            self._keys = None

    def _security_changed(self) -> None:
        self._forget_keys()
        self.identifying.forget()

    # The Assembly.

    @property
    def assembly(self) -> Assembly:
        """The Assembly that is served now."""
        return self.current.assembly

    def refresh(self) -> Assembly:
        """Read the state, compute the Assembly and serve it; return it."""
        self.catalogue = discover()
        found = state.read_state()
        assembly = state.assemble(self.databases.shop, self.catalogue, found)
        self.breakers.follow(quarantine.recorded(), found.enabled)
        self.adopt(assembly)
        startup.settle()
        return assembly

    def adopt(self, assembly: Assembly) -> None:
        """Serve an Assembly; what is in flight finishes on the one it began with."""
        session = Session(self, assembly)
        session.view = self._view(session)
        self._older = [old for old in (*self._older, self.current) if old.in_flight]
        self.current = session

    @property
    def draining(self) -> int:
        """How many requests and jobs still run on older Assemblies."""
        return sum(old.in_flight for old in self._older)

    def lend(self) -> Session:
        """Return the current session, entered; the caller leaves it."""
        while True:
            session = self.current
            session.enter()
            if session is self.current:
                return session
            session.leave()  # It was replaced in between; the new one is as good.

    @contextmanager
    def lent(self) -> Iterator[Session]:
        """Run the block on the current Assembly."""
        session = self.lend()
        try:
            yield session
        finally:
            session.leave()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """See :func:`bodega_sdk.models.transaction`."""
        with self.databases.shop.atomic():
            yield

    def audit(self, action: str, target: str = "", **details: Any) -> None:
        """Write down an act of the kernel's own; see :func:`bodega_sdk.auditing.audit`."""
        self.audit_log.note(action, target, details)
