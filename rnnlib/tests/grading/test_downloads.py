"""What systems have collected is taken as they give it out. No kernel runs here."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from rnnlib.checks.exercise import LIMIT
from rnnlib.commands.grades import show_left
from rnnlib.grading.attempts import ATTEMPTS
from rnnlib.grading.feedback import write_feedback
from rnnlib.grading.intake import layouts, reading, tree
from rnnlib.grading.report import Row
from rnnlib.tests.grading.folders import LAB, found, graded, put, zipped
from rnnlib.tests.grading.submissions import ROOT

pytestmark = pytest.mark.usefixtures("no_kernel")
THIRD = (ROOT / "labs_solutions" / "03_lstm.ipynb").read_bytes()

DOWNLOADS = [
    (
        "Moodle",
        {
            "Lovelace Ada_12345_assignsubmission_file_/01_rnn.ipynb": ("Lovelace Ada", "01_rnn.ipynb"),
            "Lovelace Ada_12345_assignsubmission_onlinetext_/onlinetext.html": None,
            "Müller-O’Neil Bo_12346_assignsubmission_file/a/01_rnn.ipynb": (
                "Müller-O’Neil Bo",
                "a/01_rnn.ipynb",
            ),
            "Wu Cleo_12347_assignsubmission_file_/lab.zip": ("Wu Cleo", "lab.zip/01_rnn.ipynb"),
        },
    ),
    (
        "Moodle",
        {
            "Ada Lovelace_12345_assignsubmission_file_01_rnn.ipynb": ("Ada Lovelace", "01_rnn.ipynb"),
            "Bo_2_assignsubmission_file_lab.zip": ("Bo", "lab.zip/01_rnn.ipynb"),
        },
    ),
    (
        "Moodle",
        {
            "Participant_11_assignsubmission_file_/01_rnn.ipynb": ("Participant 11", "01_rnn.ipynb"),
            "Participant_12_assignsubmission_file_/01_rnn.ipynb": ("Participant 12", "01_rnn.ipynb"),
        },
    ),
    (
        "Canvas",
        {
            "lovelaceada_12345_67890_01_rnn-1.ipynb": ("lovelaceada", "01_rnn-1.ipynb"),
            "oneilbo_LATE_12346_67891_01_rnn.ipynb": ("oneilbo", "01_rnn.ipynb"),
            "wucleo_12347_6789_lab.zip": ("wucleo", "lab.zip/01_rnn.ipynb"),
            "wucleo_12347_text.html": None,
        },
    ),
    (
        "Canvas",
        {
            "LATE_anon_XyZ12_6790_01_rnn.ipynb": ("anon_XyZ12", "01_rnn.ipynb"),
            "anon_a1B2c_6789_01_rnn.ipynb": ("anon_a1B2c", "01_rnn.ipynb"),
        },
    ),
    (
        "Blackboard",
        {
            "Lab 1_ada_attempt_2024-01-02-10-11-12_01_rnn.ipynb": ("ada", "2024-01-02-10-11-12/01_rnn.ipynb"),
            "Lab 1_ada_attempt_2024-01-02-10-11-12.txt": None,
            "Lab 1_ada_attempt_2024-01-03-09-00-00_01_rnn.ipynb": ("ada", "2024-01-03-09-00-00/01_rnn.ipynb"),
            "Lab 1_b_o_poging_2024-01-02-10-11-13_01_rnn.ipynb": ("b_o", "2024-01-02-10-11-13/01_rnn.ipynb"),
        },
    ),
    (
        "Brightspace",
        {
            "397-255 - Mary-Ann Smith - Sep 24, 2024 926 PM/01_rnn.ipynb": (
                "Mary-Ann Smith",
                "2024-09-24 21-26/01_rnn.ipynb",
            ),
            "397-255 - Mary-Ann Smith - Sep 25, 2024 1203 AM/01_rnn.ipynb": (
                "Mary-Ann Smith",
                "2024-09-25 00-03/01_rnn.ipynb",
            ),
            "397-256 - Wu - Li - Sep 3, 2024 111 AM/01_rnn.ipynb": (
                "Wu - Li",
                "2024-09-03 01-11/01_rnn.ipynb",
            ),
            "397-257 - Xu Bo- Sep 3, 2024 111 AM - my - 01_rnn.ipynb": (
                "Xu Bo",
                "2024-09-03 01-11/my - 01_rnn.ipynb",
            ),
            "397-258 - Yves Roy - 3 sept. 2024 21 h 11/01_rnn.ipynb": (
                "Yves Roy",
                "3 sept. 2024 21 h 11/01_rnn.ipynb",
            ),
            "397-259 - Zoe-Ann Wit - 2024-09-03 2111/01_rnn.ipynb": (
                "Zoe-Ann Wit",
                "2024-09-03 2111/01_rnn.ipynb",
            ),
        },
    ),
    (
        "nbgrader",
        {
            "ada+ps1+2024-01-02 10:11:12 UTC/01_rnn.ipynb": ("ada", "2024-01-02 10:11:12/01_rnn.ipynb"),
            "ada+ps1+2024-01-02 10:11:12 UTC/timestamp.txt": None,
        },
    ),
    (
        "GitHub Classroom",
        {
            "lab-1-ada-l/labs/01_rnn.ipynb": ("ada-l", "labs/01_rnn.ipynb"),
            "lab-1-ada-l/.git/HEAD": None,
            "lab-1-bo/01_rnn.ipynb": ("bo", "01_rnn.ipynb"),
            "lab-1-bo/.git/HEAD": None,
        },
    ),
]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no colons in names")
@pytest.mark.parametrize(("system", "files"), DOWNLOADS)
def test_a_download_is_taken_as_it_comes(tmp_path, system, files):
    for name, notebook in files.items():
        content = zipped({"01_rnn.ipynb": LAB}) if name.endswith(".zip") else LAB
        put(tmp_path, name, content if notebook else b"text")
    notebooks = [notebook for notebook in files.values() if notebook]
    count = len({student for student, _ in notebooks})
    assert graded(tmp_path) == notebooks
    assert found(tmp_path).notes == [f"Read as a download of {system}: {count} student{'s' * (count > 1)}."]
    assert {each.lab for each in found(tmp_path).submissions} == {"01_rnn"}


def test_what_nbgrader_collects_is_taken_and_its_course_is_refused(tmp_path):
    put(tmp_path, "course/submitted/ada/ps1/01_rnn.ipynb")
    put(tmp_path, "course/submitted/ada/ps1/timestamp.txt", b"2024-01-02 10:11:12 UTC")
    put(tmp_path, "course/gradebook.db", b"")
    assert graded(tmp_path / "course" / "submitted") == [("ada", "ps1/01_rnn.ipynb")]
    with pytest.raises(ValueError, match=r"is a course of nbgrader: grade .*submitted$"):
        found(tmp_path / "course")


def test_the_only_student_of_a_classroom_is_known_by_the_folders_name(tmp_path):
    put(tmp_path, "lab-1-submissions/lab-1-ada/01_rnn.ipynb")
    put(tmp_path, "lab-1-submissions/lab-1-ada/.git/HEAD", b"")
    assert graded(tmp_path / "lab-1-submissions") == [("ada", "01_rnn.ipynb")]


@pytest.mark.parametrize("inside", ["class.zip", "S/moodle.zip", "S/moodle/"])
def test_a_download_may_be_a_zip_or_lie_one_deeper(tmp_path, inside):
    names = ["Ada_1_assignsubmission_file_/01_rnn.ipynb", "Bo_2_assignsubmission_file_/01_rnn.ipynb"]
    if inside.endswith(".zip"):
        put(tmp_path, inside, zipped(dict.fromkeys(names, LAB)))
    for name in names if inside.endswith("/") else ():
        put(tmp_path, inside + name)
    folder = tmp_path / (inside if inside == "class.zip" else "S")
    assert graded(folder) == [("Ada", "01_rnn.ipynb"), ("Bo", "01_rnn.ipynb")]
    assert len(found(folder).notes) == (1 if inside == "class.zip" else 2)


def test_one_clone_among_plain_folders_makes_no_classroom(tmp_path):
    for name in ("anna-lena", "anna-maria", "anna-sofia"):
        put(tmp_path, f"{name}/01_rnn.ipynb")
    put(tmp_path, "anna-lena/.git/HEAD", b"")
    assert [student for student, _ in graded(tmp_path)] == ["anna-lena", "anna-maria", "anna-sofia"]


@pytest.mark.parametrize("names", [["S/ada", "S/bo"], ["ada", "bo"], ["S/Ada_1_assignsubmission_file_"]])
def test_a_class_may_be_zipped_with_its_folder(tmp_path, names):
    put(tmp_path, "class.zip", zipped({f"{name}/01_rnn.ipynb": LAB for name in names}))
    students = [name.removeprefix("S/").split("_")[0] for name in names]
    assert graded(tmp_path / "class.zip") == [(student, "01_rnn.ipynb") for student in students]


def test_a_zip_of_one_student_is_no_class(tmp_path):
    put(tmp_path, "class.zip", zipped({"ada/labs/01_rnn.ipynb": LAB}))
    assert graded(tmp_path / "class.zip") == [("ada", "labs/01_rnn.ipynb")]


def test_a_zip_that_is_broken_is_no_class(tmp_path):
    put(tmp_path, "class.zip", b"PK")
    with pytest.raises(ValueError, match=r"class\.zip: a zip file that is broken"):
        found(tmp_path / "class.zip")


@pytest.mark.skipif(os.name != "posix", reason="no links")
def test_the_classs_folder_may_be_a_link_and_what_it_holds_may_not(tmp_path):
    put(tmp_path, "elsewhere/moodle/Ada_1_assignsubmission_file_/01_rnn.ipynb")
    (tmp_path / "S").symlink_to(tmp_path / "elsewhere")
    assert graded(tmp_path / "S") == [("Ada", "01_rnn.ipynb")]
    (tmp_path / "T").mkdir()
    (tmp_path / "T" / "moodle").symlink_to(tmp_path / "elsewhere" / "moodle")
    assert graded(tmp_path / "T") == []


def test_late_work_and_attempts_are_marked(tmp_path):
    put(tmp_path, "ada_LATE_12345_67890_01_rnn.ipynb")
    put(tmp_path, "Lab_bo_attempt_2024-01-02-10-11-12_01_rnn.ipynb")
    put(tmp_path, "Lab_bo_attempt_2024-01-01-10-11-12_01_rnn.ipynb")
    ada, first, second = found(tmp_path).submissions
    assert ada.review == "handed in late"
    assert first.review == second.review == "2 notebooks of this lab"
    assert second.modified - first.modified == 24 * 3600


def test_late_work_without_a_notebook_is_marked_too(tmp_path):
    put(tmp_path, "ada_LATE_12345_67890_report.pdf", b"%PDF")
    put(tmp_path, "bo_12346_67891_report.pdf", b"%PDF")
    assert [each.review for each in found(tmp_path).submissions] == ["handed in late", ""]


def test_a_student_of_two_assignments_of_moodle_is_one(tmp_path):
    """A number belongs to a student in one assignment."""
    other = (ROOT / "labs" / "03_lstm.ipynb").read_bytes()
    put(tmp_path, "Wu Li_1_assignsubmission_file_/01_rnn.ipynb")
    put(tmp_path, "Wu Li_21_assignsubmission_file_/03_lstm.ipynb", other)
    assert graded(tmp_path) == [("Wu Li", "01_rnn.ipynb"), ("Wu Li", "03_lstm.ipynb")]
    assert found(tmp_path).notes[1:] == [
        "Taken as one student, since each number has labs of its own: Wu Li (1 and 21)."
    ]
    put(tmp_path, "Wu Li_2_assignsubmission_file_/01_rnn.ipynb")  # and another of this name
    assert [student for student, _ in graded(tmp_path)] == ["Wu Li 1", "Wu Li 2", "Wu Li 21"]


def test_whom_a_platform_tells_apart_is_counted_as_who_they_are(tmp_path):
    other = (ROOT / "labs" / "03_lstm.ipynb").read_bytes()
    for lab, (name, content) in enumerate({"01_rnn": LAB, "03_lstm": other}.items()):
        for number, student in enumerate(["Ada", "Bo", "Wu Li", "Wu Li"]):
            put(tmp_path, f"S/{student}_{lab}{number}_assignsubmission_file/{name}.ipynb", content)
    assert found(tmp_path / "S").notes == [
        "Read as a download of Moodle: 6 students.",
        "Taken as one student, since each number has labs of its own: Ada (00 and 10), Bo (01 and 11).",
        "Taken as several students of one name, told apart by their numbers: Wu Li (02, 03, 12 and 13).",
    ]
    for number, student in enumerate(["silvaana", "silvaana", "bo"]):
        put(tmp_path, f"T/{student}_10{number}_9{number}0_01_rnn.ipynb")
    assert found(tmp_path / "T").notes == [
        "Read as a download of Canvas: 3 students.",
        "Taken as several students of one name, told apart by their numbers: silvaana (100 and 101).",
    ]


def test_two_assignments_of_clones_are_one_class(tmp_path):
    other = (ROOT / "labs" / "03_lstm.ipynb").read_bytes()
    for lab, name, content in (("rnn-1", "01_rnn", LAB), ("rnn-2", "03_lstm", other)):
        for student in ("ada-k", "ada-l", "bo"):
            put(tmp_path, f"S/{lab}-{student}/.git/HEAD", b"")
            if (lab, student) != ("rnn-2", "bo"):
                put(tmp_path, f"S/{lab}-{student}/{name}.ipynb", content)
    put(tmp_path, "S/rnn-2-bo/readme.txt", b"")
    assert graded(tmp_path / "S") == [
        ("ada-k", "01_rnn.ipynb"),
        ("ada-k", "03_lstm.ipynb"),
        ("ada-l", "01_rnn.ipynb"),
        ("ada-l", "03_lstm.ipynb"),
        ("bo", "01_rnn.ipynb"),
    ]


def test_a_lab_that_one_student_has_handed_in_is_of_the_class(tmp_path):
    other = (ROOT / "labs" / "03_lstm.ipynb").read_bytes()
    works = {"lab1-ada": LAB, "lab1-bo-x": LAB, "lab2-ada": other}
    for name, content in works.items():
        put(tmp_path, f"{name}/.git/HEAD", b"")
        put(tmp_path, f"{name}/lab.ipynb", content)
    assert [student for student, _ in graded(tmp_path)] == ["ada", "ada", "bo-x"]
    put(tmp_path, "lab2-cy-x/.git/HEAD", b"")
    put(tmp_path, "lab2-cy-x/lab.ipynb", other)
    assert [student for student, _ in graded(tmp_path)] == ["ada", "ada", "bo-x", "cy-x"]


def test_many_assignments_of_clones_with_long_names_are_one_class(tmp_path):
    others = {lab: (ROOT / "labs" / f"{lab}.ipynb").read_bytes() for lab in ("01_rnn", "03_lstm", "04_gru")}
    students = ["ada-king", "bo", "cy-x-y"]
    for lab, content in others.items():
        for student in students:
            name = f"cs-231n-spring-2026-{lab.replace('_', '-')}-from-scratch-{student}"
            put(tmp_path, f"{name}/.git/HEAD", b"")
            put(tmp_path, f"{name}/{lab}.ipynb", content)
    assert graded(tmp_path) == [(student, f"{lab}.ipynb") for student in students for lab in others]


def test_few_digits_are_canvas_where_others_are(tmp_path):
    put(tmp_path, "S/ada_4711_81234_01_rnn.ipynb")
    put(tmp_path, "S/bo_9_85_01_rnn.ipynb")
    put(tmp_path, "S/cy_LATE_10_86_01_rnn-2.ipynb")
    assert graded(tmp_path / "S") == [
        ("ada", "01_rnn.ipynb"),
        ("bo", "01_rnn.ipynb"),
        ("cy", "01_rnn-2.ipynb"),
    ]
    (tmp_path / "S" / "ada_4711_81234_01_rnn.ipynb").unlink()
    with pytest.raises(ValueError, match="holds no students' folders"):
        found(tmp_path / "S")


@pytest.mark.parametrize(
    "works",
    [
        {"Lab 1": ["jan_smith", "eva_smith"]},
        {"Lab 1": ["jan_smith", "eva_smith"], "Lab 2": ["jan_smith", "eva_smith"]},
        {"Lab_1": ["ada", "bo", "jan_smith"], "Lab_2": ["jan_smith", "ada", "bo"]},
        {"Lab 1": ["jan_smith", "eva_smith", "b_o"], "Quiz": ["smith"]},
        {"Lab_1_ Woche 3": ["dan", "e_e", "flo"], "Lab 1": ["b_o"]},
        {"Lab 1": ["a_01", "a_02", "b_01", "b_02"]},
        {"Lab 1": ["ana_silva", "ana_lima", "bo_silva", "bo_lima"], "Lab 2": ["ana_silva", "bo_lima"]},
        {"Lab 1": ["van_gogh", "van_dyck"], "Lab 2": ["van_gogh", "de_vries"]},
        {"Lab 1": ["jan_smith"]},
    ],
)
def test_users_of_blackboard_with_an_underscore_stay_apart(tmp_path, works):
    handed_in = [(title, user) for title, users in works.items() for user in users]
    labs = [LAB, (ROOT / "labs" / "03_lstm.ipynb").read_bytes()]
    contents = dict(zip(works, labs, strict=False))
    for title, user in handed_in:
        put(tmp_path, f"{title}_{user}_attempt_2026-02-03-10-11-12_{title}.ipynb", contents[title])
    students = [student for student, _ in graded(tmp_path)]
    assert students == sorted(user for _, user in handed_in)


@pytest.mark.parametrize(
    ("time", "sorts"),
    [
        ("Feb 3, 2026 911 PM", "2026-02-03 21-11"),
        ("13 Feb, 2026 1203 AM", "2026-02-13 00-03"),
        ("Feb 13, 2026 0911", "2026-02-13 09-11"),
        ("13 Feb, 2026 2111", "2026-02-13 21-11"),
        ("févr. 13, 2026 0911", "févr. 13, 2026 0911"),
        ("2026-02-13 21:11", "2026-02-13 21:11"),
    ],
)
def test_times_of_brightspace_sort(time, sorts):
    assert layouts.owner(f"12-345 - Ada - {time}").attempt == sorts


def test_a_day_that_does_not_exist_is_no_time(tmp_path):
    put(tmp_path, "Lab_bo_attempt_2024-02-31-10-11-12_01_rnn.ipynb")
    (bo,) = found(tmp_path).submissions
    assert bo.modified == (tmp_path / "Lab_bo_attempt_2024-02-31-10-11-12_01_rnn.ipynb").stat().st_mtime


def test_two_students_of_one_name_are_two(tmp_path):
    for name in ("Wu Li_1", "Wu Li_2", "Wu Lan_3"):
        put(tmp_path, f"{name}_assignsubmission_file_/01_rnn.ipynb")
    assert [student for student, _ in graded(tmp_path)] == ["Wu Lan", "Wu Li 1", "Wu Li 2"]


@pytest.mark.parametrize(
    "name", ["bo_2024_01_rnn.ipynb", "01_rnn.ipynb", "2024-01-02_01_rnn.ipynb", "01_rnn.zip"]
)
def test_a_loose_notebook_is_nobodys(tmp_path, name):
    put(tmp_path, "ada/01_rnn.ipynb")
    put(tmp_path, name, zipped({"01_rnn.ipynb": LAB}) if name.endswith("zip") else LAB)
    assert [student for student, _ in graded(tmp_path)] == ["ada"]
    ((path, why),) = found(tmp_path).left
    assert (path.split("/")[0], why) == (name, "in no student's folder")


def test_folders_one_deeper_are_hinted_at(tmp_path):
    put(tmp_path, "submissions/ada/01_rnn.ipynb")
    put(tmp_path, "submissions/bo/01_rnn.ipynb")
    (note,) = found(tmp_path).notes
    assert note == (
        "submissions is graded as one student, and holds ada and bo with the same lab: "
        f"if they are students, grade {tmp_path / 'submissions'}"
    )
    put(tmp_path, "cleo/01_rnn.ipynb")
    assert found(tmp_path).notes == []


def test_what_a_teacher_gave_back_is_no_students(tmp_path):
    put(tmp_path, "Ada L_1_assignsubmission_file_/01_rnn.ipynb")
    put(tmp_path, "Ada L_1_assignfeedback_file_/01_rnn.ipynb")
    put(tmp_path, "Ada L_1_assignfeedback_editpdf_/combined.pdf", b"%PDF")
    put(tmp_path, "Lovelace, Bo(bl1)/Submission attachment(s)/01_rnn.ipynb")
    put(tmp_path, "Lovelace, Bo(bl1)/Feedback Attachment(s)/01_rnn.ipynb")  # as Sakai calls it
    assert graded(tmp_path) == [
        ("Ada L", "01_rnn.ipynb"),
        ("Lovelace, Bo(bl1)", "Submission attachment(s)/01_rnn.ipynb"),
    ]
    assert dict(found(tmp_path).left) == dict.fromkeys(
        [
            "Ada L_1_assignfeedback_editpdf_",
            "Ada L_1_assignfeedback_file_",
            "Lovelace, Bo(bl1)/Feedback Attachment(s)",
        ],
        "a teacher's feedback, not the student's work",
    )


@pytest.mark.parametrize("suffix", ["/", ".zip"])
def test_two_downloads_in_a_folder_are_hinted_at(tmp_path, suffix):
    for number, lab in enumerate(["01_rnn", "03_lstm"]):
        name, content = f"lovelaceada_1234_567{number}_{lab}.ipynb", LAB
        if suffix == ".zip":
            put(tmp_path, f"S/submissions ({number}).zip", zipped({name: content}))
        else:
            put(tmp_path, f"S/submissions ({number})/{name}", content)
    (note,) = found(tmp_path / "S").notes
    top = f"submissions (0){suffix.rstrip('/')}"
    assert note == (
        f"{top} is graded as one student, and looks like a download of Canvas: "
        f"if it is one, grade {tmp_path / 'S' / top}"
    )


def test_a_folder_of_a_lab_with_the_students_notebooks_is_hinted_at(tmp_path):
    put(tmp_path, "01_rnn/ada.ipynb")
    assert found(tmp_path).notes == []
    put(tmp_path, "01_rnn/bo.ipynb")
    (note,) = found(tmp_path).notes
    assert note.startswith("01_rnn is graded as one student, and has the name of a lab: if it holds several")


def test_every_layout_is_strict_enough_for_a_name_of_its_own():
    for name in (
        "ada",
        "Ada Lovelace",
        "ada_1",
        "ada-lovelace",
        "group 7_b",
        "2024_01_02",
        "s1234567",
        "lab_1",
        f"1-1 - a - {'1' * 60_000}-",  # as only a zip file takes it; a pattern would run for minutes
    ):
        assert layouts.owner(name) is None
    assert tree.tops(Path("nowhere")) == []


def test_names_and_lines_on_the_instructors_page_are_true(tmp_path):
    page = (ROOT / "book" / "appendix" / "instructors.md").read_text(encoding="utf-8")
    assert f"in a file of up to {reading.LARGEST_FILE >> 20} MiB" in page
    assert "gave up after ten seconds" in page
    assert LIMIT == 10
    assert sum(attempt.without for attempt in ATTEMPTS) == 3
    assert "without up to three experiments" in page
    rows = re.findall(r"^\| (Moodle|Canvas|Blackboard|Brightspace) \| `([^`/]+)", page, re.MULTILINE)
    assert len(rows) == 4
    for system, name in rows:
        owner = layouts.owner(name)
        assert (owner.system, "lovelace" in owner.student.lower()) == (system, True)
    folders, moodle = re.findall(r"^```python\n(.+?)^```$", page, re.MULTILINE | re.DOTALL)
    for name in ("Ada Lovelace - 01_rnn.ipynb", "Bo - x - y.ipynb", "readme.txt"):
        put(tmp_path / "loose", name)
    subprocess.run([sys.executable, "-c", folders], cwd=tmp_path / "loose", check=True)
    assert graded(tmp_path / "loose") == [
        ("Ada Lovelace", "Ada Lovelace - 01_rnn.ipynb"),
        ("Bo", "Bo - x - y.ipynb"),
    ]
    handed_in = ["Ada_1_assignsubmission_file_/a/x.ipynb", "Ada_2_assignsubmission_file_/x.ipynb"]
    handed_in += ["Bo_3_assignsubmission_file/x.ipynb", "Participant_4_assignsubmission_file_x.ipynb"]
    handed_in += ["Cy_5_assignsubmission_onlinetext/onlinetext.html"]
    for path in handed_in:
        put(tmp_path, f"submissions/{path}")
    work = found(tmp_path / "submissions").submissions
    rows = [Row(each.student, each.lab, "1.1 f", 0, 1, "wrong", file=each.file) for each in work]
    assert write_feedback(rows, tmp_path / "grades_feedback") == []
    subprocess.run([sys.executable, "-c", moodle], cwd=tmp_path, check=True)
    with zipfile.ZipFile(tmp_path / "feedback.zip") as archive:
        packed = archive.namelist()
    assert packed == [
        "Ada_1_assignsubmission_file_/a/x.md",
        "Ada_2_assignsubmission_file_/x.md",
        "Bo_3_assignsubmission_file_/x.md",
        "Cy_5_assignsubmission_file_/notebook.md",
        "Participant_4_assignsubmission_file_/x.md",
    ]
    shutil.make_archive(tmp_path / "submissions", "zip", tmp_path / "submissions")
    shutil.rmtree(tmp_path / "submissions")
    zipped_too = moodle.replace('Path("submissions")  # or ', "")
    run = subprocess.run([sys.executable, "-c", zipped_too], cwd=tmp_path, check=True, stdout=subprocess.PIPE)
    assert run.stdout.decode().strip() == "5 pages packed"
    with zipfile.ZipFile(tmp_path / "feedback.zip") as archive:
        assert archive.namelist() == packed


MOODLE = "{}_{}_assignsubmission_file/01_rnn.ipynb"


@pytest.mark.parametrize("as_zip", [False, True])
def test_several_downloads_in_one_folder_are_no_students(tmp_path, as_zip):
    for lab in ("monday", "tuesday"):
        names = [MOODLE.format(name, number) for number, name in enumerate(("Ada", "Bo"), start=10)]
        if as_zip:
            put(tmp_path, f"{lab}.zip", zipped(dict.fromkeys(names, LAB)))
        else:
            for name in names:
                put(tmp_path, f"{lab}/{name}")
    with pytest.raises(ValueError, match=r"holds downloads, not students: monday\S* \(Moodle\), tuesday"):
        found(tmp_path)


def test_names_of_a_system_in_a_students_folder_are_files(tmp_path):
    for student in ("ada", "bo"):
        put(tmp_path, f"{student}/{student}_4711_81234_01_rnn.ipynb")
        put(tmp_path, f"{student}/IMG_20260203_101112_1.jpg", b"")
    assert [student for student, _ in graded(tmp_path)] == ["ada", "bo"]


def test_two_assignments_in_one_folder_are_one_class(tmp_path):
    """As the instructors' page tells: what two downloads of Moodle hold, in one folder."""
    put(tmp_path, "Ada_11_assignsubmission_file/01_rnn.ipynb")
    put(tmp_path, "Ada_21_assignsubmission_file/03_lstm.ipynb", THIRD)
    assert graded(tmp_path) == [("Ada", "01_rnn.ipynb"), ("Ada", "03_lstm.ipynb")]


