"""Where what a check displayed is compared with what the solution stored: here, and nowhere else."""

import math
import re

from rnnlib.checks import EXERCISES, words
from rnnlib.checks.verdicts import VALUES_MIME
from rnnlib.grading import sources, syntax
from rnnlib.grading.surroundings import difference
from rnnlib.grading.verdicts import Failed

OWN_PATH = re.compile(r" \(\S*[/\\]\S*\.(py|so|pyd)\)")  # of the grader's packages

CELL_MAGIC = re.compile(r"\s*(%%(?!time\b|capture\b|prun\b)\w+)")  # what follows runs elsewhere, or not

LONGEST = 2000  # characters of an error's text that are read; on megabytes a pattern runs for hours

NO_VALUES = "the check showed no values: was it changed?"
OTHER_VALUES = "the check passed in the notebook, but its values are not the expected ones"

#: How a check ends that has called an answer.
VERDICT_OF = {"WrongAnswer": "wrong", "Crashed": "crashed", "TimedOut": "timed out"}


def compare(exercise, outputs, broken=None, unmade=None):
    """Compare what a check displayed with what the solution stored, or have it judged once more, here.

    Args:
        exercise: an ``exercise.Exercise``.
        outputs: of its check, as ``Kernel.execute`` returns them.
        broken: how the answer's own cell failed, or None.
        unmade: name -> how the student's cell that was to make it stopped.

    Raises:
        Failed: they differ; with the check's own sentence where it has one.
    """
    expected, values = displayed(exercise.check.outputs), displayed(outputs)
    if not expected:
        raise Failed("regrade", "the solution has no stored values: release it first")
    if not values:
        raise _explained(_failure(exercise, error_in(outputs), broken), exercise, unmade or {})
    own = EXERCISES.get(exercise.lab, {}).get(exercise.name)
    if own is not None and own.accept is not None:  # many values are right
        refused = own.judge(values[0])
        if refused or len(values) > 1:
            raise Failed(
                "wrong", f"the check passed in the notebook, but {refused or 'it showed values twice'}"
            )
    elif not same_values(expected, values):
        raise Failed("wrong", f"{OTHER_VALUES}{_replaced(exercise)}")


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


def error_text(error, source=""):
    """An error in one line, as Python writes it; with more words where it cannot read the source."""
    name, text = _name_and_text(error)
    if name in ("SyntaxError", "IndentationError", "TabError"):
        return syntax.explained(name, text, source)
    return f"{name}: {OWN_PATH.sub('', text)}".rstrip(".: ")


def _name_and_text(error):
    """An error's type and what it says, as far as anybody reads."""
    return tuple(str(error.get(part))[:LONGEST] for part in ("ename", "evalue"))


def _failure(exercise, error, broken):
    """What a check says of an answer, if it showed no values."""
    if error is None:
        return Failed("wrong", NO_VALUES)
    name, text = _name_and_text(error)
    if name == "NotFilledIn":
        first = text.split(". ")[0]  # the rest is advice for a notebook
        return Failed("unfilled", first + _beside(exercise) * first.endswith(": not filled in yet"))
    if name in VERDICT_OF:
        stopped = f" Its cell stopped with {broken}." if broken else ""
        return Failed(VERDICT_OF[name], text + stopped)
    if name == "NameError" and f"'{exercise.name}'" in text:
        if broken:
            return Failed("crashed", f"{exercise.name} is not defined, since its cell stopped with {broken}.")
        if any(exercise.name in sources.names_deleted(cell.source) for cell in exercise.cells):
            return Failed("crashed", f"{exercise.name} is not defined, since the code deletes it, with del.")
        return Failed("crashed", f"{exercise.name} is not defined: was it renamed?{_instead(exercise)}")
    return Failed("crashed", f"the check stopped with {error_text(error)}{_replaced(exercise)}")


def _why_missing(exercise, name, unmade):
    """Where a name is that an answer needs and that is not there when it runs, or ""."""
    if name in exercise.below:
        return f" {name} is made further down: cells run from top to bottom."
    if name in unmade:
        return f" The cell that was to make {name} stopped with {unmade[name]}."
    if name in exercise.texts:
        return f" {name} stands in a text cell: make it a code cell."
    if "*" in unmade:
        return f" A cell that imports * stopped with {unmade['*']}."
    if exercise.made and exercise.made.isdisjoint({name, "*"}) and name.isascii():
        return f" No cell of the notebook makes {name}: was one deleted after it had run?"
    return ""


def _instead(exercise):
    """What an answer does in the place of defining its function, as far as its text tells."""
    magic = next(
        (m for m in (CELL_MAGIC.match(cell.source) for cell in exercise.cells if cell.answers) if m), None
    )
    if magic:
        return f" Its cell begins with {magic[1]}, and defines nothing here."
    scopes = (sources.enclosing(cell.source, exercise.name) for cell in exercise.cells if cell.answers)
    scope = next(filter(None, scopes), None)
    if scope:
        return f" It stands inside {scope}: begin its def at the left margin."
    names = _functions(exercise)[:3]
    foreign = " ".join(filter(None, map(words.foreign_letters, names)))
    return f" Its cell defines {', '.join(names)}. {foreign}".rstrip() if names else ""


def _beside(exercise):
    """The functions that stand in the cell of a gap, or ""."""
    names = [name for name in _functions(exercise) if name != exercise.name]
    return f". Its cell defines {', '.join(names[:3])}: the check calls {exercise.name}" if names else ""


def _replaced(exercise):
    """What of NumPy's an exercise's cells replace, or ""."""
    names = filter(None, (sources.replaced(cell.source) for cell in exercise.cells if not cell.provided))
    return next((f". The code replaces {name}, and the check needs NumPy's own" for name in names), "")


def _functions(exercise):
    """The functions that an exercise's cells define in the place of its answer."""
    return sorted(set().union(*(sources.functions(cell.source) for cell in exercise.cells if cell.answers)))


def _explained(failure, exercise, unmade):
    """A failure, with what a missing name and the grader's surroundings have to do with it."""
    missing = re.search(r"NameError: name '(\w+)' is not defined", failure.message)
    if missing and " is written with " not in failure.message:  # then the check has said why
        failure.message += _why_missing(exercise, missing[1], unmade)
    if failure.verdict == "crashed":
        sentence, failure.review = difference(failure.message)
        failure.message += f" ({sentence})" if sentence else ""
    return failure
