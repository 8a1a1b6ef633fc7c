"""Losses, the optimizer, clipping, gradient checks, fit, checkpoints."""

import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rnnlib import SequenceModel, checkpoint
from rnnlib.gradcheck import check_layer, numerical_gradient, relative_error
from rnnlib.layers import RNN
from rnnlib.losses import mse
from rnnlib.optim import Adam, clip_by_norm, global_norm
from rnnlib.train import fit, predict

numbers = st.floats(-10, 10, allow_subnormal=False)
arrays = hnp.arrays(np.float64, hnp.array_shapes(max_dims=3, max_side=4), elements=numbers)
gradients = st.dictionaries(st.sampled_from("abc"), arrays, min_size=1)


@given(arrays, st.integers(0, 99))
def test_mse_and_its_gradient(y, seed):
    target = np.random.default_rng(seed).standard_normal(y.shape)
    loss, dy = mse(y, target)
    assert loss == pytest.approx(np.mean((y - target) ** 2))
    numerical = numerical_gradient(lambda: mse(y, target)[0], y)
    np.testing.assert_allclose(dy, numerical, rtol=1e-5, atol=1e-6)


def test_mse_with_lengths_is_the_mean_over_valid_steps():
    rng = np.random.default_rng(0)
    y, target, lengths = rng.standard_normal((3, 4, 2)), rng.standard_normal((3, 4, 2)), np.array([4, 1, 2])
    valid = [(y[b, t], target[b, t]) for b in range(3) for t in range(lengths[b])]
    expected = np.mean([(a - b) ** 2 for a, b in valid])
    target[1, 1:] = np.nan
    loss, dy = mse(y, target, lengths)
    assert loss == pytest.approx(expected)
    assert not dy[1, 1:].any()
    assert not dy[2, 2:].any()


def test_mse_with_lengths_keeps_float32_and_refuses_what_does_not_fit():
    y = np.ones((2, 5, 1), np.float32)
    assert mse(y, 0 * y, [3, 5])[1].dtype == np.float32
    with pytest.raises(ValueError, match="one entry for each of B=2 sequences, got 1"):
        mse(y, 0 * y, [3])
    with pytest.raises(ValueError, match=r"must have shape \(B, T, O\), got \(2, 5\)"):
        mse(y[:, :, 0], y[:, :, 0], [3, 5])


def test_mse_refuses_to_broadcast():
    with pytest.raises(ValueError, match=r"prediction has shape \(3, 1\), target \(3,\)"):
        mse(np.zeros((3, 1)), np.zeros(3))
    with pytest.raises(ValueError, match="no values"):
        mse(np.zeros((0, 1)), np.zeros((0, 1)))


@given(gradients, st.floats(0.01, 100))
def test_clipping_shortens_and_keeps_the_direction(grads, max_norm):
    before = {name: g.copy() for name, g in grads.items()}
    clipped, norm = clip_by_norm(grads, max_norm)
    flat = np.concatenate([g.ravel() for g in grads.values()])
    assert norm == pytest.approx(np.linalg.norm(flat))
    assert global_norm(clipped) == pytest.approx(min(norm, max_norm))
    result = np.concatenate([g.ravel() for g in clipped.values()])
    np.testing.assert_allclose(result * norm, flat * min(norm, max_norm), rtol=1e-9, atol=1e-9)
    for name in grads:
        np.testing.assert_array_equal(grads[name], before[name])


def test_clipping_and_adam_refuse_bad_settings():
    for max_norm in (0, -1, float("nan")):
        with pytest.raises(ValueError, match="max_norm must be above 0"):
            clip_by_norm({"a": np.ones(2)}, max_norm)
    for lr in (0, -1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="lr must be above 0"):
            Adam({}, lr)
    with pytest.raises(ValueError, match="eps must be above 0"):
        Adam({}, eps=-1)
    with pytest.raises(ValueError, match=r"the gradient of a has shape \(1,\), not \(2, 3\)"):
        Adam({"a": np.zeros((2, 3))}).step({"a": np.zeros(1)})
    for betas in ((0.9, 1), (-0.1, 0.9)):
        with pytest.raises(ValueError, match="betas"):
            Adam({}, betas=betas)
    with pytest.raises(ValueError, match="differ in b"):
        Adam({"a": np.zeros(1), "b": np.zeros(1)}).step({"a": np.zeros(1)})


