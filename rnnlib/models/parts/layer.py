"""What every layer shares: parameters, gradients, and the checks on what comes in.

A recurrent layer has three methods::

    y, state = layer.forward(x, state=None)        x (B, T, D) -> y (B, T, H)
    dx, dstate = layer.backward(dy, dstate=None)   mirrors forward, fills layer.grads
    y_t, state = layer.step(x_t, state=None)       one time step, (B, D) -> (B, H)

``state`` is what step t + 1 needs from step t. ``forward`` never changes its inputs;
``backward`` belongs to the latest ``forward`` and overwrites ``grads``; arrays that a
method returns belong to the caller, no later call changes them.
"""

import numpy as np

from rnnlib.models.parts.arrays import array
from rnnlib.models.parts.workspace import Workspace


class Layer:
    """Parameters, their gradients under the same names, and input checks.

    The methods of every layer raise ValueError where a shape does not fit, TypeError where
    an argument is no array of real numbers, and RuntimeError where ``backward`` comes before ``forward``.

    Attributes:
        params: name -> array. An optimizer changes these arrays in place.
        grads: name -> array, filled by ``backward``.
        dtype: float32 or float64, the type of the parameters; inputs are cast to it.
    """

    def __init__(self, dtype=np.float32):
        if dtype is None or np.dtype(dtype) not in (np.float32, np.float64):  # NumPy's None is float64
            raise ValueError(f"dtype must be float32 or float64, got {dtype and np.dtype(dtype)}")
        self.dtype = np.dtype(dtype)
        self.params, self.grads = {}, {}
        self._cache = None  # what backward needs from the latest forward
        self._scratch = Workspace(self.dtype)

    def _check_sizes(self, **sizes):
        """Raise ValueError where a size is not a whole number above 0."""
        for name, size in sizes.items():
            if not isinstance(size, int | np.integer) or isinstance(size, bool) or size < 1:
                raise ValueError(
                    f"{type(self).__name__}: {name} must be a whole number above 0, got {size!r}"
                )

    def _uniform(self, rng, shape, bound):
        """Draw an array of ``shape`` from U(−bound, bound)."""
        return rng.uniform(-bound, bound, shape).astype(self.dtype)

    def _numbers(self, name, x):
        """``x``, if it is an array of real numbers."""
        return array(x, f"{type(self).__name__}: {name}")

    def _array(self, name, x, **shape):
        """Cast ``x`` to the layer's dtype, once it fits ``shape``: letter=length for each axis.

        A length of None is any length. The letters of the notation stand in the error.
        """
        x = self._numbers(name, x)
        lengths = shape.values()
        fits = len(x.shape) == len(lengths) and all(
            length in (None, n) for n, length in zip(x.shape, lengths, strict=True)
        )
        if not fits:
            letters = ", ".join(letter if n is None else f"{letter}={n}" for letter, n in shape.items())
            raise ValueError(f"{type(self).__name__}: {name} must have shape ({letters}), got {x.shape}")
        return x.astype(self.dtype, copy=False)

    def _vectors(self, name, x, size):
        """Cast ``x`` (..., D) to the layer's dtype, once its last axis has length ``size``."""
        x = self._numbers(name, x)
        if len(x.shape) < 1 or x.shape[-1] != size:
            raise ValueError(f"{type(self).__name__}: {name} must have shape (..., D={size}), got {x.shape}")
        return x.astype(self.dtype, copy=False)

    def _same_shape(self, name, x, shape):
        """Cast ``x`` to the layer's dtype, once it has this shape."""
        x = self._numbers(name, x)
        if x.shape != shape:
            raise ValueError(f"{type(self).__name__}: {name} must have shape {shape}, got {x.shape}")
        return x.astype(self.dtype, copy=False)

    def _time_first(self, name, x):
        """A copy of x (B, T, …) with time first, (T, B, …), in scratch memory: a step is one block."""
        B, T, *rest = x.shape
        copy = self._scratch.array(name, (T, B, *rest), like=x)
        copy[...] = x.swapaxes(0, 1)
        return copy

    def _array_or_zeros(self, name, x, *, like, **shape):
        """An array of the layer's own from ``x``, see ``_array``; zeros of that shape if None."""
        if x is None:
            return np.zeros(tuple(shape.values()), self.dtype, like=like)
        return self._array(name, x, **shape).copy()

    def _pair(self, name, state):
        """The two arrays of a state; (None, None) where there is none."""
        if state is None:
            return None, None
        if not isinstance(state, tuple | list) or len(state) != 2:
            got = type(state).__name__ + (f" of length {len(state)}" if hasattr(state, "__len__") else "")
            raise TypeError(f"{type(self).__name__}: {name} must be a pair of arrays, got {got}")
        return state

    def _forward_cache(self):
        """Return what the latest ``forward`` kept, or say that there was none."""
        if self._cache is None:
            raise RuntimeError(f"{type(self).__name__}: call forward before backward")
        return self._cache
