"""What the server answers to plain HTTP: its health, its metrics, and problems."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from bodega import __version__
from bodega.http.errors import PROBLEM_JSON, PROBLEMS_ROOT
from bodega_sdk.encoding import to_json
from bodega_sdk.errors import NotFound

#: Where clients of the protocol connect; plain streams are below it.
SOCKET_PATH = "/ws"
#: Seconds that the database has to answer.
_PATIENCE = 3.0

Check = Callable[[], Awaitable[bool]]


class Health:
    """Answers what is no WebSocket handshake.

    Args:
        database: whether the database answers.
        feed: whether the feed reads on.
        metrics: returns them in Prometheus' text format.
    """

    def __init__(self, database: Check, feed: Check, metrics: Callable[[], bytes]) -> None:
        self._checks = {"database": database, "feed": feed}
        self._metrics = metrics

    async def answer(self, request: Request) -> Response:
        """Return the answer."""
        return await self._found(request)

    async def _found(self, request: Request) -> Response:
        match _path(request):
            case "/health":
                return await self._health()
            case "/health/live":
                return _response(HTTPStatus.OK, {"status": "alive"})
            case "/health/ready":
                return await self._ready()
            case "/metrics":
                return _answer(HTTPStatus.OK, self._metrics(), CONTENT_TYPE_LATEST)
        return nothing(request)

    async def _health(self) -> Response:
        healthy = await self._passes("database")
        status = "healthy" if healthy else "unhealthy"
        return _response(_status(healthy), {"status": status, "version": __version__})

    async def _ready(self) -> Response:
        found = {name: await self._passes(name) for name in self._checks}
        ready = all(found.values())
        checks = {n: {"status": "healthy" if ok else "unhealthy"} for n, ok in found.items()}
        status = "ready" if ready else "not ready"
        return _response(_status(ready), {"status": status, "checks": checks})

    async def _passes(self, name: str) -> bool:
        try:
            return await asyncio.wait_for(self._checks[name](), _PATIENCE)
        except Exception:
            return False


def nothing(request: Request) -> Response:
    """Return the problem that there is nothing at an address."""
    detail = (
        f"There is nothing at this address; WebSocket clients connect to {SOCKET_PATH} "
        "or to a stream below it, others to /sse."
    )
    return problem(request, HTTPStatus.NOT_FOUND, detail, f"{PROBLEMS_ROOT}/{NotFound.code}")


def as_problem(request: Request, response: Response) -> Response | None:
    """Return the problem document for an error that the library answers in plain text."""
    if response.status_code < 400 or response.headers.get("Content-Type") == PROBLEM_JSON:
        return None
    status = HTTPStatus(response.status_code)
    told = problem(request, status, bytes(response.body).decode().strip())
    for name in {"Upgrade", "Allow"} & set(response.headers):
        told.headers[name] = response.headers[name]
    return told


def problem(
    request: Request, status: HTTPStatus, detail: str, type: str = "about:blank"
) -> Response:
    """Return a problem document (RFC 9457)."""
    title = NotFound.title if status == 404 else status.phrase
    body = {"type": type, "title": title, "status": status.value, "detail": detail,
            "instance": _path(request)}  # fmt: skip
    return _response(status, body, PROBLEM_JSON)


def _path(request: Request) -> str:
    return request.path.partition("?")[0].rstrip("/") or "/"


def _status(good: bool) -> HTTPStatus:
    return HTTPStatus.OK if good else HTTPStatus.SERVICE_UNAVAILABLE


def _response(status: HTTPStatus, body: Any, media: str = "application/json") -> Response:
    return _answer(status, to_json(body), media)


def empty(status: HTTPStatus, headers: Mapping[str, str]) -> Response:
    """Return an answer that says nothing."""
    return Response(status.value, status.phrase, Headers({**headers, "Connection": "close"}))


def _answer(status: HTTPStatus, data: bytes, media: str) -> Response:
    headers = Headers(
        {
            "Content-Type": media,
            "Content-Length": str(len(data)),
            "Cache-Control": "no-store",
            "Connection": "close",
        }
    )
    return Response(status.value, status.phrase, headers, data)
