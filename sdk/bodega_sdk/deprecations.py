"""Deprecations: what goes, since when it is known, what takes its place, when it is gone.

The table :data:`DEPRECATED` says what; the functions here let the code that is deprecated
warn, once for each addon and place. A symbol is written as in the contract:
``bodega_sdk.fetch``, ``bodega_sdk.fetch(body)`` is a parameter of it,
``bodega_sdk.Money.parse`` a method, ``bodega_sdk.hookspecs.register_jobs`` a hook.
"""

import functools
import inspect
import sys
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any, TypeVar

from bodega_sdk.errors import UnboundError
from bodega_sdk.runtime import runtime

F = TypeVar("F", bound=Callable[..., Any])


class DeprecatedInBodega(DeprecationWarning):
    """An addon uses what a later version of the SDK will not have any more.

    Python shows it in tests; as an error it fails them.

    Example::

        >>> import warnings
        >>> from bodega_sdk.deprecations import DeprecatedInBodega
        >>> warnings.simplefilter("error", DeprecatedInBodega)
    """


@dataclass(frozen=True, slots=True)
class Deprecation:
    """What is said of something deprecated.

    Args:
        since: the SDK version that deprecates it, e.g. ``"1.2"``.
        use: what takes its place, as it is written.
        removed: the SDK version without it, e.g. ``"2.0"``.
    """

    since: str
    use: str
    removed: str


#: Symbol → what is said of it. What stands here for a release may go in its ``removed``.
DEPRECATED: dict[str, Deprecation] = {}

_HOOKS = "bodega_sdk.hookspecs."
_IMPLEMENTATION = "bodega_impl"
#: Whose lines are never the place: the import machinery asks modules for attributes, too.
_OWN = ("bodega_sdk", "importlib")
_told: set[tuple[str, str, str, int]] = set()


def deprecated(symbol: str) -> Callable[[F], F]:
    """Let a function or a class warn when it is called, or its parameter when it is given.

    Args:
        symbol: in the table; ``name(parameter)`` warns of the parameter only.
    """
    parameter = symbol.partition("(")[2].rstrip(")")

    def mark(found: F) -> F:
        if inspect.isclass(found):
            found.__init__ = _warning(found.__init__, symbol, parameter)  # type: ignore[method-assign]
            return found
        return _warning(found, symbol, parameter)

    return mark


def _warning(function: F, symbol: str, parameter: str) -> F:
    signature = inspect.signature(function)

    @functools.wraps(function)
    def warned(*args: Any, **kwargs: Any) -> Any:
        if not parameter or parameter in signature.bind_partial(*args, **kwargs).arguments:
            warn(symbol)
        return function(*args, **kwargs)

    return warned  # type: ignore[return-value]


def moved(module: str, names: Mapping[str, Callable[[], Any]]) -> Callable[[str], Any]:
    """Return a module's ``__getattr__``, for attributes that are not there but in the table.

    Args:
        module: its name.
        names: attribute → what returns its value.
    """

    def attribute(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        warn(f"{module}.{name}")
        return names[name]()

    return attribute


def warn(symbol: str) -> None:
    """Warn of a symbol of the table, at the line outside the SDK that brought us here."""
    frame = _caller(sys._getframe(1))
    module = str(frame.f_globals.get("__name__", ""))
    _tell(symbol, _addon(module), module, frame.f_code.co_filename, frame.f_lineno)


def warn_of_hooks(addon: str, plugin: ModuleType) -> None:
    """Warn of what a plugin implements of the kernel's hooks that is deprecated.

    Args:
        addon: its name.
        plugin: its module, with functions marked ``@hookimpl``.
    """
    for name, found in vars(plugin).items():
        options = getattr(found, _IMPLEMENTATION, None)
        if isinstance(options, dict):
            _check_hook(addon, options.get("specname") or name, inspect.unwrap(found))


def _check_hook(addon: str, hook: str, function: Any) -> None:
    taken = inspect.signature(function).parameters
    for symbol in (f"{_HOOKS}{hook}", *(f"{_HOOKS}{hook}({name})" for name in taken)):
        if symbol in DEPRECATED:
            code = function.__code__
            _tell(symbol, addon, function.__module__, code.co_filename, code.co_firstlineno)


def _caller(frame: FrameType) -> FrameType:
    while frame.f_back is not None and _within(frame.f_globals.get("__name__", "")):
        frame = frame.f_back
    return frame


def _within(module: str) -> bool:
    return module.partition(".")[0] in _OWN


def _addon(module: str) -> str:
    """Return the addon at work; where no shop is bound, what its package is named after."""
    try:
        grant = runtime().grant()
    except UnboundError:
        grant = None
    return grant.addon if grant else module.partition(".")[0].removeprefix("bodega_")


def _tell(symbol: str, addon: str, module: str, file: str, line: int) -> None:
    key = (symbol, addon, file, line)
    if key in _told:
        return
    said = DEPRECATED[symbol]
    text = (
        f"addon {addon!r} ({_shown(module, file)}:{line}) uses {symbol}, deprecated since "
        f"SDK {said.since}; use {said.use} instead; it goes in SDK {said.removed}"
    )
    # A registry of its own: Python's would forget one of two addons that say the same.
    warnings.warn_explicit(text, DeprecatedInBodega, file, line, module, registry={})
    _told.add(key)


def _shown(module: str, file: str) -> str:
    """Return a file from its package on: ``bodega_loyalty/plugin.py``."""
    parts = Path(file).parts
    root = module.partition(".")[0]
    return "/".join(parts[parts.index(root) :]) if root in parts else parts[-1]
