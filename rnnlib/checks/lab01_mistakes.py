"""Three backward passes of lab 1, each with one wrong line, for the exercise *find the mistake*.

A line is counted from the one below the def, which is line 1.
"""

import numpy as np

from rnnlib.checks.find_the_mistake import listing


def version_a(dy, x, h0, hs, W_x, W_h):
    dx, dW_x, dW_h, db = np.zeros_like(x), np.zeros_like(W_x), np.zeros_like(W_h), np.zeros(len(W_h))
    from_next = np.zeros_like(h0)
    for t in reversed(range(x.shape[1])):
        h_prev = hs[:, t - 1] if t > 0 else h0
        da = (1 - hs[:, t] ** 2) * (dy[:, t] + from_next)
        dW_x += x[:, t].T @ da
        dW_h += h_prev.T @ da
        dx[:, t] = da @ W_x.T
        from_next = da @ W_h
        db += da.sum(axis=0)
    return dx, from_next, dW_x, dW_h, db


def version_b(dy, x, h0, hs, W_x, W_h):
    dW_x, dW_h, db = np.zeros_like(W_x), np.zeros_like(W_h), np.zeros(len(W_h))
    from_next = np.zeros_like(h0)
    h_prev = hs[:, np.arange(x.shape[1]) - 1]
    da = np.zeros_like(hs)
    for t in reversed(range(x.shape[1])):
        da[:, t] = (1 - hs[:, t] ** 2) * (dy[:, t] + from_next)
        from_next = da[:, t] @ W_h.T
        dW_x += x[:, t].T @ da[:, t]
        dW_h += h_prev[:, t].T @ da[:, t]
        db += da[:, t].sum(axis=0)
    return da @ W_x.T, from_next, dW_x, dW_h, db


def version_c(dy, x, h0, hs, W_x, W_h):
    slope = 1 - np.tanh(hs) ** 2
    h_prev = np.concatenate([h0[:, None], hs[:, :-1]], axis=1)
    da, from_next = np.zeros_like(hs), np.zeros_like(h0)
    for t in reversed(range(x.shape[1])):
        da[:, t] = slope[:, t] * (dy[:, t] + from_next)
        from_next = da[:, t] @ W_h.T
    dW_x = np.einsum("btd,bth->dh", x, da)
    dW_h = np.einsum("btk,bth->kh", h_prev, da)
    db = da.sum(axis=(0, 1))
    return da @ W_x.T, from_next, dW_x, dW_h, db


VERSIONS = {"A": version_a, "B": version_b, "C": version_c}


def show(version):
    """Print a version with its lines counted."""
    print(listing(VERSIONS[version]))
