"""gunicorn with threads that wait for requests themselves: everybody is answered."""

import http.client
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from bodega.http import server
from bodega_sdk.testing.deployment import free_port

pytestmark = pytest.mark.skipif(not hasattr(select, "epoll"), reason="epoll is Linux's")

_APP = """
import sys, threading, time
def app(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/exit":
        sys.exit(3)
    if path == "/slow":
        time.sleep(1)
    body = environ["wsgi.input"].read() or path.encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""


def _ask(path: str, headers: str = "") -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n".encode()


class Running:
    """A server of one process and two threads."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.port = free_port()
        (folder / "tiny.py").write_text(_APP)
        command = (
            sys.executable, "-m", "gunicorn", "-k", "bodega.http.epoll_worker.EpollWorker",
            "--threads", "2", "-b", f"127.0.0.1:{self.port}", "--chdir", str(folder),
            "--no-control-socket", "--log-level", "warning", *options, "tiny:app",
        )  # fmt: skip
        self.log = folder / "log"
        with self.log.open("wb") as told:
            self.process = subprocess.Popen(command, stderr=told)

    def connect(self) -> socket.socket:
        deadline = time.monotonic() + 20
        while True:
            try:
                return socket.create_connection(("127.0.0.1", self.port), timeout=15)
            except ConnectionRefusedError:
                assert time.monotonic() < deadline
                assert self.process.poll() is None
                time.sleep(0.05)

    def get(self, path: str) -> bytes:
        with self.connect() as asking:
            asking.sendall(_ask(path))
            return answer(asking)


def answer(asked: socket.socket) -> bytes:
    """Return the body of the next answer."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = asked.recv(1)
        assert piece, f"hung up behind {data!r}"
        data += piece
    length = int(data.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
    body = b""
    while len(body) < length:
        body += asked.recv(length - len(body))
    return body


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    made: list[Running] = []

    def run(*options: str) -> Running:
        made.append(Running(tmp_path, *options))
        made[-1].connect().close()
        return made[-1]

    yield run
    for one in made:
        one.process.kill()
        one.process.wait(20)


def test_many_connections_share_few_threads(start: Callable[..., Running]) -> None:
    running = start()
    connections = [running.connect() for _ in range(40)]
    for round_ in range(5):
        for number, one in enumerate(connections):
            one.sendall(_ask(f"/{number}-{round_}"))
        # Who has asked nothing is in nobody's way, nor who has asked half a question.
        with running.connect(), running.connect() as slow:
            slow.sendall(b"GET /half HTTP/1.1\r\n")
            for number, one in enumerate(connections):
                assert answer(one) == f"/{number}-{round_}".encode()
            slow.sendall(b"Host: x\r\n\r\n")
            assert answer(slow) == b"/half"
    for one in connections:
        one.close()


def test_requests_that_were_sent_at_once_are_answered_in_order(
    start: Callable[..., Running],
) -> None:
    running = start()
    wanted = [f"/{number}" for number in range(30)]
    hasty = [running.connect() for _ in range(4)]
    for one in hasty:
        one.sendall(b"".join(map(_ask, wanted)))
    # Nobody has to wait until they are through.
    assert running.get("/other") == b"/other"
    for one in hasty:
        assert [answer(one).decode() for _ in wanted] == wanted
        one.close()


def test_a_body_that_nobody_read_is_not_the_next_request(start: Callable[..., Running]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", start().port, timeout=15)
    for size in (0, 10, 300_000):
        connection.request("POST", "/", b"x" * size)
        assert len(connection.getresponse().read()) == (size or 1)
    connection.close()


def test_a_thread_outlives_what_a_request_does(start: Callable[..., Running]) -> None:
    running = start()
    for _ in range(5):
        with running.connect() as asking:
            asking.sendall(_ask("/exit"))
            assert b" 200 " not in asking.recv(100)
    assert running.get("/still") == b"/still"
    assert "SystemExit: 3" in running.log.read_text()


def test_who_says_nothing_is_hung_up_on(start: Callable[..., Running]) -> None:
    running = start("--keep-alive", "1")
    asked, silent = running.connect(), running.connect()
    asked.sendall(_ask("/"))
    assert answer(asked) == b"/"
    began = time.monotonic()
    assert asked.recv(1) == b""
    assert 0.5 < time.monotonic() - began < 4
    # Longer before the first request, for which gunicorn has always waited longer.
    assert silent.recv(1) == b""
    assert 4 < time.monotonic() - began < 10
    asked.close()
    silent.close()


def test_more_connections_than_may_be_wait_for_others_to_go(start: Callable[..., Running]) -> None:
    running = start("--worker-connections", "4", "--keep-alive", "30")
    first = [running.connect() for _ in range(4)]
    time.sleep(0.3)
    late = running.connect()
    late.sendall(_ask("/late"))
    late.settimeout(0.5)
    with pytest.raises(TimeoutError):
        late.recv(1)
    late.settimeout(15)
    for one in first:
        one.close()
    assert answer(late) == b"/late"
    late.close()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_an_ending_server_answers_what_has_begun(
    start: Callable[..., Running], how: signal.Signals
) -> None:
    running = start("--keep-alive", "60")
    idle, busy = running.connect(), running.connect()
    idle.sendall(_ask("/"))
    assert answer(idle) == b"/"
    busy.sendall(_ask("/slow"))
    time.sleep(0.3)
    began = time.monotonic()
    running.process.send_signal(how)
    if how == signal.SIGTERM:
        # Who was about to ask is answered, too, and told that it was the last time.
        time.sleep(0.5)
        idle.sendall(_ask("/last"))
        assert answer(idle) == b"/last"
        assert answer(busy) == b"/slow"
        assert idle.recv(1) == b""
    assert running.process.wait(15) == 0
    assert time.monotonic() - began < 8
    idle.close()
    busy.close()


_STOPPED_AT_ONCE = """
import os, signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

