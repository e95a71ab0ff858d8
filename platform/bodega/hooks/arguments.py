"""Copies of arguments: what an implementation does to its own, nobody else sees."""

import copy
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any
from uuid import UUID

from bodega_sdk.money import Money

_ATOMS = frozenset(
    (type(None), bool, int, float, complex, str, bytes, type, UUID, Decimal, Money,
     date, datetime, time, timedelta)
)  # fmt: skip


def copied(value: Any) -> Any:
    """Return a value that can be changed without changing this one; itself if it cannot be."""
    return value if _fixed(value) else copy.deepcopy(value)


def _fixed(value: Any) -> bool:
    """Whether nothing can change a value, nor anything in it."""
    kind = type(value)
    if kind in _ATOMS:
        return True
    if kind is tuple or kind is frozenset:
        return _all_fixed(value)
    if isinstance(value, Enum | PurePath):
        return True
    if is_dataclass(kind) and kind.__dataclass_params__.frozen:  # type: ignore[attr-defined]
        return _all_fixed(getattr(value, item.name) for item in fields(kind))
    return False


def _all_fixed(values: Iterable[Any]) -> bool:
    return all(type(value) in _ATOMS or _fixed(value) for value in values)
