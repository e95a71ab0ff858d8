"""When somebody is told: quiet hours and digests, in their own time zone."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

#: How often notifications of a type are sent.
DIGESTS = ("immediately", "hourly", "daily")


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def is_zone(name: Any) -> bool:
    """Whether a name is one of a time zone, e.g. ``"Europe/Berlin"``."""
    return isinstance(name, str) and name in _zones()


def zone_of(*names: Any) -> ZoneInfo:
    """Return the first of some time zones that there is, else UTC."""
    return ZoneInfo(next(filter(is_zone, names), "UTC"))


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours of the day in which nothing leaves; they may go over midnight.

    Args:
        begins, ends: e.g. ``"22:00"``; equal ones are none.
    """

    begins: time
    ends: time

    @classmethod
    def read(cls, begins: str, ends: str) -> "Quiet | None":
        """Return the hours, or None when there are none."""
        if not begins or not ends or begins == ends:
            return None
        return cls(time.fromisoformat(begins), time.fromisoformat(ends))

    def end_after(self, moment: datetime, zone: ZoneInfo) -> datetime:
        """Return when the quiet hours end that a moment is in; outside of them the moment."""
        local = moment.astimezone(zone)
        clock, day = local.time(), local.date()
        if self.begins < self.ends:
            inside = self.begins <= clock < self.ends
        else:
            inside = clock >= self.begins or clock < self.ends
        if not inside:
            return moment
        if clock >= self.ends:
            day += timedelta(days=1)
        return max(moment, datetime.combine(day, self.ends, zone).astimezone(UTC))


def next_digest(mode: str, moment: datetime, zone: ZoneInfo, hour: int) -> datetime:
    """Return when the digest leaves that something of this moment belongs to.

    Args:
        mode: one of :data:`DIGESTS`; ``immediately`` is the moment itself.
        hour: of the day, at which daily ones leave.
    """
    if mode == "hourly":
        begun = moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        return begun + timedelta(hours=1)
    if mode != "daily":
        return moment
    day = moment.astimezone(zone).date()
    today = datetime.combine(day, time(hour), zone).astimezone(UTC)
    if today > moment:
        return today
    return datetime.combine(day + timedelta(days=1), time(hour), zone).astimezone(UTC)
