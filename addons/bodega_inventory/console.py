"""The console's pages: levels, and what moved them."""

from collections.abc import Iterator
from uuid import UUID

from bodega_inventory import figures, naming
from bodega_inventory.models import KINDS, Level, Movement
from bodega_sdk import ConsolePage, Parameter, Request
from bodega_sdk.console import (
    PAGE,
    Badge,
    Bars,
    Block,
    Facts,
    Line,
    Link,
    Notice,
    Progress,
    Table,
    page_links,
)

_SIZE = 50
#: Points of a line, bars of a chart.
_POINTS, _BARS = 100, 12
_LOW = Parameter("low_stock", bool, "Only what is low, or only what is not.")
_PRODUCT = Parameter("product", UUID, "Only of this product.")
_ITEM = Parameter("item", UUID, "Only of the level with this id.")
_KIND = Parameter("kind", str, "Only of this kind.", choices=KINDS)


def pages() -> list[ConsolePage]:
    """Return the pages."""
    return [
        ConsolePage(
            "inventory", "Stock", "inventory.all", levels,
            "What there is of each item, the least first.", (_LOW, _PRODUCT, PAGE),
        ),
        ConsolePage(
            "inventory/movements", "Stock movements", "inventory.all", movements,
            "What moved stock, the newest first.", (_ITEM, _KIND, PAGE),
        ),
    ]  # fmt: skip


def levels(request: Request) -> Iterator[Block]:
    """A portion of the levels, and a picture of what is low."""
    alive = Level.select().where(~Level.retired)
    low = alive.where(Level.low_stock)
    count = low.count()
    if count:
        address = "/console/inventory?low_stock=true"
        yield Notice(f"{count} item(s) are low.", "warning")
        yield Facts((("Only what is low", Link("show", address)),))
        yield _lowest(list(low.order_by(Level.available, Level.id).limit(_BARS)))
    query = alive
    if "low_stock" in request.query:
        query = query.where(Level.low_stock == request.query["low_stock"])
    if "product" in request.query:
        query = query.where(Level.product == request.query["product"])
    number = request.query["page"]
    query = query.order_by(Level.available, Level.id)
    rows = list(query.limit(_SIZE + 1).offset((number - 1) * _SIZE))
    yield _table(rows[:_SIZE])
    yield page_links(request, more=len(rows) > _SIZE)


def _lowest(rows: list[Level]) -> Bars:
    names = naming.named(rows)
    bars = [(names[row.id][1] or str(row.id), max(0, row.available)) for row in rows]
    return Bars(bars, "What is low", unit="left")


def _table(rows: list[Level]) -> Table:
    names = naming.named(rows)
    return Table(
        ("SKU", "Product", "Available", "Of those on hand", "On hand", "Reserved", "Low at", ""),
        [
            (Link(names[row.id][1] or str(row.id), f"/console/inventory/movements?item={row.id}"),
             names[row.id][0], row.available,
             Progress(max(0, row.available), row.on_hand) if row.on_hand > 0 else None,
             row.on_hand, row.reserved, figures.threshold(row), _badge(row))
            for row in rows
        ],
        empty="Nothing is stocked yet; receive goods with 'bodega inventory receive'.",
    )  # fmt: skip


def _badge(row: Level) -> Badge | None:
    if not row.tracked:
        return Badge("not counted")
    if not row.in_stock:
        return Badge("out of stock", "bad")
    if row.low_stock:
        return Badge("low", "warning")
    return Badge("backorder") if row.backorder else None


def movements(request: Request) -> Iterator[Block]:
    """A portion of the ledger; of one item with a picture."""
    query = Movement.select()
    if "kind" in request.query:
        query = query.where(Movement.kind == request.query["kind"])
    if "item" in request.query:
        query = query.where(Movement.item == request.query["item"])
        yield from _picture(request.query["item"])
    number = request.query["page"]
    query = query.order_by(Movement.id.desc())
    rows = list(query.limit(_SIZE + 1).offset((number - 1) * _SIZE))
    names = naming.named(rows)
    yield Table(
        ("SKU", "What", "Pieces", "Available then", "Why", "Reference", "When"),
        [
            (names[row.item][1] or str(row.item), row.kind, row.quantity, row.available,
             row.reason, row.reference, row.created_at)
            for row in rows[:_SIZE]
        ],
        empty="Nothing has moved yet.",
    )  # fmt: skip
    yield page_links(request, more=len(rows) > _SIZE)


def _picture(item: UUID) -> Iterator[Block]:
    query = Movement.select().where(Movement.item == item).order_by(Movement.id.desc())
    rows = list(query.limit(_POINTS))[::-1]
    if len(rows) > 1:
        points = [(f"{row.created_at:%F %R}", row.available) for row in rows]
        yield Line(points, "What was available", unit="pieces")
