"""The hooks of the catalogue: who has a say in prices and deletions."""

from collections.abc import Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from bodega_products import api, hookspecs
from bodega_sdk import Money
from bodega_sdk.runtime import bound


@pytest.fixture(autouse=True)
def logs() -> Iterator[list[Any]]:
    """What is logged; unconfigured, structlog would take seconds to draw each traceback."""
    with capture_logs() as found:
        yield found


@pytest.fixture
def lamp(admin: Any) -> str:
    """The address of a product."""
    made = admin.post("/api/v1/products", {"name": "Lamp", "sku": "L-1", "price": "29.99"})
    return f"/api/v1/products/{made.json['id']}"


HALF = """
@hookimpl(wrapper=True)
def quote_price(product, quantity):
    price = yield
    return Money(price.minor // 2, price.currency) if quantity >= 10 else price
"""
FAILING = "@hookimpl\ndef {}(): raise ValueError('no')\n"


def test_the_catalogue_itself_quotes_the_products_price(client: Any, lamp: str) -> None:
    assert client.get(f"{lamp}/quote?quantity=3").json == {
        "sku": "L-1", "quantity": 3, "unit_price": "29.99", "total": "89.97", "currency": "USD",
    }  # fmt: skip
    assert client.get(f"{lamp}/quote").json["total"] == "29.99"


@pytest.mark.parametrize("quantity", ["0", "-1", "1000001", "1.5", "many"])
def test_a_quantity_is_a_whole_number_of_at_least_one(
    client: Any, lamp: str, quantity: str
) -> None:
    answer = client.get(f"{lamp}/quote?quantity={quantity}")
    assert answer.status_code == 400
    assert answer.json["errors"][0]["field"] == "quantity"


def test_a_price_is_quoted_to_whoever_may_read_the_product(
    client: Any, admin: Any, lamp: str
) -> None:
    admin.patch(lamp, {"is_active": False})
    assert client.get(f"{lamp}/quote").status_code == 404
    assert admin.get(f"{lamp}/quote").status_code == 200
    admin.delete(lamp)
    assert admin.get(f"{lamp}/quote").status_code == 404


def test_another_addon_gives_a_discount_by_wrapping_it(client: Any, addon: Any, lamp: str) -> None:
    addon("wholesale", HALF)
    assert client.get(f"{lamp}/quote?quantity=9").json["unit_price"] == "29.99"
    many = client.get(f"{lamp}/quote?quantity=10").json
    assert (many["unit_price"], many["total"]) == ("14.99", "149.90")
    assert client.get(lamp).json["price"] == "29.99"


def test_another_addon_sets_the_price_by_coming_first(client: Any, addon: Any, lamp: str) -> None:
    text = "@hookimpl(tryfirst=True)\ndef quote_price(product):\n    return product.price * 2\n"
    addon("double", text)
    addon("none", "@hookimpl(tryfirst=True)\ndef quote_price(): return None\n")
    assert client.get(f"{lamp}/quote").json["unit_price"] == "59.98"


def test_a_price_that_an_addon_fails_to_quote_is_not_quoted(
    client: Any, addon: Any, lamp: str
) -> None:
    addon("bad", FAILING.format("quote_price").replace("hookimpl", "hookimpl(tryfirst=True)"))
    answer = client.get(f"{lamp}/quote")
    assert (answer.status_code, answer.json["addon"]) == (503, "bad")
    assert answer.json["hook"] == "products.quote_price"
    assert client.get(lamp).status_code == 200


def test_other_addons_quote_through_the_api_module(shop: Any, admin: Any, lamp: str) -> None:
    from bodega_products.models import Product

    with bound(shop.current):
        product = Product.get(Product.sku == "L-1")
        found = api.quote(product, 2)
        assert (found.unit_price, found.total) == (Money(2999, "USD"), Money(5998, "USD"))
        facts = api.PriceFacts(product.id, "L-1", product.price, None, "USD", None)
        assert hookspecs.quote_price(facts, 2) == Money(2999, "USD")


def test_an_addon_keeps_a_product_from_being_deleted(admin: Any, addon: Any, lamp: str) -> None:
    addon(
        "bookings",
        "@hookimpl\ndef refuse_deletion(products):\n"
        "    assert type(products) is tuple\n"
        "    return f'{len(products)} of them is in an open order.'\n",
    )
    answer = admin.delete(lamp)
    assert answer.status_code == 409
    assert answer.json["type"] == "/api/problems/vetoed"
    assert answer.json["detail"] == "bookings forbids it: 1 of them is in an open order."
    assert admin.get(lamp).status_code == 200


def test_a_product_is_not_deleted_while_an_addon_cannot_say(
    admin: Any, addon: Any, lamp: str
) -> None:
    addon("bad", FAILING.format("refuse_deletion"))
    for _ in range(7):
        assert admin.delete(lamp).status_code == 503
        assert admin.get(lamp).status_code == 200


def test_a_product_is_deleted_when_nobody_objects(admin: Any, addon: Any, lamp: str) -> None:
    addon("calm", "@hookimpl\ndef refuse_deletion(): return None\n")
    assert admin.delete(lamp).status_code == 204
    assert admin.get(lamp).status_code == 404


def test_the_quote_is_documented(client: Any) -> None:
    document = client.get("/api/schema").json
    operation = document["paths"]["/api/v1/products/{id}/quote"]["get"]
    assert operation["parameters"][-1]["name"] == "quantity"
