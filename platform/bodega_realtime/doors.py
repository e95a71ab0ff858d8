"""Where each client is let in: the protocol, a plain stream, or plain HTTP."""

from http import HTTPStatus

from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from bodega_realtime import asked as asking
from bodega_realtime.client import House
from bodega_realtime.connection import Connection
from bodega_realtime.health import SOCKET_PATH, Health, nothing, problem
from bodega_realtime.messages import Refused, is_channel
from bodega_realtime.plain import PlainStream
from bodega_realtime.subscriptions import Part

_STREAMS = SOCKET_PATH + "/"


class Doors:
    """What the library calls: first for the request, then for the conversation.

    Args:
        health: answers what is no handshake.
    """

    def __init__(self, house: House, health: Health) -> None:
        self._house = house
        self._health = health

    async def answer(self, websocket: ServerConnection, request: Request) -> Response | None:
        """Return the answer to a request; None for what may be a handshake."""
        path = asking.path_of(request)
        if path == SOCKET_PATH:
            return None
        if path.startswith(_STREAMS):
            response = self._of_stream(request, path)
        else:
            response = await self._health.answer(request)
        if response is not None and request.method == "HEAD":
            response.body = b""
        return response

    def _of_stream(self, request: Request, path: str) -> Response | None:
        if self._stream_at(path) is None:
            return nothing(request)
        try:
            asking.read(request, asking.PLAIN)
        except Refused as refused:
            return problem(request, HTTPStatus.BAD_REQUEST, refused.text)
        return None

    def _stream_at(self, path: str) -> Part | None:
        part = self._house.hub.stream_at(path.removeprefix(_STREAMS))
        return part if part is not None and is_channel(part.name) else None

    async def talk(self, websocket: ServerConnection) -> None:
        """Talk to a client until either side ends the connection."""
        request = websocket.request
        assert request is not None
        path = asking.path_of(request)
        if path == SOCKET_PATH:
            await Connection(websocket, self._house).run()
            return
        part = self._stream_at(path)
        # It may have gone between the request and now: an unknown channel is told then.
        name = path if part is None else part.name
        asked = asking.read(request, asking.PLAIN)
        await PlainStream(websocket, self._house, name, asked).run()
