"""The shipped series, synthetic tasks, windows, splits, and datasets without leakage."""

import hashlib
import itertools
import re
from importlib import resources
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlib import SequenceModel
from rnnlib.data import prices, synthetic, text, traffic, weather
from rnnlib.data.calendar import CIRCLES, calendar, following, steps_a_day
from rnnlib.data.dataset import make_dataset
from rnnlib.data.dates import between, day
from rnnlib.data.origin import Origin
from rnnlib.data.windows import chronological_split, walk_forward, windows
from rnnlib.forecasting.problem import USUAL, Problem
from rnnlib.training.fit import fit


def test_shipped_files_are_those_of_sources_md():
    folder = Path(str(resources.files("rnnlib.data")))
    digests = dict(
        re.findall(r"\| files/(\S+) \|.*`([0-9a-f]{64})`", (folder / "SOURCES.md").read_text("utf-8"))
    )
    shipped = [path for path in (folder / "files").rglob("*") if path.is_file()]
    files = {
        path.relative_to(folder / "files").as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in shipped
    }
    assert len(digests) == 12
    assert digests == files


def test_weather():
    days = weather.load()
    assert len(days) == 1461
    assert not days.isna().any(axis=None)
    maximum = days["temp_max"]
    errors = {m: (maximum - maximum.shift(m))["2015"].abs().mean() for m in (1, weather.ORIGIN.season)}
    assert errors == {1: pytest.approx(2.24, abs=0.005), 365: pytest.approx(3.77, abs=0.005)}
    assert days.loc["2012-12-31", "year_cos"] == pytest.approx(1, abs=1e-3)


def test_traffic():
    hours = traffic.load()
    volume = hours["traffic_volume"]
    assert len(volume) == 17520
    assert volume.isna().sum() == 104
    assert "CC BY 4.0" in hours.attrs["origin"].credit
    test = volume.iloc[-3504:]
    errors = {m: (test - volume.ffill().shift(m)).abs().mean() for m in (1, traffic.ORIGIN.season)}
    assert errors == {1: pytest.approx(581.9, abs=0.1), 168: pytest.approx(260.9, abs=0.1)}


def test_text():
    novel = text.load()
    ids, vocabulary = text.encode(novel)
    assert (len(novel), len(vocabulary)) == (684768, 75)
    assert "".join(vocabulary[i] for i in ids[:2000]) == novel[:2000]
    shares = np.bincount(ids) / len(ids)
    assert -(shares * np.log2(shares)).sum() == pytest.approx(4.46, abs=0.005)  # bits, one character alone


sizes = st.integers(1, 20)


