"""Small functions of arrays that several files need."""

import numpy as np

from rnnlib.models.parts.arrays import as_array


def sigmoid(x):
    """σ(x) = 1 / (1 + e^−x), written as (1 + tanh(x/2)) / 2, which never overflows.

    The error is one rounding of 1/2: far below zero, from about −20 on in float32 and −38 in
    float64, the result is 0.
    """
    return 0.5 + 0.5 * np.tanh(0.5 * x)


def sigmoid_of_double(x):
    """σ(2x), in place: (1 + tanh(x)) / 2. A layer halves the weights before its loop, not each sum in it."""
    np.tanh(x, out=x)
    x *= 0.5
    x += 0.5


def softplus(x):
    """log(1 + e^x), written so that e^x cannot overflow. Its derivative is σ(x)."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def flush_tiny(x):
    """Set the entries of x to zero, in place, that are about to leave the normal numbers.

    A gradient that fades through time ends among the denormal numbers, below 1e-38 in
    float32, and there many processors compute up to ten times slower. The limit is 2⁴⁰ times
    the smallest normal number: 1e-26 in float32, 2e-296 in float64. The layers call this
    every 8 steps, so it leaves room for a factor of 1/32 a step. A loss so small that all its
    gradients are near the limit has to be scaled up first.
    """
    x *= np.abs(x) >= np.finfo(x.dtype).tiny * 2.0**40


def valid_steps(lengths, B, T, like):
    """Which steps of right-padded sequences are real.

    Args:
        lengths: length of each sequence, (B,), integers from 1 to T.
        B: number of sequences.
        T: number of steps of the padded array.
        like: an array; the mask is allocated beside it.

    Returns:
        Boolean array (B, T), True before each sequence's end.

    Raises:
        TypeError: the lengths are no array of numbers, and nothing to make one of.
        ValueError: a length is no integer, not between 1 and T, or there are not B of them.
    """
    lengths = np.asarray(as_array(lengths, "lengths"))
    if lengths.size == 0:
        lengths = lengths.astype(int)  # an empty list has no type of its own
    if lengths.ndim != 1 or lengths.dtype.kind not in "iu":
        raise ValueError(f"lengths must be integers of shape (B,), got {lengths.dtype} {lengths.shape}")
    if len(lengths) != B:
        raise ValueError(f"lengths must have one entry for each of B={B} sequences, got {len(lengths)}")
    if lengths.size and not (lengths.min() >= 1 and lengths.max() <= T):
        raise ValueError(f"lengths must be between 1 and T={T}, got {lengths.min()} to {lengths.max()}")
    return np.asarray(np.arange(T) < lengths[:, None], like=like)
