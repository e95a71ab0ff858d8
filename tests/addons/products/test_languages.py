"""Texts in the caller's language, prices in the caller's currency."""

from typing import Any

import pytest

from bodega_products.asking import canonical, preferred

PRODUCTS, CATEGORIES = "/api/v1/products", "/api/v1/categories"
GERMAN = {"name": "Lampe", "description": "Sie leuchtet.", "slug": "lampe"}


@pytest.fixture
def lamp(admin: Any) -> str:
    """The address of a product that is translated into German and Swiss German."""
    body = {"name": "Lamp", "sku": "L-1", "price": "10.00", "description": "It glows."}
    where = f"{PRODUCTS}/{admin.post(PRODUCTS, json=body).expect(201)['id']}"
    admin.put(f"{where}/translations/de", json=GERMAN).expect(200)
    admin.put(f"{where}/translations/de-ch", json={"name": "Lampä"}).expect(200)
    return where


@pytest.mark.parametrize(
    ("header", "languages"),
    [
        (None, ()), ("", ()), ("en", ()), ("*", ()), ("de", ("de",)), ("DE-ch", ("de-CH", "de")),
        ("en-GB", ("en-GB",)), ("en-GB, de", ("en-GB",)), ("de, en;q=0.5, fr;q=0.1", ("de",)),
        ("fr;q=0.5, de;q=0.9", ("de", "fr")), ("de;q=0, fr", ("fr",)),
        ("de-CH, de;q=0", ("de-CH",)),
        ("zh-hant-tw", ("zh-Hant-TW", "zh-Hant", "zh")), ("de-x-foo", ("de-x-foo", "de")),
        ("de;q=2, fr;q=x, ;;, é, it", ("it",)), ("de , fr ; q=0.3", ("de", "fr")),
        ("de;q=0.001", ("de",)), ("*;q=0.9, de", ("de",)), ("," * 50 + "de", ()),
    ],
)  # fmt: skip
def test_the_languages_of_a_header_come_in_order(
    header: str | None, languages: tuple[str, ...]
) -> None:
    assert preferred(header, "en") == languages


@pytest.mark.parametrize("tag", ["", "d", "de_CH", "de-", "de-123456789", "é", "de\n", "a-b-c-d-e"])
def test_what_is_no_language_tag_is_refused(tag: str) -> None:
    with pytest.raises(ValueError, match="no language tag"):
        canonical(tag)


@pytest.mark.parametrize(
    ("header", "name", "language"),
    [
        ("de", "Lampe", "de"), ("de-AT", "Lampe", "de"), ("de-CH", "Lampä", "de-CH"),
        ("fr", "Lamp", "en"), ("fr, de;q=0.5", "Lampe", "de"), ("en-GB, de", "Lamp", "en"),
        ("*", "Lamp", "en"), ("de;q=0", "Lamp", "en"), (";;;q=", "Lamp", "en"),
    ],
)  # fmt: skip
def test_a_product_is_shown_in_the_best_language_there_is(
    client: Any, lamp: str, header: str, name: str, language: str
) -> None:
    for path in (lamp, PRODUCTS):
        answer = client.get(path, headers={"Accept-Language": header})
        shown = answer.expect(200)
        assert (shown["results"][0] if "results" in shown else shown)["name"] == name
        assert answer.headers["Content-Language"] == language
        assert "Accept-Language" in answer.headers["Vary"]


def test_what_is_not_translated_stays_as_it_is(client: Any, lamp: str) -> None:
    shown = client.get(lamp, headers={"Accept-Language": "de-CH"}).expect(200)
    assert (shown["description"], shown["slug"]) == ("It glows.", "lamp")
    shown = client.get(lamp, headers={"Accept-Language": "de"}).expect(200)
    assert (shown["description"], shown["slug"]) == ("Sie leuchtet.", "lampe")


