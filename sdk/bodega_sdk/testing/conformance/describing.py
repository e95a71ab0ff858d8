"""V412: the OpenAPI document of a shop with the addon."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from bodega.http.openapi import document
from bodega_sdk.testing.conformance.findings import Finding
from bodega_sdk.testing.conformance.subject import Subject

_PARAMETER = re.compile(r"{(\w+)}")


def check(subject: Subject, assembly: Any) -> Iterator[Finding]:
    """Make the document and look at it."""
    try:
        found = json.loads(json.dumps(document(assembly)))
    # A schema may hold anything.
    except Exception as error:
        yield Finding("V412", f"it cannot be made: {type(error).__name__}: {error}")
        return
    for told in (*_references(found), *_operations(found), *_schemas(subject)):
        yield Finding("V412", told)


def _references(found: dict[str, Any]) -> Iterator[str]:
    for text in sorted(set(_walk(found))):
        node: Any = found
        for part in text.removeprefix("#/").split("/"):
            node = node.get(part) if isinstance(node, dict) else None
        if node is None:
            yield f"{text} leads nowhere"


def _walk(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for inner in node.values():
            yield from _walk(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _walk(inner)


def _operations(found: dict[str, Any]) -> Iterator[str]:
    ids: Counter[str] = Counter()
    for path, item in found["paths"].items():
        named = {p["name"] for p in item.get("parameters", ()) if p.get("in") == "path"}
        if named != set(_PARAMETER.findall(path)):
            yield f"path parameters of {path} are {', '.join(sorted(named)) or 'not declared'}"
        ids.update(o["operationId"] for o in item.values() if isinstance(o, dict))
    yield from (f"operationId {name!r} stands twice" for name, times in ids.items() if times > 1)


def _schemas(subject: Subject) -> Iterator[str]:
    named: dict[str, Any] = {}
    for route in subject.loaded.routes:
        for schema in filter(None, (route.body, route.returns)):
            other = named.setdefault(schema.__name__.removesuffix("Schema"), schema)
            alike = (other.__module__, other.__qualname__)
            if alike != (schema.__module__, schema.__qualname__):
                yield f"{schema.__module__} and {other.__module__} both have {schema.__name__}"
