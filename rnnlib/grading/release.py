"""From solution notebooks to student notebooks."""

import copy
import os
import signal
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from traitlets.config import Config

from rnnlib.checks.verdicts import VALUES_MIME
from rnnlib.grading import notebook
from rnnlib.grading.comparison import same_values
from rnnlib.tools.whole_file import whole_file

RELEASED = ("nbgrader", "deletable", "editable", "tags")  # of a cell's metadata


def release(solution_path, student_path):
    """Run a solution notebook, store its outputs, and write the student notebook.

    Values that differ from the stored ones by rounding alone stay as they were, so that
    releasing twice, or on two machines, gives equal files.

    Raises:
        ValueError: the solution cannot be read, has a gap without a solution, names no lab in
            its metadata, has a cell that fails, has lost an id, or would leak a solution.
    """
    solution = notebook.read(solution_path)
    fresh = execute(solution)
    for cell, new in zip(solution.cells, fresh.cells, strict=True):
        if cell.cell_type == "code" and not same_outputs(cell.outputs, new.outputs):
            cell.outputs = new.outputs
    solution.metadata = fresh.metadata
    for number, cell in enumerate((c for c in solution.cells if c.cell_type == "code"), start=1):
        cell.execution_count = number
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = number
    student = student_version(solution)
    ids = lost_ids(student, student_path)
    if ids:
        raise ValueError(
            f"students' notebooks hold the cell {ids[0]}, which {Path(solution_path).name} has no more: "
            f"keep its id, or remove {student_path} if no student has it yet"
        )
    _write(solution, solution_path)
    _write(student, student_path)


def check(solution_path, student_path):
    """Say what is not as ``release`` would leave it.

    Returns:
        One line for each problem; none if all is up to date.
    """
    solution = notebook.read(solution_path)
    fresh = execute(solution)
    problems = [
        f"{solution_path}: the stored output is not what this cell gives now: {cell.source.splitlines()[0]}"
        for cell, new in zip(solution.cells, fresh.cells, strict=True)
        if cell.cell_type == "code" and not same_outputs(cell.outputs, new.outputs)
    ]
    student_path = Path(student_path)
    current = student_path.read_text(encoding="utf-8") if student_path.is_file() else ""
    if current != _text(student_version(solution)):
        problems.append(f"{student_path} is not what would be released: run python -m rnnlib release")
    return problems


def student_version(solution):
    """The solution notebook with gaps for answers, and without outputs.

    Raises:
        ValueError: an id stands twice, an answer has no check, or a solution would leak.
    """
    student = copy.deepcopy(solution)
    student.metadata = _metadata(solution)
    _refuse_twins(student.cells)
    titles = dict(notebook.exercise_name(cell) for cell in student.cells if notebook.role(cell) == "check")
    for cell in student.cells:
        cell.metadata = {key: value for key, value in cell.metadata.items() if key in RELEASED}
        if notebook.role(cell) == "check":
            _refuse_points(cell)
        if notebook.role(cell) == "answer":
            cell.source = _gap(cell, titles)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        if notebook.BEGIN in cell.source or notebook.END in cell.source:
            name = notebook.grade_id(cell) or cell.id
            raise ValueError(f"the cell {name} holds a marked solution, but is no answer")
    return student


def _refuse_twins(cells):
    for ids in ([notebook.grade_id(cell) for cell in cells], [cell.id for cell in cells]):
        name = next((name for name in ids if name is not None and ids.count(name) > 1), None)
        if name is not None:
            raise ValueError(f"two cells have the id {name}: was a cell copied?")


def _refuse_points(check):
    points = check.metadata["nbgrader"].get("points")
    if not isinstance(points, int | float) or points < 0:
        raise ValueError(f"the check {check.source} needs points, a number that is not negative")


def _gap(answer, titles):
    """An answer's source as released; titles are those of the checks, by function."""
    name = notebook.grade_id(answer)
    if name is None:
        raise ValueError(f"the answer in the cell {answer.id} needs a grade_id, its function's name")
    if name not in titles:
        raise ValueError(f"the answer {name} needs a check cell: checks.{name}({name})")
    return notebook.with_gap(answer.source, titles[name])


