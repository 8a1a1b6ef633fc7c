"""The table of totals and the class's report, from rows as a grader writes them."""

import csv
import inspect

import pytest

from rnnlib.checks import EXERCISES
from rnnlib.grading.class_report import class_report
from rnnlib.grading.report import Row
from rnnlib.grading.totals import write_totals

NAMES = {"1.1": "1.1 rnn_step", "1.2": "1.2 rnn_sequence"}
QUESTION = "There is no tanh in your answer: what keeps h between −1 and 1?"


def row(student, number, verdict, file="01_rnn.ipynb", lab="01_rnn", **more):
    points = {"passed": 2.5, "regrade": None}.get(verdict, 0.0)
    return Row(student, lab, NAMES[number], points, 2.5, verdict, file=file, **more)


def notebook(student, *verdicts, file="01_rnn.ipynb", **more):
    return [
        row(student, number, verdict, file, **more) for number, verdict in zip(NAMES, verdicts, strict=True)
    ]


def written(rows, path, **options):
    write_totals(rows, path, **options)
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


@pytest.fixture
def table(tmp_path):
    return tmp_path / "totals.csv"


def test_a_row_a_student_and_a_column_a_lab(table):
    rows = notebook("Zoë", "passed", "wrong") + notebook("007", "passed", "passed")
    rows += notebook("007", "passed", "unfilled", lab="03_lstm", file="03_lstm.ipynb", review="look")
    rows += [Row("nobody", "", "", 0.0, 0.0, "unreadable", message="there is no notebook")]
    assert written(rows, table) == [
        ["student", "01_rnn (of 5)", "03_lstm (of 5)", "total", "review"],
        ["Zoë", "2.5", "0", "2.5", ""],
        ["007", "5", "2.5", "7.5", "03_lstm"],
        ["nobody", "0", "0", "0", "unreadable"],
    ]
    assert table.read_bytes().startswith(b"\xef\xbb\xbf")  # a spreadsheet reads Zoë as Zoë


def test_what_is_not_judged_yet_has_no_points_and_no_total(table):
    assert written(notebook("ada", "passed", "regrade"), table)[1] == ["ada", "", "", ""]


def test_a_name_that_is_a_formula_stays_a_name(table):
    assert written(notebook("=1+1", "passed", "passed"), table)[1][0] == "'=1+1"


@pytest.mark.parametrize(
    ("attempt", "modified", "points"),
    [
        ("best", None, "5"),
        ("last", None, "2.5"),  # by name, 10 after 9
        ("last", {("ada", "01_rnn.ipynb"): 3, ("ada", "01_rnn-9.ipynb"): 2}, "0"),
    ],
)
def test_the_best_attempt_or_the_last_one_counts(table, attempt, modified, points):
    rows = notebook("ada", "passed", "wrong", file="01_rnn-10.ipynb")
    rows += notebook("ada", "wrong", "wrong") + notebook("ada", "passed", "passed", file="01_rnn-9.ipynb")
    assert written(rows, table, attempt=attempt, modified=modified)[1][1] == points


def test_an_attempt_that_might_be_the_best_is_waited_for(table):
    rows = notebook("ada", "passed", "wrong") + notebook("ada", "regrade", "regrade", file="again.ipynb")
    assert written(rows, table)[1] == ["ada", "", "", ""]


def test_the_report_counts_who_solved_what():
    rows = notebook("ada", "passed", "wrong") + notebook("bo", "passed", "unfilled")
    rows += notebook("cy", "crashed", "timed out") + notebook("di", "passed", "passed")
    page = class_report([*rows, Row("nobody", "", "", 0.0, 0.0, "unreadable")])
    assert "Handed in by 4 of 5 students. Points: 0 to 5, median 2.5." in page
    assert "| 1.1 rnn_step | 3 | 75% | 0 | 0 | 1 |" in page
    assert "| 1.2 rnn_sequence | 1 | 25% | 1 | 1 | 1 |" in page


def test_mistakes_have_names_and_the_commonest_comes_first():
    message = f"h is wrong in 3 of 4 entries. {QUESTION} (book: Forward)"
    rows = [row(f"s{i}", "1.1", "wrong", message=message) for i in range(3)]
    rows += [row(f"t{i}", "1.1", "crashed", message=f"rnn_step stopped with error {i}.") for i in range(2)]
    rows += [row("s0", "1.1", "passed", file="01_rnn-1.ipynb")]
    page = class_report(rows).splitlines()
    first = page.index("### The commonest mistakes") + 4
    assert page[first] == f"| 3 | 1 | 1.1 rnn_step | no tanh | {QUESTION} | One step (rnn) |"
    assert page[first + 1].startswith(
        "| 2 | 0 | 1.1 rnn_step | not recognised | rnn_step stopped with error …"
    )
    assert "### Questions that helped nobody" not in page  # s0 went on, and the other has no name


def test_questions_that_helped_nobody():
    rows = [row(f"s{i}", "1.1", "wrong", message=QUESTION) for i in range(2)]
    rows += [row("s0", "1.1", "wrong", file="01_rnn-1.ipynb", message=QUESTION)]
    page = class_report(rows)
    assert page.endswith(f"| 2 | 1.1 rnn_step | no tanh | {QUESTION} | One step (rnn) |\n")
    assert "| 1.1 rnn_step | 0 | 0% | 2 | 0 | 0 |" in page  # a student counts once


def test_every_misconception_has_a_name_that_says_something():
    for exercises in EXERCISES.values():
        for exercise in exercises.values():
            for function, sentence in exercise.misconceptions:
                assert function.__name__.isidentifier(), (exercise.name, sentence)
                assert inspect.isfunction(function)


def test_a_course_with_other_labs_has_a_report_too():
    page = class_report([row("ada", "1.1", "wrong", lab="my_lab", message="y is wrong")])
    assert "| 1 | 0 | 1.1 rnn_step | not recognised | y is wrong |" in page


def test_mistakes_without_a_name_are_one_whatever_their_numbers():
    said = "h[0, {0}] is -0.{0}1, it should be 1.2e-0{0}, 12 of 12 entries are wrong: int64. (book: One step)"
    page = class_report([row(f"s{i}", "1.1", "wrong", message=said.format(i)) for i in range(3)])
    mistake = "h[…, …] is …, it should be …, … of … entries are wrong: int64."
    assert f"| 3 | 0 | 1.1 rnn_step | not recognised | {mistake} |  |" in page
