"""Extensions: rows of one addon carry members of others, and cost no query more for it."""

import json
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from bodega.addons import lifecycle
from bodega.database.tables import AddonRow
from bodega.errors import AddonError
from bodega_products.models import Product
from bodega_sdk import Model
from bodega_sdk.models import database

PRODUCTS = "/api/v1/products"
PLUGIN = """
from typing import Any

import peewee

from bodega_sdk import Companion, Extension, extends, hookimpl
from bodega_sdk.errors import invalid
from bodega_sdk.schemas import Boolean, Integer, Schema, String


class {title}(Companion):
    id: Any = extends({resource!r})
    points: Any = peewee.IntegerField(default={default}, index=True)
    label: Any = peewee.CharField(max_length=50, default="none")
    loud: Any = peewee.BooleanField(default=False)
    note: Any = peewee.TextField(null=True)

    class Meta:
        table_name = "{name}_product"

    @classmethod
    def loaded(cls, data, key):
        if data.get("label") == "forbidden":
            raise invalid("label", "Not this one.", data["label"])
        return dict(data)


class {title}Schema(Schema):
    "What {name} knows of a product."

    points = Integer(minimum=0)
    label = String(max_length=50)
    loud = Boolean()
    note = String(allow_none=True)


@hookimpl
def register_extensions():
    return [Extension({title}, {title}Schema, filters=("points", "label", "loud"),
                      orderings=("points", "label"))]
"""
MIGRATION = """
def up(migrator, db):
    db.execute_sql('CREATE TABLE "{name}_product" ("id" {uuid} NOT NULL PRIMARY KEY '
                   'REFERENCES "{base}" ("id") ON DELETE CASCADE, "points" INTEGER NOT NULL, '
                   '"label" VARCHAR(50) NOT NULL, "loud" BOOLEAN NOT NULL, "note" TEXT)')
    db.execute_sql('CREATE INDEX "{name}_product_points" ON "{name}_product" ("points")')
"""
FIVE = ("aspen", "birch", "cedar", "dogwood", "elm")


def ship(
    site: Any, name: str, engine: str, *, resource: str = "products.product",
    default: int = 7, depends: str = "('products',)",
) -> None:  # fmt: skip
    """Install an addon that extends products."""
    uuid = "UUID" if engine == "postgres" else "TEXT"
    base = resource.replace(".", "_")
    site.write(
        name,
        PLUGIN.format(name=name, title=name.title(), resource=resource, default=default),
        fields=f"{{'depends': {depends}}}",
        m0001_tables=MIGRATION.format(name=name, uuid=uuid, base=base),
    )


def switch(shop: Any, verb: str, name: str) -> Any:
    """Do a verb, and serve what came of it."""
    change = lifecycle.apply(shop, verb, name)
    shop.refresh()
    return change


@pytest.fixture
def five(shop: Any, site: Any, engine: str) -> Iterator[tuple[str, ...]]:
    """Five addons that extend products, enabled."""
    for name in FIVE:
        ship(site, name, engine)
        switch(shop, "enable", name)
    yield FIVE
    site.forget()


@pytest.fixture
def cedar(shop: Any, site: Any, engine: str) -> str:
    """One of them."""
    ship(site, "cedar", engine)
    switch(shop, "enable", "cedar")
    return "cedar"


@pytest.fixture
def api(client: Any, admin: Any) -> Any:
    """The API, as an administrator uses it."""
    return admin


def make(api: Any, number: int, **more: Any) -> dict[str, Any]:
    """Make a product."""
    data = {"name": f"P{number}", "sku": f"S{number}", "price": "1.00"} | more
    answer = api.post(PRODUCTS, json=data)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json
    return found


