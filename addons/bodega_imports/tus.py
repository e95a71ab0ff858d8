"""Resumable uploads: tus 1.0, with creation, termination, checksums and expiration.

See https://tus.io/protocols/resumable-upload. The import begins when the last byte is there,
and has the id of the upload.
"""

import base64
import binascii
import functools
import hashlib
import re
from collections.abc import Callable, Mapping
from email.utils import format_datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from bodega_imports import uploads
from bodega_imports.resources import ALL, UPLOAD, Imports, begin_for
from bodega_imports.schemas import UploadSchema
from bodega_imports.upload import file_name
from bodega_imports.upload_models import Upload
from bodega_imports.upload_problems import (
    VERSION,
    OffsetMismatch,
    OtherVersion,
    UploadGone,
    beyond_length,
    too_large,
    wrong,
)
from bodega_sdk import PUBLIC, Reply, Request, Route, now, setting, transaction
from bodega_sdk.errors import BadRequest, FieldError, NotFound, Problem, UnsupportedMedia

PATH = "/imports/uploads"
MEDIA = "application/offset+octet-stream"
EXTENSIONS = "creation,creation-with-upload,termination,checksum,expiration"
#: Those of MD5 are refused: they tell nothing that SHA-1's do not.
CHECKSUMS = ("sha1", "sha256")
#: Characters of the header Upload-Metadata.
LONGEST_METADATA = 4096
# Bytes of a request, above the largest value of imports.largest_mb.
_LARGEST = 10_000_000_000


def _tus(handler: Callable[..., Reply]) -> Callable[[Request], Reply]:
    """Have a handler speak to those only who speak our version, and say so in every answer.

    It is given the request, and the upload if it is about one.
    """

    @functools.wraps(handler)
    def speak(request: Request) -> Reply:
        try:
            found = [_mine(request, request.params["id"])] if "id" in request.params else []
            if not found:  # Who may import nothing is told so first of all.
                Imports().whose(request)
            sent = request.raw.get_header("Tus-Resumable")
            # A GET is none of the protocol's requests.
            if sent != VERSION and request.raw.method != "GET":
                raise OtherVersion(sent)
            reply = handler(request, *found)
        except Problem as problem:
            problem.headers["Tus-Resumable"] = VERSION
            raise
        reply.headers = {**reply.headers, "Tus-Resumable": VERSION}
        return reply

    return speak


# What is asked.


def _discover(request: Request) -> Reply:
    told = {"Tus-Resumable": VERSION, "Tus-Version": VERSION, "Tus-Extension": EXTENSIONS,
            "Tus-Max-Size": str(_largest()),
            "Tus-Checksum-Algorithm": ",".join(CHECKSUMS)}  # fmt: skip
    return Reply(None, 204, told)


@_tus
def _create(request: Request) -> Reply:
    account, metadata = _account(request), request.raw.get_header("Upload-Metadata") or ""
    length = _length(request)
    _how(read_metadata(metadata))
    upload = uploads.create(account, length, metadata)
    try:
        told = _receive(request, upload, 0) if _has_body(request) else _told(upload)
    except BaseException:
        # Nobody was told where it is, so nobody can go on with it.
        uploads.delete(upload)
        raise
    told["Location"] = f"{request.raw.path.rstrip('/')}/{upload.id}"
    return Reply(_shown(_mine(request, upload.id)), 201, told)


@_tus
def _show(request: Request, upload: Upload) -> Reply:
    offset = uploads.offset_of(upload)
    if offset == upload.length and upload.finished_at is None:
        # The process that received the last byte did not live to begin the import.
        with uploads.held(upload):
            upload = _mine(request, upload.id)
            _begin(request, upload)
    told = _told(upload) | {"Upload-Length": str(upload.length), "Cache-Control": "no-store"}
    if upload.metadata:
        told["Upload-Metadata"] = upload.metadata
    return Reply(_shown(upload), 200, told)


def _shown(upload: Upload) -> dict[str, Any]:
    shown: dict[str, Any] = UploadSchema().dump(upload)
    return shown | {"offset": uploads.offset_of(upload)}


@_tus
def _append(request: Request, upload: Upload) -> Reply:
    _must_be_a_piece(request)
    return Reply(None, 204, _receive(request, upload, _number(request, "Upload-Offset")))


@_tus
def _terminate(request: Request, upload: Upload) -> Reply:
    if upload.finished_at is not None:
        uploads.delete(upload)
    else:
        with uploads.held(upload):
            uploads.delete(upload)
    return Reply(None, 204)


