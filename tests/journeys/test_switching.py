"""Switching addons on a running shop under load: nobody else notices."""

import http.client
import threading
import time
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
SECONDS = 60
TOGGLES = 20


class Load:
    """Threads that call one path over and over and keep what came back."""

    def __init__(self, port: int, path: str, token: str, threads: int) -> None:
        self._port, self._path, self._token = port, path, token
        self.answers: dict[str, int] = {}
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def _run(self) -> None:
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        while not self._stopped.is_set():
            try:
                connection.request("GET", self._path, headers=headers)
                answer = connection.getresponse()
                answer.read()
                media = (answer.getheader("content-type") or "").partition(";")[0]
                self._count(f"{answer.status} {media}")
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                # A kept connection may be closed between two requests; a new one must do.
                connection.close()
                self._count("closed")
            time.sleep(0.005)
        connection.close()

    def _count(self, answer: str) -> None:
        with self._lock:
            self.answers[answer] = self.answers.get(answer, 0) + 1

    def stop(self) -> dict[str, int]:
        self._stopped.set()
        for thread in self._threads:
            thread.join()
        return self.answers


# On PostgreSQL and Redis test_soak does the same, fifty times.
@pytest.mark.parametrize("deployment", ["embedded"], indirect=True)
def test_toggling_imports_disturbs_no_product_request(deployment: Any) -> None:
    deployment.up()
    token = deployment.log_in()
    for number in range(20):
        data = {"name": f"P{number}", "sku": f"S{number}", "price": "1.00"}
        assert deployment.call("POST", "/api/v1/products", data, token)[0] == 201
    products = Load(deployment.port, "/api/v1/products", "", 4)
    imports = Load(deployment.port, "/api/v1/imports", token, 2)
    began = time.monotonic()
    for number in range(TOGGLES):
        done = deployment.command("addons", ("disable", "enable")[number % 2], "imports")
        assert done.returncode == 0, done.stderr
        time.sleep(max(0.0, began + (number + 1) * SECONDS / TOGGLES - time.monotonic()))
    seen = products.stop()
    assert set(seen) == {"200 application/json"}, seen
    assert seen["200 application/json"] > 1000
    other = imports.stop()
    assert set(other) == {"200 application/json", "404 application/problem+json"}, other


def test_a_switch_is_seen_by_every_process_within_a_second(deployment: Any) -> None:
    deployment.up()
    token = deployment.log_in()
    for verb, expected in (("disable", 404), ("enable", 200), ("disable", 404)):
        done = deployment.command("addons", verb, "imports", "--json")
        ended = time.monotonic()
        assert done.returncode == 0, done.stderr
        assert '"laggards": []' in done.stdout
        for _ in range(40):
            assert deployment.get("/api/v1/imports", token)[0] == expected
        assert time.monotonic() - ended < 30
