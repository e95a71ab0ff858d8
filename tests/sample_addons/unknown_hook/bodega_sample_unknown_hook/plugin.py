"""A hook implementation with a slip of the pen."""

from bodega_sdk import hookimpl


@hookimpl
def register_modles() -> list[object]:
    """Return tables, to nobody."""
    return []