class Counted:
    """Counts the statements on the shop's database."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.statements: list[str] = []
        original = type(database.obj).execute_sql

        def counted(own: Any, sql: str, *args: Any, **kwargs: Any) -> Any:
            self.statements.append(sql)
            return original(own, sql, *args, **kwargs)

        monkeypatch.setattr(type(database.obj), "execute_sql", counted)


def test_a_product_shows_takes_and_keeps_what_an_addon_adds(api: Any, cedar: str) -> None:
    made = make(api, 1, cedar={"points": 12, "label": "gold"})
    assert made["cedar"] == {"points": 12, "label": "gold", "loud": False, "note": None}
    assert api.get(f"{PRODUCTS}/{made['id']}").json == made
    assert make(api, 2)["cedar"] == {"points": 7, "label": "none", "loud": False, "note": None}
    listed = api.get(f"{PRODUCTS}?ordering=name").json["results"]
    assert [item["cedar"]["points"] for item in listed] == [12, 7]


def test_patch_merges_put_replaces_and_what_is_not_sent_stays(api: Any, cedar: str) -> None:
    made = make(api, 1, cedar={"points": 12, "label": "gold"})
    path = f"{PRODUCTS}/{made['id']}"
    patched = api.patch(path, json={"cedar": {"loud": True}}).json
    assert patched["cedar"] == {"points": 12, "label": "gold", "loud": True, "note": None}
    assert patched["updated_at"] > made["updated_at"]
    base = {"name": "P1", "sku": "S1", "price": "2.00"}
    unaware = api.put(path, json=base).json
    assert unaware["price"] == "2.00"
    assert unaware["cedar"] == patched["cedar"]
    replaced = api.put(path, json=base | {"cedar": {"note": "x"}}).json
    assert replaced["cedar"] == {"points": 7, "label": "none", "loud": False, "note": "x"}


def test_an_etag_covers_the_product_and_its_companions(api: Any, shop: Any, cedar: str) -> None:
    made = make(api, 1)
    path = f"{PRODUCTS}/{made['id']}"
    before = api.get(path).headers["ETag"]
    (extension,) = shop.assembly.extensions["products.product"]
    extension.model.write(made["id"], points=99)
    after = api.get(path).headers["ETag"]
    assert after != before
    change = {"cedar": {"points": 1}}
    assert api.patch(path, json=change, headers={"If-Match": before}).status_code == 412
    done = api.patch(path, json=change, headers={"If-Match": after})
    assert done.status_code == 200, done.text
    assert done.json["cedar"]["points"] == 1
    assert done.headers["ETag"] == api.get(path).headers["ETag"]


def test_bad_members_are_named_and_nothing_is_written(api: Any, cedar: str) -> None:
    made = make(api, 1, cedar={"points": 3})
    path = f"{PRODUCTS}/{made['id']}"
    bad = {
        "cedar.points": {"points": -1},
        "cedar.colour": {"colour": "red"},
        "cedar.label": {"label": "forbidden"},
        "cedar": None,
    }
    for field, value in bad.items():
        answer = api.patch(path, json={"name": "Other", "cedar": value})
        assert answer.status_code == 422, answer.text
        assert [item["field"] for item in answer.json["errors"]] == [field]
        assert api.get(path).json == made
    data = {"name": "P2", "sku": "S2", "price": "1.00", "cedar": {"label": "forbidden"}}
    assert api.post(PRODUCTS, json=data).status_code == 422
    assert api.get(PRODUCTS).json["count"] == 1


def test_lists_are_filtered_and_ordered_by_it_with_defaults(api: Any, cedar: str) -> None:
    for number, points in enumerate((None, 3, 7, 20, None)):
        make(api, number, **({} if points is None else {"cedar": {"points": points}}))

    def skus(query: str) -> list[str]:
        answer = api.get(f"{PRODUCTS}?{query}")
        assert answer.status_code == 200, answer.text
        assert answer.json["count"] == len(answer.json["results"])
        return [item["sku"] for item in answer.json["results"]]

    assert set(skus("cedar.points=7")) == {"S0", "S2", "S4"}
    assert set(skus("cedar.points__gte=7")) == {"S0", "S2", "S3", "S4"}
    assert set(skus("cedar.points__gte=8")) == {"S3"}
    assert set(skus("cedar.points__lte=3")) == {"S1"}
    assert set(skus("cedar.label=none")) == {"S0", "S1", "S2", "S3", "S4"}
    assert skus("cedar.loud=true") == []
    assert skus("ordering=cedar.points")[0] == "S1"
    assert skus("ordering=-cedar.points")[0] == "S3"
    refused = api.get(f"{PRODUCTS}?cedar.note=x")
    assert refused.status_code == 400
    assert "cedar.points__gte" in refused.text


def test_cursors_walk_every_row_in_the_order_of_an_extension(api: Any, cedar: str) -> None:
    wanted = []
    for number in range(11):
        points = number % 4 * 3 + 1
        label = {"label": f"l{number % 3}"}
        extra = {} if points == 7 else {"cedar": {"points": points} | label}
        make(api, number, **extra)
        wanted.append((points, f"S{number}"))
    for ordering, reverse in (("cedar.points", False), ("-cedar.points", True)):
        seen, link = [], f"{PRODUCTS}?ordering={ordering}&page_size=2&cursor="
        while link:
            found = api.get(link.removeprefix("http://falconframework.org")).json
            assert found["count"] == 11
            seen += [(item["cedar"]["points"], item["sku"]) for item in found["results"]]
            link = found["next"]
        assert sorted(seen) == sorted(wanted)
        assert [p for p, _ in seen] == sorted((p for p, _ in wanted), reverse=reverse)


def test_fifty_products_with_five_extensions_take_four_queries_at_most(
    api: Any, five: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    api.post("/api/v1/categories", json={"name": "C"})
    for number in range(50):
        members = {name: {"points": number} for name in five[: number % 6]}
        make(api, number, category="c", **members)
    counted = Counted(monkeypatch)
    answer = api.get(f"{PRODUCTS}?page_size=50&ordering=-elm.points")
    assert len(answer.json["results"]) == 50
    assert all(set(five) <= item.keys() for item in answer.json["results"])
    reads = [sql for sql in counted.statements if sql.startswith("SELECT")]
    # Versions, count, page, slugs of categories; and the included collection: variants.
    assert len(reads) <= 4 + 1, reads
    assert sum("products_variant" in sql for sql in reads) == 1


def test_a_deleted_row_takes_its_companions_along_and_counts_are_right(
    api: Any, shop: Any, cedar: str
) -> None:
    made = [make(api, n, cedar={"points": 50}) for n in range(3)]
    query = f"{PRODUCTS}?cedar.points=50"
    assert api.get(query).json["count"] == 3
    assert api.delete(f"{PRODUCTS}/{made[0]['id']}").status_code == 204
    assert api.get(query).json["count"] == 2
    (extension,) = shop.assembly.extensions["products.product"]
    # It can be restored, so its companion stays; it goes with the row.
    assert extension.model.select().count() == 3
    Product.get_by_id(made[0]["id"]).delete_instance()
    assert extension.model.select().count() == 2


def test_disabled_it_is_gone_without_trace_and_back_when_enabled(
    api: Any, shop: Any, site: Any, engine: str
) -> None:
    plain = make(api, 1)
    schema = api.get("/api/schema").json
    ship(site, "cedar", engine)
    switch(shop, "enable", "cedar")
    path = f"{PRODUCTS}/{plain['id']}"
    api.patch(path, json={"cedar": {"points": 5}})
    assert "cedar" in json.dumps(api.get("/api/schema").json)
    switch(shop, "disable", "cedar")
    assert api.get(path).json.keys() == plain.keys()
    assert api.get("/api/schema").json == schema
    assert api.get(f"{PRODUCTS}?cedar.points=5").status_code == 400
    refused = api.patch(path, json={"cedar": {"points": 6}})
    assert refused.status_code == 422
    switch(shop, "enable", "cedar")
    assert api.get(path).json["cedar"]["points"] == 5


@pytest.mark.slow
def test_in_any_order_of_enabling_the_api_is_the_same(
    api: Any, shop: Any, site: Any, engine: str
) -> None:
    three = FIVE[:3]
    for name in three:
        ship(site, name, engine)
        switch(shop, "install", name)
    documents = set()
    for order in permutations(three):
        for name in order:
            switch(shop, "enable", name)
        documents.add(json.dumps(api.get("/api/schema").json))
        assert [item.addon for item in shop.assembly.extensions["products.product"]] == list(three)
        for name in order:
            switch(shop, "disable", name)
    assert len(documents) == 1


def test_the_documentation_tells_of_members_filters_and_orderings(api: Any, cedar: str) -> None:
    found = api.get("/api/schema").json
    members = found["components"]["schemas"]["products.Product"]["properties"]
    assert "cedar" in json.dumps(members["cedar"])
    patched = found["components"]["schemas"]["products.ProductPatch"]["properties"]
    assert "cedar" in patched
    listing = found["paths"][PRODUCTS]["get"]["parameters"]
    by_name = {item["name"]: item for item in listing}
    assert by_name["cedar.points__gte"]["schema"]["type"] == "integer"
    assert "-cedar.label" in by_name["ordering"]["schema"]["enum"]


def test_a_plan_tells_what_it_extends(shop: Any, site: Any, engine: str) -> None:
    ship(site, "cedar", engine)
    plan = lifecycle.plan(shop, "enable", "cedar")
    assert plan.added["extension"] == ("products.product by cedar",)


@pytest.mark.parametrize(
    ("resource", "depends", "reason"),
    [
        ("products.brand", "('products',)", "no enabled addon serves a collection"),
        ("products.product", "('accounts',)", "depends does not name 'products'"),
        ("products.price", "('products',)", "no enabled addon serves a collection"),
    ],
)
def test_an_extension_that_does_not_fit_is_refused(
    shop: Any, site: Any, engine: str, resource: str, depends: str, reason: str
) -> None:
    ship(site, "cedar", engine, resource=resource, depends=depends)
    target = site.package("cedar") / "migrations" / "0001_tables.py"
    target.write_text(target.read_text().replace(resource.replace(".", "_"), "products_product"))
    with pytest.raises(AddonError, match=reason):
        lifecycle.enable(shop, "cedar")
    assert not AddonRow.select().where(AddonRow.name == "cedar", AddonRow.installed).exists()


def test_a_member_that_is_there_already_is_not_overridden(
    shop: Any, site: Any, engine: str
) -> None:
    ship(site, "price", engine)
    with pytest.raises(AddonError, match="there is a member 'price' already"):
        lifecycle.enable(shop, "price")


BAD = {
    "required=True": ("Integer(minimum=0)", "Integer(required=True)", "no member .* is required"),
    "no default": (
        'CharField(max_length=50, default="none")', "CharField(max_length=50)", "have a default",
    ),
    "unknown filter": ('"label", "loud"', '"colour", "loud"', "has no field 'colour'"),
    "null ordering": ('orderings=("points", "label")', 'orderings=("note",)', "plain default"),
    "twice": ("return [Extension", "return [Extension(Cedar, CedarSchema), Extension", "twice"),
    "no extension": ("return [", "return ['x', ", "expected Extension"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_extension_is_refused_with_the_reason(
    shop: Any, site: Any, engine: str, kind: str
) -> None:
    old, new, reason = BAD[kind]
    ship(site, "cedar", engine)
    plugin = site.package("cedar") / "plugin.py"
    assert old in plugin.read_text()
    plugin.write_text(plugin.read_text().replace(old, new, 1))
    with pytest.raises(AddonError, match=reason):
        switch(shop, "enable", "cedar")


def test_rows_survive_uninstall_and_restore(api: Any, shop: Any, cedar: str) -> None:
    kept, gone = (make(api, n, cedar={"points": n + 30}) for n in range(2))
    change = switch(shop, "uninstall", "cedar")
    Product.delete().where(Product.id == UUID(gone["id"])).execute()
    switch(shop, "enable", "cedar")
    restored = lifecycle.restore(shop, Path(change.archives[0]))
    assert restored.left_out == {"cedar_product": 1}
    assert api.get(f"{PRODUCTS}/{kept['id']}").json["cedar"]["points"] == 30


def test_other_addons_read_and_write_companions(api: Any, shop: Any, cedar: str) -> None:
    made = [make(api, n) for n in range(2)]
    (extension,) = shop.assembly.extensions["products.product"]
    model: Any = extension.model
    assert issubclass(model, Model)
    assert model.read(made[0]["id"]).points == 7
    model.write(made[0]["id"], points=8)
    model.write(made[0]["id"], label="x")
    model.write(made[1]["id"])
    keys = [UUID(item["id"]) for item in made]
    found = model.read_many(keys)
    assert [found[key].points for key in keys] == [8, 7]
    assert model.read(made[0]["id"]).label == "x"


FILE = """sku,name,price,Cedar.Points,cedar.loud,cedar.label,cedar.colour
S0,A,1.00,12,true,gold,red
S1,B,1.00,,,,
S2,C,1.00,3,0,,
S3,D,1.00,-1,,,
S4,E,1.00,many,,,
S5,F,1.00,,maybe,,
S6,G,1.00,,,forbidden,
"""


def test_a_file_brings_members_of_extensions(api: Any, worker: Any, cedar: str) -> None:
    def load(text: str) -> dict[str, Any]:
        headers = {"Content-Type": "text/csv"}
        begun = api.post("/api/v1/imports", body=text.encode(), headers=headers)
        assert begun.status_code == 202, begun.text
        worker.run()
        run: dict[str, Any] = api.get(begun.headers["Location"]).json
        assert run["status"] == "completed", run
        return run

    run = load(FILE)
    assert (run["created"], run["errors"]) == (3, 4)
    assert run["ignored_columns"] == ["cedar.colour"]
    rows = api.get(f"/api/v1/imports/{run['id']}/errors").json["results"]
    wrong = {(row["line"], row["column"], row["value"]) for row in rows}
    assert wrong == {
        (5, "Cedar.Points", "-1"), (6, "Cedar.Points", "many"), (7, "cedar.loud", "maybe"),
        (8, "cedar.label", "forbidden"),
    }  # fmt: skip
    listed = api.get(f"{PRODUCTS}?ordering=name").json["results"]
    gold = {"points": 12, "label": "gold", "loud": True, "note": None}
    assert [item["cedar"]["points"] for item in listed] == [12, 7, 3]
    assert listed[0]["cedar"] == gold
    again = load("sku,name,price,cedar.points\nS0,A,1.00,13\nS1,B,1.00,7\nS2,C,1.00,\n")
    assert (again["updated"], again["unchanged"]) == (1, 2)
    shown = api.get(f"{PRODUCTS}?ordering=name").json["results"][0]
    assert shown["cedar"] == gold | {"points": 13}
