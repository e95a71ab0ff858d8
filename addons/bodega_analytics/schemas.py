"""What reports look like outside."""

from typing import Any

from bodega_sdk.schemas import (
    Amount,
    Dict,
    Integer,
    List,
    Nested,
    Schema,
    String,
    Timestamp,
    Uuid,
)


def _told(text: str) -> dict[str, Any]:
    return {"metadata": {"description": text}}


def _sum(text: str) -> Amount:
    return Amount(negative=True, required=True, **_told(text))


def _count(text: str) -> Integer:
    return Integer(required=True, **_told(text))


def _percent(text: str) -> Amount:
    return Amount(negative=True, required=True, allow_none=True, **_told(text))


class ViewSchema(Schema):
    """That a product was looked at."""

    product = Uuid(required=True)
    user_agent = String(
        max_length=1000,
        metadata={"description": "Of whom the page was shown to, where a server tells it."},
    )


class ViewsSchema(Schema):
    """What was looked at, up to a hundred at a time."""

    views = List(Nested(ViewSchema), required=True)


class RecordedSchema(Schema):
    """How many views are counted."""

    recorded = Integer(required=True)


def _period(name: str, row: type[Schema]) -> type[Schema]:
    """Return the schema of a report of some days, with rows."""
    members = {
        "from": String(required=True, max_length=10, **_told("The first day, YYYY-MM-DD.")),
        "to": String(required=True, max_length=10, **_told("The last day, YYYY-MM-DD.")),
        "zone": String(required=True, max_length=64, **_told("Whose days these are.")),
        "rows": Nested(row, many=True, required=True),
        "left_out": List(
            String(), required=True,
            **_told("Addons that are not there, so that what they know is missing."),
        ),
        "__doc__": "A report about some days.",
        "__module__": __name__,
    }  # fmt: skip
    return type(name, (Schema,), members)


class GrowingSchema(Schema):
    """The same figures of as many days right before."""

    orders = _count("Orders placed.")
    gross = _sum("What they came to.")
    net = _sum("`gross` less `cancelled` and `refunds`.")
    average_order = _sum("`gross` by order.")
    customers = _count("Who ordered.")
    new_customers = _count("Who ordered for the first time.")


class GrowthSchema(Schema):
    """Growth in per cent; null where there was nothing before."""

    orders = _percent("Of `orders`.")
    gross = _percent("Of `gross`.")
    net = _percent("Of `net`.")
    average_order = _percent("Of `average_order`.")
    customers = _percent("Of `customers`.")
    new_customers = _percent("Of `new_customers`.")


class SalesRowSchema(GrowingSchema):
    """What was sold in one currency."""

    currency = String(required=True, max_length=3)
    units = _count("Pieces ordered.")
    goods = _sum("What these cost, before discounts, shipping and taxes.")
    discounts = _sum("What came off.")
    shipping = _sum("What sending cost.")
    taxes = _sum("Part of the prices where the shop's prices include them.")
    cancelled_orders = _count("Orders cancelled in these days, whenever they were placed.")
    cancelled = _sum("What these came to, less what had gone back of it before.")
    refunds = _sum("What went back in these days of orders that were not cancelled.")
    paid_orders = _count("Orders paid for in full in these days.")
    paid = _sum("What these came to.")
    returned_units = _count("Pieces that came back.")
    returns = _sum("What these were paid with.")
    previous = Nested(GrowingSchema, required=True)
    growth = Nested(GrowthSchema, required=True)


class PointSchema(Schema):
    """What was sold in one currency in an interval."""

    start = String(required=True, **_told("When it begins: a day, or an hour with its offset."))
    currency = String(required=True, max_length=3)
    orders = _count("Orders placed.")
    units = _count("Pieces ordered.")
    gross = _sum("What they came to.")
    cancelled = _sum("Of orders cancelled in it.")
    refunds = _sum("What went back in it.")
    paid = _sum("Of orders paid for in it.")
    net = _sum("`gross` less `cancelled` and `refunds`.")


class EstimateSchema(Schema):
    """What all orders come to in one currency."""

    currency = String(required=True, max_length=3)
    orders = _count("All that were ever placed.")
    gross = _sum("What they came to.")
    cancelled = _sum("Of those cancelled.")
    refunds = _sum("What went back.")
    net = _sum("`gross` less `cancelled` and `refunds`.")
    last_30_days = _sum("`net` of the 30 days before today.")
    next_30_days = _sum("What the next 30 days bring if they are like the last.")


class SoldSchema(Schema):
    """What was sold of something."""

    currency = String(required=True, max_length=3)
    orders = _count("Orders with it.")
    units = _count("Pieces ordered.")
    goods = _sum("What these cost before discounts.")
    discounts = _sum("What came off.")
    gross = _sum("What the lines came to, without shipping.")
    cancelled_units = _count("Pieces in orders cancelled in these days.")
    cancelled = _sum("What these came to.")
    returned_units = _count("Pieces that came back.")
    returns = _sum("What these were paid with.")
    net = _sum("`gross` less `cancelled` and `returns`.")


class _NamedSchema(Schema):
    """A product."""

    product = Uuid(required=True)
    name = String(required=True, allow_none=True, max_length=255, **_told("Null once it is gone."))
    sku = String(required=True, allow_none=True, max_length=100)


