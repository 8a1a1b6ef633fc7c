"""The commands, as they are typed: what they print, write, refuse, and how they resume."""

import csv
import errno
import io
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from rnnlib import SequenceModel
from rnnlib.commands import tables
from rnnlib.data import yahoo
from rnnlib.forecasting import experiment, figures
from rnnlib.forecasting.benchmark import run as run_one
from rnnlib.forecasting.forecasts import one_step
from rnnlib.forecasting.judging import compare, error_bands, verdict
from rnnlib.forecasting.problem import Problem
from rnnlib.tests.data import fake_yahoo
from rnnlib.training import checkpoint, tasks, text
from rnnlib.training.fit import fit, online
from rnnlib.training.optimizers import make_optimizer


def start(*arguments, folder):
    """The command in a process of its own."""
    command = [sys.executable, "-m", "rnnlib", *arguments]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def files(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def assert_in_table(text, row):
    """A line of a table with these cells."""
    assert re.search(r"\|\s+".join(re.escape(cell) + r"\s+" for cell in row), text), (row, text)


def test_train_writes_weights_figure_and_table(run, tmp_path):
    result = run("train", "--model", "rnn", "--epochs", "2", "--out", "results")
    assert result.status == 0, result.err
    results = tmp_path / "results"
    assert sorted(files(results)) == [
        "rnn_rnn_best.safetensors",
        "rnn_rnn_forecast.png",
        "rnn_rnn_last.safetensors",
    ]
    assert (results / "rnn_rnn_forecast.png").read_bytes().startswith(b"\x89PNG")

    network, data = experiment.load(results / "rnn_rnn_best.safetensors")
    fresh = Problem().dataset()
    np.testing.assert_array_equal(data.test[0], fresh.test[0])
    assert (data.scaling.target_mean, data.scaling.target_std) == (
        fresh.scaling.target_mean,
        fresh.scaling.target_std,
    )
    scores = compare({"rnn": one_step(network, data)}, data)
    for name in scores.index:
        for scale in ("prices", "returns"):
            assert_in_table(result.out, [name, *(f"{value:.4g}" for value in scores.loc[name, scale])])
    assert verdict(scores, "rnn", data) in result.out
    assert "embedded Quandl WIKI data" in result.out
    assert max(map(len, result.out.splitlines())) <= 120
    assert max(len(line) for line in result.out.splitlines() if line.startswith(("|", "+"))) <= 80

    again = run("train", "--epochs", "2", "--out", "again")
    assert again.status == 0
    assert files(results) == files(tmp_path / "again")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--model", "lstm", "--features", "close,volume,high,low", "--optimizer", "rmsprop"],
        pytest.param(
            "--model gru --target price --loss mae --optimizer sgd --momentum 0.5".split(),
            marks=pytest.mark.slow,
        ),
        ["--model", "min_gru", "--num-layers", "2", "--weight-decay", "0.1", "--online"],
        pytest.param(
            ["--model", "mamba", "--hidden-size", "8", "--state-size", "4", "--kernel-size", "2"],
            marks=pytest.mark.slow,
        ),
        pytest.param(["--model", "min_gru", "--data", "weather"], marks=pytest.mark.slow),
        ["--model", "min_gru", "--data", "traffic", "--seq-len", "4"],
        ["--model", "min_gru", "--target", "volatility"],
        pytest.param("--model rnn --target volatility --absolute".split(), marks=pytest.mark.slow),
        pytest.param("--model gru --target price --relative".split(), marks=pytest.mark.slow),
    ],
)
def test_train_then_evaluate_then_forecast(run, tmp_path, arguments):
    base = ["--epochs", "1", "--hidden-size", "4", "--seq-len", "5"]
    training = run("train", *base, *arguments)
    assert training.status == 0, training.err
    name = arguments[1]
    evaluation = run("evaluate", f"rnn_{name}_best.safetensors", "--steps", "3")
    assert evaluation.status == 0, evaluation.err
    table = [line for line in evaluation.out.splitlines() if line.startswith(f"| {name} ")]
    assert table  # the same numbers as after the training
    assert all(line in training.out for line in table)
    assert_in_table(evaluation.out, ["| 3"])
    ahead = run("forecast", f"rnn_{name}_best.safetensors", "--days", "2")
    assert ahead.status == 0, ahead.err
    steps = 48 if "traffic" in arguments else 2
    assert len(re.findall(r"^\| \d{4}-\d{2}-\d{2}", ahead.out, re.M)) == steps
    assert (tmp_path / f"rnn_{name}_future.png").read_bytes().startswith(b"\x89PNG")
    assert ("CC BY 4.0" in training.out) == ("traffic" in arguments)
    assert ("Nobody knows the future of volume, high, low: kept at the last value." in ahead.out) == (
        "--features" in arguments
    )
    assert ("| min_gru online " in training.out) == ("--online" in arguments)


