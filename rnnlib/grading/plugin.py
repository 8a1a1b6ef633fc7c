"""The pytest plugin: ``pytest --nbval labs/01_rnn.ipynb`` grades a student's notebook.

nbval collects notebooks, owns the kernel and compares outputs. Where a solution of the
same lab exists, this plugin gives it one item for each exercise. The verdict is made here,
outside the student's kernel: a check passes if the values that it displays equal those
stored in the solution.

The plugin does not use nbval's loop that waits for a cell: it has no deadline for output
and does not notice a kernel that died.
"""

import json
import time
from pathlib import Path
from queue import Empty

import pytest
from nbformat.v4 import new_output
from nbval.kernel import CURRENT_ENV_KERNEL_NAME, RunningKernel
from nbval.plugin import IPyNbCell, IPyNbFile

from rnnlib.checks.exercise import VALUES_MIME
from rnnlib.grading import notebook

NBVAL_TIMEOUT = 2000  # nbval's default, in seconds: too long to wait for an endless loop
CELL_TIMEOUT = 30


def pytest_addoption(parser):
    group = parser.getgroup("rnnlib", "grading of labs")
    group.addoption(
        "--solutions",
        default=Path(__file__).parents[2] / "labs_solutions",
        type=Path,
        help="Folder with the solved labs (default: labs_solutions beside the package).",
    )


def pytest_configure(config):
    if getattr(config.option, "nbval_cell_timeout", None) == NBVAL_TIMEOUT:
        config.option.nbval_cell_timeout = CELL_TIMEOUT


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path, parent):
    nodes = yield
    ours = [node for node in nodes if isinstance(node, IPyNbFile)]
    solution = _solution_for(file_path, parent.config.option.solutions) if ours else None
    if solution is None:
        return nodes
    root = parent.config.rootpath
    inside = file_path.is_relative_to(root)  # pytest leaves the id of a file outside its root empty
    nodeid = (file_path.relative_to(root) if inside else file_path).as_posix()
    lab = Lab.from_parent(parent, path=file_path, nodeid=nodeid, solution_path=solution)
    return [lab if node in ours else node for node in nodes]


def _solution_for(path, folder):
    """The solution that a notebook is to be graded by, or None if it is no lab.

    Students rename files and lose metadata. So a lab is known by the name in its metadata,
    or by how its file name begins, or by an exercise that it holds.
    """
    solutions = {solution.stem: solution for solution in sorted(Path(folder).glob("*.ipynb"))}
    named = next((stem for stem in solutions if path.stem.startswith(stem)), None)
    try:
        student = notebook.read(path)
    except notebook.UnreadableNotebook:  # told in a line as well, where only one lab is possible
        return solutions.get(named) or (next(iter(solutions.values())) if len(solutions) == 1 else None)
    name = notebook.lab_name(student)
    if name in solutions or named:
        return solutions.get(name, solutions.get(named))
    same = (s for s in solutions.values() if notebook.shares_exercise(notebook.read(s), student))
    return next(same, None)


class Failed(Exception):
    """An exercise without its points: a verdict, and a message of one line."""

    def __init__(self, verdict, message):
        super().__init__(f"{verdict}: {message}")
        self.verdict, self.message = verdict, message


class KernelLost(Failed):
    """The kernel died, or was killed at its deadline."""


