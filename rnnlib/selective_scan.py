"""The selective scan, the heart of Mamba (Gu and Dao 2023, algorithm 2), forward and backward.

For each of E channels a state of N numbers::

    Ā_t = exp(Δ_t A)
    h_t = Ā_t ⊙ h_{t−1} + (Δ_t ⊙ u_t) B_t
    y_t = h_t C_t

Ā is the zero-order hold; Δ B is Euler's rule, as in the authors' code (their Eq. 4 has more).

Backward, with G_t the gradient that reaches h_t from all steps::

    G_t = dy_t C_t + Ā_{t+1} ⊙ G_{t+1}                             the scan, reversed
    dC_t = Σ_E h_t dy_t,   dB_t = Σ_E G_t (Δ_t u_t),   d(Δu)_t = Σ_N G_t B_t
    d(ΔA)_t = G_t ⊙ Ā_t ⊙ h_{t−1}
    dΔ_t = Σ_N d(ΔA)_t A,   dA = Σ_{B,t} d(ΔA)_t Δ_t

Arrays are time first, and h, Ā and A have E last, (…, N, E), so that all loops run along
memory: Δ, Δu, y (T, B, E); B, C (T, B, N); A (N, E).
"""

import numpy as np

from rnnlib.functional import flush_tiny
from rnnlib.scan import reversed_scan, scan


def selective_scan(delta, delta_u, A, Bs, Cs, h_0, scratch):
    """The scan over a whole sequence.

    Args:
        delta, delta_u: Δ and Δ ⊙ u, (T, B, E).
        A: (N, E).
        Bs, Cs: every B_t and C_t, (T, B, N).
        h_0: first state, (B, N, E).
        scratch: a Workspace.

    Returns:
        (y, kept): y (T, B, E), and the states that the backward pass starts from, the first
        and the last one among them, (…, B, N, E), in the workspace.
    """
    T, B, E = delta.shape
    blocks, times = _blocks(T, *h_0.shape)
    y = np.empty_like(delta)
    kept = scratch.array("kept", (len(times) + 1, *h_0.shape), like=delta)
    kept[0] = h_0
    for b in blocks:
        for i, now in enumerate(times):
            decay = _decay(delta[now, b], A, scratch)
            h = _states(decay, delta_u[now, b], Bs[now, b], kept[i, b], scratch)
            np.matmul(Cs[now, b, None, :], h, out=y[now, b, None, :])
            kept[i + 1, b] = h[-1]
    return y, kept


def selective_scan_backward(dy, dh, delta, delta_u, A, Bs, Cs, kept, scratch):
    """Gradients of ``selective_scan``, from its arguments and what it kept.

    Args:
        dy: gradient with respect to y, (T, B, E).
        dh: gradient with respect to the last state, (B, N, E).

    Returns:
        (d_delta, d_delta_u, dA, dBs, dCs, dh_0); d_delta without the part through Δ ⊙ u.
    """
    blocks, times = _blocks(len(dy), *dh.shape)
    d_delta, d_delta_u = np.empty_like(dy), np.empty_like(dy)
    dBs, dCs, dA, dh = np.empty_like(Bs), np.empty_like(Cs), np.zeros_like(A), dh.copy()
    for b in blocks:
        carry = dh[b]
        for i, now in reversed(list(enumerate(times))):
            decay = _decay(delta[now, b], A, scratch)
            # The states again, but for the last one, which was kept.
            early, last = slice(now.start, now.stop - 1), now.stop - 1
            h = _states(decay[:-1], delta_u[early, b], Bs[early, b], kept[i, b], scratch)
            np.matmul(h, dy[early, b, :, None], out=dCs[early, b, :, None])
            np.matmul(kept[i + 1, b], dy[last, b, :, None], out=dCs[last, b, :, None])

            G = scratch.array("G", decay.shape, like=decay)
            np.multiply(dy[now, b, None, :], Cs[now, b, :, None], out=G)
            G_last = G[-1]
            G_last += carry
            reversed_scan(G, decay, out=G)
            np.matmul(G, delta_u[now, b, :, None], out=dBs[now, b, :, None])
            np.matmul(Bs[now, b, None, :], G, out=d_delta_u[now, b, None, :])

            G *= decay
            carry[...] = G[0]  # what goes on to the step before
            flush_tiny(carry)  # ten times faster where the gradient fades
            G_first, G_rest = G[0], G[1:]
            G_first *= kept[i, b]
            G_rest *= h  # now d(ΔA)
            d_delta[now, b] = np.einsum("tbne,ne->tbe", G, A)
            dA += np.einsum("tbne,tbe->ne", G, delta[now, b])
    return d_delta, d_delta_u, dA, dBs, dCs, dh


def _decay(delta, A, scratch):
    """Ā_t for a block, (t, b, N, E)."""
    decay = scratch.array("decay", (*delta.shape[:2], *A.shape), like=delta)
    np.multiply(delta[:, :, None, :], A, out=decay)
    return np.exp(decay, out=decay)


def _states(decay, delta_u, Bs, h_0, scratch):
    """h_t for a block, (t, b, N, E), from the state before it."""
    h = scratch.array("h", decay.shape, like=decay)
    np.multiply(delta_u[:, :, None, :], Bs[:, :, :, None], out=h)
    return scan(decay, h, h_0, out=h)


def _blocks(T, B, N, E):
    """Slices of the batch and of time that are worked on together.

    One step of a block, (b, N, E), has some 2¹⁵ numbers, and so stays in the cache. Of eight
    or more steps the forward pass keeps one state; to compute the others again in the
    backward pass costs a tenth of its time, and saves nearly all of the memory.
    """
    rows = max(1, 2**15 // (N * E))
    steps = max(1, 2**18 // (N * E * max(1, min(rows, B))))
    blocks = [slice(row, min(row + rows, B)) for row in range(0, B, rows)]
    return blocks, [slice(t, min(t + steps, T)) for t in range(0, T, steps)]
