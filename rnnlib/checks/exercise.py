"""An exercise: how its function is called, what is right, and which mistakes have a name.

A check ends in one of four ways. A right answer displays a :class:`Passed`. A wrong one raises
:class:`WrongAnswer`, one that stops with an error :class:`Crashed`, an empty one
:class:`NotFilledIn`, each with one line to read.
"""

import inspect
import os
from functools import partial

import numpy as np

from rnnlib.checks import words
from rnnlib.checks.calls import TooLong, call, limited, line_of_error, one_line
from rnnlib.checks.parts import Misfit, parts, problem, same

#: The values of a right answer travel beside the line, under this MIME type, for the grader.
VALUES_MIME = "application/vnd.rnnlib.values+json"

#: Of an array's largest entry. Rounding in float64 stays far below, every known mistake far above.
TOLERANCE = 1e-6

#: Seconds that all calls of one check may take together.
LIMIT = 10


class CheckFailed(AssertionError):
    """The base of all failures. Jupyter shows its one line, without a traceback."""

    def _render_traceback_(self):
        return [f"✗ {self}"]


class WrongAnswer(CheckFailed):
    """The function was called, and something is wrong."""


class Crashed(WrongAnswer):
    """The function stopped with an exception."""


class NotFilledIn(CheckFailed):
    """The gap still holds its NotImplementedError."""


class Passed:
    """What a check returns for a right answer: a line to read, and the values to compare."""

    def __init__(self, title, values):
        self.title, self.values = title, values

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/plain": repr(self), VALUES_MIME: self.values}

    def __repr__(self):
        return f"✓ {self.title}"


#: Every exercise of a lab by its function's name: EXERCISES["01_rnn"]["rnn_step"].
EXERCISES = {}


