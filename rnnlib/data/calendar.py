"""Times: reading them, cutting a table at them, and their place in the day, the week and the year."""

import datetime
import re

import numpy as np
import pandas as pd

#: The columns of ``calendar``.
CIRCLES = ("day_sin", "day_cos", "week_sin", "week_cos", "year_sin", "year_cos")


def calendar(index):
    """Places on circles, so that midnight lies beside 11 at night and December beside January.

    Args:
        index: DatetimeIndex, (N,).

    Returns:
        DataFrame with the columns ``CIRCLES``, each between −1 and 1. They are known for every
        time to come.
    """
    day = index.hour / 24
    turns = (day, (index.day_of_week + day) / 7, (index.day_of_year - 1 + day) / 365.25)
    waves = [wave(2 * np.pi * turn) for turn in turns for wave in (np.sin, np.cos)]
    return pd.DataFrame(dict(zip(CIRCLES, waves, strict=True)), index=index)


def following(index, steps):
    """The next ``steps`` times after a DatetimeIndex, at its usual distance.

    Days that are never a Saturday or Sunday go on as weekdays; public holidays are not known.
    """
    step = (index[1:] - index[:-1]).to_series().median()
    if step == pd.Timedelta(days=1) and (index.day_of_week < 5).all():
        return pd.bdate_range(index[-1], periods=steps + 1)[1:]
    return pd.DatetimeIndex([index[-1] + k * step for k in range(1, steps + 1)])


def steps_a_day(index):
    """How many steps of a DatetimeIndex make a day: 1, or 24 for hours."""
    return max(1, round(pd.Timedelta(days=1) / (index[1:] - index[:-1]).to_series().median()))


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


def day(date):
    """A date, or text such as 2005-12-31, as a datetime.date. A time of day is left out."""
    found = re.fullmatch(r"((?:1[7-9]|2[01])[0-9]{2}-[0-9]{2}-[0-9]{2})([T ][0-9]{2}:.*)?", str(date))
    try:
        return datetime.date.fromisoformat(found[1])
    except (TypeError, ValueError):
        raise ValueError(
            f"cannot read the date {date!r:.40}: write it as 2005-12-31 (year-month-day)"
        ) from None
