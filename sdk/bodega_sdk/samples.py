"""Sample data: rows that addons make up for trying a shop out, and take away again.

Everything follows from a seed and a number: the same shop has the same samples. Rows are
known again by their ids, so that a second run leaves alone what is there.
"""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID, uuid5

#: The largest number of samples of a kind, e.g. ``range(MOST_SAMPLES)``.
MOST_SAMPLES = 10_000
_NAMESPACE = UUID("6f0b7f3a-6a44-5d0e-9c5f-2f6f3a1f7b10")


def sample_id(kind: str, number: int) -> UUID:
    """Return the id of a sample row: always the same, and no other row's.

    Args:
        kind: the addon's name, a dot and the noun, e.g. ``"products.product"``.
        number: which of them, from 0 and below 10,000.

    Example::

        >>> sample_id("loyalty.award", 0) == sample_id("loyalty.award", 0)
        True
        >>> sample_id("loyalty.award", 0) == sample_id("loyalty.award", 1)
        False
    """
    return uuid5(_NAMESPACE, f"{kind} {number}")


def sample_ids(kind: str) -> list[UUID]:
    """Return the ids that sample rows of a kind can have, however many were asked for.

    Args:
        kind: see :func:`sample_id`.

    Example::

        >>> sample_id("loyalty.award", 99) in sample_ids("loyalty.award")
        True
    """
    return [sample_id(kind, number) for number in range(MOST_SAMPLES)]


def _silent(done: int, total: int) -> None:
    """Tell nobody."""


@dataclass
class SampleRun:
    """One run of ``bodega sample-data``, given to what an addon declared.

    Args:
        count: of products, and so of the size of everything else.
        seed: what all is made of.
        told: called with how many are done of how many.
        changed: noun → rows made or taken away.
        kept: noun → rows that were there already.

    Example::

        >>> run = SampleRun(count=2)
        >>> for number in range(run.count):
        ...     run.made("awards")
        ...     run.progress(number + 1, run.count)
        >>> run.changed["awards"]
        2
        >>> run.draw("colours").random() == run.draw("colours").random()
        True
    """

    count: int = 100
    seed: int = 1
    told: Callable[[int, int], None] = _silent
    changed: Counter[str] = field(default_factory=Counter)
    kept: Counter[str] = field(default_factory=Counter)

    def draw(self, about: str) -> random.Random:
        """Return a source of chance that gives the same for the same seed and words."""
        return random.Random(f"{self.seed} {about}")  # noqa: S311 - nothing is secret here

    def made(self, noun: str, rows: int = 1) -> None:
        """Count rows that were made, or taken away; the noun in the plural, as it is told."""
        self.changed[noun] += rows

    def found(self, noun: str, rows: int = 1) -> None:
        """Count rows that were there already."""
        self.kept[noun] += rows

    def progress(self, done: int, total: int) -> None:
        """Say how far it is."""
        self.told(done, total)


def _none() -> int:
    return 0


@dataclass(frozen=True, slots=True)
class SampleData:
    """What an addon makes up for trying a shop out; both functions run in a transaction.

    Args:
        make: takes a :class:`SampleRun` and makes the rows that are not there yet.
        remove: takes one and deletes them, and nothing else.
        others: returns how many rows there are that are no samples: where there are some,
            the shop is somebody's, and is left alone unless they say otherwise.

    Example::

        >>> def make(run: SampleRun) -> None:
        ...     for number in range(run.count):
        ...         Award.create(id=sample_id("loyalty.award", number), points=number)
        ...         run.made("awards")
        >>> def remove(run: SampleRun) -> None:
        ...     gone = Award.delete().where(Award.id.in_(sample_ids("loyalty.award")))
        ...     run.made("awards", gone.execute())
        >>> SampleData(make, remove).others()
        0
    """

    make: Callable[[SampleRun], None]
    remove: Callable[[SampleRun], None]
    others: Callable[[], int] = _none
