"""Fixtures: a shop with webhooks, and receivers: real HTTP servers on 127.0.0.1."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bodega.addons import lifecycle
from bodega.editions import Edition
from bodega.http.app import build_app
from bodega.operator_settings import change
from bodega.shop import Shop
from bodega_sdk import Event, transaction
from bodega_sdk.events import Occurrence
from bodega_sdk.runtime import bound
from bodega_sdk.testing.client import Client
from bodega_sdk.testing.working import Jobs
from bodega_webhooks.models import Delivery
from bodega_webhooks.sender import send_due

ADDONS = ("accounts", "products", "webhooks")
WEBHOOKS = "/api/v1/webhooks"


@dataclass(frozen=True)
class Received:
    """A request as it arrived."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float


@dataclass
class Sink:
    """A receiver.

    Args:
        answer: takes what was received; returns an answer, after waiting if it likes.
    """

    answer: Callable[[Received], Any] = lambda received: web.Response(text="thanks")
    received: list[Received] = field(default_factory=list)
    port: int = 0
    at_once: int = 0
    most_at_once: int = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def ids(self) -> list[str]:
        """The ids of the messages, as they arrived."""
        return [item.headers["webhook-id"] for item in self.received]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Keep a request and answer it."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        item = Received(request.path, headers, await request.read(), time.monotonic())
        self.received.append(item)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            answer = self.answer(item)
            found: web.StreamResponse = await answer if asyncio.iscoroutine(answer) else answer
            return found
        finally:
            self.at_once -= 1


@contextmanager
def listening(sink: Sink) -> Iterator[Sink]:
    """Serve a sink from a thread of its own."""
    loop = asyncio.new_event_loop()
    app = web.Application(client_max_size=10_000_000)
    app.router.add_route("*", "/{path:.*}", sink.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    ready = threading.Event()

    async def begin() -> None:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        sink.port = runner.addresses[0][1]
        ready.set()

    def serve() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(begin())
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        loop.close()

    thread = threading.Thread(target=serve)
    thread.start()
    assert ready.wait(10)
    try:
        yield sink
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


@pytest.fixture
def new_sink() -> Iterator[Callable[..., Sink]]:
    """Make a receiver."""
    with ExitStack() as stack:
        yield lambda **told: stack.enter_context(listening(Sink(**told)))


@pytest.fixture
def sink(new_sink: Callable[..., Sink]) -> Sink:
    """A receiver that takes everything."""
    return new_sink()


@dataclass
class Bench:
    """A shop with webhooks and what a worker does in it, when the test says so."""

    shop: Shop
    stack: ExitStack
    jobs: Jobs

    def set(self, name: str, value: Any) -> None:
        """Give a setting a value."""
        change(self.shop, f"webhooks.{name}", value)
        self.follow()

    def follow(self) -> None:
        """Serve what is written down now."""
        self.shop.refresh()
        self.stack.enter_context(bound(self.shop.current))

    def publish(self, name: str, key: str = "k-1", /, **data: Any) -> None:
        """Publish an event of another addon's name."""
        event = self.shop.assembly.events[name]
        assert isinstance(event, Event)
        with transaction():
            event.publish(key, data)

    def feed(self) -> None:
        """Give events to those who subscribed."""
        self.jobs.run_all()

    def send(self) -> None:
        """Send what is due."""
        send_due()

    def deliveries(self) -> list[Delivery]:
        """All deliveries, oldest first."""
        return list(Delivery.select().order_by(Delivery.event_offset, Delivery.id))


@pytest.fixture
def shop(engine: str, tmp_path: Path, templates: Any, request: Any) -> Iterator[Shop]:
    """A started shop with webhooks, bound to the test."""
    server = request.getfixturevalue("postgres_server") if engine == "postgres" else ""
    settings = templates.copy(engine, ADDONS, tmp_path / "shop", server)
    made = Shop(settings, build_app, connections=10)
    if not lifecycle.is_prepared(made):
        lifecycle.prepare(made, Edition("test", ADDONS))
    made.refresh()
    with bound(made.current):
        yield made
    made.databases.close()


@pytest.fixture
def bench(shop: Shop) -> Iterator[Bench]:
    """The same, and what is done in it; receivers on this machine are allowed."""
    with ExitStack() as stack:
        made = Bench(shop, stack, Jobs(shop))
        made.set("allow_hosts", "127.0.0.1, localhost")
        made.jobs.begin_to_listen()
        yield made


@pytest.fixture
def webhook(bench: Bench, admin: Client) -> Callable[..., dict[str, Any]]:
    """Make a webhook through the API."""

    def make(url: str, *event_types: str, **told: Any) -> dict[str, Any]:
        body = {"url": url, "event_types": list(event_types or ("*",)), **told}
        found: dict[str, Any] = admin.post(WEBHOOKS, body).expect(201)
        bench.feed()
        return found

    return make


def occurrence(name: str = "order.paid", offset: int = 1, **told: Any) -> Occurrence:
    """Return an event as readers see it."""
    from bodega_sdk import now

    values = {"version": 1, "key": "o-1", "data": {}, "occurred_at": now()} | told
    return Occurrence(offset, name, **values)
