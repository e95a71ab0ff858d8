"""The events of wishlists."""

from bodega_sdk import Event

_ITEM = {
    "id": "UUID",
    "wishlist": "UUID",
    "account": "UUID",
    "product": "UUID",
    "variant": "UUID, or null",
}
item_added = Event("wishlist.item_added", "Somebody put something on a wishlist.", _ITEM)
item_removed = Event("wishlist.item_removed", "Somebody took something off a wishlist.", _ITEM)
wishlist_shared = Event(
    "wishlist.shared",
    "A wishlist got a public link; an older one of it is no longer good.",
    {"id": "UUID", "account": "UUID"},
)
ALL = (item_added, item_removed, wishlist_shared)
