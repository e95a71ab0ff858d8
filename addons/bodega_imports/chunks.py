"""How many rows of an import are written at a time: as many as take a few tenths of a second."""

#: Rows of the first chunk.
FIRST = 1000
#: Seconds that a chunk should take: whoever waits for its rows, for progress or for a cancelled
#: import to end waits that long.
_SECONDS = 0.15
#: Rows of a chunk at least, and bytes at most.
_LEAST, _BYTES = 50, 8_000_000


class ChunkSize:
    """The size of the next chunk, judged by what the ones before took.

    What a transaction costs by itself is a fifth of all where nothing changes, with a thousand
    rows in each; and with ten thousand rows that are slow to write, others wait for seconds.

    Args:
        most: rows of a chunk at most.
        row_bytes: what a row takes on average.
    """

    def __init__(self, most: int, row_bytes: int = 0) -> None:
        self._most = max(1, min(most, _BYTES // max(1, row_bytes)))
        self._rows = min(FIRST, self._most)

    def __call__(self) -> int:
        """Return how many rows the next chunk shall have."""
        return self._rows

    def took(self, rows: int, seconds: float) -> None:
        """Note what a chunk took: the next has half to twice as many rows as this one."""
        if rows < self._rows:
            return  # The last one; what it costs by itself is too much of it.
        wanted = rows * _SECONDS / max(seconds, 1e-6)
        wanted = min(max(wanted, rows / 2, _LEAST), rows * 2)
        self._rows = max(1, min(int(wanted), self._most))