@pytest.mark.usefixtures("undrawn")
def test_online_learning_goes_on_with_the_optimizer_of_the_training(run, tmp_path):
    options = ["--optimizer", "sgd", "--momentum", "0.1", "--lr", "0.05", "--clip", "0.5", "--loss", "mae"]
    result = run("train", "--seq-len", "2", "--hidden-size", "2", "--epochs", "1", "--online", *options)
    model, data = experiment.load(tmp_path / "rnn_rnn_best.safetensors")
    optimizer = make_optimizer(model.params, "sgd", lr=0.05, momentum=0.1)
    outputs = online(model, *data.test, loss="mae", optimizer=optimizer, max_norm=0.5, progress=False)
    forecasts = data.to_level(outputs[:, 0].astype(float), data.before)
    row = compare({"rnn online": forecasts}, data).loc["rnn online", "returns"]
    assert_in_table(result.out, ["rnn online", *(f"{value:.4g}" for value in row)])


@pytest.mark.usefixtures("undrawn")
def test_evaluate_judges_later_days_with_the_scaling_of_then(run, tmp_path):
    """A file of prices grows after the training: the test part grows, nothing else changes."""
    days = pd.bdate_range("2020-01-01", periods=400)
    close = 50 * np.exp(np.cumsum(0.02 * np.random.default_rng(0).standard_normal(400)))
    table = pd.DataFrame({"date": days, "close": close})
    table[:350].to_csv(tmp_path / "mine.csv", index=False)
    training = run("train", "--source", "mine.csv", "--symbol", "mine", "--epochs", "1")
    assert training.status == 0, training.err
    assert "mine.csv" in training.out
    best = tmp_path / "rnn_rnn_best.safetensors"
    before = experiment.load(best)[1]
    table.to_csv(tmp_path / "mine.csv", index=False)
    _, after = experiment.load(best)
    assert len(after.rows) == len(before.rows) + 50
    assert after.dates[0] == before.dates[0]
    for now, then in zip(after.scaling, before.scaling, strict=True):
        np.testing.assert_array_equal(now, then)
    os.rename(tmp_path / "mine.csv", tmp_path / "moved.csv")
    assert "mine.csv" in run("evaluate", best.name).err
    assert run("evaluate", best.name, "--source", "moved.csv").status == 0


ERRORS = ("mse", "rmse", "mae", "r2", "mase")
RESULTS = "model seed parameters epochs best_epoch seconds peak_memory_mib".split()
CALLS = "direction_accuracy direction_low direction_high direction_base_rate direction_n".split()
TESTS = """diebold_mariano_statistic diebold_mariano_p
    diebold_mariano_statistic_vs_ar diebold_mariano_p_vs_ar""".split()


def header(*scales):
    """The first line of benchmark_results.csv, which other programs read."""
    errors = [
        f"{scale}_{error}{whose}" for scale in scales for error in ERRORS for whose in ("", "_last_value")
    ]
    return ",".join([*RESULTS, *errors, *CALLS, *TESTS])


