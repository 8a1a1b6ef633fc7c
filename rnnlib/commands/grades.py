"""The table of a class's grades. Only the command grade loads it."""

import pandas as pd

from rnnlib.commands.tables import show
from rnnlib.grading.verdicts import VERDICTS
from rnnlib.tools.names import one_line

LISTED = 20  # rows of a class that a terminal shows


def show_grades(rows, hits, stray):
    """How a class did: verdicts for each exercise, and what a person has to look at.

    Args:
        rows: list of ``grading.report.Row``.
        hits: how many notebooks were graded in an earlier run.
        stray: paths of the notebooks in no student's folder.
    """
    show_counts(rows, hits)
    show_list("To grade again: the grading failed", "message", [r for r in rows if r.verdict == "regrade"])
    show_list("Nothing to judge", "message", [r for r in rows if not r.exercise and r.points is not None])
    show_list("To review: look at the code", "review", [r for r in rows if r.review])
    unprotected = len({row.student for row in rows if row.sandbox == "none"})
    if unprotected:
        print(f"\nNot protected: {unprotected} students' code ran with your rights, not inside bubblewrap.")
    if stray:
        names = ", ".join(path.name for path in stray[:5])
        names += f" and {len(stray) - 5} more" if len(stray) > 5 else ""
        print(f"\nNot graded, in no student's folder: {one_line(names)}")


def show_counts(rows, hits):
    """How often each exercise had each verdict."""
    verdicts = pd.DataFrame(
        [(f"{row.lab} {row.exercise}".strip() or "no lab", row.verdict) for row in rows],
        columns=["exercise", "verdict"],
    )
    counts = verdicts.value_counts().unstack(fill_value=0).sort_index()
    counts = counts[[verdict for verdict in VERDICTS if verdict in counts]]
    notebooks = len({(row.student, row.file) for row in rows if row.file})
    students = len({row.student for row in rows})
    before = f" ({hits} graded before)" if hits else ""
    title = f"{notebooks} notebooks of {students} students{before}, seed {rows[0].seed}"
    show(title, ["exercise", *counts.columns], [[name, *map(str, row)] for name, row in counts.iterrows()])


def show_list(heading, column, rows):
    """The first of some rows, a line each, under a heading; nothing where there are none."""
    if rows:
        print(f"\n{heading}")
    for row in rows[:LISTED]:
        print(one_line(f"  {row.student}/{row.file}  {row.exercise}: {getattr(row, column)}"))
    if len(rows) > LISTED:
        print(f"  and {len(rows) - LISTED} more in the CSV file")
