"""The living processes of a shop: each says every second that it lives and what it serves."""

import os
import socket
import time
from dataclasses import dataclass
from typing import Any

from bodega_sdk.ids import uuid7

#: Seconds after which a process that said nothing counts as gone.
SILENCE = 10.0
_TABLE = """
CREATE TABLE IF NOT EXISTS bodega_process (
    id VARCHAR(40) PRIMARY KEY, kind VARCHAR(20) NOT NULL, host VARCHAR(255) NOT NULL,
    pid INTEGER NOT NULL, generation BIGINT NOT NULL, draining INTEGER NOT NULL,
    seen_at DOUBLE PRECISION NOT NULL)
"""


@dataclass(frozen=True, slots=True)
class Process:
    """A process as the others see it.

    Args:
        kind: ``web``, ``worker`` or ``realtime``.
        generation: of the Assembly it serves.
        draining: requests and jobs in it that still run on an older one.
    """

    id: str
    kind: str
    host: str
    pid: int
    generation: int
    draining: int

    def __str__(self) -> str:
        return f"{self.kind} {self.pid} on {self.host}"


class Register:
    """The table of living processes, in the runtime database."""

    def __init__(self, database: Any) -> None:
        self._database = database

    def create(self) -> None:
        """Make the table."""
        self._database.execute_sql(_TABLE)

    def beat(self, process: Process) -> None:
        """Say that a process lives."""
        mark = self._database.param
        self._database.execute_sql(
            "INSERT INTO bodega_process (id, kind, host, pid, generation, draining, seen_at) "
            f"VALUES ({', '.join([mark] * 7)}) ON CONFLICT (id) DO UPDATE SET "
            "generation = excluded.generation, draining = excluded.draining, "
            "seen_at = excluded.seen_at",
            (process.id, process.kind, process.host, process.pid, process.generation,
             process.draining, time.time()),
        )  # fmt: skip

    def leave(self, process_id: str) -> None:
        """Take a process out, and those that left without a word long ago."""
        mark = self._database.param
        self._database.execute_sql(
            f"DELETE FROM bodega_process WHERE id = {mark} OR seen_at < {mark}",
            (process_id, time.time() - 3600),
        )

    def living(self) -> list[Process]:
        """Return the processes that were heard of lately."""
        mark = self._database.param
        rows = self._database.execute_sql(
            "SELECT id, kind, host, pid, generation, draining FROM bodega_process "
            f"WHERE seen_at > {mark} ORDER BY kind, host, pid",
            (time.time() - SILENCE,),
        )
        return [Process(*row) for row in rows.fetchall() if _exists(row[2], row[3])]


def _exists(host: str, pid: int) -> bool:
    """Whether a process on this host still exists; those elsewhere are taken at their word."""
    if host != socket.gethostname():
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def this_process(kind: str, generation: int) -> Process:
    """Return a description of the process this runs in, under a new id."""
    return Process(uuid7().hex, kind, socket.gethostname(), os.getpid(), generation, 0)
