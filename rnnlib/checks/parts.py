"""A result taken apart: numbers and arrays by name, out of tuples, lists and dicts.

``returns`` names the parts, with their shapes in letters: ``{"h": "B, H"}``, several
``{"dx": "B, D", "db": "H"}``, nested ``{"y": "B, T, H", "state": {"h": "B, H", "c": "B, H"}}``. What is
a tuple and what a dict is as in the reference's result.
"""

import re
from typing import NamedTuple

import numpy as np

from rnnlib.checks.calls import Yielded


class Part(NamedTuple):
    """One number or array of a result."""

    name: str
    letters: str
    value: object
    right: object


class Misfit(Exception):
    """A result has other parts than it should; the text says so."""


def parts(value, right, returns, function):
    """The parts of a result beside those of the reference's.

    Args:
        value: the student's result.
        right: the reference's.
        returns: names and letters.
        function: its name, for the sentence.

    Raises:
        Misfit: the result is not made of these parts.
    """
    if len(returns) > 1:
        return _several(value, right, returns, f"{function} must return", "yours returned")
    ((name, letters),) = returns.items()
    if isinstance(letters, dict):
        return _several(value, right, letters, f"{name} must hold", "yours holds", name)
    if isinstance(value, Yielded):
        raise Misfit(
            f"{name} must be {_kind(right)}, yours is a generator: collect what it yields, and return it."
        )
    if isinstance(value, tuple):
        comma = len(value) == 1
        hint = "Is there a comma too many?" if comma else f"Return {name} alone, not {len(value)} results."
        raise Misfit(f"{name} must be {_kind(right)}, yours is of type tuple. {hint}")
    return [Part(name, letters, value, right)]


def _several(value, right, returns, must, yours, path=""):
    names = list(returns)
    if isinstance(right, dict):
        if not isinstance(value, dict):
            keys = ", ".join(map(repr, names))
            raise Misfit(f"{must} a dict with the keys {keys}, {yours} a {type(value).__name__}.")
        missing = [key for key in names if key not in value]
        if missing:
            raise Misfit(f"{must} {len(names)} results by name, {missing[0]!r} is missing.")
        value, right = [value[key] for key in names], [right[key] for key in names]
        labels = [f"{path}[{key!r}]" if path else key for key in names]
    else:
        if isinstance(value, np.ndarray) and all(
            not isinstance(part, tuple | dict) and np.ndim(part) == value.ndim - 1 for part in right
        ):
            value = list(value)  # results of one shape, stacked
        if not isinstance(value, tuple | list) or len(value) != len(names):
            got = len(value) if isinstance(value, tuple | list) else type(value).__name__
            raise Misfit(f"{must} {len(names)} results ({', '.join(names)}), {yours} {got}.")
        labels = [f"{path}: {name}" if path else name for name in names]
    found = []
    for label, name, part, target in zip(labels, names, value, right, strict=True):
        if isinstance(returns[name], dict):
            found += _several(part, target, returns[name], f"{label} must hold", "yours holds", label)
        else:
            found.append(Part(label, returns[name], part, target))
    return found


def as_array(part):
    """The part, with an array in the place of a list of numbers."""
    if not isinstance(part.value, list) or not isinstance(part.right, np.ndarray):
        return part
    try:
        return part._replace(value=np.array(part.value, dtype=float))
    except (TypeError, ValueError):
        return part


def _kind(right):
    return "a NumPy array" if isinstance(right, np.ndarray) else "a number"