class Exercise:
    """One exercise of a lab, made from the function that solves it; see ``lab01_rnn.py``.

    Calling the exercise checks a student's function.

    Args:
        lab: the lab's file name, such as "01_rnn".
        number: such as "1.1".
        returns: the results' names and their shapes in letters, such as ``{"h": "B, H"}``.
        inputs: function of a random generator that returns a list of argument tuples. If it takes
            ``shapes`` as well, a list of (B, T, D, H), there is an ``example``.
        equation: label and number of the book's equation, such as ("rnn-step", 1); the label
            begins with the chapter's file name.
        tolerance: how far a value may be off, as a part of its array's largest entry.
        reference: the right function; its name and argument names are the exercise's.
    """

    def __init__(self, lab, number, returns, inputs, equation, tolerance, reference):
        self.lab, self.name = lab, reference.__name__
        self.title = f"Exercise {number} {self.name}"
        self.returns, self.inputs, self.equation, self.reference = returns, inputs, equation, reference
        self.tolerance = tolerance
        self.parameters = list(inspect.signature(reference).parameters)
        label, number = equation
        self.book = f"{label.split('-')[0]}.html, equation ({number})"
        self.misconceptions = []  # (function, sentence)
        EXERCISES.setdefault(lab, {})[self.name] = self

    def misconception(self, sentence):
        """Name a mistake: the decorated function makes it, the sentence asks about it."""

        def add(function):
            self.misconceptions.append((function, sentence))
            return function

        return add

    def example(self):
        """The smallest case, to work by hand: arguments of one sample, feature and unit, one digit each.

        Returns:
            A dict of the arguments by name; None if the exercise has no such case.
        """
        if "shapes" not in inspect.signature(self.inputs).parameters:
            return None
        (case,) = self.inputs(_OneDigit(), [(1, 2, 1, 1)])
        return dict(zip(self.parameters, case, strict=True))

    def __call__(self, function, seed=None, helpers=True):
        """Check a student's function.

        Args:
            function: the student's.
            seed: for the random inputs; None takes it from the environment variable
                RNNLIB_SEED, or 0.
            helpers: whether to look at the other exercises' functions that this one calls.

        Returns:
            Passed, if every result is right for every input.

        Raises:
            NotFilledIn: the gap has not been filled in.
            Crashed: the function stopped with an exception; says with which, and where.
            WrongAnswer: says what is wrong, where, and if it is known, which mistake it is.
        """
        if not callable(function):
            raise WrongAnswer(f"{self.title}: {self.name} must be a function, got {type(function).__name__}")
        seed = int(os.environ.get("RNNLIB_SEED", 0)) if seed is None else seed
        cases = self.inputs(np.random.default_rng(seed))
        try:
            with limited(LIMIT):
                return self._checked(function, cases, seed, helpers)
        except TooLong:
            raise Crashed(
                f"{self.title}: {self.name} did not finish in {LIMIT} seconds: is there an endless loop?"
            ) from None

    def _checked(self, function, cases, seed, helpers):
        outcomes = []
        for i, case in enumerate(cases):
            outcome, right = call(function, case), call(self.reference, case)
            outcomes.append(outcome)
            sentence = self._sentence(function, cases[i:] + cases[:i], outcome, right, helpers)
            if sentence:
                kind = Crashed if outcome.error is not None else WrongAnswer
                raise kind(f"{self.title}: {sentence} (book: {self.book})")
        for outcome in outcomes:
            for name, changed in zip(self.parameters, outcome.changed, strict=True):
                if changed:
                    raise WrongAnswer(
                        f"{self.title}: your result is right, but the caller's {name} has changed. "
                        "Work on a copy, or put back what you moved."
                    )
        call(function, self.inputs(np.random.default_rng(seed + 1))[0])
        self._raise_if_later_calls_change(outcomes)
        return Passed(self.title, [self._evidence(outcome) for outcome in outcomes])

    def _sentence(self, function, cases, outcome, right, helpers):
        """What is wrong with a call, and a question where the mistake is known; None if all is right."""
        self._raise_if_not_filled_in(function, outcome)
        what, part, wrong = self._first_problem(outcome, right)
        if what is None:
            return None
        if helpers:
            self._raise_if_a_helper_is_wrong(function)
        where = words.place(wrong, part.letters) if wrong is not None else ""
        question = (
            words.other_order(function, self.name, self.parameters)
            or self._known(function, cases, outcome, part)
            or self._guess(what, function, outcome, right, part, wrong)
        )
        by_hand = self._by_hand(function) if wrong is not None else ""
        return " ".join(filter(None, [f"{what}{where}", question, by_hand]))

    def _by_hand(self, function):
        """The smallest case, its right result, and the student's; "" if there is none, or it is right."""
        case = self.example()
        if case is None:
            return ""
        right, outcome = call(self.reference, case.values()), call(function, case.values())
        _, part, wrong = self._first_problem(outcome, right)
        if wrong is None:
            return ""
        given = ", ".join(f"{name} = {_short(value)}" for name, value in case.items())
        return f"By hand: {given} give {part.name} = {_short(part.right)}, yours gives {_short(part.value)}."

    def _first_problem(self, outcome, right):
        """A sentence about the first thing that is wrong, the part, and its wrong entries; or three None."""
        if outcome.error is not None:
            place = line_of_error(outcome.error, self.name)
            return f"{self.name} stopped with {one_line(outcome.error)}{place}.", None, None
        if outcome.value is None:
            return f"{self.name} returned None. Is the return missing?", None, None
        try:
            pieces = parts(outcome.value, right.value, self.returns, self.name)
        except Misfit as misfit:
            return str(misfit), None, None
        for part in pieces:
            what, wrong = problem(part, self.tolerance)
            if what:
                return what, part, wrong
        return None, None, None

    def _known(self, function, cases, outcome, part):
        """The sentence of the misconception that goes wrong in the same way, or "".

        The one that equals the answer in all parts, else the one that equals it in the first wrong
        part: a second mistake further down does not hide the first.

        Args:
            cases: the one that went wrong first.
            part: the first wrong part, None if the call stopped.
        """
        if part is None:
            for other, sentence in self.misconceptions:
                if _same_error(outcome.error, call(other, cases[0]).error):
                    return sentence
            return ""
        rights = [call(self.reference, case) for case in cases]
        own = [outcome, *(call(function, case) for case in cases[1:])]
        names = [piece.name for piece in parts(rights[0].value, rights[0].value, self.returns, self.name)]
        alike = ""
        for other, sentence in self.misconceptions:
            mistaken = [call(other, cases[0])]
            if self._share(own[:1], mistaken, rights, part.name) != 1:
                continue
            mistaken += [call(other, case) for case in cases[1:]]
            if self._share(own, mistaken, rights, part.name) <= 0.5:
                continue
            if all(self._share(own, mistaken, rights, name) in (1, None) for name in names):
                return sentence
            alike = alike or sentence
        return alike

    def _share(self, own, mistaken, rights, name):
        """In which share of the cases that can tell a part equals the misconception's; None if none can."""
        equal = telling = 0
        for mine, other, right in zip(own, mistaken, rights, strict=False):
            mine, other, wanted = (self._part(outcome, right, name) for outcome in (mine, other, right))
            if other is None or (same(other, wanted, self.tolerance) and same(mine, wanted, self.tolerance)):
                continue
            if np.shape(other) != np.shape(wanted) == np.shape(mine):
                continue  # an edge case, such as T = 1
            telling += 1
            equal += mine is not None and same(mine, other, self.tolerance)
        return equal / telling if telling else None

    def _part(self, outcome, right, name):
        """The value of a part of a result, None if there is none."""
        try:
            pieces = parts(outcome.value, right.value, self.returns, self.name)
        except Misfit:
            return None
        return next(part.value for part in pieces if part.name == name)

    def _guess(self, what, function, outcome, right, part, wrong):
        """A question that needs no misconception of this exercise, or ""."""
        outer = words.outer_values(function, EXERCISES[self.lab])
        if outer:
            gets = ", ".join(self.parameters)
            return f"It reads {outer[0]} from outside: what the check hands in is {gets}."
        if outcome.error is not None:
            line = line_of_error(outcome.error, self.name)
            return words.about_error(outcome.error, line, self.parameters)
        if part is None:
            return ""
        pieces = parts(outcome.value, right.value, self.returns, self.name)
        if len(pieces) > 1 and "dtype" not in what and self._permuted(pieces):
            return f"The results stand in another order: return {', '.join(self.returns)}."
        if wrong is None:
            shape, target = np.shape(part.value), np.shape(part.right)
            if not isinstance(part.value, np.ndarray | np.generic) or shape == target:
                return ""
            return words.about_shape(shape, target, part.letters)
        close = partial(same, tolerance=self.tolerance)
        return words.relation(np.asarray(part.value), np.asarray(part.right), part.letters, close)

    def _permuted(self, pieces):
        """Whether every value is right for some other name."""
        targets = [piece.right for piece in pieces]
        for piece in pieces:
            hits = [i for i, target in enumerate(targets) if same(piece.value, target, self.tolerance)]
            if not hits:
                return False
            targets.pop(hits[0])
        return True

    def _raise_if_not_filled_in(self, function, outcome):
        # The exact type: input() in a notebook raises a subclass of NotImplementedError.
        if type(outcome.error) is not NotImplementedError:
            return
        other = str(outcome.error)
        if other.startswith("Exercise ") and other != self.title:
            raise NotFilledIn(f"{self.title}: it calls {other}, which is not filled in yet")
        if words.raise_stands_above(function):
            raise NotFilledIn(
                f"{self.title}: the raise still stands above your answer and ends the call: delete that line"
            )
        raise NotFilledIn(f"{self.title}: not filled in yet. If it is, run its cell again before this check.")

    def _raise_if_a_helper_is_wrong(self, function):
        """Where the function calls another exercise's, and that one is wrong, say so first."""
        names = getattr(getattr(function, "__code__", None), "co_names", ())
        for name, other in EXERCISES[self.lab].items():
            if name not in names or name == self.name:
                continue
            try:
                other(function.__globals__.get(name), helpers=False)
            except CheckFailed:
                raise WrongAnswer(
                    f"{self.title}: it calls your {name}, which is not right yet: begin with {other.title}"
                ) from None

    def _raise_if_later_calls_change(self, outcomes):
        """What one call returned must be the caller's, whatever is called later."""
        for outcome in outcomes:
            before = parts(outcome.value, outcome.value, self.returns, self.name)
            now = parts(outcome.returned, outcome.value, self.returns, self.name)
            for part, later in zip(before, now, strict=True):
                if not same(part.value, later.value, self.tolerance):
                    raise WrongAnswer(
                        f"{self.title}: {part.name} changes when {self.name} is called again. "
                        "Return a new array each time."
                    )

    def _evidence(self, outcome):
        """The results of one call as lists of numbers with six digits."""
        pieces = parts(outcome.value, outcome.value, self.returns, self.name)
        return {part.name: [float(f"{v:.6g}") for v in np.ravel(part.value)] for part in pieces}


def exercise(lab, number, *, returns, inputs, equation, tolerance=TOLERANCE):
    """Make an Exercise from the decorated function, which solves it."""
    return partial(Exercise, lab, number, returns, inputs, equation, tolerance)


class _OneDigit:
    """Random numbers with one digit after the point, for work by hand."""

    def __init__(self):
        self.rng = np.random.default_rng(1)

    def normal(self, size):
        return self.rng.choice([-0.8, -0.5, -0.2, 0.1, 0.4, 0.6, 0.9], size)


def _short(value):
    """An array as a reader writes it: 0.5, or [0.5, −0.2]."""
    numbers = [f"{v:.3g}".replace("-", "−") for v in np.ravel(value)]
    return numbers[0] if len(numbers) == 1 else f"[{', '.join(numbers)}]"


def _same_error(a, b):
    return a is not None and type(a) is type(b) and str(a) == str(b)
