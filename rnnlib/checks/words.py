"""Sentences about what went wrong: where a value is wrong, how it differs, why a call stopped."""

import ast
import dis
import inspect
import re
import textwrap
import unicodedata
from types import CodeType, FunctionType

import numpy as np

from rnnlib.checks.calls import text_of

#: What a letter of a shape counts.
COUNTS = {"B": "sample", "T": "step", "D": "feature", "H": "unit", "E": "channel", "N": "state number"}

#: What NumPy had once, and what does the same today.
FORMER = {name: name for name in ("float", "int", "bool", "object", "str", "complex")} | {
    "trapz": "np.trapezoid",
    "in1d": "np.isin",
    "row_stack": "np.vstack",
    "product": "np.prod",
    "cumproduct": "np.cumprod",
    "alltrue": "np.all",
    "sometrue": "np.any",
}
NUMPY_ALONE = "These exercises are written with NumPy alone."

NO_MATRIX = "There is no matrix here: ⊙ is *, entry by entry."

#: What library functions do that sound as if they did the exercise.
LIBRARIES = {
    "torch": NUMPY_ALONE,
    "jax": NUMPY_ALONE,
    "tensorflow": NUMPY_ALONE,
    "gradient": "np.gradient takes differences along an array of samples: it does not call f.",
    "vectorize": "np.vectorize hands over one number at a time, not an array.",
    "approx_fprime": "scipy's approx_fprime takes vectors alone, and its difference is one-sided.",
}


def is_axis(name):
    """Whether a name is that of an axis: T, or B."""
    return len(name) == 1 and name.isupper()


def axes(letters):
    """The letters of a shape: "B, H" -> ["B", "H"]."""
    return [letter for letter in re.split(r"[,\s]+", letters) if letter]


def place(wrong, letters):
    """Where some samples, steps or units are right: " Step 1 is right, steps 2 to 5 are not."."""
    names = axes(letters)
    if len(names) != wrong.ndim or wrong.all():
        return ""
    for letter in sorted(names, key="TBEHND".find):
        axis = names.index(letter)
        along = wrong.any(axis=tuple(a for a in range(wrong.ndim) if a != axis))
        if letter in COUNTS and along.any() and not along.all():
            right, wrong = (_listed(COUNTS[letter], np.flatnonzero(mask) + 1) for mask in (~along, along))
            return f" {right[0].upper()}{right[1:]} right, {wrong} not."
    return ""


def _listed(noun, numbers):
    """ "step 1 is", "steps 2 to 5 are", "steps 1 and 3 are"."""
    if len(numbers) == 1:
        return f"{noun} {numbers[0]} is"
    runs = np.split(numbers, np.flatnonzero(np.diff(numbers) > 1) + 1)
    words = [str(run[0]) if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs]
    listed = words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
    return f"{noun}s {listed} are"


def relation(value, right, letters, close):
    """How a wrong array differs from the right one, in a sentence, or ""."""
    names = axes(letters)
    if not value.any():
        return "All entries are 0: was anything stored?"
    if close(-value, right):
        return "Every entry has the wrong sign."
    if value.ndim == 2 and value.shape[0] == value.shape[1] > 1 and close(value.T, right):
        return "It stands transposed."
    if "T" in names and len(names) == value.ndim:
        axis = names.index("T")
        steps = np.moveaxis(value, axis, 0)
        if len(steps) > 1 and close(np.moveaxis(steps[::-1], 0, axis), right):
            return "The steps stand in the reverse order."
        empty = [t + 1 for t, step in enumerate(steps) if not step.any()]
        if empty and len(empty) < len(steps):
            return f"{_listed('step', np.array(empty)).capitalize()} 0: nothing was stored there."
    if np.allclose(value, right, rtol=1e-3, atol=1e-3 * np.abs(right).max()):
        return "The first digits are right: was something rounded, or added, on the way?"
    with np.errstate(all="ignore"):
        factor = np.median(value / right)
    if value.size > 1 and np.isfinite(factor) and factor and close(value / factor, right):
        return f"Every entry is {factor:.4g} times what it should be."
    if value.size > 3 and close(np.sort(value, axis=None), np.sort(right, axis=None)):
        return "The values are right, but stand elsewhere: was something reshaped that should be transposed?"
    return ""


