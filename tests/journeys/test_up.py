"""The first start, as a newcomer meets it."""

import signal
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def test_up_serves_everything_and_ctrl_c_stops_it_cleanly(deployment: Any) -> None:
    process = deployment.up()
    status, body = deployment.get("/api/v1/products")
    assert (status, body["count"]) == (200, 0)
    assert deployment.get("/api/schema")[1]["openapi"].startswith("3.1")
    told = (deployment.folder / "up-0.log").read_text()
    assert f"http://127.0.0.1:{deployment.port}/api/docs" in told
    assert "admin@example.com" in told
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    assert deployment.get("/health")[0] == 0


def test_a_second_up_on_the_same_port_says_so(deployment: Any) -> None:
    deployment.up()
    second = deployment.command("up", "--port", str(deployment.port))
    assert second.returncode == 1
    assert f"cannot listen on 127.0.0.1:{deployment.port}" in second.stderr


def test_metrics_are_exact_over_all_web_workers(deployment: Any) -> None:
    deployment.up()
    for _ in range(60):
        assert deployment.get("/api/v1/categories")[0] == 200
    metrics = deployment.get("/metrics")[1]
    line = 'bodega_http_requests_total{method="GET",route="/api/v1/categories",status="200"}'
    assert f"{line} 60.0" in metrics