def lost_ids(student, path):
    """The exercises of the notebook last released that a new one does not have."""
    if not Path(path).is_file():
        return []
    before, now = ({notebook.grade_id(cell) for cell in nb.cells} for nb in (notebook.read(path), student))
    return sorted(before - now - {None})


def with_seed(solution_path, seed):
    """A solution as text, with the values that the checks compute for another random seed.

    Raises:
        ValueError: see ``release``.
    """
    solution = notebook.read(solution_path)
    student_version(solution)  # says what is not in order
    last = max(i for i, cell in enumerate(solution.cells) if notebook.role(cell) == "check")
    following = solution.cells[last + 1 :]  # no grade depends on them: they are not run
    solution.cells = solution.cells[: last + 1]
    fresh = execute(solution, seed)
    fresh.cells += following
    fresh.metadata["rnnlib"]["seed"] = seed
    return _text(fresh)


def execute(solution, seed=0):
    """A copy of a notebook, run from top to bottom, with outputs that do not age.

    Args:
        solution: the solution notebook.
        seed: the random seed of the checks.
    """
    run = copy.deepcopy(solution)
    if notebook.lab_name(solution) is None:
        raise ValueError('the notebook\'s metadata must name its lab: {"rnnlib": {"lab": "01_rnn"}}')
    try:
        with tempfile.TemporaryDirectory(prefix="k") as folder:
            options = {"transport": "ipc", "connection_file": f"{folder}/c"} if os.name == "posix" else {}
            config = Config(KernelManager=options)
            settings = {"timeout": 120, "kernel_name": "python3", "coalesce_streams": True}
            client = NotebookClient(run, config=config, **settings)
            # nbclient would answer a widget on the socket that it waits at, and may then miss the
            # end of the cell until the time is over. No output of a widget is kept anyway.
            client.widget_registry = {}
            with _signal_kept(signal.SIGTERM):
                client.execute(env=os.environ | {"RNNLIB_SEED": str(seed)})
    except CellExecutionError as error:
        raise ValueError(f"a cell of the solution stopped with {error.ename}: {error.evalue}") from error
    except RuntimeError as error:  # the kernel died, or a cell took too long
        raise ValueError(f"the solution did not run to its end: {error}") from error
    run.metadata = _metadata(solution)
    for cell in run.cells:
        cell.metadata.pop("execution", None)  # time stamps
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if not _is_drawn(output)]
    return run


@contextmanager
def _signal_kept(number):
    """What a signal does stays as it was: nbclient sets it, and leaves the system's default behind."""
    main = threading.current_thread() is threading.main_thread()
    handler = signal.getsignal(number) if main else None
    try:
        yield
    finally:
        if handler is not None:
            signal.signal(number, handler)


def _metadata(solution):
    """What a lab's notebook says of itself, and nothing else."""
    return nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
            "rnnlib": {"lab": notebook.lab_name(solution)},
        }
    )


def _is_drawn(output):
    """Whether an output is an image, or a widget, whose names are new in every run."""
    drawn = ("image/", "application/vnd.jupyter.widget-view")
    return any(mime.startswith(drawn) for mime in output.get("data", {}))


def same_outputs(old, new):
    """Whether two lists of outputs agree, values within rounding."""
    return len(old) == len(new) and all(map(_same_output, old, new))


def _same_output(a, b):
    a, b = copy.deepcopy(a), copy.deepcopy(b)
    values = [output.get("data", {}).pop(VALUES_MIME, None) for output in (a, b)]
    for output in (a, b):
        output.pop("execution_count", None)
    return a == b and same_values(*values)


def _text(notebook_node):
    return (
        nbformat.writes(notebook_node, version=4, indent=1, sort_keys=True, ensure_ascii=False).rstrip("\n")
        + "\n"
    )


def _write(notebook_node, path):
    nbformat.validate(notebook_node)
    Path(path).parent.mkdir(exist_ok=True)
    with whole_file(path) as temporary:
        temporary.write_text(_text(notebook_node), encoding="utf-8", newline="\n")
