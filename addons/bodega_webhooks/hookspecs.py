"""The hook that webhooks publish."""

from typing import Any

from bodega_sdk import hook


@hook("provide")
def older_payload(
    event_type: str, version: int, wanted: int, data: dict[str, Any]
) -> dict[str, Any] | None:
    """Return the data of an event as an older version of it had them; None when you cannot.

    Whoever raises the version of an event implements this, so that receivers that were made
    for the older one go on working.

    Args:
        event_type: e.g. ``"order.paid"``.
        version: of the data.
        wanted: the version that a webhook is pinned to.
        data: of the event; do not change them.
    """
