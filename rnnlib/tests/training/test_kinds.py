"""Values and arrays as people give them: each means what it says, or is refused in a line."""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlib import SequenceModel
from rnnlib.tests.training.cases import model, task
from rnnlib.training import checkpoint
from rnnlib.training.fit import fit, online, predict
from rnnlib.training.history import Training
from rnnlib.training.losses import LOSSES, cross_entropy, mae, mse
from rnnlib.training.optimizers import OPTIMIZERS, Adam, clip_by_norm, global_norm

pytestmark = pytest.mark.filterwarnings("ignore:the matrix subclass")


def signs(n=64, T=6, seed=0):
    """Is the sum of the sequence above 0? Answers of −1 and 1, whole numbers."""
    x = np.random.default_rng(seed).standard_normal((n, T, 1)).astype(np.float32)
    return x, np.where(x.sum(axis=1) > 0, 1, -1)


@pytest.mark.parametrize("loss", ["mse", "mae", mse, lambda output, y: mse(output, y)])
@pytest.mark.parametrize("batch_size", [1, 32])
def test_an_answer_of_minus_1_is_a_number_like_others(loss, batch_size):
    x, y = signs()
    settings = {"loss": loss, "batch_size": batch_size, "epochs": 2, "progress": False}
    networks = model(), model()
    histories = [
        fit(network, (x, answers), (x, answers), **settings)
        for network, answers in zip(networks, (y, y.astype(float)), strict=True)
    ]
    assert histories[0] == histories[1]
    for name, p in networks[1].params.items():
        np.testing.assert_array_equal(networks[0].params[name], p)


def test_answers_that_are_all_minus_1_are_learnt():
    x, _ = task()
    y = np.full((64, 1), -1)
    history = fit(model(), (x, y), (x, y), epochs=30, lr=0.03, progress=False)
    assert history.validation_loss[-1] < 0.01


@pytest.mark.parametrize("kind", [np.int8, np.int64])
def test_cut_into_stretches_too(kind):
    network, twin = (SequenceModel("rnn", 1, 4, 1, readout="every", rng=0) for _ in range(2))
    x = np.random.default_rng(0).standard_normal((8, 6, 1)).astype(np.float32)
    y = np.where(x > 0, 1, -1).astype(kind)
    y[:, 2:4] = -1  # a whole stretch of them
    settings = {"truncate": 2, "epochs": 2, "progress": False}
    expected = fit(twin, (x, y.astype(float)), (x, y.astype(float)), **settings)
    assert fit(network, (x, y), (x, y), **settings) == expected


def test_a_loss_of_ones_own_counts_for_itself():
    """One that asks nothing where the answer is 7."""

    def own(output, y):
        mask = y != 7
        return float(((output - y) ** 2)[mask].mean()), np.where(mask, 2 * (output - y) / mask.sum(), 0)

    x, y = task()
    y = np.rint(4 * y).astype(int) - 1
    y[::3] = 7
    assert (y == -1).any()
    history = fit(model(), (x, y), (x, y), loss=own, epochs=30, lr=0.03, progress=False)
    assert history.validation_loss[-1] < 0.5 * history.validation_loss[0]


def test_cross_entropy_alone_knows_what_is_not_asked():
    network = SequenceModel("rnn", 1, 4, 3, readout="every", rng=0)
    x = np.random.default_rng(0).standard_normal((4, 6, 1)).astype(np.float32)
    y = np.random.default_rng(0).integers(0, 3, (4, 6))
    y[:, 2:4] = -1
    history = fit(network, (x, y), (x, y), loss="cross_entropy", truncate=2, batch_size=4, epochs=1)
    assert len(history.train_loss) == 1
    with pytest.raises(ValueError, match="there is no batch with answers to train on"):
        fit(network, (x, 0 * y - 1), (x, y), loss="cross_entropy")


@pytest.mark.parametrize("name", ["epochs", "batch_size", "patience", "truncate"])
@pytest.mark.parametrize("value", [True, 2.5, float("nan"), "3", np.float32(2), np.True_])
def test_a_count_is_a_whole_number(name, value):
    network = SequenceModel("rnn", 1, 8, 1, readout="every", rng=0)
    with pytest.raises(ValueError, match=f"{name} must be a whole number, got "):
        fit(network, task(), task(), **{name: value})


