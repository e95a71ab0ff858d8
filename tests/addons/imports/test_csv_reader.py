"""The CSV reader: any file is read, in constant memory, or refused in plain words."""

import csv
import io
import re
import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodega_imports.files import open_file
from bodega_imports.records import (
    LARGEST_CELL,
    BadReading,
    BrokenRecord,
    Reading,
    Record,
    UnreadableFile,
)

HEADER = "sku,name,price\n"
TABLES = st.integers(2, 5).flatmap(
    lambda width: st.lists(st.lists(st.text(), min_size=width, max_size=width), min_size=1)
)


def written(folder: Path, content: str | bytes, encoding: str = "utf-8") -> Path:
    path = folder / "products.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def records(path: Path) -> list[Record]:
    with open_file(path) as file:
        return list(file)


@given(
    table=TABLES,
    delimiter=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    dialect=st.sampled_from([csv.excel, csv.unix_dialect]),
)
def test_what_csv_writer_writes_is_read_back_with_the_lines_it_starts_on(
    tmp_path_factory: pytest.TempPathFactory,
    table: list[list[str]],
    delimiter: str,
    encoding: str,
    dialect: type[csv.Dialect],
) -> None:
    text = io.StringIO(newline="")
    out = csv.writer(text, dialect, delimiter=delimiter)
    out.writerow([f"column {at}" for at in range(len(table[0]))])
    expected = []
    for values in table:
        lines = len(io.StringIO(text.getvalue(), newline="").readlines())
        expected.append(Record(lines + 1, values))
        out.writerow(values)
    path = written(tmp_path_factory.getbasetemp(), text.getvalue(), encoding)
    with open_file(path) as file:
        assert (file.encoding, file.delimiter) == (encoding, delimiter)
        assert list(file) == expected


@given(content=st.binary(), header=st.sampled_from([b"sku,name\n", b"\xff\xfe", b""]))
def test_any_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, header: bytes
) -> None:
    path = written(tmp_path_factory.getbasetemp(), header + content)
    try:
        lines = [record.line for record in records(path)]
    except UnreadableFile:
        return
    assert lines == sorted(set(lines))
    assert lines


@pytest.mark.parametrize("stray", ['"A,B', 'A,"B', 'A,"15" B"', '"A"x,B'])
@pytest.mark.parametrize("after", ["b,B\n", '"b","B"\n'])
def test_a_stray_quote_costs_one_record_only(tmp_path: Path, stray: str, after: str) -> None:
    found = records(written(tmp_path, f"sku,name\na,A\n{stray}\n{after}c,C\n"))
    assert [record.line for record in found] == [2, 3, 4, 5]
    assert [isinstance(record, BrokenRecord) for record in found] == [False, True, False, False]
    assert found[1].values == [stray]
    assert found[2].values == ["b", "B"]


def test_a_quote_that_is_never_closed_is_told_at_its_own_line(tmp_path: Path) -> None:
    rest = "".join(f"{number},name\n" for number in range(150_000))
    first, *others = records(written(tmp_path, f'sku,name\n"a,A\n{rest}'))
    assert isinstance(first, BrokenRecord)
    assert first.line == 2
    assert "quote is not closed" in first.reason
    assert len(others) == 150_000


def test_a_file_made_of_opened_quotes_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bodega_imports.csv_reader.MOST_REREAD", 100_000)
    with pytest.raises(UnreadableFile, match="Too many quotes are not closed"):
        records(written(tmp_path, "sku,name\n" + 'x","\n' * 2_000))


def test_a_cell_may_be_a_mebibyte_long_and_no_longer(tmp_path: Path) -> None:
    longest = "x" * LARGEST_CELL
    content = f"{HEADER}a,{longest},1\nb,{longest}x,1\nc,C,1\n"
    whole, broken, last = records(written(tmp_path, content))
    assert whole.values[1] == longest
    assert isinstance(broken, BrokenRecord)
    assert "longer than 1,048,576" in broken.reason
    assert last == Record(4, ["c", "C", "1"])


def test_a_record_over_many_lines_is_limited_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bodega_imports.csv_reader.LARGEST_RECORD", 1_000)
    monkeypatch.setattr("bodega_imports.csv_reader._BLOCK", 100)
    many = ",".join(['"two\nlines"'] * 100)
    first, *_, last = records(written(tmp_path, f"sku,name\na,{many}\nb,B\n"))
    assert isinstance(first, BrokenRecord)
    assert "longer than 1,000 characters" in first.reason
    assert last.values == ["b", "B"]


def test_cp1252_is_found_out_however_late_its_first_byte_comes(tmp_path: Path) -> None:
    rows = "".join(f"{number},Plain name,1\n" for number in range(200_000))
    path = written(tmp_path, f"{HEADER}{rows}z,Größe €,1\n", "cp1252")
    assert path.stat().st_size > 3 << 20
    with open_file(path) as file:
        assert file.encoding == "cp1252"
        assert list(file)[-1].values == ["z", "Größe €", "1"]


