"""Shops of the suite's own: a new one for each part, on either engine."""

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bodega.addons import lifecycle
from bodega.editions import Edition
from bodega.http.app import build_app
from bodega.settings import Settings
from bodega.shop import Shop
from bodega_sdk.ids import uuid7
from bodega_sdk.runtime import bound
from bodega_sdk.testing import servers

#: Bytes that shops of the suite may need.
_ROOM = 200_000_000
_KEY = "a key for tests only, not a secret"


@dataclass(frozen=True, slots=True)
class Engine:
    """Where shops are made.

    Args:
        name: ``sqlite`` or ``postgres``.
        server: the address of the PostgreSQL server.
    """

    name: str
    server: str = ""

    @contextmanager
    def shop(self) -> Iterator[Shop]:
        """A shop that was never started, and that is gone afterwards."""
        folder = tempfile.TemporaryDirectory(prefix="bodega-verify-", dir=_memory())
        with folder as home, self._database() as url:
            settings = Settings(
                home=Path(home), database_url=url, secret_key=_KEY,
                admin_password="correct horse battery",  # noqa: S106
            )  # fmt: skip
            shop = Shop(settings, build_app, connections=5)
            try:
                yield shop
            finally:
                _close(shop)

    @contextmanager
    def _database(self) -> Iterator[str]:
        if self.name == "sqlite":
            yield ""
            return
        name = f"verify_{uuid7().hex}"
        try:
            yield servers.create_database(self.server, name)
        finally:
            servers.drop_database(self.server, name)

    @contextmanager
    def started(self, addons: Iterable[str]) -> Iterator[Shop]:
        """A started shop of some addons, bound to the block."""
        with self.shop() as shop:
            lifecycle.prepare(shop, Edition("verify", tuple(addons)))
            shop.refresh()
            with bound(shop.current):
                yield shop


def _memory() -> str | None:
    """Return a folder in memory, where commits wait for no disk; None where there is none."""
    place = "/dev/shm"  # noqa: S108
    try:
        return place if shutil.disk_usage(place).free > _ROOM else None
    except OSError:
        return None


def _close(shop: Shop) -> None:
    shop.databases.close()
    for database in (shop.databases.shop, shop.databases.runtime):
        with suppress(Exception):
            getattr(database, "close_all", lambda: None)()


def follow(shop: Any) -> None:
    """Serve what is written down now."""
    shop.refresh()
