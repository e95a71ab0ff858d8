"""Which products somebody sees."""

from functools import cache
from typing import Any
from uuid import UUID

from bodega_products.models import Product
from bodega_sdk import Identity, Request
from bodega_sdk.errors import FieldError, PermissionDenied, Unauthenticated

#: Permission names.
READ_INACTIVE, WRITE, WRITE_ALL = (
    "products.read_inactive", "products.write", "products.write_all",
)  # fmt: skip


@cache
def sold() -> Any:
    """Return the condition that everybody sees a product."""
    return Product.deleted_at.is_null() & Product.is_active


def visible(identity: Identity) -> Any:
    """Return the condition that somebody sees a product: nobody sees those that were deleted.

    Inactive ones are seen by who may, and by their own organization.
    """
    if identity.may(READ_INACTIVE):
        return Product.deleted_at.is_null()
    if identity.organization and identity.may(WRITE):
        alive = Product.deleted_at.is_null()
        own = Product.organization == UUID(identity.organization)
        return alive & (Product.is_active | own)
    return sold()


def listed(request: Request) -> Any:
    """Return the condition of a list; with ``?deleted=true`` it is the other way round.

    Raises:
        PermissionDenied, Unauthenticated: deleted ones are not for everybody.
    """
    if not request.query.get("deleted"):
        return visible(request.identity)
    if not request.identity.may(READ_INACTIVE):
        kind = PermissionDenied if request.identity.authenticated else Unauthenticated
        message = f"This needs the permission '{READ_INACTIVE}'."
        raise kind(message, [FieldError("deleted", message)])
    return Product.deleted_at.is_null(False)
