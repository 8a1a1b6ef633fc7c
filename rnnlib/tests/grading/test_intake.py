"""What lies in a class's folder is taken as it comes, or named. No kernel runs here."""

import io
import json
import os
import re
import shutil
import tracemalloc
import unicodedata
import zipfile
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given

from rnnlib.grading.intake import archive, reading
from rnnlib.grading.intake.entry import COURSES_OWN
from rnnlib.grading.names import LONGEST, pages, readable, told_apart
from rnnlib.tests.grading.folders import LAB, POSIX, found, graded, put, zipped
from rnnlib.tests.grading.submissions import SOLUTION, STUDENT

FOURTH = SOLUTION.with_name("04_gru.ipynb").read_bytes()
pytestmark = pytest.mark.usefixtures("no_kernel")


def test_zips_of_notebooks_and_of_folders_are_taken(tmp_path):
    put(tmp_path, "ada/01_rnn.ipynb")
    put(
        tmp_path,
        "bo.zip",
        zipped({"bo/01_rnn.ipynb": LAB, "__MACOSX/bo/._01_rnn.ipynb": b"\0", "bo/.DS_Store": b""}),
    )
    put(tmp_path, "cleo/homework.ZIP", zipped({"01_rnn.ipynb": LAB, "notes.txt": b"a"}))
    put(tmp_path, "dan/a.zip", zipped({"b.zip": zipped({"01_rnn.ipynb": LAB})}))
    put(tmp_path, "eve/a.zip", zipped({"b.zip": zipped({"c.zip": zipped({"01_rnn.ipynb": LAB})})}))
    assert graded(tmp_path) == [
        ("ada", "01_rnn.ipynb"),
        ("bo", "bo.zip/bo/01_rnn.ipynb"),
        ("cleo", "homework.ZIP/01_rnn.ipynb"),
        ("dan", "a.zip/b.zip/01_rnn.ipynb"),
    ]
    eve = found(tmp_path).submissions[-1]
    assert eve.problem == (
        "there is no notebook, but a.zip/b.zip/c.zip (a zip file in a zip file in another: unpack them)"
    )
    assert found(tmp_path).left == [("cleo/homework.ZIP/notes.txt", "only notebooks are graded")]


