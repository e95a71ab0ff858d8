"""Fetching the file of an import from an address, by the worker.

What was fetched when a worker died is gone on with, where the other server can do that; a
file that is whole is not fetched again. Nothing but public addresses is asked, whatever a
name or a redirect leads to, see :mod:`bodega_sdk.outgoing`.
"""

import re
import time
from http import HTTPStatus
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote, urlsplit

from bodega_imports import events
from bodega_imports.importing import file_of
from bodega_imports.models import Import
from bodega_imports.upload import file_name
from bodega_sdk import Fetched, JobRun, fetch, now, seal, setting, unseal
from bodega_sdk.errors import CapabilityError, FetchFailed, PermanentFailure, invalid

PURPOSE = "imports urls"
#: Characters of an address.
LONGEST_URL = 2000
# Seconds between two times that is said how much is there, and that the job is still ours.
_TELLING = 0.5
# Statuses of servers that may answer otherwise in a while, or when asked for all of it.
_PASSING = (408, 416, 425, 429, 500, 502, 503, 504)
# An ETag by which a part can be asked for (RFC 9110 §8.8.3).
_STRONG = re.compile(r'"[!#-~]{1,200}"')
_REMEDIES = {
    401: "the address must open without logging in",
    403: "the address must open without logging in",
    404: "check the address",
    410: "check the address",
}


def checked_url(url: str) -> str:
    """Return an address that a file may be fetched from.

    Raises:
        InvalidInput: it is none; which hosts are asked is decided when they are.
    """
    try:
        parts = urlsplit(url.strip())
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    # What a URL cannot hold would be cut off, or read otherwise, on its way.
    if not usable or any(sign <= " " or sign == "\x7f" for sign in url.strip()):
        raise invalid("url", "Expected an address such as 'https://example.com/products.csv'.", url)
    if parts.username is not None or parts.password is not None:
        told = "Names and passwords do not belong into it; use an address that holds a token."
        raise invalid("url", told, shown_url(url))
    return url.strip()


def shown_url(url: str) -> str:
    """Return an address without what may be secret in it: its user and its query."""
    parts = urlsplit(url)
    query = "?…" if parts.query else ""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}{query}"[:500]


def name_in(url: str) -> str:
    """Return the name of the file that an address leads to, to be shown."""
    return file_name(unquote(urlsplit(url).path.rpartition("/")[2]))


def sealed_url(url: str) -> str:
    """Return an address as it is kept until it is fetched."""
    return seal(PURPOSE, url)


def fetch_file(job: JobRun, sealed: str, *, last: bool) -> None:
    """Fetch the file of the import that has the job's id, unless it is there already.

    Args:
        last: whether it is not tried again.

    Raises:
        PermanentFailure: it cannot be fetched; the import says why.
        FetchFailed: it could not be fetched this time.
    """
    if file_of(job.id).exists():
        return
    try:
        _Fetching(job, unseal(PURPOSE, sealed)).go()
    except (CapabilityError, PermanentFailure, ValueError) as error:
        _fail(job, _told(error))
    except FetchFailed as error:
        if last:
            _fail(job, f"{error}; it was tried {job.attempt} times.")
        raise


def _told(error: Exception) -> str:
    if isinstance(error, CapabilityError):
        # Not which addresses a name has in here.
        return (
            f"The shop may not ask {error.name}: files are fetched from public addresses that an "
            "operator has approved, or has named in the setting imports.allow_hosts."
        )
    return str(error)


def _fail(job: JobRun, message: str) -> None:
    run = Import.get_by_id(job.id)
    part_of(job.id).unlink(missing_ok=True)
    with job.transaction():
        run.status, run.message, run.finished_at = "failed", message, now()
        run.save()
        events.publish(events.import_failed, run)
    raise PermanentFailure(message)


def part_of(import_id: object) -> Path:
    """Return where what is fetched is until all of it is there."""
    return file_of(import_id).with_suffix(".fetched")


