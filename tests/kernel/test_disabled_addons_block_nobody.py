"""A disabled addon's rows stay and block nobody; a foreign key that would is refused."""

import datetime
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import peewee
import pytest

from bodega import state
from bodega.addons import lifecycle
from bodega.addons.discovery import discover
from bodega.addons.foreign_keys import foreign_keys
from bodega.database.tables import JobRow
from bodega.errors import AddonError
from bodega_products.models import Product
from bodega_sdk.runtime import bound

HOUSE = sorted(discover().manifests)
SAMPLES = ("notes", "pins", "shelves")
CSV = """Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price
tee,Tee,Size,S,TEE-S,9.00
tee,,Size,M,TEE-M,9.50
bad,Bad,Size,S,BAD-S,free of charge
"""


def ok(answer: Any) -> Any:
    """Return what was answered to a request that succeeded."""
    assert 200 <= answer.status_code < 300, (answer.status_code, answer.text)
    return answer.json if answer.content else None


class Objects:
    """Makes, changes and deletes everything that addons of the house keep, through the API."""

    def __init__(self, admin: Any, run_jobs: Callable[[], int]) -> None:
        self.admin, self._run_jobs, self._made = admin, run_jobs, 0

    def _name(self) -> str:
        self._made += 1
        return f"thing-{self._made}"

    def make(self, addon: str) -> list[str]:
        """Make one of each kind; return their paths."""
        paths: list[str] = getattr(self, f"_make_{addon}")()
        return paths

    def _post(self, path: str, **data: Any) -> str:
        return f"{path}/{ok(self.admin.post(path, data))['id']}"

    def _make_accounts(self) -> list[str]:
        email = f"{self._name()}@example.com"
        return [self._post("/api/v1/users", email=email, password="correct horse")]

    def _make_products(self) -> list[str]:
        name = self._name()
        category = self._post("/api/v1/categories", name=name, slug=name)
        product = self._post("/api/v1/products", name=name, sku=name, price="1", category=name)
        return [product, category]

    def _make_imports(self) -> list[str]:
        """Import a product that has variants, and a bad row."""
        text = CSV.replace("tee", self._name()).replace("TEE", self._name())
        headers = {"Content-Type": "text/csv"}
        made = ok(self.admin.request("POST", "/api/v1/imports", body=text, headers=headers))
        self._run_jobs()
        path = f"/api/v1/imports/{made['id']}"
        assert ok(self.admin.get(path))["status"] == "completed"
        assert ok(self.admin.get(f"{path}/errors"))["count"] == 1
        found = ok(self.admin.get("/api/v1/products?ordering=-created_at"))["results"]
        (product,) = (item for item in found if item["sku"] in text)
        assert len(product["variants"]) == 2
        return [f"/api/v1/products/{product['id']}"]

    def change(self, path: str) -> None:
        """Give an object another name, by which others may know it."""
        name = self._name()
        changed = {"username": name} if "users" in path else {"name": name}
        if "products" in path:
            changed |= {"sku": name, "slug": name}
        ok(self.admin.patch(path, changed))

    def delete(self, path: str) -> None:
        """Delete an object."""
        ok(self.admin.delete(path))
        assert self.admin.get(path).status_code == 404


def fill(database: Any, models: tuple[Any, ...]) -> int:
    """Make a row in each table of an addon for every row that it can point to; return how many."""
    return sum(_fill_one(database, model) for model in peewee.sort_models(models))


def _fill_one(database: Any, model: Any) -> int:
    targets = _targets(database, model)
    parents = {column: _keys(database, table) for column, table in targets.items()}
    number = max((len(keys) for keys in parents.values()), default=1)
    for at in range(number):
        row = {c: keys[at % len(keys)] for c, keys in parents.items() if keys}
        others = {
            field.name: _value(field)
            for field in model._meta.sorted_fields
            if field.column_name not in targets and _is_told(field)
        }
        pointing = {model._meta.columns[column].name: key for column, key in row.items()}
        # What the addon made of it by itself already may be there but once.
        model.insert(**others, **pointing).on_conflict_ignore().execute()
    return number


def _is_told(field: peewee.Field) -> bool:
    """Whether a row needs a value of it that the database does not make."""
    return not (field.null or field.default is not None or isinstance(field, peewee.AutoField))


def _targets(database: Any, model: Any) -> dict[str, str]:
    """Return column → table that it points to, as the database knows it."""
    keys = (key for key in foreign_keys(database) if key.table == model._meta.table_name)
    return {key.columns: key.parent for key in keys}


def _keys(database: Any, table: str) -> list[Any]:
    (name,) = database.get_primary_keys(table)
    rows = database.execute_sql(f'SELECT "{name}" FROM "{table}"').fetchall()
    return [uuid.UUID(str(key)) if name == "id" else key for (key,) in rows]


