"""What the judge tries, and in which order. The kernel is played: no code runs."""

import pytest

from rnnlib.grading import matching, notebook
from rnnlib.grading.judge import Judge
from rnnlib.grading.kernel import BUSY, KernelLost
from rnnlib.tests.grading.submissions import NAMES, RIGHT_SEQUENCE, SOLUTION, answers, cell, code


class Played:
    """A kernel whose checks show the stored values, and in which some code does not end.

    Attributes:
        seconds: what this kernel has run.
    """

    def __init__(self, checks, log):
        self.checks, self.log = checks, log
        self.is_mute = self.is_doomed = self.is_dead = False
        log.append("start")

    def execute(self, source, deadline):
        self.log.append(source)
        if self.is_dead or "die()" in source:
            raise KernelLost("kernel died", "")
        if "forever" in source:
            raise KernelLost("timed out", "")
        self.is_mute |= "no_answer()" in source
        self.is_doomed |= "die_later()" in source
        if source not in self.checks:
            return []
        is_mute, self.is_mute, self.is_dead = self.is_mute, False, self.is_doomed
        return [] if is_mute else self.checks[source]

    def lateness(self):
        return ""

    def stop(self):
        pass


@pytest.fixture
def nb():
    return notebook.read(SOLUTION)


def judged(nb, played=Played):
    """(verdict by function, review by function, what the kernels ran)."""
    solution, log = notebook.read(SOLUTION), []
    checks = {c.source: c.outputs for c in solution.cells if notebook.role(c) == "check"}
    exercises = matching.exercises(solution, nb)
    judge = Judge(exercises, lambda: played(checks, log), timeout=30)
    failures = {exercise.name: judge.verdict(exercise) for exercise in exercises}
    return failures, {exercise.name: exercise.review for exercise in exercises}, log


def experiment(nb, above, source):
    nb.cells.insert(nb.cells.index(cell(nb, above)), code(source))


def test_a_right_notebook_is_run_once(nb):
    failures, reviews, log = judged(nb)
    assert not any(failures.values())
    assert not any(reviews.values())
    assert log.count("start") == 1


@pytest.mark.parametrize("source", ["forever()", "die()"])
def test_an_experiment_that_does_not_end_costs_no_point(nb, source):
    experiment(nb, "numerical_gradient", source)
    failures, reviews, log = judged(nb)
    assert not any(failures.values())
    assert {name for name, review in reviews.items() if review} == {"numerical_gradient"}
    assert reviews["numerical_gradient"] == "a cell that it adds came to no end"
    assert log.count(source) <= 2


@pytest.mark.parametrize("sources", [["forever(1)", "forever(2)"], ["forever()", "die()", "forever()"]])
def test_some_such_experiments_cost_no_point(nb, sources):
    for source in sources:
        experiment(nb, "numerical_gradient", source)
    failures, reviews, _ = judged(nb)
    assert not any(failures.values())
    assert reviews["numerical_gradient"] == "a cell that it adds came to no end"


def test_of_many_such_experiments_one_is_told(nb):
    for number in range(4):
        experiment(nb, "numerical_gradient", f"forever({number})")
    failures, _, _ = judged(nb)
    assert [name for name, failure in failures.items() if failure] == ["numerical_gradient"]
    failure = failures["numerical_gradient"]
    assert failure.verdict == "timed out"
    assert failure.message.startswith("in a cell that you added: did not finish within 30 seconds")


def test_a_kernel_that_dies_once_costs_no_answer_that_needs_the_students_own_code(nb):
    deaths = []

    class DiesOnce(Played):
        def execute(self, source, deadline):
            if source == "checks.rnn_sequence(rnn_sequence)" and not deaths:
                deaths.append(self)
                raise KernelLost("kernel died", "")
            if "helper()" in source and "helper = 1" not in self.log[-self.log[::-1].index("start") :]:
                self.is_mute = True
            return super().execute(source, deadline)

    experiment(nb, "rnn_step", "helper = 1")
    answers(nb, "rnn_sequence", "helper()\n" + RIGHT_SEQUENCE)
    failures, reviews, _ = judged(nb, DiesOnce)
    assert deaths
    assert not any(failures.values())
    assert not any(reviews.values())


@pytest.mark.parametrize(
    ("why", "times", "verdict"),
    [
        (f"{BUSY}, and gave it 20% of a processor.", 1, None),
        (f"{BUSY}, and gave it 20% of a processor.", 9, "timed out"),
        ("It computed for 0% of that time: does it wait for something?", 1, "timed out"),
    ],
)
def test_an_answer_that_a_busy_machine_kept_from_its_end_gets_another_try(nb, why, times, verdict):
    late = []

    class Late(Played):
        def execute(self, source, deadline):
            if source == RIGHT_SEQUENCE and len(late) < times:
                late.append(source)
                raise KernelLost("timed out", why)
            return super().execute(source, deadline)

    answers(nb, "rnn_sequence", RIGHT_SEQUENCE)
    failures, _, _ = judged(nb, Late)
    failure = failures["rnn_sequence"]
    assert (failure.verdict if failure else None) == verdict
    assert len(late) == min(times, 2)


@pytest.mark.parametrize("names_it", [True, False])
def test_an_answer_may_fit_the_students_own_function_though_that_is_wrong(nb, names_it):
    own = "def rnn_step(*a):\n    return a, no_answer()"
    mine = f"def rnn_sequence(*a):\n    {'rnn_step' if names_it else 'step'}(*a), no_answer()"
    answers(nb, "rnn_step", own)
    answers(nb, "rnn_sequence", mine)
    failures, _, log = judged(nb)
    assert [name for name, failure in failures.items() if failure] == ["rnn_step", "rnn_sequence"]
    kernels = "\n".join(log).split("start")
    solved = cell(notebook.read(SOLUTION), "rnn_step").source
    unmended = [own in kernel and mine in kernel and solved not in kernel for kernel in kernels]
    assert any(unmended) == names_it


def test_an_answer_that_does_not_end_is_run_once(nb):
    answers(nb, "rnn_sequence", RIGHT_SEQUENCE + "forever()")
    failures, reviews, log = judged(nb)
    assert [name for name, failure in failures.items() if failure] == ["rnn_sequence"]
    assert failures["rnn_sequence"].message == "did not finish within 30 seconds: is there an endless loop?"
    assert log.count(RIGHT_SEQUENCE + "forever()") == 1
    assert not any(reviews[name] for name in NAMES)


@pytest.mark.parametrize(
    ("source", "verdict"), [(RIGHT_SEQUENCE, None), (f"{RIGHT_SEQUENCE}no_answer()", "wrong")]
)
def test_a_kernel_that_an_earlier_answer_ended_is_not_the_later_ones_fault(nb, source, verdict):
    answers(nb, "rnn_sequence", source)
    experiment(nb, "rnn_step", "die_later()")
    failures, _, _ = judged(nb)
    failure = failures["rnn_sequence"]
    assert (failure.verdict if failure else None) == verdict
