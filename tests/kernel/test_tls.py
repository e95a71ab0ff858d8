"""Serving by TLS without a proxy: the API and the real-time server; and saying what is wrong."""

import asyncio
import datetime
import http.client
import json
import signal
import socket
import ssl
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from websockets.asyncio.client import connect

from bodega.errors import ConfigurationError
from bodega.http.tls import Tls, pair
from bodega_sdk.testing.deployment import Deployment, environment

_PEM = serialization.Encoding.PEM
_FORMAT = serialization.PrivateFormat.PKCS8


@dataclass(frozen=True)
class Pair:
    """A certificate for 127.0.0.1 that its own key signed, and the key."""

    certificate: Path
    key: Path

    @property
    def options(self) -> tuple[str, ...]:
        return ("--tls-certificate", str(self.certificate), "--tls-key", str(self.key))

    def trusting(self) -> ssl.SSLContext:
        """Return what a client needs that trusts this certificate and no other."""
        return ssl.create_default_context(cafile=str(self.certificate))


def make(folder: Path, name: str = "shop", passphrase: bytes = b"") -> Pair:
    """Make a pair that is good for a day."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "shop.example")])
    today = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - datetime.timedelta(hours=1))
        .not_valid_after(today + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    hidden = (
        serialization.BestAvailableEncryption(passphrase)
        if passphrase
        else serialization.NoEncryption()
    )
    made = Pair(folder / f"{name}.pem", folder / f"{name}.key")
    made.certificate.write_bytes(certificate.public_bytes(_PEM))
    made.key.write_bytes(key.private_bytes(_PEM, _FORMAT, hidden))
    return made


def test_a_pair_makes_a_context_of_modern_tls(tmp_path: Path) -> None:
    made = make(tmp_path)
    found = pair(made.certificate, made.key)
    assert found == Tls(made.certificate, made.key)
    assert found.context().minimum_version == ssl.TLSVersion.TLSv1_2
    assert pair(None, None) is None


def test_one_file_alone_is_refused(tmp_path: Path) -> None:
    made = make(tmp_path)
    with pytest.raises(ConfigurationError, match="give both --tls-certificate and --tls-key"):
        pair(made.certificate, None)
    with pytest.raises(ConfigurationError, match="give both --tls-certificate and --tls-key"):
        pair(None, made.key)


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    made, gone = make(tmp_path), tmp_path / "gone"
    with pytest.raises(ConfigurationError, match=f"--tls-certificate: cannot read {gone}: No such"):
        pair(gone, made.key)
    with pytest.raises(ConfigurationError, match=f"--tls-key: cannot read {gone}: No such"):
        pair(made.certificate, gone)
    with pytest.raises(ConfigurationError, match=f"--tls-key: cannot read {tmp_path}: Is a dir"):
        pair(made.certificate, tmp_path)


def test_files_that_do_not_belong_together_are_named(tmp_path: Path) -> None:
    one, other = make(tmp_path), make(tmp_path, "other")
    with pytest.raises(ConfigurationError, match=r"are no pair .*key values mismatch"):
        pair(one.certificate, other.key)
    with pytest.raises(ConfigurationError, match="are no pair of a certificate and its key in PEM"):
        pair(one.key, one.certificate)
    empty = tmp_path / "empty"
    empty.write_bytes(b"")
    with pytest.raises(ConfigurationError, match="are no pair of a certificate and its key in PEM"):
        pair(empty, one.key)


def test_a_key_with_a_passphrase_is_refused_instead_of_asking_for_it(tmp_path: Path) -> None:
    made = make(tmp_path, passphrase=b"open sesame")
    with pytest.raises(ConfigurationError, match="the key is encrypted"):
        pair(made.certificate, made.key)


@pytest.mark.parametrize("command", ["serve", "up", "realtime"])
def test_a_command_says_what_is_wrong_before_it_starts_anything(
    command: str, tmp_path: Path
) -> None:
    shop = Deployment(environment(tmp_path / "shop"), 1, tmp_path)
    done = shop.command(command, "--tls-certificate", str(tmp_path / "gone"), "--tls-key", "x")
    assert done.returncode != 0
    assert f"--tls-certificate: cannot read {tmp_path / 'gone'}" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "shop").exists()


# Real processes.


@pytest.fixture
def encrypted(tmp_path: Path) -> Any:
    """A whole shop that serves by TLS, and its pair of files."""
    made = make(tmp_path)
    shop = Deployment(environment(tmp_path / "shop"), 2, tmp_path)
    shop.start(
        "up", "--port", str(shop.port), "--realtime-port", str(shop.realtime_port),
        "--workers", "2", *made.options,
    )  # fmt: skip
    shop.wait_until(lambda: _answers(shop, made, "/health/ready"))
    yield shop, made
    shop.stop()


def _answers(shop: Deployment, made: Pair, path: str) -> bool:
    try:
        return ask(shop, made.trusting(), "GET", path)[0] == 200
    except OSError:
        return False


def ask(
    shop: Deployment, trusting: ssl.SSLContext, method: str, path: str, body: Any = None
) -> tuple[int, Any, dict[str, str]]:
    """Call the API by https."""
    connection = http.client.HTTPSConnection("127.0.0.1", shop.port, timeout=20, context=trusting)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read()), dict(answer.headers)
    finally:
        connection.close()


@pytest.mark.slow
def test_the_api_and_the_real_time_server_speak_tls(encrypted: Any) -> None:
    shop, made = encrypted
    status, body, headers = ask(shop, made.trusting(), "GET", "/api/v1/products?page_size=1")
    assert (status, body["results"]) == (200, [])
    assert headers["strict-transport-security"] == "max-age=31536000"
    # A body of several TLS records, which is read although nobody is logged in.
    for _ in range(3):
        assert ask(shop, made.trusting(), "POST", "/api/v1/products", "x" * 40_000)[0] == 401
    shop.wait_until(shop._realtime)
    asyncio.run(_listen(shop, made))
    assert f"https://127.0.0.1:{shop.port}/api/v1" in shop.logs()
    assert f"wss://127.0.0.1:{shop.realtime_port}/ws" in shop.logs()


async def _listen(shop: Deployment, made: Pair) -> None:
    url = f"wss://127.0.0.1:{shop.realtime_port}/ws"
    async with connect(url, ssl=made.trusting()) as websocket:
        await websocket.send('{"type": "ping"}')
        assert json.loads(await websocket.recv())["type"] == "pong"


@pytest.mark.slow
def test_old_tls_plain_http_and_silence_are_turned_away(encrypted: Any) -> None:
    shop, made = encrypted
    old = made.trusting()
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_2
    assert ask(shop, old, "GET", "/health/live")[0] == 200
    silent = [socket.create_connection(("127.0.0.1", shop.port)) for _ in range(20)]
    plain = http.client.HTTPConnection("127.0.0.1", shop.port, timeout=20)
    plain.request("GET", "/health/live")
    with pytest.raises((http.client.HTTPException, OSError)):
        plain.getresponse()
    plain.close()
    # Those who say nothing keep nobody else waiting.
    assert ask(shop, made.trusting(), "GET", "/health/live")[0] == 200
    for client in silent:
        client.close()


@pytest.mark.slow
def test_a_renewed_certificate_is_served_after_a_reload(tmp_path: Path) -> None:
    made = make(tmp_path)
    shop = Deployment(environment(tmp_path / "shop"), 1, tmp_path)
    server = shop.start("serve", "--port", str(shop.port), "--workers", "1", *made.options)
    try:
        shop.wait_until(lambda: _answers(shop, made, "/health/live"))
        renewed = make(tmp_path)
        server.send_signal(signal.SIGHUP)
        shop.wait_until(lambda: _answers(shop, renewed, "/health/live"))
    finally:
        shop.stop()


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_who_begins_a_handshake_and_falls_silent_keeps_no_thread(tmp_path: Path) -> None:
    made = make(tmp_path)
    shop = Deployment(environment(tmp_path / "shop"), 1, tmp_path)
    port = ("--port", str(shop.port))
    shop.start("serve", *port, "--workers", "1", "--threads", "2", *made.options)
    try:
        shop.wait_until(lambda: _answers(shop, made, "/health/live"))
        silent = [socket.create_connection(("127.0.0.1", shop.port)) for _ in range(2)]
        for client in silent:
            client.sendall(b"\x16\x03\x01")
        shop.wait_until(lambda: _answers(shop, made, "/health/live"), timeout=40)
        assert "Traceback" not in shop.logs()
        for client in silent:
            client.close()
    finally:
        shop.stop()
