"""What other addons may call, and what they implement to keep pictures elsewhere."""

from bodega_media.adding import Details, add
from bodega_media.hookspecs import provide_storage
from bodega_media.sizes import Size
from bodega_media.storage import Missing, Storage

__all__ = ["Details", "Missing", "Size", "Storage", "add", "provide_storage"]
