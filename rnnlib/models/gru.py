"""The gated recurrent unit (Cho et al. 2014), reset after the product.

One step::

    r_t = σ(x_t W_xr + h_{t−1} W_hr + b_r)                 reset gate: how much of the old to use
    z_t = σ(x_t W_xz + h_{t−1} W_hz + b_z)                 update gate: how far to move
    s_t = h_{t−1} W_hn + b_h
    n_t = tanh(x_t W_xn + b_n + r_t ⊙ s_t)                 candidate: where to
    h_t = (1 − z_t) ⊙ h_{t−1} + z_t ⊙ n_t

Shapes: x_t (B, D); gates and h_t (B, H); W_x (3, D, H), W_h (3, H, H), b (3, H), whose
first axis is r, z, n; b_h (H,), which cannot be merged with b_n, since r_t scales it alone.

Two conventions differ elsewhere. Here z opens to the new; in PyTorch it opens to the old: its
z is our 1 − z. And here, as in PyTorch and cuDNN, r acts after the product with W_hn; in Cho
et al. (version 3) and Chung et al. (2014) it acts on h_{t−1} before it.

Backward in time, with da the gradients before σ and tanh::

    da_n = dh_t ⊙ z_t (1 − n_t²)                           ds = da_n ⊙ r_t
    da_z = dh_t ⊙ (n_t − h_{t−1}) z_t (1 − z_t)            da_r = da_n ⊙ s_t r_t (1 − r_t)
    dh_t = dy_t + dh_{t+1} ⊙ (1 − z_{t+1}) + (da_r W_hrᵀ + da_z W_hzᵀ + ds W_hnᵀ) of step t + 1
    dW_x = Σ_t x_tᵀ da_t and db = Σ_t da_t for r, z, n;    dx_t = Σ da_t W_xᵀ
    dW_h = Σ_t h_{t−1}ᵀ (da_r, da_z, ds);                  db_h = Σ_t ds
"""

import numpy as np

from rnnlib.models.parts.functional import flush_tiny, sigmoid, sigmoid_of_double
from rnnlib.models.parts.layer import Layer
from rnnlib.models.parts.product import Product


