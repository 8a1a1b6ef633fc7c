"""The table that tells what happens to a notebook, against the code."""

import importlib
import re

import pytest

from rnnlib import grading
from rnnlib.grading import process
from rnnlib.grading.attempts import ATTEMPTS

STEPS = re.findall(r"^(\w+) +``([\w.]+)\.(\w+)`` ", grading.__doc__, re.MULTILINE)


@pytest.mark.parametrize(("step", "module", "name"), STEPS)
def test_each_step_is_where_the_table_says(step, module, name):
    assert hasattr(importlib.import_module(f"rnnlib.grading.{module}"), name)


def test_the_table_can_be_read_at_a_glance():
    first, last = (grading.__doc__.index(name) for name in ("``submission.find``", "``report.row_of``"))
    assert len(STEPS) >= 10
    assert grading.__doc__[first:last].count("\n") < 20


def test_the_last_resort_allows_for_every_attempt():
    assert process.MOST_ATTEMPTS == len(ATTEMPTS) + 2
