"""The verdict on each exercise of a notebook, made outside the kernel that runs the student's code."""

import time

from rnnlib.grading.comparison import compare, error_in, error_text
from rnnlib.grading.kernel import KernelLost
from rnnlib.grading.verdicts import Failed, LabFailed, one_line

CELLS_IN_TIME = 3  # all cells of an exercise together may take as long as this many


class Judge:
    """Judges the exercises of one notebook in order, each on its own.

    After a wrong answer the solution's runs in its place. An answer that failed gets another
    attempt, in a new kernel where the solution ran before it: other answers may be to blame.
    Code that a person should look at never runs before other exercises, unless these need it;
    then they are marked, too.

    Args:
        exercises: list of ``matching.Exercise``.
        start: function that starts a kernel.
        timeout: seconds for a cell.
    """

    def __init__(self, exercises, start, timeout):
        self.exercises, self.start, self.timeout = exercises, start, timeout
        self.kernel = None
        self.failures = []  # of the exercises judged so far; None for a pass

    def verdict(self, exercise):
        """The verdict on an exercise, after those before it. None is a pass, a Failed the opposite."""
        index = self.exercises.index(exercise)
        while len(self.failures) <= index:
            self.failures.append(self._judge(self.exercises[len(self.failures)]))
        return self.failures[index]

    def stop(self):
        """Stop the kernel, if there is one; the next exercise starts another."""
        if self.kernel is not None:
            self.kernel.stop()
            self.kernel = None

    def _judge(self, exercise):
        if exercise.filled:
            failure = self._failure(exercise)
        else:
            failure = Failed("unfilled", "not filled in yet")
        if exercise.review or (failure and "MemoryError" in failure.message):
            self.stop()
        elif failure and self.kernel is not None:
            try:
                if not exercise.filled:
                    self._run_answer(exercise, self._deadline())
                self._run_solution(exercise, self._deadline())
            except Exception:  # the next exercise gets another kernel
                self.stop()
        return failure

    def _failure(self, exercise):
        """Why an exercise fails, after all attempts that it deserves; None if it passes."""
        failure = self._attempt(exercise, "own")
        if failure and self._deserves_another(failure):
            second = self._attempt(exercise, "solution")
            if second is None or second.verdict == "unfilled" or failure.verdict == "regrade":
                failure = second
        marked = [earlier for earlier in self._judged() if earlier.review]
        if failure and failure.verdict != "unfilled" and marked:
            if self._attempt(exercise, "everything") is None:
                failure = None
                exercise.review = exercise.review or marked[0].review
        if failure and failure.verdict == "regrade":
            failure = self._blame(exercise, failure)
        return failure

    def _deadline(self):
        return time.monotonic() + CELLS_IN_TIME * self.timeout

    def _judged(self):
        return self.exercises[: len(self.failures)]

    def _deserves_another(self, failure):
        """Whether what ran before an exercise, or the machine, may be why it failed."""
        if failure.verdict in ("unfilled", "timed out"):
            return False
        return bool(self.failures) or failure.verdict == "kernel died"

    def _attempt(self, exercise, before):
        """Run an exercise's cells and its check; return None or Failed.

        Args:
            exercise: the exercise.
            before: what ran before it: "own" (the student's code, where no person must look at
                it), "everything" (all of the student's code), or the "solution". The last two
                have a kernel of their own.
        """
        if before != "own":
            self.stop()
        try:
            self._ensure_kernel(before)
            deadline = self._deadline()
            broken = self._run_answer(exercise, deadline)
            if before == "solution":
                for earlier in self._judged():  # a cell that holds several answers brought its own
                    self._run_solution(earlier, deadline, answers_only=True)
            outputs = self._execute(exercise.check.source, deadline)
            compare(exercise, outputs, broken)
        except Failed as failed:
            if failed.verdict == "regrade":
                self.stop()
            failed.message = one_line(failed.message, exercise.title)
            return failed
        except KernelLost as lost:
            return Failed(lost.verdict, str(lost))
        except Exception as error:  # never a zero for what the grader did wrong
            self.stop()
            return Failed("regrade", one_line(f"the grader itself failed: {error!r}", exercise.title))
        finally:
            if before != "own":  # the next exercise builds on other code
                self.stop()
        return None

    def _blame(self, exercise, failure):
        """Where the grading failed: see whether the solution works, and if so, try once more.

        The student is to blame where the lab's own code stops after the student's, and only then.
        """
        self.stop()
        try:
            self._ensure_kernel("solution")
            deadline = self._deadline()
            self._run_solution(exercise, deadline)
            compare(exercise, self._execute(exercise.check.source, deadline))
        except Exception:
            self.stop()
            return failure
        again = self._attempt(exercise, "solution")
        if isinstance(again, LabFailed):
            return Failed("crashed", f"{again.message}; without your code it works")
        return again

    def _ensure_kernel(self, before):
        if self.kernel is not None:
            return
        try:
            self.kernel = self.start()
        except RuntimeError:  # a machine under load; once more
            self.kernel = self.start()
        try:
            for earlier, failure in zip(self._judged(), self.failures, strict=True):
                own = before == "everything" or (before == "own" and not earlier.review)
                if own and not (failure and failure.verdict in ("timed out", "kernel died")):
                    self._run_answer(earlier, self._deadline())
                if failure or not own:  # as after the verdict
                    self._run_solution(earlier, self._deadline())
        except KernelLost as lost:
            raise Failed("regrade", f"an earlier answer, when it ran again: {lost}") from lost
        except Exception:
            self.stop()  # half set up
            raise

    def _run_answer(self, exercise, deadline):
        """Run the cells before a check; return how the latest broken answer failed, or None."""
        broken = None
        for cell in exercise.cells:
            error = error_in(self._execute(cell.source, deadline))
            if error is not None and cell.provided:
                raise LabFailed(f"the lab's own code stopped with {error_text(error)}")
            if error is not None:
                broken = error_text(error)
        return broken

    def _run_solution(self, exercise, deadline, answers_only=False):
        """Run the solution's cells of an exercise, the check left out."""
        cells = [c for c in exercise.cells if c.solution and not (answers_only and c.provided)]
        for source in dict.fromkeys(cell.solution for cell in cells):
            error = error_in(self._execute(source, deadline))
            if error is not None:
                raise LabFailed(f"the solution stopped with {error_text(error)}")

    def _execute(self, source, deadline):
        try:
            return self.kernel.execute(source, min(deadline, time.monotonic() + self.timeout))
        except KernelLost as lost:
            self.stop()
            if lost.verdict == "timed out":
                text = f"did not finish within {self.timeout:g} seconds: is there an endless loop?"
                raise KernelLost("timed out", text) from None
            raise