class GRU(Layer):
    """A gated recurrent layer. Its state is h, shape (B, H).

    The module's docstring has the equations and the shapes of ``params``.

    Args:
        input_size: D.
        hidden_size: H.
        rng: ``numpy.random.Generator`` or a seed. W_x and W_h are drawn from
            U(−1/√H, 1/√H); the biases are zero.
        dtype: floating-point type of the parameters.

    Examples:
        >>> gru = GRU(input_size=3, hidden_size=4, rng=0)
        >>> x = np.random.default_rng(0).standard_normal((2, 6, 3))
        >>> y, last = gru.forward(x)
        >>> h = None
        >>> for t in range(6):  # the same, step by step
        ...     y_t, h = gru.step(x[:, t], h)
        >>> np.allclose(h, last, atol=1e-6)
        True
    """

    def __init__(self, input_size, hidden_size, *, rng=None, dtype=np.float32):
        super().__init__(dtype)
        self._check_sizes(input_size=input_size, hidden_size=hidden_size)
        rng = np.random.default_rng(rng)
        self.input_size, self.hidden_size = input_size, hidden_size
        bound = hidden_size**-0.5
        self.params = {
            "W_x": self._uniform(rng, (3, input_size, hidden_size), bound),
            "W_h": self._uniform(rng, (3, hidden_size, hidden_size), bound),
            "b": np.zeros((3, hidden_size), self.dtype),
            "b_h": np.zeros(hidden_size, self.dtype),
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
        W_x, W_h, b, b_h = (self.params[name] for name in ("W_x", "W_h", "b", "b_h"))
        a, products = x_t @ W_x + b[:, None], h @ W_h  # (3, B, H): r, z, n
        r, z = sigmoid(a[:2] + products[:2])
        n = np.tanh(a[2] + r * (products[2] + b_h))
        h = (1 - z) * h + z * n
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
        W_x, W_h, b, b_h = (self.params[name] for name in ("W_x", "W_h", "b", "b_h"))

        # A row [h, x, 1] times W is a_r, a_z and s, in one product. Steps are counted from 0:
        # rows[t] holds x[:, t] and the state before it, h[t].
        rows = self._scratch.array("rows", (T + 1, B, H + D + 1), like=x)
        rows[:T, :, H:-1] = x.transpose(1, 0, 2)
        rows[:, :, -1] = 1
        h, x = rows[:, :, :H], rows[:T, :, H:].reshape(T * B, D + 1)
        W = np.concatenate([W_h, W_x, b[:, None]], axis=1)
        W[2, H:-1], W[2, -1] = 0, b_h  # s does not see x
        W[:2] *= 0.5  # halves of a_r and a_z, for sigmoid_of_double
        times_W = Product(W, batch=B)

        gates = self._scratch.array("gates", (T, 3, B, H), like=x)  # r, z and s
        a_n, n = (self._scratch.array(name, (T, B, H), like=x) for name in ("a_n", "n"))
        np.dot(x, np.concatenate([W_x[2], b[2:]]), out=a_n.reshape(T * B, H))  # without r s
        h[0] = h_0
        for t in range(T):
            r, z, s = times_W(rows[t], out=gates[t])
            sigmoid_of_double(gates[t, :2])
            n[t] = np.tanh(a_n[t] + r * s)
            h[t + 1] = (1 - z) * h[t] + z * n[t]

        self._cache = rows, x, gates, n
        return h[1:].transpose(1, 0, 2).copy(), h[T].copy()

    def backward(self, dy, dstate=None):
        """Backpropagation through time for the latest ``forward``.

        Args:
            dy: gradient of the loss with respect to y, (B, T, H).
            dstate: gradient with respect to the last state, (B, H); zeros if None.

        Returns:
            (dx, dstate): gradients with respect to x, (B, T, D), and h_0, (B, H).
            Fills ``grads`` with W_x, W_h, b and b_h.
        """
        rows, x, gates, n = self._forward_cache()
        H, D = self.hidden_size, self.input_size
        T, B = len(n), n.shape[1]
        h = rows[:, :, :H]
        dy = self._array("dy", dy, B=B, T=T, H=H).swapaxes(0, 1)  # time first
        dh = self._array_or_zeros("dstate", dstate, B=B, H=H, like=h)  # at t = T from outside

        da = self._scratch.array("da", (T, B, 4, H), like=h)
        da_n, da_r, da_z, ds = da.transpose(2, 0, 1, 3)
        times_W_h_T = Product(self.params["W_h"].transpose(0, 2, 1).reshape(3 * H, H), batch=B)
        for t in reversed(range(T)):
            r, z, s = gates[t]
            slope_r, slope_z = gates[t, :2] * (1 - gates[t, :2])  # σ' = σ (1 − σ)
            dh = dh + dy[t]
            da_n[t] = to_n = dh * z * (1 - n[t] ** 2)
            da_r[t] = to_n * s * slope_r
            da_z[t] = dh * (n[t] - h[t]) * slope_z
            ds[t] = to_n * r
            dh = dh * (1 - z) + times_W_h_T(da[t, :, 1:].reshape(B, 3 * H))
            if t % 8 == 0:
                flush_tiny(dh)  # denormal numbers are slow

        # The sums over t and the batch are one product. Through x go n, r, z; through h go r, z, s.
        da = da.reshape(T * B, 4 * H)
        da_x, da_h = da[:, : 3 * H], da[:, H:]
        r_z_n, n_r_z = [1, 2, 0], [2, 0, 1]  # from the one order to the other, and back
        dW_x = (x.T @ da_x).reshape(D + 1, 3, H)[:, r_z_n].swapaxes(0, 1)
        dW_h = (rows[:T].reshape(T * B, H + D + 1)[:, :H].T @ da_h).reshape(H, 3, H).swapaxes(0, 1)
        self.grads = {
            "W_x": dW_x[:, :D].copy(),
            "W_h": dW_h.copy(),
            "b": dW_x[:, D].copy(),
            "b_h": da_h[:, 2 * H :].sum(axis=0),
        }
        dx = da_x @ self.params["W_x"][n_r_z].transpose(0, 2, 1).reshape(3 * H, D)
        return dx.reshape(T, B, D).transpose(1, 0, 2).copy(), dh
