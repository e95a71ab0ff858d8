"""The pytest plugin for authors of addons; see docs/testing.md.

Importing it imports nothing of the kernel: a fixture does, when it is asked for.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from bodega_sdk.testing.client import Client
    from bodega_sdk.testing.clock import Clock
    from bodega_sdk.testing.mailbox import Mailbox
    from bodega_sdk.testing.recorder import Events
    from bodega_sdk.testing.shop import BodegaShop
    from bodega_sdk.testing.working import Jobs

_ENGINES = ("sqlite", "postgres")
_MARKER = "bodega(*addons): the addons that the shop of this test is assembled from"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare what a project's configuration can say."""
    parser.addini(
        "bodega_addons",
        "Addons that bodega_shop is assembled from; what they depend on comes by itself.",
        type="args",
        default=[],
    )
    parser.addini(
        "bodega_engines",
        "Databases that tests with a shop run on: sqlite (the default), postgres.",
        type="args",
        default=["sqlite"],
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line("markers", _MARKER)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test with a shop once on each engine, unless it names its own."""
    if "bodega_engine" not in metafunc.fixturenames:
        return
    own = metafunc.definition.iter_markers("parametrize")
    if not any("bodega_engine" in str(marker.args[0]) for marker in own if marker.args):
        metafunc.parametrize("bodega_engine", _engines(metafunc.config), indirect=True)


def _engines(config: pytest.Config) -> list[str]:
    engines: list[str] = config.getini("bodega_engines")
    for name in engines:
        if name not in _ENGINES:
            expected = " and ".join(_ENGINES)
            raise pytest.UsageError(f"bodega_engines: expected {expected}, found {name!r}")
    return engines


@pytest.fixture(scope="session")
def bodega_postgres_server() -> Iterator[str]:
    """The address of a PostgreSQL server, given or started; see bodega_sdk.testing.servers."""
    from bodega_sdk.testing import servers

    server = servers.postgres()
    yield server.url
    server.stop()


@pytest.fixture
def bodega_postgres_url(bodega_postgres_server: str) -> Iterator[str]:
    """The address of an empty PostgreSQL database."""
    from bodega_sdk.ids import uuid7
    from bodega_sdk.testing import servers

    name = f"test_{uuid7().hex}"
    yield servers.create_database(bodega_postgres_server, name)
    servers.drop_database(bodega_postgres_server, name)


@pytest.fixture
def bodega_engine(request: pytest.FixtureRequest) -> str:
    """The database that the test runs on: ``sqlite`` or ``postgres``."""
    name: str = request.param
    return name


@pytest.fixture
def bodega_shop(
    bodega_engine: str, request: pytest.FixtureRequest, tmp_path: Path
) -> "Iterator[BodegaShop]":
    """A started shop of the addons that the marker or the configuration names."""
    from bodega_sdk.testing.shop import opened

    url = request.getfixturevalue("bodega_postgres_url") if bodega_engine == "postgres" else ""
    with opened(tmp_path / "shop", url, _addons(request)) as shop:
        yield shop


def _addons(request: pytest.FixtureRequest) -> list[str]:
    marker = request.node.get_closest_marker("bodega")
    named: list[Any] = list(marker.args) if marker else request.config.getini("bodega_addons")
    if not named:
        raise pytest.UsageError(
            "bodega_shop needs to know its addons: mark the test "
            '@pytest.mark.bodega("loyalty"), or set bodega_addons in the configuration of pytest'
        )
    return named


@pytest.fixture
def bodega_client(bodega_shop: "BodegaShop") -> "Client":
    """Calls the shop's API, as nobody in particular; ``as_admin()`` and others say who."""
    return bodega_shop.client


@pytest.fixture
def bodega_events(bodega_shop: "BodegaShop") -> "Events":
    """The events that were published since the shop was started."""
    from bodega_sdk.testing.recorder import Events

    return Events()


@pytest.fixture
def bodega_mailbox(bodega_shop: "BodegaShop") -> "Mailbox":
    """The mails that were written since the shop was started."""
    from bodega_sdk.testing.mailbox import Mailbox

    return Mailbox(bodega_shop.kernel)


@pytest.fixture
def bodega_jobs(bodega_shop: "BodegaShop") -> "Jobs":
    """Does what a worker would do, when the test says so."""
    return bodega_shop.jobs


@pytest.fixture
def bodega_clock() -> "Iterator[Clock]":
    """The time, which a test can move."""
    from bodega_sdk.testing.clock import moved_by_tests

    with moved_by_tests() as clock:
        yield clock
