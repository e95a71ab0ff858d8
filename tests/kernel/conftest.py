"""Fixtures: packages installed without pip, a shop with sample addons, threads of the shop."""

import importlib
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from bodega.addons import lifecycle
from bodega.addons.discovery import Catalogue, discover
from bodega.database.tables import AddonRow
from bodega.editions import Edition
from bodega.http.app import build_app
from bodega.http.gate import Gate
from bodega.settings import Settings
from bodega.shop import Shop
from bodega_sdk.runtime import bound
from bodega_sdk.testing.client import Client
from bodega_sdk.testing.shop import settings_for
from bodega_sdk.testing.working import run_due

# How long one example takes says nothing on a machine that others use too.
hypothesis.settings.register_profile("bodega", deadline=None)
hypothesis.settings.load_profile("bodega")
SAMPLES = Path(__file__).parent.parent / "sample_addons"
THINGS = Path(__file__).parent.parent / "data"
HOUSE = {
    "accounts", "products", "imports", "inventory", "media", "notifications", "reviews",
    "webhooks", "wishlists", "orders", "coupons", "payments", "pulses", "analytics",
}  # fmt: skip
_MANIFEST = """
from bodega_sdk import Manifest, Setting, manifest_hook


@manifest_hook
def addon_manifest():
    return Manifest(**({{"name": {name!r}, "version": "1.0.0", "package": {package!r},
                        "summary": "Made by a test"}} | dict({fields})))
"""


@dataclass
class Site:
    """A folder on ``sys.path`` that packages are installed into, as pip would."""

    folder: Path
    #: Where the made-up addons things and extras lie.
    things: Path = THINGS

    @property
    def gallery(self) -> list[str]:
        """The names of all sample addons, healthy and broken."""
        return sorted(path.name for path in SAMPLES.iterdir() if path.is_dir())

    def install(self, *names: str, gallery: Path = SAMPLES) -> None:
        """Install addons of the gallery."""
        for name in names:
            target = self.package(name)
            shutil.copytree(gallery / name / target.name, target)
            (target / "__init__.py").touch()
            for path in target.rglob("*.broken"):
                path.rename(path.with_suffix(""))
            self._describe(name, f"{target.name}.manifest")

    def write(self, addon: str, plugin: str = "", *, fields: str = "", **files: str) -> Path:
        """Install an addon that a test makes up; ``fields`` are of its manifest, as keywords."""
        target = self.package(addon)
        target.mkdir(exist_ok=True)
        (target / "__init__.py").write_text(files.pop("init", ""))
        manifest = _MANIFEST.format(name=addon, package=target.name, fields=fields)
        (target / "manifest.py").write_text(files.pop("manifest", manifest))
        (target / "plugin.py").write_text(plugin)
        for name, text in files.items():
            (target / "migrations").mkdir(exist_ok=True)
            (target / "migrations" / f"{name.removeprefix('m')}.py").write_text(text)
        self._describe(addon, f"{target.name}.manifest")
        return target

    def uninstall(self, name: str) -> None:
        """Remove an addon's package and what describes it."""
        shutil.rmtree(self.package(name))
        shutil.rmtree(self._metadata(name))
        self.forget()

    def package(self, name: str) -> Path:
        """The folder of an addon's package."""
        return self.folder / f"bodega_sample_{name}"

    def _metadata(self, name: str) -> Path:
        return self.folder / f"bodega_sample_{name}-1.0.dist-info"

    def _describe(self, name: str, module: str) -> None:
        metadata = self._metadata(name)
        metadata.mkdir(exist_ok=True)
        (metadata / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: bodega-sample-{name.replace('_', '-')}\nVersion: 1.0\n"
        )
        (metadata / "entry_points.txt").write_text(f"[bodega.addons]\n{name} = {module}\n")
        self.forget()

    def catalogue(self) -> Catalogue:
        """Discover for real, and leave the addons of the house out."""
        found = discover()
        manifests = {name: item for name, item in found.manifests.items() if name not in HOUSE}
        return Catalogue(manifests, found.faults)

    def write_down_as_enabled(self, *names: str) -> None:
        """Write addons down as enabled, as if they had been when they were still sound."""
        for name in names:
            AddonRow.create(name=name, version="1.0.0", enabled=True)

    def module(self, addon: str, name: str) -> Any:
        """Import a module of an addon."""
        return importlib.import_module(f"bodega_sample_{addon}.{name}")

    def forget(self) -> None:
        """Forget what was imported from here, as a new process would know nothing of it."""
        for name in [name for name in sys.modules if name.startswith("bodega_sample_")]:
            del sys.modules[name]
        importlib.invalidate_caches()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """An empty folder on ``sys.path``; tests install packages into it."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    # Tests rewrite modules within one second, which is all that a .pyc remembers of a time.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    found = Site(folder)
    yield found
    found.forget()


@dataclass
class Threads:
    """Runs functions in threads that have connections of their own, bound to the shop."""

    shop: Shop

    def start(self, function: Callable[[], Any]) -> "Running":
        """Start one."""
        return Running(self.shop, function)

    def run(self, *functions: Callable[[], Any]) -> list[Any]:
        """Run several at once; return their results in the order of the functions."""
        running = [self.start(function) for function in functions]
        return [item.result() for item in running]


class Running:
    """A function that runs in a thread."""

    def __init__(self, shop: Shop, function: Callable[[], Any]) -> None:
        self._shop, self._function = shop, function
        self._outcome: Any = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            with bound(self._shop.current):
                self._outcome = self._function()
        except BaseException as error:
            self._error = error
        finally:
            self._shop.databases.close()

    def result(self, timeout: float = 20) -> Any:
        """Wait for its end; return what it returned or raise what it raised."""
        self._thread.join(timeout)
        assert not self._thread.is_alive(), "the thread does not end"
        if self._error is not None:
            raise self._error
        return self._outcome


@pytest.fixture
def threads(new_shop: Shop) -> Threads:
    """Threads of the shop."""
    return Threads(new_shop)


@pytest.fixture
def notes_shop(new_shop: Shop, site: Site) -> Iterator[Shop]:
    """A started shop of accounts and the sample addon notes, bound to the test."""
    site.install("notes")
    lifecycle.prepare(new_shop, Edition("test", ("accounts", "notes")))
    new_shop.refresh()
    with bound(new_shop.current):
        yield new_shop


@pytest.fixture
def things_shop(new_shop: Shop, site: Site) -> Iterator[Shop]:
    """A started shop of the made-up addons things and extras, bound to the test."""
    site.install("things", "extras", gallery=THINGS)
    lifecycle.prepare(new_shop, Edition("test", ("accounts", "things", "extras")))
    new_shop.refresh()
    assert not new_shop.assembly.faults
    with bound(new_shop.current):
        yield new_shop


@pytest.fixture
def things(things_shop: Shop) -> Client:
    """The API of that shop, as staff."""
    return Client(Gate(things_shop), things_shop).as_user("staff")


@pytest.fixture
def empty_shop(new_shop: Shop, site: Site, beginning: Any) -> Iterator[Shop]:
    """A started shop of accounts only; sample addons can be installed and enabled."""
    beginning(new_shop, "empty_shop")
    with bound(new_shop.current):
        yield new_shop


@pytest.fixture
def rebind(new_shop: Shop) -> Iterator[Callable[[], None]]:
    """Read the state again and bind the test to the Assembly that it makes."""
    with ExitStack() as stack:

        def follow() -> None:
            new_shop.refresh()
            stack.enter_context(bound(new_shop.current))

        yield follow


@pytest.fixture
def worker_of() -> Callable[[Shop], int]:
    """Run every job of a shop that is due; return how many."""
    return run_due


@pytest.fixture
def undone() -> Callable[[AbstractContextManager[None]], AbstractContextManager[None]]:
    """Run a block in a transaction that is then rolled back: ``with undone(transaction()):``."""

    @contextmanager
    def undo(transaction: AbstractContextManager[None]) -> Iterator[None]:
        with suppress(_Undone), transaction:
            yield
            raise _Undone

    return undo


class _Undone(Exception):
    """Rolls a transaction back."""


@dataclass
class Terminal:
    """Runs ``bodega`` in processes of their own, on the shop of the test."""

    environ: dict[str, str]

    def run(self, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        command = [sys.executable, "-m", "bodega", *arguments]
        return subprocess.run(
            command, env=self.environ, input=given, capture_output=True, text=True, timeout=60
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command that goes on; the caller ends it."""
        command = [sys.executable, "-m", "bodega", *arguments]
        return subprocess.Popen(command, env=self.environ, stdout=subprocess.DEVNULL, text=True)


