"""Server-sent events: the same channels for clients that speak nothing but HTTP."""

import asyncio
from http import HTTPStatus

from websockets.http11 import Request, Response

from bodega.http.errors import PROBLEMS_ROOT
from bodega_realtime import asked as asking
from bodega_realtime import frames, messages
from bodega_realtime.asked import Asked
from bodega_realtime.client import Client, House
from bodega_realtime.health import empty, problem
from bodega_realtime.login import token_of
from bodega_realtime.messages import Close, Message, Refused
from bodega_realtime.outlet import StreamOutlet
from bodega_realtime.peer import Peer
from bodega_sdk.encoding import to_json

#: Where server-sent events are.
PATH = "/sse"
#: Seconds between two signs of life.
HEARTBEAT = 15.0
#: Milliseconds that a client waits before it comes back.
_RETRY = 2000
#: Seconds that a client has to read what ends the stream.
_FAREWELL = 2.0
_STATUSES = {
    messages.MALFORMED: HTTPStatus.BAD_REQUEST,
    messages.NOT_CONFLATABLE: HTTPStatus.BAD_REQUEST,
    messages.UNAUTHENTICATED: HTTPStatus.UNAUTHORIZED,
    messages.PERMISSION_DENIED: HTTPStatus.FORBIDDEN,
    messages.UNKNOWN_CHANNEL: HTTPStatus.NOT_FOUND,
    messages.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
}
_HEAD = (
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
    "Cache-Control: no-store\r\nX-Accel-Buffering: no\r\nConnection: close\r\n"
)


async def answer(peer: Peer, request: Request, house: House) -> Response | None:
    """Answer a request for a stream: with a problem, or with the stream to its end (None)."""
    allowed = _cors(request, house.shop.settings.cors_origins)
    response = await _answer(peer, request, house, allowed)
    if response is not None:
        response.headers.update(allowed)
    return response


async def _answer(
    peer: Peer, request: Request, house: House, allowed: dict[str, str]
) -> Response | None:
    if request.method == "OPTIONS":
        return empty(HTTPStatus.NO_CONTENT, {"Allow": "GET, OPTIONS"})
    if request.method != "GET":
        told = problem(request, HTTPStatus.METHOD_NOT_ALLOWED, "A stream is read with GET.")
        told.headers["Allow"] = "GET, OPTIONS"
        return told
    try:
        stream = EventStream(peer, house, asking.read(request, asking.SSE))
        await stream.admit(request)
    except Refused as refused:
        return _refusal(request, refused)
    await stream.run(allowed)
    return None


def _refusal(request: Request, refused: Refused) -> Response:
    status = _STATUSES[refused.code]
    told = problem(request, status, refused.text, _TYPES.get(status, "about:blank"))
    if status is HTTPStatus.UNAUTHORIZED:
        told.headers["WWW-Authenticate"] = "Bearer"
    return told


_TYPES = {HTTPStatus.NOT_FOUND: f"{PROBLEMS_ROOT}/not-found"}


def _cors(request: Request, origins: tuple[str, ...]) -> dict[str, str]:
    """Return what lets other sites' scripts read the answer, as the shop's settings say."""
    every, told = origins == ("*",), request.headers.get_all("Origin")
    found = {} if every else {"Vary": "Origin"}
    if not told or not (every or told[0] in origins):
        return found
    found["Access-Control-Allow-Origin"] = "*" if every else told[0]
    if request.method == "OPTIONS":
        found["Access-Control-Allow-Methods"] = "GET"
        found["Access-Control-Allow-Headers"] = "Authorization, Cache-Control, Last-Event-ID"
        found["Access-Control-Max-Age"] = "86400"
    return found


class EventStream(Client):
    """One answer that does not end.

    Args:
        asked: what the request asks for.
    """

    kind = "sse"

    def __init__(self, peer: Peer, house: House, asked: Asked) -> None:
        outlet = StreamOutlet(peer, house.pump, self.forget, house.hub.meters)
        super().__init__(house, outlet, house.sent_event)
        self._peer = peer
        self._asked = asked
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def admit(self, request: Request) -> None:
        """See who it is, and whether they may have what they ask for.

        Raises:
            Refused: they may not.
        """
        message, token = self._asked.message, token_of(request)
        if not self._asked.channels:
            raise message.refused(messages.MALFORMED, "Parameter 'channel' is missing.")
        if token is None:
            text = "Send an access token in the header 'Authorization: Bearer TOKEN'."
            raise message.refused(messages.UNAUTHENTICATED, text)
        identity = self.log_in(Message("authenticate", token=token)).identity
        try:
            await self._subscriber.admit(identity, message, self._asked.channels)
        except Refused:
            self.forget()
            raise

    async def run(self, headers: dict[str, str]) -> None:
        """Stream until either side ends it."""
        self.enter()
        try:
            self._peer.begin_stream()
            lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            self._outlet.deliver(f"{_HEAD}{lines}\r\nretry: {_RETRY}\n\n".encode())
            assert self._login is not None
            identity = self._login.identity
            await self._subscriber.subscribe(identity, self._asked.message, self._asked.channels)
            await self._last()
        except Refused as refused:
            self._outlet.close(self.refused_with(refused), refused.text)
        finally:
            self.exit()
        # What ends the stream may still be on its way.
        await asyncio.wait([self._peer.connection_lost_waiter], timeout=_FAREWELL)

    async def _last(self) -> None:
        """Wait for the end, with a sign of life now and then."""
        ends = [self._peer.connection_lost_waiter, self._ended]
        while self._outlet.open:
            await asyncio.wait(ends, timeout=HEARTBEAT, return_when=asyncio.FIRST_COMPLETED)
            self._outlet.deliver(frames.HEARTBEAT)

    def forget(self) -> None:
        """Give everything up that waits or listens."""
        super().forget()
        if not self._ended.done():
            self._ended.set_result(None)

    def subscribed(self, message: Message, offset: int, recovered: bool) -> None:
        """Say where the stream begins, and whether nothing was missed."""
        epoch, returning = self._house.hub.epoch, self._asked.returning
        # Until the first missed event is read, the client stands where it stood.
        begins = message.offset if recovered and message.offset is not None else offset
        payload = to_json({"channels": self._asked.channels, "offset": begins, "epoch": epoch,
                           "recovered": recovered})  # fmt: skip
        kind = "recovered" if returning else "subscribed"
        self._outlet.deliver(frames.told(kind, payload, f"{begins}:{epoch}"))

    def ended(self, channel: str, reason: str) -> None:
        """End the stream: its id would not tell what is missing in one of its channels."""
        self._outlet.close(Close.FORBIDDEN, reason)
