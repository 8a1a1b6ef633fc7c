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
        (y, last, kept): y (T, B, E), the last state (B, N, E), and what
        ``selective_scan_backward`` needs; the last two lie in the workspace.
    """
    y = np.empty_like(delta)
    blocks, stretches, keep_all = _blocks(len(delta), *h_0.shape)
    ends = scratch.array("ends", (stretches + 1, *h_0.shape), like=delta)  # h between the stretches
    ends[0] = h_0
    inside = []
    for k, (i, now, b) in enumerate(blocks):
        name = k if keep_all else "of this block"
        decay, h = _states(delta[now, b], delta_u[now, b], A, Bs[now, b], ends[i, b], scratch, name)
        np.matmul(Cs[now, b, None, :], h, out=y[now, b, None, :])
        ends[i + 1, b] = h[-1]
        inside.append((decay, h) if keep_all else None)
    return y, ends[-1], (ends, inside)


def selective_scan_backward(dy, dh, delta, delta_u, A, Bs, Cs, kept, scratch):
    """Gradients of ``selective_scan``, from its arguments and what it kept.

    Args:
        dy: gradient with respect to y, (T, B, E).
        dh: gradient with respect to the last state, (B, N, E).

    Returns:
        (d_delta, d_delta_u, dA, dBs, dCs, dh_0); d_delta without the part through Δ ⊙ u.
    """
    ends, inside = kept
    d_delta, d_delta_u = np.empty_like(dy), np.empty_like(dy)
    dBs, dCs, dA, dh = np.empty_like(Bs), np.empty_like(Cs), np.zeros_like(A), dh.copy()
    blocks, _, _ = _blocks(len(dy), *dh.shape)
    for (i, now, b), found in zip(reversed(blocks), reversed(inside), strict=True):
        name = "of this block"
        decay, h = found or _states(delta[now, b], delta_u[now, b], A, Bs[now, b], ends[i, b], scratch, name)
        np.matmul(h, dy[now, b, :, None], out=dCs[now, b, :, None])

        G = scratch.array("G", decay.shape, like=decay)
        np.multiply(dy[now, b, None, :], Cs[now, b, :, None], out=G)
        G_last, carry = G[-1], dh[b]
        G_last += carry
        reversed_scan(G, decay, out=G)
        np.matmul(G, delta_u[now, b, :, None], out=dBs[now, b, :, None])
        np.matmul(Bs[now, b, None, :], G, out=d_delta_u[now, b, None, :])

        G *= decay
        carry[...] = G[0]  # what goes on to the step before
        flush_tiny(carry)  # ten times faster where the gradient fades
        G_first, G_rest = G[0], G[1:]
        G_first *= ends[i, b]
        G_rest *= h[:-1]  # now d(ΔA)
        d_delta[now, b] = np.einsum("tbne,ne->tbe", G, A)
        dA += np.einsum("tbne,tbe->ne", G, delta[now, b])
    return d_delta, d_delta_u, dA, dBs, dCs, dh


def _states(delta, delta_u, A, Bs, h_0, scratch, name):
    """Ā_t and h_t for a block, (t, b, N, E), from the state before it."""
    shape = (*delta.shape[:2], *A.shape)
    decay, h = (scratch.array(f"{what} {name}", shape, like=delta) for what in ("decay", "h"))
    np.multiply(delta[:, :, None, :], A, out=decay)
    np.exp(decay, out=decay)
    np.multiply(delta_u[:, :, None, :], Bs[:, :, :, None], out=h)
    return decay, scan(decay, h, h_0, out=h)


def _blocks(T, B, N, E):
    """Stretches of time and rows of the batch that are worked on together.

    One step of a block, (b, N, E), has some 2¹⁵ numbers, and so stays in the cache. A block
    has eight steps or more.

    Returns:
        (blocks, number of stretches, keep_all): blocks of (index of the stretch, its steps,
        rows). If keep_all, the problem is small enough to keep Ā and h of all steps for the
        backward pass. Else that computes them again from the end of the stretch before, which
        costs a sixth of the time and saves nearly all of the memory.
    """
    rows = max(1, 2**15 // (N * E))
    steps = max(1, 2**18 // (N * E * max(1, min(rows, B))))
    times = [slice(t, min(t + steps, T)) for t in range(0, T, steps)]
    blocks = [
        (i, now, slice(row, min(row + rows, B))) for row in range(0, B, rows) for i, now in enumerate(times)
    ]
    return blocks, len(times), T * B * N * E <= 2**22
