"""What the server answers to plain HTTP on the same port."""

import json
import urllib.error
import urllib.request
from typing import Any

import pytest


def fetch(server: Any, path: str, method: str = "GET") -> tuple[int, str, Any]:
    """Return status, media type and body."""
    request = urllib.request.Request(f"http://127.0.0.1:{server.port}{path}", method=method)
    try:
        answer = urllib.request.urlopen(request, timeout=5)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        body = answer.read()
        return answer.status, answer.headers["Content-Type"], json.loads(body) if body else None


def test_its_health_is_asked_on_the_same_port(server: Any) -> None:
    status, media, body = fetch(server, "/health")
    assert (status, media, body["status"]) == (200, "application/json", "healthy")
    status, _, body = fetch(server, "/health/ready")
    assert (status, body["status"]) == (200, "ready")
    assert body["checks"] == {
        "database": {"status": "healthy"}, "feed": {"status": "healthy"}
    }  # fmt: skip
    assert fetch(server, "/health/live")[2] == {"status": "alive"}
    assert fetch(server, "/health", "HEAD") == (200, "application/json", None)


@pytest.mark.parametrize("engine", ["sqlite"])
def test_other_addresses_and_plain_requests_are_problems(server: Any) -> None:
    status, media, body = fetch(server, "/api/v1/products?token=secret")
    assert (status, media, body["status"]) == (404, "application/problem+json", 404)
    assert body["type"] == "/api/problems/not-found"
    assert body["instance"] == "/api/v1/products"
    status, media, body = fetch(server, "/ws")
    assert (status, media, body["status"]) == (426, "application/problem+json", 426)
    assert "WebSocket" in body["detail"]
    assert fetch(server, "/ws", "POST")[0] == 405
