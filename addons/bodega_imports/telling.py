"""Tells how far an import is while one long transaction writes it, which nobody can read yet."""

import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from uuid import UUID

from bodega_imports import events
from bodega_imports.models import Import
from bodega_sdk import database, now, transaction

#: Seconds between two notes of how far an import is.
PAUSE = 0.2


class Beside:
    """Tells it in transactions of a thread of its own; make it before the long one is opened.

    SQLite has one writer: nothing is told there.
    """

    def __init__(self, import_id: UUID) -> None:
        self._import_id = import_id
        self._context = copy_context()
        self._told = time.monotonic()
        self._telling: Future[None] | None = None
        self._thread = ThreadPoolExecutor(1, "imports") if database.obj.for_update else None

    def tell(self, processed: int) -> None:
        """Say how many rows are processed, unless it has just been said."""
        if self._thread is None or time.monotonic() < self._told + PAUSE:
            return
        if self._telling is not None:
            if not self._telling.done():
                return
            self._telling.result()
        self._told = time.monotonic()
        self._telling = self._thread.submit(self._context.run, self._tell, processed)

    def close(self) -> None:
        """Wait until all of it is told: what is said next is said behind it."""
        if self._thread is not None:
            self._thread.submit(database.obj.close)
            self._thread.shutdown()
            self._thread = None

    def _tell(self, processed: int) -> None:
        with transaction():
            run = Import.get_by_id(self._import_id)
            # Whoever goes on where another died begins again.
            if processed > run.processed_rows:
                run.processed_rows, run.updated_at = processed, now()
                run.save(only=[Import.processed_rows, Import.updated_at])
                events.publish(events.import_progressed, run)
