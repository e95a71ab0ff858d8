"""Fixtures: a shop in this process on each engine, a client with identities, a job runner."""

import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from falcon import testing

from bodega.addons import lifecycle
from bodega.editions import Edition
from bodega.http.app import build_app
from bodega.http.gate import Gate
from bodega.jobs import leases
from bodega.jobs.runner import Runner
from bodega.jobs.sweeper import Sweeper
from bodega.settings import Settings
from bodega.shop import Shop
from bodega_sdk.runtime import bound
from bodega_sdk.testing import servers
from bodega_sdk.testing.deployment import ADMIN, Deployment, environment


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a PostgreSQL server for tests."""
    server = servers.postgres()
    yield server.url
    server.stop()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    """The address of a Redis server for tests."""
    server = servers.redis()
    yield server.url
    server.stop()


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The address of an empty PostgreSQL database."""
    name = f"test_{uuid.uuid4().hex}"
    yield servers.create_database(postgres_server, name)
    servers.drop_database(postgres_server, name)


@pytest.fixture(params=["sqlite", "postgres"])
def engine(request: pytest.FixtureRequest) -> str:
    """The engine a test runs on: both, one after the other."""
    name: str = request.param
    return name


@pytest.fixture
def settings(engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> Settings:
    """Settings of a shop that was never started, on the engine of the test."""
    url = request.getfixturevalue("postgres_url") if engine == "postgres" else ""
    return Settings(
        home=tmp_path / "shop",
        database_url=url,
        secret_key="a key for tests only, not a secret",
        admin_email=ADMIN[0],
        admin_password=ADMIN[1],
        job_lease=2.0,
    )


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


@dataclass
class Client:
    """Calls the shop's API through the Gate, as somebody."""

    gate: Gate
    token: str | None = None

    def as_(self, email: str, password: str) -> "Client":
        """Return a client that is logged in."""
        answer = self.post("/api/v1/auth/login", {"email": email, "password": password})
        return replace(self, token=answer.json["access"])

    def request(self, method: str, path: str, json: Any = None, **options: Any) -> testing.Result:
        """Call the API."""
        headers = dict(options.pop("headers", {}))
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        if json is not None:
            options["json"] = json
        return testing.simulate_request(self.gate, method, path, headers=headers, **options)

    def get(self, path: str, **options: Any) -> testing.Result:
        """GET."""
        return self.request("GET", path, **options)

    def post(self, path: str, json: Any = None, **options: Any) -> testing.Result:
        """POST."""
        return self.request("POST", path, json, **options)

    def put(self, path: str, json: Any = None, **options: Any) -> testing.Result:
        """PUT."""
        return self.request("PUT", path, json, **options)

    def patch(self, path: str, json: Any = None, **options: Any) -> testing.Result:
        """PATCH."""
        return self.request("PATCH", path, json, **options)

    def delete(self, path: str, **options: Any) -> testing.Result:
        """DELETE."""
        return self.request("DELETE", path, **options)


@pytest.fixture
def client(shop: Shop) -> Client:
    """A client that nobody is logged in with."""
    return Client(Gate(shop))


@pytest.fixture
def admin(client: Client) -> Client:
    """A client that the administrator is logged in with."""
    return client.as_(*ADMIN)


@dataclass
class Worker:
    """Runs the shop's jobs in the test's thread."""

    shop: Shop

    def run(self, lanes: tuple[str, ...] = ("default", "bulk", "mail")) -> int:
        """Run every job that is due; return how many."""
        runner, ran = Runner(self.shop, "test", threads=2), 0
        for lane in lanes:
            while runner.run_next(lane):
                ran += 1
        return ran

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
