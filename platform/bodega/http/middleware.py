"""What happens around every request: its id, its log line, its metrics, its connection."""

import time
from typing import TYPE_CHECKING, Any

import falcon
import structlog

from bodega.http.addresses import Perimeter
from bodega.http.request_id import begin
from bodega.telemetry import metrics
from bodega_sdk.errors import BadRequest, FieldError

if TYPE_CHECKING:
    from bodega.shop import Session

log = structlog.get_logger("bodega.http")
_HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
)
#: Of answers that are no page: whoever opens one runs nothing.
_POLICY = "default-src 'none'; frame-ancestors 'none'"


class Edge:
    """Finds out where a request comes from, and writes the headers that keep browsers safe."""

    def __init__(self, session: "Session") -> None:
        settings = session.shop.settings
        self._perimeter = Perimeter(settings.trusted_proxies, settings.public_url)
        self._hsts = f"max-age={settings.hsts}" if settings.hsts else ""

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Put the client's address, its scheme and what tells links into the context."""
        req.context.address = self._perimeter.client_address(req)
        req.context.scheme = self._perimeter.scheme(req)
        req.context.base_of = self._perimeter.base

    def process_response(self, req: falcon.Request, resp: falcon.Response, *_: Any) -> None:
        """Write the headers."""
        for name, value in _HEADERS:
            resp.set_header(name, value)
        if resp.get_header("Content-Security-Policy") is None:
            resp.set_header("Content-Security-Policy", _POLICY)
        # Browsers would then come by https to everything else that is served on localhost.
        if self._hsts and self._perimeter.scheme(req) == "https" and req.host != "localhost":
            resp.set_header("Strict-Transport-Security", self._hsts)


class RequestContext:
    """Gives every request an id, and every response its headers, log line and metrics."""

    def __init__(self, session: "Session") -> None:
        self._generation = str(session.assembly.generation)

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Take the caller's request id or make one."""
        begin(req)
        if "\0" in req.path:
            message = "NUL characters are not allowed."
            raise BadRequest(message, [FieldError("path", message)])

    def process_response(
        self, req: falcon.Request, resp: falcon.Response, resource: Any, succeeded: bool
    ) -> None:
        """Write the headers, the metrics and the log line."""
        begin(req)
        resp.set_header("X-Request-ID", req.context.request_id)
        resp.set_header("X-Assembly-Generation", self._generation)
        seconds = time.perf_counter() - req.context.began
        # The template, not the path: paths are without number, and so would the metrics be.
        route = req.uri_template or "none"
        method = req.method if req.method in falcon.HTTP_METHODS else "other"
        metrics.REQUESTS.labels(method, route, str(resp.status_code)).inc()
        metrics.DURATION.labels(method, route).observe(seconds)
        log.info(
            "request",
            method=req.method,
            path=req.path,
            status=resp.status_code,
            ms=round(seconds * 1000, 1),
        )
        structlog.contextvars.unbind_contextvars("request_id")


class ConnectionPerRequest:
    """Gives this thread's database connection back when the request is done."""

    def __init__(self, session: "Session") -> None:
        self._databases = session.databases

    def process_response(self, *_: Any) -> None:
        """Give the connection back; on SQLite it stays open, a file is no scarce thing."""
        if self._databases.shop is self._databases.runtime:
            self._databases.close()
