"""The addon's index: every hook it implements, and where."""

from collections.abc import Iterable

from bodega_orders import cart_models, rules_models
from bodega_sdk import Model, hookimpl


@hookimpl
def register_models() -> Iterable[type[Model]]:
    """The tables."""
    return [*cart_models.MODELS, *rules_models.MODELS]
