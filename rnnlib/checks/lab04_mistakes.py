"""Three backward passes of lab 4, each with one wrong line, for the exercise *find the mistake*.

A line is counted from the one below the def, which is line 1.
"""

import numpy as np

from rnnlib.checks.find_the_mistake import listing


def version_a(dy, x, h0, hs, gates, W_x, W_h, b_h):
    dx, dW_x, dW_h, db, db_h = np.zeros_like(x), np.zeros_like(W_x), np.zeros_like(W_h), 0, 0
    dh = np.zeros_like(h0)
    for t in reversed(range(x.shape[1])):
        h_prev = hs[:, t - 1] if t > 0 else h0
        r, z, n = gates[:, :, t]
        s = h_prev @ W_h[2] + b_h
        dh = dh + dy[:, t]
        da_n = dh * z * (1 - n**2)
        da_r = da_n * s * r * (1 - r)
        da_z = dh * (n - h_prev) * z * (1 - z)
        ds = da_n * r
        dx[:, t] = da_r @ W_x[0].T + da_z @ W_x[1].T + da_n @ W_x[2].T
        dh = dh * z + da_r @ W_h[0].T + da_z @ W_h[1].T + ds @ W_h[2].T
        dW_x += x[:, t].T @ np.stack([da_r, da_z, da_n])
        dW_h += h_prev.T @ np.stack([da_r, da_z, ds])
        db, db_h = db + np.stack([da_r, da_z, da_n]).sum(axis=1), db_h + ds.sum(axis=0)
    return dx, dh, dW_x, dW_h, db, db_h


def version_b(dy, x, h0, hs, gates, W_x, W_h, b_h):
    h_prev = np.concatenate([h0[:, None], hs[:, :-1]], axis=1)
    r, z, n = gates
    s = h_prev @ W_h[2] + b_h
    da, dh = np.zeros_like(gates), np.zeros_like(h0)
    for t in reversed(range(x.shape[1])):
        dh = dh + dy[:, t]
        da[2, :, t] = dh * z[:, t] * (1 - n[:, t] ** 2)
        da[0, :, t] = da[2, :, t] * s[:, t] * r[:, t] * (1 - r[:, t])
        da[1, :, t] = dh * (n[:, t] - h_prev[:, t]) * z[:, t] * (1 - z[:, t])
        through = np.stack([da[0, :, t], da[1, :, t], da[2, :, t] * r[:, t]])
        dh = dh * (1 - z[:, t]) + sum(through[k] @ W_h[k].T for k in range(3))
    dx = sum(da[k] @ W_x[k].T for k in range(3))
    dW_x = np.einsum("btd,kbth->kdh", x, da)
    dW_h = np.einsum("btj,kbth->kjh", h_prev, da)
    return dx, dh, dW_x, dW_h, da.sum(axis=(1, 2)), (da[2] * r).sum(axis=(0, 1))


def version_c(dy, x, h0, hs, gates, W_x, W_h, b_h):
    dx, dh, dW_x, dW_h, db, db_h = [], 0, 0, 0, 0, 0
    states = np.concatenate([h0[:, None], hs], axis=1)
    for t in reversed(range(x.shape[1])):
        r, z, n = gates[:, :, t]
        h_prev, h = states[:, t], states[:, t + 1]
        dh = dy[:, t] + dh
        dz, dn = dh * (n - h), dh * z
        da_n = dn * (1 - n**2)
        dr, ds = da_n * (h_prev @ W_h[2] + b_h), da_n * r
        da = np.stack([dr * r * (1 - r), dz * z * (1 - z), da_n])
        through = np.stack([*da[:2], ds])
        dx = [np.einsum("kbh,kdh->bd", da, W_x), *dx]
        dh = dh * (1 - z) + np.einsum("kbh,kjh->bj", through, W_h)
        dW_x, dW_h = dW_x + x[:, t].T @ da, dW_h + h_prev.T @ through
        db, db_h = db + da.sum(axis=1), db_h + ds.sum(axis=0)
    return np.stack(dx, axis=1), dh, dW_x, dW_h, db, db_h


VERSIONS = {"A": version_a, "B": version_b, "C": version_c}


def show(version):
    """Print a version with its lines counted."""
    print(listing(VERSIONS[version]))
