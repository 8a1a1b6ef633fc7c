"""A class: its submissions graded side by side, here or on a dask cluster, and resumed."""

import hashlib
import json
import secrets
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from tqdm.auto import tqdm

from rnnlib.grading import report
from rnnlib.grading.process import Settings, failed_rows, grade_one, kill_children
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
        settings: a ``process.Settings``.
        fresh: whether to grade everything anew.

    Returns:
        (rows, kept, stray): list of ``report.Row``; how many submissions were graded before;
        the notebooks in no student's folder, which were not graded.

    Raises:
        ValueError: there are no submissions, or ``out`` holds something else.
    """
    out, settings = Path(out), settings or Settings()
    progress = out.with_name(out.name + ".part")
    before = _graded_before(out, progress)
    if fresh:
        before = {}
    if seed is None:
        seed = next((rows[0].seed for rows in reversed(before.values())), secrets.randbelow(10**6) + 1)
    submissions, stray = find(Path(folder), Path(solutions), seed)
    labs = {(submission.student, submission.lab) for submission in submissions}
    gone = sorted(
        {row.student for rows in before.values() for row in rows} - {student for student, _ in labs}
    )
    gone += sorted({row.lab for rows in before.values() for row in rows} - {lab for _, lab in labs} - {""})
    if gone:
        raise ValueError(
            f"{out} holds grades of {gone[0]}, and {folder} does not: "
            "choose another --out, or write it anew with --fresh"
        )
    digests = {submission: _digest(submission, settings) for submission in submissions}

    graded = {}
    for submission in submissions:
        rows = before.get((submission.student, submission.file), [])
        if rows and rows[0].digest == digests[submission] and all(r.verdict != "regrade" for r in rows):
            graded[submission] = rows
    kept = len(graded)
    todo = [submission for submission in submissions if submission not in graded]
    with _executor(jobs, dask) as executor, progress.open("w" if fresh else "a", encoding="utf-8") as journal:
        futures = {executor.submit(grade_one, s, digests[s], settings): s for s in todo}
        for future in tqdm(
            as_completed(futures), desc="grading", total=len(todo), unit="notebook", disable=not todo
        ):
            submission = futures[future]
            try:
                rows = future.result()
            except Exception as error:  # a cluster may lose a worker too often
                why = f"the grader itself failed: {error!r}"
                rows = failed_rows(submission, digests[submission], "regrade", why)
            graded[submission] = rows
            journal.write("\n" + json.dumps([asdict(row) for row in rows]))  # after a line that was cut
            journal.flush()
    rows = [row for submission in submissions for row in graded[submission]]
    report.write_csv(rows, out)
    progress.unlink(missing_ok=True)
    return rows, kept, stray


def _digest(submission, settings):
    """Changes with all that a submission's rows depend on."""
    parts = [submission.fingerprint, submission.problem, submission.review, submission.solution]
    parts += [str(submission.seed), f"{settings.timeout:g}", f"{settings.memory:g}"]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _graded_before(out, progress):
    """The rows of earlier runs: (student, file) -> list, the latest last."""
    found = {}
    for row in report.read_csv(out) if out.exists() else []:
        if row.digest:  # others were written by pytest --grades
            found.setdefault((row.student, row.file), []).append(row)
    for line in progress.read_text(encoding="utf-8").splitlines() if progress.exists() else []:
        try:
            rows = [report.Row(**row) for row in json.loads(line)]
        except (ValueError, TypeError):  # the run was killed while it wrote this line
            continue
        for row in rows[:1]:
            found.pop((row.student, row.file), None)
            found[row.student, row.file] = rows
    return found


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