def test_a_name_in_a_zip_leads_nowhere(tmp_path):
    names = [
        "../../01_rnn.ipynb",
        "/etc/01_rnn.ipynb",
        "C:\\a\\..\\01_rnn.ipynb",
        "01_rnn.ipynb",
        "./01_rnn.ipynb",
    ]
    put(tmp_path, "S/ada/a.zip", zipped(dict.fromkeys(names, LAB)))
    files = [file for _, file in graded(tmp_path / "S")]
    assert files == [
        "a.zip/01_rnn.ipynb",
        "a.zip/01_rnn.ipynb (2)",
        "a.zip/01_rnn.ipynb (3)",
        "a.zip/C:/a/01_rnn.ipynb",
        "a.zip/etc/01_rnn.ipynb",
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["S"]
    for path in pages(("ada", file) for file in files).values():
        assert ".." not in path.parts
        assert path.parts[0] == "ada"


def test_a_link_in_a_zip_leads_nowhere(tmp_path):
    link = zipfile.ZipInfo("01_rnn.ipynb")
    link.external_attr = 0o120777 << 16
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as members:
        members.writestr(link, str(SOLUTION))
    put(tmp_path, "ada/a.zip", file.getvalue())
    (ada,) = found(tmp_path).submissions
    assert ada.problem == "this is a link, and links are not followed"


@pytest.mark.parametrize(
    ("content", "limits", "why"),
    [
        (b"", {}, "a zip file that is broken: was it sent to its end?"),
        (zipped({"01_rnn.ipynb": LAB})[:-30], {}, "a zip file that is broken: was it sent to its end?"),
        (zipped({}), {}, "an empty zip file"),
        (zipped({"__MACOSX/a": b"b"}), {}, "an empty zip file"),
        (zipped({str(i): b"" for i in range(5)}), {"MOST_FILES": 4}, "a zip file of more than 4 files"),
        (zipped({"a": b"0" * 2000}), {"LARGEST_ZIP": 1000}, "a zip file that unpacks to more than 0 GiB"),
    ],
)
def test_a_zip_that_cannot_be_opened_is_named(tmp_path, monkeypatch, content, limits, why):
    for name, limit in limits.items():
        monkeypatch.setattr(archive, name, limit)
    put(tmp_path, "ada/a.zip", content)
    put(tmp_path, "bo/01_rnn.ipynb")
    put(tmp_path, "bo/a.zip", content)
    ada, _ = found(tmp_path).submissions
    assert ada.problem == f"there is no notebook, but a.zip ({why})"
    assert found(tmp_path).left == [("bo/a.zip", why)]


def test_a_zip_that_says_less_than_it_holds_fills_no_memory(tmp_path):
    content = bytearray(zipped({"01_rnn.ipynb": b" " * 50_000_000}))
    place = content.index(b"PK\x01\x02") + 24
    content[place : place + 4] = (1000).to_bytes(4, "little")
    put(tmp_path, "ada/a.zip", bytes(content))
    tracemalloc.start()
    (ada,) = found(tmp_path).submissions
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert ada.problem.startswith("the zip file is broken: was it sent to its end?")
    assert peak < 20_000_000


def test_a_zip_of_another_kind_is_not_called_broken(tmp_path):
    content = bytearray(zipped({"01_rnn.ipynb": LAB}))
    deflate64 = (9).to_bytes(2, "little")  # as Windows compresses large files
    content[8:10] = deflate64
    place = content.index(b"PK\x01\x02") + 10
    content[place : place + 2] = deflate64
    put(tmp_path, "ada/a.zip", bytes(content))
    (ada,) = found(tmp_path).submissions
    assert ada.problem == "the zip file is compressed in a way that is not known: unpack it"


def test_a_zip_with_a_password_is_told(tmp_path):
    content = bytearray(zipped({"01_rnn.ipynb": LAB}))
    content[content.index(b"PK\x01\x02") + 8] |= 1
    put(tmp_path, "ada/a.zip", bytes(content))
    (ada,) = found(tmp_path).submissions
    assert (ada.problem, ada.lab) == ("this is locked with a password", "01_rnn")


def test_a_giant_in_a_zip_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "LARGEST_FILE", len(LAB))
    put(tmp_path, "ada/a.zip", zipped({"01_rnn.ipynb": LAB, "02.ipynb": LAB + b" "}))
    assert [(each.file, each.problem) for each in found(tmp_path).submissions] == [
        ("a.zip/01_rnn.ipynb", ""),
        ("a.zip/02.ipynb", reading.TOO_LARGE),
    ]


def test_a_damaged_member_of_a_zip_costs_itself(tmp_path):
    content = bytearray(zipped({"01_rnn.ipynb": LAB, "b.ipynb": LAB}))
    content[200:220] = bytes(20)
    put(tmp_path, "ada/a.zip", bytes(content))
    first, second = found(tmp_path).submissions
    assert first.problem.startswith("the zip file is broken: ")
    assert (first.lab, second.problem) == ("01_rnn", "")


def test_a_zips_names_are_read_in_utf_8_though_it_does_not_say_so(tmp_path):
    content = zipped({"M\xfcller.ipynb": LAB})
    assert content.count("Müller".encode()) == 2
    content = bytearray(content)
    for sign, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(sign) + place + 1] &= ~8 & 255  # the flag for UTF-8
    put(tmp_path, "ada/a.zip", bytes(content))
    assert graded(tmp_path) == [("ada", "a.zip/Müller.ipynb")]


ENDINGS = [
    "ipynb",
    "IPYNB",
    "ipynb.txt",
    "ipynb.json",
    "json",
    "txt",
    "ipynb (1)",
    "ipynb-1",
    "ipynb.download",
    "ipynb.1",
    "ipynb%3Fdl=0",
    "ipnyb",
    "jpynb",
    *(["ipynb.", "ipynb?dl=1"] if os.name == "posix" else []),  # Windows has no such names
]


