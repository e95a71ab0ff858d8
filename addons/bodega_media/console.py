"""The console's page with the pictures."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

from bodega_media.addresses import at_shop
from bodega_media.models import Image
from bodega_media.showing import ALL
from bodega_media.sizes import Size
from bodega_products.api import products_of
from bodega_sdk import ConsolePage, Parameter, Request, now
from bodega_sdk.console import PAGE, Badge, Block, Cell, Picture, Table, page_links

_SIZE = 25
#: Of the pictures on the page.
_SIDE = 96


def pages() -> list[ConsolePage]:
    """Return the page."""
    product = Parameter("product", UUID, "Only of this product.")
    about = "Pictures of products, the newest first."
    return [ConsolePage("media", "Pictures", "media.read", pictures, about, (product, PAGE))]


def pictures(request: Request) -> Iterator[Block]:
    """Pictures that the caller looks after."""
    query = _seen(request).order_by(Image.created_at.desc(), Image.id)
    if "product" in request.query:
        query = query.where(Image.product == request.query["product"])
    start = (request.query["page"] - 1) * _SIZE
    found = list(query.limit(_SIZE + 1).offset(start))
    rows = found[:_SIZE]
    names = {key: item.name for key, item in products_of({row.product for row in rows}).items()}
    columns = ("Picture", "Product", "Alt text", "Size", "Kilobytes", "State", "Added")
    yield Table(columns, [
        (_thumbnail(row), names.get(row.product, "deleted"), row.alt or None,
         f"{row.width} × {row.height}", round(row.bytes / 1000), _state(row), row.created_at)
        for row in rows
    ], caption="Pictures")  # fmt: skip
    yield page_links(request, more=len(found) > _SIZE)


def _seen(request: Request) -> Any:
    query, identity = Image.select(), request.identity
    if identity.may(ALL):
        return query
    try:
        return query.where(Image.organization == UUID(identity.organization))
    except ValueError:
        return query.where(False)


def _thumbnail(row: Image) -> Cell:
    size = Size(_SIDE, _SIDE, format="webp")
    soon = now().replace(microsecond=0) + timedelta(hours=1)
    return Picture(at_shop(row.key, size, soon), row.alt or "no words", _SIDE)


def _state(row: Image) -> Badge:
    if row.is_private:
        return Badge("private", "warning")
    return Badge("primary", "good") if row.is_primary else Badge(f"no. {row.position + 1}")
