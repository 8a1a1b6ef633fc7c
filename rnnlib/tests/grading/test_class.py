"""A class is graded: all that can happen on the way. Its verdicts: see test_walls.py and test_no_walls.py."""

import csv
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import asdict, replace
from types import SimpleNamespace

import nbformat
import psutil
import pytest

from rnnlib.grading import notebook, process, report, sandbox, submission
from rnnlib.grading.feedback import feedback, write_feedback
from rnnlib.grading.intake import reading, tree
from rnnlib.grading.settings import Settings
from rnnlib.grading.table import COLUMNS, read_csv, write_csv
from rnnlib.grading.verdicts import Failed
from rnnlib.tests.grading.classes import graded, made
from rnnlib.tests.grading.submissions import CASES, NAMES, POINTS, SOLUTION, STUDENT, answers, cell, write

POSIX = pytest.mark.skipif(os.name != "posix", reason="this system has no signals or named pipes")


def test_a_small_class(tmp_path):
    """What plain pytest sees of the suite: passed, wrong, unfilled, unreadable."""
    folder = made(tmp_path / "class", "bias_forgotten", "half_filled", "cut_off", "nothing_handed_in")
    rows, _ = graded(folder, tmp_path / "grades.csv")
    for name, mine in rows.items():
        expected = dict.fromkeys(NAMES, "passed") | CASES[name].verdicts
        assert all(row.verdict == expected.get(exercise, "unreadable") for exercise, row in mine.items())
    first, *others = rows["bias_forgotten"].values()
    assert [row.points for row in others] == list(POINTS.values())[1:]
    assert first.points == 0
    assert rows["nothing_handed_in"][""].of == 0


@pytest.mark.slow
def test_a_lab_in_its_earlier_form_keeps_its_points(tmp_path):
    names = ["lab_of_four", "lab_of_four_with_one_wrong"]
    rows, _ = graded(made(tmp_path / "class", *names), tmp_path / "grades.csv")
    assert [row.points for row in rows[names[0]].values()] == [2, 3, 3, 3, 0, 0, 0, 0]
    assert [row.points for row in rows[names[1]].values()] == [2, 0, 3, 3, 0, 0, 0, 0]
    for mine in rows.values():
        for name in NAMES[4:]:
            assert mine[name].verdict == "unfilled"
            assert mine[name].message == "not in this notebook: was it begun in an earlier form of the lab?"


@pytest.mark.slow
def test_the_check_ends_an_endless_loop_long_before_the_kernel_is_lost(tmp_path):
    rows, _ = graded(made(tmp_path / "class", "endless_loop"), tmp_path / "grades.csv", timeout=60)
    mine = rows["endless_loop"]
    assert {n: row.verdict for n, row in mine.items() if row.verdict != "passed"} == {
        "rnn_sequence": "timed out"
    }
    assert mine["rnn_sequence"].message.startswith("rnn_sequence did not finish in 10 seconds")


# Names, files and folders


def test_what_is_found(tmp_path):
    folder = made(tmp_path / "class", "solved", "deep_in_folders_with_checkpoints", "nothing_handed_in")
    shutil.copy(SOLUTION, folder / "solved" / "01_rnn (1).ipynb")
    shutil.copy(SOLUTION, folder / "nobody.ipynb")
    (folder / ".git").mkdir()
    found, left, notes = submission.find(folder, sandbox.SOLUTIONS, seed=5)
    assert left == [("nobody.ipynb", "in no student's folder")]
    assert notes == []
    assert [(s.student, s.file, s.lab) for s in found] == [
        ("deep_in_folders_with_checkpoints", "unzipped/labs/01_rnn.ipynb", "01_rnn"),
        ("nothing_handed_in", "", ""),
        ("solved", "01_rnn (1).ipynb", "01_rnn"),
        ("solved", "01_rnn.ipynb", "01_rnn"),
    ]
    assert [s.review for s in found] == ["", "", *["2 notebooks of this lab"] * 2]


def test_a_giant_file_is_not_read(tmp_path, monkeypatch):
    folder = made(tmp_path / "class", "solved")
    monkeypatch.setattr(reading, "LARGEST_CODE", 1000)
    assert "MiB of code" in submission.find(folder, sandbox.SOLUTIONS, seed=5)[0][0].problem
    monkeypatch.setattr(tree, "LARGEST_FILE", 1000)
    (found,), _, _ = submission.find(folder, sandbox.SOLUTIONS, seed=5)
    assert "larger than" in found.problem
    assert found.content == ""


