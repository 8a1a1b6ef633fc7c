"""The experiment guide: its commands as people type them, and the built page (``jupyter-book build .``)."""

import re
import shlex
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure
from typer.testing import CliRunner

from rnnlib.commands import main as cli
from rnnlib.tests.test_lstm_chapter import number, rows

PAGE = "book/appendix/experiments.html"
TEXT = (Path(__file__).parents[2] / "book" / "appendix" / "experiments.md").read_text(encoding="utf-8")
COMMANDS = dict.fromkeys(re.findall(r"python -m rnnlib ([^`\n{}]+)(?=[`\n])", TEXT))

#: Makes a moment's training of one of minutes: of an option that is given twice, the last counts.
SMALL = {
    "train": "--epochs 1 --hidden-size 2 --seq-len 5 --end 2000-12-29",
    "benchmark": "--epochs 1 --hidden-size 2 --seq-len 5 --seeds 1 --jobs 1 --end 2000-12-29",
    "tasks": "--models rnn --length 5 --hidden-size 2 --steps 1 --seeds 1 --jobs 1",
}


def table(page, row):
    """The table that has a row of this name: name -> texts of the cells."""
    name = page.locator("tbody th", has_text=re.compile(f"^{row}$"))
    return {
        line.locator("th").first.inner_text(): line.locator("td").all_inner_texts()
        for line in page.locator("article table", has=name).first.locator("tbody tr").all()
    }


