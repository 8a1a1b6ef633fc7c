"""The selective scan, the heart of Mamba (Gu and Dao 2023, algorithm 2), forward and backward.

For each of E channels a state of N numbers::

    Ā_t = exp(Δ_t A)
    h_t = Ā_t ⊙ h_{t−1} + (Δ_t ⊙ u_t) B_t
    y_t = h_t C_t

Ā is the zero-order hold; Δ B is Euler's rule, as in the authors' code (their Eq. 4 holds B by
the zero-order hold, too).

Backward, with dh_t the gradient that reaches h_t from all steps::

    dh_t = dy_t C_t + Ā_{t+1} ⊙ dh_{t+1}                           the scan, reversed
    dC_t = Σ_E h_t dy_t,   dB_t = Σ_E dh_t (Δ_t u_t),   d(Δu)_t = Σ_N dh_t B_t
    d(ΔA)_t = dh_t ⊙ Ā_t ⊙ h_{t−1}
    dΔ_t = Σ_N d(ΔA)_t A,   dA = Σ d(ΔA)_t Δ_t over t and the batch

Arrays are time first, and h, Ā and A have E last, (…, N, E), so that all loops run along
memory: Δ, Δu, y (T, B, E); B, C (T, B, N); A (N, E).
"""

import numpy as np

from rnnlib.models.parts.functional import flush_tiny
from rnnlib.models.scan import reversed_scan, scan


def selective_scan(delta, delta_u, A, Bs, Cs, h_0, scratch):
    """The scan over a whole sequence.

    Args:
        delta, delta_u: Δ and Δ ⊙ u, (T, B, E).
        A: (N, E).
        Bs, Cs: every B_t and C_t, (T, B, N).
        h_0: first state, (B, N, E).
        scratch: a Workspace.

    Returns:
        (y, checkpoints): y (T, B, E), and the state before each block of time and after the last,
        (blocks + 1, B, N, E), in the workspace: ``selective_scan_backward`` begins with them.
    """
    y = np.empty_like(delta)
    blocks, times = _blocks(len(delta), *h_0.shape)
    checkpoints = scratch.array("checkpoints", (times + 1, *h_0.shape), like=delta)
    checkpoints[0] = h_0
    for i, at in blocks:
        _, rows = at
        _, h = _states(delta[at], delta_u[at], A, Bs[at], checkpoints[i, rows], scratch)
        np.matmul(Cs[at][:, :, None, :], h, out=y[at][:, :, None, :])
        checkpoints[i + 1, rows] = h[-1]
    return y, checkpoints


def selective_scan_backward(dy, dh_last, delta, delta_u, A, Bs, Cs, checkpoints, scratch):
    """Gradients of ``selective_scan``, from its arguments and its checkpoints.

    Args:
        dy: gradient with respect to y, (T, B, E).
        dh_last: gradient with respect to the last state, (B, N, E).

    Returns:
        (d_delta, d_delta_u, dA, dBs, dCs, dh_0); d_delta without the part through Δ ⊙ u.
    """
    d_delta, d_delta_u = np.empty_like(dy), np.empty_like(dy)
    dBs, dCs, dA = np.empty_like(Bs), np.empty_like(Cs), np.zeros_like(A)
    carry = dh_last.copy()  # what goes on to the step before
    blocks, _ = _blocks(len(dy), *dh_last.shape)
    for i, at in reversed(blocks):
        _, rows = at
        decay, h = _states(delta[at], delta_u[at], A, Bs[at], checkpoints[i, rows], scratch)
        # y_t = h_t C_t
        np.matmul(h, dy[at][..., None], out=dCs[at][..., None])
        dh = scratch.array("dh", decay.shape, like=decay)
        dh[...] = dy[at][:, :, None, :]
        dh *= Cs[at][..., None]
        dh[-1] += carry[rows]
        reversed_scan(dh, decay, out=dh)  # dh_t = dy_t C_t + Ā_{t+1} ⊙ dh_{t+1}

        # … + (Δ_t ⊙ u_t) B_t
        np.matmul(dh, delta_u[at][..., None], out=dBs[at][..., None])
        np.matmul(Bs[at][:, :, None, :], dh, out=d_delta_u[at][:, :, None, :])

        # Ā_t ⊙ h_{t−1} with Ā_t = exp(Δ_t A)
        d_before = dh
        d_before *= decay  # Ā_t ⊙ dh_t, what h_{t−1} gets
        carry[rows] = d_before[0]
        flush_tiny(carry[rows])  # denormal numbers are slow
        d_delta_A = d_before
        d_delta_A[0] *= checkpoints[i, rows]
        np.multiply(d_delta_A[1:], h[:-1], out=d_delta_A[1:])
        d_delta[at] = np.einsum("tbne,ne->tbe", d_delta_A, A)
        dA += np.einsum("tbne,tbe->ne", d_delta_A, delta[at])
    return d_delta, d_delta_u, dA, dBs, dCs, carry


def _states(delta, delta_u, A, Bs, h_0, scratch):
    """Ā_t and h_t for a block, (t, b, N, E), from the state before it."""
    shape = (*delta.shape[:2], *A.shape)
    decay, h = (scratch.array(name, shape, like=delta) for name in ("decay", "h"))
    decay[...] = delta[:, :, None, :]
    decay *= A
    np.exp(decay, out=decay)  # Ā = exp(Δ A)
    h[...] = delta_u[:, :, None, :]
    h *= Bs[..., None]  # (Δ ⊙ u) B
    return decay, scan(decay, h, h_0, out=h)


def _blocks(T, B, N, E):
    """Steps and rows of the batch that are worked on together.

    One step of a block, (b, N, E), has at most 2¹⁵ numbers, or one row if a row has more, and
    so stays in the cache. A block has eight steps or more (fewer where N E is above 2¹⁵): the
    forward pass keeps its last state alone, and the backward pass computes the others again.
    That costs up to a sixth of a training step, and saves most of the memory.

    Returns:
        (blocks, times): pairs of a block's number in time and its (steps, rows), and how many
        blocks there are in time.
    """
    rows = max(1, 2**15 // (N * E))
    steps = max(1, 2**18 // (N * E * max(1, min(rows, B))))
    starts = range(0, T, steps)
    blocks = [
        (i, (slice(t, min(t + steps, T)), slice(row, min(row + rows, B))))
        for row in range(0, B, rows)
        for i, t in enumerate(starts)
    ]
    return blocks, len(starts)
