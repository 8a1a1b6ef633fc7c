"""A notebook's kernel: the cells of its exercises run in it, each before its deadline."""

import time

from rnnlib.grading.comparison import error_in, error_text
from rnnlib.grading.kernel import KernelLost
from rnnlib.grading.sources import names_made, without_checks
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
        self.unmade = {}  # name -> how the student's cell that was to make it stopped

    def open(self, failures, own, mended=True):
        """Start a kernel, unless there is one, and run in it what comes before an exercise.

        Args:
            failures: exercise -> Failed, of those before it; None for a pass.
            own: function of one of them: whether the student's answer runs, or the solution's.
            mended: whether the solution's runs after one that was wrong.

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
                self._run_earlier(exercise, failure, own(exercise), mended)
        except KernelLost as error:
            raise Failed("regrade", f"an earlier answer, when it ran again: {error}") from error
        except Exception:
            self.stop()  # half set up
            raise

    def _run_earlier(self, exercise, failure, own, mended):
        """Run an exercise as it was left after its verdict: where it failed, the solution ran, too."""
        is_deadly = failure is not None and failure.verdict in ("timed out", "kernel died")
        if own and not is_deadly:
            self.run_answer(exercise)
        if (failure and (mended or is_deadly)) or not own:
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
        """Run the cells before a check; return how the answer's own cell failed, or None.

        Raises:
            LabFailed: one of the lab's own cells stopped with an error. One that stands between an
                answer and its check calls the answer: what it stops with is for the check to say.
        """
        deadline, broken, answered = deadline or self.deadline(), None, False
        for cell in exercise.cells:
            try:
                error = error_in(self.execute(without_checks(cell.source), deadline))
            except KernelLost as lost:
                lost.added = cell if cell.solution is None else None
                raise
            if error is not None and cell.provided and not answered:
                raise LabFailed(f"the lab's own code stopped with {error_text(error)}")
            if error is not None and not cell.provided:
                text = error_text(error, cell.source)
                broken = text if cell.answers else broken
                self.unmade |= dict.fromkeys(names_made(cell.source), text)
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

    def lateness(self):
        """How a machine that was busy, or code that waited, is to blame for a check's deadline; or ""."""
        return "" if self.kernel is None else self.kernel.lateness()

    def run_check(self, exercise, deadline):
        """Run the solution's check of an exercise; return its outputs.

        The name ``checks`` may be the student's by now.
        """
        self.execute("from rnnlib import checks", deadline)
        return self.execute(exercise.check.source, deadline)

    def execute(self, source, deadline):
        """Run code and return its outputs.

        Raises:
            KernelLost: the kernel died, or did not finish in time. It is stopped.
        """
        own = time.monotonic() + self.timeout
        try:
            return self.kernel.execute(source, min(deadline, own))
        except KernelLost as error:
            self.stop()
            if error.verdict == "timed out":
                seconds = f"{self.timeout:g} second{'s' * (self.timeout != 1)}"
                if deadline < own:
                    seconds = f"{CELLS_IN_TIME * self.timeout:g} seconds, all its cells together"
                text = f"did not finish within {seconds}: is there an endless loop? {error}"
                raise KernelLost("timed out", text.strip()) from None
            raise
