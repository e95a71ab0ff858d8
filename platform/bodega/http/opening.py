"""Opening the shop in a process that serves the API."""

import time
from collections.abc import Callable

import peewee
import structlog

from bodega.follower import Follower
from bodega.http.app import build_app
from bodega.http.gate import Gate
from bodega.settings import Settings
from bodega.shop import Shop
from bodega.telemetry.logging import configure_logging

log = structlog.get_logger(__name__)
#: Seconds that a process waits for a database that is away when it starts.
_PATIENCE = 30.0


def open_gate(settings: Settings, connections: int, renew: Callable[[], object]) -> Gate:
    """Open the shop and follow its switching.

    Args:
        connections: to PostgreSQL, at most.
        renew: called when this process is to be replaced by one that imports newer code.

    Raises:
        peewee.OperationalError: the database has not answered for half a minute.
    """
    configure_logging(settings, "web")
    shop = Shop(settings, build_app, connections=connections)
    _refresh_patiently(shop)
    Follower(shop, "web", renew=renew).start()
    return Gate(shop)


def _refresh_patiently(shop: Shop) -> None:
    """Compute the Assembly; a worker that cannot boot would end the server with all its workers."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            shop.refresh()
        except peewee.OperationalError as error:
            if time.monotonic() > deadline:
                raise
            log.warning("the database does not answer yet", error=str(error))
            shop.databases.close()
            time.sleep(0.5)
        else:
            return
