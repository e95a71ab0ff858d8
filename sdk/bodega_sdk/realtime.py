"""A client of the real-time server, for programs that follow a shop from outside.

It connects again when a connection is lost, goes on where it stopped, and gets a fresh
token before the old one expires. It takes the package ``websockets``, imported when it is
used first.

Errors::

    Refused     the shop does not let this client follow a channel
"""

import asyncio
import json
import random
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

_UNAUTHENTICATED = 4401
#: Error codes after which trying again later may help.
_PASSING = ("unavailable",)
#: Seconds between two questions how far everything was sent.
_PING = 30.0
#: Seconds before its end that a token is replaced, at most.
_EARLY = 60.0
#: Seconds until the first attempt to come back, and at most.
_SOON, _LATEST = 0.5, 30.0


class Refused(Exception):
    """The shop does not let this client in, or not follow a channel.

    Args:
        code: of the protocol, e.g. ``"permission-denied"``; docs/realtime.md lists them.
        channel: it is about; empty when it is about the token.

    Example::

        >>> from bodega_sdk.realtime import Refused
        >>> print(Refused("permission-denied", "You may not follow it.", "orders.7"))
        orders.7: You may not follow it.
    """

    def __init__(self, code: str, text: str, channel: str = "") -> None:
        super().__init__(f"{channel}: {text}" if channel else text)
        self.code = code
        self.channel = channel


@dataclass(frozen=True, slots=True)
class Place:
    """How far a channel was read; kept by who wants to go on after a restart.

    Args:
        offset: of the last event.
        epoch: of the shop: offsets mean nothing in another one.

    Example::

        >>> from bodega_sdk.realtime import Place
        >>> Place(42, "018f-77aa").offset
        42
    """

    offset: int
    epoch: str


@dataclass(frozen=True, slots=True)
class Received:
    """An event that came.

    Args:
        channel: as it was asked for.
        offset, name, key, data, occurred_at: see :class:`bodega_sdk.Occurrence`.

    Example::

        >>> from datetime import UTC, datetime
        >>> from bodega_sdk.realtime import Received
        >>> moment = datetime(2026, 1, 31, tzinfo=UTC)
        >>> Received("orders.7", 42, "order.paid", "7", {"total": "9.00"}, moment).data["total"]
        '9.00'
    """

    channel: str
    offset: int
    name: str
    key: str
    data: dict[str, Any]
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class Gap:
    """Events of a channel were missed: read the state through the API, then go on.

    Args:
        channel: of which.
        place: from which on nothing is missing again.

    Example::

        >>> from bodega_sdk.realtime import Gap, Place
        >>> Gap("orders.7", Place(42, "018f-77aa")).place.offset
        42
    """

    channel: str
    place: Place