def about_shape(shape, right, letters, lengths):
    """What a wrong shape tells, in a sentence, or "".

    Args:
        shape: the wrong one.
        right: the one that it should be.
        letters: of the right one.
        lengths: how long the axes are, by letter, as far as known.
    """
    if not shape:
        return "It is a single number."
    names = axes(letters)
    if len(names) == len(right):
        about = _about_axes(shape, right, names, lengths)
        if about:
            return about
    return "It has as many entries: only the axes differ." if np.prod(shape) == np.prod(right) else ""


def _about_axes(shape, right, names, lengths):
    if sorted(shape) == sorted(right) and len(set(right)) == len(right):
        order = ", ".join(names[right.index(n)] for n in shape)
        return f"Its axes stand in another order: yours is ({order})."
    if len(shape) == len(right) + 1 and 1 in shape:
        return "It has an axis of length 1 too many: keepdims, or None in an index?"
    if len(shape) > len(right):
        many = "an axis" if len(shape) == len(right) + 1 else f"{len(shape) - len(right)} axes"
        return f"It has {many} too many: over what should be summed?"
    if len(shape) < len(right):
        missing = [name for name, n in zip(names, right, strict=True) if n not in shape]
        return f"The axis {missing[0]} is missing." if missing else ""
    differ = [i for i, (a, b) in enumerate(zip(shape, right, strict=True)) if a != b]
    if len(differ) > 1:
        return ""
    (i,) = differ
    steps = shape[i] - right[i]
    if names[i] == "T" and abs(steps) == 1:
        return f"One step too {'many' if steps > 0 else 'few'}: one state for each input, h0 not counted."
    others = [letter for letter, n in lengths.items() if n == shape[i]]
    if len(others) == 1:
        return f"Where {names[i]} should be, yours has {others[0]}: along which axis did you go, or sum?"
    return ""


def call_line(name, parameters):
    """How the check calls the function."""
    return f"{name}({', '.join(parameters)})"


def other_order(function, name, parameters):
    """What to say of arguments that stand in another order, or are too few or too many; or ""."""
    try:
        own = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # a built-in function
        return ""
    if any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in own):
        return ""
    names = [p.name for p in own]
    if names != parameters and set(names) == set(parameters):
        return f"Its arguments stand in another order: the check calls {call_line(name, parameters)}."
    needed = [p for p in own if p.default is p.empty]
    if not len(needed) <= len(parameters) <= len(own):
        count = f"{len(own)} argument{'s' * (len(own) != 1)}"
        return f"It takes {count}, but the check calls {call_line(name, parameters)}."
    return ""


def raise_stands_above(function):
    """Whether a raise at the function's top level has an answer below it, which is never reached."""
    try:
        (definition,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
        body = definition.body
    except (OSError, TypeError, SyntaxError, ValueError, AttributeError):
        return False
    return any(isinstance(line, ast.Raise) for line in body[:-1])


def outer_values(function, kinds):
    """Names of values of some kinds that a function reads from outside, in the order of its code."""
    scope = getattr(function, "__globals__", {})
    return [name for name in names_read(function) if isinstance(scope.get(name), kinds)]


def about_library(function):
    """What a library's function does that the answer calls, or ""."""
    code = getattr(function, "__code__", None)
    return next((LIBRARIES[name] for name in getattr(code, "co_names", ()) if name in LIBRARIES), "")


def about_async(function):
    """What async does to the answer, or ""."""
    is_async = inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)
    return "async def returns something to wait for, no result: write def." if is_async else ""


def names_read(function):
    """Names that a function, its comprehensions and inner functions read from outside."""
    return list(dict.fromkeys(_names(function.__code__))) if isinstance(function, FunctionType) else []


