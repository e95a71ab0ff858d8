"""Reading the versions of all tables: once for everybody who asked before it began.

Each request that takes an answer or a count again reads them, and most come while others do.
"""

import threading
from collections.abc import Mapping
from typing import Any

#: Added up as what it is stored as: PostgreSQL's sums of it are of another type, and slower.
_TOTAL = {True: "sum(version)::bigint", False: "sum(version)"}


class Versions:
    """The versions of a database's tables: rising numbers, see docs/decisions/0003."""

    def __init__(self, database: Any) -> None:
        self._database = database
        self._sql = (
            f"SELECT name, {_TOTAL[bool(database.for_update)]} FROM bodega_collection GROUP BY name"
        )
        # Whoever reads for several may be interrupted by itself, in tests.
        self._reading = threading.RLock()
        self._begun = self._ended = 0
        self._found: Mapping[str, int] = {}

    def read(self) -> Mapping[str, int]:
        """Return them as they are: table → version, those that were never written left out.

        Whatever was committed before the call is in them. Not inside a transaction, which
        sees others' commits or not.
        """
        # A reading that has begun may have missed what its caller saw; the next one has not.
        enough = self._begun + 1
        with self._reading:
            if self._ended >= enough:
                return self._found
            self._begun = number = self._begun + 1
            found = dict(self._database.execute_sql(self._sql, ()).fetchall())
            if number > self._ended:
                self._found, self._ended = found, number
            return found
