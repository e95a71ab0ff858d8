"""Outgoing calls to real servers: within the manifest, within the deadline, to what was checked."""

import datetime
import io
import ipaddress
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bodega_sdk import Fetched, _wire, fetch
from bodega_sdk.capabilities import Grant
from bodega_sdk.errors import CapabilityError, FetchFailed
from bodega_sdk.outgoing import is_public
from bodega_sdk.runtime import bound

#: An address of the internet; no test sends anything there.
PUBLIC = "93.184.215.14"


class Shop:
    """As much of a shop as an outgoing call asks for."""

    def __init__(self, *hosts: str) -> None:
        self._grant = Grant("loyalty", {"hosts": hosts})

    def grant(self) -> Grant:
        return self._grant


@contextmanager
def using(*hosts: str) -> Iterator[None]:
    with bound(Shop(*hosts)):  # type: ignore[arg-type]
        yield


class Handler(BaseHTTPRequestHandler):
    """Tells what it was asked; ``/to/STATUS?URL`` redirects."""

    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        path, _, query = self.path.partition("?")
        told = json.dumps({"method": self.command, "path": self.path, "body": body,
                           "headers": {k.lower(): v for k, v in self.headers.items()}})  # fmt: skip
        self.send_response(int(path.rpartition("/")[2]) if path.startswith("/to/") else 200)
        if path.startswith("/to/"):
            self.send_header("Location", query)
        self.send_header("X-Twice", "a")
        self.send_header("X-Twice", "b")
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(told.encode())

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = answer

    def log_message(self, *args: Any) -> None:
        pass


@contextmanager
def serving(context: ssl.SSLContext | None = None) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *args: None  # type: ignore[method-assign]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def port() -> Iterator[int]:
    """The port of a server on 127.0.0.1."""
    with serving() as found:
        yield found


@pytest.fixture
def raw() -> Iterator[Callable[[Callable[[socket.socket], Any]], str]]:
    """Make a server of a function that gets each connection; return its URL."""
    listeners: list[socket.socket] = []
    ended = threading.Event()

    def serve(talk: Callable[[socket.socket], Any]) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def accept() -> None:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                connection.recv(65_536)
                try:
                    talk(connection)
                except OSError:
                    return
                ended.wait(0.05)

        threading.Thread(target=accept, daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}/"

    yield serve
    ended.set()
    for listener in listeners:
        listener.close()


# What is asked and answered.


def test_what_is_asked_arrives_and_what_is_answered_comes_back(port: int) -> None:
    with using("127.0.0.1"):
        answer = fetch(f"http://127.0.0.1:{port}/a/b?c=d%20e", headers={"X-Key": "k"})
    told = answer.json()
    assert (answer.status, told["method"], told["path"]) == (200, "GET", "/a/b?c=d%20e")
    assert told["headers"]["x-key"] == "k"
    assert told["headers"]["host"] == f"127.0.0.1:{port}"
    assert answer.headers["x-twice"] == "a, b"
    assert answer.url == f"http://127.0.0.1:{port}/a/b?c=d%20e"


def test_json_is_sent_as_json_and_bytes_as_they_are(port: int) -> None:
    with using("localhost"):
        first = fetch(f"http://localhost:{port}/", method="post", json={"a": 1}).json()
        second = fetch(f"http://localhost:{port}/", method="PUT", body=b"x=1",
                       headers={"Content-Type": "text/plain"}).json()  # fmt: skip
    assert (first["method"], first["body"]) == ("POST", '{"a":1}')
    assert first["headers"]["content-type"] == "application/json"
    assert (second["body"], second["headers"]["content-type"]) == ("x=1", "text/plain")


def test_a_path_may_be_written_in_any_script(port: int) -> None:
    with using("127.0.0.1"):
        told = fetch(f"http://127.0.0.1:{port}/crème brûlée").json()
    assert told["path"] == "/cr%C3%A8me%20br%C3%BBl%C3%A9e"


