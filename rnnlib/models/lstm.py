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
from rnnlib.models.parts.product import Product


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

    def _state(self, name, state, like):
        """The pair (h, c), checked and copied; zeros if None."""
        return [
            self._array_or_zeros(f"{name} {part}", array, B=len(like), H=self.hidden_size, like=like)
            for part, array in zip("hc", self._pair(name, state), strict=True)
        ]

    def step(self, x_t, state=None):
        """One time step: the definition of the layer.

        Args:
            x_t: input, (B, D).
            state: (h_{t−1}, c_{t−1}), each (B, H); zeros if None.

        Returns:
            (h_t, (h_t, c_t)): the output and the state, each (B, H).
        """
        x_t = self._array("x_t", x_t, B=None, D=self.input_size)
        h, c = self._state("state", state, x_t)
        W_x, W_h, b = self.params["W_x"], self.params["W_h"], self.params["b"]
        a = x_t @ W_x + h @ W_h + b[:, None]  # (4, B, H)
        i, f, o = sigmoid(a[:3])
        g = np.tanh(a[3])
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
        x = self._array("x", x, B=None, T=None, D=self.input_size)
        h_0, c_0 = self._state("state", state, x)
        B, T, D = x.shape
        H = self.hidden_size

        # A row [h, x, 1] times [W_h; W_x; b] is a, all gates in one product. Steps are counted
        # from 0: rows[t] holds x[:, t] and the h before it, and c[t] is the c before it.
        rows = self._scratch.array("rows", (T + 1, B, H + D + 1), like=x)
        rows[:T, :, H:-1] = x.transpose(1, 0, 2)
        rows[:, :, -1] = 1
        W = np.concatenate([self.params["W_h"], self.params["W_x"], self.params["b"][:, None]], axis=1)
        W[:3] *= 0.5  # halves for _activate, at the file's end
        times_W = Product(W, batch=B)

        # Each of i, f, o multiplies a partner: g, c_{t−1}, tanh(c_t). The three and their partners
        # lie side by side, so that backward computes three slopes with one call.
        memory = self._scratch.array("memory", (T + 1, 6, B, H), like=x)
        h, c, tanh_c = rows[:, :, :H], memory[:, 4], memory[:, 5]
        h[0], c[0] = h_0, c_0
        for t in range(T):
            i, f, o, g = _activate(times_W(rows[t], out=memory[t, :4]))
            c[t + 1] = f * c[t] + i * g
            tanh_c[t] = np.tanh(c[t + 1])
            h[t + 1] = o * tanh_c[t]

        self._cache = rows, memory
        return h[1:].transpose(1, 0, 2).copy(), (h[T].copy(), c[T].copy())

    def backward(self, dy, dstate=None):
        """Backpropagation through time for the latest ``forward``.

        Args:
            dy: gradient of the loss with respect to y, (B, T, H).
            dstate: gradients with respect to (h_T, c_T), each (B, H); zeros if None.

        Returns:
            (dx, (dh_0, dc_0)): gradients with respect to x, (B, T, D), and the first state,
            each (B, H). Fills ``grads`` with W_x, W_h and b.
        """
        rows, memory = self._forward_cache()
        H, D = self.hidden_size, self.input_size
        T, B = len(rows) - 1, rows.shape[1]
        dy = self._array("dy", dy, B=B, T=T, H=H).swapaxes(0, 1)  # time first
        dh, dc = self._state("dstate", dstate, rows[0])  # at t = T they come from outside

        gates, partners = memory[:, :3], memory[:, 3:]
        da = self._scratch.array("da", (T, B, 4, H), like=rows)
        da_i, da_f, da_o, da_g = da.transpose(2, 0, 1, 3)
        times_W_h_T = Product(self.params["W_h"].transpose(0, 2, 1).reshape(4 * H, H), batch=B)
        for t in reversed(range(T)):
            i, f, o, g, _, tanh_c = memory[t]
            # g i (1 − i), c_{t−1} f (1 − f), tanh(c_t) o (1 − o): of c by a_i and a_f, of h by a_o
            slope_i, slope_f, slope_o = partners[t] * gates[t] * (1 - gates[t])
            dh = dh + dy[t]
            dc = dc + dh * o * (1 - tanh_c**2)
            da_i[t] = dc * slope_i
            da_f[t] = dc * slope_f
            da_o[t] = dh * slope_o
            da_g[t] = dc * i * (1 - g**2)
            dc = dc * f
            dh = times_W_h_T(da[t].reshape(B, 4 * H))  # the sum over the gates, too
            if t % 8 == 0:
                flush_tiny(dh)  # denormal numbers are slow
                flush_tiny(dc)

        da = da.reshape(T * B, 4 * H)  # the sums over t and the batch are one product for all gates
        dW = (rows[:T].reshape(T * B, H + D + 1).T @ da).reshape(H + D + 1, 4, H).swapaxes(0, 1)
        self.grads = {"W_x": dW[:, H:-1].copy(), "W_h": dW[:, :H].copy(), "b": dW[:, -1].copy()}
        dx = da @ self.params["W_x"].transpose(0, 2, 1).reshape(4 * H, D)
        return dx.reshape(T, B, D).transpose(1, 0, 2).copy(), (dh, dc)


def _activate(a):
    """The gates i, f, o, g from their a, in place; those of i, f, o come halved.

    Since σ(a) = (1 + tanh(a/2)) / 2, one tanh serves all four.
    """
    np.tanh(a, out=a)
    sigmoids = a[:3]
    sigmoids *= 0.5
    sigmoids += 0.5
    return a
