"""Undoing what was written to many products, where nobody has changed it since."""

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from bodega_products import catalogue, companions, events, skus
from bodega_products.bulk import upsert
from bodega_products.bulk_rows import Change, ProductRow
from bodega_products.models import Category, Product
from bodega_sdk import locked, now, transaction
from bodega_sdk.bulk import among, portions
from bodega_sdk.errors import Vetoed


def undo(
    changes: Sequence[Change], source: str, organization: UUID | None = None
) -> dict[UUID, str]:
    """Bring products back to what they were, in one transaction; those that were made go.

    So does what other addons add to them, where nobody has changed that since: what an order took
    from a stock is not put back.

    Args:
        changes: of :func:`bodega_products.bulk.upsert`, a few thousand at most.
        source: what does it, for the event.
        organization: for which; None for the whole shop.

    Returns:
        Why some could not be undone, by product.
    """
    made = [change.product for change in changes if change.before is None]
    changed = {change.product: change for change in changes if change.before is not None}
    named = [str(change.before["sku"]) for change in changed.values() if change.before]
    with transaction():
        # The locks of SKUs come before those of rows, as everywhere.
        of_variants = any("variants" in (change.before or ()) for change in changed.values())
        skus.hold(named, of_variants=of_variants)
        there = _there([change.product for change in changes], organization)
        conflicts = dict(_conflicts(changes, there))
        conflicts |= _delete([there[key] for key in made if key not in conflicts])
        known = _categories(changed.values())
        rows: dict[UUID, ProductRow] = {}
        for key, change in changed.items():
            category = (change.before or {}).get("category")
            if category is not None and UUID(category) not in known:
                conflicts.setdefault(key, "its category was deleted since")
            if key not in conflicts and change.before is not None:
                rows[key] = _row(change.before)
        outcomes = upsert(list(rows.values()), source, organization)
        for key, outcome in zip(rows, outcomes, strict=True):
            if outcome.status == "refused":
                conflicts[key] = f"{outcome.column}: {outcome.reason}"
        told = {key for key, one in zip(rows, outcomes, strict=True) if one.status == "updated"}
        conflicts |= _restore([changed[key] for key in rows if key not in conflicts], told, source)
    return conflicts


def _restore(changes: Iterable[Change], told: Container[UUID], source: str) -> dict[UUID, str]:
    """Bring back what other addons add to products; return what of it stays.

    Args:
        told: products that have been told of already.
    """
    added = {
        change.product: found
        for change in changes
        if change.before and (found := change.before.get("extensions"))
    }
    restored, staying = companions.restore(added)
    further = sorted(key for key in restored if key not in told)
    for some in portions(further):
        Product.update(updated_at=now()).where(among(Product.id, some)).execute()
    events.publish_many(((key, "updated") for key in further), source)
    return {key: f"all else was brought back, but not {names}" for key, names in staying.items()}


def _there(ids: list[UUID], organization: UUID | None) -> dict[UUID, Product]:
    query = Product.select().where(among(Product.id, ids) & Product.deleted_at.is_null())
    if organization is not None:
        query = query.where(Product.organization == organization)
    return {product.id: product for product in locked(query.order_by(Product.id), gone=True)}


def _conflicts(
    changes: Iterable[Change], there: Mapping[UUID, Product]
) -> Iterable[tuple[UUID, str]]:
    for change in changes:
        product = there.get(change.product)
        if product is None:
            yield change.product, "it was deleted since"
        elif product.updated_at != change.stamp:
            yield change.product, "it was changed since"


def _delete(products: list[Product]) -> dict[UUID, str]:
    """Delete products; return why some must stay."""
    try:
        with transaction():
            catalogue.delete_products(products)
    except Vetoed:
        return dict(_delete_singly(products))
    return {}


def _delete_singly(products: Iterable[Product]) -> Iterable[tuple[UUID, str]]:
    for product in products:
        try:
            with transaction():
                catalogue.delete_products([product])
        except Vetoed as error:
            yield product.id, error.detail


def _categories(changes: Iterable[Change]) -> set[UUID]:
    named = {
        UUID(change.before["category"])
        for change in changes
        if change.before and change.before.get("category") is not None
    }
    return {
        key for (key,) in Category.select(Category.id).where(among(Category.id, named)).tuples()
    }


def _row(before: Mapping[str, Any]) -> ProductRow:
    others = ("sku", "variants", "tags", "extensions")
    fields = {name: value for name, value in before.items() if name not in others}
    if fields.get("category") is not None:
        fields["category"] = UUID(fields["category"])
    row = ProductRow(str(before["sku"]), fields, before.get("variants"))
    row.tags = before.get("tags")
    return row
