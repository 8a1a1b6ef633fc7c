"""Three backward passes of lab 3, each with one wrong line, for the exercise *find the mistake*.

A line is counted from the one below the def, which is line 1.
"""

import numpy as np

from rnnlib.checks.find_the_mistake import listing


def version_a(dy, x, h0, c0, hs, cs, gates, W_x, W_h):
    dx, dW_x, dW_h, db = np.zeros_like(x), np.zeros_like(W_x), np.zeros_like(W_h), np.zeros((4, hs.shape[2]))
    dh, dc = np.zeros_like(h0), np.zeros_like(c0)
    for t in reversed(range(x.shape[1])):
        h_prev, c_prev = (hs[:, t - 1], cs[:, t - 1]) if t > 0 else (h0, c0)
        i, f, o, g = gates[:, :, t]
        tanh_c = np.tanh(cs[:, t])
        dh = dh + dy[:, t]
        dc = dc + dh * o * (1 - tanh_c**2)
        da_i, da_f = dc * g * i * (1 - i), dc * c_prev * f * (1 - f)
        da_o, da_g = dh * tanh_c * o * (1 - o), dc * i * g * (1 - g)
        da = np.stack([da_i, da_f, da_o, da_g])
        dx[:, t] = (da @ W_x.transpose(0, 2, 1)).sum(axis=0)
        dh = (da @ W_h.transpose(0, 2, 1)).sum(axis=0)
        dc = dc * f
        dW_x, dW_h, db = dW_x + x[:, t].T @ da, dW_h + h_prev.T @ da, db + da.sum(axis=1)
    return dx, dh, dc, dW_x, dW_h, db


def version_b(dy, x, h0, c0, hs, cs, gates, W_x, W_h):
    i, f, o, g = gates
    h_prev = np.concatenate([h0[:, None], hs[:, :-1]], axis=1)
    c_prev = np.concatenate([c0[:, None], cs[:, :-1]], axis=1)
    tanh_c = np.tanh(cs)
    da, dh, dc = np.zeros_like(gates), np.zeros_like(h0), np.zeros_like(c0)
    for t in reversed(range(x.shape[1])):
        dh = dh + dy[:, t]
        dc = dh * o[:, t] * (1 - tanh_c[:, t] ** 2)
        da[0, :, t] = dc * g[:, t] * i[:, t] * (1 - i[:, t])
        da[1, :, t] = dc * c_prev[:, t] * f[:, t] * (1 - f[:, t])
        da[2, :, t] = dh * tanh_c[:, t] * o[:, t] * (1 - o[:, t])
        da[3, :, t] = dc * i[:, t] * (1 - g[:, t] ** 2)
        dh = sum(da[gate, :, t] @ W_h[gate].T for gate in range(4))
        dc = dc * f[:, t]
    dx = sum(da[gate] @ W_x[gate].T for gate in range(4))
    dW_x = np.einsum("btd,sbth->sdh", x, da)
    dW_h = np.einsum("btk,sbth->skh", h_prev, da)
    return dx, dh, dc, dW_x, dW_h, da.sum(axis=(1, 2))


def version_c(dy, x, h0, c0, hs, cs, gates, W_x, W_h):
    h_prev = np.concatenate([h0[:, None], hs[:, :-1]], axis=1)
    c_prev = np.concatenate([c0[:, None], cs[:, 1:]], axis=1)
    dx, dh, dc, dW_x, dW_h, db = [], 0, 0, 0, 0, 0
    for t in reversed(range(x.shape[1])):
        i, f, o, g = gates[:, :, t]
        tanh_c = np.tanh(cs[:, t])
        dh = dy[:, t] + dh
        dc = dc + dh * o * (1 - tanh_c**2)
        partners = np.stack([dc * g, dc * c_prev[:, t], dh * tanh_c, dc * i])
        da = partners * np.stack([i * (1 - i), f * (1 - f), o * (1 - o), 1 - g**2])
        dx = [np.einsum("sbh,sdh->bd", da, W_x), *dx]
        dh, dc = np.einsum("sbh,skh->bk", da, W_h), dc * f
        dW_x, dW_h, db = dW_x + x[:, t].T @ da, dW_h + h_prev[:, t].T @ da, db + da.sum(axis=1)
    return np.stack(dx, axis=1), dh, dc, dW_x, dW_h, db


VERSIONS = {"A": version_a, "B": version_b, "C": version_c}


def show(version):
    """Print a version with its lines counted."""
    print(listing(VERSIONS[version]))
