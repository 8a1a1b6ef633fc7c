"""The times to come, in the rhythm of each market, and the season."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlib.data.calendar import following, rhythm
from rnnlib.forecasting.problem import Problem


def week(mask, start="2024-01-01", end="2024-06-19"):
    """Days of a market that is open on the days of a mask, Monday first."""
    return pd.bdate_range(start, end, freq="C", weekmask=mask)


def test_one_special_session_makes_no_saturday_a_market_day():
    index = week("1111100").append(pd.DatetimeIndex(["2024-03-02"])).sort_values()
    assert [f"{day:%a %d}" for day in following(index, 4)] == ["Thu 20", "Fri 21", "Mon 24", "Tue 25"]
    assert rhythm(index).season == 5
    until = index[index <= "2024-03-02"]  # nor as the last day
    assert [f"{day:%a %d}" for day in following(until, 2)] == ["Mon 04", "Tue 05"]


@pytest.mark.parametrize(
    ("mask", "days", "season"),
    [
        ("1111100", ["Thu", "Fri", "Mon", "Tue", "Wed"], 5),
        ("1111001", ["Thu", "Sun", "Mon", "Tue", "Wed"], 5),  # Tel Aviv until 2025, Riyadh
        ("1110011", ["Sat", "Sun", "Mon", "Tue", "Wed"], 5),  # Riyadh until 2013
        ("1111110", ["Thu", "Fri", "Sat", "Mon", "Tue"], 6),
        ("1111111", ["Thu", "Fri", "Sat", "Sun", "Mon"], 7),
        ("1010100", ["Fri", "Mon", "Wed", "Fri", "Mon"], 3),
        ("0101000", ["Thu", "Tue", "Thu", "Tue", "Thu"], 2),
    ],
)
def test_each_market_has_its_week(mask, days, season):
    index = week(mask)
    assert [f"{day:%a}" for day in following(index, 5)] == days
    assert rhythm(index).season == season
    rng = np.random.default_rng(0)
    with_holidays = index[np.sort(rng.permutation(len(index) - 1)[: -len(index) // 12])].append(index[-1:])
    assert list(following(with_holidays, 5)) == list(following(index, 5))


def test_a_market_that_changed_its_week_goes_on_as_of_late():
    index = week("1111001", end="2024-06-30").append(week("1111100", "2024-07-01", "2024-12-31"))
    assert [f"{day:%a}" for day in following(index, 4)] == ["Wed", "Thu", "Fri", "Mon"]
    assert rhythm(index).season == 5


@pytest.mark.parametrize(
    ("frequency", "season"),
    [
        ("W-FRI", None), ("W-MON", None), ("MonthEnd", 12), ("MonthBegin", 12), ("BusinessMonthEnd", 12),
        ("BusinessMonthBegin", 12), ("QuarterEnd", 4), ("QuarterBegin", 4), ("YearEnd", None),
    ],
)  # fmt: skip
def test_weeks_months_and_quarters(frequency, season):
    offset = getattr(pd.offsets, frequency)() if hasattr(pd.offsets, frequency) else frequency
    whole = pd.date_range("2010-01-01", periods=70, freq=offset)
    index, future = whole[:60], whole[60:]
    assert list(following(index, 10)) == list(future)
    assert list(following(index.delete([7, 30]), 10)) == list(future)  # gaps, which infer_freq does not bear
    assert rhythm(index).season == season


def test_a_holiday_on_the_last_day_moves_nothing_to_come():
    fridays = pd.date_range("2024-01-05", "2024-03-29", freq="W-FRI")
    thursday = fridays[:-1].append(pd.DatetimeIndex(["2024-03-28"]))  # before Good Friday
    assert f"{following(thursday, 1)[0]:%Y-%m-%d}" == "2024-04-05"
    months = pd.date_range("2022-01-01", "2024-03-31", freq=pd.offsets.BusinessMonthEnd())
    moved = months[:-1].append(pd.DatetimeIndex(["2024-03-28"]))
    assert [f"{day:%m-%d}" for day in following(moved, 2)] == ["04-30", "05-31"]
    begins = pd.date_range("2022-01-01", "2024-05-31", freq=pd.offsets.MonthBegin())
    unfinished = begins.append(pd.DatetimeIndex(["2024-06-19"]))  # the newest bar of a monthly download
    assert [f"{day:%m-%d}" for day in following(unfinished, 2)] == ["07-01", "08-01"]


def test_other_distances_stay():
    middle = pd.DatetimeIndex([f"{year}-{month:02d}-15" for year in (2022, 2023) for month in range(1, 13)])
    assert [f"{day:%Y-%m-%d}" for day in following(middle, 2)] == ["2024-01-15", "2024-02-15"]
    assert rhythm(middle).season == 12
    hours = pd.date_range("2024-01-05", periods=50, freq="h")
    assert following(hours, 1)[0] == hours[-1] + pd.Timedelta(hours=1)
    assert rhythm(hours).season is None
    one = pd.DatetimeIndex(["2024-01-05"])
    assert list(following(one, 1)) == [pd.Timestamp("2024-01-08")]


@given(
    start=st.dates(pd.Timestamp("1990-01-01").date(), pd.Timestamp("2030-01-01").date()),
    mask=st.sampled_from(["1111100", "1111001", "1110011", "1111111"]),
    n=st.integers(15, 300),
)
def test_the_days_to_come_are_those_that_came(start, mask, n):
    days = pd.date_range(start, periods=n + 10, freq=pd.offsets.CustomBusinessDay(weekmask=mask))
    if days[n - 1] - days[0] >= pd.Timedelta(days=14):
        assert list(following(days[:n], 10)) == list(days[n:])


def test_a_problem_knows_its_season(tmp_path):
    for mask, season in (("1111111", 7), ("1111001", 5)):
        index = week(mask)
        path = tmp_path / f"{mask}.csv"
        pd.DataFrame({"date": index, "close": np.linspace(1, 2, len(index))}).to_csv(path, index=False)
        assert Problem(source=str(path)).load()[1].season == season
    assert Problem().load()[1].season == 5
