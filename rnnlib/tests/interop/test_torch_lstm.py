"""PyTorch's LSTM behind the layer contract, against the one by hand."""

import copy
import pickle
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlib import LSTM, OptimizedLSTM, SequenceModel
from rnnlib.interop.torch_weights import from_torch, to_torch

sizes = st.integers(1, 5)
cases = st.tuples(sizes, st.integers(0, 9), sizes, sizes, st.integers(0, 2**32 - 1))  # B, T, D, H, seed


def need_torch():
    return pytest.importorskip("torch", reason="torch is not installed: pip install torch")


def make(case, dtype=np.float64):
    """Both layers with the same random parameters, an input and a first state."""
    need_torch()
    B, T, D, H, seed = case
    rng = np.random.default_rng(seed)
    by_hand, layer = LSTM(D, H, dtype=dtype), OptimizedLSTM(D, H, dtype=dtype)
    for name, p in by_hand.params.items():
        p[...] = layer.params[name][...] = rng.standard_normal(p.shape)
    state = tuple(rng.standard_normal((B, H)) for _ in range(2))
    return by_hand, layer, rng.standard_normal((B, T, D)), state, rng


def assert_close(got, expected, tolerance=1e-11):
    np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance)


@given(case=cases)
def test_outputs_and_gradients_equal_those_by_hand(case):
    by_hand, layer, x, state, rng = make(case)
    expected, last = by_hand.forward(x, state)
    y, end = layer.forward(x, state)
    assert_close(y, expected)
    assert isinstance(end, tuple)
    assert_close(end, last)

    dy, dlast = rng.standard_normal(y.shape), tuple(rng.standard_normal(s.shape) for s in state)
    dx, dstate = by_hand.backward(dy, dlast)
    for _ in range(2):  # backward may be called again
        dx_torch, dstate_torch = layer.backward(dy, dlast)
        assert_close(dx_torch, dx)
        assert_close(dstate_torch, dstate)
        assert layer.grads.keys() == by_hand.grads.keys()
        for name, grad in by_hand.grads.items():
            assert layer.grads[name].shape == grad.shape
            assert_close(layer.grads[name], grad)


@given(case=cases)
def test_without_states_they_are_zero(case):
    by_hand, layer, x, _, rng = make(case)
    expected, last = by_hand.forward(x)
    y, end = layer.forward(x)
    assert_close(y, expected)
    assert_close(end, last)
    dy = rng.standard_normal(y.shape)
    assert_close(layer.backward(dy)[0], by_hand.backward(dy)[0])


@given(case=cases)
def test_step_by_step_equals_whole_sequence(case):
    _, layer, x, state, _ = make(case)
    y, last = layer.forward(x, state)
    for t in range(x.shape[1]):
        y_t, state = layer.step(x[:, t], state)
        assert_close(y_t, y[:, t])
    assert_close(state, last)


