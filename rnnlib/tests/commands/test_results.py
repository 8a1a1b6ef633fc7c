"""What was computed is shown and kept, whatever becomes of a picture, a name or a disk."""

import errno
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from rnnlib.commands import tables
from rnnlib.forecasting import experiment
from rnnlib.training import checkpoint, text

SMALL = ["--epochs", "1", "--seq-len", "3", "--hidden-size", "2"]


def write_prices(path, seed=0, factor=1.0, n=120):
    days = pd.bdate_range("2024-01-01", periods=n)
    close = factor * 100 * np.exp(np.cumsum(0.02 * np.random.default_rng(seed).standard_normal(n)))
    pd.DataFrame({"date": days, "close": close}).to_csv(path, index=False)


#: Names of files on every system, and what the table calls them.
NAMES = {
    "CA$$H": "CA$$H",
    "US$_CA$": "US$_CA$",
    "中文": "中文",
    "[red]x[red]": "[RED]X[RED]",
    "%d{x}": "%D{X}",
    "_hidden": "_HIDDEN",
    "Größe ß": "GRÖSSE SS",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_file_may_be_called_anything(run, tmp_path, name):
    write_prices(tmp_path / f"{name}.csv")
    result = run("train", "--source", f"{name}.csv", *SMALL)
    assert result.status == 0, result.err
    assert f"{NAMES[name]} (file {name}.csv" in result.out
    assert "| rnn " in result.out
    assert "Warning" not in result.err
    assert "Glyph" not in result.err
    assert (tmp_path / "rnn_rnn_forecast.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such names")
@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"two\nlines", "two lines"),
        (b"esc\x1b[31m", "esc\N{REPLACEMENT CHARACTER}[31m"),
        pytest.param(
            b"bad\xff",
            "bad\N{REPLACEMENT CHARACTER}",
            marks=pytest.mark.skipif(sys.platform == "darwin", reason="macOS has no such names"),
        ),
    ],
)
def test_a_name_of_other_characters_stays_in_its_line(run, tmp_path, name, shown):
    source = os.fsdecode(name + b".csv")
    write_prices(tmp_path / source)
    result = run("train", "--source", source, *SMALL)
    assert result.status == 0, result.err
    assert f"(file {shown}.csv, taken as adjusted), one step ahead" in result.out
    assert run("evaluate", "rnn_rnn_best.safetensors").status == 0  # the path is kept as it is
    result = run("train", "--source", f"no {source}", *SMALL)
    assert result.status == 2
    assert result.err.startswith("rnnlib: no file ")
    assert f"no {shown}.csv: the source is" in result.err
    assert len(result.err.splitlines()) == 1


def test_a_cell_is_no_markup(capsys):
    cells = ["[red]x[/red]", ":smile:", "[link=x]y", "[/]", "a\nb", "\x1b[31m"]
    tables.show("title", ["name"], [[cell] for cell in cells])
    shown = capsys.readouterr().out
    for cell in [*cells[:4], "a b", "\N{REPLACEMENT CHARACTER}[31m"]:
        assert re.search(rf"^\| {re.escape(cell)} +\|$", shown, re.M), cell


@pytest.mark.parametrize(("option", "value"), [("--source", ""), ("--symbol", ""), ("--source", " ")])
def test_an_empty_word_is_no_choice(run, tmp_path, option, value):
    """As of a variable that is not set: --source "$FILE"."""
    result = run("train", option, value, *SMALL)
    assert result.status == 2
    assert result.err == f"rnnlib: the {option[2:]} is empty: name one, or leave it out\n"
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("undrawn")
def test_an_empty_source_is_not_that_of_then(run, tmp_path):
    assert run("train", *SMALL).status == 0
    for command in ("evaluate", "forecast"):
        result = run(command, "rnn_rnn_best.safetensors", "--source", "")
        assert (result.status, result.err) == (2, "rnnlib: the source is empty: name one, or leave it out\n")


@pytest.mark.parametrize(
    ("command", "picture", "heading"),
    [
        (["train", *SMALL], "rnn_rnn_forecast.png", "Errors: log returns"),
        (["forecast", "rnn_rnn_best.safetensors"], "rnn_rnn_future.png", "The last value is 56.14"),
        (
            ["benchmark", "--models", "rnn", "--seeds", "1", *SMALL],
            "models_comparison.png",
            "The training's cost",
        ),
    ],
)
def test_a_folder_in_the_place_of_the_picture_costs_the_picture_alone(
    run, tmp_path, monkeypatch, command, picture, heading
):
    with monkeypatch.context() as patch:
        patch.setattr(Figure, "savefig", lambda figure, path, **options: open(path, "wb").close())
        assert run("train", *SMALL).status == 0
    shutil.rmtree(tmp_path / picture, ignore_errors=True)
    (tmp_path / picture).unlink(missing_ok=True)
    (tmp_path / picture).mkdir()
    result = run(*command)
    assert result.status == 2
    last = result.err.splitlines()[-1]
    assert last.startswith(f"rnnlib: {picture}: cannot be written: "), last
    assert heading in result.out
    assert not list(tmp_path.glob(".*"))
    experiment.load(tmp_path / "rnn_rnn_best.safetensors")
    if command[0] == "benchmark":
        assert len(pd.read_csv(tmp_path / "benchmark_results.csv")) == 1


def test_a_folder_that_vanishes_costs_the_picture_alone(run, tmp_path, monkeypatch):
    def vanish(figure, path, **options):
        shutil.rmtree(tmp_path / "out")
        open(path, "wb").close()

    monkeypatch.setattr(Figure, "savefig", vanish)
    result = run("train", *SMALL, "--out", "out")
    assert result.status == 2
    assert "Errors: log returns" in result.out
    picture = os.path.join("out", "rnn_rnn_forecast.png")
    assert result.err.splitlines()[-1].startswith(f"rnnlib: {picture}: cannot be written: No such file")


