"""The days in a column of a price file, as the many sites write them. No day is ever guessed."""

import re
from datetime import date, datetime
from typing import NamedTuple

import pandas as pd

from rnnlib.data.csv_spreadsheet import check_cell

#: The orders of day and month in 01/02/2024.
ORDERS = {"mdy": "month/day/year", "dmy": "day/month/year"}
NAMES = "january february march april may june july august september october november december".split()
MONTHS = {key: month for month, name in enumerate(NAMES, 1) for key in (name, name[:3])} | {"sept": 9}

WEEKDAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? )?"
NAME = r"(?P<name>[a-z]{3,9})\.?"
TIME = r"(?:(?:T|,? +)(?P<time>\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?(?: ?[AP]M)?))?"
ZONE = r" ?(?P<zone>Z|UTC|[+-]\d\d:?\d\d)?"
FORMS = {
    kind: re.compile(form + TIME + ZONE, re.ASCII | re.IGNORECASE)
    for kind, form in {
        "year first": r"(?P<y>\d{4})(?P<sep>[-/.])(?P<m>\d\d?)(?P=sep)(?P<d>\d\d?)",
        "eight digits": r"(?P<y>\d{4})(?P<m>\d\d)(?P<d>\d\d)",
        "name first": WEEKDAY + NAME + r"[- ](?P<d>\d\d?)(?:, ?|[- ])(?P<y>\d{4})",
        "name second": WEEKDAY + r"(?P<d>\d\d?)[- ]" + NAME + r"(?:, ?|[- ])(?P<y>\d{4})",
        "open order": r"(?P<a>\d\d?)(?P<sep>[-/.])(?P<b>\d\d?)(?P=sep)(?P<y>\d{4})",
        "two digits": r"\d\d?[-/. ](?:\d\d?|[a-z]{3,9})[-/. ]\d\d",
    }.items()
}


#: The hour in UTC from which a new day has begun somewhere: 11:00 is midnight in New Zealand's summer.
FIRST_LATE = 10


class Moment(NamedTuple):
    """A cell that was read: the day, the time of day such as "16:00", and the zone."""

    day: date
    time: str
    zone: str | None


def read_days(cells, lines, order=None):
    """The days that cells of text stand for.

    Known are 2024-01-31 and 20240131, Jan 31, 2024 and 31-Jan-2024 (English names), and 01/31/2024 or
    31.01.2024 if ``order`` says how. A time of day may follow if each day stands once, and an
    offset from UTC: the day is that of the exchange's clock.

    Args:
        cells: texts, (N,), at least one.
        lines: the number of each one's line.
        order: "mdy" or "dmy", see ``ORDERS``; None if it is not known.

    Returns:
        DatetimeIndex of midnights, (N,).

    Raises:
        ValueError: names the line: a date cannot be read, be two days, has two times, or is of UTC.
    """
    cells = [cell.strip() for cell in cells]
    if order is None:
        _refuse_open_order(cells, lines)
    moments = []
    for cell, line in zip(cells, lines, strict=True):
        try:
            moments.append(_moment(cell, order))
        except ValueError as error:
            raise ValueError(f"line {line}: {error}") from None
    _refuse_intraday(moments, lines)
    _refuse_utc(moments, lines)
    return pd.DatetimeIndex([moment.day for moment in moments]).as_unit("ns")


def _refuse_intraday(moments, lines):
    """A ValueError if a day has several times: it names two lines."""
    first = {}
    for moment, line in zip(moments, lines, strict=True):
        time, other = first.setdefault(moment.day, (moment.time, line))
        if moment.time != time:
            raise ValueError(
                f"line {line}: the file has times of day: daily prices are needed, and here it is "
                f"{moment.time}, on line {other} {time} of the same day"
            )


def _refuse_utc(moments, lines):
    """A ValueError if the days may be those of UTC, not of the exchange.

    15:00 in UTC is midnight in Tokyo, of the next day, and an afternoon in London, of the same. Without a
    zone the week tells: the sessions of Monday to Friday then stand on Sunday to Thursday.
    """
    timed = [
        (moment, line)
        for moment, line in zip(moments, lines, strict=True)
        if moment.time != "00:00" and not moment.time.startswith("23:59")
    ]
    advice = "write the exchange's own time, or the day alone"
    if timed and {moment.zone for moment in moments} <= {"+00:00", None}:
        for moment, line in timed:
            if moment.zone:
                raise ValueError(
                    f"line {line}: {moment.time} in UTC does not tell the day of the exchange: {advice}"
                )
    late = [(moment, line) for moment, line in timed if int(moment.time[:2]) >= FIRST_LATE]
    weekdays = {moment.day.weekday() for moment, _ in late}
    if 6 in weekdays and not weekdays & {4, 5}:
        moment, line = next((moment, line) for moment, line in late if moment.day.weekday() == 6)
        raise ValueError(
            f"line {line}: {moment.time} on a Sunday, and never on a Friday, looks like a time in UTC, which "
            f"does not tell the day of the exchange: {advice}"
        )


def _match(cell):
    """The kind of a cell, and its match; (None, None) if it is no date."""
    matches = ((kind, form.fullmatch(cell)) for kind, form in FORMS.items())
    return next(((kind, match) for kind, match in matches if match), (None, None))


def _moment(cell, order):
    """A cell as a Moment."""
    check_cell(cell)
    kind, match = _match(cell)
    if kind == "two digits":
        raise ValueError(f"the year of {cell!r:.40} has two digits: write it with four")
    part = match.groupdict() if match else {}
    if kind == "open order":
        part["m"], part["d"] = (part["a"], part["b"]) if order == "mdy" else (part["b"], part["a"])
        if int(part["m"]) > 12 >= int(part["d"]):
            other = "dmy" if order == "mdy" else "mdy"
            raise ValueError(
                f"{cell:.40} has no month {part['m']}, so it is not {ORDERS[order]}: "
                f"give --dates {other} if the file is {ORDERS[other]}"
            )
    try:
        month = MONTHS[part["name"].lower()] if "name" in part else int(part["m"])
        day = date(int(part["y"]), month, int(part["d"]))
        if not 1700 <= day.year < 2200:
            raise ValueError("a year that no market had")
        time = pd.Timestamp(f"2000-01-01 {part['time']}").time() if part["time"] else None
    except (KeyError, ValueError):
        raise ValueError(
            f"cannot read the date {cell!r:.40}: write it as 2005-12-31 (year-month-day)"
        ) from None
    zone = part["zone"] and re.sub("Z|UTC|[+-]00:?00", "+00:00", part["zone"].upper())
    return Moment(day, f"{time or datetime.min:%H:%M:%S}".removesuffix(":00"), zone)


def _refuse_open_order(cells, lines):
    """A ValueError if a date such as 01/02/2024 is there: it names both ways to read it, and what fits."""
    matches = [(line, cell, *_match(cell)) for cell, line in zip(cells, lines, strict=True)]
    matches = [(line, cell, match) for line, cell, kind, match in matches if kind == "open order"]
    if not matches:
        return
    fits = ""
    for order, day in (("mdy", "b"), ("dmy", "a")):
        for line, cell, match in matches:
            if int(match[day]) > 12:
                fits += f"; {cell:.40} on line {line} fits {order} alone"
                break
    line, cell, _ = matches[0]
    raise ValueError(
        f"line {line}: does {cell:.40} begin with its month or its day? "
        f"Give --dates mdy (month/day/year) or --dates dmy (day/month/year){fits}"
    )
