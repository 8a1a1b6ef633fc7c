"""Prices, windows and splits without leakage, scores, and the train command."""

import hashlib
import os
import re
import subprocess
import sys
from importlib import resources

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlib import SequenceModel, checkpoint
from rnnlib.data import prices
from rnnlib.data.windows import chronological_split, windows
from rnnlib.forecast import compare, predict_returns, returns_dataset
from rnnlib.train import fit


def test_shipped_files_are_those_of_sources_md():
    folder = resources.files("rnnlib.data")
    told = dict(
        re.findall(r"\| files/(\S+) \|.*`([0-9a-f]{64})`", (folder / "SOURCES.md").read_text("utf-8"))
    )
    shipped = {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in (folder / "files").iterdir()
    }
    assert told == shipped


def test_prices_are_adjusted():
    quotes = prices.load()
    assert list(quotes.columns) == ["open", "high", "low", "close", "volume"]
    assert len(quotes) == 3270
    assert quotes.attrs["source"] == prices.EMBEDDED_SOURCE
    assert quotes.index.is_monotonic_increasing
    assert not quotes.isna().any(axis=None)
    assert (quotes["high"] >= quotes[["open", "close", "low"]].max(axis=1) - 1e-9).all()
    assert quotes["close"].iloc[-1] == pytest.approx(56.1374)
    returns = np.log(quotes["close"]).diff()
    assert returns["2000-06-21"] == pytest.approx(np.log(3.5746 / 3.253))  # 2 for 1: no loss
    assert returns.abs().idxmax() == pd.Timestamp("2000-09-29")  # a real crash stays
    # Two splits of 2 for 1: the first day's 9,616,100 shares are 4 times as many today.
    assert quotes["volume"].iloc[0] == 4 * 9616100
    assert quotes["volume"]["2005-02-25"] == 2 * 16348400
    assert quotes["volume"]["2005-02-28"] == 11635900


def test_prices_take_dates_and_refuse_nonsense():
    quotes = prices.load("aapl", "2005-01-01", "2005-12-31")
    assert {day.year for day in quotes.index} == {2005}
    with pytest.raises(ValueError, match="the only symbol is AAPL"):
        prices.load("MSFT")
    with pytest.raises(ValueError, match="cannot read the date"):
        prices.load(start="soon")
    with pytest.raises(ValueError, match="no prices between 2020-01-01"):
        prices.load(start="2020-01-01")


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


def random_walk(n=400, seed=0):
    steps = 0.02 * np.random.default_rng(seed).standard_normal(n)
    return pd.Series(50 * np.exp(np.cumsum(steps)), index=pd.bdate_range("2020-01-01", periods=n))


@given(seed=st.integers(0, 99), length=st.integers(1, 50))
def test_the_test_days_change_no_number_of_training(seed, length):
    close = random_walk(seed=seed)
    changed = close.copy()
    changed.iloc[-80:] = changed.iloc[-80:].sample(frac=1, random_state=seed).to_numpy() * 3
    first, second = returns_dataset(close, length), returns_dataset(changed, length)
    assert (first.mean, first.std) == (second.mean, second.std)
    for part in ("train", "validation"):
        for a, b in zip(getattr(first, part), getattr(second, part), strict=True):
            np.testing.assert_array_equal(a, b)
    assert not np.array_equal(first.test[1], second.test[1])


def test_each_answer_is_the_return_of_its_day():
    close = random_walk()
    data = returns_dataset(close, length=30)
    answers = data.test[1][:, 0] * data.std + data.mean
    np.testing.assert_allclose(data.before * np.exp(answers), data.actual, rtol=1e-5)
    np.testing.assert_array_equal(close[data.dates], data.actual)
    np.testing.assert_array_equal(close.shift()[data.dates], data.before)
    assert data.dates[-1] == close.index[-1]
    np.testing.assert_array_equal(data.test[0][1:, -1], data.test[1][:-1])  # a question ends yesterday
    parts = [len(part[1]) for part in (data.train, data.validation, data.test)]
    assert sum(parts) == len(close) - 1 - 30


def test_predictions_are_returns_again():
    data = returns_dataset(random_walk())
    network = SequenceModel("rnn", 1, 4, 1, rng=0)
    network.params["readout.W"][...] = 0
    network.params["readout.b"][...] = 2  # two standard deviations above the mean
    np.testing.assert_allclose(predict_returns(network, data), data.mean + 2 * data.std, rtol=1e-6)
    assert {a.dtype for part in (data.train, data.validation, data.test) for a in part} == {
        np.dtype("float32")
    }


def test_the_scaler_is_that_of_the_training_days():
    close = random_walk()
    data = returns_dataset(close, length=1)
    returns = np.diff(np.log(close.to_numpy()))[: len(data.train[1]) + 1]
    assert data.mean == pytest.approx(returns.mean())
    assert data.std == pytest.approx(returns.std())


def test_returns_dataset_refuses_what_it_cannot_use():
    with pytest.raises(ValueError, match="28 training days are too few for windows of 30 days"):
        returns_dataset(random_walk(41), length=30)
    with pytest.raises(ValueError, match="28 training days are too few for windows of 28 days"):
        returns_dataset(random_walk(41), length=28)
    assert len(returns_dataset(random_walk(41), length=27).train[0]) == 1
    for mixed in (random_walk()[::-1], random_walk().sample(frac=1, random_state=0), random_walk().repeat(2)):
        with pytest.raises(ValueError, match="the days must be in order, each one once"):
            returns_dataset(mixed)
    data = returns_dataset(random_walk())
    with pytest.raises(ValueError, match="predictions must have shape"):
        compare(np.zeros((len(data.dates), 1)), data, "rnn")
    bad = random_walk()
    for value in (0, -1, np.nan, np.inf):
        bad.iloc[3] = value
        with pytest.raises(ValueError, match="prices must be above 0"):
            returns_dataset(bad)


