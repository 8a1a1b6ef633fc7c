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
et al. it acts on h_{t−1} before it.

Backward in time, with da the gradients before σ and tanh::

    da_n = dh_t ⊙ z_t (1 − n_t²)                           ds = da_n ⊙ r_t
    da_z = dh_t ⊙ (n_t − h_{t−1}) z_t (1 − z_t)            da_r = da_n ⊙ s_t r_t (1 − r_t)
    dh_{t−1} = dy_{t−1} + dh_t ⊙ (1 − z_t) + da_r W_hrᵀ + da_z W_hzᵀ + ds W_hnᵀ
    dW_x = Σ_t x_tᵀ da_t and db = Σ_t da_t for r, z, n;    dx_t = Σ da_t W_xᵀ
    dW_h = Σ_t h_{t−1}ᵀ (da_r, da_z, ds);                  db_h = Σ_t ds
"""

import numpy as np

from rnnlib.models.parts.functional import flush_tiny, sigmoid
from rnnlib.models.parts.layer import Layer


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
        x_t = self._array("x_t", x_t, (("B", None), ("D", self.input_size)))
        h = self._hidden("state", state, x_t)
        W_x, W_h, b, b_h = (self.params[name] for name in ("W_x", "W_h", "b", "b_h"))
        r, z = (sigmoid(x_t @ W_x[k] + h @ W_h[k] + b[k]) for k in range(2))
        n = np.tanh(x_t @ W_x[2] + b[2] + r * (h @ W_h[2] + b_h))
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
        x = self._array("x", x, (("B", None), ("T", None), ("D", self.input_size)))
        h_0 = self._hidden("state", state, x)
        B, T, D = x.shape
        H = self.hidden_size
        W_x, W_h, b, b_h = (self.params[name] for name in ("W_x", "W_h", "b", "b_h"))

        # A row [h, x, 1] times W is a_r, a_z and s, in one product. Steps are counted from 0:
        # rows[t] holds x[:, t] and the state before it, h[t].
        rows = self._scratch.array("rows", (T + 1, B, H + D + 1), like=x)
        h = rows[:, :, :H]
        h[0] = h_0
        rows[:T, :, H:-1] = x.transpose(1, 0, 2)
        rows[:, :, -1] = 1
        W = self._scratch.array("W", (3, H + D + 1, H), like=x)
        W[:, :H] = W_h
        W[:2, H:-1], W[:2, -1] = W_x[:2], b[:2]
        W[2, H:-1], W[2, -1] = 0, b_h  # s does not see x
        W[:2] *= 0.5  # σ(a) = (1 + tanh(a/2)) / 2: in float32 tanh is 1.6 times faster than exp

        gates = self._scratch.array("gates", (T, 3, B, H), like=x)  # r, z and s
        # r s, the candidate n, and the change of h by the step.
        rs, n, change = (self._scratch.array(name, (T, B, H), like=x) for name in ("rs", "n", "change"))
        x_1 = rows[:T, :, H:].reshape(T * B, D + 1)
        np.dot(x_1, np.concatenate([W_x[2], b[2:]]), out=n.reshape(T * B, H))
        for t in range(T):
            np.matmul(rows[t], W, out=gates[t])
            sigmoids = gates[t, :2]
            np.tanh(sigmoids, out=sigmoids)
            sigmoids *= 0.5
            sigmoids += 0.5
            r, z, s = gates[t]
            np.multiply(r, s, out=rs[t])
            np.add(n[t], rs[t], out=n[t])  # n[t] held what x and b give
            np.tanh(n[t], out=n[t])
            np.subtract(n[t], h[t], out=change[t])
            np.multiply(change[t], z, out=change[t])
            np.add(h[t], change[t], out=h[t + 1])  # h + z (n − h)

        self._cache = rows, gates, rs, n, change
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
        rows, gates, rs, n, change = self._forward_cache()
        H, D = self.hidden_size, self.input_size
        T, B = len(rows) - 1, rows.shape[1]
        dy = self._array("dy", dy, (("B", B), ("T", T), ("H", H)))
        dh = self._hidden("dstate", dstate, dy)  # at t = T it comes from outside
        dy = dy.transpose(1, 0, 2)  # (T, B, H)
        W_h_T = self._scratch.array("W_h_T", (3, H, H), like=dy)
        W_h_T[...] = self.params["W_h"].transpose(0, 2, 1)  # contiguous, for a faster product in the loop

        da = self._scratch.array("da", (4, T, B, H), like=dy)  # n, r, z and ds
        to_n, from_gates = (self._scratch.array(name, (B, H), like=dy) for name in ("to_n", "from_gates"))
        products = self._scratch.array("products", (3, B, H), like=dy)
        for t in reversed(range(T)):
            r, z, _ = gates[t]
            da_n, da_r, da_z, ds = da[:, t]
            dh += dy[t]
            np.multiply(change[t], z, out=da_z)
            np.subtract(change[t], da_z, out=da_z)  # (n − h_{t−1}) z (1 − z) = change − change z
            da_z *= dh
            np.multiply(dh, z, out=to_n)
            dh -= to_n  # what stays, dh (1 − z)
            np.multiply(n[t], n[t], out=da_n)
            np.subtract(1, da_n, out=da_n)
            da_n *= to_n
            np.multiply(rs[t], r, out=da_r)
            np.subtract(rs[t], da_r, out=da_r)  # s r (1 − r) = rs − rs r
            da_r *= da_n
            np.multiply(da_n, r, out=ds)

            np.matmul(da[1:, t], W_h_T, out=products)
            np.sum(products, axis=0, out=from_gates)
            dh += from_gates
            if t % 8 == 0:
                flush_tiny(dh)  # denormal numbers are slow

        da = da.reshape(4, T * B, H)  # the sums over t and the batch are one product for each gate
        dW = rows[:T].reshape(T * B, H + D + 1).T @ da
        r_z_n = [1, 2, 0]
        self.grads = {
            "W_x": dW[r_z_n, H:-1],
            "W_h": dW[1:, :H].copy(),  # r, z and s
            "b": dW[r_z_n, -1],
            "b_h": dW[3, -1].copy(),
        }
        dx = sum(da[k] @ W_k.T for k, W_k in zip(r_z_n, self.params["W_x"], strict=True))
        return dx.reshape(T, B, D).transpose(1, 0, 2).copy(), dh
