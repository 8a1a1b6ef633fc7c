"""What lies in a folder, file by file: those in zip files too, without what systems leave there."""

import os
import zipfile
from functools import partial
from pathlib import Path

from rnnlib.grading.intake import archive
from rnnlib.grading.intake.entry import (
    LEFT_BEHIND,
    LINK,
    Entry,
    is_course,
    is_zip,
    why_nobodys,
)
from rnnlib.grading.intake.reading import LARGEST_FILE, TOO_LARGE
from rnnlib.grading.names import readable
from rnnlib.grading.verdicts import Failed


def entries(root):
    """The files in a folder or a zip file, one after the other, in the order of their names."""
    todo = [(Path(root), (), root.is_dir())]
    while todo:
        match todo.pop():
            case Entry() as entry:
                yield entry
            case path, names, True:
                todo += reversed(list(_folder(path, names)))
            case path, names, _:
                try:
                    with path.open("rb") as file:
                        yield from archive.entries(file, names, depth=1 if names else 0)
                except OSError as error:
                    yield _closed(names, error, folder=False)


def tops(root):
    """The names at the top of a folder or a zip file; none where it is neither."""
    try:
        if root.is_dir():
            names = sorted(os.listdir(root))
        else:
            with zipfile.ZipFile(root) as file:
                names = sorted({archive.parts_of(info)[0] for info in file.infolist()})
    except Exception:  # closed, damaged, or no zip file: who reads it says so
        return []
    return [name for name in names if not LEFT_BEHIND.fullmatch(name)]


def _folder(path, names):
    """What lies in a folder: entries, or (path, names, is_folder) of what is to be opened."""
    try:
        with os.scandir(path) as scan:
            children = sorted(scan, key=lambda child: child.name)
    except OSError as error:
        yield _closed(names, error, folder=True)
        return
    inside = [child for child in children if LEFT_BEHIND.fullmatch(child.name)]
    children = [child for child in children if not LEFT_BEHIND.fullmatch(child.name)]
    if not children and names:
        folders = ", ".join(readable(child.name) for child in inside if child.is_dir())
        yield Entry(
            names, f"a folder that holds {folders} alone" if folders else "an empty folder", folder=True
        )
    course = is_course({child.name for child in children})
    for child in children:
        place, problem = (*names, child.name), _why_not(child, course)
        if problem:
            yield Entry(place, problem, folder=os.path.isdir(child.path))
        elif child.is_dir() or is_zip(child.name):
            yield path / child.name, place, child.is_dir()
        else:
            yield Entry(place, read=partial(_content, path / child.name), modified=_modified(child))


def _modified(child):
    """When a file was changed, in seconds; 0 where the file system does not say."""
    try:
        return child.stat().st_mtime
    except OSError:
        return 0.0


def _why_not(child, course):
    """Why nobody looks into a file or a folder, or ""."""
    if child.is_symlink() or getattr(child, "is_junction", bool)():
        return LINK
    problem = why_nobodys(child.name, child.is_dir(), course)
    if not (problem or child.is_dir() or child.is_file(follow_symlinks=False)):
        return "a device or a pipe, not a file"
    return problem


def _closed(names, error, folder):
    """What the file system does not open is nobody's fault."""
    what = "a folder" if folder else "the file"
    return Entry(names, f"{what} cannot be read: {error.strerror}", "regrade", folder=folder)


def _content(path):
    """What a file holds.

    Raises:
        Failed: it is too large, or the file system does not open it.
    """
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise Failed("unreadable", TOO_LARGE)
        return path.read_bytes()
    except OSError as error:  # the grader's fault, or the file system's
        raise Failed("regrade", f"the file cannot be read: {error.strerror}") from error
