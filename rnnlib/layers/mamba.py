"""Mamba's mixer, a selective state space model (Gu and Dao 2023).

One step for each of E channels, all of them alike; ⊙ and exp act entry by entry::

    u_t = SiLU(b_c + Σ_k w_k ⊙ p_{t−K+1+k}),   p_t = x_t W_p       causal convolution of K inputs
    [r_t | B_t | C_t] = u_t W_x                                    what to select by
    Δ_t = softplus(r_t W_Δ + b_Δ)                                  step length
    h_t = exp(Δ_t A) ⊙ h_{t−1} + (Δ_t ⊙ u_t) B_t,   A = −exp(A_log)
    y_t = (h_t C_t + skip ⊙ u_t) ⊙ SiLU(x_t W_z)
    out_t = y_t W_out

Glossary::

    D  model width, d_model                      x, out (B, T, D);  W_in = [W_p | W_z] (D, 2E)
    E  channels, expand · D                      p, u, Δ, y (B, T, E);  conv_b, b_dt, skip (E,)
    K  convolution kernel, d_conv                conv_W (K, E), its last row for the present input
    R  rank of Δ, dt_rank                        r (B, T, R);  W_dt = W_Δ (R, E)
    N  state size, d_state                       h_t (B, E, N);  A_log (E, N);  W_x (E, R + 2N)
    B_t, C_t  into and out of the state          (B, N); the letter B without an index is the batch

The first is what makes it selective: Δ, B and C depend on the input. Ā = exp(Δ A) is the
zero-order hold; ΔB is Euler's rule, as in the authors' code (their Eq. 4 has more).

Backward in time, with G_t the gradient that reaches h_t from all steps, and dy_t that of
the bracket in y_t::

    G_t = C_t dy_t + Ā_{t+1} ⊙ G_{t+1}                             the scan, reversed
    dC_t = Σ_E h_t dy_t,   dB_t = Σ_E G_t (Δ_t u_t),   d(Δu)_t = Σ_N G_t B_t
    d(ΔA)_t = G_t ⊙ h_{t−1} ⊙ Ā_t
    dΔ_t = d(Δu)_t ⊙ u_t + Σ_N d(ΔA)_t A,   dA = Σ_{B,t} d(ΔA)_t Δ_t,   dA_log = dA ⊙ A
    softplus' = σ = 1 − exp(−Δ),   SiLU'(v) = σ(v) (1 + v (1 − σ(v)))
"""

import math

import numpy as np

from rnnlib.functional import flush_tiny, sigmoid, softplus
from rnnlib.layers.layer import Layer
from rnnlib.scan import reversed_scan, scan


