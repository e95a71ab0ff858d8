"""Receiving a file: as a part of a form, or as the whole body, never in memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import falcon
from falcon.media import MultipartFormHandler

from bodega_sdk import Request, folder, setting, uuid7
from bodega_sdk.errors import BadRequest, FieldError, TooLarge, UnsupportedMedia

_PIECE = 256 * 1024
# What a file is, is told by its bytes: these are not compared with them.
_RAW = (
    "text/csv", "text/tab-separated-values", "text/plain", "application/octet-stream",
    "application/json", "application/jsonl", "application/x-ndjson",
    "application/gzip", "application/x-gzip", "application/zip",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
)  # fmt: skip


@contextmanager
def received(request: Request) -> Iterator[tuple[str, int, Path]]:
    """Receive the file of a request; yield its name, its bytes, and where it is.

    Whoever wants to keep it moves it away inside the block.

    Raises:
        BadRequest: there is no file, it is empty, or the request ended before its end.
        TooLarge: it is larger than the setting ``imports.largest_mb``.
        UnsupportedMedia: the request is neither a form nor a file of products.
    """
    path = folder("imports") / f"{uuid7().hex}.part"
    try:
        name, size = _receive(request, path)
        if not size:
            raise _wrong("The file is empty.", name)
        yield name, size, path
    finally:
        path.unlink(missing_ok=True)


def _receive(request: Request, path: Path) -> tuple[str, int]:
    stream = _Counted(request.stream)
    media = (request.raw.content_type or "").partition(";")[0].strip().lower()
    if media == "multipart/form-data":
        name, size = _from_form(request.raw, stream, path)
    elif media in _RAW:
        name, size = file_name(request.raw.get_header("X-Filename")), _copy(stream, path)
    else:
        raise UnsupportedMedia(
            "Send the file as 'multipart/form-data' in a part named 'file', or as 'text/csv'; "
            f"known are {', '.join(_RAW)}.",
            [
                FieldError(
                    "Content-Type", "Expected multipart/form-data or text/csv.", media or None
                )
            ],
        )
    if stream.read_bytes < (request.raw.content_length or 0):
        raise _wrong("The request ended before the length that it announced.", name)
    return name, size


class _Counted:
    """A stream that knows how many bytes were read from it."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.read_bytes = 0

    def read(self, size: int = -1) -> bytes:
        piece: bytes = self._stream.read(size)
        self.read_bytes += len(piece)
        return piece


def file_name(given: str | None) -> str:
    """Return a file's name to show; it never becomes a path."""
    storable = (given or "").encode(errors="replace").decode().replace("\0", "")
    name = Path(storable.replace("\\", "/")).name.strip()
    return name[:255] or "upload.csv"


def _from_form(req: falcon.Request, stream: Any, path: Path) -> tuple[str, int]:
    """Store the part named ``file``; read the form to its end, to know that it has one."""
    found: tuple[str, int] | None = None
    if req.content_length == 0:
        raise _wrong("The form is empty.", None)
    try:
        # Without a length the body comes in chunks, and its end is where they end.
        length = 2**62 if req.content_length is None else req.content_length
        form: Any = MultipartFormHandler().deserialize(stream, req.content_type, length)
        for part in form:
            if part.name == "file" and part.filename and found is None:
                found = file_name(part.filename), _copy(part.stream, path)
    except (falcon.HTTPError, ValueError, LookupError) as error:
        told = getattr(error, "description", None) or "it cannot be read"
        raise _wrong(f"The form is malformed: {told}.", None) from None
    if found is None:
        raise _wrong("Expected a form with a file in the part 'file'.", None)
    return found


def _wrong(message: str, found: str | None) -> BadRequest:
    return BadRequest(f"'file': {message}", [FieldError("file", message, found)])


def _copy(stream: Any, path: Path) -> int:
    largest = setting("imports.largest_mb") * 1_000_000
    size = 0
    with path.open("wb") as file:
        while piece := stream.read(_PIECE):
            size += len(piece)
            if size > largest:
                message = f"The file has more than {largest // 1_000_000} MB."
                raise TooLarge(message, [FieldError("file", message)])
            file.write(piece)
    return size
