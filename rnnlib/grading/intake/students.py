"""Whose each file of a class is, and the students' names."""

import re
from collections import Counter
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from rnnlib.grading.intake import clones, layouts
from rnnlib.grading.intake.entry import NOBODYS, is_zip
from rnnlib.grading.names import readable, told_apart


class Work(NamedTuple):
    """A file, whose it is (a ``layouts.Owner``), and its path among what its student handed in."""

    owner: layouts.Owner
    path: str
    file: object

    @property
    def modified(self):
        """When it was handed in, where its name says so; else when it was changed, in seconds."""
        try:
            return datetime(*map(int, re.findall(r"\d+", self.owner.attempt)[:6])).timestamp()
        except (TypeError, ValueError, OverflowError, OSError):  # it does not say, or no such day exists
            return self.file.modified


def by_student(files, root, labs, notes):
    """Whose each file is: student -> list of Work; and the files that are nobody's."""
    held = dict.fromkeys((file.names[0] for file in files), "")  # what lies at the top -> the lab in it
    held |= {file.names[0]: file.lab for file in files if file.lab and file.is_notebook}
    owners = layouts.owners(held)
    plain = [file.names[0] for file in files if file.names[0] not in owners and _is_students(file, labs)]
    owners |= clones.repositories(root, {name: held[name] for name in sorted(set(plain))})
    for name in plain:
        stem = name if (root / name).is_dir() or not is_zip(name) else name[:-4]
        owners.setdefault(name, layouts.Owner(stem, stem))
    owners, merged = _of_one_student(owners, files)
    notes += [*layouts.recognised(owners.values()), *merged, *_of_one_name(owners.values())]
    names = _display_names(owners.values())
    students, loose = {}, []
    for file in files:
        owner = owners.get(file.names[0])
        if owner is None:
            loose.append(file)
        else:
            path = "/".join(map(readable, _path(file, owner)))
            students.setdefault(names[owner.system, owner.student, owner.id], []).append(
                Work(owner, path, file)
            )
    return students, loose


def _of_one_student(owners, files):
    """The owners by name, where a student of Moodle, with a number in each assignment, is one student.

    That is so where each number stands for other labs; else they may be two students of one name.

    Returns:
        (owners, notes): notes say who was taken for one student.
    """
    labs = {}  # student -> number -> labs
    for file in files:
        owner = owners.get(file.names[0])
        if owner and owner.system == "Moodle":
            labs.setdefault(owner.student, {}).setdefault(owner.id, set()).add(file.lab)
    one = {}  # student -> numbers
    for student, numbers in labs.items():
        every = [lab for own in numbers.values() for lab in own if lab]
        if len(numbers) > 1 and len(every) == len(set(every)) and all(map(any, numbers.values())):
            one[student] = numbers
    owners = {
        name: owner._replace(id=owner.student) if owner.system == "Moodle" and owner.student in one else owner
        for name, owner in owners.items()
    }
    what = "Taken as one student, since each number has labs of its own"
    return owners, [f"{what}: {_numbered(one)}."] if one else []


def _of_one_name(owners):
    """A line that names the students of one name, where others have another one."""
    ids = {}
    for owner in owners:
        ids.setdefault(owner.student, set()).add(owner.id)
    several = {student: own for student, own in ids.items() if len(own) > 1}
    if not several or len(ids) == 1:  # all have one name where the platform keeps them secret
        return []
    what = "Taken as several students of one name, told apart by their numbers"
    return [f"{what}: {_numbered(several)}."]


def _numbered(ids):
    """Students with their numbers: "Ada (11 and 23), Bo (12, 24 and 25)"."""
    return ", ".join(readable(f"{student} ({_listed(sorted(own))})") for student, own in ids.items())


def _listed(texts):
    return " and ".join([", ".join(texts[:-1]), texts[-1]])


