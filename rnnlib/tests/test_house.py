"""Which room may import which: the contracts in pyproject.toml hold, and notice who breaks them."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

#: The contract's name -> a line, and the file in which it breaks this contract.
VIOLATIONS = {
    "Imports go down only": ("import rnnlib.grading.report", "models/rnn.py"),
    "The models import NumPy alone": ("import scipy.special", "models/parts/layer.py"),
    "The checks import models alone": ("import rnnlib.tools.memory", "checks/exercise.py"),
    "The checks know no grader and no training": ("import rnnlib.training.fit", "checks/lab01_rnn.py"),
    "Grading and forecasting are independent": ("import rnnlib.forecasting.scores", "grading/report.py"),
    "No circle in a room": ("import rnnlib.models.sequence_model", "models/lstm.py"),
}


def verdicts(folder):
    """Check the package in a folder: name of a contract -> KEPT or BROKEN."""
    pytest.importorskip("importlinter", reason="import-linter is not installed: pip install import-linter")
    code = "from importlinter.cli import lint_imports_command; lint_imports_command(['--no-cache'])"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, encoding="utf-8", errors="replace"
    )
    rows = dict(re.findall(r"^(.+) (KEPT|BROKEN)$", result.stdout, re.MULTILINE))
    assert rows, result.stdout + result.stderr
    assert result.returncode == int("BROKEN" in rows.values()), result.stdout
    return rows


def test_the_house_keeps_its_contracts():
    assert verdicts(ROOT) == dict.fromkeys(VIOLATIONS, "KEPT")


@pytest.mark.parametrize("contract", VIOLATIONS)
def test_a_violation_is_noticed(tmp_path, contract):
    line, file = VIOLATIONS[contract]
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(
        ROOT / "rnnlib", tmp_path / "rnnlib", ignore=shutil.ignore_patterns("__pycache__", "fixtures")
    )
    with (tmp_path / "rnnlib" / file).open("a", encoding="utf-8") as source:
        source.write(f"\n{line}\n")
    assert verdicts(tmp_path)[contract] == "BROKEN"


def test_rnnlib_and_its_checks_load_numpy_alone():
    code = (
        "import sys; before = set(sys.modules); import rnnlib, rnnlib.checks\n"
        "packages = {name.split('.')[0] for name in sys.modules.keys() - before}\n"
        "print(*sorted(packages - sys.stdlib_module_names))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    packages = [name for name in result.stdout.split() if "cython" not in name]  # NumPy's own
    assert packages == ["numpy", "rnnlib"]
