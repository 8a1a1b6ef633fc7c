"""A student's answers in the gaps of a lab: which cell is which, whatever became of it."""

import math
from itertools import chain

from rnnlib.grading import sources
from rnnlib.grading.elsewhere import Elsewhere
from rnnlib.grading.exercise import Cell, Exercise
from rnnlib.grading.notebook import exercise_name, grade_id, lab_name, role, squeeze, with_gap
from rnnlib.grading.review import to_review

FIGURE = "figure"  # the tag of a cell that draws alone: no grade needs it


def exercises(solution, student=None):
    """A lab as a list of exercises, with a student's answers in the gaps.

    A student's cell is matched by its grade_id, then by its cell id, then by its source if that is
    the lab's own, then by the function that it defines. Checks and provided code always come from
    the solution. Cells that the student added run where the student put them.

    Args:
        solution: the solution notebook.
        student: the student's notebook; None gives the solution's own answers.
    """
    gaps = released_gaps(solution)
    work = Work(solution, gaps)
    for number, cell in enumerate((student or solution).cells):
        work.take(number, cell)
    work.find_moved_answers()
    elsewhere = Elsewhere(work.code, work.texts, work.inert, work.checks)

    places = {grade_id(cell): place for place, cell in enumerate(solution.cells)}
    lab, cells = [], [Cell(source) for source in work.added[-1]]
    for place, cell in enumerate(solution.cells):
        if role(cell) == "check":
            name, title = exercise_name(cell)
            points = cell.metadata["nbgrader"]["points"]
            exercise = Exercise(name, title, points, cell, cells, lab_name(solution))
            if work.answers[name] == [gaps[name]]:
                exercise.unfilled = elsewhere.why_unfilled(name, bool({place, places[name]} & work.places))
            if student:
                exercise.review = why_review(cells)
                exercise.note, exercise.below = elsewhere.note(name), elsewhere.below(name)
                exercise.made, exercise.texts = elsewhere.names(), frozenset(work.texts)
            lab.append(exercise)
            cells = []
        cells += work.cells(cell) + [Cell(source) for source in work.added[place]]
    return lab


def released_gaps(solution):
    """Function -> its answer cell as released."""
    titles = dict(exercise_name(cell) for cell in solution.cells if role(cell) == "check")
    answers = [cell for cell in solution.cells if role(cell) == "answer"]
    return {grade_id(cell): with_gap(cell.source, titles[grade_id(cell)]) for cell in answers}


def why_review(cells):
    """Why a person should look at the code of an exercise, or ""."""
    names = (to_review(cell.source) for cell in cells if not cell.provided)
    suspect = next(filter(None, names), None)
    return f"its code names {suspect}" if suspect else ""


