"""Collection versions: which tables changed, so that exact counts can be kept.

Each transaction that writes to a versioned table raises one of its stripes, last of
all and in the order of the tables' names, so that writers rarely wait and never
deadlock on them. A reader reads the version *before* it reads the table: what it
keeps may then be newer than its label, never older.
"""

import os
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Protocol

import peewee

from bodega.database.board import Board
from bodega.database.versions import Versions
from bodega_sdk._statements import written
from bodega_sdk.companions import CompanionKey, table_of

STRIPES = 16
_TABLE = "bodega_collection"
_NAMES = re.compile(r'"(\w+)"')


class Recorder(Protocol):
    """What has something to write at the end of each transaction: the audit log."""

    def write(self) -> None:
        """Write it, right before the commit."""

    def written(self) -> None:
        """Go on, right behind the commit."""

    def mark(self) -> int:
        """Return the place that a savepoint goes back to."""

    def forget(self, mark: int | None = None) -> None:
        """Drop what was noted behind a place, or in the whole transaction."""


class VersionedWrites:
    """A peewee database that notes which versioned tables a transaction writes to."""

    _touched: threading.local
    recorder: Recorder | None = None
    board: Board | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._touched = threading.local()
        super().__init__(*args, **kwargs)

    def execute(self, query: Any, **options: Any) -> Any:
        """Run a query; a write outside a transaction gets one of its own."""
        tables = _written(query)
        if not tables:
            if isinstance(query, peewee.ModelSelect) and not options:
                return self.execute_sql(*written(query))  # type: ignore[attr-defined]
            return super().execute(query, **options)  # type: ignore[misc]
        if self.in_transaction():  # type: ignore[attr-defined]
            # No savepoint: SQLite cannot end one while rows of RETURNING are unread.
            self.touch(*tables)
            return super().execute(query, **options)  # type: ignore[misc]
        with self.atomic():  # type: ignore[attr-defined]
            self.touch(*tables)
            return super().execute(query, **options)  # type: ignore[misc]

    def commit(self) -> None:
        """Raise the versions of what the transaction wrote to, and commit."""
        if self.recorder is not None:
            # Before the versions: whoever holds those waits for nobody.
            self.recorder.write()
        tables = self.raise_versions()
        if self.board is None or not tables:
            super().commit()  # type: ignore[misc]
        else:
            self._commit_on(self.board, tables)
        if self.recorder is not None:
            self.recorder.written()

    def _commit_on(self, board: Board, tables: list[str]) -> None:
        """Commit between two notes on the board."""
        board.begin(tables)
        try:
            super().commit()  # type: ignore[misc]
        except (peewee.OperationalError, peewee.InterfaceError):
            # PostgreSQL may have gone, and commit it or not; a file is not written.
            if not self.for_update:  # type: ignore[attr-defined]
                board.end(tables)
            raise
        except BaseException:
            board.end(tables)
            raise
        board.end(tables)

    def rollback(self) -> None:
        """Roll back, and forget what the transaction wrote to."""
        self.forget_touched()
        super().rollback()  # type: ignore[misc]

    def begin(self, *args: Any, **kwargs: Any) -> None:
        """Begin a transaction; what one before it noted that was never committed, goes."""
        if self.recorder is not None:
            self.recorder.forget()
        super().begin(*args, **kwargs)  # type: ignore[misc]

    def savepoint(self) -> "Savepoint":
        """Return a savepoint; see :class:`Savepoint`."""
        return Savepoint(self)

    def touch(self, *tables: str) -> None:
        """Note that tables are being changed."""
        self._tables().update(tables)

    def _tables(self) -> set[str]:
        if not hasattr(self._touched, "tables"):
            self._touched.tables = set()
        tables: set[str] = self._touched.tables
        return tables

    def forget_touched(self) -> None:
        """Drop the notes of a transaction that was rolled back, or begins."""
        self._tables().clear()

    def raise_versions(self) -> list[str]:
        """Raise the versions of the tables noted, and return those; the last before the commit."""
        tables = sorted(self._tables())
        self.forget_touched()
        # Milliseconds, so that a shop that was put back to an older state has no version twice.
        moment = time.time_ns() // 1_000_000
        larger = "GREATEST" if self.for_update else "MAX"  # type: ignore[attr-defined]
        stripe = hash((os.getpid(), threading.get_ident())) % STRIPES if self.for_update else 0  # type: ignore[attr-defined]
        mark = self.param  # type: ignore[attr-defined]
        if tables:
            # One statement for all of them, which takes the rows in the order of their names.
            rows = ", ".join([f"({mark}, {mark}, {mark})"] * len(tables))
            self.execute_sql(  # type: ignore[attr-defined]
                f"INSERT INTO {_TABLE} (name, stripe, version) VALUES {rows} "
                "ON CONFLICT (name, stripe) DO UPDATE SET "
                f"version = {larger}({_TABLE}.version + 1, excluded.version)",
                [value for table in tables for value in (table, stripe, moment)],
            )
        return tables


