"""A shop that is served by processes, for benchmarks that read it meanwhile."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bodega_sdk.ids import uuid7
from bodega_sdk.testing import servers
from bodega_sdk.testing.deployment import Deployment, environment


@contextmanager
def served_shop(workers: int) -> Iterator[tuple[Deployment, Path]]:
    """Serve a shop with 200 products from PostgreSQL and Redis; its folder goes with it."""
    postgres, redis = servers.postgres(), servers.redis()
    try:
        with tempfile.TemporaryDirectory() as name:
            url = servers.create_database(postgres.url, f"bench_{uuid7().hex}")
            environ = environment(Path(name) / "shop", DATABASE_URL=url, REDIS_URL=redis.url)
            environ["BODEGA_LOG_LEVEL"] = "warning"
            shop = Deployment(environ, workers, Path(name))
            try:
                start(shop, workers)
                yield shop, Path(name)
            finally:
                shop.stop()
    finally:
        redis.stop()
        postgres.stop()


def start(shop: Deployment, workers: int) -> None:
    shop.command("migrate")
    shop.start("serve", "--port", str(shop.port), "--workers", str(workers))
    shop.start("worker")
    shop.start("realtime", "--port", str(shop.realtime_port))
    shop.wait_until(lambda: (shop.get("/health/detailed")[1] or {}).get("status") == "healthy")
    token = shop.log_in()
    shop.call("POST", "/api/v1/categories", {"name": "C"}, token)
    for number in range(200):
        data = {"name": f"P{number}", "sku": f"S{number}", "price": "1.00"}
        assert shop.call("POST", "/api/v1/products", data, token)[0] == 201
