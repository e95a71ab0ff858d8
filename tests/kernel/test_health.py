"""Health: alive, ready, healthy or degraded, and why."""

from dataclasses import replace
from typing import Any

import pytest
from falcon import testing

from bodega.database import outbox
from bodega.http.app import build_app
from bodega.http.gate import Gate
from bodega.processes import this_process
from bodega.settings import Settings
from bodega.shop import Shop
from bodega_sdk.testing import servers


def get(shop: Any, path: str) -> Any:
    return testing.simulate_get(Gate(shop), path)


def test_a_shop_that_can_serve_says_so(empty_shop: Any) -> None:
    answer = get(empty_shop, "/health")
    assert (answer.status_code, answer.json["status"]) == (200, "healthy")
    assert get(empty_shop, "/health/live").json == {"status": "alive"}
    ready = get(empty_shop, "/health/ready")
    assert (ready.status_code, ready.json["status"]) == (200, "ready")
    assert ready.json["checks"].keys() == {"database", "queue"}
    for check in ready.json["checks"].values():
        assert check["status"] == "healthy"
        assert check["ms"] >= 0


def test_health_is_open_to_everybody_and_to_head(empty_shop: Any) -> None:
    for path in ("/health", "/health/live", "/health/ready", "/health/detailed"):
        assert get(empty_shop, path).status_code == 200
        assert get(empty_shop, f"{path}/").status_code == 200


def test_without_a_worker_the_shop_is_degraded_and_says_what_to_do(empty_shop: Any) -> None:
    answer = get(empty_shop, "/health/detailed")
    assert answer.json["status"] == "degraded"
    worker = answer.json["checks"]["worker"]
    assert worker["status"] == "unhealthy"
    assert worker["detail"] == "no worker lives; start one with 'bodega worker'"
    assert get(empty_shop, "/health/ready").status_code == 200


def test_with_a_worker_the_shop_is_healthy(empty_shop: Any) -> None:
    empty_shop.register.beat(this_process("worker", 1))
    # The shop is a copy of one that may be minutes old: a worker would have numbered its events.
    outbox.relay(empty_shop.databases.shop)
    answer = get(empty_shop, "/health/detailed").json
    assert answer["status"] == "healthy"
    assert answer["checks"]["worker"]["detail"] == "1 alive"


def test_details_name_addons_generation_and_what_is_quarantined(notes_shop: Any, site: Any) -> None:
    site.install("plugin_raises")
    site.write_down_as_enabled("plugin_raises")
    notes_shop.refresh()
    answer = get(notes_shop, "/health/detailed").json
    assert answer["addons"].keys() == {"accounts", "notes"}
    assert answer["addons"]["notes"] == "1.2.0"
    assert answer["generation"] == notes_shop.assembly.generation
    assert answer["quarantined"] == ["plugin_raises"]


@pytest.mark.parametrize("engine", ["postgres"], indirect=True)
def test_a_database_that_is_away_is_told_without_its_name_or_password(
    empty_shop: Any, settings: Settings, postgres_server: str
) -> None:
    name = settings.database_url.rpartition("/")[2]
    assert get(empty_shop, "/health/ready").status_code == 200
    servers.drop_database(postgres_server, name)
    answer = get(empty_shop, "/health")
    assert (answer.status_code, answer.json["status"]) == (503, "unhealthy")
    ready = get(empty_shop, "/health/ready")
    assert (ready.status_code, ready.json["status"]) == (503, "not ready")
    assert ready.json["checks"]["database"]["status"] == "unhealthy"
    assert ready.json["checks"]["queue"]["status"] == "healthy"
    assert get(empty_shop, "/health/live").status_code == 200
    for path in ("/health", "/health/ready", "/health/detailed"):
        text = get(empty_shop, path).text
        assert name not in text
        assert "127.0.0.1" not in text


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_queue_that_is_away_is_told_and_enqueueing_goes_on(
    empty_shop: Any, settings: Settings
) -> None:
    # Port 1 is reserved: nobody listens there.
    away = Shop(replace(settings, redis_url="redis://127.0.0.1:1/0"), build_app)
    try:
        away.refresh()
        ready = get(away, "/health/ready")
        assert ready.status_code == 503
        assert ready.json["checks"]["queue"] == {
            "status": "unhealthy",
            "detail": "ConnectionError",
            "ms": ready.json["checks"]["queue"]["ms"],
        }
        assert get(away, "/health").status_code == 200
        away.queue.wake("default")
    finally:
        away.databases.close()