@pytest.mark.parametrize("as_zip", [False, True])
def test_a_zip_in_a_zip_is_opened_in_a_download_of_either_form(tmp_path, as_zip):
    files = {
        "Ada_1_assignsubmission_file/a.zip": zipped({"b.zip": zipped({"01_rnn.ipynb": LAB})}),
        "Bo_2_assignsubmission_file/01_rnn.ipynb": LAB,
        "Cleo_3_assignsubmission_file/a.zip": zipped({"b.zip": zipped({"c.zip": zipped({"x.ipynb": LAB})})}),
    }
    if as_zip:
        put(tmp_path, "class.zip", zipped(files))
    for path, content in {} if as_zip else files.items():
        put(tmp_path / "class", path, content)
    each = found(tmp_path / ("class.zip" if as_zip else "class")).submissions
    assert [(student.student, student.file, bool(student.problem)) for student in each] == [
        ("Ada", "a.zip/b.zip/01_rnn.ipynb", False),
        ("Bo", "01_rnn.ipynb", False),
        ("Cleo", "", True),
    ]
    assert "a.zip/b.zip/c.zip (a zip file in a zip file in another: unpack them)" in each[2].problem


@pytest.mark.parametrize("as_zip", [False, True])
def test_nbgraders_folder_may_be_named_or_the_one_that_holds_it(tmp_path, as_zip):
    files = {f"submitted/{name}/lab1/01_rnn.ipynb": LAB for name in ("ada", "bo")}
    if as_zip:
        put(tmp_path, "class.zip", zipped(files))
    for path in () if as_zip else files:
        put(tmp_path / "class", path)
    folder = tmp_path / ("class.zip" if as_zip else "class")
    assert graded(folder) == [("ada", "lab1/01_rnn.ipynb"), ("bo", "lab1/01_rnn.ipynb")]
    assert len(found(folder).notes) == 1


