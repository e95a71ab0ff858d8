"""An event that notes declares already."""

from bodega_sdk import Event, hookimpl


@hookimpl
def register_events() -> list[Event]:
    """Return the event."""
    return [Event("note.created", "A note was made, says somebody else.", {})]
