"""Bodies that are too large are refused without being read, however they are sent."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bodega_sdk.testing.deployment import Deployment, environment

LOGIN = "/api/v1/auth/login"
_MIB = 2**20


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Deployment]:
    """A server of one process."""
    made = Deployment(environment(tmp_path / "shop"), 1, tmp_path)
    made.start("serve", "--port", str(made.port), "--workers", "1")
    made.wait_until(lambda: made.get("/health")[0] == 200)
    yield made
    made.stop()


def send(server: Deployment, head: str, pieces: Iterator[bytes]) -> tuple[bytes, int]:
    """Send a request until it is answered; return the answer and how many bytes were taken."""
    taken = 0
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
        client.sendall(
            f"POST {LOGIN} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            f"{head}\r\n\r\n".encode()
        )
        answer = b""
        try:
            for piece in pieces:
                client.sendall(piece)
                taken += len(piece)
        except OSError:
            pass
        client.settimeout(10)
        try:
            while more := client.recv(65_536):
                answer += more
        except OSError:
            pass
    return answer, taken


@pytest.mark.slow
def test_a_body_of_chunks_without_end_is_broken_off(server: Deployment) -> None:
    chunk = b"10000\r\n" + b"x" * 2**16 + b"\r\n"
    pieces = (chunk for _ in range(2_000))
    answer, taken = send(server, "Transfer-Encoding: chunked", pieces)
    # What the kernel's buffers hold was sent, too; it is far from all.
    assert taken < 30 * _MIB, taken
    assert b"413" in answer[:20] or not answer


@pytest.mark.slow
def test_a_length_that_is_too_large_is_refused_before_the_body_comes(server: Deployment) -> None:
    began = time.monotonic()
    answer, _ = send(server, f"Content-Length: {100 * _MIB}", iter(()))
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"application/problem+json" in answer
    assert time.monotonic() - began < 15


@pytest.mark.slow
def test_large_headers_are_refused_with_a_problem(server: Deployment) -> None:
    many = "\r\n".join(f"X-{number}: 1" for number in range(200))
    for head in (many, "X-Large: " + "x" * 10_000):
        answer, _ = send(server, head, iter(()))
        assert answer.startswith(b"HTTP/1.1 431"), answer[:50]
        assert b"application/problem+json" in answer