def test_scores_of_known_forecasts():
    data = returns_dataset(prices.load()["close"])
    perfect = compare(np.log(data.actual / data.before), data, "oracle")
    assert list(perfect.index) == ["oracle", "last value"]
    assert perfect.loc["oracle", ("prices", "MSE")] == pytest.approx(0, abs=1e-20)
    assert perfect.loc["oracle", ("returns", "R²")] == pytest.approx(1)
    last = perfect.loc["last value"]
    error = data.actual - data.before
    assert last[("prices", "RMSE")] == pytest.approx(np.sqrt(np.mean(error**2)))
    assert last[("prices", "MAE")] == pytest.approx(np.mean(np.abs(error)))
    assert len(data.dates) == 654
    assert last[("prices", "RMSE")] == pytest.approx(1.08, abs=0.005)  # computed independently
    assert last[("prices", "R²")] == pytest.approx(0.9954, abs=5e-5)
    assert last[("returns", "R²")] < 0


def test_a_model_learns_returns_that_can_be_learnt():
    """Returns that alternate: the model must beat the last value by far, on both scales."""
    steps = 0.02 * np.tile([1, -1], 200) + 0.002 * np.random.default_rng(0).standard_normal(400)
    close = pd.Series(50 * np.exp(np.cumsum(steps)), index=pd.bdate_range("2020-01-01", periods=400))
    data = returns_dataset(close, length=5)
    network = SequenceModel("rnn", 1, 8, 1, rng=0)
    fit(network, data.train, data.validation, epochs=30, lr=1e-2, progress=False)
    scores = compare(predict_returns(network, data), data, "rnn")
    assert (scores.loc["rnn"].xs("RMSE", level=1) < 0.3 * scores.loc["last value"].xs("RMSE", level=1)).all()


def run(*arguments, folder):
    command = [sys.executable, "-m", "rnnlib", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8", timeout=120)


def test_train_command_writes_weights_figure_and_table(tmp_path):
    done = run("train", "--model", "rnn", "--epochs", "2", "--out", "results", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    results = tmp_path / "results"
    assert sorted(file.name for file in results.iterdir()) == [
        "rnn_rnn_best.safetensors",
        "rnn_rnn_forecast.png",
    ]
    assert (results / "rnn_rnn_forecast.png").read_bytes().startswith(b"\x89PNG")

    network, extra = checkpoint.load(results / "rnn_rnn_best.safetensors")
    data = returns_dataset(prices.load()["close"], extra["seq_len"])
    assert (extra["mean"], extra["std"]) == (data.mean, data.std)
    scores = compare(predict_returns(network, data), data, "rnn")
    for name in scores.index:
        for of in ("prices", "returns"):
            row = [name, of, *(f"{value:.4g}" for value in scores.loc[name, of])]
            assert re.search(r"\|\s+".join(re.escape(cell) + r"\s+" for cell in row), done.stdout), (
                row,
                done.stdout,
            )
    assert max(len(line) for line in done.stdout.splitlines() if line.startswith("|")) <= 80

    again = run("train", "--epochs", "2", "--out", "again", folder=tmp_path)
    assert again.returncode == 0
    for file in results.iterdir():
        assert file.read_bytes() == (tmp_path / "again" / file.name).read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "--model", "transformer"], "unknown model 'transformer': choose one of rnn"),
        (["train", "--symbol", "MSFT"], "the only symbol is AAPL"),
        (["train", "--lr", "0"], "lr must be above 0"),
        (["train", "--lr", "nan"], "lr must be above 0"),
        (["train", "--lr", "inf"], "lr must be above 0 and finite"),
        (["train", "--start", "nat"], "cannot read the date 'nat'"),
        (["train", "--epochs", "0"], "Invalid value for '--epochs'"),
        (["train", "--epochs", "many"], "Invalid value for '--epochs'"),
        (["train", "--seq-len", "5000"], "too few for windows of 5000 days"),
        (["train", "--start", "2013-02-20"], "training days are too few"),
        (["train", "--start", "yesterday"], "cannot read the date"),
        (["train", "--out", "file.txt"], "cannot write into the folder file.txt: "),
        (["train", "--start", "02/03/2005"], "cannot read the date '02/03/2005': write it as 2005-12-31"),
        (["train", "--speed"], "No such option: --speed"),
        (["tarin"], "No such command 'tarin'"),
        (["release"], "no notebooks in labs_solutions/"),
    ],
)
def test_bad_input_is_one_line_and_status_2(tmp_path, arguments, message):
    (tmp_path / "file.txt").write_text("mine")
    done = run(*arguments, folder=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.startswith("rnnlib: ")
    assert len(done.stderr.splitlines()) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["file.txt"]
    assert (tmp_path / "file.txt").read_text() == "mine"


def test_help_teaches():
    for arguments in ([], ["--help"]):
        assert "train" in run(*arguments, folder=".").stdout
    assert "--hidden-size" in run("train", "--help", folder=".").stdout


def test_output_survives_an_old_console(tmp_path):
    command = [sys.executable, "-m", "rnnlib", "train", "--epochs", "1"]
    env = {**os.environ, "PYTHONIOENCODING": "cp1252"}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("module", ["rnnlib", "rnnlib.checks"])
def test_import_needs_numpy_alone(module):
    code = f"import sys, {module}; print(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    heavy = {
        "pandas",
        "matplotlib",
        "sklearn",
        "yfinance",
        "scipy",
        "tqdm",
        "safetensors",
        "typer",
        "nbval",
        "IPython",
    }
    assert heavy.isdisjoint(done.stdout.split())