def test_letters_that_straddle_two_blocks_of_the_file_are_still_utf_8(tmp_path: Path) -> None:
    content = HEADER + "x" * ((1 << 20) - len(HEADER) - 1) + "€,A,1\n"
    with open_file(written(tmp_path, content)) as file:
        assert file.encoding == "utf-8"


@pytest.mark.parametrize(
    ("content", "names", "delimiter"),
    [
        ("\r\n \r\n sku ;name \r\na;A", ["sku", "name"], ";"),
        ('"sku, or code";name\na;A', ["sku, or code", "name"], ";"),
        ("sku|name|,\na|A|b", ["sku", "name", ","], "|"),
        ("sku\tname\t\t\na\tA", ["sku", "name"], "\t"),
        ("sku,,name\na,,A", ["sku", "", "name"], ","),
        ('\ufeff\ufeff"sku",name\na,A', ['"sku"', "name"], ","),
        ("sku\ra", ["sku"], ","),
    ],
)
def test_header_and_delimiter_are_read(
    tmp_path: Path, content: str, names: list[str], delimiter: str
) -> None:
    with open_file(written(tmp_path, content)) as file:
        assert (file.header, file.delimiter) == (names, delimiter)


def test_blank_lines_are_no_records_and_odd_lengths_are(tmp_path: Path) -> None:
    found = records(written(tmp_path, HEADER + "\na\n  \r\n\r\nb,B,1,2\n,,\n\n"))
    assert found == [Record(3, ["a"]), Record(6, ["b", "B", "1", "2"]), Record(7, ["", "", ""])]


def test_nul_in_a_cell_is_left_to_those_who_map_it(tmp_path: Path) -> None:
    assert records(written(tmp_path, HEADER + "a\0,A,1\n")) == [Record(2, ["a\0", "A", "1"])]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "The file is empty"),
        (b"\xef\xbb\xbf\n \n", "The file is empty"),
        (HEADER.encode(), "a header and no records"),
        (b",,\na,b,c\n", "names no column"),
        (b"sku,name,SKU\na,A,b\n", "names 'sku' more than once"),
        (b'"sku,name\na,A\n', "header on line 1 cannot be read: a quote is opened"),
        (b"sku,na\0me\na,A\n", "holds NUL bytes"),
        (HEADER.encode() + b"a,A,1\nb,\x81\xfc,1\n", "Line 3 .* not UTF-8 or cp1252 text"),
        (b"\xef\xbb\xbfsku,name\na,\xfc\n", "Line 2 .* not utf-8-sig"),
        (b"\xff\xfes\0k", "Line 1 .* not utf-16"),
        (b"x" * (18 << 20), "longer than 16,777,216 characters"),
    ],
)
def test_what_is_no_csv_file_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(UnreadableFile, match=message):
        records(written(tmp_path, content))


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, HEADER + "SKU-1,Name of it,1.00\n" * 500_000)
    tracemalloc.start()
    try:
        with open_file(path) as file:
            assert sum(1 for _ in file) == 500_000
        assert tracemalloc.get_traced_memory()[1] < 6 << 20
    finally:
        tracemalloc.stop()


SEPARATED = [
    ("sku:name\na:A\nb:B\n", "", ":"),
    ("sku^name\na^A\n", "", "^"),
    ("sku~name\n~\n", "", "~"),
    ("sku\x01name, in full\na\x01A, B\n", "", "\x01"),
    ("sku\x1fname\na\x1fA\n", "", "\x1f"),
    ("url\nhttp://shop.example/a\nb\n", "", ","),
    ("a:b\nno colon\nc:d\n", "", ","),
    ("sku;name, in full, with commas\na;A\nb;B\n", "", ";"),
    ("sku,name;full;of;it\na,A\nb,B\n", "", ","),
    ("sku,name\tx\na,A\tx\n", "products.TSV", "\t"),
    ("sku,name\tx\na,A\tx\n", "products.csv", ","),
    ("sep=|\nsku|name,x,y\na|A\n", "", "|"),
    ('"sep=^"\r\nsku^name,x,y\r\na^A\r\n', "", "^"),
]


def test_a_delimiter_is_found_out_where_it_plainly_separates(tmp_path: Path) -> None:
    for content, name, delimiter in SEPARATED:
        with open_file(written(tmp_path, content), name) as file:
            assert file.delimiter == delimiter, content
            assert file.header[0].partition(",")[0] in ("sku", "url", "a", "a:b"), content
            lines = [record.line for record in file]
        assert lines[-1] == content.count("\n")