class Savepoint(peewee._savepoint):
    """A savepoint whose rollback takes along what was noted for the audit log since."""

    def _begin(self) -> None:
        super()._begin()
        recorder = self.db.recorder
        self._mark = recorder.mark() if recorder is not None else 0

    def rollback(self, begin: bool = True) -> None:
        """Roll back to where it began."""
        if self.db.recorder is not None:
            self.db.recorder.forget(self._mark)
        super().rollback(begin)


def _written(query: Any) -> set[str]:
    """Return the versioned tables that a query writes to, by its foreign keys too."""
    if not isinstance(query, peewee.Insert | peewee.Update | peewee.Delete):
        return set()
    model = getattr(query, "model", None)
    if model is None:
        return set()
    models = _with_dependents(model) if isinstance(query, peewee.Delete) else {model}
    return {item._meta.table_name for item in models if getattr(item._meta, "versioned", False)}


def _with_dependents(model: Any) -> set[Any]:
    """Return a model and those whose rows a delete takes along or changes."""
    found: set[Any] = set()
    waiting = [model]
    while waiting:
        model = waiting.pop()
        if model not in found:
            found.add(model)
            waiting += [key.model for key in model._meta.backrefs if key.on_delete]
    return found


class Counts:
    """Exact row counts, each kept for as long as no table of its query changed.

    Args:
        database: where to count.
        versions: of its tables.
        models: the tables there are; a query that reads one that is not versioned is
            counted every time.
    """

    def __init__(
        self, database: Any, versions: Versions, models: Iterable[Any], size: int = 512
    ) -> None:
        self._database, self._versions = database, versions
        models = tuple(models)
        self._versioned = {item._meta.table_name: item._meta.versioned for item in models}
        # Deleting a row takes its companions along: the base's version is theirs too.
        self._bases = {
            item._meta.table_name: table_of(item._meta.primary_key.resource)
            for item in models
            if isinstance(item._meta.primary_key, CompanionKey)
        }
        self._size = size
        self._kept: OrderedDict[Any, tuple[Any, int]] = OrderedDict()
        self._lock = threading.Lock()

    def count(self, query: Any) -> int:
        """Return the number of rows of a query, counting them only when need be."""
        sql, params = written(query)
        watch = self._database.watch
        if watch is not None:
            # A count that is kept needs no statement.
            watch.statements.add(sql)
        tables = {name for name in _names_in(sql) if name in self._versioned}
        tables |= {self._bases[name] for name in tables & self._bases.keys()}
        countable = tables and all(self._versioned.get(name) for name in tables)
        # Inside a transaction the versions are not raised yet for what it wrote itself.
        if not countable or self._database.in_transaction():
            number: int = query.count()
            return number
        return self._counted(query, (sql, tuple(map(str, params))), self._version(sorted(tables)))

    def _counted(self, query: Any, key: Any, version: Any) -> int:
        with self._lock:
            kept = self._kept.get(key)
        if kept is not None and kept[0] == version:
            return kept[1]
        number: int = query.count()
        with self._lock:
            self._kept[key] = (version, number)
            self._kept.move_to_end(key)
            if len(self._kept) > self._size:
                self._kept.popitem(last=False)
        return number

    def _version(self, tables: list[str]) -> Any:
        watch = self._database.watch
        # If there is a watch, they were read before any data, which is what counts.
        versions = self._versions.read() if watch is None else watch.versions
        return tuple(versions.get(name, 0) for name in tables)


@lru_cache(512)
def _names_in(sql: str) -> frozenset[str]:
    """Return what stands in quotes in a statement: tables, columns and their aliases."""
    return frozenset(_NAMES.findall(sql))
