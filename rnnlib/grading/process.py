"""One submission, graded in a process of its own, so that it costs its own rows at most.

The processes are forked from one that has imported pytest and nbval already, so that imports
are paid once.
"""

import multiprocessing
import os
import socket
import tempfile
import threading
import time
from contextlib import suppress
from functools import lru_cache
from multiprocessing.connection import wait
from pathlib import Path

import psutil
import pytest

from rnnlib.grading import matching, notebook, plugin, sandbox, summary
from rnnlib.grading.attempts import ATTEMPTS
from rnnlib.grading.report import from_json, row_of
from rnnlib.grading.session import CELLS_IN_TIME
from rnnlib.grading.verdicts import Failed, one_line

# The first is what the command grade runs in.
PRELOADED = ["rnnlib.commands.main", "rnnlib.grading.process", "nbval.plugin"]
MOST_ATTEMPTS = len(ATTEMPTS) + 2  # at an exercise: two more to see whose fault it is
METHOD = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"


def grade_one(submission, settings):
    """Grade one submission; return its rows.

    Args:
        submission: a ``submission.Submission``.
        settings: a ``settings.Settings``.
    """
    if submission.problem:
        return failed_rows(submission, submission.verdict, submission.problem)
    missing = sandbox.missing()
    if settings.sandbox == "on" and missing:
        return failed_rows(submission, "regrade", f"{missing} on {socket.gethostname()}")
    origin = submission.origin("none" if settings.sandbox == "off" or missing else "bubblewrap")
    multiprocessing.current_process().daemon = False  # a dask worker is one, and may have no children
    folder = Path(tempfile.mkdtemp(prefix="rnnlib-"))
    try:
        (folder / "solutions").mkdir()
        solution = folder / "solutions" / f"{submission.lab}.ipynb"
        solution.write_text(submission.solution, encoding="utf-8")
        student = folder / f"{submission.lab}.ipynb"
        student.write_text(submission.content, encoding="utf-8")
        count = len(_exercises(submission))
        limit = 60 + count * MOST_ATTEMPTS * CELLS_IN_TIME * settings.timeout  # a last resort
        rows, why = _in_child(student, origin, settings, limit)
    finally:
        sandbox.remove(folder)
    unknown = failed_rows(submission, "regrade", why, origin)
    return [rows.get(row.exercise, row) for row in unknown]


def failed_rows(submission, verdict, message, origin=None):
    """The rows of a submission of which nothing is known but why.

    Args:
        origin: see ``Submission.origin``; None where nothing has run.
    """
    failure = Failed(verdict, one_line(message))
    origin = origin or submission.origin()
    return [row_of(exercise, failure, **origin) for exercise in _exercises(submission)]


def _exercises(submission):
    """What a submission could earn points for; a nameless exercise without points where that is nothing."""
    lab = _exercises_of(submission.solution) if submission.solution else []
    return lab or [matching.Exercise("", "", points=0, check=None, cells=[], lab="")]


@lru_cache(maxsize=100)
def _exercises_of(solution):
    return matching.exercises(notebook.loads(solution))


def kill(*processes):
    """End processes and all that they started."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):  # it has just ended
            for one in [*process.children(recursive=True), process]:
                with suppress(psutil.NoSuchProcess):
                    one.kill()


def kill_children():
    """End every child of this process that grades."""
    for child in multiprocessing.active_children():
        with suppress(psutil.NoSuchProcess):
            kill(psutil.Process(child.pid))


def _in_child(path, origin, settings, limit):
    """Grade a notebook in a child process.

    Returns:
        (rows, why): exercise -> Row, and why there is not one for each.
    """
    context = multiprocessing.get_context(METHOD)
    if METHOD == "forkserver":
        context.set_forkserver_preload(PRELOADED)
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_grade_in_child, args=(there, path, origin, settings))
    process.start()
    there.close()
    rows, end = {}, time.monotonic() + limit
    why = f"the grading did not end within {limit:g} seconds"
    try:
        while here.poll(max(0, end - time.monotonic())):
            row = from_json(here.recv_bytes())
            rows[row.exercise] = row
    except (EOFError, OSError):  # it has ended, or was killed while it wrote
        process.join(10)
        why = f"the grading process ended too early: {_last_line(path.parent / 'log')}"
        if process.exitcode is not None and process.exitcode < 0:
            why = f"the grading process was killed by signal {-process.exitcode}"
    finally:
        if process.is_alive():
            with suppress(psutil.NoSuchProcess):
                kill(psutil.Process(process.pid))
        process.join()
        here.close()
    return rows, why


def _last_line(log):
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    return next((line for line in reversed(lines) if line.strip()), "it said nothing")


class Messenger:
    """Tells the plugin whose notebook it is, and the parent of each row as soon as it is known."""

    def __init__(self, pipe, origin):
        self.pipe, self.origin = pipe, origin

    def pytest_configure(self, config):
        config.stash[plugin.ORIGIN] = self.origin

    def pytest_runtest_logreport(self, report):
        text = summary.row_text(report)
        if text is not None:
            self.pipe.send_bytes(text.encode())


def _grade_in_child(pipe, path, origin, settings):
    """pytest and nbval over one notebook."""
    folder = path.parent
    threading.Thread(target=_end_with_parent, args=(folder,), daemon=True).start()
    log = os.open(folder / "log", os.O_CREAT | os.O_WRONLY)
    os.dup2(log, 1)
    os.dup2(log, 2)
    tempfile.tempdir = str(folder)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    os.environ.pop("PYTEST_ADDOPTS", None)
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")  # no other one is looked for
    options = ["-p", "nbval.plugin", "-p", "rnnlib.grading.plugin", "-p", "no:cacheprovider", "--nbval"]
    options += ["--noconftest", f"--rootdir={folder}", f"--config-file={folder / 'pytest.ini'}"]
    options += [f"--solutions={folder / 'solutions'}", f"--memory={settings.memory:g}"]
    options += [f"--nbval-cell-timeout={settings.timeout:g}"]
    pytest.main([*options, str(path)], plugins=[Messenger(pipe, origin)])


def _end_with_parent(folder):
    """Nobody waits for this process when its parent is gone, and nobody cleans up behind it."""
    wait([multiprocessing.parent_process().sentinel])
    try:
        kill(*psutil.Process().children(recursive=True))
        sandbox.remove(folder)
    finally:
        os._exit(1)