class Lab(IPyNbFile):
    """A student's notebook: its answers in the gaps of the solution.

    Exercises are judged in order, each on its own: after a wrong answer the solution's runs
    in its place, and where the kernel is lost, a new one runs everything up to there.
    """

    def __init__(self, *, solution_path, **kwargs):
        super().__init__(**kwargs)
        self.solution_path = solution_path
        self.judged = 0

    def setup(self):
        """Nothing yet: the kernel starts with the first exercise."""

    def teardown(self):
        self.drop_kernel()

    def collect(self):
        solution = notebook.read(self.solution_path)
        self.unreadable, student = None, None
        try:
            student = notebook.read(self.path)
        except notebook.UnreadableNotebook as error:
            self.unreadable = str(error)
        self.exercises = notebook.exercises(solution, student)
        for number, exercise in enumerate(self.exercises):
            item = ExerciseItem.from_parent(
                self, name=exercise.title, cell_num=number, cell=exercise.check, options={"check": True}
            )
            item.exercise, exercise.item = exercise, item
            yield item

    def verdict(self, exercise):
        """Judge an exercise, after those before it. None is a pass, a Failed the opposite.

        A wrong answer gets a second hearing, in a new kernel where the solution ran before
        it: what other answers did to the first kernel is not its fault.
        """
        for earlier in self.exercises[self.judged : self.exercises.index(exercise)]:
            self.verdict(earlier)
        failure = self.hear(exercise)
        if failure and failure.verdict != "unfilled" and self.judged > 0:
            self.drop_kernel()
            second = self.hear(exercise, own=False)
            if second is None or second.verdict == "unfilled" or failure.verdict == "regrade":
                failure = second

        exercise.passed = failure is None
        self.judged += 1
        if failure and self.kernel is not None:
            try:
                self.run_solution(exercise)
            except Exception:  # the student's code broke the kernel: the next exercise starts another
                self.drop_kernel()
        return failure

    def hear(self, exercise, own=True):
        """Run an answer and its check once; ``own`` as in ``ensure_kernel``."""
        try:
            self.ensure_kernel(own)
            broken = self.run_answer(exercise)
            self.judge(exercise, self.execute(exercise.check.source), broken)
        except Failed as error:
            return Failed(error.verdict, _one_line(error.message, exercise.title))
        except Exception as error:  # never a zero for what the grader did wrong
            return Failed("regrade", _one_line(f"the grader itself failed: {error!r}", exercise.title))
        return None

    def run_answer(self, exercise):
        """Run the cells before a check; return how the latest broken answer failed, or None."""
        broken = None
        for cell in exercise.cells:
            error = _error(self.execute(cell.source))
            if error is not None and cell.provided:
                raise Failed("regrade", f"the lab's own code stopped with {_told(error)}")
            if error is not None:
                broken = _told(error)
        return broken

    def ensure_kernel(self, own=True):
        """Have a kernel in which all exercises ran up to the one to be judged.

        In a new kernel the solution's answers run; where ``own``, the student's own for the
        exercises that they passed, since later ones may use what stands there.
        """
        if self.kernel is not None:
            return
        try:
            self.kernel = RunningKernel(
                CURRENT_ENV_KERNEL_NAME,
                cwd=str(self.path.parent),
                startup_timeout=self.config.option.nbval_kernel_startup_timeout,
            )
            for exercise in self.exercises[: self.judged]:
                if own and exercise.passed:
                    self.run_answer(exercise)
                else:
                    self.run_solution(exercise)
        except (RuntimeError, Failed) as error:
            self.drop_kernel()
            raise Failed("regrade", f"the grader itself failed: {error}") from error

    def run_solution(self, exercise):
        """Run the solution's cells of an exercise, the check left out."""
        for source in dict.fromkeys(cell.solution for cell in exercise.cells if cell.solution is not None):
            error = _error(self.execute(source))
            if error is not None:
                raise Failed("regrade", f"the solution stopped with {_told(error)}")

    def judge(self, exercise, outputs, broken):
        """Compare what a check displayed with what the solution stored.

        Raises:
            Failed: with the check's own sentence where it has one.
        """
        stored = _values(exercise.check.outputs)
        if not stored:
            raise Failed("regrade", f"{self.solution_path.name} has no stored values: release it first")
        shown = _values(outputs)
        if shown:
            try:
                equal = exercise.item.compare_outputs(shown, stored)
            except Exception:  # a display that nbval cannot even compare
                equal = False
            if equal:
                return
            raise Failed(
                "wrong", "the check passed in the notebook, but its values are not the expected ones"
            )
        error = _error(outputs)
        if error is None:
            raise Failed("wrong", "the check showed no values: was it changed?")
        name, text = str(error.get("ename")), str(error.get("evalue"))
        if name == "NotFilledIn":
            raise Failed("unfilled", text.split(". ")[0])  # the rest is advice for a notebook
        if name == "NameError" and broken:
            text = f"{exercise.name} is not defined, since its cell stopped with {broken}"
        elif name != "WrongAnswer":
            text = f"the check stopped with {_told(error)}"
        raise Failed("wrong", text)

    def drop_kernel(self):
        """Stop the kernel, if there is one; the next exercise starts another."""
        if self.kernel is not None:
            self.kernel.stop()
            self.kernel = None

    def execute(self, source):
        """Run code in the kernel and return its outputs, printed text left out.

        Raises:
            KernelLost: the kernel died, or did not finish in time and was killed.
        """
        timeout = self.config.option.nbval_cell_timeout
        deadline = time.monotonic() + timeout
        kernel, outputs = self.kernel, []
        request = kernel.execute_cell_input(source, allow_stdin=False)
        while True:
            if time.monotonic() > deadline:
                self.drop_kernel()
                raise KernelLost(
                    "timed out", f"did not finish within {timeout:g} seconds: is there an endless loop?"
                )
            try:
                message = kernel.get_message("iopub", timeout=0.5)
            except Empty:
                if not kernel.is_alive():
                    self.drop_kernel()
                    raise KernelLost(
                        "kernel died", "the Python kernel died: does the code end or crash it?"
                    ) from None
                continue
            if message["parent_header"].get("msg_id") != request:
                continue
            content = message["content"]
            if message["msg_type"] == "status" and content.get("execution_state") == "idle":
                return outputs
            if message["msg_type"] in ("display_data", "execute_result", "error"):
                outputs.append({"output_type": message["msg_type"], **content})


