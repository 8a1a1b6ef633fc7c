"""Numerical gradients, and the check of a layer by them."""

import numpy as np
import pytest
from hypothesis import given

from rnnlib.models.gradcheck import check_layer, numerical_gradient, relative_error
from rnnlib.models.rnn import RNN
from rnnlib.tests.training.cases import arrays


@given(arrays)
def test_numerical_gradient_of_a_cubic(x):
    before = x.copy()
    gradient = numerical_gradient(lambda: (x**3).sum(), x)
    np.testing.assert_allclose(gradient, 3 * x**2, rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(x, before)
    for dtype in (np.float32, int):
        with pytest.raises(TypeError, match="float64"):
            numerical_gradient(lambda: 0.0, np.ones(2, dtype))


def test_a_gradient_that_is_not_a_number_is_never_right():
    for bad in (np.nan, np.inf):
        assert relative_error(np.full(2, bad), np.ones(2)) == np.inf
        assert relative_error(np.ones(2), np.full(2, bad)) == np.inf
    with pytest.raises(ValueError, match="shapes differ"):
        relative_error(np.ones((1, 2)), np.ones(2))


def test_x_is_put_back_when_f_fails():
    x = np.ones(3)
    with pytest.raises(ZeroDivisionError):
        numerical_gradient(lambda: 1 / 0, x)
    np.testing.assert_array_equal(x, np.ones(3))


def test_relative_error():
    assert relative_error(np.zeros(2), np.zeros(2)) == 0
    assert relative_error(np.array([1.0, 4.0]), np.array([1.0, 5.0])) == pytest.approx(0.2)


def test_check_layer_catches_a_wrong_backward():
    class Wrong(RNN):
        def backward(self, dy, dstate=None):
            return super().backward(dy, None)  # loses the gradient of the last state

    rng = np.random.default_rng(0)
    x, state = rng.standard_normal((2, 4, 2)), rng.standard_normal((2, 3))
    before = x.copy(), state.copy()
    errors = check_layer(Wrong(2, 3, rng=0, dtype=np.float64), x, state)
    np.testing.assert_array_equal(x, before[0])
    np.testing.assert_array_equal(state, before[1])
    assert errors["W_h"] > 1e-3
