"""The calendar: places in the day, the week and the year as numbers, and the times to come."""

from typing import NamedTuple

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


class Rhythm(NamedTuple):
    """How a DatetimeIndex goes on.

    Attributes:
        start: its last time, moved to where it would have been without a holiday.
        offset: from there to the next time, a pandas offset or a Timedelta.
        season: steps after which it comes round, a week of days, a year of months; None if it does not.
    """

    start: pd.Timestamp
    offset: object
    season: int | None


def rhythm(index):
    """The Rhythm of a DatetimeIndex, ascending. One time alone goes on by days."""
    last = index[-1]
    step = _usual_step(index) if len(index) > 1 else pd.Timedelta(days=1)
    days = step / pd.Timedelta(days=1)
    months = round(days / 30.44)
    week = _days_of_week(index)
    if days == 1 or (1 < days < 7 and len(week) < 7):  # a market that is not open on some days
        mask = "".join(str(int(day in week)) for day in range(7))
        return Rhythm(last, pd.offsets.CustomBusinessDay(weekmask=mask), len(week))
    if days == 7:
        day = index.day_of_week.value_counts().idxmax()
        return Rhythm(last + pd.Timedelta(days=(day - last.day_of_week + 3) % 7 - 3), step, None)
    if months and abs(days - 30.44 * months) < 2:
        season = 12 // months if months < 12 and 12 % months == 0 else None
        ends = pd.offsets.MonthEnd(months), pd.offsets.BusinessMonthEnd(months)
        begins = pd.offsets.MonthBegin(months), pd.offsets.BusinessMonthBegin(months)
        shares = {offset: _share(offset, index) for offset in (*ends, *begins)}
        offset = max(shares, key=shares.get)
        if shares[offset] > 0.6:
            return Rhythm((offset.rollforward if offset in ends else offset.rollback)(last), offset, season)
        if index.day.value_counts(normalize=True).max() > 0.6:
            return Rhythm(last, pd.DateOffset(months=months), season)
    return Rhythm(last, step, None)


def following(index, steps):
    """The next ``steps`` times after a DatetimeIndex, in its rhythm.

    Days go on as the market's days of the week, weeks on their usual day, months and quarters at their
    ends or beginnings if they stand there, all else at the usual distance. Public holidays are not known.
    """
    start, offset, _ = rhythm(index)
    return pd.DatetimeIndex([start + k * offset for k in range(1, steps + 1)])


def steps_a_day(index):
    """How many steps of a DatetimeIndex make a day: 1, or 24 for hours."""
    return max(1, round(pd.Timedelta(days=1) / _usual_step(index)))


def _usual_step(index):
    """The median distance of two times."""
    return (index[1:] - index[:-1]).to_series().median()


def _days_of_week(index):
    """The days on which a market is open, 0 for Monday: those that most weeks of the last quarter have.

    Less than two weeks do not tell: then Monday to Friday, or all seven if one of the others is there.
    """
    if index[-1] - index[0] < pd.Timedelta(days=14):
        return range(5) if (index.day_of_week < 5).all() else range(7)
    counts = index[index > index[-1] - pd.Timedelta(weeks=13)].day_of_week.value_counts()
    return sorted(counts.index[counts > counts.max() / 2])


def _share(offset, index):
    """The share of an index's times that lie where an offset would put them."""
    return np.mean([offset.is_on_offset(time) for time in index])
