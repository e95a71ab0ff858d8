"""The hook that the addon publishes; other addons implement it in their plugins."""

from bodega_sdk import Money, hook


@hook("provide")
def gift_card_prefix(amount: Money) -> str:
    """Return what the code of a card of this amount begins with, e.g. ``"XMAS"``.

    At most eight letters and digits; the rest is dropped. None leaves it to the others; when
    nobody says anything, a code begins at random.
    """
    raise AssertionError("a specification is not called")
