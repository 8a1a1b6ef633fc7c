"""Root mean square normalisation (Zhang and Sennrich 2019, arXiv:1910.07467)."""

import numpy as np

from rnnlib.models.parts.layer import Layer


class RMSNorm(Layer):
    """y = w ⊙ x / √(mean(x²) + ε) along the last axis: each vector gets the length √D (for ε = 0), then w.

    With s = 1 / √(mean(x²) + ε), x̂ = s x and y = w ⊙ x̂, backward::

        dw = Σ dy ⊙ x̂,   dx̂ = dy ⊙ w
        dx = s (dx̂ − x̂ mean(dx̂ ⊙ x̂))             since ds/dx_i = −s³ x_i / D

    Shapes: x and y (..., D), w (D,).

    Args:
        size: D.
        eps: ε, keeps the quotient finite where x is 0.
        dtype: floating-point type of the parameters. w begins at 1.

    Examples:
        >>> norm = RMSNorm(size=4)
        >>> x = np.array([1.0, 2.0, 3.0, 4.0])
        >>> np.allclose(norm.forward(100 * x), norm.forward(x))  # the length is lost
        True
    """

    def __init__(self, size, *, eps=1e-5, dtype=np.float32):
        super().__init__(dtype)
        self._check_sizes(size=size)
        if not eps > 0:
            raise ValueError(f"RMSNorm: eps must be above 0, got {eps}")
        self.size, self.eps = size, eps
        self.params = {"w": np.ones(size, self.dtype)}

    def step(self, x):
        """Map x (..., D) to y (..., D), and keep nothing for ``backward``."""
        x = self._vectors("x", x, self.size)
        return x * self._scale(x) * self.params["w"]

    def forward(self, x):
        """Map x (..., D) to y (..., D)."""
        x = self._vectors("x", x, self.size).copy()  # the caller may change x before backward
        scale = self._scale(x)
        self._cache = x, scale
        return x * scale * self.params["w"]

    def backward(self, dy):
        """Map dy (..., D) to dx (..., D); fills ``grads``."""
        x, scale = self._forward_cache()
        dy = self._same_shape("dy", dy, x.shape)
        normalised = x * scale
        self.grads = {"w": (dy * normalised).reshape(-1, self.size).sum(axis=0)}
        dnormalised = dy * self.params["w"]
        mean = (dnormalised * normalised).mean(axis=-1, keepdims=True)
        return scale * (dnormalised - normalised * mean)

    def _scale(self, x):
        return 1 / np.sqrt((x * x).mean(axis=-1, keepdims=True) + self.eps)