@pytest.mark.usefixtures("undrawn")
def test_tables_are_shown_though_the_csv_file_cannot_be_written(run, tmp_path):
    (tmp_path / "benchmark_results.csv").mkdir()
    result = run("benchmark", "--models", "rnn", "--seeds", "1", *SMALL)
    assert result.status == 2
    assert result.err.splitlines()[-1].startswith("rnnlib: benchmark_results.csv: cannot be written: ")
    assert "The training's cost" in result.out


def test_the_table_of_text_is_shown_though_a_model_cannot_be_written(run, tmp_path, monkeypatch):
    *letters, alphabet = text.parts()
    monkeypatch.setattr(text, "parts", lambda: (*(part[:2000] for part in letters), alphabet))
    monkeypatch.setattr(text, "STEPS", 2)
    monkeypatch.setitem(text.train.__kwdefaults__, "epochs", 1)
    (tmp_path / "text_rnn.safetensors").mkdir()
    result = run("text", "--models", "rnn")
    assert result.status == 2
    assert result.err.splitlines()[-1].startswith("rnnlib: text_rnn.safetensors: cannot be written: ")
    assert re.search(r"\| rnn +\| +\d", result.out)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EIO])
def test_a_full_disk_names_the_file(run, tmp_path, monkeypatch, code):
    """As write() fails, without a name: on the picture, and on the weights."""

    def full(figure, path, **options):
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr(Figure, "savefig", full)
        result = run("train", *SMALL)
    says = f"rnnlib: rnn_rnn_forecast.png: cannot be written: {os.strerror(code)}"
    assert (result.status, result.err.splitlines()[-1]) == (2, says)
    assert "Errors: log returns" in result.out
    before = (tmp_path / "rnn_rnn_best.safetensors").read_bytes()

    def fsync(descriptor):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fsync)
    result = run("train", *SMALL)
    says = f"rnnlib: rnn_rnn_last.safetensors: cannot be written: {os.strerror(code)}"
    assert (result.status, result.err.splitlines()[-1]) == (2, says)
    assert (tmp_path / "rnn_rnn_best.safetensors").read_bytes() == before
    assert not list(tmp_path.glob(".*"))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows sets no limit to a file's size")
def test_a_file_that_may_grow_no_further_is_named(tmp_path):
    """What a quota does: weights of 3 KiB fit, a picture of 100 does not."""
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (60000, 60000)); "
        f"sys.argv = ['rnnlib', 'train', *{SMALL!r}]; from rnnlib.commands.main import main; main()"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 2
    assert result.stderr.splitlines()[-1] == (
        f"rnnlib: rnn_rnn_forecast.png: cannot be written: {os.strerror(errno.EFBIG)}"
    )
    assert "Errors: log returns" in result.stdout
    checkpoint.load(tmp_path / "rnn_rnn_best.safetensors")


@pytest.mark.usefixtures("undrawn")
def test_other_data_are_told_in_a_line(run, tmp_path):
    write_prices(tmp_path / "then.csv")
    write_prices(tmp_path / "split.csv", factor=0.25)
    write_prices(tmp_path / "other.csv", seed=1)
    train = ["train", "--source", "then.csv", "--symbol", "mine", *SMALL]
    assert run(*train, "--target", "price").status == 0
    for command in ("evaluate", "forecast"):
        result = run(command, "rnn_rnn_best.safetensors", "--source", "split.csv")
        assert result.status == 2
        assert re.fullmatch(
            r"rnnlib: these data are not those of rnn_rnn_best\.safetensors: on 2024-01-02 close was [\d.]+, "
            r"and is now [\d.]+ \(all × 0\.25: a split since\?\); give those of then with source, "
            r"or train anew\n",
            result.err,
        ), result.err
        assert result.out == ""
        assert run(command, "rnn_rnn_best.safetensors", "--source", "then.csv").err == ""
    assert run(*train, "--out", "returns").status == 0
    best = os.path.join("returns", "rnn_rnn_best.safetensors")
    for command in ("evaluate", "forecast"):
        result = run(command, best, "--source", "split.csv")
        assert (result.status, result.err) == (0, "")
        result = run(command, best, "--source", "other.csv")
        assert result.status == 0
        assert re.fullmatch(
            rf"Note: these data are not those of {re.escape(best)}: on 2024-\d\d-\d\d close was [\d.]+, "
            r"and is now [\d.]+\.\n",
            result.err,
        ), result.err


@pytest.mark.usefixtures("undrawn")
def test_a_training_goes_on_with_the_same_file_in_another_folder(run, tmp_path):
    write_prices(tmp_path / "then.csv")
    (tmp_path / "elsewhere").mkdir()
    train = ["train", *SMALL[2:], "--resume"]
    assert run(*train, "--source", "then.csv", "--epochs", "1").status == 0
    shutil.move(tmp_path / "then.csv", tmp_path / "elsewhere" / "now.csv")
    source = os.path.join("elsewhere", "now.csv")
    result = run(*train, "--source", source, "--epochs", "2")
    assert result.status == 0, result.err
    assert "of 2. Wrote rnn_rnn_best.safetensors." in result.out
    result = run(*train, "--source", source, "--epochs", "3", "--patience", "50")
    assert result.status == 0, result.err
    assert "of 3. Wrote rnn_rnn_best.safetensors." in result.out
