"""The living processes of a shop: each says every second that it lives and what it serves."""

import json
import os
import socket
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from bodega_sdk.ids import uuid7

#: Seconds after which a process that said nothing counts as gone.
SILENCE = 10.0
_TABLE = """
CREATE TABLE IF NOT EXISTS bodega_process (
    id VARCHAR(40) PRIMARY KEY, kind VARCHAR(20) NOT NULL, host VARCHAR(255) NOT NULL,
    pid INTEGER NOT NULL, generation BIGINT NOT NULL, draining INTEGER NOT NULL,
    seen_at DOUBLE PRECISION NOT NULL, code TEXT NOT NULL DEFAULT '{}')
"""


@dataclass(frozen=True, slots=True)
class Process:
    """A process as the others see it.

    Args:
        kind: ``web``, ``worker`` or ``realtime``.
        generation: of the Assembly it serves.
        draining: requests and jobs in it that still run on an older one.
        code: fingerprint of the code it imported, by addon.
    """

    id: str
    kind: str
    host: str
    pid: int
    generation: int
    draining: int
    code: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.kind} {self.pid} on {self.host}"


class Register:
    """The table of living processes, in the runtime database."""

    def __init__(self, database: Any) -> None:
        self._database = database

    def create(self) -> None:
        """Make the table."""
        self._database.execute_sql(_TABLE)
        columns = self._database.get_columns("bodega_process")
        if "code" not in {column.name for column in columns}:
            self._database.execute_sql("DROP TABLE bodega_process")  # Who lives writes it anew.
            self._database.execute_sql(_TABLE)

    def beat(self, process: Process) -> None:
        """Say that a process lives."""
        mark = self._database.param
        self._database.execute_sql(
            "INSERT INTO bodega_process (id, kind, host, pid, generation, draining, code, seen_at) "
            f"VALUES ({', '.join([mark] * 8)}) ON CONFLICT (id) DO UPDATE SET "
            "generation = excluded.generation, draining = excluded.draining, "
            "code = excluded.code, seen_at = excluded.seen_at",
            (process.id, process.kind, process.host, process.pid, process.generation,
             process.draining, json.dumps(dict(process.code)), time.time()),
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
            "SELECT id, kind, host, pid, generation, draining, code FROM bodega_process "
            f"WHERE seen_at > {mark} ORDER BY kind, host, pid",
            (time.time() - SILENCE,),
        )
        found = (
            Process(key, kind, host, pid, generation, draining, json.loads(code))
            for key, kind, host, pid, generation, draining, code in rows.fetchall()
        )
        return [process for process in found if _exists(process.host, process.pid)]


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


def execute_anew() -> NoReturn:
    """Put a new process with the same command line in the place of this one."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def this_process(kind: str, generation: int, code: Mapping[str, str] | None = None) -> Process:
    """Return a description of the process this runs in, under a new id."""
    host, pid = socket.gethostname(), os.getpid()
    return Process(uuid7().hex, kind, host, pid, generation, 0, code or {})
