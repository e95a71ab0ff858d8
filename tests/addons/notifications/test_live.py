"""Live: everybody's own channel, and nobody else's."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from bodega.jobs.relay import Relay
from bodega.shop import Shop
from bodega_notifications import api
from bodega_realtime.server import Server
from bodega_sdk import uuid7


@pytest.fixture
def server(shop: Shop) -> Iterator[Server]:
    """A real-time server on the shop of the test, and a relay."""
    found = Server(shop, "127.0.0.1", 0)
    loops: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        stopping = asyncio.Event()
        await found.start()
        loops.set_result((asyncio.get_running_loop(), stopping))
        await stopping.wait()
        await found.stop()

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    relay = Relay(shop, interval=0.02)
    relay.start()
    thread.start()
    loop, stopping = loops.result(10)
    yield found
    loop.call_soon_threadsafe(stopping.set)
    thread.join(10)
    relay.stop()


class Line:
    """Somebody's end of a connection."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def ask(self, **message: Any) -> dict[str, Any]:
        self._connection.send(json.dumps(message))
        return self.receive()

    def receive(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._connection.recv(5))
        return found

    def follow(self, account: Any) -> dict[str, Any]:
        return self.ask(type="subscribe", channel=f"notifications.{account}")


@pytest.fixture
def line(shop: Shop, server: Server) -> Iterator[Callable[[Any], Line]]:
    """Connect somebody: ``line(vera)``."""
    with ExitStack() as stack:

        def enter(person: Any, *roles: str) -> Line:
            token = shop.current.issue_token(
                str(person.id), roles or ("user",), "access", timedelta(minutes=5), {}
            )
            headers = {"Authorization": f"Bearer {token}"}
            address = f"ws://127.0.0.1:{server.port}/ws"
            connection = connect(
                address, proxy=None, compression=None, additional_headers=headers, close_timeout=0.2
            )
            found = Line(stack.enter_context(connection))
            assert found.receive()["type"] == "authenticated"
            return found

        yield enter


def test_new_notifications_and_the_unread_count_come_live(vera: Any, line: Any) -> None:
    mine = line(vera)
    assert mine.follow(vera.id)["type"] == "subscribed"
    api.notify([vera.id], "import.failed", {"filename": "a.csv"})
    made, counted = mine.receive(), mine.receive()
    assert (made["name"], counted["name"]) == ("notification.created", "inbox.changed")
    assert made["data"]["title"] == "a.csv could not be imported"
    assert (made["data"]["account"], counted["data"]["unread"]) == (str(vera.id), 1)
    vera.client.post(f"/api/v1/notifications/{made['data']['id']}/read").expect(200)
    assert mine.receive()["data"] == {"account": str(vera.id), "unread": 0}


def test_nobody_follows_anothers_channel(vera: Any, person: Any, line: Any) -> None:
    otto = person("otto")
    for role in ("user", "staff", "admin"):
        stranger = line(otto, role)
        for channel in (vera.id, uuid7(), str(vera.id).upper(), "*", f"{vera.id}.x"):
            answer = stranger.follow(channel)
            assert (answer["type"], answer["code"]) == ("error", "permission-denied")
    mine = line(otto)
    assert mine.follow(otto.id)["type"] == "subscribed"
    api.notify([vera.id], "import.failed", {})
    api.notify([otto.id], "import.completed", {})
    assert mine.receive()["data"]["account"] == str(otto.id)


def test_a_plain_stream_carries_ones_own_inbox_and_nobody_elses(
    shop: Shop, server: Server, vera: Any, person: Any
) -> None:
    def stream(of: Any, account: Any) -> Any:
        token = shop.current.issue_token(
            str(of.id), ("user",), "access", timedelta(minutes=5), {}
        )  # fmt: skip
        return connect(
            f"ws://127.0.0.1:{server.port}/ws/notifications/{account}/?offset=0", proxy=None,
            compression=None, additional_headers={"Authorization": f"Bearer {token}"},
            close_timeout=0.2,
        )  # fmt: skip

    api.notify([vera.id], "import.failed", {"filename": "a.csv"})
    with stream(vera, vera.id) as mine, stream(person("otto"), vera.id) as strangers:
        made = json.loads(mine.recv(5))
        assert made["title"] == "a.csv could not be imported"
        assert json.loads(mine.recv(5)) == {"account": str(vera.id), "unread": 1}
        with pytest.raises(ConnectionClosed) as ended:
            strangers.recv(5)
        assert ended.value.rcvd is not None
        assert ended.value.rcvd.code == 4403
