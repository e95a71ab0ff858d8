"""The events of the catalogue."""

from typing import Any

from bodega_products.models import Product
from bodega_sdk import Event

_FIELDS = {
    "id": "UUID",
    "sku": "text",
    "name": "text",
    "description": "text",
    "price": "decimal string",
    "currency": "ISO 4217 code",
    "is_active": "true or false",
}
product_created = Event("product.created", "A product was made.", _FIELDS)
product_updated = Event("product.updated", "A product was changed.", _FIELDS)
product_deleted = Event("product.deleted", "A product was deleted.", _FIELDS)
products_changed = Event(
    "products.changed",
    "Many products were made or changed at once.",
    {"created": "how many", "updated": "how many", "source": "what did it, e.g. import:<id>"},
)
ALL = (product_created, product_updated, product_deleted, products_changed)


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
