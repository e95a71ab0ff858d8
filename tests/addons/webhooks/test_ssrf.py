"""No webhook reaches this machine, its neighbours or its cloud, in whatever way it is asked."""

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from yarl import URL

from bodega_sdk import _wire, now
from bodega_sdk.testing.client import Client
from bodega_webhooks.models import Webhook
from bodega_webhooks.parcels import Parcel, Result
from bodega_webhooks.sending import Courier, Resolver
from bodega_webhooks.targets import Target

WEBHOOKS = "/api/v1/webhooks"
TABLE = Path(__file__).parents[2] / "data" / "hostile_hosts.txt"
HOSTS = [line for line in TABLE.read_text("utf-8").splitlines() if line and line[0] != "#"]
PUBLIC = "93.184.215.14"


@contextmanager
def canary() -> Iterator[tuple[int, list[Any]]]:
    """Listen on this machine, on both protocols; count who connects."""
    came: list[Any] = []
    first = socket.create_server(("127.0.0.1", 0))
    port = first.getsockname()[1]
    second = socket.create_server(("::1", port), family=socket.AF_INET6)

    def count(listener: socket.socket) -> None:
        while True:
            try:
                connection, address = listener.accept()
            except OSError:
                return
            came.append(address)
            connection.close()

    threads = [threading.Thread(target=count, args=(item,)) for item in (first, second)]
    for thread in threads:
        thread.start()
    try:
        yield port, came
    finally:
        for item in (first, second):
            item.shutdown(socket.SHUT_RDWR)
            item.close()
        for thread in threads:
            thread.join()


def target(url: str) -> Target:
    return Target(
        "w", url, False, {}, '{"url":"","headers":{', (), (), 5.0, 1, None, False, now(), None
    )  # fmt: skip


def send_to(*urls: str) -> list[Result]:
    async def send() -> list[Result]:
        courier = Courier(10, ())
        try:
            parcel = Parcel("1", "w", "msg_1", "order.paid", None, 0, 0, b"{}")
            return [await courier.send(target(url), parcel) for url in urls]
        finally:
            await courier.close()

    return asyncio.run(send())


def test_no_spelling_of_a_private_address_is_connected_to(shop: Any) -> None:
    assert len(HOSTS) >= 60
    with canary() as (port, came):
        urls = []
        for host in HOSTS:
            try:
                urls.append(str(URL(f"http://{host}:{port}/")))
            except ValueError:
                continue  # No URL at all.
        results = send_to(*urls)
    assert len(results) > 80
    assert came == []
    for url, result in zip(urls, results, strict=True):
        assert result.status is None, url
        assert result.error, url


def test_no_redirect_is_followed(bench: Any, webhook: Any, new_sink: Any, admin: Client) -> None:
    bench.set("allow_hosts", "localhost")
    with canary() as (port, came):
        for status in (301, 302, 303, 307, 308):
            where = f"http://127.0.0.1:{port}/"
            sink = new_sink(answer=lambda item, status=status, where=where: web.Response(
                status=status, headers={"Location": where, "Refresh": f"0; url={where}"}
            ))  # fmt: skip
            webhook(f"http://localhost:{sink.port}/", "product.*")
        bench.publish("product.created")
        bench.feed()
        bench.send()
    assert came == []
    rows = bench.deliveries()
    assert len(rows) == 5
    assert all("are not followed" in row.error for row in rows)


