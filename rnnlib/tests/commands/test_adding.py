"""Adding: networks that learn it."""

import pytest


@pytest.mark.slow
@pytest.mark.parametrize("model", ["lstm", "gru", "min_gru"])
def test_a_network_adds(solve, model):
    solve("adding", model, 100)
