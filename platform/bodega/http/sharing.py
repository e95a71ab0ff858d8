"""How many connections each process of a server has, so that none is left with most of them.

Whichever process is quickest takes a new connection, and browsers and proxies keep theirs: of
sixteen, one process of two may have all, and the other one's processor rests.
"""

from mmap import mmap
from typing import Any

#: Processes that have a place.
_MOST = 256
#: Stands in the place of whoever takes no connections.
_NONE = -1


class Shares:
    """A number for each process, in memory that is made before they are forked."""

    def __init__(self) -> None:
        self._numbers = memoryview(mmap(-1, 4 * _MOST)).cast("i")
        self._free = list(range(_MOST))
        for place in self._free:
            self._numbers[place] = _NONE

    def give(self, _: Any, worker: Any) -> None:
        """Give a worker its place, right before it is forked (gunicorn's ``pre_fork``)."""
        worker.share = Share(self._numbers, self._free.pop()) if self._free else None

    def take_back(self, worker: Any) -> None:
        """Take the place of a worker that has ended."""
        if worker.share is not None:
            worker.share.leave()
            self._free.append(worker.share.place)


class Share:
    """The place of one process."""

    def __init__(self, numbers: memoryview, place: int) -> None:
        self._numbers = numbers
        self.place = place

    def tell(self, connections: int) -> None:
        """Say how many connections this process has."""
        self._numbers[self.place] = connections

    def leave(self) -> None:
        """Say that this process takes no more."""
        self._numbers[self.place] = _NONE

    def is_larger(self) -> bool:
        """Whether another process that takes connections has fewer."""
        mine = self._numbers[self.place]
        return any(_NONE < other < mine for other in self._numbers)
