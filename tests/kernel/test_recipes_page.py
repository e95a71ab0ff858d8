"""The recipes of docs/recipes.md run as they stand on the page."""

import re
from pathlib import Path
from typing import Any

import pytest

from bodega.addons import lifecycle
from bodega.database import outbox
from bodega.database.tables import EventRow
from bodega.jobs.sweeper import feed

PAGE = (Path(__file__).parents[2] / "docs" / "recipes.md").read_text()
MIGRATION = """
import peewee

from bodega_sdk import UTCDateTimeField


def up(migrator, db):
    class Loan(peewee.Model):
        id = peewee.UUIDField(primary_key=True)
        created_at = UTCDateTimeField(index=True)
        updated_at = UTCDateTimeField()
        product = peewee.UUIDField(index=True)

        class Meta:
            database, legacy_table_names, table_name = db, False, "guide_loan"

    class Wish(Loan):
        product = None
        account = peewee.UUIDField(index=True)
        text = peewee.CharField(max_length=200)

        class Meta:
            table_name = "guide_wish"

    db.create_tables([Loan, Wish])
"""
MODELS = """
from bodega_sdk import hookimpl


@hookimpl
def register_models():
    return [Loan, Wish]
"""


@pytest.fixture
def guide(shop: Any, site: Any) -> Any:
    """The addon that the pieces of the page make, enabled."""
    pieces = dict(re.findall(r"```python\n# guide/(\w+)\.py\n(.*?)```", PAGE, re.DOTALL))
    manifest = pieces.pop("manifest")
    assert len(pieces) >= 10
    imports = "".join(f"from bodega_sample_guide.{name} import *\n" for name in pieces)
    folder = site.write("guide", imports + MODELS, manifest=manifest, m0001_loans=MIGRATION)
    for name, text in pieces.items():
        (folder / f"{name}.py").write_text(text)
    lifecycle.enable(shop, "guide")
    shop.refresh()
    return site


def test_every_recipe_does_what_it_says(
    guide: Any, shop: Any, admin: Any, rebind: Any, worker_of: Any, terminal: Any
) -> None:
    rebind()
    (subscription,) = (
        item for item in shop.assembly.subscriptions if "guide" in item.handler.__module__
    )
    database = shop.databases.shop
    outbox.relay(database)
    feed(shop.current, subscription)
    news = _feeds_of(shop, "bodega_notifications")
    news()
    made = admin.post("/api/v1/products", json={"name": "A", "sku": "A", "price": "1.00"}).json
    path = f"/api/v1/products/{made['id']}"
    assert admin.get(f"{path}/quote").json["unit_price"] == "1.50"
    lent = admin.post("/api/v1/guide/loans", json={"product": made["id"]})
    assert (lent.status_code, lent.json) == (201, {"product": made["id"]})
    _wishes_are_ones_own(admin)
    refused = admin.delete(path)
    assert refused.status_code == 409
    assert "1 of them are on loan" in refused.text
    (page,) = (page for page in shop.assembly.pages if page.path == "guide")
    assert page.render(None)[0].rows == (("On loan", 1),)
    outbox.relay(database)
    assert feed(shop.current, subscription) == 1
    news()
    assert [item["title"] for item in admin.get("/api/v1/notifications").json["results"]] == [
        "New: A"
    ]
    assert worker_of(shop) >= 1
    outbox.relay(database)
    query = EventRow.select().where(EventRow.name == "guide.counted")
    assert [row.key for row in query] == [made["id"]]
    assert "guide.{id}" in [channel.name for channel in shop.assembly.channels]
    assert "guide.tidy" in shop.assembly.jobs
    assert "1 on loan" in terminal.run("loans").stdout


def _feeds_of(shop: Any, package: str) -> Any:
    """Return what has the subscriptions of a package catch up."""
    found = [item for item in shop.assembly.subscriptions if package in item.handler.__module__]
    assert found

    def catch_up() -> None:
        for item in found:
            feed(shop.current, item)

    return catch_up


def _wishes_are_ones_own(admin: Any) -> None:
    wishes, one, other = "/api/v1/guide/wishes", admin.as_user(), admin.as_user()
    made = one.post(wishes, json={"text": "a lamp"}).expect(201)
    assert one.get(wishes).json["count"] == 1
    assert other.get(wishes).json["count"] == 0
    other.delete(f"{wishes}/{made['id']}").expect(404)
    assert admin.get(wishes).json["count"] == 1
    one.delete(f"{wishes}/{made['id']}").expect(204)
