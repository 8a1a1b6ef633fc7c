"""What the judge tries, and in which order. The kernel is played: no code runs."""

import ast
from types import SimpleNamespace

import pytest

from rnnlib.grading import matching, notebook, session
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


def judged(nb, played=Played, solution=None):
    """(verdict by function, review by function, what the kernels ran)."""
    solution, log = solution or notebook.read(SOLUTION), []
    checks = {c.source: c.outputs for c in solution.cells if notebook.role(c) == "check"}
    exercises = matching.exercises(solution, nb)
    judge = Judge(exercises, lambda: played(checks, log), timeout=30)
    failures = {exercise.name: judge.verdict(exercise) for exercise in exercises}
    return failures, {exercise.name: exercise.review for exercise in exercises}, log


def latest(log):
    """What the latest kernel has run."""
    return log[len(log) - log[::-1].index("start") :]


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
            if "helper()" in source and "helper = 1" not in latest(self.log):
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
        (f"{BUSY}, and gave it 20% of a processor.", 3, "timed out"),
        ("It computed for 0% of that time: does it wait for something?", 1, None),  # an earlier answer may
        ("It computed for 0% of that time: does it wait for something?", 2, "timed out"),
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
    assert len(late) == times


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


def test_an_answer_that_does_not_end_is_run_twice_at_most(nb):
    answer = RIGHT_SEQUENCE + "    forever()"
    answers(nb, "rnn_sequence", answer)
    failures, reviews, log = judged(nb)
    assert [name for name, failure in failures.items() if failure] == ["rnn_sequence"]
    assert failures["rnn_sequence"].message == "did not finish within 30 seconds: is there an endless loop?"
    assert log.count(answer) == 2  # the second time after the solution's: an earlier answer may be slow
    answers(nb, "rnn_step", "def rnn_step(*a):\n    forever()")
    assert judged(nb)[2].count(answer) == 1
    assert not any(reviews[name] for name in NAMES)


@pytest.mark.parametrize(
    ("source", "verdict"), [(RIGHT_SEQUENCE, None), (f"{RIGHT_SEQUENCE}    no_answer()", "wrong")]
)
def test_a_kernel_that_an_earlier_answer_ended_is_not_the_later_ones_fault(nb, source, verdict):
    answers(nb, "rnn_sequence", source)
    experiment(nb, "rnn_step", "die_later()")
    failures, _, _ = judged(nb)
    failure = failures["rnn_sequence"]
    assert (failure.verdict if failure else None) == verdict


def test_which_of_two_answers_counts_is_said_where_it_fails(nb):
    experiment(nb, "rnn_step", "def rnn_step(*a):\n    return 0")
    answers(nb, "rnn_step", "def rnn_step(*a):\n    no_answer()")
    failures, _, _ = judged(nb)
    assert failures["rnn_step"].message.endswith("rnn_step is made in 2 cells: the last one counts.")


def test_what_a_person_must_look_at_runs_for_no_later_exercise(nb):
    own = "import inspect\n" + cell(nb, "rnn_step").source
    answers(nb, "rnn_step", own)
    failures, reviews, log = judged(nb)
    assert not any(failures.values())
    assert {name: review for name, review in reviews.items() if review} == {
        "rnn_step": "its code names inspect"
    }
    assert own not in latest(log)
    assert cell(notebook.read(SOLUTION), "rnn_step").source in latest(log)


class Helped(Played):
    """A kernel in which ``helper()`` gives no answer before ``helper = 1``."""

    def execute(self, source, deadline):
        self.is_mute |= "helper()" in source and "helper = 1" not in "\n".join(latest(self.log))
        return super().execute(source, deadline)


def test_an_answer_that_needs_what_a_person_must_look_at_passes_and_is_marked(nb):
    answers(nb, "rnn_step", "import inspect\nhelper = 1\n" + cell(nb, "rnn_step").source)
    answers(nb, "rnn_sequence", RIGHT_SEQUENCE + "helper()")
    failures, reviews, _ = judged(nb, Helped)
    assert not any(failures.values())
    assert reviews["rnn_sequence"] == "its code names inspect"
    assert not reviews["numerical_gradient"]


