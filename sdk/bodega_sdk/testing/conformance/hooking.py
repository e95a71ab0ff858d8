"""V541 and V542: published hooks, and implementations of them."""

import inspect
import types
import typing
from collections.abc import Iterator
from typing import Any

from bodega.hooks.implementations import Implementation
from bodega_sdk.hooks import Hook
from bodega_sdk.testing.conformance.findings import Finding
from bodega_sdk.testing.conformance.subject import Subject
from bodega_sdk.testing.conformance.wording import says_something


def check(subject: Subject) -> Iterator[Finding]:
    """Look at hooks and implementations."""
    addon, chains = subject.loaded, subject.assembly.chains
    for hook in addon.hooks:
        if not says_something(hook.doc, words=4):
            place = subject.place(hook.file, hook.line)
            yield Finding("V542", f"hook {hook.name!r} says {hook.doc!r}", place)
    for item in addon.implementations:
        if item.hook in chains:
            yield from _implementation(subject, item, chains[item.hook].hook)


def _implementation(
    subject: Subject, item: Implementation, hook: Hook[..., Any]
) -> Iterator[Finding]:
    place = subject.place(item.file, item.line)
    expected, found = typing.get_type_hints(hook.function), _hints(item)
    for name in item.arguments(hook.parameters):
        if not _same(found.get(name, _MISSING), expected[name]):
            told = f"{item.hook}: argument {name!r} is {_named(found.get(name, _MISSING))}, "
            yield Finding("V541", f"{told}the hook says {_named(expected[name])}", place)
    if not item.wrapper and not _returns(hook, found.get("return", _MISSING), expected["return"]):
        told = f"{item.hook}: it returns {_named(found.get('return', _MISSING))}, "
        yield Finding("V541", f"{told}the hook says {_named(expected['return'])}", place)


class _MISSING:
    """Stands for no annotation."""


def _hints(item: Implementation) -> dict[str, Any]:
    try:
        return typing.get_type_hints(item.function)
    # What is imported for type checkers only has a name and nothing behind it.
    except Exception:
        return dict(inspect.get_annotations(item.function))


def _same(found: Any, expected: Any) -> bool:
    return found == expected or (isinstance(found, str) and found == _named(expected))


def _returns(hook: Hook[..., Any], found: Any, expected: Any) -> bool:
    if _same(found, expected):
        return True
    allowed, stated = _parts(expected), _parts(found)
    if hook.kind == "provide":
        allowed |= {type(None)}
    # A veto that always or never objects may say so.
    return hook.kind in ("provide", "veto") and stated <= allowed


def _parts(annotation: Any) -> set[Any]:
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return set(typing.get_args(annotation))
    return {type(None) if annotation is None else annotation}


def _named(annotation: Any) -> str:
    if annotation is _MISSING:
        return "not annotated"
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)
