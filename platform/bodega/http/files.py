"""Files as answers: sent piece by piece, and resumable where they have an ETag (RFC 9110 §14)."""

import re
from collections.abc import Iterator
from pathlib import Path

import falcon

from bodega_sdk.errors import BadRange, FieldError, NotFound, PreconditionFailed
from bodega_sdk.http import Reply

_PIECE = 256 * 1024
#: One range; of several, the whole file is sent, as it is of what cannot be read.
_RANGE = re.compile(r"bytes=\s*([0-9]{0,18})\s*-\s*([0-9]{0,18})\s*", re.IGNORECASE)


class Piece:
    """Some bytes of a file, as the server asks for them; none stay in memory."""

    def __init__(self, path: Path, start: int, length: int) -> None:
        self._left = length
        self._file = path.open("rb", buffering=0)
        self._file.seek(start)

    def __iter__(self) -> Iterator[bytes]:
        while self._left and (found := self._file.read(min(_PIECE, self._left))):
            self._left -= len(found)
            yield found

    def close(self) -> None:
        """Close the file; called by the server once it was sent, or the client went away."""
        self._file.close()


def give(req: falcon.Request, resp: falcon.Response, reply: Reply) -> None:
    """Answer with a file, or with the range of it that is asked for.

    Raises:
        BadRange: it has no such bytes.
        NotFound: there is no file.
        PreconditionFailed: ``If-Match`` names other bytes.
    """
    path, tag = reply.file, reply.headers.get("ETag", "")
    if path is None or not path.is_file():
        raise NotFound("The file is not there any more.")
    resp.content_type = reply.media
    if "Cache-Control" not in reply.headers:
        resp.set_header("Cache-Control", "private, no-cache")
    if _has_it(req, tag):
        resp.status = 304
        del resp.content_type
        return
    size = path.stat().st_size
    start, end = (_asked(req, tag, size) if tag else None) or (0, size)
    if tag:
        resp.set_header("Accept-Ranges", "bytes")
    if end - start < size:
        resp.status = 206
        resp.set_header("Content-Range", f"bytes {start}-{end - 1}/{size}")
    resp.set_header("Content-Length", str(end - start))
    if req.method != "HEAD":
        resp.stream = Piece(path, start, end - start)


def _has_it(req: falcon.Request, tag: str) -> bool:
    """Whether the caller has these bytes already.

    Raises:
        PreconditionFailed: the caller wants to go on with others.
    """
    wanted = req.get_header("If-Match")
    if wanted is not None and wanted.strip() != "*" and tag not in _listed(wanted):
        message = "The file is another one now; begin again without If-Match."
        raise PreconditionFailed(message, [FieldError("If-Match", message, wanted)])
    known = [item.removeprefix("W/") for item in _listed(req.get_header("If-None-Match") or "")]
    return bool(tag) and (tag in known or "*" in known)


def _listed(header: str) -> list[str]:
    return [item.strip() for item in header.split(",")]


def _asked(req: falcon.Request, tag: str, size: int) -> tuple[int, int] | None:
    """Return from where on and up to where the caller wants the file; None for all of it."""
    found = _RANGE.fullmatch(req.get_header("Range") or "")
    condition = req.get_header("If-Range")
    # Of a file that changed since, its rest is of no use.
    if not found or req.method != "GET" or (condition is not None and condition.strip() != tag):
        return None
    first, last = found.groups()
    if (not first and not last) or (first and last and int(last) < int(first)):
        return None
    start = int(first) if first else max(0, size - int(last))
    end = min(size, int(last) + 1) if first and last else size
    if start >= end:
        message = f"The file has {size} bytes; ask for some of these."
        headers = {"Content-Range": f"bytes */{size}", "Accept-Ranges": "bytes"}
        raise BadRange(message, [FieldError("Range", message, found[0])], headers=headers)
    return start, end
