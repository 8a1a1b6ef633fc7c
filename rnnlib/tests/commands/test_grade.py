"""The command ``grade``: what it prints, writes and refuses."""

import csv
import os
import shutil
import signal
import subprocess
import sys
from operator import attrgetter
from types import SimpleNamespace

import pytest

from rnnlib.commands import main as cli
from rnnlib.commands.grades import show_grades, show_list, show_several
from rnnlib.grading.report import Row
from rnnlib.grading.submission import Class
from rnnlib.tests.grading.submissions import CASES, SOLUTION


@pytest.fixture
def grade(folder, monkeypatch, capsys):
    """Type ``grade`` in a folder; in this process, which is quicker."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "80")
    handler = signal.getsignal(signal.SIGTERM)

    def type_in(*arguments):
        monkeypatch.setattr(sys, "argv", ["rnnlib", "grade", *arguments])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        shown = capsys.readouterr()
        return SimpleNamespace(status=stop.value.code or 0, out=shown.out, err=shown.err)

    yield type_in
    signal.signal(signal.SIGTERM, handler)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli")
    for name in ("untouched", "nothing_handed_in", "cut_off"):
        (folder / "class" / name).mkdir(parents=True)
        CASES[name].make(folder / "class" / name)
    return folder


def test_a_dry_run_lists_what_would_be_graded_and_writes_nothing(folder, grade):
    before = sorted(folder.rglob("*"))
    run = grade("class", "--dry-run", "--out", "new/grades.csv")
    assert run.status == 0, run.err
    assert "  untouched/01_rnn.ipynb  01_rnn: to grade\n" in run.out
    assert "  nothing_handed_in: there is no notebook" in run.out
    assert "To grade: 1 of 01_rnn. Graded before, and kept: 0." in run.out
    assert sorted(folder.rglob("*")) == before


def test_a_dry_run_lists_a_class_and_refuses_what_the_run_would_refuse(grade):
    run = grade("class", "--dry-run", "--out", "class/grades.csv")
    assert "  untouched/01_rnn.ipynb  01_rnn: to grade\n" in run.out
    assert (run.status, "would lie among the submissions" in run.err) == (2, True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--attempt", "first"], "--attempt must be best or last, got first"),
        (["--totals", "class/totals.csv"], "--totals: class/totals.csv would lie among the submissions"),
        (["--totals", "grades.csv"], "--totals: grades.csv is the table of --out: choose another file"),
        (["--report", "class"], "--report: class is a folder: name a file"),
        (
            ["--feedback", "./grades.csv"],
            "--feedback: grades.csv is the table of --out: choose another folder",
        ),
        (["--totals", "a", "--report", "./a"], "--totals: a is the page of --report: choose another file"),
        (["--out", os.devnull], f"--out: {os.devnull} is a device or a pipe: name a file"),
    ],
)
def test_files_that_would_take_anothers_place_are_refused(grade, options, message):
    run = grade("class", *options)
    assert run.status == 2
    assert message in run.err.splitlines()[-1]


@pytest.mark.slow
def test_a_class_is_graded_into_a_table_and_pages(folder, grade):
    shutil.copy(SOLUTION, folder / "class" / "stray.ipynb")
    run = grade("class", "--out", "out/grades.csv", "--seed", "3")
    assert run.status == 0, run.err
    for line in (
        "2 notebooks of 3 students, seed 3",
        "| 01_rnn 1.1 rnn_step              |        1 |          1 |",
        "  nothing_handed_in: there is no notebook, but lab.pdf (an export: the notebook itself is needed",
        "Not graded, in no student's folder: stray.ipynb",
        "grades:   out/grades.csv",
        "left out: out/grades_not_graded.txt",
    ):
        assert line in run.out
    with (folder / "out" / "grades.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 17
    assert {(row["student"], row["verdict"], row["points"]) for row in rows} == {
        ("untouched", "unfilled", "0"),
        ("nothing_handed_in", "unreadable", "0"),
        ("cut_off", "unreadable", "0"),
    }
    pages = folder / "out" / "grades_feedback"
    assert "**0 of 20 points**" in (pages / "untouched" / "01_rnn.md").read_text(encoding="utf-8")
    page = (pages / "nothing_handed_in" / "notebook.md").read_text(encoding="utf-8")
    assert page.startswith(
        "# nothing_handed_in: no notebook\n\nthere is no notebook, but lab.pdf (an export: "
    )
    left = (folder / "out" / "grades_not_graded.txt").read_text(encoding="utf-8")
    assert left == "stray.ipynb: in no student's folder\n"
    again = grade("class", "--out", "out/grades.csv")
    assert "2 notebooks of 3 students (2 graded before), seed 3" in again.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "there is no folder nowhere"),
        ([""], "the folder with the submissions has no name"),
        (["class", "--out", ""], "--out must name a file"),
        (["class", "--out", "mine.csv"], "mine.csv is no table of grades"),
        (["class", "--out", "new.xlsx"], "--out: a CSV file is written: name it new.csv"),
        (["class", "--totals", "sums.ODS"], "--totals: a CSV file is written: name it sums.csv"),
        (["class", "--feedback", "mine.csv"], "--feedback: mine.csv is no folder"),
        (["class", "--feedback", "class/pages"], "would lie among the submissions"),
        (["."], "grades_feedback would lie among the submissions: choose another --out or --feedback"),
        (["mine.csv"], "mine.csv is a file: name its folder, or grade one notebook with pytest --nbval"),
        (["class", "--sandbox", "maybe"], "--sandbox must be auto, on or off, got maybe"),
        (["class", "--cell-timeout", "inf"], "--cell-timeout"),
        (["class", "--cell-timeout", "0"], "--cell-timeout"),
        (["class", "--memory", "inf"], "--memory"),
        (["class", "--jobs", "0"], "--jobs"),
        (["class", "--seed", "-1"], "--seed"),
        (["class", "--solutions", "class/nothing_handed_in"], "there are no solved labs in class"),
    ],
)
def test_bad_input_is_told_in_a_line(folder, grade, arguments, message):
    (folder / "mine.csv").write_text("student,grade\nada,5\n")
    before = sorted(folder.rglob("*"))
    run = grade(*arguments)
    assert run.status == 2
    assert message in run.err
    assert "Traceback" not in run.err
    assert len(run.err.strip().splitlines()) == 1
    assert sorted(folder.rglob("*")) == before
    assert (folder / "mine.csv").read_text() == "student,grade\nada,5\n"


def test_training_loads_nothing_of_the_grader():
    """No command but grade and release pays for a grader's imports."""
    loaded = (
        "import sys, rnnlib.commands.main, rnnlib.commands.forecasting, rnnlib.commands.tables\n"
        "import rnnlib.forecasting.experiment\n"
        "print(*sys.modules, sep='\\n')"
    )
    run = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    modules = set(run.stdout.split())
    assert not modules & {"zmq", "nbval", "jupyter_client", "ipykernel", "IPython", "nbformat"}
    ours = {name for name in modules if name.startswith("rnnlib.grading.")}
    assert ours <= {"rnnlib.grading.settings"}  # the defaults that the help of grade shows


