"""Splits in CSV files without adj_close are told; the volume knows of splits."""

import numpy as np
import pandas as pd
import pytest

from rnnlib.data import prices
from rnnlib.data.origin import origin_of


def walk(n=40, seed=0):
    return 100 * np.exp(np.cumsum(0.01 * np.random.default_rng(seed).standard_normal(n)))


def table(close, **columns):
    days = pd.bdate_range("2024-01-01", periods=len(close))
    return pd.DataFrame({"date": days, "close": close, **columns}).to_csv(index=False)


@pytest.mark.parametrize("n", [1.5, 2, 3, 4, 7, 10, 20, 1 / 2, 1 / 8, 1 / 10])
@pytest.mark.parametrize("with_open", [False, True])
def test_a_raw_split_is_told_and_changes_nothing(load, n, with_open):
    close = walk()
    close[25:] /= n
    columns = {"open": np.append(close[0], close[1:] * 1.004)} if with_open else {}
    text = table(close, **columns)
    quotes = load(text)
    (note,) = origin_of(quotes).notes
    shares = f"{n:g} for 1" if n > 1 else f"1 for {1 / n:g}"
    assert f"On 2024-02-05 (line 27) close goes from {close[24]:.4g} to {close[25]:.4g}, as at" in note
    assert f"a split of {shares} that the prices are not adjusted for, or in a crash" in note
    np.testing.assert_array_equal(quotes["close"], close)
    assert origin_of(load(text, start="2024-02-05")).notes == ()
    assert origin_of(load(table(close, adj_close=walk()))).notes == ()


@pytest.mark.parametrize(
    ("start", "notes"),
    [("2000-03-01", "On 2000-06-21"), ("2000-09-01", "On 2005-02-28"), ("2005-03-01", None)],
)
def test_apple_as_traded(load, start, notes):
    """Two splits, and on 2000-09-29 a crash by 52%, which went on during the day."""
    path = prices.resources.files("rnnlib.data") / "files" / "aapl_daily.csv"
    assert origin_of(prices.load(source=path)).notes == ()
    raw = pd.read_csv(path).drop(columns="adj_close")
    quotes = load(raw.to_csv(index=False), start=start)
    assert [note[:13] for note in origin_of(quotes).notes] == ([notes] if notes else [])


def test_a_column_of_splits_tells_for_sure(load):
    close, splits = walk(), np.zeros(40)
    close[25:] /= 2
    crash = table(close, **{"Stock Splits": splits})
    assert origin_of(load(crash)).notes == ()  # no split, so a crash
    splits[25] = 2
    (note,) = origin_of(load(table(close, **{"Stock Splits": splits}))).notes
    assert "a split of 2 for 1 that the file names, but is not adjusted for" in note
    assert origin_of(load(table(walk(), **{"Stock Splits": splits}))).notes == ()  # adjusted already
    words = np.where(splits, "2:1", "")  # which say nothing: the jump alone looks like a split
    (note,) = origin_of(load(table(close, **{"Stock Splits": words}))).notes
    assert "or in a crash" in note
    small = walk()
    small[25:] /= 1.1  # a stock dividend of 10%, which no jump would show
    (note,) = origin_of(load(table(small, split_coefficient=np.where(splits, 1.1, 1)))).notes
    assert "a split of 1.1 for 1" in note


def test_the_volume_counts_splits_that_a_column_names(load):
    adjusted = walk(6)
    for factor, splits, volume in (
        (5 / 4, 5 / 4, [5 / 4] * 3 + [1] * 3),  # a split too small to be seen in the factor alone
        (1, 2, [1] * 6),  # Yahoo: prices and volume know of it
        (1.6, 1, [1] * 6),  # a dividend of 60%
    ):
        close = adjusted.copy()
        close[:3] *= factor
        columns = {"adj_close": adjusted, "volume": 1, "splits": [1, 1, 1, splits, 1, 1]}
        assert load(table(close, **columns))["volume"].tolist() == pytest.approx(volume)


@pytest.mark.parametrize("n", [4, 1 / 10])
@pytest.mark.parametrize("with_open", [False, True])
def test_a_split_that_adj_close_does_not_know_is_told(load, n, with_open):
    close = walk()
    close[25:] /= n
    columns = {"open": np.append(close[0], close[1:] * 1.004)} if with_open else {}
    (note,) = origin_of(load(table(close, adj_close=close / 2, **columns))).notes
    assert f"On 2024-02-05 (line 27) the adjusted close goes from {close[24] / 2:.4g} to" in note
    assert "If it was a split, take a file whose adj_close knows of it" in note
    assert origin_of(load(table(close, adj_close=walk(), **columns))).notes == ()
    splits = np.ones(40)
    splits[25] = n
    (note,) = origin_of(load(table(close, adj_close=close / 2, splits=splits, **columns))).notes
    assert "that the file names, but is not adjusted for" in note


def test_an_open_in_another_unit_hides_no_split(load):
    close = walk()
    raw = {name: close * factor for name, factor in (("open", 1), ("high", 1.01), ("low", 0.99))}
    fallen = close.copy()
    fallen[25:] /= 4
    crash = raw | {"low": fallen * 0.99}
    assert origin_of(load(table(fallen, **crash))).notes == ()  # it fell to there during the day
    assert "4 for 1" in origin_of(load(table(fallen, **raw))).notes[0]
