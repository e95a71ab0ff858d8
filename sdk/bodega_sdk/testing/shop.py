"""A shop in the test's own process, put together from real parts."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from bodega.addons import lifecycle
from bodega.addons.discovery import discover
from bodega.addons.graph import closure
from bodega.addons.listing import listing
from bodega.assembly import Assembly
from bodega.database.structure import tables_of
from bodega.editions import Edition
from bodega.http.app import build_app
from bodega.http.gate import Gate
from bodega.operator_settings import change
from bodega.settings import Settings
from bodega.shop import Shop
from bodega_sdk.runtime import bound
from bodega_sdk.testing.client import Client
from bodega_sdk.testing.deployment import ADMIN
from bodega_sdk.testing.working import Jobs

_KEY = "a key for tests only, not a secret"


def settings_for(home: Path, database_url: str = "") -> Settings:
    """Return the settings of a shop for tests.

    Args:
        database_url: empty for SQLite.
    """
    return Settings(
        home=home,
        database_url=database_url,
        secret_key=_KEY,
        admin_email=ADMIN[0],
        admin_password=ADMIN[1],
        job_lease=2.0,
        rate_limit=None,
        rate_limit_anonymous=None,
    )


class _Shop(Shop):
    """A shop in which each permission is a role too, so that a test can give just that one."""

    def adopt(self, assembly: Assembly) -> None:
        own = {name: frozenset({name}) for name in assembly.permissions}
        super().adopt(replace(assembly, grants={**own, **assembly.grants}))


class BodegaShop:
    """A shop as a test sees it; the test is bound to it, as a request would be.

    Args:
        kernel: the kernel's own shop. What an addon can do without, it should.
    """

    def __init__(self, kernel: Shop, stack: ExitStack) -> None:
        self.kernel = kernel
        self._stack = stack
        self.jobs = Jobs(kernel)

    @property
    def client(self) -> Client:
        """A client that nobody is logged in with."""
        return Client(Gate(self.kernel), self.kernel)

    @property
    def addons(self) -> dict[str, str]:
        """Every addon on this machine, and its state, e.g. ``"enabled"``."""
        return {item.name: item.state for item in listing(self.kernel)}

    @property
    def tables(self) -> frozenset[str]:
        """The names of all tables."""
        return frozenset(tables_of(self.kernel.databases.shop))

    def install(self, addon: str) -> None:
        """Do what ``bodega addons install`` does."""
        self._apply("install", addon)

    def enable(self, addon: str) -> None:
        """Do what ``bodega addons enable`` does."""
        self._apply("enable", addon)

    def disable(self, addon: str) -> None:
        """Do what ``bodega addons disable`` does."""
        self._apply("disable", addon)

    def uninstall(self, addon: str) -> None:
        """Do what ``bodega addons uninstall`` does."""
        self._apply("uninstall", addon)

    def purge(self, addon: str) -> None:
        """Do what ``bodega addons purge`` does."""
        self._apply("purge", addon)

    def set(self, setting: str, value: Any) -> None:
        """Give a setting a value, e.g. ``shop.set("loyalty.points", 3)``.

        Raises:
            NotFound: there is no such setting.
            InvalidInput: the value is not allowed.
        """
        change(self.kernel, setting, value)
        self.follow()

    def follow(self) -> None:
        """Serve what is written down now, and bind the test to it."""
        self.kernel.refresh()
        self._stack.enter_context(bound(self.kernel.current))
        self.jobs.begin_to_listen()

    def _apply(self, verb: str, addon: str) -> None:
        lifecycle.apply(self.kernel, verb, addon)
        self.follow()


@contextmanager
def opened(home: Path, database_url: str, addons: Iterable[str]) -> Iterator[BodegaShop]:
    """Start a shop of some addons and of what they depend on, and bind the block to it.

    Args:
        home: the folder of everything it keeps.
        database_url: empty for SQLite.

    Raises:
        AssertionError: an addon cannot be used; with the culprit, the reason, the remedy.
    """
    kernel = _Shop(settings_for(home, database_url), build_app, connections=10)
    with ExitStack() as stack:
        stack.callback(kernel.databases.close)
        names = closure(addons, discover().manifests)
        lifecycle.prepare(kernel, Edition("test", tuple(sorted(names))))
        shop = BodegaShop(kernel, stack)
        shop.follow()
        faults = kernel.assembly.faults
        if faults:
            raise AssertionError("\n".join(str(faults[name]) for name in sorted(faults)))
        yield shop
