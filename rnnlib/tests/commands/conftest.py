"""What the tests of the commands share: a command is typed in an empty folder."""

import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from matplotlib.figure import Figure

from rnnlib.commands import main as cli


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Type a command in an empty folder: ``run("train", ...)``. In this process, which is quicker."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")

    def type_in(*arguments):
        monkeypatch.setattr(sys, "argv", ["rnnlib", *arguments])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        output = capsys.readouterr()
        return SimpleNamespace(status=stop.value.code or 0, out=output.out, err=output.err)

    return type_in


@pytest.fixture
def solve(run):
    """Train a model on a synthetic task with three seeds, two of which at least must solve it."""

    def train(task, model, length):
        result = run("tasks", task, "--models", model, "--length", str(length))
        rows = re.findall(r"^\| (\w+) +\| +\d+ \| (\d) of 3 \|.*\| +(\d+) \|$", result.out, re.M)
        assert [name for name, _, _ in rows] == [model]
        assert all(int(solved) >= 2 for _, solved, _ in rows), result.out

    return train


@pytest.fixture
def undrawn(monkeypatch):
    """Figures are made, but not drawn: that takes longer than a short training."""
    monkeypatch.setattr(Figure, "savefig", lambda figure, path, **options: Path(path).touch())
