"""Truncated backpropagation through time."""

import numpy as np
import pytest

from rnnlib import SequenceModel
from rnnlib.data import synthetic
from rnnlib.tests.models.cases import KINDS
from rnnlib.tests.training.cases import model, task
from rnnlib.training.fit import fit
from rnnlib.training.losses import cross_entropy, mse
from rnnlib.training.optimizers import Adam, clip_by_norm


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
