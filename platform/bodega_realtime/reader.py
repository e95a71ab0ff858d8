"""Reading the log in a thread of its own: connections to the database belong to threads."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import peewee
import structlog
from playhouse.pool import MaxConnectionsExceeded

from bodega.database import outbox
from bodega.database.tables import EventRow
from bodega.shop import Shop
from bodega_sdk.errors import Unavailable
from bodega_sdk.events import Channel, Occurrence
from bodega_sdk.identity import Identity
from bodega_sdk.runtime import bound

log = structlog.get_logger(__name__)
T = TypeVar("T")
#: Events read at a time.
PAGE = 200


@dataclass(frozen=True, slots=True)
class Page:
    """A piece of the log.

    Args:
        events: what was asked for, in order.
        reached: offset up to which nothing that was asked for is missing.
        full: whether there may be more behind it.
        newest: offset of the log's newest event.
        oldest: offset of the oldest event the log still had after reading.
    """

    events: tuple[Occurrence, ...]
    reached: int
    full: bool
    newest: int
    oldest: int = 0

    def reaches_back(self, after: int) -> bool:
        """Whether the log still had everything behind an offset, and knew that offset."""
        return self.oldest - 1 <= after <= self.newest


class LogReader:
    """A thread that reads the log, one piece after the other.

    Args:
        name: of the thread.
    """

    def __init__(self, shop: Shop, name: str) -> None:
        self._shop = shop
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=name)

    async def run(self, work: Callable[[], T]) -> T:
        """Run a function in the thread and return its result.

        Raises:
            Unavailable: the database does not answer.
        """
        loop = asyncio.get_running_loop()
        try:
            result = loop.run_in_executor(self._executor, self._guarded, work)
        except RuntimeError:
            raise Unavailable("The server is stopping.") from None
        return await result

    def _guarded(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except (peewee.PeeweeException, MaxConnectionsExceeded) as error:
            # A connection that broke is not used again; the next call opens a new one.
            self._shop.databases.close()
            raise Unavailable(f"The database does not answer: {error}") from error

    async def follow(self, channel: Channel, identity: Identity, key: str) -> bool:
        """Ask a channel whether somebody may follow the thing of a key.

        Raises:
            Unavailable: the database does not answer, or the channel's addon failed.
        """
        return channel.may is None or await self.run(lambda: self._may(channel, identity, key))

    def _may(self, channel: Channel, identity: Identity, key: str) -> bool:
        assert channel.may is not None
        with self._shop.lent() as session, bound(session):
            try:
                return bool(channel.may(identity, key))
            except (peewee.PeeweeException, MaxConnectionsExceeded):
                raise
            # Whatever an addon's function raises, nobody follows what it guards.
            except Exception as error:
                log.error("a channel's check failed", channel=channel.name, exc_info=error)
                raise Unavailable("It cannot be said now who may follow this.") from error

    async def newest(self) -> int:
        """Return the offset of the newest event."""
        return await self.run(lambda: outbox.last_offset(self._database))

    async def next(self, after: int, names: frozenset[str]) -> Page:
        """Read the events of some names behind an offset."""
        return await self.run(lambda: self._page(after, sorted(names)))

    async def behind(self, after: int, names: Sequence[str], keys: Sequence[str] | None) -> Page:
        """Read the events of some names behind an offset, and ``oldest``.

        Args:
            keys: of what they are about; None for whatever they are about.
        """
        return await self.run(lambda: self._page(after, names, keys, oldest=True))

    async def close(self) -> None:
        """Close the connection and end the thread."""
        loop = asyncio.get_running_loop()
        closed = loop.run_in_executor(self._executor, self._shop.databases.close)
        self._executor.shutdown(wait=False)
        await closed

    @property
    def _database(self) -> Any:
        return self._shop.databases.shop

    def _page(
        self,
        after: int,
        names: Sequence[str],
        keys: Sequence[str] | None = None,
        oldest: bool = False,
    ) -> Page:
        # The newest first: nothing up to it can be missing from what is read behind it.
        newest = outbox.last_offset(self._database)
        wanted = names and newest > after
        found = outbox.read(self._database, after, PAGE, names, keys) if wanted else ()
        events = tuple(found)
        full = len(events) == PAGE
        last = events[-1].offset if events else 0
        reached = last if full else max(newest, last)
        # The oldest last: what was pruned before it was read is noticed.
        return Page(events, reached, full, newest, self._oldest(newest) if oldest else 0)

    def _oldest(self, newest: int) -> int:
        query = EventRow.select(peewee.fn.MIN(EventRow.offset)).tuples()
        row = query.first(self._database)
        return newest + 1 if row is None or row[0] is None else int(row[0])
