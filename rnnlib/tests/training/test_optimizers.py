"""Optimizers and gradient clipping."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rnnlib import SequenceModel
from rnnlib.tests.training.cases import arrays, numbers
from rnnlib.training.optimizers import OPTIMIZERS, SGD, Adam, RMSprop, clip_by_norm, global_norm

gradients = st.dictionaries(st.sampled_from("abc"), arrays, min_size=1)


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
    for max_norm in (0, -1, float("nan"), True):
        with pytest.raises(ValueError, match="max_norm must be above 0"):
            clip_by_norm({"a": np.ones(2)}, max_norm)
    for lr in (0, -1, float("nan"), float("inf"), True):
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
        (SGD, {"lr": "0.1"}, "lr must be above 0 and finite, got '0.1'"),
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
