"""gunicorn's thread worker, made patient with nobody and polite to everybody."""

import socket
import ssl
import struct
from typing import Any

from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine, ParseException
from gunicorn.workers.gthread import ThreadWorker

from bodega.http.errors import PROBLEM_JSON, PROBLEMS_ROOT
from bodega_sdk.encoding import to_json
from bodega_sdk.ids import uuid7

#: Seconds that a client may be silent in the middle of a request.
SILENCE = 15
_TIMEVAL = struct.pack("ll", SILENCE, 0)
_STATUS = {
    LimitRequestLine: (414, "URI Too Long"),
    LimitRequestHeaders: (431, "Request Header Fields Too Large"),
}


class EncryptedSocket(ssl.SSLSocket):
    """An encrypted connection on which a silent client is not waited for without end.

    OpenSSL tries again when the kernel gives a read up, so the patience is Python's here.
    """

    def settimeout(self, value: float | None) -> None:
        """Be patient where there would be no end."""
        super().settimeout(SILENCE if value is None else value)

    def setblocking(self, flag: bool) -> None:
        """Be patient instead of blocking."""
        self.settimeout(None if flag else 0.0)

    def do_handshake(self, block: bool = False) -> None:
        """Shake hands; who says nothing has gone, as far as gunicorn's log is concerned."""
        try:
            super().do_handshake(block)
        except TimeoutError:
            raise ssl.SSLError(ssl.SSL_ERROR_EOF, "silent in the handshake") from None


class Worker(ThreadWorker):
    """Ends half a request, and refuses what is no HTTP with a problem document."""

    def enqueue_req(self, conn: Any) -> None:
        """Hand a connection to a thread, which it must not keep by saying nothing."""
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _TIMEVAL)
        super().enqueue_req(conn)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Any) -> None:
        """Answer a request that cannot be parsed; unknown transfer codings among them."""
        # An answer of ours that cannot be sent is no fault of the caller.
        ours = type(exc).__name__.startswith("InvalidResponse")
        if ours or not isinstance(exc, ParseException):
            super().handle_error(req, client, addr, exc)
            return
        status, reason = _STATUS.get(type(exc), (400, "Bad Request"))
        self.log.warning("Invalid request from ip=%s: %s", (addr or ("",))[0], exc)
        request_id = uuid7().hex
        body = to_json(
            {
                "type": f"{PROBLEMS_ROOT}/bad-request",
                "title": "The request cannot be read",
                "status": status,
                "detail": f"This is no HTTP request that we read: {reason}.",
                "instance": "",
                "request_id": request_id,
            }
        )
        head = (
            f"HTTP/1.1 {status} {reason}\r\nConnection: close\r\nX-Request-ID: {request_id}\r\n"
            f"Content-Type: {PROBLEM_JSON}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        try:
            client.sendall(head.encode() + body)
        except OSError:
            self.log.debug("The client did not wait for the refusal.")
