"""Lab notebooks as files: reading them, the roles of their cells, their gaps.

Cells carry nbgrader's metadata. An *answer* cell (``solution: true``) holds the marked
solution; a *check* cell (``grade: true``) follows it; all other code is *provided*.
"""

import re
import textwrap
import warnings
from functools import lru_cache
from pathlib import Path

import nbformat

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
TOO = "too: a lab is graded as a file of its own"
BLOCK = re.compile(rf"^([ \t]*){BEGIN}[ \t]*\n(.*?)^[ \t]*{END}[ \t]*$", re.MULTILINE | re.DOTALL)


class UnreadableNotebook(ValueError):
    """A file that is no notebook; the message says why in one line."""


def read(path):
    """Read a notebook of any version as version 4.

    Raises:
        UnreadableNotebook: the file is not there, is not JSON, or is not a notebook.
    """
    try:
        return loads(Path(path).read_text(encoding="utf-8-sig"))  # some editors begin a file with a mark
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableNotebook(_why_unreadable(error)) from error


def loads(text):
    """The notebook in a text; see ``read``."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # old notebooks lack cell ids; nbformat adds them
            notebook = nbformat.reads(text, as_version=4)
        for cell in notebook.cells:
            texts = (cell.source, cell.cell_type, cell.get("id", ""))
            if not all(isinstance(text, str) for text in texts) or not isinstance(cell.metadata, dict):
                raise TypeError("a cell has no text, no type, no metadata, or an id that is no text")
        return notebook
    except Exception as error:  # nbformat raises many kinds
        raise UnreadableNotebook(_why_unreadable(error)) from error


def _why_unreadable(error):
    if type(error).__name__ == "NotJSONError":
        return "the notebook cannot be read: it is no JSON. Is it cut off, empty, or another kind of file?"
    reason = " ".join(str(error).split())[:200]
    return f"the notebook cannot be read: {type(error).__name__}: {reason}"


def grade_id(cell):
    """nbgrader's id of a cell, or None."""
    nbgrader = cell.metadata.get("nbgrader")
    value = nbgrader.get("grade_id") if isinstance(nbgrader, dict) else None
    return value if isinstance(value, str) else None


def seed(solution):
    """The random seed that a solution's stored values were made with."""
    return solution.metadata.get("rnnlib", {}).get("seed", 0)


def solution_for(stem, student, folder, text=""):
    """The path of the solution that a notebook is to be graded by, or None if it is no lab.

    Students rename files, lose metadata, and write one lab over another. So a lab is known by the name
    in its metadata, or by how its file name begins, if it holds an exercise of that lab; or by the lab
    of which it holds one; where it holds none, by its names.

    Args:
        stem: the file's name, without ``.ipynb``.
        student: the notebook; None if it cannot be read.
        folder: the solved labs.
        text: what the file holds; of a notebook that cannot be read, the cells' ids still say its lab.
    """
    solutions = {solution.stem: solution for solution in sorted(Path(folder).glob("*.ipynb"))}
    label = max((lab for lab in solutions if stem.startswith(lab)), key=len, default=None)
    if student is None:
        return solutions.get(label) or _lab_in(text, solutions.values())
    named = [solutions[name] for name in (lab_name(student), label) if name in solutions]
    same = (s for s in [*named, *solutions.values()] if shares_exercise(_read_once(s), student))
    return next(same, named[0] if named else None)


def _read_once(path):
    """A solution, read again only where it has changed: a class asks for it a thousand times."""
    return _read_cached(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=32)
def _read_cached(path, modified):
    return read(path)


def _lab_in(text, solutions):
    """The solved lab most of whose cells' ids stand in a text; where none do, the only lab, or None."""
    counts = {s: sum(f'"{cell.id}"' in text for cell in _read_once(s).cells) for s in solutions}
    likely = max(counts, key=counts.get, default=None)
    return likely if len(counts) == 1 or counts.get(likely) else None


def shares_exercise(solution, student):
    """Whether a notebook holds an exercise of a lab, by a cell's grade_id or by a check."""
    exercises = [cell for cell in solution.cells if role(cell) in ("answer", "check")]
    ids = {grade_id(cell) for cell in exercises}
    checks = {squeeze(cell.source) for cell in exercises if role(cell) == "check"}
    return any(grade_id(c) in ids or squeeze(c.source) in checks for c in student.cells)


def other_labs(solution, student, folder):
    """A sentence that names the labs, but for its own, most of whose checks a notebook holds; or "".

    Args:
        solution: the path of its own lab's solution.
        student: the notebook.
        folder: the solved labs.
    """
    there = {grade_id(cell) for cell in student.cells} | {squeeze(cell.source) for cell in student.cells}
    names = []
    for path in sorted(set(Path(folder).glob("*.ipynb")) - {solution}):
        checks = [cell for cell in _read_once(path).cells if role(cell) == "check"]
        held = sum(grade_id(cell) in there or squeeze(cell.source) in there for cell in checks)
        names += [path.stem] * (held > len(checks) / 2)
    return f"holds {', '.join(names)}, {TOO}" if names else ""


def needs_id(cell, path):
    """Whether a cell's id alone says which cell of a solved lab, the path of one, it is."""
    lab = _read_once(path).cells
    known = grade_id(cell) and grade_id(cell) in map(grade_id, lab)
    return cell.cell_type == "code" and not known and any(own.id == cell.get("id") for own in lab)


def lab_name(notebook):
    """The lab's name in a notebook's metadata, such as "01_rnn", or None."""
    metadata = notebook.metadata.get("rnnlib")
    value = metadata.get("lab") if isinstance(metadata, dict) else None
    return value if isinstance(value, str) else None


def role(cell):
    """What a lab's cell is: "answer", "check", "provided" or "text"."""
    if cell.cell_type != "code":
        return "text"
    nbgrader = cell.metadata.get("nbgrader", {})
    if nbgrader.get("grade"):
        return "check"
    return "answer" if nbgrader.get("solution") else "provided"


def with_gap(source, title):
    """An answer cell's source with a gap where its solution stands.

    Raises:
        ValueError: there is no marked solution.
    """

    def gap(match):
        lines = f'# YOUR CODE HERE\nraise NotImplementedError("{title}")'
        return textwrap.indent(lines, match[1])

    text, count = BLOCK.subn(gap, source)
    if count == 0 or BEGIN in text or END in text:
        raise ValueError(f"{title}: its cell needs a solution between {BEGIN} and {END}")
    return text


def exercise_name(check):
    """The function and the title that a check cell such as ``checks.rnn_step(rnn_step)`` is about."""
    from rnnlib import checks

    match = re.fullmatch(r"checks\.(\w+)\(\w+\)", check.source.strip())
    if not match:
        raise ValueError(
            f"a check cell must be one line such as checks.rnn_step(rnn_step), got {check.source!r}"
        )
    if match[1] not in checks.__all__:
        raise ValueError(f"there is no check {match[1]} in rnnlib.checks")
    return match[1], getattr(checks, match[1]).title


def squeeze(source):
    """Source without white space: two gaps are the same, however they are laid out."""
    return "".join(source.split())