@given(st.lists(hnp.arrays(np.float64, (2, 3), elements=numbers), min_size=1, max_size=6), st.floats(1e-4, 1))
def test_adam_follows_the_definition(grads, lr):
    """The moments as the explicit sums that algorithm 1 of the paper unrolls to."""
    params = {"a": np.zeros((2, 3))}
    a, optimizer = params["a"], Adam(params, lr)
    expected = np.zeros((2, 3))
    for t in range(1, len(grads) + 1):
        optimizer.step({"a": grads[t - 1]})
        weights1 = [0.1 * 0.9 ** (t - i) for i in range(1, t + 1)]
        weights2 = [0.001 * 0.999 ** (t - i) for i in range(1, t + 1)]
        m = sum(w * g for w, g in zip(weights1, grads[:t], strict=True)) / sum(weights1)
        v = sum(w * g**2 for w, g in zip(weights2, grads[:t], strict=True)) / sum(weights2)
        expected -= lr * m / (np.sqrt(v) + 1e-8)
    np.testing.assert_allclose(a, expected, rtol=1e-6, atol=1e-9)
    assert params["a"] is a  # changed in place


def test_adam_and_clipping_keep_float32():
    params = {"a": np.ones(3, np.float32)}
    optimizer = Adam(params, betas=(0, 0.999))
    grads, _ = clip_by_norm({"a": np.ones(3, np.float32)}, 0.5)
    optimizer.step(grads)
    assert {a.dtype for a in (params["a"], grads["a"], optimizer.m["a"], optimizer.v["a"])} == {
        np.dtype("float32")
    }


def test_a_gradient_too_long_for_float32_is_clipped():
    clipped, norm = clip_by_norm({"a": np.full(4, 1e30, np.float32)}, 1.0)
    assert norm == pytest.approx(2e30)
    np.testing.assert_allclose(clipped["a"], 0.5, rtol=1e-6)


