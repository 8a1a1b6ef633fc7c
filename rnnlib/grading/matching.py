"""A student's answers in the gaps of a lab: which cell is which, whatever became of it."""

import math
from dataclasses import dataclass

from rnnlib.grading import sources
from rnnlib.grading.notebook import exercise_name, grade_id, role, squeeze, with_gap


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
        name: the function's name; the grade_id of its answer cell, too.
        title: such as "Exercise 1.1 rnn_step".
        points: what a right answer earns.
        check: the solution notebook's check cell, with its stored outputs.
        cells: code to run before the check, in order.
        filled: whether there is an answer.
        review: why a person should look at it, or "".
    """

    name: str
    title: str
    points: float
    check: object
    cells: list
    filled: bool = True
    review: str = ""


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
    gaps = {
        grade_id(c): with_gap(c.source, titles[grade_id(c)]) for c in solution.cells if role(c) == "answer"
    }
    answers, added = _in_place(solution, student or solution, gaps)
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
        suspects = [name for name in map(sources.to_review, written) if name] if student else []
        exercise.review = f"its code names {suspects[0]}" if suspects else ""
        exercise.filled = answers[exercise.name] != [gaps[exercise.name]]
    return result


def _in_place(solution, student, gaps):
    """Sort a student's code cells into answers and added cells.

    Args:
        gaps: function -> its answer cell as released.

    Returns:
        (answers, added): function -> sources, and position in the solution -> sources of the
        cells that the student added after that cell (−1: before all).
    """
    match = _matcher(solution)
    empty = set(map(squeeze, gaps.values()))
    answers = {name: [] for name in gaps}
    added = {i: [] for i in range(-1, len(solution.cells))}
    filled = []  # (number, source) of every code cell with something in it
    checked = {}  # function -> number of the first cell with the student's check
    met = set()  # positions in the solution whose cell the student's notebook has shown
    place = -1
    for number, cell in enumerate(student.cells):
        i, kind, name = match(cell)
        again = kind != "answer" and i in met  # a check or the lab's own code, copied further down
        if again or (name in checked and answers[name]):  # or an answer, changed below its check
            i, kind, name = None, "again" if again else "text", None
        if i is not None:
            met.add(i)
            place = i
        if cell.cell_type != "code":
            continue
        if kind == "check":
            checked.setdefault(exercise_name(solution.cells[i])[0], number)
        if squeeze(cell.source) in empty or sources.is_gap(cell.source):
            continue  # a gap left standing beside an answer must not replace it
        filled.append((number, cell.source))
        if name:
            answers[name].append(cell.source)
        elif i is None and not (kind == "again" and _is_labs_own(cell, solution)):
            added[place].append(cell.source)
        elif i is not None and squeeze(cell.source) != squeeze(solution.cells[i].source):
            # What a student wrote into a cell of the lab runs too, a check's before the check.
            added[place - (kind == "check")].append(cell.source)
    return _with_moved(answers, added, filled, checked, gaps), added


def _matcher(solution):
    """A function that finds a student's cell in a solution: (position, role, function's name)."""
    by_grade_id = {grade_id(cell): i for i, cell in enumerate(solution.cells) if grade_id(cell)}
    by_id = {cell.get("id"): i for i, cell in enumerate(solution.cells)}
    by_check = {squeeze(cell.source): i for i, cell in enumerate(solution.cells) if role(cell) == "check"}

    def match(cell):
        i = by_grade_id.get(grade_id(cell), by_id.get(cell.get("id"), by_check.get(squeeze(cell.source))))
        kind = "text" if i is None else role(solution.cells[i])
        return i, kind, grade_id(solution.cells[i]) if kind == "answer" else None

    return match


def _is_labs_own(cell, solution):
    """Whether a cell says what a cell of the lab says."""
    return squeeze(cell.source) in {squeeze(own.source) for own in solution.cells}


def _with_moved(answers, added, filled, checked, gaps):
    """Answers, with those that stand in cells which lost their metadata, or have another's.

    They are taken out of where they were found. What is nowhere is a gap.
    """
    found = {}
    for name in [name for name, own in answers.items() if not own]:
        defining = [(number, source) for number, source in filled if name in sources.names_made(source)]
        before = [source for number, source in defining if number < checked.get(name, math.inf)]
        found[name] = before or [source for _, source in defining]
    moved = {source for cells in found.values() for source in cells}
    for place, cells in added.items():
        added[place] = [source for source in cells if source not in moved]
    kept = {
        name: [source for source in own if source not in moved or name in sources.names_made(source)]
        for name, own in answers.items()
    }
    return {name: kept[name] or found.get(name) or [gaps[name]] for name in answers}
