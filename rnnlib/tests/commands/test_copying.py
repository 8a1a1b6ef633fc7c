"""Selective copying: networks that learn it."""

import pytest


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "length"),
    [("lstm", 32), ("gru", 64), ("min_gru", 64), ("mamba", 32)],  # the slow ones on half the usual length
)
def test_a_network_copies_what_matters(solve, model, length):
    solve("copying", model, length)
