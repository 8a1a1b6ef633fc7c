"""Errors that tell of the grader's surroundings, and cells that Python cannot read, in words."""

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlib.grading import syntax
from rnnlib.grading.comparison import error_text
from rnnlib.grading.surroundings import difference


@pytest.mark.parametrize(
    ("message", "sentence", "mark"),
    [
        ("ModuleNotFoundError: No module named 'seaborn_'", "the grader has no module seaborn_: the", True),
        ("f stopped with ModuleNotFoundError: No module named 'my.helpers' in", "no module my.helpers", True),
        ("ModuleNotFoundError: No module named 'google.colab'", "there in Google Colab alone", True),
        ("ModuleNotFoundError: No module named 'google'", "there in Google Colab alone", True),
        ("ModuleNotFoundError: No module named 'this'", "has no this", True),
        ("ModuleNotFoundError: No module named 'numpy.nix'", f"the grader has numpy {np.__version__}", False),
        ("ImportError: cannot import name 'nix' from 'numpy' (x.py)", f"has numpy {np.__version__}", False),
        ("ImportError: cannot import name 'nix' from 'sklearn.svm' (x.py)", "has sklearn 1.", False),
        ("AttributeError: module 'numpy' has no attribute 'tahn'", f"has numpy {np.__version__}", False),
        ("FileNotFoundError: [Errno 2] No such file or directory: 'a b.csv'", "has no file a b.csv", True),
        ("AttributeError: module 'numpy' has no attribute 'float'. `np.float` was", "has numpy", True),
        ("AttributeError: module 'numpy' has no attribute 'trapz'", "has numpy", True),
        ("AttributeError: `np.float_` was removed in the NumPy 2.0 release. Use", "has numpy", True),
        ("FileNotFoundError: a.csv not found.", "has no file a.csv", True),
        ("OSError: [Errno 30] Read-only file system: '/content/a'", "own folder alone", True),
        ("URLError: <urlopen error [Errno -3] Temporary failure in name resolution>", "no network", True),
        ("gaierror: [Errno -2] Name or service not known", "no network", True),
        ("StdinNotImplementedError: raw_input was called, but", "nobody types", True),
        ("UsageError: Line magic function `%tensorflow_version` not found.", "IPython's magics", True),
        ("UsageError: Line magic function `%%time` not found.", "%%time counts in the first line", False),
        ("UsageError: Cell magic `%%tiem` not found.", "IPython's magics", True),
        ("ImportError: Cannot load backend 'TkAgg' which requires the 'tk'", "no screen", True),
        ("AssertionError: Torch not compiled with CUDA enabled", "no GPU", True),
        ("RuntimeError: Found no NVIDIA driver on your system", "no GPU", True),
        ("MemoryError: Unable to allocate 745. GiB", "bounds the memory", False),
    ],
)
def test_a_difference_is_said_and_marked(message, sentence, mark):
    words, reason = difference(message)
    assert sentence in words
    assert bool(reason) == mark


@pytest.mark.parametrize(
    "message",
    [
        "ZeroDivisionError: division by zero",
        "NameError: name 'torch' is not defined",
        "ModuleNotFoundError: No module named 'rnnlib.layers'",
        "AttributeError: module 'helpers' has no attribute 'f'",
        "AttributeError: 'list' object has no attribute 'shape'",
        "SyntaxError on Python 3.11: invalid syntax in line 1",
        "",
    ],
)
def test_other_errors_are_the_students(message):
    assert difference(message) == ("", "")


