"""Reading column by column gives what reading cell by cell does."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodega_imports import columnar
from bodega_imports.columnar import PlainTable, fits
from bodega_imports.columns import recognise
from bodega_imports.records import BrokenRecord, Record
from bodega_imports.rows import Row, read_rows

HEADER = (
    "sku", "name", "price", "compare_at_price", "description", "category", "is_active",
    "image_url", "weight_grams",
)  # fmt: skip
GOOD = ("A-1", "Lamp", "12.50", "", "Bright", "Lamps", "true", "https://x.example/a.png", "7")
CELLS = st.sampled_from(
    ["", " ", "x", "A-1 ", "12.50", "-1", "true", "no", "a\0b", "https://x.example/", "y" * 300]
)
RECORDS = st.one_of(
    st.just(GOOD),
    st.tuples(*(st.one_of(st.just(good), CELLS) for good in GOOD)),
    st.lists(CELLS, min_size=1, max_size=11),
)


def _singly(records: list[Record]) -> Any:
    found, wrong = [], []
    for item in read_rows(records, recognise(HEADER)):
        if isinstance(item, Row):
            said = {"compare_at_price_minor": "compare_at_minor"}
            values = {said.get(name, name): value for name, value in item.fields.items()}
            found.append((item.line, item.sku, values))
        else:
            wrong.append(item)
    return found, wrong


def _at_once(records: list[Record]) -> Any:
    table = PlainTable(recognise(HEADER), 2)
    found: list[Any] = []
    batches = list(table.read(records))
    for line, (sku, *values) in (row for rows, _ in batches for row in rows):
        pairs = zip(table.fields, values, strict=True)
        said = {n: v for n, v in pairs if v is not None or n == "compare_at_minor"}
        found.append((line, sku, said))
    return found, [item for _, wrong in batches for item in wrong]


@pytest.mark.parametrize("batch", [1, 3, 1000])
@given(rows=st.lists(RECORDS, max_size=12))
def test_both_find_the_same_rows_and_the_same_faults_in_order(rows: Any, batch: int) -> None:
    records = [Record(line, list(cells)) for line, cells in enumerate(rows, 2)]
    records.append(BrokenRecord(99, ["x"], "a quote is opened and never closed"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(columnar, "BATCH", batch)
        assert _at_once(records) == _singly(records)


@pytest.mark.parametrize(
    ("header", "plain"),
    [
        ("sku,name,price,is_active", True),
        ("sku,name,price,tags", False),
        ("sku,name,price,images", False),
        ("sku,name,price,inventory.stock", False),
        ("Handle,Title,Variant Price", False),
        ("SKU,Name,Regular price,Sale price", False),
    ],
)
def test_what_is_more_than_values_is_read_singly(header: str, plain: bool) -> None:
    layout = recognise(header.split(","), ["inventory.stock"])
    assert fits(layout, ["inventory.stock"]) is plain
