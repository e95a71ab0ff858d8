"""Previews, and profiles that say what the columns of a file are."""

from typing import Any

import pytest

from bodega_imports.columns import UnrecognisedColumns, recognise
from bodega_products.models import Category, Product

PREVIEW, PROFILES, IMPORTS = (f"/api/v1/imports{end}" for end in ("/preview", "/profiles", ""))
CSV = {"Content-Type": "text/csv"}
#: As no other shop writes it.
ODD = (
    "Artikel;Bezeichnung;Brutto;Lager;Gruppe\nA-1;Lampe;10.00;5;Licht\nB-1;Stuhl;zwanzig;2;Möbel\n"
)
MEANING = {"Artikel": "sku", "Bezeichnung": "name", "Brutto": "price", "Gruppe": ""}


def _profile(admin: Any, **changes: Any) -> Any:
    return admin.post(PROFILES, {"name": "ERP", "columns": MEANING, "delimiter": ";"} | changes)


def test_a_preview_shows_what_would_happen_and_changes_nothing(admin: Any, worker: Any) -> None:
    admin.post(IMPORTS, headers=CSV, body=b"sku,name,price\nA,Lamp,1.00\nB,Chair,2.00\n")
    worker.run()
    text = (
        "sku,name,price,category,colour\nA,Lamp,1.00,,red\nB,Chair,3.00,New,\nC,Desk,4,,\nD,,5,,\n"
    )
    shown = admin.post(PREVIEW, headers=CSV, body=text.encode()).expect(200)
    assert (shown["kind"], shown["format"], shown["delimiter"]) == ("csv", "generic", ",")
    assert [row["outcome"] for row in shown["rows"]] == [
        "unchanged", "updated", "created", "refused",
    ]  # fmt: skip
    assert shown["rows"][1]["values"]["price"] == "3.00"
    assert (shown["rows"][3]["line"], shown["rows"][3]["column"]) == (5, "name")
    assert shown["columns"][4] == {"name": "colour", "field": "", "sample": "red"}
    assert shown["columns"][2]["field"] == "price"
    assert Product.select().count() == 2
    assert Category.select().count() == 0


def test_a_preview_shows_twenty_products_of_a_large_file(admin: Any) -> None:
    rows = "".join(f"S-{number},Thing,1.00\n" for number in range(5000))
    shown = admin.post(PREVIEW, headers=CSV, body=f"sku,name,price\n{rows}".encode()).expect(200)
    assert len(shown["rows"]) == 20


def test_a_preview_says_why_a_file_cannot_be_used(admin: Any) -> None:
    for text in (b"x\n1\n", ODD.encode(), b"\x89PNG\r\n\x1a\n" + bytes(range(256))):
        refused = admin.post(PREVIEW, headers=CSV, body=text)
        assert refused.status_code == 422
        assert refused.json["errors"][0]["field"] == "file"


def test_a_profile_says_what_the_columns_are(admin: Any, worker: Any) -> None:
    made = _profile(admin).expect(201)
    query = f"?profile={made['id']}"
    shown = admin.post(PREVIEW + query, headers=CSV, body=ODD.encode()).expect(200)
    assert [item["field"] for item in shown["columns"]] == ["sku", "name", "price", "", ""]
    assert [row["outcome"] for row in shown["rows"]] == ["created", "refused"]
    begun = admin.post(IMPORTS + query, headers=CSV, body=ODD.encode()).expect(202)
    admin.delete(f"{PROFILES}/{made['id']}").expect(204)
    worker.run()
    run = admin.get(f"{IMPORTS}/{begun['id']}").expect(200)
    assert (run["created"], run["errors"]) == (1, 1)
    assert run["ignored_columns"] == ["Lager", "Gruppe"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"columns": {"A": "colour"}}, "columns.A"),
        ({"columns": {"A": "sku", "B": "sku"}}, "columns"),
        ({"delimiter": ";;"}, "delimiter"),
        ({"encoding": "rot13"}, "encoding"),
    ],
)
def test_a_profile_that_makes_no_sense_is_refused(
    admin: Any, changes: dict[str, Any], field: str
) -> None:
    refused = _profile(admin, **changes)
    assert refused.status_code == 422
    assert refused.json["errors"][0]["field"] == field


def test_what_does_not_fit_a_request_is_refused(admin: Any) -> None:
    for query in ("?profile=01890000-0000-7000-8000-000000000000", "?encoding=rot13"):
        refused = admin.post(f"{IMPORTS}{query}", headers=CSV, body=ODD.encode())
        assert refused.status_code == 400
        assert refused.json["errors"][0]["field"] in query


def test_a_mapping_comes_before_what_would_be_recognised() -> None:
    header = ["sku", "title", "name", "price"]
    assert recognise(header).columns == {"sku": 0, "name": 2, "price": 3}
    layout = recognise(header, mapping={"Title": "name", "price": ""})
    assert layout.columns == {"sku": 0, "name": 1}
    assert layout.ignored == ("name", "price")
    with pytest.raises(UnrecognisedColumns, match="'colour'"):
        recognise(header, mapping={"colour": "name"})
