"""A second run over a class changes nothing; what has changed is graded again. No kernel runs here."""

import codecs
import csv
import json
import os
import re
import time
import unicodedata
import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given

from rnnlib.grading import batch, digests, earlier, report, sandbox, submission
from rnnlib.grading.feedback import feedback, old_pages, write_feedback
from rnnlib.grading.settings import Settings
from rnnlib.grading.table import COLUMNS, read_csv, write_csv
from rnnlib.tests.grading.folders import LAB, POSIX, put, zipped

pytestmark = pytest.mark.usefixtures("no_kernel")

GONE = "Changed by hand, and gone, since the notebook has changed or is no longer there"


@pytest.fixture
def verdicts(monkeypatch):
    """Grading without kernels: every notebook is wrong. Returns how many were judged."""
    judged = []

    def rows(each, *_):
        return [
            report.Row(
                each.student, each.lab, "1.1", 0, 2, "wrong", file=each.file, seed=5, digest=each.digest
            )
        ]

    def grade_one(each, settings):
        judged.append(each.student)
        return rows(each)

    monkeypatch.setattr(batch, "grade_one", grade_one)
    for module in (batch, earlier):
        monkeypatch.setattr(module, "failed_rows", rows)
    return judged


def run(folder, out, **options):
    options = {"solutions": sandbox.SOLUTIONS, "seed": 5, "settings": Settings()} | options
    return batch.grade(folder, out, **options)


def run_and_stop(folder, out):
    """Grade all, and end before the table is written."""

    def stop(*_):
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch, "write_csv", stop)
        with pytest.raises(KeyboardInterrupt):
            run(folder, out)


class Remembering(ThreadPoolExecutor):
    """Threads, and weak references to what they were asked for."""

    def __init__(self):
        super().__init__(1)
        self.asked = []

    def submit(self, *arguments):
        future = super().submit(*arguments)
        self.asked.append(weakref.ref(future))
        return future


def test_what_is_written_down_is_asked_for_no_more(tmp_path, verdicts):
    for number in range(5):
        put(tmp_path, f"{number}/01_rnn.ipynb")
    executor = Remembering()
    submissions = submission.find(tmp_path, sandbox.SOLUTIONS, 5).submissions
    for done, _ in enumerate(batch._new_results(submissions, Settings(), executor), start=1):
        assert sum(future() is not None for future in executor.asked) <= len(submissions) - done + 1
    executor.shutdown()


def planned(folder, out, **options):
    return batch.plan(folder, out, **{"solutions": sandbox.SOLUTIONS, "seed": 5} | options)


def odd_class(folder):
    """A class of odd names and files."""
    for name in ("ada", "Ada", "Zoe\u0308", "=cmd()", "007", "a\nb, c"):
        put(folder, f"{name}/01_rnn.ipynb")
    if os.name == "posix":
        put(folder, f"{os.fsdecode(b'M' + bytes([0x81]))}/01_rnn.ipynb")
        put(folder, f"{os.fsdecode(b'M' + bytes([0x94]))}/01_rnn.ipynb")
    put(folder, "bo.zip", zipped({"01_rnn.ipynb": LAB}))
    put(folder, "Wu_1_assignsubmission_file_/01_rnn.ipynb")
    put(folder, "Wu_2_assignsubmission_file_/a.pdf")
    (folder / "empty").mkdir()


@POSIX
def test_a_second_run_and_a_moved_folder_change_nothing(tmp_path, verdicts):
    odd_class(tmp_path / "S")
    out = tmp_path / "grades.csv"
    rows, hits, first = run(tmp_path / "S", out)
    assert (len(rows), hits) == (12, 0)
    before = out.read_bytes()
    write_feedback(rows, tmp_path / "pages")
    written = {path: path.read_bytes() for path in (tmp_path / "pages").rglob("*.md")}
    assert len(written) == 12
    (tmp_path / "S").rename(tmp_path / "moved")
    for _ in range(2):
        rows, hits, again = run(tmp_path / "moved", out)
        assert (hits, again.notes, out.read_bytes()) == (10, first.notes, before)  # two hold no notebook
        write_feedback(rows, tmp_path / "pages")
        assert {path: path.read_bytes() for path in (tmp_path / "pages").rglob("*.md")} == written
        assert old_pages(rows, tmp_path / "pages") == []
    assert len(verdicts) == 12


