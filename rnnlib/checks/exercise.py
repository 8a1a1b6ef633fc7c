"""An exercise: how its function is called, what is right, and which mistakes have a name."""

import inspect
import os
from functools import partial

import numpy as np
from numpy.random import default_rng  # a notebook may put another one into np.random

from rnnlib.checks import recognition, words
from rnnlib.checks.calls import TooLong, call, limited, line_of_error, one_line, text_of
from rnnlib.checks.parts import Misfit, as_array, evidence, parts, problem, same
from rnnlib.checks.verdicts import CheckFailed, Crashed, NotFilledIn, Passed, TimedOut, WrongAnswer

#: Of an array's largest entry. Rounding in float64 stays far below, every known mistake far above.
TOLERANCE = 1e-6

#: Seconds that all calls of one check may take together.
LIMIT = 10

#: How many numbers of a right answer travel to the grader.
EVIDENCE = 200

#: Every exercise of a lab by its function's name: EXERCISES["01_rnn"]["rnn_step"].
EXERCISES = {}


class Exercise:
    """One exercise of a lab, made from the function that solves it; see ``lab01_rnn.py``.

    Calling the exercise checks a student's function.

    Args:
        lab: the lab's file name, such as "01_rnn".
        number: such as "1.1".
        reference: the right function; its name and argument names are the exercise's.
        returns: the results' names and their shapes in letters, such as ``{"h": "B, H"}``.
        inputs: function of a random generator that returns a list of argument tuples. If it takes
            ``shapes`` as well, a list of (B, T, D, H), there is an ``example``.
        section: the chapter's file name and a section's title, such as ("rnn", "One step").
        tolerance: how far a value may be off, as a part of its array's largest entry.
        drive: function(answer, *arguments) that plays a script with the student's object and returns
            the results; without it, the answer is called with the arguments. It raises ``parts.Misfit``
            where it cannot play with what it gets.
        accept: function of the results that returns what is wrong with them, or "". Then any results
            of the reference's kinds and shapes that it accepts are right.
        steps: T of the smallest case.
    """

    def __init__(
        self,
        lab,
        number,
        reference,
        *,
        returns,
        inputs,
        section,
        tolerance=TOLERANCE,
        drive=None,
        accept=None,
        steps=2,
    ):
        self.lab, self.name = lab, reference.__name__
        self.title = f"Exercise {number} {self.name}"
        self.reference, self.returns, self.inputs, self.section = reference, returns, inputs, section
        self.tolerance, self.drive, self.accept, self.steps = tolerance, drive, accept, steps
        self.parameters = list(inspect.signature(reference).parameters)
        self.arguments = self.parameters if drive is None else list(inspect.signature(drive).parameters)[1:]
        self.misconceptions = []  # (function, sentence)
        self.sections = {}  # sentence -> (chapter, title), where it is not the exercise's own
        self.properties, self.clues, self.remarks = [], [], []
        EXERCISES.setdefault(lab, {})[self.name] = self

    def misconception(self, sentence, section=None):
        """Name a mistake: the decorated function makes it, the sentence asks about it.

        Args:
            sentence: the question.
            section: the title of the chapter's section that answers it, if it is not the exercise's own.
        """

        def add(function):
            self.misconceptions.append((function, sentence))
            if section is not None:
                self.sections[sentence] = (self.section[0], section)
            return function

        return add

    def must(self, function):
        """Add a property: function(answer, *arguments) that says how an answer breaks it, or ""."""
        self.properties.append(function)
        return function

    def clue(self, function):
        """Explain wrong answers: function(answer, *arguments) that says what it sees, or ""."""
        self.clues.append(function)
        return function

    def remark(self, function):
        """Add a line for right answers: function(answer, *arguments) that returns it, or ""."""
        self.remarks.append(function)
        return function

    def example(self):
        """The smallest case, to work by hand: arguments of one sample, feature and unit, one digit each.

        Returns:
            A dict of the arguments by name; None if the exercise has no such case.
        """
        if "shapes" not in inspect.signature(self.inputs).parameters:
            return None
        (case,) = self.inputs(_OneDigit(), [(1, self.steps, 1, 1)])
        return dict(zip(self.arguments, case, strict=True))

    def __call__(self, answer, seed=None, helpers=True):
        """Check a student's function.

        Args:
            answer: the student's function.
            seed: for the random inputs; None takes it from the environment variable
                RNNLIB_SEED, or 0.
            helpers: whether to look at the other exercises' functions that this one calls.

        Returns:
            Passed, if every result is right for every input.

        Raises:
            NotFilledIn: the gap has not been filled in.
            Crashed: the function stopped with an exception; says with which, and where.
            TimedOut: it did not come to an end.
            WrongAnswer: says what is wrong, where, and if it is known, which mistake it is.
        """
        seed = int(os.environ.get("RNNLIB_SEED", 0)) if seed is None else seed
        cases = self.inputs(default_rng(seed)) + self.inputs(default_rng(seed + 1))[:1]
        try:
            with limited(LIMIT), np.errstate(all="ignore"):
                return self._checked(answer, cases, helpers)
        except TooLong:
            raise self._failure(
                TimedOut, f"{self.name} did not finish in {LIMIT} seconds: is there an endless loop?"
            ) from None

    def judge(self, values):
        """What the grader asks of values that a kernel displayed, where ``accept`` decides.

        Args:
            values: what a ``Passed`` displays; from a student's kernel, so it may be anything.

        Returns:
            What is wrong with them, or "".
        """
        pieces = self.pieces(self.call(self.reference, self.inputs(default_rng(0))[0]).value)
        try:
            (found,) = values
            results = [np.asarray(found[part.name]) for part in pieces]
        except Exception:
            return "its values are not those of an answer"
        for part, result in zip(pieces, results, strict=True):
            value = result.item() if result.ndim == 0 else result
            what, _ = problem(part._replace(value=value), self.tolerance, by_value=False)
            if what:
                return what
        return self.accept(*(result.item() if result.ndim == 0 else result for result in results))

    def call(self, answer, case):
        """Call an answer, or play the exercise's script with it; a ``calls.Outcome``."""
        return call(answer if self.drive is None else partial(self.drive, answer), case)

    def pieces(self, value, right=None):
        """The parts of a result, beside those of the right one if given; raises ``parts.Misfit``."""
        return parts(value, value if right is None else right, self.returns, self.name)

    def titles(self):
        """The titles of the lab's exercises, by name."""
        return {name: other.title for name, other in EXERCISES[self.lab].items()}

    def _failure(self, kind, sentence, section=None):
        """An exception that says a sentence and points into the book."""
        title = (section or self.section)[1]
        failure = kind(f"{self.title}: {sentence} (book: {title})")
        failure.section = section or self.section
        return failure

    def _checked(self, answer, cases, helpers):
        if not callable(answer):
            sentence = f"{self.name} must be a function, yours is of type {type(answer).__name__}."
            raise self._failure(WrongAnswer, sentence)
        outcomes = []
        for i, case in enumerate(cases):
            outcome, right = self.call(answer, case), self.call(self.reference, case)
            outcomes.append(outcome)
            self._raise_if_not_filled_in(answer, outcome)
            what, part, wrong = self.first_problem(outcome, right)
            if what is None:
                continue
            if helpers:
                self._raise_if_a_helper_is_wrong(answer)
            question = recognition.question(
                self, answer, cases[i:] + cases[:i], outcome, right, (what, part, wrong)
            )
            where = words.place(wrong, part.letters) if wrong is not None else ""
            sentence = " ".join(filter(None, [f"{what}{where}", question, self._by_hand(answer, wrong)]))
            kind = WrongAnswer if isinstance(outcome.error, Misfit | None) else Crashed
            raise self._failure(kind, sentence, self.sections.get(question))
        self._raise_if_arguments_changed(outcomes)
        self._raise_if_later_calls_change(outcomes)
        for broken in self._broken(answer, cases):
            raise self._failure(WrongAnswer, broken, self.sections.get(broken))
        remark = next(self._says(self.remarks, answer, cases[:1]), "")
        return Passed(self.title, self._evidence(outcomes), remark)

    def _broken(self, answer, cases):
        """What the properties say of an answer that is right in all cases; that it stops, too."""
        for function in self.properties:
            for case in cases:
                outcome = call(partial(function, answer), case)
                if outcome.error is not None:
                    stopped = f"{one_line(outcome.error)}{line_of_error(outcome.error, self.name)}"
                    yield f"Right so far. But with other arguments {self.name} stopped with {stopped}."
                elif outcome.value:
                    yield outcome.value

    def _says(self, functions, answer, cases):
        """What properties, clues or remarks say of an answer; nothing, where they stop."""
        for function in functions:
            for case in cases:
                sentence = call(partial(function, answer), case).value
                if sentence:
                    yield sentence

    def clue_of(self, answer, case):
        """What the first clue, or property that is broken, says of a wrong answer, or ""."""
        return next(self._says(self.clues + self.properties, answer, [case]), "")

    def _by_hand(self, answer, wrong):
        """The smallest case, its right result, and the student's; "" if there is none, or it is right."""
        case = None if wrong is None else self.example()
        if case is None:
            return ""
        right, outcome = (self.call(function, case.values()) for function in (self.reference, answer))
        _, part, wrong = self.first_problem(outcome, right)
        if wrong is None:
            return ""
        wanted, got = _short(part.right), _short(part.value)
        if wanted == got:
            return ""
        given = ", ".join(f"{name} = {_short(v)}" for name, v in case.items() if not callable(v))
        return f"By hand: {given} give {part.name} = {wanted}, yours gives {got}."

    def first_problem(self, outcome, right):
        """A sentence about the first thing that is wrong, the part, and its wrong entries; or three None."""
        if isinstance(outcome.error, Misfit):  # a drive has looked at what it was to play with
            return str(outcome.error), None, None
        if outcome.error is not None:
            place = line_of_error(outcome.error, self.name)
            return f"{self.name} stopped with {one_line(outcome.error)}{place}.", None, None
        if outcome.value is None:
            return f"{self.name} returned None. Is the return missing?", None, None
        try:
            pieces = self.pieces(outcome.value, right.value)
        except Misfit as misfit:
            return str(misfit), None, None
        if self.accept is not None:  # settings may be written as lists
            pieces = [as_array(part) for part in pieces]
        for part in pieces:
            what, wrong = problem(part, self.tolerance, self.accept is None)
            if what:
                return what, part, wrong
        refused = self.accept and self.accept(*(part.value for part in pieces))
        return (refused, None, None) if refused else (None, None, None)

    def _raise_if_not_filled_in(self, answer, outcome):
        # The exact type: input() in a notebook raises a subclass of NotImplementedError.
        if type(outcome.error) is not NotImplementedError:
            return
        other = text_of(outcome.error)
        if other.startswith("Exercise ") and other != self.title:
            sentence = f"it calls {other}, which is not filled in yet"
        elif words.raise_stands_above(answer):
            sentence = "the raise still stands above your answer and ends the call: delete that line"
        else:
            sentence = "not filled in yet. If it is, run its cell again before this check."
        raise NotFilledIn(f"{self.title}: {sentence}")

    def _raise_if_a_helper_is_wrong(self, answer):
        """Where the function calls another exercise's, and that one is wrong, say so first."""
        scope = getattr(answer, "__globals__", {})
        for name in words.names_read(answer):
            other = EXERCISES[self.lab].get(name)
            if other is None or other is self or scope.get(name) is other:
                continue
            if name not in scope:
                raise WrongAnswer(
                    f"{self.title}: it calls {name}, which is not there: run the cell of {other.title} first"
                )
            try:
                other(scope[name], helpers=False)
            except CheckFailed:
                raise WrongAnswer(
                    f"{self.title}: it calls your {name}, which is not right yet: begin with {other.title}"
                ) from None

    def _raise_if_arguments_changed(self, outcomes):
        for outcome in outcomes:
            for name, changed in zip(self.arguments, outcome.changed, strict=True):
                if changed:
                    raise WrongAnswer(
                        f"{self.title}: your result is right, but the caller's {name} has changed. "
                        "Work on a copy, or put back what you moved."
                    )

    def _raise_if_later_calls_change(self, outcomes):
        """What one call returned must be the caller's, whatever is called later."""
        for outcome in outcomes:
            before = self.pieces(outcome.value)
            now = self.pieces(outcome.returned, outcome.value)
            for part, later in zip(before, now, strict=True):
                if not isinstance(part.value, str) and not same(part.value, later.value, self.tolerance):
                    raise WrongAnswer(
                        f"{self.title}: {part.name} changes when {self.name} is called again. "
                        "Return a new array each time."
                    )

    def _evidence(self, outcomes):
        """The results of each call as lists of numbers; where ``accept`` decides, as they are."""
        cases = [self.pieces(outcome.value) for outcome in outcomes[:-1] or outcomes]
        if self.accept is not None:
            return [{part.name: np.asarray(part.value).tolist() for part in cases[0]}]
        return [evidence(pieces, EVIDENCE // len(cases)) for pieces in cases]


def exercise(lab, number, **options):
    """Make an Exercise from the decorated function, which solves it; the options are Exercise's."""
    return partial(Exercise, lab, number, **options)


class _OneDigit:
    """Random numbers with one digit after the point, for work by hand."""

    def __init__(self):
        self.rng = default_rng(1)

    def normal(self, size):
        digits = [-0.8, -0.5, -0.2, 0.1, 0.4, 0.6, 0.9]
        return self.rng.choice(digits, size, replace=np.prod(size) > len(digits))


def _short(value):
    """An array as a reader writes it: 0.5, or [0.5, −0.2]."""
    numbers = [f"{v:.3g}".replace("-", "−") for v in np.ravel(np.asarray(value))]
    return numbers[0] if len(numbers) == 1 else f"[{', '.join(numbers)}]"
