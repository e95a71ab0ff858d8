"""When a failed delivery is tried again."""

import random
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

#: Seconds between the attempts: at once, then over three days.
SCHEDULE = (0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
#: By how much each is made shorter or longer, so that not all come back at once.
JITTER = 0.2
#: Seconds that a receiver can ask for at most.
LONGEST_REST = 86_400
#: Statuses by which a receiver says that it is too much at the moment.
BUSY = (429, 502, 503, 504)

_random = random.SystemRandom()


def wait_before(tries: int, retry_after: float | None = None) -> timedelta | None:
    """Return how long to wait before the next attempt; None when there is none.

    Args:
        tries: attempts that were made.
        retry_after: seconds that the receiver asked for; it gets them at least.
    """
    if tries >= len(SCHEDULE):
        return None
    seconds = SCHEDULE[tries] * _random.uniform(1 - JITTER, 1 + JITTER)
    return timedelta(seconds=max(seconds, retry_after or 0))


def read_retry_after(text: str | None, at: datetime) -> float | None:
    """Return the seconds of a header ``Retry-After``: a number, or a date (RFC 9110 §10.2.3).

    Args:
        at: the time, aware.
    """
    if not text:
        return None
    text = text.strip()
    if text.isascii() and text.isdecimal():
        return float(min(int(text[:9]), LONGEST_REST))
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - at).total_seconds()
    return min(max(seconds, 0.0), float(LONGEST_REST))
