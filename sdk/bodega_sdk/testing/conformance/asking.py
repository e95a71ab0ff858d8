"""V404 to V413, V505 and V513: calling every route of the addon, in every way."""

import inspect
import json
import random
import re
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import peewee
from falcon import testing

from bodega.database.structure import plain_tables, quoted
from bodega.http import errors
from bodega.http.gate import Gate
from bodega_sdk import pagination
from bodega_sdk.http import Route
from bodega_sdk.ids import uuid7
from bodega_sdk.permissions import AUTHENTICATED, PUBLIC
from bodega_sdk.testing.conformance import answers, describing, schema
from bodega_sdk.testing.conformance.bodies import Ids, bodies, sound, texts
from bodega_sdk.testing.conformance.filling import fill
from bodega_sdk.testing.conformance.findings import Finding
from bodega_sdk.testing.conformance.places import place_of
from bodega_sdk.testing.conformance.shops import Engine
from bodega_sdk.testing.conformance.subject import Subject

#: Requests of one route, and seconds of one answer, at most.
MOST, SLOWEST = 30, 5.0
_PARAMETER = re.compile(r"{(\w+)}")
_ORDER = {"POST": 0, "GET": 1, "OPTIONS": 1, "PUT": 2, "PATCH": 3, "DELETE": 4}


def check(subject: Subject, engine: Engine, doing: Callable[[str], None]) -> Iterator[Finding]:
    """Call every route of the addon."""
    with engine.started((*subject.needed(), subject.name)) as shop:
        yield from describing.check(subject, shop.assembly)
        asker = _Asker(subject, engine, shop, doing)
        routes = [route for route in shop.assembly.routes if route.addon == subject.name]
        asker.ask_all(sorted(routes, key=lambda route: (_ORDER[route.method], route.path)))
        yield from asker.found


