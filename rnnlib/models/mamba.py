"""Mamba's mixer, a selective state space model (Gu and Dao 2023).

One step, for each of E channels; ⊙ and exp act entry by entry::

    p_t = x_t W_p,   z_t = x_t W_z                                 input and gate
    v_t = conv_b + Σ_k conv_W_k ⊙ p_{t−K+1+k},   u_t = SiLU(v_t)   causal convolution, k from 0 to K − 1
    [r_t | B_t | C_t] = u_t W_u,   Δ_t = softplus(r_t W_dt + b_dt) what to select by
    h_t = exp(Δ_t A) ⊙ h_{t−1} + (Δ_t ⊙ u_t) B_t                   state, with A = −exp(A_log)
    y_t = h_t C_t + skip ⊙ u_t
    out_t = (y_t ⊙ SiLU(z_t)) W_out

Δ, B and C depend on the input: that makes the model selective. A large step Δ forgets the
state and takes in the input; a small one passes the input by.

Glossary::

    D  model width, d_model                      x, out (B, T, D);  W_in = [W_p | W_z] (D, 2E)
    E  channels, expand · D                      p, z, v, u, Δ, y (B, T, E);  conv_b, b_dt, skip (E,)
    K  convolution kernel, d_conv                conv_W (K, E); its last row meets the present input
    R  rank of Δ, dt_rank                        r (B, T, R);  W_dt (R, E)
    N  state size, d_state                       h_t (B, E, N);  A_log (E, N);  W_u (E, R + 2N)
    B_t, C_t  into the state and out of it       (B, N); the letter B without an index is the batch

Backward, each line of the step in turn, from the last to the first; the state's line is in
:mod:`rnnlib.models.selective_scan`. The slopes::

    softplus'(a) = σ(a) = 1 − exp(−softplus(a))
    SiLU'(v) = σ(v) (1 + v (1 − σ(v)))             since SiLU(v) = v σ(v)
    dA_log = dA ⊙ A                                since A = −exp(A_log)
"""

import math

import numpy as np

from rnnlib.models.parts.functional import sigmoid, softplus
from rnnlib.models.parts.layer import Layer
from rnnlib.models.selective_scan import selective_scan, selective_scan_backward


