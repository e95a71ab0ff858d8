"""Answers that are kept, given to strangers before Falcon is asked.

How an answer was given is remembered by all of the request that it may depend on. The next such
request gets the same head and body, once its tables are known to be as they were; it is counted
in limits, metrics and the log as any other.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import peewee
import structlog
from playhouse.pool import MaxConnectionsExceeded

from bodega.http.addresses import Perimeter
from bodega.http.answer_stores import GIVEN, Given, Kept
from bodega.http.binding import carries
from bodega.http.caching import Seen
from bodega.http.limiting import RateLimits
from bodega.http.request_id import read_id
from bodega.telemetry import metrics

if TYPE_CHECKING:
    from bodega.shop import Session

log = structlog.get_logger("bodega.http")
#: What an answer that is kept may depend on, beside the data; a request with a body, or of
#: somebody who says who they are, goes to Falcon.
_DEPENDS = (
    "PATH_INFO", "QUERY_STRING", "SCRIPT_NAME", "wsgi.url_scheme", "HTTP_HOST", "SERVER_NAME",
    "SERVER_PORT", "HTTP_ACCEPT_LANGUAGE", "HTTP_ORIGIN", "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PROTO",
)  # fmt: skip
_BEYOND = frozenset({"HTTP_AUTHORIZATION", "HTTP_TRANSFER_ENCODING"})
#: What is another one in each answer, and what one that has no body does not say.
_OWN = frozenset({"x-request-id", "ratelimit", "ratelimit-policy"})
_OF_BODY = frozenset({"content-type", "content-length"})
#: Requests that are remembered, and characters of one.
_MOST, _LONGEST = 4096, 2000

Headers = list[tuple[str, str]]


class _Remembered:
    """How a request was answered."""

    def __init__(self, given: Given, headers: Headers) -> None:
        template = given.template
        self.key, self.tag, self.told = given.key, given.kept.tag, given.kept.headers
        self.seen = Seen()
        self.headers = [item for item in headers if item[0].lower() not in _OWN]
        self.bare = [item for item in self.headers if item[0].lower() not in _OF_BODY]
        self.requests = {
            status: metrics.REQUESTS.labels("GET", template, str(status)) for status in (200, 304)
        }
        self.hits = metrics.KEPT_ANSWERS.labels(given.path, "hit")
        self.seconds = metrics.DURATION.labels("GET", template)

    def is_of(self, kept: Kept) -> bool:
        """Whether this is how an answer is to be given."""
        return kept.tag == self.tag and kept.headers == self.told


class Shortcut:
    """The WSGI app of an Assembly, and the shorter way to what it keeps.

    Args:
        limits: what requests are counted against, if they are.
    """

    def __init__(self, session: "Session", app: Any, limits: RateLimits | None) -> None:
        settings = session.shop.settings
        self._session, self._limits = session, limits
        #: Falcon's own.
        self.app = app
        self._perimeter = Perimeter(settings.trusted_proxies, settings.public_url)
        self._returns_connections = session.databases.shop is session.databases.runtime
        self._remembered: dict[Any, _Remembered] = {}

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer a request (PEP 3333)."""
        asked = self._asked(environ)
        if asked is None:
            return self._by_falcon(environ, start_response)
        known = self._remembered.get(asked)
        if known is not None:
            answer = self._again(known, environ, start_response)
            if answer is not None:
                return answer
        return self._learning(asked, environ, start_response)

    def _by_falcon(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        found: Iterable[bytes] = self.app(environ, start_response)
        return found

    def _asked(self, environ: Mapping[str, Any]) -> Any:
        """Return what the answer to a request may depend on; None if Falcon is to answer."""
        if environ["REQUEST_METHOD"] != "GET" or environ.get("CONTENT_LENGTH"):
            return None
        if not _BEYOND.isdisjoint(environ):
            return None
        return (self._perimeter.believes(_peer(environ)), *map(environ.get, _DEPENDS))

    def _learning(
        self, asked: Any, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Have Falcon answer, and remember how it did."""
        told: list[tuple[str, Headers]] = []

        def noting(status: str, headers: Headers, *more: Any) -> Any:
            told.append((status, headers))
            return start_response(status, headers, *more)

        body = self._by_falcon(environ, noting)
        given = environ.get(GIVEN)
        if given is not None and told[-1][0].startswith("200 "):
            self._remember(asked, given, told[-1][1])
        return body

    def _remember(self, asked: Any, given: Given, headers: Headers) -> None:
        if sum(len(part) for part in asked if isinstance(part, str)) > _LONGEST:
            return
        if len(self._remembered) >= _MOST:
            self._remembered.clear()
        self._remembered[asked] = _Remembered(given, headers)

    def _again(
        self, known: _Remembered, environ: Mapping[str, Any], start_response: Callable[..., Any]
    ) -> list[bytes] | None:
        """Answer as before; None if Falcon has to."""
        began = time.perf_counter()
        try:
            kept = self._session.answers.current(known.key, known.seen)
        except (peewee.PeeweeException, MaxConnectionsExceeded):
            # It will say so once more, and be told to the caller.
            return None
        if kept is None or not known.is_of(kept):
            return None
        if self._returns_connections and not self._session.databases.shop.is_closed():
            self._session.databases.close()
        counted = self._counted(environ)
        if counted is None:
            return None
        same = carries(environ.get("HTTP_IF_NONE_MATCH") or "", kept.tag)
        request_id = read_id(environ.get("HTTP_X_REQUEST_ID"))
        headers = known.bare if same else known.headers
        start_response(
            "304 Not Modified" if same else "200 OK",
            [*headers, *counted, ("x-request-id", request_id)],
        )
        self._tell(known, environ, 304 if same else 200, request_id, began)
        return [] if same else [kept.body]

    def _counted(self, environ: Mapping[str, Any]) -> Iterable[tuple[str, str]] | None:
        """Count a request; return the headers that say so, None if it is refused."""
        if self._limits is None:
            return ()
        told = environ.get("HTTP_X_FORWARDED_FOR")
        return self._limits.of_stranger(self._perimeter.address_of(_peer(environ), told))

    def _tell(
        self,
        known: _Remembered,
        environ: Mapping[str, Any],
        status: int,
        request_id: str,
        began: float,
    ) -> None:
        """Write the metrics and the log line."""
        seconds = time.perf_counter() - began
        known.hits.inc()
        known.requests[status].inc()
        known.seconds.observe(seconds)
        log.info(
            "request",
            method="GET",
            path=environ["PATH_INFO"],
            status=status,
            ms=round(seconds * 1000, 1),
            request_id=request_id,
        )


def _peer(environ: Mapping[str, Any]) -> str:
    # As Falcon has it where a server does not say.
    peer: str = environ.get("REMOTE_ADDR", "127.0.0.1")
    return peer
