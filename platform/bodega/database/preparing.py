"""Prepared statements on PostgreSQL: reads that come again and again are planned once.

A value has the type that it would have as a literal, so a prepared statement means what the
plain one does. How many rows are wanted is a literal: PostgreSQL would plan for a tenth of them
all, and sort a table for twenty rows of it. Whatever cannot be prepared, or no longer is, as
behind a pooler of connections, is run plainly.
"""

import re
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

import peewee
import psycopg2
from psycopg2 import errors

#: Times that a statement is run plainly; statements of a connection; those that are counted.
_PLAIN, _MOST, _COUNTED = 2, 200, 2000
#: What is planned better when the value is known: of a range whose ends are not, PostgreSQL thinks
#: that it is a two-hundredth of the rows, and collects and sorts all that a page was to be of.
_BY_VALUE = re.compile(r"LIKE|@@|~|<->|FOR UPDATE|BETWEEN|(?<![-<>])[<>]=? %s")
#: Which of a bounded number of rows is a value like others (see ``pagination``).
_MARK = re.compile(r'(LIMIT |(?<!LIMIT %s\) AS "first" LIMIT %s )OFFSET )?%(%|s)')
_TYPES = {str: "unknown", UUID: "uuid", bool: "boolean", int: "integer"}
_LARGEST = 2**31 - 1
#: What a connection says of a statement that it does not know, or that is not what it was.
_GONE = (
    errors.InvalidSqlStatementName, errors.DuplicatePreparedStatement, errors.FeatureNotSupported,
    errors.IndeterminateDatatype, errors.SyntaxError, errors.UndefinedFunction,
    errors.AmbiguousFunction, errors.DatatypeMismatch,
)  # fmt: skip


class PreparedReads:
    """A PostgreSQL database that prepares reads outside of transactions."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._times: Counter[str] = Counter()
        self._statements: WeakKeyDictionary[Any, dict[Any, str]] = WeakKeyDictionary()
        self._unfit: set[str] = set()
        self._pages: dict[str, Page] = {}
        super().__init__(*args, **kwargs)

    def execute_sql(self, sql: str, params: Any = None, *more: Any) -> Any:
        """Run a statement, prepared if that is worth it."""
        if self._is_worth_it(sql, params):
            cursor = self._executed(sql, tuple(params))
            if cursor is not None:
                return cursor
        return super().execute_sql(sql, params, *more)  # type: ignore[misc]

    def _is_worth_it(self, sql: str, params: Any) -> bool:
        if params is None or not sql.startswith("SELECT") or sql in self._unfit:
            return False
        if self.in_transaction() or not all(map(_is_typed, params)):  # type: ignore[attr-defined]
            return False
        times = self._times[sql] = self._times[sql] + 1
        if times == 1 and _BY_VALUE.search(sql):
            self._unfit.add(sql)
        if len(self._times) > _COUNTED:
            self._times.clear()
            self._unfit.clear()
            self._pages.clear()
        return times > _PLAIN

    def _executed(self, sql: str, params: tuple[Any, ...]) -> Any:
        """Return the cursor of a prepared statement; None when it has to be run plainly."""
        cursor = self.cursor()  # type: ignore[attr-defined]
        known = self._statements.setdefault(cursor.connection, {})
        page = self._pages.get(sql)
        if page is None:
            page = self._pages[sql] = page_of(sql)
        if any(params[place] for place in page.offsets):
            # Few ask for the same further page again.
            return None
        literal = tuple(params[place] for place in page.limits)
        if not all(type(number) is int for number in literal):
            return None
        values = tuple(params[place] for place in page.values)
        types = tuple(_TYPES[type(value)] for value in values)
        start = time.perf_counter()
        try:
            call = known.get((sql, types, literal))
            if call is None:
                if len(known) >= _MOST:
                    return None
                call = _prepare(cursor, f"bodega_{len(known)}", sql, types, literal)
                known[sql, types, literal] = call
            cursor.execute(call, values)
        except _GONE:
            self._unfit.add(sql)
            return None
        except psycopg2.OperationalError as error:
            # The server has gone, or the statement took too long: not again.
            raise peewee.OperationalError(*error.args) from error
        except psycopg2.Error:
            # It says so again, and peewee makes of it what it makes of all errors.
            return None
        if self.query_hooks:  # type: ignore[attr-defined]
            # Whoever counts statements counts this one.
            self._notify_hooks(sql, params, start, None)  # type: ignore[attr-defined]
        return cursor


def _is_typed(value: Any) -> bool:
    kind = type(value)
    return kind in _TYPES and (kind is not int or -_LARGEST <= value <= _LARGEST)


@dataclass(frozen=True, slots=True)
class Page:
    """Which of a statement's values say how many rows are wanted, and which are all the others."""

    limits: tuple[int, ...]
    offsets: tuple[int, ...]
    values: tuple[int, ...]


def page_of(sql: str) -> Page:
    """Return the places of a statement's values."""
    before = [found[1] for found in _MARK.finditer(sql) if found[2] == "s"]
    limits, offsets, values = (
        tuple(place for place, word in enumerate(before) if word == wanted)
        for wanted in ("LIMIT ", "OFFSET ", None)
    )
    return Page(limits, offsets, values)


def _prepare(
    cursor: Any, name: str, sql: str, types: tuple[str, ...], limits: tuple[int, ...]
) -> str:
    """Prepare a statement whose offsets are 0; return the one that runs it."""
    places, numbers = iter(range(1, len(types) + 1)), iter(limits)

    def mark(found: re.Match[str]) -> str:
        word = found[1] or ""
        if found[2] == "%":
            return f"{word}%"
        if word:
            return f"{word}{int(next(numbers)) if word == 'LIMIT ' else 0}"
        return f"${next(places)}"

    taken = f"({', '.join(types)})" if types else ""
    # Without values the driver takes a statement as it is.
    text = _MARK.sub(mark, sql) if types or limits else sql
    cursor.execute(f"PREPARE {name}{taken} AS {text}")
    return f"EXECUTE {name}({', '.join(['%s'] * len(types))})" if types else f"EXECUTE {name}"


def prepared(database: peewee.Database) -> list[str]:
    """Return the statements that this thread's connection has prepared."""
    found = database.execute_sql("SELECT statement FROM pg_prepared_statements")
    return [row[0] for row in found.fetchall()]