def test_an_answer_without_a_body_is_one(port: int) -> None:
    with using("127.0.0.1"):
        answer = fetch(f"http://127.0.0.1:{port}/", method="HEAD")
    assert (answer.status, answer.body) == (200, b"")
    with pytest.raises(FetchFailed, match="answered no JSON"):
        answer.json()


# Who may be asked.


def test_a_host_that_the_manifest_does_not_name_is_refused_before_anything_is_sent() -> None:
    with using("points.example"), pytest.raises(CapabilityError) as caught:
        fetch("https://other.example/")
    assert "uses={'hosts': ('points.example', 'other.example')}" in str(caught.value)
    assert caught.value.addon == "loyalty"


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "2130706433", "0x7f.1", "127.1", "LocalHost.",
     "[::ffff:127.0.0.1]", "169.254.169.254", "10.0.0.1"],
)  # fmt: skip
def test_any_host_does_not_mean_this_machine_and_its_neighbours(host: str, port: int) -> None:
    with using("*"), pytest.raises((CapabilityError, FetchFailed)) as caught:
        fetch(f"http://{host}:{port}/")
    # A resolver may not know some of these spellings; then there is nobody to ask.
    assert "private addresses" in str(caught.value) or "is not known" in str(caught.value)


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("100.64.0.1", False),
        ("127.8.8.8", False),
        ("169.254.169.254", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("0.0.0.0", False),
        ("::", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("ff0e::1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:93.184.215.14", True),
        ("64:ff9b::10.0.0.1", False),
        ("64:ff9b::93.184.215.14", True),
        ("2002:a00:1::", False),
    ],
)
def test_a_public_address_is_one_of_the_internet(address: str, found: bool) -> None:
    assert is_public(address) is found


def test_the_connection_goes_to_the_address_that_was_checked(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def another_each_time(host: str, number: int, **options: Any) -> Any:
        asked.append(host)
        # Public when it is checked, and this machine afterwards.
        address = PUBLIC if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, number))]

    monkeypatch.setattr(_wire.socket, "getaddrinfo", another_each_time)
    reached = []

    def note(address: tuple[str, int], timeout: float) -> Any:
        reached.append(address)
        raise ConnectionRefusedError("nobody there")

    monkeypatch.setattr(_wire.socket, "create_connection", note)
    with using("*"), pytest.raises(FetchFailed, match="nobody there"):
        fetch(f"http://rebinding.example:{port}/")
    assert asked == ["rebinding.example"]
    assert reached == [(PUBLIC, port)]


def test_a_host_that_is_named_beside_any_may_be_at_a_private_address(port: int) -> None:
    with using("*", "127.0.0.1"):
        assert fetch(f"http://127.0.0.1:{port}/").status == 200


# Redirects.


def test_a_redirect_is_followed_where_the_manifest_lets_it(port: int) -> None:
    with using("127.0.0.1", "localhost"):
        answer = fetch(f"http://127.0.0.1:{port}/to/302?http://localhost:{port}/there")
    assert (answer.status, answer.url) == (200, f"http://localhost:{port}/there")


def test_a_redirect_to_a_host_that_is_not_named_is_refused(port: int) -> None:
    with using("127.0.0.1"), pytest.raises(CapabilityError, match="'localhost'"):
        fetch(f"http://127.0.0.1:{port}/to/302?http://localhost:{port}/there")


def test_what_is_said_to_one_server_is_not_said_to_another(port: int) -> None:
    said = {"Authorization": "Bearer s", "X-Key": "k", "Cookie": "c=1", "Accept": "text/plain"}
    with using("127.0.0.1", "localhost"):
        away = fetch(f"http://127.0.0.1:{port}/to/302?http://localhost:{port}/", headers=said)
        here = fetch(f"http://127.0.0.1:{port}/to/302?/there", headers=said)
    told = away.json()["headers"]
    assert not {"authorization", "x-key", "cookie"} & told.keys()
    assert told["accept"] == "text/plain"
    assert here.json()["headers"]["authorization"] == "Bearer s"


