"""Losses, optimizers, clipping, gradient checks, fit, learning online, checkpoints and resuming."""

import json
import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rnnlib import SequenceModel
from rnnlib.data import synthetic
from rnnlib.models.gradcheck import check_layer, numerical_gradient, relative_error
from rnnlib.models.rnn import RNN
from rnnlib.tests.models.cases import KINDS
from rnnlib.training import checkpoint
from rnnlib.training.fit import fit, online, predict
from rnnlib.training.history import Training
from rnnlib.training.losses import cross_entropy, mae, mse
from rnnlib.training.optimizers import OPTIMIZERS, SGD, Adam, RMSprop, clip_by_norm, global_norm

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


@given(arrays, st.integers(0, 99))
def test_mae_and_its_gradient(y, seed):
    target = np.random.default_rng(seed).standard_normal(y.shape)
    loss, dy = mae(y, target)
    assert loss == pytest.approx(np.mean(np.abs(y - target)))
    np.testing.assert_array_equal(dy, np.sign(y - target) / y.size)
    assert not mae(y, y)[1].any()


def test_mae_with_lengths():
    y, target, lengths = (
        np.zeros((2, 3, 1)),
        np.array([[[1.0], [2], [np.nan]], [[4], [5], [6]]]),
        np.array([2, 3]),
    )
    loss, dy = mae(y, target, lengths)
    assert loss == pytest.approx(18 / 5)
    assert dy[0, 2, 0] == 0
    with pytest.raises(ValueError, match="mae: prediction has shape"):
        mae(y, target[:1])


@given(st.integers(0, 99), st.integers(1, 4), st.integers(1, 4), st.integers(2, 5))
def test_cross_entropy_and_its_gradient(seed, B, T, V):
    rng = np.random.default_rng(seed)
    y, target = 3 * rng.standard_normal((B, T, V)), rng.integers(-1, V, (B, T))
    target[0, 0] = 0
    loss, dy = cross_entropy(y, target)
    p = np.exp(y) / np.exp(y).sum(axis=-1, keepdims=True)
    asked = [(b, t) for b in range(B) for t in range(T) if target[b, t] >= 0]
    assert loss == pytest.approx(np.mean([-np.log(p[b, t, target[b, t]]) for b, t in asked]))
    numerical = numerical_gradient(lambda: cross_entropy(y, target)[0], y)
    np.testing.assert_allclose(dy, numerical, rtol=1e-4, atol=1e-7)
    assert not dy[target == -1].any()


def test_cross_entropy_of_huge_logits():
    loss, dy = cross_entropy(np.array([[1e4, -1e4]], np.float32), np.array([1]))
    assert loss == 2e4
    np.testing.assert_allclose(dy, [[1, -1]])
    assert dy.dtype == np.float32


def test_cross_entropy_refuses_what_is_no_class():
    y = np.zeros((2, 3))
    for target, message in (
        (np.array([0, 3]), "classes run from 0 to 2"),
        (np.array([0, -2]), "classes run from 0 to 2"),
        (np.array([-1, -1]), "no position is asked for"),
        (np.array([0]), r"need a target of shape \(2,\), got \(1,\)"),
    ):
        with pytest.raises(ValueError, match=message):
            cross_entropy(y, target)
    with pytest.raises(TypeError, match="class numbers are integers"):
        cross_entropy(y, np.zeros(2))


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
    assert {
        a.dtype for a in (params["a"], grads["a"], optimizer.memory["m"]["a"], optimizer.memory["v"]["a"])
    } == {np.dtype("float32")}


def test_a_gradient_too_long_for_float32_is_clipped():
    clipped, norm = clip_by_norm({"a": np.full(4, 1e30, np.float32)}, 1.0)
    assert norm == pytest.approx(2e30)
    np.testing.assert_allclose(clipped["a"], 0.5, rtol=1e-6)


