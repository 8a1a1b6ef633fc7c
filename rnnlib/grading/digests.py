"""What the rows of a submission depend on, as a digest: another one means that they hold no more."""

import hashlib
from functools import cache
from pathlib import Path

from rnnlib.grading import report

LETTERS = str.maketrans("0123456789", "ghijklmnop")  # a spreadsheet takes 12345678e9 for a number
OWN = 8  # letters of a digest that change with the notebook alone
JUDGES = ("checks", "data", "grading", "models", "tools")  # rooms of the library that a verdict depends on


def digest(submission, settings, lab):
    """Changes with all that a submission's rows depend on: half with the notebook, half with the rest.

    Bubblewrap changes no verdict: a notebook that was graded without it is not graded again inside it.
    Nor does another notebook beside it.

    Args:
        lab: the solved lab, as text.
    """
    own = [submission.fingerprint, submission.problem, submission.lab, report.to_look_at(submission)]
    rest = [lab, f"{submission.seed} {settings.timeout:g} {settings.memory:g}", _library()]
    halves = (hashlib.sha256("\0".join(parts).encode()).hexdigest()[:OWN] for parts in (own, rest))
    return "".join(halves).translate(LETTERS)


@cache
def _library():
    """Changes with the code that judges."""
    package = Path(__file__).parents[1]
    files = sorted(path for room in JUDGES for path in (package / room).rglob("*.py"))
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()


def of_notebook(graded):
    """The part of the digest of a row, or of a submission, that changes with the notebook alone."""
    return graded.digest[:OWN]