@pytest.mark.parametrize("name", ["epochs", "batch_size", "patience"])
def test_none_is_no_count(name):
    with pytest.raises(ValueError, match=f"{name} must be a whole number, got None"):
        fit(model(), task(), task(), **{name: None})
    assert fit(model(), task(), task(), progress=False, **{"epochs": 1, name: np.int64(1)}).best_epoch == 1


def test_counts_elsewhere_are_whole_numbers_too():
    x, y = task()
    for call in (lambda: predict(model(), x, True), lambda: online(model(), x, y, batch_size=1.5)):
        with pytest.raises(ValueError, match="batch_size must be a whole number"):
            call()


#: The same numbers in other containers.
FORMS = {
    "lists": lambda a: a.tolist(),
    "objects of lists": lambda a: [row.tolist() for row in a],
    "a subclass": lambda a: a.view(type("Own", (np.ndarray,), {})),
    "float16": lambda a: a.astype(np.float16),
}


@pytest.mark.parametrize("form", FORMS)
def test_fit_takes_what_holds_numbers(form):
    x, y = task()
    change = FORMS[form]
    plain = np.asarray(change(x), np.float32), np.asarray(change(y), np.float64)
    settings = {"epochs": 2, "progress": False}
    networks = model(), model()
    fit(networks[0], (change(x), change(y)), (change(x), change(y)), **settings)
    fit(networks[1], plain, plain, **settings)
    for name, p in networks[1].params.items():
        np.testing.assert_allclose(networks[0].params[name], p, atol=1e-3 if form == "float16" else 1e-6)
    np.testing.assert_allclose(predict(networks[0], change(x)), predict(networks[0], plain[0]), atol=1e-6)
    assert online(model(), change(x[:9]), change(y[:9]), progress=False).shape == (9, 1)


def test_fit_takes_the_answers_of_a_table():
    x, y = task()
    table = pd.DataFrame(y, index=range(100, 164), columns=["close"])
    networks = model(), model()
    fit(networks[0], (x, table), (x, table), epochs=2, progress=False)
    fit(networks[1], (x, y), (x, y), epochs=2, progress=False)
    for name, p in networks[1].params.items():
        np.testing.assert_array_equal(networks[0].params[name], p)
    with pytest.raises(ValueError, match=r"prediction has shape \(32, 1\), target \(32,\)"):
        fit(model(), (x, table["close"]), (x, table["close"]), progress=False)
    online(model(), x, table, progress=False)


def test_fit_takes_tensors():
    torch = pytest.importorskip("torch", reason="torch is not installed: pip install torch")
    x, y = task()
    networks = model(), model()
    fit(networks[0], (torch.tensor(x), torch.tensor(y)), task(), epochs=1, progress=False)
    fit(networks[1], (x, y), task(), epochs=1, progress=False)
    np.testing.assert_array_equal(networks[0].params["readout.W"], networks[1].params["readout.W"])


#: What is not to be learnt from: the change, and what the error says.
BAD = {
    "a mask": (lambda a: np.ma.array(a, mask=a > 9), "must be an array without a mask"),
    "objects": (lambda a: a.astype(object), "must hold real numbers, got object"),
    "gaps of a table": (lambda a: [[None]] * len(a), "must hold real numbers, got object"),
    "complex": (lambda a: a * 1j, "must hold real numbers, got complex"),
    "words": (lambda a: a.astype(str), "must hold real numbers, got <U"),
    "days": (lambda a: a.astype("datetime64[D]"), "must hold real numbers, got datetime64"),
    "a dict": (lambda a: {"x": a}, "must hold real numbers, got object"),
    "ragged": (lambda a: [[1.0], [1.0, 2.0]], "is no array: its rows differ in length"),
}


@pytest.mark.parametrize("form", BAD)
@pytest.mark.parametrize("place", ["x", "y"])
def test_fit_refuses_other_things_before_it_begins(form, place):
    change, says = BAD[form]
    x, y = task()
    part = (change(x), y) if place == "x" else (x, change(y))
    for arguments, name in (((part, task()), "training"), ((task(), part), "validation")):
        with pytest.raises((TypeError, ValueError), match=f"{place} of the {name} part {says}"):
            fit(model(), *arguments)
    with pytest.raises((TypeError, ValueError), match=f"online: {place} {says}"):
        online(model(), *part)
    with pytest.raises((TypeError, ValueError), match=f"{place} of the batch {says}"):
        fit(model(), lambda rng: [part], task())
    if place == "x":
        with pytest.raises((TypeError, ValueError), match=f"predict: x {says}"):
            predict(model(), part[0])


