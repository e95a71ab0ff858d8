"""The table of who is there: how many subscribe to a real-time channel, in each process."""

import time
from collections.abc import Mapping
from typing import Any

from bodega.processes import SILENCE

_TABLE = """
CREATE TABLE IF NOT EXISTS bodega_presence (
    process VARCHAR(40) NOT NULL, channel VARCHAR(300) NOT NULL, subscribers INTEGER NOT NULL,
    seen_at DOUBLE PRECISION NOT NULL, PRIMARY KEY (channel, process))
"""
#: Rows of one statement.
_CHUNK = 200
#: Stands for the process itself: when it was last heard of.
_BEAT = ""


class PresenceTable:
    """The table, in the runtime database."""

    def __init__(self, database: Any) -> None:
        self._database = database

    def create(self) -> None:
        """Make the table."""
        self._database.execute_sql(_TABLE)

    def tell(self, process: str, changed: Mapping[str, int]) -> None:
        """Write what has changed in a process, and that it lives.

        Args:
            changed: channel → how many subscribe to it now; 0 for none any more.
        """
        rows = [(_BEAT, 0), *((name, number) for name, number in changed.items() if number)]
        gone = [name for name, number in changed.items() if not number]
        for start in range(0, len(rows), _CHUNK):
            self._write(process, rows[start : start + _CHUNK])
        for start in range(0, len(gone), _CHUNK):
            self._remove(process, gone[start : start + _CHUNK])

    def _write(self, process: str, rows: list[tuple[str, int]]) -> None:
        mark, now = self._database.param, time.time()
        values = ", ".join([f"({mark}, {mark}, {mark}, {mark})"] * len(rows))
        self._database.execute_sql(
            "INSERT INTO bodega_presence (process, channel, subscribers, seen_at) "
            f"VALUES {values} ON CONFLICT (channel, process) DO UPDATE SET "
            "subscribers = excluded.subscribers, seen_at = excluded.seen_at",
            tuple(value for name, number in rows for value in (process, name, number, now)),
        )

    def _remove(self, process: str, names: list[str]) -> None:
        mark = self._database.param
        named = ", ".join([mark] * len(names))
        self._database.execute_sql(
            f"DELETE FROM bodega_presence WHERE process = {mark} AND channel IN ({named})",
            (process, *names),
        )

    def elsewhere(self, channel: str, process: str) -> int:
        """Return how many subscribe to a channel in other living processes."""
        mark = self._database.param
        cursor = self._database.execute_sql(
            "SELECT COALESCE(SUM(here.subscribers), 0) FROM bodega_presence AS here "
            "JOIN bodega_presence AS beat ON beat.process = here.process "
            f"AND beat.channel = {mark} AND beat.seen_at > {mark} "
            f"WHERE here.channel = {mark} AND here.process <> {mark}",
            (_BEAT, time.time() - SILENCE, channel, process),
        )
        return int(cursor.fetchone()[0])

    def leave(self, process: str) -> None:
        """Take a process out, and those that left without a word."""
        mark = self._database.param
        self._database.execute_sql(
            f"DELETE FROM bodega_presence WHERE process = {mark} OR process NOT IN "
            f"(SELECT process FROM bodega_presence WHERE channel = {mark} AND seen_at > {mark})",
            (process, _BEAT, time.time() - 6 * SILENCE),
        )
