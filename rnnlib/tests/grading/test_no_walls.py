"""Without walls: the verdicts come from the same code, and a third of the suite shows it."""

import pytest

from rnnlib.tests.grading.classes import has_its_verdict, holds_what_was_judged, judged
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
