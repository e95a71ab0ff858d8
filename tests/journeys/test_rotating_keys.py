"""Keys are rotated and retired while clients call: nobody is refused who should not be."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import jwt
import pytest

from bodega_sdk.testing.deployment import ADMIN, Deployment

pytestmark = pytest.mark.slow

CLIENTS, PAUSE = 4, 0.02


def kid_of(token: str) -> str:
    kid: str = jwt.get_unverified_header(token)["kid"]
    return kid


@dataclass
class Caller:
    """Somebody who calls all the time, and refreshes the token at every tenth call.

    Args:
        refused: what was answered instead of 200, and with which key's token.
    """

    deployment: Deployment
    pair: dict[str, Any] = field(default_factory=dict)
    calls: int = 0
    refused: list[Any] = field(default_factory=list)

    def log_in(self) -> None:
        """Begin a session."""
        email, password = ADMIN
        self._take("/api/v1/auth/login", {"email": email, "password": password})

    def run(self, ended: threading.Event) -> None:
        """Call until the end."""
        while not ended.wait(PAUSE):
            self.calls += 1
            if self.calls % 10 == 0:
                self._take("/api/v1/auth/refresh", {"refresh": self.pair["refresh"]})
            status, body = self.deployment.get("/api/v1/auth/me", self.pair["access"])
            if status != 200:
                self.refused.append((kid_of(self.pair["access"]), status, body))

    def _take(self, path: str, body: dict[str, Any]) -> None:
        status, pair, _ = self.deployment.call("POST", path, body)
        if status == 200:
            self.pair = pair
        else:
            self.refused.append((path, status, pair))


@contextmanager
def calling(callers: list[Caller]) -> Iterator[None]:
    """Have callers call while the block runs."""
    ended = threading.Event()
    threads = [threading.Thread(target=caller.run, args=(ended,)) for caller in callers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def published(deployment: Deployment) -> dict[str, str]:
    """Return the algorithm of every key in the key set."""
    _, body = deployment.get("/.well-known/jwks.json")
    return {key["kid"]: key["alg"] for key in body["keys"]}


def keys(deployment: Deployment, *arguments: str) -> None:
    """Run ``bodega keys …``."""
    ran = deployment.command("keys", *arguments)
    assert ran.returncode == 0, ran.stderr


def statuses(deployment: Deployment, token: str, calls: int = 100) -> Counter[int]:
    """Call so often, some at a time, that every worker answers; return the statuses."""
    with ThreadPoolExecutor(8) as pool:
        found = pool.map(lambda _: deployment.get("/api/v1/auth/me", token)[0], range(calls))
        return Counter(found)


@pytest.mark.timeout(240)
def test_nobody_is_refused_while_keys_are_rotated_and_what_is_retired_is_refused_at_once(
    deployment: Deployment,
) -> None:
    deployment.up()
    callers = [Caller(deployment) for _ in range(CLIENTS)]
    for caller in callers:
        caller.log_in()
    old = callers[0].pair["access"]
    with calling(callers):
        _rotate(deployment, callers, "EdDSA")
        second = callers[0].pair["access"]
        _rotate(deployment, callers, "RS256")
        assert len(published(deployment)) == 3
        assert statuses(deployment, old) == {200: 100}
        keys(deployment, "retire", kid_of(old))
        assert statuses(deployment, old) == {401: 100}
        assert statuses(deployment, second) == {200: 100}
        assert kid_of(old) not in published(deployment)
        time.sleep(1)
    assert [caller.refused for caller in callers] == [[]] * CLIENTS
    assert all(caller.calls > 50 for caller in callers)


def _rotate(deployment: Deployment, callers: list[Caller], algorithm: str) -> None:
    """Rotate, and wait until everybody has a token of the new key."""
    before = published(deployment)
    keys(deployment, "rotate", "--now", "--algorithm", algorithm)
    after = published(deployment)
    (fresh,) = after.keys() - before.keys()
    assert after == before | {fresh: algorithm}
    deployment.wait_until(
        lambda: all(kid_of(caller.pair["access"]) == fresh for caller in callers),
        f"not everybody got a token of {fresh}",
    )
