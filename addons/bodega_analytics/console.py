"""The console's page: what is sold, with pictures."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from bodega_analytics import ranking, selling, standing
from bodega_analytics.periods import DAYS, Period, period_of
from bodega_sdk import ConsolePage, Parameter, Request, setting
from bodega_sdk.console import Bars, Block, Cell, Facts, Heading, Line, Notice, Table

_INTERVAL = Parameter(
    "interval", str, "Points of the line.", "day", choices=("day", "week", "month")
)


def pages() -> list[ConsolePage]:
    """Return the page."""
    return [
        ConsolePage(
            "analytics", "Analytics", "analytics.read", shown,
            "What is sold, looked at and paid; the last 30 days unless others are asked for.",
            (*DAYS, _INTERVAL),
        )
    ]  # fmt: skip


def shown(request: Request) -> Iterator[Block]:
    """The page."""
    period = period_of(request.query)
    missing = standing.left_out()
    if missing:
        yield Notice(f"Not enabled, and so left out: {', '.join(missing)}.", "warning")
    yield Facts([("From", str(period.first)), ("To", str(period.last)),
                 ("Time zone", period.zone.key)])  # fmt: skip
    rows = selling.sales(period)
    for row in rows:
        yield Heading(f"Sales in {row['currency']}")
        yield _figures(row)
        yield _line(period, request.query["interval"], row["currency"])
    if not rows:
        yield Notice("Nothing was sold in these days.")
    yield from _products(period)
    yield from _stands()


def _figures(row: dict[str, Any]) -> Table:
    names = {
        "net": "Net sales", "gross": "Gross sales", "orders": "Orders",
        "average_order": "Average order", "customers": "Customers",
        "new_customers": "New customers",
    }  # fmt: skip
    rows: list[list[Cell]] = [
        [title, row[name], row["previous"][name], _percent(row["growth"][name])]
        for name, title in names.items()
    ]
    others = ("cancelled", "refunds", "returns", "discounts", "shipping", "taxes", "paid")
    rows += [[name.capitalize(), row[name], None, None] for name in others]
    return Table(("", "These days", "The days before", "Growth"), rows, "What was sold")


def _percent(growth: str | None) -> str | None:
    return None if growth is None else f"{growth} %"


def _line(period: Period, interval: str, currency: str) -> Line:
    points = [
        (row["start"], float(Decimal(row["net"])))
        for row in selling.trend(period, interval, currency)
    ]
    return Line(points, f"Net sales by {interval}", unit=currency)


def _products(period: Period) -> Iterator[Block]:
    currency = str(setting("products.currency"))
    best = ranking.top_products(period, currency, "units", 10)
    if best:
        yield Bars([(_name(row), row["units"]) for row in best], "Sold most", unit="pieces")
    groups = ranking.top_categories(period, currency, "units", 10)
    if groups:
        bars = [(row["name"] or "Without a category", row["units"]) for row in groups]
        yield Bars(bars, "Categories sold most", unit="pieces")
    seen = ranking.popular(period, "views", 10)
    if seen:
        yield Bars([(_name(row), row["views"]) for row in seen], "Looked at most", unit="views")
    stages = [(row["stage"].capitalize(), row["count"]) for row in ranking.funnel(period)]
    yield Bars(stages, "From looking to paying", unit="products")


def _name(row: dict[str, Any]) -> str:
    return str(row["name"] or row["product"])


def _stands() -> Iterator[Block]:
    stats = standing.stats(5)
    yield Heading("As it stands")
    names = {
        "total_products": "Products", "active_products": "Active products",
        "configured_webhooks": "Webhooks", "total_events_sent": "Events sent",
        "failed_events": "Events that failed",
    }  # fmt: skip
    yield Facts([(title, stats[name]) for name, title in names.items()])
    for row in standing.stock_value() or ():
        yield Facts([
            (f"Stock at prices, {row['currency']}", row["price"]),
            ("At cost", row["cost"]), ("Pieces", row["pieces"]),
            ("Pieces without a cost", row["without_cost"]),
        ])  # fmt: skip
    found = standing.low_stock(10)
    if found is not None and found[0]:
        rows = [(_name(one), one["sku"], one["available"], one["threshold"]) for one in found[1]]
        yield Notice(f"{found[0]} item(s) are low.", "warning")
        yield Table(("Product", "SKU", "Available", "Threshold"), rows, "Low stock")
    if stats["recent_imports"]:
        columns = ("Import", "Status", "Rows", "Created", "Updated", "Errors")
        yield Table(columns, [
            (one["filename"], one["status"], one["total_rows"], one["created"], one["updated"],
             one["errors"]) for one in stats["recent_imports"]
        ], "Recent imports")  # fmt: skip
