"""How often an exercise is tried, and after what: no other answer, no machine may be to blame."""

from collections.abc import Callable
from typing import NamedTuple

from rnnlib.grading.comparison import NO_VALUES, OTHER_VALUES
from rnnlib.grading.kernel import BUSY
from rnnlib.grading.verdicts import LabFailed


class Attempt(NamedTuple):
    """One attempt at an exercise: what runs before its cells, and when it is made.

    Attributes:
        own: of an earlier exercise: whether the student's answer to it runs, or the solution's.
        due: of the failure so far, the earlier exercises, and this one: whether this attempt is made.
        counts: of the failure so far, and a new one: whether the new one takes its place.
        apart: whether it has a kernel of its own.
        restore: whether the solution's earlier answers run once more after the exercise's cells,
            one of which may hold several answers.
        without: whether a cell that the student added, and that came to no end, is left out.
        alone: whether of the student's code that alone runs which makes the function.
        mended: whether the solution's answer runs after an earlier one that was wrong.
    """

    own: Callable
    due: Callable
    counts: Callable
    apart: bool = True
    restore: bool = False
    without: bool = False
    alone: bool = False
    mended: bool = True


def _perhaps_passed_elsewhere(failure):
    """Whether an exercise may pass on the student's computer; an unknown magic fails there, too."""
    return (
        failure.verdict in ("timed out", "regrade")
        or (failure.review and "UsageError" not in failure.message)
        or failure.message.startswith((OTHER_VALUES, NO_VALUES))
    )


def _may_wait_for(before, failure):
    """Whether an earlier answer that passed, and is slow, may be why an exercise took too long."""
    return failure.added is None and any(passed is None for passed in before.values())


WITHOUT_EXPERIMENT = Attempt(  # one beside the answer came to no end, or ended the kernel
    own=lambda earlier: not earlier.review,
    due=lambda failure, before, exercise: failure.added in exercise.cells,
    counts=lambda failure, new: new.verdict in ("wrong", "unfilled") or new.added is not None,
    without=True,
)

# The attempts at an exercise, in order. The first that passes is a pass.
ATTEMPTS = (
    Attempt(  # after the student's own code, where no person must look at that
        own=lambda earlier: not earlier.review,
        due=lambda failure, before, exercise: True,
        counts=lambda failure, new: True,
        apart=False,
    ),
    Attempt(  # the same once more: the machine may be to blame, and the answer need the student's own code
        own=lambda earlier: not earlier.review,
        due=lambda failure, before, exercise: (
            (failure.verdict in ("regrade", "kernel died") or BUSY in failure.message)
            and failure.added is None
            and not isinstance(failure, LabFailed)
        ),
        counts=lambda failure, new: True,
    ),
    AFTER_SOLUTION := Attempt(  # other answers, or the machine, may be to blame
        own=lambda earlier: False,
        due=lambda failure, before, exercise: (
            failure.verdict == "kernel died"
            or (before and failure.verdict not in ("unfilled", "timed out"))
            or (failure.verdict == "timed out" and _may_wait_for(before, failure))
        ),
        counts=lambda failure, new: (
            new.verdict == "unfilled" or failure.verdict in ("regrade", "kernel died")
        ),
        restore=True,
    ),
    Attempt(  # it may need what a person must look at; then it is marked, too
        own=lambda earlier: True,
        due=lambda failure, before, exercise: failure.verdict != "unfilled" and any(e.review for e in before),
        counts=lambda failure, new: False,
    ),
    *[WITHOUT_EXPERIMENT] * 3,
    Attempt(  # it may fit the student's own function, which is wrong in itself: called or returned otherwise
        own=lambda earlier: not earlier.review,
        due=lambda failure, before, exercise: (
            failure.verdict in ("wrong", "crashed")
            and any(
                failed and failed.verdict in ("wrong", "crashed") and exercise.names(earlier.name)
                for earlier, failed in before.items()
            )
        ),
        counts=lambda failure, new: False,
        mended=False,
    ),
    Attempt(  # it may have passed elsewhere, and code beside it may need more than there is here
        own=lambda earlier: False,
        due=lambda failure, before, exercise: (
            _perhaps_passed_elsewhere(failure)
            and failure.added is None  # else it is the last of too many, and is told
            and exercise.alone() is not None
        ),
        counts=lambda failure, new: False,
        restore=True,
        alone=True,
    ),
)