@pytest.mark.parametrize(
    ("status", "method", "body"),
    [(301, "GET", ""), (302, "GET", ""), (303, "GET", ""),
     (307, "POST", "[1]"), (308, "POST", "[1]")],
)  # fmt: skip
def test_a_redirected_post_becomes_what_browsers_make_of_it(
    port: int, status: int, method: str, body: str
) -> None:
    with using("127.0.0.1"):
        told = fetch(f"http://127.0.0.1:{port}/to/{status}?/there", method="POST", json=[1]).json()
    assert (told["method"], told["body"], told["path"]) == (method, body, "/there")
    assert ("content-type" in told["headers"]) is (method == "POST")


def test_redirects_without_end_are_given_up(port: int) -> None:
    with using("127.0.0.1"):
        with pytest.raises(FetchFailed, match="redirects more than 2 times"):
            fetch(f"http://127.0.0.1:{port}/to/302?/to/302?/to/302?/to/302", redirects=2)
        answer = fetch(f"http://127.0.0.1:{port}/to/302?/there", redirects=0)
    assert (answer.status, answer.headers["location"]) == (302, "/there")


# What goes wrong.


@pytest.mark.parametrize(
    "url",
    ["ftp://points.example/", "points.example", "http://", "http://user:pw@points.example/",
     "http://points.example:port/", "http://[::1", "file:///etc/passwd", f"http://{'a' * 70}é/"],
)  # fmt: skip
def test_what_is_no_url_is_refused_as_such(url: str) -> None:
    with using("*"), pytest.raises(FetchFailed):
        fetch(url)


def test_secrets_in_a_url_are_not_repeated_in_errors() -> None:
    with using("127.0.0.1"), pytest.raises(FetchFailed) as caught:
        fetch("http://127.0.0.1:1/path?key=hidden")
    assert "http://127.0.0.1:1/path" in str(caught.value)
    assert "hidden" not in str(caught.value)
    with using("127.0.0.1"), pytest.raises(FetchFailed) as caught:
        fetch("http://me:hidden@127.0.0.1:1/")
    assert "hidden" not in str(caught.value)


def test_a_header_with_a_line_break_is_not_sent(port: int) -> None:
    with using("127.0.0.1"), pytest.raises(FetchFailed, match="Invalid header"):
        fetch(f"http://127.0.0.1:{port}/", headers={"X-A": "b\r\nX-C: d"})


def test_a_server_that_says_nothing_is_given_up_at_the_deadline(raw: Any) -> None:
    url = raw(lambda connection: connection.recv(1))
    assert took(url, 0.3) < 1.5


def test_a_server_that_sends_a_byte_now_and_then_is_given_up_at_the_deadline(raw: Any) -> None:
    def drip_head(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        for _ in range(100):
            connection.sendall(b"X")
            time.sleep(0.05)

    def drip_body(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(100):
            connection.sendall(b"X")
            time.sleep(0.05)

    for talk in (drip_head, drip_body):
        assert took(raw(talk), 0.3) < 1.5


def took(url: str, timeout: float) -> float:
    began = time.monotonic()
    with using("127.0.0.1"), pytest.raises(FetchFailed, match=r"no whole answer within 0\.3 s"):
        fetch(url, timeout=timeout)
    return time.monotonic() - began


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"no HTTP at all\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfive!",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfi",
        b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 500 + b"\r\n",
    ],
    ids=["nothing", "nonsense", "too short", "half a chunk", "too many headers"],
)
def test_an_answer_that_is_none_or_not_whole_is_an_error(raw: Any, sent: bytes) -> None:
    with using("127.0.0.1"), pytest.raises(FetchFailed):
        fetch(raw(lambda connection: connection.sendall(sent)), timeout=5)


def test_an_answer_in_chunks_is_put_together(raw: Any) -> None:
    sent = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"
    with using("127.0.0.1"):
        assert fetch(raw(lambda connection: connection.sendall(sent))).body == b"abc"


