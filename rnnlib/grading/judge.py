"""The verdict on each exercise of a notebook, made outside the kernel that runs the student's code."""

from collections.abc import Callable
from typing import NamedTuple

from rnnlib.grading.comparison import compare
from rnnlib.grading.kernel import KernelLost
from rnnlib.grading.session import Session
from rnnlib.grading.verdicts import Failed, LabFailed, one_line


class Attempt(NamedTuple):
    """One attempt at an exercise: what runs before its cells, and when it is made.

    Attributes:
        own: of an earlier exercise: whether the student's answer to it runs, or the solution's.
        due: of the failure so far, and the earlier exercises: whether this attempt is made.
        counts: of the failure so far, and a new one: whether the new one takes its place.
        apart: whether it has a kernel of its own.
        restore: whether the solution's earlier answers run once more after the exercise's cells,
            one of which may hold several answers.
    """

    own: Callable
    due: Callable
    counts: Callable
    apart: bool = True
    restore: bool = False


# The attempts at an exercise, in order. The first that passes is a pass.
ATTEMPTS = (
    Attempt(  # after the student's own code, where no person must look at that
        own=lambda earlier: not earlier.review,
        due=lambda failure, before: True,
        counts=lambda failure, new: True,
        apart=False,
    ),
    AFTER_SOLUTION := Attempt(  # other answers, or the machine, may be to blame
        own=lambda earlier: False,
        due=lambda failure, before: (
            failure.verdict == "kernel died" or (before and failure.verdict not in ("unfilled", "timed out"))
        ),
        counts=lambda failure, new: new.verdict == "unfilled" or failure.verdict == "regrade",
        restore=True,
    ),
    Attempt(  # it may need what a person must look at; then it is marked, too
        own=lambda earlier: True,
        due=lambda failure, before: failure.verdict != "unfilled" and any(e.review for e in before),
        counts=lambda failure, new: False,
    ),
)


class Judge:
    """Judges the exercises of one notebook in order, each on its own.

    What failed gets further attempts. Where an exercise failed, the solution's answer runs for
    the next ones.

    Args:
        exercises: list of ``matching.Exercise``.
        start: function that starts a kernel.
        timeout: seconds for a cell.
    """

    def __init__(self, exercises, start, timeout):
        self.exercises = exercises
        self.session = Session(start, timeout)
        self.failures = {}  # exercise -> its failure; None for a pass

    def verdict(self, exercise):
        """The verdict on an exercise, after those before it. None is a pass, a Failed the opposite."""
        for each in self.exercises[len(self.failures) : self.exercises.index(exercise) + 1]:
            self.failures[each] = self._verdict(each)
        return self.failures[exercise]

    def stop(self):
        """Stop the kernel, if there is one."""
        self.session.stop()

    def _verdict(self, exercise):
        if exercise.filled:
            failure = self._failure(exercise)
        elif exercise.missing:
            failure = Failed("unfilled", "not in this notebook: was it begun in an earlier form of the lab?")
        else:
            failure = Failed("unfilled", "not filled in yet")
        if exercise.review or (failure and "MemoryError" in failure.message):
            self.session.stop()
        elif failure and self.session.kernel is not None:
            self._go_on(exercise)
        return failure

    def _failure(self, exercise):
        """Why an exercise fails, after all attempts that it deserves; None if it passes."""
        failure = Failed("regrade", "not tried yet")
        for attempt in ATTEMPTS:
            if not attempt.due(failure, self.failures):
                continue
            new = self._try(exercise, attempt)
            if new is None:
                exercise.review = exercise.review or self._mark(attempt)
                return None
            if attempt.counts(failure, new):
                failure = new
        return self._blame(exercise, failure) if failure.verdict == "regrade" else failure

    def _mark(self, attempt):
        """Why a person should look at what ran before an exercise, or ""."""
        return next((e.review for e in self.failures if e.review and attempt.own(e)), "")

    def _try(self, exercise, attempt):
        """Run what comes before an exercise, its cells and its check; return None or Failed."""
        session = self.session
        if attempt.apart:
            session.stop()
        try:
            session.open(self.failures, attempt.own)
            deadline = session.deadline()
            broken = session.run_answer(exercise, deadline)
            for earlier in self.failures if attempt.restore else ():
                session.run_solution(earlier, deadline, answers_only=True)
            compare(exercise, session.run_check(exercise, deadline), broken)
        except Failed as failure:
            if failure.verdict == "regrade":
                session.stop()
            failure.message = one_line(failure.message, exercise.title)
            return failure
        except KernelLost as error:
            return Failed(error.verdict, str(error))
        except Exception as error:  # never a zero for what the grader did wrong
            session.stop()
            return Failed("regrade", one_line(f"the grader itself failed: {error!r}", exercise.title))
        finally:
            if attempt.apart:  # the next exercise builds on other code
                session.stop()
        return None

    def _go_on(self, exercise):
        """Run the solution of an exercise that failed, for the next ones."""
        try:
            if not exercise.filled:
                self.session.run_answer(exercise)
            self.session.run_solution(exercise)
        except Exception:  # the next exercise gets another kernel
            self.session.stop()

    def _blame(self, exercise, failure):
        """Where the grading failed: see whether the solution works, and if so, try once more.

        The student is to blame where the lab's own code stops after the student's, and only then.
        """
        session = self.session
        session.stop()
        try:
            session.open(self.failures, AFTER_SOLUTION.own)
            deadline = session.deadline()
            session.run_solution(exercise, deadline)
            compare(exercise, session.run_check(exercise, deadline))
        except Exception:
            session.stop()
            return failure
        again = self._try(exercise, AFTER_SOLUTION)
        if isinstance(again, LabFailed):
            return Failed("crashed", f"{again.message}; without your code it works")
        return again
