"""The API under a server that is not Bodega's own: any that speaks WSGI."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bodega_sdk.testing.deployment import Deployment, environment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture(params=["sqlite", "postgres"])
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Deployment]:
    """A new shop under gunicorn as it comes, without a thing of ours but the callable."""
    more = {}
    if request.param == "postgres":
        more["DATABASE_URL"] = request.getfixturevalue("postgres_url")
    made = Deployment(environment(tmp_path / "shop", **more), web_workers=2, folder=tmp_path)
    assert made.command("migrate").returncode == 0
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "--worker-class", "gthread", "--workers", "2",
         "--threads", "4", "--bind", f"127.0.0.1:{made.port}", "--no-control-socket",
         "bodega.wsgi:app"],
        env=made.environ, start_new_session=True,
    )  # fmt: skip
    try:
        made.wait_until(lambda: made.get("/health/ready")[0] == 200)
        yield made
    finally:
        server.terminate()
        assert server.wait(40) == 0


def test_any_wsgi_server_serves_the_shop_and_follows_its_switching(served: Deployment) -> None:
    token = served.log_in()
    lamp = {"name": "Lamp", "sku": "L-1", "price": "9.00"}
    assert served.call("POST", "/api/v1/products", lamp, token)[0] == 201
    assert served.get("/api/v1/products/l-1")[1]["name"] == "Lamp"
    assert served.command("addons", "disable", "imports").returncode == 0
    served.wait_until(lambda: served.get("/api/v1/imports", token)[0] == 404)
    served.command("addons", "enable", "imports")
    served.wait_until(lambda: served.get("/api/v1/imports", token)[0] == 200)


def test_nothing_else_is_in_the_module() -> None:
    import bodega.wsgi

    with pytest.raises(AttributeError, match="no attribute 'application'"):
        _ = bodega.wsgi.application
