"""V404, V405, V410 and V413: what an answer may hold."""

import re
from collections.abc import Iterator
from typing import Any

from marshmallow import fields

from bodega_sdk.http import Route
from bodega_sdk.schemas import Amount, Schema
from bodega_sdk.testing.conformance.subject import Subject

ENVELOPE = ("count", "next", "previous", "results")
_INSIDE = re.compile(
    r"Traceback \(most recent|/[\w./-]+\.py\b|\.py:\d+|psycopg2\.|sqlite3\.|peewee\.|"
    r"\bSELECT .+ FROM |\bINSERT INTO |\bUPDATE \S+ SET |\bDELETE FROM |constraint failed|"
    r"violates [\w-]+ constraint|DETAIL: +Key |no such (table|column)",
    re.S,
)
_TYPES: tuple[tuple[type, tuple[type, ...]], ...] = (
    (Amount, (str,)),
    (fields.Boolean, (bool,)),
    (fields.Integer, (int,)),
    (fields.Float, (int, float)),
    (fields.Nested, (dict, list)),
    (fields.List, (list,)),
    (fields.Dict, (dict,)),
    (fields.UUID, (str,)),
    (fields.DateTime, (str,)),
    (fields.String, (str,)),
)


def faults(
    subject: Subject, route: Route, status: int, body: Any, text: str
) -> Iterator[tuple[str, str]]:
    """Yield (rule, what is wrong) of one answer.

    Args:
        body: the answer's JSON; None when it has none.
    """
    if found := _INSIDE.search(text):
        yield "V413", f"the answer {status} holds {found[0][:60]!r}"
    if not 200 <= status < 300:
        return
    if body is None:
        if route.returns is not None and not text:
            yield "V405", f"the answer {status} has no body, but 'returns' is stated"
        return
    if route.listing or _is_page(route):
        yield from _page(route, body)
    elif isinstance(body, list) or (isinstance(body, dict) and "results" in body):
        yield "V410", "the answer is a list, but listing=True is not stated"
        return
    if route.returns is None:
        yield "V404", f"the answer {status} has a body, but 'returns' is not stated"
        return
    items = body.get("results", []) if route.listing and isinstance(body, dict) else [body]
    for item in items if isinstance(items, list) else ():
        yield from _members(route.returns, item, frozenset(subject.manifests))


def _is_page(route: Route) -> bool:
    """Whether its schema is that of a whole page, with more than the rows."""
    return route.returns is not None and "results" in route.returns().fields


def _page(route: Route, body: Any) -> Iterator[tuple[str, str]]:
    missing = [name for name in ENVELOPE if not isinstance(body, dict) or name not in body]
    if missing:
        yield "V410", f"the page has no {', '.join(missing)}"
    if "page_size" not in {item.name for item in route.parameters}:
        yield "V410", "it knows no page_size"


def _members(
    schema: type[Schema], item: Any, addons: frozenset[str], path: str = ""
) -> Iterator[tuple[str, str]]:
    if not isinstance(item, dict):
        yield "V405", f"{path or 'the answer'} is {type(item).__name__}, not an object"
        return
    known = {member.data_key or name: member for name, member in schema().dump_fields.items()}
    for name in item.keys() - known.keys() - addons:
        yield "V405", f"member {path}{name!r} is not in {schema.__name__}"
    for name, member in known.items():
        if name not in item:
            if member.required:
                yield "V405", f"member {path}{name!r} of {schema.__name__} is missing"
        elif told := _wrong_type(member, item[name]):
            yield "V405", f"member {path}{name!r} of {schema.__name__} is {told}"
        elif isinstance(member, fields.Nested) and isinstance(item[name], dict):
            inner: Any = member.schema
            kind = inner if isinstance(inner, type) else type(inner)
            yield from _members(kind, item[name], addons, f"{path}{name}.")


def _wrong_type(member: fields.Field[Any], value: Any) -> str:
    if value is None:
        return ""
    for kind, types in _TYPES:
        if isinstance(member, kind):
            wrong = type(value) not in types
            return f"{value!r:.40}, not {types[0].__name__}" if wrong else ""
    return ""
