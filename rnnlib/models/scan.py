"""The linear recurrence h_t = a_t ⊙ h_{t−1} + b_t, in three ways, and its gradient.

Time is the first axis here, as in the loops of the layers: a and b have shape (T, …), the
first state h_0 has shape (…), and the result holds h_1 to h_T, (T, …).

Two steps are one step of the same kind, since ::

    a_2 (a_1 h + b_1) + b_2 = (a_2 a_1) h + (a_2 b_1 + b_2)

This composition is associative, so the steps may be combined in any grouping, many at a
time: a scan (Hillis and Steele 1986; Blelloch 1990; Martin and Cundy 2018 for recurrences).
"""

import math

import numpy as np

from rnnlib.models.parts.functional import flush_tiny


def sequential(a, b, h_0, out=None):
    """One step after the other: work T, depth T.

    Args:
        a, b: factors and additions, (T, …).
        h_0: first state, an array (…).
        out: array (T, …) for the result, which may be b; a new one if None.

    Returns:
        h_1 to h_T, (T, …). What has faded below 1e-26 in float32 (2e-296 in float64) may be 0.
    """
    h = _result(b, out)
    # One more axis at the end, so that a step is a view of memory, even where it is one number.
    a, b, steps, before = (array[..., None] for array in (a, b, h, h_0))
    product = np.empty(b.shape[1:], b.dtype, like=b)
    for t, (a_t, b_t, h_t) in enumerate(zip(a, b, steps, strict=True)):
        np.multiply(a_t, before, out=product)
        np.add(product, b_t, out=h_t)
        before = h_t
        if t % 8 == 7:
            flush_tiny(h_t)  # denormal numbers are slow
    return h


def hillis_steele(a, b, h_0, out=None):
    """Each round joins every step with the one 1, 2, 4, … before it: work T log T, depth log T.

    Arguments and result as in ``sequential``.
    """
    h = _result(b, out)
    h[...] = b
    h[:1] += a[:1] * h_0
    a = a.copy()  # a[t] and h[t] stand for all steps joined into step t so far
    distance = 1
    while distance < len(b):
        h[distance:] += a[distance:] * h[:-distance]
        a[distance:] *= a[:-distance].copy()
        distance *= 2
    flush_tiny(h)
    return h


def chunked(a, b, h_0, out=None):
    """About √T chunks at once, each from state 0; then each adds what its predecessor's last state gives.

    Work 3T, depth about 2√T.
    Arguments and result as in ``sequential``.
    """
    h = _result(b, out)
    T = len(b)
    length = math.isqrt(T)
    if length < 2:
        return sequential(a, b, h_0, h)
    whole = T - T % length
    shape = (whole // length, length, *b.shape[1:])
    a_c, b_c = a[:whole].reshape(shape), b[:whole].reshape(shape)
    h_c, factor = np.empty_like(b_c), a_c.copy()  # factor: from the chunk's start to each step
    h_c[:, 0] = b_c[:, 0]
    for t in range(1, length):
        h_c[:, t] = a_c[:, t] * h_c[:, t - 1] + b_c[:, t]
        factor[:, t] *= factor[:, t - 1]
    before = h_0
    for h_k, factor_k in zip(h_c, factor, strict=True):
        h_k += factor_k * before
        before = h_k[-1]
    h[:whole] = h_c.reshape(whole, *b.shape[1:])
    sequential(a[whole:], b[whole:], before, h[whole:])
    flush_tiny(h)
    return h


def scan(a, b, h_0, out=None):
    """The fastest way for the shape. Arguments and result as in ``sequential``.

    A wide step keeps the processor busy by itself. Narrow ones are joined: measured, a call of
    NumPy costs more than its arithmetic on fewer than about 1024 numbers.
    """
    T, width = len(b), math.prod(b.shape[1:])
    if width >= 1024:
        return sequential(a, b, h_0, out)
    if T * width <= 2**16:  # log T rounds read it from the cache
        return hillis_steele(a, b, h_0, out)
    return chunked(a, b, h_0, out)


def reversed_scan(dy, a, out=None):
    """dh_t = dy_t + a_{t+1} ⊙ dh_{t+1}: all that reaches h_t, directly and through later steps.

    It is the same recurrence from the end, so a scan of the reversed arrays.

    Args:
        dy: gradient with respect to each h_t from outside, (T, …).
        a: factors, (T, …).
        out: array (T, …) for the result, which may be dy; a new one if None.

    Returns:
        dh_1 to dh_T, (T, …). What goes on to the first state is a_1 ⊙ dh_1.
    """
    dh = _result(dy, out)
    dh[-1:] = dy[-1:]
    if len(dh) > 1:
        scan(a[:0:-1], dy[-2::-1], dh[-1], out=dh[-2::-1])
    return dh


def scan_backward(dy, a, h, h_0):
    """All gradients of the recurrence. (The layers need ``reversed_scan`` alone.)

    Args:
        dy: gradient with respect to h_1 to h_T from outside, (T, …).
        a: factors, (T, …).
        h: h_1 to h_T, (T, …).
        h_0: first state, (…).

    Returns:
        (da, db, dh_0): da_t = dh_t ⊙ h_{t−1} and db_t = dh_t, (T, …); dh_0 = a_1 ⊙ dh_1, (…);
        with dh from ``reversed_scan``. T is at least 1.
    """
    dh = reversed_scan(dy, a)
    before = np.concatenate([h_0[None], h[:-1]])
    return dh * before, dh, a[0] * dh[0]


def _result(b, out):
    return np.empty(b.shape, b.dtype, like=b) if out is None else out
