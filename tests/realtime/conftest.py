"""Fixtures: a real-time server on the shop of the test, clients, and somebody who publishes."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from bodega.addons import lifecycle
from bodega.database import outbox
from bodega.database.tables import EventRow
from bodega.editions import Edition
from bodega.jobs.relay import Relay
from bodega.settings import Settings
from bodega.shop import Shop
from bodega_imports.events import import_progressed
from bodega_realtime.server import Server
from bodega_sdk.runtime import bound

KEY = "0190a000-0000-7000-8000-000000000001"
CHANNEL = f"imports.{KEY}"


@dataclass
class Socket:
    """A client's end of a connection; every wait ends after five seconds."""

    connection: ClientConnection

    def send(self, type: str, **members: Any) -> None:
        """Send a message."""
        self.connection.send(json.dumps({"type": type, **members}))

    def receive(self, timeout: float = 5) -> dict[str, Any]:
        """Return the next message."""
        found: dict[str, Any] = json.loads(self.connection.recv(timeout))
        return found

    def ask(self, type: str, **members: Any) -> dict[str, Any]:
        """Send a message and return the next one."""
        self.send(type, **members)
        return self.receive()

    def events(self, count: int) -> list[dict[str, Any]]:
        """Return the next messages, which are events."""
        found = [self.receive() for _ in range(count)]
        assert {message["type"] for message in found} <= {"event"}, found
        return found

    def numbers(self, count: int) -> list[int]:
        """Return the numbers that the publisher put into the next events."""
        return [event["data"]["number"] for event in self.events(count)]

    def drop(self) -> None:
        """Lose the connection without a word."""
        self.connection.socket.shutdown(socket.SHUT_RDWR)

    def is_silent(self, timeout: float = 0.2) -> bool:
        """Whether nothing comes."""
        try:
            self.connection.recv(timeout)
        except TimeoutError:
            return True
        return False

    def closed(self, timeout: float = 5) -> int:
        """Wait for the end of the connection; return the code that the server gave."""
        deadline = time.monotonic() + timeout
        try:
            while True:
                self.connection.recv(max(0.0, deadline - time.monotonic()))
        except ConnectionClosed as end:
            return end.rcvd.code if end.rcvd else 1006


@dataclass
class Door:
    """Where clients of a server come in.

    Args:
        token: given by those who do not say otherwise.
    """

    port: int
    token: str
    stack: ExitStack

    def open(self, token: str | None = None, path: str = "/ws", **options: Any) -> Socket:
        """Return a connection that says nothing about who it is, or brings a token."""
        headers = {"Authorization": f"Bearer {token}"} if token else None
        address = f"ws://127.0.0.1:{self.port}{path}"
        client = connect(
            address, proxy=None, compression=None, additional_headers=headers,
            # A client that does not read all does not see the server's farewell either.
            close_timeout=0.2, **options,
        )  # fmt: skip
        return Socket(self.stack.enter_context(client))

    def enter(self, token: str | None = None, **options: Any) -> Socket:
        """Return a connection that is logged in."""
        client = self.open(token or self.token, **options)
        assert client.receive()["type"] == "authenticated"
        return client

    def subscribe(self, channel: str = CHANNEL, **members: Any) -> Socket:
        """Return a connection that has a subscription."""
        client = self.enter()
        assert client.ask("subscribe", channel=channel, **members)["type"] == "subscribed"
        return client


@contextmanager
def serving(shop: Shop) -> Iterator[Server]:
    """Run a server on a shop, in a thread."""
    server = Server(shop, "127.0.0.1", 0)
    loops: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        stopping = asyncio.Event()
        try:
            await server.start()
        except BaseException as error:
            loops.set_exception(error)
            raise
        loops.set_result((asyncio.get_running_loop(), stopping))
        await stopping.wait()
        await server.stop()

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    loop, stopping = loops.result(10)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(stopping.set)
        thread.join(10)
        assert not thread.is_alive()


@contextmanager
def relaying(shop: Shop) -> Iterator[None]:
    """Number events and pass them on, as a worker does."""
    relay = Relay(shop, interval=0.02)
    relay.start()
    try:
        yield
    finally:
        relay.stop()


@contextmanager
def door_of(shop: Shop, port: int) -> Iterator[Door]:
    """Let clients in; they leave at the end."""
    with ExitStack() as stack:
        yield Door(port, token_for(shop), stack)


