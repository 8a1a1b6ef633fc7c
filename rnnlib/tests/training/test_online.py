"""Learning while walking forward."""

import numpy as np
import pytest

from rnnlib.tests.training.cases import model, task
from rnnlib.training.fit import fit, online, predict
from rnnlib.training.losses import mse
from rnnlib.training.optimizers import Adam, clip_by_norm


def test_online_learning_takes_the_latest_answers():
    x, y = task(9)
    network, twin = model(), model()
    learnt = online(network, x, y, lr=1e-2, batch_size=3, progress=False)
    optimizer, expected = Adam(twin.params, 1e-2), []
    for i in range(9):
        expected.append(twin.forward(x[i : i + 1])[0][0])
        latest = slice(max(i - 2, 0), i + 1)
        twin.backward(mse(twin.forward(x[latest])[0], y[latest])[1])
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
