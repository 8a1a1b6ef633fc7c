"""The training loop."""

import numpy as np
import pytest

from rnnlib import SequenceModel
from rnnlib.tests.training.cases import model, task
from rnnlib.training.fit import fit, predict
from rnnlib.training.losses import mse
from rnnlib.training.optimizers import SGD, Adam, clip_by_norm, global_norm


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
