"""What students handed in: which notebooks there are, and which lab each of them is."""

import hashlib
import json
import os
from collections import Counter
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from rnnlib.grading import notebook, release
from rnnlib.grading.verdicts import Failed

LARGEST_FILE = 50 * 2**20  # bytes; a larger notebook is not read
LARGEST_TEXT = 5 * 2**20  # bytes of a notebook without its outputs


@dataclass(frozen=True)
class Submission:
    """One notebook of one student, with all that is needed to grade it anywhere.

    Attributes:
        student: the name of the student's folder.
        file: the notebook's path in that folder; "" if there is none.
        fingerprint: of the file's bytes.
        content: the notebook as text, without its outputs.
        problem: why it cannot be graded, or "".
        verdict: on a submission with a problem, "unreadable" or "regrade".
        review: why a person should look at it, or "".
        lab: the lab's name; "" if it is none.
        solution: the lab's solution, as text.
        seed: the random seed of the checks.
        digest: changes with all that its rows depend on.
    """

    student: str
    file: str = ""
    fingerprint: str = ""
    content: str = ""
    problem: str = ""
    verdict: str = "unreadable"
    review: str = ""
    lab: str = ""
    solution: str = ""
    seed: int = 0
    digest: str = ""

    def origin(self, walls=""):
        """What all rows of the notebook say, for ``report.row_of``.

        Args:
            walls: what protects the grader, "bubblewrap" or "none"; "" if nothing runs.
        """
        names = ("student", "lab", "file", "review", "seed", "digest")
        return {"sandbox": walls} | {name: getattr(self, name) for name in names}


def find(folder, solutions, seed):
    """The submissions in a folder, each with its lab's solution, made anew with the seed.

    Returns:
        (submissions, stray): list of Submission, and the notebooks in no student's folder.

    Raises:
        ValueError: there are no students, or no solutions, or a solution is not in order.
    """
    if not folder.is_dir():
        raise ValueError(f"there is no folder {folder}")
    students = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    if not students:
        raise ValueError(f"{folder} holds no students' folders: it must hold <student>/<lab>.ipynb")
    if not any(solutions.glob("*.ipynb")):
        raise ValueError(f"there are no solved labs in {solutions}: name their folder with --solutions")
    solve = cache(lambda lab: release.with_seed(solutions / f"{lab}.ipynb", seed) if lab else "")
    submissions = [each for student in students for each in _of_student(student, solutions, solve, seed)]
    return submissions, sorted(folder.glob("*.ipynb"))


def _of_student(student, solutions, solve, seed):
    """The submissions in a student's folder; one with a problem where there is none.

    Args:
        solve: function of a lab's name that gives its solution as text.
    """
    name = _readable(student.name)
    try:
        submissions = [_read(student, path, solutions, seed) for path in sorted(_notebooks(student))]
    except OSError as error:
        problem = f"a folder cannot be read: {error.strerror}"
        return [Submission(name, problem=problem, verdict="regrade", seed=seed)]
    if not submissions:
        return [Submission(name, problem="there is no notebook in this folder", seed=seed)]
    counts = Counter(submission.lab for submission in submissions if submission.lab)
    reviews = {lab: f"{count} notebooks of this lab" for lab, count in counts.items() if count > 1}
    return [replace(s, solution=solve(s.lab), review=reviews.get(s.lab, "")) for s in submissions]


def _notebooks(student):
    """The notebooks in a student's folder, in those below it too, but not in hidden ones."""
    for place, folders, files in os.walk(student, onerror=_raise):  # follows no links
        folders[:] = [name for name in folders if not name.startswith((".", "__MACOSX"))]
        for name in files:
            if name.lower().endswith(".ipynb") and not name.startswith("."):
                yield Path(place) / name


def _raise(error):
    raise error


def _read(student, path, solutions, seed):
    """One notebook, as far as it can be read."""
    name = _readable(path.relative_to(student).as_posix())
    submission = Submission(_readable(student.name), name, seed=seed)
    try:
        content = _content(path)
    except Failed as failure:
        return replace(submission, problem=failure.message, verdict=failure.verdict)
    nb, text, problem = _without_outputs(content)
    solution = notebook.solution_for(path.stem, nb, solutions, content.decode("utf-8", "replace"))
    if solution is None:
        problem = problem or "this is no lab: neither its name, nor its metadata, nor its cells say which"
    return replace(
        submission,
        fingerprint=hashlib.sha256(content).hexdigest(),
        content="" if problem else text,
        problem=problem,
        lab=solution.stem if solution else "",
    )


def _content(path):
    """What a file holds.

    Raises:
        Failed: it is not one that is read.
    """
    if path.is_symlink() or not path.is_file():
        raise Failed("unreadable", "this is a link or a device, not a file")
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise Failed("unreadable", f"the notebook is larger than {LARGEST_FILE >> 20} MiB")
        return path.read_bytes()
    except OSError as error:  # the grader's fault, or the file system's
        raise Failed("regrade", f"the file cannot be read: {error.strerror}") from error


def _without_outputs(content):
    """(notebook, its text, ""), or (None, "", why it cannot be graded)."""
    try:
        nb = notebook.loads(content.decode("utf-8-sig"))
    except (UnicodeDecodeError, notebook.UnreadableNotebook) as error:
        return None, "", str(error)
    for cell in nb.cells:
        cell.pop("outputs", None)  # thousands of notebooks are held in memory
        cell.pop("attachments", None)
    text = json.dumps(nb)
    if len(text) > LARGEST_TEXT:
        return None, "", f"the notebook holds more than {LARGEST_TEXT >> 20} MiB of text"
    return nb, text, ""


def _readable(name):
    """A file's name as text that can be written; some names are in no encoding."""
    return os.fsencode(name).decode("utf-8", errors="replace")
