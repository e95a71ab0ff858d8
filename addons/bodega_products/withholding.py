"""What not everybody who writes products may write of them."""

from bodega_products.schemas import ProductSchema
from bodega_sdk import Identity

#: Keys of a member's metadata that hold what is needed to write it.
_NEEDED = ("permission", "write_permission")


def withheld(identity: Identity) -> dict[str, str]:
    """Return the members that somebody may not write, and the permissions they need.

    For what is written behind a request, e.g. of a file.
    """
    return {
        name: needed
        for name, member in ProductSchema().load_fields.items()
        for key in _NEEDED
        if (needed := member.metadata.get(key)) and not identity.may(needed)
    }
