"""Where else in a notebook an exercise's function, or what it needs, stands: told where an answer fails."""

import math
from itertools import chain

from rnnlib.grading import sources
from rnnlib.grading.notebook import squeeze


class Elsewhere:
    """What a notebook defines, and where.

    Args:
        code: (number, source) of the code cells, from the top.
        texts: the names that text cells define.
        inert: functions in gaps that do not run -> where they stand.
        checks: function -> number of the cell with its check.
    """

    def __init__(self, code, texts, inert, checks):
        self.made = [(number, squeeze(source), sources.names_made(source)) for number, source in code]
        self.texts, self.inert, self.checks = texts, inert, checks

    def why_unfilled(self, name, has_place):
        """Why there is no answer.

        Args:
            has_place: whether the notebook holds the gap, or the check.
        """
        if name in self.texts:
            return "your answer stands in a text cell: make it a code cell"
        if name in self.inert:
            return f"your answer stands {self.inert[name]}"
        if not has_place:
            return "not in this notebook: was it begun in an earlier form of the lab?"
        return "not filled in yet"

    def note(self, name):
        """Which of several answers counts, or ""."""
        end = self.checks.get(name, math.inf)
        above = {source for number, source, names in self.made if name in names and number < end}
        below = {source for number, source, names in self.made if name in names and number > end}
        if above and below - above:
            return f"Another {name} stands below its check: only what is above counts."
        return f"{name} is made in {len(above)} cells: the last one counts." if len(above) > 1 else ""

    def names(self):
        """All names that some cell makes."""
        return frozenset(chain.from_iterable(names for _, _, names in self.made))

    def below(self, name):
        """The names that are made below a function's check alone."""
        end = self.checks.get(name, math.inf)
        above, below = (
            set(chain.from_iterable(names for number, _, names in self.made if (number > end) == is_below))
            for is_below in (False, True)
        )
        return frozenset(below - above)
