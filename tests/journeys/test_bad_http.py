"""Bad HTTP against a real server: refused with a 4xx, and the server goes on serving."""

import json
import re
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest

from bodega_sdk.testing.deployment import Deployment, environment

HEAD = re.compile(rb"^HTTP/1\.[01] (\d{3}) .*?\r\n(.*?)\r\n\r\n", re.MULTILINE | re.DOTALL)
MEDIA = re.compile(rb"^content-type: ([^;\r]*)", re.MULTILINE | re.IGNORECASE)
HOST = b"Host: shop.example\r\n"
CSV = b"Content-Type: text/csv\r\n"
FORM = b"Content-Type: multipart/form-data; boundary=b\r\n"
GOOD = b"sku,name,price\nL-1,Lamp,29.99\n"
#: Megabytes of the largest file this server takes.
LIMIT = 1


@dataclass(frozen=True)
class Answer:
    """What a connection brought: the statuses and media types in order, and all bytes."""

    statuses: list[int]
    media: list[str]
    data: bytes


@dataclass
class Server:
    """``bodega serve`` on SQLite, with an administrator's token."""

    deployment: Deployment
    token: str = ""
    seen: int = 0

    def connect(self) -> socket.socket:
        """Open a connection."""
        return socket.create_connection(("127.0.0.1", self.deployment.port), timeout=30)

    def send(self, *pieces: bytes) -> Answer:
        """Send bytes, end the sending side, and return what comes back."""
        with self.connect() as connection:
            # The server may answer and close before it has read everything.
            with suppress(OSError):
                for piece in pieces:
                    connection.sendall(piece)
                connection.shutdown(socket.SHUT_WR)
            return _answer(connection)

    def upload(self, body: bytes, head: bytes = CSV) -> Answer:
        """Send a file."""
        return self.send(self.upload_head(head, len(body)) + body)

    def upload_head(self, head: bytes, length: int | None = None) -> bytes:
        """Return the beginning of an upload."""
        size = b"" if length is None else b"Content-Length: %d\r\n" % length
        authorization = f"Authorization: Bearer {self.token}\r\n".encode()
        line = b"POST /api/v1/imports HTTP/1.1\r\nConnection: close\r\n"
        return line + HOST + authorization + head + size + b"\r\n"

    def healthy(self) -> None:
        """Check that it answers, and that it failed at nothing since the last check."""
        assert self.deployment.get("/health")[0] == 200
        (log,) = self.deployment.folder.glob("serve-*.log")
        written = log.read_text()[self.seen :]
        self.seen += len(written)
        assert "request failed" not in written, written[-2000:]


