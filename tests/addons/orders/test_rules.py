"""The shop's own rules: which tax counts, and which ways of shipping there are."""

from typing import Any
from uuid import UUID

import pytest

from bodega_orders import tokens
from bodega_orders.drafting import draft_of
from bodega_orders.drafts import Destination
from bodega_orders.quoting import quote
from bodega_products.models import Product
from bodega_sdk import uuid7
from bodega_sdk.runtime import bound
from bodega_sdk.testing.client import Client

RATES, METHODS = "/api/v1/tax-rates", "/api/v1/shipping-methods"
BERLIN = Destination("DE", "Berlin")


@pytest.fixture
def set_rate(staff: Any) -> Any:
    """Set a tax rate, by the API."""

    def make(rate: int, country: str = "", region: str = "", **more: Any) -> Any:
        body = {"rate": rate, "country": country, "region": region, "label": f"{rate}"}
        return staff.client.post(RATES, body | more).expect(201)

    return make


@pytest.fixture
def offer(staff: Any) -> Any:
    """Offer a way of shipping, by the API."""

    def make(code: str, price: str = "5.00", **more: Any) -> Any:
        body = {"code": code, "label": code.title(), "price": price}
        return staff.client.post(METHODS, body | more).expect(201)

    return make


def quoted(*items: Any, to: Destination = BERLIN, by: str = "", currency: str = "USD") -> Any:
    """Quote things, one of each."""
    wanted = [item if isinstance(item, tuple) else (item, None, 1) for item in items]
    return quote(draft_of(wanted, currency, None, "", to, (), by))


def taxes(found: Any) -> list[str]:
    """Labels of the taxes."""
    return [entry.label for entry in found.entries if entry.kind == "tax"]


def test_the_most_specific_place_counts_then_the_nearest_category(
    goods: Any, set_rate: Any, admin: Client
) -> None:
    media = admin.post("/api/v1/categories", {"name": "Media"}).expect(201)["id"]
    below = {"name": "Books", "parent": media}
    books = admin.post("/api/v1/categories", below).expect(201)["id"]
    lamp, book, disc = goods.make(), goods.make(category=books), goods.make(category=media)

    def rates_at(country: str, region: str = "") -> list[str]:
        to = Destination(country, region)
        return [taxes(quoted(one, to=to))[0] for one in (lamp, disc, book)]

    set_rate(100)
    assert rates_at("DE", "Berlin") == ["100"] * 3
    set_rate(1900, "DE")
    set_rate(1500, "DE", category=media)
    assert rates_at("DE", "Berlin") == ["1900", "1500", "1500"]
    set_rate(700, "DE", category=books)
    assert rates_at("DE") == ["1900", "1500", "700"]
    assert rates_at("FR", "Berlin") == ["100"] * 3
    set_rate(0, "DE", "Helgoland")
    assert rates_at("DE", "  HELGOLAND ") == ["0"] * 3
    assert rates_at("DE", "Berlin") == ["1900", "1500", "700"]
    assert rates_at("") == ["100"] * 3


def test_shipping_is_taxed_where_the_rate_of_the_place_says_so(
    goods: Any, set_rate: Any, offer: Any
) -> None:
    offer("standard", "10.00")
    lamp = goods.make()
    set_rate(1000)
    made = set_rate(2000, "DE", on_shipping=False)
    assert str(quoted(lamp, to=BERLIN, by="standard").tax) == "2.00"
    assert str(quoted(lamp, to=Destination("FR"), by="standard").tax) == "2.00"
    assert made["on_shipping"] is False


def test_rates_are_set_by_staff_and_read_by_all(
    client: Client, staff: Any, vera: Any, set_rate: Any
) -> None:
    made = set_rate(1900, "DE", " Berlin ")
    path = f"{RATES}/{made['id']}"
    assert client.get(path).expect(200)["region"] == "Berlin"
    assert client.get(f"{RATES}?country=DE").expect(200)["count"] == 1
    assert client.get(f"{RATES}?country=FR").expect(200)["count"] == 0
    for one, status in ((client, 401), (vera.client, 403)):
        one.post(RATES, {"rate": 1, "label": "x"}).expect(status)
        one.delete(path).expect(status)
    assert staff.client.patch(path, {"rate": 700}).expect(200)["rate"] == 700
    for body, status, field in (
        ({"country": "DE", "region": "BERLIN"}, 409, "country"),
        ({"region": "Berlin"}, 422, "country"),
        ({"country": "de"}, 422, "country"),
        ({"country": "FR", "rate": -1}, 422, "rate"),
        ({"country": "FR", "rate": 19.5}, 422, "rate"),
        ({"country": "FR", "category": str(uuid7())}, 422, "category"),
    ):
        wrong = staff.client.post(RATES, {"rate": 1, "label": "x"} | body).expect(status)
        assert wrong["errors"][0]["field"] == field
    other = set_rate(100)
    twice = {"country": "DE", "region": "berlin"}
    staff.client.patch(f"{RATES}/{other['id']}", twice).expect(409)
    staff.client.delete(path).expect(204)
    client.get(path).expect(404)


def test_without_any_way_of_shipping_it_is_free_and_nothing_is_asked(
    goods: Any, offer: Any, staff: Any
) -> None:
    lamp, song = goods.make(), goods.make(is_digital=True)
    free = quoted(lamp, to=Destination())
    assert (free.options, free.problems, str(free.shipping)) == ((), (), "0.00")
    made = offer("standard")
    digital = quoted(song, to=Destination())
    assert (digital.options, digital.problems) == ((), ())
    assert quoted(lamp, to=Destination()).problems == ("Say which country it shall be sent to.",)
    assert quoted(lamp).problems == ("Choose how it shall be sent.",)
    assert "'old'" in quoted(lamp, by="old").problems[0]
    assert quoted(lamp, by="standard").problems == ()
    staff.client.patch(f"{METHODS}/{made['id']}", {"is_active": False}).expect(200)
    assert quoted(lamp, to=Destination()).problems == ()


