"""Lab notebooks: the roles of their cells, their gaps, and a student's answers among them.

Cells carry nbgrader's metadata. An *answer* cell (``solution: true``) holds the marked
solution; a *check* cell (``grade: true``) follows it; all other code is *provided*.
"""

import math
import re
import textwrap
import warnings
from dataclasses import dataclass
from pathlib import Path

import nbformat

from rnnlib.grading import sources

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
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
            texts = isinstance(cell.source, str) and isinstance(cell.get("id", ""), str)
            if not texts or not isinstance(cell.metadata, dict):
                raise TypeError("a cell has no text, no metadata, or an id that is no text")
        return notebook
    except Exception as error:  # nbformat raises many kinds
        raise UnreadableNotebook(_why_unreadable(error)) from error


def _why_unreadable(error):
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


def solution_for(stem, student, folder):
    """The path of the solution that a notebook is to be graded by, or None if it is no lab.

    Students rename files and lose metadata. So a lab is known by the name in its metadata,
    or by how its file name begins, or by an exercise that it holds.

    Args:
        stem: the file's name, without ``.ipynb``.
        student: the notebook; None if it cannot be read.
        folder: the solved labs.
    """
    solutions = {solution.stem: solution for solution in sorted(Path(folder).glob("*.ipynb"))}
    named = next((lab for lab in solutions if stem.startswith(lab)), None)
    if student is None:  # told in a line as well, where only one lab is possible
        return solutions.get(named) or (next(iter(solutions.values())) if len(solutions) == 1 else None)
    name = lab_name(student)
    if name in solutions or named:
        return solutions.get(name, solutions.get(named))
    same = (s for s in solutions.values() if shares_exercise(read(s), student))
    return next(same, None)


def shares_exercise(solution, student):
    """Whether a notebook holds an exercise of a lab, by a cell's grade_id or by a check."""
    exercises = [cell for cell in solution.cells if role(cell) in ("answer", "check")]
    ids = {grade_id(cell) for cell in exercises}
    checks = {_squeeze(cell.source) for cell in exercises if role(cell) == "check"}
    return any(grade_id(c) in ids or _squeeze(c.source) in checks for c in student.cells)


def lab_name(notebook):
    """The lab's name in a notebook's metadata, such as "01_rnn", or None."""
    metadata = notebook.metadata.get("rnnlib")
    value = metadata.get("lab") if isinstance(metadata, dict) else None
    return value if isinstance(value, str) else None


def role(cell):
    """ "answer", "check", "provided" or "text", read off a *solution* notebook's cell."""
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

    released, count = BLOCK.subn(gap, source)
    if count == 0 or BEGIN in released or END in released:
        raise ValueError(f"{title}: its cell needs a solution between {BEGIN} and {END}")
    return released


@dataclass
class Cell:
    """One code cell as it will be run.

    Attributes:
        source: what the student wrote, in answers and added cells; else the solution's.
        solution: the solution's source; None for a cell that the student added.
        provided: whether it is the lab's own code, and must not fail.
    """

    source: str
    solution: str | None = None
    provided: bool = False


@dataclass(eq=False)
class Exercise:
    """The cells that lead to a check, and the check.

    Attributes:
        name: the function's name.
        title: such as "Exercise 1.1 rnn_step".
        points: what a right answer earns.
        check: the solution notebook's check cell, with its stored outputs.
        cells: code to run before the check, in order.
        review: why a person should look at it, or "".
        disturbs: whether its code may change what other exercises use.
    """

    name: str
    title: str
    points: float
    check: object
    cells: list
    review: str = ""
    disturbs: bool = False


def exercises(solution, student=None):
    """A lab as a list of exercises, with a student's answers in the gaps.

    A student's cell is matched by its grade_id, then by its cell id, then by the function
    that it defines. Checks and provided code always come from the solution. Cells that the
    student added run where the student put them.

    Args:
        solution: the solution notebook.
        student: the student's notebook; None gives the solution's own answers.
    """
    titles = dict(exercise_name(cell) for cell in solution.cells if role(cell) == "check")
    answers, added = _answers(solution, student or solution, titles)
    result, cells = [], [Cell(source) for source in added[-1]]
    for i, cell in enumerate(solution.cells):
        kind = role(cell)
        if kind == "answer":
            cells += [Cell(source, cell.source) for source in answers[grade_id(cell)]]
        elif kind == "provided":
            cells.append(Cell(cell.source, cell.source, provided=True))
        elif kind == "check":
            name, title = exercise_name(cell)
            result.append(Exercise(name, title, cell.metadata["nbgrader"]["points"], cell, cells))
            cells = []
        cells += [Cell(source) for source in added[i]]
    for exercise in result:
        written = [cell.source for cell in exercise.cells if not cell.provided]
        named = [name for name in map(sources.to_review, written) if name]
        exercise.review = f"its code names {named[0]}" if named else ""
        others = titles.keys() - {exercise.name}
        exercise.disturbs = any(
            not sources.only_defines(source) or any(sources.defines(source, other) for other in others)
            for source in written
        )
    return result


