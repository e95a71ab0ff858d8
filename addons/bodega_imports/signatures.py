"""What a file is, told by its first bytes and never by its name."""

import re

from bodega_imports.decoding import encoding_at
from bodega_imports.records import SAVE, UnreadableFile

#: Bytes of a file's beginning that :func:`kind_at` wants.
HEAD = 1 << 12

_ARCHIVE = "unpack it and send the file in it, as it is or as .gz or .zip"
_PICTURE = "pictures are added to products, they are no table"
_EXPORT = f"export the table from the program that wrote it, {SAVE}"
_OFFICE = "save it as .xlsx without a password, or as 'CSV UTF-8', and try again"
_PROGRAM = "it is a program and no table; send a file of products"
# How it begins, what it is, and what to do; a file that begins so is no table.
_FOREIGN: tuple[tuple[bytes, str, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "a picture (PNG)", _PICTURE),
    (b"\xff\xd8\xff", "a picture (JPEG)", _PICTURE),
    (b"GIF8", "a picture (GIF)", _PICTURE),
    (b"RIFF", "a picture, a sound or a film (RIFF)", _PICTURE),
    (b"II*\0", "a picture (TIFF)", _PICTURE),
    (b"MM\0*", "a picture (TIFF)", _PICTURE),
    (b"%PDF-", "a PDF document", _EXPORT),
    (b"{\\rtf", "a text document (RTF)", _EXPORT),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
     "an old workbook (.xls) or one with a password", _OFFICE),
    (b"\x09\x08", "a very old workbook (.xls)", _OFFICE),
    (b"MZ", "a program (Windows)", _PROGRAM),
    (b"\x7fELF", "a program (Linux)", _PROGRAM),
    (b"\xca\xfe\xba\xbe", "a program (Java or macOS)", _PROGRAM),
    (b"\xcf\xfa\xed\xfe", "a program (macOS)", _PROGRAM),
    (b"SQLite format 3\0", "a database (SQLite)", _EXPORT),
    (b"PAR1", "a Parquet file", _EXPORT),
    (b"BZh", "an archive (bzip2)", _ARCHIVE),
    (b"\xfd7zXZ\0", "an archive (xz)", _ARCHIVE),
    (b"\x28\xb5\x2f\xfd", "an archive (zstd)", _ARCHIVE),
    (b"7z\xbc\xaf\x27\x1c", "an archive (7z)", _ARCHIVE),
    (b"Rar!\x1a\x07", "an archive (RAR)", _ARCHIVE),
    (b"\x04\x22\x4d\x18", "an archive (lz4)", _ARCHIVE),
)  # fmt: skip
# Some begin like a word; then a zero byte must follow soon.
_LIKE_WORDS = {b"MZ", b"GIF8", b"RIFF", b"PAR1", b"BZh"}
_MARKUP = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|\?xml|table|!--)", re.IGNORECASE)
_JSON = re.compile(r"\ufeff?\s*(?:\{\s*[\"}]|(\[)\s*(?:[{\]]|\Z))")
_UNUSUAL = {*range(9), *range(14, 26), *range(27, 32), 127}


def kind_at(head: bytes, encoding: str = "") -> str:
    """Return ``gzip``, ``zip``, ``jsonl``, ``array`` (of JSON) or ``csv``.

    Args:
        head: the first :data:`HEAD` bytes of a file, or all of it.
        encoding: that it is said to have.

    Raises:
        UnreadableFile: it begins like a file that is no table.
    """
    if head.startswith(b"\x1f\x8b"):
        return "gzip"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    encoding = encoding or encoding_at(head)
    _refuse(head, encoding)
    text = head.decode(encoding or "latin-1", errors="replace")
    if found := _JSON.match(text.removeprefix("\xef\xbb\xbf")):
        return "array" if found[1] else "jsonl"
    return "csv"


def _refuse(head: bytes, encoding: str) -> None:
    for begins, what, remedy in _FOREIGN:
        if head.startswith(begins) and (begins not in _LIKE_WORDS or b"\0" in head[:512]):
            raise _foreign(what, remedy)
    if head[257:262] == b"ustar":
        raise _foreign("an archive (tar)", _ARCHIVE)
    if _MARKUP.match(head):
        raise _foreign("a web page or XML", f"{_EXPORT}; a download that needs a login gives one")
    if not encoding and _is_binary(head):
        raise _foreign("binary data", f"a table as text, XLSX or JSON Lines was expected: {SAVE}")


def _foreign(what: str, remedy: str) -> UnreadableFile:
    return UnreadableFile(f"The file is {what}: {remedy}.")


def _is_binary(head: bytes) -> bool:
    # A cell may hold anything, a header but one control character: the delimiter.
    first = set(re.split(rb"[\r\n]+", head.lstrip(b"\r\n"), maxsplit=1)[0])
    return len(first & _UNUSUAL) > 2 or head.count(0) > len(head) // 4
