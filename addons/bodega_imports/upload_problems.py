"""The problems of uploads that are sent in pieces.

::

    Problem
    ├── UploadGone          410  it has expired, or was deleted
    ├── UploadLocked        423  another request is sending to it
    └── ChecksumMismatch    460  a piece arrived changed
    Conflict
    └── OffsetMismatch      409  a piece is not the next one
    PreconditionFailed
    └── OtherVersion        412  the client speaks another version of tus
"""

from collections.abc import Sequence

from bodega_sdk.errors import (
    BadRequest,
    Conflict,
    FieldError,
    PreconditionFailed,
    Problem,
    TooLarge,
    TooManyRequests,
)

#: The version of the protocol.
VERSION = "1.0.0"


class UploadGone(Problem):
    """The upload has expired; what was sent of it is deleted."""

    status, code, title = 410, "upload-expired", "The upload has expired"

    def __init__(self) -> None:
        super().__init__("The upload was not finished in time, or was deleted: begin another one.")


class UploadLocked(Problem):
    """Another request is sending to the upload just now."""

    status, code, title = 423, "upload-locked", "Another request is sending to this upload"

    def __init__(self) -> None:
        super().__init__(
            "Another request is sending to this upload; ask for its offset in a moment.",
            retry_after=2,
        )


class ChecksumMismatch(Problem):
    """What was received is not what was sent."""

    status, code, title = 460, "checksum-mismatch", "Checksum Mismatch"

    def __init__(self, algorithm: str) -> None:
        message = f"What arrived has another {algorithm}; nothing of it was kept, send it again."
        super().__init__(message, [FieldError("Upload-Checksum", message)])


class OffsetMismatch(Conflict):
    """What was sent does not begin where the upload ends."""

    code, title = "offset-mismatch", "The upload is at another offset"

    def __init__(self, found: int, expected: int) -> None:
        message = f"The upload is at offset {expected}: go on there."
        errors = [FieldError("Upload-Offset", message, found)]
        super().__init__(message, errors, headers={"Upload-Offset": str(expected)})


class OtherVersion(PreconditionFailed):
    """The client does not say that it speaks the version of tus that we do."""

    code, title = "tus-version", "Another version of tus is spoken here"

    def __init__(self, found: str | None) -> None:
        message = f"Expected 'Tus-Resumable: {VERSION}', found {(found or 'none')[:50]!r}."
        errors = [FieldError("Tus-Resumable", message, found)]
        super().__init__(message, errors, headers={"Tus-Version": VERSION})


def wrong(name: str, message: str, found: str | None = None) -> BadRequest:
    """Return the error for a header that cannot be understood."""
    return BadRequest(f"'{name}': {message}", [FieldError(name, message, found)])


def too_large(largest: int, found: int) -> TooLarge:
    """Return the error for a file that is larger than files may be."""
    message = f"The file has more than {largest // 1_000_000} MB."
    return TooLarge(message, [FieldError("Upload-Length", message, found)])


def beyond_length(room: int) -> TooLarge:
    """Return the error for a piece that is larger than what is missing."""
    message = f"At most {room} bytes are missing; nothing of this was kept."
    return TooLarge(message, [FieldError("body", message)])


def too_many(found: Sequence[str]) -> TooManyRequests:
    """Return the error for an account that has too many unfinished uploads."""
    return TooManyRequests(
        f"You have {len(found)} unfinished uploads, which is as many as you may have: finish or "
        "delete one of those in 'uploads'.",
        extra={"uploads": list(found)},
    )
