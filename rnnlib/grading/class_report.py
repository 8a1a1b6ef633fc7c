"""What a class knows and where it is stuck, as a page in Markdown: to plan a lesson from."""

import re
from collections import Counter, defaultdict
from itertools import chain
from statistics import median
from textwrap import shorten

from rnnlib.checks import EXERCISES
from rnnlib.grading.feedback import plain
from rnnlib.grading.totals import counting, order, points_of
from rnnlib.tools.whole_file import whole_file

MOST = 10  # mistakes of a lab that the page lists
NAMED = 20  # students that a sentence names
NO_NAME = "not recognised"
NUMBER = re.compile(r"(?<![\w.])[+−-]?\d+(?:[.,]\d+)*(?:e[+−-]?\d+)?(?!\w)")
LONGEST = 160  # letters of a message of a mistake without a name


def write_class_report(rows, path, attempt="best", modified=None):
    """Write the page, whole or not at all; the arguments are those of ``totals.write_totals``."""
    with whole_file(path) as temporary:
        temporary.write_text(class_report(rows, attempt, modified), encoding="utf-8", newline="\n")


def class_report(rows, attempt="best", modified=None):
    """The page, as text.

    For each lab: the points; who handed in nothing that can be read, or nothing filled in; how many solved
    each exercise; the commonest mistakes by name, with what the check says of them, and the section of the
    book that it points to; and the questions that helped nobody, which are those that two students or more
    were asked, none of whom solved the exercise in any notebook.
    """
    results = counting(rows, attempt, modified)
    students = dict.fromkeys(row.student for row in rows)
    page = ["# Class report", ""]
    count = f"{len(students)} student{'s' * (len(students) != 1)}"
    page += [f"{count}. Of several notebooks of a lab, a student's {attempt} one counts."]
    labs = sorted({lab for _, lab in results})
    nothing = [student for student in students if not any((student, lab) in results for lab in labs)]
    page += _named("Handed in nothing that is a lab", nothing)
    for lab in labs:
        notebooks = {student: own for (student, name), own in results.items() if name == lab}
        page += _lab(lab, notebooks, count)
        page += _mistakes([row for row in rows if row.lab == lab], modified)
    return "\n".join(page) + "\n"


def _lab(lab, notebooks, students):
    """Who handed in a lab, with how many points, and the table of its exercises.

    Args:
        notebooks: student -> the rows that count.
        students: how many there are in the class, with the word.
    """
    of_verdict = defaultdict(list)  # of all rows of a notebook
    for student, rows in notebooks.items():
        verdicts = {row.verdict for row in rows}
        of_verdict[verdicts.pop() if len(verdicts) == 1 else ""].append(student)
    closed = of_verdict.pop("unreadable", [])
    readable = [notebooks[student] for student in chain(*of_verdict.values())]
    yield from ("", f"## {plain(lab)}", "")
    yield f"Handed in by {len(readable)} of {students}.{_spread(map(points_of, readable))}"
    yield from _named("Cannot be read", closed)
    yield from _named("Nothing filled in", of_verdict["unfilled"])
    yield ""
    if readable:
        yield from _exercises(chain(*readable))


def _named(what, students):
    """A paragraph that names students; none if there are none."""
    if students:
        more = f" and {len(students) - NAMED} more" if len(students) > NAMED else ""
        yield from ("", f"{what}: {plain(', '.join(students[:NAMED]))}{more}.")


def _spread(points):
    """The points of those notebooks of which all are known, in a sentence; "" if there are none."""
    known = [each for each in points if each is not None]
    if not known:
        return ""
    return f" Points: {min(known):g} to {max(known):g}, median {median(known):g}."


def _exercises(rows):
    """The table of a lab's exercises: how many solved them, and how the others fared."""
    verdicts = defaultdict(Counter)
    for row in rows:
        verdicts[row.exercise][row.verdict] += 1
    yield from _head("exercise", "solved", "share", "wrong", "not filled in", "crashed or other")
    for exercise, counts in verdicts.items():
        solved, wrong, unfilled = (counts[name] for name in ("passed", "wrong", "unfilled"))
        other = counts.total() - solved - wrong - unfilled
        yield _line(exercise, solved, f"{solved / counts.total():.0%}", wrong, unfilled, other)


def _mistakes(rows, modified):
    """The tables of a lab's commonest mistakes, and of the questions that helped nobody."""
    outcomes = defaultdict(dict)  # mistake -> student -> whether a later notebook solved the exercise
    solved = {(row.student, row.exercise) for row in rows if row.verdict == "passed"}
    attempts = defaultdict(list)
    for row in sorted(rows, key=lambda row: order(row.student, row.file, modified)):
        attempts[row.student, row.exercise].append(row)
    for (student, _), tries in attempts.items():
        for place, row in enumerate(tries):
            if row.verdict in ("wrong", "crashed"):
                later = any(other.verdict == "passed" for other in tries[place + 1 :])
                outcomes[_mistake(row)][student] = later
    common = sorted(outcomes.items(), key=lambda item: (-len(item[1]), item[0]))
    if not common:
        return
    yield from ("", "### The commonest mistakes", "")
    if len({(row.student, row.file) for row in rows}) > len({row.student for row in rows}):
        yield from ("Counted in every notebook, also in those that do not count for the points.", "")
    yield from _head("students", "solved it later", "exercise", "mistake", "what the check says", "book")
    for mistake, students in common[:MOST]:
        yield _line(len(students), sum(students.values()), *mistake)
    if len(common) > MOST:
        most = len(common[MOST][1])
        who = "one student" if most == 1 else f"{most} students or fewer"
        yield from (
            "",
            f"And {len(common) - MOST} more, each made by {who}: the table of grades holds their messages.",
        )
    helpless = [
        (len(students), *mistake)
        for mistake, students in common
        if len(students) > 1
        and mistake[1] != NO_NAME
        and solved.isdisjoint((s, mistake[0]) for s in students)
    ]
    if helpless:
        yield from ("", "### Questions that helped nobody", "")
        yield (
            "Their own notebooks ask this, too. Two students or more handed in the mistake all the same, "
            "and none of them has solved the exercise in any notebook. Whom it has helped before that, "
            "nobody sees."
        )
        yield from ("", *_head("students", "exercise", "mistake", "the question", "book"))
        yield from (_line(*cells) for cells in helpless[:MOST])


def _mistake(row):
    """(exercise, name, sentence, section) of a wrong answer: the misconception that its message tells."""
    exercise = EXERCISES.get(row.lab, {}).get(row.exercise.split(" ")[-1])
    for function, sentence in exercise.misconceptions if exercise else ():
        if " ".join(sentence.split()) in row.message:
            chapter, title = exercise.sections.get(sentence, exercise.section)
            return row.exercise, function.__name__.replace("_", " "), sentence, f"{title} (book/{chapter}.md)"
    message = NUMBER.sub("…", re.sub(r" \(book: [^()]*\)", "", row.message))
    return row.exercise, NO_NAME, shorten(message, LONGEST, placeholder=" …"), ""


def _head(*names):
    return _line(*names), _line(*["---"] * len(names))


def _line(*cells):
    return f"| {' | '.join(plain(str(cell)) if cell != '---' else cell for cell in cells)} |"
