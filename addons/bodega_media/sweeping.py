"""Files and rows that lost each other: finding them, and sweeping up what nobody needs."""

import re
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta

import peewee

from bodega_media.choosing import storage
from bodega_media.models import Image, Making, Stored
from bodega_media.sizes import folder_of, original
from bodega_sdk import folder, locked, now

#: How long what nobody needs is left alone: somebody may be about to.
GRACE = timedelta(hours=1)
_KEY = re.compile(r"(?:objects|sizes)/[0-9a-f]{2}/([0-9a-f]{64})[./]")
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Findings:
    """What a look at storage and tables found.

    Args:
        pictures, files: how many there are.
        lost: keys of pictures whose file is missing.
        unknown: names of files that no row tells of.
        unneeded: files that no picture needs, which the sweeper deletes in time.
    """

    pictures: int
    files: int
    lost: tuple[str, ...]
    unknown: tuple[str, ...]
    unneeded: int


def check() -> Findings:
    """Compare what is in the storage with what is in the tables."""
    # Files first: one that comes meanwhile has its row before.
    names = [*storage().names("objects/"), *storage().names("sizes/")]
    rows = dict(Stored.select(Stored.key, Stored.media).tuples())
    there = set(names)
    lost = tuple(sorted(key for key, media in rows.items() if original(key, media) not in there))
    needed = {row.key for row in Image.select(Image.stored).distinct()}
    unknown = tuple(sorted(name for name in names if _key_of(name) not in rows))
    return Findings(
        Image.select().count(), len(names), tuple(key for key in lost if key in needed), unknown,
        len(rows.keys() - needed),
    )  # fmt: skip


def _key_of(name: str) -> str:
    found = _KEY.match(name)
    return found[1] if found else ""


def delete_unknown(names: tuple[str, ...]) -> None:
    """Delete files that no row tells of."""
    for name in names:
        storage().delete(name)


def sweep(transaction: Callable[[], AbstractContextManager[None]]) -> int:
    """Delete files that no picture needs; return how many pictures' files they were."""
    _sweep_incoming()
    swept = 0
    for key in _unneeded():
        with transaction():
            swept += _forget(key)
    with transaction():
        Making.delete().where(Making.until < now()).execute()
    return swept


def _unneeded() -> list[str]:
    used = Image.select(peewee.SQL("1")).where(Image.stored == Stored.key)
    old = Stored.touched_at < now() - GRACE
    query = Stored.select(Stored.key).where(old, ~peewee.fn.EXISTS(used))
    return [row.key for row in query.limit(_CHUNK)]


def _forget(key: str) -> bool:
    """Delete a file and its sizes, unless somebody needs it by now."""
    query = Stored.select().where(Stored.key == key)
    # Whoever begins to need it touches its row first, and waits for us there.
    row = locked(query, gone=True).first()
    if row is None or row.touched_at >= now() - GRACE:
        return False
    if Image.select().where(Image.stored == key).exists():
        return False
    where = storage()
    where.delete(original(key, row.media))
    for name in list(where.names(folder_of(key))):
        where.delete(name)
    row.delete_instance()
    return True


def _sweep_incoming() -> None:
    """Delete what uploads left that were broken off with their process."""
    place, oldest = folder("media") / "incoming", time.time() - GRACE.total_seconds()
    for path in place.glob("*.part"):
        if path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)