def test_what_systems_leave_behind_is_nobodys_and_in_no_line(tmp_path):
    put(tmp_path, "ada/01_rnn.ipynb")
    for place in ("", "ada/", "ada/lab.zip/"):
        for name in (
            "__MACOSX/ada/01_rnn.ipynb",
            ".ipynb_checkpoints/01_rnn-checkpoint.ipynb",
            "._01_rnn.ipynb",
        ):
            put(tmp_path, place + name)
        put(tmp_path, f"{place}.DS_Store", b"")
        put(tmp_path, f"{place}Thumbs.db", b"")
    assert graded(tmp_path) == [("ada", "01_rnn.ipynb")]
    assert found(tmp_path).left == [("ada/lab.zip", "a folder that holds .ipynb_checkpoints, __MACOSX alone")]


@pytest.mark.parametrize("name", ["01_rnn", "01_rnn (1).ipynb", *(f"01_rnn.{ending}" for ending in ENDINGS)])
def test_a_notebook_under_another_ending_is_read(tmp_path, name):
    put(tmp_path, f"ada/{name}")
    put(tmp_path, "ada/settings.json", b'{"cells": 3}')
    put(tmp_path, "ada/README", b"text")
    put(tmp_path, "ada/01_rnn.ipynb~")
    put(tmp_path, "ada/01_rnn.ipynb.bak")
    assert graded(tmp_path) == [("ada", name)]


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        (["01_rnn.py"], "01_rnn.py (an export: the notebook itself is needed, .ipynb)"),
        (["01_rnn.html"], "01_rnn.html (an export: the notebook itself is needed, .ipynb)"),
        (["report.docx"], "report.docx (a document: the notebook itself is needed, .ipynb)"),
        (["a.tar.gz"], "a.tar.gz (an archive that is not opened: unpack it, or make it a .zip)"),
        (["a.rar"], "a.rar (an archive that is not opened: unpack it, or make it a .zip)"),
        (["01_rnn.ipynb.lnk"], "01_rnn.ipynb.lnk (a shortcut: the file itself is needed)"),
        (["01_rnn.ipynb.crdownload"], "01_rnn.ipynb.crdownload (a download that has not ended)"),
        (["01_rnn.ipynb~"], "01_rnn.ipynb~ (a backup)"),
        (
            [".01_rnn.ipynb.icloud"],
            ".01_rnn.ipynb.icloud (a place holder: the file lies in a cloud, download it)",
        ),
        ([".01_rnn.ipynb"], ".01_rnn.ipynb (hidden)"),
        (["Lab 1.eml"], "Lab 1.eml (a mail: save the notebook that is attached)"),
        (["photo.jpg", "a.csv"], "a.csv (only notebooks are graded), photo.jpg (only notebooks are graded)"),
    ],
)
def test_who_handed_in_no_notebook_is_told_what_there_is(tmp_path, names, problem):
    for name in names:
        put(tmp_path, f"ada/{name}")
    (ada,) = found(tmp_path).submissions
    expected = f"there is no notebook, but {problem}"
    assert (ada.problem, ada.verdict, ada.lab) == (expected, "unreadable", "")


@pytest.mark.parametrize(
    ("name", "what"),
    [
        (".DS_Store", "an empty folder"),
        (".ipynb_checkpoints/01_rnn-checkpoint.ipynb", "a folder that holds .ipynb_checkpoints alone"),
        ("__MACOSX/01_rnn.ipynb", "a folder that holds __MACOSX alone"),
    ],
)
def test_a_folder_without_a_file_of_the_students_is_told(tmp_path, name, what):
    put(tmp_path, f"ada/{name}")
    (ada,) = found(tmp_path).submissions
    assert ada.problem == f"there is no notebook: this is {what}"


