"""A channel that notes offers already, with another word in the braces."""

from bodega_sdk import PUBLIC, Channel, hookimpl


@hookimpl
def register_channels() -> list[Channel]:
    """Return the channel."""
    return [Channel("notes.{number}", ("note.created",), PUBLIC, "Notes, once more")]
