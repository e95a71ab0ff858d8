from collections.abc import Generator

from bodega_products.api import PriceFacts
from bodega_sdk import Money, hookimpl


@hookimpl
def gift_card_prefix(amount: Money) -> str:
    return "x-mas " * (amount.minor // 5000)


@hookimpl(wrapper=True)
def quote_price(product: PriceFacts) -> Generator[None, Money | None, Money | None]:
    price = yield
    return price and Money(price.minor // 2, price.currency)
