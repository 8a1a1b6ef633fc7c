"""Optimizers and gradient clipping. Parameters and gradients are dicts with the same names."""

import math

import numpy as np

from rnnlib.models.parts.arrays import array, floats

#: Mamba's A_log and skip are rates and gains of its state space: weight decay spares them (Gu and Dao 2023).
NO_DECAY = frozenset({"A_log", "skip"})


def global_norm(grads):
    """The length of all gradients taken together as one vector, √Σ g². A float."""
    return math.sqrt(sum(float((floats(g, name).astype(np.float64) ** 2).sum()) for name, g in grads.items()))


def clip_by_norm(grads, max_norm):
    """Shorten the gradient to ``max_norm`` if it is longer; its direction stays.

    One factor for all arrays (Pascanu, Mikolov and Bengio 2013).

    Args:
        grads: name -> array.
        max_norm: the longest global norm that is let through, above 0.

    Returns:
        (clipped, norm): new arrays, and the norm before clipping.

    Raises:
        ValueError: max_norm is not above 0.
        TypeError: a gradient is no array of real numbers.
    """
    if isinstance(max_norm, bool) or not max_norm > 0:
        raise ValueError(f"max_norm must be above 0, got {max_norm}")
    grads = _arrays(grads)
    norm = global_norm(grads)
    scale = min(1.0, max_norm / norm) if norm > 0 else 1.0
    return {name: g * g.dtype.type(scale) for name, g in grads.items()}, norm


def _arrays(grads):
    """The gradients as arrays of floating-point numbers."""
    return {name: floats(g, f"the gradient of {name}") for name, g in grads.items()}


class Optimizer:
    """What every optimizer has; ``step`` is what makes one differ from the other.

    Args:
        params: name -> array; ``step`` changes the arrays in place.
        lr: step length, above 0.
        averages: names of the running averages that this optimizer keeps of each parameter.

    Attributes:
        t: how many steps were taken.
        memory: average -> parameter's name -> array in the parameter's shape. With ``t`` it is
            all that an optimizer must remember to go on later.
    """

    def __init__(self, params, lr, averages):
        if isinstance(lr, bool | str) or not 0 < lr < math.inf:
            raise ValueError(f"lr must be above 0 and finite, got {lr!r}")
        for name, p in params.items():
            if array(p, f"parameter {name}") is not p or p.dtype.kind != "f":
                raise TypeError(f"parameter {name} must be a plain array of floating-point numbers")
        self.params, self.lr, self.t = params, float(lr), 0
        self.memory = {key: {name: np.zeros_like(p) for name, p in params.items()} for key in averages}

    @property
    def settings(self):
        """The arguments that make such an optimizer again, all but the parameters."""
        return {key: value for key, value in vars(self).items() if key not in ("params", "t", "memory")}

    def _begin_step(self, grads):
        """One more step, if the gradients fit the parameters: the gradients as arrays."""
        if grads.keys() != self.params.keys():
            odd = sorted(grads.keys() ^ self.params.keys())
            raise ValueError(f"gradients and parameters differ in {', '.join(odd)}")
        grads = _arrays(grads)
        for name, g in grads.items():
            if g.shape != self.params[name].shape:
                raise ValueError(f"the gradient of {name} has shape {g.shape}, not {self.params[name].shape}")
        self.t += 1
        return grads


class SGD(Optimizer):
    """Gradient descent with momentum, u = μ u + g, θ = θ − lr · u.

    Args:
        params, lr: see ``Optimizer``.
        momentum: μ, the share of the last step that is taken again; 0 is plain descent.
    """

    def __init__(self, params, lr=1e-2, momentum=0.9):
        super().__init__(params, lr, ("u",))
        if not 0 <= momentum < 1:
            raise ValueError(f"momentum must be at least 0 and below 1, got {momentum}")
        self.momentum = momentum

    def step(self, grads):
        """Move every parameter once, by its gradient in ``grads``."""
        grads = self._begin_step(grads)
        for name, g in grads.items():
            u = self.memory["u"][name]
            u *= self.momentum
            u += g
            self.params[name] -= self.lr * u


