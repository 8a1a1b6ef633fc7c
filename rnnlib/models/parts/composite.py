"""Layers made of other layers: named parts, and a stack of them."""

from rnnlib.models.parts.layer import Layer


class Composite(Layer):
    """A layer whose parameters are those of its parts, under names such as ``norm.w``.

    A subclass makes its parts, and hands them to ``_hold``.

    Attributes:
        parts: name -> Layer.
    """

    def _hold(self, **parts):
        """Take these parts, and their parameters."""
        self.parts = parts
        self.params = self._collect("params")

    def _collect(self, which):
        """All ``params`` or ``grads`` of the parts."""
        return {
            f"{part}.{name}": array
            for part, layer in self.parts.items()
            for name, array in getattr(layer, which).items()
        }


class Stack(Composite):
    """Layers, each of which reads what the one before it puts out.

    Its parameters have names such as ``0.W_h``, its state is a list with one entry a layer.

    Args:
        layers: one Layer or more, in the order in which they read.
        owner: the model that the stack belongs to, as its errors name it.
    """

    def __init__(self, layers, owner):
        super().__init__(layers[0].dtype)
        self.layers, self.owner = layers, owner
        self._hold(**{str(i): layer for i, layer in enumerate(layers)})

    def step(self, x_t, state=None):
        """One time step, (B, D) and a list of states, zeros if None; returns (y_t, state)."""
        states = []
        for layer, before in zip(self.layers, self._states(state), strict=True):
            x_t, after = layer.step(x_t, before)
            states.append(after)
        return x_t, states

    def forward(self, x, state=None):
        """A whole sequence, (B, T, D), from a list of states, zeros if None; returns (y, state)."""
        last_states = []
        for layer, first in zip(self.layers, self._states(state), strict=True):
            x, last = layer.forward(x, first)
            last_states.append(last)
        return x, last_states

    def backward(self, dy, dstate=None):
        """Gradients for the latest ``forward``: (dx, dstate), dstate a list; fills ``grads``."""
        first_dstates = []
        for layer, last in zip(reversed(self.layers), reversed(self._states(dstate, "dstate")), strict=True):
            dy, first = layer.backward(dy, last)
            first_dstates.append(first)
        self.grads = self._collect("grads")
        return dy, first_dstates[::-1]

    def _states(self, states, name="state"):
        """One state a layer; None where there is none."""
        if states is None:
            return [None] * len(self.layers)
        if not hasattr(states, "__len__"):
            raise TypeError(
                f"{self.owner}: {name} must be a list, one entry a layer, got {type(states).__name__}"
            )
        if len(states) != len(self.layers):
            raise ValueError(
                f"{self.owner}: {name} must hold one entry for each of {len(self.layers)} layers"
            )
        return states
