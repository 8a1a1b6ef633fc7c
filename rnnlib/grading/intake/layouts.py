"""How systems name what they collected: whose a file or a folder is, as its name tells."""

import re
from collections import Counter
from contextlib import suppress
from datetime import datetime
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

from rnnlib.grading.intake import tree
from rnnlib.grading.intake.entry import is_course, is_zip
from rnnlib.grading.names import readable

COLLECTED = "submitted"  # nbgrader's folder for what the students handed in
LONGEST = 255  # letters of a name; a zip file takes more, and no file system does

TIME = r"(?P<attempt>\d{4}-[01]\d-[0-3]\d-[0-2]\d(?:-[0-5]\d){2})"

#: A system, and the names that it gives to files or folders at the top of a download. Groups of a name:
#: ``student``; ``head``, which ends with the student; ``id``, which tells two students of one name apart;
#: ``file``, as the student called it; ``attempt``, when it came; ``late``.
LAYOUTS = [
    ("Moodle", r"(?P<student>.+?)(?:_(?P<id>\d+))?_assignsubmission_[a-z]+(?:_(?P<file>.*))?"),
    ("Blackboard", rf"(?P<head>.+)_[^\W\d_]+_{TIME}(?:_(?P<file>.+)|\.txt)"),
    (
        "Canvas",
        r"(?:(?P<late>LATE)_)?(?P<student>anon_[^\W_]{5})_\d+_(?:(?:text|link)\.html|(?P<file>.+))",
    ),
    (
        "Canvas",
        r"(?P<student>.+?)(?:_(?P<late>LATE))?_(?P<id>[1-9]\d\d+)"
        r"(?:_[1-9]\d\d+_(?P<file>.+)|_(?:text|link)\.html)",
    ),
    (
        "Brightspace",
        r"\d+-(?P<id>\d+) - (?P<student>.+?) ?- "
        r"(?P<attempt>[^-]*\d{4}[^-]*?|\d{4}-\d\d-\d\d[ \d.:]*)(?: - (?P<file>.+))?",  # in any language
    ),
    ("nbgrader", r"(?P<student>[^+]+)\+[^+]+\+(?P<attempt>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)[^+]*(?:\+.*)?"),
]
LAYOUTS = [(system, re.compile(pattern, re.DOTALL)) for system, pattern in LAYOUTS]
FEW_DIGITS = re.compile(  # of an own installation of Canvas: a name like this alone says nothing
    r"(?P<student>.+?)(?:_(?P<late>LATE))?_(?P<id>[1-9]\d*)_[1-9]\d*_(?P<file>.+)", re.DOTALL
)


class Owner(NamedTuple):
    """Whose a file or a folder is.

    Attributes:
        student: the name as the system writes it.
        id: tells two students of one name apart.
        file: the file's name as the student gave it; "" where the student's files lie in a folder.
        attempt: when it was handed in, where the name says so.
        late: whether the name says that it was handed in late.
        system: such as "Moodle"; "" for a plain folder with a student's name.
    """

    student: str
    id: str
    file: str = ""
    attempt: str = ""
    late: bool = False
    system: str = ""


def owner(name):
    """The owner of a file or folder by the name that a system gave it, or None."""
    return _owner(name, LAYOUTS)


def _owner(name, layouts):
    """The owner by the first of these layouts that a name has, or None."""
    for system, pattern in layouts if len(name) <= LONGEST else ():
        match = pattern.fullmatch(name)
        if match:
            parts = {key: text for key, text in match.groupdict().items() if text}
            student = parts.get("student") or parts["head"]
            student = student.strip() or student
            more = {"file": parts.get("file", ""), "attempt": _sortable(parts.get("attempt", ""))}
            return Owner(student, parts.get("id") or student, **more, late="late" in parts, system=system)
    return None


def _sortable(attempt):
    """A time as a text that sorts: "Sep 24, 2024 926 PM" becomes "2024-09-24 21-26"."""
    text = re.sub(r"(?=\d\d( [AP]M)?$)", ":", attempt)
    for order in ("%b %d, %Y %I:%M %p", "%d %b, %Y %I:%M %p", "%b %d, %Y %H:%M", "%d %b, %Y %H:%M"):
        with suppress(ValueError):
            return datetime.strptime(text, order).strftime("%Y-%m-%d %H-%M")
    return attempt  # it sorts already, or is in another language


