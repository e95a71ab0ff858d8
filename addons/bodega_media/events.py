"""The events of pictures."""

from typing import Any

from bodega_media.models import Image
from bodega_sdk import Event

_FIELDS = {
    "id": "UUID of the picture",
    "product": "UUID",
    "variant": "UUID, or null",
    "key": "SHA-256 of the file, in hex",
    "media": "media type",
    "width": "pixels",
    "height": "pixels",
    "bytes": "of the file",
    "alt": "what it shows, in words",
    "is_primary": "whether it was the product's first picture",
    "is_private": "whether it needs a signed address",
}
image_added = Event("media.image_added", "A product got a picture.", _FIELDS)
image_removed = Event("media.image_removed", "A picture was taken from a product.", _FIELDS)
EVENTS = (image_added, image_removed)


def publish(event: Event, row: Image) -> None:
    """Publish an event about a picture, whose product is held."""
    data: dict[str, Any] = {name: getattr(row, name) for name in _FIELDS}
    event.publish(str(row.product), data)
