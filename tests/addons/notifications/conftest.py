"""Fixtures: a shop that tells people things, people, and the servers that it tells them at."""

import json
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import apprise
import pytest
from tests import copied_shop
from tests.addons.people import account_of

from bodega.shop import Shop
from bodega_accounts.models import Account
from bodega_notifications.models import Delivery
from bodega_sdk.testing.client import Client

settings, shop, new_shop = copied_shop.settings, copied_shop.shop, copied_shop.new_shop


@pytest.fixture
def edition() -> tuple[str, ...]:
    """The addons of the shop."""
    return ("accounts", "products", "imports", "notifications")


@pytest.fixture(autouse=True, scope="session")
def _apprise() -> None:
    """Import all of apprise's services once: some of them warn of what Python will drop."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        apprise.Apprise.instantiate("json://localhost")


@pytest.fixture
def run(run: Callable[..., str]) -> Callable[..., str]:
    """Run ``bodega notifications …``; return what it printed."""
    return partial(run, "notifications")


@dataclass
class Person:
    """Somebody with an account, and what they see."""

    account: Account
    nobody: Client

    @property
    def client(self) -> Client:
        """A client that they are logged in with now."""
        return self.nobody.as_user(self.account.role, subject=str(self.account.id))

    @property
    def id(self) -> Any:
        """The account's id."""
        return self.account.id

    @property
    def email(self) -> str:
        """Their address."""
        return str(self.account.email)

    def inbox(self, query: str = "") -> list[dict[str, Any]]:
        """What stands in their inbox."""
        found: list[dict[str, Any]] = self.client.get(f"/api/v1/notifications{query}").expect(200)[
            "results"
        ]
        return found

    @property
    def unread(self) -> int:
        """How many they have not read."""
        return int(self.client.get("/api/v1/notifications/unread-count").expect(200)["unread"])

    def prefer(self, **preferences: Any) -> Any:
        """Set their preferences."""
        return self.client.put("/api/v1/notifications/preferences", preferences).expect(200)

    def sent(self, channel: str) -> list[Delivery]:
        """What was to leave the shop for them by a way."""
        mine = (Delivery.account == self.id) & (Delivery.channel == channel)
        return list(Delivery.select().where(mine).order_by(Delivery.id))


@pytest.fixture
def person(client: Client) -> Callable[..., Person]:
    """Make somebody: ``person("vera", phone="+49 30 1", preferences={"language": "de"})``."""

    def make(name: str, role: str = "user", **members: Any) -> Person:
        return Person(account_of(name, role, **members), client)

    return make


@pytest.fixture
def vera(person: Any) -> Person:
    """A user."""
    found: Person = person("vera")
    return found


@dataclass
class Sink:
    """A server that takes whatever is posted, or answers as it is told to."""

    taken: list[dict[str, Any]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    asked: int = 0
    port: int = 0

    def titles(self) -> list[str]:
        """What it took, by the titles."""
        return [item["title"] for item in self.taken]

    @property
    def url(self) -> str:
        """Its address, as apprise writes it."""
        return f"json://127.0.0.1:{self.port}"


@contextmanager
def serving(sink: Sink) -> Iterator[Sink]:
    """Run a sink on 127.0.0.1."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sink.asked += 1
            body = self.rfile.read(int(self.headers["content-length"]))
            status = sink.answers.pop(0) if sink.answers else 200
            if status == 200:
                sink.taken.append(json.loads(body) | {"path": self.path})
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    sink.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield sink
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def sink() -> Iterator[Sink]:
    """A server that takes notifications."""
    with serving(Sink()) as found:
        yield found


@pytest.fixture
def post_to(shop: Shop) -> Callable[[int], None]:
    """Send mail to a server at a port of this machine."""

    def use(port: int) -> None:
        url = f"smtp://127.0.0.1:{port}?starttls=off"
        shop.settings = replace(shop.settings, smtp_url=url, mail_from="Shop <shop@shop.example>")

    return use