def owners(labs):
    """The owners of all that a system gave a name, by name.

    Args:
        labs: name -> the lab that it holds, or "".
    """
    known = {name: owner(name) for name in labs}
    if any(each and each.system == "Canvas" for each in known.values()):
        known |= {name: _owner(name, [("Canvas", FEW_DIGITS)]) for name, each in known.items() if not each}
    known = {name: each for name, each in known.items() if each}
    heads = {}  # what stands before the time -> labs
    for name, each in known.items():
        if each.system == "Blackboard":
            heads.setdefault(each.student, set()).update({labs[name]} - {""})
    users = _users(heads)
    for name, each in known.items():
        if each.system == "Blackboard":
            known[name] = each._replace(student=users[each.student], id=users[each.student])
    return known


def _users(heads):
    """From "Lab 1_ada" to "ada": what is left where the assignment's name is taken away.

    Both may hold an underscore. A name's first part is an assignment's; the next one is, too, where all
    share it, or where it makes several assignments, of other labs, that fewer students have handed in.

    Args:
        heads: head -> the labs that were handed in under it.
    """
    parts = {head: head.split("_") for head in heads}
    ends = {head: min(1, len(own) - 1) for head, own in parts.items()}  # of the assignment's name

    def split(ends):
        return {head: (tuple(parts[head][:end]), "_".join(parts[head][end:])) for head, end in ends.items()}

    def count(ends):
        titles, users = zip(*split(ends).values(), strict=True)
        return len(set(titles)) + len(set(users))

    def share_no_lab(own, ends):
        pairs, labs = split(ends), {}  # user -> labs of one assignment after the other
        for head in own:
            labs.setdefault(pairs[head][1], []).extend(heads[head])
        return all(len(each) == len(set(each)) for each in labs.values())

    todo = [[*ends]]
    while todo:
        by_title = {}
        for head in todo.pop():
            by_title.setdefault(tuple(parts[head][: ends[head]]), []).append(head)
        for own in by_title.values():
            nexts = Counter(parts[head][ends[head]] for head in own)
            longer = ends | {head: ends[head] + 1 for head in own}
            if min(nexts.values()) < 2 or any(longer[head] == len(parts[head]) for head in own):
                continue
            gain = count(ends) - count(longer)
            if (gain > 0 and share_no_lab(own, longer)) or (gain == 0 and len(nexts) == 1):
                ends = longer
                todo.append(own)
    return {head: user for head, (_, user) in split(ends).items()}


def shared(lists):
    """How many of their first elements several lists share; 0 for a single one."""
    same = takewhile(lambda parts: len(set(parts)) == 1, zip(*lists, strict=False))
    return len(list(same)) if len(lists) > 1 else 0


def top(folder):
    """Where the students' files begin, and lines that say so where it is not ``folder`` itself.

    Raises:
        ValueError: there is no such folder, or it is a course of nbgrader.
    """
    root = Path(folder)
    if root.is_file() and not is_zip(root.name):
        raise ValueError(f"{folder} is a file: name its folder, or grade one notebook with pytest --nbval")
    if not root.exists():
        raise ValueError(f"there is no folder {folder}")
    names = tree.tops(root)
    if COLLECTED in names and {"source", "gradebook.db", "nbgrader_config.py"} & set(names):
        what = (
            f"grade {root / COLLECTED}" if root.is_dir() else f"unpack it, and grade its folder {COLLECTED}"
        )
        raise ValueError(f"{folder} is a course of nbgrader: {what}")
    if is_course(set(names)):
        raise ValueError(f"{folder} is the course itself: name the folder with what the students handed in")
    inner = root / names[0] if len(names) == 1 and root.is_dir() else None
    if inner and not inner.is_symlink() and (inner.name == COLLECTED or any(map(owner, tree.tops(inner)))):
        return inner, [f"What {readable(inner.name)} holds is graded."]
    return root, []


def recognised(owners):
    """Lines that say of which systems a download was recognised."""
    students = {(each.system, each.student, each.id) for each in owners if each.system}
    counts = Counter(system for system, _, _ in students)
    return [
        f"Read as a download of {system}: {count} student{'s' * (count > 1)}."
        for system, count in sorted(counts.items())
    ]