class Names:
    """A DNS server that tells something else each time, and how often it was asked."""

    def __init__(self, *answers: tuple[str, ...]) -> None:
        self._answers = answers
        self.asked = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            query, client = self._socket.recvfrom(512)
            if query == b"stop":
                return
            found = self._answers[min(self.asked, len(self._answers) - 1)]
            self.asked += 1
            # The same question, and an answer for each address, good for no time at all.
            head = query[:2] + struct.pack("!5H", 0x8180, 1, len(found), 0, 0)
            rows = b"".join(
                b"\xc0\x0c" + struct.pack("!2HIH", 1, 1, 0, 4) + socket.inet_aton(address)
                for address in found
            )
            self._socket.sendto(head + query[12:] + rows, client)

    def getaddrinfo(self, host: str, port: int, **told: Any) -> list[Any]:
        """Ask it, as the system's resolver would if it were configured to."""
        question = b"".join(bytes([len(part)]) + part.encode() for part in host.split(".")) + b"\0"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
            wire.settimeout(5)
            query = struct.pack("!6H", 7, 0x0100, 1, 0, 0, 0) + question + struct.pack("!2H", 1, 1)
            wire.sendto(query, ("127.0.0.1", self.port))
            answer = wire.recv(512)
        (count,) = struct.unpack("!H", answer[6:8])
        rows = answer[len(query) :]
        found = [socket.inet_ntoa(rows[16 * n + 12 : 16 * n + 16]) for n in range(count)]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (item, port)) for item in found]

    def stop(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
            wire.sendto(b"stop", ("127.0.0.1", self.port))
        self._thread.join()
        self._socket.close()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Names]]:
    """Have names looked up at a server of our own; note what is connected to, and do not."""
    made: list[Names] = []

    def make(*answers: tuple[str, ...]) -> Names:
        made.append(Names(*answers))
        asks = made[-1].getaddrinfo
        monkeypatch.setattr(_wire.socket, "getaddrinfo", asks)
        return made[-1]

    yield make
    for one in made:
        one.stop()


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Addresses of the internet that were to be connected to; nothing leaves this machine."""
    found: list[str] = []
    vetted = Resolver.socket

    def note(self: Resolver, info: Any) -> socket.socket:
        vetted(self, info).close()
        found.append(info[4][0])
        raise OSError("nothing leaves this machine in a test")

    monkeypatch.setattr(Resolver, "socket", note)
    return found


def test_a_name_that_is_bound_anew_is_connected_to_where_it_was_vetted(
    shop: Any, names: Any, connected: list[str]
) -> None:
    with canary() as (port, came):
        server = names((PUBLIC,), ("127.0.0.1",))
        url = f"http://rebind.example:{port}/"
        (first,) = send_to(url)
        assert (server.asked, connected) == (1, [PUBLIC])
        assert "nothing leaves" in first.error
        (second,) = send_to(url)
        assert server.asked == 2
        assert "rebind.example is at 127.0.0.1, which is not on the internet" in second.error
        assert connected == [PUBLIC]
    assert came == []


def test_of_public_and_private_addresses_only_the_public_ones_are_used(
    shop: Any, names: Any, connected: list[str]
) -> None:
    with canary() as (port, came):
        names(("127.0.0.1", PUBLIC, "10.0.0.1", "169.254.169.254"))
        send_to(f"http://mixed.example:{port}/")
    assert set(connected) == {PUBLIC}
    assert came == []


def test_addresses_that_can_never_be_sent_to_are_refused_when_a_webhook_is_made(
    admin: Client, shop: Any
) -> None:
    for url in (
        "http://127.0.0.1/", "http://2130706433/", "http://[::1]/", "http://0x7f.1/",
        "http://169.254.169.254/latest/meta-data", "https://ada:pw@shop.example/",
        "https://shop.example@127.0.0.1/", "ftp://shop.example/", "https://", "javascript:x",
        "http://[::ffff:10.0.0.1]/", "https://shop.example/#x", "http://shop.example:99999/",
        "//shop.example/", "https://shop.example:x/",
    ):  # fmt: skip
        answer = admin.post(WEBHOOKS, {"url": url, "event_types": ["*"]})
        assert answer.status_code == 422, url
        assert [item["field"] for item in answer.json["errors"]] == ["url"], url
    assert not Webhook.select().exists()


def test_an_allowed_host_allows_no_other(bench: Any, webhook: Any, sink: Any) -> None:
    made = webhook(sink.url, "product.*")
    bench.set("allow_hosts", "receiver.internal")
    bench.publish("product.created")
    bench.feed()
    bench.send()
    assert made
    assert not sink.received
    assert "not on the internet" in bench.deliveries()[0].error


def test_only_https_is_sent_to_when_that_is_set(bench: Any, admin: Client) -> None:
    bench.set("https_only", True)
    body = {"url": "http://receiver.example/", "event_types": ["*"]}
    assert admin.post(WEBHOOKS, body).status_code == 422
    body["url"] = "https://receiver.example/"
    admin.post(WEBHOOKS, body).expect(201)
