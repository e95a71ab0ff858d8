"""Exports: products in files of each format, what is in them, and that imports take them back."""

import csv
import gzip
import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest

from bodega.addons import lifecycle
from bodega_products.models import Category, Product, Variant
from bodega_products.text import options_key
from bodega_sdk import transaction

EXPORTS, IMPORTS = "/api/v1/exports", "/api/v1/imports"
USUAL = [
    "sku", "name", "slug", "description", "price", "compare_at_price", "currency", "category",
    "image_url", "is_active", "variants",
]  # fmt: skip
Exported = Callable[..., bytes]


def make(sku: str = "S-1", **fields: Any) -> Product:
    """Make a product."""
    usual = {"name": "Lamp", "sku_key": sku.casefold(), "slug": sku.casefold(),
             "price_minor": 2999, "currency": "USD"}  # fmt: skip
    with transaction():
        made: Product = Product.create(sku=sku, **(usual | fields))
    return made


def make_variant(product: Product, position: int, options: dict[str, str], **fields: Any) -> None:
    """Make a variant of a product."""
    usual = {"price_minor": 0, "has_price": False, "sku": "", "sku_key": None}
    with transaction():
        Variant.create(product=product, position=position, options=options,
                       options_key=options_key(options), **(usual | fields))  # fmt: skip


@pytest.fixture
def exported(admin: Any, worker: Any) -> Exported:
    """Export with some options, and return the file; its hash and size must be as they are told."""

    def export(who: Any = admin, **options: Any) -> bytes:
        run = who.post(EXPORTS, options).expect(202)
        worker.run()
        run = who.get(f"{EXPORTS}/{run['id']}").expect(200)
        assert run["status"] == "completed", run["message"]
        assert (run["progress"], run["processed_rows"]) == (100, run["total_rows"])
        answer = who.get(f"{EXPORTS}/{run['id']}/file")
        assert answer.status_code == 200
        assert hashlib.sha256(answer.content).hexdigest() == run["sha256"]
        assert len(answer.content) == run["size"]
        content: bytes = answer.content
        return content

    return export


@pytest.fixture
def imported(admin: Any, worker: Any) -> Callable[[bytes], dict[str, Any]]:
    """Import a file, and return what became of it."""

    def send(data: bytes) -> dict[str, Any]:
        sent = {"Content-Type": "application/octet-stream"}
        run = admin.post(IMPORTS, body=data, headers=sent).expect(202)
        worker.run()
        found: dict[str, Any] = admin.get(f"{IMPORTS}/{run['id']}").expect(200)
        assert (found["status"], found["errors"]) == ("completed", 0), found
        return found

    return send


def fill() -> None:
    """Make products with everything that is hard to write down."""
    named = Category.create(name="Lamps & more", slug="lamps-more", path="a/")
    renamed = Category.create(name="Furniture", slug="chairs", path="b/")
    make(category=named, description='Soft, "warm"\n=1+1', compare_at_minor=3500)
    make("A-1", name="=cmd|'/c calc'!A1", description="'=x", is_active=False, category=renamed)
    make("a-2", name="-2", description="-2\n", image_url="https://x.example/a.png")
    shirt = make("T", name="＝Shirt", description="\r\n\ttabs\tand blanks ", price_minor=5)
    make_variant(shirt, 1, {"Size": "S", "Colour": 'r"e,d'}, sku="T-S", sku_key="t-s")
    make_variant(shirt, 4, {"Size": "L"}, price_minor=1234, has_price=True)


EXPECTED = '''\
sku,name,slug,description,price,compare_at_price,currency,category,image_url,is_active,variants
A-1,'=cmd|'/c calc'!A1,a-1,''=x,29.99,,USD,chairs,,false,
a-2,-2,a-2,"'-2
",29.99,,USD,,https://x.example/a.png,true,
S-1,Lamp,s-1,"Soft, ""warm""
=1+1",29.99,35.00,USD,Lamps & more,,true,
T,'＝Shirt,t,"'\r
\ttabs\tand blanks ",0.05,,USD,,,true,"[{""sku"":""T-S"",""options"":{""Colour"":""r\\""e,d"",\
""Size"":""S""},""price"":null},{""sku"":"""",""options"":{""Size"":""L""},""price"":""12.34""}]"
'''


