"""The command ``grade``: what it prints, writes and refuses."""

import csv
import shutil
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest

from rnnlib.commands import main as cli
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


@pytest.mark.slow
def test_a_class_is_graded_into_a_table_and_pages(folder, grade):
    shutil.copy(SOLUTION, folder / "class" / "stray.ipynb")
    run = grade("class", "--out", "out/grades.csv", "--seed", "3")
    assert run.status == 0, run.err
    for line in (
        "2 notebooks of 3 students, seed 3",
        "| 01_rnn 1.1 rnn_step              |        1 |          1 |",
        "  nothing_handed_in/  : there is no notebook in this folder",
        "Not graded, in no student's folder: stray.ipynb",
        "grades:   out/grades.csv",
    ):
        assert line in run.out
    with (folder / "out" / "grades.csv").open(encoding="utf-8", newline="") as file:
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
    assert page == "# nothing_handed_in: no notebook\n\nthere is no notebook in this folder\n"
    again = grade("class", "--out", "out/grades.csv")
    assert "2 notebooks of 3 students (3 graded before), seed 3" in again.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "there is no folder nowhere"),
        ([""], "the folder with the submissions has no name"),
        (["class", "--out", ""], "--out must name a file"),
        (["class", "--out", "mine.csv"], "mine.csv is no table of grades"),
        (["class", "--feedback", "mine.csv"], "--feedback: mine.csv is no folder"),
        (["class", "--feedback", "class/pages"], "would lie among the submissions"),
        (["."], "grades_feedback would lie among the submissions"),
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
