"""The layer contract, for every recurrent layer, over random shapes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlib.gradcheck import check_layer
from rnnlib.layers import RECURRENT, Linear

KINDS = sorted(RECURRENT)
sizes = st.integers(1, 5)
cases = st.tuples(sizes, st.integers(1, 6), sizes, sizes, st.integers(0, 2**32 - 1))  # B, T, D, H, seed


def make(kind, case, dtype=np.float64):
    """A layer with every parameter random, an input and a first state."""
    B, T, D, H, seed = case
    rng = np.random.default_rng(seed)
    layer = RECURRENT[kind](D, H, rng=rng, dtype=dtype)
    for p in layer.params.values():
        p[...] = rng.standard_normal(p.shape)
    return layer, rng.standard_normal((B, T, D)).astype(dtype), rng.standard_normal((B, H)).astype(dtype), rng


@pytest.mark.parametrize("kind", KINDS)
@given(case=cases)
def test_step_by_step_equals_whole_sequence(kind, case):
    layer, x, state, _ = make(kind, case)
    y, last = layer.forward(x, state)
    for t in range(x.shape[1]):
        y_t, state = layer.step(x[:, t], state)
        np.testing.assert_allclose(y_t, y[:, t], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(state, last, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@given(case=cases, cut=st.integers(0, 6))
def test_split_and_resumed_equals_whole(kind, case, cut):
    layer, x, state, rng = make(kind, case)
    y, last = layer.forward(x, state)
    dy, dlast = rng.standard_normal(y.shape), rng.standard_normal(last.shape)
    dx, dstate = layer.backward(dy, dlast)
    grads = layer.grads

    y1, middle = layer.forward(x[:, :cut], state)
    y2, end = layer.forward(x[:, cut:], middle)
    np.testing.assert_allclose(np.concatenate([y1, y2], axis=1), y, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(end, last, rtol=1e-12, atol=1e-12)

    dx2, dmiddle = layer.backward(dy[:, cut:], dlast)
    grads2 = layer.grads
    layer.forward(x[:, :cut], state)
    dx1, dfirst = layer.backward(dy[:, :cut], dmiddle)
    np.testing.assert_allclose(np.concatenate([dx1, dx2], axis=1), dx, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(dfirst, dstate, rtol=1e-9, atol=1e-9)
    for name in grads:
        np.testing.assert_allclose(layer.grads[name] + grads2[name], grads[name], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
@given(case=cases, t=st.integers(0, 5))
def test_the_future_does_not_touch_the_past(kind, case, t):
    layer, x, state, _ = make(kind, case)
    t = min(t, x.shape[1] - 1)
    y, _ = layer.forward(x, state)
    x[:, t] += 1
    y_changed, _ = layer.forward(x, state)
    np.testing.assert_array_equal(y[:, :t], y_changed[:, :t])
    assert not np.array_equal(y[:, t], y_changed[:, t])


@pytest.mark.parametrize("kind", KINDS)
@given(case=cases)
def test_gradients_equal_finite_differences(kind, case):
    layer, x, state, rng = make(kind, case)
    for p in layer.params.values():
        p *= 0.5  # a saturated unit has a gradient too small for finite differences
    errors = check_layer(layer, x, state, rng)
    assert errors.keys() == {"x", "state", *layer.params}
    assert max(errors.values()) < 1e-6, errors


@pytest.mark.parametrize("kind", KINDS)
@given(case=cases)
def test_batch_rows_are_independent(kind, case):
    layer, x, state, _ = make(kind, case)
    y, last = layer.forward(x, state)
    for row in range(len(x)):
        y_row, last_row = layer.forward(x[row : row + 1], state[row : row + 1])
        np.testing.assert_allclose(y_row[0], y[row], rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(last_row[0], last[row], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@given(case=cases)
def test_inputs_and_parameters_are_left_alone(kind, case):
    layer, x, state, rng = make(kind, case)
    dy, dlast = rng.standard_normal((*x.shape[:2], state.shape[1])), rng.standard_normal(state.shape)
    inputs = [x, state, dy, dlast, *layer.params.values()]
    before = [a.copy() for a in inputs]
    layer.step(x[:, 0], state)
    layer.forward(x, state)
    layer.backward(dy, dlast)
    for a, b in zip(inputs, before, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("kind", KINDS)
@given(case=cases)
def test_returned_arrays_belong_to_the_caller(kind, case):
    """Whatever the caller does with inputs and results, backward gives the same."""
    layer, x, state, rng = make(kind, case)
    y, last = layer.forward(x, state)
    dy, dlast = rng.standard_normal(y.shape), rng.standard_normal(last.shape)
    dx, dstate = layer.backward(dy, dlast)
    results = [y, last, dx, dstate, *layer.grads.values()]
    before = [a.copy() for a in results]

    y2, last2 = layer.forward(x, state)
    for a in (x, state, y2, last2):
        a[...] = np.nan
    h, state = layer.step(np.ones_like(x[:, 0]))  # a step in between changes nothing for backward
    assert not np.shares_memory(h, state)
    dx2, dstate2 = layer.backward(dy, dlast)
    for a, b in zip(results, before, strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip([dx2, dstate2, *layer.grads.values()], before[2:], strict=True):
        np.testing.assert_array_equal(a, b)
    for i, a in enumerate(results):
        for b in results[i + 1 :]:
            assert not np.shares_memory(a, b)


@pytest.mark.parametrize("kind", KINDS)
@given(case=cases)
def test_float32_is_near_float64(kind, case):
    layer, x, state, rng = make(kind, case)
    dy = rng.standard_normal((*x.shape[:2], state.shape[1]))
    y, _ = layer.forward(x, state)
    dx, _ = layer.backward(dy)
    single = RECURRENT[kind](x.shape[2], state.shape[1])
    for name, p in single.params.items():
        p[...] = layer.params[name]
    y32, last32 = single.forward(x, state)  # float64 input is cast, not promoted to
    dx32, dstate32 = single.backward(dy)
    assert {a.dtype for a in (y32, last32, dx32, dstate32, *single.grads.values())} == {np.dtype("float32")}
    np.testing.assert_allclose(y32, y, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(dx32, dx, rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scale", [1e4, -1e4])
def test_extreme_inputs_give_finite_results(kind, scale):
    layer = RECURRENT[kind](3, 4, rng=0)
    y, _ = layer.forward(np.full((2, 2000, 3), scale, np.float32))
    dx, _ = layer.backward(np.ones_like(y))  # warnings are errors here
    assert np.isfinite(y).all()
    assert np.isfinite(dx).all()


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_sequence_returns_its_state(kind):
    layer, _, state, _ = make(kind, (2, 1, 3, 4, 0))
    y, last = layer.forward(np.empty((2, 0, 3)), state)
    assert y.shape == (2, 0, 4)
    np.testing.assert_array_equal(last, state)
    dx, dstate = layer.backward(y, state)
    assert dx.shape == (2, 0, 3)
    np.testing.assert_array_equal(dstate, state)
    for a in (last, dstate):
        assert not np.shares_memory(a, state)


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_weights_are_as_documented(kind):
    """U(−1/√H, 1/√H), symmetric about 0; no bias."""
    layer = RECURRENT[kind](40, 100, rng=0)
    for name in ("W_x", "W_h"):
        W = layer.params[name]
        assert 0.099 < np.abs(W).max() <= 0.1
        assert abs(W.mean()) < 0.005
    assert not layer.params["b"].any()
    linear = Linear(100, 40, rng=0)
    assert 0.099 < np.abs(linear.params["W"]).max() <= 0.1
    assert not linear.params["b"].any()


@pytest.mark.parametrize("kind", KINDS)
def test_same_seed_same_weights(kind):
    for a, b in ((0, 0), (0, np.random.default_rng(0))):
        first, second = RECURRENT[kind](3, 4, rng=a), RECURRENT[kind](3, 4, rng=b)
        for name in first.params:
            np.testing.assert_array_equal(first.params[name], second.params[name])
    assert not np.array_equal(
        RECURRENT[kind](3, 4, rng=0).params["W_x"], RECURRENT[kind](3, 4, rng=1).params["W_x"]
    )


@pytest.mark.parametrize("kind", KINDS)
def test_misuse_is_told_in_a_line(kind):
    layer = RECURRENT[kind](3, 4)
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
    for B in (1, 3):
        with pytest.raises(ValueError, match=rf"state must have shape \(B=2, H=4\), got \({B}, 4\)"):
            layer.forward(np.zeros((2, 5, 3)), np.zeros((B, 4)))
    with pytest.raises(ValueError, match=r"x_t must have shape \(B, D=3\)"):
        layer.step(np.zeros((2, 5, 3)))
    layer.forward(np.zeros((2, 5, 3)))
    with pytest.raises(ValueError, match=r"dy must have shape \(B=2, T=5, H=4\), got \(2, 4, 4\)"):
        layer.backward(np.zeros((2, 4, 4)))
    for size in (0, -1, 4.0, "4"):
        with pytest.raises(ValueError, match="hidden_size must be a whole number above 0"):
            RECURRENT[kind](3, size)
    for dtype in (int, complex):
        with pytest.raises(ValueError, match="floating-point"):
            RECURRENT[kind](3, 4, dtype=dtype)


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


def test_linear_belongs_to_its_forward_and_keeps_its_dtype():
    layer = Linear(3, 2, rng=0)
    x = np.ones((4, 3))
    y = layer.forward(x)
    x[...] = np.nan
    dx = layer.backward(np.ones((4, 2)))
    assert {a.dtype for a in (y, dx, *layer.grads.values())} == {np.dtype("float32")}
    assert np.isfinite(layer.grads["W"]).all()
    for bad in (np.ones((2, 4)), np.ones((8, 1)), [1, 2]):
        with pytest.raises(ValueError, match=r"Linear: dy must have shape \(4, 2\)"):
            layer.backward(bad)
    with pytest.raises(ValueError, match="input_size must be a whole number above 0, got 0"):
        Linear(0, 2)
    for bad in (np.float64(3), np.ones((4, 2)), [1, 2, 3]):
        with pytest.raises(ValueError, match=r"Linear: x must have shape \(..., D=3\)"):
            layer.forward(bad)