def test_a_page_in_two_languages_says_so(admin: Any, client: Any, lamp: str) -> None:
    admin.post(PRODUCTS, json={"name": "Cup", "sku": "C-1", "price": "1"}).expect(201)
    answer = client.get(PRODUCTS, headers={"Accept-Language": "de"})
    assert [item["name"] for item in answer.expect(200)["results"]] == ["Cup", "Lampe"]
    assert answer.headers["Content-Language"] == "de, en"


def test_a_language_can_be_asked_for_in_the_address(client: Any, lamp: str) -> None:
    german = {"Accept-Language": "de"}
    assert client.get(f"{lamp}?language=en", headers=german).expect(200)["name"] == "Lamp"
    assert client.get(f"{lamp}?language=DE").expect(200)["name"] == "Lampe"
    assert client.get(f"{PRODUCTS}?language=de").expect(200)["results"][0]["name"] == "Lampe"
    found = client.get(f"{lamp}?language=d_e").expect(400)
    assert found["errors"][0]["field"] == "language"


def test_a_translated_slug_finds_its_product(admin: Any, client: Any, lamp: str) -> None:
    assert client.get(f"{PRODUCTS}/lampe").expect(200)["name"] == "Lamp"
    assert client.get(f"{PRODUCTS}?slug=lampe").expect(200)["count"] == 1
    body = {"name": "x", "sku": "X", "price": "1", "slug": "lampe"}
    assert admin.post(PRODUCTS, json=body).expect(409)["errors"][0]["field"] == "slug"
    other = admin.post(PRODUCTS, json=body | {"slug": "cup"}).expect(201)
    for slug in ("lampe", "lamp"):
        refused = admin.put(f"{PRODUCTS}/cup/translations/de", json={"slug": slug}).expect(409)
        assert refused["errors"][0]["field"] == "slug"
    third = admin.post(PRODUCTS, json={"name": "Lampe", "sku": "Y", "price": "1"}).expect(201)
    assert third["slug"] == "lampe-2"
    admin.delete(lamp).expect(204)
    admin.put(f"{PRODUCTS}/{other['id']}/translations/de", json={"slug": "lampe"}).expect(200)


def test_translations_are_read_replaced_and_deleted(admin: Any, client: Any, lamp: str) -> None:
    found = client.get(f"{lamp}/translations").expect(200)["translations"]
    assert [item["language"] for item in found] == ["de", "de-CH"]
    assert client.get(f"{lamp}/translations/DE-ch").expect(200)["name"] == "Lampä"
    replaced = admin.put(f"{lamp}/translations/de", json={"name": "Leuchte"}).expect(200)
    assert (replaced["description"], replaced["slug"]) == ("", None)
    admin.delete(f"{lamp}/translations/de").expect(204)
    for language in ("de", "xx", "é", "de_CH"):
        assert client.get(f"{lamp}/translations/{language}").status_code == 404
        assert admin.delete(f"{lamp}/translations/{language}").status_code == 404
    assert admin.put(f"{lamp}/translations/d_e", json=GERMAN).expect(422)
    assert admin.put(f"{lamp}/translations/en", json=GERMAN).expect(409)
    assert admin.put(f"{lamp}/translations/fr", json={}).expect(422)["errors"][0]["field"] == "name"
    assert client.as_user("vendor").put(f"{lamp}/translations/fr", json=GERMAN).status_code == 403
    assert client.put(f"{lamp}/translations/fr", json=GERMAN).status_code == 401


def test_categories_speak_languages_too(admin: Any, client: Any) -> None:
    admin.post(CATEGORIES, json={"name": "Lamps"}).expect(201)
    body = {"name": "Lampen", "slug": "lampen"}
    admin.put(f"{CATEGORIES}/lamps/translations/de", json=body).expect(200)
    german = {"Accept-Language": "de-AT"}
    assert client.get(f"{CATEGORIES}/lampen", headers=german).expect(200)["name"] == "Lampen"
    answer = client.get(f"{CATEGORIES}/tree", headers=german)
    assert answer.expect(200)["categories"][0]["name"] == "Lampen"
    assert answer.headers["Content-Language"] == "de"
    assert client.get(f"{CATEGORIES}/lampen").expect(200)["name"] == "Lamps"


