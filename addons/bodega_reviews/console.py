"""The console's page: what waits for moderators."""

from collections.abc import Iterator
from typing import Any

from bodega_products import api as products
from bodega_reviews.models import STATUSES, Review
from bodega_sdk import ConsolePage, Parameter, Request
from bodega_sdk.console import PAGE, Badge, Block, Notice, Table, page_links

_SIZE = 50
_TONES = {"pending": "warning", "approved": "good", "rejected": "bad"}
_STATUS = Parameter("status", str, "Only reviews of this status.", choices=STATUSES)
_REPORTED = Parameter("reported", bool, "Only reviews that were reported, or only others.")


def pages() -> list[ConsolePage]:
    """Return the page."""
    return [
        ConsolePage(
            "reviews", "Reviews", "reviews.moderate", listed,
            "What people say of products, newest first.", (_STATUS, _REPORTED, PAGE),
        )
    ]  # fmt: skip


def listed(request: Request) -> Iterator[Block]:
    """A portion of the reviews."""
    waiting = Review.select().where(Review.status == "pending").count()
    if waiting:
        yield Notice(f"{waiting} wait for approval: bodega reviews approve ID", "warning")
    number = request.query["page"]
    rows = list(_selected(request).limit(_SIZE + 1).offset((number - 1) * _SIZE))
    names = products.products_of(row.product for row in rows)
    columns = ("Review", "Product", "Stars", "Title", "Text", "Status", "Reported", "Written")
    yield Table(columns, [
        (row.id, names[row.product].name if row.product in names else None, row.rating, row.title,
         row.text[:300], Badge(row.status, _TONES[row.status]), row.reports, row.created_at)
        for row in rows[:_SIZE]
    ], empty="Nobody has written a review yet.")  # fmt: skip
    yield page_links(request, more=len(rows) > _SIZE)


def _selected(request: Request) -> Any:
    query = Review.select().order_by(Review.created_at.desc(), Review.id.desc())
    if "status" in request.query:
        query = query.where(Review.status == request.query["status"])
    if "reported" in request.query:
        reported = Review.reports > 0
        query = query.where(reported if request.query["reported"] else ~reported)
    return query
