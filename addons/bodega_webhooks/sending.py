"""One attempt: a signed request to an address that was vetted, and what came back.

Every connection goes to an address that was looked at right before: names are resolved
here and not by aiohttp, and each socket is checked once more as it is made, so that no
spelling of an address gets around it. Redirects are not followed: they are told as
failures. Cookies are not kept, proxies of the environment not used, answers not unpacked.
"""

import asyncio
import contextvars
import socket
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from bodega_sdk import now
from bodega_webhooks.parcels import Parcel, Result
from bodega_webhooks.retrying import read_retry_after
from bodega_webhooks.targets import MASK, Target
from bodega_webhooks.vetting import LOOKUP, vet

#: Bytes of an answer that are read and kept.
KEPT = 20_000
_KEPT_HEADERS = 4000
_LONGEST_ERROR = 300
#: Names that are looked up at a time: those that hang must not be in the way of others.
_LOOKUPS = 32
#: Seconds between two looks at what has hung for too long.
_TICK = 0.1
_HIDDEN_ANSWERS = frozenset({b"set-cookie", b"authorization", b"www-authenticate"})
_MASKED = MASK.encode()


class Resolver(AbstractResolver):
    """Resolves names to addresses that may be connected to.

    Args:
        private: hosts that may be at private addresses.
    """

    def __init__(self, private: tuple[str, ...], pool: ThreadPoolExecutor) -> None:
        self._private = private
        self._pool = pool
        self._vetted: set[str] = set()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of a host; an OSError when none may be connected to."""
        work = contextvars.copy_context().run
        found = await asyncio.get_running_loop().run_in_executor(
            self._pool, work, vet, host, port, self._private
        )
        if self._private:
            self._vetted.update(found)
        return [_resolved(host, address, port) for address in found]

    def socket(self, info: Any) -> socket.socket:
        """Make a socket for an address that aiohttp is about to connect to.

        aiohttp asks no resolver when the host is an address already.
        """
        family, kind, protocol, _, address = info
        if address[0] not in self._vetted:
            vet(address[0], address[1], self._private)
        return socket.socket(family, kind, protocol)

    async def close(self) -> None:
        """Nothing is held."""


def _resolved(host: str, address: str, port: int) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return ResolveResult(
        hostname=host, host=address, port=port, family=family, proto=0,
        flags=socket.AI_NUMERICHOST,
    )  # fmt: skip


class Courier:
    """Sends parcels; to be made and closed within the loop that it is used in.

    Args:
        connections: open at a time, at most.
        private: hosts that may be at private addresses.
    """

    def __init__(self, connections: int, private: tuple[str, ...]) -> None:
        self._pool = ThreadPoolExecutor(_LOOKUPS, "webhooks-resolve")
        self._deadlines: dict[asyncio.Task[Any], float] = {}
        self._watching = asyncio.create_task(self._watch())
        self._public = self._session(connections, ())
        # Of its own, so that a connection that was allowed is never used by what is not.
        self._trusted = self._session(connections, private) if private else self._public

    def _session(self, connections: int, private: tuple[str, ...]) -> aiohttp.ClientSession:
        resolver = Resolver(private, self._pool)
        connector = aiohttp.TCPConnector(
            resolver=resolver, limit=connections, ttl_dns_cache=int(LOOKUP),
            socket_factory=resolver.socket,
        )  # fmt: skip
        return aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False,
            auto_decompress=False, raise_for_status=False,
        )  # fmt: skip

    async def close(self) -> None:
        """Close every connection."""
        self._watching.cancel()
        await self._public.close()
        await self._trusted.close()
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def send(self, target: Target, parcel: Parcel) -> Result:
        """Make one attempt; whatever goes wrong is in the result."""
        headers, request = target.stamped(parcel.message_id, parcel.body)
        started, began = now(), time.perf_counter()
        made = Result(parcel, started, 0, None, "", request)
        task = asyncio.current_task()
        assert task is not None
        self._deadlines[task] = began + target.timeout
        try:
            await self._exchange(target, headers, made)
        except asyncio.CancelledError:
            # The watch takes away the deadline of what it cancels; others do not.
            if task in self._deadlines or task.uncancel():
                raise
            made.error = f"no whole answer within {target.timeout:g} s"
        # Whatever a receiver brings about is its failure, and none of the sender's.
        except Exception as error:
            made.error = _told(error, target)
        finally:
            self._deadlines.pop(task, None)
        made.milliseconds = round(1000 * (time.perf_counter() - began))
        return made

    async def _watch(self) -> None:
        """Cancel what is beyond its deadline: one timer for all costs less than one for each."""
        while True:
            await asyncio.sleep(_TICK)
            at = time.perf_counter()
            for task in [task for task, end in self._deadlines.items() if end <= at]:
                del self._deadlines[task]
                task.cancel()

    async def _exchange(self, target: Target, headers: dict[str, str], made: Result) -> None:
        session = self._trusted if target.trusted else self._public
        async with session.post(
            target.url,
            data=made.parcel.body,
            headers=headers,
            allow_redirects=False,
            timeout=_NO_TIMEOUT,
        ) as answer:
            made.status = answer.status
            made.response_headers = _headers(answer.raw_headers)
            if not 200 <= answer.status < 300:
                made.error = _refusal(answer)
                made.retry_after = read_retry_after(answer.headers.get("Retry-After"), now())
            made.response_body = _clean(await _beginning(answer), target)


# One deadline for all of it is kept elsewhere.
_NO_TIMEOUT = aiohttp.ClientTimeout(total=None)


async def _beginning(answer: aiohttp.ClientResponse) -> bytes:
    """Return the beginning of a body; the rest of a long one is not waited for."""
    if answer.content.is_eof():
        # All of it came with the headers, as it mostly does.
        return answer.content.read_nowait(KEPT)
    pieces, size = [], 0
    while size < KEPT and (piece := await answer.content.read(KEPT - size)):
        pieces.append(piece)
        size += len(piece)
    if not answer.content.at_eof():
        answer.close()
    return b"".join(pieces)


def _refusal(answer: aiohttp.ClientResponse) -> str:
    if 300 <= answer.status < 400 and (where := answer.headers.get("Location")):
        return _storable(f"answered {answer.status}: redirects to {where} are not followed")[:300]
    return f"answered {answer.status}"


def _headers(found: Iterable[tuple[bytes, bytes]]) -> str:
    """Return headers as lines, for the log."""
    lines = [
        name + b": " + (_MASKED if name.lower() in _HIDDEN_ANSWERS else value)
        for name, value in found
    ]
    return _storable(b"\n".join(lines).decode("utf-8", "replace"))[:_KEPT_HEADERS]


def _clean(raw: bytes, target: Target) -> str:
    text = _storable(raw.decode("utf-8", "replace"))
    for secret in target.confidential:
        if secret in text:
            text = text.replace(secret, MASK)
    return text


def _told(error: Exception, target: Target) -> str:
    cause = error.__cause__ if isinstance(error, aiohttp.ClientConnectorError) else None
    text = str(cause or error) or type(error).__name__
    return _clean(text.encode(errors="replace"), target)[:_LONGEST_ERROR]


def _storable(text: str) -> str:
    """Return a text that every engine can hold."""
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def failed(parcel: Parcel, error: str) -> Result:
    """Return the result of an attempt that could not be made."""
    return Result(parcel, now(), 0, None, error[:_LONGEST_ERROR], "{}")