@pytest.mark.slow
def test_benchmark(run, tmp_path):
    result = run("benchmark", "--epochs", "2", "--hidden-size", "4", "--seq-len", "5", "--seeds", "2")
    assert result.status == 0, result.err
    assert sorted(files(tmp_path)) == ["benchmark_results.csv", "mamba_vs_mingru_comparison.png"]
    with (tmp_path / "benchmark_results.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert ",".join(rows[0]) == header("prices", "returns")
    assert [(row["model"], row["seed"]) for row in rows] == [
        ("min_gru", "0"), ("min_gru", "1"), ("mamba", "0"), ("mamba", "1")
    ]  # fmt: skip
    for row in rows:
        assert row["epochs"] == "2"
        for scale in ("prices", "returns"):
            for metric in ERRORS:
                assert np.isfinite(float(row[f"{scale}_{metric}"]))
                assert np.isfinite(float(row[f"{scale}_{metric}_last_value"]))
        for column in ("parameters", "seconds", "peak_memory_mib", "direction_base_rate"):
            assert float(row[column]) > 0
    table = pd.DataFrame(rows).astype({"returns_rmse": float})
    runs = 100 * table[table["model"] == "mamba"]["returns_rmse"]
    assert f"{runs.mean():.3f} ± {runs.std():.3f}" in result.out
    assert "last value" in result.out
    assert max(map(len, result.out.splitlines())) <= 110

    alone = Problem(length=5).dataset()
    settings = {"epochs": 2, "batch_size": 32, "loss": "mse", "max_norm": 1.0, "patience": 5, "lr": 1e-3}
    row, _ = run_one("min_gru", {"hidden_size": 4, "num_layers": 1}, 1, alone, settings)
    assert float(rows[1]["returns_rmse"]) == row["returns_rmse"]  # the same in a process of its own


@pytest.mark.slow
def test_benchmark_of_volatility(run, tmp_path):
    short = ["--epochs", "1", "--hidden-size", "4", "--seq-len", "5", "--seeds", "1"]
    result = run("benchmark", "--target", "volatility", "--models", "rnn,gru", *short)
    assert result.status == 0, result.err
    table = pd.read_csv(tmp_path / "benchmark_results.csv")
    data = Problem(predict="volatility", length=5).dataset()
    har = compare({}, data).loc["HAR", "values"]
    assert_in_table(result.out, ["HAR", *(f"{har[metric]:.4g}" for metric in ("MSE", "QLIKE"))])
    assert_in_table(result.out, ["gru", f"{table['values_mse'][1]:.4f}"])
    for column in ("values_qlike", "values_bias", "diebold_mariano_p_vs_har"):
        assert np.isfinite(table[column]).all()
    assert (tmp_path / "models_comparison.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.usefixtures("undrawn")
def test_the_volatility_of_a_file_of_closes(run, tmp_path):
    """Without high and low it is that of squared returns, and this is said; so are days that stand still."""
    days = pd.bdate_range("2020-01-01", periods=400)
    close = 50 * np.exp(np.cumsum(0.02 * np.random.default_rng(0).standard_normal(400)))
    close[7] = close[6]
    pd.DataFrame({"date": days, "close": close}).to_csv(tmp_path / "mine.csv", index=False)
    result = run("train", "--source", "mine.csv", "--target", "volatility", "--epochs", "1")
    assert result.status == 0, result.err
    assert "variance from squared returns)" in result.out
    assert "Days that moved less than 0.01% from close to close count as days of 0.01%: 2." in result.out
    assert "| HAR " in result.out


def test_every_seed_and_setting_of_a_run_counts():
    data = Problem("weather", length=3).dataset()
    settings = {"epochs": 2, "batch_size": 50, "loss": "mae", "max_norm": 0.5, "lr": 0.01}
    row, history = run_one("gru", {"hidden_size": 3}, 4, data, settings)
    model = SequenceModel("gru", 6, 3, 1, rng=4)
    assert fit(model, data.train, data.validation, rng=4, progress=False, **settings) == history
    scores = compare({"gru": one_step(model, data)}, data)
    for metric, name in (("MAE", "mae"), ("R²", "r2"), ("MASE", "mase")):
        assert row[f"values_{name}"] == scores.loc["gru", ("values", metric)]
        assert row[f"values_{name}_last_value"] == scores.loc["last value", ("values", metric)]
    assert row["diebold_mariano_p_vs_ar"] == scores.loc["gru", ("Diebold-Mariano", "p vs AR")]
    assert run_one("gru", {"hidden_size": 3}, 5, data, settings)[1] != history


def test_an_experiment_is_what_its_settings_say(tmp_path):
    problem = Problem("weather", length=3)
    settings = {"epochs": 2, "batch_size": 50, "loss": "mae", "max_norm": 0.5, "patience": 1}
    optimizer = {"kind": "sgd", "lr": 0.05, "momentum": 0.2}
    options = {"hidden_size": 3}
    model, data, history = experiment.train(
        problem, "rnn", options=options, optimizer=optimizer, settings=settings, seed=3, out=tmp_path
    )
    twin = SequenceModel("rnn", 6, 3, 1, rng=3)
    own = make_optimizer(twin.params, **optimizer)
    assert fit(twin, data.train, data.validation, optimizer=own, rng=3, progress=False, **settings) == history
    for name, p in twin.params.items():
        np.testing.assert_array_equal(model.params[name], p)
    low, high = error_bands(model, data, 3)
    table = experiment.future(model, data, 3)
    np.testing.assert_allclose(table["low"], table["forecast"] + low)
    np.testing.assert_allclose(table["high"], table["forecast"] + high)
    assert list(table.index) == list(pd.date_range("2016-01-01", periods=3))
    assert experiment.fingerprint(data) != experiment.fingerprint(
        Problem("weather", length=3, end="2015-12-30").dataset()
    )


def test_the_library_names_a_setting_by_its_own_name(tmp_path):
    problem, sizes = Problem("weather", length=3), {"hidden_size": 2}
    settings = {"epochs": 1, "max_norm": 1.0}
    optimizer = {"kind": "adam", "lr": 0.01}
    experiment.train(problem, "rnn", options=sizes, optimizer=optimizer, settings=settings, out=tmp_path)
    again = {"options": sizes, "optimizer": optimizer, "out": tmp_path, "resume": True}
    with pytest.raises(experiment.OtherSetting, match=r"is of a training with max_norm = 1.0, not 2.0: give"):
        experiment.train(problem, "rnn", settings=settings | {"max_norm": 2.0}, **again)


def test_bands_of_returns(tmp_path):
    problem = Problem(length=3)
    model = SequenceModel("rnn", 1, 3, 1, rng=0)
    table = experiment.future(model, problem.dataset(), 2)
    low, high = error_bands(model, problem.dataset(), 2)
    np.testing.assert_allclose(table["low"], table["forecast"] * np.exp(low))
    np.testing.assert_allclose(table["high"], table["forecast"] * np.exp(high))
    assert (table["low"] < table["forecast"]).all()
    assert (table["forecast"] < table["high"]).all()


def test_benchmark_counts_who_is_better(capsys):
    rows = []
    for seed, (statistic, p) in enumerate([(-3, 0.01), (-3, 0.001), (3, 0.02), (-1, 0.4)]):
        row = {
            "model": "gru",
            "seed": seed,
            "parameters": 5,
            "seconds": 1.0 + seed,
            "peak_memory_mib": np.nan,
        }
        row |= {f"values_{metric}": 2.0 for metric in ("rmse", "mae", "r2")} | {"direction_accuracy": 0.5}
        row |= {"diebold_mariano_statistic": statistic, "diebold_mariano_p": p}
        rows.append(row | {"diebold_mariano_statistic_vs_ar": -statistic, "diebold_mariano_p_vs_ar": p})
    data = Problem("weather").dataset()
    tables.show_benchmark(pd.DataFrame(rows), compare({}, data), data)
    text = capsys.readouterr().out
    assert re.search(r"\| gru +\| +2 \| +1 \| +1 \| +2 \|", text)
    assert "| gru   |          5 | 2.500 ± 1.291 |        - |" in text


@pytest.mark.usefixtures("undrawn")
def test_benchmark_trains_all_epochs_and_patience_stops(run, tmp_path):
    still = [
        "--models",
        "rnn",
        "--hidden-size",
        "2",
        "--seq-len",
        "2",
        "--lr",
        "1e-12",
        "--seeds",
        "1",
        "--epochs",
        "8",
    ]
    for patience, epochs in (([], 8), (["--patience", "2"], 3)):
        assert run("benchmark", *still, *patience).status == 0
        assert pd.read_csv(tmp_path / "benchmark_results.csv")["epochs"].tolist() == [epochs]


@pytest.mark.usefixtures("undrawn")
def test_a_price_below_zero_does_not_cost_the_tables(run, tmp_path):
    days = pd.bdate_range("2020-01-01", periods=200)
    fall = np.linspace(200, 0.5, 200) + 0.01 * np.sin(np.arange(200))
    pd.DataFrame({"date": days, "close": fall}).to_csv(tmp_path / "fall.csv", index=False)
    small = [
        "--target",
        "price",
        "--source",
        "fall.csv",
        "--seq-len",
        "5",
        "--hidden-size",
        "4",
        "--epochs",
        "2",
    ]
    result = run("benchmark", "--models", "rnn", *small, "--seeds", "1")
    assert result.status == 0, result.err
    assert run("train", *small).status == 0
    assert "FALL (file fall.csv" in result.out  # the name of the file, not AAPL's


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(
    ("command", "figure", "file", "heading"),
    [
        (["train"], "forecast_figure", "rnn_rnn_forecast.png", "Errors: log returns"),
        (
            ["forecast", "rnn_rnn_best.safetensors"],
            "future_figure",
            "rnn_rnn_future.png",
            "The last value is 56.14",
        ),
        (
            ["benchmark", "--models", "rnn", "--seeds", "1"],
            "benchmark_figure",
            "models_comparison.png",
            "The training's cost",
        ),
    ],
)
@pytest.mark.parametrize(
    ("failure", "says"),
    [
        (OSError("no figure today"), "{}: cannot be written: no figure today"),
        (OSError(errno.ENOSPC, "No space left on device"), "{}: cannot be written: No space left on device"),
        (RuntimeError("no letters"), "{} could not be drawn: no letters"),
        (ZeroDivisionError(), "{} could not be drawn: ZeroDivisionError"),
        (TypeError("one\ntwo"), "{} could not be drawn: one two"),
    ],
)
def test_a_figure_that_fails_costs_the_figure_alone(
    run, tmp_path, monkeypatch, command, figure, file, heading, failure, says
):
    small = ["--epochs", "1", "--hidden-size", "2", "--seq-len", "3"]
    assert run("train", *small).status == 0

    def fail(*arguments, **options):
        raise failure

    monkeypatch.setattr(figures, figure, fail)
    result = run(*command, *(small if command[0] != "forecast" else []))
    assert (result.status, result.err.splitlines()[-1]) == (2, f"rnnlib: {says.format(file)}")
    assert heading in result.out
    assert not list(tmp_path.glob(".*"))  # nothing temporary is left
    if command[0] == "train":
        assert "Wrote rnn_rnn_best.safetensors" in result.out
        experiment.load(tmp_path / "rnn_rnn_best.safetensors")


@pytest.mark.usefixtures("undrawn")
def test_numbers_survive_a_narrow_terminal(run, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    result = run("train", "--epochs", "1")
    assert "…" not in result.out


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_benchmark_of_other_models(run, tmp_path):
    arguments = ["--models", "rnn, gru", "--data", "weather", "--epochs", "1", "--seeds", "1", "--jobs", "1"]
    result = run("benchmark", *arguments)
    assert result.status == 0, result.err
    assert sorted(files(tmp_path)) == ["benchmark_results.csv", "models_comparison.png"]
    assert (tmp_path / "benchmark_results.csv").read_text("utf-8").splitlines()[0] == header("values")


def test_tasks(run, tmp_path):
    small = ["--hidden-size", "16", "--length", "8", "--seeds", "1"]
    result = run("tasks", "adding", "--models", "gru,rnn", "--lr", "0.01", "--steps", "1500", *small)
    assert result.status == 0, result.err
    assert re.search(r"\| gru +\| +\d+ \| 1 of 1 ", result.out)
    assert not list(tmp_path.iterdir())
    for task in ("copying", "induction", "sine"):
        result = run("tasks", task, "--models", "min_gru", "--steps", "50", *small)
        assert result.status == 0, result.err
        assert "0 of 1" in result.out  # 50 steps do not suffice, and it says so


def test_text(run, tmp_path, monkeypatch):
    *letters, alphabet = text.parts()
    monkeypatch.setattr(text, "parts", lambda: (*(part[:2000] for part in letters), alphabet))
    monkeypatch.setattr(text, "STEPS", 3)
    monkeypatch.setitem(text.train.__kwdefaults__, "epochs", 1)
    result = run("text", "--models", "rnn", "--out", "novel")
    assert result.status == 0, result.err
    assert [file.name for file in (tmp_path / "novel").iterdir()] == ["text_rnn.safetensors"]
    _, extra = checkpoint.load(tmp_path / "novel" / "text_rnn.safetensors")
    assert_in_table(result.out, ["rnn", f"{extra['bits']:.2f}", "42187"])
    assert_in_table(result.out, ["counting, 1 letter before", f"{text.bits_by_counting(1):.2f}"])


def test_a_task_gives_the_same_figures_in_any_process():
    settings = {"T": 6, "steps": 100, "batch_size": 16, "lr": 0.01}
    options = {"gru": {"hidden_size": 4, "num_layers": 1}}
    table = tasks.compare("adding", options, 2, jobs=2, **settings)
    for seed in (0, 1):
        row = tasks.solve(tasks.TASKS["adding"], "gru", options["gru"], seed, **settings)
        for name in ("score", "solved", "steps", "parameters"):
            assert table.loc[("gru", seed), name] == row[name]
    assert table["score"].nunique() == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "--model", "transformer"], "unknown model 'transformer': choose one of rnn"),
        (["train", "--symbol", "MSFT"], "the only symbol is AAPL"),
        (["train", "--lr", "0"], "lr must be above 0"),
        (["train", "--lr", "nan"], "lr must be above 0"),
        (["train", "--lr", "inf"], "lr must be above 0 and finite"),
        (["train", "--clip", "nan"], "--clip must be above 0"),
        (["train", "--start", "nat"], "cannot read the date 'nat'"),
        (["train", "--epochs", "0"], "Invalid value for '--epochs'"),
        (["train", "--epochs", "many"], "Invalid value for '--epochs'"),
        (["train", "--seq-len", "5000"], "too few for windows of 5000 days"),
        (["train", "--start", "2013-02-20"], "8 days are too few for windows of 30 days and three parts"),
        (["train", "--start", "2013-03-01"], "1 days are too few for windows of 30 days"),
        (["train", "--start", "2013-01-10"], "training days are too few"),
        (
            ["train", "--start", "2013-02-20", "--seq-len", "1"],
            "a test part with 1 measured steps is too short",
        ),
        (["forecast", "file.txt", "--days", "1000000000"], "Invalid value for '--days'"),
        (["train", "--data", "weather", "--end", "2014-06-01"], "the test part begins on 2015-01-01, but"),
        (["train", "--start", "yesterday"], "cannot read the date"),
        (["train", "--out", "file.txt"], "cannot write into the folder file.txt: "),
        (["train", "--start", "02/03/2005"], "cannot read the date '02/03/2005': write it as 2005-12-31"),
        (["train", "--features", "close,colour"], "there is no column 'colour': choose from open"),
        (["train", "--features", ","], "at least one feature"),
        (["train", "--target", "up"], "unknown target 'up': choose return, price or volatility"),
        (["train", "--data", "weather", "--target", "price"], "--target belongs to stocks, not to weather"),
        (["train", "--data", "gold"], "unknown data 'gold'"),
        (["train", "--data", "traffic", "--symbol", "AAPL"], "belongs to stocks, not to traffic"),
        (["train", "--data", "weather", "--start", "2015-02-01"], "the test part begins on 2015-01-01, but"),
        (["train", "--optimizer", "adan"], "unknown optimizer 'adan': choose one of sgd, rmsprop, adam"),
        (["train", "--momentum", "0.9"], "--momentum belongs to sgd, not to adam"),
        (["train", "--optimizer", "sgd", "--weight-decay", "1"], "--weight-decay belongs to adam"),
        (["train", "--loss", "hinge"], "unknown loss 'hinge'"),
        (["train", "--state-size", "8"], "--state-size belongs to mamba, not to rnn"),
        (["train", "--source", "missing.csv"], "missing.csv"),
        (["train", "--source", "file.txt"], "file.txt"),
        (["train", "--speed"], "No such option: --speed"),
        (["benchmark", "--models", "mamba,mamba2"], "unknown model 'mamba2': choose from rnn"),
        (["train", "--data", "weather", "--target", "volatility"], "--target belongs to stocks"),
        (["train", "--relative"], "--relative is for a level that shifts: a return has none"),
        (["benchmark", "--models", ""], "no model is named"),
        (["text", "--models", ","], "no model is named"),
        (
            ["benchmark", "--models", "rnn", "--kernel-size", "3"],
            "--kernel-size belongs to mamba, not to rnn",
        ),
        (["benchmark", "--lr", "-1", "--seeds", "1"], "lr must be above 0"),
        (["text", "--models", "rnn,poet"], "unknown model 'poet': choose from rnn, lstm, gru, min_gru"),
        (["tasks", "juggling"], "unknown task 'juggling': choose one of adding, copying, induction, sine"),
        (["tasks", "copying", "--length", "3", "--seeds", "1"], "4 tokens do not fit into T=3 steps"),
        (["evaluate", "missing.safetensors"], "there is no file missing.safetensors"),
        (["evaluate", "file.txt"], "file.txt is damaged, or was not written by rnnlib"),
        (["forecast", "file.txt", "--days", "0"], "Invalid value for '--days'"),
        (["forecast", "file.txt"], "file.txt is damaged, or was not written by rnnlib"),
        (["tarin"], "No such command 'tarin'"),
        (["release"], "no notebooks in labs_solutions/"),
    ],
)
def test_bad_input_is_one_line_and_status_2(run, tmp_path, arguments, message):
    (tmp_path / "file.txt").write_text("mine")
    result = run(*arguments)
    assert result.status == 2
    last = result.err.splitlines()[-1]  # benchmark and tasks show their progress first
    assert message in last
    assert last.startswith("rnnlib: ")
    if arguments[0] == "train":
        assert len(result.err.splitlines()) == 1
    assert "Traceback" not in result.err
    assert "Warning" not in result.err
    assert [file.name for file in tmp_path.iterdir()] == ["file.txt"]
    assert (tmp_path / "file.txt").read_text() == "mine"


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop"])
@pytest.mark.parametrize("rate", ["1e25", "1e300"])
def test_a_training_that_diverges_says_what_to_try(run, tmp_path, optimizer, rate):
    """Whether it overflows to NaN or to infinity, and where, depends on the processor."""
    options = ["--hidden-size", "2", "--seq-len", "3", "--epochs", "3", "--clip", "inf"]
    result = run("train", "--optimizer", optimizer, "--lr", rate, *options)
    assert result.status == 2
    last = result.err.splitlines()[-1]
    assert re.fullmatch(
        r"rnnlib: the (validation loss|loss|gradient's norm) is (nan|inf) (in|after) epoch \d(, step \d+)?: "
        rf"try a smaller learning rate than {re.escape(str(float(rate)))}, or look for NaN in the data",
        last,
    ), last
    assert "Warning" not in result.err


