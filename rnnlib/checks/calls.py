"""Calls of a student's function: with copies, watched, and not for ever."""

import inspect
import os
import re
import threading
import traceback
from contextlib import contextmanager
from copy import deepcopy
from ctypes import c_ulong, py_object, pythonapi
from dataclasses import dataclass

import numpy as np

# Parts of the file names of code that is not the student's.
LIBRARIES = ("site-packages", "dist-packages", "<__array", os.path.dirname(os.__file__))
LIBRARIES += (os.path.dirname(__file__),)  # functions that an exercise hands to the student's


class TooLong(BaseException):
    """The check's time is over. No Exception: a student's own except must not stop it."""


@dataclass
class Outcome:
    """What a call did."""

    value: object = None  # a copy, made at once
    returned: object = None  # the very object
    error: BaseException | None = None
    changed: tuple = ()  # for each argument, whether the call changed it


class Yielded(tuple):
    """What a generator hands out, one after the other."""


Yielded.__name__ = "generator"  # as messages call it


def call(function, case):
    """Call with copies, so that nothing that happens inside reaches the other calls."""
    case = tuple(case)
    arguments = [copied(argument) for argument in case]
    try:
        value = function(*arguments)
        if inspect.isgenerator(value):
            value = Yielded(value)
        elif isinstance(value, type({}.values())):
            value = tuple(value)
        elif inspect.iscoroutine(value):
            value.close()  # nobody waits for it
    except (Exception, SystemExit) as error:
        return Outcome(error=error)
    changed = tuple(not unchanged(before, after) for before, after in zip(case, arguments, strict=True))
    return Outcome(copied(value), value, changed=changed)


class Recording:
    """A function that keeps what it was called with, for an exercise whose answer calls it.

    Attributes:
        calls: a tuple of copied arguments for each call.
    """

    def __init__(self, function):
        self.function, self.calls = function, []

    def __call__(self, *arguments):
        self.calls.append(tuple(map(copied, arguments)))
        return self.function(*arguments)

    def __deepcopy__(self, memo):
        return self  # arguments are copied; this one is there to be read afterwards


def copied(value):
    """A deep copy; what cannot be copied, such as a function, is taken as it is."""
    if isinstance(value, np.ndarray):
        return value.copy(order="K")
    try:
        return deepcopy(value)
    except Exception:
        return value


def unchanged(before, after):
    """Whether an argument is what it was: an array, or a list, dict or tuple of them."""
    if isinstance(before, np.ndarray):
        # Moving an entry and back may cost its last digit; that is no change.
        return before.shape == np.shape(after) and np.allclose(before, after, rtol=1e-9, atol=1e-9)
    if isinstance(before, list | tuple):
        return len(before) == len(after) and all(map(unchanged, before, after))
    if isinstance(before, dict):
        return before.keys() == after.keys() and all(unchanged(before[key], after[key]) for key in before)
    return True  # a function, a number, a text; a Generator is there to be drawn from


@contextmanager
def limited(seconds):
    """Stop what runs inside after so many seconds with TooLong, as far as Python code can be stopped."""
    thread, raise_in = c_ulong(threading.get_ident()), pythonapi.PyThreadState_SetAsyncExc
    timer = threading.Timer(seconds, raise_in, (thread, py_object(TooLong)))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        raise_in(thread, None)  # it may be on its way


def line_of_error(error, name):
    """Where the student's code failed: the line of the exercise's own function, then the innermost other."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)[1:]
        if frame.line and not any(part in frame.filename for part in LIBRARIES)
    ]
    own = [frame for frame in frames if frame.name == name][-1:] or frames[:1]
    last = [frame for frame in frames[-1:] if frame not in own]
    places = [f"line {f.lineno} of {f.name}, {f.line.rstrip(':')}" for f in own + last]
    return f" in {', then '.join(places)}" if places else ""


def text_of(error):
    """What an exception says; "" if it cannot even say that."""
    try:
        return str(error)
    except BaseException:
        return ""


def one_line(error):
    """An exception as "ValueError: message" in one line of bounded length."""
    text = f"{type(error).__name__}: {text_of(error)}".strip().rstrip(":.")
    sizes = re.search(r"matmul: .*size (\d+) is different from (\d+)", text)
    sizes = sizes or re.search(r"shapes \(.*\) and \(.*\) not aligned: (\d+) .*!= (\d+)", text)
    if sizes:  # NumPy speaks of core dimensions and signatures
        first, second = (sizes[1], sizes[2]) if "not aligned" in text else (sizes[2], sizes[1])
        text = f"ValueError: the shapes on both sides of @ do not fit, {first} columns meet {second} rows"
    return " ".join(text.split())[:300]