class TopProductSchema(_NamedSchema, SoldSchema):
    """What was sold of a product."""


class TopCategorySchema(SoldSchema):
    """What was sold of a category's own products, as the catalogue is now."""

    category = Uuid(required=True, allow_none=True, **_told("Null for those without one."))
    name = String(required=True, allow_none=True, max_length=200)


class PopularSchema(_NamedSchema):
    """What was done with a product."""

    views = _count("Times that it was looked at.")
    carted = _count("Carts that it was put into.")
    orders = _count("Orders with it.")
    units = _count("Pieces ordered.")


class ViewsPointSchema(Schema):
    """What was looked at in an interval."""

    start = String(required=True)
    views = _count("Times that products were looked at.")
    carted = _count("Times that a product was put into a cart.")


class StageSchema(Schema):
    """A stage of the funnel."""

    stage = String(required=True, **_told("viewed, carted, ordered or paid"))
    count = _count("Products that were in a view, a cart, an order or a paid order.")
    of_previous = _percent("Of the stage before, in per cent; null without one.")
    of_first = _percent("Of those viewed, in per cent.")


class TakingsSchema(Schema):
    """What went through a provider of payments, by the shop's own ledger."""

    provider = String(required=True)
    currency = String(required=True, max_length=3)
    captures = _count("Times that money was taken.")
    captured = _sum("How much.")
    refunds = _count("Refunds that did not fail.")
    refunded = _sum("What they came to.")
    disputes = _count("Times that a bank took money back and did not bring it again.")
    disputed = _sum("How much.")
    kept = _sum("`captured` less `refunded` and `disputed`.")


class WorthSchema(Schema):
    """What the stock is worth that is priced in one currency."""

    currency = String(required=True, max_length=3)
    items = _count("Products and variants of which there is something.")
    pieces = _count("Of these.")
    price = _sum("At what they are sold for.")
    cost = _sum("At what the shop paid, where that is known.")
    without_cost = _count("Pieces where it is not.")


class LowSchema(_NamedSchema):
    """An item that is low."""

    variant = Uuid(required=True, allow_none=True)
    available = _count("Pieces that can be had.")
    threshold = _count("Pieces at which it is low.")


class StockSchema(Schema):
    """What the stock is worth, and what of it is low; null without inventory."""

    rows = Nested(WorthSchema, many=True, required=True, allow_none=True)
    low = Integer(required=True, allow_none=True, **_told("Items that are low."))
    lowest = Nested(LowSchema, many=True, required=True, allow_none=True)
    left_out = List(String(), required=True)


class LowStockSchema(Schema):
    """What is low; nothing without inventory."""

    rows = Nested(LowSchema, many=True, required=True)
    left_out = List(String(), required=True)


class RecentImportSchema(Schema):
    """An import."""

    id = Uuid(required=True)
    filename = String(required=True, max_length=255)
    status = String(required=True)
    total_rows = Integer(required=True, allow_none=True)
    created = Integer(required=True)
    updated = Integer(required=True)
    errors = Integer(required=True)
    created_at = Timestamp(required=True)
    finished_at = Timestamp(required=True, allow_none=True)


def _number(text: str) -> Integer:
    return Integer(required=True, allow_none=True, **_told(text))


class StatsSchema(Schema):
    """Figures of the catalogue, of imports and of webhooks; null of addons that are not there."""

    total_products = _count("Products that were not deleted.")
    active_products = _count("Those of them that are sold.")
    recent_imports = Nested(RecentImportSchema, many=True, required=True, allow_none=True)
    imports = Dict(
        keys=String(), values=Integer(), required=True, allow_none=True,
        metadata={"description": "How many have which status."},
    )  # fmt: skip
    configured_webhooks = _number("Webhooks.")
    enabled_webhooks = _number("Those that are sent to.")
    total_events_sent = _number("Deliveries made, of those that are kept.")
    failed_events = _number("Deliveries given up.")
    waiting_events = _number("Deliveries to be made.")
    left_out = List(String(), required=True, **_told("Addons that are not there."))


Sales = _period("AnalyticsSalesSchema", SalesRowSchema)
Trend = _period("AnalyticsTrendSchema", PointSchema)
TopProducts = _period("AnalyticsTopProductsSchema", TopProductSchema)
TopCategories = _period("AnalyticsTopCategoriesSchema", TopCategorySchema)
Popular = _period("AnalyticsPopularSchema", PopularSchema)
ViewsTrend = _period("AnalyticsViewsTrendSchema", ViewsPointSchema)
Funnel = _period("AnalyticsFunnelSchema", StageSchema)
TakingsReport = _period("AnalyticsTakingsSchema", TakingsSchema)
Estimates = _period("AnalyticsEstimatesSchema", EstimateSchema)


class DashboardSchema(_period("AnalyticsDaysSchema", SalesRowSchema)):  # type: ignore[misc]
    """The most important of all reports at once; `rows` are the sales."""

    top_products = Nested(TopProductSchema, many=True, required=True)
    popular_products = Nested(PopularSchema, many=True, required=True)
    funnel = Nested(StageSchema, many=True, required=True)
    stats = Nested(StatsSchema, required=True)