def test_rows_of_a_notebook_that_say_the_same_are_one_line(capsys):
    mark = "2 notebooks of this lab"
    exercises = ["1.1 rnn_step", "1.2 rnn_sequence", "1.3 clip"]
    rows = [Row("ada", "01_rnn", name, 2, 2, "passed", review=mark, file="a.ipynb") for name in exercises]
    rows += [Row("bo", "", "", 0, 0, "unreadable", review="handed in late")]
    show_list("To review", attrgetter("review"), rows)
    assert capsys.readouterr().out.splitlines()[1:] == [
        "To review",
        f"  ada/a.ipynb  1.1 rnn_step and 2 more: {mark}",
        "  bo: handed in late",
    ]


@pytest.mark.parametrize(
    ("names", "title", "code"),
    [
        (["ada"], "1 notebook of 1 student, seed 3", "the code of 1 student ran"),
        (["ada", "bo"], "2 notebooks of 2 students, seed 3", "the code of 2 students ran"),
    ],
)
def test_one_student_is_no_students(capsys, names, title, code):
    show_grades(
        [
            Row(name, "01_rnn", "1.1 rnn_step", 2, 2, "passed", file="a.ipynb", sandbox="none", seed=3)
            for name in names
        ],
        0,
        Class([], [], []),
    )
    shown = capsys.readouterr().out
    assert title in shown
    assert f"Not protected: {code} with your rights" in shown


@pytest.mark.parametrize("seconds", [10.0**12, -(10.0**15), float("inf")])
def test_a_time_that_no_calendar_has_is_left_out(capsys, seconds):
    rows = [Row("ada", "01_rnn", "1.1", 2, 2, "passed", file=file) for file in ("a.ipynb", "b.ipynb")]
    show_several(rows, "last", {("ada", "a.ipynb"): seconds, ("ada", "b.ipynb"): seconds})
    assert capsys.readouterr().out.endswith("\n  ada/b.ipynb: one of 2 of 01_rnn\n")


def test_which_of_several_notebooks_counts_is_told(capsys):
    def row(file, points):
        return Row("ada", "01_rnn", "1.1 rnn_step", points, 2, "passed" if points else "wrong", file=file)

    rows = [row("new.ipynb", 0), row("old.ipynb", 2), Row("bo", "01_rnn", "1.1 rnn_step", 2, 2, "passed")]
    day = 24 * 3600
    modified = {("ada", "new.ipynb"): 400 * day, ("ada", "old.ipynb"): 300 * day}
    show_several(rows, "best", modified)
    assert "\n  ada/old.ipynb: one of 2 of 01_rnn, 1970-10-2" in capsys.readouterr().out
    show_several(rows, "last", modified)
    assert "\n  ada/new.ipynb: one of 2 of 01_rnn, 1971-02-0" in capsys.readouterr().out
    show_several(rows, "last", {})
    assert capsys.readouterr().out.endswith("\n  ada/old.ipynb: one of 2 of 01_rnn\n")