def unwrapped(files, notes):
    """The files of a zipped class, without the folder that was zipped, where it is one of students."""
    tops, below = {file.names[0] for file in files}, {file.names[1] for file in files if len(file.names) > 2}
    notebooks = any(file.is_notebook for file in files if len(file.names) < 3)
    is_class = (len(below) > 1 and not notebooks) or any(map(layouts.owner, below))
    if len(tops) > 1 or not is_class or any(len(file.names) < 2 for file in files):
        return files
    notes.append(f"What {readable(*tops)} in it holds is graded.")
    return [replace(file, names=file.names[1:]) for file in files]


def _is_students(file, labs):
    """Whether a name at the top is a student's: of a folder, or of a zip file, but one with a lab's name."""
    top, inside = file.names[0], len(file.names) > 1 or file.folder
    if file.problem in NOBODYS and len(file.names) == 1:
        return False
    return not top.startswith(tuple(labs)) if is_zip(top) else inside


def _path(file, owner):
    """A file's path among what its student handed in."""
    top, *rest = file.names
    own = [owner.file] if owner.file else [top] if not (rest or file.folder) or is_zip(top) else []
    return [*filter(None, [owner.attempt]), *own, *rest]


def _display_names(owners):
    """(system, student, id) -> the student's name, once: where two have one name, the id follows."""
    keys = sorted({(owner.system, owner.student, owner.id) for owner in owners})
    counts = Counter(readable(student) for _, student, _ in keys)
    names = [
        readable(f"{student} {id}") if counts[readable(student)] > 1 and id != student else readable(student)
        for _, student, id in keys
    ]
    return dict(zip(keys, told_apart(names), strict=True))


def refuse_downloads(files, root):
    """Raise a ValueError where a folder in this one is a download, with notebooks of several students."""
    inside, students = {}, {}  # name at the top -> owners of what lies in it; students with a notebook
    for file in files:
        top, *rest = file.names
        if rest and not layouts.owner(top):
            owner = layouts.owner(rest[0])
            inside.setdefault(top, []).append(owner)
            if owner and file.is_notebook:
                students.setdefault(top, set()).add((owner.student, owner.id))
    downloads = [top for top, owners in inside.items() if all(owners) and len(students.get(top, ())) > 1]
    if downloads:
        named = ", ".join(f"{readable(top)} ({inside[top][0].system})" for top in downloads)
        raise ValueError(
            f"{root} holds downloads, not students: {named}. Grade each, or put what they hold in one folder"
        )


def one_deeper(students, root):
    """A line where the folders at the top hold the students' folders or files, as far as one can see."""
    plain = {work[0].owner.student: work for work in students.values() if not work[0].owner.system}
    for work in plain.values():
        top = work[0].file.names[0]
        inner = [
            layouts.owner(file.names[1]) for *_, file in work if file.is_notebook and len(file.names) > 1
        ]
        if inner and all(inner):
            return [
                f"{readable(top)} is graded as one student, and looks like a download of {inner[0].system}: "
                f"if it is one, grade {root / readable(top)}"
            ]
    for name, work in plain.items():
        if name in {file.lab for *_, file in work} and len(work) > 1:
            return [
                f"{readable(name)} is graded as one student, and has the name of a lab: if it holds several "
                "students' work, put each notebook into a folder with the student's name"
            ]
    folders = {}  # top -> lab -> the paths of the folders with a notebook of it
    for work in students.values():
        for owner, _, file in work:
            if file.is_notebook and file.solution and not owner.system:
                if len(file.names) < 3:
                    return []
                labs = folders.setdefault(file.names[0], {})
                labs.setdefault(file.solution.stem, []).append(file.names[:-1])
    for top, labs in folders.items():
        for paths in labs.values():
            shared = paths[0][: layouts.shared(paths)]
            below = list(dict.fromkeys(readable(path[len(shared)]) for path in paths if path != shared))
            if len(below) > 1:
                return [
                    f"{readable(top)} is graded as one student, and holds {below[0]} and {below[1]} with the "
                    f"same lab: if they are students, grade {root.joinpath(*map(readable, shared))}"
                ]
    return []
