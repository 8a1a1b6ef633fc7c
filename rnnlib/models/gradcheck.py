"""Gradients by finite differences: the independent witness for every backward pass."""

import numpy as np

from rnnlib.models.parts.arrays import array, as_array


def numerical_gradient(f, x, eps=1e-5):
    """Central differences, (f(x + eps) − f(x − eps)) / (2 eps) for each entry of x.

    The error is of order eps², plus rounding of order 1e-16 / eps.

    Args:
        f: function without arguments; returns a number that depends on the array x.
        x: float64 array of any shape. It is changed entry by entry, and put back.
        eps: half the distance between the two points.

    Returns:
        Array in the shape of x.

    Raises:
        TypeError: x is not float64; other types have too few digits for a difference.

    Examples:
        >>> x = np.array([1.0, 2.0, 3.0])
        >>> numerical_gradient(lambda: (x**2).sum(), x).round(6).tolist()  # 2 x
        [2.0, 4.0, 6.0]
    """
    x = array(x, "numerical_gradient: x")  # a view at most: f sees the changes
    if x.dtype != np.float64:
        raise TypeError(f"numerical_gradient needs a float64 array, got {x.dtype}")
    grad = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        value = x[i]
        try:
            x[i] = value + eps
            above = f()
            x[i] = value - eps
            below = f()
        finally:
            x[i] = value
        grad[i] = (above - below) / (2 * eps)
    return grad


def relative_error(a, b, floor=0.0):
    """Largest |a − b|, divided by the largest magnitude of either; 0 where both are 0.

    Infinity where a value is not finite, so that NaN never looks right. ``floor`` is the least
    number to divide by.

    Raises:
        ValueError: the shapes differ.

    Examples:
        >>> relative_error(np.array([1.0, 2.0]), np.array([1.0, 1.5]))
        0.25
        >>> relative_error(np.array([1.0, np.nan]), np.array([1.0, np.nan]))
        inf
    """
    a, b = as_array(a, "relative_error: a"), as_array(b, "relative_error: b")
    if a.shape != b.shape:
        raise ValueError(f"shapes differ: {a.shape} and {b.shape}")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return float("inf")
    scale = max(np.abs(a).max(initial=0), np.abs(b).max(initial=0), floor)
    return float(np.abs(a - b).max(initial=0) / scale) if scale > 0 else 0.0


def check_layer(layer, x, state, rng=0):
    """Compare a float64 layer's backward pass with finite differences.

    The loss is Σ y G + Σ (last state) S with random G and S, so that every output and the
    last state matter.

    Args:
        layer: a recurrent layer with dtype float64.
        x: input, float64, (B, T, D).
        state: first state, float64: an array, or a tuple of arrays.
        rng: ``numpy.random.Generator`` or a seed, for G and S.

    Returns:
        name -> relative error, for x, state (state.0, state.1 for a tuple) and every parameter.
        Finite differences round in the size of the loss, so an array with a gradient below
        1e-4 of the largest is measured against that.

    Examples:
        >>> from rnnlib import RNN
        >>> layer = RNN(2, 3, rng=0, dtype=np.float64)
        >>> errors = check_layer(layer, x=np.ones((1, 4, 2)), state=np.zeros((1, 3)))
        >>> sorted(errors)
        ['W_h', 'W_x', 'b', 'state', 'x']
        >>> max(errors.values()) < 1e-6
        True
    """
    rng = np.random.default_rng(rng)
    x, state = x.copy(), _copy(state)
    y, last = layer.forward(x, state)
    G = rng.standard_normal(y.shape)
    S = [rng.standard_normal(s.shape) for s in _arrays("state", last).values()]

    def loss():
        y, last = layer.forward(x, state)
        parts = _arrays("state", last).values()
        return (y * G).sum() + sum((part * S_k).sum() for part, S_k in zip(parts, S, strict=True))

    dx, dstate = layer.backward(G, tuple(S) if isinstance(last, tuple) else S[0])
    by_hand = {"x": dx, **_arrays("state", dstate), **layer.grads}
    arrays = {"x": x, **_arrays("state", state), **layer.params}
    floor = 1e-4 * max(np.abs(gradient).max(initial=0) for gradient in by_hand.values())
    return {
        name: relative_error(by_hand[name], numerical_gradient(loss, array), floor)
        for name, array in arrays.items()
    }


def _arrays(name, state):
    """The arrays of a state, under names."""
    if isinstance(state, tuple):
        return {f"{name}.{k}": array for k, array in enumerate(state)}
    return {name: state}


def _copy(state):
    return tuple(array.copy() for array in state) if isinstance(state, tuple) else state.copy()
