"""The totals of a class: a row a student, a column a lab, for a spreadsheet."""

import csv

from rnnlib.grading.names import with_numbers
from rnnlib.grading.report import to_look_at
from rnnlib.grading.table import harmless
from rnnlib.tools.whole_file import whole_file


def counting(rows, attempt="best", modified=None):
    """The rows that count: of each student and lab, those of one notebook.

    Args:
        rows: list of ``report.Row``.
        attempt: "best", the notebook with the most points, or "last", the one that was changed last;
            of equal ones, the last by name.
        modified: (student, file) -> when the notebook was changed, in seconds; for "last".

    Returns:
        (student, lab) -> list of Row. A notebook that waits for its grades counts where it might be the
        best; rows without a lab are left out.
    """
    notebooks = {}
    for row in rows:
        if row.lab:
            notebooks.setdefault((row.student, row.lab), {}).setdefault(row.file, []).append(row)

    def rank(student, file, own):
        points = sum(row.of if row.points is None else row.points for row in own)
        return (0 if attempt == "last" else points), order(student, file, modified)

    return {
        (student, lab): files[max(files, key=lambda file: rank(student, file, files[file]))]
        for (student, lab), files in notebooks.items()
    }


def order(student, file, modified=None):
    """A key that sorts a student's notebooks in the order of time, then by name; see ``counting``."""
    return (modified or {}).get((student, file), 0), with_numbers(file.removesuffix(".ipynb"))


def write_totals(rows, path, attempt="best", modified=None):
    """Write the table of totals, whole or not at all.

    Its columns are student, one a lab, such as "01_rnn (of 20)", total, and review: the labs at which a
    person should look, and why; and "unreadable" where something could not be judged. Who has not handed in
    a lab has 0 there. Where something has to be graded again the cell is empty, and so is the student's
    total. Beside the best notebook another may solve more of an exercise: that is a reason to look, too.

    Args:
        path: the CSV file; UTF-8 with a mark, so that spreadsheets read names as they are.
        rows, attempt, modified: see ``counting``.
    """
    results = counting(rows, attempt, modified)
    of, handed_in = {}, {}
    for row in rows:
        handed_in.setdefault((row.student, row.lab), []).append(row)
    for (_, lab), own in results.items():
        of[lab] = max(of.get(lab, 0), sum(row.of for row in own))
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8-sig", newline="") as file:
        table = csv.writer(file)
        labs = sorted(of)
        table.writerow(["student", *(f"{lab} (of {of[lab]:g})" for lab in labs), "total", "review"])
        unreadable = {row.student for row in rows if row.verdict == "unreadable"}
        for student in dict.fromkeys(row.student for row in rows):
            points = [points_of(results.get((student, lab), [])) for lab in labs]
            total = None if None in points else float(sum(points))
            own = [(student, lab) for lab in labs if (student, lab) in results]
            review = [_reasons(results[key], handed_in[key] if attempt == "best" else []) for key in own]
            review += ["unreadable"] * (student in unreadable)
            cells = [student, *points, total, "; ".join(filter(None, review))]
            table.writerow("" if cell is None else harmless(cell) for cell in cells)


def _reasons(rows, handed_in):
    """Why a person should look at a lab, or "".

    Args:
        rows: those that count.
        handed_in: all rows among which the best notebook was chosen.
    """
    reasons = dict.fromkeys(filter(None, map(to_look_at, rows)))
    unknown = [row.exercise for row in rows if row.points is None]
    if unknown:
        what = f"{unknown[0]} has" if len(unknown) == 1 else f"{len(unknown)} exercises have"
        reasons[f"{what} no points"] = None
    points = {row.exercise: row.of if row.points is None else row.points for row in rows}
    better = {row.exercise: None for row in handed_in if (row.points or 0) > points.get(row.exercise, 0)}
    if better:
        more = f" and {len(better) - 1} more" if len(better) > 1 else ""
        reasons[f"another notebook has more points for {next(iter(better))}{more}"] = None
    return f"{rows[0].lab}: {', '.join(reasons)}" if reasons else ""


def points_of(rows):
    """The points of a notebook; None where some are not known."""
    points = [row.points for row in rows]
    return None if None in points else float(sum(points))
