"""What other addons report, followed: whose product it is."""

from uuid import UUID

from bodega_media.models import Image
from bodega_products.api import products_of
from bodega_sdk import Occurrence


def follow_product(event: Occurrence) -> None:
    """Let a product's pictures belong to whom the product does."""
    key = UUID(event.key)
    found = products_of([key]).get(key)
    rows = Image.select(Image.organization).where(Image.product == key).distinct()
    if found is not None and any(row.organization != found.organization for row in rows):
        changes = {"organization": found.organization}
        Image.update(changes).where(Image.product == key).execute()