def _names(code):
    yield from (line.argval for line in dis.get_instructions(code) if line.opname == "LOAD_GLOBAL")
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def foreign_letters(name):
    """The letters of a name that are easily taken for those of a keyboard, by their Unicode names; or ""."""
    foreign = dict.fromkeys(letter for letter in name if not letter.isascii())
    called = ", ".join(unicodedata.name(letter, f"U+{ord(letter):04X}") for letter in foreign)
    return f"{name} is written with {called}." if called else ""


def about_look_alike(function, parameters, name):
    """How a function writes the parameter in the place of ``name``, if with other letters; or ""."""
    code = getattr(function, "__code__", None)
    own = code.co_varnames[: code.co_argcount] if code else ()
    foreign = foreign_letters(dict(zip(parameters, own, strict=False)).get(name, ""))
    return f"The parameter {foreign}" if foreign else ""


def shapes(parameters, case):
    """The shapes of the arrays that a call was given, or ""."""
    given = dict(zip(parameters, case, strict=False))
    arrays = [f"{name} {array.shape}" for name, array in _arrays(given)]
    return f"Shapes here: {', '.join(arrays)}." if arrays else ""


def nested(returns):
    """The names of results as they are returned: "y_t, (conv, h)"."""
    return ", ".join(
        f"({nested(letters)})" if isinstance(letters, dict) else name for name, letters in returns.items()
    )


def about_key(error, parameters, case):
    """Which keys a dict has, for a KeyError; or ""."""
    dicts = {name: value for name, value in zip(parameters, case, strict=False) if isinstance(value, dict)}
    if not isinstance(error, KeyError) or not dicts:
        return ""
    name, value = next(iter(dicts.items()))
    return f"{name} holds {', '.join(map(str, value))}."


def _arrays(given):
    """Pairs of a name and an array, out of dicts and tuples, too: w["skip"], state[0]."""
    for name, value in given.items():
        if isinstance(value, np.ndarray):
            yield name, value
        elif isinstance(value, dict):
            yield from _arrays({f'{name}["{key}"]': part for key, part in value.items()})
        elif isinstance(value, tuple):
            yield from _arrays({f"{name}[{i}]": part for i, part in enumerate(value)})


def _about_axes_of(text):
    """What the two shapes in NumPy's message lack, to be multiplied entry by entry, or ""."""
    shapes = [shape.split(",") for shape in re.findall(r"\(([\d,]+)\)", text)]
    if len(shapes) != 2:
        return ""
    if len(shapes[0]) != len(shapes[1]):
        return (
            "Axes are matched from the last one: one of the two lacks one. At which place does None add it?"
        )
    for pair in zip(*map(reversed, shapes), strict=True):
        if pair[0] != pair[1] and "1" not in pair:
            return (
                f"Axes are matched from the last one, and {pair[0]} meets {pair[1]}: which letters are these?"
            )
    return ""


