"""Variants of many products at once."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from bodega_products.models import Product, Variant
from bodega_products.text import options_key, sku_key
from bodega_sdk import now, uuid7
from bodega_sdk.bulk import among, portions

if TYPE_CHECKING:
    from bodega_products.bulk_rows import ProductRow

_ROWS = 1000
_CHANGED = ("position", "sku", "sku_key", "options", "price_minor", "has_price", "updated_at")


class Claims:
    """Which SKU belongs to which product, as itself or as a variant of it.

    Args:
        rows: what is to be written.
        keys: the SKUs of the rows, as they are compared.
    """

    def __init__(self, rows: Sequence["ProductRow"], keys: Sequence[str]) -> None:
        self._claims = dict(zip(keys, keys, strict=True))
        wanted = {sku_key(item["sku"]) for row in rows for item in row.variants or ()} - {""}
        self._owners: dict[str, str] = {}
        for some in portions(sorted(wanted - self._claims.keys())):
            query = Product.select(Product.sku_key, Product.sku_key)
            self._owners.update(query.where(among(Product.sku_key, some)).tuples())
        for some in portions(sorted(wanted | self._claims.keys())):
            query = Variant.select(Variant.sku_key, Product.sku_key).join(Product)
            self._owners.update(query.where(among(Variant.sku_key, some)).tuples())

    def fault(self, row: "ProductRow", key: str) -> tuple[str, str] | None:
        """Return why a row cannot have its SKU, or its variants theirs and their options."""
        if self._owners.get(key, key) != key:
            return "sku", f"a variant of another product has this SKU: of {self._owners[key]!r}"
        seen: set[str] = set()
        for variant in row.variants or ():
            fault = self._fault(variant, key, seen)
            if fault:
                return fault
        return None

    def _fault(
        self, variant: Mapping[str, Any], key: str, seen: set[str]
    ) -> tuple[str, str] | None:
        options = options_key(variant["options"])
        if options in seen:
            return "options", f"two variants have the same options: {dict(variant['options'])}"
        seen.add(options)
        own = sku_key(variant["sku"])
        if not own or own == key:
            return None
        if own in seen:
            return "sku", f"two variants have the same SKU: {variant['sku']!r}"
        seen.add(own)
        owner = self._owners.get(own) or self._claims.setdefault(own, key)
        if owner != key:
            return "sku", f"another product has the SKU of a variant: {variant['sku']!r}"
        return None


def write(variants: Mapping[UUID, tuple[str, Sequence[Mapping[str, Any]]]]) -> None:
    """Give products exactly these variants; those with the same options stay the same ones.

    Args:
        variants: by product: its SKU as it is compared, and its variants.
    """
    stamp = now()
    there = _there(list(variants))
    records = [
        {
            "id": there.get((product, options_key(item["options"]))) or uuid7(),
            "created_at": stamp, "updated_at": stamp, "product": product, "position": place,
            "sku": item["sku"], "sku_key": _key(item["sku"], own), "options": item["options"],
            "options_key": options_key(item["options"]), "price_minor": item["price_minor"] or 0,
            "has_price": item["price_minor"] is not None,
        }
        for product, (own, items) in variants.items()
        for place, item in enumerate(items, 1)
    ]  # fmt: skip
    _make_room(list(variants), {record["id"] for record in records})
    for some in portions(records, _ROWS):
        preserved = [getattr(Variant, name) for name in _CHANGED]
        insert = Variant.insert_many(some)
        insert.on_conflict(conflict_target=[Variant.id], preserve=preserved).execute()


def _key(sku: str, own: str) -> str | None:
    key = sku_key(sku)
    return None if key == own else key or None


def _there(products: list[UUID]) -> dict[tuple[UUID, str], UUID]:
    found: dict[tuple[UUID, str], UUID] = {}
    for some in portions(products):
        query = Variant.select(Variant.id, Variant.product, Variant.options_key)
        for key, product, options in query.where(Variant.product.in_(some)).tuples():
            found[product, options] = key
    return found


def _make_room(products: list[UUID], staying: set[UUID]) -> None:
    """Delete what goes, and free the SKUs and positions of what stays, before it is written."""
    for some in portions(products):
        mine = Variant.product.in_(some)
        ids = {key for (key,) in Variant.select(Variant.id).where(mine).tuples()}
        for going in portions(sorted(ids - staying)):
            Variant.delete().where(Variant.id.in_(going)).execute()
        if ids & staying:
            Variant.update(position=Variant.position * -1, sku_key=None).where(mine).execute()
