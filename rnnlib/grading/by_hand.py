"""What a person has changed in a class's table: kept where it may be, and named."""

from dataclasses import replace

from rnnlib.grading.report import earned, number


def is_changed(row):
    """Whether a person has changed a row's points, or its verdict to "passed" (no pass has a message)."""
    return row.points != earned(row.verdict, row.of) or (row.verdict == "passed" and bool(row.message))


def kept(rows, before):
    """A notebook's new rows, with what a person had changed where the verdict is the same again.

    Args:
        before: the earlier rows of the same code.

    Returns:
        (rows, lost): lost are those of ``before`` that a person had changed, and that do not hold any more.
    """
    rows, left = list(rows), {row.exercise: row for row in filter(is_changed, before)}
    for place, row in enumerate(rows):
        old = left.get(row.exercise)
        if old and row.verdict == "regrade":  # it is judged once more, and this stays for then
            rows[place] = old
            del left[row.exercise]
        elif old and (old.verdict == row.verdict or (old.verdict == "passed" and old.message == row.message)):
            rows[place] = replace(row, verdict=old.verdict, points=old.points, message=old.message)
            del left[row.exercise]
    return rows, list(left.values())


def notes(before, kept, again):
    """Lines that name what a person has changed, and say what becomes of it.

    Args:
        before: (student, file) -> the earlier rows of a notebook.
        kept: those of its keys whose rows hold.
        again: those that are judged again, and whose code has not changed.
    """
    what = {
        "kept": kept,
        "kept where the verdict is the same again": again,
        "gone, since the notebook has changed or is no longer there": before.keys() - kept - again,
    }
    for words, places in what.items():
        rows = [row for place, own in before.items() if place in places for row in own]
        yield from note(words, list(filter(is_changed, rows)))


def note(what, rows):
    """A line that names rows that a person has changed; none if there are none."""
    if rows:
        yield f"Changed by hand, and {what}: {', '.join(map(_points, rows))}."


def _points(row):
    possible = row.points is None or 0 <= row.points <= row.of
    points = f"{number(row.points)} of {row.of:g}" + ", passed" * (row.verdict == "passed")
    return f"{row.student} {row.exercise} ({points}{'' if possible else ': is that meant?'})"
