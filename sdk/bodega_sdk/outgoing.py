"""Outgoing calls: HTTP to hosts that the manifest names, within a deadline.

The host is resolved once, its addresses are checked, and the connection goes to one of
them: a name that means something else a moment later changes nothing. Each redirect is
held to the same rule. Proxies that the environment names are not used.
"""

import http.client
import ipaddress
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any, BinaryIO
from urllib.parse import SplitResult, quote, urljoin, urlsplit

import orjson

from bodega_sdk._reach import is_public
from bodega_sdk._wire import Connection, Deadline, connect, resolve, secure
from bodega_sdk.capabilities import Grant, covers
from bodega_sdk.encoding import to_json
from bodega_sdk.errors import CapabilityError, FetchFailed
from bodega_sdk.runtime import runtime

_PORTS = {"http": 80, "https": 443}
# Bytes of an answer that are in memory at a time when it goes to a file.
_PIECE = 256 * 1024
_REDIRECTS = (301, 302, 303, 307, 308)
# What a caller says to one server is not for another's ears, but for these.
_CARRIED = ("accept", "accept-language", "content-type", "user-agent")


@dataclass(frozen=True, slots=True)
class Fetched:
    """What another server answered.

    Args:
        status: e.g. 200; that it is one of success is for the caller to look at.
        headers: by their names in lower case.
        body: as it came.
        url: that answered, after redirects.

    Example::

        >>> Fetched(200, {"content-type": "application/json"}, b'{"rate": 2}', "https://x.example").json()
        {'rate': 2}
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str

    def json(self) -> Any:
        """Return the body, read as JSON.

        Raises:
            FetchFailed: it is none.
        """
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise FetchFailed(f"{_shown(self.url)} answered no JSON: {error}") from None


@dataclass(frozen=True, slots=True)
class _Call:
    """One request; a redirect makes another."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None


@dataclass(frozen=True, slots=True)
class _Terms:
    """What holds for a request and for all that it is redirected to."""

    deadline: Deadline
    timeout: float
    largest: int
    into: Callable[[Fetched], BinaryIO] | None
    private: tuple[str, ...]


def fetch(
    url: str,
    *,
    method: str = "GET",
    json: Any = None,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: float = 10.0,
    redirects: int = 5,
    largest: int = 10_000_000,
    into: Callable[[Fetched], BinaryIO] | None = None,
    private: Iterable[str] = (),
) -> Fetched:
    """Ask another server and return what it answered, whatever its status.

    Do not call it in a transaction: that would be held open meanwhile. Do it in a job.

    Args:
        url: whose host the manifest names in ``uses["hosts"]``. ``"*"`` there lets
            through every host that is not at a private address.
        json: sent as the body, in place of ``body``.
        timeout: seconds for all of it: resolving, redirects and the last byte.
        redirects: followed at most; with 0 the redirect itself is the answer.
        largest: bytes of an answer that are read.
        into: for what is too large for memory. It is given an answer of success (2xx) whose
            body is still to come, and returns the file that the body is written to, piece by
            piece. Bodies of other answers are not read then.
        private: hosts that may be at private addresses although ``"*"`` is what covers them,
            as an operator allows them for development.

    Raises:
        CapabilityError: the addon may not reach the host.
        FetchFailed: the URL is none, or no whole answer came in time.

    Example::

        >>> answer = fetch(f"{server}/rates", method="POST", json={"from": "EUR"}, timeout=5.0)
        >>> answer.status, answer.json()
        (200, {'rate': 2})
    """
    said = {"user-agent": "Bodega"} | {name.lower(): text for name, text in (headers or {}).items()}
    if json is not None:
        said, body = {"content-type": "application/json"} | said, to_json(json)
    call, deadline = _Call(method.upper(), url, said, body), Deadline(timeout)
    terms = _Terms(deadline, timeout, largest, into, tuple(private))
    for left in range(redirects, -1, -1):
        answer = _guarded(call, terms)
        target = answer.headers.get("location")
        if answer.status not in _REDIRECTS or target is None or redirects == 0:
            return answer
        if left:
            call = _redirected(call, answer.status, target)
    raise FetchFailed(f"{_shown(url)} redirects more than {redirects} times")


def vetted_addresses(
    host: str, port: int = 443, *, timeout: float = 5.0, private: Iterable[str] = ()
) -> tuple[str, ...]:
    """Return the addresses of a host that an addon may connect to, for what ``fetch`` cannot do.

    Connect to one of them, never to the name: it may mean something else a moment later.
    Each redirect leads to another host, which is to be vetted in its turn.

    Args:
        host: a name or an address, in whichever spelling.
        port: that will be connected to.
        timeout: seconds to find them.
        private: hosts that may be at private addresses, as an operator allows them for
            development: names, ``"*.example.com"`` or ``"*"``.

    Raises:
        CapabilityError: the addon's manifest does not name the host in ``uses["hosts"]``.
        FetchFailed: it has no address, or only private ones: of this machine, of its
            neighbours or of its cloud, however they are written.

    Example::

        >>> vetted_addresses("127.0.0.1", private=("127.0.0.1",))
        ('127.0.0.1',)
        >>> vetted_addresses("127.0.0.1")
        Traceback (most recent call last):
        bodega_sdk.errors.FetchFailed: 127.0.0.1 is at 127.0.0.1, which is not on the internet
    """
    grant = runtime().grant()
    try:
        plain = _plain(host)
        if grant is not None:
            grant.require("hosts", plain)
        addresses = _numeric(plain) or resolve(plain, port, Deadline(timeout))
    except (OSError, ValueError) as error:
        raise FetchFailed(f"{host[:200]!r}: {error}") from None
    if covers("hosts", private, plain):
        return addresses
    found = tuple(item for item in addresses if is_public(item))
    if not found:
        told = ", ".join(addresses)
        raise FetchFailed(f"{plain} is at {told}, which is not on the internet")
    return found


