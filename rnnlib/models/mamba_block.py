"""Mamba's pre-norm residual block: normalise, mix, add."""

import numpy as np

from rnnlib.models.mamba import Mamba
from rnnlib.models.parts.composite import Composite
from rnnlib.models.parts.rms_norm import RMSNorm


class MambaBlock(Composite):
    """y = x + Mamba(RMSNorm(x)) (Gu and Dao 2023). Its state is the mixer's, (conv, h).

    Along x the gradient reaches every block of a stack unchanged. The parameters are those of
    the parts, under names such as ``mixer.W_in``.

    Args:
        d_model: D.
        eps: ε of the RMSNorm.
        rng: ``numpy.random.Generator`` or a seed.
        dtype: floating-point type of the parameters.
        sizes: d_state, d_conv, expand and dt_rank of the mixer.

    Examples:
        >>> block = MambaBlock(d_model=6, rng=0)
        >>> x = np.ones((2, 5, 6))
        >>> y, (conv, h) = block.forward(x)
        >>> block.params["mixer.W_out"][...] = 0  # a mixer that adds nothing
        >>> y, state = block.forward(x)
        >>> bool((y == x).all())
        True
    """

    def __init__(self, d_model, *, eps=1e-5, rng=None, dtype=np.float32, **sizes):
        super().__init__(dtype)
        self.norm = RMSNorm(d_model, eps=eps, dtype=dtype)
        self.mixer = Mamba(d_model, rng=rng, dtype=dtype, **sizes)
        self._hold(norm=self.norm, mixer=self.mixer)

    def step(self, x_t, state=None):
        """One time step, (B, D) and the mixer's state; returns (y_t, state)."""
        x_t = self._array("x_t", x_t, B=None, D=self.norm.size)
        mix, state = self.mixer.step(self.norm.step(x_t), state)
        return x_t + mix, state

    def forward(self, x, state=None):
        """A whole sequence, (B, T, D), from the mixer's state; returns (y, state)."""
        x = self._array("x", x, B=None, T=None, D=self.norm.size)
        self._cache = None  # if the mixer fails, there is nothing to go back through
        mix, state = self.mixer.forward(self.norm.forward(x), state)
        self._cache = True
        return x + mix, state

    def backward(self, dy, dstate=None):
        """Gradients for the latest ``forward``: (dx, dstate); fills ``grads``."""
        self._forward_cache()
        dmix, dstate = self.mixer.backward(dy, dstate)
        dy = self._numbers("dy", dy).astype(self.dtype, copy=False)
        dx = dy + self.norm.backward(dmix)
        self.grads = self._collect("grads")
        return dx, dstate