@given(arrays)
def test_numerical_gradient_of_a_cubic(x):
    before = x.copy()
    gradient = numerical_gradient(lambda: (x**3).sum(), x)
    np.testing.assert_allclose(gradient, 3 * x**2, rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(x, before)
    for dtype in (np.float32, int):
        with pytest.raises(TypeError, match="float64"):
            numerical_gradient(lambda: 0.0, np.ones(2, dtype))


def test_a_gradient_that_is_not_a_number_is_never_right():
    for bad in (np.nan, np.inf):
        assert relative_error(np.full(2, bad), np.ones(2)) == np.inf
        assert relative_error(np.ones(2), np.full(2, bad)) == np.inf
    with pytest.raises(ValueError, match="shapes differ"):
        relative_error(np.ones((1, 2)), np.ones(2))


def test_x_is_put_back_when_f_fails():
    x = np.ones(3)
    with pytest.raises(ZeroDivisionError):
        numerical_gradient(lambda: 1 / 0, x)
    np.testing.assert_array_equal(x, np.ones(3))


def test_relative_error():
    assert relative_error(np.zeros(2), np.zeros(2)) == 0
    assert relative_error(np.array([1.0, 4.0]), np.array([1.0, 5.0])) == pytest.approx(0.2)


def test_check_layer_catches_a_wrong_backward():
    class Wrong(RNN):
        def backward(self, dy, dstate=None):
            return super().backward(dy, None)  # loses the gradient of the last state

    rng = np.random.default_rng(0)
    x, state = rng.standard_normal((2, 4, 2)), rng.standard_normal((2, 3))
    before = x.copy(), state.copy()
    errors = check_layer(Wrong(2, 3, rng=0, dtype=np.float64), x, state)
    np.testing.assert_array_equal(x, before[0])
    np.testing.assert_array_equal(state, before[1])
    assert errors["W_h"] > 1e-3


def task(n=64, T=6, seed=0):
    """Predict the mean of the sequence: easy enough for a few epochs."""
    x = np.random.default_rng(seed).standard_normal((n, T, 1)).astype(np.float32)
    return x, x.mean(axis=1)


def model(seed=0):
    return SequenceModel("rnn", 1, 8, 1, rng=seed)


def test_fit_learns_and_tells_its_history():
    network = model()
    history = fit(network, task(256), task(64, seed=1), epochs=30, lr=1e-2, progress=False)
    constant = np.mean(task(64, seed=1)[1] ** 2)
    best = history.validation_loss[history.best_epoch - 1]
    assert best < 0.1 * constant
    assert best == min(history.validation_loss)
    assert len(history.train_loss) == len(history.validation_loss) == len(history.grad_norm)
    loss, _ = mse(predict(network, task(64, seed=1)[0], batch_size=5), task(64, seed=1)[1])
    assert loss == pytest.approx(best, rel=1e-5)  # the model holds the best weights


def test_fit_stops_early_and_returns_to_the_best_epoch():
    x, y = task()
    noise = np.random.default_rng(2).standard_normal(y.shape).astype(np.float32)
    network = model()
    history = fit(network, (x, y), (x, noise), epochs=200, lr=0.05, patience=3, progress=False)
    assert len(history.train_loss) == history.best_epoch + 3 < 200
    loss, _ = mse(predict(network, x), noise)
    assert loss == pytest.approx(min(history.validation_loss), rel=1e-5)


def test_fit_is_deterministic():
    runs = []
    for _ in range(2):
        network = model()
        fit(network, task(), task(seed=1), epochs=3, rng=5, progress=False)
        runs.append(network.params)
    for name in runs[0]:
        np.testing.assert_array_equal(runs[0][name], runs[1][name])


def test_fit_uses_each_of_its_settings():
    x, y = task(10)

    def trained(**settings):
        network = model()
        before = {name: p.copy() for name, p in network.params.items()}
        settings = {"epochs": 1, "batch_size": 4, "lr": 1e-3, **settings}
        history = fit(network, (x, y), task(seed=1), progress=False, **settings)
        return history, max(np.abs(p - before[name]).max() for name, p in network.params.items())

    assert trained(rng=1)[0] != trained(rng=2)[0]  # another order of the batches
    assert trained(batch_size=10, lr=1e-3)[1] == pytest.approx(1e-3, rel=1e-2)  # Adam's first step
    assert trained(batch_size=10, lr=1e-4)[1] == pytest.approx(1e-4, rel=1e-2)
    assert trained(max_norm=1e-12)[1] < 1e-6  # far below Adam's eps, so that hardly anything moves

    history, _ = trained(lr=1e-12)  # standing still: the batches hold 4, 4 and 2 sequences
    order = np.random.default_rng(0).permutation(10)
    losses = [mse(predict(model(), x[b]), y[b])[0] for b in (order[:4], order[4:8], order[8:])]
    assert history.train_loss == pytest.approx([np.average(losses, weights=[4, 4, 2])], rel=1e-5)
    network = model()
    norms = []
    for b in (order[:4], order[4:8], order[8:]):
        network.backward(mse(network.forward(x[b])[0], y[b])[1])
        norms.append(global_norm(network.grads))
    assert history.grad_norm == pytest.approx([np.mean(norms)], rel=1e-5)


def test_fit_shows_a_progress_bar(capsys):
    fit(model(), task(), task(seed=1), epochs=2)
    shown = capsys.readouterr().err
    assert "2/2" in shown
    assert "validation=" in shown


def test_fit_names_the_step_of_a_nan():
    x, y = task()
    x[3] = np.nan
    with pytest.raises(
        FloatingPointError, match="the loss is nan in epoch 1, step 1: try a smaller learning rate"
    ):
        fit(model(), (x, y), task(seed=1), batch_size=64, progress=False)
    with pytest.raises(FloatingPointError, match="validation loss is nan after epoch 1"):
        fit(model(), task(seed=1), (x, y), progress=False)
    x, y = task()
    y[3] = np.inf
    with pytest.raises(FloatingPointError, match="the loss is inf in epoch 1"):
        fit(model(), (x, y), task(seed=1), progress=False)
    with pytest.raises(FloatingPointError, match="validation loss is inf after epoch 1"):
        fit(model(), task(seed=1), (x, y), progress=False)


def test_fit_refuses_bad_settings():
    for name in ("epochs", "batch_size", "patience"):
        with pytest.raises(ValueError, match=f"{name} must be at least 1, got 0"):
            fit(model(), task(), task(), **{name: 0})
    with pytest.raises(ValueError, match="the validation part is empty"):
        fit(model(), task(), (task()[0][:0], task()[1][:0]))
    with pytest.raises(ValueError, match="the training part has 64 inputs and 63 targets"):
        fit(model(), (task()[0], task()[1][:-1]), task())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_checkpoint_round_trip(tmp_path, dtype):
    saved = SequenceModel("rnn", 2, 3, 1, num_layers=2, readout="every", rng=1, dtype=dtype)
    path = tmp_path / "model.safetensors"
    checkpoint.save(path, saved, mean=0.25, symbol="AAPL")
    loaded, extra = checkpoint.load(path)
    assert extra == {"mean": 0.25, "symbol": "AAPL"}
    assert loaded.config == saved.config
    for name, p in saved.params.items():
        np.testing.assert_array_equal(loaded.params[name], p)
        assert loaded.params[name].dtype == dtype
    assert os.listdir(tmp_path) == ["model.safetensors"]  # nothing temporary is left
    other = tmp_path / "other"
    other.touch()
    assert path.stat().st_mode == other.stat().st_mode  # as readable as any other file


def test_weights_are_saved_as_they_read_not_as_they_lie(tmp_path):
    network = model()
    network.params["layers.0.W_h"] = network.params["layers.0.W_h"].T
    checkpoint.save(tmp_path / "model.safetensors", network)
    loaded, _ = checkpoint.load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(loaded.params["layers.0.W_h"], network.params["layers.0.W_h"])
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        checkpoint.save(tmp_path / "missing" / "model.safetensors", network)


def test_an_interrupted_fit_keeps_the_best_weights():
    class Impatient(SequenceModel):
        calls = 0

        def backward(self, *args):
            Impatient.calls += 1
            if Impatient.calls > 25:  # in the fourth epoch of 8 batches
                raise KeyboardInterrupt
            return super().backward(*args)

    networks = Impatient("rnn", 1, 8, 1, rng=0), model()
    with pytest.raises(KeyboardInterrupt):
        fit(networks[0], task(), task(seed=1), epochs=9, batch_size=8, progress=False)
    history = fit(networks[1], task(), task(seed=1), epochs=3, batch_size=8, progress=False)
    assert history.best_epoch == 3
    for name, p in networks[1].params.items():
        np.testing.assert_array_equal(networks[0].params[name], p)


def test_predict_refuses_nothing_and_no_batches():
    for n, batch_size in ((0, 4), (3, 0), (3, -1)):
        with pytest.raises(ValueError, match="predict needs inputs and a batch_size above 0"):
            predict(model(), task()[0][:n], batch_size)


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "model.safetensors"
    checkpoint.save(path, model(seed=1))
    before = path.read_bytes()

    def full_disk(*args):
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "replace", full_disk)
    with pytest.raises(OSError, match="No space"):
        checkpoint.save(path, model(seed=2))
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["model.safetensors"]


