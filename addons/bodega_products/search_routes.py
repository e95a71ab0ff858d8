"""The routes of the search, and the search of the list: what a collection of products adds."""

from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any, ClassVar

import peewee

from bodega_products import search_marks
from bodega_products.models import Product
from bodega_products.search_facets import facets
from bodega_products.search_find import Found, find
from bodega_products.search_schemas import SuggestionsSchema, search_schema
from bodega_products.search_suggestions import suggestions
from bodega_sdk import Collection, Parameter, Request, Route, pagination

#: Matches that are counted; beyond it the answer says that there are more.
BOUND = 10_000
_QUERY = Parameter(
    "q", str,
    'Words to look for, the last one may be a beginning; "words in quotes" stand side by side, '
    "and -word must not be there.",
    "",
)  # fmt: skip
_FACETS = Parameter("facets", bool, "Whether to count by category, price, tags and stock.", True)


_last: ContextVar[tuple[str, Found] | None] = ContextVar("bodega_products_search", default=None)


class Searched(Collection):
    """Products that can be searched."""

    searchable: ClassVar[bool] = True

    def search(self, text: str) -> Any:
        """Return the condition that a text finds a product."""
        found = find(text)
        _last.set((text, found))
        return found.condition

    def rank(self, text: str) -> Any:
        """Return how well a product fits a text, which was searched for right before."""
        last = _last.get()
        found = last[1] if last is not None and last[0] == text else find(text)
        return found.rank

    def search_routes(self, path: str) -> tuple[Route, ...]:
        """Return the routes of the search."""
        pages = pagination.parameters(self.page_size, self.largest_page)[:2]
        filters = tuple(item.parameter for item in self._filters.values())
        few = Parameter("limit", int, "Suggestions of each kind.", 8, minimum=1, maximum=20)
        return (
            Route(
                "GET", f"{path}/search", self.searched, self.read, "Search products",
                description="The best first. A word that no product has is looked for as the "
                "words nearest to it; `corrected` says so.",
                parameters=(_QUERY, *pages, _FACETS, *filters, *self.picking()),
                returns=search_schema(self.shape), cached=True,
            ),
            Route(
                "GET", f"{path}/suggestions", self.suggested, self.read, "Suggest products",
                description="What goes on where somebody stopped typing: words that many "
                "products have, and products.",
                parameters=(_QUERY, few), returns=SuggestionsSchema, cached=True,
            ),
        )  # fmt: skip

    def searched(self, request: Request) -> dict[str, Any]:
        """Search."""
        found = find(request.query["q"])
        narrowing = self._narrowing(request.query)
        seen = self._filtered(self._join(self._seen(request), narrowing), request.query)
        query = found.joined(seen)
        count, more = _counted(query)
        others = [item for item in self._extensions if item not in narrowing]
        rows = self._page(self._with_companions(self._join(query, others)), found, request)
        return {
            **_links(request, count),
            "count": count,
            "more": more,
            "corrected": dict(found.corrected),
            "facets": self._facets(query, found, request, narrowing),
            "results": self._marked(rows, found, request),
        }

    def _page(self, query: Any, found: Found, request: Request) -> list[Any]:
        page, size = request.query.get("page", 1), request.query["page_size"]
        best = (found.hits.c.score.desc(), Product.popularity.desc(), Product.id.desc())
        return list(query.order_by(*best).limit(size).offset((page - 1) * size))

    def _marked(self, rows: list[Any], found: Found, request: Request) -> list[dict[str, Any]]:
        shown = self.show_all(rows, request)
        for row, item in zip(rows, shown, strict=True):
            name, text = item.get("name") or row.name, item.get("description") or row.description
            item["highlights"] = {
                "name": search_marks.marked(name, found.terms),
                "description": search_marks.excerpt(text, found.terms),
            }
        return shown

    def _facets(
        self, query: Any, found: Found, request: Request, narrowing: Iterable[Any]
    ) -> dict[str, Any]:
        if not request.query["facets"]:
            return {}
        told, total = facets(query)
        in_stock = self._filters.get("in_stock")
        if in_stock is not None:
            joining = [x for x in self._narrowing({"in_stock": True}) if x not in narrowing]
            having = self._join(query, joining).where(in_stock.apply(True))
            number = having.select(Product.id).count()
            told["stock"] = {"in_stock": number, "out_of_stock": total - number}
        return told | dict(found.facets)

    def suggested(self, request: Request) -> dict[str, Any]:
        """Suggest."""
        found, limit = find(request.query["q"]), request.query["limit"]
        return suggestions(found, self._seen(request), limit)


def _counted(query: peewee.ModelSelect) -> tuple[int, bool]:
    """Return how many rows there are, at most :data:`BOUND`, and whether there are more."""
    number: int = query.select(Product.id).limit(BOUND + 1).count()
    return min(number, BOUND), number > BOUND


def _links(request: Request, count: int) -> dict[str, Any]:
    page, size = request.query.get("page", 1), request.query["page_size"]
    return {
        "next": request.url(page=page + 1) if page * size < count else None,
        "previous": request.url(page=page - 1) if page > 1 else None,
    }
