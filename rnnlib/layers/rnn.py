"""The recurrent network (after Elman 1990), with tanh.

One step::

    a_t = x_t W_x + h_{t−1} W_h + b
    h_t = tanh(a_t)

Shapes: x_t (B, D), h_t (B, H), W_x (D, H), W_h (H, H), b (H,).

Backward in time, with dh_t the gradient that reaches h_t from the loss at step t
(dy_t) and from step t + 1 (backpropagation through time, Werbos 1990)::

    dh_t = dy_t + da_{t+1} W_hᵀ
    da_t = (1 − h_t²) ⊙ dh_t                   since tanh'(a) = 1 − tanh(a)²
    dW_x = Σ_t x_tᵀ da_t,   dW_h = Σ_t h_{t−1}ᵀ da_t,   db = Σ_t da_t
    dx_t = da_t W_xᵀ
"""

import numpy as np

from rnnlib.layers.layer import Layer


class RNN(Layer):
    """A tanh recurrent layer. Its state is h, shape (B, H).

    Its methods raise ValueError where a shape does not fit, TypeError where an argument is
    no array, and RuntimeError where ``backward`` comes before ``forward``.

    Args:
        input_size: D.
        hidden_size: H.
        rng: ``numpy.random.Generator`` or a seed. W_x and W_h are drawn from
            U(−1/√H, 1/√H), b is zero.
        dtype: floating-point type of the parameters.
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

    def _state(self, name, state, x):
        """The state as an array of the layer's dtype; zeros where none is given."""
        B = x.shape[0]
        if state is None:
            return np.zeros((B, self.hidden_size), self.dtype, like=x)
        return self._array(name, state, (("B", B), ("H", self.hidden_size)))

    def step(self, x_t, state=None):
        """One time step: the definition of the layer.

        Args:
            x_t: input, (B, D).
            state: h_{t−1}, (B, H); zeros if None.

        Returns:
            (h_t, state), where the state is h_t again: both (B, H).
        """
        x_t = self._array("x_t", x_t, (("B", None), ("D", self.input_size)))
        h = self._state("state", state, x_t)
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
        D = self.input_size
        x = self._array("x", x, (("B", None), ("T", None), ("D", D)))
        h_0 = self._state("state", state, x)
        B, T, _ = x.shape
        W_x, W_h, b = self.params["W_x"], self.params["W_h"], self.params["b"]

        x = x.transpose(1, 0, 2).copy()  # (T, B, D): a step is one block of memory
        h = np.empty((T + 1, B, self.hidden_size), self.dtype, like=x)
        h[0] = h_0  # and h[t] will be h_t
        a = x @ W_x + b  # (T, B, H): what the inputs add does not wait for h
        for t in range(T):
            h[t + 1] = np.tanh(a[t] + h[t] @ W_h)

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
        T, B, D = x.shape
        H = self.hidden_size
        dy = self._array("dy", dy, (("B", B), ("T", T), ("H", H)))
        dy = dy.transpose(1, 0, 2)  # (T, B, H)
        dh = self._state("dstate", dstate, h[0])  # at t = T it comes from outside
        W_x, W_h = self.params["W_x"], self.params["W_h"]

        da = 1 - h[1:] ** 2  # (T, B, H): tanh'(a_t), soon da_t
        W_h_T = W_h.T.copy()  # contiguous: a faster product in the loop
        for t in reversed(range(T)):
            da[t] *= dy[t] + dh
            dh = da[t] @ W_h_T

        rows = da.reshape(T * B, H)  # both sums, over t and the batch, are one product
        self.grads = {
            "W_x": x.reshape(T * B, D).T @ rows,
            "W_h": h[:-1].reshape(T * B, H).T @ rows,
            "b": rows.sum(axis=0),
        }
        return (da @ W_x.T).transpose(1, 0, 2).copy(), dh.copy()
