"""The client of the SDK: it comes back, goes on where it stopped, and renews its token."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

import pytest

from bodega.database.tables import EventRow
from bodega_sdk import realtime
from bodega_sdk.realtime import Follower, Gap, Place, Received, Refused

pytestmark = pytest.mark.parametrize("engine", ["sqlite"])

Follow = Callable[..., Follower]


@pytest.fixture
def follow(door: Any, publisher: Any, monkeypatch: pytest.MonkeyPatch) -> Follow:
    """Return a follower of the publisher's channel; with the token unless told otherwise."""
    monkeypatch.setattr(realtime, "_SOON", 0.05)

    async def usual() -> str:
        return str(door.token)

    def begin(channel: str = publisher.channel, token: Any = usual, **options: Any) -> Follower:
        return Follower(f"ws://127.0.0.1:{door.port}/ws", [channel], token, **options)

    return begin


def first(follower: Follower, count: int, act: Callable[[int], Any] = lambda seen: None) -> Any:
    """Return the next events and gaps, and do something after each."""

    async def collect() -> list[Any]:
        found: list[Any] = []
        async with asyncio.timeout(30), follower:
            async for news in follower:
                found.append(news)
                act(len(found))
                if len(found) == count:
                    break
        return found

    return run(collect())


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


def test_it_goes_on_where_it_stopped_however_often_the_connection_is_lost(
    follow: Follow, server: Any, publisher: Any
) -> None:
    epoch = server._hub.epoch
    follower = follow(places={publisher.channel: Place(0, epoch)})

    def cut(seen: int) -> None:
        if seen % 20 == 0:
            for listener in tuple(server._hub.listeners):
                loop = server._loop
                loop.call_soon_threadsafe(listener._websocket.transport.abort)

    with publisher.publishing(pause=0.002):
        found = first(follower, 100, cut)
    assert [news.data["number"] for news in found] == list(range(100))
    assert all(isinstance(news, Received) for news in found)
    assert follower.places[publisher.channel] == Place(found[-1].offset, epoch)
    publisher.publish(5)  # It may have been told all that there was.
    resumed = first(follow(places=follower.places), 5)
    assert [news.data["number"] for news in resumed] == list(range(100, 105))


def test_what_was_missed_for_good_is_told(
    follow: Follow, publisher: Any, server: Any, eventually: Callable[..., None]
) -> None:
    publisher.publish(3)
    pruned = publisher.settle()
    eventually(lambda: server._hub.position >= pruned)
    EventRow.delete().where(EventRow.offset <= pruned).execute()
    follower = follow(places={publisher.channel: Place(0, server._hub.epoch)})
    with publisher.publishing(pause=0.01):
        gap, news = first(follower, 2)
    assert isinstance(gap, Gap)
    assert news.offset == gap.place.offset + 1
    another = follow(places={publisher.channel: Place(0, "another shop")})
    assert isinstance(first(another, 1)[0], Gap)


def test_it_renews_its_token_in_time(follow: Follow, issue: Any, publisher: Any) -> None:
    asked: list[str] = []

    async def token() -> str:
        asked.append(issue(lifetime=timedelta(seconds=3)))
        return asked[-1]

    with publisher.publishing(pause=0.05):
        found = first(follow(token=token), 100)
    numbers = [news.data["number"] for news in found]
    assert numbers == list(range(numbers[0], numbers[0] + 100))
    assert len(asked) >= 2


def test_what_is_refused_is_raised(follow: Follow, issue: Any, publisher: Any) -> None:
    async def of_user() -> str:
        return str(issue("user"))

    async def bad() -> str:
        return "nonsense"

    for options, code in (
        ({"token": of_user}, "permission-denied"),
        ({"token": bad}, "unauthenticated"),
        ({"channel": "nothing.x"}, "unknown-channel"),
    ):
        with pytest.raises(Refused) as refused:
            first(follow(**options), 1)
        assert refused.value.code == code


def test_it_may_ask_for_the_latest_values(follow: Follow, publisher: Any, server: Any) -> None:
    publisher.publish(30)
    publisher.settle()
    places = {publisher.channel: Place(0, server._hub.epoch)}
    found = first(follow(places=places, conflate=50), 2)
    assert [news.data["number"] for news in found] == [0, 29]
