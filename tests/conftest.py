"""Fixtures: a shop in this process on each engine, a client with identities, a job runner."""

import gc
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import structlog
from argon2 import PasswordHasher

from bodega.addons import lifecycle
from bodega.addons.discovery import discover
from bodega.addons.loading import migrations_folder
from bodega.database.migrating import KERNEL_MIGRATIONS, migrate, schema_change
from bodega.editions import Edition
from bodega.http.app import build_app
from bodega.http.gate import Gate
from bodega.jobs import leases
from bodega.jobs.sweeper import Sweeper
from bodega.presence import PresenceTable
from bodega.settings import Settings
from bodega.shop import Shop
from bodega_accounts import passwords
from bodega_sdk.ids import uuid7
from bodega_sdk.jobs import LANES
from bodega_sdk.runtime import bound
from bodega_sdk.testing import servers
from bodega_sdk.testing.client import Client
from bodega_sdk.testing.deployment import ADMIN, Deployment, environment
from bodega_sdk.testing.mailbox import Mailbox
from bodega_sdk.testing.shop import settings_for
from bodega_sdk.testing.working import run_due


@pytest.fixture(scope="session")
def postgres_server(bodega_postgres_server: str) -> str:
    """The address of a PostgreSQL server for tests."""
    return bodega_postgres_server


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    """The address of a Redis server for tests."""
    server = servers.redis()
    yield server.url
    server.stop()


@pytest.fixture
def postgres_url(bodega_postgres_url: str) -> str:
    """The address of an empty PostgreSQL database."""
    return bodega_postgres_url


@pytest.fixture(params=["sqlite", "postgres"])
def engine(request: pytest.FixtureRequest) -> str:
    """The engine a test runs on: both, one after the other."""
    name: str = request.param
    return name


@dataclass
class Templates:
    """Shops that were started once, to be copied: starting one takes longer than most tests."""

    folder: Path
    made: dict[tuple[str, tuple[str, ...]], Settings] = field(default_factory=dict)

    def copy(self, engine: str, addons: tuple[str, ...], home: Path, server: str) -> Settings:
        """Return the settings of a copy of the shop that began with some addons.

        With none it was never started, and has the tables of the kernel and of accounts.
        """
        if (engine, addons) not in self.made:
            self.made[engine, addons] = self._make(engine, addons, server)
        template = self.made[engine, addons]
        shutil.copytree(template.home, home)
        if not server:
            return settings_for(home)
        name = template.database_url.rpartition("/")[2]
        return settings_for(home, servers.create_database(server, f"test_{uuid7().hex}", name))

    def _make(self, engine: str, addons: tuple[str, ...], server: str) -> Settings:
        home = self.folder / f"{engine}_{'_'.join(addons)}"
        url = servers.create_database(server, f"template_{uuid7().hex}") if server else ""
        made = settings_for(home, url)
        shop = Shop(made, build_app, connections=2)
        if addons:
            lifecycle.prepare(shop, Edition("test", addons))
        else:
            _lay_ground(shop)
        shop.databases.close()
        if server:
            # A database that somebody is connected to cannot be copied.
            shop.databases.shop.close_all()
        home.mkdir(exist_ok=True)
        return made


def _lay_ground(shop: Shop) -> None:
    """Make the tables that almost every shop begins with; doing so takes long."""
    database, accounts = shop.databases.shop, discover().manifests["accounts"]
    with schema_change(database):
        shop.register.create()
        PresenceTable(shop.databases.runtime).create()
        migrate(database, "bodega", KERNEL_MIGRATIONS)
        migrate(database, "accounts", migrations_folder(accounts))


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """Started shops to copy."""
    return Templates(tmp_path_factory.mktemp("templates"))


#: Fixture of a started shop → the addons that it begins with.
BEGINNINGS = {"empty_shop": ("accounts",), "shop": ("accounts", "products", "imports")}


@pytest.fixture
def copied() -> bool:
    """Whether a started shop is a copy; a module whose shop begins otherwise says no."""
    return True