def test_what_waits_to_be_judged_is_in_no_total():
    passed = report.Row("ada", "01_rnn", "1.1 rnn_step", 2, 2, "passed", file="01_rnn.ipynb")
    wrong = replace(passed, exercise="1.2 rnn_sequence", points=0, of=3, verdict="wrong")
    waiting = replace(passed, exercise="1.3 numerical_gradient", points=None, of=4, verdict="regrade")
    rows = [passed, wrong, waiting]
    assert [line.split() for line, _ in report.lines(rows)][-2:] == [
        ["1.3", "numerical_gradient", "–/4", "regrade"],
        ["total", "2/5"],
    ]
    page = feedback(rows)
    assert "**2 of 5 points** (4 more are not judged yet)" in page
    assert page.count("This is not your fault") == 1


def test_a_row_tells_every_reason_to_look_at_it():
    exercise = SimpleNamespace(title="Exercise 1.1 rnn_step", points=2, review="its code names inspect")
    failure = Failed("crashed", "no module x", review="the grader lacks x")
    row = report.row_of(exercise, failure, review="handed in late", student="ada", lab="01_rnn")
    assert row.review == "handed in late. its code names inspect. the grader lacks x"
    assert (row.exercise, row.points, row.verdict) == ("1.1 rnn_step", 0, "crashed")


def test_a_page_that_cannot_be_written_costs_no_other(tmp_path):
    row = report.Row("ada", "01_rnn", "1.1 rnn_step", 5, 5, "passed", file="01_rnn.ipynb")
    (tmp_path / "ada").write_text("a file, where a folder should be")
    problems = write_feedback([row, replace(row, student="bob")], tmp_path)
    assert len(problems) == 1
    assert "ada" in problems[0]
    assert (tmp_path / "bob" / "01_rnn.md").is_file()


@POSIX
def test_names_in_no_encoding_and_closed_files_cost_nobody_else(tmp_path, monkeypatch):
    def closed(read):
        def read_bytes(path):
            if "a_list" in path.parts:
                raise PermissionError(13, "Permission denied")
            return read(path)

        return read_bytes

    folder = made(tmp_path / "class", "cut_off", "a_list")
    for name in (b"caf\xe9", b"caf\xe8"):
        odd = folder / os.fsdecode(name)
        odd.mkdir()
        shutil.copy(folder / "cut_off" / "01_rnn.ipynb", odd / os.fsdecode(b"01_rnn \xe9\n.ipynb"))
    monkeypatch.setattr(submission.tree.Path, "read_bytes", closed(submission.tree.Path.read_bytes))
    rows, _ = graded(folder, tmp_path / "grades.csv")
    assert rows.keys() == {r"caf\xe9", r"caf\xe8", "cut_off", "a_list"}
    table = read_csv(tmp_path / "grades.csv")
    assert {row.file for row in table if row.student.startswith("caf")} == {r"01_rnn \xe9\n.ipynb"}
    assert {row.verdict for row in rows["a_list"].values()} == {"regrade"}
    assert rows["a_list"]["rnn_step"].message == "the file cannot be read: Permission denied"
    scan = submission.tree.os.scandir

    def closed_folder(path):
        if "a_list" in path.parts:
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(submission.tree.os, "scandir", closed_folder)
    rows, kept = graded(folder, tmp_path / "grades.csv")
    assert kept == 3
    assert rows["a_list"][""].message == "a folder cannot be read: Permission denied"
    assert (rows["a_list"][""].verdict, rows["a_list"][""].points) == ("regrade", None)
    assert rows["cut_off"]["rnn_step"].verdict == "unreadable"
    monkeypatch.undo()
    every = [row for mine in rows.values() for row in mine.values()]
    assert write_feedback(every, tmp_path / "p") == []
    assert len(list((tmp_path / "p").rglob("*.md"))) == 4


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: None, "there is no folder"),
        (lambda folder: folder.mkdir(), "holds no students' folders"),
        (lambda folder: (folder.mkdir(), shutil.copy(SOLUTION, folder)), "holds no students' folders"),
    ],
)
def test_a_folder_that_holds_no_class_is_told_in_a_line(tmp_path, make, message):
    make(tmp_path / "class")
    with pytest.raises(ValueError, match=message):
        graded(tmp_path / "class", tmp_path / "grades.csv")
    assert not list(tmp_path.glob("grades*"))


