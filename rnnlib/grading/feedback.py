"""The page on a notebook for its student."""

import re
from itertools import groupby
from pathlib import Path

from rnnlib.grading.by_hand import is_changed
from rnnlib.grading.names import pages
from rnnlib.grading.notebook import TOO
from rnnlib.grading.report import earned, number, totals
from rnnlib.grading.surroundings import LACKS
from rnnlib.tools.whole_file import whole_file

#: What Markdown takes for more than a character.
SPECIAL = re.compile(
    r"^(#(?=#*(\s|$))|>|[+*-](?=[\s-]|$))"  # a heading, a quotation, a list, a line
    r"|[\\`|$~]|\*(?=\S)|(?<=\S)\*|<(?=[\w/!?])|&(?=#?\w+;)"
    r"|(?<![^\W_])_|_(?![^\W_])|\](?=[(:])"
)
LISTED = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")
INSTEAD = (
    "Nothing could be judged. Hand in the lab's notebook, saved anew: the file whose name ends with .ipynb."
)
OTHERS = re.compile(rf"holds [^:.]+, {TOO}")


def feedback(rows):
    """A page in Markdown for a student, on one notebook."""
    first = rows[0]
    if not first.exercise:  # no lab at all
        title = f"# {plain(first.student)}: {plain(first.file or 'no notebook')}"
        return f"{title}\n\n{plain(first.message)}\n\n{INSTEAD}\n"
    page = [f"# {plain(first.lab)}: {plain(first.student)}", ""]
    points, of = totals(rows)
    waiting = sum(row.of for row in rows if row.points is None)
    later = f" ({waiting:g} more are not judged yet)" if waiting else ""
    page += [f"**{points:g} of {of:g} points**{later}", ""]
    page += ["| Exercise | Points | Verdict |", "| --- | --- | --- |"]
    page += [
        f"| {plain(row.exercise)} | {number(row.points)} of {row.of:g} | {_verdict(row)} |" for row in rows
    ]
    if {row.verdict for row in rows} == {"passed"} and points == of:
        page += ["", "Everything is right. Well done!"]
    for (verdict, message), same in _told(rows).items():
        if message:
            page += [
                "",
                f"## {plain(', '.join(row.exercise for row in same))}: {verdict}",
                "",
                plain(message),
            ]
        if verdict == "unreadable":
            page += ["", INSTEAD]
        if any(LACKS in row.review for row in same):
            page += ["", "Your teacher is asked to look at this: your answer may be right elsewhere."]
        if verdict == "regrade":
            page += ["", "This is not your fault: the grading failed, and will be repeated."]
    others = OTHERS.search(first.review)
    if others:
        page += ["", f"This notebook {plain(others[0])}."]
    return "\n".join(page) + "\n"


def _verdict(row):
    """A row's verdict, and whether a person has changed it, or its points, since."""
    what = "verdict" if row.points == earned(row.verdict, row.of) else "points"
    return f"{row.verdict}; {what} by your teacher" if is_changed(row) else row.verdict


def _told(rows):
    """(verdict, message) -> the rows of which that is told."""
    same = {}
    for row in rows:
        same.setdefault((row.verdict, row.message), []).append(row)
    return same


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
    """Pages in these students' folders that belong to no notebook any more, as paths in the folder."""
    folder, paths = Path(folder), set(map(Path, pages((row.student, row.file) for row in rows).values()))
    students = {path.parts[0] for path in paths}
    there = {path.relative_to(folder) for path in folder.glob("*/**/*.md")}
    return sorted(path.as_posix() for path in there - paths if path.parts[0] in students)


def plain(text):
    """Text that Markdown shows as it stands, with no more marks than that takes: it may be read as it is."""
    return LISTED.sub(r"\1\\\2", SPECIAL.sub(r"\\\g<0>", text))