def test_folders_in_folders_without_end_cost_nothing(tmp_path):
    put(tmp_path, "ada/a.zip", zipped({"d/" * 3000 + "01_rnn.ipynb": LAB, "d/" * 2999 + "01_rnn.ipynb": LAB}))
    notebooks = graded(tmp_path)
    assert [file.count("/") for _, file in notebooks] == [3000, 3001]
    first, second = pages(notebooks).values()
    assert len(first.parts) < 20
    assert first != second
    tracemalloc.start()
    found(tmp_path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20_000_000


def test_a_folder_that_does_not_open_costs_its_own_student(tmp_path, monkeypatch):
    """And no zero: nobody has seen what lies in it."""
    for name in ("ada", "bo/inner", "bo", "cleo"):
        put(tmp_path, f"{name}/01_rnn.ipynb")
    scan = os.scandir

    def closed(path):
        if Path(path).name in ("ada", "inner"):
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", closed)
    told = [(each.student, each.file, each.problem, each.verdict) for each in found(tmp_path).submissions]
    monkeypatch.undo()
    closed = ("a folder cannot be read: Permission denied", "regrade")
    assert told == [
        ("ada", "", *closed),
        ("bo", "01_rnn.ipynb", "", "unreadable"),
        ("bo", "inner", *closed),
        ("cleo", "01_rnn.ipynb", "", "unreadable"),
    ]


def test_what_a_row_does_not_name_a_line_does(tmp_path):
    names = [f"{i}.csv" for i in range(5)]
    for name in names:
        put(tmp_path, f"ada/{name}", b"")
        put(tmp_path, f"bo/{name}{'x' * 190}", b"")
    ada, bo = found(tmp_path).submissions
    assert ada.problem.endswith("2.csv (only notebooks are graded), 2 more files")
    (tmp_path / "ada" / "4.csv").unlink()
    assert found(tmp_path).submissions[0].problem.endswith("2.csv (only notebooks are graded), 1 more file")
    put(tmp_path, "ada/4.csv", b"")
    assert bo.problem.endswith(" (only notebooks are graded), 4 more files")
    assert len(bo.problem) < 500
    assert [path[:8] for path, _ in found(tmp_path).left] == [
        *("ada/3.csv"[:8], "ada/4.csv"[:8]),
        *(f"bo/{name}" for name in names[1:]),
    ]


@POSIX
def test_links_lead_nowhere_and_are_named(tmp_path):
    put(tmp_path, "elsewhere/01_rnn.ipynb")
    put(tmp_path, "S/ada/01_rnn.ipynb")
    (tmp_path / "S" / "ada" / "more").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "S" / "ada" / "loop").symlink_to("loop")
    (tmp_path / "S" / "bo").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "S" / "cleo").mkdir()
    (tmp_path / "S" / "cleo" / "01_rnn.ipynb").symlink_to(tmp_path / "elsewhere" / "01_rnn.ipynb")
    assert graded(tmp_path / "S") == [("ada", "01_rnn.ipynb")]
    _, bo, cleo = found(tmp_path / "S").submissions
    assert bo.problem == "there is no notebook: this is a link, and links are not followed"
    assert (cleo.problem, cleo.lab) == ("this is a link, and links are not followed", "01_rnn")
    assert [path for path, _ in found(tmp_path / "S").left] == ["ada/loop", "ada/more"]


def test_a_clone_of_the_course_is_its_labs_alone(tmp_path):
    for name in ("labs/01_rnn.ipynb", "labs_solutions/01_rnn.ipynb", "rnnlib/tests/a.json", "book/a.ipynb"):
        put(tmp_path, f"ada/course/{name}")
        put(tmp_path, "bo/x", b"")
    put(
        tmp_path,
        "bo/a.zip",
        zipped({"c/labs/01_rnn.ipynb": LAB, "c/labs_solutions/01_rnn.ipynb": LAB, "c/rnnlib/a": b""}),
    )
    assert graded(tmp_path) == [("ada", "course/labs/01_rnn.ipynb"), ("bo", "a.zip/c/labs/01_rnn.ipynb")]
    left = dict(found(tmp_path).left)
    assert (
        left["ada/course/labs_solutions"]
        == left["bo/a.zip/c/rnnlib"]
        == "a part of the course, not the student's work"
    )


