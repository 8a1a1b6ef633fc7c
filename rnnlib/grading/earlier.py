"""What earlier runs over a class have graded, and which of it still holds."""

import re
import secrets
import unicodedata
from dataclasses import replace
from functools import cache
from itertools import chain
from pathlib import Path

from rnnlib.grading import by_hand, report
from rnnlib.grading.digests import digest, of_notebook
from rnnlib.grading.names import with_numbers
from rnnlib.grading.process import failed_rows
from rnnlib.grading.table import read_csv


def read(out, journal):
    """The rows of earlier runs: (student, file) -> list, the latest last."""
    before = {}
    for row in table(out):
        before.setdefault((row.student, row.file), []).append(row)
    lines = journal.read_text(encoding="utf-8", errors="replace").splitlines() if journal.exists() else []
    for rows in filter(None, map(_journaled, lines)):
        student, file = rows[0].student, rows[0].file
        old = before.pop((student, file), [])
        if any(map(by_hand.is_changed, old)) and of_notebook(old[0]) != of_notebook(rows[0]):
            before.setdefault((student, f"{file}, as it was"), old)  # it may have another name now
        before[student, file] = rows
    return before


def table(out):
    """The rows of an earlier run's table; none where there is none."""
    return list(map(_composed, read_csv(out))) if out.exists() else []


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
        or_rename = ", change the name in the table, if it is another one now" if students else ""
        numbered = sorted(
            {s.student for s in submissions if re.fullmatch(rf"{re.escape(names[0])} \d+", s.student)}
        )
        which = f" ({' or '.join(numbered)}, since there are several)" if numbered else ""
        raise ValueError(
            f"{out} holds grades of {names[0]}, and {folder} does not: choose another --out, take these "
            f"rows out of it{or_rename}{which}, or grade all anew with --fresh (without points by hand)"
        )


def compared(before, handed_in, settings, solutions):
    """What was handed in, set beside what was graded before; notes say what comes of that.

    Returns:
        (submissions, results, again): list of Submission with digests; those of them of which earlier rows
        still hold, with these rows; and the others whose code has not changed, with their earlier rows.
    """
    lab = cache(lambda name: Path(solutions, f"{name}.ipynb").read_text("utf-8") if name else "")
    submissions = [
        replace(each, digest=digest(each, settings, lab(each.lab))) for each in handed_in.submissions
    ]
    before = _renamed(before, submissions)
    results = _known_results(before, submissions)
    handed_in.notes.extend(_why_again(before, submissions))
    handed_in.notes.extend(_gone(before, submissions))
    again = {}
    for each in submissions:
        rows = before.get((each.student, each.file))
        if rows and each not in results and of_notebook(rows[0]) == of_notebook(each):
            again[each] = rows
    places = ({(each.student, each.file) for each in known} for known in (results, again))
    handed_in.notes.extend(by_hand.notes(before, *places))
    return submissions, results, again


def _renamed(before, submissions):
    """Earlier rows, those of a notebook that got another name, and no other change, under the new one."""
    now = {(each.student, each.file): of_notebook(each) for each in submissions}
    old = {place: of_notebook(rows[0]) for place, rows in before.items()}
    free, origin = {}, {}
    for place, part in old.items():
        if now.get(place) != part:
            free.setdefault((place[0], part), []).append(place)
    for place, part in now.items():
        if old.get(place) != part and free.get((place[0], part)):
            origin[place] = free[place[0], part].pop(0)
    result, moved = {}, set(origin.values())
    for place, rows in before.items():
        if place not in moved:
            student, file = place  # where another has its name now, it is no longer there
            result[student, f"{file}, as it was" if place in origin else file] = rows
    for place, former in origin.items():
        result[place] = [replace(row, file=place[1]) for row in before[former]]
    return result


def marks(before, rows):
    """A line that names what is marked for review and was not in a table: a person may have emptied it."""

    def exercises(rows):
        return {(row.student, of_notebook(row), row.exercise) for row in rows}

    unmarked = exercises(row for row in before if row.verdict != "regrade" and not report.to_look_at(row))
    new = [row for row in rows if report.to_look_at(row) and exercises([row]) <= unmarked]
    names = sorted({f"{row.student} {row.exercise}" for row in new}, key=with_numbers)
    return [f"Marked for review, and not in the table before: {', '.join(names)}."] if names else []


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


def _why_again(before, submissions):
    """A line where notebooks that have not changed are graded again."""
    pairs = ((before.get((each.student, each.file)), each) for each in submissions if each.file)
    same = [(rows[0], each) for rows, each in pairs if rows and of_notebook(rows[0]) == of_notebook(each)]
    count = sum(row.digest != each.digest for row, each in same)
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