@pytest.fixture
def settings(
    engine: str, tmp_path: Path, templates: Templates, copied: bool, request: Any
) -> Iterator[Settings]:
    """Settings of a shop that was never started, on the engine of the test.

    Where the test asks for a started one, they are those of a copy. Tables that almost every
    shop begins with are there already, unless the test is marked ``from_nothing``.
    """
    server = request.getfixturevalue("postgres_server") if engine == "postgres" else ""
    home, url = tmp_path / "shop", ""
    started = BEGINNINGS.keys() & {*request.fixturenames} if copied else set()
    if started or not request.node.get_closest_marker("from_nothing"):
        addons = BEGINNINGS[started.pop()] if started else ()
        made = templates.copy(engine, addons, home, server)
    else:
        if server:
            url = servers.create_database(server, f"test_{uuid7().hex}")
        made = settings_for(home, url)
    yield made
    if server:
        servers.drop_database(server, made.database_url.rpartition("/")[2])


@pytest.fixture
def new_shop(settings: Settings) -> Iterator[Shop]:
    """A shop that was never started."""
    shop = Shop(settings, build_app, connections=10)
    yield shop
    shop.databases.close()


def begin(shop: Shop, name: str) -> None:
    """Start a shop that is no copy of a started one, and serve it."""
    if not lifecycle.is_prepared(shop):
        lifecycle.prepare(shop, Edition("test", BEGINNINGS[name]))
    shop.refresh()


@pytest.fixture
def beginning() -> Callable[[Shop, str], None]:
    """What starts a shop, for fixtures elsewhere."""
    return begin


@pytest.fixture
def shop(new_shop: Shop) -> Iterator[Shop]:
    """A started shop with accounts, products and imports, bound to the test."""
    begin(new_shop, "shop")
    with bound(new_shop.current):
        yield new_shop


@pytest.fixture
def client(shop: Shop) -> Client:
    """A client that nobody is logged in with."""
    return Client(Gate(shop), shop)


@pytest.fixture
def admin(client: Client) -> Client:
    """A client that the administrator is logged in with."""
    return client.log_in(*ADMIN)


@dataclass
class Worker:
    """Runs the shop's jobs in the test's thread."""

    shop: Shop

    def run(self, lanes: tuple[str, ...] = LANES) -> int:
        """Run every job that is due; return how many."""
        return run_due(self.shop, lanes)

    def sweep(self) -> None:
        """Do one round of the sweeper."""
        Sweeper(self.shop).sweep()

    def expire_leases(self) -> int:
        """Give back the jobs whose lease ran out."""
        return leases.give_back_expired()


@pytest.fixture
def worker(shop: Shop) -> Worker:
    """A worker without a process."""
    return Worker(shop)


@pytest.fixture
def mailbox(new_shop: Shop) -> Mailbox:
    """The mails that the shop wrote."""
    return Mailbox(new_shop)


#: Modules that are about how passwords are hashed.
ABOUT_HASHING = ("test_passwords", "test_enumeration_timing", "test_logging_in")