def _value(field: peewee.Field) -> Any:
    """Return a value that fits a field."""
    text, number = uuid.uuid4().hex, uuid.uuid4().int % 2**31
    values: dict[type, Any] = {
        peewee.UUIDField: uuid.uuid4(),
        peewee.BooleanField: True,
        peewee.IntegerField: number,
        peewee.BigIntegerField: number,
        peewee.DoubleField: 1.5,
        peewee.SmallIntegerField: number % 2**15,
        peewee.JSONField: {},
        peewee.TextField: text,
    }
    if isinstance(field, peewee.CharField):
        return text[: field.max_length]
    return values.get(type(field), datetime.datetime.now(datetime.UTC))


@pytest.fixture
def follow(shop: Any) -> Any:
    """Serve the state as it is now, with the test bound to it."""
    with ExitStack() as stack:

        def again() -> Any:
            shop.refresh()
            assert shop.assembly.faults == {}
            stack.enter_context(bound(shop.current))
            return shop.assembly

        yield again


@pytest.fixture
def objects(shop: Any, admin: Any, worker: Any) -> Objects:
    """Makes objects as the administrator."""
    return Objects(admin, worker.run)


def _with_rows(shop: Any, name: str, follow: Any, objects: Objects) -> list[str]:
    """Enable an addon beside the house, fill its tables; return what there is to point to."""
    lifecycle.enable(shop, name)
    assembly = follow()
    paths = [path for owner in ("accounts", "products", "imports") for path in objects.make(owner)]
    for addon in assembly.addons:
        if addon.name == name:
            assert fill(shop.databases.shop, addon.models) >= len(addon.models)
    # A job of the addon that waits, and a value of each of its settings.
    for job in assembly.jobs.values():
        if job.name.startswith(f"{name}."):
            JobRow.create(name=job.name, lane=job.lane, payload={}, max_attempts=1)
    for item in assembly.settings:
        if item.startswith(f"{name}.") and isinstance(assembly.settings[item], int | str):
            value = {"value": assembly.settings[item]}
            ok(objects.admin.put(f"/api/v1/settings/{item}", value))
    return paths


@pytest.mark.slow
@pytest.mark.parametrize("name", [*HOUSE, *SAMPLES])
def test_what_others_keep_is_made_changed_and_deleted_while_an_addon_is_disabled(
    shop: Any, site: Any, follow: Any, objects: Objects, name: str
) -> None:
    site.install(*SAMPLES)
    paths = _with_rows(shop, name, follow, objects)
    lifecycle.disable(shop, name, cascade=True)
    enabled = {addon.name for addon in follow().addons}
    assert name not in enabled
    for owner in ("accounts", "products", "imports"):
        if owner in enabled:
            paths += objects.make(owner)
    served = {f"/api/v1/{root}" for addon in shop.assembly.addons
              for root in addon.manifest.route_roots}  # fmt: skip
    for path in paths:
        if path.rpartition("/")[0] in served:
            objects.change(path)
            objects.delete(path)
    _use_jobs_and_settings(shop, objects.admin)
    lifecycle.enable(shop, name)
    assert name in {addon.name for addon in follow().addons}


def _use_jobs_and_settings(shop: Any, admin: Any) -> None:
    for job in ok(admin.get("/api/v1/jobs?page_size=200"))["results"]:
        path = f"/api/v1/jobs/{job['id']}"
        if job["finished_at"] is None:
            ok(admin.post(f"{path}/cancel"))
            ok(admin.post(f"{path}/retry"))
        JobRow.delete().where(JobRow.id == job["id"]).execute()
    for setting in ok(admin.get("/api/v1/settings"))["results"]:
        if isinstance(setting["value"], int):
            path = f"/api/v1/settings/{setting['name']}"
            ok(admin.put(path, {"value": setting["value"]}))
            ok(admin.delete(path))
            assert state.read_state().settings.get(setting["name"]) is None


def test_rows_that_point_to_what_was_deleted_go_or_point_nowhere(
    shop: Any, site: Any, follow: Any, objects: Objects
) -> None:
    site.install("shelves")
    product, category, *_ = (path for path in _with_rows(shop, "shelves", follow, objects)
                             if "users" not in path)  # fmt: skip
    models = site.module("shelves", "models")
    places, shelves = models.Place.select().count(), models.Shelf.select().count()
    lifecycle.disable(shop, "shelves")
    follow()
    # By the API it would be kept, for the sake of orders.
    Product.delete_by_id(product.rpartition("/")[2])
    objects.delete(category)
    assert models.Place.select().count() == models.Label.select().count() == places - 1
    assert models.Shelf.select().count() == shelves
    assert models.Shelf.select().where(models.Shelf.category.is_null()).count() == 1


# Foreign keys that would block somebody.

