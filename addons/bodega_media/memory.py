"""The memory that pictures take: counted before it is taken, never more than the setting."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from bodega_sdk import setting
from bodega_sdk.errors import Unavailable

#: Bytes that each pixel takes while a file is decoded, turned upright and written again, by
#: Pillow's format: measured, and rounded up. WebP and AVIF decoders keep planes of their own.
COST = {"JPEG": 9, "PNG": 9, "GIF": 9, "WEBP": 18, "AVIF": 13}
#: Seconds that a picture waits for the memory that others take.
PATIENCE = 30.0


class _Taken:
    """How much all threads of this process take."""

    def __init__(self) -> None:
        self.bytes = 0
        self.changed = threading.Condition()


_taken = _Taken()


def most_pixels(format: str) -> int:
    """Return how many pixels a picture of a format may have."""
    return int(setting("media.memory_mb") * 1_000_000 // COST[format])


@contextmanager
def reserved(pixels: int, format: str) -> Iterator[None]:
    """Wait until there is memory for a picture, and hold it in the block.

    Raises:
        Unavailable: others take it all for too long.
    """
    wanted, limit = pixels * COST[format], setting("media.memory_mb") * 1_000_000

    def fits() -> bool:
        return _taken.bytes == 0 or _taken.bytes + wanted <= limit

    with _taken.changed:
        if not _taken.changed.wait_for(fits, PATIENCE):
            raise Unavailable("Too many pictures are being worked on.", retry_after=5)
        _taken.bytes += wanted
    try:
        yield
    finally:
        with _taken.changed:
            _taken.bytes -= wanted
            _taken.changed.notify_all()