@given(n=sizes, T=st.integers(2, 30), seed=st.integers(0, 99))
def test_adding(n, T, seed):
    x, y = synthetic.adding(n, T, rng=seed)
    assert x.shape == (n, T, 2)
    assert (x[:, : T // 2, 1].sum(axis=1) == 1).all()
    assert (x[:, T // 2 :, 1].sum(axis=1) == 1).all()
    np.testing.assert_allclose((x[:, :, 0] * x[:, :, 1]).sum(axis=1), y[:, 0], rtol=1e-6)
    np.testing.assert_array_equal(synthetic.adding(n, T, rng=seed)[0], x)


def test_one_is_the_best_constant_answer_to_adding():
    _, y = synthetic.adding(20000, 4, rng=0)
    assert np.mean((y - 1) ** 2) == pytest.approx(1 / 6, rel=0.03)


@given(
    n=sizes, T=st.integers(1, 30), tokens=st.integers(1, 30), V=st.integers(4, 20), seed=st.integers(0, 99)
)
def test_selective_copying(n, T, tokens, V, seed):
    if tokens > T:
        with pytest.raises(ValueError, match="do not fit"):
            synthetic.selective_copying(n, T, tokens, V, seed)
        return
    x, y = synthetic.selective_copying(n, T, tokens, V, seed)
    assert x.shape == (n, T + tokens, V)
    assert (x.sum(axis=2) == 1).all()
    signs = x.argmax(axis=2)
    assert (signs[:, T:] == 1).all()
    assert (y[:, :T] == -1).all()
    for row, answers in zip(signs[:, :T], y[:, T:], strict=True):
        np.testing.assert_array_equal(row[row != 0], answers)
        assert answers.min() >= 2


@given(n=sizes, T=st.integers(3, 30), V=st.integers(3, 20), seed=st.integers(0, 99))
def test_induction_heads(n, T, V, seed):
    x, y = synthetic.induction_heads(n, T, V, seed)
    assert x.shape == (n, T, V)
    for row, answer in zip(x.argmax(axis=2), y, strict=True):
        first, last = np.flatnonzero(row == 0)  # twice: at a random place, and at the end
        assert last == T - 1
        assert row[first + 1] == answer != 0


@given(n=sizes, T=st.integers(2, 30), seed=st.integers(0, 99))
def test_sine(n, T, seed):
    x, y = synthetic.sine(n, T, rng=seed)
    np.testing.assert_array_equal(x[:, 1:], y[:, :-1])
    assert np.abs(y).max() <= 1
    noisy, clean = synthetic.sine(n, T, noise=0.5, rng=seed)
    np.testing.assert_array_equal(clean, y)
    assert not np.array_equal(noisy, x)


def test_synthetic_tasks_refuse_impossible_sizes():
    for make, wrong in (
        (synthetic.adding, {"T": 1}),
        (synthetic.adding, {"n": 0}),
        (synthetic.selective_copying, {"vocabulary": 3}),
        (synthetic.selective_copying, {"tokens": 0}),
        (synthetic.induction_heads, {"T": 2}),
        (synthetic.induction_heads, {"vocabulary": 2}),
        (synthetic.sine, {"T": 0}),
        (synthetic.sine, {"noise": np.nan}),
    ):
        with pytest.raises(ValueError, match=r"at least|need"):
            make(**{"n": 2, **wrong})


def test_the_calendar_is_a_circle():
    index = pd.date_range("2015-12-28", "2016-01-04", freq="h")
    circles = calendar(index)
    assert tuple(circles.columns) == CIRCLES
    steps = np.abs(np.diff(circles, axis=0)).max(axis=0)
    assert (steps < [0.27, 0.27, 0.04, 0.04, 0.02, 0.02]).all()  # no jump, at midnight or New Year
    monday = circles.loc[["2015-12-28 00:00", "2016-01-04 00:00"], ["day_cos", "week_cos"]]
    np.testing.assert_allclose(monday, 1)


def test_the_times_to_come():
    weekdays = pd.bdate_range("2024-01-01", "2024-01-12")  # ends on a Friday
    assert [f"{t:%a %d}" for t in following(weekdays, 3)] == ["Mon 15", "Tue 16", "Wed 17"]
    days = pd.date_range("2024-01-01", "2024-01-12")
    assert list(following(days, 2)) == [pd.Timestamp("2024-01-13"), pd.Timestamp("2024-01-14")]
    hours = pd.date_range("2024-01-01", periods=30, freq="h")
    assert following(hours, 20)[-1] == pd.Timestamp("2024-01-03 01:00")
    with_saturdays = pd.date_range("2024-01-01", "2024-01-13")  # Monday to Saturday
    assert following(with_saturdays[with_saturdays.day_of_week < 6], 1)[0] == pd.Timestamp("2024-01-14")
    summer = calendar(pd.DatetimeIndex(["2015-07-02 15:00"]))  # the year's middle
    assert summer["year_cos"].iloc[0] == pytest.approx(-1, abs=1e-6)
    assert summer["year_sin"].iloc[0] == pytest.approx(np.sin(2 * np.pi * 182.625 / 365.25), abs=1e-9)
    assert (steps_a_day(weekdays), steps_a_day(days), steps_a_day(hours)) == (1, 1, 24)


def test_between_keeps_whole_days():
    hours = pd.DataFrame({"a": range(72)}, index=pd.date_range("2024-01-01", periods=72, freq="h"))
    assert list(between(hours, "2024-01-02", "2024-01-02")["a"]) == list(range(24, 48))
    assert len(between(hours)) == 72
    with pytest.raises(
        ValueError, match=r"no data between 2025-01-01.* they run from 2024-01-01 to 2024-01-03"
    ):
        between(hours, "2025-01-01")
    with pytest.raises(ValueError, match="cannot read the date 'soon': write it as 2005-12-31"):
        day("soon")


@given(n=st.integers(2, 40), length=st.integers(1, 39), features=st.integers(1, 3))
def test_a_window_ends_the_day_before_its_answer(n, length, features):
    series = np.arange(n * features).reshape(n, features)
    target = np.arange(n)
    if length >= n:
        with pytest.raises(ValueError, match="too few"):
            windows(series, target, length)
        return
    x, y = windows(series, target, length)
    assert not np.shares_memory(y, target)
    assert x.flags.c_contiguous
    assert x.shape == (n - length, length, features)
    for i in range(n - length):
        np.testing.assert_array_equal(x[i], series[i : i + length])
        assert y[i] == i + length


def test_windows_refuse_holes_and_unequal_lengths():
    hole = np.array([1, 2, np.nan, 4, 5])
    with pytest.raises(ValueError, match="the features hold a missing or infinite value on day 2"):
        windows(hole, np.ones(5), 2)
    with pytest.raises(ValueError, match="the target hold"):
        windows(np.ones(5), hole, 2)
    with pytest.raises(ValueError, match="the features hold a missing or infinite value on day 2"):
        windows(np.array([1, 2, -np.inf, 4, 5]), np.ones(5), 2)
    with pytest.raises(ValueError, match="features have 5 days, the target 4"):
        windows(np.ones(5), np.ones(4), 2)
    with pytest.raises(ValueError, match="at least 1"):
        windows(np.ones(5), np.ones(5), 0)


@given(st.integers(10, 5000))
def test_a_split_is_in_order_and_whole(n):
    split = chronological_split(n)
    days = np.arange(n)
    np.testing.assert_array_equal(np.concatenate([days[part] for part in split]), days)
    assert all(len(days[part]) > 0 for part in split)


def test_a_split_needs_days_for_each_part():
    for n, validation, test in ((2, 0.1, 0.2), (10, 0.5, 0.5), (10, 0, 0.2), (10, 0.1, 0), (10, -0.1, 0.5)):
        with pytest.raises(ValueError, match="cannot be split"):
            chronological_split(n, validation, test)


@given(n=st.integers(30, 500), folds=st.integers(2, 6), validation=st.floats(0.1, 0.5))
def test_folds_walk_forward_to_the_end(n, folds, validation):
    splits = walk_forward(n, folds, validation)
    days = np.arange(n)
    assert len(splits) == folds
    for split in splits:
        np.testing.assert_array_equal(np.concatenate([days[part] for part in split]), days[: split.test.stop])
        assert all(len(days[part]) > 0 for part in split)
    for before, after in itertools.pairwise(splits):
        assert before.test.stop == after.test.start  # what was tested trains the next fold
    assert splits[-1].test.stop == n


def test_folds_need_days():
    assert [split.test for split in walk_forward(100, 3, test=10)] == [
        slice(70, 80), slice(80, 90), slice(90, 100)
    ]  # fmt: skip
    assert walk_forward(10, 2, validation=0.01)[0].validation == slice(3, 4)  # one day at least
    with pytest.raises(ValueError, match="1 days cannot be split into 50% validation"):
        walk_forward(3, 2, validation=0.5)
    for share in (0, 1, np.nan):
        with pytest.raises(ValueError, match="validation is a share between 0 and 1"):
            walk_forward(30, 2, validation=share)
    with pytest.raises(ValueError, match="Cannot have number of folds"):
        walk_forward(4, 5)


def random_walk(n=400, seed=0):
    rng = np.random.default_rng(seed)
    close = 50 * np.exp(np.cumsum(0.02 * rng.standard_normal(n)))
    table = {"close": close, "volume": rng.integers(0, 9, n) * 1.0, "high": close * 1.01}
    return pd.DataFrame(table, index=pd.bdate_range("2020-01-01", periods=n))


FEATURES = ["close", "volume", "high"]


@given(seed=st.integers(0, 99), length=st.integers(1, 50), predict=st.sampled_from(["return", "value"]))
def test_the_test_days_change_no_number_of_training(seed, length, predict):
    table = random_walk(seed=seed)
    other = table.copy()
    other.iloc[-80:] = other.iloc[-80:].sample(frac=1, random_state=seed).to_numpy() * 3
    first, second = (make_dataset(frame, FEATURES, "close", predict, length) for frame in (table, other))
    for a, b in zip(first.scaling, second.scaling, strict=True):
        np.testing.assert_array_equal(a, b)
    for part in ("train", "validation"):
        for a, b in zip(getattr(first, part), getattr(second, part), strict=True):
            np.testing.assert_array_equal(a, b)
    assert not np.array_equal(first.test[1], second.test[1])


def test_a_shuffled_future_changes_no_weight():
    table = random_walk()
    other = table.copy()
    other.iloc[-80:] = other.iloc[-80:].sample(frac=1, random_state=0).to_numpy()
    weights = []
    for frame in (table, other):
        model = SequenceModel("gru", 3, 4, 1, rng=0)
        data = make_dataset(frame, FEATURES)
        fit(model, data.train, data.validation, epochs=2, progress=False)
        weights.append(model.params)
    for name in weights[0]:
        np.testing.assert_array_equal(weights[0][name], weights[1][name])


@pytest.mark.parametrize("predict", ["return", "value"])
def test_each_answer_is_that_of_its_day(predict):
    table = random_walk()
    data = make_dataset(table, FEATURES, "close", predict, length=30)
    close = table["close"]
    np.testing.assert_allclose(
        data.to_level(data.test[1][:, 0].astype(float), data.before), data.actual, rtol=1e-5
    )
    np.testing.assert_array_equal(close[data.dates], data.actual)
    np.testing.assert_array_equal(close.shift()[data.dates], data.before)
    assert data.dates[-1] == close.index[-1]
    np.testing.assert_allclose(data.test[0][1:, -1, 0], data.test[1][:-1, 0], rtol=1e-6)  # ends yesterday
    parts = [len(part[1]) for part in (data.train, data.validation, data.test)]
    assert sum(parts) == len(close) - 1 - 30
    assert {a.dtype for part in (data.train, data.validation, data.test) for a in part} == {
        np.dtype("float32")
    }
    question = data.inputs(table)[None, data.rows[0] - 30 - 1 :][:, :30]
    np.testing.assert_allclose(data.questions(question, np.zeros(1)), data.test[0][:1], rtol=1e-5)


def test_the_scaler_is_that_of_the_training_days():
    table = random_walk()
    data = make_dataset(table, FEATURES, length=1)
    returns = np.diff(np.log(table["close"].to_numpy()))[: len(data.train[1]) + 1]
    assert data.scaling.target_mean == pytest.approx(returns.mean())
    assert data.scaling.target_std == pytest.approx(returns.std())
    volume = np.diff(np.log1p(table["volume"].to_numpy()))[: len(data.train[1]) + 1]
    assert (data.scaling.mean[1], data.scaling.std[1]) == pytest.approx((volume.mean(), volume.std()))
    again = make_dataset(table.iloc[:-50], FEATURES, length=1, scaling=data.scaling)
    assert again.scaling is data.scaling


def test_the_first_test_day_may_be_named():
    data = make_dataset(random_walk(), test="2021-01-01")
    assert data.dates[0] == pd.Timestamp("2021-01-01")
    fold = walk_forward(399, 3)[1]
    data = make_dataset(random_walk(), split=fold)
    np.testing.assert_array_equal(data.rows, np.arange(fold.test.start, fold.test.stop) + 1)


def test_gaps_are_filled_from_the_past_and_never_scored():
    table = random_walk()
    whole = table["close"].copy()
    table.iloc[[7, 8, 200, 350], 0] = np.nan
    with pytest.raises(ValueError, match="close is missing or infinite at 2020-01-10"):
        make_dataset(table)
    data = make_dataset(table, length=5, fill_gaps=True)
    assert data.gaps == 4
    leading = random_walk()
    leading.iloc[0, 0] = np.nan  # nothing before it could stand in its place
    with pytest.raises(ValueError, match="close is missing"):
        make_dataset(leading, fill_gaps=True)
    assert table["close"].isna().sum() == 4  # the caller's table is left alone
    assert data.level[8] == data.level[6] == whole.iloc[6]
    assert 350 not in data.rows
    assert 351 in data.rows
    parts = [len(part[1]) for part in (data.train, data.validation, data.test)]
    assert sum(parts) == len(table) - 1 - 5 - 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"features": ["open"]}, "there is no column 'open': choose from close, volume, high"),
        ({"features": []}, "at least one feature"),
        ({"features": ["close", "close"]}, "named twice"),
        ({"target": "opening"}, "there is no column 'opening'"),
        ({"predict": "up"}, 'predict must be "return", "value" or "volatility"'),
        ({"relative": True}, "relative is for values"),
        ({"length": 279}, "279 training days are too few for windows of 279 days"),
        ({"test": "2030-01-01"}, "the test part begins on 2030-01-01, but the data run from 2020-01-01 to"),
        ({"test": 1}, "test is a share such as 0.2, or a day"),
        ({"test": 1.5}, "cannot be split"),
    ],
)
def test_make_dataset_refuses_what_it_cannot_use(change, message):
    with pytest.raises(ValueError, match=message):
        make_dataset(random_walk(), **change)


