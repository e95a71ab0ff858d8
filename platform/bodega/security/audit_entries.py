"""Entries of the audit log: what may stand in them, and the hash that seals each.

The hash is an HMAC under a key derived from the shop's secret key: whoever can write to
the database, but has not that key, can make none.
"""

import hashlib
import hmac
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

from bodega.security.callers import Caller
from bodega.security.secrets import MASK, derive
from bodega_sdk.encoding import to_json
from bodega_sdk.models import now

#: What stands before the first entry.
GENESIS = "0" * 64
#: Characters of the details.
LARGEST = 4096
ACTION = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
_SECRET_PARTS = ("password", "passphrase", "token", "secret", "authorization", "credential")
_SECRET_ENDS = ("key", "keys", "code", "codes")
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
# Characters of a text and items of a list, tried in turn until all of it is small enough.
_BOUNDS = ((500, 50), (100, 20), (30, 10))
_DEEPEST = 6


@dataclass(frozen=True, slots=True)
class Entry:
    """What was done, by whom; its place in the log it gets at the commit.

    Args:
        at: ISO 8601 in UTC, of one width.
        details: JSON.
    """

    at: str
    actor: str
    action: str
    target: str
    address: str
    request_id: str
    details: str


def entry(who: Caller, action: str, target: str, details: Mapping[str, Any]) -> Entry:
    """Return an entry, shortened and without secrets.

    Raises:
        ValueError: the action is no "noun.past_participle".
    """
    if not ACTION.fullmatch(action) or len(action) > 100:
        raise ValueError(
            f"an action is written like 'account.logged_in', at most 100 characters: {action!r}"
        )
    return Entry(
        f"{now():%Y-%m-%dT%H:%M:%S.%fZ}", _text(who.actor, 200), action, _text(target, 200),
        _text(who.address, 64), _text(who.request_id, 100), _small(details),
    )  # fmt: skip


def _text(value: Any, longest: int) -> str:
    """Return a text that every engine can hold."""
    text = str(value).replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


# Details.


def _small(details: Mapping[str, Any]) -> str:
    for length, items in _BOUNDS:
        told = _dumped(_bounded(details, length, items, 0))
        if len(told) <= LARGEST:
            return told
    return _dumped({"shortened": [_text(name, 30) for name in details][:20]})


def _dumped(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _bounded(value: Any, length: int, items: int, depth: int) -> Any:
    if isinstance(value, Mapping) and depth < _DEEPEST:
        some = list(value.items())[:items]
        return {
            _text(name, 100): _masked(str(name), _bounded(item, length, items, depth + 1))
            for name, item in some
        }
    if isinstance(value, list | tuple) and depth < _DEEPEST:
        return [_bounded(item, length, items, depth + 1) for item in value[:items]]
    return _plain(value, length)


def _plain(value: Any, length: int) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) < 2**63:
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    return _text(value if isinstance(value, str) else _written(value), length)


def _written(value: Any) -> str:
    """Return instants, ids and the like as the API writes them."""
    try:
        found = orjson.loads(to_json(value))
        return found if isinstance(found, str) else str(value)
    except (TypeError, ValueError):
        return str(value)


def _masked(name: str, value: Any) -> Any:
    empty = value is None or isinstance(value, bool) or value == ""
    return value if empty or not looks_secret(name) else MASK


def looks_secret(name: str) -> bool:
    """Whether what stands under a name should not be written down: ``apiKey``, ``reset_code``."""
    low = name.lower()
    words = {word.lower() for word in _WORDS.findall(name)}
    return (
        any(part in low for part in _SECRET_PARTS)
        or not words.isdisjoint(_SECRET_ENDS)
        or low.endswith(_SECRET_ENDS)
    )


# Hashes.


@lru_cache(maxsize=4)
def sealing_key(secret: bytes) -> bytes:
    """Return the key that seals entries, derived from the shop's secret key."""
    return derive(secret, "bodega audit log")


def sealed(key: bytes, seq: int, columns: tuple[Any, ...], previous: str) -> str:
    """Return the hash of an entry.

    Args:
        columns: those of :class:`Entry`, in its order.
        previous: hash of the entry before it.
    """
    # Whatever an engine gives for a column that somebody tampered with has some form here.
    canonical = json.dumps([seq, *columns, previous], separators=(",", ":"), default=repr)
    return hmac.new(key, canonical.encode(), hashlib.sha256).hexdigest()
