"""One table of products, written in every format that there is, is read as the same records."""

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bodega_imports.files import open_file
from bodega_imports.records import Reading, Record, UnreadableFile
from bodega_products.models import Product

Rows = list[list[str]]
HEADER = ["sku", "name", "description", "price", "is_active"]
TABLE = [
    ["L-1", "Lampe Größe 5", 'Soft, warm and "just right".', "12.5", "true"],
    ["007", "Café; Table", "Two\nlines | of\ttext, très léger", "1000", "false"],
    ["C-1", "  Chair ", "", "99", "true"],
]
BOMS = {"utf-8": b"", "utf-8-sig": b"", "utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff",
        "utf-32-le": b"\xff\xfe\0\0", "cp1252": b""}  # fmt: skip
DELIMITERS = ",;\t|"
WRAPS = ("plain", "gzip", "zip")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def as_csv(rows: Rows, delimiter: str, encoding: str) -> bytes:
    """Return the table as CSV, in UTF-16 with a BOM."""
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows([HEADER, *rows])
    return BOMS.get(encoding, b"") + text.getvalue().encode(encoding)


def as_json(rows: Rows, *, array: bool = False) -> bytes:
    """Return the table as an object per line, or as an array of objects."""
    objects = [dict(zip(HEADER, row, strict=True)) for row in rows]
    if array:
        return json.dumps(objects, indent=1, ensure_ascii=False).encode()
    return "".join(json.dumps(one) + "\n" for one in objects).encode()


def as_xlsx(rows: Rows, *, inline: bool = False) -> bytes:
    """Return the table as a workbook, its strings shared or in the cells."""
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"constant_memory": inline, "in_memory": True})
    sheet = book.add_worksheet()
    for at, row in enumerate([HEADER, *rows]):
        for column, value in enumerate(row):
            sheet.write_string(at, column, value)
    book.close()
    return target.getvalue()


def packed(data: bytes, wrap: str) -> bytes:
    """Return bytes packed by gzip, in a zip, or as they are."""
    if wrap == "gzip":
        return gzip.compress(data, 1)
    if wrap == "plain":
        return data
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a folder/", "")
        archive.writestr("a folder/products.csv", data)
        archive.writestr("__MACOSX/a folder/._products.csv", "clutter")
        archive.writestr("a folder/.DS_Store", "clutter")
    return target.getvalue()


def every_format(rows: Rows) -> Iterator[tuple[str, bytes]]:
    """Yield what it is called, and the table in it."""
    for encoding, delimiter in product(BOMS, DELIMITERS):
        yield f"csv {encoding} {delimiter!r}", as_csv(rows, delimiter, encoding)
    for array in (False, True):
        yield f"json {array=}", as_json(rows, array=array)
    for inline in (False, True):
        yield f"xlsx {inline=}", as_xlsx(rows, inline=inline)


def values_of(folder: Path, data: bytes, reading: Reading | None = None) -> tuple[str, Rows]:
    """Return the kind of a file and its values."""
    path = folder / "file.data"
    path.write_bytes(data)
    with open_file(path, options=reading) as file:
        assert file.header == HEADER
        return file.kind, [record.values for record in file]


def test_the_same_table_in_every_format_gives_the_same_records(tmp_path: Path) -> None:
    for (name, data), wrap in product(every_format(TABLE), WRAPS):
        kind, values = values_of(tmp_path, packed(data, wrap))
        assert kind == name.split()[0].replace("json", "jsonl"), name
        assert values == TABLE, (name, wrap)
    assert [path.name for path in tmp_path.iterdir()] == ["file.data"]