def about_error(error, line, parameters, titles):
    """A question about a familiar error, or "".

    Args:
        error: the exception.
        line: where the student's code failed.
        parameters: names of the exercise's arguments.
        titles: of the lab's exercises, by name.
    """
    text = text_of(error)
    matrices = any(name.lower().startswith("w") for name in parameters)
    if isinstance(error, ValueError) and "broadcast" in text and "*" in line and "@" not in line:
        named = matrices and "w" not in parameters  # w is a dict: it says nothing of the line
        return "* multiplies entry by entry: a matrix product is @." if named else _about_axes_of(text)
    if isinstance(error, ValueError) and "broadcast" in text and "@" in line and not matrices:
        four_axes = re.search(r"\d+,\d+,\d+,\d+", text)  # there a product of matrices may be right
        return _about_axes_of(text) if four_axes else NO_MATRIX
    if isinstance(error, TypeError) and ("bitwise_xor" in text or "for ^" in text):
        return "^ is no power in Python: write **."
    if isinstance(error, ValueError) and (
        "@ do not fit" in line or "matmul" in text or "not aligned" in text
    ):
        if not matrices:
            return NO_MATRIX
        return "Which axis do both arrays share? Write the shapes beside them."
    if isinstance(error, ValueError) and "equal division" in text:
        return "Into equal parts goes only what divides: np.split(x, [2, 5]) cuts at places."
    if isinstance(error, IndexError) and (
        more := re.search(r"array is (\d)-dimensional, but (\d) were", text)
    ):
        return (
            f"This array has {more[1]} axes, and {more[2]} are indexed: which one does it lack? None "
            "adds one."
        )
    if isinstance(error, ValueError) and "same number of dimensions" in text:
        return "One of the arrays that are joined lacks an axis: an index None adds one, as in h[:, None]."
    if isinstance(error, ValueError) and "cannot reshape" in text:
        return "reshape needs lengths that divide: what becomes of an odd one?"
    if isinstance(error, ZeroDivisionError):
        return "In this case what you divide by is 0: what should happen then?"
    if isinstance(error, ValueError) and "inhomogeneous" in text:
        return "Arrays of different shapes do not make one array: take them one after the other."
    if isinstance(error, IndexError) and "size 0" in text:
        return "There is nothing left to read: when does it stop?"
    if isinstance(error, IndexError) and "tuple index" in text and "shape[" in line:
        return "This array has fewer axes: what works for an array of any shape?"
    if isinstance(error, IndexError) and (past := re.search(r"index (\d+) is out of .* size (\d+)", text)):
        last = int(past[2]) - 1
        if last < 0 or int(past[1]) <= last:
            return ""
        axis = re.search(r"for axis (\d+)", text)
        meant = f" Is axis {axis[1]} the one that you mean?" if axis else ""
        return f"Indices count from 0: the last one is {last}.{meant}"
    if isinstance(error, ValueError) and "truth value of an array" in text:
        return "An if decides once, for the whole array: np.where, or a mask, decides for each entry."
    if isinstance(error, ValueError) and (few := re.search(r"too many values .*expected (\d+)", text)):
        return f"On the left stand {few[1]} names, and more results come from the right."
    if isinstance(error, ValueError) and (many := re.search(r"not enough values .*(\d+), got (\d+)", text)):
        return f"On the left stand {many[1]} names, and {many[2]} come from the right."
    if isinstance(error, ValueError) and (
        into := re.search(r"input array from shape (.*) into shape (.*)", text)
    ):
        return (
            f"What is stored has the shape {into[1]}, the place for it {into[2]}: which letters are its axes?"
        )
    if isinstance(error, TypeError) and (
        missing := re.search(r"(\w+)\(\) missing .* argument.*?: (.*)", text)
    ):
        return f"{missing[1]} needs {missing[2]} as well."
    if isinstance(error, TypeError) and "unhashable type" in text:
        if "slice" in text:
            return 'This is a dict: it takes a key, such as ["b"], and no slice.'
        return "An array, or a list, cannot be a key of a dict, or an argument of a function under @cache."
    if isinstance(error, OverflowError):
        return "This number is too large for a computer: is there a way round computing it?"
    if isinstance(error, AttributeError) and (
        missing := re.search(r"module 'numpy' has no attribute '(\w+)'", text)
    ):
        if missing[1] in FORMER:
            return f"NumPy has no {missing[1]} any more: {FORMER[missing[1]]} does the same."
        return f"NumPy has no function {missing[1]}: which of its functions make it?"
    if isinstance(error, AttributeError) and "unsqueeze" in text:
        return "unsqueeze is PyTorch's: in NumPy an index None, as in [..., None], adds an axis."
    if isinstance(error, TypeError) and "converted to Python scalars" in text:
        return "The functions of math take one number; np has the same for arrays."
    if type(error).__module__.startswith("torch") or "Tensor" in text:
        return NUMPY_ALONE
    if isinstance(error, NameError):
        name = getattr(error, "name", None) or ""
        gets = f"The function gets {', '.join(parameters) or 'no arguments'}."
        if not parameters and len(name) == 1:
            return f'A letter stands in quotes: "{name}".'
        if name in titles:
            return f"Run the cell of {titles[name]} first: it makes {name}."
        if name in COUNTS:
            return f"{name} is no argument: read it from a shape, such as {parameters[0]}.shape."
        if not name.isascii():
            return f"{foreign_letters(name)} {gets}"
        return f"Which argument is {name}? {gets}" if parameters else f"What is {name}? {gets}"
    return ""
