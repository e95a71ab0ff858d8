from typing import Any
import time
from bodega_inventory.companions import ProductStock
from bodega_products.api import ProductRow, upsert
from bodega_products.models import Product
from bodega_sdk import transaction
from bodega_sdk.testing.queries import query_counter
def test_x(store: Any) -> None:
    rows=[ProductRow(f"S-{n}", {"name": f"P {n}", "price_minor": 999, "currency": "USD"}) for n in range(5000)]
    t=time.perf_counter(); upsert(rows,"t"); print("upsert", time.perf_counter()-t)
    ids=[k for (k,) in Product.select(Product.id).tuples()]
    for value in (10, 4):
        t=time.perf_counter()
        with query_counter() as q:
            with transaction(): ProductStock.write_many({k: {"stock": value} for k in ids})
        print("set", value, time.perf_counter()-t, len(q))
    t=time.perf_counter()
    from bodega_inventory import checking
    print(list(checking.check())[:2], time.perf_counter()-t)