def exercise_name(check):
    """The function and the title that a check cell such as ``checks.rnn_step(rnn_step)`` is about."""
    from rnnlib import checks

    match = re.fullmatch(r"checks\.(\w+)\(\w+\)", check.source.strip())
    if not match:
        raise ValueError(
            f"a check cell must be one line such as checks.rnn_step(rnn_step), got {check.source!r}"
        )
    return match[1], getattr(checks, match[1]).title


def _answers(solution, student, titles):
    """Sort a student's code cells into answers and added cells.

    Returns:
        (answers, added): grade_id -> sources, and position in the solution -> sources of
        the cells that the student added after that cell (−1: before all).
    """
    by_grade_id = {grade_id(cell): i for i, cell in enumerate(solution.cells) if grade_id(cell)}
    by_id = {cell.get("id"): i for i, cell in enumerate(solution.cells)}
    by_check = {_squeeze(cell.source): i for i, cell in enumerate(solution.cells) if role(cell) == "check"}
    gaps = {
        grade_id(c): with_gap(c.source, titles[grade_id(c)]) for c in solution.cells if role(c) == "answer"
    }
    empty = {_squeeze(gap) for gap in gaps.values()}

    answers = {name: [] for name in gaps}
    added = {i: [] for i in range(-1, len(solution.cells))}
    filled = []  # (number, source) of every code cell with something in it
    checked = {}  # function -> number of the cell with the student's check
    place = -1
    for number, cell in enumerate(student.cells):
        text = _squeeze(cell.source)
        match = by_grade_id.get(grade_id(cell), by_id.get(cell.get("id"), by_check.get(text)))
        kind = "text" if match is None else role(solution.cells[match])
        name = grade_id(solution.cells[match]) if kind == "answer" else None
        if name in checked and answers[name]:
            match = None  # a copy of the answer below its check is an experiment
        if match is not None:
            place = match
        if cell.cell_type != "code":
            continue
        if kind == "check":
            checked.setdefault(exercise_name(solution.cells[match])[0], number)
        if text in empty or sources.is_gap(cell.source):
            continue  # a gap left standing beside an answer must not replace it
        filled.append((number, cell.source))
        if match is None:
            added[place].append(cell.source)
        elif name:
            answers[name].append(cell.source)
        elif text != _squeeze(solution.cells[match].source):
            # What a student wrote into a cell of the lab runs too, a check's before the check.
            added[place - (kind == "check")].append(cell.source)

    # An answer may stand in a cell that lost its metadata, or has another's.
    found = {}
    for name in [name for name, own in answers.items() if not own]:
        defining = [(number, source) for number, source in filled if sources.defines(source, name)]
        before = [source for number, source in defining if number < checked.get(name, math.inf)]
        found[name] = before or [source for _, source in defining]
    moved = {source for cells in found.values() for source in cells}
    for place, cells in added.items():
        added[place] = [source for source in cells if source not in moved]
    for name, own in answers.items():
        own = [source for source in own if source not in moved or sources.defines(source, name)]
        answers[name] = own or found.get(name) or [gaps[name]]
    return answers, added


def _squeeze(source):
    """Source without white space: two gaps are the same, however they are laid out."""
    return "".join(source.split())


def same_values(a, b):
    """Whether two structures of lists, dicts and numbers agree, numbers within rounding.

    Stored values have six digits, and a check lets pass what is within 1e-6.
    """
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same_values(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same_values, a, b))
    if isinstance(a, float | int) and isinstance(b, float | int):
        return math.isfinite(a) and abs(a - b) <= 2e-6 + 2e-5 * abs(a)  # False for NaN, too
    return a == b