@pytest.mark.usefixtures("undrawn")
def test_a_checkpoint_of_another_kind_is_refused(run, tmp_path):
    from rnnlib import SequenceModel

    checkpoint.save(tmp_path / "own.safetensors", SequenceModel("rnn", 1, 2, 1, rng=0))
    assert run("train", "--epochs", "1").status == 0
    for file, message in (
        ("own.safetensors", "was not written by the command train"),
        ("rnn_rnn_last.safetensors", "holds a training to resume, not a model"),
    ):
        result = run("evaluate", file)
        assert result.status == 2
        assert message in result.err
        assert len(result.err.splitlines()) == 1


def test_help_teaches(run):
    for arguments in ([], ["--help"]):
        text = run(*arguments).out
        for command in ("train", "benchmark", "evaluate", "forecast", "data", "tasks", "release", "speed"):
            assert re.search(rf"^  {command} ", text, re.M), command
    text = run("train", "--help").out
    assert "--hidden-size" in text
    assert "train --model mamba --hidden-size 128" in text


def test_data_shows_what_is_there(run, tmp_path, monkeypatch):
    monkeypatch.setenv("RNNLIB_CACHE", str(tmp_path / "cache"))
    result = run("data")
    assert result.status == 0, result.err
    assert "AAPL" in result.out
    assert str(tmp_path / "cache") in result.out


