"""A class: every submission graded in a process of its own, here or on a dask cluster.

A submission that kills or hangs its grader costs only its own rows. The processes are forked
from one that has imported pytest and nbval already, so that imports are paid once.
"""

import hashlib
import json
import multiprocessing
import os
import secrets
import socket
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from multiprocessing.connection import wait
from pathlib import Path

import psutil
import pytest
from tqdm.auto import tqdm

from rnnlib.grading import notebook, plugin, release, report, sandbox
from rnnlib.grading.judge import CELLS_IN_TIME, one_line

LARGEST = 50 * 2**20  # bytes; a larger notebook is not read
PRELOADED = ["rnnlib.cli", "rnnlib.grading.batch", "nbval.plugin"]
HEARINGS = 3  # an exercise has at most so many
METHOD = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"


@dataclass(frozen=True)
class Submission:
    """One notebook of one student, with all that is needed to grade it anywhere.

    Attributes:
        student: the name of the student's folder.
        file: the notebook's path in that folder; "" if there is none.
        fingerprint: of the file's bytes.
        content: the notebook as text, without its outputs.
        problem: why it cannot be graded, or "".
        review: why a person should look at it, or "".
        lab: the lab's name; "" if it is none.
        solution: the lab's solution, as text.
        seed: the random seed of the checks.
    """

    student: str
    file: str = ""
    fingerprint: str = ""
    content: str = ""
    problem: str = ""
    review: str = ""
    lab: str = ""
    solution: str = ""
    seed: int = 0

    @property
    def digest(self):
        """Changes with the notebook, the solution and the seed."""
        parts = [self.fingerprint, self.problem, self.solution, str(self.seed)]
        return _sha256("\0".join(parts).encode())[:16]


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


def grade(folder, out, *, solutions, seed=None, jobs=1, dask=None, settings=None, fresh=False):
    """Grade a class: ``folder/<student>/<lab>.ipynb``.

    What ``out`` holds already is kept where neither the notebook nor its solution has changed,
    and nothing failed in the grading. A run that was stopped goes on where it was.

    Args:
        folder: the students' folders.
        out: CSV file for the grades.
        solutions: folder with the solved labs.
        seed: for the checks' random inputs; None takes that of the rows in ``out``, or a new one.
        jobs: submissions at a time, on this machine.
        dask: address of a dask scheduler; None grades on this machine.
        settings: a ``Settings``.
        fresh: whether to grade everything anew.

    Returns:
        (rows, kept): list of ``report.Row``, and how many submissions were graded before.

    Raises:
        ValueError: there are no submissions, or ``out`` holds something else.
    """
    out, settings = Path(out), settings or Settings()
    progress = out.with_name(out.name + ".part")
    before = _graded_before(out, progress)
    if fresh:
        before = []
        progress.unlink(missing_ok=True)
    if seed is None:
        seed = before[0][0].seed if before else secrets.randbelow(10**6) + 1
    submissions = find(Path(folder), Path(solutions), seed)

    known = {(rows[0].student, rows[0].file, rows[0].digest): rows for rows in before}
    graded = {}
    for submission in submissions:
        rows = known.get((submission.student, submission.file, submission.digest), [])
        if rows and all(row.verdict != "regrade" for row in rows):
            graded[submission] = rows
    kept = len(graded)
    todo = [submission for submission in submissions if submission not in graded]
    with progress.open("a", encoding="utf-8") as journal, _executor(jobs, dask) as executor:
        futures = {executor.submit(grade_one, submission, settings): submission for submission in todo}
        for future in tqdm(as_completed(futures), desc="grading", total=len(todo), unit="notebook"):
            submission = futures[future]
            try:
                rows = future.result()
            except Exception as error:  # a cluster may lose a worker too often
                rows = failed(submission, "regrade", f"the grader itself failed: {error!r}")
            graded[submission] = rows
            journal.write(json.dumps([asdict(row) for row in rows]) + "\n")
            journal.flush()
    rows = [row for submission in submissions for row in graded[submission]]
    report.write_csv(rows, out)
    progress.unlink()
    return rows, kept


