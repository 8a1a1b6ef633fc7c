"""Every recurrent layer, at random sizes, for the tests of the contract."""

import numpy as np
from hypothesis import strategies as st

from rnnlib import Mamba, MambaBlock, MinGRU
from rnnlib.models.registry import MODELS, numpy_models

#: Names of the models that run here whatever is installed.
KINDS = numpy_models()


def mamba(kind, D, H, **options):
    """Width D; the other sizes vary with H."""
    return kind(D, d_state=H, d_conv=1 + H % 4, expand=1 + H % 2, dt_rank=1 + D % 3, **options)


#: name -> (D, H, rng, dtype) -> layer
LAYERS = {layer.__name__: layer for layer in (MODELS[kind].layer for kind in KINDS)} | {
    "MinGRU log": lambda D, H, **options: MinGRU(D, H, mode="log", **options),
    "Mamba": lambda D, H, **options: mamba(Mamba, D, H, **options),
    "MambaBlock": lambda D, H, **options: mamba(MambaBlock, D, H, eps=0.1, **options),
}

EXACT = {"rtol": 1e-11, "atol": 1e-11}
CLOSE = {"rtol": 1e-8, "atol": 1e-8}

sizes = st.integers(1, 5)
cases = st.tuples(sizes, st.integers(1, 9), sizes, sizes, st.integers(0, 2**32 - 1))  # B, T, D, H, seed


def make(kind, case, dtype=np.float64):
    """A layer with every parameter random, an input and a first state."""
    B, T, D, H, seed = case
    rng = np.random.default_rng(seed)
    layer = LAYERS[kind](D, H, rng=rng, dtype=dtype)
    for p in layer.params.values():
        p[...] = rng.standard_normal(p.shape)
    x = rng.standard_normal((B, T, D)).astype(dtype)
    _, zeros = layer.step(x[:, 0])
    state = like(zeros, rng)
    return layer, x, np.abs(state) if kind == "MinGRU log" else state, rng


def arrays(state):
    """The arrays of a state, as a list."""
    return list(state) if isinstance(state, tuple) else [state]


def like(state, rng):
    """A random state of the same kind."""
    parts = [rng.standard_normal(part.shape).astype(part.dtype) for part in arrays(state)]
    return tuple(parts) if isinstance(state, tuple) else parts[0]


def rows(state, chosen):
    """The chosen rows of the batch."""
    return tuple(part[chosen] for part in state) if isinstance(state, tuple) else state[chosen]


def assert_states_close(got, expected, **tolerance):
    assert type(got) is type(expected)
    for a, b in zip(arrays(got), arrays(expected), strict=True):
        np.testing.assert_allclose(a, b, **tolerance)