def test_another_table_is_not_written_over(tmp_path):
    folder = made(tmp_path / "class", "solved")
    out = tmp_path / "grades.csv"
    other = "is no table of grades: move it, or choose another file"
    head = ",".join(COLUMNS)
    line = "ada,01_rnn,1.1 rnn_step,{},2,wrong,,,01_rnn.ipynb,none,5,abc"
    for text, message in {
        "": other,
        "student,grade\nada,5\n": other,
        "\0": other,
        f"{head}\nada\n": r"grades.csv, line 2: it has not the 12 cells of the others$",
        f"{head}\n{line.format(0)}\n{line.format('zero')}\n": r"line 3: points is 'zero', which is no number",
        f"{head}\n{line.format(0)}\n".replace(",5,", ',"404,871",'): "line 2: .* and seed a whole one$",
        f"{head},note\n": "has a column 'note' that is not the grader's: take it out$",
        f"{head},of\n": "has a column 'of' that is not the grader's: take it out$",
        head.replace("seed,", ""): "has lost its column seed: choose another --out, or --fresh$",
        f"{head}\nZoë": "is not in UTF-8, so that names would change: save it as CSV UTF-8",
    }.items():
        out.write_text(text, encoding="latin-1")
        with pytest.raises(ValueError, match=message):
            graded(folder, out)
        assert out.read_text(encoding="latin-1") == text


def test_names_that_spreadsheets_and_markdown_take_for_more(tmp_path):
    row = report.Row(
        "=cmd|' /C calc'!A0", "01_rnn", "1.1 rnn_step", 0, 5, "wrong", message="-x_y* <b>$a$ [l](u)"
    )
    rows = [row, replace(row, student="'quoted", points=None, verdict="regrade"), replace(row, points=2.5)]
    write_csv(rows, tmp_path / "grades.csv")
    with (tmp_path / "grades.csv").open(encoding="utf-8-sig", newline="") as file:
        table = list(csv.reader(file))
    assert not any(text.startswith(("=", "+", "-", "@")) for line in table for text in line)
    assert [line[3] for line in table[1:]] == ["0", "", "2.5"]
    assert read_csv(tmp_path / "grades.csv") == rows
    page = feedback(rows[:1])
    assert r"-x_y\* \<b>\$a\$ [l\](u)" in page
    assert "0 of 5 points" in page
    assert "This is not your fault" in feedback(rows[1:2])


# Running again


@pytest.mark.slow
def test_a_run_keeps_what_has_not_changed(tmp_path):
    folder = made(tmp_path / "class", "untouched", "cut_off", "a_list")
    out = tmp_path / "grades.csv"
    first, kept = graded(folder, out, seed=None)
    assert kept == 0
    seed = first["untouched"]["rnn_step"].seed
    assert seed > 0

    again, kept = graded(folder, out, seed=None)
    assert (again, kept) == (first, 3)

    def half(nb):
        student = notebook.read(STUDENT)
        answers(student, "rnn_step", cell(nb, "rnn_step").source)
        return student

    write(folder / "untouched", half)
    changed, kept = graded(folder, out, seed=None)
    assert kept == 2
    assert changed["untouched"]["rnn_step"].verdict == "passed"
    assert changed["untouched"]["rnn_step"].seed == seed

    for change in ({"seed": seed + 1}, {"seed": seed + 1, "timeout": 6}, {"timeout": 6, "fresh": True}):
        _, kept = graded(folder, out, **{"seed": None} | change)
        assert kept == 0


@pytest.mark.slow
def test_what_failed_in_the_grading_is_graded_again(tmp_path):
    folder = made(tmp_path / "class", "untouched", "cut_off")
    out = tmp_path / "grades.csv"
    rows, _ = graded(folder, out)
    broken = [replace(row, verdict="regrade", points=None) for row in rows["untouched"].values()]
    write_csv([*broken, *rows["cut_off"].values()], out)
    again, kept = graded(folder, out)
    assert (again, kept) == (rows, 1)


def test_grades_of_another_class_are_not_lost(tmp_path):
    out = tmp_path / "grades.csv"
    graded(made(tmp_path / "first", "a_list", "cut_off"), out)
    before = out.read_bytes()
    second = made(tmp_path / "second", "cut_off")
    with pytest.raises(ValueError, match=r"holds grades of a_list, and .*second does not: choose another"):
        graded(second, out)
    assert out.read_bytes() == before
    rows, kept = graded(second, out, fresh=True)
    assert (rows.keys(), kept) == ({"cut_off"}, 0)


