"""Optimizers and gradient clipping. Parameters and gradients are dicts with the same names."""

import math

import numpy as np


def global_norm(grads):
    """The length of all gradients taken together as one vector, √Σ g². A float."""
    return math.sqrt(sum(float((g.astype(np.float64) ** 2).sum()) for g in grads.values()))


def clip_by_norm(grads, max_norm):
    """Shorten the gradient to ``max_norm`` if it is longer; its direction stays.

    One factor for all arrays (Pascanu, Mikolov and Bengio 2013).

    Args:
        grads: name -> array.
        max_norm: the longest global norm that is let through, above 0.

    Returns:
        (clipped, norm): new arrays, and the norm before clipping.
    """
    if not max_norm > 0:
        raise ValueError(f"max_norm must be above 0, got {max_norm}")
    norm = global_norm(grads)
    scale = min(1.0, max_norm / norm) if norm > 0 else 1.0
    return {name: g * g.dtype.type(scale) for name, g in grads.items()}, norm


class Adam:
    """Adam (Kingma and Ba 2015, algorithm 1).

    With g the gradient and t counted from 1::

        m = β₁ m + (1 − β₁) g           v = β₂ v + (1 − β₂) g²
        m̂ = m / (1 − β₁ᵗ)               v̂ = v / (1 − β₂ᵗ)
        θ = θ − lr · m̂ / (√v̂ + ε)

    Args:
        params: name -> array; ``step`` changes the arrays in place.
        lr: step length. With one constant gradient each step has about this length.
        betas: (β₁, β₂), how long the two averages remember.
        eps: ε, keeps the quotient finite where v̂ is 0.
    """

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        if not 0 < lr < math.inf:
            raise ValueError(f"lr must be above 0 and finite, got {lr}")
        if not eps > 0:
            raise ValueError(f"eps must be above 0, got {eps}")
        if not all(0 <= beta < 1 for beta in betas):
            raise ValueError(f"betas must be at least 0 and below 1, got {betas}")
        self.params, self.lr, self.betas, self.eps = params, lr, betas, eps
        self.t = 0
        self.m = {name: np.zeros_like(p) for name, p in params.items()}
        self.v = {name: np.zeros_like(p) for name, p in params.items()}

    def step(self, grads):
        """Move every parameter once, by its gradient in ``grads``."""
        if grads.keys() != self.params.keys():
            odd = sorted(grads.keys() ^ self.params.keys())
            raise ValueError(f"gradients and parameters differ in {', '.join(odd)}")
        for name, g in grads.items():
            if g.shape != self.params[name].shape:
                raise ValueError(f"the gradient of {name} has shape {g.shape}, not {self.params[name].shape}")
        self.t += 1
        beta1, beta2 = self.betas
        for name, g in grads.items():
            m, v = self.m[name], self.v[name]
            m += (1 - beta1) * (g - m)
            v += (1 - beta2) * (g * g - v)
            m_hat = m / (1 - beta1**self.t)
            v_hat = v / (1 - beta2**self.t)
            self.params[name] -= self.lr * m_hat / (np.sqrt(v_hat) + self.eps)
