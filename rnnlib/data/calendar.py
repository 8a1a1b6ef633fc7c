"""Times: reading them, cutting a table at them, and their place in the day, the week and the year."""

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


def between(frame, start=None, end=None):
    """The rows of a table from ``start`` to ``end``, both included; None is as far as it goes.

    Raises:
        ValueError: a date cannot be read, or no row is left; says from when to when there are rows.
    """
    first, last = frame.index[[0, -1]]
    start, end = day(start), day(end)
    if end is not None and end == end.normalize():
        end += pd.Timedelta(days=1, microseconds=-1)  # the whole day, its hours too
    part = frame.loc[start:end]
    if part.empty:
        raise ValueError(
            f"no data between {start or 'the first day'} and {end or 'the last day'}: "
            f"they run from {first:%Y-%m-%d} to {last:%Y-%m-%d}"
        )
    return part


def day(date):
    """A date such as "2005-12-31" as pandas' Timestamp; None stays None."""
    if date is None:
        return None
    found = pd.to_datetime(date, format="ISO8601", errors="coerce")
    if found is pd.NaT:
        raise ValueError(f"cannot read the date {date!r}: write it as 2005-12-31")
    return found