@_tus
def _override(request: Request, upload: Upload) -> Reply:
    """Do by POST what some networks let nobody do otherwise."""
    method = request.raw.get_header("X-HTTP-Method-Override") or ""
    handlers = {"PATCH": _append, "DELETE": _terminate}
    if method.upper() not in handlers:
        raise wrong("X-HTTP-Method-Override", "Expected PATCH or DELETE.", method or None)
    return handlers[method.upper()](request)


# What is done.


def _receive(request: Request, upload: Upload, offset: int) -> dict[str, str]:
    """Take a piece, begin the import after the last one, and return what to tell of it."""
    if upload.finished_at is None:
        with uploads.held(upload) as file:
            upload = _mine(request, upload.id)
            room = _room(request, upload, offset)
            uploads.prolong(upload)
            _take(request, upload, file, room)
            _begin(request, upload)
    else:
        _room(request, upload, offset)
    return _told(upload)


def _room(request: Request, upload: Upload, offset: int) -> int:
    """Return how many bytes may come at an offset."""
    there = uploads.offset_of(upload)
    if offset != there:
        raise OffsetMismatch(offset, there)
    room = int(upload.length) - there
    if (request.raw.content_length or 0) > room:
        raise beyond_length(room)
    return room


def _take(request: Request, upload: Upload, file: Any, room: int) -> None:
    checksum = _checksum(request)
    if checksum is None:
        uploads.append(file, request.stream, room)
    else:
        uploads.append_checked(file, request.stream, room, upload, *checksum)


def _begin(request: Request, upload: Upload) -> None:
    """Begin the import of an upload that is whole; who calls holds it."""
    if upload.finished_at is not None or uploads.offset_of(upload) < upload.length:
        return
    path, known = uploads.path_of(upload.id), read_metadata(upload.metadata)
    put: Callable[[Path], None] = partial(uploads.put, path)
    with transaction():
        begin_for(
            request, file_name(known.get("filename")), upload.length, put, import_id=upload.id,
            **_how(known),
        )  # fmt: skip
        uploads.finish(upload)
    path.unlink(missing_ok=True)


def _told(upload: Upload) -> dict[str, str]:
    told = {"Upload-Offset": str(uploads.offset_of(upload))}
    if upload.finished_at is not None:
        return told | {"Bodega-Import": str(upload.id)}
    return told | {"Upload-Expires": format_datetime(upload.expires_at, usegmt=True)}


# What was sent.


def _account(request: Request) -> UUID:
    try:
        return UUID(request.identity.subject)
    except ValueError:
        raise NotFound("Uploads belong to accounts, and you have none here.") from None


def _mine(request: Request, upload_id: UUID) -> Upload:
    upload = Upload.find(upload_id)
    if upload is None or upload.account != _account(request):
        message = "You have no upload with this id."
        raise NotFound(message, [FieldError("id", message, str(upload_id))])
    if upload.finished_at is None and upload.expires_at <= now():
        raise UploadGone()
    return upload


def _largest() -> int:
    return int(setting("imports.largest_mb")) * 1_000_000


def _length(request: Request) -> int:
    for name in ("Upload-Concat", "Upload-Defer-Length"):
        if (found := request.raw.get_header(name)) is not None:
            raise wrong(name, "This extension is not offered, see OPTIONS.", found)
    length = _number(request, "Upload-Length")
    if length == 0:
        raise wrong("Upload-Length", "The file is empty.", "0")
    if length > _largest():
        raise too_large(_largest(), length)
    return length


def _number(request: Request, name: str) -> int:
    found = request.raw.get_header(name) or ""
    if not re.fullmatch(r"[0-9]{1,18}", found):
        raise wrong(name, "Expected a whole number of bytes.", found or None)
    return int(found)


def _media(request: Request) -> str:
    return (request.raw.content_type or "").partition(";")[0].strip().lower()


def _must_be_a_piece(request: Request) -> None:
    if _media(request) != MEDIA:
        message = f"Expected 'Content-Type: {MEDIA}'."
        found = _media(request) or None
        raise UnsupportedMedia(message, [FieldError("Content-Type", message, found)])


def _has_body(request: Request) -> bool:
    """Whether the file, or the beginning of it, comes with the request that creates it."""
    if not request.raw.content_length and not request.raw.get_header("Transfer-Encoding"):
        return False
    _must_be_a_piece(request)
    return True


def _checksum(request: Request) -> tuple[Any, bytes] | None:
    """Return what to make a digest with, and what it must be; None without a checksum."""
    sent = request.raw.get_header("Upload-Checksum")
    if sent is None:
        return None
    name, _, expected = sent.partition(" ")
    if name not in CHECKSUMS:
        raise wrong("Upload-Checksum", f"Expected one of: {', '.join(CHECKSUMS)}.", sent)
    try:
        return hashlib.new(name, usedforsecurity=False), base64.b64decode(expected, validate=True)
    except binascii.Error:
        raise wrong("Upload-Checksum", "Expected the checksum in Base64.", sent) from None


