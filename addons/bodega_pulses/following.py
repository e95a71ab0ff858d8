"""The real-time channels of pulses: all of them, and those of one product."""

from bodega_pulses.events import recorded
from bodega_sdk import Channel


def channels() -> list[Channel]:
    """Return the channels. Each event tells the newest point, so the latest one will do."""
    names = (recorded.name,)
    return [
        Channel(
            "pulses.stream", names, "pulses.read", "What is recorded of all products",
            conflate=True, path="pulses/stream/",
        ),
        Channel(
            "pulses.product.{id}", names, "pulses.read", "What is recorded of one product",
            conflate=True, path="pulses/products/{id}/",
        ),
    ]  # fmt: skip