def test_what_clones_hold_is_told_in_a_word(tmp_path, capsys):
    for number in range(6):
        put(tmp_path, f"lab1-s{number}/.git/HEAD", b"")
        put(tmp_path, f"lab1-s{number}/01_rnn.ipynb")
        put(tmp_path, f"lab1-s{number}/README.md", b"")
    put(tmp_path, "lab1-s0/photo.jpg", b"")
    show_left(found(tmp_path).left)
    assert capsys.readouterr().out == (
        "\nNot graded, only notebooks are graded: README.md (6 of this name), lab1-s0/photo.jpg\n"
    )


@pytest.mark.parametrize("within", ["", "lab1-submissions/"])
def test_a_zip_of_clones_is_a_classroom_too(tmp_path, within):
    members = {}
    for name in ("007", "ada", "bo-li"):
        members |= {f"{within}lab1-{name}/.git/HEAD": b"", f"{within}lab1-{name}/01_rnn.ipynb": LAB}
    put(tmp_path, "lab1-submissions.zip", zipped(members))
    assert [student for student, _ in graded(tmp_path / "lab1-submissions.zip")] == ["007", "ada", "bo-li"]
    assert (
        "Read as a download of GitHub Classroom: 3 students."
        in found(tmp_path / "lab1-submissions.zip").notes
    )