usual = ThreadPoolExecutor._adjust_thread_count

def adjust(pool):
    mark = Path(__file__).with_name("stopped")
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGQUIT)
    usual(pool)

ThreadPoolExecutor._adjust_thread_count = adjust
"""


def test_a_process_that_is_stopped_while_its_threads_begin_ends(
    start: Callable[..., Running], tmp_path: Path
) -> None:
    # It was killed 20 s later: it waited for a lock that it held itself.
    (tmp_path / "conf.py").write_text(_STOPPED_AT_ONCE)
    running = start("--config", str(tmp_path / "conf.py"))
    assert running.get("/next") == b"/next"
    assert (tmp_path / "stopped").exists()


def test_elsewhere_than_on_linux_gunicorn_waits_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    assert server._worker_class() == "epoll_worker.EpollWorker"
    monkeypatch.setattr(server, "select", SimpleNamespace())
    assert server._worker_class() == "worker.Worker"


def test_threads_take_turns_and_lose_nobody() -> None:
    from bodega.http.waiting import Waiting

    waiting, taken, ends = Waiting(), [], []
    for _ in range(30):
        ours, theirs = socket.socketpair()
        ends.append((ours, theirs))
        waiting.add(SimpleNamespace(sock=ours, parser=None, timeout=None), 60)

    def take() -> None:
        while (connection := waiting.take()) is not None:
            taken.append(connection.sock.recv(10))
            waiting.put_back(connection, 60)

    threads = [threading.Thread(target=take) for _ in range(3)]
    for thread in threads:
        thread.start()
    for round_ in range(20):
        for number, (_, theirs) in enumerate(ends):
            theirs.sendall(f"{number}.{round_}".encode())
        deadline = time.monotonic() + 10
        while len(taken) < 30 * (round_ + 1):
            assert time.monotonic() < deadline
            time.sleep(0.001)
    assert sorted(taken) == sorted(f"{n}.{r}".encode() for n in range(30) for r in range(20))
    assert len(waiting) == 30
    assert waiting.given_up() == []
    assert len(waiting.given_up(within=0)) == 30
    waiting.end()
    for thread in threads:
        thread.join(5)
        assert not thread.is_alive()
    for pair in ends:
        for end in pair:
            end.close()
