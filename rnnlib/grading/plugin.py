"""The pytest plugin: ``pytest --nbval labs/01_rnn.ipynb`` grades a student's notebook.

nbval collects notebooks and owns the kernel. Where a solution of the same lab exists, this
plugin gives it one item for each exercise. The verdict is made here, outside the student's
kernel: a check passes if the values that it displays equal those stored in the solution
(``comparison.compare``).

nbval's loop that waits for a cell is not used: it has no deadline for output and does not
notice a kernel that died. Nor is its loop that compares outputs: it knows no rounding.
"""

import contextlib
from functools import partial
from itertools import chain
from pathlib import Path

import pytest
from nbval.plugin import IPyNbCell, IPyNbFile

from rnnlib.grading import matching, notebook, report, sandbox
from rnnlib.grading.judge import Judge
from rnnlib.grading.kernel import Kernel
from rnnlib.grading.settings import WALLS, Settings
from rnnlib.grading.verdicts import Failed

NBVAL_TIMEOUT = 2000  # nbval's default, in seconds: too long to wait for an endless loop
COURSE = sandbox.SOLUTIONS.parent
ORIGIN = pytest.StashKey()  # whose notebook it is, where its path does not tell; see report.row_of


def pytest_addoption(parser):
    group = parser.getgroup("rnnlib", "grading of labs")
    group.addoption(
        "--solutions",
        default=sandbox.SOLUTIONS,
        type=Path,
        help="Folder with the solved labs (default: labs_solutions beside the package).",
    )
    group.addoption("--grades", type=Path, metavar="FILE", help="Write the grades into this CSV file.")
    group.addoption("--feedback", type=Path, metavar="DIR", help="Write a page for each student into DIR.")
    group.addoption(
        "--sandbox",
        choices=WALLS,
        default=Settings.sandbox,
        help="Run students' code inside bubblewrap: where it works (auto), always, or never.",
    )
    group.addoption(
        "--memory", type=float, default=Settings.memory, metavar="GIB", help="What a student's code may use."
    )


def pytest_configure(config):
    options = config.option
    if getattr(options, "nbval_cell_timeout", None) == NBVAL_TIMEOUT:
        options.nbval_cell_timeout = Settings.timeout
    if options.solutions != sandbox.SOLUTIONS and not any(options.solutions.glob("*.ipynb")):
        raise pytest.UsageError(f"--solutions: there are no solved labs in {options.solutions}")
    _refuse_path("--grades", options.grades, is_folder=False)
    _refuse_path("--feedback", options.feedback, is_folder=True)
    if options.grades is not None and options.grades.exists():
        try:
            report.read_csv(options.grades)
        except ValueError as error:
            raise pytest.UsageError(f"--grades: {error}") from error


def _refuse_path(option, path, is_folder):
    """Say what keeps a path from being written."""
    if path is None:
        return
    if not path.absolute().parent.is_dir():
        raise pytest.UsageError(f"{option}: there is no folder {path.parent}")
    if path.exists() and path.is_dir() != is_folder:
        raise pytest.UsageError(f"{option}: {path} is {'a folder' if path.is_dir() else 'no folder'}")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config, args):
    """What lies beside notebooks that are graded is not the grader's: no conftest.py, no settings."""
    options = early_config.known_args_namespace
    paths = [path.split("::")[0] for path in options.file_or_dir]
    if getattr(options, "nbval", False) and paths and all(path.endswith(".ipynb") for path in paths):
        options.noconftest = True
        settings, here = early_config.inipath, early_config.invocation_params.dir
        if settings and not options.inifilename and settings.parent not in (here, *here.parents, COURSE):
            raise pytest.UsageError(
                f"the settings in {settings} would rule the grading: use python -m rnnlib grade, "
                "or give settings of your own with -c"
            )
    return (yield)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """All exercises of a notebook share a kernel, so they go to one worker."""
    from xdist.scheduler import LoadFileScheduling

    return LoadFileScheduling(config, log) if getattr(config.option, "nbval", False) else None


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path, parent):
    nodes = yield
    ours = [node for node in nodes if isinstance(node, IPyNbFile)]
    if not ours:
        return nodes
    student, problem, text = None, None, ""
    try:
        student = notebook.read(file_path)
    except notebook.UnreadableNotebook as error:
        problem = str(error)
        with contextlib.suppress(OSError):
            text = file_path.read_text(encoding="utf-8", errors="replace")
    solution = notebook.solution_for(file_path.stem, student, parent.config.option.solutions, text)
    if solution is None:
        return nodes
    root = parent.config.rootpath
    inside = file_path.is_relative_to(root)  # pytest leaves the id of a file outside its root empty
    nodeid = (file_path.relative_to(root) if inside else file_path).as_posix()
    lab = Lab.from_parent(parent, path=file_path, nodeid=nodeid)
    lab.student, lab.problem, lab.solution_path = student, problem, solution
    return [lab if node in ours else node for node in nodes]


