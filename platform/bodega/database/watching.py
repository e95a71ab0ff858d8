"""Watching what is read: which tables an answer was made of, and how new they were."""

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

_WORDS = re.compile(r"\w+")


class Watch:
    """The statements of one piece of work, and the versions from before the first of them.

    Args:
        versions: of all tables that have one.
    """

    def __init__(self, versions: Mapping[str, int]) -> None:
        self.versions = versions
        self.statements: set[str] = set()

    @property
    def words(self) -> set[str]:
        """The words of all statements: the names of the tables that they read among them."""
        return {word for sql in self.statements for word in _WORDS.findall(sql)}


class WatchedReads:
    """A peewee database whose statements can be watched, each thread's by itself."""

    _watching: threading.local

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._watching = threading.local()
        super().__init__(*args, **kwargs)

    def execute_sql(self, sql: str, params: Any = None, *more: Any) -> Any:
        """Run a statement, and note it if somebody watches."""
        watch = self.watch
        if watch is not None:
            watch.statements.add(sql)
        return super().execute_sql(sql, params, *more)  # type: ignore[misc]

    @property
    def watch(self) -> Watch | None:
        """What watches this thread, if anything does."""
        return getattr(self._watching, "watch", None)

    @contextmanager
    def watched(self, versions: Mapping[str, int]) -> Iterator[Watch]:
        """Watch what this thread does in the block."""
        made = self._watching.watch = Watch(versions)
        try:
            yield made
        finally:
            self._watching.watch = None