def _numeric(host: str) -> tuple[str, ...]:
    try:
        return (str(ipaddress.ip_address(host)),)
    except ValueError:
        return ()


def _guarded(call: _Call, terms: _Terms) -> Fetched:
    try:
        return _ask(call, terms)
    except TimeoutError:
        reason = f"no whole answer within {terms.timeout:g} s"
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = str(error) or type(error).__name__
    raise FetchFailed(f"{call.method} {_shown(call.url)}: {reason}")


def _ask(call: _Call, terms: _Terms) -> Fetched:
    deadline = terms.deadline
    parts, host, port = _parsed(call.url)
    public = _must_be_public(runtime().grant(), host, terms.private)
    addresses = resolve(host, port, deadline)
    if public is not None:
        addresses = _public_ones(public, host, addresses)
    with closing(connect(addresses, port, deadline)) as sock:
        if parts.scheme != "https":
            return _exchange(call, Connection(sock, host, port, 80, deadline), parts, terms)
        with closing(secure(sock, host, deadline)) as safe:
            return _exchange(call, Connection(safe, host, port, 443, deadline), parts, terms)


def _parsed(url: str) -> tuple[SplitResult, str, int]:
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError("expected a URL such as 'https://points.example/v1'")
    if parts.username is not None:
        raise ValueError("names and passwords do not belong into a URL; send a header")
    return parts, _plain(parts.hostname), parts.port or _PORTS[parts.scheme]


def _plain(host: str) -> str:
    """Return a host as the DNS knows it."""
    host = host.rstrip(".").partition("%")[0]
    if not host.isascii():
        host = host.encode("idna").decode()
    if not host:
        raise ValueError("expected a host")
    return host.lower()


# Who may be asked.


def _must_be_public(grant: Grant | None, host: str, private: Iterable[str]) -> Grant | None:
    """Return the grant of an addon that may reach the host at public addresses only."""
    if grant is None:
        return None
    grant.require("hosts", host)
    named = [*(item for item in grant.granted("hosts") if item != "*"), *private]
    return None if covers("hosts", named, host) else grant


def _public_ones(grant: Grant, host: str, addresses: tuple[str, ...]) -> tuple[str, ...]:
    found = tuple(item for item in addresses if is_public(item))
    if not found:
        reason = (
            f"the host '*' of its manifest does not include private addresses, and {host} is at "
            f"{', '.join(addresses)}; where that is meant, name {host!r} beside it"
        )
        raise CapabilityError(grant.addon, "hosts", host, reason)
    return found


# Asking.


def _exchange(call: _Call, connection: Connection, parts: SplitResult, terms: _Terms) -> Fetched:
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~")
    query = quote(parts.query, safe="/?%:@!$&'()*+,;=~")
    connection.request(call.method, f"{path}?{query}" if query else path, call.body, call.headers)
    response = connection.getresponse()
    answer = Fetched(response.status, _headers(response), b"", call.url)
    if terms.into is None:
        return replace(answer, body=b"".join(_pieces(response, terms.largest, terms.largest + 1)))
    if 200 <= answer.status < 300:
        file = terms.into(answer)
        for piece in _pieces(response, terms.largest, _PIECE):
            file.write(piece)
    return answer


def _headers(response: http.client.HTTPResponse) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, text in response.getheaders():
        name = name.lower()
        found[name] = f"{found[name]}, {text}" if name in found else text
    return found


def _pieces(response: http.client.HTTPResponse, largest: int, size: int) -> Iterator[bytes]:
    """Yield the body of an answer."""
    left = largest
    while piece := response.read(size):
        left -= len(piece)
        if left < 0:
            raise ValueError(f"the answer has more than the {largest} bytes that are read")
        yield piece
    if response.length:
        raise ConnectionError("the answer ended too early")


def _redirected(call: _Call, status: int, target: str) -> _Call:
    """Return the request that a redirect asks for, as browsers would make it."""
    url = urljoin(call.url, target)
    before, after = urlsplit(call.url), urlsplit(url)
    if (before.scheme, after.scheme) == ("https", "http"):
        raise FetchFailed(f"{_shown(call.url)} redirects to {_shown(url)}, which is not encrypted")
    made = replace(call, url=url)
    if (before.scheme, before.netloc) != (after.scheme, after.netloc):
        kept = {name: text for name, text in call.headers.items() if name in _CARRIED}
        made = replace(made, headers=kept)
    if status == 303 or (status in (301, 302) and call.method == "POST"):
        plain = {name: text for name, text in made.headers.items() if name != "content-type"}
        method = "HEAD" if call.method == "HEAD" else "GET"
        made = replace(made, method=method, body=None, headers=plain)
    return made


def _shown(url: str) -> str:
    """Return a URL without what may be secret in it."""
    try:
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"[:200]
    except ValueError:
        return "the URL"
