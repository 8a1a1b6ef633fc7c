"""Letters and shapes: each convention of the page holds, and what it says of a package is that package's."""

import re
from pathlib import Path

import numpy as np
import pytest

from rnnlib.tests.start_pages import run_page, text
from rnnlib.training.losses import cross_entropy
from rnnlib.training.optimizers import SGD, Adam, RMSprop, clip_by_norm

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture(scope="module")
def notation():
    """The names of the page, once all its rows have been computed."""
    with pytest.MonkeyPatch.context() as patch:
        yield run_page("notation", patch)


def test_each_convention_is_computed_there_and_back(notation):
    assert set(re.findall(r'^table\("(.+)"\)', text("notation"), re.MULTILINE)) == notation["TABLES"].keys()
    rows = [row for table in notation["TABLES"].values() for row in table]
    assert len(rows) >= 25
    assert text("notation").count("converted=") == len(rows)
    for wrong in ({"converted": 1e-9, "forgotten": 1.0}, {"converted": 0.0, "forgotten": 0.0}):
        with pytest.raises(AssertionError):
            notation["convention"]("arrays", "a", "b", "c", "d", **wrong)


def fixture(name):
    arrays = dict(np.load(FIXTURES / f"{name}.npz"))
    return {key.removeprefix("w."): a for key, a in arrays.items() if key.startswith("w.")}, arrays


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
def test_pytorchs_formulas_are_pytorchs(notation, kind):
    """Two layers that PyTorch ran, the second fed by the first."""
    weights, arrays = fixture(kind)
    y = arrays["x"]
    for k in (0, 1):
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        own = [weights[f"{name}_l{k}"] for name in names]
        if kind == "rnn":
            zeros = np.zeros((1, len(y), own[1].shape[1]))
            y = notation["torch_rnn"](y.swapaxes(0, 1), *own, zeros).swapaxes(0, 1)
        else:
            y = notation[f"torch_{kind}"](y, *own)
    np.testing.assert_allclose(y, arrays["y"], rtol=0, atol=1e-12)


def test_min_gru_and_mamba_are_those_of_their_packages(notation):
    weights, arrays = fixture("mingru_lucidrains")
    y = notation["lucidrains_min_gru"](arrays["x"], weights["to_hidden_and_gate.weight"])
    np.testing.assert_allclose(y, arrays["y"], rtol=0, atol=1e-12)
    weights, arrays = fixture("mamba_mixer_hf")
    y, _ = notation["mamba_mixer"](arrays["x"], weights)
    np.testing.assert_allclose(y, arrays["y"], rtol=0, atol=1e-12)


def test_losses_and_steps_are_pytorchs(notation):
    torch = pytest.importorskip("torch", reason="torch is not installed: pip install torch")
    rng = np.random.default_rng(0)
    logits, target = rng.normal(size=(3, 5, 7)), rng.integers(0, 5, (3, 7))
    target[0, :2] = -100
    expected = torch.nn.functional.cross_entropy(torch.tensor(logits), torch.tensor(target)).item()
    assert notation["torch_cross_entropy"](logits, target) == pytest.approx(expected, abs=1e-12)
    ours, _ = cross_entropy(logits.swapaxes(1, 2), np.where(target == -100, -1, target))
    assert ours == pytest.approx(expected, abs=1e-12)

    p, gradients = rng.normal(size=6), rng.normal(size=(20, 6))

    def theirs(optimizer, **settings):
        tensor = torch.tensor(p.copy(), requires_grad=True)
        optimizer = optimizer([tensor], **settings)
        for g in gradients:
            tensor.grad = torch.tensor(g)
            optimizer.step()
        return tensor.detach().numpy()

    def steps(optimizer, **settings):
        params = {"p": p.copy()}
        optimizer = optimizer(params, **settings)
        for g in gradients:
            optimizer.step({"p": g})
        return params["p"]

    optim, l2, close = torch.optim, notation["adam_l2"], {"rtol": 0, "atol": 1e-12}
    decay = {"lr": 0.01, "weight_decay": 0.1}
    np.testing.assert_allclose(l2(p, gradients, 0.1, 0.01), theirs(optim.Adam, **decay), **close)
    np.testing.assert_allclose(steps(Adam, **decay), theirs(optim.AdamW, **decay), **close)
    momentum = {"lr": 0.01, "momentum": 0.9}
    np.testing.assert_allclose(steps(SGD, **momentum), theirs(optim.SGD, **momentum), **close)
    np.testing.assert_allclose(steps(RMSprop, lr=0.001), theirs(optim.RMSprop, lr=0.001), **close)
    tensor = torch.tensor(p, requires_grad=True)
    tensor.grad = torch.tensor(gradients[0])
    torch.nn.utils.clip_grad_norm_([tensor], 1.0)
    clipped, norm = clip_by_norm({"p": gradients[0]}, 1.0)
    np.testing.assert_allclose(tensor.grad.numpy() * (norm + 1e-6) / norm, clipped["p"], **close)
