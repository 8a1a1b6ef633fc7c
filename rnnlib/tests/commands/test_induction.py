"""Induction: networks that learn it."""

import pytest


@pytest.mark.slow
@pytest.mark.parametrize("model", ["lstm", "gru", "mamba"])
def test_a_network_finds_what_came_next(solve, model):
    solve("induction", model)
