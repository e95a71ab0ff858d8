"""Uploads that are sent in pieces: how much is there, the file says.

Only whole, good bytes are ever in an upload's file, so that its size is the offset: when a
connection, a process or the machine dies, nothing has to be brought in line with anything.
A lock of the operating system on the file keeps two requests, in whichever processes, from
writing at once; it goes with whoever holds it, however that ends.
"""

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

from bodega_imports.upload_models import Upload
from bodega_imports.upload_problems import (
    ChecksumMismatch,
    UploadGone,
    UploadLocked,
    beyond_length,
    too_many,
)
from bodega_sdk import folder, now, setting, uuid7
from bodega_sdk.errors import BadRequest

_PIECE = 64 * 1024
#: Seconds that a request waits for another one of the same upload.
PATIENCE = 1.0


def path_of(upload_id: UUID) -> Path:
    """Return where the bytes of an unfinished upload are."""
    return folder("imports") / f"{upload_id}.upload"


def offset_of(upload: Upload) -> int:
    """Return how many bytes of an upload are there."""
    if upload.finished_at is not None:
        return int(upload.length)
    try:
        return path_of(upload.id).stat().st_size
    except FileNotFoundError:
        if _is_finished(upload):
            return int(upload.length)
        raise UploadGone() from None


def _is_finished(upload: Upload) -> bool:
    """Whether an upload was finished since it was read."""
    found = Upload.find(upload.id)
    return found is not None and found.finished_at is not None


def create(account: UUID, length: int, metadata: str) -> Upload:
    """Begin an upload.

    Raises:
        TooManyRequests: the account has begun as many as it may without finishing them.
    """
    unfinished = Upload.select(Upload.id).where(
        Upload.account == account, Upload.finished_at.is_null(), Upload.expires_at > now()
    )
    most = setting("imports.unfinished_uploads")
    found = [str(one.id) for one in unfinished.order_by(Upload.id).limit(most)]
    if len(found) == most:
        raise too_many(found)
    upload_id = uuid7()
    path_of(upload_id).touch(exist_ok=False)
    try:
        made: Upload = Upload.create(
            id=upload_id, account=account, length=length, metadata=metadata, expires_at=_expiry()
        )
    except BaseException:
        path_of(upload_id).unlink(missing_ok=True)
        raise
    return made


def _expiry() -> datetime:
    return now() + timedelta(hours=setting("imports.upload_hours"))


def prolong(upload: Upload) -> None:
    """Let an upload that is gone on with live on, once half of its time is over."""
    whole = timedelta(hours=setting("imports.upload_hours"))
    if upload.finished_at is None and upload.expires_at - now() < whole / 2:
        upload.expires_at = _expiry()
        Upload.update(expires_at=upload.expires_at).where(Upload.id == upload.id).execute()


@contextmanager
def held(upload: Upload, patience: float = PATIENCE) -> Iterator[BinaryIO]:
    """Hold an upload's file for writing; nobody else does meanwhile.

    Raises:
        UploadLocked: somebody else holds it, and went on to, or has just finished it.
        UploadGone: it is deleted or expired.
    """
    try:
        file = path_of(upload.id).open("r+b", buffering=0)
    except FileNotFoundError:
        raise (UploadLocked() if _is_finished(upload) else UploadGone()) from None
    with file:
        _lock(file, patience)
        yield file


def _lock(file: Any, patience: float) -> None:
    end = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                raise UploadLocked() from None
            time.sleep(0.02)
        else:
            return


def append(file: BinaryIO, stream: Any, room: int) -> None:
    """Write what comes to the end of a file; what came before it broke off stays.

    Args:
        room: bytes that may come.

    Raises:
        BadRequest: it broke off.
        TooLarge: more came; nothing of it stays.
    """
    before = left = file.seek(0, os.SEEK_END)
    end = before + room
    try:
        while piece := stream.read(_PIECE):
            left += len(piece)
            if left > end:
                file.truncate(before)
                raise beyond_length(room)
            _write(file, piece)
    except BadRequest:
        _write(file, stream.rest[: end - left])
        raise


def _write(file: BinaryIO, piece: bytes) -> None:
    """Write all of a piece: a file without a buffer may take a part of it."""
    view = memoryview(piece)
    while view:
        view = view[file.write(view) :]


def append_checked(
    file: BinaryIO, stream: Any, room: int, upload: Upload, digest: Any, expected: bytes
) -> None:
    """Write what comes to the end of a file once all of it is there and has the checksum.

    Raises:
        BadRequest, TooLarge: as :func:`append`, but nothing stays.
        ChecksumMismatch: it has another one; nothing stays.
    """
    aside = path_of(upload.id).with_suffix(".piece")
    try:
        with aside.open("w+b", buffering=0) as piece:
            append(piece, _Digesting(stream, digest), room)
            if digest.digest() != expected:
                raise ChecksumMismatch(digest.name)
            piece.seek(0)
            file.seek(0, os.SEEK_END)
            # Should it stop halfway, then what is there is good all the same.
            append(file, piece, room)
    finally:
        aside.unlink(missing_ok=True)


class _Digesting:
    """A stream whose bytes a digest sees."""

    rest = b""

    def __init__(self, stream: Any, digest: Any) -> None:
        self._stream = stream
        self._digest = digest

    def read(self, size: int) -> bytes:
        piece: bytes = self._stream.read(size)
        self._digest.update(piece)
        return piece


def put(source: Path, target: Path) -> None:
    """Let a file be at another path as well, so that it is not lost when the rest fails."""
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:  # A file system without hard links.
        shutil.copyfile(source, target)


def finish(upload: Upload) -> None:
    """Write down that an upload's import has begun; in the transaction that begins it."""
    upload.finished_at = now()
    Upload.update(finished_at=upload.finished_at).where(Upload.id == upload.id).execute()


def delete(upload: Upload) -> None:
    """Forget an upload; a finished one's import goes on."""
    Upload.delete().where(Upload.id == upload.id).execute()
    path_of(upload.id).unlink(missing_ok=True)


def delete_expired(kept_days: int) -> None:
    """Delete the files of uploads that were not finished in time.

    Args:
        kept_days: for which it is still known that they were there.
    """
    overdue = Upload.select().where(Upload.finished_at.is_null(), Upload.expires_at <= now())
    for upload in overdue:
        # Whoever holds one is still sending, and prolongs it.
        with suppress(UploadGone, UploadLocked), held(upload, patience=0.0):
            path_of(upload.id).unlink(missing_ok=True)
    gone = now() - timedelta(days=kept_days)
    Upload.delete().where(Upload.expires_at <= gone).execute()