def test_a_changed_library_or_lab_grades_again_and_says_so(tmp_path, verdicts, monkeypatch):
    for name in ("ada", "bo"):
        put(tmp_path, f"S/{name}/01_rnn.ipynb")
    out = tmp_path / "grades.csv"
    run(tmp_path / "S", out)
    put(tmp_path, "S/ada/01_rnn.ipynb", LAB.replace(b"np.tanh", b"np.sin"))
    *_, handed_in = run(tmp_path / "S", out)
    assert handed_in.notes == []
    assert verdicts.count("bo") == 1
    lab = tmp_path / "solutions" / "01_rnn.ipynb"
    put(lab.parent, lab.name)
    again = (
        "Not kept, since the checks, a lab, the library, the seed or the settings have changed: "
        "2 notebooks graded before."
    )
    changes = [
        ({}, lambda: monkeypatch.setattr(digests, "_library", lambda: "another")),
        ({"seed": 6}, lambda: None),
        ({"seed": 6, "settings": Settings(timeout=9)}, lambda: None),
        ({"seed": 6, "settings": Settings(timeout=9, memory=3)}, lambda: None),
        ({"solutions": lab.parent}, lambda: lab.write_bytes(LAB.replace(b"np.tanh", b"np.sin"))),
    ]
    for options, change in changes:
        change()
        handed_in, hits, _ = planned(tmp_path / "S", out, **options)
        assert (handed_in.notes, hits) == ([again], set())
        _, hits, handed_in = run(tmp_path / "S", out, **options)
        assert (handed_in.notes, hits) == ([again], 0)
        handed_in, hits, _ = planned(tmp_path / "S", out, **options)
        assert (handed_in.notes, hits) == ([], {("ada", "01_rnn.ipynb"), ("bo", "01_rnn.ipynb")})
        _, hits, handed_in = run(tmp_path / "S", out, **options)
        assert (handed_in.notes, hits) == ([], 2)


def test_points_changed_by_hand_are_kept_or_told_to_be_gone(tmp_path, verdicts):
    for name in ("ada", "bo"):
        put(tmp_path, f"S/{name}/01_rnn.ipynb")
    out = tmp_path / "grades.csv"
    rows, _, _ = run(tmp_path / "S", out)
    write_csv([replace(row, points=1.5) for row in rows], out)
    kept = "ada 1.1 (1.5 of 2), bo 1.1 (1.5 of 2)."
    rows, hits, handed_in = run(tmp_path / "S", out)
    assert ([row.points for row in rows], hits) == ([1.5, 1.5], 2)
    assert handed_in.notes == [f"Changed by hand, and kept: {kept}"]
    put(tmp_path, "S/ada/01_rnn.ipynb", LAB.replace(b"np.tanh", b"np.sin"))
    rows, _, handed_in = run(tmp_path / "S", out)
    assert [row.points for row in rows] == [0, 1.5]
    assert handed_in.notes == [
        "Changed by hand, and kept: bo 1.1 (1.5 of 2).",
        f"{GONE}: ada 1.1 (1.5 of 2).",
    ]


def test_points_by_hand_outlive_a_new_version_of_the_course(tmp_path, verdicts, monkeypatch):
    """Where the code is the same, and the verdict again; a wording may change."""
    one = batch.grade_one
    for name in ("ada", "bo", "cy"):
        put(tmp_path, f"S/{name}/01_rnn.ipynb")
    out = tmp_path / "grades.csv"
    rows, _, _ = run(tmp_path / "S", out)
    ada, bo, cy = (replace(row, points=1.5, message="h is wrong.") for row in rows)
    write_csv([ada, replace(bo, verdict="passed", points=2.0), cy], out)
    verdict = {"ada": ("wrong", "h is not right."), "bo": ("wrong", "h is wrong."), "cy": ("crashed", "no")}

    def anew(each, settings):
        verdict_, message = verdict[each.student]
        return [replace(row, verdict=verdict_, message=message) for row in one(each, settings)]

    monkeypatch.setattr(batch, "grade_one", anew)
    monkeypatch.setattr(digests, "_library", lambda: "another")
    named = "ada 1.1 (1.5 of 2), bo 1.1 (2 of 2, passed), cy 1.1 (1.5 of 2)."
    notes = [
        "Not kept, since the checks, a lab, the library, the seed or the settings have changed: "
        "3 notebooks graded before.",
        f"Changed by hand, and kept where the verdict is the same again: {named}",
    ]
    assert planned(tmp_path / "S", out)[0].notes == notes
    rows, hits, handed_in = run(tmp_path / "S", out)
    assert [(row.verdict, row.points) for row in rows] == [("wrong", 1.5), ("passed", 2), ("crashed", 0)]
    gone = "Changed by hand, and gone, since it has another verdict, or is not in the lab any more"
    assert (hits, handed_in.notes) == (0, [*notes, f"{gone}: cy 1.1 (1.5 of 2)."])
    again, hits, handed_in = run(tmp_path / "S", out)
    assert (again, hits) == (rows, 3)
    assert handed_in.notes == ["Changed by hand, and kept: ada 1.1 (1.5 of 2), bo 1.1 (2 of 2, passed)."]


def test_a_mark_that_comes_back_is_named(tmp_path, verdicts, monkeypatch):
    one = batch.grade_one
    monkeypatch.setattr(
        batch,
        "grade_one",
        lambda each, settings: [replace(row, review="look") for row in one(each, settings)],
    )
    for name in ("ada", "bo"):
        put(tmp_path, f"S/{name}/01_rnn.ipynb")
    out = tmp_path / "grades.csv"
    rows, _, handed_in = run(tmp_path / "S", out)
    assert ([row.review for row in rows], handed_in.notes) == (["look"] * 2, [])
    write_csv([replace(row, review="") if row.student == "ada" else row for row in rows], out)
    rows, _, handed_in = run(tmp_path / "S", out)
    assert ([row.review for row in rows], handed_in.notes) == (["", "look"], [])
    monkeypatch.setattr(digests, "_library", lambda: "another")
    run_and_stop(tmp_path / "S", out)
    rows, _, handed_in = run(tmp_path / "S", out)
    assert [row.review for row in rows] == ["look"] * 2
    assert handed_in.notes[-1] == "Marked for review, and not in the table before: ada 1.1."


