"""Three pieces of Mamba for lab 6, each with one wrong line, for the exercise *find the mistake*.

A line is counted from the one below the def, which is line 1. A is a whole sequence, from p to y; B is
the same one step after the other; C is the way back through one step of time.
"""

import numpy as np

from rnnlib.checks.find_the_mistake import listing


def silu(x):
    return x / (1 + np.exp(-x))


def softplus(x):
    return np.logaddexp(0, x)


def version_a(w, p):
    (batch, T, E), K = p.shape, len(w["conv_W"])
    padded = np.pad(p, ((0, 0), (K // 2, K - 1 - K // 2), (0, 0)))
    v = sum(padded[:, k : k + T] * w["conv_W"][k] for k in range(K)) + w["conv_b"]
    u = silu(v)
    R, N = len(w["W_dt"]), w["A_log"].shape[1]
    r, B, C = np.split(u @ w["W_u"], [R, R + N], axis=-1)
    delta = softplus(r @ w["W_dt"] + w["b_dt"])
    h, y, A = np.zeros((batch, E, N)), np.zeros_like(p), -np.exp(w["A_log"])
    for t in range(T):
        h = np.exp(delta[:, t, :, None] * A) * h + (delta * u)[:, t, :, None] * B[:, t, None, :]
        y[:, t] = (h * C[:, t, None, :]).sum(axis=-1) + w["skip"] * u[:, t]
    return y


def version_b(w, p):
    (batch, T, E), (R, N) = p.shape, (len(w["W_dt"]), w["A_log"].shape[1])
    window, h = np.zeros((batch, len(w["conv_W"]), E)), np.zeros((batch, E, N))
    outputs = []
    for t in range(T):
        window = np.roll(window, -1, axis=1)
        window[:, -1] = p[:, t]
        u = silu(np.einsum("bke,ke->be", window, w["conv_W"]) + w["conv_b"])
        rBC = u @ w["W_u"]
        r, B, C = rBC[:, :R], rBC[:, R : R + N], rBC[:, R + N :]
        delta = softplus(r @ w["W_dt"] + w["b_dt"])
        a = delta[:, :, None] * np.exp(-np.exp(w["A_log"]))
        h = a * h + np.einsum("be,be,bn->ben", delta, u, B)
        outputs.append(np.einsum("ben,bn->be", h, C) + w["skip"] * u)
    return np.stack(outputs, axis=1)


def version_c(da, db, a, delta, A_log, Bs):
    A, (_, T, E, N) = -np.exp(A_log), a.shape
    d_delta, dA, dBs = np.zeros(delta.shape), np.zeros((E, N)), np.zeros(Bs.shape)
    for t in range(T):
        d_exponent = da[:, t] * a[:, t]
        d_delta[:, t] = (d_exponent * A + db[:, t] * Bs[:, t, None]).sum(axis=2)
        dA = (d_exponent * delta[:, t, :, None]).sum(axis=0)
        dBs[:, t] = (db[:, t] * delta[:, t, :, None]).sum(axis=1)
    return d_delta, dA * A, dBs


VERSIONS = {"A": version_a, "B": version_b, "C": version_c}


def show(version):
    """Print a version with its lines counted."""
    print(listing(VERSIONS[version]))