@pytest.mark.parametrize("beside", ["labs", "rnnlib"])
def test_the_courses_solutions_are_no_students_attempt(tmp_path, beside):
    members = {f"{beside}/01_rnn.ipynb": LAB, "labs_solutions/01_rnn.ipynb": LAB, "mine/01_rnn.ipynb": LAB}
    for name, content in members.items():
        put(tmp_path, f"ada/{name}", content)
    put(tmp_path, "bo.zip", zipped(members))
    put(tmp_path, "cleo/labs_solutions/01_rnn.ipynb")  # alone, it is where Cleo has put her work
    notebooks = graded(tmp_path)
    assert not [(student, file) for student, file in notebooks if "solutions" in file and student != "cleo"]
    assert ("ada", "mine/01_rnn.ipynb") in notebooks
    assert ("bo", "bo.zip/mine/01_rnn.ipynb") in notebooks
    assert ("cleo", "labs_solutions/01_rnn.ipynb") in notebooks


@pytest.mark.parametrize("as_zip", [False, True])
def test_own_work_in_the_folder_of_the_solved_labs_is_graded(tmp_path, as_zip):
    own = LAB.replace(b"### BEGIN SOLUTION", b"# mine").replace(b"### END SOLUTION", b"")
    members = {"labs/01_rnn.ipynb": STUDENT.read_bytes(), "rnnlib/a.py": b"", "book/a.md": b""}
    members |= {"labs_solutions/01_rnn.ipynb": own, "labs_solutions/04_gru.ipynb": FOURTH}
    for name, content in members.items():
        put(tmp_path, f"ada/{name}", content)
    if as_zip:
        put(tmp_path, "ada.zip", zipped(members))
        shutil.rmtree(tmp_path / "ada")
    top = "ada.zip/" if as_zip else ""
    assert graded(tmp_path) == [
        ("ada", f"{top}labs/01_rnn.ipynb"),
        ("ada", f"{top}labs_solutions/01_rnn.ipynb"),
    ]
    assert dict(found(tmp_path).left) == dict.fromkeys(
        [
            f"ada{'.zip' if as_zip else ''}/{name}"
            for name in ("book", "labs_solutions/04_gru.ipynb", "rnnlib")
        ],
        COURSES_OWN,
    )


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"Rar!\x1a\x07", "a rar archive under a zip file's name: the name alone does not make it one"),
        (b"7z\xbc\xaf\x27", "a 7z archive under a zip file's name: the name alone does not make it one"),
        (b"PK\x03\x04 and more", "a zip file that is broken: was it sent to its end?"),
        (b"", "a zip file that is broken: was it sent to its end?"),
    ],
)
def test_what_a_zip_file_is_by_its_name_alone_is_told(tmp_path, content, kind):
    put(tmp_path, "ada/lab.zip", content)
    put(tmp_path, "bo/lab", content)
    ada, bo = found(tmp_path).submissions
    assert ada.problem == f"there is no notebook, but lab.zip ({kind})"
    assert ("and its name does not say so" in bo.problem) == bool(content)


@pytest.mark.parametrize("environment", ["", "venv/"])
def test_packages_are_nobodys_work_and_hide_nobodys(tmp_path, monkeypatch, environment):
    """``python -m venv .`` makes the folder of the notebook itself an environment."""
    monkeypatch.setattr(archive, "MOST_FILES", 4)
    packages = f"{environment}lib/python3.11/site-packages"
    members = {f"{packages}/{i}/demo.ipynb": LAB for i in range(5)}
    members |= {"01_rnn.ipynb": LAB, f"{environment}pyvenv.cfg": b"home = /usr/bin"}
    for name, content in members.items():
        put(tmp_path, f"ada/{name}", content)
    put(tmp_path, "bo.zip", zipped(members))
    assert graded(tmp_path) == [("ada", "01_rnn.ipynb"), ("bo", "bo.zip/01_rnn.ipynb")]
    left = dict(found(tmp_path).left)
    assert [why for path, why in left.items() if path.endswith("site-packages")] == 2 * [
        "packages of other people"
    ]


