"""Times as whole microseconds since 1970, UTC, and the buckets that they fall into."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import count, repeat
from operator import sub
from zoneinfo import ZoneInfo, available_timezones

SECOND = 1_000_000
MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86_400 * SECOND
#: Resolution → its length.
SIZES = {"1m": MINUTE, "1h": HOUR, "1d": DAY}
_BEGIN = datetime(1970, 1, 1, tzinfo=UTC)
_STEP = timedelta(microseconds=1)
_DAY_SECONDS = 86_400
#: The earliest point that is taken: before it zones have offsets of seconds.
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)


def micros(instant: datetime) -> int:
    """Return an aware time as microseconds."""
    return (instant - _BEGIN) // _STEP


def instant(at: int) -> datetime:
    """Return microseconds as an aware time in UTC."""
    return _BEGIN + at * _STEP


def read_instant(text: str) -> int:
    """Read a time, ISO 8601 with a zone.

    Raises:
        ValueError, TypeError: it is no time, or has no zone.
    """
    return read_instants((text,))[0]


def read_instants(texts: Iterable[str]) -> list[int]:
    """Read many times, ISO 8601 with a zone, without the division of :func:`micros`.

    Raises:
        ValueError, TypeError: one is no time, or has no zone.
    """
    spans = map(sub, map(datetime.fromisoformat, texts), repeat(_BEGIN))
    return [
        (span.days * _DAY_SECONDS + span.seconds) * SECOND + span.microseconds for span in spans
    ]


def shown(at: int) -> str:
    """Return microseconds as the API shows times: ISO 8601 with ``Z``."""
    return instant(at).isoformat().replace("+00:00", "Z")


def month_of(at: int) -> tuple[int, int]:
    """Return year and month of a time, UTC."""
    found = instant(at)
    return found.year, found.month


def month_bounds(year: int, month: int) -> tuple[int, int]:
    """Return where a month begins and where it is over."""
    begin = datetime(year, month, 1, tzinfo=UTC)
    behind = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
    return micros(begin), micros(behind)


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def zone_named(name: str) -> ZoneInfo | None:
    """Return a time zone by its IANA name; None when there is none."""
    return ZoneInfo(name) if name in _zones() else None


def day_starts(begin: int, end: int, zone: ZoneInfo) -> list[int]:
    """Return where the days of a zone begin that overlap a range, and where the last is over.

    Args:
        begin, end: the range, the end not in it.
    """
    first = instant(begin).astimezone(zone).date()
    starts = [_midnight(first, zone)]
    for number in count(1):
        if starts[-1] >= end:
            break
        starts.append(_midnight(first + timedelta(days=number), zone))
    return starts


def _midnight(day: date, zone: ZoneInfo) -> int:
    """Return when a day begins; where clocks jump over midnight, at the jump."""
    return micros(datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC))
