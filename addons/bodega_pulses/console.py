"""The console's pages: series with a picture of one, and alerts."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

from bodega_products import api as products
from bodega_pulses import rolling
from bodega_pulses.instants import HOUR, instant, micros
from bodega_pulses.models import Alert, Rule, Series
from bodega_sdk import ConsolePage, Parameter, Request, now
from bodega_sdk.console import (
    PAGE,
    Badge,
    Block,
    Facts,
    Line,
    Link,
    Notice,
    Table,
    page_links,
)

_SIZE = 50
_PRODUCT = Parameter("product", UUID, "Only of this product.")
_SERIES = Parameter("series", UUID, "Shows the last week of this series.")


def pages() -> list[ConsolePage]:
    """Return the pages."""
    return [
        ConsolePage(
            "pulses", "Pulses", "pulses.read", series,
            "What is measured of products, the newest first.", (_PRODUCT, _SERIES, PAGE),
        ),
        ConsolePage(
            "pulses/alerts", "Alerts", "pulses.read", alerts,
            "Values that crossed the line of a rule, the newest first.", (_PRODUCT, PAGE),
        ),
    ]  # fmt: skip


def series(request: Request) -> Iterator[Block]:
    """A portion of the series, and the last week of one."""
    if "series" in request.query:
        yield from _picture(request.query["series"])
    waiting = Alert.select().where(Alert.cleared_at.is_null()).count()
    if waiting:
        yield Notice(f"{waiting} alert(s) are open.", "warning")
    query = Series.select()
    if "product" in request.query:
        query = query.where(Series.product == request.query["product"])
    number = request.query["page"]
    query = query.order_by(Series.last_at.desc(nulls="LAST"), Series.number)
    rows = list(query.limit(_SIZE + 1).offset((number - 1) * _SIZE))
    yield _table(rows[:_SIZE])
    yield page_links(request, more=len(rows) > _SIZE)


def _table(rows: list[Series]) -> Table:
    known = products.products_of(row.product for row in rows)
    return Table(
        ("SKU", "Product", "Source", "Last value", "Unit", "When"),
        [
            (Link(_sku(known, row.product), f"/console/pulses?series={row.id}"),
             known[row.product].name if row.product in known else "", row.source,
             row.last_value, row.unit, None if row.last_at is None else instant(row.last_at))
            for row in rows
        ],
        empty="Nothing was measured yet; POST /api/v1/pulses records points.",
    )  # fmt: skip


def _sku(known: dict[UUID, products.ProductFacts], product: UUID) -> str:
    return known[product].sku if product in known else str(product)


def _picture(key: UUID) -> Iterator[Block]:
    found = Series.find(key)
    if found is None:
        yield Notice("There is no series with this id.")
        return
    sku = _sku(products.products_of([found.product]), found.product)
    behind = (found.last_at or micros(now())) + 1
    rows = rolling.read(found.number, HOUR, behind - timedelta(days=7) // _STEP, behind)
    name = " · ".join(filter(None, (sku, found.source)))
    yield Facts((("Series", name), ("Hours with points in its last week", len(rows)),
                 ("Lowest", min((row.min for row in rows), default=None)),
                 ("Highest", max((row.max for row in rows), default=None))))  # fmt: skip
    if len(rows) > 1:
        points = [(f"{instant(row.at):%F %R}", row.sum / row.count) for row in rows]
        yield Line(points, f"{name}: mean of each hour", unit=found.unit)


_STEP = timedelta(microseconds=1)


def alerts(request: Request) -> Iterator[Block]:
    """A portion of the alerts."""
    query = Alert.select(Alert, Rule.name).join(Rule)
    if "product" in request.query:
        query = query.where(Alert.product == request.query["product"])
    number = request.query["page"]
    query = query.order_by(Alert.created_at.desc(), Alert.id.desc())
    rows = list(query.limit(_SIZE + 1).offset((number - 1) * _SIZE))
    known = products.products_of(row.product for row in rows)
    yield Table(
        ("Rule", "SKU", "Source", "What is wrong", "When", "Cleared"),
        [
            (row.rule.name, _sku(known, row.product), row.source, row.reason, instant(row.at),
             row.cleared_at or Badge("open", "warning"))
            for row in rows[:_SIZE]
        ],
        empty="Nothing crossed a line yet; POST /api/v1/pulses/rules makes a rule.",
    )  # fmt: skip
    yield page_links(request, more=len(rows) > _SIZE)
