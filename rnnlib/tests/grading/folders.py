"""Folders of students without kernels: files written, zip files made, and what is seen of them."""

import io
import os
import zipfile
from pathlib import Path

import pytest

from rnnlib.grading import sandbox, submission
from rnnlib.tests.grading.submissions import SOLUTION

LAB = SOLUTION.read_bytes()
POSIX = pytest.mark.skipif(os.name != "posix", reason="this system has no such names, or no links")


def put(folder, path, content=LAB):
    """Write a file below a folder."""
    path = Path(folder) / path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def zipped(members):
    """A zip file's bytes: name -> content."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as members_of:
        for name, content in members.items():
            members_of.writestr(name, content)
    return file.getvalue()


def found(folder):
    return submission.find(Path(folder), sandbox.SOLUTIONS, seed=5)


def graded(folder):
    """(student, file) of each notebook that will be graded."""
    return [(each.student, each.file) for each in found(folder).submissions if not each.problem]
