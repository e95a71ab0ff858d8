"""Workbooks: cells read as people see them, and whatever fills the memory is refused."""

import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from bodega_imports.files import open_file
from bodega_imports.records import BrokenRecord, Reading, Record, UnreadableFile
from bodega_imports.xlsx_values import show_number, styles

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
HEADER = '<row><c t="str"><v>sku</v></c><c t="str"><v>name</v></c></row>'


def written(fill: Callable[[Any], object], **options: Any) -> bytes:
    """Return a workbook that a function fills."""
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True, **options})
    fill(book)
    book.close()
    return target.getvalue()


def made(sheet: str, strings: str = "", prefix: str = "", **more: str) -> bytes:
    """Return a workbook whose sheet holds this XML, as no program would write it."""
    x = prefix + ":" if prefix else ""
    space = f'xmlns{":" + prefix if prefix else ""}="{MAIN}"'
    target = [("worksheet", "worksheets/sheet1.xml"), ("sharedStrings", "sharedStrings.xml")]
    parts = {
        "_rels/.rels": _relations([("officeDocument", "/xl/workbook.xml")]),
        "xl/workbook.xml": f'<{x}workbook {space} xmlns:r="{OFFICE}"><{x}sheets>'
        f'<{x}sheet name="One" r:id="r0"/></{x}sheets></{x}workbook>',
        "xl/_rels/workbook.xml.rels": _relations(target),
        "xl/worksheets/sheet1.xml": f"<{x}worksheet {space}><{x}sheetData>{sheet}</{x}sheetData>"
        f"</{x}worksheet>",
    }
    if strings:
        parts["xl/sharedStrings.xml"] = f"<{x}sst {space}>{strings}</{x}sst>"
    return zipped({**parts, **more})


def _relations(target: list[tuple[str, str]]) -> str:
    inner = "".join(
        f'<Relationship Id="r{at}" Type="{OFFICE}/{kind}" Target="{path}"/>'
        for at, (kind, path) in enumerate(target)
    )
    return f'<Relationships xmlns="{RELATIONS}">{inner}</Relationships>'


