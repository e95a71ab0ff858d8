"""Hooks that addons publish: called like functions, implemented by other addons.

An addon marks functions of its module ``hookspecs`` with :func:`hook`; others implement
them, by name, in their plugin with ``@hookimpl``. The kernel calls the implementations
by the policy of the hook's kind:

=========== ============================ ===================== ========
kind        implementations              result                failure
=========== ============================ ===================== ========
``provide`` until one returns something  that, or None         closed
``filter``  each changes the first       the last one's        closed
            argument
``veto``    until one returns a reason   :class:`Vetoed`       closed
``observe`` all                          None                  open
=========== ============================ ===================== ========

A *closed* failure is :class:`HookFailed`, which the API answers with 503; an *open* one
is logged, and the next implementation is called.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, Literal, ParamSpec, TypeVar, cast, overload

from bodega_sdk.errors import HookError
from bodega_sdk.runtime import runtime

P = ParamSpec("P")
R = TypeVar("R")

Kind = Literal["provide", "filter", "veto", "observe"]
KINDS: Final = ("provide", "filter", "veto", "observe")
#: Seconds that an implementation may take where the hook does not say.
BUDGET = 0.05
_LONGEST_BUDGET = 60.0
_LOOSE = (
    inspect.Parameter.VAR_POSITIONAL,
    inspect.Parameter.VAR_KEYWORD,
    inspect.Parameter.POSITIONAL_ONLY,
)


@dataclass(frozen=True, eq=False)
class Hook(Generic[P, R]):
    """A hook that an addon publishes; call it with the function's arguments.

    Args:
        name: one for the whole shop.
        kind: ``provide``, ``filter``, ``veto`` or ``observe``.
        budget: seconds that an implementation may take; taking longer counts as failing.
        function: the specification; it is never called.
        signature: of the function.
        doc: its docstring.
        module, file, line: where it is.

    Example::

        >>> @hook("filter")
        ... def points_of(points: int, order: str) -> int:
        ...     '''Return how many points an order is worth.'''
        >>> points_of(3, "o-1"), points_of.parameters, points_of.closed
        (3, ('points', 'order'), True)
    """

    name: str
    kind: Kind
    budget: float
    function: Callable[..., Any]
    signature: inspect.Signature
    doc: str
    module: str
    file: str
    line: int

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the arguments."""
        return tuple(self.signature.parameters)

    @property
    def closed(self) -> bool:
        """Whether a failing implementation fails the operation."""
        return self.kind != "observe"

    @property
    def implemented(self) -> bool:
        """Whether an enabled addon implements it, so that it has somebody to answer.

        Raises:
            UnboundError: asked outside a request, a job or a command.
        """
        return runtime().hook_caller(self.name) is not None

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the implementations of the enabled addons.

        Raises:
            HookFailed: an implementation failed, or is quarantined; not of ``observe``.
            Vetoed: of ``veto``, when there is a reason against it.
            UnboundError: called outside a request, a job or a command.
        """
        call = runtime().hook_caller(self.name)
        if call is None:
            # Nobody implements it, as mostly: nothing is bound, checked or counted.
            return cast(R, self._unheard(args, kwargs))
        return cast(R, call(self.bind(args, kwargs)))

    def bind(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments by name, with their defaults.

        Raises:
            TypeError: they are not those of the function.
        """
        if not kwargs and len(args) == len(self.signature.parameters):
            return dict(zip(self.signature.parameters, args, strict=True))
        found = self.signature.bind(*args, **kwargs)
        found.apply_defaults()
        return dict(found.arguments)

    def _unheard(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if self.kind != "filter":
            return None
        return args[0] if args else kwargs[self.parameters[0]]


@overload
def hook(
    kind: Literal["provide"], *, budget: float = BUDGET
) -> Callable[[Callable[P, R]], Hook[P, R | None]]: ...
@overload
def hook(
    kind: Literal["filter"], *, budget: float = BUDGET
) -> Callable[[Callable[P, R]], Hook[P, R]]: ...
@overload
def hook(
    kind: Literal["veto"], *, budget: float = BUDGET
) -> Callable[[Callable[P, str | None]], Hook[P, None]]: ...
@overload
def hook(
    kind: Literal["observe"], *, budget: float = BUDGET
) -> Callable[[Callable[P, None]], Hook[P, None]]: ...
def hook(kind: Kind, *, budget: float = BUDGET) -> Callable[[Callable[..., Any]], Hook[..., Any]]:
    """Publish a hook: mark a function of the addon's module ``hookspecs``.

    Args:
        kind: see the table above.
        budget: seconds that an implementation may take. It is not interrupted, but one
            that exceeds it several times in a row is no longer called for a while.

    Raises:
        HookError: the function, the kind or the budget cannot be a hook's.

    Example::

        >>> @hook("veto", budget=0.1)
        ... def may_ship(order: str) -> str | None:
        ...     '''Return why an order must not leave the house, one sentence; None if it may.'''
        >>> may_ship("o-1")
    """

    def publish(function: Callable[..., Any]) -> Hook[..., Any]:
        for fault in _faults(kind, budget, function):
            name = getattr(function, "__name__", repr(function))
            raise HookError(f"hook {name!r} in {_place(function)}: {fault}")
        return Hook(
            function.__name__,
            kind,
            float(budget),
            function,
            inspect.signature(function),
            inspect.cleandoc(function.__doc__ or ""),
            function.__module__,
            function.__code__.co_filename,
            function.__code__.co_firstlineno,
        )

    return publish


def _place(function: Any) -> str:
    code = getattr(function, "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code else "an unknown place"


def _faults(kind: str, budget: Any, function: Any) -> list[str]:
    """Return what keeps a function from being a hook."""
    if kind not in KINDS:
        return [f"its kind must be one of {', '.join(KINDS)}, found {kind!r}"]
    number = isinstance(budget, int | float) and not isinstance(budget, bool)
    if not number or not 0 < budget <= _LONGEST_BUDGET:
        return [f"its budget must be seconds, more than 0 and at most 60, found {budget!r}"]
    if not inspect.isfunction(function) or inspect.iscoroutinefunction(function):
        return ["it must be a function that is called at once, declared with 'def'"]
    if not (function.__doc__ or "").strip():
        return ["it needs a docstring that tells when it is called and what to return"]
    return _signature_faults(kind, inspect.signature(function))


def _signature_faults(kind: str, signature: inspect.Signature) -> list[str]:
    parameters = signature.parameters.values()
    for item in parameters:
        if item.kind in _LOOSE:
            return [f"its argument {item.name!r} must have a name to be called by, and be one"]
        if item.annotation is inspect.Parameter.empty:
            return [f"its argument {item.name!r} needs an annotation"]
    if signature.return_annotation is inspect.Signature.empty:
        return ["what it returns needs an annotation"]
    if kind == "filter" and not parameters:
        return ["a filter needs an argument, which each implementation changes in its turn"]
    return []
