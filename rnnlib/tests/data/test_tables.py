"""What make_dataset and windows are given in place of a plain table: taken, or one clear line."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from rnnlib.data.dataset import make_dataset
from rnnlib.data.windows import windows
from rnnlib.tests.data.test_data import random_walk


def same(data, other=None):
    """Whether a Dataset has the same windows as that of the plain table."""
    other = other or make_dataset(random_walk())
    return all(
        np.array_equal(a, b)
        for part in ("train", "validation", "test")
        for a, b in zip(getattr(data, part), getattr(other, part), strict=True)
    )


def changed(change):
    """The plain table, changed in place by a function or replaced by what it returns."""
    table = random_walk()
    result = change(table)
    return table if result is None else result


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.astype(str),
        lambda t: t.astype(object),
        lambda t: t.apply(lambda column: column.map(Decimal)),
        lambda t: t.astype("Float64"),
        lambda t: t.assign(close=t["close"].astype("string")),
        lambda t: t.assign(note="words"),
        lambda t: t.set_index(t.index.tz_localize("Asia/Tokyo")),
        lambda t: t.reset_index(drop=True),
        lambda t: pd.concat([t, t[["volume"]]], axis=1),  # two columns that nobody reads
    ],
    ids=["text", "object", "Decimal", "Float64", "string", "more", "time zone", "no times", "two volumes"],
)
def test_tables_that_are_taken(change):
    assert same(make_dataset(changed(change)))


@pytest.mark.parametrize("share", [np.float32(0.2), np.float64(0.2), 0.2])
def test_a_share_of_any_kind(share):
    assert same(make_dataset(random_walk(), test=share))


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York", "UTC"])
def test_a_test_day_in_a_time_zone(zone):
    table = random_walk()
    named = make_dataset(table, test="2021-03-01")
    local = table.set_index(table.index.tz_localize(zone))
    assert same(make_dataset(local, test="2021-03-01"), named)
    assert same(make_dataset(local, test=pd.Timestamp("2021-03-01", tz=zone)), named)
    assert same(make_dataset(table, test=pd.Timestamp("2021-03-01", tz=zone)), named)
    assert same(make_dataset(table, test=np.datetime64("2021-03-01")), named)


def hole(dtype):
    """A table whose closes of this type lack one."""
    return lambda t: t.assign(close=t["close"].astype(dtype).mask(t.index == t.index[7], pd.NA))


def yfinance_frame(table):
    table.columns = pd.MultiIndex.from_product(
        [["close", "volume", "high"], ["AAPL"]], names=["Price", "Ticker"]
    )


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (yfinance_frame, {}, r"have 2 levels \(Price, Ticker\): take one symbol, such as frame.xs"),
        (lambda t: pd.concat({"AAPL": t, "MSFT": 2 * t}), {}, "the rows have 2 levels .*take one symbol"),
        (lambda t: pd.concat([t, t], axis=1), {}, "the table has two columns 'close': keep one"),
        (lambda t: t.rename(columns={"close": 0}), {}, "no column 'close': choose from 0, volume"),
        (lambda t: t.set_index(t.index.astype(str)), {}, "the index is text: .*to_datetime"),
        (lambda t: t.reset_index(drop=True), {"test": "2021-03-01"}, "the table's index holds no times"),
        (lambda t: t.set_index(t.index.to_period("D")), {"test": "2021-03-01"}, "index holds no times"),
        (lambda t: t.assign(close="1,234"), {}, "column 'close' does not hold numbers: .*1,234"),
        (lambda t: t.assign(close=t.index), {}, "column 'close' does not hold numbers"),
        (hole("Float64"), {}, "close is missing"),
        (hole(object), {}, "close is miss"),
        (lambda t: t.to_numpy(), {}, "the table must be a pandas DataFrame, got ndarray"),
        (lambda t: t["close"], {}, "the table must be a pandas DataFrame, got Series"),
        (lambda t: None, {"test": np.int64(1)}, "test is a share such as 0.2, or a day"),
        (lambda t: None, {"test": "soon"}, "test is a share .* got 'soon'"),
        (lambda t: None, {"test": "05/06/2021"}, "test is a share .* got '05/06/2021'"),
        (lambda t: None, {"test": "21-06-05"}, "test is a share .* got '21-06-05'"),
        (lambda t: None, {"test": None}, "test is a share .* got None"),
        (lambda t: None, {"test": pd.NaT}, "test is a share .* got NaT"),
        (lambda t: None, {"test": np.float32("nan")}, "."),
    ],
)  # fmt: skip
def test_tables_that_are_refused_in_one_line(change, options, message):
    with pytest.raises((TypeError, ValueError), match=message) as error:
        make_dataset(changed(change), **options)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 320


def test_columns_whose_names_are_numbers():
    data = make_dataset(random_walk().rename(columns={"close": 0}), [0], 0)
    assert same(data)
    assert "of 0" in repr(data)


def test_what_was_given_is_left_alone():
    table = random_walk().astype(str)
    before = table.copy()
    make_dataset(table)
    pd.testing.assert_frame_equal(table, before)


def test_windows_know_masked_values():
    series = np.arange(6.0)
    masked = np.ma.array(series, mask=series == 2, fill_value=-9999)
    with pytest.raises(ValueError, match="the features hold a missing or infinite value on day 2"):
        windows(masked, series, 2)
    with pytest.raises(ValueError, match="the target hold a missing or infinite value on day 2"):
        windows(series, np.ma.array(np.arange(6), mask=series == 2), 2)
    for kind in (np.ma.array, np.asarray, list, pd.Series):
        x, y = windows(kind(series), kind(series), 2)
        np.testing.assert_array_equal(x[:, :, 0], [[0, 1], [1, 2], [2, 3], [3, 4]])
        np.testing.assert_array_equal(y, [2, 3, 4, 5])


@pytest.mark.parametrize(
    ("features", "target", "message"),
    [
        (np.ones(6), np.ones((6, 1)).view(np.matrix), r"the target is \(N,\), got .* and \(6, 1\)"),
        (np.ones((6, 1, 1)), np.ones(6), r"features are \(N, D\)"),
        (np.ones((1, 6)).view(np.matrix), np.ones(6), "features have 1 days, the target 6"),
        (np.ones(6), np.float64(1), r"the target is \(N,\)"),
    ],
)
def test_windows_of_other_shapes(features, target, message):
    with pytest.raises(ValueError, match=message):
        windows(features, target, 2)
    column = np.arange(6.0)[:, None].view(np.matrix)
    assert type(windows(column, np.arange(6), 2)[0]) is np.ndarray
