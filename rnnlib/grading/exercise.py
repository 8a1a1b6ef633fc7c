"""What is judged: an exercise of a lab, with a student's answer in its gap."""

import re
from dataclasses import dataclass


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
    made: frozenset = frozenset()

    def names(self, name):
        """Whether the student's code of this exercise names a function."""
        return any(re.search(rf"\b{name}\b", cell.source) for cell in self.cells if not cell.provided)
