"""Taking products down: what the shop took from sale, only the shop puts back.

``Product.taken_down_at`` says since when. It is set when somebody who may moderate makes a
product of somebody else's organization inactive, or deletes it, and empty while it is sold.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from bodega_products.models import Product
from bodega_sdk import Identity, now
from bodega_sdk.bulk import portions
from bodega_sdk.errors import FieldError, PermissionDenied

#: Permission name.
MODERATE = "products.moderate"
_REFUSED = f"The shop took this product down: putting it back needs '{MODERATE}'."


def switch(identity: Identity, product: Product, data: Mapping[str, Any]) -> None:
    """See to a change that may make a product active or inactive.

    Raises:
        PermissionDenied: the shop took it down, and the caller is to put it back.
    """
    wanted = data.get("is_active", product.is_active)
    if wanted == product.is_active:
        return
    if wanted:
        put_back(identity, product)
    else:
        product.taken_down_at = now() if _moderates(identity, product.organization) else None


def put_back(identity: Identity, product: Product) -> None:
    """Let a product be sold, or restored, again.

    Raises:
        PermissionDenied: the shop took it down.
    """
    if product.taken_down_at is not None and not identity.may(MODERATE):
        raise PermissionDenied(_REFUSED, [FieldError("is_active", _REFUSED)])
    product.taken_down_at = None


def _moderates(identity: Identity, organization: UUID | None) -> bool:
    others = organization is not None and str(organization) != identity.organization
    return others and identity.may(MODERATE)


def take_down(identity: Identity, products: Iterable[UUID]) -> None:
    """Note that products are about to be made inactive, or deleted."""
    field = Product.taken_down_at
    others = Product.organization.is_null(False)
    if identity.organization:
        others &= Product.organization != UUID(identity.organization)
    for some in portions(products) if identity.may(MODERATE) else ():
        down = Product.id.in_(some) & others & field.is_null()
        Product.update({field: now()}).where(down).execute()


def put_back_many(identity: Identity, products: Iterable[UUID]) -> None:
    """Let products be sold again.

    Raises:
        PermissionDenied: the shop took one of them down.
    """
    for some in portions(products):
        down = Product.id.in_(some) & Product.taken_down_at.is_null(False)
        if identity.may(MODERATE):
            Product.update(taken_down_at=None).where(down).execute()
            continue
        first = Product.select(Product.sku).where(down).order_by(Product.id).first()
        if first is not None:
            message = f"{first.sku}: {_REFUSED}"
            raise PermissionDenied(message, [FieldError("ids", message)])
