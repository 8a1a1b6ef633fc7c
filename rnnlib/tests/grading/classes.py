"""Classes: folders of students that hand in cases of ``submissions.py``, and what a grader says of them."""

from functools import cache

import pytest

from rnnlib.grading import batch, release, sandbox
from rnnlib.grading.settings import Settings
from rnnlib.grading.table import read_csv
from rnnlib.tests.grading.submissions import CASES, NAMES, POINTS

#: A kernel runs the solutions once for each seed, not once for each class.
SOLVED = cache(release.with_seed)


def made(folder, *students):
    """Folders of students, each holding what the case of this name hands in."""
    for student in students:
        (folder / student).mkdir(parents=True)
        CASES[student].make(folder / student)
    return folder


def graded(folder, out, **options):
    """Grade a class; return the rows by student and function."""
    settings = Settings(options.pop("timeout", 60), 2, options.pop("sandbox", "off"))
    options = {"solutions": sandbox.SOLUTIONS, "seed": 5, "jobs": 2} | options
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(release, "with_seed", SOLVED)
        rows, kept, _ = batch.grade(folder, out, settings=settings, **options)
    return {
        student: {row.exercise.split(" ")[-1]: row for row in rows if row.student == student}
        for student in {row.student for row in rows}
    }, kept


def judged(names, walls, tmp_path_factory):
    """Grade a class of these cases, with walls "on" or "off"; return its rows and its table."""
    rows, table = {}, []
    endless = {name for name in names if "timed out" in CASES[name].verdicts.values()}
    for timeout, group in ((5, endless), (60, set(names) - endless)):  # on a busy machine, too
        folder = tmp_path_factory.mktemp("class")
        submissions = made(folder / "submissions", *sorted(group))
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("RNNLIB_TEST_TOKEN", "secret")
            students, kept = graded(submissions, folder / "grades.csv", sandbox=walls, timeout=timeout)
        assert kept == 0
        rows |= students
        table += read_csv(folder / "grades.csv")
    assert rows.keys() == set(names)
    return rows, table


def has_its_verdict(name, rows, walls):
    """A submission's rows are those of its case, and name the walls it ran in: "bubblewrap" or "none"."""
    case = CASES[name]
    if "" in rows:  # nothing that could be a lab
        assert {rows[""].verdict} == set(case.verdicts.values())
    else:
        assert {n: row.verdict for n, row in rows.items()} == dict.fromkeys(NAMES, "passed") | case.verdicts
        assert {n for n, row in rows.items() if row.review} == case.review
        assert all(row.points == (POINTS[n] if row.verdict == "passed" else 0) for n, row in rows.items())
    failed = [row for row in rows.values() if row.verdict != "passed"]
    assert case.says in (failed[0].message if failed else "")
    for row in failed:
        assert row.message
        assert row.message.isprintable()
    assert {row.sandbox for row in rows.values()} <= {walls, ""}


def holds_what_was_judged(students, table):
    """A class's table has the rows of its students, in order."""
    assert len(table) == sum(map(len, students.values()))
    assert table == [students[row.student][row.exercise.split(" ")[-1]] for row in table]
    assert all(row.seed == 5 and len(row.digest) == 16 for row in table)