@pytest.mark.slow
def test_who_hands_in_later_is_no_other_class(tmp_path):
    folder = made(tmp_path / "class", "nothing_handed_in")
    graded(folder, tmp_path / "grades.csv")
    shutil.copy(STUDENT, folder / "nothing_handed_in")
    rows, _ = graded(folder, tmp_path / "grades.csv")
    assert rows["nothing_handed_in"]["rnn_step"].verdict == "unfilled"


@pytest.mark.slow
def test_a_mark_that_has_gone_is_not_kept(tmp_path):
    folder = made(tmp_path / "class", "untouched")
    shutil.copy(STUDENT, folder / "untouched" / "second.ipynb")
    rows, _ = graded(folder, tmp_path / "grades.csv")
    assert all(row.review == "2 notebooks of this lab" for row in rows["untouched"].values())
    (folder / "untouched" / "second.ipynb").unlink()
    rows, kept = graded(folder, tmp_path / "grades.csv")
    assert kept == 1
    assert all(row.review == "" for row in rows["untouched"].values())


@pytest.mark.slow
def test_a_stopped_fresh_run_goes_on_with_its_own_seed(tmp_path):
    folder = made(tmp_path / "class", "a_list", "cut_off", "untouched")
    out = tmp_path / "grades.csv"
    graded(folder, out, seed=3)
    rows, _ = graded(folder, tmp_path / "other.csv", seed=4)
    journal = "\n" + json.dumps([asdict(row) for row in rows["untouched"].values()])
    (tmp_path / "grades.csv.part").write_text(journal)
    again, kept = graded(folder, out, seed=None)
    assert (again, kept) == (rows, 1)


@pytest.mark.slow
def test_grades_by_pytest_give_no_seed(tmp_path):
    row = report.Row("untouched", "01_rnn", "1.1 rnn_step", 0, 5, "unfilled", file="01_rnn.ipynb")
    write_csv([row], tmp_path / "grades.csv")
    rows, _ = graded(made(tmp_path / "class", "untouched"), tmp_path / "grades.csv", seed=None)
    assert rows["untouched"]["rnn_step"].seed > 0


def test_a_solution_that_is_not_in_order_is_told_in_a_line(tmp_path):
    solutions = tmp_path / "solutions"
    solutions.mkdir()
    nb = notebook.read(SOLUTION)
    cell(nb, "rnn_step").metadata["nbgrader"]["grade_id"] = "step"
    nbformat.write(nb, solutions / "01_rnn.ipynb")
    with pytest.raises(ValueError, match="the answer step needs a check cell"):
        graded(made(tmp_path / "class", "solved"), tmp_path / "grades.csv", solutions=solutions)
    assert not list(tmp_path.glob("grades*"))


def test_a_run_that_was_stopped_goes_on(tmp_path):
    folder = made(tmp_path / "class", "untouched", "cut_off", "empty_file")
    out = tmp_path / "grades.csv"
    rows, _ = graded(folder, out)
    out.unlink()
    part = tmp_path / "grades.csv.part"
    lines = [json.dumps([asdict(row) for row in rows[name].values()]) for name in ("untouched", "cut_off")]
    part.write_text(f"{lines[0]}\n{lines[1][:100]}")
    again, kept = graded(folder, out)
    assert (again, kept) == (rows, 1)
    assert not part.exists()


@pytest.mark.slow
@POSIX
def test_a_killed_run_leaves_no_process_and_goes_on(tmp_path, ctrl_c):
    folder = made(tmp_path / "class", "solved", "untouched", "other_ways", "endless_loop", "sleeps")
    out = tmp_path / "grades.csv"
    command = [sys.executable, "-m", "rnnlib", "grade", folder, "--out", out, "--seed", "5", "--jobs", "2"]
    command += ["--cell-timeout", "20", "--memory", "2"]
    environment = os.environ | {"TMPDIR": str(tmp_path)}  # every kernel's command line names it
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "start_new_session": True}
    for stop in (signal.SIGKILL, signal.SIGINT):
        run = subprocess.Popen(command, env=environment, **pipes)
        part = tmp_path / "grades.csv.part"
        for _ in range(3000):
            time.sleep(0.1)
            if part.exists() and part.read_text().count("\n") >= 1 + (stop == signal.SIGINT):
                break
        run.send_signal(stop)
        _, err = run.communicate(timeout=120)
        assert not out.exists()
        assert b"Traceback" not in err
    for _ in range(600):  # the last of them may take a moment to die
        commands = [process.info["cmdline"] for process in psutil.process_iter(["cmdline"])]
        left = [command for command in commands if str(tmp_path) in " ".join(command or [])]
        if not left:
            break
        time.sleep(0.1)
    assert left == []
    rows, kept = graded(folder, out, timeout=20)
    assert kept >= 2
    assert rows["sleeps"]["rnn_sequence"].verdict == "timed out"
    assert rows["other_ways"]["rnn_step"].verdict == "passed"


