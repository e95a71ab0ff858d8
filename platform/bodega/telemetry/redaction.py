"""Secrets that this process has met, kept out of what it writes down."""

import json

from bodega.security.secrets import MASK

#: Shorter ones would blacken words that are none.
_SHORTEST = 6
_known: frozenset[str] = frozenset()


def remember(secret: str) -> None:
    """Keep a text out of logs and recorded errors from now on."""
    global _known
    if len(secret) >= _SHORTEST and secret not in _known:
        # As it is, as Python shows it, and as either stands in JSON.
        shown = {secret, repr(secret)[1:-1]}
        _known |= shown | {_in_json(text, pure) for text in shown for pure in (True, False)}


def _in_json(text: str, pure_ascii: bool) -> str:
    return json.dumps(text, ensure_ascii=pure_ascii)[1:-1]


def storable(text: str) -> str:
    """Return a text without what must not be stored: secrets, NUL and lone surrogates."""
    return redacted(text).replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def redacted(text: str) -> str:
    """Return a text with every secret masked that this process has met, the longest first."""
    for secret in sorted(filter(text.__contains__, _known), key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text
