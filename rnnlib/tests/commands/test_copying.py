"""Selective copying: networks that learn it."""

import pytest


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "length"),
    [("lstm", 16), ("gru", 64), ("min_gru", 32), ("mamba", 16)],  # the slow ones on shorter streams
)
def test_a_network_copies_what_matters(solve, model, length):
    solve("copying", model, length)
