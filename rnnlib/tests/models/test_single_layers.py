"""What is true of one layer alone: first weights, scans in blocks, modes, sizes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlib import LSTM, Embedding, Linear, Mamba, MambaBlock, MinGRU, RMSNorm
from rnnlib.models.parts.workspace import Workspace
from rnnlib.models.selective_scan import selective_scan, selective_scan_backward
from rnnlib.tests.models.cases import CLOSE, EXACT, LAYERS, assert_states_close, rows


def test_the_first_weights_are_as_documented():
    for kind in ("RNN", "LSTM", "GRU"):
        layer = LAYERS[kind](40, 64, rng=0)
        for name in ("W_x", "W_h"):
            W = layer.params[name]
            assert 0.124 < np.abs(W).max() <= 0.125
            assert abs(W.mean()) < 0.005
    for layer in (MinGRU(100, 40, rng=0), Linear(100, 40, rng=0)):
        W = next(iter(layer.params.values()))
        assert 0.099 < np.abs(W).max() <= 0.1
    for kind in ("RNN", "GRU", "MinGRU"):
        biases = [p for name, p in LAYERS[kind](3, 4).params.items() if name.startswith("b")]
        assert not any(b.any() for b in biases)
    for forget_bias in (1, 3.0):
        b = LSTM(3, 4, **({} if forget_bias == 1 else {"forget_bias": forget_bias})).params["b"]
        np.testing.assert_array_equal(b, np.outer([0, forget_bias, 0, 0], np.ones(4)))
    np.testing.assert_array_equal(RMSNorm(3).params["w"], 1)
    assert abs(Embedding(1000, 10, rng=0).params["W"].std() - 0.02) < 0.001


def test_mamba_begins_as_its_authors_do():
    layer = Mamba(48, d_state=6, rng=0, dtype=np.float64)
    E, R, p = 96, 3, layer.params
    np.testing.assert_allclose(np.exp(p["A_log"]), np.tile(np.arange(1, 7), (E, 1)))
    np.testing.assert_array_equal(p["skip"], 1)
    delta = np.log1p(np.exp(p["b_dt"]))
    assert 0.001 <= delta.min() < 0.0015
    assert 0.07 < delta.max() <= 0.1
    assert abs(np.log(delta).mean() - np.log(0.01)) < 0.3
    for name, inputs in {"W_in": 48, "conv_W": 4, "conv_b": 4, "W_u": E, "W_dt": R, "W_out": E}.items():
        bound = inputs**-0.5
        assert 0.9 * bound < np.abs(p[name]).max() <= bound
        assert abs(p[name].mean()) < 0.2 * bound
    assert {name: a.shape for name, a in p.items()} == {
        "W_in": (48, 192),
        "conv_W": (4, E),
        "conv_b": (E,),
        "W_u": (E, R + 12),
        "W_dt": (R, E),
        "b_dt": (E,),
        "A_log": (E, 6),
        "skip": (E,),
        "W_out": (E, 48),
    }


def test_sizes_that_are_not_given():
    assert [Mamba(D, d_state=1).dt_rank for D in (1, 16, 17, 48)] == [1, 1, 2, 3]
    layer = Mamba(3)
    assert (layer.d_state, layer.d_conv, layer.channels) == (16, 4, 6)
    assert MambaBlock(3).norm.eps == 1e-5
    assert MambaBlock(3, eps=0.1).norm.eps == 0.1


def test_a_wide_and_long_min_gru_equals_step_by_step():
    """And so does its gradient, from a state to a state."""
    rng = np.random.default_rng(0)
    for mode in ("vanilla", "log"):
        layer = MinGRU(2, 128, mode=mode, rng=0, dtype=np.float64)
        x, state = rng.standard_normal((8, 100, 2)), rng.random((8, 128))
        y, last = layer.forward(x, state)
        dy, dlast = rng.standard_normal(y.shape), rng.standard_normal(last.shape)
        dx, dstate = layer.backward(dy, dlast)
        grads = layer.grads
        states = [state]
        for t in range(100):
            y_t, after = layer.step(x[:, t], states[-1])
            np.testing.assert_allclose(y_t, y[:, t], **EXACT)
            states.append(after)
        total = {name: 0 for name in grads}
        for t in reversed(range(100)):
            layer.forward(x[:, t : t + 1], states[t])
            dx_t, dlast = layer.backward(dy[:, t : t + 1], dlast)
            np.testing.assert_allclose(dx_t[:, 0], dx[:, t], **EXACT)
            total = {name: total[name] + g for name, g in layer.grads.items()}
        np.testing.assert_allclose(dlast, dstate, **EXACT)
        for name in grads:
            np.testing.assert_allclose(total[name], grads[name], **CLOSE)


def test_what_fades_in_the_selective_scan_ends_at_zero():
    T, N, E = 200, 64, 512  # a block of time is eight steps
    ones, states = np.ones((T, 1, E), np.float32), np.ones((T, 1, N), np.float32)
    A, h_0 = -np.ones((N, E), np.float32), np.zeros((1, N, E), np.float32)
    scratch = Workspace(np.dtype(np.float32))
    arrays = ones, ones, A, states, states
    y, checkpoints = selective_scan(*arrays, h_0, scratch)
    np.testing.assert_allclose(y[-1], N / (1 - np.exp(-1)), rtol=1e-5)
    dy = np.zeros_like(ones)
    dy[-1] = 1
    _, d_delta_u, _, _, _, dh_0 = selective_scan_backward(dy, h_0, *arrays, checkpoints, scratch)
    np.testing.assert_allclose(d_delta_u[-1 - np.arange(30), 0, 0], N * np.exp(-np.arange(30)), rtol=1e-4)
    assert not dh_0.any()
    small = np.abs(d_delta_u[d_delta_u != 0])
    assert (small >= np.finfo(np.float32).tiny).all()


def test_mamba_in_blocks_equals_mamba_in_one():
    """Sizes beyond one block of the batch and one stretch of time."""
    rng = np.random.default_rng(0)
    layer = Mamba(128, d_state=64, rng=0, dtype=np.float64)
    x, dy = rng.standard_normal((2, 5, 19, 128))
    y, last = layer.forward(x)
    dx, dstate = layer.backward(dy)
    grads = layer.grads
    state = None
    for t in range(19):
        y_t, state = layer.step(x[:, t], state)
        np.testing.assert_allclose(y_t, y[:, t], **EXACT)
    assert_states_close(state, last, **EXACT)
    total = {name: 0 for name in grads}
    for row in range(5):
        one = slice(row, row + 1)
        states = [None]
        for t in range(19):  # a step at a time: no state is computed again
            states.append(layer.forward(x[one, t : t + 1], states[-1])[1])
        dh = None
        for t in reversed(range(19)):
            layer.forward(x[one, t : t + 1], states[t])
            dx_t, dh = layer.backward(dy[one, t : t + 1], dh)
            np.testing.assert_allclose(dx_t[:, 0], dx[one, t], **CLOSE)
            total = {name: total[name] + g for name, g in layer.grads.items()}
        assert_states_close(dh, rows(dstate, one), **CLOSE)
    for name in grads:
        np.testing.assert_allclose(total[name], grads[name], **CLOSE)


@given(seed=st.integers(0, 2**32 - 1))
def test_a_gate_that_is_shut_keeps_the_state(seed):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((2, 50, 3))
    h = rng.standard_normal((2, 4))
    for kind, gate in (("GRU", 1), ("MinGRU", 1), ("MinGRU log", 1)):  # z = 0
        layer = LAYERS[kind](3, 4, rng=rng, dtype=np.float64)
        layer.params["b"][gate] = -1000
        np.testing.assert_allclose(layer.forward(x, h)[0], np.repeat(h[:, None], 50, axis=1))
    lstm = LSTM(3, 4, rng=rng, dtype=np.float64)
    lstm.params["b"][0], lstm.params["b"][1] = -1000, 1000  # i = 0, f = 1
    _, (_, c) = lstm.forward(x, (h, h))
    np.testing.assert_allclose(c, h)


def test_the_modes_of_min_gru_are_two_models():
    x = np.random.default_rng(0).standard_normal((2, 5, 3))
    y, _ = MinGRU(3, 4, rng=0).forward(x)
    y_log, _ = MinGRU(3, 4, mode="log", rng=0).forward(x)
    assert (y < 0).any()
    assert (y_log > 0).all()
    with pytest.raises(ValueError, match='MinGRU: mode must be "vanilla" or "log", got \'parallel\''):
        MinGRU(3, 4, mode="parallel")


def test_sizes_of_mamba_are_checked():
    for name in ("d_state", "d_conv", "expand", "dt_rank"):
        with pytest.raises(ValueError, match=f"Mamba: {name} must be a whole number above 0, got 0"):
            Mamba(4, **{name: 0})
