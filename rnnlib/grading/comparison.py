"""Where what a check displayed is compared with what the solution stored: here, and nowhere else."""

import math

from rnnlib.checks import EXERCISES
from rnnlib.checks.verdicts import VALUES_MIME
from rnnlib.grading.verdicts import Failed


def compare(exercise, outputs, broken=None):
    """Compare what a check displayed with what the solution stored, or have it judged once more, here.

    Args:
        exercise: a ``matching.Exercise``.
        outputs: of its check, as ``Kernel.execute`` returns them.
        broken: how a cell of the answer failed, or None.

    Raises:
        Failed: they differ; with the check's own sentence where it has one.
    """
    expected, values = displayed(exercise.check.outputs), displayed(outputs)
    if not expected:
        raise Failed("regrade", "the solution has no stored values: release it first")
    if not values:
        raise _failure(exercise, error_in(outputs), broken)
    own = EXERCISES.get(exercise.lab, {}).get(exercise.name)
    if own is not None and own.accept is not None:  # many values are right
        refused = own.judge(values[0])
        if refused or len(values) > 1:
            raise Failed(
                "wrong", f"the check passed in the notebook, but {refused or 'it showed values twice'}"
            )
    elif not same_values(expected, values):
        raise Failed("wrong", "the check passed in the notebook, but its values are not the expected ones")


def same_values(a, b):
    """Whether two structures of lists, dicts and numbers agree, numbers within rounding.

    Stored values have six digits, and a check lets pass what is within 1e-6.
    """
    try:
        return _same(a, b)
    except Exception:  # so large, or so deep, that they cannot even be compared
        return False


def _same(a, b):
    match a, b:
        case dict(), dict():
            return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
        case list(), list():
            return len(a) == len(b) and all(map(_same, a, b))
        case ((int() | float()), (int() | float())):
            return math.isfinite(a) and abs(a - b) <= 2e-6 + 2e-5 * abs(a)  # False for NaN, too
    return a == b


def displayed(outputs):
    """The values among a cell's outputs, and nothing else: what is printed neither helps nor hurts."""
    data = (output.get("data") for output in outputs)
    return [d[VALUES_MIME] for d in data if isinstance(d, dict) and VALUES_MIME in d]


def error_in(outputs):
    """The error among a cell's outputs, or None."""
    return next((output for output in outputs if output["output_type"] == "error"), None)


def error_text(error):
    """An error as Python writes it in its last line."""
    return f"{error.get('ename')}: {error.get('evalue')}"


def _failure(exercise, error, broken):
    """What a check says of an answer, if it showed no values."""
    if error is None:
        return Failed("wrong", "the check showed no values: was it changed?")
    name, text = str(error.get("ename")), str(error.get("evalue"))
    if name == "NotFilledIn":
        return Failed("unfilled", text.split(". ")[0])  # the rest is advice for a notebook
    if name == "WrongAnswer":
        return Failed("wrong", text)
    if name == "Crashed":
        return Failed("crashed", text)
    if name == "TimedOut":
        return Failed("timed out", text)
    if name == "NameError" and f"'{exercise.name}'" in text:
        reason = f", since its cell stopped with {broken}" if broken else ": was it renamed?"
        return Failed("crashed", f"{exercise.name} is not defined{reason}")
    return Failed("crashed", f"the check stopped with {error_text(error)}")
