"""Fixtures: a shop in this process on each engine, a client with identities, a job runner."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bodega.addons import lifecycle
from bodega.editions import Edition
from bodega.http.app import build_app
from bodega.http.gate import Gate
from bodega.jobs import leases
from bodega.jobs.sweeper import Sweeper
from bodega.settings import Settings
from bodega.shop import Shop
from bodega_sdk.jobs import LANES
from bodega_sdk.runtime import bound
from bodega_sdk.testing import servers
from bodega_sdk.testing.client import Client
from bodega_sdk.testing.deployment import ADMIN, Deployment, environment
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


@pytest.fixture
def settings(engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> Settings:
    """Settings of a shop that was never started, on the engine of the test."""
    url = request.getfixturevalue("postgres_url") if engine == "postgres" else ""
    return settings_for(tmp_path / "shop", url)


@pytest.fixture
def new_shop(settings: Settings) -> Iterator[Shop]:
    """A shop that was never started."""
    shop = Shop(settings, build_app, connections=10)
    yield shop
    shop.databases.close()


@pytest.fixture
def shop(new_shop: Shop) -> Iterator[Shop]:
    """A started shop of the storefront edition, bound to the test."""
    edition = Edition("test", ("accounts", "products", "imports"))
    lifecycle.prepare(new_shop, edition)
    new_shop.refresh()
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
    """Real processes: SQLite with two web workers, or PostgreSQL and Redis with four."""
    environ = environment(tmp_path / "shop")
    distributed = request.param == "distributed"
    if distributed:
        environ["DATABASE_URL"] = request.getfixturevalue("postgres_url")
        environ["REDIS_URL"] = request.getfixturevalue("redis_server")
    made = Deployment(environ, 4 if distributed else 2, tmp_path)
    yield made
    made.stop()
