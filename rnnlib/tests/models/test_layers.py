"""The layer contract, for every recurrent layer, over random shapes."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rnnlib import LSTM, Embedding, Linear, Mamba, MambaBlock, MinGRU, RMSNorm
from rnnlib.models.gradcheck import check_layer, relative_error
from rnnlib.models.parts.functional import sigmoid, softplus
from rnnlib.models.parts.workspace import Workspace
from rnnlib.models.selective_scan import selective_scan, selective_scan_backward
from rnnlib.tests.models.cases import LAYERS, arrays, assert_states_close, cases, like, make, rows

kinds = pytest.mark.parametrize("kind", LAYERS)
EXACT = {"rtol": 1e-11, "atol": 1e-11}
CLOSE = {"rtol": 1e-8, "atol": 1e-8}


@kinds
@given(case=cases)
def test_step_by_step_equals_whole_sequence(kind, case):
    layer, x, state, _ = make(kind, case)
    y, last = layer.forward(x, state)
    for t in range(x.shape[1]):
        y_t, state = layer.step(x[:, t], state)
        np.testing.assert_allclose(y_t, y[:, t], **EXACT)
    assert_states_close(state, last, **EXACT)


@kinds
@given(case=cases, cut=st.integers(0, 9))
def test_split_and_resumed_equals_whole(kind, case, cut):
    layer, x, state, rng = make(kind, case)
    y, last = layer.forward(x, state)
    dy, dlast = rng.standard_normal(y.shape), like(last, rng)
    dx, dstate = layer.backward(dy, dlast)
    grads = layer.grads

    y1, middle = layer.forward(x[:, :cut], state)
    y2, end = layer.forward(x[:, cut:], middle)
    np.testing.assert_allclose(np.concatenate([y1, y2], axis=1), y, **EXACT)
    assert_states_close(end, last, **EXACT)

    dx2, dmiddle = layer.backward(dy[:, cut:], dlast)
    grads2 = layer.grads
    layer.forward(x[:, :cut], state)
    dx1, dfirst = layer.backward(dy[:, :cut], dmiddle)
    scale = 1 + max(np.abs(a).max(initial=0) for a in (dx, *arrays(dstate), *grads.values()))
    close = {"rtol": 0, "atol": 1e-9 * scale}
    np.testing.assert_allclose(np.concatenate([dx1, dx2], axis=1), dx, **close)
    assert_states_close(dfirst, dstate, **close)
    for name in grads:
        np.testing.assert_allclose(layer.grads[name] + grads2[name], grads[name], **close)


@kinds
@given(case=cases, t=st.integers(0, 8))
def test_the_future_does_not_touch_the_past(kind, case, t):
    layer, x, state, _ = make(kind, case)
    t = min(t, x.shape[1] - 1)
    y, _ = layer.forward(x, state)
    x[:, t] += 1
    y_changed, _ = layer.forward(x, state)
    np.testing.assert_array_equal(y[:, :t], y_changed[:, :t])
    if kind != "MambaBlock" or x.shape[2] > 1:  # a vector of one entry, normalised, is its sign
        assert not np.array_equal(y[:, t], y_changed[:, t])


@kinds
@given(case=cases)
def test_gradients_equal_finite_differences(kind, case):
    layer, x, state, rng = make(kind, case)
    for p in layer.params.values():
        p *= 0.5  # a saturated unit has a gradient too small for finite differences
    if kind == "MinGRU log":
        u = x @ layer.params["W_x"][0] + layer.params["b"][0]
        assume(np.abs(u).min() > 1e-3)  # at u = 0 the candidate has a kink
    errors = check_layer(layer, x, state, rng)
    states = {"state"} if len(arrays(state)) == 1 else {"state.0", "state.1"}
    assert errors.keys() == {"x", *states, *layer.params}
    assert max(errors.values()) < 1e-5, errors


@kinds
@given(case=cases)
def test_batch_rows_are_independent(kind, case):
    layer, x, state, _ = make(kind, case)
    y, last = layer.forward(x, state)
    for row in range(len(x)):
        one = slice(row, row + 1)
        y_row, last_row = layer.forward(x[one], rows(state, one))
        np.testing.assert_allclose(y_row, y[one], **EXACT)
        assert_states_close(last_row, rows(last, one), **EXACT)


@kinds
@given(case=cases)
def test_inputs_and_parameters_are_left_alone(kind, case):
    layer, x, state, rng = make(kind, case)
    dy, dlast = rng.standard_normal(layer.forward(x)[0].shape), like(state, rng)
    inputs = [x, *arrays(state), dy, *arrays(dlast), *layer.params.values()]
    before = [a.copy() for a in inputs]
    layer.step(x[:, 0], state)
    layer.forward(x, state)
    layer.backward(dy, dlast)
    for a, b in zip(inputs, before, strict=True):
        np.testing.assert_array_equal(a, b)


@kinds
@given(case=cases)
def test_returned_arrays_belong_to_the_caller(kind, case):
    """Whatever the caller does with inputs and results, backward gives the same."""
    layer, x, state, rng = make(kind, case)
    y, last = layer.forward(x, state)
    dy, dlast = rng.standard_normal(y.shape), like(last, rng)
    dx, dstate = layer.backward(dy, dlast)
    results = [y, *arrays(last), dx, *arrays(dstate), *layer.grads.values()]
    before = [a.copy() for a in results]

    x_before, state_before = x.copy(), [a.copy() for a in arrays(state)]
    y2, last2 = layer.forward(x, state)
    for a in (x, *arrays(state), y2, *arrays(last2)):
        a[...] = np.nan
    h, after = layer.step(np.ones_like(x[:, 0]))  # a step in between changes nothing for backward
    assert not any(np.shares_memory(h, a) for a in arrays(after))
    for _ in range(2):  # and backward may be called again
        dx2, dstate2 = layer.backward(dy, dlast)
        for a, b in zip(results, before, strict=True):
            np.testing.assert_array_equal(a, b)
        again = [dx2, *arrays(dstate2), *layer.grads.values()]
        for a, b in zip(again, before[1 + len(arrays(last)) :], strict=True):
            np.testing.assert_array_equal(a, b)
    for i, a in enumerate(results):
        for b in results[i + 1 :]:
            assert not np.shares_memory(a, b)

    first_step = x_before[:, :1], tuple(state_before) if len(state_before) > 1 else state_before[0]
    layer.forward(*first_step)
    layer.backward(2 * dy[:, :1], dlast)  # other values than before
    for a, b in zip(results, before, strict=True):
        np.testing.assert_array_equal(a, b)


@kinds
@given(case=cases)
def test_float32_is_near_float64(kind, case):
    layer, x, state, rng = make(kind, case)
    for p in layer.params.values():
        p *= 0.5
    y, last = layer.forward(x, state)
    dy, dlast = rng.standard_normal(y.shape), like(last, rng)
    dx, dstate = layer.backward(dy, dlast)
    single = LAYERS[kind](case[2], case[3])
    for name, p in single.params.items():
        p[...] = layer.params[name]
    y32, last32 = single.forward(x, state)  # float64 input is cast, not promoted to
    dx32, dstate32 = single.backward(dy, dlast)
    results = [y32, *arrays(last32), dx32, *arrays(dstate32), *single.grads.values()]
    expected = [y, *arrays(last), dx, *arrays(dstate), *layer.grads.values()]
    assert {a.dtype for a in results} == {np.dtype("float32")}
    assert {a.dtype for a in arrays(single.step(x[:, 0], state))[0:1]} == {np.dtype("float32")}
    for a, b in zip(results, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-3 * (1 + np.abs(b).max(initial=0)))


@kinds
@given(case=cases)
def test_any_order_of_memory_will_do(kind, case):
    layer, x, state, rng = make(kind, case)
    y, _ = layer.forward(x, state)
    dy = rng.standard_normal(y.shape)
    dx, _ = layer.backward(dy)
    y2, _ = layer.forward(np.asfortranarray(x), state)
    dx2, _ = layer.backward(np.repeat(dy, 2, axis=2)[:, :, ::2])
    np.testing.assert_allclose(y, y2, rtol=1e-10, atol=1e-12)  # another BLAS kernel may round otherwise
    np.testing.assert_allclose(dx, dx2, rtol=1e-10, atol=1e-12)


@kinds
@pytest.mark.parametrize("scale", [1e4, -1e4])
def test_extreme_inputs_give_finite_results(kind, scale):
    layer = LAYERS[kind](3, 4, rng=0)
    x = np.full((2, 2000, 3), scale, np.float32)
    y, last = layer.forward(x)
    dx, dstate = layer.backward(np.ones_like(y))  # warnings are errors here
    for a in (y, *arrays(last), dx, *arrays(dstate), *layer.grads.values()):
        assert np.isfinite(a).all()
    y_t, _ = layer.step(x[:, 0])
    assert np.isfinite(y_t).all()


@kinds
def test_two_thousand_steps(kind):
    layer, x, state, rng = make(kind, (1, 2000, 2, 3, 0))
    for p in layer.params.values():
        p *= 0.3
    y, last = layer.forward(x, state)
    for t in range(2000):
        y_t, state = layer.step(x[:, t], state)
        np.testing.assert_allclose(y_t, y[:, t], **EXACT)
    assert_states_close(state, last, **EXACT)
    # The gradient along a random direction of all inputs, against a difference.
    dy, direction = rng.standard_normal(y.shape), 1e-6 * rng.standard_normal(x.shape)
    layer.forward(x)
    dx, _ = layer.backward(dy)
    above, below = (layer.forward(x + sign * direction)[0] for sign in (1, -1))
    np.testing.assert_allclose((dx * direction).sum(), ((above - below) / 2 * dy).sum(), rtol=1e-5)


@kinds
def test_a_gradient_that_fades_ends_at_zero(kind):
    """No denormal numbers are left where the loss is on the last of many steps."""
    layer = LAYERS[kind](3, 4, rng=0)
    twin = LAYERS[kind](3, 4, rng=0, dtype=np.float64)
    for name, p in twin.params.items():
        p[...] = layer.params[name]
    x = np.random.default_rng(0).standard_normal((2, 1000, 3))
    y, _ = layer.forward(x)
    dy = np.zeros_like(y)
    dy[:, -1] = 1
    dx, _ = layer.backward(dy)
    twin.forward(x)
    dx64, _ = twin.backward(dy)
    size = np.abs(dx)
    denormal = (size > 0) & (size < np.finfo(np.float32).tiny)
    assert denormal.mean() < 0.01
    if kind in ("RNN", "GRU", "MinGRU"):
        assert not dx[:, 0].any()
        assert np.abs(dx64[:, 800]).max() > 0  # float64 reaches further, and is let go further
    for name in layer.grads:
        assert relative_error(layer.grads[name].astype(float), twin.grads[name]) < 1e-4, name


@kinds
@given(case=cases)
def test_an_empty_sequence_returns_its_state(kind, case):
    layer, x, state, _ = make(kind, case)
    y, last = layer.forward(x[:, :0], state)
    assert y.shape == (*x[:, :0].shape[:2], layer.step(x[:, 0])[0].shape[1])
    assert_states_close(last, state, rtol=0)
    dx, dstate = layer.backward(y, state)
    assert dx.shape == x[:, :0].shape
    assert_states_close(dstate, state, rtol=0)
    for a in (*arrays(last), *arrays(dstate)):
        assert not any(np.shares_memory(a, b) for b in arrays(state))
    assert not any(g.any() for g in layer.grads.values())


@kinds
def test_an_empty_batch_is_no_error(kind):
    layer = LAYERS[kind](3, 4, rng=0)
    y, _ = layer.forward(np.empty((0, 5, 3)))
    dx, _ = layer.backward(y)
    assert (y.shape[0], dx.shape) == (0, (0, 5, 3))
    assert not any(g.any() for g in layer.grads.values())


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


@kinds
def test_a_forward_that_fails_leaves_no_wrong_gradient_behind(kind):
    layer, x, state, _ = make(kind, (2, 5, 3, 4, 0))
    y, _ = layer.forward(x, state)
    dx, _ = layer.backward(y)
    grads = layer.grads
    wrong = [rows(state, slice(1))]
    if isinstance(state, tuple):
        wrong += [(state[0], wrong[0][1]), (wrong[0][0], state[1])]
    for state_of_one_row in wrong:
        layer.forward(x, state)
        with pytest.raises(ValueError, match="state"):
            layer.forward(3 * x, state_of_one_row)
        try:
            dx_again, _ = layer.backward(y)
        except RuntimeError:  # "call forward before backward"
            continue
        np.testing.assert_array_equal(dx, dx_again)
        for name in grads:
            np.testing.assert_array_equal(grads[name], layer.grads[name])


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
    y, kept = selective_scan(*arrays, h_0, scratch)
    np.testing.assert_allclose(y[-1], N / (1 - np.exp(-1)), rtol=1e-5)
    dy = np.zeros_like(ones)
    dy[-1] = 1
    _, d_delta_u, _, _, _, dh_0 = selective_scan_backward(dy, h_0, *arrays, kept, scratch)
    np.testing.assert_allclose(d_delta_u[-1 - np.arange(30), 0, 0], N * np.exp(-np.arange(30)), rtol=1e-4)
    assert not dh_0.any()
    small = np.abs(d_delta_u[d_delta_u != 0])
    assert (small >= np.finfo(np.float32).tiny).all()


def test_sigmoid_and_softplus_stay_finite_and_right():
    x = np.array([-1e4, -100, -20, -1, 0, 1, 20, 100, 1e4])
    exact = np.array([1 / (1 + math.exp(-v)) if v > -700 else 0 for v in x])
    np.testing.assert_allclose(sigmoid(x), exact, rtol=1e-12, atol=1e-16)
    exact = np.array([math.log1p(math.exp(v)) if v < 700 else v for v in x])
    for dtype in (np.float32, np.float64):
        np.testing.assert_allclose(softplus(x.astype(dtype)), exact, rtol=2e-7, atol=1e-40)


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


@kinds
def test_same_seed_same_weights(kind):
    for a, b in ((0, 0), (0, np.random.default_rng(0))):
        first, second = LAYERS[kind](3, 4, rng=a), LAYERS[kind](3, 4, rng=b)
        for name in first.params:
            np.testing.assert_array_equal(first.params[name], second.params[name])
    first, second = (LAYERS[kind](3, 4, rng=seed).params for seed in (0, 1))
    assert any(not np.array_equal(first[name], second[name]) for name in first)


@kinds
def test_misuse_is_told_in_a_line(kind):
    layer = LAYERS[kind](3, 4)
    with pytest.raises(RuntimeError, match="call forward before backward"):
        layer.backward(np.zeros((2, 5, 4)))
    with pytest.raises(ValueError, match=r"x must have shape \(B, T, D=3\), got \(2, 5, 2\)"):
        layer.forward(np.zeros((2, 5, 2)))
    with pytest.raises(ValueError, match=r"x must have shape \(B, T, D=3\), got \(5, 3\)"):
        layer.forward(np.zeros((5, 3)))
    with pytest.raises(TypeError, match="x must be an array, got list"):
        layer.forward([[[1, 2, 3]]])
    with pytest.raises(TypeError, match="x must be an array, got float"):
        layer.forward(3.0)
    tensor = type("Tensor", (), {"shape": (2, 5, 3)})()  # as PyTorch's, which is no NumPy array
    with pytest.raises(TypeError, match="x must be an array, got Tensor"):
        layer.forward(tensor)
    with pytest.raises(ValueError, match=r"x_t must have shape \(B, D=3\)"):
        layer.step(np.zeros((2, 5, 3)))
    y, state = layer.forward(np.zeros((2, 5, 3)))
    for B in (1, 3):
        wrong = like(rows(layer.forward(np.zeros((3, 5, 3)))[1], slice(B)), np.random.default_rng(0))
        with pytest.raises(ValueError, match=rf"state.* must have shape \(B=2, .*got \({B}, "):
            layer.forward(np.zeros((2, 5, 3)), wrong)
    if isinstance(state, tuple):
        with pytest.raises(TypeError, match="state must be a pair of arrays, got ndarray of length 2"):
            layer.forward(np.zeros((2, 5, 3)), state[0])
    layer.forward(np.zeros((2, 5, 3)))
    with pytest.raises(ValueError, match=r"dy must have shape \(B=2, T=5, .*got \(2, 4, "):
        layer.backward(y[:, :4])
    for size in (0, -1, 4.0, "4", True):
        with pytest.raises(ValueError, match="must be a whole number above 0"):
            Mamba(size) if kind.startswith("Mamba") else LAYERS[kind](size, 4)
    for dtype in (int, complex, np.float16):
        with pytest.raises(ValueError, match="dtype must be float32 or float64"):
            LAYERS[kind](3, 4, dtype=dtype)


def test_sizes_of_mamba_are_checked():
    for name in ("d_state", "d_conv", "expand", "dt_rank"):
        with pytest.raises(ValueError, match=f"Mamba: {name} must be a whole number above 0, got 0"):
            Mamba(4, **{name: 0})


@given(shape=st.lists(st.integers(0, 4), max_size=3), seed=st.integers(0, 2**32 - 1))
def test_linear_gradients_are_those_of_the_affine_map(shape, seed):
    rng = np.random.default_rng(seed)
    layer = Linear(3, 2, rng=rng, dtype=np.float64)
    layer.params["b"][...] = rng.standard_normal(2)
    x, dy = rng.standard_normal((*shape, 3)), rng.standard_normal((*shape, 2))
    y = layer.forward(x)
    np.testing.assert_array_equal(y, layer.step(x))
    W, b = layer.params.values()
    np.testing.assert_allclose(y, np.dot(x, W) + b, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(layer.backward(dy), np.dot(dy, W.T), rtol=1e-12, atol=1e-12)
    pairs = zip(x.reshape(-1, 3), dy.reshape(-1, 2), strict=True)
    dW = sum((np.outer(x_i, dy_i) for x_i, dy_i in pairs), start=np.zeros((3, 2)))
    np.testing.assert_allclose(layer.grads["W"], dW, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(layer.grads["b"], dy.reshape(-1, 2).sum(axis=0), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_linear_belongs_to_its_forward_and_keeps_its_dtype(dtype):
    layer = Linear(3, 2, rng=0)
    x = np.ones((4, 3), dtype)
    y = layer.forward(x)
    x[...] = np.nan
    dx = layer.backward(np.ones((4, 2)))
    assert {a.dtype for a in (y, dx, *layer.grads.values())} == {np.dtype("float32")}
    assert np.isfinite(layer.grads["W"]).all()
    for bad in (np.ones((2, 4)), np.ones((8, 1))):
        with pytest.raises(ValueError, match=r"Linear: dy must have shape \(4, 2\)"):
            layer.backward(bad)
    with pytest.raises(TypeError, match="Linear: dy must be an array, got list"):
        layer.backward([1, 2])
    with pytest.raises(ValueError, match="input_size must be a whole number above 0, got 0"):
        Linear(0, 2)
    for bad in (np.float64(3), np.ones((4, 2))):
        with pytest.raises(ValueError, match=r"Linear: x must have shape \(..., D=3\)"):
            layer.forward(bad)
    with pytest.raises(TypeError, match="Linear: x must be an array, got list"):
        layer.forward([1, 2, 3])


@given(shape=st.lists(st.integers(1, 4), max_size=3), D=st.integers(1, 5), seed=st.integers(0, 2**32 - 1))
def test_rms_norm_and_its_gradient(shape, D, seed):
    from rnnlib.models.gradcheck import numerical_gradient

    rng = np.random.default_rng(seed)
    layer = RMSNorm(D, eps=0.1, dtype=np.float64)
    layer.params["w"][...] = rng.standard_normal(D)
    x, dy = rng.standard_normal((*shape, D)), rng.standard_normal((*shape, D))
    y = layer.forward(x)
    np.testing.assert_array_equal(y, layer.step(x))
    for x_i, y_i in zip(x.reshape(-1, D), y.reshape(-1, D), strict=True):
        np.testing.assert_allclose(y_i, x_i / np.sqrt(np.mean(x_i**2) + 0.1) * layer.params["w"])
    kept = x.copy()
    x[...] = np.nan
    dx = layer.backward(dy)
    dw = layer.grads["w"]

    def loss():
        return (layer.step(kept) * dy).sum()

    np.testing.assert_allclose(dx, numerical_gradient(loss, kept), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(dw, numerical_gradient(loss, layer.params["w"]), rtol=1e-6, atol=1e-8)
    with pytest.raises(ValueError, match=r"RMSNorm: x must have shape \(\.\.\., D="):
        layer.forward(np.zeros((2, D + 1)))
    with pytest.raises(ValueError, match="eps must be above 0"):
        RMSNorm(3, eps=0)


@given(
    shape=st.lists(st.integers(0, 4), max_size=3),
    V=st.integers(1, 5),
    D=st.integers(1, 4),
    seed=st.integers(0, 2**32 - 1),
)
def test_embedding_is_a_product_with_one_hot_vectors(shape, V, D, seed):
    rng = np.random.default_rng(seed)
    layer = Embedding(V, D, rng=rng, dtype=np.float64)
    ids, dy = rng.integers(0, V, shape), rng.standard_normal((*shape, D))
    one_hot = np.eye(V)[ids]
    y = layer.forward(np.asarray(ids))
    np.testing.assert_allclose(y, one_hot @ layer.params["W"])
    np.testing.assert_array_equal(y, layer.step(np.asarray(ids, np.uint8)))
    y[...] = np.nan  # a copy: the table is not changed
    layer.backward(dy)
    np.testing.assert_allclose(layer.grads["W"], one_hot.reshape(-1, V).T @ dy.reshape(-1, D), atol=1e-12)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int32, np.uint64])
def test_ids_of_any_integer_type_will_do(dtype):
    layer = Embedding(120, 5, rng=0)
    ids = np.array([100, 3, 119, 3], dtype)
    layer.forward(ids)
    ids[...] = 0  # backward belongs to the forward that was
    layer.backward(np.ones((4, 5)))
    np.testing.assert_array_equal(layer.grads["W"][:, 0], np.bincount([100, 3, 119, 3], minlength=120))


def test_tokens_outside_the_table_are_refused():
    layer = Embedding(5, 3, rng=0)
    for ids in ([5], [-1], [[0, 7]]):
        with pytest.raises(ValueError, match="Embedding: ids must be from 0 to 4, got"):
            layer.forward(np.array(ids))
    for ids in (np.array([1.0]), [1, 2], np.array([True])):
        with pytest.raises(TypeError, match="ids must be an array of integers"):
            layer.forward(ids)
    layer.forward(np.array([1, 1]))
    with pytest.raises(ValueError, match=r"dy must have shape \(2, 3\)"):
        layer.backward(np.zeros((2, 2)))
    layer.backward(np.ones((2, 3)))
    assert layer.grads["W"].dtype == np.float32