class Work:
    """A student's code, taken cell by cell from the top: answers, and cells of the student's own.

    Args:
        solution: the solution notebook.
        gaps: function -> its answer cell as released.

    Attributes:
        answers: function -> sources of its answer.
        added: position in the solution -> sources of the cells that the student added after
            that cell (−1: before all).
    """

    def __init__(self, solution, gaps):
        self.solution, self.gaps = solution, gaps
        self.match = matcher(solution)
        self.lab = {squeeze(cell.source) for cell in solution.cells}
        self.lab_texts = {squeeze(cell.source) for cell in solution.cells if role(cell) == "text"}
        self.empty = set(map(squeeze, gaps.values()))
        self.answers = {name: [] for name in gaps}
        self.added = {place: [] for place in range(-1, len(solution.cells))}
        self.place = -1  # of the last cell of the lab's code that was taken
        self.places = set()  # of all cells that were taken
        self.code = []  # (number, source) of every code cell with something in it
        self.texts = set()  # functions that a text cell defines, and not one of the lab's
        self.inert = {}  # functions in gaps that do not run -> where they stand
        self.checks = {}  # function -> number of the first cell with the student's check

    def take(self, number, cell):
        """Sort the next cell of the student's notebook."""
        place, kind, name = self._identity(cell)
        if place is not None:
            self.places.add(place)
        if cell.cell_type != "code":
            if squeeze(cell.source) not in self.lab_texts and "NotImplementedError" not in cell.source:
                self.texts |= sources.names_made(cell.source)
            return
        if place is not None:
            self.place = place
        if kind == "check":
            self.checks.setdefault(name, number)
        if squeeze(cell.source) in self.empty or sources.is_gap(cell.source):
            self._look_for_what_does_not_run(name, cell.source)
            return  # a gap left standing beside an answer must not replace it
        self.code.append((number, cell.source))
        if kind == "answer":
            self.answers[name].append(cell.source)
        elif not self._is_labs_own(cell.source, place, kind):
            # What a student wrote into a cell of the lab runs too, a check's before the check.
            self.added[self.place - (kind == "check")].append(cell.source)

    def _look_for_what_does_not_run(self, name, source):
        """Look for functions that a gap's comments or texts define, or return from."""
        comments = sources.commented(source, self.gaps.get(name, ""))
        made = sources.functions(comments) | ({name} if sources.returns(comments) else set())
        self.inert |= dict.fromkeys(made, "in comments, which do not run: take the # away")
        quoted = sources.functions(sources.quoted(source))
        self.inert |= dict.fromkeys(quoted, "in quotes, so that it does not run: take them away")

    def _identity(self, cell):
        """A cell's position in the solution, what it is, and its function; None where there is none."""
        place, kind, name = self.match(cell)
        if kind != "answer" and place in self.places:  # a check or the lab's own, once more further down
            return None, "copy", None
        if kind == "answer" and name in self.checks and self.answers[name]:  # changed below its check
            return None, "added", None
        return place, kind, name

    def _is_labs_own(self, source, place, kind):
        """Whether a source says no more than the lab itself."""
        if kind == "copy":
            return squeeze(source) in self.lab
        return place is not None and squeeze(source) == squeeze(self.solution.cells[place].source)

    def find_moved_answers(self):
        """Find answers in cells which lost their metadata, or have another's, and take them from there.

        What is nowhere is a gap.
        """
        definitions = {
            name: self._definitions(name)
            for name, own in self.answers.items()
            if not any(name in sources.names_made(source) for source in own)
        }
        elsewhere = set(chain.from_iterable(definitions.values()))
        for place, own in self.added.items():
            self.added[place] = [source for source in own if source not in elsewhere]
        for name in self.answers:
            own = self._rest(name, elsewhere) + definitions.get(name, [])
            self.answers[name] = own or [self.gaps[name]]

    def _definitions(self, name):
        """The sources that define a function; those above its check, if there are any."""
        cells = [(number, source) for number, source in self.code if name in sources.names_made(source)]
        end = self.checks.get(name, math.inf)
        above = [source for number, source in cells if number < end]
        return above or [source for _, source in cells]

    def _rest(self, name, elsewhere):
        """What stays of an answer where some of its cells are other functions' answers."""
        own = self.answers[name]
        return [source for source in own if source not in elsewhere or name in sources.names_made(source)]

    def cells(self, cell):
        """What runs in the place of a cell of the lab, its check left out."""
        match role(cell):
            case "answer":
                return [Cell(source, cell.source) for source in self.answers[grade_id(cell)]]
            case "provided" if FIGURE not in cell.metadata.get("tags", []):
                return [Cell(cell.source, cell.source, provided=True)]
        return []


def matcher(solution):
    """A function that finds a student's cell in a solution: its position, role, and function or None."""
    by_grade_id = {grade_id(cell): place for place, cell in enumerate(solution.cells) if grade_id(cell)}
    by_id = {cell.get("id"): place for place, cell in enumerate(solution.cells)}
    lasting = [(p, cell) for p, cell in enumerate(solution.cells) if role(cell) in ("check", "provided")]
    by_source = {squeeze(cell.source): place for place, cell in lasting}

    def match(cell):
        place = by_source.get(squeeze(cell.source))
        place = by_grade_id.get(grade_id(cell), by_id.get(cell.get("id"), place))
        if place is None:
            return None, "added", None
        own = solution.cells[place]
        kind = role(own)
        names = {"answer": grade_id(own), "check": exercise_name(own)[0] if kind == "check" else None}
        return place, kind, names.get(kind)

    return match
