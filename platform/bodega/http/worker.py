"""gunicorn's thread worker, made patient with nobody and polite to everybody."""

import socket
import ssl
import struct
from typing import Any

from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine, ParseException
from gunicorn.workers.gthread import ThreadWorker

from bodega.http import response
from bodega.http.errors import PROBLEM_JSON, PROBLEMS_ROOT
from bodega_sdk.encoding import to_json
from bodega_sdk.ids import uuid7

#: Seconds that a client may be silent in the middle of a request.
SILENCE = 15
_TIMEVAL = struct.pack("ll", SILENCE, 0)
#: Bytes of a body that are copied to be sent with the head.
_TOGETHER = 256 * 1024
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


class Gathering:
    """A connection while a request is answered: the head goes out with what follows it.

    gunicorn sends them one after the other, which costs the kernel twice, and the client too.
    """

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self._head: bytes | None = None

    def sendall(self, data: bytes) -> None:
        """Keep what comes first, and send it with what comes next."""
        if self._head is None:
            self._head = data
        elif self._head and len(data) <= _TOGETHER:
            head, self._head = self._head, b""
            self._sock.sendall(head + data)
        else:
            self.flush()
            self._sock.sendall(data)

    def flush(self) -> None:
        """Send what is kept: nothing follows it."""
        head, self._head = self._head, b""
        if head:
            self._sock.sendall(head)

    def __getattr__(self, name: str) -> Any:
        # Whatever else is done with a connection comes behind what was written to it.
        if self._head:
            self.flush()
        return getattr(self._sock, name)


class Worker(ThreadWorker):
    """Ends half a request, and refuses what is no HTTP with a problem document."""

    def init_process(self) -> None:
        """Begin; gunicorn looks its settings up twenty times in each request."""
        for name, setting in self.cfg.settings.items():
            self.cfg.__dict__[name] = setting.get()
        response.install()
        super().init_process()

    def handle_quit(self, sig: int, frame: Any) -> None:
        """End at once. gunicorn takes a lock of the pool first, which this thread may hold."""
        super(ThreadWorker, self).handle_quit(sig, frame)

    def enqueue_req(self, conn: Any) -> None:
        """Hand a connection to a thread, which it must not keep by saying nothing."""
        if not conn.initialized:
            self.be_patient(conn)
        super().enqueue_req(conn)

    @staticmethod
    def be_patient(conn: Any) -> None:
        """Have whoever reads from a connection wait so long, and no longer."""
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _TIMEVAL)

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Answer a request, in one piece if it is small."""
        sock = conn.sock
        conn.sock = gathering = Gathering(sock)
        try:
            return super().handle_request(req, conn)
        finally:
            conn.sock = sock
            gathering.flush()

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
