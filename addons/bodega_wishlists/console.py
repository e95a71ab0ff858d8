"""The console's page: what is wished for most."""

from collections.abc import Iterator

import peewee

from bodega_products import api as products
from bodega_sdk import ConsolePage, Request
from bodega_sdk.console import Bars, Block, Facts, Notice
from bodega_wishlists.models import Item, Wisher, Wishlist

_MOST = 25


def pages() -> list[ConsolePage]:
    """Return the page."""
    return [
        ConsolePage(
            "wishlists", "Wishes", "wishlists.read_demand", demand,
            "Which products are wished for most; by whom is not said.",
        )
    ]  # fmt: skip


def demand(request: Request) -> Iterator[Block]:
    """The products that most people wish for."""
    people = peewee.fn.COUNT(Item.account.distinct())
    query = Item.select(Item.product, people).group_by(Item.product)
    found = list(query.order_by(people.desc(), Item.product).limit(_MOST).tuples())
    known = products.products_of(key for key, _ in found)
    yield Facts((
        ("People with wishlists", Wisher.select().count()),
        ("Wishlists", Wishlist.select().count()), ("Wishes", Item.select().count()),
    ))  # fmt: skip
    rows = [(f"{known[key].name} ({known[key].sku})", n) for key, n in found if key in known]
    yield Bars(rows, "Most wanted", unit="people") if rows else Notice("No wishes yet.")
