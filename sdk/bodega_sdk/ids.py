"""Identifiers: UUIDs of version 7 (RFC 9562 §5.7), whose order is the order of their making."""

import os
import re
import threading
import time
import uuid

#: A UUID as text, and nothing else that uuid.UUID() reads.
UUID_TEXT = re.compile(
    r"[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|[0-9a-fA-F]{32}", re.ASCII
)

_lock = threading.Lock()
_last = 0


def uuid7() -> uuid.UUID:
    """Return a new UUIDv7; within one process each is greater than the one before.

    The 12 bits behind the millisecond count on within it (RFC 9562 §6.2, method 3),
    so that rows made in one go keep their order.

    Example::

        >>> uuid7() < uuid7()
        True
    """
    tick = _next_tick()
    millisecond, fraction = tick >> 12, tick & 0xFFF
    random = int.from_bytes(os.urandom(8), "big") & 0x3FFF_FFFF_FFFF_FFFF
    return uuid.UUID(int=millisecond << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | random)


def read_uuid(text: str) -> uuid.UUID:
    """Read a UUID.

    Raises:
        ValueError: it is none; braces, ``urn:uuid:`` and stray hyphens are not read.
    """
    if not UUID_TEXT.fullmatch(text):
        raise ValueError(f"{text!r} is no UUID")
    return uuid.UUID(text)


def _next_tick() -> int:
    """Return the time in 1/4096 ms, always larger than the last one returned."""
    global _last
    with _lock:
        _last = max(_last + 1, time.time_ns() * 4096 // 1_000_000)
        return _last