@given(st.lists(hnp.arrays(np.float64, (2, 3), elements=numbers), min_size=1, max_size=6), st.floats(0, 0.99))
def test_sgd_and_rmsprop_follow_their_definitions(grads, rho):
    a, b = np.ones((2, 3)), np.ones((2, 3))
    sgd, rmsprop = SGD({"a": a}, 0.1, momentum=rho), RMSprop({"b": b}, 0.1, rho=rho)
    expected_a, expected_b = np.ones((2, 3)), np.ones((2, 3))
    for t, g in enumerate(grads):
        sgd.step({"a": g})
        rmsprop.step({"b": g})
        expected_a -= 0.1 * sum(rho ** (t - i) * grads[i] for i in range(t + 1))
        v = sum((1 - rho) * rho ** (t - i) * grads[i] ** 2 for i in range(t + 1))
        expected_b -= 0.1 * g / (np.sqrt(v) + 1e-8)
    np.testing.assert_allclose(a, expected_a, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(b, expected_b, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", ["sgd", "rmsprop", "adam"])
@given(seed=st.integers(0, 99), lr=st.floats(1e-4, 0.5), decay=st.floats(0, 0.5))
def test_optimizers_equal_those_of_pytorch(name, seed, lr, decay):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(seed)
    params = {"a": rng.standard_normal((3, 2)), "b": rng.standard_normal(4)}
    twins = {key: torch.tensor(p.copy(), requires_grad=True) for key, p in params.items()}
    pairs = {
        "sgd": (SGD(params, lr, 0.7), torch.optim.SGD(twins.values(), lr, 0.7)),
        "rmsprop": (RMSprop(params, lr), torch.optim.RMSprop(twins.values(), lr)),
        "adam": (
            Adam(params, lr, weight_decay=decay),
            torch.optim.AdamW(twins.values(), lr, weight_decay=decay),
        ),
    }
    ours, theirs = pairs[name]
    for _ in range(5):
        grads = {key: rng.standard_normal(p.shape) for key, p in params.items()}
        for key, twin in twins.items():
            twin.grad = torch.tensor(grads[key])
        ours.step(grads)
        theirs.step()
    for key, p in params.items():
        np.testing.assert_allclose(p, twins[key].detach().numpy(), rtol=1e-9, atol=1e-12)


def test_weight_decay_spares_the_state_space():
    network = SequenceModel("mamba", 1, 4, 1, rng=0, d_state=2)
    before = {name: p.copy() for name, p in network.params.items()}
    Adam(network.params, lr=0.1, weight_decay=0.5).step(
        {name: np.zeros_like(p) for name, p in network.params.items()}
    )
    for name, p in network.params.items():
        spared = name.endswith(("A_log", "skip"))
        np.testing.assert_allclose(p, before[name] * (1 if spared else 0.95), rtol=1e-6, err_msg=name)
    assert sum(name.endswith(("A_log", "skip")) for name in before) == 2


def test_optimizers_refuse_bad_settings():
    params = {"a": np.zeros(2)}
    for make, settings, message in (
        (SGD, {"momentum": 1}, "momentum must be at least 0 and below 1"),
        (SGD, {"lr": 0}, "lr must be above 0"),
        (RMSprop, {"rho": -0.1}, "rho must be at least 0"),
        (RMSprop, {"eps": 0}, "eps must be above 0"),
        (Adam, {"weight_decay": -1}, "weight_decay must be at least 0"),
        (Adam, {"weight_decay": np.nan}, "weight_decay must be at least 0"),
    ):
        with pytest.raises(ValueError, match=message):
            make(params, **settings)
    for name, make in OPTIMIZERS.items():
        again = make(params, **make(params, lr=0.5).settings)
        assert again.settings == make(params, lr=0.5).settings, name


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


@pytest.mark.parametrize("loss", ["mse", "mae", mse])
@pytest.mark.parametrize(("optimizer", "lr"), [("adam", 1e-2), ("rmsprop", 3e-3), ("sgd", 3e-2)])
def test_fit_learns_with_every_loss_and_optimizer(loss, optimizer, lr):
    network, validation = model(), task(64, seed=1)
    settings = {"loss": loss, "optimizer": optimizer, "lr": lr, "epochs": 20, "progress": False}
    history = fit(network, task(256), validation, **settings)
    errors = predict(network, validation[0]) - validation[1]
    assert np.mean(errors**2) < 0.1 * np.mean(validation[1] ** 2)
    assert min(history.validation_loss) == history.validation_loss[history.best_epoch - 1]


def test_fit_names_what_it_does_not_know():
    with pytest.raises(ValueError, match="unknown loss 'hinge': choose one of mse, mae, cross_entropy"):
        fit(model(), task(), task(), loss="hinge")
    with pytest.raises(ValueError, match="unknown optimizer 'adan': choose one of sgd, rmsprop, adam"):
        fit(model(), task(), task(), optimizer="adan")
    with pytest.raises(ValueError, match="the optimizer belongs to another model"):
        fit(model(), task(), task(), optimizer=Adam(model().params))


def test_fit_takes_an_optimizer_of_its_own():
    network, twin = model(), model()
    fit(network, task(), task(seed=1), optimizer=SGD(network.params, 0.02, 0.5), epochs=2, progress=False)
    optimizer = SGD(twin.params, 0.02, 0.5)
    rng = np.random.default_rng(0)
    x, y = task()
    for _ in range(2):
        order = rng.permutation(64)
        for batch in (order[:32], order[32:]):
            twin.backward(mse(twin.forward(x[batch])[0], y[batch])[1])
            optimizer.step(clip_by_norm(twin.grads, 1.0)[0])
    for name, p in twin.params.items():
        np.testing.assert_array_equal(network.params[name], p)


def test_fit_learns_from_batches_made_on_the_way():
    seen = []

    def batches(rng):
        for _ in range(5):
            x = rng.standard_normal((16, 6, 1)).astype(np.float32)
            seen.append(x)
            yield x, x.mean(axis=1)

    network = model()
    history = fit(network, batches, task(seed=1), epochs=10, lr=1e-2, progress=False)
    assert len(seen) == 50
    assert len({x.tobytes() for x in seen}) == 50
    assert history.validation_loss[-1] < 0.5 * history.validation_loss[0]


def test_fit_ends_when_after_epoch_says_so():
    epochs = []
    history = fit(
        model(),
        task(),
        task(seed=1),
        epochs=9,
        progress=False,
        after_epoch=lambda training: epochs.append(len(training.history.train_loss)) or len(epochs) == 3,
    )
    assert epochs == [1, 2, 3]
    assert len(history.train_loss) == 3


def stream_task(n=8, T=12, seed=0):
    """At each step, the mean of the last two inputs."""
    x = np.random.default_rng(seed).standard_normal((n, T, 1)).astype(np.float32)
    return x, (x + np.roll(x, 1, axis=1)) / 2


@pytest.mark.parametrize("kind", KINDS)
def test_truncated_backpropagation_carries_the_state(kind):
    """Stretches of 5, 5 and 2 steps: the gradient stops between them, the state does not."""

    def make():
        return SequenceModel(kind, 1, 4, 1, readout="every", rng=0)

    network, twin = make(), make()
    x, y = stream_task()
    rng = np.random.default_rng(3)
    fit(network, (x, y), (x, y), truncate=5, epochs=1, batch_size=8, rng=3, progress=False)
    order, state, optimizer = rng.permutation(8), None, Adam(twin.params, 1e-3)
    for part in (slice(0, 5), slice(5, 10), slice(10, 12)):
        output, state = twin.forward(x[order, part], state=state)
        twin.backward(mse(output, y[order, part])[1])
        optimizer.step(clip_by_norm(twin.grads, 1.0)[0])
    assert optimizer.t == 3
    for name, p in twin.params.items():
        np.testing.assert_array_equal(network.params[name], p)


def test_truncated_backpropagation_learns():
    network = SequenceModel("gru", 1, 8, 1, readout="every", rng=0)
    history = fit(
        network, stream_task(64, 40), stream_task(16, 40, 1), truncate=8, epochs=10, lr=1e-2, progress=False
    )
    assert history.validation_loss[-1] < 0.2 * history.validation_loss[0]
    with pytest.raises(ValueError, match="truncate needs a model that answers at every step"):
        fit(model(), task(), task(), truncate=2)
    with pytest.raises(ValueError, match="truncate must be at least 1, got 0"):
        fit(network, stream_task(), stream_task(), truncate=0)
    with pytest.raises(ValueError, match="there is no batch with answers"):
        fit(network, lambda rng: [], stream_task())


def test_stretches_without_a_question_carry_the_state_alone():
    x, y = synthetic.selective_copying(8, T=20, rng=0)
    network, twin = (SequenceModel("gru", 16, 4, 16, readout="every", rng=0) for _ in range(2))
    history = fit(
        network, (x, y), (x, y), loss="cross_entropy", truncate=8, epochs=1, batch_size=8, progress=False
    )
    order, state, optimizer, losses = (
        np.random.default_rng(0).permutation(8),
        None,
        Adam(twin.params, 1e-3),
        [],
    )
    for part in (slice(0, 8), slice(8, 16), slice(16, 24)):
        output, state = twin.forward(x[order, part], state=state)
        if part.start == 16:  # steps 20 to 23 are asked for
            loss, dy = cross_entropy(output, y[order, part])
            losses.append(loss)
            twin.backward(dy)
            optimizer.step(clip_by_norm(twin.grads, 1.0)[0])
    assert history.train_loss == pytest.approx(losses)
    for name, p in twin.params.items():
        np.testing.assert_array_equal(network.params[name], p)
    nothing = np.full_like(y, -1)
    with pytest.raises(ValueError, match="there is no batch with answers"):
        fit(network, (x, nothing), (x, y), loss="cross_entropy", truncate=8, progress=False)


def test_online_learning_takes_the_latest_answers():
    x, y = task(9)
    network, twin = model(), model()
    learnt = online(network, x, y, lr=1e-2, batch_size=3, progress=False)
    optimizer, expected = Adam(twin.params, 1e-2), []
    for i in range(9):
        expected.append(twin.forward(x[i : i + 1])[0][0])
        seen = slice(max(i - 2, 0), i + 1)
        twin.backward(mse(twin.forward(x[seen])[0], y[seen])[1])
        optimizer.step(clip_by_norm(twin.grads, 1.0)[0])
    np.testing.assert_array_equal(learnt, expected)
    with pytest.raises(ValueError, match="the optimizer belongs to another model"):
        online(network, x, y, optimizer=optimizer)


def test_online_learning_forecasts_before_it_sees():
    x, y = task(40)
    changed = y.copy()
    changed[20:] = 5
    runs = [online(model(), x, answers, lr=1e-2, progress=False) for answers in (y, changed)]
    np.testing.assert_array_equal(runs[0][:21], runs[1][:21])  # forecast 20 was made before answer 20
    assert (runs[0][21:] != runs[1][21:]).all()
    np.testing.assert_array_equal(runs[0][0], model().forward(x[:1])[0][0])


def test_online_learning_follows_a_world_that_changes():
    x, y = task(300)
    y[150:] += 3
    network = model()
    fit(network, (x[:100], y[:100]), (x[100:120], y[100:120]), epochs=5, lr=1e-2, progress=False)
    still = predict(network, x)
    learnt = online(network, x, y, lr=1e-2, batch_size=8, progress=False)
    assert np.abs(learnt - y)[-50:].mean() < 0.3 * np.abs(still - y)[-50:].mean()


def test_online_learning_refuses_what_it_cannot_use():
    x, y = task(5)
    with pytest.raises(ValueError, match="an answer for each window, got 4 for 5"):
        online(model(), x, y[:4])
    with pytest.raises(ValueError, match="batch_size must be at least 1"):
        online(model(), x, y, batch_size=0)
    y[2] = np.nan
    with pytest.raises(FloatingPointError, match="the loss is nan in step 3: try a smaller"):
        online(model(), x, y, progress=False)


def test_fit_names_the_step_of_an_infinite_gradient():
    def explode(output, y):
        return 1.0, np.full_like(output, np.inf)

    with pytest.raises(FloatingPointError, match=r"the gradient's norm is (inf|nan) in epoch 1, step 1: try"):
        fit(model(), task(), task(), loss=explode, progress=False)


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


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop", "sgd"])
@pytest.mark.parametrize("stop", [1, 3, 4])
def test_a_resumed_training_ends_bit_for_bit_like_the_uninterrupted(tmp_path, optimizer, stop):
    settings = {
        "epochs": 6,
        "batch_size": 10,
        "patience": 3,
        "lr": 0.02,
        "optimizer": optimizer,
        "progress": False,
    }
    whole = model()
    expected = fit(whole, task(), task(seed=1), rng=7, **settings)

    path = tmp_path / "last.safetensors"
    stopped = model()

    def keep(training):
        checkpoint.save_training(path, stopped, training, note="here")
        return len(training.history.train_loss) == stop

    fit(stopped, task(), task(seed=1), rng=7, after_epoch=keep, **settings)
    resumed, training, extra = checkpoint.load_training(path)
    assert extra == {"note": "here"}
    assert len(training.history.train_loss) == stop
    history = fit(resumed, task(), task(seed=1), training=training, **settings)
    assert history == expected
    for name, p in whole.params.items():
        np.testing.assert_array_equal(resumed.params[name], p)


def test_a_finished_training_does_not_go_on(tmp_path):
    path = tmp_path / "last.safetensors"
    x, y = task()
    noise = np.random.default_rng(2).standard_normal(y.shape).astype(np.float32)
    network = model()
    settings = {"epochs": 200, "lr": 0.05, "patience": 3, "progress": False}
    history = fit(
        network,
        (x, y),
        (x, noise),
        after_epoch=lambda t: checkpoint.save_training(path, network, t),
        **settings,
    )
    resumed, training, _ = checkpoint.load_training(path)
    assert fit(resumed, (x, y), (x, noise), training=training, **settings) == history
    for name, p in network.params.items():
        np.testing.assert_array_equal(resumed.params[name], p)


def test_damaged_trainings_are_told_apart(tmp_path):
    path = tmp_path / "last.safetensors"
    network = model()
    training = Training(Adam(network.params), np.random.default_rng(0))
    training.best = {name: p.copy() for name, p in network.params.items()}
    checkpoint.save_training(path, network, training)
    whole = path.read_bytes()
    with pytest.raises(ValueError, match="holds a training to resume, not a model"):
        checkpoint.load(path)
    for damage in (b"", whole[:100], whole[:-5]):
        path.write_bytes(damage)
        with pytest.raises(ValueError, match="damaged, or was not written by rnnlib"):
            checkpoint.load_training(path)
    checkpoint.save(path, network)
    with pytest.raises(
        ValueError, match="was not written by rnnlib for this: it lacks history and optimizer and rng"
    ):
        checkpoint.load_training(path)
    for name, damage in (("kind", "adan"), ("lr", -1), ("colour", "red")):
        del training.optimizer  # made anew, and its description damaged
        training.optimizer = Adam(network.params)
        checkpoint.save_training(path, network, training)
        text = path.read_bytes()
        header = int.from_bytes(text[:8], "little")
        meta = json.loads(text[8 : 8 + header])
        description = json.loads(meta["__metadata__"]["rnnlib"])
        description["optimizer"][name] = damage
        meta["__metadata__"]["rnnlib"] = json.dumps(description)
        new = json.dumps(meta).encode()
        path.write_bytes(len(new).to_bytes(8, "little") + new + text[8 + header :])
        with pytest.raises(ValueError, match="is damaged, or was not written by rnnlib"):
            checkpoint.load_training(path)


def test_what_a_killed_process_left_is_removed(tmp_path):
    path = tmp_path / "model.safetensors"
    gone, alive = (tmp_path / f".model.safetensors.{pid}.tmp" for pid in (2**22 + 7, os.getppid()))
    (tmp_path / ".model.safetensors.mine.tmp").touch()  # not ours
    gone.touch()
    alive.touch()
    checkpoint.save(path, model())
    assert sorted(os.listdir(tmp_path)) == sorted([path.name, alive.name, ".model.safetensors.mine.tmp"])
