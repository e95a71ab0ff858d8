"""Welcoming guests: every kind of hook is called."""

from typing import Any

from bodega_sample_ballroom import hookspecs
from bodega_sample_ballroom.models import Guest


def welcome(name: str) -> dict[str, Any]:
    """Let a guest in, if nobody objects. Call it in a transaction."""
    Guest.create(name=name)
    hookspecs.refuse_guest(name)
    seat = hookspecs.choose_seat(name, [1, 2])
    text = hookspecs.announce(f"{name}!", guest=name)
    hookspecs.guest_arrived(name, {})
    return {"seat": seat, "announcement": text}
