"""Breakers: an implementation that keeps failing is not called for a while."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from math import ceil

#: Failures in a row that trip a breaker.
FAILURES = 5
#: Seconds after which one call is let through an open breaker.
PAUSE = 30.0

Clock = Callable[[], float]


class Admission(Enum):
    """Whether a call is let through; a trial is the one that may end a quarantine."""

    REFUSED, ORDINARY, TRIAL = range(3)


class Breaker:
    """The breaker of one addon's implementations of one hook, in this process.

    Attributes:
        addon, hook: whose, and of which hook, e.g. ``products.quote_price``.
        reason: what the last failure was.
        recorded: whether the database knows it to be open.
    """

    def __init__(self, addon: str, hook: str, clock: Clock) -> None:
        self.addon, self.hook = addon, hook
        self.reason = ""
        self.recorded = False
        self._clock = clock
        self._failures = 0
        self._opened_at: float | None = None
        self._lock = threading.Lock()

    @property
    def open(self) -> bool:
        """Whether it is open: calls are refused, but for a trial now and then."""
        return self._opened_at is not None

    @property
    def wait(self) -> int:
        """Whole seconds until a trial is let through; at least 1."""
        opened = self._opened_at
        return 1 if opened is None else max(1, ceil(opened + PAUSE - self._clock()))

    def refuses(self) -> bool:
        """Whether a call would be refused now."""
        opened = self._opened_at
        return opened is not None and self._clock() - opened < PAUSE

    def admit(self) -> Admission:
        """Ask to be let through; of those who ask after a pause, one is let through."""
        if self._opened_at is None:
            return Admission.ORDINARY
        with self._lock:
            if self._opened_at is None:
                return Admission.ORDINARY
            if self._clock() - self._opened_at < PAUSE:
                return Admission.REFUSED
            # The next one waits again: a trial that never returns must not keep it open.
            self._opened_at = self._clock()
            return Admission.TRIAL

    def succeeded(self, admission: Admission) -> bool:
        """Note a call that was good; True when it ends the quarantine."""
        if self._failures == 0 and self._opened_at is None:
            return False
        with self._lock:
            if self._opened_at is not None and admission is not Admission.TRIAL:
                return False  # It began before the breaker tripped.
            ended = self._opened_at is not None
            self._failures, self._opened_at = 0, None
            return ended

    def failed(self, admission: Admission, reason: str) -> bool:
        """Note a call that failed or took too long; True when it trips the breaker."""
        with self._lock:
            if self._opened_at is not None:
                return False
            self.reason = reason
            self._failures += 1
            if self._failures < FAILURES:
                return False
            self._opened_at = self._clock()
            return True

    def trip(self, reason: str) -> None:
        """Open it, as another process found cause to."""
        with self._lock:
            self.reason, self._opened_at = reason, self._clock()

    def reset(self) -> None:
        """Close it, and forget what was."""
        with self._lock:
            self._failures, self._opened_at, self.reason = 0, None, ""

    def follow(self, reason: str | None) -> None:
        """Do as the database says, but for what it was not told yet.

        Args:
            reason: why it is quarantined there; None when it is not.
        """
        if reason is not None and not self.recorded and not self.open:
            self.trip(reason)
        elif reason is None and self.recorded and self.open:
            self.reset()
        self.recorded = reason is not None


class Breakers:
    """All breakers of a process; they outlive the Assemblies.

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self.clock = clock
        self._known: dict[tuple[str, str], Breaker] = {}
        self._lock = threading.Lock()

    def of(self, addon: str, hook: str) -> Breaker:
        """Return the breaker of an addon's implementations of a hook."""
        with self._lock:
            return self._known.setdefault((addon, hook), Breaker(addon, hook, self.clock))

    def unrecorded(self) -> list[Breaker]:
        """Return those that tripped or recovered without the database knowing."""
        # A copy, without the lock: this is asked thrice a second, and mostly there is none.
        return [item for item in tuple(self._known.values()) if item.open != item.recorded]

    def follow(self, recorded: Mapping[tuple[str, str], str], enabled: Iterable[str]) -> None:
        """Do as the database says; forget what was of addons that are not enabled.

        Args:
            recorded: addon and hook → why it is quarantined.
        """
        kept = set(enabled)
        for addon, hook in recorded:
            self.of(addon, hook)
        for key, breaker in list(self._known.items()):
            if breaker.addon in kept:
                breaker.follow(recorded.get(key))
            else:
                breaker.reset()
                breaker.recorded = False
