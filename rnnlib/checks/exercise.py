"""An exercise: how its function is called, what is right, and which mistakes have a name.

A check ends in one of four ways. A right answer displays a :class:`Passed`. A wrong one raises
:class:`WrongAnswer`, one that stops with an error :class:`Crashed`, an empty one
:class:`NotFilledIn`, each with one line to read.
"""

import inspect
import os
import re
import traceback
from copy import deepcopy
from dataclasses import dataclass
from functools import partial

import numpy as np

#: The values of a right answer travel beside the line, under this MIME type, for the grader.
VALUES_MIME = "application/vnd.rnnlib.values+json"

# Rounding in float64 stays far below this, every known mistake far above.
TOLERANCE = 1e-6

# Parts of the file names of code that is not the student's.
LIBRARIES = ("site-packages", "dist-packages", "<__array", os.path.dirname(os.__file__))
LIBRARIES += (os.path.dirname(__file__),)  # functions that an exercise hands to the student's


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


#: Every exercise by its function's name.
EXERCISES = {}


class Exercise:
    """One exercise of a lab, made from the function that solves it; see ``lab01_rnn.py``.

    Calling the exercise checks a student's function.

    Args:
        number: such as "1.1".
        returns: the results' names and their shapes in letters, such as ``{"h": "B, H"}``.
        inputs: function of a random generator that returns a list of argument tuples.
        equation: label and number of the book's equation, such as ("rnn-step", 1); the label
            begins with the chapter's file name.
        reference: the right function; its name and argument names are the exercise's.
    """

    def __init__(self, number, returns, inputs, equation, reference):
        self.name = reference.__name__
        self.title = f"Exercise {number} {self.name}"
        self.returns, self.inputs, self.equation, self.reference = returns, inputs, equation, reference
        label, number = equation
        self.book = f"{label.split('-')[0]}.html, equation ({number})"
        self.misconceptions = []  # (function, sentence)
        EXERCISES[self.name] = self

    def misconception(self, sentence):
        """Name a mistake: the decorated function makes it, the sentence asks about it."""

        def add(function):
            self.misconceptions.append((function, sentence))
            return function

        return add

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
        expected = [_call(self.reference, case) for case in cases]
        outcomes = [_call(function, case) for case in cases]

        for outcome, right in zip(outcomes, expected, strict=True):
            self._raise_if_not_filled_in(outcome)
            problem = self._problem(outcome, right)
            if problem:
                if helpers:
                    self._raise_if_a_helper_is_wrong(function)
                hint = self._matching_misconception(cases, outcomes)
                kind = Crashed if outcome.error is not None else WrongAnswer
                raise kind(f"{self.title}: {problem} {hint}(book: {self.book})")
        for outcome in outcomes:
            for name, changed in zip(
                inspect.signature(self.reference).parameters, outcome.changed, strict=True
            ):
                if changed:
                    raise WrongAnswer(
                        f"{self.title}: your result is right, but the caller's {name} has changed. "
                        "Work on a copy, or put back what you moved."
                    )
        _call(function, self.inputs(np.random.default_rng(seed + 1))[0])
        self._raise_if_later_calls_change(outcomes)
        return Passed(self.title, [self._evidence(outcome) for outcome in outcomes])

    def _raise_if_later_calls_change(self, outcomes):
        """What one call returned must be the caller's, whatever is called later."""
        for outcome in outcomes:
            results, now = self._results(outcome.value), self._results(outcome.returned)
            for name, before, after in zip(self.returns, results, now, strict=True):
                if not _close(before, after):
                    raise WrongAnswer(
                        f"{self.title}: {name} changes when {self.name} is called again. "
                        "Return a new array each time."
                    )

    def _raise_if_not_filled_in(self, outcome):
        # The exact type: input() in a notebook raises a subclass of NotImplementedError.
        if type(outcome.error) is not NotImplementedError:
            return
        other = str(outcome.error)
        if other.startswith("Exercise ") and other != self.title:
            raise NotFilledIn(f"{self.title}: it calls {other}, which is not filled in yet")
        raise NotFilledIn(f"{self.title}: not filled in yet. If it is, run its cell again before this check.")

    def _raise_if_a_helper_is_wrong(self, function):
        """Where the function calls another exercise's, and that one is wrong, say so first."""
        names = getattr(getattr(function, "__code__", None), "co_names", ())
        for name in [name for name in EXERCISES if name in names and name != self.name]:
            try:
                EXERCISES[name](function.__globals__.get(name), helpers=False)
            except CheckFailed:
                raise WrongAnswer(
                    f"{self.title}: it calls your {name}, which is not right yet: "
                    f"begin with {EXERCISES[name].title}"
                ) from None

    def _problem(self, outcome, right):
        """One sentence about the first thing that is wrong, or None."""
        if outcome.error is not None:
            return f"{self.name} stopped with {_one_line(outcome.error)}{_line_of_error(outcome.error)}."
        if outcome.value is None:
            return f"{self.name} returned None. Is the return missing?"
        names = list(self.returns)
        values = self._results(outcome.value)
        if len(values) != len(names):
            got = len(values) if isinstance(outcome.value, tuple | list) else type(outcome.value).__name__
            return f"{self.name} must return {len(names)} results ({', '.join(names)}), yours returned {got}."
        for name, value, target in zip(names, values, self._results(right.value), strict=True):
            problem = self._problem_with_array(name, value, target)
            if problem:
                return problem
        return None

    def _problem_with_array(self, name, value, target):
        if not isinstance(value, np.ndarray | np.generic | float | int):
            hint = f" Return {name} alone, not {len(value)} results." if isinstance(value, tuple) else ""
            if isinstance(value, tuple) and len(value) == 1:
                hint = " Is there a comma too many?"
            return f"{name} must be a NumPy array, yours is of type {type(value).__name__}.{hint}"
        value = np.asarray(value)
        if value.shape != target.shape:
            return f"{name} has shape {value.shape}, it should be ({self.returns[name]}) = {target.shape}."
        if value.dtype.kind != "f":
            return f"{name} has dtype {value.dtype}, it should hold floating-point numbers."
        if not np.isfinite(value).all():
            place = _place(~np.isfinite(value))
            return f"{name}{place} is {value[tuple(np.argwhere(~np.isfinite(value))[0])]}."
        if _close(value, target):
            return None
        wrong = ~np.isclose(value, target, rtol=TOLERANCE, atol=TOLERANCE)
        i = tuple(np.argwhere(wrong)[0])
        share = f", {wrong.sum()} of {wrong.size} entries are wrong" if wrong.size > 1 else ""
        return f"{name}{_place(wrong)} is {value[i]:.6g}, it should be {target[i]:.6g}{share}."

    def _matching_misconception(self, cases, outcomes):
        """The sentence of the misconception that gives the very same results, or ''."""
        for function, sentence in self.misconceptions:
            if all(map(self._same, outcomes, [_call(function, case) for case in cases])):
                return f"{sentence} "
        return ""

    def _same(self, a, b):
        """Whether two calls went the same way: equal errors, or equal shapes and values."""
        if a.error is not None or b.error is not None:
            return type(a.error) is type(b.error) and str(a.error) == str(b.error)
        left, right = self._results(a.value), self._results(b.value)
        return len(left) == len(right) and all(map(_close, left, right))

    def _results(self, value):
        """What a function returned, one entry a result."""
        several = len(self.returns) > 1 and isinstance(value, tuple | list)
        return tuple(value) if several else (value,)

    def _evidence(self, outcome):
        """The results of one call as lists of numbers with six digits."""
        values = zip(self.returns, self._results(outcome.value), strict=True)
        return {name: [float(f"{v:.6g}") for v in np.ravel(value)] for name, value in values}


