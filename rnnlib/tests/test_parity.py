"""The layers against other people's implementations."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlib import RNN

FIXTURES = Path(__file__).parent / "fixtures"


def load_torch(layer, weights, suffix):
    """Put nn.RNN's weights into a layer: torch maps with W x, the course with x W."""
    layer.params["W_x"][...] = weights[f"weight_ih_{suffix}"].T
    layer.params["W_h"][...] = weights[f"weight_hh_{suffix}"].T
    layer.params["b"][...] = weights[f"bias_ih_{suffix}"] + weights[f"bias_hh_{suffix}"]


def assert_equal_gradients(layer, grads, suffix):
    np.testing.assert_allclose(layer.grads["W_x"], grads[f"weight_ih_{suffix}"].T, rtol=0, atol=1e-12)
    np.testing.assert_allclose(layer.grads["W_h"], grads[f"weight_hh_{suffix}"].T, rtol=0, atol=1e-12)
    for bias in ("bias_ih", "bias_hh"):
        np.testing.assert_allclose(layer.grads["b"], grads[f"{bias}_{suffix}"], rtol=0, atol=1e-12)


def test_two_stacked_layers_equal_stored_pytorch_results():
    with np.load(FIXTURES / "rnn.npz") as file:
        stored = dict(file)
    weights = {name[2:]: a for name, a in stored.items() if name.startswith("w.")}
    grads = {name[2:]: a for name, a in stored.items() if name.startswith("g.")}
    H, D = weights["weight_ih_l0"].shape
    layers = [RNN(D, H, dtype=np.float64), RNN(H, H, dtype=np.float64)]
    y, last = stored["x"], []
    for i, layer in enumerate(layers):
        load_torch(layer, weights, f"l{i}")
        y, state = layer.forward(y)
        last.append(state)
    np.testing.assert_allclose(y, stored["y"], rtol=0, atol=1e-12)
    np.testing.assert_allclose(last, stored["h_n"], rtol=0, atol=1e-12)
    dy = stored["G"]
    for i in (1, 0):
        dy, _ = layers[i].backward(dy)
        assert_equal_gradients(layers[i], grads, f"l{i}")
    np.testing.assert_allclose(dy, stored["dx"], rtol=0, atol=1e-12)


@given(
    B=st.integers(1, 4),
    T=st.integers(1, 9),
    D=st.integers(1, 4),
    H=st.integers(1, 6),
    seed=st.integers(0, 999),
)
def test_any_shape_equals_pytorch(B, T, D, H, seed):
    torch = pytest.importorskip("torch", reason="torch is not installed: pip install torch")
    torch.manual_seed(seed)
    peer = torch.nn.RNN(D, H, batch_first=True, dtype=torch.float64)
    x = torch.randn(B, T, D, dtype=torch.float64, requires_grad=True)
    h0 = torch.randn(1, B, H, dtype=torch.float64, requires_grad=True)
    y, last = peer(x, h0)
    G, S = torch.randn_like(y), torch.randn_like(last)
    ((y * G).sum() + (last * S).sum()).backward()

    layer = RNN(D, H, dtype=np.float64)
    load_torch(layer, {name: p.detach().numpy() for name, p in peer.named_parameters()}, "l0")
    ours, state = layer.forward(x.detach().numpy(), h0[0].detach().numpy())
    dx, dstate = layer.backward(G.numpy(), S[0].numpy())
    np.testing.assert_allclose(ours, y.detach().numpy(), rtol=0, atol=1e-12)
    np.testing.assert_allclose(state, last[0].detach().numpy(), rtol=0, atol=1e-12)
    np.testing.assert_allclose(dx, x.grad.numpy(), rtol=0, atol=1e-11)
    np.testing.assert_allclose(dstate, h0.grad[0].numpy(), rtol=0, atol=1e-11)
    assert_equal_gradients(layer, {name: p.grad.numpy() for name, p in peer.named_parameters()}, "l0")