@pytest.mark.usefixtures("undrawn")
def test_fetched_prices_train_without_a_network(run, tmp_path, monkeypatch):
    days = pd.bdate_range("2024-01-01", "2026-11-20")
    close = list(50 * np.exp(np.cumsum(0.02 * np.random.default_rng(0).standard_normal(len(days)))))
    columns = {name: close for name in ("open", "high", "low", "close", "adjclose")}
    answer = fake_yahoo.chart(days, symbol="MSFT", volume=[1000.0] * len(days), **columns)
    monkeypatch.setenv("RNNLIB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(yahoo, "_now", lambda: fake_yahoo.NOW)
    with fake_yahoo.FakeYahoo((200, answer)) as server:
        monkeypatch.setattr(yahoo, "SERVER", server.base)
        fetch = run("data", "msft")
    assert fetch.status == 0, fetch.err
    assert "MSFT, Yahoo Finance, fetched 2026-11-22" in fetch.out
    assert f"| 2026-11-20 | {close[-1]:.4g} " in fetch.out
    assert "| MSFT " in run("data").out
    options = ["--epochs", "1", "--features", "close,volume,high,low"]
    result = run("train", "--symbol", "MSFT", "--source", "yahoo", *options)
    assert result.status == 0, result.err
    assert "MSFT (Yahoo Finance, fetched" in result.out
    assert run("evaluate", "rnn_rnn_best.safetensors").status == 0
    other = run("train", "--symbol", "IBM", "--source", "yahoo")  # the server is gone
    assert other.status == 2
    assert "cannot reach Yahoo Finance" in other.err


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_output_survives_an_old_console(run, monkeypatch, encoding):
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, io.TextIOWrapper(io.BytesIO(), encoding))
    assert run("train", "--epochs", "1", "--data", "weather").status == 0
    sys.stdout.flush()
    assert b"Best epoch" in sys.stdout.buffer.getvalue()