def test_several_notebooks_of_no_lab_are_not_of_one(tmp_path):
    notes = LAB.replace(b"checks.", b"other.").replace(b'"nbgrader"', b'"x"').replace(b'"rnnlib"', b'"x"')
    notes = re.sub(rb'"id": "[^"]+"', lambda match: match[0].replace(b'": "', b'": "x'), notes)
    for name in ("a.ipynb", "b.ipynb"):
        put(tmp_path, f"ada/{name}", notes)
    for each in found(tmp_path).submissions:
        assert each.problem.startswith("this is no lab")
        assert each.review == ""


def test_of_a_folder_in_which_nothing_is_graded_one_line_tells(tmp_path):
    for path in ("lab/01_rnn.ipynb", "lab/data/deep/01_rnn.ipynb"):
        put(tmp_path, f"ada/{path}")
    for path in ("a.csv", "x/y/a.csv", "x/b.csv", "lab/a.csv", "lab/data/a.csv", "lab/data/z/y/a.csv"):
        put(tmp_path, f"ada/{path}")
        put(tmp_path, f"bo/more/{path}")
    assert [path for path, _ in found(tmp_path).left] == [
        *("ada/a.csv", "ada/lab/a.csv", "ada/lab/data/a.csv", "ada/lab/data/z", "ada/x"),
        "bo/more",
    ]


# Names


@POSIX
def test_names_in_no_encoding_are_told_apart(tmp_path):
    for name in (b"M\x81ller", b"M\x94ller"):
        put(tmp_path, f"{os.fsdecode(name)}/01_rnn.ipynb")
    assert [student for student, _ in graded(tmp_path)] == [r"M\x81ller", r"M\x94ller"]
    assert len(set(map(str, pages(graded(tmp_path)).values()))) == 2


@POSIX
def test_composed_and_decomposed_letters_are_one_name(tmp_path):
    composed, decomposed = "Zo\xeb", "Zoe\u0308"
    for folder, names in (("a", [composed]), ("b", [decomposed]), ("both", [composed, decomposed])):
        for name in names:
            put(tmp_path, f"{folder}/{name}/01_rnn.ipynb")
    assert graded(tmp_path / "a") == graded(tmp_path / "b") == [(composed, "01_rnn.ipynb")]
    if len(os.listdir(tmp_path / "both")) == 2:
        assert [student for student, _ in graded(tmp_path / "both")] == [composed, f"{composed} (2)"]


def test_names_that_come_again_get_numbers():
    assert told_apart(["a", "a", "a (2)", "a", "b", "a (2)"]) == [
        *("a", "a (2)", "a (2) (2)", "a (3)", "b", "a (2) (3)")
    ]
    assert told_apart(["a"] * 20_000)[-1] == "a (20000)"


def test_names_stay_as_people_write_them():
    for name in (
        "007",
        "=cmd|' /C calc'!A0",
        "Ada, Countess",
        "محمد",
        "نرگس\u200cخانم",
        "👩\u200d💻",
        "a  b",
    ):
        assert readable(name) == name
    assert readable("a\nb\t\u202egnp") == r"a\nb\t\u202egnp"


NAME = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1, max_size=80)
RESERVED = st.sampled_from(
    ["CON", "nul.txt", "com1", "a.", "a ", "Ada", "ADA", "ada", "x" * 300, "…" * 200, "01.ipynb"]
)


@given(st.lists(st.tuples(NAME | RESERVED, st.lists(NAME | RESERVED, max_size=3).map("/".join)), max_size=6))
def test_every_file_system_takes_the_names_of_pages(notebooks):
    paths = pages(notebooks)
    assert paths.keys() == set(notebooks)
    assert len({str(path).casefold() for path in paths.values()}) == len(paths)
    folders = {str(parent).casefold() for path in paths.values() for parent in path.parents}
    assert not folders & {str(path).casefold() for path in paths.values()}
    for path in paths.values():
        assert path.name.endswith(".md")
        for part in path.parts:
            assert 0 < len(part.encode()) <= LONGEST
            assert not re.search(r'[<>:"\\|?*\0-\x1f]|[. ]$', part)
            assert part.split(".")[0].upper() not in ("CON", "NUL", "COM1", "")
    assert {key: paths[key] for key in notebooks} == {key: pages(notebooks[::-1])[key] for key in notebooks}