def find(folder, solutions, seed):
    """The submissions in a folder, each with its lab's solution, made anew with the seed."""
    if not folder.is_dir():
        raise ValueError(f"there is no folder {folder}")
    students = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    if not students:
        raise ValueError(f"{folder} holds no students' folders: it must hold <student>/<lab>.ipynb")
    if not any(solutions.glob("*.ipynb")):
        raise ValueError(f"there are no solved labs in {solutions}: name their folder with --solutions")
    made = {}
    found = []
    for student in students:
        notebooks = [_submission(student, path, solutions, seed) for path in sorted(_notebooks(student))]
        labs = [submission.lab for submission in notebooks]
        for submission in notebooks:
            lab = submission.lab
            if lab and lab not in made:
                made[lab] = release.with_seed(solutions / f"{lab}.ipynb", seed)
            twice = f"{labs.count(lab)} notebooks of this lab" if lab and labs.count(lab) > 1 else ""
            found.append(replace(submission, solution=made.get(lab, ""), review=twice))
        if not notebooks:
            found.append(Submission(student.name, problem="there is no notebook in this folder", seed=seed))
    return found


def _notebooks(student):
    """The notebooks in a student's folder, in those below it too, but not in hidden ones."""
    for place, folders, files in os.walk(student):  # follows no links
        folders[:] = [name for name in folders if not name.startswith((".", "__MACOSX"))]
        for name in files:
            if name.lower().endswith(".ipynb") and not name.startswith("."):
                yield Path(place) / name


def _submission(student, path, solutions, seed):
    """Read one notebook, as far as it can be read."""
    found = Submission(student.name, path.relative_to(student).as_posix(), seed=seed)
    if path.is_symlink() or not path.is_file():
        return replace(found, problem="this is a link, not a file")
    if path.stat().st_size > LARGEST:
        return replace(found, problem=f"the notebook is larger than {LARGEST >> 20} MiB")
    student, problem = None, ""
    content = path.read_bytes()
    try:
        student = notebook.loads(content.decode("utf-8-sig"))
        for cell in student.cells:
            cell.pop("outputs", None)  # thousands of notebooks are held in memory
            cell.pop("attachments", None)
    except (UnicodeDecodeError, notebook.UnreadableNotebook) as error:
        problem = str(error)
    solution = notebook.solution_for(path.stem, student, solutions)
    if solution is None:
        problem = problem or "this is no lab: neither its name, nor its metadata, nor its cells say which"
    text = "" if problem else json.dumps(student)
    lab = solution.stem if solution else ""
    return replace(found, fingerprint=_sha256(content), content=text, problem=problem, lab=lab)


def _sha256(content):
    return hashlib.sha256(content).hexdigest()


def _graded_before(out, progress):
    """The rows of earlier runs, in lists of one submission each."""
    lists = {}
    for row in report.read_csv(out) if out.exists() else []:
        lists.setdefault((row.student, row.file), []).append(row)
    if progress.exists():
        for line in progress.read_text(encoding="utf-8").splitlines():
            try:
                rows = [report.Row(**row) for row in json.loads(line)]
            except (ValueError, TypeError):  # the run was killed while it wrote this line
                continue
            lists[rows[0].student, rows[0].file] = rows
    return list(lists.values())


@contextmanager
def _executor(jobs, dask):
    """Where submissions are graded: threads that each wait for a process, or a cluster's workers."""
    if dask is None:
        executor = ThreadPoolExecutor(jobs)
        client = None
    else:
        from distributed import Client

        try:
            client = Client(dask, timeout=20)
        except OSError as error:
            raise ValueError(f"no dask scheduler answers at {dask}: {error}") from error
        executor = client.get_executor(pure=False)
    try:
        yield executor
    except BaseException:
        executor.shutdown(wait=False, cancel_futures=True) if client is None else client.close()
        for process in multiprocessing.active_children():
            _kill(process)
        raise
    executor.shutdown()
    if client is not None:
        client.close()


