"""What people hand to a layer beside plain arrays: taken as the numbers they are, or refused in a line."""

import numpy as np
import pandas as pd
import pytest

from rnnlib import Embedding, Linear, MambaLM, RMSNorm, SequenceModel
from rnnlib.models.gradcheck import numerical_gradient, relative_error
from rnnlib.models.influence import influence
from rnnlib.tests.models.cases import KINDS, LAYERS, arrays
from rnnlib.tests.models.test_duck_arrays import Duck

pytestmark = pytest.mark.filterwarnings("ignore:the matrix subclass")

x_t = np.random.default_rng(0).standard_normal((2, 3))

#: The same numbers, as something else than a plain ndarray of floats.
TAKEN = {
    "a matrix": np.matrix,
    "a subclass": lambda x: x.view(type("Own", (np.ndarray,), {})),
    "integers": lambda x: np.rint(x).astype(np.int8),
    "half precision": lambda x: x.astype(np.float16),
    "truth values": lambda x: x > 0,
    "a view backwards": lambda x: x[:, ::-1],
}
REFUSED = {
    "a masked array": lambda x: np.ma.array(x, mask=x > 9),
    "a table": pd.DataFrame,
    "a list": lambda x: x.tolist(),
    "objects": lambda x: x.astype(object),
    "complex numbers": lambda x: x.astype(complex),
    "words": lambda x: x.astype(str),
    "days": lambda x: x.astype("datetime64[D]"),
    "None": lambda x: None,
}


def first_step(layer, x):
    y, state = layer.step(x)
    return [y, *arrays(state)]


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("form", TAKEN)
def test_a_layer_takes_the_numbers_as_they_are(kind, form):
    layer = LAYERS[kind](3, 4, rng=0)
    x = TAKEN[form](x_t)
    for got, expected in zip(first_step(layer, x), first_step(layer, np.array(x)), strict=True):
        assert type(got) is np.ndarray
        np.testing.assert_array_equal(got, expected)
    if not isinstance(x, np.matrix):  # which has two axes, always
        y, _ = layer.forward(x[:, None])
        dx, _ = layer.backward(TAKEN[form](y[:, 0])[:, None])
        np.testing.assert_array_equal(y, layer.forward(np.array(x)[:, None])[0])
        assert type(dx) is np.ndarray


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("form", REFUSED)
def test_a_layer_refuses_other_things_in_a_line(kind, form):
    layer, change = LAYERS[kind](3, 4, rng=0), REFUSED[form]
    y, state = layer.forward(x_t[:, None].astype(np.float32))
    first, *rest = arrays(state)
    spoilt = change(first.reshape(2, -1))
    if hasattr(spoilt, "reshape"):
        spoilt = spoilt.reshape(first.shape)
    spoilt = (spoilt, *rest) if isinstance(state, tuple) else spoilt
    calls = [
        (layer.backward, change(x_t)),
        (layer.step, change(x_t)),
        (layer.backward, y, spoilt),
        (layer.step, x_t, spoilt),
        (layer.forward, x_t[:, None], spoilt),
        (layer.forward, change(x_t)),
    ]
    for call, *arguments in calls:
        if form == "None" and len(arguments) == 2:
            continue  # no state is a state of zeros
        with pytest.raises(TypeError, match=r"must (be an array|be a pair|hold real numbers)") as caught:
            call(*arguments)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("layer", [Linear(3, 4, rng=0), RMSNorm(3)])
