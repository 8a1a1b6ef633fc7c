"""Zip files: their members, read where they are."""

import io
import re
import stat
import zipfile
from datetime import datetime
from functools import partial

from rnnlib.grading.intake.entry import (
    LEFT_BEHIND,
    LINK,
    NOT_HANDED_IN,
    Entry,
    courses,
    is_zip,
    why_nobodys,
)
from rnnlib.grading.intake.reading import LARGEST_FILE, TOO_LARGE, ZIP, kind_of
from rnnlib.grading.verdicts import Failed

NESTED = 2  # a student's zip files are opened, and those in them, and no more
MOST_FILES = 20_000  # in one zip file
LARGEST_ZIP = 2 * 2**30  # bytes of all its files, unpacked


def entries(file, names, depth):
    """What lies in a zip file, in the order of the names.

    Nothing is unpacked to the disk, so that no name in it leads anywhere.

    Args:
        file: the open zip file.
        names: where it lies.
        depth: 0 for a class, 1 for a student's, 2 for one in another.
    """
    try:
        archive = zipfile.ZipFile(file)
        members = [(parts_of(info), info) for info in archive.infolist() if not info.is_dir()]
    except Exception:  # zipfile raises many kinds for a file that is damaged
        yield Entry(names, _why_broken(file))
        return
    members = [(parts, info) for parts, info in members if not any(map(LEFT_BEHIND.fullmatch, parts))]
    course_folders = courses(parts for parts, _ in members)
    places = {parts: _set_apart(parts, course_folders) for parts, _ in members}
    yield from (
        Entry((*names, *place), why, folder=folder)
        for place, why, folder in sorted({*filter(None, places.values())})
    )
    members = [(parts, info) for parts, info in members if not places[parts]]
    problem = _why_no_zip(members) if names and (members or not places) else ""  # a class may be large
    if problem:
        yield Entry(names, problem)
        return
    for parts, info in sorted(members, key=lambda member: member[0]):
        place = (*names, *parts)
        problem = _why_not_in_zip(info)
        if problem or not is_zip(parts[-1]):
            yield Entry(place, problem, read=partial(_member, archive, info), modified=_modified(info))
        elif depth == NESTED:
            yield Entry(place, "a zip file in a zip file in another: unpack them")
        else:
            try:
                inner = io.BytesIO(_member(archive, info))
            except Failed as failure:
                yield Entry(place, failure.message, failure.verdict)
            else:
                yield from entries(inner, place, depth + 1)


def _set_apart(parts, course_folders):
    """The first place on a path that is nobody's work, why, and whether it is a folder; or None."""
    for end, name in enumerate(parts):
        folder = end + 1 < len(parts)
        why = why_nobodys(name, folder, name in NOT_HANDED_IN and parts[:end] in course_folders)
        if why:
            return parts[: end + 1], why, folder
    return None


def _why_broken(file):
    """Why a file with a zip file's name cannot be opened."""
    file.seek(0)
    kind = kind_of(file.read(32))
    if kind in ("", ZIP):
        return "a zip file that is broken: was it sent to its end?"
    return f"{kind} under a zip file's name: the name alone does not make it one"


def _why_no_zip(members):
    """Why a zip file is not looked into, or ""."""
    if not members:
        return "an empty zip file"
    if len(members) > MOST_FILES:
        return f"a zip file of more than {MOST_FILES} files"
    if sum(info.file_size for _, info in members) > LARGEST_ZIP:
        return f"a zip file that unpacks to more than {LARGEST_ZIP >> 30} GiB"
    return ""


def parts_of(info):
    """A member's path, without what would lead out of a folder."""
    name = info.filename
    if not info.flag_bits & 0x800:  # the zip says no encoding: most programs of today write UTF-8
        try:
            name = name.encode("cp437").decode("utf-8")
        except UnicodeError:
            pass
    parts = tuple(part for part in re.split(r"[/\\]", name) if part.strip(". "))
    return parts or ("_",)


def _modified(info):
    """When a member was changed, in seconds; a zip file knows no time zone."""
    try:
        return datetime(*info.date_time).timestamp()
    except (ValueError, OverflowError, OSError):
        return 0.0


def _why_not_in_zip(info):
    if info.flag_bits & 1:
        return "locked with a password"
    if stat.S_ISLNK(info.external_attr >> 16):
        return LINK
    return ""


def _member(archive, info):
    """What a member of a zip file holds.

    Raises:
        Failed: it is too large, or damaged.
    """
    if info.file_size > LARGEST_FILE:
        raise Failed("unreadable", TOO_LARGE)
    try:
        with archive.open(info) as file:  # read without a number, it unpacks all before it looks at the size
            return file.read(info.file_size)
    except NotImplementedError as error:
        raise Failed(
            "unreadable", "the zip file is compressed in a way that is not known: unpack it"
        ) from error
    except Exception as error:  # see entries
        raise Failed("unreadable", "the zip file is broken: was it sent to its end?") from error