def test_of_an_answer_no_more_is_read_than_was_asked_for(raw: Any) -> None:
    sent = b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * 100_000
    with using("127.0.0.1"), pytest.raises(FetchFailed, match="more than the 1000 bytes"):
        fetch(raw(lambda connection: connection.sendall(sent)), largest=1000)


def test_a_large_answer_goes_to_a_file_as_it_comes(port: int, raw: Any) -> None:
    seen: list[tuple[int, bytes, str]] = []
    file = io.BytesIO()

    def into(answer: Fetched) -> io.BytesIO:
        seen.append((answer.status, answer.body, answer.headers["content-length"]))
        return file

    url = f"http://127.0.0.1:{port}"
    with using("127.0.0.1"):
        answer = fetch(f"{url}/to/302?/a", into=into)
        assert (answer.status, answer.body, answer.url) == (200, b"", f"{url}/a")
        assert seen == [(200, b"", str(len(file.getvalue())))]
        assert json.loads(file.getvalue())["path"] == "/a"
        # What is no success is neither written nor read.
        assert (fetch(f"{url}/to/404?x", into=into).body, len(seen)) == (b"", 1)
        cut = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"
        with pytest.raises(FetchFailed, match="too early"):
            fetch(raw(lambda connection: connection.sendall(cut)), into=into)
        assert file.getvalue().endswith(b"abc")
        large = b"HTTP/1.0 200 OK\r\nContent-Length: 2000\r\n\r\n" + b"x" * 2000
        with pytest.raises(FetchFailed, match="more than the 1000 bytes"):
            fetch(raw(lambda connection: connection.sendall(large)), into=into, largest=1000)


def test_an_operator_may_let_a_private_host_be_asked_but_no_other(port: int) -> None:
    url = f"http://127.0.0.1:{port}"
    with using("*"):
        assert fetch(url, private=("127.0.0.1",)).status == 200
        for private in ((), ("localhost",), ("*.example",)):
            with pytest.raises(CapabilityError):
                fetch(url, private=private)
        with pytest.raises(CapabilityError):
            fetch(f"{url}/to/302?http://localhost:{port}/", private=("127.0.0.1",))
    with using("points.example"), pytest.raises(CapabilityError):
        fetch(url, private=("*",))


# Encryption.


def certificate(folder: Path, name: str) -> Path:
    """Write a certificate that signs itself, and its key, into one file."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    day = datetime.timedelta(days=1)
    alternative: x509.GeneralName = x509.DNSName(name)
    if name[0].isdigit():
        alternative = x509.IPAddress(ipaddress.ip_address(name))
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - day)
        .not_valid_after(now + day)
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def encrypted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The port of a server that proves to be ``localhost``, to those who trust it."""
    path = certificate(tmp_path, "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    _wire.trust.cache_clear()
    with serving(context) as port:
        yield port
    _wire.trust.cache_clear()


def test_a_server_that_proves_who_it_is_is_asked(encrypted: int) -> None:
    with using("localhost"):
        assert fetch(f"https://localhost:{encrypted}/").json()["method"] == "GET"


def test_a_server_that_is_somebody_else_is_not(encrypted: int) -> None:
    with using("127.0.0.1"), pytest.raises(FetchFailed, match=r"(?i)certificate"):
        fetch(f"https://127.0.0.1:{encrypted}/")


def test_a_server_that_nobody_vouches_for_is_not_asked(
    encrypted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    _wire.trust.cache_clear()
    with using("localhost"), pytest.raises(FetchFailed, match="self-signed certificate"):
        fetch(f"https://localhost:{encrypted}/")


def test_a_redirect_out_of_encryption_is_refused(encrypted: int, port: int) -> None:
    with using("localhost"), pytest.raises(FetchFailed, match="which is not encrypted"):
        fetch(f"https://localhost:{encrypted}/to/302?http://localhost:{port}/")


def test_an_encrypted_server_that_does_not_shake_hands_is_given_up(raw: Any) -> None:
    url = raw(lambda connection: connection.recv(1)).replace("http:", "https:")
    assert took(url, 0.3) < 1.5
