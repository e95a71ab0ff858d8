"""The examples of docs/extensions.md run, and do what the page says."""

import re
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from bodega.addons import lifecycle

PAGE = (Path(__file__).parents[2] / "docs" / "extensions.md").read_text()
PRODUCTS = "/api/v1/products"


def written() -> dict[str, str]:
    """Return what the page writes into files."""
    found = dict(re.findall(r"```python\n# loyalty/(\S+)\n(.*?)```", PAGE, re.DOTALL))
    assert len(found) == 5
    return found


@pytest.fixture
def loyalty(shop: Any, site: Any) -> Any:
    """The addon of the page, enabled."""
    folder = site.write("loyalty", fields='depends=("products",)')
    for name, text in written().items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    lifecycle.enable(shop, "loyalty")
    shop.refresh()
    return site


def test_the_examples_run(loyalty: Any, admin: Any) -> None:
    data = {"name": "Lamp", "sku": "L", "price": "29.99"}
    made = admin.post(PRODUCTS, json=data | {"loyalty": {"points": 12, "label": "gold"}}).json
    assert made["loyalty"] == {"points": 12, "label": "gold"}
    path = f"{PRODUCTS}/{made['id']}"
    patched = admin.patch(path, json={"loyalty": {"points": 15}}).json
    assert patched["loyalty"] == {"points": 15, "label": "gold"}
    assert admin.put(path, json=data).json["loyalty"] == patched["loyalty"]
    put = admin.put(path, json=data | {"loyalty": {"points": 20}}).json
    assert put["loyalty"] == {"points": 20, "label": "none"}
    assert loyalty.module("loyalty", "awarding").double(UUID(made["id"])) == 40
    queries = re.findall(r"`\?(\S+?)`", PAGE)
    assert len(queries) == 4
    for query in queries:
        assert admin.get(f"{PRODUCTS}?{query}").status_code == 200, query
    assert admin.get(f"{PRODUCTS}?loyalty.points__gte=40").json["count"] == 1


def test_a_companion_table_goes_as_it_came(loyalty: Any, shop: Any) -> None:
    lifecycle.apply(shop, "purge", "loyalty")
    assert "loyalty_product_points" not in shop.databases.shop.get_tables()
