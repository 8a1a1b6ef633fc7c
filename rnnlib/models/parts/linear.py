"""The affine map y = x W + b, at every position of an array."""

import numpy as np

from rnnlib.models.parts.layer import Layer


class Linear(Layer):
    """y = x W + b along the last axis.

    Shapes: x (..., D), W (D, O), b (O,), y (..., O).

    Args:
        input_size: D.
        output_size: O.
        rng: ``numpy.random.Generator`` or a seed. W is drawn from U(−1/√D, 1/√D), b is zero.
        dtype: floating-point type of the parameters.

    Examples:
        >>> layer = Linear(input_size=3, output_size=2, rng=0)
        >>> layer.forward(np.ones((4, 5, 3))).shape
        (4, 5, 2)
        >>> dx = layer.backward(np.ones((4, 5, 2)))
        >>> layer.grads["b"].tolist()  # b is added at 4 · 5 positions
        [20.0, 20.0]
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
        return self._vectors("x", x, self.input_size) @ self.params["W"] + self.params["b"]

    def forward(self, x):
        """Map x (..., D) to y (..., O)."""
        self._cache = self._vectors("x", x, self.input_size).copy()  # the caller may change x
        return self._cache @ self.params["W"] + self.params["b"]

    def backward(self, dy):
        """Map dy (..., O) to dx (..., D); fills ``grads``."""
        x = self._forward_cache()
        dy = self._same_shape("dy", dy, (*x.shape[:-1], self.output_size))
        rows = dy.reshape(-1, self.output_size)
        self.grads = {"W": x.reshape(-1, self.input_size).T @ rows, "b": rows.sum(axis=0)}
        return dy @ self.params["W"].T
