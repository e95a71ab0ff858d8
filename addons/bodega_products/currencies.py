"""Prices in further currencies."""

from decimal import Decimal
from typing import Any

import peewee

from bodega_products import events
from bodega_products.asking import asked
from bodega_products.catalogue import minor, money_filter
from bodega_products.models import Price, Product
from bodega_products.schemas import PriceSchema, PricesSchema
from bodega_sdk import Money, Reply, Request, Route, now, transaction
from bodega_sdk.errors import FieldError, NotFound, invalid


def joined(query: Any) -> Any:
    """Return a query of products with what they cost in the currency that is asked for."""
    currency = asked().currency
    if currency is None:
        return query
    same = (Price.product == Product.id) & (Price.currency == currency)
    joined = query.join_from(Product, Price, peewee.JOIN.LEFT_OUTER, on=same, attr="priced")
    return joined.select_extend(Price.id, Price.price_minor, Price.compare_at_minor)


def price_filter(name: str, amount: Decimal, compare: Any) -> Any:
    """Return the condition on the price in the currency that is asked for, or on its own."""
    currency = asked().currency
    if currency is None:
        return compare(Product.price_minor, money_filter(name, amount))
    value = money_filter(name, amount, currency)
    prices = Price.alias()
    further = prices.select(prices.product).where(
        prices.currency == currency, compare(prices.price_minor, value)
    )
    own = (Product.currency == currency) & compare(Product.price_minor, value)
    return own | Product.id.in_(further)


def show(products: list[Product], shown: list[dict[str, Any]]) -> None:
    """Show products' prices in the currency that is asked for; null where they have none."""
    currency = asked().currency
    if currency is None:
        return
    for product, item in zip(products, shown, strict=True):
        if product.currency != currency:
            _show_in(currency, product, item)


def _show_in(currency: str, product: Product, item: dict[str, Any]) -> None:
    found = getattr(product, "priced", None)
    price, compare_at = _amounts(found, currency)
    item |= {"price": price, "compare_at_price": compare_at, "currency": currency}
    for variant in item["variants"]:
        variant["price"] = None if variant["own_price"] else price


def _amounts(found: Price | None, currency: str) -> tuple[str | None, str | None]:
    if found is None or found.price_minor is None:
        return None, None
    compare_at = found.compare_at_minor
    return (
        str(Money(found.price_minor, currency)),
        None if compare_at is None else str(Money(compare_at, currency)),
    )


class Prices:
    """The routes of a product's further prices.

    Args:
        products: the collection of the products.
    """

    def __init__(self, products: Any) -> None:
        self._products = products

    def routes(self, path: str) -> tuple[Route, ...]:
        """Return them."""
        several, one = f"{path}/{{id}}/prices", f"{path}/{{id}}/prices/{{currency}}"
        products = self._products
        types = {**products.path_types, "currency": str}
        more: dict[str, Any] = {"path_types": types}
        whose: dict[str, Any] = {"objects": products.objects, "beyond": products.beyond, **more}
        return (
            Route("GET", several, self._list, products.read, "List further prices of a product",
                  returns=PricesSchema, **more),
            Route("GET", one, self._read, products.read, "Read a product's price in a currency",
                  returns=PriceSchema, **more),
            Route("PUT", one, self._put, products.write, "Set a product's price in a currency",
                  body=PriceSchema, returns=PriceSchema, **whose),
            Route("DELETE", one, self._delete, products.write,
                  "Delete a product's price in a currency", status=204, **whose),
        )  # fmt: skip

    def _list(self, request: Request) -> dict[str, Any]:
        product = self._products.get(request)
        query = Price.select().where(Price.product == product.id).order_by(Price.currency)
        return {"prices": [_show(row) for row in query]}

    def _read(self, request: Request) -> dict[str, Any]:
        return _show(_found(self._products.get(request), request.params["currency"]))

    def _put(self, request: Request) -> dict[str, Any]:
        with transaction():
            product = self._products.hold(request)
            price = _set(product, _code(request.params["currency"]), request.body)
            _changed(product)
        return _show(price)

    def _delete(self, request: Request) -> Reply:
        with transaction():
            product = self._products.hold(request)
            _found(product, request.params["currency"]).delete_instance()
            _changed(product)
        return Reply(status=204)


def _set(product: Product, currency: str, data: dict[str, Any]) -> Price:
    if currency == product.currency:
        message = f"{currency} is the product's own currency; change its price itself."
        raise invalid("currency", message, currency)
    compare_at = data.get("compare_at_price")
    values = {
        "price_minor": minor("price", data["price"], currency),
        "compare_at_minor": (
            None if compare_at is None else minor("compare_at_price", compare_at, currency)
        ),
    }
    price: Price = Price.get_or_none(Price.product == product.id, Price.currency == currency)
    if price is None:
        return Price.create(product=product.id, currency=currency, **values)
    for name, value in values.items():
        setattr(price, name, value)
    price.save()
    return price


def _changed(product: Product) -> None:
    Product.update(updated_at=now()).where(Product.id == product.id).execute()
    events.publish(events.product_updated, product)


def _code(text: str) -> str:
    if len(text) == 3 and text.isascii() and text.isalpha() and text.isupper():
        return text
    raise invalid("currency", "Expected an ISO 4217 code such as EUR.", text)


def _found(product: Product, currency: str) -> Price:
    found: Price | None = Price.get_or_none(Price.product == product.id, Price.currency == currency)
    if found is None:
        message = "It has no price in this currency."
        raise NotFound(message, [FieldError("currency", message, currency)])
    return found


def _show(price: Price) -> dict[str, Any]:
    value, compare_at = _amounts(price, price.currency)
    return {"currency": price.currency, "price": value, "compare_at_price": compare_at}