def exercise(number, *, returns, inputs, equation):
    """Make an Exercise from the decorated function, which solves it."""
    return partial(Exercise, number, returns, inputs, equation)


@dataclass
class _Outcome:
    """What a call did."""

    value: object = None  # a copy, made at once
    returned: object = None  # the very object
    error: BaseException | None = None
    changed: tuple = ()  # for each argument, whether the call changed it


def _call(function, case):
    """Call with copies, so that nothing that happens inside reaches the other calls."""
    arguments = [a.copy(order="K") if isinstance(a, np.ndarray) else a for a in case]
    try:
        value = function(*arguments)
    except (Exception, SystemExit) as error:
        return _Outcome(error=error)
    # Moving an entry and back may cost its last digit; that is no change.
    changed = tuple(
        isinstance(before, np.ndarray)
        and (before.shape != after.shape or not np.allclose(before, after, rtol=1e-9, atol=1e-9))
        for before, after in zip(case, arguments, strict=True)
    )
    try:
        copied = deepcopy(value)
    except Exception:  # what cannot be copied is no array
        copied = value
    return _Outcome(copied, value, changed=changed)


def _close(a, b):
    """Whether both are arrays of real numbers, equal in shape and, within rounding, in value."""
    try:
        a, b = np.asarray(a), np.asarray(b)
    except ValueError:  # a list of unequal lists
        return False
    real = a.dtype.kind in "fiu" and b.dtype.kind in "fiu"
    return real and a.shape == b.shape and np.allclose(a, b, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True)


def _place(wrong):
    """Where the first wrong entry is, such as "[0, 2]"; nothing for a single number."""
    return str(np.argwhere(wrong)[0].tolist()) if wrong.ndim else ""


def _line_of_error(error):
    """The student's line that failed: the innermost one that belongs to no library."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)[1:]):
        library = any(part in frame.filename for part in LIBRARIES)
        if not library and frame.line:
            return f" in line {frame.lineno} of {frame.name}, {frame.line.rstrip(':')}"
    return ""


def _one_line(error):
    """An exception as "ValueError: message" in one line of bounded length."""
    try:
        text = f"{type(error).__name__}: {error}".strip().rstrip(":.")
    except BaseException:  # an exception that cannot even say what it is
        text = type(error).__name__
    sizes = re.search(r"matmul: .*size (\d+) is different from (\d+)", text)
    if sizes:  # NumPy speaks of core dimensions and signatures
        text = (
            f"ValueError: the shapes on both sides of @ do not fit, {sizes[2]} columns meet {sizes[1]} rows"
        )
    return " ".join(text.split())[:300]
