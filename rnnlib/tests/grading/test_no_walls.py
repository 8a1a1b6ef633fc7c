"""Without walls: the verdicts come from the same code, and a third of the suite shows it."""

import subprocess
import sys

import pytest

from rnnlib.grading.table import read_csv
from rnnlib.tests.grading.classes import has_its_verdict, holds_what_was_judged, judged, made
from rnnlib.tests.grading.submissions import CASES

pytestmark = pytest.mark.slow
NAMES = [name for name, case in CASES.items() if not case.walls][::3]


@pytest.fixture(scope="module")
def everybody(tmp_path_factory):
    return judged(NAMES, "off", tmp_path_factory)


@pytest.mark.parametrize("name", NAMES)
def test_each_submission_has_its_verdict(everybody, name):
    students, _ = everybody
    has_its_verdict(name, students[name], "none")


def test_the_table_holds_what_was_judged(everybody):
    holds_what_was_judged(*everybody)


def test_pytest_says_the_same(everybody, tmp_path):
    """A part of the suite; ``test_matching`` shows for each case that the judge is given the same."""
    students, _ = everybody
    names = [name for name in NAMES if "timed out" not in CASES[name].verdicts.values()][::9]
    folder, out = made(tmp_path / "class", *names), tmp_path / "grades.csv"
    command = [sys.executable, "-m", "pytest", "--nbval", "--sandbox=off", "--memory=2", f"--grades={out}"]
    subprocess.run([*command, "--nbval-cell-timeout=60", folder], cwd=tmp_path, stdout=subprocess.DEVNULL)
    rows = read_csv(out)
    assert len(rows) > 2 * len(names)
    for row in rows:
        own = students[row.student][row.exercise.split(" ")[-1]]
        assert (row.verdict, row.points, row.review) == (own.verdict, own.points, own.review)
