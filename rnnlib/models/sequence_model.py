"""A whole model: input map, a stack of recurrent layers, readout."""

import numpy as np

from rnnlib.models.parts.composite import Composite, Stack
from rnnlib.models.parts.functional import valid_steps
from rnnlib.models.parts.linear import Linear
from rnnlib.models.registry import model_named


class SequenceModel(Composite):
    """x (B, T, D) -> input map (D to H) -> recurrent layers (H to H) -> readout (H to O).

    Args:
        kind: the recurrent layer's name, a key of ``rnnlib.models.registry.MODELS``; "mamba" stacks
            MambaBlocks.
        input_size: D.
        hidden_size: H.
        output_size: O.
        num_layers: how many recurrent layers are stacked.
        readout: "last" reads the output at the last valid step, y (B, O);
            "every" reads it at every step, y (B, T, O).
        rng: ``numpy.random.Generator`` or a seed.
        dtype: floating-point type of the parameters.
        options: further arguments of the recurrent layer, such as ``forget_bias=3``.

    Attributes:
        config: the arguments that rebuild the model, all but ``rng`` and ``dtype``.
        params, grads: those of all parts, under names such as ``layers.0.W_h``.

    Examples:
        >>> model = SequenceModel("gru", input_size=3, hidden_size=8, output_size=1, rng=0)
        >>> y, state = model.forward(np.ones((2, 5, 3)), lengths=np.array([5, 2]))
        >>> y.shape
        (2, 1)
        >>> dx, dstate = model.backward(np.ones((2, 1)))
        >>> bool(dx[1, :2].any()), bool(dx[1, 2:].any())  # none into the padding
        (True, False)
    """

    def __init__(
        self,
        kind,
        input_size,
        hidden_size,
        output_size,
        *,
        num_layers=1,
        readout="last",
        rng=None,
        dtype=np.float32,
        **options,
    ):
        super().__init__(dtype)
        model = model_named(kind)
        if readout not in ("last", "every"):
            raise ValueError(f'readout must be "last" or "every", got {readout!r}')
        sizes = {
            "input_size": input_size,
            "hidden_size": hidden_size,
            "output_size": output_size,
            "num_layers": num_layers,
        }
        self._check_sizes(**sizes)
        self.config = {"kind": kind, **sizes, "readout": readout, **options}

        rng = np.random.default_rng(rng)
        self.input = Linear(input_size, hidden_size, rng=rng, dtype=dtype)
        options = {"rng": rng, "dtype": dtype, **options}
        self.layers = [model.in_stack(hidden_size, **options) for _ in range(num_layers)]
        self.stack = Stack(self.layers, owner="SequenceModel")
        self.readout = Linear(hidden_size, output_size, rng=rng, dtype=dtype)
        self._hold(input=self.input, layers=self.stack, readout=self.readout)

    def forward(self, x, lengths=None, state=None):
        """Run the model over whole sequences.

        Args:
            x: input, (B, T, D), shorter sequences padded on the right.
            lengths: (B,) the true lengths, 1 to T; None if all have length T.
                What stands in the padding changes no result and no gradient.
            state: list with the first state of each layer; zeros if None.

        Returns:
            (y, state). y is (B, O) at step length − 1 if ``readout`` is "last", else
            (B, T, O) with zeros in the padding. state lists the last state of each
            layer; with ``lengths`` it is None, since the layers ran on into the padding.
        """
        self._cache = None  # if this forward fails half way, there is nothing to go back through
        x = self._array("x", x, B=None, T=None, D=self.input.input_size)
        B, T, _ = x.shape
        if T < 1:
            raise ValueError("SequenceModel: x must have at least one time step")
        mask = None
        if lengths is not None:
            mask = valid_steps(lengths, B, T, like=x)
            x = np.where(mask[:, :, None], x, 0)  # NaN in the padding must not spread

        h, last_states = self.stack.forward(self.input.forward(x), state)
        if self.config["readout"] == "last":
            lengths = np.zeros(B, int, like=x) + T if mask is None else mask.sum(axis=1)
            last_step = lengths - 1
            rows = np.arange(B, like=x)
            y = self.readout.forward(h[rows, last_step])
        else:
            rows = last_step = None
            y = self.readout.forward(h)
            if mask is not None:
                y = np.where(mask[:, :, None], y, 0)
        self._cache = h.shape, mask, rows, last_step
        return y, last_states if mask is None else None

    def backward(self, dy, dstate=None):
        """Gradients for the latest ``forward``.

        Args:
            dy: gradient with respect to y, in its shape; what it holds in the padding
                does not count.
            dstate: list of gradients with respect to the returned states; zeros if None.

        Returns:
            (dx, dstate): (B, T, D), and a list with one entry for each layer.
            Fills ``grads``.
        """
        shape, mask, rows, last_step = self._forward_cache()
        if mask is not None and dstate is not None:
            raise ValueError("after a forward with lengths there is no last state, so dstate must be None")
        O = self.readout.output_size
        if self.config["readout"] == "last":
            dy = self._array("dy", dy, B=shape[0], O=O)
            dh = np.zeros(shape, self.dtype, like=dy)
            dh[rows, last_step] = self.readout.backward(dy)
        else:
            dy = self._array("dy", dy, B=shape[0], T=shape[1], O=O)
            if mask is not None:
                dy = np.where(mask[:, :, None], dy, 0)
            dh = self.readout.backward(dy)

        dh, dstate = self.stack.backward(dh, dstate)
        dx = self.input.backward(dh)
        self.grads = self._collect("grads")
        return dx, dstate

    def step(self, x_t, state=None):
        """One time step with constant memory.

        Args:
            x_t: input, (B, D).
            state: list with the state of each layer; zeros if None.

        Returns:
            (y_t, state): (B, O), and the list of states for the next step.
        """
        x_t = self._array("x_t", x_t, B=None, D=self.input.input_size)
        h, state = self.stack.step(self.input.step(x_t), state)
        return self.readout.step(h), state
