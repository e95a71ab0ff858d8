"""Checking the audit log: every entry in its place, and none missing at the end.

==============  ==================================================================
fault           what was found
==============  ==================================================================
edited          an entry does not fit its hash: a column was changed, or whoever
                wrote it had not the shop's secret key
reordered       it was written for another place
missing         the place is empty
tail cut        the entries behind it are gone, or were replaced by others
head forged     the head names another last entry than there is
rows outside    there are rows whose place cannot be one
head unreadable the file of the head holds no head
==============  ==================================================================
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bodega.database.connection import is_postgres
from bodega.errors import OperatorError
from bodega.security.audit import TABLE, AuditLog
from bodega.security.audit_entries import sealed
from bodega.security.audit_head import NOTHING, Head

_BATCH = 1000
#: Places that are tried for an entry that stands in a wrong one.
_TRIED = 100_000
_OTHER_KEY = "; of the first entry it may also be that BODEGA_SECRET_KEY is another one"


@dataclass(frozen=True, slots=True)
class Broken:
    """Where and how the log is broken.

    Args:
        seq: the first place that is.
        fault: see the table above.
        reason: in words.
    """

    seq: int
    fault: str
    reason: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check found.

    Args:
        entries: that were checked and are good.
        head: the last of them.
        held_against: what the head was compared with, besides the database.
    """

    entries: int
    head: Head
    held_against: tuple[str, ...]
    broken: Broken | None = None


class _Stop(Exception):
    """Carries what is broken out of the walk."""

    def __init__(self, seq: int, fault: str, reason: str) -> None:
        super().__init__(reason)
        self.broken = Broken(seq, fault, reason)


def verify(log: AuditLog, kept: Head | None = None) -> Verdict:
    """Check every entry; entries that are appended meanwhile are left for the next time.

    Args:
        kept: a head that was kept elsewhere.
    """
    anchors: dict[str, Head] = {"the head that was kept": kept} if kept is not None else {}
    walk = _Walk(log.key, anchors)
    try:
        # The file first: what it says is in the database by then.
        if (found := _file(log)) is not None:
            anchors[log.file.path.name] = found
        ends = _Ends.of(log.database)
        walk.last = ends.last
        for row in _rows(log.database, ends.last):
            walk.take(row)
        walk.end(ends)
    except _Stop as stop:
        return Verdict(walk.head.seq, walk.head, tuple(anchors), stop.broken)
    return Verdict(walk.head.seq, walk.head, tuple(anchors))


def glance(log: AuditLog) -> Head:
    """Check the last entry and the heads only; return the head.

    Raises:
        OperatorError: something is broken.
    """
    try:
        found, ends = _file(log), _Ends.of(log.database, count=False)
        walk = _Walk(log.key, {log.file.path.name: found} if found else {})
        if ends.last:
            (row,) = _rows(log.database, ends.last, ends.last - 1)
            walk.begin_at(row)
        if found and 0 < found.seq <= ends.last and log.hash_of(found.seq) != found.hash:
            raise _replaced(found.seq, log.file.path.name)
        walk.end(ends)
    except _Stop as stop:
        broken = stop.broken
        raise OperatorError(
            f"the audit log is broken at entry {broken.seq}: {broken.reason}; "
            "run 'bodega audit verify'"
        ) from None
    return walk.head


def is_ours(log: AuditLog) -> bool:
    """Whether the last entry, if there is one, was sealed with this shop's secret key."""
    last = log.last()
    if last is None:
        return True
    (row,) = _rows(log.database, last.seq, last.seq - 1)
    digest: str = row[3]
    return sealed(log.key, *row[:3]) == digest


def _file(log: AuditLog) -> Head | None:
    try:
        return log.file.read()
    except OperatorError as error:
        raise _Stop(0, "head unreadable", str(error)) from None