def problem(part, tolerance, by_value=True):
    """One sentence about what is wrong with a part, and which entries are; (None, None) if nothing is.

    Args:
        part: the part.
        tolerance: how far a value may be off, as a part of its array's largest entry.
        by_value: whether there is one right value; else any of its kind and shape will do.
    """
    name, letters, value, right = part
    if isinstance(right, bool | np.bool_ | str):
        kind = str if isinstance(right, str) else bool | np.bool_
        if not isinstance(value, kind):
            wanted = "a text in quotes" if kind is str else "True or False"
            return f"{name} must be {wanted}, yours is of type {type(value).__name__}.", None
        right_or_any = value == right or not by_value
        return (None, None) if right_or_any else (f"{name} is {value}, it should be {right}.", None)
    if not isinstance(value, np.ndarray | np.generic | float | int) or isinstance(value, bool):
        hint = _about_a_list(name, letters, value, right)
        return f"{name} must be {_kind(right)}, yours is of type {type(value).__name__}.{hint}", None
    value, target = np.asarray(value), np.asarray(right)
    if value.shape != target.shape:
        named = f"({letters}) = " if re.search("[A-Za-z]", letters) else ""
        shape = f"{named}{target.shape}" if target.ndim else "a single number"
        return f"{name} has shape {value.shape}, it should be {shape}.", None
    whole = target.dtype.kind in "iu"
    if whole and by_value:
        wrong = value != target
    elif value.dtype.kind not in ("iu" if whole else "f" if by_value else "fiu"):
        kind = "whole" if whole else "floating-point"
        return f"{name} has dtype {value.dtype}, it should hold {kind} numbers.", None
    elif by_value and value.dtype.itemsize < target.dtype.itemsize:
        return f"{name} has dtype {value.dtype}, half the digits are lost: compute in {target.dtype}.", None
    elif not np.isfinite(value).all():
        i = tuple(np.argwhere(~np.isfinite(value))[0])
        finite = ", a finite number is asked for" if not by_value else ""
        return f"{name}{_index(i)} is {value[i]}{finite}.", None
    else:
        wrong = ~near(value, target, tolerance) & by_value
    if not wrong.any():
        return None, None
    i = tuple(np.argwhere(wrong)[0])
    share = f", {wrong.sum()} of {wrong.size} entries are wrong" if wrong.size > 1 else ""
    got, wanted = (f"{number:.6g}" for number in (value[i], target[i]))
    if got == wanted:
        got, wanted = (f"{number:.12g}" for number in (value[i], target[i]))
    return f"{name}{_index(i)} is {got}, it should be {wanted}{share}.", wrong


def _about_a_list(name, letters, value, right):
    if not isinstance(value, list) or not value or not isinstance(value[0], np.ndarray) or "T" not in letters:
        return ""
    axis = [letter.strip() for letter in letters.split(",")].index("T")
    if len(value) == right.shape[axis]:
        return f" np.stack({name}, axis={axis}) makes ({letters}) of {len(value)} arrays."
    return ""


def _index(i):
    return str([int(k) for k in i]) if i else ""


#: Of saturated units nothing but rounding is left: differences that small mean nothing.
ROUNDING = 1e-10


def near(value, right, tolerance):
    """Entry by entry: within ``tolerance`` of the array's largest entry, 100 times that in float32."""
    scale = np.abs(right).max(initial=0, where=np.isfinite(right)) or 1
    coarse = 100 if np.asarray(right).dtype == np.float32 else 1
    return (value == right) | (np.abs(value - right) <= coarse * (tolerance * scale + ROUNDING))


def same(a, b, tolerance):
    """Whether both are arrays of real numbers, equal in shape and, within rounding, in value."""
    try:
        a, b = np.asarray(a), np.asarray(b)
    except ValueError:  # a list of unequal lists
        return False
    if not (a.dtype.kind in "fiub" and b.dtype.kind in "fiub" and a.shape == b.shape):
        return False
    a, b = a.astype(float), b.astype(float)
    return bool((near(a, b, tolerance) | (np.isnan(a) & np.isnan(b))).all())


def evidence(pieces, most):
    """Parts as lists of numbers with six digits; a large array as that many sums with random factors.

    Args:
        pieces: list of ``Part``.
        most: how many numbers all parts together may have.
    """
    sizes = [np.size(part.value) for part in pieces]
    room = most if sum(sizes) <= most else most // len(pieces)
    return {part.name: _rounded(np.ravel(part.value), room) for part in pieces}


def _rounded(numbers, room):
    if numbers.dtype.kind == "U":
        return numbers.tolist()
    if len(numbers) > room:
        factors = np.random.default_rng(0).normal(size=(room, len(numbers)))
        numbers = factors @ numbers / np.sqrt(len(numbers))
    return [float(f"{v:.6g}") for v in numbers]