@pytest.mark.parametrize("module", ["rnnlib", "rnnlib.checks"])
def test_import_needs_numpy_alone(module):
    code = f"import sys, {module}; print(*{{name.split('.')[0] for name in sys.modules}})"
    result = subprocess.run(
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
    assert heavy.isdisjoint(result.stdout.split())


LONG = [
    "train",
    "--model",
    "gru",
    "--hidden-size",
    "4",
    "--seq-len",
    "5",
    "--epochs",
    "40",
    "--patience",
    "40",
]


SHORT = [*LONG[:-4], "--epochs", "2"]


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_resume_goes_on_with_the_same_training_alone(run, tmp_path):
    assert run(*SHORT).status == 0
    before = files(tmp_path)
    for change, message in (
        (["--hidden-size", "5"], "is of a training with hidden_size = 4, not 5"),
        (["--lr", "0.1"], "is of a training with lr = 0.001, not 0.1"),
        (["--seed", "1"], "is of a training with seed = 0, not 1"),
        (["--features", "close,high"], "is of a training with features = ['close'], not"),
        (["--start", "2001-01-01"], "is of a training with start = None, not 2001-01-01"),
        (["--seq-len", "6"], "is of a training with seq_len = 5, not 6"),
        (["--clip", "2"], "is of a training with clip = 1.0, not 2.0"),
        (["--weight-decay", "0.1"], "is of a training with weight_decay = 0.0, not 0.1"),
        (["--optimizer", "sgd"], "is of a training with optimizer = adam, not sgd"),
    ):
        result = run(*SHORT, *change, "--epochs", "3", "--resume")
        assert result.status == 2
        assert message in result.err
        assert len(result.err.splitlines()) == 1
        assert files(tmp_path) == before
    (tmp_path / "rnn_lstm_last.safetensors").write_bytes(before["rnn_gru_last.safetensors"])
    result = run("train", "--model", "lstm", *SHORT[3:], "--resume")
    assert "is of a training with model = gru, not lstm" in result.err
    longer = run(*SHORT, "--weight-decay", "0", "--epochs", "3", "--resume")  # more epochs are welcome
    assert "of 3." in longer.out
    assert run(*SHORT, "--epochs", "3", "--out", "once").status == 0
    last = tmp_path / "rnn_gru_last.safetensors"
    assert (tmp_path / "once" / last.name).read_bytes() == last.read_bytes()
    last.write_bytes(b"damaged")
    result = run(*SHORT, "--resume")
    assert result.status == 2
    assert "is damaged" in result.err
    assert last.read_bytes() == b"damaged"


@pytest.mark.usefixtures("undrawn")
def test_options_left_out_at_a_resume_are_noticed(run, tmp_path):
    options = ["train", "--model", "mamba", "--hidden-size", "2", "--seq-len", "2", "--epochs", "1"]
    special = ["--state-size", "2", "--optimizer", "sgd", "--momentum", "0.5"]
    assert run(*options, *special).status == 0
    assert run(*options, *special, "--resume").status == 0
    for gap, message in (
        (slice(0, 2), "state_size = 2, not None"),
        (slice(4, 6), "momentum = 0.5, not 0.9"),
    ):
        fewer = special.copy()
        del fewer[gap]
        result = run(*options, *fewer, "--epochs", "2", "--resume")
        assert result.status == 2
        assert f"is of a training with {message}" in result.err


@pytest.mark.usefixtures("undrawn")
def test_resume_without_a_file_begins_and_says_so(run, tmp_path):
    result = run(*SHORT, "--resume", "--out", "new")
    assert result.status == 0
    assert "last.safetensors to resume from: this training began with the first epoch" in result.out
    assert "earlier" not in result.out
    assert "The files replace those of an earlier gru" in run(*SHORT, "--out", "new").out
    assert "earlier" not in run(*SHORT, "--resume", "--out", "new").out


@pytest.mark.usefixtures("undrawn")
def test_resume_notices_changed_data(run, tmp_path):
    days = pd.bdate_range("2020-01-01", periods=200)
    close = 50 * np.exp(np.cumsum(0.02 * np.random.default_rng(0).standard_normal(200)))
    table = pd.DataFrame({"date": days, "close": close})
    table.to_csv(tmp_path / "mine.csv", index=False)
    arguments = ["train", "--source", "mine.csv", "--epochs", "2"]
    assert run(*arguments).status == 0
    table.loc[100, "close"] *= 1.01
    table.to_csv(tmp_path / "mine.csv", index=False)
    result = run(*arguments, "--resume")
    assert result.status == 2
    assert "the data have changed since" in result.err


@pytest.mark.slow
def test_ctrl_c_stops_in_one_line_and_keeps_the_files(tmp_path, ctrl_c):
    process = start(*SHORT, "--epochs", "1000", "--patience", "1000", folder=tmp_path)
    end = time.monotonic() + 300
    while not (tmp_path / "rnn_gru_best.safetensors").exists() and time.monotonic() < end:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    assert errors.decode().endswith("Stopped.\n")
    assert b"Traceback" not in errors
    checkpoint.load(tmp_path / "rnn_gru_best.safetensors")
    checkpoint.load_training(tmp_path / "rnn_gru_last.safetensors")


def test_a_model_that_cannot_run_is_refused_before_another_is_trained(run, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    several = ["--models", "lstm,optimized_lstm"]
    for arguments in (["benchmark", *several], ["tasks", *several], ["train", "--model", "optimized_lstm"]):
        result = run(*arguments)
        assert result.status == 2
        assert result.err == 'rnnlib: optimized_lstm needs PyTorch: pip install "rnnlib[torch]"\n'
    assert files(tmp_path) == {}
