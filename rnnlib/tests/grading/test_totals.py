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
        ["007", "5", "2.5", "7.5", "03_lstm: look"],
        ["nobody", "0", "0", "0", "unreadable"],
    ]
    assert table.read_bytes().startswith(b"\xef\xbb\xbf")  # a spreadsheet reads Zoë as Zoë


def test_a_lab_is_worth_what_its_whole_notebooks_could_earn(table):
    rows = [*notebook("ada", "passed", "passed"), row("bo", "1.1", "passed")]
    for each in (rows, rows[::-1]):
        assert written(each, table)[0][1] == "01_rnn (of 5)"


def test_what_is_not_judged_yet_has_no_points_and_no_total(table):
    why = "01_rnn: 1.2 rnn_sequence has no points"
    assert written(notebook("ada", "passed", "regrade"), table)[1] == ["ada", "", "", why]


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@A1", "'1"])
def test_a_name_that_is_a_formula_stays_a_name(table, name):
    assert written(notebook(name, "passed", "passed"), table)[1][0] == f"'{name}"


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


@pytest.mark.parametrize("name", ["①", "2²", "Lab½", "٣", "7" * 5000, "", "-"])
def test_any_name_of_a_notebook_has_its_place(table, name):
    """Some signs are digits and no numbers; and some numbers are longer than Python reads."""
    rows = notebook("ada", "passed", "wrong", file=f"{name}.ipynb")
    rows += notebook("ada", "wrong", "wrong", file="a1.ipynb")
    assert written(rows, table)[1][1] == "2.5"
    assert "Points: 2.5 to 2.5" in class_report(rows)


def test_an_attempt_that_might_be_the_best_is_waited_for(table):
    rows = notebook("ada", "passed", "wrong") + notebook("ada", "regrade", "regrade", file="again.ipynb")
    assert written(rows, table)[1] == ["ada", "", "", "01_rnn: 2 exercises have no points"]


def test_the_report_counts_who_solved_what():
    rows = notebook("ada", "passed", "wrong") + notebook("bo", "passed", "unfilled")
    rows += notebook("cy", "crashed", "timed out") + notebook("di", "passed", "passed")
    page = class_report([*rows, Row("nobody", "", "", 0.0, 0.0, "unreadable")])
    assert "Handed in by 4 of 5 students. Points: 0 to 5, median 2.5." in page
    assert "| 1.1 rnn_step | 3 | 75% | 0 | 0 | 1 |" in page
    assert "| 1.2 rnn_sequence | 1 | 25% | 1 | 1 | 1 |" in page


def test_a_class_of_one_is_one_student():
    page = class_report(notebook("ada", "passed", "wrong"))
    assert "1 student. Of several notebooks of a lab, a student's best one counts." in page
    assert "Handed in by 1 of 1 student. Points: 2.5 to 2.5, median 2.5." in page


def test_mistakes_have_names_and_the_commonest_comes_first():
    message = f"h is wrong in 3 of 4 entries. {QUESTION} (book: Forward)"
    rows = [row(f"s{i}", "1.1", "wrong", message=message) for i in range(3)]
    rows += [row(f"t{i}", "1.1", "crashed", message=f"rnn_step stopped with error {i}.") for i in range(2)]
    rows += [row("s0", "1.1", "passed", file="01_rnn-1.ipynb")]
    page = class_report(rows).splitlines()
    first = page.index("### The commonest mistakes") + 6
    assert page[first] == f"| 3 | 1 | 1.1 rnn_step | no tanh | {QUESTION} | One step (book/rnn.md) |"
    assert page[first + 1].startswith(
        "| 2 | 0 | 1.1 rnn_step | not recognised | rnn_step stopped with error …"
    )
    assert "### Questions that helped nobody" not in page  # s0 went on, and the other has no name


def test_what_was_solved_before_is_not_solved_later():
    rows = [row("ada", "1.1", "passed"), row("ada", "1.1", "wrong", file="01_rnn-1.ipynb", message=QUESTION)]
    assert f"| 1 | 0 | 1.1 rnn_step | no tanh | {QUESTION} |" in class_report(rows)


def test_a_question_that_one_student_was_asked_is_no_question_that_helped_nobody():
    page = class_report([row("ada", "1.1", "wrong", message=QUESTION)])
    assert "| 1 | 0 | 1.1 rnn_step | no tanh |" in page
    assert "### Questions that helped nobody" not in page


