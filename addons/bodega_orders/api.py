"""What other addons may call, and the values that cross the border."""

from bodega_orders.drafts import (
    Destination,
    Discount,
    Discounts,
    Draft,
    DraftLine,
    Entry,
    Quote,
    QuotedLine,
    RefusedCode,
    ShippingOption,
    Tax,
)
from bodega_orders.facts import DiscountFacts, LineFacts, OrderFacts

__all__ = [
    "Destination",
    "Discount",
    "DiscountFacts",
    "Discounts",
    "Draft",
    "DraftLine",
    "Entry",
    "LineFacts",
    "OrderFacts",
    "Quote",
    "QuotedLine",
    "RefusedCode",
    "ShippingOption",
    "Tax",
]
