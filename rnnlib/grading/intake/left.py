"""What lies in a class's folder and is not graded: each file is named, or the folder that it lies in."""

from typing import NamedTuple

from rnnlib.grading.intake.entry import COURSES_OWN
from rnnlib.grading.intake.files import DOCUMENT, EXPORT, NOT_GRADED
from rnnlib.grading.names import readable

LOOSE = "in no student's folder"


class Left(NamedTuple):
    """A path in the class's folder, and why it is not graded."""

    path: str
    why: str


def gathered(rest, files, loose):
    """What is left, a folder in one line where nothing in it is graded.

    Args:
        rest: list of ``files.File``, what is in no row.
        files: all files of the class.
        loose: those of ``rest`` that are nobody's.
    """
    graded = {}  # folder -> folders in it with a notebook somewhere below
    for file in files:
        folder = graded
        for name in file.names[:-1] if file.is_notebook else ():
            folder = folder.setdefault(name, {})
    left, loose = {}, set(map(id, loose))
    for file in rest:
        why = NOT_GRADED if file.problem in (EXPORT, DOCUMENT) else file.problem
        if id(file) in loose and file.is_notebook:
            why = LOOSE
        names = file.names
        if why in (NOT_GRADED, COURSES_OWN) and len(names) > 2:  # the student's own folder has a row
            names = _outermost(names, graded)
        path = "/".join(map(readable, names))
        if why != NOT_GRADED or path not in left:
            left[path] = why
    return [Left(path, why) for path, why in sorted(left.items())]


def _outermost(names, graded):
    """The outermost folder on the way to a file, below the student's, in which nothing is graded."""
    folder = graded
    for end, name in enumerate(names[:-1], start=1):
        folder = folder.get(name)
        if folder is None:
            return names[: max(end, 2)]
    return names