@pytest.fixture
def type_in(tmp_path, monkeypatch):
    """Type a command in an empty folder. Figures are made, but not drawn."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Figure, "savefig", lambda figure, path, **options: Path(path).touch())

    def command(line):
        return CliRunner().invoke(cli.app, shlex.split(line), catch_exceptions=False)

    return command


def runs(line):
    """Whether a command can be run here: without a network, and not only named."""
    needs_torch = "optimized_lstm" in line and find_spec("torch") is None
    return line.split()[0] in SMALL and "yahoo" not in line and " " in line and not needs_torch


@pytest.mark.parametrize("line", [line for line in COMMANDS if runs(line)])
def test_each_command_does_what_the_guide_says(type_in, tmp_path, line):
    small = SMALL[line.split()[0]]
    if "weather" in line:
        small = small.replace("--end 2000-12-29", "--start 2014-06-01")
    result = type_in(f"{line} {small}")
    assert result.exit_code == 0, result.output
    written = {path.name for path in tmp_path.iterdir()}
    if line.startswith("train"):
        model = re.search(r"--model (\w+)", line)[1]
        assert f"rnn_{model}_best.safetensors" in written
    elif line.startswith("benchmark"):
        models = re.search(r"--models (\S+)", line)[1].split(",")
        assert "benchmark_results.csv" in written
        assert ("mamba_vs_mingru_comparison.png" in written) == ({"min_gru", "mamba"} <= set(models))
    assert ("HAR" in result.output) == ("volatility" in line)


@pytest.mark.parametrize("line", COMMANDS)
def test_each_command_has_options_that_there_are(type_in, line):
    assert type_in(f"{line} --help").exit_code == 0


@pytest.mark.parametrize("kind", ["min_gru", "lstm"])
def test_what_was_trained_is_judged_and_goes_on(type_in, tmp_path, kind):
    assert type_in(f"train --model {kind} {SMALL['train']}").exit_code == 0
    lines = [line for line in COMMANDS if f"rnn_{kind}_best" in line]
    assert lines
    for line in lines:
        assert type_in(line).exit_code == 0


def test_a_saved_model_is_judged_on_days_that_its_student_never_had(type_in):
    """As those do who set a project: train on a file that ends early, evaluate on the whole one."""
    from rnnlib.data import prices

    frame = prices.load("AAPL", end="2001-12-31")[["close"]]
    frame[:"2000-12-31"].to_csv("short.csv")
    frame.to_csv("whole.csv")
    small = "--epochs 1 --hidden-size 2 --seq-len 5"
    assert type_in(f"train --model gru --source short.csv {small}").exit_code == 0
    line = next(line for line in COMMANDS if "whole.csv" in line)
    result = type_in(line)
    assert result.exit_code == 0
    assert "2001-12-31" in result.output


def test_a_request_to_yahoo_asks_for_what_was_typed(type_in, monkeypatch):
    """The one part that needs a network is replaced; the rest is the command."""
    from rnnlib.data import prices, yahoo

    asked = []

    def history(symbol, start, end, refresh=False, columns=None):
        asked.append((symbol, str(start)[:10], str(end)[:10]))
        frame = prices.load("AAPL")
        return frame, frame.attrs["origin"]

    monkeypatch.setattr(yahoo, "history", history)
    lines = [line for line in COMMANDS if "yahoo" in line or line.startswith("data")]
    for line in lines:
        monkeypatch.setattr("rnnlib.data.prices.between", lambda frame, start, end: frame)
        assert type_in(f"{line} {SMALL.get(line.split()[0], '')}").exit_code == 0
    assert ("AAPL", "2010-01-01", "2023-12-31") in asked
    assert {symbol for symbol, _, _ in asked} == {"AAPL", "GOOGL", "MSFT"}


def test_options_named_on_the_page_are_options_of_train(type_in):
    known = set(re.findall(r"--[a-z-]+", type_in("train --help").output))
    named = set(re.findall(r'^    \("(--[a-z-]+)"', TEXT, re.M))
    assert len(named) >= 14
    assert named <= known


def test_the_log_adds_a_line_for_each_training(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = re.search(r"```python\n(from datetime.*?)```", TEXT, re.S)[1]
    for _ in range(2):
        exec(code, {})
    lines = pd.read_csv("log.csv")
    assert len(lines) == 2
    assert list(lines.columns[:3]) == ["date", "rnnlib", "model"]


@pytest.mark.slow
def test_questions_exercises_and_pictures_are_there(visit):
    page = visit(PAGE)
    assert page.locator(".quiz").count() == 3
    assert page.locator(".exercise[id]").count() == page.locator(".solution").count() == 4
    for name in ("seeds", "best", "series", "one-thing", "level"):
        assert page.locator(f"[id='experiments-figure-{name}']").count() == 1


@pytest.mark.slow
def test_more_seeds_can_tell(visit):
    figure = visit(PAGE).locator("[id='experiments-figure-seeds']")
    slider, told = figure.locator("input[type=range]"), []
    for place in range(6):
        slider.fill(str(place))
        title = figure.locator(".explore-frame:visible svg").text_content()
        told.append(int(re.search(r"(\d+) of 20 can tell", title)[1]))
    assert told[0] < 6
    assert told[-1] > 17


@pytest.mark.slow
def test_the_usual_values_are_those_of_the_commands(visit, type_in):
    usual = table(visit(PAGE), "--seq-len")
    help_text = " ".join(re.sub(r"[│|╭╮╰╯─]", " ", type_in("train --help").output).split())
    for option in ("--seq-len", "--hidden-size", "--lr", "--batch-size", "--epochs", "--patience"):
        assert re.search(rf"{option} .{{0,150}}?\[default: {re.escape(usual[option][0])}\b", help_text), (
            option
        )
    assert 1.3 < float(usual["--seq-len"][-1]) < 3  # a clock


@pytest.mark.slow
def test_half_a_difference_takes_four_times_the_seeds(visit):
    seeds = {name: values[0] for name, values in rows(visit(PAGE), "Δ = 1 s").items()}
    assert seeds["Δ = 1 s"] == 17
    assert 3.5 < seeds["Δ = 0.5 s"] / seeds["Δ = 1 s"] < 4.5


@pytest.mark.slow
def test_the_study_finds_the_level_and_ties_with_its_rival(visit):
    final = table(visit(PAGE), "GRU, absolute")
    error = {name: number(cells[0]) for name, cells in final.items()}
    bias = {name: number(cells[2].replace("−", "-")) for name, cells in final.items()}
    for model in ("RNN", "LSTM", "GRU"):
        assert error[f"{model}, relative"] < error[f"{model}, absolute"] - 0.05
        assert bias[f"{model}, absolute"] < -0.2
        assert abs(bias[f"{model}, relative"]) < 0.1
        assert abs(error[f"{model}, relative"] - error["HAR"]) < 0.05
    assert error["last value"] > error["HAR"] + 0.2