def test_another_name_or_a_second_notebook_costs_no_points_by_hand(tmp_path, verdicts):
    put(tmp_path, "S/ada/01_rnn.ipynb")
    out, note = tmp_path / "grades.csv", "Changed by hand, and kept: ada 1.1 (1.5 of 2)."
    (row,), _, _ = run(tmp_path / "S", out)
    write_csv([replace(row, points=1.5, review="look")], out)
    (tmp_path / "S/ada/01_rnn.ipynb").rename(tmp_path / "S/ada/first.ipynb")
    assert planned(tmp_path / "S", out)[1] == {("ada", "first.ipynb")}
    (renamed,), hits, handed_in = run(tmp_path / "S", out)
    assert (renamed, hits) == (replace(row, file="first.ipynb", points=1.5, review="look"), 1)
    assert (handed_in.notes, verdicts) == ([note], ["ada"])
    put(tmp_path, "S/ada/again.ipynb", LAB.replace(b"np.tanh", b"np.sin"))
    (again, first), hits, handed_in = run(tmp_path / "S", out)
    assert (first.points, first.review, hits) == (1.5, "2 notebooks of this lab. look", 1)
    assert (again.points, handed_in.notes, verdicts) == (0, [note], ["ada", "ada"])
    (tmp_path / "S/ada/again.ipynb").unlink()
    rows, hits, _ = run(tmp_path / "S", out)
    assert (rows, hits) == ([renamed], 1)


def test_exchanged_names_take_their_grades_along_and_copies_stay_apart(tmp_path, verdicts):
    other = LAB.replace(b"np.tanh", b"np.sin")
    for name, content in (("a", LAB), ("b", other)):
        put(tmp_path, f"S/ada/{name}.ipynb", content)
    out = tmp_path / "grades.csv"
    rows, _, _ = run(tmp_path / "S", out)
    digests = {row.file: row.digest for row in rows}
    write_csv([replace(row, points=1.5) if row.file == "b.ipynb" else row for row in rows], out)
    for name, content in (("a", other), ("b", LAB), ("c", LAB)):
        put(tmp_path, f"S/ada/{name}.ipynb", content)
    rows, hits, _ = run(tmp_path / "S", out)
    a, b = digests["a.ipynb"], digests["b.ipynb"]
    assert {row.file: row.digest for row in rows} == {"a.ipynb": b, "b.ipynb": a, "c.ipynb": a}
    assert {row.file: row.points for row in rows} == {"a.ipynb": 1.5, "b.ipynb": 0, "c.ipynb": 0}
    assert (hits, len(verdicts)) == (2, 3)


def test_copies_keep_their_own_grades(tmp_path, verdicts):
    for name in "ab":
        put(tmp_path, f"S/ada/{name}.ipynb")
    out = tmp_path / "grades.csv"
    rows, _, _ = run(tmp_path / "S", out)
    write_csv([replace(row, points={"a.ipynb": 0.5, "b.ipynb": 1}[row.file]) for row in rows], out)
    for old, new in ("ac", "bd"):
        (tmp_path / f"S/ada/{old}.ipynb").rename(tmp_path / f"S/ada/{new}.ipynb")
    rows, hits, _ = run(tmp_path / "S", out)
    assert ({row.file: row.points for row in rows}, hits) == ({"c.ipynb": 0.5, "d.ipynb": 1}, 2)
    (tmp_path / "S/ada/d.ipynb").unlink()
    rows, hits, _ = run(tmp_path / "S", out)
    assert ({row.file: row.points for row in rows}, hits) == ({"c.ipynb": 0.5}, 1)
    put(tmp_path, "S/ada/e.ipynb", LAB.replace(b"np.tanh", b"np.sin"))
    run(tmp_path / "S", out)
    put(tmp_path, "S/ada/e.ipynb")  # a copy of c now, which stays
    rows, hits, _ = run(tmp_path / "S", out)
    assert ({row.file: row.points for row in rows}, hits) == ({"c.ipynb": 0.5, "e.ipynb": 0}, 1)


def test_a_run_that_was_stopped_costs_no_points_by_hand(tmp_path, verdicts):
    """The name of a notebook with such points is another one's now, and that one has been graded."""
    put(tmp_path, "S/ada/a.ipynb")
    out = tmp_path / "grades.csv"
    (row,), _, _ = run(tmp_path / "S", out)
    write_csv([replace(row, points=1.5)], out)
    (tmp_path / "S/ada/a.ipynb").rename(tmp_path / "S/ada/b.ipynb")
    put(tmp_path, "S/ada/a.ipynb", LAB.replace(b"np.tanh", b"np.sin"))
    run_and_stop(tmp_path / "S", out)
    rows, hits, handed_in = run(tmp_path / "S", out)
    assert ({row.file: row.points for row in rows}, hits) == ({"a.ipynb": 0, "b.ipynb": 1.5}, 2)
    assert handed_in.notes == ["Changed by hand, and kept: ada 1.1 (1.5 of 2)."]