def test_damaged_checkpoints_are_told_apart(tmp_path):
    from safetensors.numpy import save_file

    path = tmp_path / "model.safetensors"
    with pytest.raises(FileNotFoundError, match=r"there is no file .*model\.safetensors"):
        checkpoint.load(path)
    checkpoint.save(path, model())
    whole = path.read_bytes()
    for damage in (b"", b"not a checkpoint", whole[:100], whole[:-5], whole + b"more"):
        path.write_bytes(damage)
        with pytest.raises(ValueError, match="damaged, or was not written by rnnlib"):
            checkpoint.load(path)
    configs = ("3", "{}", '{"config": [], "extra": {}}', '{"config": {"kind": "rnn"}, "extra": {}}')
    for metadata in (None, {"rnnlib": "not JSON"}, *({"rnnlib": text} for text in configs)):
        save_file({"a": np.zeros(3)}, path, metadata)
        with pytest.raises(ValueError, match="not written by rnnlib"):
            checkpoint.load(path)
    path.write_bytes(whole)
    network = model()
    network.params["readout.W"] = np.zeros((1, 8), np.float32)
    checkpoint.save(path, network)
    with pytest.raises(ValueError, match=r"tensor readout\.W has shape \(1, 8\), expected \(8, 1\)"):
        checkpoint.load(path)
    del network.params["readout.W"]
    checkpoint.save(path, network)
    with pytest.raises(ValueError, match=r"lacks the tensor readout\.W"):
        checkpoint.load(path)