CELLS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff")
    | st.sampled_from("\n\t\",;|'=@€é_x"),
    max_size=12,
)
SKUS = st.text("ABC-019é€😀", min_size=1, max_size=8)
ROWS = st.lists(
    st.tuples(SKUS, CELLS, CELLS, CELLS, st.sampled_from(["true", "false"])).map(list),
    min_size=1, max_size=6,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    rows=ROWS,
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be", "cp1252"]),
    delimiter=st.sampled_from(DELIMITERS),
    wrap=st.sampled_from(WRAPS),
    kind=st.sampled_from(["csv", "csv", "csv", "jsonl", "array", "shared", "inline"]),
)
def test_any_table_in_any_format_gives_the_same_records(
    tmp_path_factory: pytest.TempPathFactory,
    rows: Rows, encoding: str, delimiter: str, wrap: str, kind: str,
) -> None:  # fmt: skip
    try:
        text = as_csv(rows, delimiter, encoding)
    except UnicodeEncodeError:
        assume(False)
    if encoding == "cp1252":
        # What is UTF-8 by chance is taken for UTF-8.
        assume(text.isascii() or "\ufffd" in text.decode(errors="replace"))
    data = {
        "csv": lambda: text,
        "jsonl": lambda: as_json(rows),
        "array": lambda: as_json(rows, array=True),
        "shared": lambda: as_xlsx(rows),
        "inline": lambda: as_xlsx(rows, inline=True),
    }[kind]()
    assert values_of(tmp_path_factory.getbasetemp(), packed(data, wrap))[1] == rows


def test_the_lines_are_those_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "file.data"
    lines = {}
    for name, data in every_format(TABLE):
        path.write_bytes(packed(data, "gzip"))
        with open_file(path) as file:
            lines[name] = [record.line for record in file]
            read, size = file.position
            assert 0 < read == size
    assert lines["csv utf-8 ','"] == [2, 3, 5]
    assert lines["json array=False"] == [1, 2, 3]
    assert lines["json array=True"] == [2, 9, 16]
    assert lines["xlsx inline=True"] == lines["xlsx inline=False"] == [2, 3, 4]


SEEDS = [data for name, data in every_format(TABLE) if name.split()[0] != "csv"]
SEEDS += [packed(as_csv(TABLE, ",", "utf-8"), wrap) for wrap in WRAPS]
SEEDS += [as_csv(TABLE, ";", "utf-16-le")]


@settings(max_examples=150, deadline=None)
@given(
    seed=st.sampled_from(SEEDS),
    changes=st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 6), st.binary(max_size=6)),
        max_size=4,
    ),
)
def test_a_damaged_file_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, seed: bytes, changes: list[tuple[float, int, bytes]]
) -> None:
    for place, taken, put in changes:
        at = int(place * len(seed))
        seed = seed[:at] + put + seed[at + taken :]
    folder = tmp_path_factory.getbasetemp() / "damaged"
    folder.mkdir(exist_ok=True)
    (folder / "file.data").write_bytes(seed)
    told = ""
    try:
        with open_file(folder / "file.data") as file:
            assert all(isinstance(record, Record) for record in file)
    except UnreadableFile as error:
        told = str(error)
    assert len(told) < 1_000
    assert [path.name for path in folder.iterdir()] == ["file.data"]


MEDIA = {
    "csv utf-8 ','": "text/plain",
    "csv utf-16-le '\\t'": "text/tab-separated-values",
    "csv cp1252 ';'": "text/csv",
    "json array=False": "application/x-ndjson",
    "json array=True": "application/json",
    "xlsx inline=False": XLSX,
}


def test_a_shop_imports_every_format_alike(admin: Any, worker: Any) -> None:
    formats = dict(every_format(TABLE))
    sent = [(formats[name], media) for name, media in MEDIA.items()]
    sent += [(packed(formats["csv utf-8-sig '|'"], "gzip"), "application/gzip")]
    sent += [(packed(formats["xlsx inline=True"], "zip"), "application/zip")]
    tables = []
    for data, media in sent:
        begun = admin.post("/api/v1/imports", body=data, headers={"Content-Type": media})
        assert begun.status_code == 202, begun.text
        worker.run()
        run = admin.get(f"/api/v1/imports/{begun.json['id']}").json
        assert (run["status"], run["created"], run["errors"]) == ("completed", 3, 0), (media, run)
        tables.append(_table())
        Product.delete().execute()
    assert tables[0][0][:2] == ("007", "Café; Table")
    assert all(table == tables[0] for table in tables)


def _table() -> list[tuple[Any, ...]]:
    columns = (Product.sku, Product.name, Product.description, Product.price_minor,
               Product.is_active, Product.slug)  # fmt: skip
    return list(Product.select(*columns).order_by(Product.sku).tuples())