def test_an_answer_passes_where_its_cell_spoils_an_earlier_one(nb):
    solved = cell(nb, "rnn_step").source

    class Spoiled(Played):
        def execute(self, source, deadline):
            self.is_mute &= source != solved
            return super().execute(source, deadline)

    answers(nb, "rnn_sequence", RIGHT_SEQUENCE + "no_answer()")
    failures, _, _ = judged(nb, Spoiled)
    assert not any(failures.values())


def test_a_gap_that_an_earlier_answer_hides_is_called_a_gap(nb):
    class Hidden(Played):
        def execute(self, source, deadline):
            outputs = super().execute(source, deadline)
            if source != "checks.rnn_sequence(rnn_sequence)":
                return outputs
            words = "rnn_sequence: not filled in yet"
            gap = [{"output_type": "error", "ename": "NotFilledIn", "evalue": words}]
            return [] if "hide()" in "\n".join(latest(self.log)) else gap

    answers(nb, "rnn_step", cell(nb, "rnn_step").source + "\nhide()")
    answers(nb, "rnn_sequence", RIGHT_SEQUENCE)
    failures, _, _ = judged(nb, Hidden)
    assert failures["rnn_sequence"].verdict == "unfilled"


def test_an_answer_that_ends_the_kernel_runs_for_no_later_exercise(nb):
    answers(nb, "rnn_sequence", RIGHT_SEQUENCE + "die()")
    failures, _, log = judged(nb)
    assert [name for name, failure in failures.items() if failure] == ["rnn_sequence"]
    assert log.count(RIGHT_SEQUENCE + "die()") == 3  # the machine may have been to blame


def test_a_kernel_that_was_out_of_memory_runs_no_later_exercise(nb):
    class Full(Played):
        def execute(self, source, deadline):
            outputs = super().execute(source, deadline)
            if source == "checks.rnn_step(rnn_step)" and any("hungry()" in each for each in self.log):
                return [{"output_type": "error", "ename": "Crashed", "evalue": "stopped with MemoryError"}]
            return outputs

    answers(nb, "rnn_step", "hungry()\n" + cell(nb, "rnn_step").source)
    failures, _, log = judged(nb, Full)
    assert [name for name, failure in failures.items() if failure] == ["rnn_step"]
    after = log[log.index("checks.rnn_step(rnn_step)") + 1 :]
    assert after[0] == "start"


@pytest.mark.parametrize("times", [1, 2, 3, 4])
def test_kernels_that_do_not_start_at_first_cost_nothing(nb, times):
    tries = []

    class Slow(Played):
        def __init__(self, *arguments):
            tries.append(self)
            if len(tries) <= times:
                raise RuntimeError("Kernel died before replying to kernel_info")
            super().__init__(*arguments)

    failures, reviews, _ = judged(nb, Slow)
    assert not any(failures.values())
    assert not any(reviews.values())


def test_kernels_that_never_start_are_no_zero(nb):
    class Never(Played):
        def __init__(self, *_):
            raise RuntimeError("no more processes")

    failures, _, _ = judged(nb, Never)
    assert {failure.verdict for failure in failures.values()} == {"regrade"}
    assert "no more processes" in failures["rnn_step"].message


@pytest.mark.parametrize(("place", "verdict"), [("rnn_step", "crashed"), ("setup", "regrade")])
def test_who_stops_the_labs_own_code_is_to_blame(nb, place, verdict):
    """The student's code, where without it the lab's runs; else it is the lab that must be mended."""
    answers(nb, "rnn_step", cell(nb, "rnn_step").source.replace("return", "return spoil and"))
    setup = cell(notebook.read(SOLUTION), "setup").source

    class Broken(Played):
        def execute(self, source, deadline):
            outputs = super().execute(source, deadline)
            broken = place == "setup" or any("spoil = 1" in each for each in self.log[-3:])
            is_error = source == setup and broken
            return [{"output_type": "error", "ename": "E", "evalue": "x"}] if is_error else outputs

    experiment(nb, "setup", "spoil = 1")
    failures, _, _ = judged(nb, Broken)
    assert failures["rnn_step"].verdict == verdict
    assert failures["rnn_step"].message.startswith("the lab's own code stopped with E: x")
    assert failures["rnn_step"].message.endswith("; without your code it works") == (verdict == "crashed")


