"""Time in slots of a quarter of an hour, and how days of time zones are made of them.

Every zone there is has been a whole number of quarters of an hour from UTC since 1972 (Nepal
5:45, the Chatham Islands 12:45), so that its days, hours and summer time begin with a slot.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

#: Seconds of a slot, and slots of a UTC day.
SECONDS, PER_DAY = 900, 96
INTERVALS = ("hour", "day", "week", "month")
_HOUR = 3600 // SECONDS


def slot_of(moment: datetime) -> int:
    """Return the slot that an aware moment lies in."""
    return int(moment.timestamp() // SECONDS)


def moment_of(slot: int) -> datetime:
    """Return when a slot begins, in UTC."""
    return datetime.fromtimestamp(slot * SECONDS, UTC)


@cache
def zones() -> frozenset[str]:
    """Return the names of all time zones."""
    return frozenset(available_timezones())


def day_begins(day: date, zone: ZoneInfo) -> int:
    """Return the first slot of a day; of one whose midnight is skipped, that of its first hour."""
    return slot_of(datetime.combine(day, time(), zone))


def bounds(first: date, last: date, zone: ZoneInfo, interval: str) -> list[int]:
    """Return where the hours, days, weeks or months of some days begin, and where they end.

    Args:
        first, last: both are part of it; the first and the last week or month may be cut.
        interval: one of :data:`INTERVALS`.
    """
    end = day_begins(last + timedelta(days=1), zone)
    starts = [day_begins(day, zone) for day in _days(first, last) if _opens(day, first, interval)]
    if interval == "hour":
        starts = [
            hour
            for begin, stop in zip(starts, [*starts[1:], end], strict=True)
            for hour in range(begin, stop, _HOUR)
        ]
    return [*starts, end]


def _days(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


def _opens(day: date, first: date, interval: str) -> bool:
    """Whether a day is the first one of its interval."""
    if day == first or interval in ("hour", "day"):
        return True
    return day.weekday() == 0 if interval == "week" else day.day == 1


def cut_days(edges: Iterable[int]) -> list[int]:
    """Return the first slots of the UTC days that some bounds cut, in order."""
    return sorted({edge - edge % PER_DAY for edge in edges if edge % PER_DAY})
