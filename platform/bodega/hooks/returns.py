"""What a hook states that its implementations return, as types that can be checked cheaply."""

import types
import typing
from typing import Any

from bodega_sdk.hooks import Hook

_NONE = type(None)


def stated(hook: Hook[..., Any]) -> tuple[type, ...]:
    """Return the types of which a result must be one.

    Raises:
        TypeError: the annotation cannot be checked while running.
        NameError: it names what is not there.
    """
    return runtime_types(typing.get_type_hints(hook.function)["return"])


def fault(hook: Hook[..., Any]) -> str | None:
    """Return what is wrong with what a hook states; None when it is sound."""
    try:
        hints = typing.get_type_hints(hook.function)
        found = runtime_types(hints["return"])
    # Annotations may be texts, and name or compute anything.
    except Exception as error:
        return f"what it returns cannot be checked: {error}"
    if hook.kind == "veto" and set(found) != {str, _NONE}:
        return "a veto returns 'str | None': the reason against it, or None"
    if hook.kind == "observe" and set(found) != {_NONE}:
        return "an observer returns None"
    if hook.kind == "provide" and set(found) == {_NONE}:
        return "a provider returns something"
    if hook.kind == "filter" and hints[hook.parameters[0]] != hints["return"]:
        return "a filter returns what its first argument is"
    return None


def runtime_types(annotation: Any) -> tuple[type, ...]:
    """Return the classes that ``isinstance`` can tell of an annotation.

    ``tuple[UUID, ...]`` becomes ``tuple``: what is inside is not looked at.

    Raises:
        TypeError: it has none.
    """
    if annotation is None:
        return (_NONE,)
    if annotation is Any:
        return (object,)
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType):
        return tuple(found for item in typing.get_args(annotation) for found in runtime_types(item))
    if origin is typing.Literal:
        return tuple(type(value) for value in typing.get_args(annotation))
    if hasattr(annotation, "__supertype__"):
        return runtime_types(annotation.__supertype__)
    return _class_of(annotation if origin is None else origin)


def _class_of(found: Any) -> tuple[type, ...]:
    if not isinstance(found, type):
        raise TypeError(f"{found!r} is no class")
    isinstance(None, found)  # A protocol that is not for run time raises its TypeError here.
    return (found, int) if found is float else (found,)