def test_an_addon_that_has_a_say_in_shipping_may_say_that_there_is_none(
    goods: Any, addon: Any, shop: Any
) -> None:
    lamp = goods.make()
    assert quoted(lamp).problems == ()
    addon("carrier", "@hookimpl\ndef quote_shipping(options):\n    return ()\n", ("orders",))
    with bound(shop.current):
        assert quoted(lamp).problems == ("There is no way to send this there.",)


def test_ways_of_shipping_fit_a_country_a_weight_a_currency_and_a_threshold(
    goods: Any, offer: Any
) -> None:
    lamp, heavy = goods.make(price=2000, weight_grams=400), goods.make(weight_grams=9000)
    offer("everywhere", position=3)
    offer("germany", "4.90", countries=["DE", "AT"], position=1)
    offer("light", "2.00", weight_to=1000, position=2)
    offer("freight", "50.00", weight_from=1001, position=4)
    offer("yen", "500", currency="JPY")
    offer("generous", "9.00", free_from="40.00", position=5)

    def codes(*items: Any, to: Destination = BERLIN) -> list[str]:
        return [option.code for option in quoted(*items, to=to).options]

    assert codes(lamp) == ["germany", "light", "everywhere", "generous"]
    assert codes((lamp, None, 3), to=Destination("FR")) == ["everywhere", "freight", "generous"]
    assert codes(heavy, lamp) == ["germany", "everywhere", "freight", "generous"]
    prices = [
        str(quoted((lamp, None, number), by="generous").shipping) for number in (1, 2)
    ]  # fmt: skip
    assert prices == ["9.00", "0.00"]
    Product.update(currency="JPY", price_minor=900).where(Product.id == lamp).execute()
    assert [str(one.price) for one in quoted(lamp, currency="JPY").options] == ["500"]
    Product.update(currency="EUR").where(Product.id == lamp).execute()
    nowhere = quoted(lamp, currency="EUR")
    assert nowhere.problems == ("There is no way to send this there.",)


def test_ways_of_shipping_are_set_by_staff_and_the_active_ones_read_by_all(
    client: Client, staff: Any, vera: Any, offer: Any
) -> None:
    made = offer("standard", "4.9", free_from="100", countries=["DE", "AT", "DE"], days="2-4")
    assert (made["price"], made["free_from"], made["currency"]) == ("4.90", "100.00", "USD")
    assert made["countries"] == ["AT", "DE"]
    path = f"{METHODS}/{made['id']}"
    off = offer("off", is_active=False)
    assert [one["code"] for one in client.get(METHODS).expect(200)["results"]] == ["standard"]
    client.get(f"{METHODS}/{off['id']}").expect(404)
    assert staff.client.get(METHODS).expect(200)["count"] == 2
    assert client.get(f"{METHODS}?currency=JPY").expect(200)["count"] == 0
    for one, status in ((client, 401), (vera.client, 403)):
        one.post(METHODS, {"code": "x", "label": "X", "price": "1"}).expect(status)
        one.patch(path, {"price": "0"}).expect(status)
    for body, status, field in (
        ({"code": "standard"}, 409, "code"),
        ({"code": "Not OK"}, 422, "code"),
        ({"price": "1.001"}, 422, "price"),
        ({"price": "-1"}, 422, "price"),
        ({"currency": "JPY", "price": "1.5"}, 422, "price"),
        ({"countries": ["Germany"]}, 422, "countries.0"),
        ({"weight_from": 5, "weight_to": 4}, 422, "weight_to"),
    ):
        sent = {"code": "new", "label": "X", "price": "1"} | body
        wrong = staff.client.post(METHODS, sent).expect(status)
        assert wrong["errors"][0]["field"] == field
    wrong = staff.client.patch(path, {"currency": "JPY", "price": "490"}).expect(422)
    assert wrong["errors"][0]["field"] == "currency"
    yen = {"currency": "JPY", "price": "490", "free_from": None}
    assert staff.client.patch(path, yen).expect(200)["price"] == "490"
    assert staff.client.patch(path, {"label": "Post"}).expect(200)["label"] == "Post"
    staff.client.delete(path).expect(204)


def test_the_console_shows_the_rules(admin: Client, set_rate: Any, offer: Any, goods: Any) -> None:
    def page() -> str:
        cookie = f"bodega_console={admin.token}"
        answer = admin.get("/console/orders/rules", headers={"Cookie": cookie})
        assert answer.status_code == 200
        return str(answer.text)

    assert "sending is free" in page()
    category = admin.post("/api/v1/categories", {"name": "Books"}).expect(201)["id"]
    set_rate(705, "DE", "Berlin", category=category)
    offer("post", "4.90", countries=["DE"], weight_to=2000, free_from="50")
    text = page()
    for told in ("7.05", "Berlin", "Books", "4.90 USD", "50.00 USD", "0 to 2000"):
        assert told in text
    assert "sending is free" not in text


def test_a_token_of_a_cart_is_none_of_an_order(shop: Any) -> None:
    key = uuid7()
    cart, order = tokens.cart_token(key), tokens.order_token(key)
    assert cart != order
    assert cart.partition(".")[0] == order.partition(".")[0] == key.hex
    assert tokens.cart_token(UUID(str(key))) == cart
