"""Names of students and files: as text that can be read and written, and as the names of pages."""

import hashlib
import os
import re
import unicodedata
from collections import Counter
from pathlib import PurePosixPath

DEEPEST = 10  # folders; the rest of a path becomes one name
LONGEST = 140  # bytes of a page's name: some file systems take no more
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(?=\.|$)", re.IGNORECASE)  # by Windows
TURNS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"  # they turn round what follows


def readable(name):
    r"""A file's name as text of one line: composed, and \x81 for a byte in no encoding, \n for a new line."""
    text = unicodedata.normalize("NFC", os.fsencode(name).decode("utf-8", "backslashreplace"))
    return "".join(map(_readable_letter, text))


def _readable_letter(letter):
    if unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") or letter in TURNS:
        return letter.encode("unicode_escape").decode()
    return letter


def with_numbers(text):
    """A key that sorts lab-10 after lab-2, and 1.10 after 1.9."""
    parts = re.split(r"(\d{1,18})", text)  # every other one is a number
    return [(int(part) if place % 2 else 0, part) for place, part in enumerate(parts)]


def told_apart(names):
    """The names, each once: of those that come again, the later ones get a number."""
    numbers, result = Counter(), {}
    for name in names:
        unique = name
        while unique in result:
            numbers[name] += 1
            unique = f"{name} ({numbers[name] + 1})"
        result[unique] = None
    return list(result)


def pages(notebooks):
    """Where the page of each notebook is written: below the student's folder, on any file system.

    Args:
        notebooks: (student, file) of each.

    Returns:
        (student, file) -> relative path, no two of which differ by capitals alone.
    """
    known, used, paths = {}, {}, {}
    for student, file in sorted(set(notebooks)):
        folders = [student, *(file or "notebook").split("/")]
        folders[DEEPEST:] = filter(None, ["/".join(folders[DEEPEST:])])
        path = PurePosixPath()
        for depth, name in enumerate(folders):
            is_page = depth == len(folders) - 1
            place = (*folders[: depth + 1], is_page)
            if place not in known:
                taken = used.setdefault(path, set())
                known[place] = _free(name.removesuffix(".ipynb") if is_page else name, is_page, taken)
                taken.add(known[place].casefold())
            path /= known[place]
        paths[student, file] = path
    return paths


def _free(name, is_page, taken):
    """A name that every file system takes, and that is not taken."""
    number, ending = 1, ".md" if is_page else ""
    while True:
        free = _safe(name, ending if number == 1 else f" ({number}){ending}")
        if free.casefold() not in taken:
            return free
        number += 1


def _safe(name, ending):
    """A name as every file system takes it; one that begins with a dot would be hidden."""
    text = re.sub(r'[<>:"/\\|?*]|^\.', "_", unicodedata.normalize("NFC", name))
    text = "".join("_" if unicodedata.category(letter) in ("Cc", "Cs") else letter for letter in text)
    text = RESERVED.sub(r"\1_", text, count=1) if RESERVED.match(text) else text
    if not ending.endswith(".md"):
        text = re.sub(r"[. ]+$", "_", text)
    room = LONGEST - len(ending.encode())
    if len(text.encode()) > room:  # what is cut off still tells two names apart
        mark = f"~{hashlib.sha256(name.encode('utf-8', 'replace')).hexdigest()[:8]}"
        text = text.encode()[: room - len(mark)].decode("utf-8", "ignore") + mark
    return (text or "_") + ending