MIGRATION = """
def up(migrator, db):
    for statement in {statements!r}:
        db.execute_sql(statement)
"""
KEY = "CREATE TABLE nails_nail (id UUID PRIMARY KEY, {})"
OWN = "CREATE TABLE nails_hook (id UUID PRIMARY KEY, nail UUID REFERENCES nails_nail (id){})"
PRODUCT = "product UUID {} REFERENCES products_product (id) {}"
SKU = "sku VARCHAR(300) REFERENCES products_product (sku_key) ON DELETE CASCADE {}"
BLOCKING = {
    "nothing said": ([KEY.format(PRODUCT.format("", ""))], "product", "nails_nail"),
    "restrict": (
        [KEY.format(PRODUCT.format("", "ON DELETE RESTRICT"))], "product", "nails_nail",
    ),
    "set default": (
        [KEY.format(PRODUCT.format("", "ON DELETE SET DEFAULT"))], "product", "nails_nail",
    ),
    "set null, not null": (
        [KEY.format(PRODUCT.format("NOT NULL", "ON DELETE SET NULL"))], "product", "nails_nail",
    ),
    "deferred": (
        [KEY.format(PRODUCT.format("", "DEFERRABLE INITIALLY DEFERRED"))], "product", "nails_nail",
    ),
    "added later": (
        [KEY.format("size INTEGER"), "ALTER TABLE nails_nail ADD COLUMN product UUID "
         "REFERENCES products_product (id)"], "product", "nails_nail",
    ),
    "at the end of a cascade": (
        [KEY.format(PRODUCT.format("", "ON DELETE CASCADE")), OWN.format("")], "nail", "nails_hook",
    ),
    "a table of the kernel": (
        [KEY.format("job UUID REFERENCES bodega_job (id)")], "job", "nails_nail",
    ),
    "what changes": ([KEY.format(SKU.format(""))], "sku", "nails_nail"),
}  # fmt: skip
HARMLESS = {
    "cascade": [KEY.format(PRODUCT.format("NOT NULL", "ON DELETE CASCADE"))],
    "set null": [KEY.format(PRODUCT.format("", "ON DELETE SET NULL"))],
    "its own": [KEY.format("size INTEGER"), OWN.format("")],
    "a cascade all through": [
        KEY.format(PRODUCT.format("", "ON DELETE CASCADE")), OWN.format(" ON DELETE CASCADE"),
    ],
    "what changes with it": [KEY.format(SKU.format("ON UPDATE CASCADE"))],
}  # fmt: skip


def write_nails(site: Any, statements: list[str]) -> None:
    """Install an addon whose migration executes statements."""
    fields = '{"depends": ("products",)}'
    site.write("nails", fields=fields, m0001_create=MIGRATION.format(statements=statements))


@pytest.mark.parametrize("how", BLOCKING)
@pytest.mark.parametrize("verb", ["install", "enable"])
def test_a_foreign_key_that_would_block_others_is_refused(
    shop: Any, site: Any, verb: str, how: str
) -> None:
    statements, column, table = BLOCKING[how]
    write_nails(site, statements)
    before, tables = state.read_state(), shop.databases.shop.get_tables()
    with pytest.raises(AddonError, match="nails is quarantined") as refused:
        lifecycle.apply(shop, verb, "nails")
    told = str(refused.value)
    assert f"column {column} of its table {table} points to" in told
    remedy = "on_update='CASCADE'" if how == "what changes" else "on_delete='CASCADE'"
    assert remedy in told
    assert (state.read_state(), shop.databases.shop.get_tables()) == (before, tables)


@pytest.mark.parametrize("how", HARMLESS)
def test_a_foreign_key_that_blocks_nobody_is_taken(shop: Any, site: Any, how: str) -> None:
    write_nails(site, HARMLESS[how])
    assert lifecycle.enable(shop, "nails").addons == ("nails",)


def test_the_plan_tells_of_a_blocking_foreign_key_too(shop: Any, site: Any) -> None:
    write_nails(site, BLOCKING["nothing said"][0])
    with pytest.raises(AddonError, match="so products could not delete its rows"):
        lifecycle.plan(shop, "install", "nails")


def test_an_upgrade_that_brings_a_blocking_foreign_key_is_refused(shop: Any, site: Any) -> None:
    write_nails(site, [KEY.format("size INTEGER")])
    lifecycle.enable(shop, "nails")
    later = site.package("nails") / "migrations" / "0002_point.py"
    later.write_text(MIGRATION.format(statements=BLOCKING["added later"][0][1:]))
    with pytest.raises(AddonError, match="column product of its table nails_nail"):
        lifecycle.apply(shop, "upgrade", "nails")
    later.unlink()
    lifecycle.disable(shop, "nails")
    assert lifecycle.enable(shop, "nails").addons == ("nails",)


def test_what_was_installed_before_the_rule_is_not_the_newcomers_fault(
    shop: Any, site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_nails(site, BLOCKING["nothing said"][0])
    with monkeypatch.context() as patch:
        patch.setattr("bodega.addons.foreign_keys.blocking", lambda *_: ())
        lifecycle.enable(shop, "nails")
    site.install("notes")
    assert lifecycle.enable(shop, "notes").addons == ("notes",)
