"""JSON Lines: an object is a record, its numbers stay the text that they are."""

import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodega_imports.files import open_file
from bodega_imports.records import BrokenRecord, Record, UnreadableFile


def read(folder: Path, data: str | bytes) -> tuple[list[str], list[Record]]:
    """Return the header and the records of a file."""
    path = folder / "file.data"
    path.write_bytes(data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass"))
    with open_file(path) as file:
        assert (file.kind, file.delimiter) == ("jsonl", "")
        return file.header, list(file)


CELLS = [
    ("12.50", "12.50"),
    ("1e3", "1e3"),
    ("0.1", "0.1"),
    ("1000000000000000000001", "1000000000000000000001"),
    ("-7", "-7"),
    ("null", ""),
    ("true", "true"),
    ("false", "false"),
    ('"x"', "x"),
    ('["a", 1.50, null, true]', "a, 1.50, , true"),
    ("[]", ""),
    ('"\\ud83d\\ude00 \\u20ac"', "😀 €"),
    ('"a\\u0000"', "a\0"),
]


def test_values_become_the_text_that_a_csv_file_would_have(tmp_path: Path) -> None:
    for written, expected in CELLS:
        header, records = read(tmp_path, f'{{"sku": "A", "x": {written}}}\n')
        assert (header, records) == (["sku", "x"], [Record(1, ["A", expected])]), written


def test_the_header_is_the_union_of_all_keys(tmp_path: Path) -> None:
    text = '{"sku": "A"}\n\n{"name": "B", "sku": "B", "": 1}\r\n{"loyalty": {"points": 3}}'
    header, records = read(tmp_path, text)
    assert header == ["sku", "name", "loyalty.points"]
    assert records == [
        Record(1, ["A", "", ""]), Record(3, ["B", "B", ""]), Record(4, ["", "", "3"]),
    ]  # fmt: skip


BROKEN = [
    ('{"sku": "B"', "no JSON"),
    ("{'sku': 1}", "no JSON"),
    ('{"sku": NaN}', "NaN is no number"),
    ('["B"]', "found a list"),
    ("12", "found a text or number"),
    ('{"a": {"b": {"c": 1}}}', "'a.b' is nested too deep"),
    ('{"a": [{"b": 1}]}', "'a' is nested too deep"),
    ('{"a": ' + "[" * 5000 + "]" * 5000 + "}", "nested too deep"),
    ('{"a": "\\ud800"}', "half a character"),
    ('{"\\udfff": 1}', "half a character"),
    ('{"a": "' + "x" * (1 << 20) + 'x"}', "longer than 1,048,576"),
    ('{"sku": "B"} {"sku": "C"}', "no JSON"),
]


def test_a_broken_line_costs_one_record(tmp_path: Path) -> None:
    for line, reason in BROKEN:
        _, records = read(tmp_path, f'{{"sku": "A"}}\n{line}\n{{"sku": "C"}}\n')
        first, broken, last = records
        assert (first.values, last.values) == (["A"], ["C"]), line[:50]
        assert isinstance(broken, BrokenRecord), line[:50]
        assert broken.line == 2
        assert reason in broken.reason, broken.reason
        assert broken.values == [line[:200]]


ENCODED = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]


@pytest.mark.parametrize("encoding", ENCODED)
@pytest.mark.parametrize("text", ['{"sku": "Ä"}\n{"sku": "B"}\n', '[{"sku": "Ä"},\n{"sku": "B"}]'])
def test_objects_are_read_in_every_encoding(tmp_path: Path, encoding: str, text: str) -> None:
    header, records = read(tmp_path, text.encode(encoding))
    assert header == ["sku"]
    assert [record.values for record in records] == [["Ä"], ["B"]]


def test_an_array_is_read_whether_on_one_line_or_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for block in (1, 7, 1 << 18):
        monkeypatch.setattr("bodega_imports.json_lines._BLOCK", block)
        text = '\n[ {"sku": "A",\n "x": [1.50, 2]}, 1234,{"sku": "B"}\n,\n{} ]\n '
        header, (first, broken, second, third) = read(tmp_path, text)
        assert header == ["sku", "x"]
        assert (first, second) == (Record(2, ["A", "1.50, 2"]), Record(3, ["B", ""]))
        assert isinstance(broken, BrokenRecord)
        assert "found a text or number" in broken.reason
        assert third == Record(5, ["", ""])


REFUSED = [
    ("[]", "it holds no object"),
    ("{}", "names no column"),
    ('{"products": [{"sku": 1}]}', "nested too deep.*an object per line was expected"),
    ('{\n"sku": 1\n}\n', "no JSON.*an object per line was expected"),
    ('{"sku": 1, "SKU": 2}', "names 'sku' more than once"),
    ('[{"sku": 1}', "broken on line 1 .']' was expected|',' was expected"),
    ('[{"sku": 1},\n{"sku" 2}]', "broken on line 2"),
    ('[{"sku": 1}] x', "text follows the end"),
    ('[{"sku": 1} {"sku": 2}]', "',' was expected"),
    ('[{"sku": 1},' + "[" * 100_000, "nested too deep"),
    ("\n".join(f'{{"k{number}": 1}}' for number in range(1_001)), "line 1001, has 1,001 columns"),
    ("[{" + ",".join(f'"k{number}": 1' for number in range(10_000)) + "}]", "10,000 columns"),
    (b'{"sku": "A"}\n{"sku": "\x81"}\n', "Line 2 .* not UTF-8"),
    ('{"sku": "' + "x" * (17 << 20) + '"}', "longer than 16,777,216"),
]


def test_what_holds_no_objects_is_refused(tmp_path: Path) -> None:
    for data, message in REFUSED:
        with pytest.raises(UnreadableFile, match=message):
            pytest.fail(f"{data[:50]!r}: {read(tmp_path, data)}")


@given(content=st.text(st.sampled_from('{}[]",:\n 1aé\\u0tn'), max_size=40))
def test_whatever_begins_like_json_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: str
) -> None:
    for start in ('{"sku":', "[{"):
        try:
            _, records = read(tmp_path_factory.getbasetemp(), start + content)
        except UnreadableFile:
            continue
        assert [record.line for record in records] == sorted(record.line for record in records)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    lines = "\n".join(f'{{"sku": "{number}", "price": 1.00}}' for number in range(30_000))
    array = "[" + lines.replace("\n", ",") + "]"
    for text in (lines, array):
        (tmp_path / "file.data").write_text(text, "utf-8")
        tracemalloc.start()
        try:
            with open_file(tmp_path / "file.data") as file:
                assert sum(1 for _ in file) == 30_000
            assert tracemalloc.get_traced_memory()[1] < 3 << 20
        finally:
            tracemalloc.stop()
