"""What the environment says about the shop's edge: limits, proxies, origins, its own address."""

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import NamedTuple
from urllib.parse import urlsplit

from bodega.errors import ConfigurationError

Network = IPv4Network | IPv6Network
#: What switches something off.
OFF = ("off", "none")
_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\]")


class Quota(NamedTuple):
    """So many requests in so many seconds."""

    amount: int
    seconds: int


#: Of each caller, unless the environment says otherwise: a thousand requests a second. A front
#: end that renders for all its visitors is one caller, and must not meet the limit.
DEFAULT_QUOTA = Quota(60_000, 60)
#: Seconds that browsers remember that the shop is to be reached by https: a year.
DEFAULT_HSTS = 31_536_000


def quota(name: str, text: str, default: Quota | None) -> Quota | None:
    """Read e.g. ``600/60``; None for ``off``.

    Raises:
        ConfigurationError: it is neither.
    """
    if not text:
        return default
    if text.lower() in OFF:
        return None
    found = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,5})", text)
    made = Quota(int(found[1]), int(found[2])) if found else Quota(0, 0)
    if made.amount < 1 or not 1 <= made.seconds <= 86_400:
        raise _wrong(name, text, "REQUESTS/SECONDS such as 600/60, or off")
    return made


def networks(name: str, text: str) -> tuple[Network, ...]:
    """Read a comma list of addresses and networks.

    Raises:
        ConfigurationError: naming the one that is none.
    """
    return tuple(_network(name, item) for item in _items(text))


def _network(name: str, text: str) -> Network:
    try:
        return ip_network(text)
    except ValueError as error:
        raise _wrong(name, text, f"addresses or networks such as 10.0.0.0/8 ({error})") from None


def public_url(name: str, text: str) -> str:
    """Read the shop's own address, without the slash at its end.

    Raises:
        ConfigurationError: it is no http or https address, or has a path.
    """
    return _origin(name, text, "https://shop.example, without a path") if text else ""


def origins(name: str, text: str) -> tuple[str, ...]:
    """Read a comma list of origins as browsers write them, or ``*``.

    Raises:
        ConfigurationError: naming the one that is none.
    """
    if text == "*":
        return ("*",)
    expected = "origins such as https://shop.example, or only *"
    return tuple(_origin(name, item, expected) for item in _items(text))


def hsts(name: str, text: str) -> int:
    """Read a number of seconds, 0 for ``off``.

    Raises:
        ConfigurationError: it is neither.
    """
    if not text:
        return DEFAULT_HSTS
    if text.lower() in OFF:
        return 0
    if not re.fullmatch(r"[0-9]{1,10}", text):
        raise _wrong(name, text, "a number of seconds, or off")
    return int(text)


def _items(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]


def _origin(name: str, text: str, expected: str) -> str:
    try:
        parts = urlsplit(text.lower())
        port = parts.port
    except ValueError:
        raise _wrong(name, text, expected) from None
    host = parts.netloc.removesuffix(f":{port}")
    more = parts.path.rstrip("/") or parts.query or parts.fragment
    if parts.scheme not in _PORTS or not _HOST.fullmatch(host) or more:
        raise _wrong(name, text, expected)
    # Browsers leave the usual port out.
    shown = "" if port in (None, _PORTS[parts.scheme]) else f":{port}"
    return f"{parts.scheme}://{host}{shown}"


def _wrong(name: str, text: str, expected: str) -> ConfigurationError:
    return ConfigurationError(f"{name}: expected {expected}, found {text!r}")
