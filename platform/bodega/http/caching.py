"""Answers that are kept: as long as no table changed that they were made of.

An answer is kept with the versions that its tables had *before* it was made, and given again
only while they are the same, which one statement tells; see docs/decisions/0023.
"""

import hashlib
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import falcon

from bodega import __version__
from bodega.database.board import Board, Mark
from bodega.database.connection import is_postgres
from bodega.http.answer_stores import LARGEST, Kept, LocalStore, RedisStore, Store
from bodega.telemetry.metrics import KEPT_ANSWERS
from bodega_sdk.companions import CompanionKey, table_of
from bodega_sdk.encoding import etag, to_json
from bodega_sdk.http import Reply, Route
from bodega_sdk.identity import Identity

if TYPE_CHECKING:
    from bodega.shop import Session

#: Characters of an ``Accept-Language`` that answers are kept for.
_LANGUAGES = 200
_FULL_TEXT = re.compile(r"(?is)\bUSING\s+fts5\b.*\bcontent\s*=\s*['\"]?(\w+)")
#: Seconds that the board is believed before the database is asked again.
_TRUSTED = 1.0
#: The versions themselves, which are no part of an answer.
_OURS = frozenset({"bodega_collection"})


class Stores:
    """The stores of a process, the nearest first; Redis is asked for once the shop has begun."""

    def __init__(self, redis_url: str, shop_id: Callable[[], str]) -> None:
        self._redis_url, self._shop_id = redis_url, shop_id

    @cached_property
    def all(self) -> Sequence[Store]:
        """All of them."""
        local = LocalStore()
        if not self._redis_url:
            return (local,)
        return (local, RedisStore(self._redis_url, f"bodega:{self._shop_id()}:answers"))


class Answers:
    """The answers that are kept for one Assembly."""

    def __init__(self, session: "Session") -> None:
        self._session = session
        self._database = session.databases.shop
        self._versions = session.shop.versions
        self._stores = session.shop.answer_stores
        one = session.shop.settings.is_on_one_machine
        self._board: Board | None = self._database.board if one else None

    @cached_property
    def _assembly(self) -> str:
        """What settings and code made an answer."""
        assembly = self._session.assembly
        told = [__version__, str(assembly.generation), *sorted(assembly.code.items())]
        return hashlib.blake2b(repr(told).encode(), digest_size=8).hexdigest()

    @cached_property
    def _tables(self) -> "_Tables":
        return _Tables(self._session.assembly.models, _tables_of(self._database))

    def key(self, route: Route, identity: Identity, req: falcon.Request) -> str | None:
        """Return what an answer depends on, but for the data; None where none may be kept.

        That is the address with its query, what the caller may see, and the language.
        """
        language = (req.get_header("Accept-Language") or "").replace(" ", "").lower()
        if len(language) > _LANGUAGES or self._database.in_transaction():
            return None
        base_of = getattr(req.context, "base_of", None)
        base = base_of(req) if base_of else req.prefix
        who = _who(
            identity.authenticated,
            bool(identity.key),
            identity.organization,
            identity.roles,
            identity.permissions,
        )
        subject = identity.subject if route.objects == "own" else ""
        query = sorted(req.params.items())
        return f"{self._assembly} {base}{req.path} {query} {who} {subject!r} {language!r}"

    def find(self, route: Route, key: str) -> Kept | None:
        """Return the answer that is kept, if its tables are as they were."""
        outcome = "miss"
        for store in self._stores.all:
            kept = store.get(key)
            if kept is not None and self._is_current(kept.stamp):
                KEPT_ANSWERS.labels(route.path, "hit").inc()
                if store is not self._stores.all[0]:
                    self._stores.all[0].put(key, kept)
                return kept
            outcome = "stale" if kept is not None else outcome
        KEPT_ANSWERS.labels(route.path, outcome).inc()
        return None

    def current(self, key: str, seen: "Seen") -> Kept | None:
        """Return the answer that this process itself keeps, if its tables are as they were.

        Args:
            seen: keeps what was found out about it, for the next call.
        """
        kept = self._stores.all[0].get(key)
        if kept is None or self._database.in_transaction():
            return None
        mark = self._board.mark(kept.stamp) if self._board else None
        now = time.monotonic()
        if mark is not None and seen.holds(kept, mark, now):
            return kept
        if not self._is_current(kept.stamp):
            return None
        # The mark is from before the versions were read: who wrote since then has changed it.
        seen.note(kept, mark, now)
        return kept

    def _is_current(self, stamp: Mapping[str, int]) -> bool:
        versions = self._versions.read()
        return all(versions.get(table, 0) == version for table, version in stamp.items())

    def make(self, key: str, answer: Callable[[], Reply | None]) -> Kept | None:
        """Make an answer and keep it; return it, or None if there is none to keep.

        Args:
            answer: returns what is shown as JSON; None after it answered in another way.
        """
        with self._database.watched(self._versions.read()) as watch:
            reply = answer()
        if reply is None:
            return None
        body = to_json(reply.body)
        tables = self._tables.behind(watch.words)
        stamp = {name: watch.versions.get(name, 0) for name in tables or ()}
        kept = Kept(body, etag(body), stamp, reply.headers)
        if tables is not None and len(body) <= LARGEST:
            for store in self._stores.all:
                store.put(key, kept)
        return kept