# Everything is in a row or in a line

PARTS = st.sampled_from(
    ["ada", "Bo", "c.d", "labs", ".x", "é", "e\u0301", "a.zip", "01_rnn.ipynb", "n.txt", "x.json"]
)
FILES = {
    "lab": LAB,
    "empty": b"",
    "zip": zipped({"01_rnn.ipynb": LAB, "a/b.txt": b"x", "c/01_rnn.json": LAB}),
    "text": b"text",
    "cut": LAB[:3000],
    "data": b'{"cells": 1}',
}


@given(
    st.lists(
        st.tuples(st.lists(PARTS, min_size=1, max_size=4), st.sampled_from([*FILES, "folder"])), max_size=8
    )
)
def test_each_file_and_folder_is_in_a_row_or_in_a_line(tmp_path_factory, paths):
    folder = tmp_path_factory.mktemp("class")
    put(folder, "ada/01_rnn.ipynb")
    for names, kind in paths:
        path = folder.joinpath(*names)
        try:
            path.mkdir(parents=True) if kind == "folder" else put(
                folder, path.relative_to(folder), FILES[kind]
            )
        except OSError:  # it is there already, as something else
            continue
    handed_in = found(folder)
    named = {path for path, _ in handed_in.left}
    for each in handed_in.submissions:
        named |= {f"{each.student}/{each.file}", each.file} if each.file else {each.student}
        inside = re.findall(r"(?:but|\),) ([^,(]+) \(", each.problem)
        named |= {f"{each.student}/{path}" for path in inside} | set(inside)
    named = {re.sub(r" \(2\)(?=/|$)", "", path) for path in named}
    for path in folder.rglob("*"):
        names = readable(path.relative_to(folder).as_posix()).split("/")
        tree_of = ["/".join(names[:end]) for end in range(1, len(names) + 1)]
        told = any(place in named for place in tree_of)
        below = any(name.startswith(f"{tree_of[-1]}/") for name in named)
        assert told or below, (tree_of[-1], named)
    assert found(folder) == handed_in
    keys = [(each.student, each.file) for each in handed_in.submissions]
    assert len(set(keys)) == len(keys)
    assert all(unicodedata.is_normalized("NFC", student + file) for student, file in keys)


def test_two_labs_in_one_notebook_are_told(tmp_path):
    """A student goes on in the same file: what is not graded must be said."""
    first, third = json.loads(LAB), json.loads(SOLUTION.with_name("03_lstm.ipynb").read_bytes())
    put(tmp_path, "ada/01_rnn.ipynb", json.dumps(first | {"cells": first["cells"] + third["cells"]}).encode())
    few = [cell for cell in third["cells"] if "lstm_step" in "".join(cell["source"])]
    put(tmp_path, "bo/01_rnn.ipynb", json.dumps(first | {"cells": first["cells"] + few}).encode())
    assert [(each.lab, each.review) for each in found(tmp_path).submissions] == [
        ("01_rnn", "holds 03_lstm, too: a lab is graded as a file of its own"),
        ("01_rnn", ""),
    ]


def test_the_course_is_no_class(tmp_path):
    for name in ("labs/01_rnn.ipynb", "labs_solutions/01_rnn.ipynb", "_build/html/labs/01_rnn.ipynb"):
        put(tmp_path / "ada", name)
    with pytest.raises(
        ValueError, match="is the course itself: name the folder with what the students handed"
    ):
        found(tmp_path / "ada")
    assert graded(tmp_path) == [("ada", "labs/01_rnn.ipynb")]  # what a build of the book wrote is nobody's
