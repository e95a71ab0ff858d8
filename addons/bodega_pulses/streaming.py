"""Records the points of a body while it is read: PostgreSQL is longer about them than we are.

What is measured comes in order of time, more or less, and is new. Of a body that is so, the
first piece and the last tell whose points they are and of what times; the others are read
while the database takes those before. As soon as anything is otherwise, all is undone and the
body is recorded as any batch is, which also tells best what is wrong with it.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice

import peewee

from bodega_pulses import (
    holding,
    horizon,
    naming,
    partitions,
    recording,
    rolling,
    storing,
    telling,
)
from bodega_pulses.batches import Batch, Form, Head
from bodega_pulses.instants import DAY
from bodega_pulses.recording import Recorded
from bodega_pulses.storing import Columns
from bodega_sdk import setting, transaction
from bodega_sdk.errors import Problem

#: Pieces of a body that it is worth it for.
_FEWEST = 3


class _Otherwise(Exception):
    """The points are not new, or not of the series and times that were told, or wrong."""


def record(form: Form, body: bytes) -> Recorded:
    """Store the points of a body.

    Raises:
        Problem: as reading a body of this form does, and as :func:`recording.record` does.
    """
    if partitions.partitioned():
        pieces = form.cut(body)
        if len(pieces) >= _FEWEST:
            with suppress(_Otherwise):
                return _record(form, pieces)
    return recording.record(form.read(body))


def _record(form: Form, pieces: Sequence[bytes]) -> Recorded:
    try:
        body = _Body(form, pieces)
        oldest = horizon.wanted()
        recording.check_times(body.lead, oldest)
        keys = naming.keys_named(body.lead)
        partitions.make(partitions.lacking(body.lead.span))
        return _written(body, keys, oldest)
    except (Problem, peewee.IntegrityError, naming.SeriesLacking):
        # Of two points of one time in two pieces, say, the later one counts.
        raise _Otherwise from None


def _written(body: "_Body", keys: Sequence[naming.Key], oldest: int) -> Recorded:
    with transaction():
        span = body.lead.span
        # So short a time is one mark in any case, which can be written before the points.
        marked = span[1] - span[0] <= rolling.GAP
        held = holding.hold(keys, span, marked)
        recording.check_times(body.lead, max(oldest, held.gone_before))
        if held.gone or not held.new:
            raise _Otherwise
        news = telling.News(minutes=not marked)
        written = storing.append(body.portions([held.numbers[key] for key in keys]), news.add)
        if body.otherwise:
            raise _Otherwise
        if not marked:
            telling.mark(news.of)
        telling.tell(news.of, held.numbers)
    return Recorded(written.created, 0, body.count - written.created)


class _Body:
    """The pieces of a body, of which the first and the last have been read.

    Raises:
        _Otherwise: they are not as they have to be.
    """

    def __init__(self, form: Form, pieces: Sequence[bytes]) -> None:
        self._form, self._pieces = form, pieces
        self._most = setting("pulses.points_per_request")
        self._first, self._last = form.read(pieces[0]), form.read(pieces[-1])
        if not self._first.at or not self._last.at:
            raise _Otherwise
        span = self._first.span[0], self._last.span[1]
        if not set(self._last.heads) <= set(self._first.heads) or span[1] - span[0] > DAY:
            raise _Otherwise
        if self._first.span[1] >= self._last.span[0]:
            raise _Otherwise
        #: Whose points they are, and of what times; two of them.
        self.lead = Batch(self._first.heads, (0, 0), span, (0.0, 0.0))
        #: Whether any piece was not as it had to be, once they were read.
        self.otherwise = False
        #: How many points were read.
        self.count = 0

    def portions(self, numbers: Sequence[int]) -> Iterator[Columns]:
        """Yield all points up to a piece that is not as it has to be.

        Args:
            numbers: of the series of the heads of the first piece.
        """
        # An error here would end up among those of the database.
        try:
            yield from self._portions(dict(zip(self._first.heads, numbers, strict=True)))
        except (Problem, _Otherwise):
            self.otherwise = True

    def _portions(self, numbers: dict[Head, int]) -> Iterator[Columns]:
        first, last = self.lead.span
        self.count = 0
        for batch in self._batches():
            self.count += len(batch.at)
            within = first <= batch.span[0] and batch.span[1] <= last
            known = numbers.keys() >= set(batch.heads)
            if not (within and known) or self.count > self._most:
                raise _Otherwise
            of_heads = [numbers[head] for head in batch.heads]
            yield from storing.portions(of_heads, batch.of, batch.at, batch.values)

    def _batches(self) -> Iterator[Batch]:
        yield self._first
        read = self._form.reader(self._first.heads)
        for piece in islice(self._pieces, 1, len(self._pieces) - 1):
            yield read(piece)
        yield self._last