def _replaced(seq: int, where: str) -> _Stop:
    return _Stop(
        seq, "tail cut",
        f"it is not the entry that {where} names: the log was cut off before it and went on",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Ends:
    """What the database says of the log's end, in one instant."""

    head: Head | None
    last: int
    count: int | None

    @classmethod
    def of(cls, database: Any, *, count: bool = True) -> "_Ends":
        counting = f"(SELECT count(*) FROM {TABLE})" if count else "NULL"
        seq, digest, last, rows = database.execute_sql(
            f"SELECT (SELECT seq FROM {TABLE}_head WHERE id = 1), "
            f"(SELECT hash FROM {TABLE}_head WHERE id = 1), "
            f"(SELECT max(seq) FROM {TABLE}), {counting}"
        ).fetchone()
        if not isinstance(last, int | None) or not isinstance(seq, int | None):
            raise _Stop(0, "rows outside", "there is a row whose place is no number")
        return cls(None if seq is None else Head(seq, digest), last or 0, rows)


def _rows(database: Any, last: int, behind: int = 0) -> Iterator[tuple[Any, ...]]:
    """Yield (seq, columns, previous, hash), in order, up to the last."""
    at, mark = "at", database.param
    if is_postgres(database):
        # As it was written, also of instants that no datetime can hold.
        at = "to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
    query = (
        f"SELECT seq, {at}, actor, action, target, address, request_id, details, previous, hash "
        f"FROM {TABLE} WHERE seq > {mark} AND seq <= {mark} ORDER BY seq LIMIT {_BATCH}"
    )
    while batch := database.execute_sql(query, (behind, last)).fetchall():
        for row in batch:
            yield row[0], row[1:8], row[8], row[9]
        behind = batch[-1][0]


class _Walk:
    """Goes from entry to entry and stops at the first that is wrong."""

    def __init__(self, key: bytes, anchors: Mapping[str, Head]) -> None:
        self._key, self._anchors = key, anchors
        self.head, self.last = NOTHING, 0

    def take(self, row: tuple[Any, ...]) -> None:
        """Check the next entry."""
        seq, columns, previous, digest = row
        expected = self.head.seq + 1
        if seq != expected:
            missing = f"entry {expected} is" if seq == expected + 1 else (
                f"entries {expected} to {seq - 1} are"
            )  # fmt: skip
            raise _Stop(expected, "missing", f"{missing} missing")
        if sealed(self._key, seq, columns, previous) != digest:
            raise self._unsealed(row)
        if previous != self.head.hash:
            raise _Stop(seq, "reordered", "it does not follow the entry before it")
        self.head = Head(seq, digest)
        for where, anchor in self._anchors.items():
            if anchor.seq == seq and anchor.hash != digest:
                raise _replaced(seq, where)

    def begin_at(self, row: tuple[Any, ...]) -> None:
        """Check one entry by itself."""
        self.head = Head(row[0] - 1, row[2])
        self.take(row)

    def _unsealed(self, row: tuple[Any, ...]) -> _Stop:
        seq, columns, previous, digest = row
        # Of entries that changed places, the first to be met belongs further behind.
        for place in range(seq + 1, min(self.last, seq + _TRIED) + 1):
            if sealed(self._key, place, columns, previous) == digest:
                return _Stop(seq, "reordered", f"it was written as entry {place}")
        reason = "it was edited, or was not written with this shop's secret key"
        return _Stop(seq, "edited", reason + (_OTHER_KEY if seq == 1 else ""))

    def end(self, ends: _Ends) -> None:
        """Check that there is nothing missing behind the last entry."""
        there = self.head.seq
        named = {"the database's head": ends.head or NOTHING} | dict(self._anchors)
        for where, head in named.items():
            if head.seq > there:
                reason = f"the log ends with entry {there}, and {where} names entry {head.seq}"
                raise _Stop(there + 1, "tail cut", reason)
        if ends.head is None:
            raise _Stop(there, "head forged", "the database has no head of the log any more")
        if ends.head != self.head:
            reason = f"the database's head is {ends.head}, and the last entry is {self.head}"
            raise _Stop(min(there, ends.head.seq), "head forged", reason)
        if ends.count not in (None, there):
            reason = f"{(ends.count or 0) - there} rows have a place that none can have"
            raise _Stop(0, "rows outside", reason)
