"""Good bodies for the routes that read one, so that only what is attacked in them is bad."""

import json
from collections.abc import Iterator
from typing import Any

from marshmallow import fields
from tests.kernel.bad_input.attacks import NOT_FOUND, Target
from tests.kernel.bad_input.catalogue import PASSWORD, ROWS

from bodega_sdk import Route

#: Good values, so that only the attacked member of a body is bad.
SAMPLES = {
    "email": "new@example.com", "password": PASSWORD, "name": "New", "sku": "N-1",
    "price": "1.00", "refresh": "x", "value": 5, "country": "GB", "scopes": ["accounts.read"],
    "from": 1, "products": [{"name": "New", "sku": "N-1", "price": "1"}],
    "kind": "receipt", "rating": 5, "images": [], "reason": "spam",
    "url": "https://files.example/products.csv", "rate": 1900, "label": "New", "code": "new",
    "quantity": 1, "count": 1, "lines": [{"line": NOT_FOUND, "quantity": 1}],
    "views": [{"product": NOT_FOUND}],
}  # fmt: skip


def writing(target: Target) -> Iterator[tuple[Route, str, dict[str, Any]]]:
    """Yield the routes that read JSON, their addresses, and a good body for each."""
    for route in target.routes:
        if route.body is not None:
            required = [name for name, item in members(route).items() if item.required]
            samples = SAMPLES | {"product": target.ids["chair"]}
            if route.path.startswith("/coupons"):
                samples["kind"] = "free_shipping"
            if route.path.startswith("/pulses"):
                samples |= {"kind": "above", "threshold": 30}
            samples["items"] = [{"product": target.ids["/products"], "quantity": 1}]
            good = {} if route.partial else {name: samples.get(name, "x") for name in required}
            if (route.method, route.path) == ("POST", "/orders"):
                # It takes these, or a cart.
                good = {"items": samples["items"], "shipping_address": ROWS["/addresses"][0],
                        "shipping_method": "post"}  # fmt: skip
            yield route, target.path(route), good


def members(route: Route) -> dict[str, fields.Field[Any]]:
    """Return the members of a route's body."""
    assert route.body is not None
    found: dict[str, fields.Field[Any]] = route.body().fields
    return {item.data_key or name: item for name, item in found.items()}


def as_json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
