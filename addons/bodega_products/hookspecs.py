"""The hooks that the catalogue publishes; other addons implement them in their plugins."""

from uuid import UUID

from bodega_products.pricing import PriceFacts
from bodega_products.search_answers import SearchAnswer, SearchQuery
from bodega_sdk import Money, hook


@hook("veto")
def refuse_deletion(products: tuple[UUID, ...]) -> str | None:
    """Say why products must not be deleted.

    Called in the transaction that deletes them, before anything is gone, with the ids of
    all of them at once: answer with one query, whether there is one product or a thousand.
    Products that a caller deletes together are kept together.

    Return one sentence for the person who reads it, e.g. ``"2 open orders contain them."``,
    or None.
    """
    raise AssertionError("a specification is not called")


@hook("provide")
def quote_price(product: PriceFacts, quantity: int) -> Money:
    """Return the price of one piece, when so many of them are bought.

    The catalogue itself returns the product's price. Wrap it (``@hookimpl(wrapper=True)``)
    to give a discount, or come first (``tryfirst``) to set a price of your own; return None
    to leave it to the others. The currency must stay the product's.
    """
    raise AssertionError("a specification is not called")


@hook("provide", budget=1.0)
def search_products(query: SearchQuery) -> SearchAnswer:
    """Search in the place of the catalogue, e.g. by a search engine of its own.

    Called for ``GET /products/search``, for suggestions and for ``?search=`` of the list,
    where it may be called twice. Return ids with scores, more is better, at most
    ``query.most`` of them, and facets if you count some; the catalogue still leaves out what
    the caller may not see and what filters leave out. Return None to leave this text to the
    others, and at last to the catalogue's own search.
    """
    raise AssertionError("a specification is not called")
