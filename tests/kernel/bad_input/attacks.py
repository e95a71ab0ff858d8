"""Requests that must be refused, and what a refusal must be.

The attacks are derived from the routes of the Assembly, so that a new route is attacked
without a line being written here.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
from falcon import testing

from bodega.database.tables import AddonRow, EventRow, JobRow, SettingRow
from bodega.http.operations import kernel_routes
from bodega.shop import Shop
from bodega_accounts import limits
from bodega_analytics import viewing
from bodega_analytics.resources import USAGE
from bodega_coupons.limits import QUESTIONS
from bodega_sdk import Route

#: What must never leave the API: tracebacks, SQL, the files and libraries behind it.
LEAK = re.compile(
    rb'Traceback|File "|\bSELECT\b|INSERT INTO|psycopg|sqlite|peewee|-packages|\.py\b'
)
MEMBERS = {"type", "title", "status", "detail", "request_id"}
#: Bytes of the largest refusal: what was sent is shown, but shortened.
LARGEST_REFUSAL = 100_000
JSON = {"Content-Type": "application/json"}
LIMITS = (limits.PROOFS, limits.CODES, limits.FROM_ADDRESS, limits.REGISTRATIONS,
          limits.MAILS_FROM_ADDRESS, QUESTIONS, USAGE, viewing.LIMIT)  # fmt: skip
NOT_FOUND = "01a1fd7c-0000-7000-8000-000000000000"
#: What is refused before any table is read is tried on one engine.
ONE_ENGINE = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


@dataclass(frozen=True)
class Attack:
    """A request that must be refused; ``names`` is the field to be named, None for any."""

    method: str
    path: str
    query: str = ""
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    names: str | None = None

    def __str__(self) -> str:
        sent = f"{self.method} {self.path[:90]}?{self.query[:90]} {self.body[:90]!r}"
        return f"{sent} {str(self.headers)[:90] if self.headers else ''}"


@dataclass(frozen=True)
class Answer:
    """What came back; the status 599 means that an exception left the application."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Target:
    """A shop with a row in each collection, and the administrator's token."""

    shop: Shop
    gate: Any
    token: str
    ids: dict[str, str]
    me: str = ""

    def send(self, attack: Attack) -> Answer:
        """Send a request as it is; testing's own client would correct some of them."""
        headers = {"Authorization": f"Bearer {self.token}"} | attack.headers
        environ = testing.create_environ("/", headers=headers, body=attack.body)
        environ["QUERY_STRING"] = attack.query
        environ["REQUEST_METHOD"] = attack.method
        environ["PATH_INFO"] = attack.path.encode("utf-8", "surrogateescape").decode("latin-1")
        return self._call(environ)

    def _call(self, environ: dict[str, Any]) -> Answer:
        started: list[Any] = []
        try:
            body = self.gate(environ, lambda *given: started.append(given))
            data = b"".join(body)
            getattr(body, "close", lambda: None)()
        except Exception as error:
            return Answer(599, {}, repr(error).encode())
        status, headers = started[0][:2]
        return Answer(int(status[:3]), {k.lower(): v for k, v in headers}, data)

    @property
    def routes(self) -> tuple[Route, ...]:
        """The routes of the addons and of the kernel."""
        return (*kernel_routes(self.shop.current), *self.shop.assembly.routes)

    def path(self, route: Route) -> str:
        """Return the address of a route, with the id of a row that there is."""
        root = route.path.split("/{")[0]
        return "/api/v1" + re.sub(r"{\w+}", self.ids.get(root, NOT_FOUND), filled(route))

    def contents(self) -> list[Any]:
        """Return every row of the shop, with its events and jobs."""
        models: tuple[Any, ...] = (
            *self.shop.assembly.models,
            AddonRow,
            EventRow,
            JobRow,
            SettingRow,
        )
        return [(m, sorted(map(str, m.select().tuples()))) for m in models]

    def survive(self, attacks: Iterable[Attack]) -> None:
        """Send attacks; each must be refused as promised, and nothing may change."""
        before, found, sent = self.contents(), [], 0
        for attack in attacks:
            sent += 1
            # Not the limits are tried here.
            for limit in LIMITS:
                limit.reset(self.me)
                limit.reset("127.0.0.1")
            answer = self.send(attack)
            found += [f"{attack} → {fault}" for fault in faults(answer, attack.names)]
        assert not found, f"{len(found)} faults of {sent} attacks:\n" + "\n".join(found[:25])
        assert sent, "nothing was attacked"
        assert self.contents() == before, "what was refused changed something"


def filled(route: Route) -> str:
    """Return a route's path with the parameters behind the first one filled in."""
    return route.path.replace("{language}", "de").replace("{currency}", "EUR")


def faults(answer: Answer, names: str | None = None, sent: bytes = b"") -> Iterator[str]:
    """Yield what is wrong with a refusal; what was `sent` may come back without being a leak."""
    shown = f"{answer.status} {answer.body[:200]!r}"
    if not 400 <= answer.status < 500:
        yield f"not refused: {shown}"
        return
    if answer.headers["content-type"] != "application/problem+json":
        yield f"no problem document: {answer.headers['content-type']} {shown}"
        return
    document = orjson.loads(answer.body)
    if missing := MEMBERS - {key for key, value in document.items() if value}:
        yield f"without {missing}: {shown}"
    if document["status"] != answer.status:
        yield f"another status inside: {shown}"
    if document["request_id"] != answer.headers.get("x-request-id"):
        yield f"another request id in the header: {shown}"
    named = [item["field"] for item in document.get("errors", ())]
    if names is not None and not any(n == names or n.startswith(f"{names}.") for n in named):
        yield f"{names!r} is not named: {shown}"
    if (leak := LEAK.search(answer.body)) and leak[0] not in sent:
        yield f"leaks {leak[0]!r}: {shown}"
    if len(answer.body) > LARGEST_REFUSAL:
        yield f"{len(answer.body)} bytes long: {shown}"
