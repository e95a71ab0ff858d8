"""What is on lists: adding, moving and removing it. Call these in a transaction."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from bodega_products import api as products
from bodega_products.api import ProductFacts, VariantFacts
from bodega_sdk import now, setting
from bodega_sdk.errors import Conflict, FieldError, invalid
from bodega_wishlists import events, lists
from bodega_wishlists.models import Item, Wisher, Wishlist


def add(wisher: Wisher, data: dict[str, Any]) -> Item:
    """Put a product or a variant on a list.

    Args:
        wisher: held.

    Raises:
        InvalidInput: there is no such list, product or variant.
        Conflict: the list has it already, or is full.
    """
    product, variant = _thing(data.get("product"), data.get("variant"))
    wishlist = _list(wisher, data.get("wishlist"))
    thing = variant or product
    _refuse_full(wishlist)
    _refuse_twice(wishlist, thing)
    made: Item = Item.create(
        wishlist=wishlist.id, account=wisher.account, thing=thing, product=product,
        variant=variant, note=data.get("note", ""),
    )  # fmt: skip
    events.item_added.publish(str(made.id), _told(made))
    return made


def _told(item: Item) -> dict[str, Any]:
    names = ("id", "account", "product", "variant")
    return {name: getattr(item, name) for name in names} | {"wishlist": item.wishlist_id}


def _thing(product: UUID | None, variant: UUID | None) -> tuple[UUID, UUID | None]:
    """Return the product and the variant that are meant."""
    if variant is not None:
        found = products.variants_of([variant]).get(variant)
        if found is None or product not in (None, found.product):
            of = "" if found is None else " of this product"
            raise invalid("variant", f"There is no variant{of} with this id.", str(variant))
        product = found.product
    if product is None:
        raise invalid("product", "Name a product or a variant.")
    known = products.products_of([product]).get(product)
    if known is None or not known.is_active:
        raise invalid("product", "There is no product with this id.", str(product))
    return product, variant


def _list(wisher: Wisher, wanted: UUID | None) -> Wishlist:
    if wanted is None:
        return lists.default_of(wisher)
    mine = (Wishlist.id == wanted) & (Wishlist.account == wisher.account)
    found: Wishlist | None = Wishlist.get_or_none(mine)
    if found is None:
        raise invalid("wishlist", "You have no wishlist with this id.", str(wanted))
    return found


def _refuse_full(wishlist: Wishlist) -> None:
    most = setting("wishlists.items_per_list")
    if Item.select().where(Item.wishlist == wishlist).count() >= most:
        raise Conflict(f"{wishlist.name!r} holds {most} items already; remove one first.")


def _refuse_twice(wishlist: Wishlist, thing: UUID) -> None:
    there = Item.get_or_none((Item.wishlist == wishlist) & (Item.thing == thing))
    if there is not None:
        name = "variant" if there.variant else "product"
        raise Conflict(
            f"{wishlist.name!r} has it already.",
            [FieldError(name, f"The item {there.id} is it.", str(thing))],
            extra={"item": str(there.id)},
        )


def change(wisher: Wisher, item: Item, data: dict[str, Any]) -> Item:
    """Write another note, or move something to another list of the same person.

    Raises:
        InvalidInput: there is no such list, or it would be something else.
        Conflict: that list has it already, or is full.
    """
    for name in ("product", "variant"):
        if name in data and data[name] != getattr(item, name):
            raise invalid(name, "An item stays what it is; add another one.")
    if data.get("wishlist", item.wishlist_id) != item.wishlist_id:
        target = _list(wisher, data["wishlist"])
        _refuse_full(target)
        _refuse_twice(target, item.thing)
        item.wishlist = target.id
    item.note, item.updated_at = data.get("note", item.note), now()
    item.save()
    return item


def remove(item: Item) -> None:
    """Take something off a list."""
    events.item_removed.publish(str(item.id), _told(item))
    item.delete_instance()


@dataclass(frozen=True)
class Things:
    """What the catalogue says of things on lists, in two queries for all of them."""

    products: Mapping[UUID, ProductFacts] = field(default_factory=dict)
    variants: Mapping[UUID, VariantFacts] = field(default_factory=dict)

    @classmethod
    def of(cls, items: Iterable[Item]) -> "Things":
        """Ask for what some items are."""
        items = list(items)
        variants = {item.variant for item in items} - {None}
        return cls(
            products.products_of(item.product for item in items),
            products.variants_of(variants) if variants else {},
        )

    def show(self, item: Item) -> dict[str, Any]:
        """Return what an item is, as its owner sees it."""
        product, variant = self.products.get(item.product), self.variants.get(item.variant)
        there = product is not None and product.is_active
        available = there and (item.variant is None or variant is not None)
        priced = (variant or product) if available else None
        return {
            "name": product.name if product else None,
            "options": dict(variant.options) if variant else {},
            "price": str(priced.price) if priced else None,
            "currency": product.currency if product and priced else None,
            "available": available,
        }


def shown_to_all(wishlist: Wishlist) -> list[dict[str, Any]]:
    """Return what of a list whoever has its link sees: what is for sale, and nothing else."""
    query = Item.select().where(Item.wishlist == wishlist)
    items = list(query.order_by(Item.created_at, Item.id))
    things = Things.of(items)
    shown = ((item, things.show(item)) for item in items)
    return [
        {
            "product": item.product,
            "variant": item.variant,
            "slug": things.products[item.product].slug,
            **{name: value for name, value in told.items() if name != "available"},
        }
        for item, told in shown
        if told["available"]
    ]
