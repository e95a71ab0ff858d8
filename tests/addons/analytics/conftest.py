"""Fixtures: a shop with all that analytics can be about, and hands that sell."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bodega.cli import bodega
from bodega.cli.context import Context
from bodega.database import outbox
from bodega.http.app import build_app
from bodega.jobs.feeding import feed
from bodega.settings import Settings
from bodega.shop import Shop
from bodega_sdk.runtime import bound
from bodega_sdk.testing import servers
from bodega_sdk.testing.client import Client
from bodega_sdk.testing.clock import Clock, moved_by_tests
from bodega_sdk.testing.working import Jobs

ADDONS = (
    "accounts", "products", "imports", "webhooks", "inventory", "orders",
    "payments", "analytics",
)  # fmt: skip
ANALYTICS = "/api/v1/analytics"


@pytest.fixture
def addons() -> tuple[str, ...]:
    """The addons of the shop."""
    return ADDONS


@pytest.fixture
def settings(
    engine: str, tmp_path: Path, templates: Any, request: Any, addons: tuple[str, ...]
) -> Iterator[Settings]:
    """Settings of a copy of a started shop with analytics."""
    server = request.getfixturevalue("postgres_server") if engine == "postgres" else ""
    made = templates.copy(engine, addons, tmp_path / "shop", server)
    yield made
    if server:
        servers.drop_database(server, made.database_url.rpartition("/")[2])


@pytest.fixture
def shop(settings: Settings) -> Iterator[Shop]:
    """The shop, bound to the test; its subscriptions have heard all there was to hear."""
    found = Shop(settings, build_app, connections=12)
    found.refresh()
    with bound(found.current):
        Jobs(found).begin_to_listen()
        yield found
    found.databases.close()


@pytest.fixture
def new_shop(shop: Shop) -> Shop:
    """The same, for fixtures elsewhere."""
    return shop


@pytest.fixture
def jobs(shop: Shop) -> Jobs:
    """What a worker would do."""
    return Jobs(shop)


@pytest.fixture
def count(shop: Shop) -> Callable[[], int]:
    """Have the log of events read to its end for analytics, as a worker does, and nobody else.

    Mails and jobs of thousands of orders would take longer than all that is tried here.
    """

    def feed_all() -> int:
        fed, more = 0, -1
        with shop.lent() as lent, bound(lent):
            mine = [one for one in lent.assembly.subscriptions if "analytics" in one.name]
            # A relay gives so many events their offsets at a time.
            while more := outbox.relay(lent.databases.shop) or sum(feed(lent, one) for one in mine):
                fed += more
        return fed

    return feed_all


@pytest.fixture
def clock() -> Iterator[Clock]:
    """The time, which can be moved."""
    with moved_by_tests() as made:
        yield made


@pytest.fixture
def report(client: Client) -> Callable[..., Any]:
    """Return a report as staff see it: ``report("sales", zone="UTC")``; ``from_`` is ``from``."""

    def ask(path: str, **query: Any) -> Any:
        sent = "&".join(f"{name.rstrip('_')}={value}" for name, value in query.items())
        # Made each time: the clock is moved, and tokens end.
        return client.as_user("staff").get(f"{ANALYTICS}/{path}?{sent}").expect(200)

    return ask


@pytest.fixture
def run(shop: Shop) -> Callable[..., str]:
    """Run ``bodega …``; return what it printed."""

    def invoke(*arguments: str, code: int = 0) -> str:
        done = CliRunner().invoke(bodega, [*arguments], obj=Context(_shop=shop))
        assert done.exit_code == code, done.output
        return str(done.output)

    return invoke
