"""Which encoding a file of text has, found out by decoding the whole of it once.

The first byte that is not UTF-8 may be the last one of the file, and by then products
would have been written with wrong names.
"""

import codecs
from typing import BinaryIO

from bodega_imports.records import LARGEST_RECORD, SAVE, UnreadableFile

#: UTF-32's first: its mark begins with that of UTF-16.
_BOMS = {
    codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32", codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16",
}  # fmt: skip


def encoding_of(stream: BinaryIO, given: str = "", longest: int | None = LARGEST_RECORD) -> str:
    """Return the encoding of a stream, which is read from its start and rewound.

    Args:
        given: the encoding that it is said to have.
        longest: characters of a line at most; None for any.

    Raises:
        UnreadableFile: it is no text in that encoding or in one of those tried.
    """
    stream.seek(0)
    marked = given or encoding_at(stream.read(64))
    for encoding in [marked] if marked else ["utf-8", "cp1252"]:
        if not (line := _undecodable(stream, encoding, longest)):
            stream.seek(0)
            return encoding
    as_it = "as was asked" if given else "as it begins"
    expected = f"{marked}, {as_it}" if marked else "UTF-8 or cp1252 text"
    raise UnreadableFile(f"Line {line} of the file is not {expected}: {SAVE}.")


def encoding_at(head: bytes) -> str:
    """Return the encoding that the first bytes of a text tell; empty when they do not."""
    return next((name for bom, name in _BOMS.items() if head.startswith(bom)), _by_zeros(head[:64]))


def _by_zeros(head: bytes) -> str:
    """Tell UTF-16 without a BOM: every other byte of a header in ASCII is zero."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if odd > len(head) // 8 and not even:
        return "utf-16-le"
    return "utf-16-be" if even > len(head) // 8 and not odd else ""


def _undecodable(stream: BinaryIO, encoding: str, longest: int | None) -> int:
    """Return the first line that is not in the encoding; 0 when all are."""
    decoder = codecs.getincrementaldecoder(encoding)()
    line, run, chunk = 1, 0, b" "
    stream.seek(0)
    while chunk:
        chunk = stream.read(1 << 20)
        try:
            text = decoder.decode(chunk, final=not chunk)
        except UnicodeError as error:
            before = error.object[: error.start] if isinstance(error, UnicodeDecodeError) else b""
            return line + before.count(b"\n")
        line += text.count("\n")
        end = max(text.rfind("\n"), text.rfind("\r"))
        run = len(text) + (run if end < 0 else -end - 1)
        if longest and run > longest:
            found = f"Line {line} is longer than {longest:,} characters"
            raise UnreadableFile(f"{found}: a line per product was expected; {SAVE}.")
    return 0