class Mamba(Layer):
    """The mixer. Its state is (conv, h): the last K − 1 of p, (B, K − 1, E), and h (B, E, N).

    The module's docstring has the equations, the letters and the shapes of ``params``.

    Initialisation is the authors': A_log = log(1 … N) in each channel, skip 1, W_dt from
    U(±R^−½), b_dt such that softplus(b_dt) is log-uniform in [0.001, 0.1]; the others
    U(±1/√inputs).

    Args:
        d_model: D.
        d_state: N.
        d_conv: K.
        expand: E / D.
        dt_rank: R; ⌈D / 16⌉ if None.
        rng: ``numpy.random.Generator`` or a seed.
        dtype: floating-point type of the parameters.

    Examples:
        >>> layer = Mamba(d_model=6, d_state=5, d_conv=4, expand=2, rng=0)
        >>> out, (conv, h) = layer.forward(np.ones((2, 100, 6)))
        >>> out.shape, conv.shape, h.shape  # however long the sequence, the state is as small
        ((2, 100, 6), (2, 3, 12), (2, 12, 5))
        >>> out_t, (conv, h) = layer.step(np.ones((2, 6)), (conv, h))  # step 101
        >>> out_t.shape
        (2, 6)
    """

    def __init__(self, d_model, *, d_state=16, d_conv=4, expand=2, dt_rank=None, rng=None, dtype=np.float32):
        super().__init__(dtype)
        self._check_sizes(d_model=d_model, d_state=d_state, d_conv=d_conv, expand=expand)
        dt_rank = math.ceil(d_model / 16) if dt_rank is None else dt_rank
        self._check_sizes(dt_rank=dt_rank)
        rng = np.random.default_rng(rng)
        D, E, N, K, R = d_model, expand * d_model, d_state, d_conv, dt_rank
        self.d_model, self.channels, self.d_state, self.d_conv, self.dt_rank = D, E, N, K, R
        delta = np.exp(rng.uniform(math.log(0.001), math.log(0.1), E))
        self.params = {
            "W_in": self._uniform(rng, (D, 2 * E), D**-0.5),
            "conv_W": self._uniform(rng, (K, E), K**-0.5),
            "conv_b": self._uniform(rng, (E,), K**-0.5),
            "W_u": self._uniform(rng, (E, R + 2 * N), E**-0.5),
            "W_dt": self._uniform(rng, (R, E), R**-0.5),
            "b_dt": (delta + np.log(-np.expm1(-delta))).astype(self.dtype),  # softplus gives delta
            "A_log": np.tile(np.log(np.arange(1, N + 1)), (E, 1)).astype(self.dtype),
            "skip": np.ones(E, self.dtype),
            "W_out": self._uniform(rng, (E, D), E**-0.5),
        }

    def _state(self, name, state, like):
        """The pair of states, checked and cast; zeros if None."""
        B, E, K, N = len(like), self.channels, self.d_conv, self.d_state
        conv, h = self._pair(name, state)
        conv = self._array_or_zeros(f"{name} conv", conv, B=B, **{"K-1": K - 1}, E=E, like=like)
        h = self._array_or_zeros(f"{name} h", h, B=B, E=E, N=N, like=like)
        return conv, h

    def step(self, x_t, state=None):
        """One time step: the definition of the layer.

        Args:
            x_t: input, (B, D).
            state: (conv, h), (B, K − 1, E) and (B, E, N); zeros if None.

        Returns:
            (out_t, (conv, h)): the output, (B, D), and the next state.
        """
        x_t = self._array("x_t", x_t, B=None, D=self.d_model)
        conv, h = self._state("state", state, x_t)
        E, N, R = self.channels, self.d_state, self.dt_rank
        W = self.params

        p, z = x_t @ W["W_in"][:, :E], x_t @ W["W_in"][:, E:]
        window = np.concatenate([conv, p[:, None]], axis=1)  # (B, K, E): the last K inputs
        v = (window * W["conv_W"]).sum(axis=1) + W["conv_b"]
        u = v * sigmoid(v)

        rBC = u @ W["W_u"]
        B_t, C_t = rBC[:, R : R + N], rBC[:, R + N :]
        delta = softplus(rBC[:, :R] @ W["W_dt"] + W["b_dt"])
        A = -np.exp(W["A_log"])
        h = np.exp(delta[:, :, None] * A) * h + (delta * u)[:, :, None] * B_t[:, None, :]
        y = (h * C_t[:, None, :]).sum(axis=2) + W["skip"] * u
        return (y * z * sigmoid(z)) @ W["W_out"], (window[:, 1:].copy(), h)

    def forward(self, x, state=None):
        """A whole sequence: the same as T calls of ``step``, faster.

        Args:
            x: input, (B, T, D).
            state: (conv, h), (B, K − 1, E) and (B, E, N); zeros if None.

        Returns:
            (out, (conv, h)): every out_t, (B, T, D), and the last state.
        """
        x = self._array("x", x, B=None, T=None, D=self.d_model)
        conv, h = self._state("state", state, x)
        B, T, D = x.shape
        E, N, R, K = self.channels, self.d_state, self.dt_rank, self.d_conv
        W = self.params

        rows = self._time_first("x", x).reshape(T * B, D)  # time first: a step is a block of memory
        pz = self._scratch.array("pz", (K - 1 + T, B, 2 * E), like=x)  # the first K − 1 are of the state
        p, z = pz[:, :, :E], pz[K - 1 :, :, E:]
        np.dot(rows, W["W_in"], out=pz[K - 1 :].reshape(T * B, 2 * E))
        p[: K - 1] = conv.transpose(1, 0, 2)
        v = W["conv_b"] + sum(p[k : k + T] * W["conv_W"][k] for k in range(K))  # (T, B, E)
        gate_v, gate_z = sigmoid(v), sigmoid(z)
        u = v * gate_v  # SiLU(v)

        rBC = u.reshape(T * B, E) @ W["W_u"]  # (T B, R + 2N)
        r = rBC[:, :R].copy()
        Bs, Cs = rBC[:, R : R + N].reshape(T, B, N), rBC[:, R + N :].reshape(T, B, N)
        delta = softplus(r @ W["W_dt"] + W["b_dt"]).reshape(T, B, E)
        A = -np.exp(W["A_log"]).T.copy()  # (N, E)
        inputs = delta, delta * u, A, Bs, Cs
        y, checkpoints = selective_scan(*inputs, h.transpose(0, 2, 1), self._scratch)
        y += W["skip"] * u  # (T, B, E)
        gated = y * z * gate_z  # y SiLU(z)
        out = gated.reshape(T * B, E) @ W["W_out"]

        self._cache = rows, p, z, v, gate_v, gate_z, u, r, inputs, checkpoints, y, gated
        last = p[T:].transpose(1, 0, 2).copy(), checkpoints[-1].transpose(0, 2, 1).copy()
        return out.reshape(T, B, D).transpose(1, 0, 2).copy(), last

    def backward(self, dy, dstate=None):
        """Gradients for the latest ``forward``.

        Args:
            dy: gradient of the loss with respect to out, (B, T, D).
            dstate: gradients with respect to the last (conv, h); zeros if None.

        Returns:
            (dx, dstate): gradients with respect to x, (B, T, D), and the first (conv, h).
            Fills ``grads``.
        """
        rows, p, z, v, gate_v, gate_z, u, r, inputs, checkpoints, y, gated = self._forward_cache()
        T, B, E = u.shape
        delta, _, A, _, _ = inputs
        D, N, K = self.d_model, self.d_state, self.d_conv
        dy = self._array("dy", dy, B=B, T=T, D=D)
        dconv, dh = self._state("dstate", dstate, dy)  # at t = T they come from outside
        W, grads = self.params, {}

        # out = gated W_out, gated = y SiLU(z)
        dout = self._time_first("dout", dy).reshape(T * B, D)
        grads["W_out"] = gated.reshape(T * B, E).T @ dout
        dgated = (dout @ W["W_out"].T).reshape(T, B, E)
        dy = dgated * z * gate_z  # of the y within
        dpz = self._scratch.array("dpz", (K - 1 + T, B, 2 * E), like=dy)
        dp, dz = dpz[:, :, :E], dpz[K - 1 :, :, E:]
        dz[...] = dgated * y * gate_z * (1 + z * (1 - gate_z))

        # y = h C + skip ⊙ u, and the scan that gives h
        grads["skip"] = (dy * u).sum(axis=(0, 1))
        d_delta, d_delta_u, dA, dBs, dCs, dh = selective_scan_backward(
            dy, dh.transpose(0, 2, 1), *inputs, checkpoints, self._scratch
        )
        grads["A_log"] = (dA * A).T.copy()
        d_delta += d_delta_u * u
        du = d_delta_u * delta + dy * W["skip"]

        # Δ = softplus(r W_dt + b_dt), and [r | B | C] = u W_u
        da = (d_delta * -np.expm1(-delta)).reshape(T * B, E)  # softplus'(a) = 1 − exp(−Δ)
        grads["W_dt"], grads["b_dt"] = r.T @ da, da.sum(axis=0)
        dr, dB, dC = da @ W["W_dt"].T, dBs.reshape(T * B, N), dCs.reshape(T * B, N)
        drBC = np.concatenate([dr, dB, dC], axis=1)
        grads["W_u"] = u.reshape(T * B, E).T @ drBC
        du += (drBC @ W["W_u"].T).reshape(T, B, E)

        # u = SiLU(v), v = conv_b + Σ_k p_{t−K+1+k} conv_W_k
        dv = du * gate_v * (1 + v * (1 - gate_v))
        grads["conv_b"] = dv.sum(axis=(0, 1))
        grads["conv_W"] = np.stack([(dv * p[k : k + T]).sum(axis=(0, 1)) for k in range(K)])
        dp[:T] = 0
        dp[T:] = dconv.transpose(1, 0, 2)
        for k in range(K):
            dp_k = dp[k : k + T]
            dp_k += dv * W["conv_W"][k]

        # [p | z] = x W_in
        dpz = dpz[K - 1 :].reshape(T * B, 2 * E)
        grads["W_in"] = rows.T @ dpz
        dx = (dpz @ W["W_in"].T).reshape(T, B, D)
        self.grads = {name: grads[name] for name in W}
        dstate = dp[: K - 1].transpose(1, 0, 2).copy(), dh.transpose(0, 2, 1).copy()
        return dx.transpose(1, 0, 2).copy(), dstate
