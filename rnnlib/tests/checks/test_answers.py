"""Answers to the labs as people write them: wrong ones with the sentence that leads on, and right ones."""

import contextlib
import io
import json
import linecache
from pathlib import Path

import numpy as np
import pytest

from rnnlib.checks.exercise import EXERCISES
from rnnlib.checks.verdicts import CheckFailed
from rnnlib.grading import notebook
from rnnlib.tests.grading.submissions import ROOT

pytestmark = pytest.mark.slow


def answers(kind):
    """An item of each answer of a kind: the lab, and what the file says of it."""
    for path in sorted(Path(__file__).parent.glob("answers_*.json")):
        for item in json.loads(path.read_text(encoding="utf-8"))[kind]:
            lab = next(lab for lab in EXERCISES if lab.startswith(path.stem.removeprefix("answers_lab")))
            yield pytest.param(lab, item, id=f"{item['exercise']} {item['what'][:60]}")


def judged(lab, item):
    """Run an answer where the lab's other exercises are solved, and check it."""
    (solution,) = (ROOT / "labs_solutions").glob(f"{lab}.ipynb")
    exercise = next(e for e in EXERCISES[lab].values() if e.title.startswith(f"Exercise {item['exercise']} "))
    scope = {}
    with contextlib.redirect_stdout(io.StringIO()), np.errstate(all="ignore"):
        for cell in notebook.read(solution).cells:
            if cell.id == "setup" or notebook.role(cell) == "answer":
                exec(cell.source, scope)
        lines = item["code"].splitlines(keepends=True)
        linecache.cache["<answer>"] = len(item["code"]), None, lines, "<answer>"  # for the line of an error
        exec(compile(item["code"], "<answer>", "exec"), scope)
        return exercise(scope[exercise.name])


@pytest.mark.parametrize(("lab", "item"), list(answers("wrong")))
def test_a_wrong_answer_gets_its_sentence(lab, item):
    with pytest.raises(CheckFailed) as caught:
        judged(lab, item)
    assert item["says"] in str(caught.value)


@pytest.mark.parametrize(("lab", "item"), list(answers("right")))
def test_a_right_answer_passes_however_it_is_written(lab, item):
    assert judged(lab, item)
