"""What is about to be bought: everything a cart asks of things, in two queries for all of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

import peewee

from bodega_products.hookspecs import quote_price
from bodega_products.models import Category, Price, Product, Variant
from bodega_products.pricing import PriceFacts
from bodega_products.visibility import sold
from bodega_sdk import Money
from bodega_sdk.bulk import among, fetch_rows
from bodega_sdk.errors import Unavailable
from bodega_sdk.reading import rows_of


@dataclass(frozen=True, slots=True)
class Wanted:
    """So many of a product, or of one of its variants.

    Args:
        variant: None for the product itself.
        quantity: 1 or more; a price may depend on it.
    """

    product: UUID
    variant: UUID | None = None
    quantity: int = 1

    @property
    def item(self) -> UUID:
        """The variant's id, or the product's without one."""
        return self.variant or self.product


@dataclass(frozen=True, slots=True)
class Offer:
    """What is known of something that somebody wants.

    Args:
        is_sold: whether everybody can buy it now.
        has_variants: whether the product comes in several forms, one of which must be named.
        is_form: whether the variant that was named is one of this product; true without one.
        price: of one, in the currency that was asked for, as ``quote_price`` says; None when
            it has none in this currency.
        category: id of the product's category, if it has one.
        categories: that category and all above it, the nearest first.
        weight: grams; 0 when not known.
    """

    wanted: Wanted
    sku: str
    name: str
    slug: str
    image_url: str
    options: Mapping[str, str]
    is_sold: bool
    has_variants: bool
    is_form: bool
    price: Money | None
    organization: UUID | None
    category: UUID | None
    categories: tuple[UUID, ...]
    weight: int
    digital: bool


class _Known(NamedTuple):
    """What is read of a product: the fields of ``_READ``, and what follows from others."""

    id: UUID
    sku: str
    name: str
    slug: str
    image_url: str
    price_minor: int
    compare_at_minor: int | None
    currency: str
    organization: UUID | None
    category_id: UUID | None
    weight_grams: int | None
    is_digital: bool
    further: int | None
    way: str | None
    is_sold: int
    in_forms: int


_READ = (
    Product.id, Product.sku, Product.name, Product.slug, Product.image_url, Product.price_minor,
    Product.compare_at_minor, Product.currency, Product.organization, Product.category,
    Product.weight_grams, Product.is_digital,
)  # fmt: skip


def offers(wanted: Iterable[Wanted], currency: str) -> list[Offer | None]:
    """Return what is known of things, in their order; None where the product is gone.

    Args:
        wanted: what somebody is about to buy.
        currency: ISO 4217, of all prices.

    Raises:
        HookFailed: an addon that has a say in prices failed.
        Unavailable: one of them said what is no price.
    """
    wanted = list(wanted)
    products = _products({one.product for one in wanted}, currency)
    variants = _variants({one.variant for one in wanted} - {None})
    return [
        _offer(one, products[one.product], variants.get(one.variant), currency)
        if one.product in products
        else None
        for one in wanted
    ]


def _products(keys: set[UUID], currency: str) -> dict[UUID, _Known]:
    if not keys:
        return {}
    forms = Variant.select(Variant.id).where(Variant.product == Product.id)
    same = (Price.product == Product.id) & (Price.currency == currency)
    query = Product.select(
        *_READ, Price.price_minor, Category.path,
        peewee.Case(None, [(sold(), 1)], 0).coerce(False),
        peewee.Case(None, [(peewee.fn.EXISTS(forms), 1)], 0).coerce(False),
    )  # fmt: skip
    query = query.join(Price, peewee.JOIN.LEFT_OUTER, on=same)
    query = query.join_from(Product, Category, peewee.JOIN.LEFT_OUTER)
    alive = Product.deleted_at.is_null() & among(Product.id, keys)
    return {row[0]: _Known(*row) for row in fetch_rows(query.where(alive), _READ)}


def _variants(keys: set[Any]) -> dict[Any, Variant]:
    if not keys:
        return {}
    return {row.id: row for row in rows_of(Variant.select().where(among(Variant.id, keys)))}


def _offer(wanted: Wanted, product: _Known, variant: Variant | None, currency: str) -> Offer:
    is_form = wanted.variant is None or (
        variant is not None and variant.product_id == wanted.product
    )
    form = variant if is_form else None
    return Offer(
        wanted, (form.sku if form else "") or product.sku, product.name, product.slug,
        product.image_url, dict(form.options or {}) if form else {}, bool(product.is_sold),
        bool(product.in_forms), is_form, _price(wanted, product, form, currency),
        product.organization, product.category_id, _categories(product.way),
        product.weight_grams or 0, product.is_digital,
    )  # fmt: skip


def _categories(way: str | None) -> tuple[UUID, ...]:
    return tuple(UUID(hex=key) for key in reversed((way or "").split("/")) if key)


def _price(wanted: Wanted, product: _Known, variant: Variant | None, currency: str) -> Money | None:
    """Return what one costs; a variant's own price is in the product's currency only."""
    own = variant.price_minor if variant is not None and variant.has_price else None
    minor = product.further if own is None else None
    if product.currency == currency:
        minor = product.price_minor if own is None else own
    if minor is None:
        return None
    price = Money(minor, currency)
    before = product.compare_at_minor if product.currency == currency else None
    compare_at = None if before is None else Money(before, currency)
    facts = PriceFacts(
        product.id, product.sku, price, compare_at, currency, product.category_id
    )  # fmt: skip
    return _checked(quote_price(facts, wanted.quantity) or price, facts)


def _checked(price: Money, facts: PriceFacts) -> Money:
    """Return a price, if it is one: addons may say nonsense."""
    if price.currency == facts.currency and price.minor >= 0:
        return price
    raise Unavailable(
        f"An addon answered quote_price of {facts.sku!r} with {price} {price.currency}, which is "
        f"no price in {facts.currency}. 'bodega explain products.quote_price' shows an operator "
        "who answers.", retry_after=5, extra={"hook": "quote_price"},
    )  # fmt: skip
