"""What not everybody who writes products may write of them."""

from bodega_products.schemas import ProductSchema
from bodega_sdk import Identity
from bodega_sdk.members import writers


def withheld(identity: Identity) -> dict[str, str]:
    """Return the members that somebody may not write, and the permissions they need.

    For what is written behind a request, e.g. of a file.
    """
    return {
        guard.name: guard.permission
        for guard in writers(ProductSchema)
        if not identity.may(guard.permission)
    }
