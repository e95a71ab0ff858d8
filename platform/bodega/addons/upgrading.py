"""Finishing upgrades: contracting what waited until every process ran the new code."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog

from bodega.addons import codes, lifecycle
from bodega.addons.following import ready
from bodega.addons.plans import Step
from bodega.database.migrating import applied
from bodega.errors import AddonError, Busy

if TYPE_CHECKING:
    from bodega.shop import Shop

log = structlog.get_logger(__name__)


def finish(
    shop: "Shop", name: str, timeout: float, sleep: Callable[[float], None] = time.sleep
) -> lifecycle.Change | None:
    """Contract what an upgrade left waiting, once every process runs the new code.

    Returns:
        What was done; None when a worker was quicker.

    Raises:
        Busy: another operator was at work all the time.
    """
    deadline = time.monotonic() + timeout
    while True:
        try:
            return lifecycle.apply(shop, "upgrade", name)
        except Busy:
            if time.monotonic() > deadline:
                raise
        except AddonError:
            if waits(shop, name):
                raise
            return None
        sleep(0.1)


def waits(shop: "Shop", name: str) -> bool:
    """Whether migrations of an addon wait."""
    manifest = shop.catalogue.manifests.get(name)
    if manifest is None:
        return False
    done = applied(shop.databases.shop, name)
    return any(item not in done for item in codes.current(manifest).migrations)


class Finisher:
    """Contracts what waits; every worker has one, so that no upgrade needs its operator to live."""

    def __init__(self, shop: "Shop") -> None:
        self._shop = shop
        self._refused = -1

    def step(self) -> None:
        """Contract one addon that every process runs the new code of, if there is any."""
        assembly = self._shop.assembly
        if not assembly.waiting or assembly.behind or self._refused == assembly.generation:
            return
        living = self._shop.register.living()
        for name in assembly.waiting:
            code = codes.current(self._shop.catalogue.manifests[name]).fingerprint
            if ready(living, Step("contract", name), code):
                self._contract(name)
                return

    def _contract(self, name: str) -> None:
        try:
            change = lifecycle.apply(self._shop, "upgrade", name)
        except Busy:
            return
        except AddonError as error:
            # It is not tried again before something has changed.
            self._refused = self._shop.assembly.generation
            log.error("an upgrade cannot be finished", addon=name, reason=str(error))
        else:
            log.info("upgrade finished", addon=name, generation=change.generation)
