"""Where a request comes from, and where the shop is reached from outside.

Only a proxy that the operator trusts is believed what it says about a request; from anybody
else the headers ``X-Forwarded-*`` are nothing but what a stranger wrote.
"""

import re
from contextlib import suppress
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

import falcon

from bodega.perimeter import Network
from bodega.settings import Settings

Address = IPv4Address | IPv6Address
#: A caller whose address the server does not know, as behind a Unix socket.
UNKNOWN = "unknown"
#: Proxies in a row that are believed, at most.
_MOST_HOPS = 32
_HOST = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")
#: What is told when nobody ever served here.
_USUAL = "http://127.0.0.1:8000"


@lru_cache(4096)
def _read(text: str) -> Address | None:
    """Read an address, perhaps with a port; None for anything else."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


class Perimeter:
    """What is believed of a request.

    Args:
        trusted: the networks of our own proxies.
        public_url: what the operator says the shop is reached at; empty when nothing.
    """

    def __init__(self, trusted: tuple[Network, ...] = (), public_url: str = "") -> None:
        self._trusted = trusted
        self._public_url = public_url

    def client_address(self, req: falcon.Request) -> str:
        """Return the address of the client itself; garbage in headers is none."""
        return self.address_of(req.remote_addr, req.get_header("X-Forwarded-For"))

    def address_of(self, peer: str, forwarded: str | None) -> str:
        """Return the address of a client.

        Args:
            peer: who connected.
            forwarded: its header ``X-Forwarded-For``.
        """
        found = _read(peer)
        if found is None:
            return UNKNOWN
        if not self._trusts(found):
            return str(found)
        told = (forwarded or "").split(",")
        # The nearest proxy wrote the last one; what stands before a stranger is made up.
        for text in reversed(told[-_MOST_HOPS:]):
            further = _read(text)
            if further is None:
                break
            found = further
            if not self._trusts(found):
                break
        return str(found)

    def scheme(self, req: falcon.Request) -> str:
        """Return ``http`` or ``https``: how the client reached us, or our nearest proxy."""
        told = self._from_proxy(req, "X-Forwarded-Proto").lower()
        return told if told in ("http", "https") else req.scheme

    def base(self, req: falcon.Request) -> str:
        """Return what links to this shop begin with."""
        if self._public_url:
            return self._public_url
        host = self._from_proxy(req, "X-Forwarded-Host")
        return (
            f"{self.scheme(req)}://{host if _HOST.fullmatch(host) else req.netloc}{req.root_path}"
        )

    def _from_proxy(self, req: falcon.Request, name: str) -> str:
        """Return what a proxy that we trust says in a header; empty when there is none."""
        text = req.get_header(name) if self._trusted else None
        if not text:
            return ""
        return text.rpartition(",")[2].strip() if self.believes(req.remote_addr) else ""

    def believes(self, peer: str) -> bool:
        """Whether whoever connected is a proxy of ours."""
        address = _read(peer) if self._trusted else None
        return address is not None and self._trusts(address)

    def _trusts(self, address: Address) -> bool:
        return any(address in network for network in self._trusted)


def remember(settings: Settings, url: str) -> None:
    """Write down where the shop is served on this machine, for links in mails."""
    with suppress(OSError):
        file = _file(settings)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(url)


def public_url(settings: Settings) -> str:
    """See :func:`bodega_sdk.addresses.public_url`."""
    if settings.public_url:
        return settings.public_url
    with suppress(OSError, UnicodeDecodeError):
        return _file(settings).read_text().strip() or _USUAL
    return _USUAL


def _file(settings: Settings) -> Path:
    return settings.home / "run" / "address"


def local_url(scheme: str, host: str, port: int) -> str:
    """Return an address that a program on this machine can use for one that we listen on."""
    shown = host
    with suppress(ValueError):
        address = ip_address(host)
        shown = f"[{host}]" if address.version == 6 else host
        if address.is_unspecified:
            shown = "127.0.0.1"
    return f"{scheme}://{shown}:{port}"
