"""Losses and their gradients."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlib.models.gradcheck import numerical_gradient
from rnnlib.tests.training.cases import arrays
from rnnlib.training.losses import cross_entropy, mae, mse


@given(arrays, st.integers(0, 99))
def test_mse_and_its_gradient(y, seed):
    target = np.random.default_rng(seed).standard_normal(y.shape)
    loss, dy = mse(y, target)
    assert loss == pytest.approx(np.mean((y - target) ** 2))
    numerical = numerical_gradient(lambda: mse(y, target)[0], y)
    np.testing.assert_allclose(dy, numerical, rtol=1e-5, atol=1e-6)


@given(arrays, st.integers(0, 99))
def test_mae_and_its_gradient(y, seed):
    target = np.random.default_rng(seed).standard_normal(y.shape)
    loss, dy = mae(y, target)
    assert loss == pytest.approx(np.mean(np.abs(y - target)))
    np.testing.assert_array_equal(dy, np.sign(y - target) / y.size)
    assert not mae(y, y)[1].any()


def test_mae_with_lengths():
    y, target, lengths = (
        np.zeros((2, 3, 1)),
        np.array([[[1.0], [2], [np.nan]], [[4], [5], [6]]]),
        np.array([2, 3]),
    )
    loss, dy = mae(y, target, lengths)
    assert loss == pytest.approx(18 / 5)
    assert dy[0, 2, 0] == 0
    with pytest.raises(ValueError, match="mae: prediction has shape"):
        mae(y, target[:1])


@given(st.integers(0, 99), st.integers(1, 4), st.integers(1, 4), st.integers(2, 5))
def test_cross_entropy_and_its_gradient(seed, B, T, V):
    rng = np.random.default_rng(seed)
    y, target = 3 * rng.standard_normal((B, T, V)), rng.integers(-1, V, (B, T))
    target[0, 0] = 0
    loss, dy = cross_entropy(y, target)
    p = np.exp(y) / np.exp(y).sum(axis=-1, keepdims=True)
    asked = [(b, t) for b in range(B) for t in range(T) if target[b, t] >= 0]
    assert loss == pytest.approx(np.mean([-np.log(p[b, t, target[b, t]]) for b, t in asked]))
    numerical = numerical_gradient(lambda: cross_entropy(y, target)[0], y)
    np.testing.assert_allclose(dy, numerical, rtol=1e-4, atol=1e-7)
    assert not dy[target == -1].any()


def test_cross_entropy_of_huge_logits():
    loss, dy = cross_entropy(np.array([[1e4, -1e4]], np.float32), np.array([1]))
    assert loss == 2e4
    np.testing.assert_allclose(dy, [[1, -1]])
    assert dy.dtype == np.float32


def test_cross_entropy_refuses_what_is_no_class():
    y = np.zeros((2, 3))
    for target, message in (
        (np.array([0, 3]), "classes run from 0 to 2"),
        (np.array([0, -2]), "classes run from 0 to 2"),
        (np.array([-1, -1]), "no position is asked for"),
        (np.array([0]), r"need a target of shape \(2,\), got \(1,\)"),
    ):
        with pytest.raises(ValueError, match=message):
            cross_entropy(y, target)
    with pytest.raises(TypeError, match="class numbers are integers"):
        cross_entropy(y, np.zeros(2))


def test_mse_with_lengths_is_the_mean_over_valid_steps():
    rng = np.random.default_rng(0)
    y, target, lengths = rng.standard_normal((3, 4, 2)), rng.standard_normal((3, 4, 2)), np.array([4, 1, 2])
    valid = [(y[b, t], target[b, t]) for b in range(3) for t in range(lengths[b])]
    expected = np.mean([(a - b) ** 2 for a, b in valid])
    target[1, 1:] = np.nan
    loss, dy = mse(y, target, lengths)
    assert loss == pytest.approx(expected)
    assert not dy[1, 1:].any()
    assert not dy[2, 2:].any()


def test_mse_with_lengths_keeps_float32_and_refuses_what_does_not_fit():
    y = np.ones((2, 5, 1), np.float32)
    assert mse(y, 0 * y, [3, 5])[1].dtype == np.float32
    with pytest.raises(ValueError, match="one entry for each of B=2 sequences, got 1"):
        mse(y, 0 * y, [3])
    with pytest.raises(ValueError, match=r"must have shape \(B, T, O\), got \(2, 5\)"):
        mse(y[:, :, 0], y[:, :, 0], [3, 5])


def test_mse_refuses_to_broadcast():
    with pytest.raises(ValueError, match=r"prediction has shape \(3, 1\), target \(3,\)"):
        mse(np.zeros((3, 1)), np.zeros(3))
    with pytest.raises(ValueError, match="no values"):
        mse(np.zeros((0, 1)), np.zeros((0, 1)))