class _Asker:
    """Calls routes and writes down what is wrong with the answers."""

    def __init__(
        self, subject: Subject, engine: Engine, shop: Any, doing: Callable[[str], None]
    ) -> None:
        self.subject, self.engine, self.shop, self.doing = subject, engine, shop, doing
        self.database, self.gate, self.ids = shop.databases.shop, Gate(shop), Ids()
        self.found: list[Finding] = []
        self.left = 0
        self.slow: set[str] = set()
        self.error = ""
        self.tokens = {"nobody": "", "somebody": self._token(()), "admin": self._token(("admin",))}
        self._listen()

    def _token(self, roles: tuple[str, ...]) -> str:
        token: str = self.shop.current.issue_token(
            str(uuid7()), roles, "access", timedelta(hours=1), {}
        )
        return token

    def _listen(self) -> None:
        """Hear of errors, events and jobs while requests are answered."""
        session = self.shop.current
        publish, enqueue, asker = session.publish, session.enqueue, self

        def published(event: Any, told: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
            for _, data in told:
                asker._event(event, data)
            publish(event, told)

        def enqueued(
            job: Any, payload: Mapping[str, Any], run_at: Any, job_id: UUID | None = None
        ) -> UUID:
            asker._job(job, payload)
            found: UUID = enqueue(job, payload, run_at, job_id)
            return found

        session.publish, session.enqueue = published, enqueued
        errors.log = _Log(self)

    def _note(self, rule: str, route: Route | None, told: str) -> None:
        place = place_of(self.subject, route.handler) if route else ""
        shown = f"{route.method} {route.path}: " if route else ""
        finding = Finding(rule, f"{shown}{told}".replace("\n", " "), place, self.engine.name)
        same = [item for item in self.found if (item.rule, item.place) == (rule, place)
                and item.message.startswith(shown)]  # fmt: skip
        most = 1 if rule in ("V409", "V410", "V411") else 3
        if finding not in self.found and len(same) < most:
            self.found.append(finding)

    def _event(self, event: Any, data: Mapping[str, Any]) -> None:
        if event.name not in {item.name for item in self.subject.loaded.events}:
            return
        for names, word in (
            (set(data) - set(event.fields), "not declared"),
            (set(event.fields) - set(data), "not published"),
        ):
            if names:
                told = f"event {event.name}: {', '.join(sorted(names))} is {word}"
                self._note("V513", None, told)

    def _job(self, job: Any, payload: Mapping[str, Any]) -> None:
        try:
            inspect.signature(job.handler).bind(None, **payload)
        except TypeError as error:
            self._note("V505", None, f"{job.name} is enqueued so that {error}")

    # The requests.

    def ask_all(self, routes: list[Route]) -> None:
        """Call them in an order in which there are rows to read, and to delete at the end."""
        own = [t for t in plain_tables(self.database) if t.startswith(f"{self.subject.name}_")]
        needed = [t for t in plain_tables(self.database) if not t.startswith("bodega_")]
        with suppress(peewee.DatabaseError):
            fill(self.database, [t for t in needed if t not in own])
        self._sow(routes, own + needed)
        for route in routes:
            self._learn(own + needed)
            self.left = MOST
            self._identities(route)
            if route.method == "GET":
                self._reading(route)
            else:
                self._writing(route)
        self._filled(own, [route for route in routes if route.method == "GET"])

    def _sow(self, routes: list[Route], tables: list[str]) -> None:
        """Make rows through the API; what needs another's row gets it in the second round."""
        for route in [item for item in routes if item.method == "POST" and item.body] * 2:
            self.left = 2
            self._learn(tables)
            self._call(route, self._path(route), self._body(route))
            self._call(route, self._path(route), self._body(route, whole=False))

    def _learn(self, tables: list[str]) -> None:
        """Look up ids of rows, to be put into paths and bodies."""
        self.ids.known = {}
        for table in dict.fromkeys(tables):
            names = [c.name for c in schema.columns(self.database, table).values() if c.primary]
            if names != ["id"]:
                continue
            query = f"SELECT id FROM {quoted(table)} ORDER BY 1 LIMIT 3"
            for (key,) in self.database.execute_sql(query).fetchall():
                with suppress(ValueError):
                    self.ids.known.setdefault(table, []).append(str(UUID(str(key))))

    def _identities(self, route: Route) -> None:
        """V406: who may not is refused."""
        if route.permission == PUBLIC:
            return
        body = self._body(route)
        status = self._call(route, self._path(route), body, who="nobody", judge=False)[0]
        if status not in (0, 401):
            self._note("V406", route, f"nobody gets {status}, not 401")
        if route.permission != AUTHENTICATED:
            status = self._call(route, self._path(route), body, who="somebody", judge=False)[0]
            if status not in (0, 403):
                self._note("V406", route, f"somebody without the permission gets {status}, not 403")

    def _body(self, route: Route, *, whole: bool = True) -> Any:
        return sound(route.body, self.ids, whole=whole) if route.body else None

    def _path(self, route: Route, number: int = 0) -> str:
        """Return the address with ids of rows that are there."""

        def part(found: re.Match[str]) -> str:
            kind = route.path_types.get(found[1], UUID)
            segment = route.path[: found.start()].rstrip("/").rpartition("/")[2]
            name = segment if found[1] == "id" else found[1]
            return self.ids.one(name, number) if kind is UUID else "1"

        return _PARAMETER.sub(part, route.path)

    def _reading(self, route: Route) -> None:
        before = schema.rows(self.database)
        for path in self._addresses(route):
            self._call(route, path)
        self._missing(route)
        self._queries(route)
        if hurt := schema.changed(before, schema.rows(self.database)):
            self._note("V411", route, f"it changes {', '.join(hurt)}")
        if route.listing:
            self._paged(route)

    def _addresses(self, route: Route) -> list[str]:
        paths = [self._path(route, number) for number in range(3)]
        return list(dict.fromkeys(paths))

    def _missing(self, route: Route) -> None:
        """V409: with an id that nobody has."""
        kinds = [route.path_types.get(name, UUID) for name in _PARAMETER.findall(route.path)]
        if UUID not in kinds or (route.method == "POST" and route.body is not None):
            return
        path = _PARAMETER.sub(
            lambda m: str(uuid7()) if route.path_types.get(m[1], UUID) is UUID else "1", route.path
        )
        status = self._call(route, path, self._body(route))[0]
        if 200 <= status < 300:
            self._note("V409", route, f"an id that nobody has gets {status}")
        for odd in ("x", "%00", "-1"):
            self._call(route, _PARAMETER.sub(odd, route.path))

    def _queries(self, route: Route) -> None:
        path = self._path(route)
        self._call(route, f"{path}?unknown_parameter=1")
        least = 2 if route.method == "GET" else 12
        for name, text in _ordered(route, self.ids):
            if self.left <= least:
                return
            self._call(route, f"{path}?{urlencode({name: text})}")

    def _paged(self, route: Route) -> None:
        """V410: no more than were asked for."""
        status, body = self._call(route, f"{self._path(route)}?page_size=1", judge=False)
        results = body.get("results") if isinstance(body, dict) else None
        if status == 200 and isinstance(results, list) and len(results) > 1:
            self._note("V410", route, f"page_size=1 shows {len(results)}")

    def _writing(self, route: Route) -> None:
        if route.method == "DELETE":
            self._missing(route)
            self._queries(route)
            for path in self._addresses(route):
                self._call(route, path)
            return
        self._missing(route)
        self._sound(route)
        self._broken(route)
        if route.body is not None:
            paths = self._addresses(route)
            for number, body in enumerate(bodies(route.body, self.ids, max(self.left - 3, 0))):
                self._call(route, paths[number % len(paths)], body)
        self._queries(route)

    def _sound(self, route: Route) -> None:
        for path in self._addresses(route)[:3]:
            self._call(route, path, self._body(route))
            self._call(route, path, self._body(route, whole=False))
        if route.partial:
            for name, text in list((self._body(route) or {}).items())[:6]:
                self._call(route, self._path(route), {name: text})

    def _broken(self, route: Route) -> None:
        """Send what is no body, or none of this route."""
        path = self._path(route)
        for raw in (
            b"",
            b"{",
            b"[]",
            b"null",
            b'"x"',
            b"\xff\xfe",
            b'{"unknown_member": 1}',
            b"{}",
        ):
            self._call(route, path, raw=raw)

    def _filled(self, own: list[str], routes: list[Route]) -> None:
        """Read once more, with many rows; what made-up rows cannot show is nobody's fault."""
        with suppress(peewee.DatabaseError):
            fill(self.database, own)
        self._learn(own)
        for route in routes:
            self.left = 4
            before = schema.rows(self.database, own)
            for path in self._addresses(route)[:2]:
                self._call(route, path, judge=False)
            if route.listing:
                self._paged(route)
            if hurt := schema.changed(before, schema.rows(self.database, own)):
                self._note("V411", route, f"it changes {', '.join(hurt)}")

    def _call(
        self, route: Route, path: str, body: Any = None, *, raw: bytes | None = None,
        who: str = "admin", judge: bool = True,
    ) -> tuple[int, Any]:  # fmt: skip
        """Call a route; return status and JSON. Beyond the limit nothing is called."""
        if self.left <= 0 or route.operation_id in self.slow:
            return 0, None
        self.left -= 1
        self.error = ""
        sent = raw if raw is not None else (None if body is None else json.dumps(body).encode())
        self.doing(f"{route.method} {path[:200]} {(sent or b'')[:200]!r}")
        headers = {"Authorization": f"Bearer {self.tokens[who]}"} if self.tokens[who] else {}
        if sent is not None:
            headers["Content-Type"] = route.media or "application/json"
        begun = time.monotonic()
        status, text, error = _simulate(self.gate, route.method, f"/api/v1{path}", sent, headers)
        self.error = error or self.error
        self._judge(route, path, sent, status, text, time.monotonic() - begun, judge)
        return status, _json(text)

    def _judge(
        self, route: Route, path: str, sent: bytes | None, status: int, text: str,
        seconds: float, judge: bool,
    ) -> None:  # fmt: skip
        asked = f"{path[:120]} {_shown(sent)}".strip()
        if seconds > SLOWEST:
            self._note("V408", route, f"{asked} takes {seconds:.1f} s")
            self.slow.add(route.operation_id)  # Once is enough.
        if not judge:
            return
        if status >= 500:
            self._note("V408", route, f"{asked} gets {status} {self.error}".strip())
        for rule, told in answers.faults(self.subject, route, status, _json(text), text):
            self._note(rule, route, told)


def _ordered(route: Route, ids: Ids) -> list[tuple[str, str]]:
    """Return what to send as query: sound texts of each first, then the odd ones of its own."""
    rows = {item.name: texts(item, ids) for item in route.parameters}
    every = [(name, text) for name, row in rows.items() for text in row]
    first = [(name, row[0]) for name, row in rows.items()]
    choices = [(item.name, text) for item in route.parameters for text in item.choices]
    known = {item.name for item in pagination.parameters(20, 200)} | {"ordering"}
    own = [(name, text) for name, text in every if name not in known and len(text) < 1000]
    rest = list(every)
    random.Random(route.operation_id).shuffle(rest)  # noqa: S311
    return list(dict.fromkeys([*first, *choices, *own, *rest]))


class _Log:
    """Takes the place of the log of the kernel's error handlers."""

    def __init__(self, asker: _Asker) -> None:
        self._asker = asker

    def error(self, message: str, exc_info: Any = None, **_: Any) -> None:
        """Keep the error of a request that failed."""
        if isinstance(exc_info, BaseException):
            self._asker.error = _told(self._asker.subject, exc_info)

    def info(self, *_: Any, **__: Any) -> None:
        """Nobody listens."""

    warning = info


def _told(subject: Subject, error: BaseException) -> str:
    """Return an error with the innermost line of the addon that it came through."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if subject.owns(frame.filename)]
    place = subject.place(own[-1].filename, own[-1].lineno or 0) if own else ""
    return f"{type(error).__name__}: {error} {f'({place})' if place else ''}".strip()


def _simulate(
    gate: Gate, method: str, url: str, body: bytes | None, headers: dict[str, str]
) -> tuple[int, str, str]:
    """Return status, text, and what went through the Gate, if anything did."""
    path, _, query = url.partition("?")
    try:
        answer = testing.simulate_request(
            gate, method, path, query_string=query, body=body, headers=headers
        )
        return answer.status_code, answer.text, ""
    # The Gate lets nothing through but what is worse than an error.
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        return 599, "", repr(error)


def _json(text: str) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return None


def _shown(sent: bytes | None) -> str:
    text = "" if sent is None else sent.decode(errors="replace") or "(an empty body)"
    return text if len(text) <= 160 else f"{text[:157]}..."