def test_make_dataset_refuses_bad_prices_and_order():
    for mixed in (
        random_walk()[::-1],
        random_walk().sample(frac=1, random_state=0),
        random_walk().loc[lambda t: t.index.repeat(2)],
    ):
        with pytest.raises(ValueError, match="the days must be in order, each one once"):
            make_dataset(mixed)
    for value in (0, -1, np.nan, np.inf):
        bad = random_walk()
        bad.iloc[3, 0] = value
        with pytest.raises(ValueError, match=r"close (must be above 0|is missing or infinite)"):
            make_dataset(bad)
        if np.isfinite(value):
            assert make_dataset(bad, predict="value").level[3] == value
    assert len(make_dataset(random_walk(), length=278).train[0]) == 1


def test_a_problem_is_named():
    for data in USUAL:
        origin = Problem(data, length=3).dataset().origin
        assert origin.name
        assert origin.source != Origin().source
        assert origin.unit
        assert origin.season
    stock = Problem(symbol="aapl", start="2005-01-01", end="2006-12-31")
    assert (stock.symbol, stock.source, stock.features) == ("AAPL", "embedded", ["close"])
    assert {day.year for day in stock.load()[0].index} == {2005, 2006}
    assert stock.load()[1].source == prices.EMBEDDED_SOURCE
    assert Problem("traffic").dataset().gaps == 104
    assert len(Problem("weather").dataset().rows) == 365
    with pytest.raises(ValueError, match="unknown data 'gold': choose one of stock, weather, traffic"):
        Problem("gold")
    with pytest.raises(ValueError, match="belongs to stocks, not to weather"):
        Problem("weather", symbol="AAPL")
