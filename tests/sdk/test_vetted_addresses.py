"""Addresses that are vetted: no spelling of a private one gets through, to nobody."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bodega_sdk import fetch, vetted_addresses
from bodega_sdk.capabilities import Grant
from bodega_sdk.errors import CapabilityError, FetchFailed
from bodega_sdk.outgoing import is_public
from bodega_sdk.runtime import bound

TABLE = Path(__file__).parents[1] / "data" / "hostile_hosts.txt"
HOSTS = [line for line in TABLE.read_text("utf-8").splitlines() if line and line[0] != "#"]
#: Addresses of the internet; nothing is sent there.
PUBLIC = (
    "93.184.215.14", "8.8.8.8", "2606:4700:4700::1111", "2a00:1450:4001:831::200e",
    "2002:0808:0808::1", "64:ff9b::8.8.8.8", "::ffff:8.8.8.8", "192.88.98.1", "168.63.129.17",
)  # fmt: skip


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


@contextmanager
def canary() -> Iterator[tuple[int, list[object]]]:
    """Listen on this machine, on both protocols; count who connects."""
    came: list[object] = []
    first = socket.create_server(("127.0.0.1", 0))
    port = first.getsockname()[1]
    listeners = [first]
    if socket.has_ipv6:
        listeners.append(socket.create_server(("::1", port), family=socket.AF_INET6))
    threads = [threading.Thread(target=_count, args=(item, came)) for item in listeners]
    for thread in threads:
        thread.start()
    try:
        yield port, came
    finally:
        for item in listeners:
            item.shutdown(socket.SHUT_RDWR)
            item.close()
        for thread in threads:
            thread.join()


def _count(listener: socket.socket, came: list[object]) -> None:
    while True:
        try:
            connection, address = listener.accept()
        except OSError:
            return
        came.append(address)
        connection.close()


def test_there_are_many_ways_to_write_a_private_address() -> None:
    assert len(HOSTS) == len(set(HOSTS)) >= 60


def test_no_spelling_of_a_private_address_is_connected_to() -> None:
    with canary() as (port, came), using("*"):
        for host in HOSTS:
            with pytest.raises((CapabilityError, FetchFailed)):
                fetch(f"http://{host}:{port}/", timeout=5)
            with pytest.raises((CapabilityError, FetchFailed)):
                vetted_addresses(host.strip("[]"), port)
        assert came == []
        socket.create_connection(("127.0.0.1", port)).close()
        deadline = time.monotonic() + 5
        while not came and time.monotonic() < deadline:
            time.sleep(0.01)
    assert len(came) == 1, "the canary would have told"


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_on_the_internet_is_let_through(address: str) -> None:
    assert is_public(address)
    with using("*"):
        assert [is_public(item) for item in vetted_addresses(address)] == [True]


def test_an_operator_can_allow_private_hosts() -> None:
    with using("*"):
        for allowed in ("127.0.0.1", "*"):
            assert vetted_addresses("127.0.0.1", private=(allowed,)) == ("127.0.0.1",)
        assert vetted_addresses("localhost.", private=("localhost",))
        with pytest.raises(FetchFailed, match="not on the internet"):
            vetted_addresses("127.0.0.1", private=("localhost", "*.example"))


def test_only_what_the_manifest_names_is_vetted_at_all() -> None:
    with using("points.example"), pytest.raises(CapabilityError):
        vetted_addresses("127.0.0.1", private=("*",))


@pytest.mark.parametrize("host", ["", ".", "nowhere.invalid", "a" * 300, "x y", "é" * 100, "a..b"])
def test_what_has_no_address_is_told(host: str) -> None:
    with using("*"), pytest.raises(FetchFailed):
        vetted_addresses(host, timeout=5)
