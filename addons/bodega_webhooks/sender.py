"""The sender: a service in each worker that makes the deliveries that are due.

One loop sends; one thread beside it talks to the database, a few times a second, for all
webhooks at once: what was sent is written down, leases are renewed, what is due is read.
"""

import asyncio
import contextvars
import os
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID

import peewee
import structlog
from playhouse.pool import MaxConnectionsExceeded

from bodega_sdk import ServiceRun, database, now, setting, uuid7
from bodega_webhooks import claiming, metrics
from bodega_webhooks.lanes import Lane
from bodega_webhooks.models import Webhook
from bodega_webhooks.parcels import Parcel, Result
from bodega_webhooks.recording import Health, give_up, record
from bodega_webhooks.targets import Target, allowed_hosts, targets_of

log = structlog.get_logger(__name__)
T = TypeVar("T")

#: Seconds between two looks at the database: with nothing to do, and at least.
IDLE, BUSY = 0.2, 0.02
_FRESH = 0.5
_SEARCHED = 0.2
_KEPT_IDLE = 3.0
#: Seconds that what is under way is given at the end.
_FAREWELL = 1.0
_AWAY = (peewee.OperationalError, peewee.InterfaceError, MaxConnectionsExceeded)


@dataclass
class Exchange:
    """What is told to the database in one round, and what it tells.

    Args:
        results, healths: to be written down.
        wants: webhook → what to read of it.
        renew, look, search: whether leases are renewed, webhooks read anew, and others looked
            for that have something due.
    """

    results: list[Result]
    healths: list[Health]
    wants: dict[str, claiming.Wanted]
    lanes: tuple[str, ...]
    renew: bool
    look: bool
    search: bool
    rests: dict[str, float] = field(default_factory=dict)
    held: set[str] | None = None
    taken: list[claiming.Held] = field(default_factory=list)
    targets: dict[str, Target] = field(default_factory=dict)
    due: dict[str, list[tuple[Parcel, str]]] = field(default_factory=dict)


def serve(service: ServiceRun) -> None:
    """Send what is due until the service must return."""
    asyncio.run(Sender().run(lambda: service.stopping))


def send_due() -> None:
    """Send what is due now, and return when that is done; for tests and commands."""
    asyncio.run(Sender().run(lambda: False, once=True))


