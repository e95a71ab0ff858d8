"""The days that a report is about, as a request names them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bodega_analytics.slots import bounds, day_begins, zones
from bodega_sdk import Parameter, now, setting

#: Days of a report when it is not said; and at most.
_DAYS, _MOST = 30, 3660
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_FIRST, _LAST = date(2000, 1, 1), date(2100, 12, 31)
FROM = Parameter("from", str, "The first day, YYYY-MM-DD; 30 days in all when left out.")
TO = Parameter("to", str, "The last day, YYYY-MM-DD; today when left out.")
ZONE = Parameter("zone", str, "Time zone of the days, e.g. Europe/Berlin; the shop's otherwise.")
CURRENCY = Parameter("currency", str, "Only this currency, ISO 4217.")
DAYS = (FROM, TO, ZONE)


@dataclass(frozen=True, slots=True)
class Period:
    """Some days of a time zone; the first and the last are part of it."""

    first: date
    last: date
    zone: ZoneInfo

    @property
    def before(self) -> "Period":
        """As many days, right before these."""
        days = self.last - self.first + timedelta(days=1)
        return Period(self.first - days, self.first - timedelta(days=1), self.zone)

    @property
    def days(self) -> int:
        """How many."""
        return (self.last - self.first).days + 1

    @property
    def edges(self) -> list[int]:
        """The slot that it begins with, and the one it ends before."""
        return [
            day_begins(self.first, self.zone),
            day_begins(self.last + timedelta(days=1), self.zone),
        ]

    def cut(self, interval: str) -> list[int]:
        """Return the slots that its intervals begin with, and the one it ends before."""
        return bounds(self.first, self.last, self.zone, interval)

    @property
    def shown(self) -> dict[str, str]:
        """As answers name it."""
        return {
            "from": self.first.isoformat(), "to": self.last.isoformat(), "zone": self.zone.key
        }  # fmt: skip


def period_of(query: Mapping[str, Any]) -> Period:
    """Return the days that a query names.

    Raises:
        BadRequest: naming the parameter that is wrong.
    """
    zone = _zone(query)
    today = now().astimezone(zone).date()
    last = _day(TO, query) or today
    first = _day(FROM, query) or max(_FIRST, last - timedelta(days=_DAYS - 1))
    if first > last:
        raise FROM.wrong("Must not be after 'to'.", first.isoformat())
    if (last - first).days >= _MOST:
        raise FROM.wrong(f"A report is about {_MOST} days at most.", first.isoformat())
    return Period(first, last, zone)


def _zone(query: Mapping[str, Any]) -> ZoneInfo:
    asked = query.get("zone")
    if asked is not None and asked not in zones():
        raise ZONE.wrong("There is no such time zone; expected one such as Europe/Berlin.", asked)
    name = asked or str(setting("analytics.time_zone"))
    return ZoneInfo(name if name in zones() else "UTC")


def _day(parameter: Parameter, query: Mapping[str, Any]) -> date | None:
    text = query.get(parameter.name)
    if text is None:
        return None
    try:
        found = date.fromisoformat(text if _DAY.fullmatch(text) else "-")
    except ValueError:
        raise parameter.wrong("Expected a day such as 2026-11-30.", text) from None
    if not _FIRST <= found <= _LAST:
        raise parameter.wrong(f"Expected a day from {_FIRST} to {_LAST}.", text)
    return found


def currency_of(query: Mapping[str, Any]) -> str | None:
    """Return the currency that a query asks for, or None.

    Raises:
        BadRequest: it is no code.
    """
    asked = query.get("currency")
    if asked is not None and not re.fullmatch("[A-Z]{3}", asked):
        raise CURRENCY.wrong("Expected an ISO 4217 code such as EUR.", asked)
    return asked
