"""Values for settings: read from text, and checked before they are stored."""

import math
from typing import Any

from bodega.security.secrets import MASK
from bodega_sdk.errors import FieldError, InvalidInput
from bodega_sdk.settings import Setting

#: Characters of a text.
LONGEST = 10_000
_NUMBERS_END = 2**63
_WORDS = {"true": True, "yes": True, "on": True, "1": True,
          "false": False, "no": False, "off": False, "0": False}  # fmt: skip
_EXPECTED = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


def parsed(name: str, declared: Setting, text: str) -> Any:
    """Read a value as it is typed: ``5000``, ``0.5``, ``yes``, ``EUR``.

    Raises:
        InvalidInput: it is none of the setting's type.
    """
    try:
        if declared.type is bool:
            return _WORDS[text.lower()]
        return declared.type(text)
    except (ValueError, KeyError):
        reason = f"expected {_EXPECTED.get(declared.type, declared.type.__name__)}"
    raise _refusal(name, reason, None if declared.secret else text)


def checked(name: str, declared: Setting, value: Any, *, secret: bool) -> Any:
    """Return a value that may be stored.

    Args:
        secret: whether the refusal must not repeat it.

    Raises:
        InvalidInput: naming ``value`` and what was expected.
    """
    if declared.type is float and type(value) is int:
        value = float(value)
    try:
        _check_storable(value)
        if secret and value == MASK:
            raise ValueError("expected the secret itself, not what is shown in its place")
        return declared.check(value)
    except ValueError as error:
        # Setting.check repeats the value behind "found".
        reason = str(error).partition(", found ")[0]
    raise _refusal(name, reason, None if secret else value)


def _check_storable(value: Any) -> None:
    """Refuse what JSON or a database would not give back as it was."""
    if isinstance(value, str):
        if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
            raise ValueError("expected text without NUL characters and lone surrogates")
        if len(value) > LONGEST:
            raise ValueError(f"expected at most {LONGEST} characters")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("expected a finite number")
    if isinstance(value, int) and not -_NUMBERS_END <= value < _NUMBERS_END:
        raise ValueError("expected a number of at most 64 bits")


def _refusal(name: str, reason: str, found: Any) -> InvalidInput:
    message = f"{reason[0].upper()}{reason[1:]}."
    return InvalidInput(f"{name}: {message}", [FieldError("value", message, found)])
