"""A notebook's kernel: the cells of its exercises run in it, each before its deadline."""

import time

from rnnlib.grading.comparison import error_in, error_text
from rnnlib.grading.kernel import KernelLost
from rnnlib.grading.verdicts import Failed, LabFailed

CELLS_IN_TIME = 3  # all cells of an exercise together may take as long as this many


class Session:
    """A kernel, and what of a notebook has run in it.

    Args:
        start: function that starts a kernel.
        timeout: seconds for a cell.
    """

    def __init__(self, start, timeout):
        self.start, self.timeout = start, timeout
        self.kernel = None

    def open(self, failures, own):
        """Start a kernel, unless there is one, and run in it what comes before an exercise.

        Args:
            failures: exercise -> Failed, of those before it; None for a pass.
            own: function of one of them: whether the student's answer runs, or the solution's.

        Raises:
            Failed: an earlier answer ended the kernel, or the lab's own code stopped.
        """
        if self.kernel is not None:
            return
        try:
            self.kernel = self.start()
        except RuntimeError:  # a machine under load; once more
            self.kernel = self.start()
        try:
            for exercise, failure in failures.items():
                self._run_earlier(exercise, failure, own(exercise))
        except KernelLost as error:
            raise Failed("regrade", f"an earlier answer, when it ran again: {error}") from error
        except Exception:
            self.stop()  # half set up
            raise

    def _run_earlier(self, exercise, failure, own):
        """Run an exercise as it was left after its verdict: where it failed, the solution ran, too."""
        is_deadly = failure is not None and failure.verdict in ("timed out", "kernel died")
        if own and not is_deadly:
            self.run_answer(exercise)
        if failure or not own:
            self.run_solution(exercise)

    def stop(self):
        """Stop the kernel, if there is one; what runs next needs another."""
        if self.kernel is not None:
            self.kernel.stop()
            self.kernel = None

    def deadline(self):
        """The time by which the cells of an exercise must have ended."""
        return time.monotonic() + CELLS_IN_TIME * self.timeout

    def run_answer(self, exercise, deadline=None):
        """Run the cells before a check; return how the latest broken one failed, or None.

        Raises:
            LabFailed: one of the lab's own cells stopped with an error. One that stands between an
                answer and its check calls the answer: what it stops with is for the check to say.
        """
        deadline, broken, answered = deadline or self.deadline(), None, False
        for cell in exercise.cells:
            error = error_in(self.execute(cell.source, deadline))
            if error is not None and cell.provided and not answered:
                raise LabFailed(f"the lab's own code stopped with {error_text(error)}")
            if error is not None:
                broken = error_text(error)
            answered = answered or cell.answers
        return broken

    def run_solution(self, exercise, deadline=None, answers_only=False):
        """Run the solution's cells of an exercise, the check left out.

        Raises:
            LabFailed: one of them stopped with an error.
        """
        deadline = deadline or self.deadline()
        cells = [cell for cell in exercise.cells if not (answers_only and cell.provided)]
        for source in dict.fromkeys(cell.solution for cell in cells if cell.solution):
            error = error_in(self.execute(source, deadline))
            if error is not None:
                raise LabFailed(f"the solution stopped with {error_text(error)}")

    def run_check(self, exercise, deadline):
        """Run the solution's check of an exercise; return its outputs."""
        return self.execute(exercise.check.source, deadline)

    def execute(self, source, deadline):
        """Run code and return its outputs.

        Raises:
            KernelLost: the kernel died, or did not finish in time. It is stopped.
        """
        try:
            return self.kernel.execute(source, min(deadline, time.monotonic() + self.timeout))
        except KernelLost as error:
            self.stop()
            if error.verdict == "timed out":
                text = f"did not finish within {self.timeout:g} seconds: is there an endless loop?"
                raise KernelLost("timed out", text) from None
            raise
