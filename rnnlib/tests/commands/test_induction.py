"""Induction: networks that learn it."""

import pytest


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "length"),
    [("lstm", 32), ("gru", 64), ("mamba", 32)],  # the slow ones on half the usual length
)
def test_a_network_finds_what_came_next(solve, model, length):
    solve("induction", model, length)
