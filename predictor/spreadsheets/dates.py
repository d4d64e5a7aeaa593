"""Dates in a workbook: numbers of days, which only the style of their cells reveals."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

# Built-in number formats (ECMA-376, part 1, 18.8.30), without those of times without a day
_BUILT_IN = {*range(14, 18), 22, *range(27, 32), *range(34, 37), *range(50, 59)}
_ASIDE = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]')  # texts, escapes, colours and conditions
_DAY = re.compile(r"[dy]", re.IGNORECASE)
_SECONDS = 86_400  # per day
_LAST = 2_958_465  # 31 December 9999


def date_styles(elements: Sequence[tuple[str, Mapping[str, str]]]) -> list[bool]:
    """Whether each cell style, by number, shows a date; from a part's elements in order."""
    own = {
        has.get("numFmtId", ""): bool(_DAY.search(_ASIDE.sub("", has.get("formatCode", ""))))
        for name, has in elements
        if name == "numFmt"
    }
    dated, counts = [], False
    for name, has in elements:
        if name != "xf":
            counts = name == "cellXfs"
        elif counts:
            number = has.get("numFmtId", "0")
            dated.append(own.get(number, number.isdigit() and int(number[:4]) in _BUILT_IN))
    return dated


def moment(days: float, *, since_1904: bool) -> str:
    """The day, and the time if there is one, in ISO 8601; empty if it is not a date."""
    if not 0 <= days < _LAST:
        return ""
    first = datetime(1904, 1, 1) if since_1904 else datetime(1899, 12, 30)  # noqa: DTZ001 - no zone
    if not since_1904 and days < 60:  # Excel's 1900 has a 29 February
        first += timedelta(days=1)
    found = first + timedelta(days=int(days), seconds=round(days % 1 * _SECONDS))
    return found.date().isoformat() if days == int(days) else found.isoformat()
