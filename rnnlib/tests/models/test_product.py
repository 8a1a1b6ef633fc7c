"""The matrix product in the loops: whatever its blocks, it is x W."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlib.models.parts import product
from rnnlib.models.parts.product import Product

sizes = st.integers(0, 6), st.integers(1, 40), st.integers(1, 80), st.sampled_from([(), (1,), (3,)])


@given(*sizes, st.sampled_from([0, 1, 500, 10**6]), st.integers(0, 2**32 - 1))
def test_it_is_the_product_in_blocks_of_any_width(batch, K, N, gates, small, seed):
    rng = np.random.default_rng(seed)
    x, W = rng.standard_normal((batch, K)), rng.standard_normal((*gates, K, N))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(product, "SMALL", small)
        times_W = Product(W, batch)
    expected = x @ W
    W[...] = np.nan  # it has a copy
    np.testing.assert_allclose(times_W(x), expected, atol=1e-12)
    memory = np.full((5, *gates, batch, N), np.nan)
    assert np.shares_memory(times_W(x, out=memory[2]), memory[2]) or memory[2].size == 0
    np.testing.assert_allclose(memory[2], expected, atol=1e-12)
    assert np.isnan(memory[[0, 1, 3, 4]]).all()


@pytest.mark.parametrize(
    ("batch", "K", "N", "blocks"),
    [(32, 128, 128, 1), (16, 1024, 256, 8), (32, 769, 768, 24), (32, 3072, 768, 1), (1, 9, 7, 1)],
)
def test_blocks_are_as_wide_as_small_products_may_be(batch, K, N, blocks):
    """No blocks where even narrow ones would be too large: there they gain nothing."""
    times_W = Product(np.zeros((K, N), np.float32), batch)
    assert times_W.blocks.size == K * N
    assert times_W.blocks.shape[:-2] == (() if blocks == 1 else (blocks,))
