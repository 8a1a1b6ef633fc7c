"""Arrays of another kind flow through: no layer turns its input into a plain NumPy array."""

import numpy as np
import pytest
from numpy.lib.mixins import NDArrayOperatorsMixin

from rnnlib import Embedding, Linear, RMSNorm, SequenceModel
from rnnlib.models.parts.composite import Composite
from rnnlib.tests.models.cases import KINDS, LAYERS, arrays
from rnnlib.training.losses import mse
from rnnlib.training.optimizers import Adam, clip_by_norm


def plain(x):
    if isinstance(x, Duck):
        return x.array
    return type(x)(map(plain, x)) if isinstance(x, list | tuple) else x


def duck(x):
    return Duck(x) if isinstance(x, np.ndarray | np.generic) else x


def refuse_numpy(x):
    """CuPy does not compute with NumPy's arrays, only with its own and with numbers."""
    for part in x if isinstance(x, list | tuple) else [x]:
        if isinstance(part, list | tuple):
            refuse_numpy(part)
        elif isinstance(part, np.ndarray):
            raise TypeError("a NumPy array among arrays of another kind")


class Duck(NDArrayOperatorsMixin):
    """A stand-in for CuPy: NumPy's functions accept it, and it refuses to be converted."""

    def __init__(self, array):
        self.array = np.asarray(array)

    def __array__(self, *args, **kwargs):
        raise TypeError("this array cannot be converted to a NumPy array")

    def __array_ufunc__(self, ufunc, method, *args, out=None, **kwargs):
        refuse_numpy(args)
        if method != "__call__":  # np.add.at, np.add.reduce: not for CuPy
            return NotImplemented
        if out is not None:
            ufunc(*map(plain, args), out=plain(out), **kwargs)
            return out[0]
        return duck(ufunc(*map(plain, args), **kwargs))

    def __array_function__(self, function, types, args, kwargs):
        if function is not np.asarray:  # the door through which arrays come in
            refuse_numpy(args)
        if "device" in kwargs or (function is np.einsum and "out" in kwargs):  # not for CuPy
            return NotImplemented
        if kwargs.get("out") is not None:
            function(*map(plain, args), **{name: plain(x) for name, x in kwargs.items()})
            return kwargs["out"]
        return duck(function(*map(plain, args), **{name: plain(x) for name, x in kwargs.items()}))

    def __getitem__(self, index):
        return Duck(self.array[plain(index)])

    def __setitem__(self, index, value):
        # CuPy, too, takes no NumPy array here.
        assert isinstance(value, Duck | int | float), type(value)
        self.array[plain(index)] = plain(value)

    def __getattr__(self, name):
        value = getattr(self.array, name)
        if callable(value):
            return lambda *args, **kwargs: duck(value(*map(plain, args), **kwargs))
        return duck(value)

    def __len__(self):
        return len(self.array)

    def __bool__(self):
        return bool(self.array)

    def __int__(self):
        return int(self.array)

    def __float__(self):
        return float(self.array)


def random(rng, *shape):
    return rng.standard_normal(shape).astype(np.float32)


def give_ducks(layer):
    """Turn all parameters of a layer and its parts into ducks."""
    if isinstance(layer, Composite):
        for part in layer.parts.values():
            give_ducks(part)
        layer.params = layer._collect("params")
    else:
        layer.params = {name: Duck(p) for name, p in layer.params.items()}


def assert_ducks_equal(got, expected):
    for a, b in zip(got, expected, strict=True):
        assert isinstance(a, Duck)
        np.testing.assert_allclose(a.array, b, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("T", [1, 5, 300])
def test_a_layer_keeps_the_kind_of_its_arrays(kind, T):
    rng = np.random.default_rng(0)
    layer, twin = LAYERS[kind](3, 4, rng=0), LAYERS[kind](3, 4, rng=0)
    x = random(rng, 2, T, 3)
    twin.backward(twin.forward(x)[0])  # before it moves to the other kind of memory
    give_ducks(twin)
    results = []
    for one, kind_of_array in ((layer, np.asarray), (twin, Duck)):
        y, state = one.forward(kind_of_array(x))
        y2, state2 = one.forward(kind_of_array(x), state)
        dx, dstate = one.backward(y2, state2)
        y_t, after = one.step(kind_of_array(x[:, 0]), state2)
        y_0, _ = one.step(kind_of_array(x[:, 0]))
        states = [a for s in (state, state2, dstate, after) for a in arrays(s)]
        results.append([y, y2, dx, y_t, y_0, *states, *one.grads.values()])
    assert_ducks_equal(results[1], results[0])


@pytest.mark.parametrize(
    "make", [lambda: Linear(3, 4, rng=0), lambda: RMSNorm(3), lambda: Embedding(5, 3, rng=0)]
)
def test_layers_without_time_keep_the_kind_too(make):
    rng = np.random.default_rng(0)
    layer, twin = make(), make()
    give_ducks(twin)
    x = rng.integers(0, 5, (2, 4)) if isinstance(layer, Embedding) else random(rng, 2, 4, 3)
    results = []
    for one, kind_of_array in ((layer, np.asarray), (twin, Duck)):
        y = one.forward(kind_of_array(x))
        dx = one.backward(y)
        dx = [] if dx is None else [dx]
        results.append([y, one.step(kind_of_array(x)), *dx, *one.grads.values()])
    assert_ducks_equal(results[1], results[0])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("readout", ["last", "every"])
@pytest.mark.parametrize("lengths", [None, np.array([5, 2])])
def test_a_training_step_keeps_the_kind_of_its_arrays(kind, readout, lengths):
    rng = np.random.default_rng(0)
    x = random(rng, 2, 5, 3)
    models = [SequenceModel(kind, 3, 4, 2, readout=readout, rng=0) for _ in range(2)]
    give_ducks(models[1])
    for model, kind_of_array in zip(models, (np.asarray, Duck), strict=True):
        y, _ = model.forward(kind_of_array(x), lengths)
        _, dy = mse(y, y * 0 + 1, lengths if readout == "every" else None)
        model.backward(dy)
        grads, _ = clip_by_norm(model.grads, 0.1)
        Adam(model.params).step(grads)
    for name, p in models[1].params.items():
        assert isinstance(p, Duck)
        np.testing.assert_allclose(p.array, models[0].params[name], rtol=1e-5)