class _Fetching:
    """One go at one file."""

    def __init__(self, job: JobRun, url: str) -> None:
        self._job = job
        self._url = url
        self._part = part_of(job.id)
        self._file: _Telling | None = None

    def go(self) -> None:
        """Fetch the file and put it where the import looks for it."""
        with self._job.transaction():
            Import.update(status="running", phase="fetching").where(
                Import.id == self._job.id
            ).execute()
        try:
            answer = fetch(
                self._url, headers=self._wanted(), timeout=setting("imports.fetch_minutes") * 60,
                # The file that it is written to says more exactly when it is enough.
                largest=2 * _largest(), into=self._open, private=_private(),
            )  # fmt: skip
        finally:
            if self._file is not None:
                self._file.close()
        self._check(answer)
        self._keep()

    def _there(self) -> int:
        """Return how many bytes an earlier go left that can be gone on with."""
        if "etag" not in self._job.checkpoint:
            return 0
        return self._part.stat().st_size if self._part.exists() else 0

    def _wanted(self) -> dict[str, str]:
        # The file itself, not what a server packs it into on the way.
        wanted = {"accept-encoding": "identity", "accept": "*/*"}
        if there := self._there():
            wanted |= {"range": f"bytes={there}-", "if-range": self._job.checkpoint["etag"]}
        return wanted

    def _open(self, answer: Fetched) -> BinaryIO:
        """Return the file to write an answer to: to its end, or anew."""
        goes_on = answer.status == 206 and answer.headers.get("content-range", "").startswith(
            f"bytes {self._there()}-"
        )
        if answer.status == 206 and not goes_on:
            raise FetchFailed("another part was answered than was asked for")
        file = self._part.open("ab" if goes_on else "wb", buffering=0)
        telling = self._file = _Telling(self._job, file, answer)
        telling.refuse_announced()
        self._remember(answer)
        found: Any = telling
        return found  # type: ignore[no-any-return]

    def _remember(self, answer: Fetched) -> None:
        """Write down what to go on with, should this worker die."""
        tag = answer.headers.get("etag", "")
        kept = {"etag": tag} if _STRONG.fullmatch(tag) else {}
        with self._job.transaction():
            self._job.save(kept)

    def _check(self, answer: Fetched) -> None:
        if 200 <= answer.status < 300:
            return
        self._part.unlink(missing_ok=True)
        told = f"{shown_url(self._url)} answered {answer.status} {_phrase(answer.status)}".strip()
        if answer.status in _PASSING:
            raise FetchFailed(told)
        remedy = _REMEDIES.get(answer.status, "open the address to see what it leads to")
        raise PermanentFailure(f"{told}: {remedy}.")

    def _keep(self) -> None:
        size = self._part.stat().st_size
        if not size:
            raise PermanentFailure(f"{shown_url(self._url)} answered an empty file.")
        with self._job.transaction():
            Import.update(size=size, ready_at=now()).where(Import.id == self._job.id).execute()
            # Rows are counted next, from nothing, and not with the bytes of the file.
            self._job.save({}, done=0)
        self._part.rename(file_of(self._job.id))


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _largest() -> int:
    return int(setting("imports.largest_mb")) * 1_000_000


def _private() -> tuple[str, ...]:
    told: str = setting("imports.allow_hosts")
    return tuple(item.strip().lower() for item in told.split(",") if item.strip())


class _Telling:
    """A file that says now and then how much of it is there.

    Whoever no longer owns the job is told so then, and stops.

    Raises:
        PermanentFailure: the file is larger than files may be.
    """

    def __init__(self, job: JobRun, file: Any, answer: Fetched) -> None:
        self._job = job
        self._file = file
        self._size = file.tell()
        length = answer.headers.get("content-length", "")
        known = length.isdecimal() and len(length) < 16
        self._whole = self._size + int(length) if known else None
        self._largest = _largest()
        self._next = time.monotonic() + _TELLING

    def refuse_announced(self) -> None:
        """Refuse a file that is said to be too large before any of it is read."""
        self._refuse_large(self._whole or 0)

    def write(self, piece: bytes) -> None:
        """Write a piece, all of it."""
        self._refuse_large(self._size + len(piece))
        view = memoryview(piece)
        while view:
            view = view[self._file.write(view) :]
        self._size += len(piece)
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _TELLING
            with self._job.transaction():
                Import.update(size=self._size).where(Import.id == self._job.id).execute()
                self._job.save(done=self._size, total=self._whole)

    def _refuse_large(self, size: int) -> None:
        if size > self._largest:
            raise PermanentFailure(
                f"The file has more than {self._largest // 1_000_000} MB, which is the setting "
                "imports.largest_mb."
            )

    def close(self) -> None:
        """Close the file."""
        self._file.close()
