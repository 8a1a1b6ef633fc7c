"""A class: its submissions graded side by side, here or on a dask cluster, and resumed."""

import errno
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from tqdm.auto import tqdm

from rnnlib.grading import by_hand, earlier, report
from rnnlib.grading.process import failed_rows, grade_one, kill_children
from rnnlib.grading.settings import Settings
from rnnlib.grading.submission import find
from rnnlib.grading.table import write_csv

DISK = {errno.ENOSPC, errno.EDQUOT, errno.EIO}


def grade(folder, out, *, solutions, seed=None, jobs=1, dask=None, settings=None, fresh=False):
    """Grade a class: ``folder/<student>/<lab>.ipynb``, or a download of ``intake.layouts``.

    What ``out`` holds already is kept where neither the notebook, nor its solution, nor the library,
    nor the settings have changed, and nothing failed in the grading. A run that was stopped goes on
    where it was.

    Args:
        folder: the students' folders.
        out: CSV file for the grades.
        solutions: folder with the solved labs.
        seed: for the checks' random inputs; None takes that of the latest run, or a new one.
        jobs: submissions at a time, on this machine.
        dask: address of a dask scheduler; None grades on this machine.
        settings: a ``settings.Settings``.
        fresh: whether to grade everything anew.

    Returns:
        (rows, hits, handed_in): list of ``report.Row``; how many notebooks were graded before; what
        was handed in, a ``submission.Class``.

    Raises:
        ValueError: there are no submissions, or ``out`` holds something else.
    """
    out, settings = Path(out), settings or Settings()
    journal = out.with_name(out.name + ".part")
    before = earlier.read(out, journal)
    if fresh:
        before = {}
    seed = earlier.latest_seed(before) if seed is None else seed
    handed_in = find(Path(folder), Path(solutions), seed)
    earlier.refuse_another_class(before, handed_in.submissions, out, folder)
    submissions, results, again = earlier.compared(before, handed_in, settings, solutions)
    hits = sum(bool(submission.file) for submission in results)
    todo = [submission for submission in submissions if submission not in results]
    with _executor(jobs, dask) as executor, _opened(journal, "w" if fresh else "a") as file:
        for submission, rows in _new_results(todo, settings, executor):
            rows, lost = by_hand.kept(rows, again.get(submission, []))
            handed_in.notes.extend(
                by_hand.note("gone, since it has another verdict, or is not in the lab any more", lost)
            )
            results[submission] = rows
            file.write("\n" + report.to_json(rows))  # after a line that was cut
            file.flush()
    rows = list(chain.from_iterable(map(results.get, submissions)))
    handed_in.notes.extend(earlier.marks([] if fresh else earlier.table(out), rows))
    write_csv(rows, out)
    journal.unlink(missing_ok=True)
    return rows, hits, handed_in


def plan(folder, out, *, solutions, seed=None, settings=None, fresh=False):
    """What ``grade`` would do, without running anything.

    Returns:
        (handed_in, hits, refusal): what was handed in, a ``submission.Class``; the (student, file) of those
        of its submissions that would not be graded again; and the ValueError that ``grade`` would raise
        since ``out`` is another class's, or None.

    Raises:
        ValueError: there are no submissions, or ``out`` is no table of grades.
    """
    out = Path(out)
    before = earlier.read(out, out.with_name(out.name + ".part")) if not fresh else {}
    seed = earlier.latest_seed(before) if seed is None else seed
    handed_in = find(Path(folder), Path(solutions), seed, solve=lambda path, seed: path.read_text("utf-8"))
    refusal = None
    try:
        earlier.refuse_another_class(before, handed_in.submissions, out, folder)
    except ValueError as error:  # there is still much to see
        refusal = error
    _, results, _ = earlier.compared(before, handed_in, settings or Settings(), solutions)
    return handed_in, {(each.student, each.file) for each in results}, refusal


def _new_results(submissions, settings, executor):
    """Grade submissions; give each with its rows, as soon as they are known."""
    futures = {executor.submit(grade_one, submission, settings): submission for submission in submissions}
    total = len(submissions)
    for future in tqdm(
        as_completed(futures), desc="grading", total=total, unit="notebook", disable=not total
    ):
        submission = futures.pop(future)  # a cluster computes again what is lost of what is still asked for
        try:
            rows = future.result()
        except Exception as error:  # a cluster may lose a worker too often
            rows = failed_rows(submission, "regrade", f"the grader itself failed: {error!r}")
        yield submission, rows


@contextmanager
def _opened(journal, mode):
    """The open journal.

    Raises:
        OSError: it cannot be written, such as on a full disk; the error names it.
    """
    try:
        with journal.open(mode, encoding="utf-8") as file:
            yield file
    except OSError as error:
        if error.errno not in DISK:  # a cluster's connection, for example
            raise
        what = f"cannot be written: {error.strerror}. What was graded before that is kept"
        raise OSError(error.errno, what, str(journal)) from error


@contextmanager
def _executor(jobs, dask):
    """Where submissions are graded: threads that each wait for a process, or a cluster's workers."""
    if dask is None:
        client, executor = None, ThreadPoolExecutor(jobs)
    else:
        try:
            from distributed import Client
        except ImportError as error:
            raise ValueError('--dask needs the package distributed: pip install -e ".[cluster]"') from error
        try:
            client = Client(dask, timeout=20)
        except OSError as error:
            raise ValueError(f"no dask scheduler answers at {dask}: {error}") from error
        executor = client.get_executor(pure=False)
    try:
        yield executor
        executor.shutdown()
    except BaseException:
        if client is None:
            executor.shutdown(wait=False, cancel_futures=True)
            kill_children()
        raise
    finally:
        if client is not None:
            client.close()
