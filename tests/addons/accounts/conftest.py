"""Fixtures: somebody of every role, people with sessions, mails and many requests at once."""

import re
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import pytest

from bodega.operator_settings import change
from bodega.shop import Shop
from bodega_sdk import ROLES
from bodega_sdk.testing.client import Client

PASSWORD = "a long password"
LOGIN, REFRESH, ME = "/api/v1/auth/login", "/api/v1/auth/refresh", "/api/v1/auth/me"
Change = Callable[[str, Any], None]


@pytest.fixture
def password() -> str:
    """The password of everybody but the administrator."""
    return PASSWORD


@pytest.fixture
def people(admin: Any) -> dict[str, Any]:
    """A client for each role, logged in; the role is also the name in the address."""
    found: dict[str, Any] = {"nobody": replace(admin, token=None), "admin": admin}
    theirs = admin.post("/api/v1/organizations", {"name": "The vendor's"}).expect(201)["id"]
    for role in ROLES[:-1]:
        email, organization = f"{role}@example.com", theirs if role == "vendor" else None
        body = {"email": email, "password": PASSWORD, "role": role, "organization": organization}
        admin.post("/api/v1/users", body).expect(201)
        found[role] = found["nobody"].log_in(email, PASSWORD)
    return found


@dataclass
class Person:
    """Somebody with an account, and with a session once logged in.

    Args:
        client: of nobody in particular.
        tokens: of the session.
    """

    client: Client
    id: str
    email: str
    password: str = PASSWORD
    tokens: Any = None

    @property
    def api(self) -> Client:
        """A client that they are logged in with."""
        return replace(self.client, token=self.tokens["access"])

    @property
    def session(self) -> str:
        """The id of their session."""
        found = self.api.get("/api/v1/auth/sessions").expect(200)["results"]
        return next(item["id"] for item in found if item["current"])

    def log_in(self, **more: Any) -> "Person":
        """Return them with another session; ``more`` is of the request's body or its options."""
        options = {name: more.pop(name) for name in ("remote_addr", "headers") if name in more}
        body = {"email": self.email, "password": self.password} | more
        return replace(self, tokens=self.client.post(LOGIN, body, **options).expect(200))

    def refresh(self) -> Any:
        """Send the refresh token."""
        return self.client.post(REFRESH, {"refresh": self.tokens["refresh"]})

    def refreshed(self) -> "Person":
        """Return them with the next pair of tokens."""
        return replace(self, tokens=self.refresh().expect(200))

    def status(self) -> int:
        """Return what ``GET /auth/me`` answers."""
        return self.api.get(ME).status_code


@pytest.fixture
def signed_up(admin: Any, client: Any) -> Callable[..., Person]:
    """Make somebody with an account who is logged in: ``signed_up("ada", role="staff")``."""

    def make(name: str, **more: Any) -> Person:
        email = f"{name}@example.com"
        body = {"email": email, "password": PASSWORD} | more
        made = admin.post("/api/v1/users", body).expect(201)
        return Person(client, made["id"], email, body["password"]).log_in()

    return make


@pytest.fixture
def vera(signed_up: Any) -> Person:
    """A user who is logged in."""
    found: Person = signed_up("vera")
    return found


@pytest.fixture
def set_to(shop: Shop) -> Change:
    """Give a setting a value: ``set_to("accounts.refresh_days", 2)``."""

    def set_it(name: str, value: Any) -> None:
        change(shop, name, value)
        shop.refresh()

    return set_it


@pytest.fixture
def mailed(mailbox: Any, worker: Any) -> Callable[[str], list[str]]:
    """Return the tokens that were mailed to an address, the last one last."""

    def read(address: str) -> list[str]:
        worker.run()
        texts = (mail.text for mail in mailbox.to(address))
        return [found[1] for text in texts if (found := re.search(r"token:\n\n(\S+)", text))]

    return read


@pytest.fixture
def at_once(shop: Shop) -> Callable[..., list[Any]]:
    """Do things at the same time, in threads; return what they return, in their order."""

    def run(*functions: Callable[[], Any]) -> list[Any]:
        ready, done = threading.Barrier(len(functions)), [None] * len(functions)

        def work(number: int) -> None:
            try:
                ready.wait(20)
                done[number] = functions[number]()
            finally:
                with suppress(Exception):
                    shop.databases.close()

        threads = [threading.Thread(target=work, args=(n,)) for n in range(len(functions))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in threads), "a thread does not end"
        return list(done)

    return run


@pytest.fixture
def audited(admin: Any) -> Callable[[], list[str]]:
    """Return the acts that the audit log has, the last one last."""

    def read() -> list[str]:
        found: Iterable[Any] = admin.get("/api/v1/audit?page_size=100").expect(200)["results"]
        return [item["action"] for item in reversed([*found])]

    return read
