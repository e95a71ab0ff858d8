"""The index of pins: every hook it implements, and where."""

from collections.abc import Iterable

from bodega_sample_pins.models import Pin
from bodega_sample_pins.pinning import pin_note

from bodega_sdk import Model, Subscriptions, hookimpl


@hookimpl
def register_models() -> Iterable[type[Model]]:
    """Return the table."""
    return [Pin]


@hookimpl
def register_subscriptions(events: Subscriptions) -> None:
    """React to new notes."""
    events.on("note.created", pin_note)
