"""The server: it accepts clients, follows the addons, and drains when it is stopped."""

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast

import structlog
from websockets.asyncio.server import Server as WebSocketServer
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from bodega.follower import Follower
from bodega.shop import Shop
from bodega_realtime import draining, frames, sse
from bodega_realtime.asked import path_of
from bodega_realtime.client import House
from bodega_realtime.doors import Doors
from bodega_realtime.feed import Feed
from bodega_realtime.health import Health, as_problem
from bodega_realtime.login import PROTOCOL
from bodega_realtime.messages import Close
from bodega_realtime.meters import MeterCollector
from bodega_realtime.peer import Peer
from bodega_realtime.presence import Presence
from bodega_realtime.pump import Pump
from bodega_realtime.reader import LogReader
from bodega_realtime.stream import StreamReader
from bodega_realtime.subscriptions import Hub
from bodega_sdk.errors import Unavailable

log = structlog.get_logger(__name__)
_LARGEST_MESSAGE = 2**16
#: Seconds that clients have to answer the end of a connection.
_FAREWELL = 2.0
#: Seconds between two looks at what was revoked.
_WATCH = 0.25
#: Seconds that a swap waits for the event loop.
_SWAP = 5.0


class Server:
    """Serves one shop, started and stopped in one event loop.

    Args:
        shop: with its Assembly computed.
        port: 0 for any that is free.
        renew: called in another thread when an addon was upgraded, to replace this process.
        tls: encrypts the connections; None where a proxy does, or nobody.
    """

    def __init__(
        self,
        shop: Shop,
        host: str,
        port: int,
        renew: Callable[[], object] = lambda: None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._tls = tls
        self._shop = shop
        self._address = (host, port)
        # Two threads: a crowd that returns and replays must not delay what is live.
        self._log = LogReader(shop, "realtime-log")
        self._replays = LogReader(shop, "realtime-replay")
        self._hub = Hub(shop.shop_id)
        self._stream = StreamReader.of(shop.settings, shop.shop_id)
        self._feed = Feed(self._hub, self._log, self._stream)
        self._presence = Presence(shop, self._hub, self._replays)
        house = House(
            shop, self._hub, self._replays, Pump(), self._presence,
            frames.sent_event(shop.shop_id),
        )  # fmt: skip
        meters = MeterCollector(self._hub.meters, lambda: self._hub.position)
        health = Health(self._database_answers, self._feed_reads, meters.exposition)
        self._house = house
        self._doors = Doors(house, health)
        self._follower = Follower(shop, "realtime", self._swapped, renew)
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop
        self._server: WebSocketServer

    async def start(self) -> None:
        """Begin to serve.

        Raises:
            OSError: the address cannot be listened on.
        """
        self._loop = asyncio.get_running_loop()
        self._hub.position = await self._log.newest()
        self._hub.adopt(self._shop.assembly)
        self._server = await self._listen()
        await self._replays.run(self._follower.start)
        for work in (self._feed.run(), self._watch(), self._presence.run()):
            self._tasks.add(asyncio.create_task(work))
        log.info("listening", host=self._address[0], port=self.port)

    async def _listen(self) -> WebSocketServer:
        return await serve(
            self._doors.talk,
            *self._address,
            ssl=self._tls,
            create_connection=cast(Any, self._connection),
            process_request=self._doors.answer,
            process_response=self._mend,
            select_subprotocol=_select,
            server_header=None,
            compression=None,  # It costs 55 KB a connection.
            max_size=_LARGEST_MESSAGE,
            open_timeout=None,  # A stream is all opening; the peer sees to the rest.
            close_timeout=_FAREWELL,
            # Never pause writing: the library would wait without end for a client that
            # does not read, where the outlet cuts it.
            write_limit=2**40,
        )

    def _connection(self, *arguments: Any, **options: Any) -> Peer:
        return Peer(_is_stream, self._answer_stream, *arguments, **options)

    async def _answer_stream(self, peer: Peer, request: Request) -> Response | None:
        return await sse.answer(peer, request, self._house)

    @property
    def port(self) -> int:
        """The port it listens on."""
        found: int = next(iter(self._server.sockets)).getsockname()[1]
        return found

    @property
    def clients(self) -> int:
        """How many clients are connected."""
        return len(self._hub.listeners)

    async def stop(self, *, restarting: bool = False) -> None:
        """Accept nobody any more, send the clients away and leave the register.

        Args:
            restarting: tell the clients that they may come back at once.
        """
        log.info("stopping", clients=self.clients)
        code = Close.RESTARTING if restarting else Close.GOING_AWAY
        self._server.close(close_connections=False)
        await draining.drain(self._hub, code)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._presence.leave()
        await asyncio.gather(self._farewell(), asyncio.to_thread(self._follower.stop))
        for part in (self._stream, self._log, self._replays):
            if part is not None:
                await part.close()

    async def _farewell(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._server.wait_closed(), _FAREWELL + 0.5)

    async def _watch(self) -> None:
        """Send those away whose session has ended, well within a second."""
        revocations, seen = self._shop.revocations, -1
        while True:
            with suppress(Unavailable):
                await self._log.run(revocations.keep_up)
            if revocations.readings != seen:
                seen = revocations.readings
                for listener in tuple(self._hub.listeners):
                    listener.check_session()
            await asyncio.sleep(_WATCH)

    def _mend(
        self, websocket: ServerConnection, request: Request, response: Response
    ) -> Response | None:
        return as_problem(request, response)

    # What the follower and the health ask.

    def _swapped(self) -> None:
        """Have the event loop adopt the Assembly; only then is the swap acknowledged."""
        asyncio.run_coroutine_threadsafe(self._adopt(), self._loop).result(_SWAP)

    async def _adopt(self) -> None:
        self._hub.adopt(self._shop.assembly)

    async def _database_answers(self) -> bool:
        return await self._replays.newest() >= 0

    async def _feed_reads(self) -> bool:
        return self._feed.healthy


def _select(websocket: ServerConnection, offered: object) -> Subprotocol | None:
    return Subprotocol(PROTOCOL) if isinstance(offered, list) and PROTOCOL in offered else None


def _is_stream(request: Request) -> bool:
    return path_of(request) == sse.PATH
