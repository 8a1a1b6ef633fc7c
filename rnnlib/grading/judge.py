"""The verdict on each exercise of a notebook, made outside the kernel that runs the student's code."""

from rnnlib.grading.attempts import AFTER_SOLUTION, ATTEMPTS
from rnnlib.grading.comparison import compare
from rnnlib.grading.kernel import KernelLost
from rnnlib.grading.session import Session
from rnnlib.grading.verdicts import Failed, LabFailed, one_line

PASSED_ALONE = "it passed without the code beside it"


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
        failure = Failed("unfilled", exercise.unfilled) if exercise.unfilled else self._failure(exercise)
        if exercise.review or (failure and "MemoryError" in failure.message):
            self.session.stop()
        elif failure and self.session.kernel is not None:
            self._go_on(exercise)
        return failure

    def _failure(self, exercise):
        """Why an exercise fails, after all attempts that it deserves; None if it passes."""
        failure = Failed("regrade", "not tried yet")
        for attempt in ATTEMPTS:
            if not attempt.due(failure, self.failures, exercise):
                continue
            if attempt.without:
                exercise.cells.remove(failure.added)
                exercise.review = exercise.review or "a cell that it adds came to no end"
            new = self._try(exercise.alone() if attempt.alone else exercise, attempt)
            if new is None:
                exercise.review = exercise.review or self._mark(attempt)
                if attempt.alone:
                    exercise.review = exercise.review or failure.review or PASSED_ALONE
                    exercise.leave_out_tests()  # it runs again before later ones
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
            session.open(self.failures, attempt.own, attempt.mended)
            deadline = session.deadline()
            broken = session.run_answer(exercise, deadline)
            for earlier in self.failures if attempt.restore else ():
                session.run_solution(earlier, deadline, answers_only=True)
            compare(exercise, session.run_check(exercise, deadline), broken, session.unmade)
        except Failed as failure:
            if failure.verdict == "regrade":
                session.stop()
            failure.message = one_line(self._words(failure, exercise), exercise.title)
            return failure
        except KernelLost as error:
            where = "in a cell that you added: " if error.added else ""
            return Failed(error.verdict, f"{where}{error}", added=error.added)
        except Exception as error:  # never a zero for what the grader did wrong
            session.stop()
            return Failed("regrade", one_line(f"the grader itself failed: {error!r}", exercise.title))
        finally:
            if attempt.apart:  # the next exercise builds on other code
                session.stop()
        return None

    def _words(self, failure, exercise):
        """A failure's message, with what the notebook and the machine have to do with it."""
        late = self.session.lateness() if failure.verdict == "timed out" else ""
        note = exercise.note if failure.verdict in ("wrong", "crashed") else ""
        return " ".join(filter(None, [failure.message, late, note]))

    def _go_on(self, exercise):
        """Run the solution of an exercise that failed, for the next ones."""
        try:
            if exercise.unfilled:
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