def test_an_export_has_the_same_bytes_on_both_engines_and_is_taken_back(
    exported: Exported, imported: Any
) -> None:
    fill()
    first = exported()
    assert first.decode() == EXPECTED
    again = imported(first)
    assert (again["unchanged"], again["total_rows"], again["format"]) == (4, 4, "bodega")
    assert again["ignored_columns"] == []
    Product.delete().execute()
    assert imported(first)["created"] == 4
    assert exported() == first


def test_every_format_holds_the_same_products(exported: Exported, imported: Any) -> None:
    fill()
    plain = exported(escape_formulas=False)
    table = list(csv.reader(io.StringIO(plain.decode(), newline="")))
    assert table[0] == USUAL
    assert table[1][1] == "=cmd|'/c calc'!A1"
    tabs = exported(format="tsv", escape_formulas=False, encoding="utf-16").decode("utf-16")
    assert list(csv.reader(io.StringIO(tabs, newline=""), delimiter="\t")) == table
    marked = exported(delimiter=";", escape_formulas=False, encoding="utf-8-sig")
    text = io.StringIO(marked.decode("utf-8-sig"), newline="")
    assert marked.startswith(b"\xef\xbb\xbf")
    assert list(csv.reader(text, delimiter=";")) == table
    packed = exported(compression="gzip", escape_formulas=False)
    assert gzip.decompress(packed) == plain
    with zipfile.ZipFile(io.BytesIO(exported(compression="zip", escape_formulas=False))) as archive:
        assert archive.read("products.csv") == plain
    book = exported(format="xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(book), read_only=True).active
    cells = [[_unescaped(cell or "") for cell in row] for row in sheet.iter_rows(values_only=True)]
    assert cells == table
    lines = exported(format="jsonl")
    objects = [json.loads(line) for line in lines.decode().splitlines()]
    assert [list(item) for item in objects] == [USUAL] * 4
    assert objects[3]["variants"][1] == {"sku": "", "options": {"Size": "L"}, "price": "12.34"}
    assert (objects[0]["is_active"], objects[0]["compare_at_price"]) == (False, None)
    for file in (exported(), book, lines, exported(compression="gzip")):
        assert imported(file)["unchanged"] == 4


def _unescaped(cell: str) -> str:
    return cell.replace("_x000D_", "\r")


def test_tags_with_commas_and_quotes_come_back_as_they_were(
    exported: Exported, imported: Any
) -> None:
    fill()
    names = ["warm, soft", 'say "hi"', '"', '12" wide', "a,b", "=1", "plain"]
    tagged = Product.sku == "S-1"
    Product.update(tag_names=names).where(tagged).execute()
    file = exported(columns=["sku", "name", "price", "tags"], filters={"sku": "S-1"})
    Product.update(tag_names=[]).where(tagged).execute()
    assert imported(file)["updated"] == 1
    assert sorted(Product.get(tagged).tag_names) == sorted(names)


def test_columns_are_chosen_and_rows_are_narrowed(exported: Exported, admin: Any) -> None:
    fill()
    Product.update(tag_names=["warm, soft", "b"], cost_minor=100).where(
        Product.sku == "S-1"
    ).execute()
    found = {"sku": "S-1"}
    chosen = exported(columns=["sku", "tags", "cost", "weight_grams"], filters=found)
    assert chosen == b'sku,tags,cost,weight_grams\nS-1,"""warm, soft"", b",1.00,\n'
    sent = {"sku": "N-1", "name": "Kettle", "price": "3.00"}
    admin.post("/api/v1/products", sent).expect(201)
    assert exported(columns=["sku"], filters={"search": "kettle"}) == b"sku\nN-1\n"
    assert exported(columns=["image_url"], filters={"sku": "T"}) == b'image_url\n""\n'
    for filters, found in (
        ({"category": "chairs", "is_active": "false"}, ["A-1"]),
        ({"updated_after": "2030-01-01"}, []),
        ({"updated_after": "2020-01-01", "price_min": "5"}, ["A-1", "a-2", "S-1"]),
    ):
        data = exported(columns=["sku"], filters=filters).decode()
        assert data.splitlines() == ["sku", *found], filters
    lines = exported(format="jsonl", columns=["tags", "id"], filters={"sku": "S-1"})
    assert json.loads(lines)["tags"] == ["warm, soft", "b"]
    key = str(Product.get(Product.sku == "S-1").id)
    assert json.loads(lines)["id"] == key
    stamps = exported(columns=["id", "created_at"], filters={"sku": "S-1"}).decode()
    shown = admin.get(f"/api/v1/products/{key}").json["created_at"]
    assert stamps == f"id,created_at\n{key},{shown}\n"


BAD = [
    ({"format": "pdf"}, "format"),
    ({"compression": "rar"}, "compression"),
    ({"columns": []}, "columns"),
    ({"columns": ["sku", "sku"]}, "columns"),
    ({"columns": ["sku", "nothing"]}, "columns.1"),
    ({"filters": {"colour": "red"}}, "filters.colour"),
    ({"filters": {"price_min": "cheap"}}, "price_min"),
    ({"filters": {"deleted": "true"}}, "filters.deleted"),
    ({"filters": {"is_active": True}}, "filters.is_active"),
    ({"delimiter": "ab"}, "delimiter"),
    ({"format": "tsv", "delimiter": ","}, "delimiter"),
    ({"format": "jsonl", "encoding": "utf-16"}, "encoding"),
    ({"encoding": "ebcdic"}, "encoding"),
    ({"escape_formulas": "no"}, "escape_formulas"),
    ({"status": "completed"}, "status"),
]


def test_what_cannot_be_exported_is_refused_at_once(admin: Any) -> None:
    for body, field in BAD:
        answer = admin.post(EXPORTS, body)
        assert answer.status_code in (400, 422), body
        told = [error["field"] for error in answer.json["errors"]]
        assert any(name.startswith(field) or field.startswith(name) for name in told), (body, told)
    assert admin.get(EXPORTS).json["count"] == 0


def test_what_an_encoding_lacks_fails_the_export_and_names_it(admin: Any, worker: Any) -> None:
    make(name="保温杯")
    run = admin.post(EXPORTS, {"encoding": "cp1252"}).expect(202)
    worker.run()
    done = admin.get(f"{EXPORTS}/{run['id']}").json
    assert done["status"] == "failed"
    assert "'保'" in done["message"]
    assert "utf-8" in done["message"]
    assert admin.get(f"{EXPORTS}/{run['id']}/file").status_code == 409


@pytest.mark.slow
def test_columns_that_addons_add_go_there_and_back(
    exported: Exported, imported: Any, shop: Any, admin: Any
) -> None:
    lifecycle.enable(shop, "inventory")
    shop.refresh()
    product = make()
    make("S-2")
    admin.patch(f"/api/v1/products/{product.id}", {"inventory": {"stock": 7}}).expect(200)
    data = exported(columns=["sku", "name", "price", "inventory.stock"])
    assert data == b"sku,name,price,inventory.stock\nS-1,Lamp,29.99,7\nS-2,Lamp,29.99,0\n"
    assert imported(data)["unchanged"] == 2
    changed = imported(data.replace(b",0\n", b",4\n"))
    assert (changed["updated"], changed["format"]) == (1, "bodega")
    lines = exported(format="jsonl", filters={"inventory.stock": "4"}).splitlines()
    assert [json.loads(line)["inventory.stock"] for line in lines] == [4]
    assert b"inventory.stock" in exported().splitlines()[0]