class Mamba(Layer):
    """The mixer. Its state is (conv, h): the last K − 1 of p, (B, K − 1, E), and h (B, E, N).

    Initialisation is the authors': A_log = log(1 … N) in each channel, skip 1, W_dt from
    U(±R^−½), b_dt such that Δ is log-uniform in [0.001, 0.1]; the others U(±1/√inputs).

    Args:
        d_model: D.
        d_state: N.
        d_conv: K.
        expand: E / D.
        dt_rank: R; ⌈D / 16⌉ if None.
        rng: ``numpy.random.Generator`` or a seed.
        dtype: floating-point type of the parameters.
    """

    def __init__(self, d_model, *, d_state=16, d_conv=4, expand=2, dt_rank=None, rng=None, dtype=np.float32):
        super().__init__(dtype)
        dt_rank = math.ceil(d_model / 16) if dt_rank is None else dt_rank
        self._check_sizes(d_model=d_model, d_state=d_state, d_conv=d_conv, expand=expand, dt_rank=dt_rank)
        rng = np.random.default_rng(rng)
        D, E, N, K, R = d_model, expand * d_model, d_state, d_conv, dt_rank
        self.d_model, self.channels, self.d_state, self.d_conv, self.dt_rank = D, E, N, K, R
        delta = np.exp(rng.uniform(math.log(0.001), math.log(0.1), E))
        self.params = {
            "W_in": self._uniform(rng, (D, 2 * E), D**-0.5),
            "conv_W": self._uniform(rng, (K, E), K**-0.5),
            "conv_b": self._uniform(rng, (E,), K**-0.5),
            "W_x": self._uniform(rng, (E, R + 2 * N), E**-0.5),
            "W_dt": self._uniform(rng, (R, E), R**-0.5),
            "b_dt": (delta + np.log(-np.expm1(-delta))).astype(self.dtype),  # softplus gives delta
            "A_log": np.tile(np.log(np.arange(1, N + 1)), (E, 1)).astype(self.dtype),
            "skip": np.ones(E, self.dtype),
            "W_out": self._uniform(rng, (E, D), E**-0.5),
        }

    def _state(self, name, state, like):
        """The pair of states as arrays of the layer's own; zeros if None."""
        B, E, K, N = len(like), self.channels, self.d_conv, self.d_state
        conv, h = self._pair(name, state)
        shapes = ("B", B), ("K-1", K - 1), ("E", E), ("N", N)
        if conv is None:
            conv = np.zeros((B, K - 1, E), self.dtype, like=like)
        if h is None:
            h = np.zeros((B, E, N), self.dtype, like=like)
        conv = self._array(f"{name} conv", conv, shapes[:3])
        h = self._array(f"{name} h", h, (shapes[0], *shapes[2:]))
        return conv, h

    def step(self, x_t, state=None):
        """One time step: the definition of the layer.

        Args:
            x_t: input, (B, D).
            state: (conv, h), (B, K − 1, E) and (B, E, N); zeros if None.

        Returns:
            (out_t, (conv, h)): the output, (B, D), and the next state.
        """
        x_t = self._array("x_t", x_t, (("B", None), ("D", self.d_model)))
        conv, h = self._state("state", state, x_t)
        E, N, R = self.channels, self.d_state, self.dt_rank
        W = self.params

        p, z = x_t @ W["W_in"][:, :E], x_t @ W["W_in"][:, E:]
        window = np.concatenate([conv, p[:, None]], axis=1)  # (B, K, E): the last K inputs
        v = (window * W["conv_W"]).sum(axis=1) + W["conv_b"]
        u = v * sigmoid(v)

        selected = u @ W["W_x"]
        B_t, C_t = selected[:, R : R + N], selected[:, R + N :]
        delta = softplus(selected[:, :R] @ W["W_dt"] + W["b_dt"])
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
        x = self._array("x", x, (("B", None), ("T", None), ("D", self.d_model)))
        conv, h = self._state("state", state, x)
        B, T, D = x.shape
        E, N, R, K = self.channels, self.d_state, self.dt_rank, self.d_conv
        W = self.params

        rows = x.transpose(1, 0, 2).reshape(T * B, D).copy()  # time first, so a step is one block
        p = self._scratch.array("p", (K - 1 + T, B, E), like=x)
        p[: K - 1] = conv.transpose(1, 0, 2)
        p[K - 1 :] = (rows @ W["W_in"][:, :E]).reshape(T, B, E)
        z = (rows @ W["W_in"][:, E:]).reshape(T, B, E)
        v = W["conv_b"] + sum(p[k : k + T] * W["conv_W"][k] for k in range(K))
        gate_v, gate_z = sigmoid(v), sigmoid(z)
        u = v * gate_v

        selected = u.reshape(T * B, E) @ W["W_x"]
        r = selected[:, :R].copy()
        Bs, Cs = (selected[:, R + k : R + k + N].reshape(T, B, N) for k in (0, N))
        delta = softplus(r @ W["W_dt"] + W["b_dt"]).reshape(T, B, E)
        y = W["skip"] * u
        inputs = delta, delta * u, Bs, Cs
        blocks, times = self._blocks(T, B)
        starts = self._scratch.array("starts", (len(times) + 1, B, N, E), like=x)
        starts[0] = h.transpose(0, 2, 1)
        for b in blocks:
            self._selective_scan(times, *(a[:, b] for a in (*inputs, starts, y)))
        gated = y * z * gate_z
        out = gated.reshape(T * B, E) @ W["W_out"]

        self._cache = rows, p, z, v, gate_v, gate_z, u, r, inputs, starts, y, gated
        last = p[T:].transpose(1, 0, 2).copy(), starts[-1].transpose(0, 2, 1).copy()
        return out.reshape(T, B, D).transpose(1, 0, 2).copy(), last

    def _blocks(self, T, B):
        """Slices of the batch and of time that are worked on together.

        One step of a block, (b, N, E), has about 2¹⁵ numbers, and so stays in the cache. Of
        each eight or more steps the forward pass keeps the last state alone; the backward
        pass computes the others again. That saves memory and costs a tenth of the time.
        """
        width = self.d_state * self.channels
        rows = max(1, 2**15 // width)
        steps = max(1, 2**18 // (width * max(1, min(rows, B))))
        return (
            [slice(row, min(row + rows, B)) for row in range(0, B, rows)],
            [slice(t, min(t + steps, T)) for t in range(0, T, steps)],
        )

    def _transition(self):
        """A as (N, E), in the order of memory in which the loops run."""
        return -np.exp(self.params["A_log"]).T.copy()

    def _decay(self, A, delta):
        """Ā_t = exp(Δ_t A) for a block, (t, b, N, E): with E last, all runs along memory."""
        decay = self._scratch.array("decay", (*delta.shape[:2], *A.shape), like=delta)
        np.multiply(delta[:, :, None, :], A, out=decay)
        return np.exp(decay, out=decay)

    def _states(self, decay, delta_u, Bs, start):
        """h_t for a block, (t, b, N, E), from the state before it."""
        h = self._scratch.array("h", decay.shape, like=decay)
        np.multiply(delta_u[:, :, None, :], Bs[:, :, :, None], out=h)
        return scan(decay, h, start, out=h)

    def _selective_scan(self, times, delta, delta_u, Bs, Cs, starts, y):
        """Add h_t C_t to y (T, b, E), and fill starts (…, b, N, E): h at the end of each time."""
        A = self._transition()
        for i, now in enumerate(times):
            h = self._states(self._decay(A, delta[now]), delta_u[now], Bs[now], starts[i])
            starts[i + 1] = h[-1]
            y[now] += np.matmul(Cs[now, :, None, :], h)[:, :, 0]

    def _selective_scan_backward(
        self, times, delta, delta_u, Bs, Cs, starts, dy, d_delta, d_delta_u, dBs, dCs, dh
    ):
        """Fill dΔ through Ā, d(Δu), dB and dC (T, b, …); turn dh from last to first; return dA."""
        A = self._transition()
        dA = np.zeros_like(A)
        for i, now in reversed(list(enumerate(times))):
            last = now.stop - 1
            but_last = slice(now.start, last)
            decay = self._decay(A, delta[now])
            h = self._states(decay[:-1], delta_u[but_last], Bs[but_last], starts[i])
            np.matmul(h, dy[but_last, :, :, None], out=dCs[but_last, :, :, None])
            np.matmul(starts[i + 1], dy[last, :, :, None], out=dCs[last, :, :, None])

            G = self._scratch.array("G", decay.shape, like=decay)
            np.multiply(dy[now, :, None, :], Cs[now, :, :, None], out=G)
            G_last = G[-1]
            G_last += dh
            reversed_scan(G, decay, out=G)
            np.matmul(G, delta_u[now, :, :, None], out=dBs[now, :, :, None])
            np.matmul(Bs[now, :, None, :], G, out=d_delta_u[now, :, None, :])
            G *= decay  # what goes on to step t − 1
            dh[...] = G[0]
            flush_tiny(dh)  # ten times faster where the gradient fades
            first, rest = G[0], G[1:]  # d(ΔA) = G Ā h_{t−1}
            first *= starts[i]
            rest *= h
            d_delta[now] = np.einsum("tbne,ne->tbe", G, A)
            dA += np.einsum("tbne,tbe->ne", G, delta[now])
        return dA

    def backward(self, dout, dstate=None):
        """Gradients for the latest ``forward``.

        Args:
            dout: gradient of the loss with respect to out, (B, T, D).
            dstate: gradients with respect to the last (conv, h); zeros if None.

        Returns:
            (dx, dstate): gradients with respect to x, (B, T, D), and the first (conv, h).
            Fills ``grads``.
        """
        rows, p, z, v, gate_v, gate_z, u, r, inputs, starts, y, gated = self._forward_cache()
        T, B, E = u.shape
        delta = inputs[0]
        D, K = self.d_model, self.d_conv
        dout = self._array("dy", dout, (("B", B), ("T", T), ("D", D)))
        dconv, dh = self._state("dstate", dstate, dout)  # at t = T they come from outside
        W, grads = self.params, {}

        # out = gated W_out, gated = y SiLU(z)
        dout = dout.transpose(1, 0, 2).reshape(T * B, D)
        grads["W_out"] = gated.reshape(T * B, E).T @ dout
        dgated = (dout @ W["W_out"].T).reshape(T, B, E)
        dy = dgated * z * gate_z
        dz = dgated * y * gate_z * (1 + z * (1 - gate_z))

        # y = h C + skip u, and the recurrence
        grads["skip"] = (dy * u).sum(axis=(0, 1))
        results = [np.empty_like(a) for a in inputs]
        dh = dh.transpose(0, 2, 1).copy()
        blocks, times = self._blocks(T, B)
        dA = sum(
            self._selective_scan_backward(times, *(a[:, b] for a in (*inputs, starts, dy, *results)), dh[b])
            for b in blocks
        )
        d_delta, d_delta_u, dBs, dCs = results
        grads["A_log"] = -dA.T * np.exp(W["A_log"])
        d_delta += d_delta_u * u
        du = d_delta_u * delta + dy * W["skip"]

        # Δ = softplus(r W_dt + b_dt), and [r | B | C] = u W_x
        da = (d_delta * -np.expm1(-delta)).reshape(T * B, E)
        grads["W_dt"], grads["b_dt"] = r.T @ da, da.sum(axis=0)
        dselected = np.concatenate([da @ W["W_dt"].T, dBs.reshape(T * B, -1), dCs.reshape(T * B, -1)], axis=1)
        grads["W_x"] = u.reshape(T * B, E).T @ dselected
        du += (dselected @ W["W_x"].T).reshape(T, B, E)

        # u = SiLU(v), v = conv_b + Σ_k p_{t−K+1+k} conv_W_k
        dv = du * gate_v * (1 + v * (1 - gate_v))
        grads["conv_b"] = dv.sum(axis=(0, 1))
        grads["conv_W"] = np.stack([(dv * p[k : k + T]).sum(axis=(0, 1)) for k in range(K)])
        dp = np.zeros_like(p)
        dp[T:] = dconv.transpose(1, 0, 2)
        for k in range(K):
            dp_k = dp[k : k + T]
            dp_k += dv * W["conv_W"][k]

        # [p | z] = x W_in
        dpz = np.concatenate([dp[K - 1 :], dz], axis=2).reshape(T * B, 2 * E)
        grads["W_in"] = rows.T @ dpz
        dx = (dpz @ W["W_in"].T).reshape(T, B, D)
        self.grads = {name: grads[name] for name in W}
        return dx.transpose(1, 0, 2).copy(), (
            dp[: K - 1].transpose(1, 0, 2).copy(),
            dh.transpose(0, 2, 1).copy(),
        )
