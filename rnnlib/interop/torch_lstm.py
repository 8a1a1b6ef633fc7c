"""PyTorch's LSTM behind the layer contract: the model of lstm.py, computed by nn.LSTM.

Equations, parameters and state are those of :class:`rnnlib.LSTM`. PyTorch computes the forward
pass, in float32 with a fused kernel where it has one, and the gradients by automatic
differentiation: what a library gives for the work that lstm.py does by hand.
"""

import numpy as np

from rnnlib.models.lstm import LSTM
from rnnlib.models.parts.layer import Layer
from rnnlib.models.registry import MODELS, Model

#: PyTorch's gates are i, f, g, o, ours i, f, o, g: the same exchange leads there and back.
EXCHANGED = [0, 1, 3, 2]


class OptimizedLSTM(Layer):
    """A long short-term memory layer, computed by PyTorch on NumPy arrays.

    Its state is (h, c), each (B, H).

    Args:
        input_size: D.
        hidden_size: H.
        forget_bias: first value of b_f.
        rng: ``numpy.random.Generator`` or a seed; the first parameters are those that
            :class:`rnnlib.LSTM` draws from it.
        dtype: float32 or float64.

    Raises:
        ImportError: PyTorch is not installed.

    Examples:
        >>> by_hand, by_torch = LSTM(3, 4, rng=0), OptimizedLSTM(3, 4, rng=0)
        >>> x = np.ones((2, 5, 3))
        >>> y, state = by_torch.forward(x)
        >>> np.allclose(y, by_hand.forward(x)[0], atol=1e-6)
        True
    """

    def __init__(self, input_size, hidden_size, *, forget_bias=1.0, rng=None, dtype=np.float32):
        try:
            import torch
        except ImportError:
            raise ImportError('optimized_lstm needs PyTorch: pip install "rnnlib[torch]"') from None
        super().__init__(dtype)
        self._check_sizes(input_size=input_size, hidden_size=hidden_size)
        self.input_size, self.hidden_size = input_size, hidden_size
        by_hand = LSTM(input_size, hidden_size, forget_bias=forget_bias, rng=rng, dtype=dtype)
        self.params = by_hand.params
        # On the device "meta" a module holds no weights and draws no random numbers for them.
        self._lstm = torch.nn.LSTM(input_size, hidden_size, batch_first=True, device="meta")

    def step(self, x_t, state=None):
        """One time step: nn.LSTM on a sequence of length 1.

        Args:
            x_t: input, (B, D).
            state: (h_{t−1}, c_{t−1}), each (B, H); zeros if None.

        Returns:
            (h_t, (h_t, c_t)): the output and the state, each (B, H).
        """
        x_t = self._array("x_t", x_t, B=None, D=self.input_size)
        _, (y, *state) = self._run(x_t[:, None], state)
        return _numpy(y[:, 0]), tuple(_numpy(s[0]) for s in state)

    def forward(self, x, state=None):
        """A whole sequence.

        Args:
            x: input, (B, T, D).
            state: (h_0, c_0), each (B, H); zeros if None.

        Returns:
            (y, (h_T, c_T)): every h_t, (B, T, H), and the last state, each (B, H).
        """
        x = self._array("x", x, B=None, T=None, D=self.input_size)
        self._cache = self._run(x, state)
        y, *state = self._cache[1]
        return _numpy(y), tuple(_numpy(s[0]) for s in state)

    def backward(self, dy, dstate=None):
        """Backpropagation through time for the latest ``forward``, by PyTorch.

        Args:
            dy: gradient of the loss with respect to y, (B, T, H).
            dstate: gradients with respect to (h_T, c_T), each (B, H); zeros if None.

        Returns:
            (dx, (dh_0, dc_0)): gradients with respect to x, (B, T, D), and the first state,
            each (B, H). Fills ``grads`` with W_x, W_h and b.
        """
        import torch

        inputs, outputs = self._forward_cache()
        B, T, D = inputs[0].shape
        H = self.hidden_size
        dy = self._array("dy", dy, B=B, T=T, H=H)
        dh, dc = self._state("dstate", dstate, dy)

        douts = [torch.from_numpy(a.copy()) for a in (dy, dh[None], dc[None])]
        # The graph is kept, so that backward can be called again.
        grads = torch.autograd.grad(outputs, inputs, douts, retain_graph=True, materialize_grads=True)
        dx, dh, dc, dW_x, dW_h, db = (_numpy(grad) for grad in grads)
        self.grads = {
            "W_x": dW_x.reshape(4, H, D)[EXCHANGED].transpose(0, 2, 1).copy(),
            "W_h": dW_h.reshape(4, H, H)[EXCHANGED].transpose(0, 2, 1).copy(),
            "b": db.reshape(4, H)[EXCHANGED],
        }
        return dx, (dh[0], dc[0])

    def _run(self, x, state):
        """nn.LSTM from x (B, T, D): its inputs, weights among them, and outputs, as tensors."""
        import torch

        h, c = self._state("state", state, x)
        W_x, W_h, b = (self.params[name][EXCHANGED] for name in ("W_x", "W_h", "b"))
        D, H = self.input_size, self.hidden_size
        W_ih, W_hh = W_x.transpose(0, 2, 1).reshape(4 * H, D), W_h.transpose(0, 2, 1).reshape(4 * H, H)
        # Copies: neither the caller nor an optimizer changes what backward will need.
        arrays = (a.copy() for a in (x, h[None], c[None], W_ih, W_hh, b.reshape(4 * H)))
        inputs = [torch.from_numpy(a).requires_grad_() for a in arrays]
        x, h, c, W_ih, W_hh, b = inputs
        with torch.enable_grad():
            if x.shape[1] == 0:  # PyTorch refuses an empty sequence
                return inputs, (x @ W_ih[:H].T, h.clone(), c.clone())
            weights = {"weight_ih_l0": W_ih, "weight_hh_l0": W_hh, "bias_ih_l0": b}
            weights["bias_hh_l0"] = torch.zeros_like(b)
            y, (h, c) = torch.func.functional_call(self._lstm, weights, (x, (h, c)))
        return inputs, (y, h, c)

    _state = LSTM._state

    def __getstate__(self):
        return {**self.__dict__, "_cache": None}  # PyTorch cannot copy its graph

    def _array(self, name, x, **shape):
        if hasattr(x, "shape") and not isinstance(x, np.ndarray):
            raise TypeError(f"OptimizedLSTM: {name} must be a NumPy array, got {type(x).__name__}")
        return super()._array(name, x, **shape)


def _numpy(tensor):
    """A NumPy array of its own, in C order."""
    return tensor.detach().numpy().copy()


MODELS["optimized_lstm"] = Model(OptimizedLSTM, package="torch", needs="PyTorch")
