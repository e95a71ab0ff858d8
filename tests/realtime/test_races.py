"""What happens while the log is being read is neither left out nor told twice."""

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from bodega.database import outbox
from bodega.shop import Shop
from bodega_imports.events import import_completed, import_progressed
from bodega_realtime import messages, reader, subscriptions
from bodega_realtime.feed import Feed
from bodega_realtime.reader import LogReader, Page
from bodega_realtime.replay import replay
from bodega_realtime.subscriptions import Hub, Part, Subscription
from bodega_sdk import Channel
from bodega_sdk.runtime import bound

PROGRESS = Channel("progress.{id}", ("import.progressed",), "imports.read", "Progress")
ENDS = Channel("ends.{id}", ("import.completed",), "imports.read", "Ends")


@dataclass
class Listener:
    """An outlet that keeps what it is given, and does something after the first event."""

    then: Callable[[], Any] = lambda: None
    received: list[int] = field(default_factory=list)
    open: bool = True

    def deliver(self, payload: bytes) -> None:
        """Keep the event's offset."""
        self.received.append(json.loads(payload)["offset"])
        then, self.then = self.then, lambda: None
        then()

    async def has_room(self) -> bool:
        """Unless the client is gone."""
        return self.open


class Interrupted(LogReader):
    """A reader of the log with something that happens after its first read."""

    meanwhile: Callable[[], Any] = staticmethod(lambda: None)
    reads: int = 0

    def _page(self, *arguments: Any, **options: Any) -> Page:
        page = super()._page(*arguments, **options)
        self.reads += 1
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()
        return page


@pytest.fixture
def log(shop: Shop) -> Iterator[Interrupted]:
    """A reader of the log."""
    found = Interrupted(shop, "log")
    yield found
    asyncio.run(found.close())


@pytest.fixture
def hub(shop: Shop) -> Hub:
    """A hub that has handed out everything."""
    outbox.relay(shop.databases.shop)
    newest = outbox.last_offset(shop.databases.shop)
    return Hub(shop.shop_id, newest, (PROGRESS, ENDS))


def publish(shop: Shop, *events: Any) -> None:
    """Publish events and number them."""
    with bound(shop.current), shop.transaction():
        for event in events:
            event.publish("x", {})
    outbox.relay(shop.databases.shop)


def listen(hub: Hub, channel: Channel, outlet: Any) -> Subscription:
    """Begin to listen."""
    part = Part(channel.name.replace("{id}", "x"), channel, "x")
    subscription = Subscription((part,), outlet, messages.event)
    hub.add(subscription)
    return subscription


async def follow(feed: Feed, count: int, *listeners: Listener) -> None:
    """Run a feed until the listeners received so many events altogether."""
    task = asyncio.create_task(feed.run())
    async with asyncio.timeout(5):
        while sum(len(listener.received) for listener in listeners) < count:
            await asyncio.sleep(0.01)
    task.cancel()


def test_who_comes_during_a_read_gets_what_it_left_out(
    shop: Shop, hub: Hub, log: Interrupted
) -> None:
    early, late, start = Listener(), Listener(), hub.position
    listen(hub, PROGRESS, early)
    publish(shop, import_progressed, import_completed, import_progressed)
    log.meanwhile = lambda: listen(hub, ENDS, late)
    asyncio.run(follow(Feed(hub, log, None), 3, early, late))
    assert late.received == [start + 2]
    assert early.received == [start + 1, start + 3]


def test_who_comes_between_two_events_of_a_read_gets_what_it_left_out(
    shop: Shop, hub: Hub, log: Interrupted
) -> None:
    late, start = Listener(), hub.position
    early = Listener(lambda: listen(hub, ENDS, late))
    listen(hub, PROGRESS, early)
    publish(shop, import_progressed, import_completed, import_progressed)
    asyncio.run(follow(Feed(hub, log, None), 3, early, late))
    assert late.received == [start + 2]
    assert early.received == [start + 1, start + 3]


def resume(subscription: Subscription, offset: int, hub: Hub, log: Any) -> None:
    """Replay what happened behind an offset."""
    answers: list[bool] = []
    found = replay(subscription, offset, lambda _, recovered: answers.append(recovered), hub, log)
    assert asyncio.run(found) is True
    assert set(answers) <= {True}


@pytest.mark.parametrize("kept", [2**20, 500])
def test_what_happens_during_a_replay_follows_it_however_much_it_is(
    shop: Shop, hub: Hub, log: Interrupted, monkeypatch: pytest.MonkeyPatch, kept: int
) -> None:
    monkeypatch.setattr(subscriptions, "_MOST_WAITING", kept)
    returning, start = Listener(), hub.position
    subscription = listen(hub, PROGRESS, returning)
    publish(shop, *[import_progressed] * 3)

    def more() -> None:
        # The hub hands out what the replay has read already, and five more.
        publish(shop, *[import_progressed] * 5)
        for event in tuple(outbox.read(shop.databases.shop, hub.position)):
            hub.dispatch(event)

    log.meanwhile = more
    resume(subscription, start, hub, log)
    assert returning.received == list(range(start + 1, start + 9))
    publish(shop, import_progressed)
    asyncio.run(follow(Feed(hub, log, None), 9, returning))
    assert returning.received[-1] == start + 9


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_subscription_that_ends_during_its_replay_gets_nothing_more(
    shop: Shop, hub: Hub, log: Interrupted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "PAGE", 2)
    start = hub.position
    publish(shop, *[import_progressed] * 5)

    def end() -> None:
        for event in tuple(outbox.read(shop.databases.shop, hub.position)):
            hub.dispatch(event)
        hub.remove(subscription)
        subscription.open = False

    for returning, received in ((Listener(), []), (Listener(end), [start + 1])):
        hub.position = start
        subscription = listen(hub, PROGRESS, returning)
        log.meanwhile = end if not received else lambda: None
        resume(subscription, start, hub, log)
        assert returning.received == received


@pytest.mark.parametrize("engine", ["sqlite"])
def test_the_log_is_not_read_on_for_a_client_that_is_gone(
    shop: Shop, hub: Hub, log: Interrupted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "PAGE", 2)
    start = hub.position
    publish(shop, *[import_progressed] * 9)
    gone = Listener(lambda: setattr(gone, "open", False))
    resume(listen(hub, PROGRESS, gone), start, hub, log)
    assert gone.received == [start + 1]
    assert log.reads == 1
