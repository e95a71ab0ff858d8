"""The events of the catalogue."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from bodega_products.models import Category, Product, Variant
from bodega_sdk import Event
from bodega_sdk.bulk import portions

if TYPE_CHECKING:
    from bodega_products.bulk_rows import Picture

#: Ids that one event tells.
_IDS = 500
_FIELDS = {
    "id": "UUID",
    "sku": "text",
    "name": "text",
    "description": "text",
    "price": "decimal string",
    "currency": "ISO 4217 code",
    "is_active": "true or false",
}
_VARIANT = {
    "id": "UUID",
    "product": "UUID of the product",
    "sku": "text, empty without one",
    "options": "object of names and values",
    "price": "decimal string: its own, or the product's",
    "currency": "ISO 4217 code",
}
_CATEGORY = {
    "id": "UUID",
    "slug": "text",
    "name": "text",
    "parent": "UUID of the category above, or null",
    "is_active": "true or false",
}
product_created = Event("product.created", "A product was made.", _FIELDS)
product_updated = Event("product.updated", "A product was changed.", _FIELDS)
product_deleted = Event("product.deleted", "A product was deleted.", _FIELDS)
product_restored = Event("product.restored", "A deleted product was brought back.", _FIELDS)
products_changed = Event(
    "products.changed",
    "Many products were made or changed at once; of more than 500 several events tell.",
    {
        "created": "how many",
        "updated": "how many",
        "source": "what did it, e.g. import:<id>",
        "ids": "list of the products' UUIDs",
    },
)
pictures_named = Event(
    "product.pictures_named",
    "Pictures of products were named that lie elsewhere, e.g. in a file.",
    {
        "source": "what named them, e.g. import:<id>",
        "pictures": "list of product (UUID), url and alt, those of a product in their order",
    },
)
variant_created = Event("variant.created", "A variant of a product was made.", _VARIANT)
variant_updated = Event("variant.updated", "A variant of a product was changed.", _VARIANT)
variant_deleted = Event("variant.deleted", "A variant of a product was deleted.", _VARIANT)
category_created = Event("category.created", "A category was made.", _CATEGORY)
category_updated = Event("category.updated", "A category was changed or moved.", _CATEGORY)
category_deleted = Event("category.deleted", "A category was deleted.", _CATEGORY)
ALL = (
    product_created, product_updated, product_deleted, product_restored,
    products_changed, pictures_named,
    variant_created, variant_updated, variant_deleted,
    category_created, category_updated, category_deleted,
)  # fmt: skip


def publish_many(written: Iterable[tuple[UUID, str]], source: str) -> None:
    """Publish what became of many products.

    Args:
        written: of each its id, and whether it was ``created`` or ``updated``.
        source: what did it.
    """
    for some in portions(written, _IDS):
        statuses = [status for _, status in some]
        counts = {name: statuses.count(name) for name in ("created", "updated")}
        data = {**counts, "source": source, "ids": [key for key, _ in some]}
        products_changed.publish(source, data)


def publish_pictures(pictures: Iterable[tuple[UUID, "Picture"]], source: str) -> None:
    """Publish which pictures products have elsewhere.

    Args:
        pictures: of each its product and what it is.
        source: what named them.
    """
    for some in portions(pictures, _IDS):
        listed = [{"product": key, "url": item.url, "alt": item.alt} for key, item in some]
        pictures_named.publish(source, {"source": source, "pictures": listed})


def publish(event: Event, product: Product) -> None:
    """Publish an event about one product."""
    data: dict[str, Any] = {
        "id": product.id,
        "sku": product.sku,
        "name": product.name,
        "description": product.description,
        "price": str(product.price),
        "currency": product.currency,
        "is_active": product.is_active,
    }
    event.publish(str(product.id), data)


def publish_variant(event: Event, variant: Variant, product: Product) -> None:
    """Publish an event about one variant; events of one product keep their order."""
    data: dict[str, Any] = {
        "id": variant.id,
        "product": product.id,
        "sku": variant.sku,
        "options": variant.options,
        "price": str(variant.price_of(product)),
        "currency": product.currency,
    }
    event.publish(str(product.id), data)


def publish_category(event: Event, category: Category) -> None:
    """Publish an event about one category."""
    data: dict[str, Any] = {
        "id": category.id,
        "slug": category.slug,
        "name": category.name,
        "parent": category.parent_id,
        "is_active": category.is_active,
    }
    event.publish(str(category.id), data)
