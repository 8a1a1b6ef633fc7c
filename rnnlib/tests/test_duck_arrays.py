"""Arrays of another kind flow through: no layer turns its input into a plain NumPy array."""

import numpy as np
import pytest
from numpy.lib.mixins import NDArrayOperatorsMixin

from rnnlib import SequenceModel
from rnnlib.layers import RECURRENT
from rnnlib.losses import mse
from rnnlib.optim import Adam, clip_by_norm


def plain(x):
    if isinstance(x, Duck):
        return x.array
    return type(x)(map(plain, x)) if isinstance(x, list | tuple) else x


def duck(x):
    return Duck(x) if isinstance(x, np.ndarray | np.generic) else x


class Duck(NDArrayOperatorsMixin):
    """A stand-in for CuPy: NumPy's functions accept it, and it refuses to be converted."""

    def __init__(self, array):
        self.array = np.asarray(array)

    def __array__(self, *args, **kwargs):
        raise TypeError("this array cannot be converted to a NumPy array")

    def __array_ufunc__(self, ufunc, method, *args, out=None, **kwargs):
        if out is not None:
            getattr(ufunc, method)(*map(plain, args), out=plain(out), **kwargs)
            return out[0]
        return duck(getattr(ufunc, method)(*map(plain, args), **kwargs))

    def __array_function__(self, function, types, args, kwargs):
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

    def __int__(self):
        return int(self.array)

    def __float__(self):
        return float(self.array)


def random(rng, *shape):
    return rng.standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("kind", sorted(RECURRENT))
def test_a_layer_keeps_the_kind_of_its_arrays(kind):
    rng = np.random.default_rng(0)
    layer, twin = RECURRENT[kind](3, 4, rng=0), RECURRENT[kind](3, 4, rng=0)
    twin.params = {name: Duck(p) for name, p in twin.params.items()}
    x, dy = random(rng, 2, 5, 3), random(rng, 2, 5, 4)
    y, state = layer.forward(x)
    expected = [y, state, *layer.backward(dy), *layer.grads.values(), *layer.step(x[:, 0])]
    y, state = twin.forward(Duck(x))
    got = [y, state, *twin.backward(Duck(dy)), *twin.grads.values(), *twin.step(Duck(x[:, 0]))]
    for a, b in zip(got, expected, strict=True):
        assert isinstance(a, Duck)
        np.testing.assert_array_equal(a.array, b)


@pytest.mark.parametrize("readout", ["last", "every"])
@pytest.mark.parametrize("lengths", [None, np.array([5, 2])])
def test_a_training_step_keeps_the_kind_of_its_arrays(readout, lengths):
    rng = np.random.default_rng(0)
    x = random(rng, 2, 5, 3)
    models = [SequenceModel("rnn", 3, 4, 2, readout=readout, rng=0) for _ in range(2)]
    for layer in (models[1].input, *models[1].layers, models[1].readout):
        layer.params = {name: Duck(p) for name, p in layer.params.items()}
    models[1].params = models[1]._collect("params")
    for model, kind in zip(models, (np.asarray, Duck), strict=True):
        y, _ = model.forward(kind(x), lengths)
        _, dy = mse(y, y * 0 + 1, lengths if readout == "every" else None)
        model.backward(dy)
        grads, _ = clip_by_norm(model.grads, 0.1)
        Adam(model.params).step(grads)
    for name, p in models[1].params.items():
        assert isinstance(p, Duck)
        np.testing.assert_allclose(p.array, models[0].params[name], rtol=1e-6)
