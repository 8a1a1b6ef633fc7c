"""Inside walls: the suite of honest, odd and hostile notebooks."""

import pytest

from rnnlib.grading import sandbox
from rnnlib.tests.grading.classes import has_its_verdict, holds_what_was_judged, judged
from rnnlib.tests.grading.submissions import CASES

MISSING = sandbox.missing()
pytestmark = [pytest.mark.slow, pytest.mark.skipif(MISSING is not None, reason=str(MISSING))]


@pytest.fixture(scope="module")
def everybody(tmp_path_factory):
    return judged(CASES, "on", tmp_path_factory)


@pytest.mark.parametrize("name", CASES)
def test_each_submission_has_its_verdict(everybody, name):
    students, _ = everybody
    has_its_verdict(name, students[name], "bubblewrap")


def test_the_table_holds_what_was_judged(everybody):
    assert len(CASES) >= 60
    holds_what_was_judged(*everybody)
