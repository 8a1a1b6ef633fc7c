"""Zip files: their members, read where they are."""

import io
import re
import stat
import zipfile
from datetime import datetime
from functools import partial

from rnnlib.grading.intake.entry import (
    COURSES_OWN,
    HIDDEN,
    LEFT_BEHIND,
    LINK,
    NOT_HANDED_IN,
    OTHERS,
    PACKAGES,
    Entry,
    is_course,
    is_zip,
)
from rnnlib.grading.intake.reading import LARGEST_FILE, TOO_LARGE
from rnnlib.grading.verdicts import Failed

NESTED = 2  # zip files are opened, and those in them, and no more
MOST_FILES = 20_000  # in one zip file
LARGEST_ZIP = 2 * 2**30  # bytes of all its files, unpacked


def entries(file, names, depth=1):
    """What lies in a zip file, in the order of the names.

    Nothing is unpacked to the disk, so that no name in it leads anywhere.

    Args:
        file: the open zip file.
        names: where it lies.
        depth: 1, or 2 for one in another.
    """
    try:
        archive = zipfile.ZipFile(file)
        members = [(parts_of(info), info) for info in archive.infolist() if not info.is_dir()]
    except Exception as error:  # zipfile raises many kinds for a file that is damaged
        yield Entry(names, f"a zip file that is broken ({' '.join(str(error).split())[:80]})")
        return
    members = [(parts, info) for parts, info in members if not any(map(LEFT_BEHIND.fullmatch, parts))]
    packages = {parts[: _packages(parts)] for parts, _ in members if _packages(parts)}
    yield from (Entry((*names, *place), OTHERS, folder=True) for place in sorted(packages))
    members = [(parts, info) for parts, info in members if not _packages(parts)]
    problem = _why_no_zip(members) if names else ""  # a whole class may be large
    if problem:
        yield Entry(names, problem)
        return
    folders = {}  # folder -> the names of the folders in it
    for parts, _ in members:
        for end in range(1, len(parts)):
            folders.setdefault(parts[: end - 1], set()).add(parts[end - 1])
    courses = {folder for folder, inside in folders.items() if is_course(inside)}
    for parts, info in sorted(members, key=lambda member: member[0]):
        place = (*names, *parts)
        problem = _why_not_in_zip(parts, info, courses)
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


def _packages(parts):
    """How many parts of a path lead to packages of other people; 0 where it leads elsewhere."""
    return next((end for end, part in enumerate(parts, start=1) if part in PACKAGES), 0)


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


def _why_not_in_zip(parts, info, courses):
    if info.flag_bits & 1:
        return "locked with a password"
    if stat.S_ISLNK(info.external_attr >> 16):
        return LINK
    if any(part.startswith(".") for part in parts):
        return HIDDEN
    if any(parts[:end] in courses and parts[end] in NOT_HANDED_IN for end in range(len(parts))):
        return COURSES_OWN
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
        reason = " ".join(str(error).split())[:80]
        raise Failed("unreadable", f"the zip file is broken: {reason}") from error
