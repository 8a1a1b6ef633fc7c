"""The long short-term memory (Hochreiter and Schmidhuber 1997; forget gate: Gers et al. 2000).

One step, with one weight matrix for each gate::

    i_t = σ(x_t W_xi + h_{t−1} W_hi + b_i)         input gate: how much of the new to write
    f_t = σ(x_t W_xf + h_{t−1} W_hf + b_f)         forget gate: how much of the old to keep
    o_t = σ(x_t W_xo + h_{t−1} W_ho + b_o)         output gate: how much to show
    g_t = tanh(x_t W_xg + h_{t−1} W_hg + b_g)      candidate: what to write
    c_t = f_t ⊙ c_{t−1} + i_t ⊙ g_t                cell
    h_t = o_t ⊙ tanh(c_t)

Shapes: x_t (B, D); gates, c_t and h_t (B, H); W_x (4, D, H), W_h (4, H, H), b (4, H),
whose first axis is the gate: i, f, o, g.

Backward in time, with da the gradients before σ and tanh::

    dh_t = dy_t + Σ_gates da_{t+1} W_hᵀ
    dc_t = dc_{t+1} ⊙ f_{t+1} + dh_t ⊙ o_t (1 − tanh²(c_t))
    da_i = dc_t ⊙ g_t i_t (1 − i_t)                da_o = dh_t ⊙ tanh(c_t) o_t (1 − o_t)
    da_f = dc_t ⊙ c_{t−1} f_t (1 − f_t)            da_g = dc_t ⊙ i_t (1 − g_t²)
    dW_x = Σ_t x_tᵀ da_t,   dW_h = Σ_t h_{t−1}ᵀ da_t,   db = Σ_t da_t      for each gate
    dx_t = Σ_gates da_t W_xᵀ
"""

import numpy as np

from rnnlib.models.parts.functional import flush_tiny, sigmoid
from rnnlib.models.parts.layer import Layer