@pytest.fixture
def terminal(settings: Settings, site: Site) -> Terminal:
    """A terminal whose environment names the shop of the test; it imports what the test does."""
    told = {
        "BODEGA_HOME": str(settings.home),
        "DATABASE_URL": settings.database_url,
        "BODEGA_SECRET_KEY": settings.secret_key,
        "BODEGA_ADMIN_EMAIL": settings.admin_email,
        "BODEGA_ADMIN_PASSWORD": settings.admin_password,
        "BODEGA_JOB_LEASE": str(settings.job_lease),
        "BODEGA_LOG_LEVEL": "warning",
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return Terminal({**os.environ, **told})


@pytest.fixture(scope="session")
def products_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a started shop of products, on SQLite, to copy."""
    home = tmp_path_factory.mktemp("products") / "shop"
    shop = Shop(settings_for(home), build_app, connections=2)
    lifecycle.prepare(shop, Edition("test", ("products",)))
    shop.databases.close()
    return home


@pytest.fixture
def served(products_home: Path, tmp_path: Path) -> Iterator[Callable[..., Client]]:
    """Serve a shop of products with settings changed: ``served(rate_limit=Quota(3, 60))``."""
    with ExitStack() as stack:
        shutil.copytree(products_home, tmp_path / "shop")

        def serve(**changes: Any) -> Client:
            shop = Shop(replace(settings_for(tmp_path / "shop"), **changes), build_app)
            stack.callback(shop.databases.close)
            shop.refresh()
            stack.enter_context(bound(shop.current))
            return Client(Gate(shop), shop)

        yield serve