@given(case=cases)
def test_float32_is_near_float64(case):
    _, layer, x, state, rng = make(case)
    _, single, *_ = make(case, np.float32)
    dy = rng.standard_normal((*x.shape[:2], layer.hidden_size))
    y, _ = layer.forward(x, state)
    dx, _ = layer.backward(dy)
    y32, last32 = single.forward(x, state)
    dx32, dstate32 = single.backward(dy)
    arrays = [y32, *last32, dx32, *dstate32, *single.grads.values(), *single.params.values()]
    assert {a.dtype for a in arrays} == {np.dtype("float32")}
    np.testing.assert_allclose(y32, y, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(dx32, dx, rtol=1e-2, atol=1e-2)


@given(case=cases, dtype=st.sampled_from(["float32", "float64"]))  # PyTorch has a kernel for each
def test_inputs_and_results_belong_to_the_caller(case, dtype):
    _, layer, x, state, rng = make(case, dtype)
    x, state = x.astype(dtype), tuple(s.astype(dtype) for s in state)
    y, last = layer.forward(x, state)
    dy, dlast = rng.standard_normal(y.shape), tuple(rng.standard_normal(s.shape) for s in state)
    dx, dstate = layer.backward(dy, dlast)
    inputs = [x, *state, dy, *dlast, *layer.params.values()]
    results = [y, *last, dx, *dstate, *layer.grads.values()]
    before = [a.copy() for a in (*inputs, *results)]
    for i, a in enumerate(results):
        assert a.flags.writeable
        assert not any(np.shares_memory(a, b) for b in (*inputs, *results[i + 1 :]))

    y2, last2 = layer.forward(x, state)
    for a, b in zip([*inputs, *results], before, strict=True):
        np.testing.assert_array_equal(a, b)
    for a in (x, *state, y2, *last2):
        a[...] = np.nan
    layer.step(np.ones((len(x), layer.input_size)))  # changes nothing for backward
    dx2, dstate2 = layer.backward(dy, dlast)
    for a, b in zip([dx2, *dstate2, *layer.grads.values()], [dx, *dstate, *results[6:]], strict=True):
        np.testing.assert_array_equal(a, b)


@given(case=cases)
def test_parameters_changed_in_place_count_from_the_next_forward(case):
    by_hand, layer, x, state, rng = make(case)
    y, _ = layer.forward(x, state)
    dy = rng.standard_normal(y.shape)
    dx, _ = layer.backward(dy)
    for name, p in layer.params.items():
        p += 0.5
        by_hand.params[name] += 0.5
    assert_close(layer.backward(dy)[0], dx)  # still of the forward before
    assert_close(layer.forward(x, state)[0], by_hand.forward(x, state)[0])
    assert_close(layer.backward(dy)[0], by_hand.backward(dy)[0])
    x_t = rng.standard_normal((len(x), layer.input_size))
    assert_close(layer.step(x_t, state)[0], by_hand.step(x_t, state)[0])


def test_the_first_parameters_are_those_of_lstm():
    need_torch()
    for seed in (0, np.random.default_rng(5)):
        by_hand = LSTM(3, 4, forget_bias=2.5, rng=np.random.default_rng(0 if seed == 0 else 5))
        layer = OptimizedLSTM(3, 4, forget_bias=2.5, rng=seed)
        assert list(layer.params) == list(by_hand.params)
        for name, p in by_hand.params.items():
            np.testing.assert_array_equal(layer.params[name], p)


def test_arrays_of_any_layout_are_read():
    by_hand, layer, x, state, _ = make((3, 6, 2, 4, 0))
    for x_any in (x[:, ::-1], np.asfortranarray(x), x[::-1, ::2], x.astype(">f8"), x.astype(np.float32)):
        state_any = tuple(np.asfortranarray(s)[:, ::-1] for s in state)
        assert_close(layer.forward(x_any, state_any)[0], by_hand.forward(x_any, state_any)[0])
        dy = by_hand.forward(x_any)[0][:, ::-1]
        layer.forward(x_any)
        assert_close(layer.backward(dy)[0], by_hand.backward(dy)[0])


def test_an_empty_batch_gives_empty_results():
    _, layer, _, _, _ = make((1, 1, 3, 4, 0))
    y, (h, c) = layer.forward(np.empty((0, 5, 3)))
    assert (y.shape, h.shape, c.shape) == ((0, 5, 4), (0, 4), (0, 4))
    dx, _ = layer.backward(y)
    assert dx.shape == (0, 5, 3)
    assert not any(grad.any() for grad in layer.grads.values())


@pytest.mark.parametrize("scale", [1e4, -1e4])
def test_extreme_inputs_give_finite_results(scale):
    need_torch()
    layer = OptimizedLSTM(3, 4, rng=0)
    y, _ = layer.forward(np.full((2, 2000, 3), scale, np.float32))
    dx, _ = layer.backward(np.ones_like(y))
    assert np.isfinite(y).all()
    assert np.isfinite(dx).all()


def test_pytorch_is_left_as_it_was():
    torch = need_torch()
    with torch.no_grad():
        before = torch.random.get_rng_state(), torch.get_num_threads(), torch.get_default_dtype()
        layer = OptimizedLSTM(3, 4, rng=0)
        y, _ = layer.forward(np.ones((2, 5, 3)))
        layer.backward(y)
        layer.step(np.ones((2, 3)))
        assert not torch.is_grad_enabled()
    after = torch.random.get_rng_state(), torch.get_num_threads(), torch.get_default_dtype()
    assert torch.equal(before[0], after[0])
    assert before[1:] == after[1:]


def test_a_copy_after_forward_is_a_layer_of_its_own():
    _, layer, x, state, _ = make((2, 5, 3, 4, 0))
    y, _ = layer.forward(x, state)
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        with pytest.raises(RuntimeError, match="call forward before backward"):
            twin.backward(y)
        np.testing.assert_array_equal(twin.forward(x, state)[0], y)
        twin.params["W_x"][...] = 0
    layer.backward(y)
    np.testing.assert_array_equal(layer.forward(x, state)[0], y)


@pytest.mark.parametrize("layers", [1, 2])
def test_a_sequence_model_holds_it(layers):
    need_torch()
    models = [SequenceModel(k, 2, 4, 1, num_layers=layers, rng=0) for k in ("lstm", "optimized_lstm")]
    x = np.random.default_rng(0).standard_normal((3, 6, 2))
    outputs = [model.forward(x, lengths=[6, 1, 4])[0] for model in models]
    np.testing.assert_allclose(outputs[0], outputs[1], rtol=1e-5, atol=1e-6)
    for model in models:
        model.backward(np.ones((3, 1)))
    for name, grad in models[0].grads.items():
        np.testing.assert_allclose(models[1].grads[name], grad, rtol=1e-4, atol=1e-5)


def test_its_weights_go_to_pytorch_and_come_back_by_hand():
    by_hand, layer, x, _, _ = make((2, 5, 3, 4, 0))
    again = from_torch("lstm", to_torch(layer))
    assert type(again) is LSTM
    np.testing.assert_array_equal(again.forward(x)[0], by_hand.forward(x)[0])


def test_misuse_is_told_in_a_line():
    torch = need_torch()
    layer = OptimizedLSTM(3, 4)
    with pytest.raises(RuntimeError, match="OptimizedLSTM: call forward before backward"):
        layer.backward(np.zeros((2, 5, 4)))
    for x in (torch.zeros(2, 5, 3), [[[1, 2, 3]]], 3.0, None):
        with pytest.raises(TypeError, match=r"x must be an? (NumPy )?array, got"):
            layer.forward(x)
    x = np.zeros((2, 5, 3))
    with pytest.raises(TypeError, match="state h must be a NumPy array, got Tensor"):
        layer.forward(x, (torch.zeros(2, 4), np.zeros((2, 4))))
    with pytest.raises(TypeError, match="state must be a pair of arrays"):
        layer.forward(x, np.zeros((2, 4)))
    with pytest.raises(ValueError, match=r"state c must have shape \(B=2, H=4\), got \(3, 4\)"):
        layer.forward(x, (np.zeros((2, 4)), np.zeros((3, 4))))
    with pytest.raises(ValueError, match=r"x must have shape \(B, T, D=3\), got \(2, 5, 2\)"):
        layer.forward(np.zeros((2, 5, 2)))
    layer.forward(x)
    with pytest.raises(TypeError, match="dy must be a NumPy array, got Tensor"):
        layer.backward(torch.zeros(2, 5, 4))
    with pytest.raises(ValueError, match=r"dy must have shape \(B=2, T=5, H=4\), got \(2, 4, 4\)"):
        layer.backward(np.zeros((2, 4, 4)))
    with pytest.raises(ValueError, match="OptimizedLSTM: hidden_size must be a whole number above 0"):
        OptimizedLSTM(3, 0)
    for dtype in (np.float16, np.longdouble):
        with pytest.raises(ValueError, match="dtype must be float32 or float64, got float"):
            OptimizedLSTM(3, 4, dtype=dtype)


def test_without_torch_a_line_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match=r'^optimized_lstm needs PyTorch: pip install "rnnlib\[torch\]"$'):
        OptimizedLSTM(3, 4)
