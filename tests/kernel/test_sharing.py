"""Connections are shared among the processes of a server, whichever is quickest."""

import http.client
import os
import select
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from bodega.http.sharing import Shares
from bodega_sdk.testing.deployment import Deployment, environment

pytestmark = pytest.mark.skipif(not hasattr(select, "epoll"), reason="epoll is Linux's")


class Worker:
    """What the arbiter forks."""

    share: object = None


def given(shares: Shares) -> tuple[Worker, object]:
    worker = Worker()
    shares.give(None, worker)
    return worker, worker.share


def test_who_has_more_than_another_knows_it() -> None:
    shares = Shares()
    (_, one), (second, two), (_, three) = given(shares), given(shares), given(shares)
    one.tell(0)
    # Who has not begun, or takes no more, has not fewer.
    assert not one.is_larger()
    one.tell(3)
    assert not one.is_larger()
    two.tell(3)
    assert not one.is_larger()
    two.tell(2)
    three.tell(5)
    assert (one.is_larger(), two.is_larger(), three.is_larger()) == (True, False, True)
    # It has ended without a word.
    shares.take_back(second)
    assert (one.is_larger(), three.is_larger()) == (False, True)
    one.leave()
    assert not three.is_larger()


def test_places_are_given_again() -> None:
    shares = Shares()
    for _ in range(1000):
        worker, share = given(shares)
        assert share is not None
        share.tell(7)
        shares.take_back(worker)
    _, last = given(shares)
    last.tell(9)
    assert not last.is_larger()


def test_beyond_all_places_processes_are_not_counted() -> None:
    shares = Shares()
    workers = [given(shares)[0] for _ in range(300)]
    assert workers[-1].share is None
    for worker in workers:
        shares.take_back(worker)


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Deployment]:
    """A server of two processes."""
    environ = environment(tmp_path / "shop", BODEGA_RATE_LIMIT="off")
    shop = Deployment(environ, 2, tmp_path)
    try:
        shop.command("migrate")
        shop.start("serve", "--port", str(shop.port), "--workers", "2", "--threads", "2")
        shop.wait_until(lambda: shop.get("/health")[0] == 200)
        yield shop
    finally:
        shop.stop()


def held(shop: Deployment, number: int) -> list[http.client.HTTPConnection]:
    """Return connections that are kept."""
    made = []
    for _ in range(number):
        connection = http.client.HTTPConnection("127.0.0.1", shop.port, timeout=15)
        connection.request("GET", "/health")
        assert connection.getresponse().read()
        made.append(connection)
    return made


def holders(connections: list[http.client.HTTPConnection]) -> Counter[int]:
    """Return how many of the connections each process has, by the files that it has open."""
    ours = {one.sock.getsockname()[1] for one in connections}
    lines = map(str.split, Path("/proc/net/tcp").read_text().splitlines()[1:])
    sockets = {
        f"socket:[{words[9]}]" for words in lines if int(words[2].partition(":")[2], 16) in ours
    }
    found: Counter[int] = Counter()
    for file in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):
            found[int(file.parts[2])] += os.readlink(file) in sockets
    del found[os.getpid()]
    return +found


@pytest.mark.slow
def test_no_process_has_most_of_them(serving: Deployment) -> None:
    deadline = time.monotonic() + 20
    # Both have to have begun.
    while len(holders(some := held(serving, 6))) < 2:
        assert time.monotonic() < deadline
        for one in some:
            one.close()
    for one in some:
        one.close()
    time.sleep(0.5)
    for _ in range(5):
        connections = held(serving, 16)
        shares = holders(connections)
        assert sorted(shares.values()) in ([8, 8], [7, 9]), shares
        for one in connections:
            one.close()
        time.sleep(0.3)
    # Whoever has gone is waited for no more.
    connections = held(serving, 4)
    os.kill(next(iter(holders(connections))), signal.SIGKILL)
    time.sleep(1)
    began = time.monotonic()
    more = held(serving, 10)
    assert time.monotonic() - began < 5
    for one in (*connections, *more):
        one.close()
