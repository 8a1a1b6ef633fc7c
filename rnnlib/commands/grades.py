"""The table of a class's grades. Only the command grade loads it."""

from collections import Counter
from datetime import datetime
from operator import attrgetter

import pandas as pd

from rnnlib.commands.tables import show
from rnnlib.grading.names import with_numbers
from rnnlib.grading.report import to_look_at
from rnnlib.grading.totals import counting
from rnnlib.grading.verdicts import VERDICTS
from rnnlib.tools.names import one_line

LISTED = 20  # rows of a class that a terminal shows
MANY = 4  # files of one name that are told in one word


def show_grades(rows, hits, handed_in):
    """How a class did: verdicts for each exercise, and what a person has to look at.

    Args:
        rows: list of ``grading.report.Row``.
        hits: how many notebooks were graded in an earlier run.
        handed_in: a ``grading.submission.Class``.
    """
    for note in handed_in.notes:
        print(note)
    show_counts(rows, hits)
    message = attrgetter("message")
    show_list("To grade again: the grading failed", message, [r for r in rows if r.verdict == "regrade"])
    show_list("Nothing to judge", message, [r for r in rows if not r.exercise and r.points is not None])
    show_list("To review", to_look_at, list(filter(to_look_at, rows)))
    unprotected = len({row.student for row in rows if row.sandbox == "none"})
    if unprotected:
        whose = f"the code of {_count(unprotected, 'student')}"
        print(f"\nNot protected: {whose} ran with your rights, not inside bubblewrap.")
    show_left(handed_in.left)


def show_several(rows, attempt, modified):
    """Which of a student's notebooks of one lab counts, and by what."""
    files = {}
    for row in rows:
        files.setdefault((row.student, row.lab), set()).add(row.file)
    several = {key: own for key, own in counting(rows, attempt, modified).items() if len(files[key]) > 1}
    if several:
        print(f"\nOf several notebooks of a lab the {attempt} one counts (--attempt)")
    for (student, lab), own in list(several.items())[:LISTED]:
        time = _time(modified.get((student, own[0].file)))
        print(one_line(f"  {_place(own[0])}: one of {len(files[student, lab])} of {lab}{time}"))
    if len(several) > LISTED:
        print(f"  and {len(several) - LISTED} more")


def show_plan(handed_in, hits):
    """What would be graded: a line a notebook.

    Args:
        handed_in: a ``grading.submission.Class``.
        hits: (student, file) of those of its submissions that would not be graded again.
    """
    for note in handed_in.notes:
        print(note)
    labs = Counter()
    for each in handed_in.submissions:
        is_known = (each.student, each.file) in hits
        labs[each.lab] += not (is_known or each.problem)
        what = each.problem or ("graded before" if is_known else "to grade")
        review = f" ({each.review})" if each.review else ""
        print(one_line(f"  {_place(each)}  {each.lab}".rstrip() + f": {what}{review}"))
    show_left(handed_in.left)
    count = ", ".join(f"{count} of {lab}" for lab, count in sorted(labs.items()) if count) or "nothing"
    print(f"\nTo grade: {count}. Graded before, and kept: {sum(bool(file) for _, file in hits)}.")


def show_left(left):
    """What was not graded, and why: the paths, or a name that many files have, once."""
    counts = Counter((path.rpartition("/")[2], why) for path, why in left)
    reasons = {}
    for path, why in left:
        name = path.rpartition("/")[2]
        count = counts[name, why]
        reasons.setdefault(why, {})[f"{name} ({count} of this name)" if count >= MANY else path] = None
    for why, paths in sorted(reasons.items()):
        paths = list(paths)
        more = f" and {len(paths) - LISTED} more" if len(paths) > LISTED else ""
        print(f"\nNot graded, {why}: {one_line(', '.join(paths[:LISTED]))}{more}")


def show_counts(rows, hits):
    """How often each exercise had each verdict."""
    verdicts = pd.DataFrame(
        [(f"{row.lab} {row.exercise}".strip() or "no lab", row.verdict) for row in rows],
        columns=["exercise", "verdict"],
    )
    counts = verdicts.value_counts().unstack(fill_value=0)
    counts = counts.loc[sorted(counts.index, key=with_numbers)]
    counts = counts[[verdict for verdict in VERDICTS if verdict in counts]]
    notebooks = len({(row.student, row.file) for row in rows if row.file})
    students = len({row.student for row in rows})
    before = f" ({hits} graded before)" if hits else ""
    handed_in = f"{_count(notebooks, 'notebook')} of {_count(students, 'student')}"
    title = f"{handed_in}{before}, seed {rows[0].seed}"
    show(title, ["exercise", *counts.columns], [[name, *map(str, row)] for name, row in counts.iterrows()])


def show_list(heading, text_of, rows):
    """The first of some rows under a heading, those of a notebook that say the same in a line; or nothing."""
    same = {}
    for row in rows:
        same.setdefault((row.student, row.file, text_of(row)), []).append(row)
    if rows:
        print(f"\n{heading}")
    for (_, _, text), (row, *more) in list(same.items())[:LISTED]:
        exercises = f"  {row.exercise}{f' and {len(more)} more' if more else ''}" if row.exercise else ""
        print(one_line(f"  {_place(row)}{exercises}: {text}"))
    if len(same) > LISTED:
        print(f"  and {len(same) - LISTED} more in the CSV file")


def _count(number, noun):
    return f"{number} {noun}{'s' * (number != 1)}"


def _time(seconds):
    """When a notebook was changed; "" where nobody knows, or no such year can be written."""
    try:
        return f", {datetime.fromtimestamp(seconds):%Y-%m-%d %H:%M}" if seconds else ""
    except (ValueError, OverflowError, OSError):
        return ""


def _place(notebook):
    """The student and the file of a row, or of a submission."""
    return f"{notebook.student}/{notebook.file}".removesuffix("/")
