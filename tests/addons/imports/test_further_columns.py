"""Tags, measures, costs and texts for search engines, in the files of several systems."""

from typing import Any

import pytest

from bodega_products.models import ProductTag, Tag

IMPORTS, PRODUCTS = "/api/v1/imports", "/api/v1/products"
OWN = (
    "sku,name,price,tags,cost,is_featured,is_digital,weight_grams,length_millimetres,"
    "width_millimetres,height_millimetres,meta_title,meta_description\n"
    'A,Lamp,10.00,"Oak, Brass",4.20,true,false,1200,300,200,450,Lamps,A lamp of oak\n'
    "B,Manual,2.00,brass,,,yes,,,,,,\n"
)
SHOPIFY = (
    "Handle,Title,Body (HTML),Tags,Option1 Name,Option1 Value,Variant SKU,Variant Grams,"
    "Variant Price,SEO Title,SEO Description\n"
    'shirt,Shirt,<p>Soft</p>,"men, summer",Size,S,S-1,180,20.00,Shirts,Soft shirts\n'
    "shirt,,,,Size,M,S-2,190,21.00,,\n"
)
WOOCOMMERCE = (
    "SKU,Name,Regular price,Tags,Weight (kg),Length (cm),Width (cm),Height (cm),Is featured?\n"
    'W,Watch,99.00,"steel, men",0.125,4,4.5,1,1\n'
)


@pytest.fixture
def imported(admin: Any, worker: Any) -> Any:
    """Import a text and return the import."""

    def run(text: str) -> dict[str, Any]:
        begun = admin.post(IMPORTS, headers={"Content-Type": "text/csv"}, body=text.encode())
        worker.run()
        found: dict[str, Any] = admin.get(f"{IMPORTS}/{begun.expect(202)['id']}").expect(200)
        assert found["status"] == "completed", found
        return found

    return run


def _counts(run: dict[str, Any]) -> tuple[int, ...]:
    return tuple(run[name] for name in ("created", "updated", "unchanged", "errors"))


def test_a_file_says_all_of_a_product(admin: Any, worker: Any, imported: Any) -> None:
    assert _counts(imported(OWN)) == (2, 0, 0, 0)
    lamp = admin.get(f"{PRODUCTS}/A").expect(200)
    said = {
        "tags": ["Brass", "Oak"], "cost": "4.20", "is_featured": True, "is_digital": False,
        "weight_grams": 1200, "length_millimetres": 300, "width_millimetres": 200,
        "height_millimetres": 450, "meta_title": "Lamps", "meta_description": "A lamp of oak",
    }  # fmt: skip
    assert {name: lamp[name] for name in said} == said
    manual = admin.get(f"{PRODUCTS}/B").expect(200)
    assert (manual["tags"], manual["is_digital"], manual["cost"]) == (["Brass"], True, None)
    assert [tag.slug for tag in Tag.select().order_by(Tag.slug)] == ["brass", "oak"]
    found = admin.get(f"{PRODUCTS}?tag=BRASS").expect(200)
    assert sorted(item["sku"] for item in found["results"]) == ["A", "B"]
    found = admin.get(f"{PRODUCTS}/search?q=brass").expect(200)
    assert sorted(item["sku"] for item in found["results"]) == ["A", "B"]

    assert _counts(imported(OWN)) == (0, 0, 2, 0)
    run = imported(OWN.replace("Oak, Brass", "Steel").replace(",1200,", ",1300,"))
    assert _counts(run) == (0, 1, 1, 0)
    lamp = admin.get(f"{PRODUCTS}/A").expect(200)
    assert (lamp["tags"], lamp["weight_grams"], lamp["cost"]) == (["Steel"], 1300, "4.20")
    found = admin.get(f"{PRODUCTS}/search?q=steel").expect(200)
    assert [item["sku"] for item in found["results"]] == ["A"]

    admin.post(f"{IMPORTS}/{run['id']}/undo").expect(202)
    worker.run()
    lamp = admin.get(f"{PRODUCTS}/A").expect(200)
    assert (lamp["tags"], lamp["weight_grams"]) == (["Brass", "Oak"], 1200)
    # A file without the column, and a cell that is blank, leave tags alone.
    imported("sku,name,price,tags\nA,Light,10.00,\n")
    assert admin.get(f"{PRODUCTS}/A").expect(200)["tags"] == ["Brass", "Oak"]
    assert ProductTag.select().count() == 3


def test_other_systems_say_it_in_their_own_words(admin: Any, imported: Any) -> None:
    assert _counts(imported(SHOPIFY)) == (1, 0, 0, 0)
    shirt = admin.get(f"{PRODUCTS}/S-1").expect(200)
    assert (shirt["tags"], shirt["weight_grams"]) == (["men", "summer"], 180)
    assert (shirt["meta_title"], shirt["meta_description"]) == ("Shirts", "Soft shirts")
    assert len(shirt["variants"]) == 2
    assert _counts(imported(SHOPIFY)) == (0, 0, 1, 0)
    assert _counts(imported(WOOCOMMERCE)) == (1, 0, 0, 0)
    watch = admin.get(f"{PRODUCTS}/W").expect(200)
    assert (watch["weight_grams"], watch["length_millimetres"]) == (125, 40)
    assert (watch["width_millimetres"], watch["is_featured"]) == (45, True)


def test_cells_that_cannot_be_are_reported(admin: Any, imported: Any) -> None:
    tags = ",".join(f"t{number}" for number in range(51))
    run = imported(
        "sku,name,price,tags,weight_grams,cost,meta_title\n"
        f'A,Lamp,1.00,"{tags}",1,1,x\nB,Lamp,1.00,{"x" * 101},1,1,x\nC,Lamp,1.00,,-1,1,x\n'
        f"D,Lamp,1.00,,1,cheap,x\nE,Lamp,1.00,,1,1,{'x' * 256}\nF,Lamp,1.00,,2000000000,1,x\n"
    )
    assert _counts(run) == (0, 0, 0, 6)
    found = admin.get(f"{IMPORTS}/{run['id']}/errors").expect(200)["results"]
    columns = ["tags", "tags", "weight_grams", "cost", "meta_title", "weight_grams"]
    assert [item["column"] for item in found] == columns