class LSTM(Layer):
    """A long short-term memory layer. Its state is (h, c), each (B, H).

    The module's docstring has the equations and the shapes of ``params``.

    Args:
        input_size: D.
        hidden_size: H.
        forget_bias: first value of b_f. At 1 the gate begins at σ(1) = 0.73, not 0.5, and the
            cell's gradient lives longer (Gers et al. 2000; Jozefowicz et al. 2015).
        rng: ``numpy.random.Generator`` or a seed. W_x and W_h are drawn from
            U(−1/√H, 1/√H); the other biases are zero.
        dtype: floating-point type of the parameters.

    Examples:
        >>> lstm = LSTM(input_size=3, hidden_size=4, rng=0)
        >>> x = np.random.default_rng(0).standard_normal((2, 6, 3))
        >>> y, (h, c) = lstm.forward(x)
        >>> early, state = lstm.forward(x[:, :2])
        >>> late, state = lstm.forward(x[:, 2:], state)  # goes on where the first part ended
        >>> np.allclose(np.concatenate([early, late], axis=1), y, atol=1e-6)
        True
    """

    def __init__(self, input_size, hidden_size, *, forget_bias=1.0, rng=None, dtype=np.float32):
        super().__init__(dtype)
        self._check_sizes(input_size=input_size, hidden_size=hidden_size)
        rng = np.random.default_rng(rng)
        self.input_size, self.hidden_size = input_size, hidden_size
        bound = hidden_size**-0.5
        self.params = {
            "W_x": self._uniform(rng, (4, input_size, hidden_size), bound),
            "W_h": self._uniform(rng, (4, hidden_size, hidden_size), bound),
            "b": np.zeros((4, hidden_size), self.dtype),
        }
        self.params["b"][1] = forget_bias

    def step(self, x_t, state=None):
        """One time step: the definition of the layer.

        Args:
            x_t: input, (B, D).
            state: (h_{t−1}, c_{t−1}), each (B, H); zeros if None.

        Returns:
            (h_t, (h_t, c_t)): the output and the state, each (B, H).
        """
        x_t = self._array("x_t", x_t, (("B", None), ("D", self.input_size)))
        h, c = self._pair("state", state)
        h, c = self._hidden("state h", h, x_t), self._hidden("state c", c, x_t)
        W_x, W_h, b = self.params["W_x"], self.params["W_h"], self.params["b"]
        i, f, o = (sigmoid(x_t @ W_x[k] + h @ W_h[k] + b[k]) for k in range(3))
        g = np.tanh(x_t @ W_x[3] + h @ W_h[3] + b[3])
        c = f * c + i * g
        h = o * np.tanh(c)
        return h, (h.copy(), c)

    def forward(self, x, state=None):
        """A whole sequence: the same as T calls of ``step``, faster.

        Args:
            x: input, (B, T, D).
            state: (h_0, c_0), each (B, H); zeros if None.

        Returns:
            (y, (h_T, c_T)): every h_t, (B, T, H), and the last state, each (B, H).
        """
        x = self._array("x", x, (("B", None), ("T", None), ("D", self.input_size)))
        h_0, c_0 = self._pair("state", state)
        h_0, c_0 = self._hidden("state h", h_0, x), self._hidden("state c", c_0, x)
        B, T, D = x.shape
        H = self.hidden_size

        # A row [h, x, 1] times [W_h; W_x; b] is a, all gates in one product. Steps are counted
        # from 0: rows[t] holds x[:, t] and the h before it, and c[t] is the c before it.
        rows = self._scratch.array("rows", (T + 1, B, H + D + 1), like=x)
        rows[0, :, :H] = h_0
        rows[:T, :, H:-1] = x.transpose(1, 0, 2)
        rows[:, :, -1] = 1
        W = self._scratch.array("W", (4, H + D + 1, H), like=x)
        np.concatenate([self.params["W_h"], self.params["W_x"], self.params["b"][:, None]], axis=1, out=W)
        W[:3] *= 0.5  # σ(a) = (1 + tanh(a/2)) / 2: one tanh serves all four gates

        gates = self._scratch.array("gates", (T, 4, B, H), like=x)
        c = self._scratch.array("c", (T + 1, B, H), like=x)
        c[0] = c_0
        # The two parts of c, tanh(c), and h, each after step t.
        new, kept, tanh_c, h = (
            self._scratch.array(name, (T, B, H), like=x) for name in ("new", "kept", "tanh_c", "h")
        )
        for t in range(T):
            a, sigmoids = gates[t], gates[t, :3]
            np.matmul(rows[t], W, out=a)
            np.tanh(a, out=a)
            sigmoids *= 0.5
            sigmoids += 0.5
            i, f, o, g = a
            np.multiply(i, g, out=new[t])
            np.multiply(f, c[t], out=kept[t])
            np.add(kept[t], new[t], out=c[t + 1])
            np.tanh(c[t + 1], out=tanh_c[t])
            np.multiply(o, tanh_c[t], out=h[t])
            rows[t + 1, :, :H] = h[t]

        self._cache = rows, gates, new, kept, tanh_c, h
        return h.transpose(1, 0, 2).copy(), (rows[T, :, :H].copy(), c[T].copy())

    def backward(self, dy, dstate=None):
        """Backpropagation through time for the latest ``forward``.

        Args:
            dy: gradient of the loss with respect to y, (B, T, H).
            dstate: gradients with respect to (h_T, c_T), each (B, H); zeros if None.

        Returns:
            (dx, (dh_0, dc_0)): gradients with respect to x, (B, T, D), and the first state,
            each (B, H). Fills ``grads`` with W_x, W_h and b.
        """
        rows, gates, new, kept, tanh_c, h = self._forward_cache()
        H, D = self.hidden_size, self.input_size
        T, B = len(rows) - 1, rows.shape[1]
        dy = self._array("dy", dy, (("B", B), ("T", T), ("H", H)))
        dh, dc = self._pair("dstate", dstate)  # at t = T they come from outside
        dh, dc = self._hidden("dstate h", dh, dy), self._hidden("dstate c", dc, dy)
        dy = dy.transpose(1, 0, 2)  # (T, B, H)
        W_h_T = self._scratch.array("W_h_T", (4, H, H), like=dy)
        W_h_T[...] = self.params["W_h"].transpose(
            0, 2, 1
        )  # contiguous: the LSTM's step is up to 1.3 times as fast

        da = self._scratch.array("da", (4, T, B, H), like=dy)
        slope = self._scratch.array("slope", (B, H), like=dy)
        products = self._scratch.array("products", (4, B, H), like=dy)
        for t in reversed(range(T)):
            i, f, o, g = gates[t]
            da_i, da_f, da_o, da_g = da[:, t]
            dh += dy[t]
            np.multiply(h[t], tanh_c[t], out=slope)
            np.subtract(o, slope, out=slope)  # o (1 − tanh²(c)) = o − h tanh(c)
            slope *= dh
            dc += slope
            np.multiply(h[t], o, out=da_o)
            np.subtract(h[t], da_o, out=da_o)  # tanh(c) o (1 − o) = h − h o
            da_o *= dh
            np.multiply(new[t], i, out=da_i)
            np.subtract(new[t], da_i, out=da_i)  # g i (1 − i) = new − new i
            da_i *= dc
            np.multiply(kept[t], f, out=da_f)
            np.subtract(kept[t], da_f, out=da_f)  # c_{t−1} f (1 − f) = kept − kept f
            da_f *= dc
            np.multiply(new[t], g, out=da_g)
            np.subtract(i, da_g, out=da_g)  # i (1 − g²) = i − new g
            da_g *= dc

            dc *= f
            np.matmul(da[:, t], W_h_T, out=products)
            np.sum(products, axis=0, out=dh)
            if t % 8 == 0:
                flush_tiny(dh)  # denormal numbers are slow
                flush_tiny(dc)

        da = da.reshape(4, T * B, H)  # the sums over t and the batch are one product for each gate
        dW = rows[:T].reshape(T * B, H + D + 1).T @ da
        self.grads = {"W_x": dW[:, H:-1].copy(), "W_h": dW[:, :H].copy(), "b": dW[:, -1].copy()}
        dx = sum(da_k @ W_k.T for da_k, W_k in zip(da, self.params["W_x"], strict=True))
        return dx.reshape(T, B, D).transpose(1, 0, 2).copy(), (dh, dc)