def test_questions_that_helped_nobody():
    rows = [row(f"s{i}", "1.1", "wrong", message=QUESTION) for i in range(2)]
    rows += [row("s0", "1.1", "wrong", file="01_rnn-1.ipynb", message=QUESTION)]
    page = class_report(rows)
    assert page.endswith(f"| 2 | 1.1 rnn_step | no tanh | {QUESTION} | One step (book/rnn.md) |\n")
    assert "| 1.1 rnn_step | 0 | 0% | 2 | 0 | 0 |" in page  # a student counts once


def test_what_is_counted_in_notebooks_that_do_not_count_is_said():
    """Who had it right before has been helped, or needed no help."""
    rows = [row(f"s{i}", "1.1", "wrong", message=QUESTION) for i in range(2)]
    said = "Counted in every notebook, also in those that do not count for the points."
    assert said not in class_report(rows)
    page = class_report([*rows, row("s0", "1.1", "passed", file="00_rnn.ipynb")])
    assert f"### The commonest mistakes\n\n{said}\n\n| students" in page
    assert "### Questions that helped nobody" not in page


def test_why_a_student_has_no_total_is_said(table):
    rows = notebook("ada", "passed", "regrade", review="look") + notebook("bo", "regrade", "regrade")
    exercise = rows[1].exercise
    assert [line[-1] for line in written(rows, table)[1:]] == [
        f"01_rnn: look, {exercise} has no points",
        "01_rnn: 2 exercises have no points",
    ]


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


def test_who_handed_in_nothing_is_named_and_counts_in_no_share():
    rows = notebook("ada", "passed", "wrong") + notebook("bo", "unfilled", "unfilled")
    rows += [*notebook("cy", "unreadable", "unreadable"), Row("di", "", "", 0.0, 0.0, "unreadable")]
    page = class_report(rows)
    assert "one counts.\n\nHanded in nothing that is a lab: di.\n\n## 01_rnn" in page
    assert "Handed in by 2 of 4 students. Points: 0 to 2.5, median 1.25." in page
    assert "\n\nCannot be read: cy.\n\nNothing filled in: bo.\n\n| exercise " in page
    assert "| 1.1 rnn_step | 1 | 50% | 0 | 1 | 0 |" in page
    assert "| exercise" not in class_report(notebook("cy", "unreadable", "unreadable"))
    many = [line for number in range(25) for line in notebook(f"s{number}", "unfilled", "unfilled")]
    assert "Nothing filled in: s0, s1, " in class_report(many)
    assert ", s19 and 5 more." in class_report(many)


def test_mistakes_that_the_page_does_not_list_are_counted():
    words = "one two three four five six seven eight nine ten eleven twelve".split()
    rows = [row(f"s{word}", "1.1", "wrong", message=f"h is {word}") for word in words]
    assert "And 2 more, each made by one student: " in class_report(rows)
    rows += [row(f"t{word}", "1.1", "wrong", message=f"h is {word}") for word in words]
    assert "And 2 more, each made by 2 students or fewer: " in class_report(rows)
    assert "And " not in class_report(rows[:10])


def test_a_notebook_that_does_not_count_and_solves_more_of_an_exercise_is_told(table):
    rows = notebook("ada", "passed", "unfilled", file="a.ipynb")
    rows += notebook("ada", "unfilled", "passed", file="b.ipynb")
    rows += notebook("bo", "passed", "wrong", file="a.ipynb")
    rows += notebook("bo", "passed", "passed", file="b.ipynb")
    rows += [*notebook("cy", "passed", "passed", file="a.ipynb"), row("cy", "1.1", "regrade", "b.ipynb")]
    what = "01_rnn: another notebook has more points for"
    assert [line[-1] for line in written(rows, table)[1:]] == [f"{what} 1.1 rnn_step", "", ""]
    assert [line[-1] for line in written(rows[:8], table, attempt="last")[1:]] == ["", ""]  # as was asked for


def test_who_tried_twice_is_not_to_be_reviewed_for_that(table):
    rows = notebook("ada", "passed", "wrong", review="2 notebooks of this lab")
    rows += notebook("bo", "passed", "wrong", review="2 notebooks of this lab. its code names inspect")
    rows += notebook("cy", "passed", "wrong", review="12 notebooks of this lab. handed in late")
    assert [line[-1] for line in written(rows, table)[1:]] == [
        "",
        "01_rnn: its code names inspect",
        "01_rnn: handed in late",
    ]