class RMSprop(Optimizer):
    """Divide each gradient by a running average of its size (Tieleman and Hinton 2012).

    v = ρ v + (1 − ρ) g², θ = θ − lr · g / (√v + ε).

    Args:
        params, lr: see ``Optimizer``.
        rho: ρ, how long the average remembers.
        eps: ε, keeps the quotient finite where v is 0.
    """

    def __init__(self, params, lr=1e-3, rho=0.99, eps=1e-8):
        super().__init__(params, lr, ("v",))
        if not 0 <= rho < 1:
            raise ValueError(f"rho must be at least 0 and below 1, got {rho}")
        if not eps > 0:
            raise ValueError(f"eps must be above 0, got {eps}")
        self.rho, self.eps = rho, eps

    def step(self, grads):
        """Move every parameter once, by its gradient in ``grads``."""
        grads = self._begin_step(grads)
        for name, g in grads.items():
            v = self.memory["v"][name]
            v *= self.rho
            v += (1 - self.rho) * g * g
            self.params[name] -= self.lr * g / (np.sqrt(v) + self.eps)


class Adam(Optimizer):
    """Adam (Kingma and Ba 2015, algorithm 1), with decoupled weight decay (Loshchilov and Hutter 2019).

    With g the gradient and t counted from 1::

        m = β₁ m + (1 − β₁) g           v = β₂ v + (1 − β₂) g²
        m̂ = m / (1 − β₁ᵗ)               v̂ = v / (1 − β₂ᵗ)
        θ = θ − lr · λ θ                 θ = θ − lr · m̂ / (√v̂ + ε)

    Args:
        params, lr: see ``Optimizer``. With one constant gradient each step has about length lr.
        betas: (β₁, β₂), how long the two averages remember.
        eps: ε, keeps the quotient finite where v̂ is 0.
        weight_decay: λ; 0 is plain Adam. As in PyTorch it is multiplied by lr (the paper's λ is
            lr · λ here). Parameters whose last name is in ``NO_DECAY`` do not decay.
    """

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        super().__init__(params, lr, ("m", "v"))
        if not eps > 0:
            raise ValueError(f"eps must be above 0, got {eps}")
        if not all(0 <= beta < 1 for beta in betas):
            raise ValueError(f"betas must be at least 0 and below 1, got {betas}")
        if not 0 <= weight_decay < math.inf:
            raise ValueError(f"weight_decay must be at least 0 and finite, got {weight_decay}")
        self.betas, self.eps, self.weight_decay = betas, eps, weight_decay

    def step(self, grads):
        """Move every parameter once, by its gradient in ``grads``."""
        grads = self._begin_step(grads)
        beta1, beta2 = self.betas
        for name, g in grads.items():
            p, m, v = self.params[name], self.memory["m"][name], self.memory["v"][name]
            m += (1 - beta1) * (g - m)
            v += (1 - beta2) * (g * g - v)
            m_hat = m / (1 - beta1**self.t)
            v_hat = v / (1 - beta2**self.t)
            if self.weight_decay and name.split(".")[-1] not in NO_DECAY:
                p -= self.lr * self.weight_decay * p
            p -= self.lr * m_hat / (np.sqrt(v_hat) + self.eps)


#: The optimizers by the name that commands and checkpoints use.
OPTIMIZERS = {"sgd": SGD, "rmsprop": RMSprop, "adam": Adam}


def make_optimizer(params, kind, **settings):
    """An optimizer by its name, a key of ``OPTIMIZERS``, with its further arguments."""
    if kind not in OPTIMIZERS:
        raise ValueError(f"unknown optimizer {kind!r}: choose one of {', '.join(OPTIMIZERS)}")
    return OPTIMIZERS[kind](params, **settings)
