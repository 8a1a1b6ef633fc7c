"""Selective copying: networks that learn it."""

import pytest


@pytest.mark.slow
@pytest.mark.parametrize("model", ["lstm", "gru", "min_gru", "mamba"])
def test_a_network_copies_what_matters(solve, model):
    solve("copying", model)
