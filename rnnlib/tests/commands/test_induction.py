"""Induction: networks that learn it."""

import pytest


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "length"),
    [("lstm", 16), ("gru", 64), ("mamba", 24)],  # the slow ones on shorter streams
)
def test_a_network_finds_what_came_next(solve, model, length):
    solve("induction", model, length)