def read_metadata(sent: str) -> dict[str, str]:
    """Return what the header Upload-Metadata says, by name.

    Raises:
        BadRequest: it is too long, or not of names each with a value in Base64.
    """
    if len(sent) > LONGEST_METADATA:
        raise wrong("Upload-Metadata", f"Must be at most {LONGEST_METADATA} characters long.", sent)
    found: dict[str, str] = {}
    for item in filter(None, map(str.strip, sent.split(","))):
        name, _, value = item.partition(" ")
        try:
            found[name] = base64.b64decode(value.strip(), validate=True).decode()
        except ValueError:
            message = "Expected names each with a value in Base64, with commas between them."
            raise wrong("Upload-Metadata", message, item) from None
    return found


def _how(known: Mapping[str, str]) -> dict[str, Any]:
    """Return how a file is to be imported: what other ways in have as query parameters."""
    try:
        return {item.name: item.parse(known[item.name]) for item in UPLOAD.parameters
                if item.name in known}  # fmt: skip
    except BadRequest as error:
        (found,) = error.errors
        told = f"{found.field}: {found.message}"
        raise wrong("Upload-Metadata", told, str(found.found)) from None


# The routes.

_READS = {
    "Tus-Resumable": f"`{VERSION}`.",
    "Upload-Checksum": "`sha1` or `sha256`, a blank, and the checksum of the body in Base64.",
}
_SENT = _READS | {"Upload-Offset": "Where the body begins in the file."}
_TELLS = {
    "Tus-Resumable": f"`{VERSION}`.",
    "Upload-Offset": "How many bytes are there.",
    "Upload-Expires": "When it is deleted unless it is gone on with.",
    "Bodega-Import": "Once the last byte is there: the id of the import, which is the upload's.",
}
_PUBLISHED = {
    "Tus-Resumable": f"`{VERSION}`.",
    "Tus-Version": f"`{VERSION}`.",
    "Tus-Extension": f"`{EXTENSIONS}`.",
    "Tus-Max-Size": "Bytes of a file at most.",
    "Tus-Checksum-Algorithm": ",".join(CHECKSUMS),
}
_ITEM = f"{PATH}/{{id}}"
_WRITE = "imports.write"

ROUTES = (
    Route(
        "OPTIONS", PATH, _discover, PUBLIC, "Discover what of tus is spoken",
        description="See [tus](https://tus.io/protocols/resumable-upload).",
        status=204, tells=_PUBLISHED,
    ),
    Route(
        "POST", PATH, _create, _WRITE, "Begin a resumable upload",
        description="For any client of [tus](https://tus.io) 1.0; the upload is at `Location`. "
        f"Its beginning, or all of it, may be the body, as `{MEDIA}`.",
        returns=UploadSchema, largest=_LARGEST, status=201, objects="organization", beyond=ALL,
        reads=_READS | {
            "Upload-Length": "Bytes of the file.",
            "Upload-Metadata": "Names, each with a value in Base64: `filename`, and "
            f"{', '.join(f'`{item.name}`' for item in UPLOAD.parameters)} as in "
            "`POST /imports`. Others are given back.",
        },
        tells=_TELLS | {"Location": "The address of the upload."},
    ),
    Route(
        "GET", _ITEM, _show, _WRITE, "Read a resumable upload",
        description="Clients of tus ask with HEAD.", returns=UploadSchema, objects="own",
        reads={"Tus-Resumable": f"`{VERSION}`; with HEAD."},
        tells=_TELLS | {
            "Upload-Length": "Bytes of the file.", "Upload-Metadata": "As it was sent.",
        },
    ),
    Route(
        "PATCH", _ITEM, _append, _WRITE, "Go on with a resumable upload",
        description="What arrives before a connection breaks is kept; a piece with a checksum is "
        "kept whole or not at all. The answer to the last piece names the import.",
        media=MEDIA, largest=_LARGEST, status=204, objects="own", reads=_SENT, tells=_TELLS,
    ),
    Route(
        "POST", _ITEM, _override, _WRITE, "Go on with, or delete, a resumable upload by POST",
        description="For networks that let no PATCH or DELETE pass.",
        media=MEDIA, largest=_LARGEST, status=204, objects="own",
        reads=_SENT | {"X-HTTP-Method-Override": "PATCH or DELETE."}, tells=_TELLS,
    ),
    Route(
        "DELETE", _ITEM, _terminate, _WRITE, "Delete a resumable upload",
        description="An import that has begun goes on.", status=204, objects="own",
        reads={"Tus-Resumable": f"`{VERSION}`."}, tells={"Tus-Resumable": f"`{VERSION}`."},
    ),
)  # fmt: skip
