"""One submission, graded in a process of its own, so that it costs its own rows at most.

The processes are forked from one that has imported pytest and nbval already, so that imports
are paid once.
"""

import json
import multiprocessing
import os
import socket
import tempfile
import threading
import time
from dataclasses import asdict, dataclass, replace
from multiprocessing.connection import wait
from pathlib import Path

import psutil
import pytest

from rnnlib.grading import matching, notebook, plugin, sandbox
from rnnlib.grading.judge import CELLS_IN_TIME
from rnnlib.grading.report import Row
from rnnlib.grading.verdicts import one_line

# The first is what the command grade runs in.
PRELOADED = ["rnnlib.commands.main", "rnnlib.grading.process", "nbval.plugin"]
ATTEMPTS = 5  # at an exercise: own, solution, everything, and two to see whose fault it is
METHOD = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"


@dataclass(frozen=True)
class Settings:
    """How submissions are graded.

    Attributes:
        timeout: seconds for a cell.
        memory: GiB for a kernel.
        sandbox: "auto", "on" or "off".
    """

    timeout: float = plugin.CELL_TIMEOUT
    memory: float = plugin.MEMORY
    sandbox: str = "auto"


def grade_one(submission, digest, settings):
    """Grade one submission; return its rows.

    Args:
        submission: a ``submission.Submission``.
        digest: for the rows.
        settings: a ``Settings``.
    """
    if submission.problem:
        return failed_rows(submission, digest, submission.verdict, submission.problem)
    missing = sandbox.missing()
    if settings.sandbox == "on" and missing:
        return failed_rows(submission, digest, "regrade", f"{missing} on {socket.gethostname()}")
    sandboxed = settings.sandbox != "off" and not missing
    settings = replace(settings, sandbox="on" if sandboxed else "off")
    multiprocessing.current_process().daemon = False  # a dask worker is one, and may have no children
    folder = Path(tempfile.mkdtemp(prefix="rnnlib-"))
    try:
        (folder / "solutions").mkdir()
        solution = folder / "solutions" / f"{submission.lab}.ipynb"
        solution.write_text(submission.solution, encoding="utf-8")
        student = folder / f"{submission.lab}.ipynb"
        student.write_text(submission.content, encoding="utf-8")
        unknown = failed_rows(submission, digest, "regrade", "")
        limit = 60 + len(unknown) * ATTEMPTS * CELLS_IN_TIME * settings.timeout  # a last resort
        received, why = _in_child(student, settings, limit)
    finally:
        sandbox.remove(folder)
    rows = []
    for row in unknown:
        judged = received.get(row.exercise)
        if judged is None:
            row = replace(row, message=one_line(why))
        else:
            review = ". ".join(filter(None, [submission.review, judged.review]))
            known = {"student": row.student, "file": row.file, "seed": row.seed, "digest": digest}
            row = replace(judged, review=review, **known)
        rows.append(replace(row, sandbox="bubblewrap" if sandboxed else "none"))
    return rows


def failed_rows(submission, digest, verdict, message):
    """The rows of a submission of which nothing is known but why."""
    lab = matching.exercises(notebook.loads(submission.solution)) if submission.solution else []
    exercises = [(exercise.title.removeprefix("Exercise "), exercise.points) for exercise in lab]
    return [
        Row(
            submission.student,
            submission.lab,
            exercise,
            None if verdict == "regrade" else 0,
            points,
            verdict,
            submission.review,
            one_line(message),
            submission.file,
            seed=submission.seed,
            digest=digest,
        )
        for exercise, points in exercises or [("", 0)]
    ]


def kill(*processes):
    """End processes and all that they started."""
    for process in processes:
        for one in [*process.children(recursive=True), process]:
            try:
                one.kill()
            except psutil.NoSuchProcess:
                pass


def kill_children():
    """End every child of this process that grades."""
    for child in multiprocessing.active_children():
        try:
            kill(psutil.Process(child.pid))
        except psutil.NoSuchProcess:
            pass


def _in_child(path, settings, limit):
    """Grade a notebook in a child process.

    Returns:
        (received, why): exercise -> Row, and why there is not one for each.
    """
    context = multiprocessing.get_context(METHOD)
    if METHOD == "forkserver":
        context.set_forkserver_preload(PRELOADED)
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_grade_in_child, args=(there, path, settings))
    process.start()
    there.close()
    received, end = {}, time.monotonic() + limit
    why = f"the grading did not end within {limit:g} seconds"
    try:
        while here.poll(max(0, end - time.monotonic())):
            row = Row(**json.loads(here.recv_bytes()))
            received[row.exercise] = row
    except (EOFError, OSError):  # it has ended, or was killed while it wrote
        process.join(10)
        why = f"the grading process ended too early: {_last_line(path.parent / 'log')}"
        if process.exitcode is not None and process.exitcode < 0:
            why = f"the grading process was killed by signal {-process.exitcode}"
    finally:
        if process.is_alive():
            try:
                kill(psutil.Process(process.pid))
            except psutil.NoSuchProcess:
                pass
        process.join()
        here.close()
    return received, why


def _last_line(log):
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    return next((line for line in reversed(lines) if line.strip()), "it said nothing")


def _grade_in_child(pipe, path, settings):
    """pytest and nbval over one notebook. Sends each row as soon as it is known."""
    folder = path.parent
    threading.Thread(target=_end_with_parent, args=(folder,), daemon=True).start()
    log = os.open(folder / "log", os.O_CREAT | os.O_WRONLY)
    os.dup2(log, 1)
    os.dup2(log, 2)
    tempfile.tempdir = str(folder)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    os.environ.pop("PYTEST_ADDOPTS", None)
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")  # no other one is looked for

    class RowSender:
        def pytest_runtest_logreport(self, report):
            row = plugin.row_of(report)
            if row is not None:
                pipe.send_bytes(json.dumps(asdict(row)).encode())

    options = ["-p", "nbval.plugin", "-p", "rnnlib.grading.plugin", "-p", "no:cacheprovider", "--nbval"]
    options += ["--noconftest", f"--rootdir={folder}", f"--config-file={folder / 'pytest.ini'}"]
    options += [f"--solutions={folder / 'solutions'}", f"--sandbox={settings.sandbox}"]
    options += [f"--nbval-cell-timeout={settings.timeout:g}", f"--memory={settings.memory:g}"]
    pytest.main([*options, str(path)], plugins=[RowSender()])


def _end_with_parent(folder):
    """Nobody waits for this process when its parent is gone, and nobody cleans up behind it."""
    wait([multiprocessing.parent_process().sentinel])
    try:
        kill(*psutil.Process().children(recursive=True))
        sandbox.remove(folder)
    finally:
        os._exit(1)
