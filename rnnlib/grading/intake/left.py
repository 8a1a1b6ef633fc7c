"""What lies in a class's folder and is not graded: each file is named, or the folder that it lies in."""

from typing import NamedTuple

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
    graded = {file.names[:end] for file in files if file.is_notebook for end in range(len(file.names))}
    left, loose = {}, set(map(id, loose))
    for file in rest:
        why = NOT_GRADED if file.problem in (EXPORT, DOCUMENT) else file.problem
        if id(file) in loose and file.is_notebook:
            why = LOOSE
        names = file.names
        if why == NOT_GRADED and len(names) > 2:  # the student's own folder has a row
            names = next((names[:end] for end in range(2, len(names)) if names[:end] not in graded), names)
        left["/".join(map(readable, names))] = why
    return [Left(path, why) for path, why in sorted(left.items())]
