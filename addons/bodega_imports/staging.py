"""Staging: the rows of a file between reading and writing, in a SQLite file of its own.

All rows are staged before one is written, because which of several rows with one SKU
wins is known only at the end of the file. Staging is cheap to repeat, so a run that
takes over from a dead one reads the file again and goes on writing where that stopped.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson

from bodega_imports.records import Record

_SCHEMA = """
PRAGMA journal_mode = off;
PRAGMA synchronous = off;
PRAGMA cache_size = -2000;
CREATE TABLE staged (seq INTEGER PRIMARY KEY, line INTEGER, key TEXT, row BLOB);
CREATE TABLE bad (line INTEGER PRIMARY KEY, cells TEXT);
"""
#: Bad records that are kept, and characters of each: whoever needs more reads the file again.
_MOST, _LONGEST = 100_000, 10_000


class Staging:
    """The staged rows of one run."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._staged = self._bytes = self._bad = 0
        path.unlink(missing_ok=True)
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.executescript(_SCHEMA)

    def __enter__(self) -> "Staging":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        self._path.unlink(missing_ok=True)

    def fill(self, batches: Iterable[list[tuple[int, str, Any]]]) -> int:
        """Stage lists of ``(line, SKU key, row)``; return how many rows."""
        for rows in batches:
            self._insert([(line, key, orjson.dumps(row)) for line, key, row in rows])
        self._connection.execute("CREATE INDEX by_key ON staged (key, seq)")
        return self._staged

    def _insert(self, batch: list[tuple[int, str, bytes]]) -> None:
        self._connection.execute("BEGIN")
        self._connection.executemany("INSERT INTO staged (line, key, row) VALUES (?, ?, ?)", batch)
        self._connection.execute("COMMIT")
        self._staged += len(batch)
        self._bytes += sum([len(row) for _, _, row in batch])

    def keep(self, records: Iterable[Record]) -> None:
        """Keep bad records, as they are in the file, for the report."""
        rows = [
            (line, json.dumps(cells)) for line, cells in records if sum(map(len, cells)) <= _LONGEST
        ]
        self._connection.executemany("INSERT OR REPLACE INTO bad VALUES (?, ?)", rows)

    def kept(self, lines: Iterable[int]) -> Iterator[tuple[int, Sequence[str]]] | None:
        """Return lines and cells of bad records in the file's order; None if one was not kept."""
        found = {line for (line,) in self._connection.execute("SELECT line FROM bad")}
        if not found.issuperset(lines):
            return None
        rows = self._connection.execute("SELECT line, cells FROM bad ORDER BY line")
        return ((line, json.loads(cells)) for line, cells in rows)

    def distinct(self) -> int:
        """Return how many SKUs there are: that many rows will be written."""
        row = self._connection.execute("SELECT count(DISTINCT key) FROM staged").fetchone()
        return int(row[0])

    def row_bytes(self) -> int:
        """Return how many bytes a row takes here on average."""
        return self._bytes // max(1, self._staged)

    def winners(self, after: int, size: Callable[[], int]) -> Iterator[list[tuple[int, int, Any]]]:
        """Yield lists of ``(seq, line, row)``: the last row of each SKU, in the file's order.

        Args:
            after: go on behind this seq.
            size: asked for each list: rows in it at most.
        """
        while True:
            found = self._connection.execute(
                "SELECT seq, line, row FROM staged AS one WHERE seq > ? AND NOT EXISTS "
                "(SELECT 1 FROM staged AS later WHERE later.key = one.key AND later.seq > one.seq)"
                " ORDER BY seq LIMIT ?",
                (after, size()),
            ).fetchall()
            if not found:
                return
            after = found[-1][0]
            yield [(seq, line, orjson.loads(row)) for seq, line, row in found]
