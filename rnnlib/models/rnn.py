"""The recurrent network (after Elman 1990), with tanh.

One step::

    a_t = x_t W_x + h_{t−1} W_h + b
    h_t = tanh(a_t)

Shapes: x_t (B, D), h_t (B, H), W_x (D, H), W_h (H, H), b (H,).

Backward in time, with dh_t the gradient that reaches h_t from the loss at step t
(dy_t) and from step t + 1 (backpropagation through time, Werbos 1990)::

    dh_t = dy_t + da_{t+1} W_hᵀ
    da_t = dh_t ⊙ (1 − h_t²)                   since tanh'(a) = 1 − tanh(a)²
    dW_x = Σ_t x_tᵀ da_t,   dW_h = Σ_t h_{t−1}ᵀ da_t,   db = Σ_t da_t
    dx_t = da_t W_xᵀ
"""

import numpy as np

from rnnlib.models.parts.functional import flush_tiny
from rnnlib.models.parts.layer import Layer


class RNN(Layer):
    """A tanh recurrent layer. Its state is h, shape (B, H).

    The module's docstring has the equations and the shapes of ``params``.

    Args:
        input_size: D.
        hidden_size: H.
        rng: ``numpy.random.Generator`` or a seed. W_x and W_h are drawn from
            U(−1/√H, 1/√H), b is zero.
        dtype: floating-point type of the parameters.

    Examples:
        >>> layer = RNN(input_size=3, hidden_size=4, rng=0)
        >>> y, h = layer.forward(np.ones((2, 5, 3)))  # (B, T, D)
        >>> y.shape, h.shape
        ((2, 5, 4), (2, 4))
        >>> dx, dh = layer.backward(np.ones((2, 5, 4)))
        >>> sorted(layer.grads)
        ['W_h', 'W_x', 'b']
    """

    def __init__(self, input_size, hidden_size, *, rng=None, dtype=np.float32):
        super().__init__(dtype)
        self._check_sizes(input_size=input_size, hidden_size=hidden_size)
        rng = np.random.default_rng(rng)
        self.input_size, self.hidden_size = input_size, hidden_size
        bound = hidden_size**-0.5
        self.params = {
            "W_x": self._uniform(rng, (input_size, hidden_size), bound),
            "W_h": self._uniform(rng, (hidden_size, hidden_size), bound),
            "b": np.zeros(hidden_size, self.dtype),
        }

    def step(self, x_t, state=None):
        """One time step: the definition of the layer.

        Args:
            x_t: input, (B, D).
            state: h_{t−1}, (B, H); zeros if None.

        Returns:
            (h_t, state), where the state is h_t again: both (B, H).
        """
        x_t = self._array("x_t", x_t, (("B", None), ("D", self.input_size)))
        h = self._hidden("state", state, x_t)
        W_x, W_h, b = self.params["W_x"], self.params["W_h"], self.params["b"]
        h = np.tanh(x_t @ W_x + h @ W_h + b)
        return h, h.copy()

    def forward(self, x, state=None):
        """A whole sequence: the same as T calls of ``step``, faster.

        Args:
            x: input, (B, T, D).
            state: h_0, (B, H); zeros if None.

        Returns:
            (y, state): every h_t, (B, T, H), and the last one, (B, H).
        """
        x = self._array("x", x, (("B", None), ("T", None), ("D", self.input_size)))
        h_0 = self._hidden("state", state, x)
        B, T, D = x.shape
        H = self.hidden_size

        # A row [h, x, 1] times [W_h; W_x; b] is a, in one product. Counted
        # from 0: rows[t] holds x[:, t] and the state before it, and the loop
        # writes the state after it into rows[t + 1].
        rows = self._scratch.array("rows", (T + 1, B, H + D + 1), like=x)
        rows[0, :, :H] = h_0
        rows[:T, :, H:-1] = x.transpose(1, 0, 2)
        rows[:, :, -1] = 1
        W = self._scratch.array("W", (H + D + 1, H), like=x)
        np.concatenate([self.params["W_h"], self.params["W_x"], self.params["b"][None]], out=W)

        h = rows[:, :, :H]
        a = self._scratch.array("a", (B, H), like=x)
        for t in range(T):
            np.matmul(rows[t], W, out=a)
            np.tanh(a, out=h[t + 1])

        self._cache = rows
        return h[1:].transpose(1, 0, 2).copy(), h[T].copy()

    def backward(self, dy, dstate=None):
        """Backpropagation through time for the latest ``forward``.

        Args:
            dy: gradient of the loss with respect to y, (B, T, H).
            dstate: gradient with respect to the last state, (B, H); zeros if None.

        Returns:
            (dx, dstate): gradients with respect to x, (B, T, D), and h_0, (B, H).
            Fills ``grads`` with W_x, W_h and b.
        """
        rows = self._forward_cache()
        H, D = self.hidden_size, self.input_size
        T, B = len(rows) - 1, rows.shape[1]
        dy = self._array("dy", dy, (("B", B), ("T", T), ("H", H)))
        dh = self._hidden("dstate", dstate, dy)  # at t = T it comes from outside
        dy, h = dy.transpose(1, 0, 2), rows[:, :, :H]
        W_h_T = self._scratch.array("W_h_T", (H, H), like=dy)
        W_h_T[...] = self.params["W_h"].T  # contiguous, for a faster product in the loop

        da = self._scratch.array("da", (T, B, H), like=dy)
        for t in reversed(range(T)):
            after, da_t = h[t + 1], da[t]  # names: `da[t] *= dh` copies once more
            dh += dy[t]
            np.multiply(after, after, out=da_t)
            np.subtract(1, da_t, out=da_t)  # tanh'(a_t)
            da_t *= dh
            np.matmul(da_t, W_h_T, out=dh)
            if t % 8 == 0:
                flush_tiny(dh)  # denormal numbers are slow

        da = da.reshape(T * B, H)  # both sums, over t and the batch, are one product
        dW = rows[:T].reshape(T * B, H + D + 1).T @ da
        self.grads = {"W_x": dW[H:-1].copy(), "W_h": dW[:H].copy(), "b": dW[-1].copy()}
        dx = (da @ self.params["W_x"].T).reshape(T, B, D)
        return dx.transpose(1, 0, 2).copy(), dh
