"""The time of the test's process, which can be moved."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import time_machine


class Clock:
    """Moves the time: of ``now()``, so of schedules, leases, tokens and timestamps.

    It goes on from where it was moved to. The clock of a PostgreSQL server and those of
    other processes stay as they are.
    """

    def __init__(self, traveller: "time_machine.Traveller") -> None:
        self._traveller = traveller

    def move(self, delta: timedelta | None = None, **units: float) -> None:
        """Move the time on, or back: ``clock.move(hours=1)``.

        Args:
            delta: how far.
            units: further, in the units of ``timedelta``.
        """
        self._traveller.shift((delta or timedelta()) + timedelta(**units))

    def set(self, moment: datetime) -> None:
        """Move the time to a moment.

        Args:
            moment: aware.
        """
        if moment.tzinfo is None:
            raise ValueError(f"expected an aware datetime, found {moment!r}")
        self._traveller.move_to(moment, tick=True)


@contextmanager
def moved_by_tests() -> Iterator[Clock]:
    """Let a clock be moved in the block; behind it the time is what it would have been."""
    import time_machine

    with time_machine.travel(datetime.now(UTC), tick=True) as traveller:
        yield Clock(traveller)
