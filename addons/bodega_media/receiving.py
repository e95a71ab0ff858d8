"""Receiving a file: as a part of a form, or as the whole body, never in memory."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import falcon
from falcon.media import MultipartFormHandler

from bodega_media.storage import incoming
from bodega_sdk import Parameter, Request, setting
from bodega_sdk.errors import BadRequest, FieldError, TooLarge

_PIECE = 256 * 1024
#: Bytes of a part that is no file.
_LONGEST = 4_100


@contextmanager
def received(request: Request, known: Iterable[Parameter]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Receive the file of a request into a temporary one, whatever its name and type say.

    Args:
        known: what a form may say besides, in parts of its own.

    Yields:
        Where the file is, and what the form says.

    Raises:
        BadRequest: there is no file, it is empty, or the request ended before its end.
        TooLarge: it is larger than the setting ``media.largest_mb``.
    """
    path, told = incoming(), dict[str, Any]()
    try:
        media = (request.raw.content_type or "").partition(";")[0].strip().lower()
        if media == "multipart/form-data":
            size, told = _from_form(request, path, {item.name: item for item in known})
        else:
            size = _copy(request.stream, path)
        if not size:
            raise _wrong("The file is empty.")
        yield path, told
    finally:
        path.unlink(missing_ok=True)


def _from_form(
    request: Request, path: Path, known: Mapping[str, Parameter]
) -> tuple[int, dict[str, Any]]:
    """Store the part named ``file``; read the form to its end, to know that it has one."""
    raw = request.raw
    # Without a length the body comes in chunks, and its end is where they end.
    length = 2**62 if raw.content_length is None else raw.content_length
    if length == 0:
        raise _wrong("The form is empty.")
    size, told = -1, {}
    try:
        form: Any = MultipartFormHandler().deserialize(request.stream, raw.content_type, length)
        for part in form:
            if part.name != "file":
                told[part.name] = _told(part, known)
            elif size < 0:
                size = _copy(part.stream, path)
    except (falcon.HTTPError, ValueError, LookupError) as error:
        said = getattr(error, "description", None) or "it cannot be read"
        raise _wrong(f"The form is malformed: {said}.") from None
    if size < 0:
        raise _wrong("Expected a form with a file in the part 'file'.")
    return size, told


def _told(part: Any, known: Mapping[str, Parameter]) -> Any:
    if part.name not in known:
        message = f"Unknown part; a form has 'file' and may have: {', '.join(known)}."
        raise BadRequest(f"'{part.name}': {message}", [FieldError(str(part.name), message)])
    return known[part.name].parse(part.stream.read(_LONGEST).decode())


def _copy(stream: Any, path: Path) -> int:
    largest = setting("media.largest_mb") * 1_000_000
    size = 0
    with path.open("wb") as file:
        while piece := stream.read(_PIECE):
            size += len(piece)
            if size > largest:
                message = f"The file has more than {largest // 1_000_000} MB."
                raise TooLarge(message, [FieldError("file", message)])
            file.write(piece)
    return size


def _wrong(message: str) -> BadRequest:
    return BadRequest(f"'file': {message}", [FieldError("file", message)])
