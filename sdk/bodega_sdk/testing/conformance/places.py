"""Where something of the addon is."""

import inspect
from typing import Any

from bodega_sdk.testing.conformance.subject import Subject


def place_of(subject: Subject, function: Any) -> str:
    """Return where a function of the addon is; empty when it is not the addon's own."""
    code = getattr(inspect.unwrap(function) if callable(function) else None, "__code__", None)
    if code is None or not subject.owns(code.co_filename):
        return ""
    return subject.place(code.co_filename, code.co_firstlineno)
