"""Quantiles of values that are not kept: counts of values alike within one per cent.

The sketch is that of DDSketch (Masson, Rim, Lee: VLDB 2019): a value falls into the class of
its logarithm, two sketches are merged by adding their counts, and what merging gives is the
same in whatever order. So an hour's is exactly that of all its points.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from math import ceil, log
from operator import add, mul

import orjson

#: How far a quantile is from a value at most, as a part of it.
ERROR = 0.01
#: Values of a larger magnitude are not taken; smaller than its inverse, they count as zero.
LARGEST = 1e100
_LEAST = 1 / LARGEST
#: Classes at most; beyond, the lowest are put together, which leaves high quantiles alone.
MOST = 2048
_GAMMA = (1 + ERROR) / (1 - ERROR)
_PER_STEP = 1 / log(_GAMMA)
#: Keeps numbers of positive classes positive, so that their order is that of the values.
_SHIFT = 20_000

Sketch = Counter[int]


def sketch_of(values: Sequence[float]) -> Sketch:
    """Return the sketch of values."""
    return Counter(classes(values))


def classes(values: Sequence[float]) -> list[int]:
    """Return the class of each value."""
    if min(values, default=_LEAST) >= _LEAST:
        return list(_of_sizes(values))
    sizes = _of_sizes(map(max, map(abs, values), repeat(_LEAST)))
    return [
        number if value >= _LEAST else -number if value <= -_LEAST else 0
        for value, number in zip(values, sizes, strict=True)
    ]


def _of_sizes(sizes: Iterable[float]) -> Iterator[int]:
    # Without a step of Python for each: two thirds of the time.
    steps = map(ceil, map(mul, map(log, sizes), repeat(_PER_STEP)))
    return map(add, steps, repeat(_SHIFT))


def merged(texts: Iterable[str]) -> Sketch:
    """Return the sketch of all values whose sketches are stored as texts."""
    found: defaultdict[int, int] = defaultdict(int)
    for text in texts:
        numbers = orjson.loads(text)
        for number, many in zip(numbers[::2], numbers[1::2], strict=True):
            found[number] += many
    return Counter(found)


def stored(sketch: Sketch) -> str:
    """Return a sketch as text."""
    pairs = sorted(sketch.items())
    if len(pairs) > MOST:
        low, pairs = pairs[: 1 - MOST], pairs[1 - MOST :]
        pairs.insert(0, (low[-1][0], sum(many for _, many in low)))
    return orjson.dumps([number for pair in pairs for number in pair]).decode()


def quantile(sketch: Sketch, part: float, least: float, most: float) -> float:
    """Return the value below or at which a part of the values is, e.g. 0.95 of them.

    Args:
        least, most: of the values, which are known exactly.
    """
    rank, seen = ceil(part * sketch.total()), 0
    for number, many in sorted(sketch.items()):
        seen += many
        if seen >= rank:
            return min(max(_middle(number), least), most)
    return most


def _middle(number: int) -> float:
    if number == 0:
        return 0.0
    size = 2 * math.exp((abs(number) - _SHIFT) / _PER_STEP) / (_GAMMA + 1)
    return math.copysign(size, number)