def test_an_item_in_another_language_has_another_etag(client: Any, lamp: str) -> None:
    tag = client.get(lamp).headers["ETag"]
    again = client.get(lamp, headers={"If-None-Match": tag, "Accept-Language": "de"})
    assert again.status_code == 200
    assert client.get(lamp, headers={"If-None-Match": tag}).status_code == 304


# Currencies.


@pytest.fixture
def priced(admin: Any) -> None:
    """Three products; one has a price in euros, one costs euros anyway, one has none."""
    for sku, price, currency in (
        ("a", "10.00", "USD"),
        ("b", "20.00", "USD"),
        ("c", "5.00", "EUR"),
    ):
        body = {"name": sku, "sku": sku, "price": price, "currency": currency}
        admin.post(PRODUCTS, json=body).expect(201)
    euros = {"price": "9.50", "compare_at_price": "12.00"}
    admin.put(f"{PRODUCTS}/a/prices/EUR", json=euros).expect(200)


def skus(who: Any, query: str) -> list[str]:
    found = who.get(f"{PRODUCTS}?{query}&ordering=name").expect(200)
    return [item["sku"] for item in found["results"]]


@pytest.mark.usefixtures("priced")
def test_products_are_shown_in_the_currency_that_is_asked_for(client: Any) -> None:
    found = client.get(f"{PRODUCTS}?currency=EUR&ordering=name").expect(200)["results"]
    assert [(item["price"], item["compare_at_price"], item["currency"]) for item in found] == [
        ("9.50", "12.00", "EUR"), (None, None, "EUR"), ("5.00", None, "EUR"),
    ]  # fmt: skip
    assert client.get(f"{PRODUCTS}/a?currency=EUR").expect(200)["price"] == "9.50"
    assert client.get(f"{PRODUCTS}/a").expect(200)["price"] == "10.00"
    for bad in ("eur", "EURO", "", "€€€"):
        found = client.get(f"{PRODUCTS}?currency={bad}").expect(400)
        assert found["errors"][0]["field"] == "currency"


@pytest.mark.usefixtures("priced")
def test_price_filters_are_about_the_currency_that_is_asked_for(client: Any) -> None:
    assert skus(client, "currency=EUR&price_max=9.50") == ["a", "c"]
    assert skus(client, "currency=EUR&price_min=9") == ["a"]
    assert skus(client, "price_min=15") == ["b"]
    found = client.get(f"{PRODUCTS}?currency=JPY&price_min=1.5").expect(422)
    assert found["errors"][0]["field"] == "price_min"


@pytest.mark.usefixtures("priced")
def test_variants_follow_the_currency(admin: Any, client: Any) -> None:
    product = client.get(f"{PRODUCTS}/a").expect(200)["id"]
    for size, price in (("S", None), ("L", "11.00")):
        body = {"product": product, "options": {"Size": size}, "price": price}
        admin.post("/api/v1/variants", json=body).expect(201)
    shown = client.get(f"{PRODUCTS}/a?currency=EUR").expect(200)["variants"]
    assert [item["price"] for item in shown] == ["9.50", None]


@pytest.mark.usefixtures("priced")
def test_further_prices_are_read_replaced_and_deleted(admin: Any, client: Any) -> None:
    where = f"{PRODUCTS}/a/prices"
    euros = {"currency": "EUR", "price": "9.50", "compare_at_price": "12.00"}
    assert client.get(where).expect(200) == {"prices": [euros]}
    assert admin.put(f"{where}/EUR", json={"price": "9"}).expect(200)["compare_at_price"] is None
    assert client.get(f"{where}/EUR").expect(200)["price"] == "9.00"
    admin.delete(f"{where}/EUR").expect(204)
    assert client.get(f"{where}/EUR").status_code == 404
    for currency, price in (("USD", "1"), ("eur", "1"), ("EURO", "1"), ("JPY", "1.5")):
        assert admin.put(f"{where}/{currency}", json={"price": price}).status_code == 422
    assert client.as_user("vendor").put(f"{where}/EUR", json={"price": "1"}).status_code == 403
