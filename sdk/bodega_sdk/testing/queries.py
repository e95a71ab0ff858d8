"""How many statements a piece of code costs."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bodega_sdk.models import database

_CONTROL = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "PRAGMA", "SET ")


class Queries(list[str]):
    """The statements, in order."""

    def __repr__(self) -> str:
        lines = "".join(f"\n    {statement}" for statement in self)
        return f"<{len(self)} queries{lines}>"


@contextmanager
def query_counter() -> Iterator[Queries]:
    """Collect what this thread executes in the block, but for BEGIN, COMMIT and the like.

    Example::

        with query_counter() as queries:
            client.get("/api/v1/loyalty/entries")
        assert len(queries) <= 4, queries
    """
    thread, found = threading.get_ident(), Queries()

    def note(event: Any) -> None:
        if threading.get_ident() == thread and not event.sql.upper().startswith(_CONTROL):
            found.append(" ".join(event.sql.split()))

    hooks = database.obj.query_hooks
    hooks.append(note)
    try:
        yield found
    finally:
        hooks.remove(note)