def test_a_part_is_a_pair():
    x, y = task()
    for part in (x, (x,), (x, y, y), {"x": x, "y": y}, None, iter((x, y))):
        with pytest.raises(TypeError, match=r"the validation part must be a pair of arrays \(x, y\), got"):
            fit(model(), (x, y), part)


@pytest.mark.parametrize("part", [(3.0, task()[1]), (task()[0], 3.0), (task()[1][:, 0], task()[1])])
def test_a_part_has_axes(part):
    with pytest.raises(ValueError, match=r"the training part must hold x \(n, T, D\) and y \(n, …\), got \("):
        fit(model(), part, task())


def test_an_empty_batch_is_passed_over():
    x, y = task()
    settings = {"epochs": 1, "progress": False}
    networks = model(), model()
    fit(networks[0], lambda rng: [(x[:0], y[:0]), (x, y)], task(), **settings)
    fit(networks[1], lambda rng: [(x, y)], task(), **settings)
    np.testing.assert_array_equal(networks[0].params["readout.W"], networks[1].params["readout.W"])


def test_a_loss_returns_a_number_and_a_gradient():
    for own in (
        lambda output, y: 1.0,
        lambda output, y: (np.ones(1), output),
        lambda output, y: np.ones(2),
        lambda output, y: None,
    ):
        with pytest.raises(TypeError, match="a loss must return a number and its gradient"):
            fit(model(), task(), task(), loss=own, progress=False)
    with pytest.raises(TypeError, match="dy must be an array, got list"):
        fit(model(), task(), task(), loss=lambda output, y: (1.0, output.tolist()), progress=False)


@pytest.mark.parametrize("loss", [mse, mae])
def test_losses_take_the_numbers_as_they_are(loss):
    y, target = np.array([[1.0], [2.0]]), np.array([[3.0], [1.0]])
    expected = loss(y, target)
    for change in (np.matrix, pd.DataFrame, np.ndarray.tolist, lambda a: a.astype(np.uint8)):
        for pair in ((change(y), target), (y, change(target)), (change(y), change(target))):
            value, dy = loss(*pair)
            assert value == expected[0]
            assert type(dy) is np.ndarray
            np.testing.assert_array_equal(dy, expected[1])
    for change, says in BAD.values():
        with pytest.raises((TypeError, ValueError), match=f"{loss.__name__}: target {says}"):
            loss(y, change(y))


def test_cross_entropy_takes_whole_logits():
    y, target = np.array([[0, 1, 3], [2, 0, 0]]), [2, 1]
    value, dy = cross_entropy(y, target)
    expected = cross_entropy(y.astype(float), np.array(target))
    assert value == expected[0]
    np.testing.assert_array_equal(dy, expected[1])
    assert dy.any()
    with pytest.raises(TypeError, match="cross_entropy: target must be an array without a mask"):
        cross_entropy(y, np.ma.array(target, mask=[0, 1]))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_take_the_numbers_as_they_are(name):
    grads = np.array([[1.0, -2.0], [3.0, 4.0]])
    expected = {"W": np.ones((2, 2))}
    OPTIMIZERS[name](expected).step({"W": grads})
    for change in (np.matrix, pd.DataFrame, np.ndarray.tolist, lambda a: a.astype(np.int8)):
        params = {"W": np.ones((2, 2))}
        OPTIMIZERS[name](params).step({"W": change(grads)})
        np.testing.assert_array_equal(params["W"], expected["W"])
    for change, says in BAD.values():
        optimizer = OPTIMIZERS[name]({"W": np.ones((2, 2))})
        with pytest.raises((TypeError, ValueError), match=f"the gradient of W {says}"):
            optimizer.step({"W": change(grads)})
        assert optimizer.t == 0
    for params in (np.matrix(grads), grads.astype(int), grads.tolist(), np.ma.array(grads, mask=grads > 9)):
        with pytest.raises(TypeError, match="parameter W must be"):
            OPTIMIZERS[name]({"W": params})


