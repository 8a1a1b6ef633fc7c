"""The minimal gated recurrent unit (Feng et al. 2024): gates that see the input alone.

One step::

    k_t = x_t W_k + b_k
    z_t = σ(k_t)                                   update gate: how far to move
    u_t = x_t W_u + b_u
    h̃_t = u_t          in mode "vanilla"           candidate: where to
    h̃_t = g(u_t)       in mode "log", where g(u) = u + 1/2 for u ≥ 0, and σ(u) for u < 0
    h_t = (1 − z_t) ⊙ h_{t−1} + z_t ⊙ h̃_t

Shapes: x_t (B, D); z_t, h̃_t and h_t (B, H); W_x (2, D, H) and b (2, H), whose first axis
is u, k.

No gate waits for h_{t−1}, so all of them are computed at once, and what is left is the
linear recurrence h_t = a_t ⊙ h_{t−1} + b_t with a_t = 1 − z_t and b_t = z_t ⊙ h̃_t, the a and b
of scan.py: a scan.

The modes are two models, not two ways to compute one. In "log" the candidate is positive, and
so is h_t if h_0 is not negative: its logarithm exists, and the paper's log-space scan computes
with that. The numbers are the same; here the recurrence itself gives them, which needs no
logarithms.

Backward in time, with dh_t the gradient that reaches h_t from all steps::

    dh_t = dy_t + a_{t+1} ⊙ dh_{t+1}                       the scan, reversed
    dh̃_t = dh_t ⊙ z_t,   dz_t = dh_t ⊙ (h̃_t − h_{t−1})
    dk_t = dz_t z_t (1 − z_t) = dh_t a_t ⊙ (h_t − h_{t−1})   since z (h̃ − h_{t−1}) = h_t − h_{t−1}
    du_t = dh̃_t, in mode "log" times g'(u_t): 1 for u ≥ 0, h̃_t (1 − h̃_t) for u < 0
    dW_x = Σ_t x_tᵀ (du_t, dk_t),   db = Σ_t (du_t, dk_t),   dx_t = du_t W_uᵀ + dk_t W_kᵀ
"""

import numpy as np

from rnnlib.models.parts.functional import sigmoid, sigmoid_of_double
from rnnlib.models.parts.layer import Layer
from rnnlib.models.scan import reversed_scan, scan


class MinGRU(Layer):
    """A minimal gated recurrent layer. Its state is h, shape (B, H).

    The module's docstring has the equations and the shapes of ``params``.

    Args:
        input_size: D.
        hidden_size: H.
        mode: "vanilla" (linear candidate) or "log" (positive candidate).
        rng: ``numpy.random.Generator`` or a seed. W_x is drawn from U(−1/√D, 1/√D), b is zero.
        dtype: floating-point type of the parameters.

    Examples:
        >>> layer = MinGRU(input_size=3, hidden_size=4, mode="log", rng=0)
        >>> y, h = layer.forward(np.full((2, 5, 3), -7))
        >>> y.shape, h.shape
        ((2, 5, 4), (2, 4))
        >>> bool((y > 0).all())  # in mode "log" every state is positive
        True
    """

    def __init__(self, input_size, hidden_size, *, mode="vanilla", rng=None, dtype=np.float32):
        super().__init__(dtype)
        self._check_sizes(input_size=input_size, hidden_size=hidden_size)
        if mode not in ("vanilla", "log"):
            raise ValueError(f'MinGRU: mode must be "vanilla" or "log", got {mode!r}')
        rng = np.random.default_rng(rng)
        self.input_size, self.hidden_size, self.mode = input_size, hidden_size, mode
        self.params = {
            "W_x": self._uniform(rng, (2, input_size, hidden_size), input_size**-0.5),
            "b": np.zeros((2, hidden_size), self.dtype),
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
        W_x, b = self.params["W_x"], self.params["b"]
        u, k = x_t @ W_x + b[:, None]  # each (B, H)
        z = sigmoid(k)
        candidate = u if self.mode == "vanilla" else np.where(u >= 0, u + 0.5, sigmoid(u))
        h = (1 - z) * h + z * candidate
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

        rows = self._scratch.array("rows", (T, B, D + 1), like=x)  # [x_t, 1]
        rows[:, :, :D] = x.transpose(1, 0, 2)
        rows[:, :, D] = 1
        W = np.concatenate([self.params["W_x"], self.params["b"][:, None]], axis=1)
        W[1] *= -0.5  # −k/2, for sigmoid_of_double

        h = self._scratch.array("h", (T + 1, B, H), like=x)  # h[t] is the state before x[:, t]
        a, candidate, b = (self._scratch.array(name, (T, B, H), like=x) for name in ("a", "candidate", "b"))
        flat = rows.reshape(T * B, D + 1)
        np.dot(flat, W[1], out=a.reshape(T * B, H))
        sigmoid_of_double(a)  # a = 1 − z = σ(−k)
        np.dot(flat, W[0], out=candidate.reshape(T * B, H))
        if self.mode == "log":
            u = candidate
            u[...] = np.where(u >= 0, u + 0.5, sigmoid(u))
        np.subtract(1, a, out=b)  # z
        b *= candidate  # z h̃
        h[0] = h_0
        scan(a, b, h[0], out=h[1:])

        self._cache = rows, a, candidate, h
        return h[1:].transpose(1, 0, 2).copy(), h[T].copy()

    def backward(self, dy, dstate=None):
        """Gradients for the latest ``forward``.

        Args:
            dy: gradient of the loss with respect to y, (B, T, H).
            dstate: gradient with respect to the last state, (B, H); zeros if None.

        Returns:
            (dx, dstate): gradients with respect to x, (B, T, D), and h_0, (B, H).
            Fills ``grads`` with W_x and b.
        """
        rows, a, candidate, h = self._forward_cache()
        D, H = self.input_size, self.hidden_size
        T, B = len(a), a.shape[1]
        dh = self._time_first("dh", self._array("dy", dy, B=B, T=T, H=H))
        dh_last = self._array_or_zeros("dstate", dstate, B=B, H=H, like=h)  # from outside

        dh[-1:] += dh_last
        reversed_scan(dh, a, out=dh)
        carry = self._scratch.array("carry", (T, B, H), like=h)
        np.multiply(a, dh, out=carry)  # a dh, what the step before gets
        du, dk = d = self._scratch.array("d", (2, T, B, H), like=h)
        np.subtract(dh, carry, out=du)  # dh z = dh − a dh
        if self.mode == "log":
            du *= np.where(candidate >= 0.5, 1, candidate * (1 - candidate))  # h̃ ≥ 1/2 where u ≥ 0
        np.subtract(h[1:], h[:-1], out=dk)
        dk *= carry  # dh a (h_t − h_{t−1})
        dh_0 = carry[0].copy() if T > 0 else dh_last

        d = d.reshape(2, T * B, H)
        dW = rows.reshape(T * B, D + 1).T @ d
        self.grads = {"W_x": dW[:, :D].copy(), "b": dW[:, D].copy()}
        dx = sum(d_k @ W_k.T for d_k, W_k in zip(d, self.params["W_x"], strict=True))
        return dx.reshape(T, B, D).transpose(1, 0, 2).copy(), dh_0
