"""Calling a chain: what each kind of hook does with its implementations."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from bodega.hooks.arguments import copied
from bodega.hooks.breakers import Breakers
from bodega.hooks.chain import Chain
from bodega.hooks.guarding import Guard
from bodega.hooks.wrapping import Wrapping
from bodega_sdk.errors import HookFailed, Vetoed


class Caller:
    """Calls the chain of one hook in one Assembly.

    Args:
        database: the shop's.
    """

    def __init__(self, chain: Chain, breakers: Breakers, database: Any) -> None:
        self.chain = chain
        self.wrappers = [Guard(chain, item, breakers, database) for item in chain.wrappers]
        self.guards = [Guard(chain, item, breakers, database) for item in chain.implementations]
        self.first = next(iter(chain.hook.parameters), "")

    def __call__(self, values: dict[str, Any]) -> Any:
        """Call it with its arguments by name.

        Raises:
            HookFailed: an implementation of a closed hook failed, or is quarantined.
            Vetoed: of a veto, when there is a reason.
        """
        if self.chain.hook.closed:
            for guard in (*self.wrappers, *self.guards):
                guard.refuse_when_open()
        return _Call(self, values).result()


class _Call:
    """One call of a chain."""

    def __init__(self, caller: Caller, values: dict[str, Any]) -> None:
        self._caller = caller
        self._values = values
        self._objector = ""

    def result(self) -> Any:
        found = self._within(0)
        if self._caller.chain.hook.kind == "veto" and found is not None:
            raise Vetoed(self._objector, self._caller.chain.name, found)
        return found

    # The wrappers, the outermost first.

    def _within(self, depth: int) -> Any:
        if depth == len(self._caller.wrappers):
            return _INNER[self._caller.chain.hook.kind](self)
        guard = self._caller.wrappers[depth]
        try:
            wrapping = Wrapping(guard, self._values)
            wrapping.enter()
        except HookFailed:
            if self._caller.chain.hook.closed:
                raise
            return self._within(depth + 1)
        return self._surrounded(wrapping, guard, depth)

    def _surrounded(self, wrapping: Wrapping, guard: Guard, depth: int) -> Any:
        try:
            inner = self._within(depth + 1)
        except HookFailed as failure:
            wrapping.abandon(failure)
            raise
        except BaseException:
            wrapping.close()
            raise
        try:
            found = wrapping.leave(inner)
        except HookFailed:
            if self._caller.chain.hook.closed:
                raise
            return inner
        if found is not inner:
            self._objector = guard.addon
        return found

    # What they surround.

    def provide(self) -> Any:
        for guard in self._caller.guards:
            found = guard.call(self._values)
            if found is not None:
                return found
        return None

    def filter(self) -> Any:
        name = self._caller.first
        values = self._values | {name: copied(self._values[name])}
        for guard in self._caller.guards:
            values[name] = guard.call(values)
        return values[name]

    def veto(self) -> Any:
        for guard in self._caller.guards:
            reason = guard.call(self._values)
            if reason is not None:
                self._objector = guard.addon
                return reason
        return None

    def observe(self) -> None:
        for guard in self._caller.guards:
            # It is logged and counted; the next one is called.
            with suppress(HookFailed):
                guard.call(self._values)


_INNER: dict[str, Callable[[_Call], Any]] = {
    "provide": _Call.provide,
    "filter": _Call.filter,
    "veto": _Call.veto,
    "observe": _Call.observe,
}