@given(st.lists(st.integers(-9, 9), min_size=1, max_size=5), st.floats(0.01, 100))
def test_clipping_keeps_the_direction_of_whole_numbers(grads, max_norm):
    clipped, norm = clip_by_norm({"W": np.array(grads)}, max_norm)
    expected, same = clip_by_norm({"W": np.array(grads, float)}, max_norm)
    assert norm == same
    np.testing.assert_array_equal(clipped["W"], expected["W"])
    for change, says in BAD.values():
        for call in (global_norm, lambda grads: clip_by_norm(grads, 1.0)):
            with pytest.raises((TypeError, ValueError), match=says):
                call({"W": change(np.ones((2, 1)))})


def test_numpy_numbers_are_saved(tmp_path):
    path = tmp_path / "model.safetensors"
    sizes = (np.int64(2), np.int32(4), np.uint8(1))
    network = SequenceModel(np.str_("lstm"), *sizes, num_layers=np.int16(2), forget_bias=np.float32(0.5))
    extra = {
        "mean": np.float32(0.25), "long": np.longdouble(0.5), "n": np.uint64(3), "flag": np.True_,
        "name": np.str_("A"), "source": Path("a") / "b", "when": pd.Timestamp("2024-01-02"),
        "nested": {"list": (np.float16(1), [np.int8(2)])}, "nothing": None, "nan": np.float64("nan"),
        "day": np.datetime64("2024-01-02"),
    }  # fmt: skip
    checkpoint.save(path, network, **extra)
    loaded, again = checkpoint.load(path)
    assert loaded.config == network.config
    nan = again.pop("nan")
    assert nan != nan
    assert again == {
        "mean": 0.25, "long": 0.5, "n": 3, "flag": True, "name": "A", "source": str(Path("a/b")),
        "when": "2024-01-02T00:00:00", "nested": {"list": [1.0, [2]]}, "nothing": None,
        "day": "2024-01-02",
    }  # fmt: skip
    np.testing.assert_array_equal(loaded.params["layers.1.W_h"], network.params["layers.1.W_h"])


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (np.ones(2), "ndarray"), (1j, "complex"), (np.complex64(1), "complex64"), ({1, 2}, "set"),
        (b"a", "bytes"), ([{"deep": object()}], "object"), (np.timedelta64(1, "D"), "timedelta64"),
        (pd.Series([1]), "Series"), (len, "builtin_function_or_method"),
    ],
)  # fmt: skip
def test_what_no_file_can_hold_is_named(tmp_path, value, kind):
    path = tmp_path / "model.safetensors"
    for call in (
        lambda: checkpoint.save(path, model(), scaler=value),
        lambda: checkpoint.kept({"scaler": value}),
    ):
        with pytest.raises(TypeError, match=rf"scaler cannot be kept in a file: it holds {kind}"):
            call()
    assert not path.exists()
    with pytest.raises(TypeError, match="scaler cannot be kept in a file"):
        checkpoint.kept({"scaler": {(1, 2): 3}})


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_a_training_with_numpy_numbers_is_saved_and_goes_on(tmp_path, kind):
    """A learning rate and a loss of one's own in float32: bit for bit as without a stop."""
    path = tmp_path / "last.safetensors"

    def own(output, y):
        loss, doutput = mse(output, y)
        return np.float32(loss), doutput

    def trained(epochs, network, training=None):
        optimizer = OPTIMIZERS[kind](network.params, np.float32(0.01))
        settings = {"loss": own, "optimizer": optimizer, "training": training, "progress": False}
        return fit(
            network, task(), task(seed=1), epochs=epochs, **settings,
            after_epoch=lambda training: checkpoint.save_training(path, network, training, seed=np.int64(3)),
        )  # fmt: skip

    whole, stopped = model(), model()
    expected = trained(4, whole)
    assert all(type(value) is float for value in expected.validation_loss)
    trained(2, stopped)
    resumed, training, extra = checkpoint.load_training(path)
    assert extra == {"seed": 3}
    assert isinstance(training, Training)
    assert trained(4, resumed, training) == expected
    for name, p in whole.params.items():
        np.testing.assert_array_equal(resumed.params[name], p)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_check_warns_of_nothing(loss):
    y = np.zeros((3, 2), np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        LOSSES[loss](y, np.array([0, 1, 1]) if loss == "cross_entropy" else y)
        Adam({"W": y}).step(clip_by_norm({"W": y}, 1.0)[0])
