"""The addon of docs/events.md runs as it stands on the page."""

import re
import time
from pathlib import Path
from typing import Any

import pytest

from bodega.addons import lifecycle
from bodega.database import outbox
from bodega.jobs.feeding import feed
from bodega_sdk.testing.working import Jobs

PAGE = (Path(__file__).parents[2] / "docs" / "events.md").read_text()


@pytest.fixture
def tally(shop: Any, site: Any, rebind: Any) -> Any:
    """The addon that the pieces of the page make, enabled."""
    pieces = dict(re.findall(r"```python\n# tally/(\w+)\.py\n(.*?)```", PAGE, re.DOTALL))
    manifest = pieces.pop("manifest")
    assert pieces.keys() == {"reading", "log", "serving"}
    imports = "".join(f"from bodega_sample_tally.{name} import *\n" for name in pieces)
    folder = site.write("tally", imports, manifest=manifest)
    for name, text in pieces.items():
        (folder / f"{name}.py").write_text(text)
    lifecycle.enable(shop, "tally")
    rebind()
    return site


def test_every_piece_does_what_the_page_says(tally: Any, shop: Any, admin: Any) -> None:
    reading, log, serving = (tally.module("tally", name) for name in ("reading", "log", "serving"))
    body = {"name": "Lamp", "sku": "LAMP", "price": "1.00"}
    made = admin.post("/api/v1/products", json=body).expect(201)
    outbox.relay(shop.databases.shop)
    for item in shop.assembly.subscriptions:
        if "tally" in item.name:
            assert feed(shop.current, item) >= 1
    assert reading.seen == ["Lamp"]
    assert reading.counted["product.created"] == 1
    assert log.last_products(1) == [made["id"]]
    assert "product.created 1" in log.everything_that_can_happen()
    with Jobs(shop).serving():
        deadline = time.monotonic() + 15
        while not serving.heights:
            assert time.monotonic() < deadline
            time.sleep(0.02)
    assert serving.heights[0] == outbox.last_offset(shop.databases.shop)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_the_page_names_every_metric_and_address(shop: Any, admin: Any) -> None:
    text = admin.get("/metrics").text
    names = set(re.findall(r"^# TYPE (bodega_(?:events|subscription|service)_\w+?) ", text, re.M))
    short = {"bodega_events_unnumbered_age_seconds"}
    # prometheus_client tells when each counter began to count.
    for name in {name for name in names if not name.endswith("_created")} - short:
        assert f"`{name}`" in PAGE, name
    for path in re.findall(r"`(?:GET )?(/api/[\w/]+)`", PAGE):
        assert admin.get(path).status_code == 200, path