def test_layers_without_time_do_the_same(layer):
    for change in TAKEN.values():
        x = change(x_t)
        for call in (layer.step, layer.forward):
            np.testing.assert_array_equal(call(x), call(np.array(x)))
            assert type(call(x)) is np.ndarray
        assert type(layer.backward(np.matrix(layer.forward(x)))) is np.ndarray
    for change in REFUSED.values():
        for call in (layer.step, layer.forward, layer.backward):
            with pytest.raises(TypeError, match=r"must (be an array|hold real numbers)"):
                call(change(x_t))


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_model_does_the_same(kind):
    model = SequenceModel(kind, 3, 4, 2, rng=0)
    for change in TAKEN.values():
        y, _ = model.step(change(x_t))
        np.testing.assert_array_equal(y, model.step(np.array(change(x_t)))[0])
    for change in REFUSED.values():
        for call in (model.step, model.forward):
            with pytest.raises(TypeError, match=r"SequenceModel: x(_t)? must"):
                call(change(x_t))
    with pytest.raises(TypeError, match="state must be a list, one entry a layer, got int"):
        model.step(x_t, 0)


def test_lengths_are_whatever_holds_integers():
    model = SequenceModel("rnn", 3, 4, 2, rng=0)
    x = np.ones((2, 5, 3))
    expected, _ = model.forward(x, np.array([5, 2]))
    for lengths in ([5, 2], (5, 2), pd.Series([5, 2]), np.array([5, 2], np.uint8)):
        np.testing.assert_array_equal(model.forward(x, lengths)[0], expected)
    for lengths in (np.ma.array([5, 2], mask=[0, 1]), [None, 2], "52", {5, 2}, np.array([5, 2], object)):
        with pytest.raises(TypeError, match="lengths must"):
            model.forward(x, lengths)
    with pytest.raises(ValueError, match="lengths is no array: its rows differ in length"):
        model.forward(x, [[5], [2, 1]])


def test_token_ids_are_integers_whatever_holds_them():
    ids = np.array([[1, 2, 3], [0, 4, 2]])
    layer, model = Embedding(5, 3, rng=0), MambaLM(5, 4, 1, rng=0)
    expected, _ = model.forward(ids)
    for change in (np.matrix, lambda x: x.astype(np.uint8), lambda x: x[:, ::-1][:, ::-1]):
        np.testing.assert_array_equal(model.forward(change(ids))[0], expected)
        layer.forward(change(ids))
        layer.backward(np.ones((2, 3, 3)))
        assert layer.grads["W"][2].tolist() == [2, 2, 2]
    for change in (*REFUSED.values(), lambda x: x > 0, lambda x: x * 1.0):
        with pytest.raises(TypeError, match="Embedding: ids must be an array"):
            layer.forward(change(ids))
    with pytest.raises(ValueError, match="prompt must be a sequence"):
        model.generate(np.ma.array([1, 2], mask=[0, 1]), 2)
    with pytest.raises(ValueError, match="count must be a whole number from 0 on, got True"):
        model.generate([1, 2], True)


def test_finite_differences_and_influence_check_too():
    x = np.matrix([[1.0, 2.0]])
    grad = numerical_gradient(lambda: float(np.sum(np.asarray(x) ** 2)), x)
    assert type(grad) is np.ndarray
    np.testing.assert_allclose(grad, [[2, 4]], rtol=1e-8)
    for change in REFUSED.values():
        with pytest.raises(TypeError, match="numerical_gradient"):
            numerical_gradient(lambda: 0.0, change(x_t))
    assert relative_error([1.0, 2.0], np.matrix([1.0, 2.0]).A1) == 0
    with pytest.raises(TypeError, match="relative_error: a must be an array without a mask"):
        relative_error(np.ma.array(x_t, mask=x_t > 0), x_t)
    assert relative_error(Duck(x_t), Duck(x_t)) == 0
    model = SequenceModel("rnn", 3, 4, 2, readout="every", rng=0)
    np.testing.assert_array_equal(influence(model, np.matrix(x_t)), influence(model, x_t))
    with pytest.raises(TypeError, match="influence: x must be an array, got DataFrame"):
        influence(model, pd.DataFrame(x_t))


@pytest.mark.parametrize("kind", LAYERS)
def test_no_dtype_is_no_guess(kind):
    with pytest.raises(ValueError, match="dtype must be float32 or float64, got None"):
        LAYERS[kind](3, 4, dtype=None)
