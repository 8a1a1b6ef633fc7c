"""A file or folder in what a class handed in, and the reasons why one is not looked into."""

import re
from collections.abc import Callable
from dataclasses import dataclass

#: What editors and systems leave behind, and nobody hands in.
LEFT_BEHIND = re.compile(
    r"\.ipynb_checkpoints|__MACOSX|\._.*|~\$.*|\.DS_Store|\.git|\.gitignore|\.gitattributes|\.Rproj\.user"
    r"|\.idea|\.vscode|\.Trash.*|\.virtual_documents|__pycache__|Icon\r|Thumbs\.db|desktop\.ini|\.gitkeep",
    re.IGNORECASE,
)

SOLVED = "labs_solutions"
COURSE = {"labs", "rnnlib"}  # where one of them lies beside the solved labs, there is the course
NOT_HANDED_IN = {"rnnlib", "book", "_build"}  # and of it, this is nobody's work
PACKAGES = {"site-packages", "dist-packages", "node_modules"}  # as in an environment of Python
FEEDBACK = re.compile(
    r".*_assignfeedback_.*|feedback attachment\(s\)", re.IGNORECASE | re.DOTALL
)  # Moodle, Sakai

LINK = "a link, and links are not followed"
HIDDEN = "hidden"
TEACHERS = "a teacher's feedback, not the student's work"
COURSES_OWN = "a part of the course, not the student's work"
OTHERS = "packages of other people"
NOBODYS = {HIDDEN, TEACHERS, COURSES_OWN, OTHERS}


@dataclass(frozen=True)
class Entry:
    """A file, or a folder of which nothing more is to be said.

    Attributes:
        names: from the top down to its own; a zip file counts as a folder.
        problem: why it is not read, or "".
        verdict: on a notebook with this problem, "unreadable" or "regrade".
        read: function that gives its bytes, while the walk stands at this entry. Raises ``Failed``.
        folder: whether it is a folder.
        modified: when it was changed, in seconds; 0 where nobody knows.
    """

    names: tuple
    problem: str = ""
    verdict: str = "unreadable"
    read: Callable | None = None
    folder: bool = False
    modified: float = 0.0


def is_course(names):
    """Whether these names in one folder are those of the course, and not of a student's work alone."""
    return SOLVED in names and not COURSE.isdisjoint(names)


def courses(paths):
    """The folders in which the course lies; of others nothing is kept, since paths may be very deep."""
    folders = {}  # folder -> those of the course's folders that lie in it
    for parts in paths:
        for place, name in enumerate(parts[:-1]):
            if name == SOLVED or name in COURSE:
                folders.setdefault(parts[:place], set()).add(name)
    return {folder for folder, inside in folders.items() if is_course(inside)}


def why_nobodys(name, is_folder, in_course):
    """Why what has this name is nobody's work, one of ``NOBODYS``, or ""."""
    if name.startswith(".") and not name.endswith(".icloud"):
        return HIDDEN
    if FEEDBACK.fullmatch(name):
        return TEACHERS
    if is_folder and in_course and name in NOT_HANDED_IN:
        return COURSES_OWN
    return OTHERS if is_folder and name in PACKAGES else ""


def is_zip(name):
    return name.lower().endswith(".zip")
