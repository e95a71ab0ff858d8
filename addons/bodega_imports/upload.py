"""Receiving a file: as a part of a form, or as the whole body, never in memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import falcon

from bodega_sdk import folder, setting, uuid7
from bodega_sdk.errors import BadRequest, FieldError, TooLarge, UnsupportedMedia

_PIECE = 256 * 1024
_RAW = ("text/csv", "text/tab-separated-values", "application/octet-stream")


@contextmanager
def received(req: falcon.Request) -> Iterator[tuple[str, int, Path]]:
    """Receive the file of a request; yield its name, its bytes, and where it is.

    Whoever wants to keep it moves it away inside the block.

    Raises:
        BadRequest: there is no file, or it is empty.
        TooLarge: it is larger than the setting ``imports.largest_mb``.
        UnsupportedMedia: the request is neither a form nor a CSV file.
    """
    path = folder("imports") / f"{uuid7().hex}.part"
    try:
        name, size = _receive(req, path)
        if not size:
            raise _wrong("The file is empty.", name)
        yield name, size, path
    finally:
        path.unlink(missing_ok=True)


def _receive(req: falcon.Request, path: Path) -> tuple[str, int]:
    media = (req.content_type or "").partition(";")[0].strip().lower()
    if media == "multipart/form-data":
        return _from_form(req, path)
    if media in _RAW:
        name = req.get_header("X-Filename") or "upload.csv"
        return Path(name).name.replace("\0", ""), _copy(req.bounded_stream, path)
    raise UnsupportedMedia(
        "Send the file as 'multipart/form-data' in a part named 'file', or as 'text/csv'.",
        [FieldError("Content-Type", "Expected multipart/form-data or text/csv.", media or None)],
    )


def _from_form(req: falcon.Request, path: Path) -> tuple[str, int]:
    form: Any = req.get_media()
    for part in form:
        if part.name == "file" and part.filename:
            name = Path(part.filename).name.replace("\0", "") or "upload.csv"
            return name, _copy(part.stream, path)
    raise _wrong("Expected a form with a file in the part 'file'.", None)


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
