"""Pinning notes."""

from bodega_sample_pins.models import Pin

from bodega_sdk import Occurrence


def pin_note(occurrence: Occurrence) -> None:
    """Pin a note that was written."""
    Pin.create(note=occurrence.key, place=occurrence.offset)
