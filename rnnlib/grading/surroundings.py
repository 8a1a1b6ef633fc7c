"""Where the grader's surroundings differ from a student's: which error tells of it, and what differs."""

import re
import sys
from importlib import metadata, util

from rnnlib.checks.words import FORMER

NOTEBOOK_ALONE = "the notebook alone is graded, with the course's packages"
LACKS = "the grader lacks"  # in the mark of an answer that may be right elsewhere
DISTRIBUTIONS = {"sklearn": "scikit-learn", "PIL": "pillow"}


def difference(message):
    """What the grader lacks, or has in another form, where a message tells of it.

    Args:
        message: an error as Python says it, among other words.

    Returns:
        (sentence, mark): both "" where there is no difference. The mark is for a person who decides
        whether the answer is to blame; a difference that the student, too, may have met has none.
    """
    for pattern, words in DIFFERENCES:
        match = re.search(pattern, message)
        if match:
            return words(*match.groups())
    return "", ""


def _no_module(name):
    top = name.split(".")[0]
    if top == "rnnlib":
        return "", ""
    if top in sys.stdlib_module_names:
        return f"the grader's Python {sys.version_info.major}.{sys.version_info.minor} has no {name}", _lacks(
            name
        )
    if name == "google" or name.startswith("google.colab"):
        return "google.colab is there in Google Colab alone, not in the grader", _lacks("google.colab")
    if name != top and _is_here(top):
        return _version(top)
    return f"the grader has no module {name}: {NOTEBOOK_ALONE}", _lacks(name)


def _is_here(module):
    try:
        return util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def _version(module):
    top = module.split(".")[0]
    try:
        return f"the grader has {top} {metadata.version(DISTRIBUTIONS.get(top, top))}", ""
    except (metadata.PackageNotFoundError, ValueError):  # the standard library's, or the student's own
        return "", ""


def _no_attribute(module, name):
    sentence, _ = _version("numpy" if module == "np" else module)
    former = module == "np" or (module == "numpy" and name in FORMER)
    return sentence, _lacks(f"np.{name}, which an older NumPy has") if former else ""


def _no_file(name):
    return f"the grader has no file {name}: the notebook alone is graded", _lacks(name)


def _lacks(what):
    return f"{LACKS} {what}"


def _says(sentence, lack=""):
    return lambda *_: (sentence, lack and _lacks(lack))


DIFFERENCES = [
    (r"No module named '([\w.]+)'", _no_module),
    (r"cannot import name '\w+' from '([\w.]+)'", _version),
    (r"module '([\w.]+)' has no attribute '(\w+)'", _no_attribute),
    (r"`(np)\.(\w+)` was removed", _no_attribute),
    (r"No such file or directory: b?'([^']+)'", _no_file),
    (r"FileNotFoundError: (\S+) not found", _no_file),
    (r"Read-only file system", _says("the grader lets code write into its own folder alone", "that folder")),
    (
        r"gaierror|URLError|name resolution|Name or service not known|Network is unreachable|Max retries",
        _says("the grader has no network", "a network"),
    ),
    (
        r"StdinNotImplementedError",
        _says(
            "while notebooks are graded, nobody types: input() and debuggers wait in vain",
            "somebody who types",
        ),
    ),
    (
        r"UsageError: Line magic function `(%%\S+?)` not found",
        lambda name: (f"{name} counts in the first line of a cell alone", ""),
    ),
    (
        r"UsageError: \w+ magic( function)? \S+ not found",
        _says("the grader has IPython's magics", "this magic"),
    ),
    (
        r"Cannot load backend|Failed to import any of the following Qt|TclError|no display|DISPLAY",
        _says("the grader has no screen for windows", "a screen"),
    ),
    (r"unsupported locale setting", _says("the grader has another locale", "this locale")),
    (r"is not a valid package style", _says("the grader has another matplotlib", "this style")),
    (r"\bCUDA\b|NVIDIA", _says("the grader has no GPU", "a GPU")),
    (r"MemoryError", _says("the grader bounds the memory, with --memory")),
    (r"on Python [\d.]+: .*\. (Python [\d.]+) reads it", lambda newer: ("", _lacks(newer))),
]
