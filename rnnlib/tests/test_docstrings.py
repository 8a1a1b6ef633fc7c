"""The example in the docstring of everything that ``rnnlib`` exports, run as it stands there."""

import doctest
import sys

import pytest

import rnnlib
from rnnlib import interop
from rnnlib.models import gradcheck, influence

EXPORTS = [getattr(rnnlib, name) for name in rnnlib.__all__ if not name.startswith("__")]
EXPORTS += [interop.from_torch, interop.to_torch]
EXPORTS += [gradcheck.numerical_gradient, gradcheck.relative_error, gradcheck.check_layer]
EXPORTS += [influence.influence, influence.reach]


@pytest.mark.parametrize("export", EXPORTS, ids=lambda export: export.__name__)
def test_the_example_in_a_docstring_is_true(export):
    if export is rnnlib.OptimizedLSTM:
        pytest.importorskip("torch", reason="torch is not installed: pip install torch")
    names = vars(sys.modules[export.__module__]).copy()  # np, and the module's own
    (example,) = doctest.DocTestFinder(recurse=False).find(export, export.__name__, globs=names)
    report = []
    results = doctest.DocTestRunner().run(example, out=report.append)
    assert results.attempted > 0, f"{export.__name__} has no example (>>>) in its docstring"
    assert results.failed == 0, "".join(report)
