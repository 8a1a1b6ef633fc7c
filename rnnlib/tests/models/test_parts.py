"""The parts that are no recurrent layers, against their definitions."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlib import Embedding, Linear, RMSNorm
from rnnlib.models.parts.functional import sigmoid, softplus


def test_sigmoid_and_softplus_stay_finite_and_right():
    x = np.array([-1e4, -100, -20, -1, 0, 1, 20, 100, 1e4])
    exact = np.array([1 / (1 + math.exp(-v)) if v > -700 else 0 for v in x])
    np.testing.assert_allclose(sigmoid(x), exact, rtol=1e-12, atol=1e-16)
    exact = np.array([math.log1p(math.exp(v)) if v < 700 else v for v in x])
    for dtype in (np.float32, np.float64):
        np.testing.assert_allclose(softplus(x.astype(dtype)), exact, rtol=2e-7, atol=1e-40)


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
