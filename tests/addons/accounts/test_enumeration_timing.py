"""Who is known cannot be told by the time that an answer takes."""

import time
from collections.abc import Callable, Iterator
from itertools import count
from statistics import median
from typing import Any

import pytest

from bodega_accounts import limits

# Beside other tests the machine would be too busy to measure anything.
pytestmark = pytest.mark.slow
UNKNOWN = "unknown@example.com"
#: What two kinds of answers may differ by, of the time that they take.
TOLERATED = 0.05


@pytest.fixture
def address() -> Iterator[str]:
    """One address after the other, none of them twice."""
    return (f"198.18.{n // 250}.{n % 250 + 1}" for n in count())


def medians(rounds: int, one: Callable[[], Any], other: Callable[[], Any]) -> tuple[float, float]:
    """Return the medians of the time that two calls take, in turns."""
    taken: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds):
        # Neither always comes first.
        for which in (0, 1) if number % 2 else (1, 0):
            began = time.perf_counter()
            (one, other)[which]()
            taken[which].append(time.perf_counter() - began)
    return median(taken[0]), median(taken[1])


def assert_alike(rounds: int, one: Callable[[], Any], other: Callable[[], Any]) -> None:
    """Assert that two calls take the same time; what else the machine does may spoil two tries."""
    found = []
    for _ in range(3):
        first, second = medians(rounds, one, other)
        found.append(abs(first - second) / max(first, second))
        if found[-1] < TOLERATED:
            return
    raise AssertionError(f"the medians differ by {found}")


def test_logging_in_takes_as_long_whoever_it_is(
    vera: Any, admin: Any, signed_up: Any, address: Any
) -> None:
    gone = signed_up("gone")
    admin.patch(f"/api/v1/users/{gone.id}", {"is_active": False}).expect(200)

    def guess(email: str, key: str, password: str) -> None:
        body = {"email": email, "password": password}
        answer = vera.client.post("/api/v1/auth/login", body, remote_addr=next(address))
        assert answer.status_code == 401
        limits.FOR_ACCOUNT.reset(key)

    unknown = lambda: guess(UNKNOWN, UNKNOWN, "not the password")  # noqa: E731
    assert_alike(40, unknown, lambda: guess(vera.email, vera.id, "not the password"))
    assert_alike(40, unknown, lambda: guess(gone.email, gone.id, gone.password))


def test_asking_for_a_new_password_takes_as_long_whoever_it_is(vera: Any, address: Any) -> None:
    def ask(email: str) -> None:
        body = {"email": email}
        path = "/api/v1/auth/password/reset"
        vera.client.post(path, body, remote_addr=next(address)).expect(202)

    assert_alike(120, lambda: ask(UNKNOWN), lambda: ask(vera.email))


def test_registering_takes_as_long_whoever_it_is(vera: Any, address: Any) -> None:
    def register(email: str) -> None:
        body = {"email": email, "password": "a long password"}
        vera.client.post("/api/v1/auth/register", body, remote_addr=next(address)).expect(202)

    assert_alike(40, lambda: register(UNKNOWN), lambda: register(vera.email))


def test_asking_for_another_address_takes_as_long_whoever_has_it(vera: Any, address: Any) -> None:
    def ask(email: str) -> None:
        body = {"email": email, "password": vera.password}
        vera.api.post("/api/v1/auth/email", body, remote_addr=next(address)).expect(202)

    assert_alike(40, lambda: ask(UNKNOWN), lambda: ask("admin@example.com"))
