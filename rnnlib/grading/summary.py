"""pytest's reports, as the rows of notebooks."""

from collections import Counter
from itertools import chain
from pathlib import Path

from rnnlib.grading import report


def row_text(entry):
    """The row in an item's report, as JSON; None for other reports."""
    properties = entry.user_properties if getattr(entry, "when", None) == "call" else []
    return next((text for name, text in properties if name == "rnnlib"), None)


def rows_by_notebook(stats):
    """The rows in pytest's reports: path -> list of Row in the lab's order, sorted by path."""
    labs = {}
    for entry in sorted(filter(row_text, chain.from_iterable(stats.values())), key=_place):
        path = entry.nodeid.split("::")[0]
        labs.setdefault(path, []).append(report.from_json(row_text(entry)))
    return dict(sorted(labs.items()))


def _place(entry):
    """An exercise's place in its notebook; pytest sorts by what became of them."""
    return entry.location[1] or 0


def several_in_one_folder(labs):
    """A line for each folder with several notebooks of one lab: a folder is taken for a student."""
    counts = Counter((Path(path).parent, rows[0].lab) for path, rows in labs.items())
    return [
        f"{count} notebooks of {lab} lie in one folder: all their rows are {folder.absolute().name}'s."
        for (folder, lab), count in counts.items()
        if count > 1
    ]
