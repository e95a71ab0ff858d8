"""The connection as the library makes it, and what it has no room for: answers that do not end."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any

from websockets.asyncio.server import Server, ServerConnection
from websockets.exceptions import InvalidMessage
from websockets.http11 import Request, Response
from websockets.server import ServerProtocol

#: Seconds until a request must be complete.
_OPENING = 10.0
#: Milliseconds that what was sent to a client of a stream may stay unconfirmed.
_UNCONFIRMED = 30_000
_BAD_REQUEST = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n"
    b"Content-Length: 36\r\n\r\nExpected a request without a body.\r\n"
)


class Peer(ServerConnection):
    """A connection whose request is looked at before the library answers it.

    Args:
        streams: whether a request is for an answer that does not end.
        stream: gives that answer and returns at its end, or returns a whole one instead.
    """

    def __init__(
        self,
        streams: Callable[[Request], bool],
        stream: Callable[["Peer", Request], Awaitable[Response | None]],
        protocol: ServerProtocol,
        server: Server,
        **options: Any,
    ) -> None:
        super().__init__(protocol, server, **options)
        self._streams = streams
        self._stream = stream
        self._streaming = False
        self._refused = False

    async def handshake(
        self, process_request: Any = None, process_response: Any = None, server_header: Any = None
    ) -> None:
        """Answer the request; return when nothing or the conversation is left."""
        async with asyncio.timeout(_OPENING):
            await asyncio.wait(
                [self.request_rcvd, self.connection_lost_waiter],
                return_when=asyncio.FIRST_COMPLETED,
            )
        request = self.request
        if request is not None and self._streams(request) and self.server.is_serving():
            response = await self._stream(self, request)
            if response is None:
                return
            process_request = _giving(response)
        async with asyncio.timeout(_OPENING):
            await super().handshake(process_request, process_response, server_header)

    def begin_stream(self) -> None:
        """Listen no more: from here on only the server speaks."""
        self._streaming = True
        found = self.transport.get_extra_info("socket")
        option = getattr(socket, "TCP_USER_TIMEOUT", None)
        if found is not None and option is not None:
            # Else a client that vanished without a word would be kept for a quarter of an hour.
            found.setsockopt(socket.IPPROTO_TCP, option, _UNCONFIRMED)

    def data_received(self, data: bytes) -> None:
        """Take what the client sends, unless it has nothing more to say."""
        if not self._streaming:
            super().data_received(data)

    def send_data(self) -> None:
        """Write what the library has to say, and what it leaves unsaid: that it is no HTTP."""
        unread = self.request is None and isinstance(self.protocol.handshake_exc, InvalidMessage)
        if unread and not self._refused:
            self._refused = True
            self.transport.write(_BAD_REQUEST)
        super().send_data()


def _giving(response: Response) -> Callable[[ServerConnection, Request], Response]:
    return lambda connection, request: response
