"""What is told of the exercises: lines in a terminal, a table in a CSV file, a page for a student."""

import csv
import json
import re
from dataclasses import asdict, dataclass, fields
from itertools import groupby
from pathlib import Path

from rnnlib.grading.names import pages
from rnnlib.tools.whole_file import whole_file

INSTEAD = "Nothing could be judged. Hand in the notebook of the lab itself: its name ends with .ipynb."
COLOURS = {"passed": "green", "unfilled": "yellow"}  # all others are red


@dataclass
class Row:
    """What is known of one exercise of one student.

    Attributes:
        student: the name of the student's folder.
        lab: such as "01_rnn"; "" if the file is no lab.
        exercise: such as "1.1 rnn_step"; "" if the file is no lab.
        points: what was earned; None where nobody knows yet ("regrade").
        of: what could be earned.
        verdict: one of ``verdicts.VERDICTS``.
        review: why a person should look at it, or "".
        message: one line for the student, or "".
        file: the notebook.
        sandbox: what protected the grader, "bubblewrap" or "none".
        seed: the random seed of the checks.
        digest: changes with all that the row depends on; "" where nobody grades again.
    """

    student: str
    lab: str
    exercise: str
    points: float | None
    of: float
    verdict: str
    review: str = ""
    message: str = ""
    file: str = ""
    sandbox: str = ""
    seed: int = 0
    digest: str = ""


COLUMNS = [field.name for field in fields(Row)]


def earned(verdict, of):
    """The points of an exercise with this verdict; None where nobody knows yet."""
    return {"passed": of, "regrade": None}.get(verdict, 0)


def row_of(exercise, failure, *, review="", **origin):
    """The row of an exercise: here a verdict becomes one, and nowhere else.

    Args:
        exercise: a ``matching.Exercise``.
        failure: a ``verdicts.Failed``; None for a pass.
        review: why a person should look at the whole notebook, or "".
        origin: the notebook's student, lab, file, sandbox, seed and digest.
    """
    verdict = failure.verdict if failure else "passed"
    return Row(
        exercise=exercise.title.removeprefix("Exercise "),
        points=earned(verdict, exercise.points),
        of=exercise.points,
        verdict=verdict,
        review=". ".join(filter(None, [review, exercise.review, failure.review if failure else ""])),
        message=failure.message if failure else "",
        **origin,
    )


def to_json(rows):
    """A row, or a list of them, as a line of text: between processes, and in the journal of a run."""
    return json.dumps(rows, default=asdict)


def from_json(text):
    """What ``to_json`` was given.

    Raises:
        ValueError: the text is no JSON, such as a line that was cut.
        TypeError: it holds something else.
    """
    return json.loads(text, object_hook=lambda record: Row(**record))


def number(points):
    """Points as they are written: 5, 2.5, or – where nobody knows yet."""
    return "–" if points is None else f"{points:g}"


def totals(rows):
    """Points earned, and points to earn, of the exercises that could be judged."""
    certain = [row for row in rows if row.points is not None]
    return sum(row.points for row in certain), sum(row.of for row in certain)


def lines(rows):
    """(line, colour) for each exercise of a notebook, and for its total."""
    width = max(len(row.exercise) for row in rows)
    for row in rows:
        notes = "  ".join(filter(None, [row.message, row.review and f"(To review: {row.review}.)"]))
        line = f"  {row.exercise:{width}}  {number(row.points)}/{row.of:g}  {row.verdict:11}  {notes}"
        yield line.rstrip(), COLOURS.get(row.verdict, "red")
    earned, of = totals(rows)
    yield f"  {'total':{width}}  {earned:g}/{of:g}", None


def write_csv(rows, path):
    """Write a table of grades, whole or not at all; UTF-8 with a mark, for spreadsheets."""
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8-sig", newline="") as file:
        table = csv.DictWriter(file, COLUMNS)
        table.writeheader()
        for row in rows:
            table.writerow({name: harmless(value) for name, value in asdict(row).items()})


def read_csv(path):
    """Read what ``write_csv`` wrote, though a spreadsheet has saved it in its own way since.

    Raises:
        ValueError: the file is another table.
    """
    with Path(path).open(encoding="utf-8-sig", newline="") as file:
        head = file.readline().strip()
        file.seek(0)
        signs = [sign for sign in ";\t" if head.replace('"', "") == sign.join(COLUMNS)]  # of other countries
        table = csv.DictReader(file, delimiter=signs[0] if signs else ",")
        try:
            if table.fieldnames != COLUMNS:
                raise ValueError("other columns")
            return [
                Row(
                    **{name: value.removeprefix("'") for name, value in record.items()}
                    | {"points": _float(record["points"]) if record["points"] else None}
                    | {"of": _float(record["of"]), "seed": int(record["seed"])}
                )
                for record in table
                if any(record.values())
            ]
        except (ValueError, TypeError, AttributeError, csv.Error) as error:
            raise ValueError(f"{path} is no table of grades: move it, or choose another file") from error


def _float(text):
    return float(text.replace(",", "."))


def harmless(value):
    """A text that no spreadsheet takes for a formula; points without a needless .0."""
    if isinstance(value, float):
        return f"{value:g}"
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "'")) else value


def feedback(rows):
    """A page in Markdown for a student, on one notebook."""
    first = rows[0]
    if not first.exercise:  # no lab at all
        title = f"# {plain(first.student)}: {plain(first.file or 'no notebook')}"
        return f"{title}\n\n{plain(first.message)}\n\n{INSTEAD}\n"
    page = [f"# {plain(first.lab)}: {plain(first.student)}", ""]
    earned, of = totals(rows)
    waiting = sum(row.of for row in rows if row.points is None)
    later = f" ({waiting:g} more are not judged yet)" if waiting else ""
    page += [f"**{earned:g} of {of:g} points**{later}", ""]
    page += ["| Exercise | Points | Verdict |", "| --- | --- | --- |"]
    page += [f"| {plain(r.exercise)} | {number(r.points)} of {r.of:g} | {r.verdict} |" for r in rows]
    for row in rows:
        if row.message:
            page += ["", f"## {plain(row.exercise)}: {row.verdict}", "", plain(row.message)]
        if row.verdict == "regrade":
            page += ["", "This is not your fault: the grading failed, and will be repeated."]
    return "\n".join(page) + "\n"


def write_feedback(rows, folder):
    """Write a page for each notebook: ``folder/<student>/<notebook>.md``, see ``names.pages``.

    Returns:
        One line for each page that could not be written.
    """
    problems, paths = [], pages((row.student, row.file) for row in rows)
    for (student, file), notebook in groupby(rows, key=lambda row: (row.student, row.file)):
        path = Path(folder) / paths[student, file]
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(path) as temporary:
                temporary.write_text(feedback(list(notebook)), encoding="utf-8", newline="\n")
        except OSError as error:  # a name that is too long, for example
            problems.append(f"{path}: {error.strerror}")
    return problems


def old_pages(rows, folder):
    """Pages in students' folders that belong to no notebook any more, as paths in the folder."""
    folder, paths = Path(folder), pages((row.student, row.file) for row in rows)
    there = (path.relative_to(folder) for path in folder.glob("*/**/*.md"))
    return sorted({path.as_posix() for path in there} - {path.as_posix() for path in paths.values()})


def plain(text):
    """Text that Markdown shows as it stands."""
    return re.sub(r"^[#>+-]|[\\`*<|$&~]|(?<![^\W_])_|_(?![^\W_])|\](?=[(\[:])", r"\\\g<0>", text)
