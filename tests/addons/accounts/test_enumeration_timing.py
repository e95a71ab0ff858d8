"""Who is known cannot be told by the time that an answer takes."""

import time
from collections.abc import Callable, Iterator
from itertools import count
from statistics import quantiles
from typing import Any

import pytest

from bodega_accounts import limits

# Beside other tests the machine would be too busy to measure anything.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
UNKNOWN = "unknown@example.com"
#: What two kinds of answers may differ by, of the time that they take.
TOLERATED = 0.05
TRIES = 8


@pytest.fixture
def address() -> Iterator[str]:
    """One address after the other, none of them twice."""
    return (f"198.18.{n // 250}.{n % 250 + 1}" for n in count())


def quick(rounds: int, one: Callable[[], Any], other: Callable[[], Any]) -> tuple[float, float]:
    """Return which time a quarter of the calls takes at most, of two that are called in turns.

    What else the machine does only makes them slower.
    """
    taken: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds):
        # Neither always comes first.
        for which in (0, 1) if number % 2 else (1, 0):
            began = time.perf_counter()
            (one, other)[which]()
            taken[which].append(time.perf_counter() - began)
    return quantiles(taken[0], n=4)[0], quantiles(taken[1], n=4)[0]


def assert_alike(rounds: int, one: Callable[[], Any], other: Callable[[], Any]) -> None:
    """Assert that two calls take the same time; what else the machine does may spoil some tries."""
    found = []
    for _ in range(TRIES):
        first, second = quick(rounds, one, other)
        found.append(abs(first - second) / max(first, second))
        if found[-1] < TOLERATED:
            return
    raise AssertionError(f"the quicker quarters differ by {found}")


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
