"""A verdict as a row: what is known of one exercise of one student; and rows as lines in a terminal."""

import json
import re
from dataclasses import asdict, dataclass, replace

SEVERAL = "notebooks of this lab"  # with how many, in a review: which counts is said elsewhere
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


def to_look_at(row):
    """The review of a row, or of a notebook, without what is said elsewhere."""
    return re.sub(rf"^\d+ {SEVERAL}(\. |$)", "", row.review)


def recounted(row, notebook):
    """A row with the number of notebooks that its student has of the lab now.

    Args:
        notebook: the row's ``submission.Submission``.
    """
    several = re.match(rf"\d+ {SEVERAL}|", notebook.review)[0]
    return replace(row, review=". ".join(filter(None, [several, to_look_at(row)])))


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