class Sender:
    """Sends deliveries from one process."""

    def __init__(self) -> None:
        self.name = f"{socket.gethostname()[:60]} {os.getpid()} {uuid7().hex[-8:]}"
        self._lanes: dict[str, Lane] = {}
        self._closing: dict[str, Lane] = {}
        self._results: list[Result] = []
        self._bodies: dict[str, bytes] = {}
        self._renewed = self._looked = self._searched = 0.0
        self._lease_until = 0.0
        self._kept_idle = _KEPT_IDLE

    async def run(self, stopping: Callable[[], bool], *, once: bool = False) -> None:
        """Send until told to stop, or once all is sent that is due."""
        self._kept_idle = 0.0 if once else _KEPT_IDLE
        self._news = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, "webhooks-database")
        # aiohttp takes long to import, and only who sends needs it.
        from bodega_webhooks.sending import Courier

        self._courier = Courier(setting("webhooks.connections"), allowed_hosts())
        try:
            while not stopping():
                moved = await self._guarded_round()
                if once and not moved and not self._lanes and not self._closing:
                    return
                await self._rest(moved, once)
        finally:
            await self._end()

    async def _rest(self, moved: bool, once: bool) -> None:
        if once and not any(lane.active for lane in self._all()):
            return
        await asyncio.sleep(BUSY)
        if not moved and not self._results:
            try:
                async with asyncio.timeout(IDLE):
                    await self._news.wait()
            except TimeoutError:
                return

    def _all(self) -> list[Lane]:
        return [*self._lanes.values(), *self._closing.values()]

    async def _in_thread(self, work: Callable[..., T], *arguments: object) -> T:
        context = contextvars.copy_context()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, lambda: context.run(work, *arguments))

    def _tell(self, result: Result) -> None:
        self._results.append(result)
        self._news.set()

    # A round.

    async def _guarded_round(self) -> bool:
        try:
            return await self._round()
        except _AWAY as error:
            # What was sent stays in memory, and is written down once the database is back.
            log.warning("webhooks: the database did not answer, trying again", error=str(error))
            await self._in_thread(_disconnect)
            await asyncio.sleep(1)
            if time.monotonic() > self._lease_until:
                self._lose(set())
            return True

    async def _round(self) -> bool:
        self._news.clear()
        results = self._results
        self._results = []
        told = self._exchange(results)
        try:
            await self._in_thread(self._talk, told)
        except BaseException:
            self._results = results + self._results
            raise
        self._apply(told)
        taken = self._hand_out(told, await self._with_bodies(told))
        return bool(results or taken or told.taken)

    def _exchange(self, results: list[Result]) -> Exchange:
        at, held = time.monotonic(), claiming.LEASE.total_seconds()
        renew = bool(self._lanes) and at - self._renewed > claiming.RENEWED_EVERY
        look = at - self._looked > _FRESH
        if renew:
            self._renewed, self._lease_until = at, at + held
        if look:
            self._looked = at
        # With plenty to send, others can wait for a moment: looking for them is not for nothing.
        search = at - self._searched > (_SEARCHED if results else 0)
        if search:
            self._searched = at
        wants = {key: order for key, lane in self._lanes.items() if (order := lane.order())}
        healths = [health for lane in self._all() if (health := lane.health())]
        lanes = tuple(self._lanes)
        return Exchange(results, healths, wants, lanes, renew, look, search, self._rests())

    def _rests(self) -> dict[str, float]:
        """Let go of lanes that have ended, or had nothing to do for a while."""
        at, gone = time.monotonic(), {}
        for key, lane in list(self._lanes.items()):
            idle = lane.empty and not lane.fed_last
            lane.idle_since = (lane.idle_since or at) if idle else None
            if lane.closed or (idle and at - (lane.idle_since or at) >= self._kept_idle):
                lane.close()
                self._closing[key] = self._lanes.pop(key)
        for key, lane in list(self._closing.items()):
            if lane.empty:
                del self._closing[key]
                gone[key] = 1.0 if lane.target.rate else 0.0
        return gone

    def _talk(self, told: Exchange) -> None:
        """Do all that the database is for, in its thread."""
        if told.results or told.healths:
            record(told.results, told.healths)
            metrics.count(told.results)
        claiming.release(self.name, told.rests)
        if told.renew:
            told.held = claiming.renew(self.name)
        mine = (*told.lanes, *self._closing)
        if told.search and claiming.anything_due(mine):
            told.taken = claiming.take(self.name, mine)
        fresh = [item.webhook for item in told.taken]
        if told.look or fresh:
            told.targets = self._targets({*(told.lanes if told.look else ()), *fresh})
        for key, wanted in told.wants.items():
            told.due[key] = claiming.due(key, wanted)

    def _targets(self, keys: set[str]) -> dict[str, Target]:
        """Return the targets of enabled webhooks; those that have not changed as they are."""
        known = {key: lane.target for key, lane in self._lanes.items() if key in keys}
        ids = [UUID(key) for key in keys]
        rows = list(Webhook.select().where(Webhook.id.in_(ids), Webhook.enabled))
        changed = [row for row in rows if not _is_fresh(known.get(row.id.hex), row)]
        kept = {row.id.hex: known[row.id.hex] for row in rows if row not in changed}
        return kept | {target.id: target for target in targets_of(changed)}

    def _apply(self, told: Exchange) -> None:
        for result in told.results:
            lane = self._lanes.get(result.parcel.webhook) or self._closing.get(
                result.parcel.webhook
            )
            if lane is not None:
                lane.recorded(result)
        if told.held is not None:
            self._lose(told.held)
        for held in told.taken:
            if held.webhook in told.targets:
                target = told.targets[held.webhook]
                self._lanes[held.webhook] = Lane(target, held, self._courier.send, self._tell)
                self._lease_until = time.monotonic() + claiming.LEASE.total_seconds()
        if told.look:
            self._follow(told)

    def _follow(self, told: Exchange) -> None:
        """Have lanes do as their webhooks say now; close those that are disabled."""
        for key in told.lanes:
            lane, target = self._lanes.get(key), told.targets.get(key)
            if lane is None:
                continue
            if target is None or target.ordered != lane.target.ordered:
                lane.close()
            else:
                lane.target = target

    def _lose(self, held: set[str]) -> None:
        """Close lanes whose webhooks are no longer held."""
        for key, lane in self._lanes.items():
            if key not in held:
                lane.close()

    # Handing out.

    async def _with_bodies(self, told: Exchange) -> dict[str, list[tuple[Parcel, str]]]:
        fresh = {key: self._lanes[key].new(due) for key, due in told.due.items()
                 if key in self._lanes}  # fmt: skip
        wanted = {payload for due in fresh.values() for _, payload in due}
        missing = wanted - self._bodies.keys()
        if len(self._bodies) > 5000:
            self._bodies = {key: self._bodies[key] for key in wanted & self._bodies.keys()}
        if missing:
            self._bodies |= await self._in_thread(claiming.bodies, missing)
        lost = [parcel for due in fresh.values() for parcel, payload in due
                if payload not in self._bodies]  # fmt: skip
        if lost:
            await self._in_thread(give_up, lost, "its payload is no longer kept")
        return fresh

    def _hand_out(self, told: Exchange, fresh: dict[str, list[tuple[Parcel, str]]]) -> int:
        taken = 0
        for key, due in fresh.items():
            parcels = []
            for parcel, payload in due:
                if payload in self._bodies:
                    parcel.body = self._bodies[payload]
                    parcels.append(parcel)
            taken += self._lanes[key].put(parcels) if key in self._lanes else 0
        return taken

    # The end.

    async def _end(self) -> None:
        for lane in self._all():
            lane.close()
        tasks = [task for lane in self._all() for task in lane.tasks]
        if tasks:
            await asyncio.wait(tasks, timeout=_FAREWELL)
        for lane in self._all():
            lane.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._courier.close()
        try:
            await self._in_thread(self._farewell)
        except _AWAY as error:
            log.warning("webhooks: what was sent last is sent again", error=str(error))
        finally:
            await self._in_thread(_disconnect)
            self._thread.shutdown()

    def _farewell(self) -> None:
        """Write down what was sent last, and let go of everything."""
        lanes = self._all()
        record(self._results, [health for lane in lanes if (health := lane.health())])
        rests = {lane.target.id: 1.0 if lane.target.rate else 0.0 for lane in lanes}
        claiming.release(self.name, rests)


def _is_fresh(target: Target | None, row: Webhook) -> bool:
    if target is None or target.changed_at != row.updated_at:
        return False
    return target.fresh_until is None or target.fresh_until > now()


def _disconnect() -> None:
    # A broken connection does not mend itself.
    if not database.obj.is_closed():
        database.obj.close()