def test_a_course_of_nbgrader_in_a_zip_file_has_to_be_unpacked(tmp_path):
    put(tmp_path, "course.zip", zipped({"source/a.ipynb": LAB, "submitted/ada/lab1/01_rnn.ipynb": LAB}))
    with pytest.raises(ValueError, match=r"a course of nbgrader: unpack it, and grade its folder submitted$"):
        found(tmp_path / "course.zip")


def test_what_was_typed_into_a_platform_is_no_export(tmp_path):
    put(tmp_path, " Zed_4_assignsubmission_onlinetext/onlinetext.html", b"x")
    put(tmp_path, "Ada_5_assignsubmission_file/text.html", b"x")
    zed, ada = sorted(found(tmp_path).submissions, key=lambda each: -len(each.student + each.problem))
    assert zed.student == "Zed"
    assert "onlinetext.html (typed into the platform's text field: the notebook's file" in zed.problem
    assert "text.html (an export: " in ada.problem
    put(tmp_path / "canvas", "anon_b3C4d_6791_text.html", b"x")
    (only,) = found(tmp_path / "canvas").submissions
    assert (only.student, "typed into the platform's text field: " in only.problem) == ("anon_b3C4d", True)
    (tmp_path / "canvas" / "anon_b3C4d_6791_text.html").unlink()
    put(tmp_path / "canvas", "zed_4725_text.html", b"x")
    (only,) = found(tmp_path / "canvas").submissions
    assert "zed_4725_text.html (typed into the platform's text field: " in only.problem
