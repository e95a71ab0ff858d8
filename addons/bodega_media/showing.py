"""How pictures are shown: by themselves, among a product's includes, and as its primary."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from bodega_media import addresses
from bodega_media.models import Image
from bodega_media.schemas import ImageSchema
from bodega_sdk import Identity, Request

#: Lets one reach the pictures of everybody's products.
ALL = "media.write_all"
_SCHEMA = ImageSchema()


def shown(rows: Iterable[Image]) -> list[dict[str, Any]]:
    """Return pictures as they are shown."""
    rows = list(rows)
    made: list[dict[str, Any]] = _SCHEMA.dump(rows, many=True)
    for row, item in zip(rows, made, strict=True):
        item["url"] = None if row.is_private else addresses.plain(row.key, row.media)
        item["sizes"] = {} if row.is_private else addresses.all_sizes(row.key, row.media)
    return made


def of_products(ids: Sequence[UUID], request: Request) -> dict[UUID, list[dict[str, Any]]]:
    """Return the pictures of products, in one query; private ones for those who may see them."""
    query = Image.select().where(Image.product.in_(list(ids)))
    rows = [
        row
        for row in query.order_by(Image.product, Image.position)
        if not row.is_private or sees(request.identity, row.organization)
    ]
    found: dict[UUID, list[dict[str, Any]]] = {}
    for row, item in zip(rows, shown(rows), strict=True):
        found.setdefault(row.product, []).append(item)
    return found


def sees(identity: Identity, organization: UUID | None) -> bool:
    """Whether somebody sees the private pictures of an organization's products."""
    if identity.may(ALL):
        return True
    return identity.may("media.read") and str(organization) == (identity.organization or "-")
