"""A small model and an easy task, for the tests of training."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rnnlib import SequenceModel

numbers = st.floats(-10, 10, allow_subnormal=False)
arrays = hnp.arrays(np.float64, hnp.array_shapes(max_dims=3, max_side=4), elements=numbers)


def task(n=64, T=6, seed=0):
    """Predict the mean of the sequence: easy enough for a few epochs."""
    x = np.random.default_rng(seed).standard_normal((n, T, 1)).astype(np.float32)
    return x, x.mean(axis=1)


def model(seed=0):
    return SequenceModel("rnn", 1, 8, 1, rng=seed)
