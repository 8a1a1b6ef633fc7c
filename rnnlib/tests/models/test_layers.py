"""The layer contract, for every recurrent layer, over random shapes."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rnnlib import Mamba
from rnnlib.models.gradcheck import check_layer, relative_error
from rnnlib.tests.models.cases import (
    EXACT,
    LAYERS,
    arrays,
    assert_states_close,
    cases,
    like,
    make,
    rows,
)

kinds = pytest.mark.parametrize("kind", LAYERS)


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


# Many small arrays, each entry moved twice; in plain pytest, test_sequence_model sees the others' gradients.
@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=[] if kind == "RNN" else pytest.mark.slow) for kind in LAYERS]
)
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


# A BLAS kernel raised this flag once over finite numbers; a true NaN is seen in the values below.
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:invalid value encountered in matmul:RuntimeWarning")
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


@pytest.mark.slow
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


@pytest.mark.slow
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