# What happens to graders


@POSIX
def test_a_submission_that_kills_its_grader_costs_its_own_rows(tmp_path):
    """Without walls; inside, it cannot even see the grader."""
    folder = made(tmp_path / "class", "kills_its_parent", "untouched")
    rows, _ = graded(folder, tmp_path / "grades.csv", sandbox="off")
    killed = rows["kills_its_parent"]
    assert killed["rnn_step"].verdict == "passed"
    for name in NAMES[1:]:
        assert (killed[name].verdict, killed[name].points) == ("regrade", None)
        assert killed[name].message == "the grading process was killed by signal 9"
    assert {row.verdict for row in rows["untouched"].values()} == {"unfilled"}


@pytest.mark.slow
def test_a_grader_that_hangs_is_not_waited_for(tmp_path, monkeypatch):
    """The deadlines inside fail; the last resort does not."""
    seconds = 20  # limit = 60 + exercises · MOST_ATTEMPTS · CELLS_IN_TIME · timeout
    attempts = len(NAMES) * process.MOST_ATTEMPTS
    monkeypatch.setattr(process, "CELLS_IN_TIME", (seconds - 60) / (attempts * 1000))
    rows, _ = graded(made(tmp_path / "class", "sleeps"), tmp_path / "grades.csv", timeout=1000)
    first, *others = rows["sleeps"].values()
    assert first.verdict == "passed"
    assert {(row.verdict, row.points) for row in others} == {("regrade", None)}
    assert others[0].message == "the grading did not end within 20 seconds"
    assert not [child for child in psutil.Process().children(recursive=True) if "ipykernel" in str(child)]


def test_a_grader_that_ends_too_early_says_its_last_words(tmp_path):
    path = tmp_path / "nowhere.ipynb"
    rows, why = process._in_child(path, {}, Settings(sandbox="off"), limit=60)
    assert rows == {}
    assert why.startswith("the grading process ended too early: ERROR: --solutions: there are no solved labs")


def test_what_is_loaded_before_the_fork_exists():
    """A server of forks passes over a module that it cannot find, and each child pays for it."""
    for name in process.PRELOADED:
        assert importlib.util.find_spec(name), name


def test_walls_that_are_asked_for_and_missing_are_no_zero(tmp_path, monkeypatch):
    monkeypatch.setattr(sandbox, "missing", lambda: "bubblewrap is not installed")
    rows, _ = graded(made(tmp_path / "class", "solved"), tmp_path / "grades.csv", sandbox="on")
    for row in rows["solved"].values():
        assert (row.verdict, row.points) == ("regrade", None)
        assert row.message.startswith("bubblewrap is not installed on ")


# A cluster


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_cluster_gives_the_same_grades_though_a_worker_dies(tmp_path):
    distributed = pytest.importorskip("distributed", reason="dask's distributed is not installed")
    names = ["solved", "untouched", "everything_wrong", "exits_in_the_cell", "cut_off", "calls_the_reference"]
    names += ["answer_deleted", "other_ways", "sys_exit", "cells_moved_to_the_end", "renamed", "a_list"]
    folder = made(tmp_path / "class", *names)
    here, _ = graded(folder, tmp_path / "here.csv")
    with distributed.LocalCluster(n_workers=3, threads_per_worker=1, dashboard_address=None) as cluster:
        victim = next(iter(cluster.workers.values())).pid
        killer = subprocess.Popen(["sh", "-c", f"sleep 3; kill -9 {victim}"])
        there, _ = graded(folder, tmp_path / "there.csv", dask=cluster.scheduler_address)
        killer.wait()
    assert there == here


@pytest.mark.slow
def test_no_scheduler_is_told_in_a_line(tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed", reason="dask's distributed is not installed")
    real = distributed.Client
    monkeypatch.setattr(distributed, "Client", lambda address, timeout: real(address, timeout=0.5))
    with pytest.raises(ValueError, match=r"no dask scheduler answers at tcp://127\.0\.0\.1:9"):
        graded(made(tmp_path / "class", "a_list"), tmp_path / "grades.csv", dask="tcp://127.0.0.1:9")
