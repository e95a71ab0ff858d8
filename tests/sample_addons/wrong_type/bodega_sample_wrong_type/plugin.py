"""A hook that returns the wrong type."""

from bodega_sdk import hookimpl


@hookimpl
def register_models() -> list[str]:
    """Return a name, where a model belongs."""
    return ["wrong_type_page"]
