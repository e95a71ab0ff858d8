"""Calling one wrapper: a generator that yields once, where the others are called."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from bodega.hooks.blame import WrongResult
from bodega.hooks.guarding import Guard
from bodega_sdk.errors import HookFailed

_MISSING = object()


class Wrapping:
    """One call of a wrapper. Its two legs are timed, not what it surrounds.

    Raises:
        HookFailed: it is quarantined.
    """

    def __init__(self, guard: Guard, values: Mapping[str, Any]) -> None:
        arguments = guard.arguments(values)
        self._guard = guard
        self._admission = guard.admit()
        self._generator = guard.implementation.function(**arguments)
        self._spent = 0.0

    def enter(self) -> None:
        """Run it to its ``yield``.

        Raises:
            HookFailed: it failed before, or has none.
        """
        self._guarded(self._to_the_yield)

    def leave(self, result: Any) -> Any:
        """Send it what the others returned; return what it makes of that.

        Raises:
            HookFailed: it failed behind its ``yield``, or yielded again.
        """
        found = self._guarded(lambda: self._to_the_end(result))
        self._guard.ended(self._admission, self._spent, found)
        return found

    def abandon(self, failure: HookFailed) -> None:
        """Let it clean up, because what it surrounds failed; it cannot make that undone."""
        # Whatever it does now, the operation fails by the first failure.
        with suppress(HookFailed):
            self._guarded(lambda: self._throw(failure))

    def close(self) -> None:
        """End it, wherever it stands."""
        # It may refuse to be closed, and raises then.
        with suppress(Exception, SystemExit):
            self._generator.close()

    def _to_the_yield(self) -> None:
        if next(self._generator, _MISSING) is _MISSING:
            raise WrongResult("did not yield")

    def _to_the_end(self, inner: Any) -> Any:
        try:
            self._generator.send(inner)
        except StopIteration as stop:
            self._check(stop.value, inner)
            return stop.value
        raise WrongResult("yielded more than once")

    def _check(self, found: Any, inner: Any) -> None:
        self._guard.check(found)
        if found is None and inner is not None and not self._guard.may_drop:
            raise WrongResult("lost the result of the others; return it")

    def _throw(self, failure: HookFailed) -> None:
        try:
            self._generator.throw(failure)
        except StopIteration:
            return
        except HookFailed as error:
            if error is failure:
                return
            raise
        raise WrongResult("yielded more than once")

    def _guarded(self, leg: Callable[[], Any]) -> Any:
        began = self._guard.clock()
        try:
            with self._guard.savepoint():
                return leg()
        # An addon may do anything, sys.exit() included; the house stays open.
        except BaseException as error:
            self.close()
            spent = self._spent + self._guard.clock() - began
            raise self._guard.failure(error, self._admission, spent) from error
        finally:
            self._spent += self._guard.clock() - began