def token_for(
    shop: Shop,
    *roles: str,
    subject: str = "ada",
    use: str = "access",
    lifetime: timedelta = timedelta(minutes=5),
) -> str:
    """Return a token; of staff unless other roles are given."""
    return shop.current.issue_token(subject, roles or ("staff",), use, lifetime, {})


@dataclass
class Publisher:
    """Publishes numbered events: 0, 1, 2 …"""

    shop: Shop
    published: int = 0
    channel: str = CHANNEL
    _stopping: threading.Event = field(default_factory=threading.Event)
    _error: BaseException | None = None

    def publish(self, count: int = 1, key: str = KEY, **data: Any) -> None:
        """Publish events, each in a transaction of its own."""
        with bound(self.shop.current):
            for _ in range(count):
                with self.shop.transaction():
                    import_progressed.publish(key, {"number": self.published, **data})
                self.published += 1

    def settle(self) -> int:
        """Wait until everything published has its offset; return the newest one."""
        deadline = time.monotonic() + 5
        while EventRow.select().where(EventRow.offset.is_null()).exists():
            assert time.monotonic() < deadline, "nobody numbers the events"
            time.sleep(0.01)
        return outbox.last_offset(self.shop.databases.shop)

    @contextmanager
    def publishing(self, pause: float = 0.001, **data: Any) -> Iterator[None]:
        """Publish from a thread all the while."""
        self._stopping.clear()
        thread = threading.Thread(target=self._go_on, args=(pause, data), daemon=True)
        thread.start()
        try:
            yield
        finally:
            self.stop()
            thread.join(10)
        assert self._error is None, self._error

    def stop(self) -> None:
        """Publish nothing more."""
        self._stopping.set()

    def _go_on(self, pause: float, data: dict[str, Any]) -> None:
        try:
            while not self._stopping.wait(pause):
                self.publish(**data)
        except BaseException as error:
            self._error = error
        finally:
            self.shop.databases.close()


@pytest.fixture
def publisher(shop: Shop) -> Publisher:
    """Somebody who publishes."""
    return Publisher(shop)


@pytest.fixture
def server(shop: Shop, publisher: Publisher) -> Iterator[Server]:
    """A real-time server on the shop of the test, and a relay."""
    with relaying(shop):
        publisher.settle()
        with serving(shop) as found:
            yield found


@pytest.fixture
def door(shop: Shop, server: Server) -> Iterator[Door]:
    """Where its clients come in."""
    with door_of(shop, server.port) as found:
        yield found


@pytest.fixture
def eventually() -> Callable[..., None]:
    """Wait until a condition holds."""

    def wait(true: Callable[[], object], timeout: float = 5) -> None:
        deadline = time.monotonic() + timeout
        while not true():
            assert time.monotonic() < deadline, "it did not come about in time"
            time.sleep(0.01)

    return wait


@pytest.fixture
def door_at(shop: Shop, publisher: Publisher) -> Iterator[Callable[[int], Door]]:
    """Let clients in at a port of another process; events are numbered meanwhile."""
    with ExitStack() as stack:
        stack.enter_context(relaying(shop))
        publisher.settle()
        yield lambda port: stack.enter_context(door_of(shop, port))


@dataclass
class House:
    """A shop on PostgreSQL and Redis, with everything around it."""

    shop: Shop
    server: Server
    door: Door
    publisher: Publisher


@pytest.fixture
def open_house(postgres_url: str, tmp_path: Path) -> Iterator[Callable[..., House]]:
    """Start a shop on PostgreSQL and a Redis, and its real-time server."""
    with ExitStack() as stack:

        def start(redis_url: str, *, relayed: bool = True) -> House:
            settings = Settings(
                tmp_path / "shop", postgres_url, redis_url, "a key for tests only, not a secret"
            )
            shop = Shop(settings, connections=10)
            stack.callback(shop.databases.close)
            lifecycle.prepare(shop, Edition("test", ("accounts", "products", "imports")))
            shop.refresh()
            outbox.relay(shop.databases.shop)
            if relayed:
                stack.enter_context(relaying(shop))
            server = stack.enter_context(serving(shop))
            door = stack.enter_context(door_of(shop, server.port))
            return House(shop, server, door, Publisher(shop))

        yield start


@pytest.fixture
def issue(shop: Shop) -> Callable[..., str]:
    """Issue access tokens; of staff unless other roles are given."""

    def make(*roles: str, **options: Any) -> str:
        return token_for(shop, *roles, **options)

    return make
