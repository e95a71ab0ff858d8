"""What the answers of the search look like."""

from typing import Any

from bodega_sdk.schemas import (
    Amount,
    Boolean,
    Dict,
    Integer,
    List,
    Nested,
    Schema,
    String,
    Uuid,
)  # fmt: skip


class NamedCountSchema(Schema):
    """How many products something has."""

    slug = String()
    name = String()
    count = Integer()


class SearchPriceBandSchema(Schema):
    """How many products cost so much or more, and less than that."""

    count = Integer()

    class Meta:
        """``from`` is no name in Python."""

        include = {  # noqa: RUF012
            "from": Amount(metadata={"description": "So much or more."}),
            "to": Amount(
                allow_none=True, metadata={"description": "Less than that; null: no end."}
            ),
        }


class SearchStockSchema(Schema):
    """How many products can be had."""

    in_stock = Integer()
    out_of_stock = Integer()


class FacetsSchema(Schema):
    """Counts over everything that was found; addons may add some."""

    category = List(Nested(NamedCountSchema))
    tags = List(Nested(NamedCountSchema))
    price = List(
        Nested(SearchPriceBandSchema),
        metadata={"description": "Bands of prices in the shop's currency."},
    )
    stock = Nested(SearchStockSchema, metadata={"description": "When an addon keeps stock."})


class HighlightsSchema(Schema):
    """HTML: everything escaped, and `<mark>` around what was found."""

    name = String()
    description = String(metadata={"description": "An excerpt; empty when nothing is there."})


class SearchSchema(Schema):
    """What was found, the best first."""

    count = Integer(metadata={"description": "Products found, 10000 at most."})
    more = Boolean(metadata={"description": "Whether there are more than that."})
    next = String(allow_none=True)
    previous = String(allow_none=True)
    corrected = Dict(
        keys=String(), values=List(String()),
        metadata={"description": "Words that no product has, and those looked for instead."},
    )  # fmt: skip
    facets = Nested(FacetsSchema)


class SuggestedProductSchema(Schema):
    """A product that may be meant."""

    id = Uuid()
    name = String()
    slug = String()
    marked = String(metadata={"description": "The name as HTML, with `<mark>`."})


class SuggestionsSchema(Schema):
    """What may be meant."""

    words = List(String(), metadata={"description": "The text with its last word made whole."})
    products = List(Nested(SuggestedProductSchema))
    corrected = Dict(keys=String(), values=List(String()))


def search_schema(shown: type[Schema]) -> type[Schema]:
    """Return the schema of found products that are shown in this way."""
    members: dict[str, Any] = {"highlights": Nested(HighlightsSchema, dump_only=True)}
    found = type("FoundProductSchema", (shown,), members | {"__doc__": "A product found."})
    listed = {"results": List(Nested(found)), "__doc__": SearchSchema.__doc__}
    return type("ProductSearchSchema", (SearchSchema,), listed)
