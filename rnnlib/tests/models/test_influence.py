"""Who remembers what: the influence of each input on each later output."""

import numpy as np
import pytest

from rnnlib import SequenceModel
from rnnlib.models.influence import influence, reach
from rnnlib.tests.models.cases import KINDS

OPTIONS = {"mamba": {"d_state": 3, "d_conv": 3}}


def make(kind, readout="every"):
    """A small model with large weights, and a sequence."""
    rng = np.random.default_rng(0)
    options = {"num_layers": 2, "readout": readout, **OPTIONS.get(kind, {})}
    model = SequenceModel(kind, 3, 4, 2, rng=rng, dtype=np.float64, **options)
    for p in model.params.values():
        p[...] = 0.7 * rng.standard_normal(p.shape)
    return model, rng.standard_normal((6, 3))


@pytest.mark.parametrize("kind", KINDS)
def test_influence_equals_finite_differences(kind):
    model, x = make(kind)
    e = model.input.forward(x[None])
    numerical = np.zeros((6, 6))
    for k, i in np.ndindex(6, 4):
        shifted = []
        for eps in (1e-5, -1e-5):
            moved = e.copy()
            moved[0, k, i] += eps
            shifted.append(model.readout.forward(model.stack.forward(moved)[0])[0])
        slopes = (shifted[0] - shifted[1]) / 2e-5  # (T, O)
        numerical[:, k] += (slopes**2).sum(axis=1)
    J = influence(model, x)
    np.testing.assert_allclose(J, np.sqrt(numerical), rtol=1e-6, atol=1e-8)
    assert (J[np.triu_indices(6, 1)] == 0).all()
    assert (J[np.tril_indices(6)] > 0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_training_goes_on_as_if_nobody_had_asked(kind):
    model, x = make(kind)

    def train():
        model.forward(x[None])
        model.backward(np.ones((1, 6, 2)))

    train()
    weights, grads = ({name: a.copy() for name, a in held.items()} for held in (model.params, model.grads))
    for _ in range(2):  # as they were, and computed once more
        influence(model, 2 * x)
        for held, before in ((model.params, weights), (model.grads, grads)):
            for name, a in held.items():
                np.testing.assert_array_equal(a, before[name])
        layer = model.layers[0].grads
        assert not any(np.array_equal(g, grads[f"layers.0.{name}"]) for name, g in layer.items())
        train()


def test_a_model_that_answers_once_has_none():
    model, x = make("rnn", readout="last")
    with pytest.raises(ValueError, match="at every step"):
        influence(model, x)


def test_reach_counts_back_from_the_present():
    J = np.array([[1.0, 0, 0, 0], [3, 1, 0, 0], [1, 1, 2, 0], [9, 0, 0, 1]])
    assert reach(J).tolist() == [1, 2, 1, 4]
    assert reach(J, 0.1).tolist() == [1, 1, 1, 1]
    assert reach(J, 1.0).tolist() == [1, 2, 3, 4]
