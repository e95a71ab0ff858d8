"""How many are there, over all processes; and what Prometheus is told."""

import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from bodega.presence import PresenceTable
from bodega.shop import Shop
from bodega_realtime import presence


def test_subscribers_are_counted_over_all_processes(
    shop: Shop, door: Any, issue: Any, publisher: Any, eventually: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(presence, "PACE", 0.05)
    channel, table = publisher.channel, PresenceTable(shop.databases.runtime)
    monkeypatch.setattr(door, "token", issue("admin"))
    first, second = door.subscribe(), door.subscribe()
    assert first.ask("presence", channel=channel, id=1) == {
        "type": "presence", "channel": channel, "subscribers": 2, "id": 1
    }  # fmt: skip
    table.tell("another process", {channel: 3, "imports.x": 1})
    assert first.ask("presence", channel=channel)["subscribers"] == 5
    table.tell("another process", {channel: 1})
    assert first.ask("presence", channel=channel)["subscribers"] == 3
    eventually(lambda: table.elsewhere(channel, "another process") == 2, timeout=8)
    second.drop()
    eventually(lambda: table.elsewhere(channel, "another process") == 1, timeout=8)
    table.leave("another process")
    assert first.ask("presence", channel=channel)["subscribers"] == 1
    shop.databases.runtime.execute_sql("UPDATE bodega_presence SET seen_at = 5")
    assert table.elsewhere(channel, "another process") == 0
    stranger = door.enter(issue("staff"))
    assert stranger.ask("presence", channel=channel)["code"] == "permission-denied"
    assert door.open().ask("presence", channel=channel)["code"] == "unauthenticated"


@pytest.mark.parametrize("engine", ["sqlite"])
def test_prometheus_reads_what_the_server_does(
    door: Any, publisher: Any, server: Any, eventually: Callable[..., None]
) -> None:
    def read() -> dict[str, float]:
        with urllib.request.urlopen(f"http://127.0.0.1:{door.port}/metrics", timeout=5) as answer:
            assert answer.headers["Content-Type"].startswith("text/plain; version=")
            lines = answer.read().decode().splitlines()
        pairs = (line.rpartition(" ") for line in lines if not line.startswith("#"))
        return {name: float(value) for name, _, value in pairs}

    sockets = [door.subscribe() for _ in range(2)]
    plain = door.open(door.token, path=f"/ws/{publisher.channel.replace('.', '/')}/")
    eventually(lambda: read()["bodega_realtime_subscriptions"] == 3)
    publisher.publish(2)
    assert [socket.numbers(2) for socket in sockets] == [[0, 1]] * 2
    plain.receive()
    door.subscribe(offset=0).numbers(2)
    door.subscribe(offset=99)
    found = {name.removeprefix("bodega_realtime_"): value for name, value in read().items()}
    assert found['connections{kind="protocol"}'] == 4
    assert found['connections{kind="plain"}'] == 1
    assert found['connections{kind="sse"}'] == 0
    assert found["subscriptions"] == 5
    assert found["deliveries_total"] == 6
    assert (found["replays_total"], found["unrecovered_total"]) == (1, 1)
    assert found["replayed_events_total"] == 2
    assert found["slow_readers_cut_total"] == 0
    assert found["position"] >= 2
    assert found["lag_seconds_count"] == found['lag_seconds_bucket{le="+Inf"}'] == 2
    assert 0 < found["lag_seconds_sum"] < 10
