"""Following the generation: how a process notices that addons were switched."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from bodega import state
from bodega.addons import codes
from bodega.hooks import quarantine
from bodega.processes import Process, this_process

if TYPE_CHECKING:
    from bodega.shop import Shop

log = structlog.get_logger(__name__)
#: Seconds between two looks at the generation.
POLL = 0.35
_BEAT = 2.0
#: Seconds between two looks at the disk by a process whose code is behind.
_LOOK = 5.0


class Follower:
    """A thread that swaps the Assembly when the generation has grown, and says so.

    Args:
        shop: whose Assembly to swap.
        kind: ``web``, ``worker`` or ``realtime``.
        swapped: called after each swap, in this thread.
        renew: asked to replace this process by one that imports the code on disk; again
            every few seconds, until it is done.
    """

    def __init__(
        self,
        shop: "Shop",
        kind: str,
        swapped: Callable[[], None] = lambda: None,
        renew: Callable[[], object] = lambda: None,
    ) -> None:
        self._shop = shop
        self._swapped = swapped
        self._renew = renew
        assembly = shop.assembly
        self._process: Process = this_process(kind, assembly.generation, assembly.code)
        self._beaten = 0.0
        self._looked = 0.0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="follower", daemon=True)

    def start(self) -> None:
        """Begin; the first heartbeat is written before this returns."""
        self._beat()
        self._thread.start()

    def stop(self) -> None:
        """End, and take this process out of the register."""
        self._stopped.set()
        self._thread.join(10)

    def _loop(self) -> None:
        while not self._stopped.wait(POLL):
            try:
                self.step()
            except Exception as error:
                # The database may be away for a while; serve on and look again.
                log.warning("cannot follow the generation", error=str(error))
                self._shop.databases.close()  # A broken connection does not mend itself.
        self._leave()

    def step(self) -> None:
        """Look once; swap and say so when there is something new."""
        quarantine.settle(self._shop)
        self._shop.revocations.look()
        if state.read_generation() > self._shop.assembly.generation:
            assembly = self._shop.refresh()
            self._swapped()
            self._looked = 0.0
            log.info("assembly swapped", generation=assembly.generation,
                     addons=[addon.name for addon in assembly.addons])  # fmt: skip
        seen = replace(
            self._process,
            generation=self._shop.assembly.generation,
            draining=self._shop.draining,
            code=self._shop.assembly.code,
        )
        if seen != self._process or time.monotonic() - self._beaten > _BEAT:
            self._process = seen
            self._beat()
        self._keep_up()

    def _keep_up(self) -> None:
        """Have this process replaced when that brings the code that the shop was upgraded to."""
        behind = self._shop.assembly.behind
        if not behind or time.monotonic() - self._looked < _LOOK:
            return
        self._looked = time.monotonic()
        manifests = self._shop.catalogue.manifests
        if any(codes.on_disk(manifests[name]).fingerprint == wanted
               for name, wanted in behind.items() if name in manifests):  # fmt: skip
            log.info("replacing this process: an addon was upgraded", addons=sorted(behind))
            self._renew()

    def _beat(self) -> None:
        self._shop.register.beat(self._process)
        self._beaten = time.monotonic()

    def _leave(self) -> None:
        try:
            self._shop.register.leave(self._process.id)
        except Exception as error:
            log.debug("could not leave the register", error=str(error))
        self._shop.databases.close()
