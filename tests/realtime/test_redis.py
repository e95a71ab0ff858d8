"""The feed through Redis: sooner than the log, and never trusted more than it."""

import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import RedisError

from bodega.database import outbox
from bodega.jobs.stream import EventStream
from bodega.shop import Shop
from bodega_realtime import feed, stream
from bodega_sdk.encoding import to_json
from bodega_sdk.testing import servers


@pytest.fixture
def own_redis() -> Iterator[servers.Server]:
    """A Redis that the test may kill."""
    server = servers.redis()
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "_BLOCK", 200)
    monkeypatch.setattr(stream, "_PAUSE", 0.2)


def reads_the_stream(url: str) -> bool:
    """Whether somebody waits in XREAD there."""
    with Redis.from_url(url) as redis:
        return any(client["cmd"] == "xread" for client in redis.client_list())


def add_to_stream(shop: Shop, offset: int, *, as_offset: int | None = None) -> None:
    """Add one event of the log to the stream, as the relay does."""
    (event,) = outbox.read(shop.databases.shop, offset - 1, 1)
    body = {"name": event.name, "key": event.key, "version": event.version,
            "data": event.data, "occurred_at": event.occurred_at}  # fmt: skip
    key = EventStream(shop.settings.redis_url, shop.shop_id).key
    with Redis.from_url(shop.settings.redis_url) as redis:
        redis.xadd(key, {"e": to_json(body)}, id=f"{as_offset or offset}-0")


def test_events_arrive_through_the_stream(
    open_house: Any, redis_server: str, eventually: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    house = open_house(redis_server)
    socket = house.door.subscribe()
    eventually(lambda: reads_the_stream(redis_server))
    # Whoever read the log now would wait.
    monkeypatch.setattr(feed, "TICK", 60)
    with house.publisher.publishing():
        assert socket.numbers(200) == list(range(200))


def test_a_stream_with_gaps_is_completed_from_the_log(open_house: Any, redis_server: str) -> None:
    house = open_house(redis_server, relayed=False)
    socket = house.door.subscribe()
    before = outbox.last_offset(house.shop.databases.shop)
    house.publisher.publish(9)
    outbox.relay(house.shop.databases.shop)
    for number in (2, 3, 6, 9):
        add_to_stream(house.shop, before + number)
    assert socket.numbers(9) == list(range(9))
    assert socket.is_silent(0.5)


def test_a_stream_that_says_nothing_is_no_proof_that_nothing_happened(
    open_house: Any, redis_server: str
) -> None:
    house = open_house(redis_server, relayed=False)
    socket = house.door.subscribe()
    house.publisher.publish(3)
    outbox.relay(house.shop.databases.shop)
    assert socket.numbers(3) == [0, 1, 2]


def test_a_stream_that_is_ahead_of_the_log_is_not_believed(
    open_house: Any, redis_server: str
) -> None:
    house = open_house(redis_server, relayed=False)
    socket = house.door.subscribe()
    house.publisher.publish(2)
    outbox.relay(house.shop.databases.shop)
    newest = outbox.last_offset(house.shop.databases.shop)
    add_to_stream(house.shop, newest, as_offset=newest + 1000)
    assert socket.numbers(2) == [0, 1]
    house.publisher.publish(1)
    outbox.relay(house.shop.databases.shop)
    assert socket.numbers(1) == [2]
    assert socket.is_silent()


def test_what_is_no_event_in_the_stream_harms_nobody(open_house: Any, redis_server: str) -> None:
    house = open_house(redis_server, relayed=False)
    socket = house.door.subscribe()
    key = EventStream(redis_server, house.shop.shop_id).key
    with Redis.from_url(redis_server) as redis:
        redis.xadd(key, {"x": "y"}, id="5000-0")
    house.publisher.publish(2)
    outbox.relay(house.shop.databases.shop)
    assert socket.numbers(2) == [0, 1]


@pytest.mark.slow
def test_a_redis_that_is_killed_and_comes_back_loses_and_doubles_nothing(
    open_house: Any, own_redis: servers.Server, eventually: Callable[..., None]
) -> None:
    house = open_house(own_redis.url)
    socket, received = house.door.subscribe(), 0
    with house.publisher.publishing(pause=0.002):
        assert socket.numbers(100) == list(range(100))
        assert own_redis.process is not None
        own_redis.process.kill()
        own_redis.process.wait()
        assert socket.numbers(300) == list(range(100, 400))
        again = subprocess.Popen(
            own_redis.process.args, cwd=own_redis.folder, stdout=subprocess.DEVNULL
        )
        try:
            eventually(lambda: answers(own_redis.url) and reads_the_stream(own_redis.url))
            received = house.publisher.published
            assert socket.numbers(received + 200 - 400) == list(range(400, received + 200))
        finally:
            again.kill()
            again.wait()
    rest = list(range(received + 200, house.publisher.published))
    assert socket.numbers(len(rest)) == rest
    assert socket.is_silent()


def answers(url: str) -> bool:
    """Whether a Redis answers."""
    try:
        with Redis.from_url(url) as redis:
            return bool(redis.ping())
    except RedisError:
        return False
