"""The pytest plugin: ``pytest --nbval labs/01_rnn.ipynb`` grades a student's notebook.

nbval collects notebooks and owns the kernel. Where a solution of the same lab exists, this
plugin gives it one item for each exercise. The verdict is made here, outside the student's
kernel: a check passes if the values that it displays equal those stored in the solution
(``comparison.compare``).

nbval's loop that waits for a cell is not used: it has no deadline for output and does not
notice a kernel that died. Nor is its loop that compares outputs: it knows no rounding.
"""

from functools import partial
from itertools import chain
from pathlib import Path

import pytest
from nbval.plugin import IPyNbCell, IPyNbFile

from rnnlib.grading import arguments, matching, notebook, report, sandbox, summary
from rnnlib.grading.feedback import write_feedback
from rnnlib.grading.intake import reading
from rnnlib.grading.judge import Judge
from rnnlib.grading.kernel import Kernel
from rnnlib.grading.names import readable
from rnnlib.grading.settings import WALLS, Settings
from rnnlib.grading.table import read_csv, write_csv
from rnnlib.grading.verdicts import Failed

NBVAL_TIMEOUT = 2000  # nbval's default, in seconds: too long to wait for an endless loop
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
    arguments.refuse_path("--grades", options.grades, is_folder=False)
    arguments.refuse_path("--feedback", options.feedback, is_folder=True)
    if options.grades is not None and options.grades.exists():
        try:
            read_csv(options.grades)
        except ValueError as error:
            raise pytest.UsageError(f"--grades: {error}") from error


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config, args):
    """What lies beside notebooks that are graded is not the grader's: no conftest.py, no settings."""
    options, here = early_config.known_args_namespace, early_config.invocation_params.dir
    if getattr(options, "nbval", False):
        arguments.refuse_brackets(options.file_or_dir, here)
        paths = [path.split("::")[0] for path in options.file_or_dir]
        if paths and all(path.lower().endswith(".ipynb") for path in paths):
            options.noconftest = True
            arguments.refuse_settings(early_config.inipath, options.inifilename, here)
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
    capitals = file_path.suffix.lower() == ".ipynb" != file_path.suffix  # nbval leaves such a file out
    if not ours and not (capitals and getattr(parent.config.option, "nbval", False)):
        return nodes
    student, problem, content = None, None, b""
    try:
        if file_path.stat().st_size > reading.LARGEST_FILE:
            raise notebook.UnreadableNotebook(reading.TOO_LARGE)
        content = file_path.read_bytes()
        student = reading.loads(content)
    except OSError as error:
        problem = f"the file cannot be read: {error.strerror}"
    except notebook.UnreadableNotebook as error:
        problem = str(error)
    text = content.decode("utf-8", "replace") if problem else ""
    solution = notebook.solution_for(file_path.stem, student, parent.config.option.solutions, text)
    if solution is None:
        return nodes
    root = parent.config.rootpath
    inside = file_path.is_relative_to(root)  # pytest leaves the id of a file outside its root empty
    nodeid = readable((file_path.relative_to(root) if inside else file_path).as_posix())
    lab = Lab.from_parent(parent, path=file_path, nodeid=nodeid)
    lab.student, lab.problem, lab.solution_path = student, problem, solution
    return [*(node for node in nodes if node not in ours), lab]


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
        folder = self.config.option.solutions
        return {
            "student": readable(self.path.parent.name),
            "lab": self.solution_path.stem,
            "file": readable(self.path.name),
            "sandbox": "" if self.problem else walls,
            "seed": notebook.seed(solution),
            "review": "" if self.problem else notebook.other_labs(self.solution_path, self.student, folder),
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


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session):
    """Where only labs failed, the table says it once; pytest's own sections would repeat it."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None:  # a worker of pytest-xdist
        return
    failures = reporter.stats.get("failed", [])
    if failures and "error" not in reporter.stats and all(map(summary.row_text, failures)):
        session.config.option.tbstyle = "no"
        reporter.reportchars = "".join(set(reporter.reportchars) - set("fE"))


def pytest_terminal_summary(terminalreporter, config):
    """One line for each exercise: points, verdict, message; and the sum for each notebook."""
    labs = summary.rows_by_notebook(terminalreporter.stats)
    if not labs:
        return
    terminalreporter.section("exercises")
    for path, rows in labs.items():
        terminalreporter.line(path)
        for line, colour in report.lines(rows):
            terminalreporter.line(line, **({colour: True} if colour else {}))
    for line in summary.several_in_one_folder(labs):
        terminalreporter.line(line)
    rows = list(chain.from_iterable(labs.values()))
    if any(row.sandbox == "none" for row in rows):
        reason = sandbox.missing() or "switched off"
        terminalreporter.line(f"Not protected: the students' code ran with your rights ({reason}).")
    if config.option.grades:
        write_csv(rows, config.option.grades)
    if config.option.feedback:
        for problem in write_feedback(rows, config.option.feedback):
            terminalreporter.line(f"A page could not be written: {problem}")
