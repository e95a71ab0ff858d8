"""Calling one implementation: guarded, measured, counted."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import structlog

from bodega.hooks.arguments import copied
from bodega.hooks.blame import WrongResult, is_innocent, told
from bodega.hooks.breakers import Admission, Breakers
from bodega.hooks.chain import Chain
from bodega.hooks.implementations import Implementation
from bodega.telemetry import metrics
from bodega_sdk.errors import HookFailed

log = structlog.get_logger(__name__)


class Guard:
    """Stands between a chain and one of its implementations.

    Args:
        database: the shop's; a failing observer's writes are taken back in it.
    """

    def __init__(
        self, chain: Chain, implementation: Implementation, breakers: Breakers, database: Any
    ) -> None:
        self.addon = implementation.addon
        self.implementation = implementation
        self.clock = breakers.clock
        self._chain = chain
        self._breaker = breakers.of(self.addon, chain.name)
        self._database = database
        self._names = implementation.arguments(chain.hook.parameters)
        self._seconds = metrics.HOOK_SECONDS.labels(chain.name, self.addon)
        # Looking a counter up costs more than counting.
        self._counters: dict[str, Any] = {}
        self._closed = chain.hook.closed
        self._kind, self._budget = chain.hook.kind, chain.hook.budget

    @property
    def may_drop(self) -> bool:
        """Whether a wrapper may make nothing of what the others returned; never of a veto."""
        return self._kind != "veto" and type(None) in self._chain.types

    # Before the call.

    def refuse_when_open(self) -> None:
        """Refuse the whole call while the implementation is quarantined.

        Raises:
            HookFailed: it is.
        """
        if self._breaker.refuses():
            raise self._refusal()

    def admit(self) -> Admission:
        """Ask the breaker.

        Raises:
            HookFailed: it is open.
        """
        admission = self._breaker.admit()
        if admission is Admission.REFUSED:
            raise self._refusal()
        return admission

    def _refusal(self) -> HookFailed:
        self._count("refused")
        return HookFailed(self.addon, self._chain.name, retry_after=self._breaker.wait)

    def arguments(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments that it takes, as copies of its own."""
        return {name: copied(values[name]) for name in self._names}

    # The call.

    def call(self, values: Mapping[str, Any]) -> Any:
        """Call the implementation, if it is no wrapper, and return its result.

        Raises:
            HookFailed: it failed, or is quarantined.
        """
        arguments = self.arguments(values)
        admission = self.admit()
        began = self.clock()
        try:
            with self.savepoint():
                result = self.implementation.function(**arguments)
                self.check(result)
        # An addon may do anything, sys.exit() included; the house stays open.
        except BaseException as error:
            raise self.failure(error, admission, self.clock() - began) from error
        self.ended(admission, self.clock() - began, result)
        return result

    def savepoint(self) -> AbstractContextManager[Any]:
        """Return what takes an observer's writes back when it fails: the others go on."""
        if self._closed or not self._database.in_transaction():
            return nullcontext()
        return self._database.atomic()  # type: ignore[no-any-return]

    def check(self, result: Any) -> None:
        """Hold a result against what the hook states.

        Raises:
            WrongResult: it is of another type, or a reason without a word.
        """
        passes = result is None and self._kind == "provide"
        if not passes and not isinstance(result, self._chain.types):
            expected = " or ".join(item.__name__ for item in self._chain.types)
            raise WrongResult(f"returned {type(result).__name__}, the hook states {expected}")
        if self._kind == "veto" and result is not None and not result.strip():
            raise WrongResult("returned an empty text for a reason; None means there is none")

    # After the call.

    def ended(self, admission: Admission, seconds: float, result: Any) -> None:
        """Note a call that returned what it should."""
        self._seconds.observe(seconds)
        if seconds > self._budget:
            self._count("slow")
            reason = f"took {seconds:.3g} s of {self._budget:g} s ({self.implementation.place})"
            self._log(log.warning, "hook exceeded its budget", reason=reason)
            self._note_failure(admission, reason)
            return
        vetoed = self._kind == "veto" and result is not None
        self._count("vetoed" if vetoed else "ok")
        if self._breaker.succeeded(admission):
            self._log(log.warning, "the quarantine of a hook ended")

    def failure(self, error: BaseException, admission: Admission, seconds: float) -> HookFailed:
        """Note a call that failed; return the error that says so, to be raised.

        Raises:
            BaseException: the error itself, when it is none of the implementation's.
        """
        if isinstance(error, KeyboardInterrupt):
            raise error
        self._seconds.observe(seconds)
        self._count("failed")
        reason = told(error, self.implementation)
        self._log(log.error, "hook failed", reason=reason, exc_info=error)
        if not is_innocent(error):
            self._note_failure(admission, reason)
        elif self._closed or isinstance(error, HookFailed):
            raise error
        return HookFailed(self.addon, self._chain.name)

    def _note_failure(self, admission: Admission, reason: str) -> None:
        if self._breaker.failed(admission, reason):
            self._log(log.error, "a hook is quarantined", reason=reason)

    def _count(self, outcome: str) -> None:
        counter = self._counters.get(outcome)
        if counter is None:
            counter = metrics.HOOK_CALLS.labels(self._chain.name, self.addon, outcome)
            self._counters[outcome] = counter
        counter.inc()

    def _log(self, write: Callable[..., Any], what: str, **more: Any) -> None:
        place = self.implementation.place
        write(what, hook=self._chain.name, addon=self.addon, at=place, **more)
