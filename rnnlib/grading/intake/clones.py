"""Clones of git side by side, as GitHub Classroom's are: which folders are some, and whose."""

import zipfile
from itertools import pairwise

from rnnlib.grading.intake import archive, layouts, tree


def repositories(root, labs):
    """GitHub Classroom clones ``assignment-username``: the owners of such folders, by name.

    Args:
        labs: folder -> the lab that it holds, or "".
    """
    cloned = _cloned(root).intersection(labs)
    if 2 * len(cloned) < max(1, len(labs)):
        return {}
    name = root.resolve().name if root.is_dir() else root.stem
    assignments = [name.removesuffix("-submissions") + "-"]
    if not all(name.startswith(assignments[0]) for name in labs):
        assignments = _assignments(labs)
    users = {name: _without(assignments, name) for name in labs}
    if not all(users.values()):
        return {}
    return {name: layouts.Owner(user, user, system="GitHub Classroom") for name, user in users.items()}


def _cloned(root):
    """The names of the folders, in a folder or in a zip file of folders, that are clones of git."""
    if root.is_dir():
        return {name for name in tree.tops(root) if (root / name / ".git").exists()}
    with zipfile.ZipFile(root) as file:
        paths = set(map(archive.parts_of, file.infolist()))
    return {folder for path in paths for folder, name in pairwise(path) if name == ".git"}


def _assignments(labs):
    """What the names of clones begin with: of each lab something else, if its ends are the same users."""
    by_lab = {}
    for name, lab in labs.items():
        by_lab.setdefault(lab, []).append(name)
    by_lab.pop("", None)  # such a clone belongs to one of them
    first, *others = sorted(by_lab.values(), key=len, reverse=True) if len(by_lab) > 1 else [list(labs)]
    best, fewest = _beginnings(labs)[:1] if len(labs) > 1 else [], len(labs)
    for beginning in _beginnings(first) if others else ():
        users = {_without([beginning], name) for name in first}
        several = [beginning, *(_fitting(own, users, beginning) for own in others)]
        users = {_without(several, name) for name in labs}
        if "" not in users and len(users) < fewest:
            best, fewest = several, len(users)
    return best


def _fitting(names, users, other):
    """The beginning of these names of which most of the ends are known users; else one as another lab's."""

    def rank(beginning):
        known = users.intersection(_without([beginning], name) for name in names)
        return len(known), -abs(beginning.count("-") - other.count("-"))

    return max(_beginnings(names), key=rank, default=other)


def _beginnings(names):
    """What all names begin with, up to a hyphen, the longest first."""
    parts = [name.split("-") for name in names]
    most = layouts.shared(parts) if len(parts) > 1 else len(parts[0]) - 1
    return ["-".join([*parts[0][:count], ""]) for count in range(most, 0, -1)]


def _without(beginnings, name):
    """The name without the longest of these that it begins with; "" if it begins with none, or ends there."""
    fitting = [text for text in beginnings if name.startswith(text)]
    return name[len(max(fitting, key=len)) :] if fitting else ""