def test_delimiter_and_encoding_may_be_told(tmp_path: Path) -> None:
    path = written(tmp_path, "sku,name#price\nÄ,A#1\nЖ,B#2\n", "utf-16-be")
    with open_file(path, options=Reading("#", "UTF-16BE")) as file:
        assert (file.encoding, file.delimiter) == ("utf-16-be", "#")
        assert (file.header, [r.values for r in file]) == (
            ["sku,name", "price"], [["Ä,A", "1"], ["Ж,B", "2"]],
        )  # fmt: skip
    path = written(tmp_path, "sku\tname\n商品\tランプ\n", "shift_jis")
    with open_file(path, options=Reading("tab", "Shift-JIS")) as file:
        assert [record.values for record in file] == [["商品", "ランプ"]]
    with (
        pytest.raises(UnreadableFile, match="Line 2 of the file is not utf-8, as was asked"),
        open_file(path, options=Reading(encoding="utf-8")),
    ):
        pytest.fail("it is no UTF-8")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("delimiter", "ab"),
        ("delimiter", '"'),
        ("delimiter", "\n"),
        ("delimiter", "\0"),
        ("delimiter", "\ud800"),
        ("encoding", "klingon"),
        ("encoding", "zlib"),
        ("encoding", "punycode"),
        ("encoding", "utf-7"),
        ("encoding", "a\0b"),
        ("encoding", "x" * 1_000),
    ],
)
def test_an_option_that_cannot_be_used_is_refused_by_its_name(field: str, value: str) -> None:
    with pytest.raises(BadReading, match="Expected") as refused:
        Reading(**{field: value})
    assert (refused.value.field, refused.value.found) == (field, value)


ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_encoding_is_found_out(tmp_path: Path, encoding: str) -> None:
    with open_file(written(tmp_path, "sku,näme\nä,é\n", encoding)) as file:
        assert (file.encoding, file.header) == (encoding, ["sku", "näme"])
        assert [record.values for record in file] == [["ä", "é"]]


FOREIGN = {
    "a picture (PNG)": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "a picture (JPEG)": b"\xff\xd8\xff\xe0" + bytes(100),
    "a PDF document": b"%PDF-1.7\n%\xe2\xe3\n",
    "an old workbook (.xls) or one with a password": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(9),
    "a program (Windows)": b"MZ\x90\0\x03" + bytes(100),
    "a program (Linux)": b"\x7fELF\x02\x01",
    "a database (SQLite)": b"SQLite format 3\0" + bytes(100),
    "an archive (7z)": b"7z\xbc\xaf\x27\x1c\0",
    "an archive (zstd)": b"\x28\xb5\x2f\xfd\0",
    "a web page or XML": b"\n <!DOCTYPE html>\n<html>",
    "binary data": bytes(range(256)) * 40,
}


def test_a_file_of_another_kind_is_called_by_its_name(tmp_path: Path) -> None:
    for what, content in FOREIGN.items():
        with pytest.raises(UnreadableFile, match=re.escape(f"The file is {what}: ")) as refused:
            records(written(tmp_path, content))
        assert len(str(refused.value)) > len(what) + 30, "no remedy"
    for word in (b"MZ-1,name\nGIF8,A\n", b"BZh,name\na,A\n", b"PAR1,RIFF\na,A\n"):
        assert records(written(tmp_path, word))


def test_a_header_may_name_a_thousand_columns_and_no_more(tmp_path: Path) -> None:
    names = [f"c{number}" for number in range(10_000)]
    with open_file(written(tmp_path, ",".join(names[:1_000]) + "\n1\n")) as file:
        assert file.header == names[:1_000]
    with pytest.raises(UnreadableFile, match="has 10,000 columns; at most 1,000 are read"):
        records(written(tmp_path, ",".join(names) + "\n1\n"))


def test_records_over_many_blocks_keep_their_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = 'sku,name\na,"x\ny\n\nz"\n"b,B\nc,C\n\n"d","D\nD"\ne,"E'
    expected = records(written(tmp_path, text))
    assert [(record.line, type(record)) for record in expected] == [
        (2, Record), (6, BrokenRecord), (7, Record), (9, Record), (11, BrokenRecord),
    ]  # fmt: skip
    for block in range(1, 40):
        monkeypatch.setattr("bodega_imports.csv_reader._BLOCK", block)
        assert records(written(tmp_path, text)) == expected


@pytest.mark.slow
def test_a_line_of_a_gigabyte_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, HEADER)
    with path.open("ab") as file:
        for _ in range(1_000):
            file.write(b"x" * 1_000_000)
    tracemalloc.start()
    try:
        began = time.process_time()
        with pytest.raises(UnreadableFile, match="Line 2 is longer than 16,777,216"):
            records(path)
        assert time.process_time() - began < 2
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
        path.unlink()