class Lab(IPyNbFile):
    """A student's notebook: its answers in the gaps of the solution.

    Attributes:
        student: the notebook; None if it cannot be read.
        problem: why it cannot be read, or None.
        solution_path: the lab's solution.
        judge: makes the verdicts.
        origin: what all rows of the notebook say; see ``report.row_of``.
    """

    def setup(self):
        """Nothing yet: the kernel starts with the first exercise."""

    def teardown(self):
        self.judge.stop()

    def collect(self):
        options = self.config.option
        solution = notebook.read(self.solution_path)
        exercises = matching.exercises(solution, self.student)
        self.origin = self.config.stash.get(ORIGIN, None) or self._origin(solution)
        start = partial(
            Kernel,
            self.solution_path.parent,
            self.origin["sandbox"] == "bubblewrap",
            seed=self.origin["seed"],
            memory=int(options.memory * 2**30),
            startup_timeout=options.nbval_kernel_startup_timeout,
        )
        items = []
        for number, exercise in enumerate(exercises):
            item = ExerciseItem.from_parent(
                self, name=exercise.title, cell_num=number, cell=exercise.check, options={}
            )
            item.exercise = exercise
            items.append(item)
        self.judge = Judge(exercises, start, options.nbval_cell_timeout)
        return items

    def _origin(self, solution):
        """Where a notebook comes from, as its path tells."""
        walls = "none" if self.config.option.sandbox == "off" or sandbox.missing() else "bubblewrap"
        return {
            "student": self.path.parent.name,
            "lab": self.solution_path.stem,
            "file": self.path.name,
            "sandbox": "" if self.problem else walls,
            "seed": notebook.seed(solution),
        }


class ExerciseItem(IPyNbCell):
    """One exercise of a notebook, as a pytest item."""

    def setup(self):
        """nbval would mark it as expected to fail after a time-out; each one counts here."""

    def runtest(self):
        lab, exercise = self.parent, self.exercise
        failure = Failed("unreadable", lab.problem) if lab.problem else lab.judge.verdict(exercise)
        row = report.row_of(exercise, failure, **lab.origin)
        self.user_properties.append(("rnnlib", report.to_json(row)))
        if failure:
            raise failure

    def repr_failure(self, excinfo):
        if isinstance(excinfo.value, Failed):
            return str(excinfo.value)
        return pytest.Item.repr_failure(self, excinfo)

    def reportinfo(self):
        return self.path, self.cell_num, self.exercise.name


def row_text(entry):
    """The row in an item's report, as JSON; None for other reports."""
    properties = entry.user_properties if getattr(entry, "when", None) == "call" else []
    return next((text for name, text in properties if name == "rnnlib"), None)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session):
    """Where only labs failed, the table says it once; pytest's own sections would repeat it."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None:  # a worker of pytest-xdist
        return
    failures = reporter.stats.get("failed", [])
    if failures and "error" not in reporter.stats and all(map(row_text, failures)):
        session.config.option.tbstyle = "no"
        reporter.reportchars = "".join(set(reporter.reportchars) - set("fE"))


def pytest_terminal_summary(terminalreporter, config):
    """One line for each exercise: points, verdict, message; and the sum for each notebook."""
    labs = _rows_by_notebook(terminalreporter.stats)
    if not labs:
        return
    terminalreporter.section("exercises")
    for path, rows in labs.items():
        terminalreporter.line(path)
        for line, colour in report.lines(rows):
            terminalreporter.line(line, **({colour: True} if colour else {}))
    rows = list(chain.from_iterable(labs.values()))
    if any(row.sandbox == "none" for row in rows):
        reason = sandbox.missing() or "switched off"
        terminalreporter.line(f"Not protected: the students' code ran with your rights ({reason}).")
    if config.option.grades:
        report.write_csv(rows, config.option.grades)
    if config.option.feedback:
        report.write_feedback(rows, config.option.feedback)


def _rows_by_notebook(stats):
    """The rows in pytest's reports: path -> list of Row, sorted by path."""
    labs = {}
    for entry in filter(row_text, chain.from_iterable(stats.values())):
        path = entry.nodeid.split("::")[0]
        labs.setdefault(path, []).append(report.from_json(row_text(entry)))
    return dict(sorted(labs.items()))
