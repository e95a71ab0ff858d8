"""The routes of reports: each is JSON, or with ``?format=csv`` a table of its rows."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from bodega_analytics import ranking, schemas, selling, standing
from bodega_analytics.periods import CURRENCY, DAYS, ZONE, Period, currency_of, period_of
from bodega_analytics.slots import INTERVALS
from bodega_analytics.tables import csv_of
from bodega_sdk import Parameter, RateLimit, Reply, Request, Route, setting
from bodega_sdk.schemas import Schema

READ = "analytics.read"
#: Points of a trend, in each currency.
MOST_POINTS = 1000
_FORMAT = Parameter(
    "format", str, "csv for a table of the rows of `rows`.", "json", choices=("json", "csv")
)
_INTERVAL = Parameter("interval", str, "What each row is about.", "day", choices=INTERVALS)
_LIMIT = Parameter("limit", int, "Rows at most.", 10, minimum=1, maximum=100)
_PRODUCT = Parameter("product", UUID, "Only this product.")
_BEST = Parameter("by", str, "What they are ranked by.", "net", choices=ranking.BEST)
_POPULAR = Parameter("by", str, "What they are ranked by.", "views", choices=ranking.POPULAR)
_ONE = Parameter("currency", str, "Of this currency, ISO 4217; the catalogue's otherwise.")
USAGE = RateLimit("analytics.usage", 60, 60)
Report = Callable[[Request], dict[str, Any]]


def _about(period: Period, results: Any, *sources: str, **more: Any) -> dict[str, Any]:
    return {**period.shown, "rows": results, "left_out": standing.left_out(sources), **more}


def _sales(request: Request) -> dict[str, Any]:
    period = period_of(request.query)
    rows = selling.sales(period, currency_of(request.query))
    return _about(period, rows, "orders", "payments")


def _trend(request: Request) -> dict[str, Any]:
    period, interval = period_of(request.query), _checked_interval(request.query)
    rows = selling.trend(period, interval, currency_of(request.query))
    return _about(period, rows, "orders", "payments")


def _checked_interval(query: Mapping[str, Any]) -> str:
    """Return the interval that a query names.

    Raises:
        BadRequest: there would be too many points.
    """
    interval: str = query["interval"]
    days = period_of(query).days
    if days * {"hour": 24, "day": 1}.get(interval, 0) > MOST_POINTS:
        message = f"That is more than {MOST_POINTS} rows: ask for fewer days or a longer interval."
        raise _INTERVAL.wrong(message, interval)
    return interval


def _estimate(request: Request) -> dict[str, Any]:
    here = {name: value for name, value in request.query.items() if name == "zone"}
    today = period_of(here)
    today = Period(today.last, today.last, today.zone)
    rows = selling.estimate(today, currency_of(request.query))
    return _about(today, rows, "orders", "payments")


def _currency(request: Request) -> str:
    return currency_of(request.query) or str(setting("products.currency"))


def _top_products(request: Request) -> dict[str, Any]:
    period, query = period_of(request.query), request.query
    rows = ranking.top_products(period, _currency(request), query["by"], query["limit"])
    return _about(period, rows, "orders")


def _top_categories(request: Request) -> dict[str, Any]:
    period, query = period_of(request.query), request.query
    rows = ranking.top_categories(period, _currency(request), query["by"], query["limit"])
    return _about(period, rows, "orders")


def _popular(request: Request) -> dict[str, Any]:
    period, query = period_of(request.query), request.query
    return _about(period, ranking.popular(period, query["by"], query["limit"]), "orders")


def _viewed(request: Request) -> dict[str, Any]:
    period = period_of(request.query)
    return _about(period, ranking.popular(period, "views", request.query["limit"]), "orders")


def _views(request: Request) -> dict[str, Any]:
    period, interval = period_of(request.query), _checked_interval(request.query)
    rows = selling.views_trend(period, interval, request.query.get("product"))
    return _about(period, rows, "orders")


def _funnel(request: Request) -> dict[str, Any]:
    period = period_of(request.query)
    return _about(period, ranking.funnel(period, request.query.get("product")), "orders")


def _usage(request: Request) -> dict[str, Any]:
    USAGE.hit(request.identity.subject)
    period = period_of(request.query)
    return _about(period, standing.takings(period, currency_of(request.query)), "payments")


def _stock(request: Request) -> dict[str, Any]:
    number, lowest = standing.low_stock(request.query["limit"]) or (None, None)
    out = standing.left_out(("inventory",))
    return {"rows": standing.stock_value(), "low": number, "lowest": lowest, "left_out": out}


def _low_stock(request: Request) -> dict[str, Any]:
    _, lowest = standing.low_stock(request.query["limit"]) or (None, [])
    return {"rows": lowest, "left_out": standing.left_out(("inventory",))}


def _stats(request: Request) -> dict[str, Any]:
    return standing.stats()


def dashboard(period: Period, currency: str) -> dict[str, Any]:
    """Return the most important of all reports at once."""
    return _about(
        period, selling.sales(period), *standing.OTHERS,
        top_products=ranking.top_products(period, currency, "net", 5),
        popular_products=ranking.popular(period, "views", 5),
        funnel=ranking.funnel(period), stats=standing.stats(),
    )  # fmt: skip


def _dashboard(request: Request) -> dict[str, Any]:
    return dashboard(period_of(request.query), _currency(request))


def _report(
    path: str, report: Report, summary: str, returns: type[Schema], *parameters: Parameter,
    description: str = "",
) -> Route:  # fmt: skip
    """Return a route that answers with a report, or with its rows as CSV."""
    row: Any = returns().fields["rows"]
    columns = list(row.schema.fields)

    def show(request: Request) -> Any:
        found = report(request)
        if request.query["format"] == "json":
            shown: dict[str, Any] = returns().dump(found)
            return shown
        name = path.removeprefix("/analytics/").replace("/", "-")
        headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
        content = csv_of(found["rows"] or (), columns)
        return Reply(headers=headers, content=content, media="text/csv; charset=utf-8")

    return Route(
        "GET", path, show, READ, summary, parameters=(*parameters, _FORMAT), returns=returns,
        description=description,
    )  # fmt: skip


ROUTES = (
    _report("/analytics/dashboard", _dashboard, "See the most important figures",
            schemas.DashboardSchema, *DAYS, _ONE,
            description="The ranking of products is of one currency, the sales are of all."),
    Route("GET", "/analytics/dashboard/stats", _stats, READ,
          "Count products, imports and webhooks", returns=schemas.StatsSchema),
    _report("/analytics/sales", _sales, "See what was sold, and how that grew", schemas.Sales,
            *DAYS, CURRENCY),
    _report("/analytics/sales/trend", _trend, "See what was sold over time", schemas.Trend,
            *DAYS, CURRENCY, _INTERVAL),
    _report("/analytics/sales/estimate", _estimate, "See what all orders come to",
            schemas.Estimates, ZONE, CURRENCY),
    _report("/analytics/products/top", _top_products, "See which products sell best",
            schemas.TopProducts, *DAYS, _ONE, _BEST, _LIMIT),
    _report("/analytics/products/popular", _popular, "See what most is done with",
            schemas.Popular, *DAYS, _POPULAR, _LIMIT),
    _report("/analytics/products/views", _viewed, "See what is looked at most",
            schemas.Popular, *DAYS, _LIMIT),
    _report("/analytics/categories/top", _top_categories, "See which categories sell best",
            schemas.TopCategories, *DAYS, _ONE, _BEST, _LIMIT),
    _report("/analytics/views", _views, "See how much is looked at over time",
            schemas.ViewsTrend, *DAYS, _INTERVAL, _PRODUCT),
    _report("/analytics/funnel", _funnel, "See how many looks become purchases",
            schemas.Funnel, *DAYS, _PRODUCT),
    _report("/analytics/payments/usage", _usage, "See what went through providers of payments",
            schemas.TakingsReport, *DAYS, CURRENCY,
            description="By the shop's own ledger; `/payments/usage` asks the provider."),
    _report("/analytics/stock", _stock, "See what the stock is worth, and what is low",
            schemas.StockSchema, _LIMIT),
    _report("/analytics/stock/low", _low_stock, "See what is low", schemas.LowStockSchema, _LIMIT),
)  # fmt: skip
