"""Products that are gift cards."""

from collections.abc import Callable
from typing import Any

import pytest

CARDS = "/api/v1/gift-cards"
PRODUCTS = "/api/v1/products"
Make = Callable[..., dict[str, Any]]


def test_a_product_says_whether_it_is_a_gift_card(admin: Any, sell: Make) -> None:
    card, lamp = sell("CARD", is_gift_card=True, amount="50.00"), sell("LAMP")
    assert card["gift_cards"] == {"is_gift_card": True, "amount": "50.00"}
    assert lamp["gift_cards"] == {"is_gift_card": False, "amount": None}
    found = admin.get(PRODUCTS, params={"gift_cards.is_gift_card": "true"}).expect(200)
    assert [product["sku"] for product in found["results"]] == ["CARD"]


@pytest.mark.parametrize("amount", ["0", "-1", "much"])
def test_a_product_with_a_bad_amount_is_refused_naming_it(admin: Any, amount: str) -> None:
    data = {"name": "Card", "sku": "C", "price": "1", "gift_cards": {"amount": amount}}
    problem = admin.post(PRODUCTS, data).expect(422)
    assert [error["field"] for error in problem["errors"]] == ["gift_cards.amount"]


def test_a_card_of_a_product_takes_its_amount(admin: Any, sell: Make) -> None:
    product = sell("CARD", is_gift_card=True, amount="75.00")
    card = admin.post(CARDS, {"product_id": product["id"]}).expect(201)
    assert (card["amount"], card["product_id"]) == ("75.00", product["id"])
    listed = admin.get(CARDS, params={"product_id": product["id"]}).expect(200)
    assert [found["id"] for found in listed["results"]] == [card["id"]]
    assert admin.get(CARDS, params={"product_id": "0" * 32}).expect(200)["count"] == 0


def test_an_amount_has_the_decimals_of_the_products_currency(admin: Any, sell: Make) -> None:
    product = sell("CARD", is_gift_card=True, amount="75.00")
    path = f"{PRODUCTS}/{product['id']}"
    problem = admin.patch(path, {"gift_cards": {"amount": "25.001"}}).expect(422)
    assert [error["field"] for error in problem["errors"]] == ["gift_cards.amount"]
    assert admin.get(path).expect(200)["gift_cards"]["amount"] == "75.00"


def test_a_card_of_a_product_without_an_amount_is_worth_its_price(admin: Any, sell: Make) -> None:
    product = sell("CARD", is_gift_card=True)
    card = admin.post(CARDS, {"product_id": product["id"]}).expect(201)
    assert (card["amount"], card["currency"]) == ("25.00", product["currency"])
    data = {"product_id": product["id"], "currency": "JPY", "amount": "1000"}
    problem = admin.post(CARDS, data).expect(422)
    assert [error["field"] for error in problem["errors"]] == ["currency"]


def test_a_card_is_not_issued_from_what_is_none(admin: Any, sell: Make) -> None:
    data = {"amount": "5", "product_id": sell("LAMP")["id"]}
    problem = admin.post(CARDS, data).expect(422)
    assert [error["field"] for error in problem["errors"]] == ["product_id"]


def test_a_gift_card_with_open_balances_is_not_deleted(admin: Any, sell: Make) -> None:
    product = sell("CARD", is_gift_card=True, amount="75.00")
    card = admin.post(CARDS, {"product_id": product["id"]}).expect(201)
    problem = admin.delete(f"{PRODUCTS}/{product['id']}").expect(409)
    assert problem["addon"] == "gift_cards"
    assert "1 gift card of it has a balance" in problem["detail"]
    admin.post(f"{CARDS}/{card['id']}/redeem", {"amount": "75"}).expect(200)
    admin.delete(f"{PRODUCTS}/{product['id']}").expect(204)


def test_cards_forget_a_product_that_is_gone(admin: Any, sell: Make, bodega_jobs: Any) -> None:
    product = sell("CARD", is_gift_card=True, amount="75.00")
    card = admin.post(CARDS, {"product_id": product["id"]}).expect(201)
    admin.post(f"{CARDS}/{card['id']}/void").expect(200)
    admin.delete(f"{PRODUCTS}/{product['id']}").expect(204)
    bodega_jobs.run_all()
    shown = admin.get(f"{CARDS}/{card['id']}").expect(200)
    assert (shown["product_id"], shown["amount"]) == (None, "75.00")


def test_other_products_are_deleted_as_ever(admin: Any, sell: Make) -> None:
    admin.delete(f"{PRODUCTS}/{sell('LAMP')['id']}").expect(204)