class Seen:
    """That an answer was as its tables are: when, and by which mark of the board.

    Whatever the board does not know of, such as other machines that were not told of, or a
    database that was put back by its operator, is noticed by the next question a second later.
    """

    def __init__(self) -> None:
        # One value, for several threads ask at once.
        self._found: tuple[Mapping[str, int] | None, Mark | None, float] = (None, None, 0.0)

    def holds(self, kept: Kept, mark: Mark, now: float) -> bool:
        """Whether nothing can have changed."""
        stamp, before, until = self._found
        return stamp is kept.stamp and before == mark and now < until

    def note(self, kept: Kept, mark: Mark | None, now: float) -> None:
        """Note that an answer is as its tables are."""
        self._found = kept.stamp, mark, now + _TRUSTED


class _Tables:
    """The tables of the shop: whose changes are noted, and whose are not."""

    def __init__(self, models: Iterable[Any], tables: Mapping[str, str]) -> None:
        models = tuple(models)
        self._of = {name: table for name, table in tables.items() if name not in _OURS}
        self._versioned = frozenset(
            item._meta.table_name for item in models if item._meta.versioned
        )
        # Deleting a row takes its companions along: the base's version is theirs too.
        self._bases = {
            item._meta.table_name: table_of(item._meta.primary_key.resource)
            for item in models
            if isinstance(item._meta.primary_key, CompanionKey)
        }

    def behind(self, words: Iterable[str]) -> set[str] | None:
        """Return the tables that words name; None if nobody notes the changes of one of them."""
        tables = {self._of[name] for name in self._of.keys() & set(words)}
        tables |= {self._bases[name] for name in tables & self._bases.keys()}
        return tables if tables <= self._versioned else None


def _tables_of(database: Any) -> dict[str, str]:
    """Return the names of all tables, and what table each one's version is that of.

    Full-text tables of SQLite stand on the rows of another one, which triggers follow.
    """
    if is_postgres(database):
        return {name: name for name in database.get_tables()}
    rows = database.execute_sql("SELECT name, sql FROM sqlite_master WHERE type = 'table'")
    found = {name: _FULL_TEXT.search(sql or "") for name, sql in rows}
    return {name: match[1] if match else name for name, match in found.items()}


@lru_cache(1024)
def _who(
    known: bool,
    by_key: bool,
    organization: str,
    roles: tuple[str, ...],
    permissions: frozenset[str],
) -> str:
    told = repr((known, by_key, organization, roles, sorted(permissions)))
    return hashlib.blake2b(told.encode(), digest_size=12).hexdigest()