def test_a_long_test_below_an_answer_costs_nothing(nb):
    """On the student's computer it came to its end."""
    answers(nb, "rnn_sequence", f"import math\n{RIGHT_SEQUENCE}forever(rnn_sequence)")
    failures, reviews, log = judged(nb)
    assert not any(failures.values())
    assert [name for name in NAMES if reviews[name]] == ["rnn_sequence"]
    assert reviews["rnn_sequence"] == "it passed without the code beside it"
    assert sum("forever" in source for source in log) == 2
    assert ast.unparse(ast.parse(RIGHT_SEQUENCE)) in log


def test_a_cell_beside_an_answer_that_spoils_the_surroundings_costs_nothing(nb):
    setup = cell(notebook.read(SOLUTION), "setup").source

    class Spoilt(Played):
        def execute(self, source, deadline):
            outputs = super().execute(source, deadline)
            begin = len(self.log) - self.log[::-1].index("start")
            is_error = source == setup and "spoil()" in self.log[begin:]
            return [{"output_type": "error", "ename": "E", "evalue": "x"}] if is_error else outputs

    for source in ("helper = 2", "spoil()", "import sys"):
        experiment(nb, "setup", source)
    answers(nb, "rnn_step", cell(nb, "rnn_step").source.replace("return", "return helper / 2 *"))
    failures, reviews, log = judged(nb, Spoilt)
    assert not any(failures.values())
    assert [name for name in NAMES if reviews[name]] == ["rnn_step"]
    kernels = "\n".join(log).split("start\n")
    (alone,) = [kernel for kernel in kernels if "helper = 2" in kernel and "spoil()" not in kernel]
    assert "import sys" not in alone


def test_what_gives_the_functions_name_another_value_is_not_left_out(nb):
    experiment(nb, "rnn_step_check", "rnn_step = no_answer()")
    failures, _, _ = judged(nb)
    assert failures["rnn_step"].verdict == "wrong"


def test_the_labs_code_below_an_answer_leaves_the_verdict_to_the_check(nb):
    """It calls the answer, and what it stops with is the answer's fault."""
    solution = notebook.read(SOLUTION)
    experiment(solution, "rnn_step_check", "show(rnn_step)")

    class Stops(Played):
        def execute(self, source, deadline):
            outputs = super().execute(source, deadline)
            is_error = source == "show(rnn_step)" and self.is_mute
            return [{"output_type": "error", "ename": "E", "evalue": "x"}] if is_error else outputs

    answers(nb, "rnn_step", cell(nb, "rnn_step").source.replace("return", "no_answer()\n    return"))
    failures, _, _ = judged(nb, Stops, solution)
    assert [(name, failure.verdict) for name, failure in failures.items() if failure] == [
        ("rnn_step", "wrong")
    ]


def test_checks_are_imported_anew_before_each_check(nb):
    """The name may be the student's by now."""
    _, _, log = judged(nb)
    checks = [place for place, source in enumerate(log) if source.startswith("checks.")]
    assert [log[place - 1] for place in checks] == ["from rnnlib import checks"] * len(NAMES)


def test_the_cells_of_an_exercise_share_its_time(nb, monkeypatch):
    clock = [0]
    monkeypatch.setattr(session, "time", SimpleNamespace(monotonic=lambda: clock[0]))

    class Slow(Played):
        def execute(self, source, deadline):
            clock[0] += 29 * ("slow" in source)
            if clock[0] > deadline:
                raise KernelLost("timed out", "")
            return super().execute(source, deadline)

    for number in range(7):
        experiment(nb, "numerical_gradient", f"slow({number})")
    failures, _, _ = judged(nb, Slow)
    assert [name for name, failure in failures.items() if failure] == ["numerical_gradient"]
    message = failures["numerical_gradient"].message
    assert "did not finish within 90 seconds, all its cells together: is there an endless loop?" in message
