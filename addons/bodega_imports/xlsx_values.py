"""What people see in the cells of a workbook: numbers without artefacts, and dates."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal

#: Shows the number of a cell.
Show = Callable[[str], str]

_PLAIN = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?")
# What a format code says beside the letters of dates: quoted text, colours, escapes, gaps.
_NOT_CODE = re.compile(r'"[^"]*"|\[(?!h+\]|m+\]|s+\])[^\]]*\]|\\.|_.|\*.')
_DATES = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}
#: Digits that a workbook's numbers are good for.
_DIGITS = 15
_LATEST = 2_958_466


def show_number(text: str) -> str:
    """Return a number as people see it: 5.0 as 5, 1E+15 and 0.1 + 0.2 without artefacts."""
    if text.isdigit():
        return text
    if _PLAIN.fullmatch(text):
        if "." not in text:
            return text
        if len(text) <= _DIGITS:
            return text.rstrip("0").removesuffix(".")
    if not _NUMBER.fullmatch(text):
        return text
    value = Decimal(f"{float(text):.{_DIGITS}g}")
    if not value.is_finite():
        return text
    shown = f"{value:f}"
    return shown.rstrip("0").removesuffix(".") if "." in shown else shown


def styles(formats: Mapping[int, str], used: list[int], since_1904: bool) -> list[Show]:
    """Return how the cells of each style show numbers.

    Args:
        formats: format codes that the workbook has itself, by id.
        used: id of the format of each style.
    """
    known: dict[int, Show] = {}
    for number in used:
        if number not in known:
            known[number] = _show(formats.get(number, ""), number, since_1904)
    return [known[number] for number in used]


def _show(code: str, number: int, since_1904: bool) -> Show:
    if re.fullmatch("0{2,50}", code):
        return lambda text: (
            shown.zfill(len(code)) if (shown := show_number(text)).isdigit() else shown
        )
    bare = _NOT_CODE.sub("", code.partition(";")[0]).lower()
    if (number in _DATES and not code) or (
        re.search("[dmyhs]", bare) and not re.search("general|[0#?]e", bare)
    ):
        return lambda text: _date(text, since_1904)
    return show_number


def _date(text: str, since_1904: bool) -> str:
    if not _NUMBER.fullmatch(text) or not 0 <= (serial := float(text)) < _LATEST:
        return show_number(text)
    # The first calendar has a 29 February 1900, which never was.
    early = 1 if serial < 60 and not since_1904 else 0
    first = datetime(1904, 1, 1) if since_1904 else datetime(1899, 12, 30)
    seconds = round(serial * 86_400)
    try:
        moment = first + timedelta(days=early, seconds=seconds)
    except OverflowError:
        return show_number(text)
    if seconds < 86_400:
        return f"{moment:%H:%M:%S}"
    return f"{moment.date()}" if seconds % 86_400 == 0 else f"{moment:%Y-%m-%dT%H:%M:%S}"