class Follower:
    """Follows channels: enter it, iterate over it.

    Args:
        url: of the real-time server, e.g. ``"wss://shop.example/ws"``.
        channels: their names.
        token: returns an access token; called for each connection, and before one expires.
        places: channel → where to go on; what is not in it begins now.
        conflate: milliseconds between two deliveries of the latest values, where the
            channels permit that; None for every event.

    Example::

        >>> async def watch(log_in):
        ...     async with Follower("ws://localhost:8001/ws", ["orders.7"], log_in) as found:
        ...         async for news in found:
        ...             print("read it anew" if isinstance(news, Gap) else news.data)
    """

    def __init__(
        self,
        url: str,
        channels: Iterable[str],
        token: Callable[[], Awaitable[str]],
        *,
        places: Mapping[str, Place] | None = None,
        conflate: int | None = None,
    ) -> None:
        self.places: dict[str, Place] = dict(places or {})
        self._url = url
        self._channels = tuple(dict.fromkeys(channels))
        self._token = token
        self._conflate = conflate
        self._rejected = False
        self._pause = _SOON
        self._news: AsyncGenerator[Received | Gap, None] | None = None

    async def __aenter__(self) -> "Follower":
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    def __aiter__(self) -> AsyncIterator[Received | Gap]:
        """Yield what happens, without end.

        Raises:
            Refused: a channel may not be followed, or a fresh token is no good.
        """
        if self._news is None:
            self._news = self._follow()
        return self._news

    async def close(self) -> None:
        """Leave; :attr:`places` says where to go on."""
        if self._news is not None:
            await self._news.aclose()
            self._news = None

    async def _follow(self) -> AsyncGenerator[Received | Gap, None]:
        while True:
            async with aclosing(self._connected()) as found:
                async for news in found:
                    yield news
            # Not all clients at once.
            await asyncio.sleep(self._pause * random.uniform(0.5, 1.5))  # noqa: S311
            self._pause = min(_LATEST, self._pause * 2)

    async def _connected(self) -> AsyncGenerator[Received | Gap, None]:
        """Yield what comes along one connection, until it is lost."""
        from websockets.asyncio.client import connect
        from websockets.exceptions import ConnectionClosed, InvalidHandshake

        headers = {"Authorization": f"Bearer {await self._token()}"}
        work: list[asyncio.Task[None]] = []
        opening = connect(self._url, additional_headers=headers, compression=None)
        try:
            # It is tried again.
            with suppress(OSError, TimeoutError, InvalidHandshake):
                async with opening as socket:
                    for channel in self._channels:
                        await self._subscribe(socket, channel)
                    work.append(asyncio.create_task(self._ask(socket)))
                    async for text in socket:
                        for news in await self._read(socket, json.loads(text), work):
                            yield news
        except ConnectionClosed as error:
            self._see(error.rcvd.code if error.rcvd else None)
        finally:
            for task in work:
                task.cancel()

    def _see(self, code: int | None) -> None:
        """Try once more with a fresh token when the connection ended because of it."""
        if code == _UNAUTHENTICATED and self._rejected:
            raise Refused("unauthenticated", "the token is no good")
        self._rejected = code == _UNAUTHENTICATED

    async def _subscribe(self, socket: Any, channel: str) -> None:
        message: dict[str, Any] = {"type": "subscribe", "channel": channel}
        place = self.places.get(channel)
        if place is not None:
            message |= {"offset": place.offset, "epoch": place.epoch}
        if self._conflate is not None:
            message["conflate"] = self._conflate
        await socket.send(json.dumps(message))

    async def _read(
        self, socket: Any, message: dict[str, Any], work: list[asyncio.Task[None]]
    ) -> list[Received | Gap]:
        """Take a message of the server; return what it means to the caller."""
        match message["type"]:
            case "event":
                return [self._received(message)]
            case "subscribed":
                return self._begun(message)
            case "authenticated":
                self._rejected = False
                ends = datetime.fromisoformat(message["expires_at"])
                work.append(asyncio.create_task(self._renew(socket, ends)))
            case "pong":
                self._advance(message["offset"])
            case "unsubscribed":
                # The answer says whether it is over, or there is a gap.
                await self._subscribe(socket, message["channel"])
            case "error" if message["code"] in _PASSING:
                await socket.close()
            case "error" if message["code"] != "unauthenticated":
                raise Refused(message["code"], message["message"], message.get("channel", ""))
        return []

    def _received(self, message: dict[str, Any]) -> Received:
        channel, place = message["channel"], self.places[message["channel"]]
        self.places[channel] = Place(message["offset"], place.epoch)
        moment = datetime.fromisoformat(message["occurred_at"])
        return Received(
            channel, message["offset"], message["name"], message["key"], message["data"], moment
        )

    def _begun(self, message: dict[str, Any]) -> list[Received | Gap]:
        self._pause = _SOON
        channel, before = message["channel"], self.places.get(message["channel"])
        if before is not None and message["recovered"]:
            return []
        self.places[channel] = Place(message["offset"], message["epoch"])
        return [] if before is None else [Gap(channel, self.places[channel])]

    def _advance(self, offset: int) -> None:
        """Everything up to an offset was sent: it need not be looked through again."""
        for channel, place in self.places.items():
            self.places[channel] = Place(max(offset, place.offset), place.epoch)

    async def _ask(self, socket: Any) -> None:
        while True:
            await asyncio.sleep(_PING)
            await socket.send('{"type": "ping"}')

    async def _renew(self, socket: Any, ends: datetime) -> None:
        left = (ends - datetime.now(UTC)).total_seconds()
        await asyncio.sleep(max(0.0, left - min(_EARLY, left / 3)))
        # What goes wrong here shows when the old token expires.
        with suppress(Exception):
            token = await self._token()
            await socket.send(json.dumps({"type": "authenticate", "token": token}))
