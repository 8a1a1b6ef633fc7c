"""A file that was handed in: the notebook in it, or what it is instead."""

import hashlib
import json
import re
from dataclasses import dataclass, replace
from functools import partial
from pathlib import PurePosixPath

import nbformat

from rnnlib.grading import notebook
from rnnlib.grading.intake import reading
from rnnlib.grading.intake.entry import COURSES_OWN, NOBODYS, SOLVED, courses
from rnnlib.grading.names import readable
from rnnlib.grading.verdicts import Failed

NOTEBOOK = re.compile(
    r"(?P<stem>.*)\.ipynb(\.(txt|json|download)|[-_ ]*\(?\d*\)?)?", re.IGNORECASE | re.DOTALL
)
PERHAPS = re.compile(  # its bytes tell: no ending, another, one with letters changed about, or more after it
    r"[^.]+|.*\.(json|txt|[ij]?[pynb]{3,5})|.*\.ipynb([^\w~]*\d*|(\?|%3f).*)", re.IGNORECASE | re.DOTALL
)

NOT_GRADED = "only notebooks are graded"
EXPORT = "an export: the notebook itself is needed, .ipynb"
DOCUMENT = "a document: the notebook itself is needed, .ipynb"
INSTEAD = {  # endings of files that may have been meant as a notebook
    EXPORT: "py html htm pdf tex md rst mhtml mht webarchive",
    DOCUMENT: "doc docx odt rtf pages",
    "an archive that is not opened: unpack it, or make it a .zip": "rar 7z tar gz tgz xz bz2 zst",
    "a shortcut: the file itself is needed": "lnk url webloc desktop",
    "a place holder: the file lies in a cloud, download it": "icloud gdoc gsheet",
    "a download that has not ended": "part crdownload opdownload",
    "a mail: save the notebook that is attached": "eml msg mbox",
    "a backup": "bak orig ipynb~ tmp old",
}
TYPED_IN = re.compile(r"onlinetext\.html|.+_\d+_text\.html")  # in Moodle, in Canvas
DESCRIPTIONS = {"readme", "license", "changelog", "contributing"}  # in clones, and no exports
WHY = {ending: why for why, endings in INSTEAD.items() for ending in endings.split()}


@dataclass(frozen=True)
class File:
    """What is known of a file, or of a folder of which nothing more is to be said.

    Attributes:
        names: from the top of the class's folder down to its own.
        folder: whether it is a folder.
        is_notebook: whether it has to be judged, or to be told why not.
        problem: why it is not graded, or "".
        verdict: on a notebook with a problem, "unreadable" or "regrade".
        modified: when it was changed, in seconds; 0 where nobody knows.
        content: of a notebook, what is read of it, as text.
        solution: path of the lab's solution, or None.
        others: which other labs the notebook holds as well, as a sentence, or "".
    """

    names: tuple
    folder: bool = False
    is_notebook: bool = False
    problem: str = ""
    verdict: str = "unreadable"
    modified: float = 0.0
    content: str = ""
    solution: object = None
    others: str = ""

    @property
    def path(self):
        """Where it lies in the class's folder."""
        return "/".join(map(readable, self.names))

    @property
    def lab(self):
        """The lab's name; "" if it is none."""
        return self.solution.stem if self.solution else ""

    @property
    def fingerprint(self):
        """Changes with what may change a verdict: prose, empty cells and an editor's own ids do not."""
        cells = nbformat.from_dict(json.loads(self.content or "{}").get("cells", []))
        cells = [cell for cell in cells if cell.source.strip() or cell.metadata]
        for cell in cells:
            if not notebook.needs_id(cell, self.solution):
                cell.pop("id", None)
        return hashlib.sha256(json.dumps(cells).encode()).hexdigest()


def look_into(entry, name, solutions):
    """A file as far as it can be read.

    Args:
        entry: an ``entry.Entry``.
        name: what the student called it.
        solutions: folder of the solved labs.
    """
    about = {"names": entry.names, "folder": entry.folder, "modified": entry.modified}
    match = NOTEBOOK.fullmatch(name)
    stem = match["stem"] if match else PurePosixPath(name).stem
    if entry.problem in NOBODYS or not (match or entry.problem or PERHAPS.fullmatch(name)):
        return File(**about, problem=entry.problem or _instead(name))
    lab = partial(notebook.solution_for, stem, None, solutions)
    if entry.verdict == "regrade":
        solution = lab() if match else None
        return File(**about, is_notebook=True, problem=entry.problem, verdict="regrade", solution=solution)
    if entry.problem and (not match or entry.folder):
        return File(**about, problem=entry.problem)
    if entry.problem:
        return File(**about, is_notebook=True, problem=f"this is {entry.problem}", solution=lab())
    try:
        content = entry.read()
    except Failed as failure:
        about |= {"problem": failure.message, "verdict": failure.verdict}
        return File(**about, is_notebook=bool(match), solution=lab() if match else None)
    if not match and not reading.looks_like_notebook(content):
        kind = reading.kind_of(content)
        return File(**about, problem=f"{kind}, and its name does not say so" if kind else NOT_GRADED)
    return _notebook(about, content, stem, solutions, certain=bool(match))


def without_solutions(files):
    """Files, those among them that are the course's own solved labs as nobody's work.

    A student may have put work of their own into the folder of the solved labs.
    """
    course_folders = courses((*file.names, "") if file.folder else file.names for file in files)

    def is_solved(file):
        folders = enumerate(file.names[:-1])
        is_inside = any(name == SOLVED and file.names[:place] in course_folders for place, name in folders)
        return is_inside and notebook.BEGIN in file.content

    nobodys = {"is_notebook": False, "problem": COURSES_OWN, "content": "", "solution": None}
    return [replace(file, **nobodys) if is_solved(file) else file for file in files]


def _notebook(about, content, stem, solutions, certain):
    """A notebook of a lab, or why it is none; where its name is no notebook's, it may be another file."""
    try:
        student, problem = reading.loads(content), ""
        solution = notebook.solution_for(stem, student, solutions)
    except notebook.UnreadableNotebook as error:
        student, problem = None, str(error)
        solution = notebook.solution_for(stem, None, solutions, content.decode("utf-8", "replace"))
    if solution is None:
        problem = problem or "this is no lab: neither its name, nor its metadata, nor its cells say which"
    judged = certain or not problem
    if not problem:
        about |= {
            "content": json.dumps(student),
            "others": notebook.other_labs(solution, student, solutions),
        }
    return File(**about, is_notebook=judged, problem=problem, solution=solution)


def _instead(name):
    """What a file is that is no notebook."""
    if TYPED_IN.fullmatch(name):
        return "typed into the platform's text field: the notebook's file is needed"
    stem, _, ending = name.lower().rpartition(".")
    return NOT_GRADED if stem in DESCRIPTIONS else WHY.get(ending, NOT_GRADED)