def grade_one(submission, settings):
    """Grade one submission, in a process of its own; return its rows."""
    if submission.problem:
        return failed(submission, "unreadable", submission.problem)
    missing = sandbox.missing()
    if settings.sandbox == "on" and missing:
        return failed(submission, "regrade", f"{missing} on {socket.gethostname()}")
    walls = settings.sandbox != "off" and not missing
    lab = notebook.exercises(notebook.loads(submission.solution))
    limit = 60 + len(lab) * HEARINGS * CELLS_IN_TIME * settings.timeout
    with tempfile.TemporaryDirectory(prefix="rnnlib-", ignore_cleanup_errors=True) as folder:
        folder = Path(folder)
        for name, content in (("solutions", submission.solution), ("", submission.content)):
            (folder / name).mkdir(exist_ok=True)
            (folder / name / f"{submission.lab}.ipynb").write_text(content, encoding="utf-8")
        told, why = _in_a_process(
            folder, submission.lab, replace(settings, sandbox="on" if walls else "off"), limit
        )
    unheard = failed(submission, "regrade", why)
    return [
        replace(
            told[row.exercise],
            **{name: getattr(row, name) for name in ("student", "file", "seed", "digest")},
            review=". ".join(filter(None, [submission.review, told[row.exercise].review])),
        )
        if row.exercise in told
        else replace(row, sandbox="bubblewrap" if walls else "none")
        for row in unheard
    ]


def failed(submission, verdict, message):
    """The rows of a submission of which nothing is known but why."""
    lab = notebook.exercises(notebook.loads(submission.solution)) if submission.solution else []
    exercises = [(exercise.title.removeprefix("Exercise "), exercise.points) for exercise in lab]
    return [
        report.Row(
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
            digest=submission.digest,
        )
        for exercise, points in exercises or [("", 0)]
    ]


def _in_a_process(folder, lab, settings, limit):
    """Grade ``folder/<lab>.ipynb``; return what was told of its exercises, and why not all was."""
    context = multiprocessing.get_context(METHOD)
    if METHOD == "forkserver":
        context.set_forkserver_preload(PRELOADED)
    multiprocessing.current_process().daemon = False  # a dask worker is one, and may have no children
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_alone, args=(there, folder, lab, settings))
    process.start()
    there.close()
    told, end = {}, time.monotonic() + limit
    why = f"the grading did not end within {limit:g} seconds"
    try:
        while here.poll(max(0, end - time.monotonic())):
            row = report.Row(**json.loads(here.recv_bytes()))
            told[row.exercise] = row
    except EOFError:
        process.join(10)
        why = f"the grading process ended too early: {_last_words(folder / 'log')}"
        if process.exitcode is not None and process.exitcode < 0:
            why = f"the grading process was killed by signal {-process.exitcode}"
    finally:
        _kill(process)
        here.close()
    return told, why


def _last_words(log):
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    return next((line for line in reversed(lines) if line.strip()), "it said nothing")


def _alone(pipe, folder, lab, settings):
    """In a process of its own: pytest and nbval over one notebook. Tells each row as it is known."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    log = os.open(folder / "log", os.O_CREAT | os.O_WRONLY)
    os.dup2(log, 1)
    os.dup2(log, 2)
    tempfile.tempdir = str(folder)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    os.environ.pop("PYTEST_ADDOPTS", None)
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")  # no other one is looked for

    class Teller:
        def pytest_runtest_logreport(self, report):
            row = plugin.row_of(report)
            if row is not None:
                pipe.send_bytes(json.dumps(asdict(row)).encode())

    options = ["-p", "nbval.plugin", "-p", "rnnlib.grading.plugin", "-p", "no:cacheprovider", "--nbval"]
    options += ["--noconftest", f"--rootdir={folder}", f"--config-file={folder / 'pytest.ini'}"]
    options += [f"--solutions={folder / 'solutions'}", f"--sandbox={settings.sandbox}"]
    options += [f"--nbval-cell-timeout={settings.timeout:g}", f"--memory={settings.memory:g}"]
    pytest.main([*options, str(folder / f"{lab}.ipynb")], plugins=[Teller()])


def _end_with_parent():
    """Nobody waits for this process when its parent is gone."""
    wait([multiprocessing.parent_process().sentinel])
    for child in psutil.Process().children(recursive=True):
        child.kill()
    os._exit(1)


def _kill(process):
    """End a process and all that it started."""
    try:
        started = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        started = []
    for one in started:
        try:
            one.kill()
        except psutil.NoSuchProcess:
            pass
    process.kill()
    process.join()