def _answer(connection: socket.socket) -> Answer:
    data = b""
    with suppress(ConnectionResetError):
        while piece := connection.recv(65_536):
            data += piece
    heads = HEAD.findall(data)
    media = [found[1].decode() if (found := MEDIA.search(head)) else "" for _, head in heads]
    return Answer([int(status) for status, _ in heads], media, data)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that takes files of one megabyte."""
    folder = tmp_path_factory.mktemp("bad_http")
    deployment = Deployment(environment(folder / "shop"), 2, folder)
    port = str(deployment.port)
    deployment.start("serve", "--port", port, "--workers", "2", "--threads", "4")
    deployment.wait_until(lambda: deployment.get("/health")[0] == 200)
    made = Server(deployment, deployment.log_in())
    path, value = "/api/v1/settings/imports.largest_mb", {"value": LIMIT}
    assert deployment.call("PUT", path, value, made.token)[0] == 200
    # Every process computes its next Assembly with it within a second.
    time.sleep(2.5)
    yield made
    deployment.stop()


def _faults(name: str, answer: Answer) -> list[str]:
    """Return what is wrong with a refusal; no answer at all is one to what is no request."""
    shown = f"{name}: {answer.statuses} {answer.data[-200:]!r}"
    if not all(400 <= status < 500 for status in answer.statuses):
        return [f"not refused: {shown}"]
    if not all(media == "application/problem+json" for media in answer.media):
        return [f"no problem document: {shown}"]
    return [f"shows its inside: {shown}"] if re.search(rb"Traceback|\.py\b", answer.data) else []


def _survive(server: Server, requests: dict[str, bytes], *, silent: bool = False) -> None:
    found: list[str] = []
    for name, request in requests.items():
        answer = server.send(request)
        found += _faults(name, answer)
        if not answer.statuses and not silent:
            found.append(f"not answered: {name}")
        server.healthy()
    assert not found, "\n".join(found)


# What is no HTTP.

_GET = b"GET /health HTTP/1.1\r\n"
NO_HTTP = {
    "garbage": b"GARBAGE\r\n\r\n",
    "line ends": b"\r\n\r\n",
    "zeros": b"\0" * 100 + b"\r\n\r\n",
    "no version": b"GET /health\r\n\r\n",
    "another version": b"GET /health HTTP/9.9\r\n" + HOST + b"\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a space in the path": b"GET /a b HTTP/1.1\r\n" + HOST + b"\r\n",
    "raw UTF-8": "GET /é HTTP/1.1\r\n".encode() + HOST + b"\r\n",
    "a method of bytes": b"G\xffT / HTTP/1.1\r\n" + HOST + b"\r\n",
    "a small method": b"get / HTTP/1.1\r\n" + HOST + b"\r\n",
    "a long method": b"X" * 100 + b" / HTTP/1.1\r\n" + HOST + b"\r\n",
    "half an address": b"GET http://[::1 HTTP/1.1\r\n" + HOST + b"\r\n",
    "an endless line": b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    "a header of 100 kB": _GET + b"X: " + b"x" * 100_000 + b"\r\n\r\n",
    "1,000 headers": _GET + b"".join(b"X-%d: y\r\n" % n for n in range(1000)) + b"\r\n",
    "a header without colon": _GET + b"X\r\n\r\n",
    "a space before the colon": _GET + b"X : y\r\n\r\n",
    "a folded header": _GET + b"X: y\r\n z\r\n\r\n",
    "a NUL in a header": _GET + b"X: a\0b\r\n\r\n",
    "two hosts": _GET + HOST + HOST + b"\r\n",
    "a proxy's line": b"PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\n" + _GET + HOST + b"\r\n",
}


def test_what_is_no_http_is_refused(server: Server) -> None:
    _survive(server, NO_HTTP)


def test_a_connection_that_says_nothing_useful_is_closed(server: Server) -> None:
    tls = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 200
    _survive(server, {"nothing": b"", "TLS": tls, "half a line": b"GET /hea"}, silent=True)


def test_a_strange_but_whole_request_is_answered_by_the_api(server: Server) -> None:
    lines = (
        b"BREW /health", b"WEBSOCKET /health", b"CONNECT x:80", b"OPTIONS *", b"DELETE /health",
        b"GET /%ff%00", b"GET /nowhere?" + b"x" * 3900, b"GET /api/v1/products?page=0",
    )  # fmt: skip
    requests = {line[:30].decode(): line + b" HTTP/1.1\r\n" + HOST + b"\r\n" for line in lines}
    assets = b"GET /api/docs/assets/swagger-ui.css HTTP/1.1\r\n" + HOST
    for header in (b"Range: bytes=9-1", b"Range: bytes=x", b"If-Modified-Since: x"):
        requests[header.decode()] = assets + header + b"\r\n\r\n"
    _survive(server, requests)


# Bodies.

_LOGIN = b"POST /api/v1/auth/login HTTP/1.1\r\nContent-Type: application/json\r\n" + HOST
_CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
LENGTHS = {
    "a negative length": _LOGIN + b"Content-Length: -5\r\n\r\n{}",
    "a length in words": _LOGIN + b"Content-Length: two\r\n\r\n{}",
    "a length with a sign": _LOGIN + b"Content-Length: +2\r\n\r\n{}",
    "an endless length": _LOGIN + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n{}",
    "two lengths": _LOGIN + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "a length and chunks": _LOGIN + b"Content-Length: 2\r\n" + _CHUNKED + b"2\r\n{}\r\n0\r\n\r\n",
    "more than the length": _LOGIN + b"Content-Length: 2\r\n\r\n{}GARBAGE\r\n\r\n",
    "an unknown coding": _LOGIN + b"Transfer-Encoding: nope\r\n\r\n{}",
    "a coding on top": _LOGIN + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunks twice": _LOGIN + b"Transfer-Encoding: chunked\r\n" + _CHUNKED + b"0\r\n\r\n",
    "another expectation": _LOGIN + b"Expect: nope\r\nContent-Length: 2\r\n\r\n{}",
    "nothing": _LOGIN + b"\r\n",
    "many levels": _LOGIN + b"Content-Length: 2007\r\n\r\n" + b'{"a":' + b"[" * 1001 + b"]" * 1001,
}
CHUNKS = {
    "good chunks of a bad body": b"2\r\n{}\r\n0\r\n\r\n",
    "no chunks": b"0\r\n\r\n",
    "a size in letters": b"zz\r\n{}\r\n0\r\n\r\n",
    "a negative size": b"-2\r\n{}\r\n0\r\n\r\n",
    "no size": b"\r\n{}\r\n0\r\n\r\n",
    "an endless size": b"f" * 20 + b"\r\n{}",
    "an endless size line": b"1" * 20_000,
    "a chunk that is too short": b"ff\r\n{}",
    "a chunk that is too long": b"2\r\n{}{}{}\r\n0\r\n\r\n",
    "no last chunk": b"2\r\n{}\r\n",
    "no end of a chunk": b"2\r\n{}",
    "a bad extension": b"2;a=\r\r\n{}\r\n0\r\n\r\n",
    "a bad trailer": b"2\r\n{}\r\n0\r\nX Y: z\r\n\r\n",
    "two megabytes": (b"100000\r\n" + b"x" * 2**20 + b"\r\n") * 2 + b"0\r\n\r\n",
}


def test_a_length_that_is_none_is_refused(server: Server) -> None:
    _survive(server, LENGTHS)


def test_broken_chunks_are_refused(server: Server) -> None:
    _survive(server, {name: _LOGIN + _CHUNKED + chunks for name, chunks in CHUNKS.items()})


def test_broken_chunks_of_a_file_are_refused_and_leave_no_import(server: Server) -> None:
    before = _imports(server)
    for head in (CSV, FORM):
        upload = server.upload_head(head + _CHUNKED[:-2])
        _survive(server, {name: upload + chunks for name, chunks in CHUNKS.items()
                          if "good" not in name and "two" not in name})  # fmt: skip
    assert _imports(server) == before


def test_a_body_that_ends_before_its_length_is_not_acted_upon(server: Server) -> None:
    body = json.dumps({"name": "Cut off", "sku": "CUT", "price": "1"}).encode()
    head = b"POST /api/v1/products HTTP/1.1\r\nContent-Type: application/json\r\n" + HOST
    head += f"Authorization: Bearer {server.token}\r\n".encode()
    before = _imports(server)
    cut = {"JSON": head + b"Content-Length: %d\r\n\r\n" % (len(body) + 5) + body}
    cut["a file"] = server.upload_head(CSV, len(GOOD) + 5) + GOOD
    cut["a form"] = server.upload_head(FORM, len(_form(_part(GOOD))) + 5) + _form(_part(GOOD))
    cut["half a form"] = server.upload_head(FORM, 500) + _form(_part(GOOD))[:60]
    _survive(server, cut)
    assert server.deployment.get("/api/v1/products?sku=CUT")[1]["count"] == 0
    assert _imports(server) == before


def test_whoever_hangs_up_in_the_middle_disturbs_nobody(server: Server) -> None:
    before = _imports(server)
    for beginning in (
        b"GET /hea",
        _LOGIN + b"Content-Length: 100\r\n\r\n{",
        _LOGIN + _CHUNKED + b"ff\r\n{",
        server.upload_head(CSV, 10**6) + GOOD * 1000,
        server.upload_head(FORM, 10**6) + _form(_part(GOOD))[:60],
    ):
        for abort in (False, True):
            with server.connect() as connection:
                connection.sendall(beginning)
                time.sleep(0.05)
                if abort:  # A reset instead of an orderly end.
                    linger = struct.pack("ii", 1, 0)
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        server.healthy()
    assert _imports(server) == before


def test_what_follows_a_refused_body_is_no_request(server: Server) -> None:
    inner = b"GET /health HTTP/1.1\r\n" + HOST + b"\r\n"
    large = _LOGIN + b"Content-Length: %d\r\n\r\n" % (2**21 + len(inner))
    answer = server.send(large + b"x" * 2**21 + inner)
    assert answer.statuses in ([413], []), answer
    assert b'"healthy"' not in answer.data
    server.healthy()


@pytest.mark.slow
def test_those_who_stop_in_the_middle_do_not_keep_others_waiting(server: Server) -> None:
    for beginning in (b"GET /hea", _LOGIN + b"Content-Length: 100\r\n\r\n{"):
        held = [server.connect() for _ in range(24)]
        try:
            for connection in held:
                connection.sendall(beginning)
            server.deployment.wait_until(lambda: _quick(server), "the server is stuck", timeout=90)
        finally:
            for connection in held:
                connection.close()
    server.healthy()


def _quick(server: Server) -> bool:
    """Whether it answers within two seconds."""
    with server.connect() as connection:
        connection.settimeout(2)
        connection.sendall(b"GET /health HTTP/1.1\r\nConnection: close\r\n" + HOST + b"\r\n")
        with suppress(TimeoutError):
            return connection.recv(100).startswith(b"HTTP/1.1 200")
    return False


# Uploads.


def _part(data: bytes, disposition: bytes = b'name="file"; filename="x.csv"') -> bytes:
    return b"--b\r\nContent-Disposition: form-data; " + disposition + b"\r\n\r\n" + data + b"\r\n"


def _form(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--b--\r\n"


def _imports(server: Server) -> int:
    count: int = server.deployment.get("/api/v1/imports", server.token)[1]["count"]
    return count


def test_a_form_that_is_none_is_refused(server: Server) -> None:
    before, good = _imports(server), _form(_part(GOOD))
    other = b"Content-Type: multipart/form-data; boundary=other\r\n"
    forms = {
        "no boundary": (good, b"Content-Type: multipart/form-data\r\n"),
        "an empty boundary": (good, b"Content-Type: multipart/form-data; boundary=\r\n"),
        "another boundary": (good, other),
        "cut off": (good[:-12], FORM),
        "nothing": (b"", FORM),
        "1,000 parts": (_form(*[_part(b"x", b'name="x"')] * 1000, _part(GOOD)), FORM),
        "an empty file": (_form(_part(b"")), FORM),
        "binary garbage": (bytes(range(256)) * 100, FORM),
        "XML": (b"<a/>", b"Content-Type: application/xml\r\n"),
        "no media type": (GOOD, b""),
        "an empty body": (b"", CSV),
    }
    _survive(server, {name: server.upload_head(head, len(body)) + body
                      for name, (body, head) in forms.items()})  # fmt: skip
    assert _imports(server) == before


def test_a_file_of_any_name_is_taken_and_none_is_made_elsewhere(server: Server) -> None:
    names = (b"../../../tmp/evil.csv", b"/etc/passwd", b"nul\0.csv", b"x" * 5000, b'a \\"b\\".csv',
             "Größe 🙈.csv".encode(), b"C:\\shop\\x.csv", b"..", b"a;b=c.csv")  # fmt: skip
    for name in names:
        answer = server.upload(_form(_part(GOOD, b'name="file"; filename="' + name + b'"')), FORM)
        assert answer.statuses == [202], (name[:30], answer.data[-300:])
        server.healthy()
    listed = server.deployment.get("/api/v1/imports?page_size=50", server.token)[1]["results"]
    assert not any("/" in item["filename"] or "\0" in item["filename"] for item in listed)
    folder = server.deployment.folder / "shop" / "files"
    assert {path.suffix for path in folder.rglob("*") if path.is_file()} == {".data"}


def test_of_two_files_the_first_is_taken_and_garbage_is_judged_later(server: Server) -> None:
    two = _form(_part(GOOD), _part(b"sku,name,price\nX,X,1\n"))
    for body, head in ((two, FORM), (bytes(range(256)) * 100, CSV)):
        assert server.upload(body, head).statuses == [202]
        server.healthy()


def test_a_file_above_the_limit_is_refused_however_it_is_sent(server: Server) -> None:
    before, large = _imports(server), GOOD + b"X,Y,1\n" * (20_000_000 // 6)
    chunk = b"%x\r\n" % len(large) + large + b"\r\n0\r\n\r\n"
    form = _form(_part(large))
    for request in (
        server.upload_head(CSV, len(large)) + large,
        server.upload_head(FORM, len(form)) + form,
        server.upload_head(CSV + _CHUNKED[:-2]) + chunk,
    ):
        answer = server.send(request)
        assert answer.statuses == [413], answer.data[-300:]
        assert b"%d MB" % LIMIT in answer.data
        server.healthy()
    assert _imports(server) == before
    assert not list(server.deployment.folder.rglob("*.part"))


def test_an_upload_to_a_disabled_addon_is_not_found(server: Server) -> None:
    switched = server.deployment.command("addons", "disable", "imports")
    assert switched.returncode == 0, switched.stderr
    try:
        for body, head in ((GOOD, CSV), (_form(_part(GOOD)), FORM)):
            answer = server.upload(body, head)
            assert (answer.statuses, answer.media) == ([404], ["application/problem+json"])
            server.healthy()
    finally:
        again = server.deployment.command("addons", "enable", "imports")
    assert again.returncode == 0, again.stderr
    assert server.upload(GOOD).statuses == [202]


def test_the_names_in_links_are_those_of_the_request_only(server: Server) -> None:
    for number in range(2):
        body: dict[str, Any] = {"name": "x", "sku": f"N{number}", "price": "1"}
        assert server.deployment.call("POST", "/api/v1/products", body, server.token)[0] == 201
    for host in (b'a b"<>', b"[::1", b"x" * 2000, b"\xff", b""):
        line = b"GET /api/v1/products?page_size=1 HTTP/1.1\r\nConnection: close\r\n"
        answer = server.send(line + b"Host: " + host + b"\r\n\r\n")
        assert all(status < 500 for status in answer.statuses), (host, answer.data[-300:])
        server.healthy()
