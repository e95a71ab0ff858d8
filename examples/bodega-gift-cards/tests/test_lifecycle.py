"""The addon comes and goes on a running shop."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import peewee
import pytest
from bodega_sdk import Model, UTCDateTimeField, now, transaction, uuid7

CARDS = "/api/v1/gift-cards"
PRODUCTS = "/api/v1/products"
TABLES = {"gift_cards_card", "gift_cards_movement", "gift_cards_gift"}
Make = Callable[..., dict[str, Any]]


def test_disabled_it_is_as_if_it_were_not_there_and_enabled_again_nothing_is_lost(
    admin: Any, bodega_client: Any, bodega_shop: Any, issue: Make, sell: Make
) -> None:
    product, card = sell("CARD", is_gift_card=True, amount="50.00"), issue()
    bodega_shop.disable("gift_cards")
    admin.get(CARDS).expect(404)
    assert "gift_cards" not in admin.get(f"{PRODUCTS}/{product['id']}").expect(200)
    bodega_shop.enable("gift_cards")
    shown = admin.get(f"{PRODUCTS}/{product['id']}").expect(200)["gift_cards"]
    assert shown == {"is_gift_card": True, "amount": "50.00"}
    told = bodega_client.post(f"{CARDS}/check", {"code": card["code"]}).expect(200)
    assert told["balance"] == "50.00"


def test_its_tables_are_made_and_dropped_with_it(bodega_shop: Any) -> None:
    made = bodega_shop.tables
    assert made >= TABLES
    bodega_shop.purge("gift_cards")
    assert not TABLES & bodega_shop.tables
    bodega_shop.install("gift_cards")
    assert bodega_shop.tables == made


def test_what_1_0_writes_while_a_shop_is_upgraded_is_read_by_1_1(
    admin: Any, bodega_shop: Any
) -> None:
    class Before(Model):
        """A card as 1.0 knew it."""

        id = peewee.UUIDField(primary_key=True, default=uuid7)
        created_at = UTCDateTimeField(default=now)
        updated_at = UTCDateTimeField(default=now)
        code_hash = peewee.CharField(max_length=64)
        last_four = peewee.CharField(max_length=4)
        amount_minor = peewee.BigIntegerField()
        balance_minor = peewee.BigIntegerField()
        currency = peewee.FixedCharField(max_length=3)
        expires_at = UTCDateTimeField(default=lambda: now() + timedelta(days=1))

        class Meta:
            table_name = "gift_cards_card"

    with transaction():
        card = Before.create(
            code_hash="0" * 64, last_four="ABCD", amount_minor=5, balance_minor=5, currency="EUR"
        )
    shown = admin.get(f"{CARDS}/{card.id}").expect(200)
    assert (shown["note"], shown["balance"]) == ("", "0.05")


def test_the_database_refuses_a_balance_below_zero(bodega_shop: Any, issue: Make) -> None:
    from bodega_gift_cards.models import Card

    issue()
    with pytest.raises(peewee.IntegrityError), transaction():
        Card.update(balance_minor=-1).execute()
