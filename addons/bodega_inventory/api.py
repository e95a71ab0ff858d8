"""What other addons may call.

Everything takes many items and is all or nothing, in a transaction of its own or in the one
that is open. ``OutOfStock`` names each item that is short, with what there is.
"""

from bodega_inventory.errors import OutOfStock
from bodega_inventory.items import Item, Moved, Shortage, Stock
from bodega_inventory.moving import adjust, receive, restock, sell
from bodega_inventory.reading import available
from bodega_inventory.reserving import Reserved, commit, release, reserve
from bodega_inventory.worth import Low, Worth, low, worth

__all__ = [
    "Item",
    "Low",
    "Moved",
    "OutOfStock",
    "Reserved",
    "Shortage",
    "Stock",
    "Worth",
    "adjust",
    "available",
    "commit",
    "low",
    "receive",
    "release",
    "reserve",
    "restock",
    "sell",
    "worth",
]
