"""Which mistake a wrong answer makes: the question that a check asks beside what it saw."""

from functools import partial

import numpy as np

from rnnlib.checks import words
from rnnlib.checks.calls import line_of_error, text_of
from rnnlib.checks.parts import Misfit, same


def question(exercise, answer, cases, outcome, right, found):
    """A question that leads on, or "".

    Args:
        exercise: an ``exercise.Exercise``.
        answer: the student's function.
        cases: argument tuples, the one that went wrong first.
        outcome: of the answer in that case.
        right: the reference's.
        found: sentence, part and wrong entries, as ``Exercise.first_problem`` returns them.
    """
    what, part, wrong = found
    known = words.other_order(answer, exercise.name, exercise.parameters) or _known(
        exercise, answer, cases, outcome, part
    )
    if isinstance(outcome.error, Misfit):
        return known
    if outcome.error is not None:
        return known or _about_a_crash(exercise, answer, cases[0], outcome.error)
    known = known or _about_order(exercise, what, outcome, right)
    numbers = part is not None and isinstance(part.value, np.ndarray | np.generic | float | int | bool | str)
    clue = exercise.clue_of(answer, cases[0]) if numbers or exercise.accept else ""
    guess = _guess(exercise, outcome, right, part, wrong)
    first, second = (guess, clue) if wrong is None else (clue, guess)  # a shape speaks for itself
    return (
        known
        or words.about_async(answer)
        or _about_changed(exercise, outcome)
        or _outer_values(exercise, answer)
        or words.about_library(answer)
        or first
        or second
    )


def _known(exercise, answer, cases, outcome, part):
    """The sentence of the misconception that goes wrong in the same way, or "".

    The one that equals the answer in all parts, else the one that equals it up to the first wrong
    part: a second mistake further down does not hide the first.
    """
    if exercise.accept is not None:
        return ""
    if part is None:
        for other, sentence in exercise.misconceptions:
            if _same_error(outcome.error, exercise.call(other, cases[0]).error):
                return sentence
        return ""
    rights = [exercise.call(exercise.reference, case) for case in cases]
    names = [piece.name for piece in exercise.pieces(rights[0].value)]
    own, alike = [outcome], ""
    for other, sentence in exercise.misconceptions:
        mistaken = [exercise.call(other, cases[0])]
        if _share(exercise, own[:1], mistaken, rights, part.name) != 1:
            continue
        own += [exercise.call(answer, case) for case in cases[len(own) :]]
        mistaken += [exercise.call(other, case) for case in cases[1:]]
        if _share(exercise, own, mistaken, rights, part.name) <= 0.5:
            continue
        shares = {name: _share(exercise, own, mistaken, rights, name) for name in names}
        if all(share in (1, None) for share in shares.values()):
            return sentence
        if all(shares[name] in (1, None) for name in names[: names.index(part.name)]):
            alike = alike or sentence
    return alike


def _share(exercise, own, mistaken, rights, name):
    """In which share of the cases that can tell a part equals the misconception's; None if none can."""
    equal = telling = 0
    for mine, other, right in zip(own, mistaken, rights, strict=False):
        mine, other, wanted = (_part(exercise, outcome, right, name) for outcome in (mine, other, right))
        close = partial(same, tolerance=exercise.tolerance)
        if other is None or (close(other, wanted) and close(mine, wanted)):
            continue
        if np.shape(other) != np.shape(wanted) == np.shape(mine):
            continue  # an edge case, such as T = 1
        telling += 1
        equal += mine is not None and close(mine, other)
    return equal / telling if telling else None


def _part(exercise, outcome, right, name):
    """The value of a part of a result, None if there is none."""
    try:
        pieces = exercise.pieces(outcome.value, right.value)
    except Misfit:
        return None
    return next(part.value for part in pieces if part.name == name)


def _same_error(a, b):
    return a is not None and type(a) is type(b) and text_of(a) == text_of(b)


def _about_changed(exercise, outcome):
    changed = [name for name, moved in zip(exercise.arguments, outcome.changed, strict=True) if moved]
    return f"The caller's {changed[0]} changes on the way: work on a copy." if changed else ""


def _outer_values(exercise, answer, kinds=np.ndarray | np.generic | float | int | list, named=str):
    names = [name for name in words.outer_values(answer, kinds) if named(name)]
    if not names:
        return ""
    hint = f"It reads {names[0]} from outside: what the check hands in is {', '.join(exercise.parameters)}."
    alike = (words.about_look_alike(answer, exercise.parameters, name) for name in names)
    return f"{hint} {next(filter(None, alike), '')}".rstrip()


def _about_a_crash(exercise, answer, case, error):
    line = line_of_error(error, exercise.name)
    about = (
        _outer_values(exercise, answer, np.ndarray | dict)
        or _outer_values(exercise, answer, int, words.is_axis)
        or words.about_library(answer)
        or words.about_key(error, exercise.arguments, case)
        or (isinstance(error, NameError) and words.about_look_alike(answer, exercise.parameters, error.name))
        or words.about_error(error, line, exercise.parameters, exercise.titles())
        or exercise.clue_of(answer, case)
        or _outer_values(exercise, answer)
    )
    return " ".join(filter(None, [about, words.shapes(exercise.arguments, case)]))


def _about_order(exercise, what, outcome, right):
    """Whether the results are right, but stand in each other's place."""
    if exercise.accept is not None or "dtype" in what:
        return ""
    try:
        pieces = exercise.pieces(outcome.value, right.value)
    except Misfit:
        return ""
    if len(pieces) > 1 and _permuted(pieces, exercise.tolerance):
        return f"The results stand in another order: return {words.nested(exercise.returns)}."
    return ""


def _guess(exercise, outcome, right, part, wrong):
    """A question that needs no misconception of this exercise, or ""."""
    if part is None or exercise.accept is not None:
        return ""
    pieces = exercise.pieces(outcome.value, right.value)
    if wrong is not None:
        value, target = np.asarray(part.value), np.asarray(part.right)
        return words.relation(value, target, part.letters, partial(same, tolerance=exercise.tolerance))
    if type(part.value).__module__.startswith("torch"):
        return words.NUMPY_ALONE
    shape = np.shape(part.right)
    if not isinstance(part.value, np.ndarray | np.generic) or np.shape(part.value) == shape:
        return ""
    lengths = {}
    for piece in pieces:
        letters = words.axes(piece.letters)
        if len(letters) == np.ndim(piece.right):
            lengths |= dict(zip(letters, np.shape(piece.right), strict=True))
    return words.about_shape(np.shape(part.value), shape, part.letters, lengths)


def _permuted(pieces, tolerance):
    """Whether every value is right for some name, and not each for its own."""
    if all(same(piece.value, piece.right, tolerance) for piece in pieces):
        return False
    targets = [piece.right for piece in pieces]
    for piece in pieces:
        hits = [i for i, target in enumerate(targets) if same(piece.value, target, tolerance)]
        if not hits:
            return False
        targets.pop(hits[0])
    return True
