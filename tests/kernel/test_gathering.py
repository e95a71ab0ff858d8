"""An answer leaves the server in one piece where it can."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from bodega.http import worker
from bodega.http.worker import Gathering


class Counted:
    """A socket that counts what is sent with it."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.sent: list[bytes] = []

    def sendall(self, data: bytes) -> None:
        self.sent.append(data)
        self._sock.sendall(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


@pytest.fixture
def ends() -> Iterator[tuple[Counted, socket.socket]]:
    """Both ends of a connection."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Counted(ours), theirs


def test_the_head_goes_out_with_what_follows(ends: Any) -> None:
    ours, theirs = ends
    gathering = Gathering(ours)
    for piece in (b"head", b"body", b"", b"more", b"end"):
        gathering.sendall(piece)
    gathering.flush()
    assert ours.sent == [b"headbody", b"", b"more", b"end"]
    assert theirs.recv(100) == b"headbodymoreend"


def test_a_head_alone_goes_out_at_the_end(ends: Any) -> None:
    ours, theirs = ends
    gathering = Gathering(ours)
    gathering.sendall(b"head")
    assert ours.sent == []
    gathering.flush()
    gathering.flush()
    assert ours.sent == [b"head"]
    gathering.sendall(b"late")
    assert theirs.recv(100) == b"headlate"


def test_what_is_large_is_not_copied(ends: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_TOGETHER", 4)
    gathering = Gathering(ends[0])
    gathering.sendall(b"head")
    gathering.sendall(b"large")
    assert ends[0].sent == [b"head", b"large"]


def test_whatever_else_is_done_comes_behind_what_was_written(ends: Any) -> None:
    ours, theirs = ends
    gathering = Gathering(ours)
    gathering.send(b"100-continue ")
    gathering.sendall(b"head")
    gathering.send(b" of a file")
    gathering.shutdown(socket.SHUT_WR)
    assert theirs.recv(100) + theirs.recv(100) == b"100-continue head of a file"
