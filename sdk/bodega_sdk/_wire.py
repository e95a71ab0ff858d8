"""Connections of outgoing calls: to an address that was checked, within one deadline.

``http.client`` counts its timeout anew for each read, so that a server which sends a
byte a second holds a caller for ever. Here everything takes from one deadline.
"""

import functools
import http.client
import io
import queue
import socket
import ssl
import threading
import time
from typing import Any


class Deadline:
    """The end of a call.

    Args:
        seconds: from now.
    """

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds that are left.

        Raises:
            TimeoutError: none are.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time is up")
        return left


def resolve(host: str, port: int, deadline: Deadline) -> tuple[str, ...]:
    """Return the addresses of a host, each once.

    Raises:
        OSError: it has none, or nobody knew in time.
    """
    found: queue.SimpleQueue[Any] = queue.SimpleQueue()
    # The system's resolver knows no deadline; a thread that is late is left to itself.
    arguments = (found, host, port)
    threading.Thread(target=_look_up, args=arguments, name="resolve", daemon=True).start()
    try:
        answer = found.get(timeout=deadline.left())
    except queue.Empty:
        raise TimeoutError(f"nobody told the address of {host} in time") from None
    if isinstance(answer, Exception):
        raise answer
    return tuple(dict.fromkeys(item[4][0] for item in answer))


def _look_up(found: "queue.SimpleQueue[Any]", host: str, port: int) -> None:
    try:
        found.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    except (OSError, UnicodeError) as error:
        found.put(OSError(f"the address of {host} is not known: {error}"))


def connect(addresses: tuple[str, ...], port: int, deadline: Deadline) -> socket.socket:
    """Connect to the first address that answers; each has its share of what is left.

    Raises:
        OSError: none did.
    """
    error = OSError("it has no address")
    for place, address in enumerate(addresses):
        share = deadline.left() / (len(addresses) - place)
        try:
            return socket.create_connection((address, port), share)
        except OSError as failure:
            error = failure
    raise error


@functools.cache
def trust() -> ssl.SSLContext:
    """Return what certificates are held against: the authorities that the system trusts."""
    return ssl.create_default_context()


def secure(sock: socket.socket, host: str, deadline: Deadline) -> socket.socket:
    """Return the socket encrypted, once the host has proved to be the one that is meant.

    Raises:
        OSError: it has not.
    """
    sock.settimeout(deadline.left())
    return trust().wrap_socket(sock, server_hostname=host)


class Connection(http.client.HTTPConnection):
    """A connection that is there already, for one request.

    Args:
        host, port: what to say in the header ``Host``.
        default_port: that goes without saying.
    """

    def __init__(
        self, sock: socket.socket, host: str, port: int, default_port: int, deadline: Deadline
    ) -> None:
        self.default_port = default_port
        super().__init__(host, port)
        self.sock: Any = _Wire(sock, deadline)


class _Wire:
    """What ``http.client`` takes for a socket. Whoever opened the socket closes it."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self._deadline = deadline

    def sendall(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            self._sock.settimeout(self._deadline.left())
            rest = rest[self._sock.send(rest) :]

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self._sock, self._deadline))

    def close(self) -> None:
        pass


class _Reader(io.RawIOBase):
    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(self._deadline.left())
        return self._sock.recv_into(buffer)
