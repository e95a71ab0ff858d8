"""Rows: what becomes of each record of a file."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodega_imports.columns import recognise
from bodega_imports.files import open_file
from bodega_imports.records import BrokenRecord, Record
from bodega_imports.rows import MOST_VARIANTS, Folded, Row, RowError, read_rows

DATA = Path(__file__).parents[2] / "data"
SHOPIFY = (
    "Handle,Title,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Variant SKU,"
    "Variant Price,Published,Status,Image Src"
)
CELLS = st.one_of(st.text(max_size=5), st.sampled_from(["a", "b", "1.5", "x\0", "", "true"]))


def rows(header: str, *lines: str, exponent: int = 2) -> list[Row | RowError | Folded]:
    layout = recognise(header.split(","))
    records = [Record(line, text.split(",")) for line, text in enumerate(lines, start=2)]
    return list(read_rows(records, layout, exponent))


def products(found: list[Row | RowError | Folded]) -> list[Row]:
    return [each for each in found if isinstance(each, Row)]


def errors(found: list[Row | RowError | Folded]) -> list[RowError]:
    return [each for each in found if isinstance(each, RowError)]


def test_the_real_export_of_shopify_becomes_20_products() -> None:
    with open_file(DATA / "shopify-apparel.csv") as file:
        found = list(read_rows(file, recognise(file.header)))
    assert Counter(map(type, found)) == {Row: 20, Folded: 2}
    assert {Folded(4, 3), Folded(5, 3)} == {each for each in found if isinstance(each, Folded)}
    [top] = [each for each in products(found) if each.line == 3]
    assert top.sku == top.fields["slug"] == "classic-varsity-top"
    assert top.fields.keys() == {"name", "slug", "description", "is_active", "image_url",
                                 "price_minor", "compare_at_price_minor", "tags",
                                 "weight_grams"}  # fmt: skip
    assert top.fields["tags"] == ["women"]
    assert top.images == [(top.fields["image_url"], "")]
    assert (top.fields["price_minor"], top.fields["compare_at_price_minor"]) == (6000, None)
    sizes = [variant["options"] for variant in top.variants]
    assert sizes == [{"Size": "Small"}, {"Size": "Medium"}, {"Size": "Large"}]
    assert sum(each.variants[0]["options"] == {} for each in products(found)) == 19


def test_a_generated_catalogue_has_the_products_and_errors_it_says(tmp_path: Path) -> None:
    command = [sys.executable, "-X", "utf8", str(DATA / "make_products_csv.py"), "5000"]
    made = subprocess.run(command, capture_output=True, check=True)
    (path := tmp_path / "products.csv").write_bytes(made.stdout)
    expected = json.loads(made.stderr)
    with open_file(path) as file:
        found = list(read_rows(file, recognise(file.header)))
    assert len(found) == expected["rows"]
    assert len(errors(found)) == expected["invalid"]
    assert len({each.sku.lower() for each in products(found)}) == expected["products"]


def test_a_product_has_the_fields_of_the_file_and_no_more() -> None:
    header = "sku,name,price,currency,slug,is_active"
    assert rows(header, " a , A ,1.5,eur, x ,no", "b,B,2,,,, ") == [
        Row(2, "a", {"name": "A", "price_minor": 150, "currency": "EUR", "slug": "x",
                     "is_active": False}),
        Row(3, "b", {"name": "B", "price_minor": 200}),
    ]  # fmt: skip


def test_minor_units_are_those_of_the_currency() -> None:
    [yen] = rows("sku,name,price", "a,A,500.00", exponent=0)
    [dinar] = rows("sku,name,price", "a,A,0.5", exponent=3)
    assert yen == dinar == Row(2, "a", {"name": "A", "price_minor": 500})


def test_every_bad_column_of_a_record_is_named_as_the_header_names_it() -> None:
    long = "n" * 256
    header = "SKU,Title,Colour,Unit Price,Image Link"
    [error] = errors(rows(header, f" ,{long},re\0d,twelve,nowhere"))
    assert (error.line, error.column, error.value) == (2, "SKU", " ")
    assert error.reason == "a value is required"
    assert [column for column, _, _ in error.others] == header.split(",")[1:]
    assert error.others[0][1:] == ("n" * 200, "expected at most 255 characters, found 256")
    assert error.others[1][1:] == ("re␀d", "expected no NUL character")


@pytest.mark.parametrize(
    ("line", "column", "value", "reason"),
    [
        ("a,A,text", "price", "", "the row has 3 cells, the header has 4"),
        ("a,A,text,1,,x", "(column 5)", "x", "the row has 6 cells, the header has 4"),
        ("a,A,text,1,\0", "(column 5)", "␀", "the row has 5 cells, the header has 4"),
        (f"{'s' * 101},A,,1", "sku", "s" * 101, "expected at most 100 characters, found 101"),
        (f"a,A,{'d' * 100_001},1", "description", "d" * 200, "expected at most 100,000 character"),
    ],
)
def test_a_record_that_does_not_fit_is_an_error(
    line: str, column: str, value: str, reason: str
) -> None:
    [error] = errors(rows("sku,name,description,price", line))
    assert (error.column, error.value, error.others) == (column, value, ())
    assert error.reason.startswith(reason)


def test_a_sale_price_is_the_price_and_the_regular_one_is_compared_with_it() -> None:
    header = "SKU,Name,Regular price,Sale price,Images,Categories"
    first, second = products(rows(header, "a,A,20,18,,", "b,B,20,,,"))
    assert (first.fields["price_minor"], first.fields["compare_at_price_minor"]) == (1800, 2000)
    assert (second.fields["price_minor"], second.fields["compare_at_price_minor"]) == (2000, None)


def test_lists_of_woocommerce_give_their_first_entry_and_paths_of_magento_none() -> None:
    layout = recognise(["SKU", "Name", "Regular price", "Images", "Categories"])
    cells = ["a", "A", "1", "http://a.b/c, http://a.b/d", "Hats > Caps, Sale"]
    [row] = products(list(read_rows([Record(2, cells)], layout)))
    assert (row.fields["image_url"], row.fields["category"]) == ("http://a.b/c", "Hats > Caps")
    found = rows("sku,name,url_key,base_image,product_online", "a,A,x,/m/b/a.jpg,2")
    assert found == [Row(2, "a", {"name": "A", "slug": "x", "is_active": False})]


def test_variants_and_images_fold_into_the_product_of_their_handle() -> None:
    found = rows(
        SHOPIFY,
        "tee,Tee,Size,S,Colour,Red,T-S,10,true,active,http://a.b/1",
        "tee,,,M,,Blue,T-M,11.5,,,",
        "tee,,,,,,,,,,http://a.b/2",
        "cap,Cap,Title,Default Title,,,,5,true,draft,",
    )
    tee, cap = products(found)
    assert found == [Folded(3, 2), Folded(4, 2), tee, cap]
    assert tee.variants == [
        {"sku": "T-S", "options": {"Size": "S", "Colour": "Red"}, "price_minor": 1000},
        {"sku": "T-M", "options": {"Size": "M", "Colour": "Blue"}, "price_minor": 1150},
    ]
    assert (tee.sku, tee.fields["image_url"]) == ("T-S", "http://a.b/1")
    assert tee.fields["is_active"] is True
    assert (cap.sku, cap.fields["is_active"]) == ("cap", False)
    assert cap.variants == [{"sku": "cap", "options": {}, "price_minor": 500}]


def test_a_bad_further_row_leaves_the_rest_of_its_product() -> None:
    found = rows(
        SHOPIFY,
        "tee,Tee,Size,S,,,T-S,10,,,",
        "tee,,,M,,Blue,T-M,free,,,",
        "tee,,,,,,,,,,nowhere",
        "tee,,,L",
        "tee,,,XL,,,T-XL,10,,,",
    )
    assert [type(each) for each in found] == [RowError, RowError, RowError, Folded, Row]
    columns = [each.column for each in errors(found)]
    assert columns == ["Option2 Name", "Image Src", "Option2 Name"]
    assert errors(found)[0].others[0][0] == "Variant Price"
    assert [variant["sku"] for variant in products(found)[0].variants] == ["T-S", "T-XL"]


def test_rows_of_a_product_that_failed_are_errors_naming_its_line() -> None:
    found = rows(SHOPIFY, "tee,,Size,S,,,,10,,,", "tee,,,M,,,,10,,,", "cap,Cap,,,,,,5,,,")
    assert [type(each) for each in found] == [RowError, RowError, Row]
    first, second = errors(found)
    assert (first.column, second.column, second.value) == ("Title", "Handle", "tee")
    assert second.reason == "its product begins on line 2, which has errors: mend it"


def test_rows_without_a_handle_or_broken_do_not_end_a_product() -> None:
    first, other = Record(2, ["tee", "Tee", "1"]), Record(3, [" ", "Cap", "1"])
    broken, further = BrokenRecord(4, ['tee,"'], "broken"), Record(5, ["tee", "", "2"])
    layout = recognise(["handle", "title", "price"])
    found = list(read_rows([first, other, broken, further], layout))
    assert [type(each) for each in found] == [RowError, RowError, Folded, Row]
    assert errors(found)[0].column == "handle"
    assert errors(found)[1] == RowError(4, "", 'tee,"', "broken")


def test_a_handle_too_long_to_be_a_sku_is_told_when_there_is_no_sku() -> None:
    [error] = errors(rows("handle,title", "h" * 101 + ",Tee"))
    assert error.reason == "expected at most 100 characters, found 101"
    assert products(rows("handle,title,sku", "h" * 101 + ",Tee,T"))[0].sku == "T"


def test_the_variants_of_a_product_are_limited() -> None:
    lines = [f"tee,Tee,Size,{size},,,,1,,," for size in range(MOST_VARIANTS + 1)]
    found = rows(SHOPIFY, *lines)
    assert len(products(found)[0].variants) == MOST_VARIANTS
    assert "2,048 variants already" in errors(found)[0].reason


@pytest.mark.parametrize("header", ["sku,name,price,is_active,x", "handle,title,price,sku,image"])
@given(table=st.lists(st.lists(CELLS, min_size=1, max_size=6)))
def test_every_record_has_exactly_one_outcome(header: str, table: Sequence[list[str]]) -> None:
    records = [Record(line, values) for line, values in enumerate(table, start=2)]
    found = list(read_rows(records, recognise(header.split(","))))
    assert sorted(each.line for each in found) == [record.line for record in records]
    assert not any("\0" in each.value for each in errors(found))
