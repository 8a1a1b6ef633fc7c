"""A second run over a class changes nothing; what has changed is graded again. No kernel runs here."""

import codecs
import csv
import json
import os
import re
import unicodedata
import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from rnnlib.grading import batch, earlier, report, sandbox, submission
from rnnlib.grading.settings import Settings
from rnnlib.tests.grading.folders import LAB, POSIX, put, zipped

pytestmark = pytest.mark.usefixtures("no_kernel")


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
    report.write_feedback(rows, tmp_path / "pages")
    written = {path: path.read_bytes() for path in (tmp_path / "pages").rglob("*.md")}
    assert len(written) == 12
    (tmp_path / "S").rename(tmp_path / "moved")
    for _ in range(2):
        rows, hits, again = run(tmp_path / "moved", out)
        assert (hits, again.notes, out.read_bytes()) == (12, first.notes, before)
        report.write_feedback(rows, tmp_path / "pages")
        assert {path: path.read_bytes() for path in (tmp_path / "pages").rglob("*.md")} == written
        assert report.old_pages(rows, tmp_path / "pages") == []
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
        ({}, lambda: monkeypatch.setattr(earlier, "_library", lambda: "another")),
        ({"seed": 6}, lambda: None),
        ({"seed": 6, "settings": Settings(timeout=9)}, lambda: None),
        ({"solutions": lab.parent}, lambda: lab.write_bytes(LAB.replace(b"np.tanh", b"np.sin"))),
    ]
    for options, change in changes:
        change()
        handed_in, hits = planned(tmp_path / "S", out, **options)
        assert (handed_in.notes, hits) == ([again], set())
        _, hits, handed_in = run(tmp_path / "S", out, **options)
        assert (handed_in.notes, hits) == ([again], 0)
        handed_in, hits = planned(tmp_path / "S", out, **options)
        assert (handed_in.notes, hits) == ([], {("ada", "01_rnn.ipynb"), ("bo", "01_rnn.ipynb")})
        _, hits, handed_in = run(tmp_path / "S", out, **options)
        assert (handed_in.notes, hits) == ([], 2)


def test_points_changed_by_hand_are_kept_or_told_to_be_gone(tmp_path, verdicts):
    for name in ("ada", "bo"):
        put(tmp_path, f"S/{name}/01_rnn.ipynb")
    out = tmp_path / "grades.csv"
    rows, _, _ = run(tmp_path / "S", out)
    report.write_csv([replace(row, points=1.5) for row in rows], out)
    kept = "ada 1.1 (1.5 of 2), bo 1.1 (1.5 of 2)."
    rows, hits, handed_in = run(tmp_path / "S", out)
    assert ([row.points for row in rows], hits) == ([1.5, 1.5], 2)
    assert handed_in.notes == [f"Changed by hand, and kept: {kept}"]
    put(tmp_path, "S/ada/01_rnn.ipynb", LAB.replace(b"np.tanh", b"np.sin"))
    rows, _, handed_in = run(tmp_path / "S", out)
    assert [row.points for row in rows] == [0, 1.5]
    assert handed_in.notes == [
        "Changed by hand, and kept: bo 1.1 (1.5 of 2).",
        "Changed by hand, and judged anew, so that this is gone: ada 1.1 (1.5 of 2).",
    ]


def test_what_no_grade_needs_grades_nothing_again(tmp_path, verdicts):
    put(tmp_path, "S/ada/01_rnn.ipynb")
    run(tmp_path / "S", tmp_path / "grades.csv")
    nb = json.loads(LAB)
    nb["cells"][1]["outputs"], nb["metadata"]["widgets"] = [], {"a": 1}
    put(tmp_path, "S/ada/01_rnn.ipynb", json.dumps(nb).encode())
    _, hits, _ = run(tmp_path / "S", tmp_path / "grades.csv")
    assert (hits, verdicts) == (1, ["ada"])


def test_the_code_that_judges_is_part_of_a_digest():
    package = Path(earlier.__file__).parents[1]
    assert all((package / room).is_dir() for room in earlier.JUDGES)
    assert re.fullmatch("[0-9a-f]{64}", earlier._library())


def test_the_page_of_a_notebook_that_is_gone_is_named(tmp_path, verdicts):
    put(tmp_path, "S/late/01_rnn.ipynb")
    rows, _, _ = run(tmp_path / "S", tmp_path / "grades.csv")
    report.write_feedback(rows, tmp_path / "pages")
    (tmp_path / "S/late/01_rnn.ipynb").rename(tmp_path / "S/late/01_rnn-1.ipynb")
    rows, _, _ = run(tmp_path / "S", tmp_path / "grades.csv")
    report.write_feedback(rows, tmp_path / "pages")
    assert report.old_pages(rows, tmp_path / "pages") == ["late/01_rnn.md"]


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
    with pytest.raises(ValueError, match="is no table of grades"):
        run(tmp_path / "S", out)
    assert b"remark" in out.read_bytes()


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
        lambda each, *_: [batch.report.Row(each.student, "", name, 0, 0, "") for name in ("1.1", "1.2")],
    )
    out, content, _ = table_of(tmp_path)
    rows = report.read_csv(out)
    ada = {row.exercise: row for row in rows if row.student == "ada"}
    report.write_csv([*(ada[name] for name in lost), *(row for row in rows if row.student != "ada")], out)
    _, hits, _ = run(tmp_path / "S", out)
    assert (hits, out.read_bytes(), verdicts.count("ada")) == (2, content, 2)
    report.write_csv(reversed(rows), out)  # sorted otherwise, nothing is lost
    _, hits, _ = run(tmp_path / "S", out)
    assert (hits, out.read_bytes()) == (3, content)


def test_a_table_of_pytest_is_not_lost(tmp_path, verdicts):
    """It holds no digests, so its rows are not kept; but those of somebody else are not written over."""
    out, content, _ = table_of(tmp_path)
    rows = [replace(row, digest="", points=2.0) for row in report.read_csv(out)]
    report.write_csv(rows[:1], out)
    _, hits, _ = run(tmp_path / "S", out)
    assert (hits, out.read_bytes()) == (0, content)
    report.write_csv([replace(rows[0], student="labs")], out)
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
    rows = report.read_csv(out)
    out.unlink()
    journal.write_bytes(
        report.to_json(rows[:1]).encode() + b"\n" + line + b"\n" + report.to_json(rows[1:2]).encode()
    )
    _, hits, _ = run(tmp_path / "S", out)
    assert (hits, out.read_bytes(), journal.exists()) == (2, content, False)


def test_a_line_of_another_version_costs_itself(tmp_path, verdicts):
    out, content, _ = table_of(tmp_path)
    rows = report.read_csv(out)
    journal = out.with_name("grades.csv.part")
    journal.write_text(
        report.to_json([replace(row, digest=None, seed="7") for row in rows]), encoding="utf-8"
    )
    _, hits, _ = run(tmp_path / "S", out)
    assert (hits, out.read_bytes()) == (3, content)
