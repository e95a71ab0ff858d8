"""Fixtures: a shop with all that analytics can be about, and hands that sell."""

from collections.abc import Callable
from typing import Any

import pytest
from tests import copied_shop

from bodega.database import outbox
from bodega.jobs.feeding import feed
from bodega.shop import Shop
from bodega_sdk.runtime import bound
from bodega_sdk.testing.client import Client

ANALYTICS = "/api/v1/analytics"

settings, shop, new_shop = copied_shop.settings, copied_shop.shop, copied_shop.new_shop


@pytest.fixture
def edition() -> tuple[str, ...]:
    """The addons of the shop."""
    return (
        "accounts", "products", "imports", "webhooks", "inventory", "orders",
        "payments", "analytics",
    )  # fmt: skip


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
def report(client: Client) -> Callable[..., Any]:
    """Return a report as staff see it: ``report("sales", zone="UTC")``; ``from_`` is ``from``."""

    def ask(path: str, **query: Any) -> Any:
        sent = "&".join(f"{name.rstrip('_')}={value}" for name, value in query.items())
        # Made each time: the clock is moved, and tokens end.
        return client.as_user("staff").get(f"{ANALYTICS}/{path}?{sent}").expect(200)

    return ask