def zipped(parts: dict[str, str]) -> bytes:
    """Return a zip of parts."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return target.getvalue()


def records(folder: Path, data: bytes, sheet: str = "", largest: int = 10**9) -> list[Record]:
    """Return the header and the records of a workbook."""
    path = folder / "file.data"
    path.write_bytes(data)
    with open_file(path, options=Reading(sheet=sheet), largest=largest) as file:
        assert file.kind == "xlsx"
        return [Record(0, file.header), *file]


def test_cells_read_as_people_see_them(tmp_path: Path) -> None:
    cells: list[tuple[Any, str, str]] = [
        (12.50, "", "12.5"),
        (5.0, "", "5"),
        (10**15, "", "1000000000000000"),
        (0.1 + 0.2, "", "0.3"),
        (1e-7, "", "0.0000001"),
        (-3.10, "#,##0.00", "-3.1"),
        (7, "00000", "00007"),
        (True, "", "true"),
        (False, "", "false"),
        (date(2026, 11, 22), "yyyy-mm-dd", "2026-11-22"),
        (datetime(2026, 11, 22, 8, 30, 15), "dd/mm/yy hh:mm", "2026-11-22T08:30:15"),
        (time(8, 30), "[h]:mm", "08:30:00"),
        (1.5, '0.0 "days"', "1.5"),
        (2, "[Red]0;[Blue]-0", "2"),
        ("=A1&B1", "", "cached"),
        ("  Größe\n€ _x000D_ ", "", "  Größe\n€ _x000D_ "),
        ("\r\x01", "", "\r\x01"),
        (None, "", ""),
        ("last", "", "last"),
    ]

    def fill(book: Any) -> None:
        sheet = book.add_worksheet()
        for at, (value, style, _) in enumerate(cells):
            form = book.add_format({"num_format": style}) if style else None
            sheet.write_string(0, at, f"c{at}")
            if str(value).startswith("="):
                sheet.write_formula(1, at, value, form, "cached")
            elif isinstance(value, (date, time)):
                sheet.write_datetime(1, at, value, form)
            else:
                sheet.write(1, at, value, form)

    for since_1904 in (False, True):
        for inline in (False, True):
            data = written(fill, date_1904=since_1904, constant_memory=inline)
            _, record = records(tmp_path, data)
            assert record == Record(2, [shown for _, _, shown in cells])


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("1E+15", "1000000000000000"),
        ("1.0E-2", "0.01"),
        ("12345678901234567", "12345678901234567"),
        ("29.989999999999998", "29.99"),
        ("5.", "5"),
        ("1e9999", "1e9999"),
        ("#N/A", "#N/A"),
        ("-0.50", "-0.5"),
        ("٣", "٣"),
    ],
)
def test_numbers_have_no_exponent_and_no_artefacts(text: str, shown: str) -> None:
    assert show_number(text) == shown


def test_dates_of_both_calendars_are_shown() -> None:
    shown = {"0.5": "12:00:00", "1": "1900-01-01", "59": "1900-02-28", "61": "1900-03-01",
             "45000.999999": "2023-03-16", "-1": "-1", "1e300": "1" + "0" * 300, "x": "x",
             "2958465": "9999-12-31"}  # fmt: skip
    (show,) = styles({}, [14], False)
    assert {text: show(text) for text in shown} == shown
    (since_1904,) = styles({200: "d/m/yy"}, [200], True)
    assert since_1904("1") == "1904-01-02"
    assert since_1904("2958465.9") == "2958465.9"


def test_empty_cells_rows_and_columns_are_left_out(tmp_path: Path) -> None:
    def fill(book: Any) -> None:
        sheet, bold = book.add_worksheet(), book.add_format({"bold": True})
        for row in range(3, 40):
            for column in range(60):
                sheet.write_blank(row, column, None, bold)
        sheet.write_row(2, 0, ["sku", "name", "price"])
        sheet.write_row(4, 0, ["A", "Lamp"])
        sheet.write_row(6, 1, ["Chair", 5, None, "surplus"])
        sheet.write_string(20, 2, " ")

    assert records(tmp_path, written(fill)) == [
        Record(0, ["sku", "name", "price"]),
        Record(5, ["A", "Lamp", ""]),
        Record(7, ["", "Chair", "5", "", "surplus"]),
        Record(21, ["", "", " "]),
    ]


def test_the_first_sheet_that_is_shown_is_read_or_the_one_that_is_named(tmp_path: Path) -> None:
    def fill(book: Any) -> None:
        for name in ("Hidden", "Products", "2"):
            sheet = book.add_worksheet(name)
            sheet.write_column(0, 0, ["sku", name])
        book.get_worksheet_by_name("Products").activate()
        book.get_worksheet_by_name("Products").set_first_sheet()
        book.get_worksheet_by_name("Hidden").hide()

    data = written(fill)
    for sheet, found in {"": "Products", "hidden": "Hidden", "1": "Hidden", "2": "2"}.items():
        assert records(tmp_path, data, sheet)[1].values == [found]
    with pytest.raises(UnreadableFile, match="no sheet 'Prices': it has 'Hidden', 'Products', '2'"):
        records(tmp_path, data, "Prices")


def test_workbooks_of_other_programs_are_read(tmp_path: Path) -> None:
    strings = "<x:si><x:r><x:t>s</x:t></x:r><x:r><x:t>ku</x:t></x:r><x:rPh><x:t>no</x:t></x:rPh>"
    sheet = (
        '<x:row><x:c t="s"><x:v>0</x:v></x:c><x:c t="inlineStr"><x:is><x:r><x:t>na</x:t></x:r>'
        '<x:r><x:t>me</x:t></x:r></x:is></x:c></x:row><x:row r="9"><x:c r="B9"><x:f>1+1</x:f>'
        '<x:v> 2 </x:v></x:c><x:c r="A9" t="e"><x:v>#N/A</x:v></x:c></x:row><x:row/>'
        '<x:row r="3"><x:c t="d"><x:v>2026-11-22</x:v></x:c></x:row>'
    )
    found = records(tmp_path, made(sheet, strings + "</x:si>", "x"))
    assert found == [
        Record(0, ["sku", "name"]), Record(9, ["#N/A", "2"]), Record(11, ["2026-11-22", ""]),
    ]  # fmt: skip


def test_a_cell_above_the_limit_costs_one_row(tmp_path: Path) -> None:
    long = "x" * ((1 << 20) + 1)
    row = '<row><c t="str"><v>{}</v></c></row>'
    _, broken, last = records(tmp_path, made(HEADER + row.format(long) + row.format("A")))
    assert isinstance(broken, BrokenRecord)
    assert "longer than 1,048,576" in broken.reason
    assert last == Record(3, ["A", ""])


LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>'
OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'
ROW = '<row><c t="str"><v>A</v></c></row>'
REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "a DTD": (lambda: made(HEADER, **{"xl/worksheets/sheet1.xml": LAUGHS}), "has a DTD"),
    "a DTD of strings": (lambda: made(HEADER, **{"xl/sharedStrings.xml": OUTSIDE}), "has a DTD"),
    "a DTD of the book": (lambda: made(HEADER, **{"xl/workbook.xml": OUTSIDE}), "has a DTD"),
    "no XML": (lambda: made(HEADER + "<row>"), "its XML: mismatched tag"),
    "half a sheet": (lambda: made(HEADER, **{"xl/worksheets/sheet1.xml": "<a><b>"}), "its XML"),
    "depth": (lambda: made("<a>" * 100_000), "nested without end"),
    "depth of cells": (lambda: made("<row><c>" + "<v>" * 100_000), "nested without end"),
    "depth of strings": (lambda: made(HEADER, "<si>" + "<t>" * 100_000), "nested without end"),
    "cells in cells": (lambda: made("<row>" + "<c>" * 100), "a cell is not in a row"),
    "rows in rows": (lambda: made("<row>" * 100), "a row is in another"),
    "names": (lambda: made("".join(f"<a{n}/>" for n in range(90_000))), "names without end"),
    "a token": (lambda: made(f"<row a='{os.urandom(2_000_000).hex()}'/>"), "a token"),
    "a cell without end": (
        lambda: made(HEADER + f"<row><c><v>{os.urandom(2_000_000).hex()}</v></c></row>"),
        "longer than 1,048,576",
    ),
    "a wide row": (
        lambda: made(HEADER + '<row><c r="XFD2" t="str"><v>A</v></c></row>'), "Row 2 has 16,384"
    ),
    "a wide header": (
        lambda: made("<row>" + "<c t='str'><v>A</v></c>" * 10_000 + "</row>"), "1,001 columns"
    ),
    "a place that is none": (lambda: made('<row><c r="a1"><v>1</v></c></row>'), "a cell at 'a'"),
    "no such string": (lambda: made('<row><c t="s"><v>-1</v></c></row>', "<si/>"), "string '-1'"),
    "no strings": (lambda: made('<row><c t="s"><v>0</v></c></row>'), "has no strings"),
    "a row too many": (lambda: made(HEADER + ROW.replace("row", "row r='9999999'", 1)),
                       "more than 1,048,576 rows"),
    "no sheet": (lambda: made("", **{"xl/workbook.xml": "<workbook/>"}), "has no sheet"),
    "no book": (lambda: zipped({"xl/worksheets/sheet1.xml": "<a/>"}), "has no xl/workbook.xml"),
    "nothing": (lambda: made(""), "The file is empty"),
    "only a header": (lambda: made(HEADER), "a header and no rows"),
    "a header twice": (lambda: made(HEADER.replace("name", "SKU") + ROW), "more than once"),
}  # fmt: skip


def test_a_workbook_that_is_broken_or_a_bomb_is_refused(tmp_path: Path) -> None:
    for name, (data, message) in REFUSED.items():
        with pytest.raises(UnreadableFile, match=message):
            pytest.fail(f"{name}: {records(tmp_path, data())}")
        assert [path.name for path in tmp_path.iterdir()] == ["file.data"]


def test_a_part_may_not_be_unpacked_to_more_than_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = "".join(f'<row><c t="str"><v>{number}</v></c></row>' for number in range(60_000))
    with pytest.raises(UnreadableFile, match="more than 1 MB"):
        records(tmp_path, made(HEADER + rows), largest=1_000_000)
    monkeypatch.setattr("bodega_imports.unpacking.UNSUSPECTED", 1_000_000)
    with pytest.raises(UnreadableFile, match="more than 200 times its size"):
        records(tmp_path, made(HEADER + "<!-- -->" * 1_000_000))


GROWTH = """
import sys
from pathlib import Path
from bodega_imports.files import open_file