def test_a_notebook_with_the_name_of_another_that_is_gone(tmp_path, verdicts):
    for name, content in (("a", LAB), ("b", LAB.replace(b"np.tanh", b"np.sin"))):
        put(tmp_path, f"S/ada/{name}.ipynb", content)
    out = tmp_path / "grades.csv"
    rows, _, _ = run(tmp_path / "S", out)
    write_csv([replace(row, points={"a.ipynb": 1, "b.ipynb": 1.5}[row.file]) for row in rows], out)
    (tmp_path / "S/ada/b.ipynb").replace(tmp_path / "S/ada/a.ipynb")
    (row,), hits, handed_in = run(tmp_path / "S", out)
    assert (row.file, row.points, hits) == ("a.ipynb", 1.5, 1)
    assert handed_in.notes == [
        "Graded before, and no longer there: ada/a.ipynb, as it was (1 of 2).",
        "Changed by hand, and kept: ada 1.1 (1.5 of 2).",
        f"{GONE}: ada 1.1 (1 of 2).",
    ]


def test_another_name_by_which_it_is_no_lab_leaves_nothing_that_could_be_kept(tmp_path, verdicts):
    put(tmp_path, "S/ada/01_rnn.ipynb", b"<html>")
    put(tmp_path, "S/bo/01_rnn.ipynb")
    out = tmp_path / "grades.csv"
    (ada, bo), _, _ = run(tmp_path / "S", out)
    write_csv([replace(ada, points=2), bo], out)
    (tmp_path / "S/ada/01_rnn.ipynb").rename(tmp_path / "S/ada/lab.ipynb")
    _, _, handed_in = run(tmp_path / "S", out)
    assert handed_in.notes == [
        "Graded before, and no longer there: ada/01_rnn.ipynb (2 of 2).",
        f"{GONE}: ada 1.1 (2 of 2).",
    ]


def test_what_no_grade_needs_grades_nothing_again(tmp_path, verdicts):
    put(tmp_path, "S/ada/01_rnn.ipynb")
    run(tmp_path / "S", tmp_path / "grades.csv")
    nb = json.loads(LAB)
    nb["cells"][1]["outputs"], nb["metadata"]["widgets"] = [], {"a": 1}
    text = next(each for each in nb["cells"] if each["cell_type"] == "markdown")
    text["source"] = "I have read this. Why W_x and not x W?"
    for number, kind in enumerate(["code", "markdown"]):
        nb["cells"].insert(2, {"cell_type": kind, "id": f"new{number}", "metadata": {}, "source": " \n"})
    nb["cells"].append({"cell_type": "markdown", "id": "new", "metadata": {}, "source": "Done: it works."})
    put(tmp_path, "S/ada/01_rnn.ipynb", json.dumps(nb).encode())
    _, hits, _ = run(tmp_path / "S", tmp_path / "grades.csv")
    assert (hits, verdicts) == (1, ["ada"])


def test_ids_of_cells_count_only_where_they_say_what_a_cell_is(tmp_path, verdicts):
    """Older editors write none, and others write new ones."""
    nb = json.loads(LAB)
    nb["cells"].insert(3, {"cell_type": "code", "id": "mine", "metadata": {}, "source": "mine = 1"})
    put(tmp_path, "S/ada/01_rnn.ipynb", json.dumps(nb).encode())
    run(tmp_path / "S", tmp_path / "grades.csv")
    for number, cell in enumerate(nb["cells"]):
        cell["id"] = f"new{number}"
    put(tmp_path, "S/ada/01_rnn.ipynb", json.dumps(nb).encode())
    assert run(tmp_path / "S", tmp_path / "grades.csv")[1] == 1
    for cell in nb["cells"]:
        del cell["id"]
    put(tmp_path, "S/ada/01_rnn.ipynb", json.dumps(nb | {"nbformat_minor": 4}).encode())
    assert run(tmp_path / "S", tmp_path / "grades.csv")[1] == 1
    answer = next(cell for cell in nb["cells"] if "def clip" in "".join(cell["source"]))
    del answer["metadata"]["nbgrader"]
    put(tmp_path, "S/ada/01_rnn.ipynb", json.dumps(nb).encode())
    assert run(tmp_path / "S", tmp_path / "grades.csv")[1] == 0
    answer["id"] = "clip"
    put(tmp_path, "S/ada/01_rnn.ipynb", json.dumps(nb).encode())
    assert run(tmp_path / "S", tmp_path / "grades.csv")[1] == 0
    assert verdicts == ["ada"] * 3


def test_why_a_file_is_unreadable_is_said_no_longer_than_it_is_true(tmp_path, verdicts):
    for content in (LAB[:5000], b"PK\x03\x04"):
        put(tmp_path, "S/ada/01_rnn.ipynb", content)
        _, hits, _ = run(tmp_path / "S", tmp_path / "grades.csv")
        assert hits == 0
    assert len(verdicts) == 2


