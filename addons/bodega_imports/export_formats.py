"""The formats of exports: how rows become bytes."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from bodega_imports.export_models import Export
from bodega_imports.export_streams import BLOCK, Blocks, Records
from bodega_imports.formulas import escape, escaped_in_sql
from bodega_products import api as products
from bodega_sdk.snapshots import Snapshot, quoted

#: Rows and characters of a cell that a sheet takes.
MOST_ROWS, LONGEST_CELL = 1_048_576, 32_767
_GZIP = {"gzip": (".gz", "application/gzip"), "zip": (".zip", "application/zip")}


class UnsuitableFormat(Exception):
    """The format cannot hold the products; the message says why, and which one can."""


@dataclass(frozen=True, slots=True)
class Format:
    """A format.

    Args:
        ending: of its files.
        media: its media type.
        write: writes the rows.
    """

    ending: str
    media: str
    write: Callable[["Writing"], None]


@dataclass(slots=True)
class Writing:
    """What is written.

    Args:
        run: which export, with its options.
        snapshot, rows: where the products come from.
        to: takes the bytes.
        tick: to be called often, with the rows that are written.
        scratch: folder for what cannot be written at once.
    """

    run: Export
    snapshot: Snapshot
    rows: "products.ProductRows"
    to: BinaryIO
    tick: Callable[[int], None]
    scratch: Path

    def blocks(self, records: Records, header: int = 0) -> io.BufferedWriter:
        """Return what takes UTF-8 in small pieces."""
        raw = Blocks(
            self.to, self.run.encoding, records, lambda: self.tick(max(0, records.count - header))
        )
        return io.BufferedWriter(raw, BLOCK)


def media_of(run: Export) -> str:
    """Return the media type of an export's file."""
    if run.compression in _GZIP:
        return _GZIP[run.compression][1]
    media = FORMATS[run.format].media
    charset = run.encoding.removesuffix("-sig")
    return f"{media}; charset={charset}" if media.startswith("text/") else media


def ending_of(format: str, compression: str) -> str:
    """Return the ending of a file's name."""
    return FORMATS[format].ending + _GZIP.get(compression, ("",))[0]


def _write_csv(writing: Writing) -> None:
    run, rows, snapshot = writing.run, writing.rows, writing.snapshot
    escaping = run.escape_formulas
    texts = [
        escaped_in_sql(text, postgres=snapshot.postgres) if escaping and column.free else text
        for text, column in zip(rows.texts, rows.columns, strict=True)
    ]
    names = [escape(name) if escaping else name for name in run.columns]
    records = Records(quoted=True)
    with writing.blocks(records, header=1) as blocks:
        blocks.write(f"{run.delimiter.join(names)}\n".encode())
        snapshot.write_csv(texts, rows.source, rows.params, blocks, run.delimiter)
    writing.tick(records.count - 1)


def _write_jsonl(writing: Writing) -> None:
    rows, parts = writing.rows, []
    for sign, name, value in zip(_commas(), writing.run.columns, rows.values, strict=False):
        key = sign + orjson.dumps(name).decode() + ":"
        parts.append(f"{quoted(key)} || {value}")
    records = Records(quoted=False)
    with writing.blocks(records) as blocks:
        text = " || ".join([*parts, quoted("}")])
        writing.snapshot.write_lines(text, rows.source, rows.params, blocks)
    writing.tick(records.count)


def _commas() -> Any:
    yield "{"
    while True:
        yield ","


def _write_xlsx(writing: Writing) -> None:
    run, rows = writing.run, writing.rows
    if (run.total_rows or 0) >= MOST_ROWS:
        raise UnsuitableFormat(
            f"A sheet has {MOST_ROWS:,} rows at most, these are {run.total_rows:,} products and a "
            "header: choose csv or jsonl, or a filter."
        )
    import xlsxwriter  # Only sheets need it.

    options = {"constant_memory": True, "tmpdir": str(writing.scratch), "strings_to_urls": False}
    book = xlsxwriter.Workbook(writing.to, options)
    book.set_properties({"created": _NO_DATE})
    sheet = book.add_worksheet("products")
    sheet.freeze_panes(1, 0)
    _put_row(sheet, 0, run.columns)
    number = 0
    found = writing.snapshot.rows(f"SELECT {', '.join(rows.texts)} {rows.source}", rows.params)
    for number, cells in enumerate(found, 1):
        _put_row(sheet, number, cells)
        if number % 500 == 0:
            writing.tick(number)
    writing.tick(number)
    book.close()


def _put_row(sheet: Any, number: int, cells: Any) -> None:
    """Write cells as texts: what a text begins with makes no formula of it."""
    for place, text in enumerate(cells):
        if text and sheet.write_string(number, place, text) == -2:
            raise UnsuitableFormat(
                f"A cell of a sheet has {LONGEST_CELL:,} characters at most; row {number + 1} "
                f"has one with {len(text):,}: choose csv or jsonl."
            )


#: A file that says when it was made is another one every time.
_NO_DATE = datetime(2000, 1, 1)
FORMATS = {
    "csv": Format(".csv", "text/csv", _write_csv),
    "tsv": Format(".tsv", "text/tab-separated-values", _write_csv),
    "jsonl": Format(".jsonl", "application/jsonl", _write_jsonl),
    "xlsx": Format(
        ".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", _write_xlsx
    ),
}
