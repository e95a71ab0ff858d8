"""The hooks of ballroom, one of each kind."""

from bodega_sdk import hook


@hook("veto")
def refuse_guest(guest: str) -> str | None:
    """Say why a guest must not come in, or None."""
    raise AssertionError("a specification is not called")


@hook("provide")
def choose_seat(guest: str, taken: list[int]) -> int:
    """Return the guest's seat."""
    raise AssertionError("a specification is not called")


@hook("filter")
def announce(text: str, guest: str) -> str:
    """Return what is called out when the guest comes in."""
    raise AssertionError("a specification is not called")


@hook("observe")
def guest_arrived(guest: str, notes: dict[str, str]) -> None:
    """Do what follows from a guest's coming."""
