"""The hook that lending publishes."""

from uuid import UUID

from bodega_sdk import hook


@hook("veto")
def refuse_loan(borrower: str, product: UUID) -> str | None:
    """Say why somebody must not borrow a product, or return None.

    Called in the transaction that lends it out, before anything is written.
    """
    raise AssertionError("a specification is not called")
