"""Reads the body of an ingest, packed or not, with bounds that no bomb gets past."""

import zlib

from bodega_sdk import Request
from bodega_sdk.errors import BadRequest, FieldError, TooLarge, UnsupportedMedia

#: Bytes of a body at most, as it is sent and unpacked.
LARGEST = 32 * 2**20
#: Members of a packed body at most: what is behind each is copied.
MOST_MEMBERS = 50


def read(request: Request) -> bytes:
    """Return the body, unpacked where ``Content-Encoding`` says gzip.

    Raises:
        TooLarge, UnsupportedMedia, BadRequest: too many bytes, another encoding, broken.
    """
    encoding = (request.raw.get_header("Content-Encoding") or "identity").strip().lower()
    if encoding == "identity":
        data: bytes = request.stream.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise _too_large()
        return data
    if encoding != "gzip":
        message = "Expected 'gzip', or no Content-Encoding."
        raise UnsupportedMedia(message, [FieldError("Content-Encoding", message, encoding)])
    return _unpacked(request.stream.read(LARGEST + 1))


def _unpacked(packed: bytes) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while packed:
        if len(pieces) == MOST_MEMBERS:
            raise _broken(f"The packed body has more than {MOST_MEMBERS} members; pack it as one.")
        reader = zlib.decompressobj(wbits=31)
        try:
            piece = reader.decompress(packed, LARGEST + 1 - size)
        except zlib.error as error:
            raise _broken(f"The body is not gzip: {error}.") from None
        size += len(piece)
        if size > LARGEST:
            raise _too_large()
        if not reader.eof:
            raise _broken("The packed body ends too early.")
        pieces.append(piece)
        # A file may have several members, and be filled up with zeros.
        packed = reader.unused_data.lstrip(b"\0")
    return b"".join(pieces)


def _too_large() -> TooLarge:
    return TooLarge(f"The body has more than {LARGEST // 2**20} MiB; send it in parts.")


def _broken(message: str) -> BadRequest:
    return BadRequest(message, [FieldError("body", message)])
