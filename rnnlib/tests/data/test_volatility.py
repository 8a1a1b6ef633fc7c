"""The log variance of a day."""

import numpy as np
import pandas as pd
import pytest

from rnnlib.data import prices
from rnnlib.data.dataset import make_dataset
from rnnlib.data.volatility import FLOOR, LOG_VARIANCE, with_log_variance


def table(**columns):
    days = pd.bdate_range("2024-01-01", periods=len(next(iter(columns.values()))))
    return pd.DataFrame(columns, index=days)


def test_the_range_gives_parkinsons_variance():
    with_column, measure = with_log_variance(table(close=[10.0, 11], high=[12.0, 11], low=[8.0, 10]))
    assert measure == "from high and low"
    expected = np.log(np.log([12 / 8, 11 / 10]) ** 2 / (4 * np.log(2)))
    np.testing.assert_allclose(with_column[LOG_VARIANCE], expected)


def test_without_a_range_the_squared_return_stands():
    for frame in (table(close=[10.0, 11, 9]), table(close=[10.0, 11, 9], high=[12.0, 12, 12])):
        with_column, measure = with_log_variance(frame)
        assert measure == "from squared returns"
        assert len(with_column) == 2  # the first day has no return
        np.testing.assert_allclose(with_column[LOG_VARIANCE], 2 * np.log(np.abs(np.log([11 / 10, 9 / 11]))))
        assert LOG_VARIANCE not in frame


def test_a_day_without_movement_is_finite():
    for frame in (table(close=[10.0, 10, 10]), table(close=[10.0, 11], high=[12.0, 11], low=[12.0, 10])):
        with_column, _ = with_log_variance(frame)
        assert with_column[LOG_VARIANCE].iloc[0] == np.log(FLOOR)


def test_an_empty_range_is_none():
    empty = [np.nan] * 3
    for frame in (
        table(close=[10.0, 11, 9], high=empty, low=empty),
        table(close=[10.0, 11, 9], high=[12.0, 12, 12], low=empty),
    ):
        assert with_log_variance(frame)[1] == "from squared returns"


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"high": [12.0, np.nan, 11], "low": [10.0, 10, 10]},
            "on the day 2024-01-02, high or low is",
        ),
        ({"high": [12.0, 11, 9], "low": [10.0, 10, 10]}, "on the day 2024-01-03, high or low"),
        ({"high": [0.0, 0, 0], "low": [0.0, 0, 0]}, "on 3 days, the first 2024-01-01, high or low"),
        ({"high": [10.0, 11, 9], "low": [10.0, 11, 9]}, "on 3 of 3 days high is low, though the close moves"),
    ],
)
def test_a_range_that_is_none_is_told(columns, message):
    with pytest.raises(ValueError, match=message):
        with_log_variance(table(close=[10.0, 11, 9], **columns))


def test_a_table_without_prices_is_told():
    with pytest.raises(ValueError, match="needs the columns high and low, or close: there are Close"):
        with_log_variance(table(Close=[10.0, 11]))
    with pytest.raises(ValueError, match="the target must be log_variance"):
        make_dataset(prices.load(), predict="volatility")


def test_parkinson_measures_the_variance_of_a_random_walk():
    """Fine steps of a walk without drift: the mean of v_t is σ², and v_t scatters far less than r²."""
    rng = np.random.default_rng(0)
    walks = np.cumsum(rng.normal(0, 0.02 / np.sqrt(2000), (2000, 2000)), axis=1)
    walks = np.concatenate([np.zeros((2000, 1)), walks], axis=1)
    frame = table(high=np.exp(walks.max(axis=1)), low=np.exp(walks.min(axis=1)))
    variance = np.exp(with_log_variance(frame)[0][LOG_VARIANCE])
    assert variance.mean() == pytest.approx(0.02**2, rel=0.08)  # a walk in steps sees a little less range
    assert (walks[:, -1] ** 2).var() / variance.var() == pytest.approx(4.9, abs=0.8)


def test_adjustment_does_not_change_the_range():
    raw = pd.read_csv(prices.resources.files("rnnlib.data") / "files" / "aapl_daily.csv", comment="#")
    adjusted, _ = with_log_variance(prices.load())
    expected = np.log(np.log(raw["high"] / raw["low"]) ** 2 / (4 * np.log(2)))
    np.testing.assert_allclose(adjusted[LOG_VARIANCE].to_numpy(), expected, rtol=1e-9)


def aapl(**options):
    frame, _ = with_log_variance(prices.load())
    return make_dataset(frame, [LOG_VARIANCE], LOG_VARIANCE, "volatility", **options)


def test_relative_windows_have_the_mean_0_and_know_their_centre():
    data = aapl(relative=True)
    for x, _ in (data.train, data.validation, data.test):
        np.testing.assert_allclose(x.mean(axis=1), 0, atol=1e-5)
    assert data.train[1].std() == pytest.approx(1, rel=1e-5)  # the scale is that of the distances
    answers = data.test[1][:, 0].astype(float)
    np.testing.assert_allclose(
        data.to_level(answers, data.before, data.centre(data.rows)), data.actual, rtol=1e-5
    )
    row = data.rows[5]
    assert data.centre(data.rows)[5] == pytest.approx(data.level[row - 30 : row].mean())
    past = np.concatenate([data.train[1], data.validation[1]])[:, 0].astype(float)
    restored = data.to_level(past, None, data.centre(data.past_rows))
    np.testing.assert_allclose(restored, data.level[data.past_rows], rtol=1e-5)


def test_a_shift_of_the_level_changes_no_relative_window():
    frame, _ = with_log_variance(prices.load())
    one, other = (
        make_dataset(shifted, [LOG_VARIANCE], LOG_VARIANCE, "volatility", relative=True)
        for shifted in (frame, frame.assign(**{LOG_VARIANCE: frame[LOG_VARIANCE] + 3}))
    )
    for left, right in zip((*one.train, *one.test), (*other.train, *other.test), strict=True):
        np.testing.assert_allclose(left, right, atol=1e-4)


def test_the_test_days_change_no_number_of_a_relative_training():
    frame, _ = with_log_variance(prices.load())
    data = aapl(relative=True)
    changed = frame.copy()
    changed.iloc[data.split.test.start + 1 :, -1] += 5
    other = make_dataset(changed, [LOG_VARIANCE], LOG_VARIANCE, "volatility", relative=True)
    assert other.scaling.target_std == data.scaling.target_std
    for left, right in zip((*data.train, *data.validation), (*other.train, *other.validation), strict=True):
        np.testing.assert_array_equal(left, right)


def test_beside_it_prices_are_read_as_returns_and_the_calendar_as_it_is():
    frame, _ = with_log_variance(prices.load())
    frame = frame.assign(year_sin=np.sin(frame.index.day_of_year / 58))
    columns = ["volume", LOG_VARIANCE, "close", "year_sin"]
    data = make_dataset(frame, columns, LOG_VARIANCE, "volatility")
    inputs = data.inputs(frame)
    np.testing.assert_allclose(inputs[:, 0], np.diff(np.log(frame["volume"] + 1)))
    np.testing.assert_allclose(inputs[:, 2], np.diff(np.log(frame["close"])))
    np.testing.assert_array_equal(inputs[:, [1, 3]], frame[[LOG_VARIANCE, "year_sin"]].to_numpy()[1:])
