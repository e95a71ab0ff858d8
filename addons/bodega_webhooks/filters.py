"""Filters of payloads: which events a webhook gets, by what stands in them.

A filter is an object: path → condition. All of its members must hold::

    {"data.total": {"gte": 100}, "data.currency": {"in": ["EUR", "USD"]}, "key": "o-1"}

A path leads through the payload of the standard format (``type``, ``key``, ``data``, …). A
condition that is no object means ``eq``. ``{"any": [F, G]}``, ``{"all": [F, G]}`` and
``{"not": F}`` combine filters. What is not there fulfils ``ne``, ``not_in`` and
``{"exists": false}`` only. Decimal numbers in text, as amounts are written, are compared
with numbers as numbers.
"""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from operator import ge, gt, le, lt
from typing import Any

#: Conditions of a filter, filters within each other, and values of one condition.
MOST, DEEPEST, LONGEST = 50, 5, 200
_MISSING: Any = object()
_NOT_THERE = ("ne", "not_in", "exists")


def is_met(condition: Mapping[str, Any], payload: Mapping[str, Any]) -> bool:
    """Whether a payload is one that a filter lets through; the filter was checked."""
    return all(_member_is_met(name, value, payload) for name, value in condition.items())


def _member_is_met(name: str, value: Any, payload: Mapping[str, Any]) -> bool:
    if name == "any":
        return any(is_met(item, payload) for item in value)
    if name == "all":
        return all(is_met(item, payload) for item in value)
    if name == "not":
        return not is_met(value, payload)
    found = _at(payload, name)
    wanted = value if isinstance(value, Mapping) else {"eq": value}
    return all(_holds(operator, found, operand) for operator, operand in wanted.items())


def _at(payload: Any, path: str) -> Any:
    for part in path.split("."):
        if isinstance(payload, Mapping) and part in payload:
            payload = payload[part]
        elif isinstance(payload, list) and part.isdecimal() and int(part) < len(payload):
            payload = payload[int(part)]
        else:
            return _MISSING
    return payload


def _holds(operator: str, found: Any, operand: Any) -> bool:
    if found is _MISSING and operator not in _NOT_THERE:
        return False
    return _OPERATORS[operator](found, operand)


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _equal(found: Any, operand: Any) -> bool:
    if isinstance(found, bool) or isinstance(operand, bool):
        return found is operand
    if isinstance(operand, int | float):
        return _number(found) == _number(operand)
    return bool(found == operand)


def _compared(by: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def compare(found: Any, operand: Any) -> bool:
        numbers = _number(found), _number(operand)
        if None not in numbers:
            return by(*numbers)
        texts = isinstance(found, str) and isinstance(operand, str)
        return texts and by(found, operand)

    return compare


def _contains(found: Any, operand: Any) -> bool:
    if isinstance(found, str):
        return isinstance(operand, str) and operand in found
    return isinstance(found, list) and any(_equal(item, operand) for item in found)


def _is_in(found: Any, operands: list[Any]) -> bool:
    return any(_equal(found, item) for item in operands)


_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": _equal,
    "ne": lambda found, operand: not _equal(found, operand),
    "gt": _compared(gt),
    "gte": _compared(ge),
    "lt": _compared(lt),
    "lte": _compared(le),
    "in": _is_in,
    "not_in": lambda found, operands: not _is_in(found, operands),
    "contains": _contains,
    "starts_with": lambda found, operand: isinstance(found, str) and found.startswith(operand),
    "exists": lambda found, operand: (found is not _MISSING) is operand,
}


# Checking.


def faults(condition: Any) -> list[str]:
    """Return what is wrong with a filter, in words; nothing when it can be used."""
    found = list(_faults(condition, 1))
    if not found and _size(condition) > MOST:
        return [f"Expected at most {MOST} conditions."]
    return found[:5]


def _faults(condition: Any, depth: int) -> Iterator[str]:
    if depth > DEEPEST:
        yield f"Filters can stand within each other {DEEPEST} deep."
        return
    if not isinstance(condition, Mapping) or not condition:
        yield 'Expected an object such as {"data.total": {"gte": 100}}.'
        return
    for name, value in condition.items():
        yield from _member_faults(name, value, depth)


def _member_faults(name: str, value: Any, depth: int) -> Iterator[str]:
    if name in ("any", "all"):
        if not isinstance(value, list) or not 0 < len(value) <= MOST:
            yield f"'{name}' needs a list of filters."
            return
        for item in value:
            yield from _faults(item, depth + 1)
    elif name == "not":
        yield from _faults(value, depth + 1)
    elif not 0 < len(name) <= LONGEST or not all(name.split(".")):
        yield f"'{name[:50]}' is no path such as 'data.total'."
    else:
        yield from _condition_faults(name, value)


def _condition_faults(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, list) or value == {}:
        yield f"'{name}': expected a value, or an object such as {{\"gte\": 100}}."
        return
    for operator, operand in (value if isinstance(value, Mapping) else {"eq": value}).items():
        if operator not in _OPERATORS:
            yield f"'{name}': '{operator[:50]}' is none of {', '.join(_OPERATORS)}."
        elif not _fits(operator, operand):
            yield f"'{name}': '{operator}' cannot be asked of {str(operand)[:50]!r}."


def _fits(operator: str, operand: Any) -> bool:
    if operator == "exists":
        return isinstance(operand, bool)
    if operator in ("in", "not_in"):
        return isinstance(operand, list) and len(operand) <= LONGEST and all(map(_plain, operand))
    if operator == "starts_with":
        return isinstance(operand, str)
    if operator in ("gt", "gte", "lt", "lte"):
        return isinstance(operand, str | int | float) and not isinstance(operand, bool)
    return _plain(operand)


def _plain(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float | bool)


def _size(condition: Mapping[str, Any]) -> int:
    inner = [item for name in ("any", "all") for item in condition.get(name, ())]
    inner += [condition["not"]] if "not" in condition else []
    return len(condition) + sum(map(_size, inner))
