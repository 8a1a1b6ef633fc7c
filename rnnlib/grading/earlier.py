"""What earlier runs over a class have graded, and which of it still holds."""

import hashlib
import secrets
import unicodedata
from dataclasses import replace
from functools import cache
from itertools import chain
from pathlib import Path

from rnnlib.grading import report
from rnnlib.grading.process import failed_rows
from rnnlib.grading.table import read_csv

LETTERS = str.maketrans("0123456789", "ghijklmnop")  # a spreadsheet takes 12345678e9 for a number
OWN = 8  # letters of a digest that change with the notebook alone
JUDGES = ("checks", "data", "grading", "models", "tools")  # rooms of the library that a verdict depends on


def read(out, journal):
    """The rows of earlier runs: (student, file) -> list, the latest last."""
    before = {}
    for row in map(_composed, read_csv(out) if out.exists() else []):
        before.setdefault((row.student, row.file), []).append(row)
    lines = journal.read_text(encoding="utf-8", errors="replace").splitlines() if journal.exists() else []
    for rows in filter(None, map(_journaled, lines)):
        before.pop((rows[0].student, rows[0].file), None)
        before[rows[0].student, rows[0].file] = rows
    return before


def _journaled(line):
    """The rows in a line of a journal; none where the run was killed while it wrote, or the disk failed."""
    try:
        rows = list(map(_composed, report.from_json(line)))
    except (ValueError, TypeError, AttributeError):
        return []
    return rows if all(isinstance(row.digest, str) and isinstance(row.seed, int) for row in rows) else []


def _composed(row):
    """A row whose names are spelled as those of the submissions are."""
    names = {name: unicodedata.normalize("NFC", getattr(row, name)) for name in ("student", "file")}
    return replace(row, **names)


def latest_seed(before):
    """The seed of the latest run, or a new one."""
    seeds = (rows[0].seed for rows in reversed(before.values()) if rows[0].digest)  # not of pytest --grades
    return next(seeds, secrets.randbelow(10**6) + 1)


def refuse_another_class(before, submissions, out, folder):
    """Raise a ValueError where grades of a student, or of a lab, would be lost: the folder has none."""
    rows = list(chain.from_iterable(before.values()))
    students = {row.student for row in rows} - {submission.student for submission in submissions}
    labs = {row.lab for row in rows} - {submission.lab for submission in submissions} - {""}
    names = sorted(students) + sorted(labs)
    zeros = next((each.student for each in submissions if each.student.lstrip("0") in students), None)
    if zeros:
        raise ValueError(
            f"{out} holds grades of {zeros.lstrip('0')}, and {folder} of {zeros}: if a spreadsheet has "
            "changed the name, write it in the table as it was, as text"
        )
    if names:
        or_rename = ", or change the name in the table, if it is another one now" if students else ""
        raise ValueError(
            f"{out} holds grades of {names[0]}, and {folder} does not: "
            f"choose another --out, or write it anew with --fresh{or_rename}"
        )


def compared(before, handed_in, settings, solutions):
    """What was handed in, set beside what was graded before; notes say what comes of that.

    Returns:
        (submissions, results): list of Submission with digests; and those of them of which earlier rows
        still hold, with these rows.
    """
    lab = cache(lambda name: Path(solutions, f"{name}.ipynb").read_text("utf-8") if name else "")
    submissions = [
        replace(each, digest=_digest(each, settings, lab(each.lab))) for each in handed_in.submissions
    ]
    results = _known_results(before, submissions)
    handed_in.notes.extend(_why_again(before, submissions))
    handed_in.notes.extend(_gone(before, submissions))
    handed_in.notes.extend(_by_hand(before, results))
    return submissions, results


def _known_results(before, submissions):
    """Submissions of which earlier rows still hold, with these rows."""
    results = {}
    for submission in submissions:
        rows = _whole(before.get((submission.student, submission.file), []), submission)
        if rows:
            results[submission] = rows
    return results


def _whole(rows, submission):
    """Earlier rows of a submission, in the lab's order; none where one is missing, or there twice.

    Such a table was cut, or sorted and edited in a spreadsheet.
    """
    if not rows or not all(row.verdict != "regrade" and row.digest == submission.digest for row in rows):
        return []
    by_exercise = {row.exercise: row for row in rows}
    exercises = [row.exercise for row in failed_rows(submission, "regrade", "")]
    if len(rows) != len(exercises) or by_exercise.keys() != set(exercises):
        return []
    return [by_exercise[exercise] for exercise in exercises]


def _digest(submission, settings, lab):
    """Changes with all that a submission's rows depend on: half with the notebook, half with the rest.

    Bubblewrap changes no verdict: a notebook that was graded without it is not graded again inside it.

    Args:
        lab: the solved lab, as text.
    """
    own = [submission.fingerprint, submission.problem, submission.review]
    rest = [lab, f"{submission.seed} {settings.timeout:g} {settings.memory:g}", _library()]
    halves = (hashlib.sha256("\0".join(parts).encode()).hexdigest()[:OWN] for parts in (own, rest))
    return "".join(halves).translate(LETTERS)


@cache
def _library():
    """Changes with the code that judges."""
    package = Path(__file__).parents[1]
    files = sorted(path for room in JUDGES for path in (package / room).rglob("*.py"))
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()


def _why_again(before, submissions):
    """A line where notebooks that have not changed are graded again."""
    pairs = ((before.get((each.student, each.file)), each.digest) for each in submissions)
    pairs = [(rows[0].digest, digest) for rows, digest in pairs if rows]
    count = sum(old[:OWN] == new[:OWN] and old != new for old, new in pairs)
    if not count:
        return []
    what = "the checks, a lab, the library, the seed or the settings have changed"
    return [f"Not kept, since {what}: {count} notebook{'s' * (count > 1)} graded before."]


def _gone(before, submissions):
    """A line that names the notebooks that were graded before and are not there any more."""
    there = {(each.student, each.file) for each in submissions}
    gone = []
    for (student, file), rows in before.items():
        if file and (student, file) not in there:
            points, of = report.totals(rows)
            gone.append(f"{student}/{file} ({points:g} of {of:g})")
    return [f"Graded before, and no longer there: {', '.join(gone)}."] if gone else []


def _by_hand(before, results):
    """Lines that name the points that somebody has changed in the table, and say what becomes of them."""
    kept = {(each.student, each.file) for each in results}
    changed = {True: [], False: []}
    for place, rows in before.items():
        for row in rows:
            if row.points != report.earned(row.verdict, row.of):
                points = report.number(row.points)
                changed[place in kept].append(f"{row.student} {row.exercise} ({points} of {row.of:g})")
    what = {True: "kept", False: "judged anew, so that this is gone"}
    return [f"Changed by hand, and {what[key]}: {', '.join(rows)}." for key, rows in changed.items() if rows]
