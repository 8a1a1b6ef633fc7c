"""What earlier runs over a class have graded, and which of it still holds."""

import hashlib
import re
import secrets
import unicodedata
from dataclasses import replace
from functools import cache
from itertools import chain
from pathlib import Path

from rnnlib.grading import by_hand, report
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
        numbered = sorted(
            {s.student for s in submissions if re.fullmatch(rf"{re.escape(names[0])} \d+", s.student)}
        )
        which = f" ({' or '.join(numbered)}, since there are several)" if numbered else ""
        raise ValueError(
            f"{out} holds grades of {names[0]}, and {folder} does not: choose another --out, "
            f"write it anew with --fresh, or take these rows out of it{or_rename}{which}"
        )


def compared(before, handed_in, settings, solutions):
    """What was handed in, set beside what was graded before; notes say what comes of that.

    Returns:
        (submissions, results, again): list of Submission with digests; those of them of which earlier rows
        still hold, with these rows; and the others whose code has not changed, with their earlier rows.
    """
    lab = cache(lambda name: Path(solutions, f"{name}.ipynb").read_text("utf-8") if name else "")
    submissions = [
        replace(each, digest=_digest(each, settings, lab(each.lab))) for each in handed_in.submissions
    ]
    before = _renamed(before, submissions)
    results = _known_results(before, submissions)
    handed_in.notes.extend(_why_again(before, submissions))
    handed_in.notes.extend(_gone(before, submissions))
    again = {}
    for each in submissions:
        rows = before.get((each.student, each.file))
        if rows and each not in results and rows[0].digest[:OWN] == each.digest[:OWN]:
            again[each] = rows
    places = ({(each.student, each.file) for each in known} for known in (results, again))
    handed_in.notes.extend(by_hand.notes(before, *places))
    return submissions, results, again


def _renamed(before, submissions):
    """Earlier rows, those of a notebook that got another name, and no other change, under the new one."""
    now = {(each.student, each.file): each.digest[:OWN] for each in submissions}
    old = {place: rows[0].digest[:OWN] for place, rows in before.items()}
    free = {(place[0], digest): place for place, digest in old.items() if now.get(place) != digest}
    origin = {
        place: free.pop((place[0], digest))
        for place, digest in now.items()
        if old.get(place) != digest and (place[0], digest) in free
    }
    result = {}
    for place, rows in before.items():
        if place not in origin.values():
            student, file = place  # where another has its name now, it is no longer there
            result[student, f"{file}, as it was" if place in origin else file] = rows
    for place, its_origin in origin.items():
        result[place] = [replace(row, file=place[1]) for row in before[its_origin]]
    return result


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

    Such a table was cut, or sorted and edited in a spreadsheet. The points of an exercise are the lab's.
    """
    if not rows or not all(row.verdict != "regrade" and row.digest == submission.digest for row in rows):
        return []
    points = {row.exercise: row.of for row in failed_rows(submission, "regrade", "")}
    by_exercise = {row.exercise: row for row in rows}
    if len(rows) != len(points) or {name: row.of for name, row in by_exercise.items()} != points:
        return []
    return [report.recounted(by_exercise[exercise], submission) for exercise in points]


def _digest(submission, settings, lab):
    """Changes with all that a submission's rows depend on: half with the notebook, half with the rest.

    Bubblewrap changes no verdict: a notebook that was graded without it is not graded again inside it.
    Nor does another notebook beside it.

    Args:
        lab: the solved lab, as text.
    """
    own = [submission.fingerprint, submission.problem, submission.lab, report.to_look_at(submission)]
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
    pairs = ((before.get((each.student, each.file)), each.digest) for each in submissions if each.file)
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
