"""The commands with a file of the user's own: the order of its dates, and what is said of it."""

import numpy as np
import pandas as pd
import pytest

from rnnlib.forecasting import experiment

pytestmark = pytest.mark.usefixtures("undrawn")
SMALL = ["--epochs", "1", "--seq-len", "5", "--hidden-size", "2"]
BEST = "rnn_rnn_best.safetensors"


@pytest.fixture
def write(tmp_path):
    """Write 80 weekdays of prices as a site does, newest first; gives the closes."""

    def write_file(name, form, days=80):
        table = pd.DataFrame({"Date": pd.bdate_range("2024-01-01", periods=days).strftime(form)})
        close = 1200 * np.exp(np.cumsum(0.01 * np.random.default_rng(0).standard_normal(days)))
        table["Close/Last"] = [f"${price:,.2f}" for price in close]
        table["Volume"] = "N/A"
        table[::-1].to_csv(tmp_path / name, index=False)
        return close

    return write_file


def test_dates_are_given_once_and_kept_with_the_model(run, write, tmp_path):
    close = write("nasdaq.csv", "%m/%d/%Y")
    result = run("train", "--source", "nasdaq.csv", *SMALL)
    assert result.status == 2
    assert (
        "nasdaq.csv, line 2: does 04/19/2024 begin with its month or its day? Give --dates mdy" in result.err
    )
    assert result.err.count("\n") == 1
    wrong = run("train", "--source", "nasdaq.csv", "--dates", "dmy", *SMALL)
    assert wrong.status == 2
    assert "04/19/2024 has no month 19" in wrong.err

    training = run("train", "--source", "nasdaq.csv", "--dates", "mdy", *SMALL)
    assert training.status == 0, training.err
    _, data = experiment.load(tmp_path / BEST)
    np.testing.assert_allclose(data.level, close, atol=0.01)
    assert run("evaluate", BEST).status == 0
    assert "2024-04-22" in run("forecast", BEST, "--days", "1").out

    write("investing.csv", "%d/%m/%Y", days=85)
    assert run("evaluate", BEST, "--source", "investing.csv").status == 2
    moved = run("evaluate", BEST, "--source", "investing.csv", "--dates", "dmy")
    assert moved.status == 0, moved.err
    write("plain.csv", "%Y-%m-%d")
    assert run("forecast", BEST, "--source", "plain.csv").status == 0


def test_a_benchmark_reads_dates_too(run, write):
    write("nasdaq.csv", "%d.%m.%Y")
    options = ["--models", "rnn", "--source", "nasdaq.csv", "--seeds", "1", *SMALL]
    assert run("benchmark", *options).status == 2
    assert run("benchmark", *options, "--dates", "dmy").status == 0


@pytest.mark.parametrize(
    "options", [[], ["--source", "embedded"], ["--source", "yahoo"], ["--data", "weather"]], ids=str
)
def test_dates_belong_to_files(run, options):
    result = run("train", "--dates", "mdy", *options)
    assert (result.status, result.err) == (
        2,
        "rnnlib: --dates belongs to a CSV file: name it with --source\n",
    )


def test_what_a_file_leaves_out_and_where_it_jumps_is_said(run, tmp_path):
    days = pd.bdate_range("2024-01-01", periods=80)
    close = 100 * np.exp(np.cumsum(0.01 * np.random.default_rng(0).standard_normal(80)))
    close[30:] /= 4
    close[50] = np.nan
    pd.DataFrame({"date": days, "close": close}).to_csv(tmp_path / "mine.csv", index=False)
    for command in (["train", "--source", "mine.csv", *SMALL], ["evaluate", BEST], ["forecast", BEST]):
        result = run(*command)
        assert result.status == 0, result.err
        assert "1 row of 80 has a date without a price (line 52, 2024-03-11): left out" in result.out
        assert "On 2024-02-12 (line 32) close goes from" in result.out
        assert "as at a split of 4 for 1 that the prices are not adjusted for, or in a crash" in result.out
        assert "Warning" not in result.err


def test_dates_are_nothing_for_a_model_of_other_data(run):
    assert run("train", "--end", "2001-01-01", *SMALL).status == 0
    result = run("evaluate", BEST, "--dates", "mdy")
    assert (result.status, result.err.count("\n")) == (2, 1)
    assert "--dates belongs to a CSV file: name it with --source" in result.err
