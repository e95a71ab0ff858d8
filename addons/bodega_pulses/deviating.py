"""How far a value is off those before it."""

import math
from collections import deque
from collections.abc import Iterable

#: Values of a window without which nothing is said.
_FEWEST = 10


class Window:
    """The points of a trailing span of time: their mean and standard deviation.

    Args:
        span: microseconds.
        points: (time, value) before the first that is asked about, in order.
    """

    def __init__(self, span: int, points: Iterable[tuple[int, float]]) -> None:
        self._span = span
        self._points: deque[tuple[int, float]] = deque()
        # Sums of differences to the first value: those of values would drown small deviations.
        self._pivot: float | None = None
        self._sum = self._squares = 0.0
        for at, value in points:
            self.add(at, value)

    @property
    def mean(self) -> float:
        """The mean of what is in the window."""
        return (self._pivot or 0.0) + self._sum / max(1, len(self._points))

    def add(self, at: int, value: float) -> None:
        """Add a point, which is newer than all others."""
        if self._pivot is None:
            self._pivot = value
        self._points.append((at, value))
        self._count(value, 1)

    def _count(self, value: float, times: int) -> None:
        off = value - (self._pivot or 0.0)
        self._sum += times * off
        self._squares += times * off * off

    def deviations(self, at: int, value: float) -> float | None:
        """Return how many standard deviations a value is off the mean of the span before it.

        Where all values of the span are alike, any other one is infinitely far off. None
        where there are fewer than ten.
        """
        while self._points and self._points[0][0] < at - self._span:
            self._count(self._points.popleft()[1], -1)
        count = len(self._points)
        if count < _FEWEST:
            return None
        mean = self._sum / count
        deviation = math.sqrt(max(0.0, self._squares / count - mean * mean))
        off = abs(value - self.mean)
        least = 1e-9 * max(abs(value), abs(self.mean))
        if off <= least:
            return 0.0
        return off / deviation if deviation > least else math.inf