def peak():
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024

before = peak()
with open_file(Path(sys.argv[1])) as file:
    print(sum(1 for _ in file), peak() - before)
"""


@pytest.mark.slow
def test_half_a_million_rows_take_little_memory(tmp_path: Path) -> None:
    rows, path = 500_000, tmp_path / "file.data"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        parts = zipfile.ZipFile(io.BytesIO(made("")))
        for name in parts.namelist()[:-1]:
            archive.writestr(name, parts.read(name))
        with archive.open("xl/worksheets/sheet1.xml", "w") as sheet:
            sheet.write(b"<worksheet><sheetData>" + HEADER.encode())
            cells = "<row><c t='s'><v>%d</v></c><c t='s'><v>%d</v></c></row>"
            for first in range(0, rows, 10_000):
                numbers = range(first, first + 10_000)
                sheet.write("".join(cells % (2 * n, 2 * n + 1) for n in numbers).encode())
            sheet.write(b"</sheetData></worksheet>")
        with archive.open("xl/sharedStrings.xml", "w") as strings:
            strings.write(b"<sst>")
            for n in range(rows):
                strings.write(b"<si><t>SKU-%d</t></si><si><t>The name of %d</t></si>" % (n, n))
            strings.write(b"</sst>")
    command = [sys.executable, "-c", GROWTH, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=_environment())
    found, megabytes = map(int, done.stdout.split())
    assert found == rows
    assert megabytes < 48


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
