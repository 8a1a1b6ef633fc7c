"""PyTorch's side of :mod:`rnnlib.training.speed`: its own layers, and loops for MinGRU and Mamba.

Arguments, shapes and letters are those of ``rnnlib.MinGRU`` (mode "vanilla") and
``rnnlib.Mamba``. ``unbind`` cuts a sequence into its steps; the gradient of ``x[t]`` would be
a whole sequence of zeros for each step. Mamba has two loops: a plain one that reads as the
equations, and one tuned by hand, the fastest that we have in eager PyTorch.
"""

from functools import partial

import torch
from torch.nn import functional as F

from rnnlib.training.speed.cases import NAMES, problem


def torch_step(model, *, tuned=False, **size):
    """A function that makes one training step in PyTorch."""
    torch.set_num_threads(1)
    x, dy, layer = problem(model, **size)
    x, dy = torch.from_numpy(x).requires_grad_(), torch.from_numpy(dy)
    loop = LOOPS.get(f"{model} tuned" if tuned else model)
    if loop:
        arrays = {name: torch.from_numpy(a).requires_grad_() for name, a in layer.params.items()}
        weights = list(arrays.values())
    else:
        peer = getattr(torch.nn, NAMES[model])(size["D"], size["H"], batch_first=True)
        weights = list(peer.parameters())

    def step():
        y = loop(x, **arrays) if loop else peer(x)[0]
        torch.autograd.grad(y, [x, *weights], dy)

    return step


def min_gru(x, W_x, b):
    """x (B, T, D) -> y (B, T, H)."""
    u = x @ W_x[0] + b[0]
    z = torch.sigmoid(x @ W_x[1] + b[1])
    h = torch.zeros_like(u[:, 0])
    y = []
    for u_t, z_t in zip(u.unbind(1), z.unbind(1), strict=True):
        h = torch.lerp(h, u_t, z_t)  # (1 − z) h + z u: a quarter faster than addcmul
        y.append(h)
    return torch.stack(y, dim=1)


def mamba(selective_scan, x, W_in, conv_W, conv_b, W_u, W_dt, b_dt, A_log, skip, W_out):
    """x (B, T, D) -> out (B, T, D)."""
    K, (R, N), T = len(conv_W), (len(W_dt), A_log.shape[1]), x.shape[1]
    p, z = (x @ W_in).chunk(2, dim=-1)
    padded = F.pad(p, (0, 0, K - 1, 0))
    u = F.silu(conv_b + sum(padded[:, k : k + T] * conv_W[k] for k in range(K)))  # faster than conv1d
    r, B, C = (u @ W_u).split([R, N, N], dim=-1)
    delta = F.softplus(r @ W_dt + b_dt)
    y = selective_scan(delta, delta * u, -torch.exp(A_log), B, C) + skip * u
    return (y * F.silu(z)) @ W_out


def plain_scan(delta, delta_u, A, B, C):
    """Step by step, as the equations stand: h (B, E, N)."""
    h = torch.zeros(len(B), *A.shape, dtype=B.dtype)
    y = []
    steps = zip(delta.unbind(1), delta_u.unbind(1), B.unbind(1), C.unbind(1), strict=True)
    for delta_t, delta_u_t, B_t, C_t in steps:
        h = torch.exp(delta_t[..., None] * A) * h + delta_u_t[..., None] * B_t[:, None]
        y.append((h @ C_t[..., None])[..., 0])
    return torch.stack(y, dim=1)


def tuned_scan(delta, delta_u, A, B, C):
    """The same with h (B, N, E), in memory's order, products by bmm, and sums in place."""
    A = A.T.contiguous()
    h = torch.zeros(len(B), *A.shape, dtype=B.dtype)
    y = []
    rows_and_columns = delta[:, :, None], delta_u[:, :, None], B[..., None], C[:, :, None]
    for delta_t, delta_u_t, B_t, C_t in zip(*(a.unbind(1) for a in rows_and_columns), strict=True):
        decay = (delta_t * A).exp_()
        h = torch.bmm(B_t, delta_u_t).addcmul_(decay, h)
        y.append(torch.bmm(C_t, h))
    return torch.cat(y, dim=1)


LOOPS = {"min_gru": min_gru, "mamba": partial(mamba, plain_scan), "mamba tuned": partial(mamba, tuned_scan)}
