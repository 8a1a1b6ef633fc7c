"""A class: its submissions graded side by side, here or on a dask cluster, and resumed."""

import hashlib
import secrets
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from pathlib import Path

from tqdm.auto import tqdm

from rnnlib.grading import report
from rnnlib.grading.process import failed_rows, grade_one, kill_children
from rnnlib.grading.settings import Settings
from rnnlib.grading.submission import find


def grade(folder, out, *, solutions, seed=None, jobs=1, dask=None, settings=None, fresh=False):
    """Grade a class: ``folder/<student>/<lab>.ipynb``.

    What ``out`` holds already is kept where neither the notebook, nor its solution, nor the
    settings have changed, and nothing failed in the grading. A run that was stopped goes on
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
        (rows, hits, stray): list of ``report.Row``; how many submissions were graded before;
        the notebooks in no student's folder, which were not graded.

    Raises:
        ValueError: there are no submissions, or ``out`` holds something else.
    """
    out, settings = Path(out), settings or Settings()
    journal = out.with_name(out.name + ".part")
    before = _graded_before(out, journal)
    if fresh:
        before = {}
    seed = _latest_seed(before) if seed is None else seed
    submissions, stray = find(Path(folder), Path(solutions), seed)
    _refuse_another_class(before, submissions, out, folder)
    submissions = [replace(submission, digest=_digest(submission, settings)) for submission in submissions]
    results = _known_results(before, submissions)
    hits = len(results)
    todo = [submission for submission in submissions if submission not in results]
    with _executor(jobs, dask) as executor, journal.open("w" if fresh else "a", encoding="utf-8") as file:
        for submission, rows in _new_results(todo, settings, executor):
            results[submission] = rows
            file.write("\n" + report.to_json(rows))  # after a line that was cut
            file.flush()
    rows = list(chain.from_iterable(map(results.get, submissions)))
    report.write_csv(rows, out)
    journal.unlink(missing_ok=True)
    return rows, hits, stray


def _latest_seed(before):
    """The seed of the latest run, or a new one."""
    return next((rows[0].seed for rows in reversed(before.values())), secrets.randbelow(10**6) + 1)


def _refuse_another_class(before, submissions, out, folder):
    """Grades of a student, or of a lab, that is not in the folder would be lost."""
    rows = list(chain.from_iterable(before.values()))
    students = {row.student for row in rows} - {submission.student for submission in submissions}
    labs = {row.lab for row in rows} - {submission.lab for submission in submissions} - {""}
    names = sorted(students) + sorted(labs)
    if names:
        raise ValueError(
            f"{out} holds grades of {names[0]}, and {folder} does not: "
            "choose another --out, or write it anew with --fresh"
        )


def _known_results(before, submissions):
    """Submissions of which earlier rows still hold, with these rows."""
    results = {}
    for submission in submissions:
        rows = before.get((submission.student, submission.file), [])
        whole = rows and all(row.verdict != "regrade" for row in rows)
        if whole and rows[0].digest == submission.digest:
            results[submission] = rows
    return results


def _new_results(submissions, settings, executor):
    """Grade submissions; give each with its rows, as soon as they are known."""
    futures = {executor.submit(grade_one, submission, settings): submission for submission in submissions}
    total = len(submissions)
    for future in tqdm(
        as_completed(futures), desc="grading", total=total, unit="notebook", disable=not total
    ):
        submission = futures[future]
        try:
            rows = future.result()
        except Exception as error:  # a cluster may lose a worker too often
            rows = failed_rows(submission, "regrade", f"the grader itself failed: {error!r}")
        yield submission, rows


def _digest(submission, settings):
    """Changes with all that a submission's rows depend on."""
    parts = [submission.fingerprint, submission.problem, submission.review, submission.solution]
    parts += [str(submission.seed), f"{settings.timeout:g}", f"{settings.memory:g}"]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _graded_before(out, journal):
    """The rows of earlier runs: (student, file) -> list, the latest last."""
    before = {}
    for row in report.read_csv(out) if out.exists() else []:
        if row.digest:  # others were written by pytest --grades
            before.setdefault((row.student, row.file), []).append(row)
    for line in journal.read_text(encoding="utf-8").splitlines() if journal.exists() else []:
        try:
            rows = report.from_json(line)
        except (ValueError, TypeError):  # the run was killed while it wrote this line
            continue
        before.pop((rows[0].student, rows[0].file), None)
        before[rows[0].student, rows[0].file] = rows
    return before


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