def error_of(source):
    try:
        compile(source, "123.py", "exec")
    except (SyntaxError, ValueError) as error:
        lineno = getattr(error, "lineno", None)
        place = f" (123.py, line {lineno})" if lineno else " (<string>)"
        return type(error).__name__, getattr(error, "msg", str(error)) + place
    raise AssertionError("this Python reads it")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (
            "x = 1\nx = “a”",
            "invalid character '“' (U+201C) in line 2: it was pasted, it seems; type \" instead",
        ),
        ("x = ‘a’", "type ' instead"),
        ("x = 3 − 1", "(U+2212) in line 1: it was pasted, it seems; type - instead"),
        ("x = 3 – 1", "type - instead"),
        ("x = 3 × 2", "type * instead"),
        ("x ≤ 2", "type <= instead"),
        ("f（x)", "type ( instead"),
        ("x\u00a0= 1", "U+00A0 in line 1: it looks like a space, and was pasted; type a space instead"),
        ("x =\u202f1", "type a space instead"),
        ("x =\u30001", "type a space instead"),
        ("x = 1\u200b", "U+200B in line 1: it cannot be seen, and was pasted; delete it"),
        ("x = 1\u200f", "delete it"),
        ("x = \ufeff1", "delete it"),
        ("x = 1 € 2", "invalid character '€' (U+20AC) in line 1"),
        ("x = \ufffd", "invalid character"),
        ("if 1:\n\tx = 1\n        y = 1", f"TabError on {syntax.HERE}: inconsistent use of tabs"),
        ("def f():\nreturn 1", f"IndentationError on {syntax.HERE}: expected an indented block"),
        ("x = (1", "'(' was never closed in line 1"),
        ("```python\nx = 1\n```", "in line 1: the marks ``` were pasted with the code; delete this line"),
        ("x = 1\n<<<<<<< HEAD\ny = 1\n=======\ny = 2\n>>>>>>> b", "git's conflict marks (<<<<<<<) stand in"),
        ("if x &gt; 1:\n    pass", ": &gt; was pasted from a web page, it seems; type > instead"),
        ("x = [&quot;a&quot;]", '&quot; was pasted from a web page, it seems; type " instead'),
        ("LEGEND = 'a &lt; b'\nif x > 1\n    pass", "expected ':' in line 2: \"if x > 1\""),
        ("x =&nbsp;1", "&nbsp; was pasted from a web page, it seems; type a space instead"),
        ("Sure! Here it is:\nx = 1", 'in line 1: "Sure! Here it is:"'),
        ("x = 1 +" + " + x" * 200 + " +", 'in line 1: "x = 1 + + x + x'),
        ("x = (1 &lt;\n     2)\ny = x &lt; 1 else", "&lt; was pasted"),
        ("x = 1\n=======\ny = 2\n>>>>>>> 1a2b3c", "keep one of the two versions"),
    ],
)
def test_what_python_cannot_read_is_told_with_what_to_type(source, words):
    line = syntax.explained(*error_of(source), source)
    assert words in line
    assert ".py" not in line
    assert "reads it" not in line


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("%time x = 1\ny = (1,\n", "'(' was never closed in line 2"),
        ("def f():\n    x = [1,\n    return x\n", "'[' was never closed in line 2"),
        ('x = """a\n', "unterminated triple-quoted string literal"),
        ("if True:", "expected an indented block"),
    ],
)
def test_what_is_not_complete_is_told_as_python_tells_it(source, words):
    """IPython says "incomplete input", in the line below the last."""
    line = syntax.explained("SyntaxError", "incomplete input (123.py, line 9)", source)
    assert words in line
    assert "incomplete" not in line
    assert "incomplete input in line 9" in syntax.explained(
        "SyntaxError", "incomplete input (1.py, line 9)", "x"
    )


@pytest.mark.parametrize("name", ["ValueError", "SyntaxError"])
def test_a_giant_error_is_told_at_once(name):
    """A kernel sends up to eight megabytes, on which a pattern would run for hours."""
    line = error_text({"ename": name, "evalue": " (" + "/" * 2_000_000}, "f'{" + "'" * 2_000_000)
    assert line.startswith(name)
    assert len(line) < 3000
    line = error_text({"ename": name, "evalue": "x (1.py, line 1)"}, "f'{" + "'" * 2_000_000)
    assert line.startswith(name)


def test_a_null_byte_is_told():
    text = "source code string cannot contain null bytes (<string>)"
    assert "it cannot be seen; write the cell again" in syntax.explained("SyntaxError", text, "x\0")


@pytest.mark.parametrize(
    ("source", "version"),
    [
        ("type X = int", (3, 12)),
        ("type X[T] = list[T]", (3, 12)),
        ("def f[T](x: T) -> T:\n    return x", (3, 12)),
        ("class A[T]:\n    pass", (3, 12)),
        ('x = f"{d["a"]}"', (3, 12)),
        ("x = f'{', '.join(y)}'", (3, 12)),
        ("x = f\"{'\\n'.join(y)}\"", (3, 12)),
        ("try:\n    pass\nexcept A, B:\n    pass", (3, 14)),
        ('x = t"{a}"', (3, 14)),
        ("try:\n    pass\nexcept* A:\n    pass", (3, 11)),
    ],
)
def test_newer_syntax_is_told_and_marked(source, version):
    if sys.version_info >= version:
        assert compile(source, "cell", "exec")
        return
    line = syntax.explained(*error_of(source), source)
    assert line.startswith(f"SyntaxError on {syntax.HERE}: ")
    assert line.endswith(f"Python {version[0]}.{version[1]} reads it")
    assert difference(line) == ("", f"the grader lacks Python {version[0]}.{version[1]}")


@pytest.mark.parametrize(
    "source", ['x = f"{y"', "x = f'{y' + f'{z}'", "type = = 3", "except A:", "def f[0", "x = (1", "first 'x'"]
)
def test_what_no_python_reads_is_not_said_to_be_new(source):
    assert "reads it" not in syntax.explained(*error_of(source), source)


@given(st.sampled_from(["SyntaxError", "TabError"]), st.text(), st.text(), st.integers(0, 10**9))
def test_any_text_can_be_explained(name, text, source, line):
    """Both come from a kernel in which a stranger's code runs."""
    for message in (
        text,
        f"{text} (a.py, line {line})",
        f"invalid character '{text}' (U+{line % 0x110000:04X})",
    ):
        explained = syntax.explained(name, message, source)
        assert explained.startswith(f"{name} on Python ")
        assert all(isinstance(part, str) for part in difference(explained))


@given(st.text("abc._ /'\"-:", max_size=30))
def test_any_name_can_be_looked_for(name):
    for message in (
        f"No module named '{name}'",
        f"module 'numpy' has no attribute '{name}'",
        f"directory: '{name}'",
    ):
        assert all(isinstance(part, str) for part in difference(message))
