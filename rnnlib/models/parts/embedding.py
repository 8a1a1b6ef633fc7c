"""A table of vectors, one for each token."""

import numpy as np

from rnnlib.models.parts.layer import Layer


class Embedding(Layer):
    """y = W[ids]: row number ids of W, the same as a one-hot vector times W.

    Shapes: ids (...), integers from 0 to V − 1; W (V, D); y (..., D).

    Args:
        vocab_size: V.
        size: D.
        rng: ``numpy.random.Generator`` or a seed. W is drawn from N(0, 0.02²).
        dtype: floating-point type of the parameters.

    Examples:
        >>> layer = Embedding(vocab_size=4, size=2, rng=0)
        >>> layer.forward(np.array([1, 3, 1])).shape
        (3, 2)
        >>> layer.backward(np.ones((3, 2)))
        >>> layer.grads["W"].tolist()  # token 1 occurs twice
        [[0.0, 0.0], [2.0, 2.0], [0.0, 0.0], [1.0, 1.0]]
    """

    def __init__(self, vocab_size, size, *, rng=None, dtype=np.float32):
        super().__init__(dtype)
        self._check_sizes(vocab_size=vocab_size, size=size)
        rng = np.random.default_rng(rng)
        self.vocab_size, self.size = vocab_size, size
        self.params = {"W": (0.02 * rng.standard_normal((vocab_size, size))).astype(self.dtype)}

    def step(self, ids):
        """Map ids (...) to vectors (..., D), and keep nothing for ``backward``."""
        return self.params["W"][self._tokens(ids)]

    def forward(self, ids):
        """Map ids (...) to vectors (..., D)."""
        self._cache = self._tokens(ids).copy()  # the caller may change ids before backward
        return self.params["W"][self._cache]

    def backward(self, dy):
        """Fill ``grads`` from dy (..., D). The ids are integers and have no gradient."""
        ids = self._forward_cache()
        dy = self._same_shape("dy", dy, (*ids.shape, self.size))
        # Sum dy by the entry of W that it belongs to: a token that occurs twice gets both. (np.add.at
        # would do it too; CuPy does not dispatch it.)
        entries = ids.reshape(-1, 1) * self.size + np.arange(self.size, like=ids)
        size = self.vocab_size * self.size
        dW = np.bincount(entries.reshape(-1), weights=dy.reshape(-1), minlength=size)
        self.grads = {"W": dW.reshape(self.vocab_size, self.size).astype(self.dtype)}

    def _tokens(self, ids):
        dtype = getattr(ids, "dtype", None)
        if getattr(dtype, "kind", "") not in ("i", "u"):
            kind = type(ids).__name__ if dtype is None else dtype
            raise TypeError(f"Embedding: ids must be an array of integers, got {kind}")
        ids = self._numbers("ids", ids)
        if ids.size and not (ids.min() >= 0 and ids.max() < self.vocab_size):
            raise ValueError(
                f"Embedding: ids must be from 0 to {self.vocab_size - 1}, got {ids.min()} to {ids.max()}"
            )
        return ids.astype(np.int64, copy=False)  # entries are counted in more than 8 bits
