"""A Stripe of our own, on 127.0.0.1: what the real library speaks to in tests.

``with FakeStripe.started() as stripe:`` — ``stripe.base`` is its address, ``stripe.books`` what it
knows, ``stripe.courier`` brings its webhooks, ``stripe.faults`` lets things go wrong.
As a process of its own, which tells events to an address a second later, if one is given:
``PYTHONPATH=tests/fakes python -m fake_stripe.server 12111 http://…/payments/webhooks/stripe``.
"""

import base64
import json
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from fake_stripe import intents, methods, money
from fake_stripe.books import Books
from fake_stripe.courier import Courier, over_http
from fake_stripe.faults import Faults
from fake_stripe.forms import parse
from fake_stripe.keys import Answer, Keys
from fake_stripe.refusals import Refusal
from fake_stripe.routing import expanded, find

KEY = "sk_test_fake0123456789"
#: May only read.
RESTRICTED = "rk_test_readonly0123456789"
#: Those that register what they answer.
PARTS = (intents, methods, money)
_FAILED: Answer = (
    500, {"error": {"type": "api_error", "message": "An unknown error occurred."}}
)  # fmt: skip


class Cut(Exception):
    """The connection ends here, without an answer."""


@dataclass
class FakeStripe:
    """One account of Stripe's."""

    books: Books = field(default_factory=Books)
    faults: Faults = field(default_factory=Faults)
    keys: Keys = field(default_factory=Keys)
    api_keys: set[str] = field(default_factory=lambda: {KEY, RESTRICTED})
    #: Method and path of every request, with its key.
    requests: list[tuple[str, str, str]] = field(default_factory=list)
    base: str = ""
    #: Seconds that a request that hangs is kept.
    hang: float = 3.0

    def __post_init__(self) -> None:
        self.courier = Courier(self.books)

    @classmethod
    @contextmanager
    def started(cls, port: int = 0) -> "Iterator[FakeStripe]":
        """Serve on 127.0.0.1 until the block ends."""
        stripe = cls()
        server = _Server(("127.0.0.1", port), _handler(stripe))
        stripe.base = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield stripe
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def authenticate(self, id: str, success: bool = True) -> Any:
        """Do what the customer does on their bank's page."""
        return intents.authenticate(self.books, id, success)

    def made(self, kind: str, **facts: Any) -> list[Any]:
        """Return all objects of a kind with these facts."""
        with self.books.lock:
            return self.books.all(kind, **facts)

    def answer(self, method: str, path: str, query: str, key: str, said: str) -> Answer:
        """Answer a request that may come."""
        params = parse(query)
        fault = self.faults.next(method, path)
        if fault.endswith("before") or fault in ("hang", "429", "503"):
            self._strike(fault, key, (method, path, params))
        answer = self._once(method, path, params, key)
        if fault == "500_after":
            self.keys.keep(key, (method, path, params), _FAILED)
            return _FAILED
        if fault == "cut_after":
            raise Cut
        return answer

    def _strike(self, fault: str, key: str, asked: Any) -> None:
        if fault == "hang":
            time.sleep(self.hang)
            raise Cut
        if fault == "cut_before":
            raise Cut
        if fault == "429":
            raise Refusal(429, "invalid_request_error", "Too many requests.", code="rate_limit")
        if fault == "503":
            raise Refusal(503, "api_error", "Try again.")
        if key:
            self.keys.keep(key, asked, _FAILED)
        raise Refusal(_FAILED[0], **_spread(_FAILED[1]["error"]))

    def _once(self, method: str, path: str, params: Any, key: str) -> Answer:
        if method != "POST" or not key:
            return self._done(method, path, params)
        asked = (method, path, params)
        with self.books.lock:
            before = self.keys.repeated(key, asked)
        if before is not None:
            return before[0], before[1] | {"_repeated": True}
        try:
            answer = self._done(method, path, params)
            self.keys.keep(key, asked, answer)
            return answer
        finally:
            self.keys.release(key)

    def _done(self, method: str, path: str, params: Any) -> Answer:
        try:
            handler, ids = find(method, path)
            with self.books.lock:
                found = handler(self.books, params, **ids)
                return 200, expanded(self.books, found, params.get("expand"))
        except Refusal as refusal:
            return refusal.status, json.loads(json.dumps(refusal.body))


def _spread(error: dict[str, Any]) -> dict[str, Any]:
    return {"kind": error["type"], "message": error["message"]}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def _handler(stripe: FakeStripe) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body, parts = self.rfile.read(length).decode(), urlsplit(self.path)
            key = self.headers.get("Idempotency-Key", "")
            stripe.requests.append((self.command, parts.path, key))
            try:
                self._may_come()
                self._say(*stripe.answer(
                    self.command, parts.path, parts.query if self.command != "POST" else body,
                    key, self.headers.get("Authorization", ""),
                ))  # fmt: skip
            except Refusal as refusal:
                self._say(refusal.status, refusal.body)
            except Cut:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)

        do_GET = do_POST = do_DELETE = _serve

        def _may_come(self) -> None:
            kind, _, said = self.headers.get("Authorization", "").partition(" ")
            key = base64.b64decode(said).decode().rstrip(":") if kind == "Basic" else said
            if key not in stripe.api_keys:
                shown = f"{key[:8]}{'*' * 12}{key[-4:]}"
                raise Refusal(401, "invalid_request_error", f"Invalid API Key provided: {shown}")
            if key == RESTRICTED and self.command != "GET":
                raise Refusal(
                    403, "invalid_request_error",
                    f"The provided key '{key[:8]}****{key[-4:]}' does not have the permissions.",
                )  # fmt: skip

        def _say(self, status: int, body: dict[str, Any]) -> None:
            repeated = body.get("_repeated")
            told = {name: value for name, value in body.items() if name != "_repeated"}
            data = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Request-Id", f"req_{len(stripe.requests)}")
            if repeated:
                self.send_header("Idempotent-Replayed", "true")
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    return Handler


def main(port: str, webhooks: str = "") -> None:
    """Serve until the process ends."""
    with FakeStripe.started(int(port)) as stripe:
        print(f"{stripe.base}, key {KEY}, signing secret {stripe.courier.secrets[0]}", flush=True)
        if webhooks:
            stripe.courier.send = over_http(webhooks)
        while True:
            time.sleep(1)
            stripe.courier.bring()
            stripe.books.pass_time()


if __name__ == "__main__":
    main(*sys.argv[1:])
