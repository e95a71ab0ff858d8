"""Limits: counted exactly by everybody together, told in every answer, and never an error."""

import os
import re
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import redis
import structlog

from bodega.http.errors import PROBLEM_JSON
from bodega.perimeter import Quota
from bodega.security.throttle import Throttle
from bodega.settings import Settings
from bodega_sdk import RateLimit, transaction
from bodega_sdk.errors import TooManyRequests
from bodega_sdk.testing.client import Client
from bodega_sdk.testing.deployment import Deployment, environment, free_port
from bodega_sdk.testing.shop import settings_for

Served = Callable[..., Client]
PRODUCTS = "/api/v1/products"
# Structured fields (RFC 9651): a list of one string with integers as parameters.
ITEM = re.compile(r'"(?P<name>[\x20-\x21\x23-\x5b\x5d-\x7e]*)"(?P<parameters>(?:;[a-z]=\d{1,15})*)')
CROWD = """
import os, sys, threading
from pathlib import Path
from bodega.security.throttle import Throttle
from bodega.settings import Settings
from bodega_sdk import RateLimit
from bodega_sdk.errors import TooManyRequests

home, url, fork = sys.argv[1:]
settings = Settings(Path(home), redis_url=url, secret_key="0123456789abcdef")
throttle = Throttle(settings, lambda: "shop")
limit, let_through, lock = RateLimit("loyalty.code", 101, 3600), 0, threading.Lock()

def hit():
    global let_through
    for _ in range(25):
        try:
            throttle.hit(limit, "ada")
        except TooManyRequests:
            continue
        with lock:
            let_through += 1

if fork:
    throttle.left(limit, "ada")
    if os.fork() == 0:
        os.dup2(os.open(f"{home}/child", os.O_WRONLY | os.O_CREAT), 1)
threads = [threading.Thread(target=hit) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(let_through, flush=True)
if fork and Path(f"{home}/child").exists():
    os.closerange(3, 100)
"""


def parsed(header: str) -> dict[str, int]:
    """Read a structured field of one item; it must be one."""
    found = ITEM.fullmatch(header)
    assert found, header
    assert found["name"] == "default"
    pairs = (part.split("=") for part in found["parameters"].split(";") if part)
    return {name: int(value) for name, value in pairs}


