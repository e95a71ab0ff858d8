"""What an addon's plugin implements of other addons' hooks, as pluggy's marks say."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from bodega_sdk.hooks import Hook

_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


@dataclass(frozen=True)
class Implementation:
    """A function of a plugin that implements a hook.

    Args:
        addon: whose plugin it is in.
        hook: the hook's name.
        wrapper, tryfirst, trylast, optional, old: the marks of ``@hookimpl``.
    """

    addon: str
    hook: str
    function: Callable[..., Any]
    wrapper: bool = False
    tryfirst: bool = False
    trylast: bool = False
    optional: bool = False
    old: bool = False

    @property
    def file(self) -> str:
        """The file it is in."""
        return self.function.__code__.co_filename

    @property
    def line(self) -> int:
        """The line it begins at, that of its first decorator."""
        return self.function.__code__.co_firstlineno

    @property
    def place(self) -> str:
        """Where it is, as ``file:line``."""
        return f"{self.file}:{self.line}"

    @property
    def marks(self) -> tuple[str, ...]:
        """The marks that change its place in the chain."""
        return tuple(name for name in ("wrapper", "tryfirst", "trylast") if getattr(self, name))

    def arguments(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Return which of a hook's arguments it takes."""
        return tuple(name for name in names if name in self._parameters())

    def misfit(self, hook: Hook[..., Any]) -> str | None:
        """Return why it cannot implement a hook; None when it can."""
        for name, parameter in self._parameters().items():
            if parameter.kind not in _NAMED:
                return f"its argument {name!r} must have a name to be called by, and be one"
            if name not in hook.parameters and parameter.default is inspect.Parameter.empty:
                known = ", ".join(hook.parameters) or "none"
                return f"its argument {name!r} is not among those of the hook: {known}"
        return None

    def fault(self) -> str | None:
        """Return why it can implement no hook at all; None when it can."""
        generator = inspect.isgeneratorfunction(self.function)
        if self.old:
            return "@hookimpl(hookwrapper=True) is not known here; write wrapper=True"
        if not inspect.isfunction(self.function) or inspect.iscoroutinefunction(self.function):
            return "it must be a function that is called at once, declared with 'def'"
        if self.wrapper and not generator:
            return "a wrapper must yield once, where the others are called"
        if generator and not self.wrapper:
            return "it yields; mark it @hookimpl(wrapper=True), or return a list"
        return None

    def _parameters(self) -> dict[str, inspect.Parameter]:
        return dict(inspect.signature(self.function).parameters)


def implementations(addon: str, manager: Any, plugin: ModuleType) -> tuple[Implementation, ...]:
    """Return what a plugin implements that is none of the kernel's hooks, in its own order."""
    found = sorted(_found(addon, manager, plugin), key=lambda item: (item.hook, _line(item)))
    return tuple(found)


def _found(addon: str, manager: Any, plugin: ModuleType) -> Iterator[Implementation]:
    for caller in manager.get_hookcallers(plugin) or ():
        if caller.has_spec():
            continue
        for item in caller.get_hookimpls():
            yield Implementation(
                addon,
                caller.name,
                item.function,
                wrapper=item.wrapper,
                tryfirst=item.tryfirst,
                trylast=item.trylast,
                optional=item.optionalhook,
                old=item.hookwrapper,
            )


def _line(item: Implementation) -> int:
    # A callable that is no function is refused later, and has no line to be sorted by.
    return item.line if inspect.isfunction(item.function) else 0
