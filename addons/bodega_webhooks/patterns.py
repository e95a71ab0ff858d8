"""Patterns of event types: ``order.paid``, ``order.*`` or ``*``."""

import re
from collections.abc import Iterable
from functools import lru_cache

_NOUN = r"[a-z][a-z0-9_]*"
#: What patterns look like.
PATTERN = re.compile(rf"^(\*|{_NOUN}(\.{_NOUN})*(\.\*)?)\Z")


def is_pattern(text: str) -> bool:
    """Whether a text is an event type, or a beginning of some with ``.*`` behind it."""
    return PATTERN.match(text) is not None


@lru_cache(maxsize=10_000)
def matches(pattern: str, event_type: str) -> bool:
    """Whether an event type is one that a pattern means."""
    if pattern.endswith("*"):
        return event_type.startswith(pattern[:-1])
    return pattern == event_type


def any_matches(patterns: Iterable[str], event_type: str) -> bool:
    """Whether one of several patterns means an event type."""
    return any(matches(pattern, event_type) for pattern in patterns)