@pytest.fixture(autouse=True)
def _quick_logins(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash passwords at little cost: thousands of tests log somebody in."""
    if request.module.__name__.rpartition(".")[2] not in ABOUT_HASHING:
        quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        monkeypatch.setattr(passwords, "_hasher", quick)


#: Of what a failure says, those that are told as it comes.
LINES_OF_FAILURES = 25


class _ToldAtOnce:
    """Tells each failure as it comes, with its end: a run that is stopped has no summary."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        terminal = self._config.pluginmanager.get_plugin("terminalreporter")
        if report.failed and terminal is not None:
            terminal.ensure_newline()
            terminal.write_line(f"FAILED {report.nodeid} ({report.when})")
            for line in report.longreprtext.splitlines()[-LINES_OF_FAILURES:]:
                terminal.write_line(f"  {line[:500]}")


def pytest_configure(config: pytest.Config) -> None:
    """Add what only the process does that tells of the others."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_ToldAtOnce(config))


def pytest_collection_finish() -> None:
    """Look for garbage less often: what was collected stays, and there is a lot of it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


#: Cases of a test on PostgreSQL that are run with the fast tests.
QUICK_CASES = 2
#: What of the addons is tried on PostgreSQL with the fast tests: locks, and SQL by hand.
QUICK_MODULES = {
    "test_bulk", "test_deletion", "test_exports", "test_ledger", "test_merging", "test_moving",
    "test_placing", "test_races", "test_recording", "test_redeeming", "test_replaying",
    "test_reserving", "test_search", "test_session_races", "test_settling", "test_undoing",
}  # fmt: skip
#: What of the kernel hardly meets the engine, and is tried on PostgreSQL with the slow tests.
SLOW_MODULES = {
    "test_audited_acts", "test_breakers", "test_capabilities", "test_cli",
    "test_console_logins", "test_console_of_addons", "test_console_of_the_kernel",
    "test_console_serving", "test_fields", "test_hook_chains", "test_hook_explanations",
    "test_hook_failures", "test_hook_refusals", "test_includes", "test_job_administration",
    "test_operator_settings", "test_recipes_page", "test_secret_sources",
}  # fmt: skip
#: Many cases about what is computed before any table is read: on PostgreSQL the first do.
FEW_MODULES = {"test_broken_in_the_graph", "test_collisions", "test_permission_matrix"}
#: Dozens of steps at which an operator fails: each on one of the two deployments, by turns.
TURNS_MODULES = {"test_failing_operator"}
ADDONS_TESTS = Path(__file__).parent / "addons"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave to the slow tests what the fast ones try on SQLite, and need not on PostgreSQL too."""
    seen: Counter[str] = Counter()
    for item in list(items):
        if getattr(item, "callspec", None) and item.callspec.params.get("engine") == "postgres":
            test = item.nodeid.partition("[")[0]
            seen[test] += 1
            plain = ADDONS_TESTS in item.path.parents and item.path.stem not in QUICK_MODULES
            if plain or item.path.stem in SLOW_MODULES or seen[test] > QUICK_CASES:
                item.add_marker(pytest.mark.slow)
            if item.path.stem in FEW_MODULES and seen[test] > QUICK_CASES:
                items.remove(item)
        if item.path.stem in TURNS_MODULES:
            _take_turns(item, items, seen)


def _take_turns(item: pytest.Item, items: list[pytest.Item], seen: Counter[str]) -> None:
    """Leave the even cases of a test to one deployment, and the odd ones to the other."""
    case = item.nodeid.partition("[")[2]
    deployment = case.partition("-")[0]
    turn = f"{item.nodeid.partition('[')[0]} on {deployment}"
    seen[turn] += 1
    if seen[turn] % 2 == (deployment == "embedded"):
        items.remove(item)


@pytest.fixture(scope="session", autouse=True)
def _plain_log() -> None:
    """Write the log without colours, and tracebacks without values: they take long to draw."""
    plain = structlog.dev.ConsoleRenderer(
        colors=False, exception_formatter=structlog.dev.plain_traceback
    )
    structlog.configure([*structlog.get_config()["processors"][:-1], plain])


@pytest.fixture(autouse=True)
def _no_deployment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the deployment this machine may have out of the tests."""
    for name in list(os.environ):
        if name.startswith("BODEGA_") and not name.startswith("BODEGA_TEST_"):
            monkeypatch.delenv(name)
    for name in ("DATABASE_URL", "REDIS_URL", "PROMETHEUS_MULTIPROC_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(params=["embedded", "distributed"])
def deployment(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Deployment]:
    """Real processes: SQLite with two web workers, or PostgreSQL and Redis with four.

    A module whose processes start often says in ``EDITION`` which addons it is content with.
    """
    environ = environment(tmp_path / "shop")
    if addons := getattr(request.module, "EDITION", None):
        environ["BODEGA_EDITION"] = str(tmp_path / "small.toml")
        (tmp_path / "small.toml").write_text(f"addons = {list(addons)}\n")
    distributed = request.param == "distributed"
    if distributed:
        environ["DATABASE_URL"] = request.getfixturevalue("postgres_url")
        environ["REDIS_URL"] = request.getfixturevalue("redis_server")
    made = Deployment(environ, 4 if distributed else 2, tmp_path)
    yield made
    made.stop()
