"""The index of shelves."""

from collections.abc import Iterable

from bodega_sample_shelves.models import Label, Place, Shelf

from bodega_sdk import Model, hookimpl


@hookimpl
def register_models() -> Iterable[type[Model]]:
    """Return the tables."""
    return [Shelf, Place, Label]
