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
from rnnlib.models.parts.product import Product


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
        x_t = self._array("x_t", x_t, B=None, D=self.input_size)
        h = self._array_or_zeros("state", state, B=len(x_t), H=self.hidden_size, like=x_t)
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
        x = self._array("x", x, B=None, T=None, D=self.input_size)
        B, T, D = x.shape
        H = self.hidden_size
        h_0 = self._array_or_zeros("state", state, B=B, H=H, like=x)

        # What x and b give to each a_t, in one product. Time comes first: a step is a block of
        # memory. Steps are counted from 0: h[t] is the state before x[t].
        x = self._time_first("x", x).reshape(T * B, D)
        a = self._scratch.array("a", (T, B, H), like=x)
        np.dot(x, self.params["W_x"], out=a.reshape(T * B, H))
        a += self.params["b"]
        h = self._scratch.array("h", (T + 1, B, H), like=x)
        h[0] = h_0
        times_W_h = Product(self.params["W_h"], batch=B)
        for t in range(T):
            np.tanh(a[t] + times_W_h(h[t]), out=h[t + 1])

        self._cache = x, h
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
        x, h = self._forward_cache()
        H, D = self.hidden_size, self.input_size
        T, B = len(h) - 1, h.shape[1]
        dy = self._array("dy", dy, B=B, T=T, H=H).swapaxes(0, 1)  # time first
        dh = self._array_or_zeros("dstate", dstate, B=B, H=H, like=h)  # at t = T from outside

        slope, da = (self._scratch.array(name, (T, B, H), like=h) for name in ("slope", "da"))
        np.multiply(h[1:], h[1:], out=slope)
        np.subtract(1, slope, out=slope)  # 1 − h², of all steps
        times_W_h_T = Product(self.params["W_h"].T, batch=B)
        for t in reversed(range(T)):
            dh = dh + dy[t]
            np.multiply(dh, slope[t], out=da[t])
            dh = times_W_h_T(da[t])
            if t % 8 == 0:
                flush_tiny(dh)  # denormal numbers are slow

        da = da.reshape(T * B, H)  # the sums over t and the batch are one product
        self.grads = {"W_x": x.T @ da, "W_h": h[:T].reshape(T * B, H).T @ da, "b": da.sum(axis=0)}
        dx = (da @ self.params["W_x"].T).reshape(T, B, D)
        return dx.transpose(1, 0, 2).copy(), dh
