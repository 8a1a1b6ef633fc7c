"""Dates: reading them, and cutting a table at them."""

import datetime
import re

import pandas as pd


def day(date):
    """A date, or text such as 2005-12-31, as a datetime.date. A time of day is left out."""
    match = re.fullmatch(r"((?:1[7-9]|2[01])[0-9]{2}-[0-9]{2}-[0-9]{2})([T ][0-9]{2}:.*)?", str(date))
    try:
        return datetime.date.fromisoformat(match[1])
    except (TypeError, ValueError):
        raise ValueError(
            f"cannot read the date {date!r:.40}: write it as 2005-12-31 (year-month-day)"
        ) from None


def period(start=None, end=None):
    """The first and the last day as pandas' Timestamps; None stays None.

    Raises:
        ValueError: a date cannot be read, or the first is after the last.
    """
    start, end = (None if date is None else pd.Timestamp(day(date)) for date in (start, end))
    if start is not None and end is not None and end < start:
        raise ValueError(f"the first day, {start:%Y-%m-%d}, is after the last, {end:%Y-%m-%d}")
    return start, end


def between(frame, start=None, end=None):
    """The rows of a table from one day to another, both included; None is as far as it goes.

    Raises:
        ValueError: as ``period``; or no row is left, and it says from when to when there are rows.
    """
    start, end = period(start, end)
    whole_day = pd.Timedelta(days=1, microseconds=-1)
    part = frame.loc[start : None if end is None else end + whole_day]
    if part.empty:
        first, last = frame.index[[0, -1]]
        raise ValueError(
            f"no data between {'the first day' if start is None else f'{start:%Y-%m-%d}'} "
            f"and {'the last day' if end is None else f'{end:%Y-%m-%d}'}: "
            f"they run from {first:%Y-%m-%d} to {last:%Y-%m-%d}"
        )
    return part
