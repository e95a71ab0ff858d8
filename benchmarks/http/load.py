"""A load generator of one process: so many connections, each asks again when it has an answer.

    python load.py PORT CONNECTIONS SECONDS    requests as lines of JSON on its standard input

It prints requests, seconds, milliseconds of the median and the 99th hundredth, and errors.
"""

import json
import random
import selectors
import socket
import sys
import time
from typing import Any


class Connection:
    """A connection that is asked again and again."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""
        self._wanted = -1
        self.began = 0.0
        self.failed = False

    def ask(self, request: bytes) -> None:
        """Send a request."""
        self._buffer, self._wanted, self.began = b"", -1, time.perf_counter()
        self.socket.sendall(request)

    def read(self) -> bool:
        """Read some of the answer; return whether it is there."""
        piece = self.socket.recv(65536)
        if not piece:
            raise ConnectionError("the server hung up")
        self._buffer += piece
        if self._wanted < 0:
            head, found, _ = self._buffer.partition(b"\r\n\r\n")
            if not found:
                return False
            self.failed = not head.startswith(b"HTTP/1.1 200")
            length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
            self._wanted = len(head) + 4 + int(length)
        return len(self._buffer) >= self._wanted


def run(port: int, connections: int, seconds: float, requests: list[bytes]) -> dict[str, Any]:
    """Ask for so many seconds; return what came of it."""
    draw, taken, errors = random.Random(7), [], 0
    selector = selectors.DefaultSelector()
    for _ in range(connections):
        connection = Connection(port)
        selector.register(connection.socket, selectors.EVENT_READ, connection)
        connection.ask(draw.choice(requests))
    began = time.perf_counter()
    while time.perf_counter() - began < seconds:
        for key, _ in selector.select(1):
            connection = key.data
            if connection.read():
                taken.append(time.perf_counter() - connection.began)
                errors += connection.failed
                connection.ask(draw.choice(requests))
    spent = time.perf_counter() - began
    taken.sort()
    return {
        "requests": len(taken), "seconds": spent, "errors": errors,
        "p50": taken[len(taken) // 2] * 1000, "p99": taken[len(taken) * 99 // 100] * 1000,
    }  # fmt: skip


def main() -> None:
    port, connections, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    requests = [json.loads(line).encode() for line in sys.stdin]
    print(json.dumps(run(port, connections, seconds, requests)))


if __name__ == "__main__":
    main()
