"""Form encoding as Stripe's libraries send it: ``a[b][c]=1&types[0]=x&expand[]=y``."""

import re
from typing import Any
from urllib.parse import parse_qsl

_PART = re.compile(r"\[([^\]]*)\]")


def parse(text: str) -> dict[str, Any]:
    """Return the parameters, nested; what is numbered from 0 becomes a list."""
    found: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        head, parts = name.partition("[")[0], _PART.findall(name)
        _put(found, [head, *parts], value)
    return {name: _listed(value) for name, value in found.items()}


def _put(into: dict[str, Any], path: list[str], value: str) -> None:
    *parents, last = path
    for part in parents:
        into = into.setdefault(part, {})
    into[last or str(len(into))] = value


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {name: _listed(item) for name, item in value.items()}
    if inner and all(name.isdigit() for name in inner):
        return [inner[name] for name in sorted(inner, key=int)]
    return inner