def test_what_failed_in_the_grading_is_not_kept(tmp_path, verdicts):
    out, content, _ = table_of(tmp_path)
    first, *rows = read_csv(out)
    write_csv([replace(first, verdict="regrade", points=None), *rows], out)
    _, hits, _ = run(tmp_path / "S", out)
    assert (hits, verdicts.count(first.student), out.read_bytes()) == (2, 2, content)


def test_what_the_grader_loses_costs_its_own_rows(tmp_path, verdicts, monkeypatch):
    """As when a cluster has lost too many workers."""
    grade_one = batch.grade_one

    def loses(each, settings):
        if each.student == "ada":
            raise OSError("no worker is left")
        return grade_one(each, settings)

    def failed_rows(each, verdict, message):
        return [report.Row(each.student, each.lab, "1.1", None, 2, verdict, message=message)]

    monkeypatch.setattr(batch, "grade_one", loses)
    monkeypatch.setattr(batch, "failed_rows", failed_rows)
    for name in ("ada", "bo"):
        put(tmp_path, f"S/{name}/01_rnn.ipynb")
    (ada, bo), _, _ = run(tmp_path / "S", tmp_path / "grades.csv")
    assert (ada.verdict, bo.verdict) == ("regrade", "wrong")
    assert "no worker is left" in ada.message


def test_a_run_that_is_stopped_again_and_again_loses_nothing(tmp_path, verdicts, monkeypatch):
    """Each notebook is written down before the next is judged, after a line that was cut too."""
    for name in ("ada", "bo", "cleo"):
        put(tmp_path, f"S/{name}/01_rnn.ipynb")
    out, grade_one = tmp_path / "grades.csv", batch.grade_one
    journal = out.with_name("grades.csv.part")
    journal.write_text('[{"student": "a', encoding="utf-8")

    def stops(most, each, settings):
        if len(verdicts) < most:
            return grade_one(each, settings)
        end = time.monotonic() + 20
        while f'"student": "{verdicts[-1]}"' not in journal.read_text(encoding="utf-8"):
            assert time.monotonic() < end, "it is not written down before the next one is judged"
            time.sleep(0.01)
        raise KeyboardInterrupt

    for most in (1, 2):
        monkeypatch.setattr(batch, "grade_one", partial(stops, most))
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / "S", out)
    monkeypatch.setattr(batch, "grade_one", grade_one)
    _, hits, _ = run(tmp_path / "S", out)
    assert (hits, verdicts) == (2, ["ada", "bo", "cleo"])


def test_the_latest_seed_is_that_of_the_run_that_was_stopped(tmp_path):
    rows = [report.Row(name, "01_rnn", "1.1", 0, 2, "wrong", seed=3, digest="a") for name in ("ada", "bo")]
    out, journal = tmp_path / "grades.csv", tmp_path / "grades.csv.part"
    write_csv(rows, out)
    assert earlier.latest_seed(earlier.read(out, journal)) == 3
    journal.write_text(report.to_json([replace(rows[0], seed=4)]), encoding="utf-8")
    assert earlier.latest_seed(earlier.read(out, journal)) == 4


def test_grades_of_a_lab_that_is_no_longer_there_are_not_lost(tmp_path, verdicts):
    out, *_ = table_of(tmp_path)
    rows = read_csv(out)
    write_csv([*rows, replace(rows[0], lab="03_lstm", file="03_lstm.ipynb")], out)
    with pytest.raises(ValueError, match=r"holds grades of 03_lstm, and .* does not: choose another --out"):
        run(tmp_path / "S", out)
    assert b"03_lstm" in out.read_bytes()


def test_the_code_that_judges_is_part_of_a_digest():
    package = Path(digests.__file__).parents[1]
    assert all((package / room).is_dir() for room in digests.JUDGES)
    assert re.fullmatch("[0-9a-f]{64}", digests._library())


def test_the_page_of_a_notebook_that_is_gone_is_named(tmp_path, verdicts):
    put(tmp_path, "S/late/01_rnn.ipynb")
    rows, _, _ = run(tmp_path / "S", tmp_path / "grades.csv")
    write_feedback(rows, tmp_path / "pages")
    (tmp_path / "S/late/01_rnn.ipynb").rename(tmp_path / "S/late/01_rnn-1.ipynb")
    rows, _, _ = run(tmp_path / "S", tmp_path / "grades.csv")
    write_feedback(rows, tmp_path / "pages")
    assert old_pages(rows, tmp_path / "pages") == ["late/01_rnn.md"]


def test_a_table_with_decomposed_names_is_of_the_same_class(tmp_path, verdicts):
    put(tmp_path, "S/Zo\xeb/01_rnn.ipynb")
    out = tmp_path / "grades.csv"
    run(tmp_path / "S", out)
    out.write_text(unicodedata.normalize("NFD", out.read_text(encoding="utf-8")), encoding="utf-8")
    rows, hits, _ = run(tmp_path / "S", out)
    assert (hits, rows[0].student) == (1, "Zo\xeb")


# Tables that were opened, saved, cut