@pytest.fixture(params=["sqlite", "redis"])
def store(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of the Redis that counts, empty for SQLite."""
    url = request.getfixturevalue("redis_server") if request.param == "redis" else ""
    yield url
    if url:
        with redis.Redis.from_url(url) as connection:
            connection.flushall()


@pytest.fixture
def throttle(tmp_path: Path, store: str) -> Throttle:
    """What counts, with Redis and without."""
    return Throttle(told(tmp_path, store), lambda: "shop")


def told(home: Path, url: str = "") -> Settings:
    """Return the settings of something that counts."""
    return Settings(home, redis_url=url, secret_key="0123456789abcdef")


def crowd(home: Path, url: str, fork: bool = False) -> "subprocess.Popen[str]":
    """Start a process of eight threads that hit one key 25 times each."""
    path = os.pathsep.join(filter(None, sys.path))
    return subprocess.Popen(
        [sys.executable, "-c", CROWD, str(home), url, "fork" if fork else ""],
        stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": path},
    )  # fmt: skip


# Counting.


def test_two_processes_of_eight_threads_let_exactly_the_amount_through(
    tmp_path: Path, store: str
) -> None:
    running = [crowd(tmp_path, store) for _ in range(2)]
    counts = [int(process.communicate(timeout=60)[0]) for process in running]
    assert sum(counts) == 101, counts


def test_a_process_that_forks_counts_on_in_both(tmp_path: Path, store: str) -> None:
    parent = crowd(tmp_path, store, fork=True)
    printed = int(parent.communicate(timeout=60)[0])
    child = tmp_path / "child"
    deadline = time.monotonic() + 20
    while not child.read_text() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert printed + int(child.read_text()) == 101


def test_acts_beyond_the_amount_are_refused_and_told_when_to_come_back(throttle: Throttle) -> None:
    limit = RateLimit("loyalty.code", 3, 60)
    for left in (2, 1, 0):
        throttle.hit(limit, "ada")
        assert throttle.left(limit, "ada") == left
    with pytest.raises(TooManyRequests) as refused:
        throttle.hit(limit, "ada")
    assert 59 <= (refused.value.retry_after or 0) <= 60
    assert throttle.left(limit, "ada") == 0


def test_a_reset_forgets_one_key_only(throttle: Throttle) -> None:
    limit = RateLimit("loyalty.code", 1, 60)
    for key in ("ada", "bob"):
        throttle.hit(limit, key)
    throttle.reset(limit, "ada")
    throttle.hit(limit, "ada")
    with pytest.raises(TooManyRequests):
        throttle.hit(limit, "bob")


def test_keys_and_names_are_counted_apart(throttle: Throttle) -> None:
    throttle.hit(RateLimit("loyalty.code", 1, 60), "ada")
    throttle.hit(RateLimit("loyalty.code", 1, 60), "bob")
    throttle.hit(RateLimit("loyalty.card", 1, 60), "ada")
    # What would be the same if a name and a key were only put together.
    throttle.hit(RateLimit("loyalty", 1, 60), ".code\0ada")
    throttle.hit(RateLimit("loyalty.code", 1, 60), "\ud800")


def test_after_its_seconds_a_window_begins_anew(throttle: Throttle) -> None:
    limit = RateLimit("loyalty.code", 1, 1)
    throttle.hit(limit, "ada")
    with pytest.raises(TooManyRequests) as refused:
        throttle.hit(limit, "ada")
    assert refused.value.retry_after == 1
    time.sleep(1.1)
    assert throttle.left(limit, "ada") == 1
    throttle.hit(limit, "ada")


def test_a_key_is_stored_as_a_hash_that_needs_the_shops_secret(tmp_path: Path) -> None:
    throttle = Throttle(told(tmp_path), lambda: "shop")
    throttle.hit(RateLimit("loyalty.code", 1, 60), "ada@shop.example")
    stored = b"".join(path.read_bytes() for path in (tmp_path / "run").glob("limits.sqlite*"))
    assert b"loyalty.code" in stored
    assert b"ada" not in stored
    other = Throttle(Settings(tmp_path, secret_key="fedcba9876543210"), lambda: "shop")
    assert other.digest("loyalty.code", "ada") != throttle.digest("loyalty.code", "ada")


def test_what_is_over_is_pruned(tmp_path: Path) -> None:
    first = Throttle(told(tmp_path), lambda: "shop")
    for number in range(50):
        first.hit(RateLimit("loyalty.code", 1, 1), str(number))
    time.sleep(1.1)
    Throttle(told(tmp_path), lambda: "shop").hit(RateLimit("loyalty.code", 1, 60), "ada")
    with sqlite3.connect(tmp_path / "run" / "limits.sqlite") as connection:
        assert connection.execute("SELECT count(*) FROM hits").fetchone() == (1,)
    connection.close()


def test_a_clock_that_was_put_back_locks_nobody_out(tmp_path: Path) -> None:
    limit, throttle = RateLimit("loyalty.code", 1, 60), Throttle(told(tmp_path), lambda: "shop")
    throttle.hit(limit, "ada")
    with sqlite3.connect(tmp_path / "run" / "limits.sqlite") as connection:
        connection.execute("UPDATE hits SET ends = ends + 86400")
    connection.close()
    throttle.hit(limit, "ada")


def test_who_looked_at_the_clock_first_and_came_second_begins_no_new_window(tmp_path: Path) -> None:
    limit, throttle = RateLimit("loyalty.code", 1, 60), Throttle(told(tmp_path), lambda: "shop")
    throttle.hit(limit, "ada")
    with sqlite3.connect(tmp_path / "run" / "limits.sqlite") as connection:
        connection.execute("UPDATE hits SET ends = ends + 0.5")
    connection.close()
    with pytest.raises(TooManyRequests):
        throttle.hit(limit, "ada")


# What happens when a store fails.


def test_without_redis_the_file_counts_and_the_log_says_so_once(tmp_path: Path) -> None:
    away = f"redis://127.0.0.1:{free_port()}/0"
    throttle = Throttle(told(tmp_path, away), lambda: "shop")
    limit = RateLimit("loyalty.code", 2, 60)
    began = time.monotonic()
    with structlog.testing.capture_logs() as logs:
        throttle.hit(limit, "ada")
        throttle.hit(limit, "ada")
        with pytest.raises(TooManyRequests):
            throttle.hit(limit, "ada")
    assert time.monotonic() - began < 2
    assert [line["failed"] for line in logs] == ["Redis"]
    assert (tmp_path / "run" / "limits.sqlite").exists()


def test_a_redis_that_says_nothing_is_not_waited_for(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        throttle = Throttle(told(tmp_path, url), lambda: "shop")
        began = time.monotonic()
        for _ in range(20):
            throttle.hit(RateLimit("loyalty.code", 100, 60), "ada")
        assert time.monotonic() - began < 2


def test_a_file_that_is_no_database_is_made_anew(tmp_path: Path) -> None:
    file = tmp_path / "run" / "limits.sqlite"
    file.parent.mkdir()
    file.write_bytes(b"what a power failure left" * 400)
    limit = RateLimit("loyalty.code", 1, 60)
    Throttle(told(tmp_path), lambda: "shop").hit(limit, "ada")
    with pytest.raises(TooManyRequests):
        Throttle(told(tmp_path), lambda: "shop").hit(limit, "ada")


def test_without_a_file_each_process_counts_for_itself(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("no folder")
    throttle, limit = Throttle(told(tmp_path), lambda: "shop"), RateLimit("loyalty.code", 1, 60)
    with structlog.testing.capture_logs() as logs:
        throttle.hit(limit, "ada")
        with pytest.raises(TooManyRequests):
            throttle.hit(limit, "ada")
    assert len(logs) == 1


@pytest.mark.parametrize("wrong", [("", 1, 1), ("a", 0, 1), ("a", 1, 0), ("a", -1, 1)])
def test_a_limit_that_makes_no_sense_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match="expected a name"):
        RateLimit(*wrong)


# The SDK's side, in a shop.


def test_an_addon_counts_through_the_shop_that_it_is_bound_to(served: Served) -> None:
    served()
    limit = RateLimit("loyalty.code", 1, 60)
    limit.hit("ada")
    assert limit.left("ada") == 0
    with pytest.raises(TooManyRequests):
        limit.hit("ada")
    limit.reset("ada")
    assert limit.left("ada") == 1


def test_what_was_counted_stays_counted_when_the_transaction_is_undone(
    served: Served, undone: Any
) -> None:
    served()
    limit = RateLimit("loyalty.code", 1, 60)
    with undone(transaction()):
        limit.hit("ada")
    assert limit.left("ada") == 0


# Every request.


def test_every_answer_tells_the_quota_and_what_is_left_of_it(served: Served) -> None:
    client = served(rate_limit_anonymous=Quota(600, 60))
    for left, path, status in (
        (599, PRODUCTS, 200), (598, f"{PRODUCTS}/", 200), (597, "/api/v1/settings", 401),
        (596, "/api/v1/nothing", 404), (595, f"{PRODUCTS}?x=1", 400),
    ):  # fmt: skip
        answer = client.get(path)
        assert answer.status_code == status, path
        assert parsed(answer.headers["RateLimit-Policy"]) == {"q": 600, "w": 60}
        found = parsed(answer.headers["RateLimit"])
        assert found["r"] == left
        assert 1 <= found["t"] <= 60
    assert parsed(client.post("/api/v1/addons").headers["RateLimit"])["r"] == 594
    head = client.request("HEAD", PRODUCTS)
    assert parsed(head.headers["RateLimit"])["r"] == 593


def test_a_refusal_is_a_problem_that_says_when_to_come_back(served: Served) -> None:
    client = served(rate_limit_anonymous=Quota(1, 60))
    client.get(PRODUCTS).expect(200)
    answer = client.get(PRODUCTS)
    body = answer.expect(429)
    assert answer.headers["Content-Type"] == PROBLEM_JSON
    assert body["type"] == "/api/problems/too-many-requests"
    assert body["request_id"] == answer.headers["X-Request-ID"]
    assert 59 <= int(answer.headers["Retry-After"]) <= 60
    assert parsed(answer.headers["RateLimit"])["r"] == 0


def test_who_obeys_the_headers_is_never_refused(served: Served) -> None:
    client = served(rate_limit_anonymous=Quota(5, 1))
    statuses = []
    for _ in range(13):
        answer = client.get(PRODUCTS)
        statuses.append(answer.status_code)
        told = parsed(answer.headers["RateLimit"])
        if told["r"] == 0:
            time.sleep(told["t"])
    assert statuses == [200] * 13


def test_who_ignores_the_headers_gets_exactly_the_quota(served: Served) -> None:
    client = served(rate_limit_anonymous=Quota(30, 60))
    with ThreadPoolExecutor(8) as pool:
        counts = Counter(pool.map(lambda _: client.get(PRODUCTS).status_code, range(80)))
    assert counts == {200: 30, 429: 50}


def test_each_account_has_a_quota_of_its_own_whatever_its_address(served: Served) -> None:
    client = served(rate_limit=Quota(2, 60), rate_limit_anonymous=Quota(1, 60))
    ada, bob = client.as_admin(), client.as_admin()
    for who in (ada, ada, bob, bob, client):
        who.get(PRODUCTS).expect(200)
    for who in (ada, bob, client):
        who.get(PRODUCTS, remote_addr="127.0.0.1").expect(429)
    ada.get(PRODUCTS, remote_addr="192.0.2.1").expect(429)
    client.get(PRODUCTS, remote_addr="192.0.2.1").expect(200)


def test_bad_tokens_are_counted_against_the_address_that_sends_them(served: Served) -> None:
    client = served(rate_limit=Quota(100, 60), rate_limit_anonymous=Quota(3, 60))
    good = client.as_admin()
    for number in range(3):
        headers = {"Authorization": f"Bearer {good.token}{number}"}
        client.get(PRODUCTS, headers=headers).expect(401)
    client.get(PRODUCTS, headers={"Authorization": "Bearer x"}).expect(429)
    client.get(PRODUCTS, headers={"Authorization": "Basic x"}).expect(429)
    client.get(PRODUCTS).expect(429)
    good.get(PRODUCTS).expect(200)


def test_addresses_of_one_ipv6_network_are_one_caller(served: Served) -> None:
    client = served(rate_limit_anonymous=Quota(1, 60))
    client.get(PRODUCTS, remote_addr="2001:db8:0:1::1").expect(200)
    client.get(PRODUCTS, remote_addr="2001:db8:0:1:ffff::2").expect(429)
    client.get(PRODUCTS, remote_addr="2001:db8:0:2::1").expect(200)
    client.get(PRODUCTS, remote_addr="192.0.2.1").expect(200)
    client.get(PRODUCTS, remote_addr="::ffff:192.0.2.1").expect(429)


@pytest.mark.parametrize(
    "path",
    ["/", "/health", "/health/live", "/metrics", "/api/docs", "/api/docs/assets/swagger-ui.css",
     "/api/schema", "/console", "/console/static/console.css", "/.well-known/jwks.json",
     "/api/problems/not-found"],
)  # fmt: skip
def test_what_is_not_the_api_is_not_limited(served: Served, path: str) -> None:
    client = served(rate_limit_anonymous=Quota(1, 60))
    statuses = {client.get(path).status_code for _ in range(3)}
    assert 429 not in statuses
    assert "RateLimit" not in client.get(path).headers


def test_a_preflight_is_not_counted(served: Served) -> None:
    client = served(rate_limit_anonymous=Quota(1, 60))
    for _ in range(3):
        client.request("OPTIONS", PRODUCTS).expect(200)
    client.get(PRODUCTS).expect(200)


def test_limits_that_are_switched_off_count_nothing(served: Served, tmp_path: Path) -> None:
    client = served(rate_limit=None, rate_limit_anonymous=None)
    assert "RateLimit" not in client.get(PRODUCTS).headers
    assert not (tmp_path / "shop" / "run" / "limits.sqlite").exists()


def test_a_request_is_answered_while_nothing_can_count(served: Served, tmp_path: Path) -> None:
    url = f"redis://127.0.0.1:{free_port()}/0"
    client = served(rate_limit_anonymous=Quota(3, 60), redis_url=url)
    with suppress(FileNotFoundError):
        (tmp_path / "shop" / "run" / "limits.sqlite").unlink()
    (tmp_path / "shop" / "run" / "limits.sqlite").mkdir(parents=True)
    for _ in range(3):
        client.get(PRODUCTS).expect(200)
    client.get(PRODUCTS).expect(429)


def test_the_shops_of_the_other_tests_have_no_limits(tmp_path: Path) -> None:
    made = settings_for(tmp_path)
    assert (made.rate_limit, made.rate_limit_anonymous) == (None, None)


# Real processes.


@pytest.fixture(params=["embedded", "redis"])
def limited(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Deployment]:
    """A server of two processes that lets 60 requests through in 20 seconds."""
    environ = environment(tmp_path / "shop", BODEGA_RATE_LIMIT="60/20")
    if request.param == "redis":
        environ["REDIS_URL"] = request.getfixturevalue("redis_server")
    made = Deployment(environ, 2, tmp_path)
    made.start("serve", "--port", str(made.port), "--workers", "2")
    made.wait_until(lambda: made.get("/health")[0] == 200)
    yield made
    made.stop()


@pytest.mark.slow
def test_all_processes_of_a_server_count_together(limited: Deployment) -> None:
    answers: list[tuple[int, dict[str, str]]] = []

    def ask() -> None:
        for _ in range(20):
            status, _, headers = limited.call("GET", PRODUCTS)
            answers.append((status, headers))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert Counter(status for status, _ in answers) == {200: 60, 429: 100}
    lefts = sorted(parsed(h["ratelimit"])["r"] for status, h in answers if status == 200)
    assert lefts == list(range(60)), "each number is told once"
    wait = max(parsed(headers["ratelimit"])["t"] for _, headers in answers)
    time.sleep(wait)
    assert limited.get(PRODUCTS)[0] == 200
