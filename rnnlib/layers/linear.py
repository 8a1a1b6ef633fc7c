"""The affine map y = x W + b, at every position of an array."""

import numpy as np

from rnnlib.layers.layer import Layer


class Linear(Layer):
    """y = x W + b along the last axis.

    Shapes: x (..., D), W (D, O), b (O,), y (..., O).

    Args:
        input_size: D.
        output_size: O.
        rng: ``numpy.random.Generator`` or a seed. W is drawn from U(−1/√D, 1/√D), b is zero.
        dtype: floating-point type of the parameters.
    """

    def __init__(self, input_size, output_size, *, rng=None, dtype=np.float32):
        super().__init__(dtype)
        self._check_sizes(input_size=input_size, output_size=output_size)
        rng = np.random.default_rng(rng)
        self.input_size, self.output_size = input_size, output_size
        self.params = {
            "W": self._uniform(rng, (input_size, output_size), input_size**-0.5),
            "b": np.zeros(output_size, self.dtype),
        }

    def step(self, x):
        """Map x (..., D) to y (..., O), and keep nothing for ``backward``."""
        return self._input(x) @ self.params["W"] + self.params["b"]

    def forward(self, x):
        """Map x (..., D) to y (..., O)."""
        self._cache = self._input(x).copy()  # the caller may change x before backward
        return self._cache @ self.params["W"] + self.params["b"]

    def backward(self, dy):
        """Map dy (..., O) to dx (..., D); fills ``grads``."""
        x = self._forward_cache()
        wanted = (*x.shape[:-1], self.output_size)
        if getattr(dy, "shape", None) != wanted:
            raise ValueError(f"Linear: dy must have shape {wanted}, got {getattr(dy, 'shape', type(dy))}")
        dy = dy.astype(self.dtype, copy=False)
        rows = dy.reshape(-1, self.output_size)
        self.grads = {"W": x.reshape(-1, self.input_size).T @ rows, "b": rows.sum(axis=0)}
        return dy @ self.params["W"].T

    def _input(self, x):
        if not hasattr(x, "shape") or x.ndim < 1 or x.shape[-1] != self.input_size:
            raise ValueError(
                f"Linear: x must have shape (..., D={self.input_size}), got {getattr(x, 'shape', type(x))}"
            )
        return x.astype(self.dtype, copy=False)