def table_of(tmp_path):
    """A class's table: as bytes, and its rows as lists."""
    for name in ("ada", "bo", "007"):
        put(tmp_path, f"S/{name}/01_rnn.ipynb")
    out = tmp_path / "grades.csv"
    run(tmp_path / "S", out)
    with out.open(encoding="utf-8-sig", newline="") as file:
        return out, out.read_bytes(), list(csv.reader(file))


def test_a_spreadsheet_reads_the_names(tmp_path, verdicts):
    _, content, _ = table_of(tmp_path)
    assert content.startswith(codecs.BOM_UTF8)


@pytest.mark.parametrize(
    "saved",
    [
        {"delimiter": ";"},
        {"delimiter": "\t"},
        {"lineterminator": "\n"},
        {"lineterminator": "\r"},
        {"quoting": csv.QUOTE_ALL, "delimiter": ";"},
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_table_that_a_spreadsheet_has_saved_is_the_same(tmp_path, verdicts, saved, encoding):
    out, content, rows = table_of(tmp_path)
    points = rows[0].index("points")
    decimal = "0,0" if saved.get("delimiter") == ";" else "0.0"
    rows = [rows[0], *([*row[:points], decimal, *row[points + 1 :]] for row in rows[1:]), [""] * len(rows[0])]
    with out.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, **saved).writerows(rows)
    _, hits, _ = run(tmp_path / "S", out)
    assert (hits, out.read_bytes()) == (3, content)


def test_a_table_with_other_columns_stays_as_it_is(tmp_path, verdicts):
    out, content, _ = table_of(tmp_path)
    out.write_bytes(content.replace(b"student,", b"remark,student,"))
    with pytest.raises(ValueError, match="has a column 'remark' that is not the grader's: take it out"):
        run(tmp_path / "S", out)
    assert b"remark" in out.read_bytes()


@pytest.mark.parametrize("encoding", ["cp1252", "cp437"])
def test_a_table_saved_in_another_encoding_is_told_and_stays_as_it_is(tmp_path, verdicts, encoding):
    """Spreadsheets offer such a table as plain "CSV"."""
    put(tmp_path, "S/Zo\xeb/01_rnn.ipynb")
    out = tmp_path / "grades.csv"
    run(tmp_path / "S", out)
    saved = out.read_text(encoding="utf-8-sig").encode(encoding)
    out.write_bytes(saved)
    with pytest.raises(
        ValueError, match=r"grades\.csv is not in UTF-8, so that names would change: save it as CSV UTF-8"
    ):
        run(tmp_path / "S", out)
    assert out.read_bytes() == saved


@pytest.mark.parametrize("lost", [["1.1"], ["1.2"], ["1.1", "1.1", "1.2"], []])
def test_a_notebook_with_a_row_too_few_or_too_many_is_graded_again(tmp_path, verdicts, monkeypatch, lost):
    """Else a table that was cut, or from which a row was deleted, would cost points in silence."""
    one = batch.grade_one

    def two(each, *settings):
        return [replace(row, exercise=name) for row in one(each, *settings) for name in ("1.1", "1.2")]

    monkeypatch.setattr(batch, "grade_one", two)
    monkeypatch.setattr(
        earlier,
        "failed_rows",
        lambda each, *_: [batch.report.Row(each.student, "", name, 0, 2, "") for name in ("1.1", "1.2")],
    )
    out, content, _ = table_of(tmp_path)
    rows = read_csv(out)
    ada = {row.exercise: row for row in rows if row.student == "ada"}
    write_csv([*(ada[name] for name in lost), *(row for row in rows if row.student != "ada")], out)
    _, hits, _ = run(tmp_path / "S", out)
    assert (hits, out.read_bytes(), verdicts.count("ada")) == (2, content, 2)
    write_csv(reversed(rows), out)  # sorted otherwise, nothing is lost
    _, hits, _ = run(tmp_path / "S", out)
    assert (hits, out.read_bytes()) == (3, content)


def test_a_table_of_pytest_is_not_lost(tmp_path, verdicts):
    """It holds no digests, so its rows are not kept; but those of somebody else are not written over."""
    out, content, _ = table_of(tmp_path)
    rows = [replace(row, digest="", points=2.0) for row in read_csv(out)]
    write_csv(rows[:1], out)
    _, hits, _ = run(tmp_path / "S", out)
    assert (hits, out.read_bytes()) == (0, content)
    write_csv([replace(rows[0], student="labs")], out)
    with pytest.raises(ValueError, match=r"holds grades of labs, and .* does not"):
        run(tmp_path / "S", out)
    assert b"labs" in out.read_bytes()


@pytest.mark.parametrize(
    "line",
    [
        bytes(range(128, 256)),
        bytes(100),
        b"{}",
        b"[]",
        b"[1]",
        b"null",
        b'[{"student": 5}]',
        b'[{"student": "a',
    ],
)
def test_a_damaged_line_of_a_run_that_was_stopped_costs_itself(tmp_path, verdicts, line):
    out, content, _ = table_of(tmp_path)
    journal = out.with_name("grades.csv.part")
    rows = read_csv(out)
    out.unlink()
    journal.write_bytes(
        report.to_json(rows[:1]).encode() + b"\n" + line + b"\n" + report.to_json(rows[1:2]).encode()
    )
    _, hits, _ = run(tmp_path / "S", out)
    assert (hits, out.read_bytes(), journal.exists()) == (2, content, False)


def test_a_line_of_another_version_costs_itself(tmp_path, verdicts):
    out, content, _ = table_of(tmp_path)
    rows = read_csv(out)
    journal = out.with_name("grades.csv.part")
    journal.write_text(
        report.to_json([replace(row, digest=None, seed="7") for row in rows]), encoding="utf-8"
    )
    _, hits, _ = run(tmp_path / "S", out)
    assert (hits, out.read_bytes()) == (3, content)


def test_a_notebook_that_is_no_longer_there_is_named(tmp_path, verdicts):
    """Its points are gone from the table."""
    put(tmp_path, "S/ada/01_rnn.ipynb")
    put(tmp_path, "S/bo/01_rnn.ipynb")
    out = tmp_path / "grades.csv"
    run(tmp_path / "S", out)
    (tmp_path / "S/ada/01_rnn.ipynb").unlink()
    put(tmp_path, "S/ada/again.ipynb", LAB.replace(b"np.tanh", b"np.sin"))
    (tmp_path / "S/bo/01_rnn.ipynb").write_bytes(b"")
    line = "Graded before, and no longer there: ada/01_rnn.ipynb (0 of 2)."
    assert planned(tmp_path / "S", out)[0].notes == [line]
    assert run(tmp_path / "S", out)[2].notes == [line]
    assert run(tmp_path / "S", out)[2].notes == []


def test_a_table_of_wide_letters_or_with_a_line_for_a_spreadsheet_is_read(tmp_path, verdicts):
    out, content, _ = table_of(tmp_path)
    text = content.decode("utf-8-sig")
    for saved in (text.replace(",", "\t").encode("utf-16"), b"sep=,\r\n" + text.encode("utf-8")):
        out.write_bytes(saved)
        _, hits, _ = run(tmp_path / "S", out)
        assert (hits, out.read_bytes()) == (3, content)


def test_a_mark_that_was_dealt_with_stays_away_and_a_name_may_change(tmp_path, verdicts, monkeypatch):
    one = batch.grade_one
    monkeypatch.setattr(batch, "grade_one", lambda *args: [replace(row, review="look") for row in one(*args)])
    put(tmp_path, "S/ada/01_rnn.ipynb")
    out = tmp_path / "grades.csv"
    (row,), _, _ = run(tmp_path / "S", out)
    (tmp_path / "S" / "ada").rename(tmp_path / "S" / "Ada King")
    with pytest.raises(ValueError, match=r"grades of ada, .* change the name in the table, if it is"):
        run(tmp_path / "S", out)
    changed = replace(row, student="Ada King", review="", points=2.0)
    write_csv([changed], out)
    for _ in range(2):
        rows, hits, handed_in = run(tmp_path / "S", out)
        assert (rows, hits) == ([changed], 1)
        assert handed_in.notes == ["Changed by hand, and kept: Ada King 1.1 (2 of 2)."]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no disk that is always full")
def test_a_full_disk_is_told_with_the_files_name(monkeypatch, tmp_path, verdicts):
    put(tmp_path, "S/ada/01_rnn.ipynb")
    monkeypatch.setattr(earlier, "read", lambda *_: {})  # it would read without end
    (tmp_path / "grades.csv.part").symlink_to("/dev/full")
    with pytest.raises(OSError, match="cannot be written: No space left on device") as failure:
        run(tmp_path / "S", tmp_path / "grades.csv")
    assert failure.value.filename == str(tmp_path / "grades.csv.part")


def test_a_dry_run_shows_a_class_that_will_be_refused(tmp_path, verdicts):
    out, _, _ = table_of(tmp_path)
    put(tmp_path, "T/cleo/01_rnn.ipynb")
    handed_in, hits, refusal = planned(tmp_path / "T", out)
    assert [each.student for each in handed_in.submissions] == ["cleo"]
    assert str(refusal).startswith(f"{out} holds grades of 007, and ")
    assert not hits


def test_points_by_hand_outlive_a_grading_that_failed(tmp_path, verdicts, monkeypatch):
    one = batch.grade_one
    put(tmp_path, "S/ada/01_rnn.ipynb")
    out = tmp_path / "grades.csv"
    (row,), _, _ = run(tmp_path / "S", out)
    write_csv([replace(row, points=1.5)], out)
    monkeypatch.setattr(batch, "grade_one", lambda *a: [replace(r, verdict="regrade") for r in one(*a)])
    (tmp_path / "S/ada/01_rnn.ipynb").rename(tmp_path / "S/ada/lab.ipynb")  # another name, too
    for _ in range(2):
        rows, _, _ = run(tmp_path / "S", out, settings=Settings(timeout=9))
        assert [each.points for each in rows] == [1.5]
    monkeypatch.setattr(batch, "grade_one", one)
    rows, _, _ = run(tmp_path / "S", out, settings=Settings(timeout=9))
    assert [(each.file, each.points, each.verdict) for each in rows] == [("lab.ipynb", 1.5, "wrong")]
    assert len(verdicts) == 4


def test_what_a_person_calls_to_grade_again_is_judged(tmp_path, verdicts):
    put(tmp_path, "S/ada/01_rnn.ipynb")
    out = tmp_path / "grades.csv"
    (row,), _, _ = run(tmp_path / "S", out)
    write_csv([replace(row, verdict="regrade")], out)
    rows, _, handed_in = run(tmp_path / "S", out)
    assert [(each.verdict, each.points) for each in rows] == [("wrong", 0)]
    assert handed_in.notes[-1].endswith("not in the lab any more: ada 1.1 (0 of 2).")


def test_a_mark_after_a_grading_that_failed_is_no_news(tmp_path, verdicts, monkeypatch):
    one, changes = batch.grade_one, {"verdict": "regrade", "points": None}
    monkeypatch.setattr(batch, "grade_one", lambda *a: [replace(row, **changes) for row in one(*a)])
    put(tmp_path, "S/ada/01_rnn.ipynb")
    out = tmp_path / "grades.csv"
    run(tmp_path / "S", out)
    changes = {"review": "look"}
    rows, _, handed_in = run(tmp_path / "S", out)
    assert ([row.review for row in rows], handed_in.notes) == (["look"], [])


def test_who_has_another_number_now_is_told_by_name(tmp_path, verdicts):
    """Moodle's numbers are shown only where two students have one name."""
    put(tmp_path, "Alex Kim_4711_assignsubmission_file/01_rnn.ipynb")
    out = tmp_path / "grades.csv"
    (row,), _, _ = run(tmp_path, out)
    put(tmp_path, "Alex Kim_4713_assignsubmission_file/01_rnn.ipynb", LAB.replace(b"np.tanh", b"np.sin"))
    which = r"another one now \(Alex Kim 4711 or Alex Kim 4713, since there are several\), or"
    with pytest.raises(
        ValueError, match=rf"holds grades of Alex Kim, and .* take these rows out of it, .*{which}"
    ):
        run(tmp_path, out)
    write_csv([replace(row, student="Alex Kim 4711", points=1.5)], out)
    (first, _), hits, _ = run(tmp_path, out)
    assert (first.points, hits) == (1.5, 1)


def test_what_else_is_changed_by_hand_is_named_or_refused(tmp_path, verdicts):
    put(tmp_path, "S/ada/01_rnn.ipynb")
    out = tmp_path / "grades.csv"
    (row,), _, _ = run(tmp_path / "S", out)
    row = replace(row, message="h is wrong.")
    overruled = replace(row, verdict="passed", points=2.0)
    write_csv([overruled], out)
    rows, _, handed_in = run(tmp_path / "S", out)
    assert (rows, handed_in.notes) == ([overruled], ["Changed by hand, and kept: ada 1.1 (2 of 2, passed)."])
    assert "| 2 of 2 | passed; verdict by your teacher |" in feedback(rows)
    write_csv([replace(row, of=5.0)], out)
    rows, hits, _ = run(tmp_path / "S", out)
    assert (rows[0].of, hits, verdicts) == (2, 0, ["ada", "ada"])
    write_csv([replace(row, verdict="superb")], out)
    with pytest.raises(ValueError, match="line 2: verdict is 'superb', and not one of passed, wrong, "):
        run(tmp_path / "S", out)


def test_points_that_no_exercise_gives_are_asked_about(tmp_path, verdicts):
    put(tmp_path, "S/ada/01_rnn.ipynb")
    out = tmp_path / "grades.csv"
    (row,), _, _ = run(tmp_path / "S", out)
    for points, words in (
        (15.0, "15 of 2: is that meant?"),
        (-1.0, "-1 of 2: is that meant?"),
        (None, "– of 2"),
    ):
        write_csv([replace(row, points=points)], out)
        assert run(tmp_path / "S", out)[2].notes == [f"Changed by hand, and kept: ada 1.1 ({words})."]


def test_a_number_that_a_spreadsheet_made_of_a_name_is_told(tmp_path, verdicts):
    out, _, _ = table_of(tmp_path)
    write_csv([replace(row, student=row.student.lstrip("0")) for row in read_csv(out)], out)
    with pytest.raises(
        ValueError, match=r"holds grades of 7, and .* of 007: if a spreadsheet has changed the"
    ):
        run(tmp_path / "S", out)


def test_no_digest_is_a_number_to_a_spreadsheet(tmp_path, verdicts):
    _, _, table = table_of(tmp_path)
    digests = [row[table[0].index("digest")] for row in table[1:]]
    assert all(digest.isalpha() for digest in digests)


WORDS = st.sampled_from([*"\n,;\t'\"\0", *COLUMNS, "ada", "1", "1e9", "9" * 400])


@given(st.binary() | st.lists(WORDS, max_size=60).map(lambda words: "".join(words).encode()), st.booleans())
def test_any_file_is_a_table_of_grades_or_is_refused(tmp_path_factory, content, has_head):
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(has_head * (",".join(COLUMNS) + "\n").encode() + content)
    refusal = ""
    try:
        read_csv(path)
    except ValueError as error:
        refusal = str(error)
    assert not refusal or refusal.startswith(str(path))
