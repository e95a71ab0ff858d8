"""Live events, and what a client that returns has missed."""

from collections.abc import Callable
from typing import Any

import pytest

from bodega.database.tables import EventRow
from bodega.shop import Shop
from bodega_realtime import reader


def test_the_progress_of_an_import_arrives_live(admin: Any, worker: Any, door: Any) -> None:
    csv = b"sku,name,price\n" + b"".join(b"S%d,Lamp %d,9.99\n" % (n, n) for n in range(250))
    answer = admin.request(
        "POST", "/api/v1/imports", body=csv, headers={"Content-Type": "text/csv"}
    )
    run = answer.json["id"]
    socket = door.subscribe(f"imports.{run}")
    worker.run()
    events = [socket.receive()]
    while events[-1]["name"] == "import.progressed":
        events.append(socket.receive())
    assert events[-1]["name"] == "import.completed"
    assert events[-1]["data"]["created"] == 250
    assert {(event["channel"], event["key"]) for event in events} == {(f"imports.{run}", run)}
    offsets = [event["offset"] for event in events]
    assert offsets == sorted(set(offsets))
    assert all(event["occurred_at"].endswith("Z") for event in events)


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_new_subscriber_gets_what_happens_from_now_on(
    shop: Shop, door: Any, publisher: Any, eventually: Callable[..., None]
) -> None:
    publisher.publish(3, key="x")
    newest = publisher.settle()
    socket = door.enter()
    eventually(lambda: socket.ask("ping")["offset"] == newest)
    answer = socket.ask("subscribe", channel="imports.x", id=7)
    assert answer == {
        "type": "subscribed", "channel": "imports.x", "offset": newest, "epoch": shop.shop_id,
        "recovered": True, "id": 7,
    }  # fmt: skip
    publisher.publish(1, key="somebody-else")
    publisher.publish(1, key="x")
    assert [event["key"] for event in socket.events(1)] == ["x"]
    assert socket.is_silent()


@pytest.mark.parametrize("engine", ["sqlite"])
def test_every_subscriber_of_a_channel_gets_the_same(door: Any, publisher: Any) -> None:
    sockets = [door.subscribe() for _ in range(5)]
    publisher.publish(20)
    received = [socket.events(20) for socket in sockets]
    assert [event["data"]["number"] for event in received[0]] == list(range(20))
    assert all(events == received[0] for events in received)


def test_a_returning_client_resumes_without_gap_or_double_while_events_go_on(
    door: Any, publisher: Any
) -> None:
    socket = door.subscribe(offset=0)
    received: list[int] = []
    with publisher.publishing():
        for _ in range(6):
            events = socket.events(40)
            received += [event["data"]["number"] for event in events]
            socket.drop()
            socket = door.enter()
            socket.send("subscribe", channel=events[-1]["channel"], offset=events[-1]["offset"])
            answer = socket.receive()
            assert (answer["type"], answer["recovered"]) == ("subscribed", True)
    received += socket.numbers(publisher.published - len(received))
    assert received == list(range(publisher.published))
    assert socket.is_silent()


def test_a_replay_of_many_pages_joins_what_is_live(
    door: Any, publisher: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "PAGE", 7)
    publisher.publish(100)
    with publisher.publishing():
        sockets = [door.subscribe(offset=0) for _ in range(4)]
        received = [socket.numbers(150) for socket in sockets]
    rest = publisher.published - 150
    for socket, numbers in zip(sockets, received, strict=True):
        assert numbers + socket.numbers(rest) == list(range(publisher.published))
        assert socket.is_silent(0.1)


def test_clients_that_come_and_go_miss_nothing_behind_the_offset_they_were_told(
    door: Any, publisher: Any
) -> None:
    # Each first subscriber has the feed read events that it left out before.
    socket = door.enter()
    with publisher.publishing(pause=0.002):
        for _ in range(6):
            offset = socket.ask("subscribe", channel=publisher.channel)["offset"]
            assert [event["offset"] for event in socket.events(3)] == [
                offset + 1, offset + 2, offset + 3
            ]  # fmt: skip
            socket.send("unsubscribe", channel=publisher.channel)
            while socket.receive()["type"] != "unsubscribed":
                pass


@pytest.mark.parametrize("engine", ["sqlite"])
def test_the_offset_of_another_epoch_is_not_resumed(door: Any, publisher: Any) -> None:
    publisher.publish(2)
    socket = door.enter()
    answer = socket.ask("subscribe", channel="imports.x", offset=1, epoch="another shop")
    assert answer["recovered"] is False
    publisher.publish(1, key="x")
    assert socket.numbers(1) == [2]


def test_an_offset_that_the_log_does_not_know_is_not_resumed(
    door: Any, publisher: Any, eventually: Callable[..., None]
) -> None:
    publisher.publish(5, key="x")
    pruned = publisher.settle()
    EventRow.delete().where(EventRow.offset <= pruned).execute()
    publisher.publish(1, key="x")
    newest = publisher.settle()
    socket = door.enter()
    eventually(lambda: socket.ask("ping")["offset"] == newest)
    for offset, recovered in ((pruned - 1, False), (pruned, True), (newest, True), (99, False)):
        answer = socket.ask("subscribe", channel="imports.x", offset=offset)
        assert (offset, answer["recovered"]) == (offset, recovered)
        assert answer["offset"] == newest
        if offset == pruned:
            assert socket.numbers(1) == [5]
        assert socket.ask("unsubscribe", channel="imports.x")["type"] == "unsubscribed"


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_ping_is_answered_with_the_offset_up_to_which_nothing_is_missing(
    door: Any, publisher: Any
) -> None:
    socket = door.subscribe()
    publisher.publish(3)
    offset = socket.events(3)[-1]["offset"]
    assert socket.ask("ping", id="a") == {"type": "pong", "offset": offset, "id": "a"}
