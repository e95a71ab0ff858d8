"""Recognising columns: the exports of other shops, and what is like them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodega_imports.columns import BadCell, UnrecognisedColumns, parsers, recognise, tags
from bodega_imports.files import open_file

DATA = Path(__file__).parents[2] / "data"
WOOCOMMERCE = (
    "ID,Type,SKU,Name,Published,Is featured?,Short description,Description,In stock?,Sale price,"
    "Regular price,Categories,Images,Parent,Attribute 1 name,Attribute 1 value(s)"
)
MAGENTO = (
    "sku,store_view_code,attribute_set_code,product_type,categories,name,description,"
    "short_description,product_online,price,special_price,url_key,base_image,base_image_label"
)
NEW_SHOPIFY = (
    "Title,URL handle,Description,Vendor,Product category,Type,Published on online store,Status,"
    "SKU,Option1 name,Option1 value,Option1 Linked To,Price,Compare-at price,Product image URL"
)


def named(names: str) -> dict[str, str]:
    header = names.split(",")
    return {field: header[at] for field, at in recognise(header).columns.items()}


def test_our_own_format_is_recognised() -> None:
    layout = recognise(["sku", "name", "description", "price", "is_active"])
    assert layout.format == "bodega"
    assert not layout.grouped
    assert layout.columns == {"sku": 0, "name": 1, "description": 2, "price": 3, "is_active": 4}
    assert layout.options == ()
    assert layout.ignored == ()


def test_a_real_export_of_shopify_is_recognised() -> None:
    with open_file(DATA / "shopify-apparel.csv") as file:
        layout = recognise(file.header)
    assert layout.format == "shopify"
    assert layout.grouped
    assert {field: layout.header[at] for field, at in layout.columns.items()} == {
        "handle": "Handle",
        "sku": "Variant SKU",
        "name": "Title",
        "description": "Body (HTML)",
        "price": "Variant Price",
        "compare_at_price": "Variant Compare At Price",
        "category": "Type",
        "is_active": "Published",
        "image_url": "Image Src",
        "image_alt": "Image Alt Text",
        "tags": "Tags",
        "weight": "Variant Grams",
        "meta_title": "SEO Title",
        "meta_description": "SEO Description",
    }
    assert layout.options == ((7, 8), (9, 10), (11, 12))
    assert "Vendor" in layout.ignored
    assert "Title" not in layout.ignored
    assert len(layout.ignored) + len(layout.columns) + 6 == len(layout.header)


def test_the_newer_headers_of_shopify_are_recognised() -> None:
    layout = recognise(NEW_SHOPIFY.split(","))
    assert layout.format == "shopify"
    assert layout.options == ((9, 10),)
    assert named(NEW_SHOPIFY) == {
        "handle": "URL handle",
        "sku": "SKU",
        "name": "Title",
        "description": "Description",
        "price": "Price",
        "compare_at_price": "Compare-at price",
        "category": "Type",
        "is_active": "Published on online store",
        "status": "Status",
        "image_url": "Product image URL",
    }
    assert named("Handle,Title,Product Category")["category"] == "Product Category"


def test_an_export_of_woocommerce_is_recognised() -> None:
    layout = recognise(WOOCOMMERCE.split(","))
    assert layout.format == "woocommerce"
    assert not layout.grouped
    assert layout.options == ()
    assert named(WOOCOMMERCE) == {
        "sku": "SKU",
        "name": "Name",
        "description": "Description",
        "price": "Regular price",
        "sale_price": "Sale price",
        "category": "Categories",
        "is_active": "Published",
        "images": "Images",
        "is_featured": "Is featured?",
    }
    assert {"Type", "Parent", "Short description"} <= set(layout.ignored)


def test_an_export_of_magento_is_recognised() -> None:
    assert recognise(MAGENTO.split(",")).format == "magento"
    assert named(MAGENTO) == {
        "sku": "sku",
        "name": "name",
        "slug": "url_key",
        "description": "description",
        "price": "price",
        "sale_price": "special_price",
        "category": "categories",
        "is_active": "product_online",
        "image_url": "base_image",
    }


@given(order=st.permutations(WOOCOMMERCE.split(",")))
def test_the_order_of_columns_does_not_matter(order: list[str]) -> None:
    assert named(",".join(order)) == named(WOOCOMMERCE)


@pytest.mark.parametrize("name", ["Item SKU", "item_sku", " ITEM-SKU: ", "itemSku"])
def test_case_spaces_and_punctuation_do_not_matter(name: str) -> None:
    layout = recognise([name, "Product title", "Colour"])
    assert layout.format == "generic"
    assert layout.columns == {"sku": 0, "name": 1}
    assert layout.ignored == ("Colour",)


def test_a_handle_makes_any_format_grouped() -> None:
    assert recognise(["handle", "sku", "name", "price"]).grouped


def test_unnamed_columns_are_passed_over() -> None:
    assert recognise(["sku", "", "name", "?"]).ignored == ("?",)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (["name", "price"], r"the SKU \(sku, Variant SKU, Handle\); found name, price: rename"),
        (["sku", "price"], r"the name \(name, Title\); found sku, price"),
        (["1", "Blue"], "the SKU .* and the name .*; found 1, Blue"),
    ],
)
def test_columns_of_something_else_are_refused(header: list[str], message: str) -> None:
    with pytest.raises(UnrecognisedColumns, match=message):
        recognise(header)


@given(minor=st.integers(0, 10**12 - 1), exponent=st.integers(0, 3), zeros=st.text("0"))
def test_prices_are_read_to_the_minor_unit(minor: int, exponent: int, zeros: str) -> None:
    whole, decimals = divmod(minor, 10**exponent)
    decimal = (f"{decimals:0{exponent}d}" if exponent else "") + zeros
    cell = f"{whole}.{decimal}" if decimal else f"{whole}"
    assert parsers("generic", exponent)["price"](f" {cell}\t") == minor


@pytest.mark.parametrize(
    "cell",
    ["", "-1", "+1", "1.", ".5", "1.001", "1e3", "nan", "inf", "€5", "5 EUR", "1,299.00", "1,5",
     "1 000", "0x1", "1_000", "١", "9" * 13, "1\n2"],
)  # fmt: skip
def test_what_is_no_plain_decimal_is_no_price(cell: str) -> None:
    with pytest.raises(BadCell, match=r"plain decimal such as 1299\.00, at most 2 decimals"):
        parsers("generic", 2)["price"](cell)


@pytest.mark.parametrize(
    ("format", "cell", "expected"),
    [("generic", " TRUE ", True), ("generic", "Active", True), ("generic", "archived", False),
     ("generic", "draft", False), ("generic", "0", False), ("generic", " ", None),
     ("woocommerce", "-1", False), ("magento", "2", False), ("magento", "1", True)],
)  # fmt: skip
def test_switches_are_read(format: str, cell: str, expected: bool | None) -> None:
    assert parsers(format, 2)["is_active"](cell) is expected


@pytest.mark.parametrize("cell", ["ftp://a.b/c", "a.jpg", "http://", "https://a b", "http:///a",
                                  "https://a.b/" + "c" * 2000])  # fmt: skip
def test_what_is_no_address_is_no_image(cell: str) -> None:
    with pytest.raises(BadCell, match="http:// or https://"):
        parsers("generic", 2)["image_url"](cell)


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("oak,  brass ,oak", ["oak", "brass"]),
        ('"warm, soft", b', ["warm, soft", "b"]),
        ('"say ""hi"""', ['say "hi"']),
        ('12" wide, "new" lamp', ['12" wide', '"new" lamp']),
        ('"left open, b', ['"left open', "b"]),
        ('a "b, c" d,\n"e"', ['a "b', 'c" d', '"e"']),
        ('""', []),
    ],
)
def test_tags_stand_between_commas_and_in_quotes_where_they_have_some(
    cell: str, names: list[str]
) -> None:
    assert tags(cell) == names