class ExerciseItem(IPyNbCell):
    """One exercise of a notebook, as a pytest item."""

    def setup(self):
        """nbval would mark it as expected to fail after a time-out; each one counts here."""

    def runtest(self):
        lab, exercise = self.parent, self.exercise
        failure = Failed("unreadable", lab.unreadable) if lab.unreadable else lab.verdict(exercise)
        verdict, message = (failure.verdict, failure.message) if failure else ("passed", "")
        points = {"passed": exercise.points, "regrade": None}.get(verdict, 0)
        result = {"title": exercise.title, "points": points, "of": exercise.points}
        result |= {"verdict": verdict, "message": message, "path": lab.nodeid}
        self.user_properties.append(("rnnlib", json.dumps(result)))
        if failure:
            raise failure

    def compare_outputs(self, test, ref, skip_compare=None):
        self.comparison_traceback = []
        return super().compare_outputs(test, ref, skip_compare)

    def sanitize(self, value):
        """Let nbval's comparison allow for rounding."""
        return RoundedValues(value)

    def format_output_compare(self, key, left, right):
        """nbval would print both sides; the verdict's line says enough."""

    def repr_failure(self, excinfo):
        if isinstance(excinfo.value, Failed):
            return str(excinfo.value)
        return pytest.Item.repr_failure(self, excinfo)

    def reportinfo(self):
        return self.path, self.cell_num, self.exercise.name


class RoundedValues:
    """Values that are equal where they agree within rounding."""

    def __init__(self, value):
        self.value = value

    def __eq__(self, other):
        return notebook.same_values(self.value, other.value)


def _values(outputs):
    """The displays that hold values, with nothing else: what is printed neither helps nor hurts."""
    data = (output.get("data") for output in outputs)
    return [
        new_output("display_data", data={VALUES_MIME: d[VALUES_MIME]})
        for d in data
        if isinstance(d, dict) and VALUES_MIME in d
    ]


def _error(outputs):
    """The error among a cell's outputs, or None."""
    return next((output for output in outputs if output["output_type"] == "error"), None)


def _told(error):
    return f"{error.get('ename')}: {error.get('evalue')}"


def _one_line(message, title):
    """A message for a table: one line, no control characters, without the title again."""
    line = "".join(c for c in " ".join(message.split()) if c.isprintable())
    return line.removeprefix(f"{title}: ")[:500]


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session):
    """Where only labs failed, the table says it once; pytest's own sections would repeat it."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None:  # a worker of pytest-xdist
        return
    failed = reporter.stats.get("failed", [])
    if failed and "error" not in reporter.stats and all(map(_result, failed)):
        session.config.option.tbstyle = "no"
        reporter.reportchars = "".join(set(reporter.reportchars) - set("fE"))


def pytest_terminal_summary(terminalreporter):
    """One line for each exercise: points, verdict, message; and the sum for each notebook."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    labs = {}
    for result in filter(None, map(_result, reports)):
        labs.setdefault(result["path"], []).append(result)
    if not labs:
        return
    terminalreporter.section("exercises")
    for path in sorted(labs):
        results = sorted(labs[path], key=lambda result: result["title"])
        width = max(len(result["title"]) for result in results)
        terminalreporter.line(path)
        for r in results:
            points = "–" if r["points"] is None else f"{r['points']:g}"
            line = f"  {r['title']:{width}}  {points}/{r['of']:g}  {r['verdict']:11}  {r['message']}"
            colour = {"passed": "green", "unfilled": "yellow"}.get(r["verdict"], "red")
            terminalreporter.line(line.rstrip(), **{colour: True})
        earned = sum(result["points"] or 0 for result in results)
        terminalreporter.line(f"  {'total':{width}}  {earned:g}/{sum(result['of'] for result in results):g}")


def _result(report):
    """What an exercise's report says of it, or None for other reports."""
    if getattr(report, "when", None) != "call":
        return None
    return next((json.loads(value) for name, value in report.user_properties if name == "rnnlib"), None)
