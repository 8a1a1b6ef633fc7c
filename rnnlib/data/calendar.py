"""The calendar: places in the day, the week and the year as numbers, and the times to come."""

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
