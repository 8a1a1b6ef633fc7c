"""What is judged: an exercise of a lab, with a student's answer in its gap."""

import re
from dataclasses import dataclass, replace

from rnnlib.grading import sources

WORD = re.compile(r"\w+")
LIBRARIES = {"np", "numpy"}  # who changes them helps no function


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

    @property
    def answers(self):
        """Whether it stands in the place of an answer."""
        return self.solution is not None and not self.provided


@dataclass(eq=False)
class Exercise:
    """The cells that lead to a check, and the check.

    Attributes:
        name: the function's name; the grade_id of its answer cell, too.
        title: such as "Exercise 1.1 rnn_step".
        points: what a right answer earns.
        check: the solution notebook's check cell, with its stored outputs.
        cells: code to run before the check, in order.
        lab: the lab's name.
        unfilled: why there is no answer; "" if there is one.
        review: why a person should look at it, or "".
        note: what to know where it fails: which of several answers counts, or "".
        below: the names that the notebook makes first below this check.
        texts: the names that text cells make, which do not run.
        made: all names that the notebook's cells make; empty if it is the solution.
    """

    name: str
    title: str
    points: float
    check: object
    cells: list
    lab: str
    unfilled: str = ""
    review: str = ""
    note: str = ""
    below: frozenset = frozenset()
    texts: frozenset = frozenset()
    made: frozenset = frozenset()

    def names(self, name):
        """Whether the student's code of this exercise names a function."""
        return any(re.search(rf"\b{name}\b", cell.source) for cell in self.cells if not cell.provided)

    def alone(self):
        """The exercise with what its function needs of the student's code, and nothing beside it.

        None if that is all that there is.
        """
        needed, left_out = self._needed()
        return replace(self, cells=[cell for cell in needed if cell.source]) if left_out else None

    def leave_out_tests(self):
        """Leave out of the answer's cells what its function does not need and what gives no name a value.

        Such as a test that takes long; later exercises may need the names.
        """
        needed, _ = self._needed(sources.gives_value)
        pairs = zip(self.cells, needed, strict=True)
        self.cells = [short if cell.answers else cell for cell, short in pairs]

    def _needed(self, also=lambda statement: False):
        """The cells with those statements that the function needs, by name, and how many others there are.

        Args:
            also: function of a statement: whether it stays in any case.
        """
        cells = [(cell, [] if cell.provided else sources.statements(cell.source)) for cell in self.cells]
        lines = [line for _, own in cells for line in own]
        makes = {
            line: sources.names_made(line) | (sources.names_changed(line) - LIBRARIES)
            for line in dict.fromkeys(lines)
        }
        words, needed = {self.name, "*"}, set(filter(also, makes))
        while True:
            new = {line for line in makes.keys() - needed if not words.isdisjoint(makes[line])}
            if not new:
                break
            needed |= new
            words.update(*map(WORD.findall, new))
        kept = [
            cell if cell.provided else replace(cell, source="\n".join(filter(needed.__contains__, own)))
            for cell, own in cells
        ]
        return kept, sum(line not in needed for line in lines)
