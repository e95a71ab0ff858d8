"""Running services: a thread for each in every worker, begun anew whenever the shop changes.

A run belongs to the Assembly it began with and counts as work in flight on it until it has
returned. So disabling an addon drains its services as it drains its requests and jobs.
"""

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from bodega.security.callers import calling, of_service
from bodega.telemetry.metrics import SERVICE_FAILURES
from bodega_sdk.runtime import bound
from bodega_sdk.services import Service

if TYPE_CHECKING:
    from bodega.shop import Session, Shop

log = structlog.get_logger(__name__)
#: Seconds that a service which raised waits at most before it is begun anew.
LONGEST_WAIT = 60.0
#: Seconds after which one that was told to stop and has not is complained about.
PATIENCE = 5.0
_LOOK = 0.5


class Run:
    """One run of a service; see :class:`bodega_sdk.services.ServiceRun`."""

    def __init__(self) -> None:
        self._stopping = threading.Event()

    @property
    def stopping(self) -> bool:
        """Whether it must return."""
        return self._stopping.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait until it must return, or for some seconds; True when it must."""
        return self._stopping.wait(seconds)

    def stop(self) -> None:
        """Tell it to return."""
        self._stopping.set()


@dataclass
class Slot:
    """A service of this process: its run, if it has one, and how it went so far."""

    name: str
    run: Run | None = None
    session: "Session | None" = None
    thread: threading.Thread | None = None
    began: float = 0.0
    told: float = 0.0
    failures: int = 0
    not_before: float = 0.0
    done: bool = False  # It returned by itself.


class Services:
    """Runs the services of the enabled addons in this process.

    Args:
        shop: whose.
        first_wait: seconds before one that raised is begun anew the first time.
    """

    def __init__(self, shop: "Shop", first_wait: float = 1.0) -> None:
        self._shop = shop
        self._first_wait = first_wait
        self._slots: dict[str, Slot] = {}
        self._lock = threading.Lock()
        self._stopping = False
        self._news = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="services", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def tell(self) -> None:
        """Tell all to stop, and begin none any more; :meth:`stop` waits for them."""
        self._stopping = True
        self.follow()

    def stop(self, timeout: float = 10) -> None:
        """Stop all of them; one that does not return in time ends with the process."""
        self.tell()
        deadline = time.monotonic() + timeout
        self._thread.join(timeout)
        self.follow()  # One may have begun in between.
        for slot in self._all():
            if slot.thread is not None:
                slot.thread.join(max(0.0, deadline - time.monotonic()))
            if slot.run is not None:
                log.error("a service does not stop", service=slot.name)

    def follow(self) -> None:
        """Stop what belongs to another Assembly than the current one; what is new begins soon."""
        for slot in self._all():
            self._tell_if_outdated(slot)
        self._news.set()

    @property
    def running(self) -> list[str]:
        """The names of the services that have not returned."""
        return sorted(slot.name for slot in self._all() if slot.run is not None)

    def _all(self) -> list[Slot]:
        with self._lock:
            return list(self._slots.values())

    def _tell_if_outdated(self, slot: Slot) -> None:
        run = slot.run
        if run is None or not (self._stopping or slot.session is not self._shop.current):
            return
        if not run.stopping:
            run.stop()
            slot.told = time.monotonic()
        elif slot.told and time.monotonic() - slot.told > PATIENCE:
            log.warning("a service was told to stop and has not returned", service=slot.name)
            slot.told = time.monotonic()

    def _loop(self) -> None:
        while not self._stopping:
            try:
                self._begin_due()
            except Exception as error:
                log.warning("services cannot be begun, trying again", error=str(error))
            self._news.wait(_LOOK)
            self._news.clear()
            for slot in self._all():
                self._tell_if_outdated(slot)

    def _begin_due(self) -> None:
        """Begin the services of the current Assembly that do not run and need not wait."""
        with self._shop.lent() as session:
            for name, service in session.assembly.services.items():
                with self._lock:
                    slot = self._slots.setdefault(name, Slot(name))
                if slot.run is None and self._is_due(slot, session):
                    self._begin(slot, service)
            self._forget(session)

    def _is_due(self, slot: Slot, session: "Session") -> bool:
        if slot.done and slot.session is session:
            return False
        return slot.session is not session or time.monotonic() >= slot.not_before

    def _forget(self, session: "Session") -> None:
        with self._lock:
            for name in self._slots.keys() - session.assembly.services.keys():
                if self._slots[name].run is None:
                    del self._slots[name]

    def _begin(self, slot: Slot, service: Service) -> None:
        # Lent until it returns: that is what disabling its addon waits for.
        session = self._shop.lend()
        if session.assembly.services.get(slot.name) is not service or self._stopping:
            session.leave()
            return
        slot.run, slot.session, slot.done = Run(), session, False
        slot.began, slot.told = time.monotonic(), 0.0
        slot.thread = threading.Thread(
            target=self._run, args=(slot, slot.run, service, session),
            name=f"service-{slot.name}", daemon=True,
        )  # fmt: skip
        slot.thread.start()

    def _run(self, slot: Slot, run: Run, service: Service, session: "Session") -> None:
        try:
            with structlog.contextvars.bound_contextvars(service=slot.name), bound(session):
                log.info("service begins")
                with calling(of_service(slot.name)):
                    service.run(run)
                self._returned(slot, run)
        # A service may raise anything, SystemExit included; the worker goes on.
        except BaseException as error:
            self._raised(slot, error)
        finally:
            session.leave()
            slot.run = None
            self._news.set()
            self._shop.databases.close()

    def _returned(self, slot: Slot, run: Run) -> None:
        slot.failures, slot.done = 0, not run.stopping
        log.info("service ended" if run.stopping else "service is done until the shop changes")

    def _raised(self, slot: Slot, error: BaseException) -> None:
        SERVICE_FAILURES.labels(slot.name).inc()
        # Who ran well for a while begins at once, as if it had never failed.
        lived = time.monotonic() - slot.began
        slot.failures = 1 if lived > LONGEST_WAIT else slot.failures + 1
        wait = min(LONGEST_WAIT, self._first_wait * 2 ** min(slot.failures - 1, 10))
        slot.not_before = time.monotonic() + wait
        log.error("a service failed and is begun anew", service=slot.name,
                  after_seconds=wait, exc_info=error)  # fmt: skip
