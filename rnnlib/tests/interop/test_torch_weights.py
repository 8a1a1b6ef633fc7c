"""Weights from and to PyTorch, minGRU-pytorch and transformers' Mamba mixer."""

import copy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlib import GRU
from rnnlib.interop.torch_weights import from_torch, to_torch
from rnnlib.tests.interop.cases import (
    FIXTURES,
    all_kinds,
    assert_close,
    error,
    make,
    need,
    recurrent,
    seeds,
    sizes,
)


def stored(name):
    """A fixture's arrays, its weights and its gradients."""
    with np.load(FIXTURES / f"{name}.npz") as file:
        arrays = dict(file)
    return arrays, *({n[2:]: a for n, a in arrays.items() if n.startswith(f"{x}.")} for x in "wg")


def gradients(layer):
    """The layer's gradients under the other library's names."""
    twin = copy.deepcopy(layer)
    twin.params = layer.grads
    grads = to_torch(twin)
    if "bias_ih_l0" in grads:  # both biases have the same gradient, but for the GRU's candidate
        same = slice(0, 2 * layer.hidden_size if isinstance(layer, GRU) else None)
        grads["bias_hh_l0"][same] = grads["bias_ih_l0"][same]
    return grads


def of_layer(tensors, k):
    """A stack's tensors of layer k, as those of layer 0."""
    return {n.replace(f"_l{k}", "_l0"): a for n, a in tensors.items() if n.endswith(f"_l{k}")}


def assert_equal_gradients(layer, expected, tolerance=1e-12):
    ours = gradients(layer)
    assert expected
    for name, grad in expected.items():
        np.testing.assert_allclose(ours[name], grad, rtol=tolerance, atol=tolerance, err_msg=name)


@recurrent
def test_a_stored_stack_of_pytorch_gives_its_outputs_and_gradients(kind):
    arrays, weights, grads = stored(kind)
    layers = [from_torch(kind, weights, k) for k in (0, 1)]
    y, last = arrays["x"], []
    for layer in layers:
        y, state = layer.forward(y)
        last.append(state)
    assert_close(y, arrays["y"])
    if kind == "lstm":
        assert_close([h for h, _ in last], arrays["h_n"])
        assert_close([c for _, c in last], arrays["c_n"])
    else:
        assert_close(last, arrays["h_n"])
    dy = arrays["G"]
    for layer in reversed(layers):
        dy, _ = layer.backward(dy)
    assert_close(dy, arrays["dx"])
    for k, layer in enumerate(layers):
        assert_equal_gradients(layer, of_layer(grads, k))


@pytest.mark.parametrize(("kind", "name"), [("min_gru", "mingru_lucidrains"), ("mamba", "mamba_mixer_hf")])
def test_a_stored_layer_gives_its_outputs_and_gradients(kind, name):
    arrays, weights, grads = stored(name)
    layer = from_torch(kind, weights)
    y, _ = layer.forward(arrays["x"])
    assert_close(y, arrays["y"])
    dx, _ = layer.backward(arrays["G"])
    assert_close(dx, arrays["dx"])
    assert grads.keys() == weights.keys()
    assert_equal_gradients(layer, grads)


def torch_values(tensors):
    return {name: tensor.detach().numpy() for name, tensor in tensors}


@recurrent
@given(
    B=sizes, T=st.integers(1, 9), D=sizes, H=sizes, layers=st.integers(1, 3), bias=st.booleans(), seed=seeds
)
def test_any_stack_of_pytorch_gives_its_outputs_and_gradients(kind, B, T, D, H, layers, bias, seed):
    torch = need("torch")
    torch.manual_seed(seed)
    options = {"batch_first": True, "bias": bias, "dtype": torch.float64}
    peer = getattr(torch.nn, kind.upper())(D, H, layers, **options)
    x = torch.randn(B, T, D, dtype=torch.float64, requires_grad=True)
    first = [torch.randn(layers, B, H, dtype=torch.float64, requires_grad=True) for _ in range(2)]
    y, last = peer(x, tuple(first) if kind == "lstm" else first[0])
    G, S = torch.randn_like(y), torch.randn(2, layers, B, H, dtype=torch.float64)
    outputs = last if kind == "lstm" else [last]
    ((y * G).sum() + sum((s * S_k).sum() for s, S_k in zip(outputs, S, strict=False))).backward()

    def ours(pair, k):
        pair = [s[k].detach().numpy() for s in pair]
        return tuple(pair) if kind == "lstm" else pair[0]

    stack = [from_torch(kind, peer.state_dict(), k) for k in range(layers)]
    out = x.detach().numpy()
    for k, layer in enumerate(stack):
        out, state = layer.forward(out, ours(first, k))
        assert_close(state, ours(outputs, k), 1e-11)
    assert_close(out, y.detach().numpy(), 1e-11)
    dy = G.numpy()
    grads = torch_values((name, p.grad) for name, p in peer.named_parameters())
    for k, layer in reversed(list(enumerate(stack))):
        dy, dstate = layer.backward(dy, ours(S, k))
        for part, s in zip(dstate if kind == "lstm" else [dstate], first, strict=False):
            assert_close(part, s.grad[k].numpy(), 1e-10)
        assert_equal_gradients(layer, of_layer(grads, k), 1e-10)
    assert_close(dy, x.grad.numpy(), 1e-10)


@recurrent
@given(B=sizes, T=st.integers(1, 9), D=sizes, H=sizes, seed=seeds)
def test_pytorch_computes_the_same_with_our_weights(kind, B, T, D, H, seed):
    torch = need("torch")
    layer = make(kind, D, H, seed)
    peer = getattr(torch.nn, kind.upper())(D, H, batch_first=True, dtype=torch.float64)
    peer.load_state_dict({name: torch.from_numpy(a) for name, a in to_torch(layer).items()})
    x = np.random.default_rng(seed).standard_normal((B, T, D))
    y, _ = layer.forward(x)
    assert_close(peer(torch.from_numpy(x))[0].detach().numpy(), y)


@given(B=sizes, T=st.integers(1, 9), D=sizes, factor=st.integers(1, 3), seed=seeds)
def test_any_mingru_gives_its_outputs_and_gradients(B, T, D, factor, seed):
    torch, library = need("torch"), need("minGRU_pytorch")
    torch.manual_seed(seed)
    peer = library.minGRU(D, expansion_factor=factor, proj_out=False).double()
    x = torch.randn(B, T, D, dtype=torch.float64, requires_grad=True)
    h = torch.rand(B, 1, factor * D, dtype=torch.float64) + 0.1
    h.requires_grad_()
    y = peer(x, h)
    G = torch.randn_like(y)
    (y * G).sum().backward()

    layer = from_torch("min_gru", peer.state_dict())
    ours, _ = layer.forward(x.detach().numpy(), h[:, 0].detach().numpy())
    dx, dh = layer.backward(G.numpy())
    assert_close(ours, y.detach().numpy(), 1e-11)
    assert_close(dx, x.grad.numpy(), 1e-10)
    assert_close(dh, h.grad[:, 0].numpy(), 1e-10)
    assert_equal_gradients(layer, torch_values((n, p.grad) for n, p in peer.named_parameters()), 1e-10)
    peer.load_state_dict({name: torch.from_numpy(a) for name, a in to_torch(layer).items()})


@given(
    B=sizes,
    T=st.integers(1, 9),
    D=sizes,
    N=sizes,
    K=sizes,
    R=sizes,
    expand=st.integers(1, 3),
    conv_bias=st.booleans(),
    seed=seeds,
)
def test_any_mamba_mixer_gives_its_outputs_and_gradients(B, T, D, N, K, R, expand, conv_bias, seed):
    torch, transformers = need("torch"), need("transformers")
    from transformers.models.mamba.modeling_mamba import MambaMixer

    config = transformers.MambaConfig(
        hidden_size=D,
        state_size=N,
        conv_kernel=K,
        expand=expand,
        time_step_rank=R,
        use_conv_bias=conv_bias,
        num_hidden_layers=1,
    )
    torch.manual_seed(seed)
    peer = MambaMixer(config, layer_idx=0).double()
    with torch.no_grad():
        peer.A_log += torch.randn_like(peer.A_log)
        peer.D += torch.randn_like(peer.D)
    x = torch.randn(B, T, D, dtype=torch.float64, requires_grad=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.Tensor, "float", lambda tensor: tensor)  # stay in float64 throughout
        y = peer(x)
        G = torch.randn_like(y)
        (y * G).sum().backward()

    layer = from_torch("mamba", peer.state_dict())
    ours, _ = layer.forward(x.detach().numpy())
    dx, _ = layer.backward(G.numpy())
    assert_close(ours, y.detach().numpy(), 1e-11)
    assert_close(dx, x.grad.numpy(), 1e-10)
    assert_equal_gradients(layer, torch_values((n, p.grad) for n, p in peer.named_parameters()), 1e-10)


@all_kinds
@given(D=sizes, H=sizes, seed=seeds, dtype=st.sampled_from(["float32", "float64"]))
def test_out_and_in_again_gives_equal_outputs(kind, D, H, seed, dtype):
    layer = make(kind, D, H, seed, dtype)
    arrays = to_torch(layer)
    again = from_torch(kind, arrays)
    assert type(again) is type(layer)
    assert again.dtype == dtype
    x = np.random.default_rng(seed).standard_normal((2, 3, D))
    np.testing.assert_array_equal(again.forward(x)[0], layer.forward(x)[0])
    for name, a in arrays.items():
        assert a.dtype == dtype, name
        assert a.flags.c_contiguous, name
        assert a.flags.writeable, name
        assert not any(np.shares_memory(a, p) for p in [*layer.params.values(), *again.params.values()]), name


@all_kinds
def test_arrays_of_any_layout_and_tensors_that_need_gradients_are_read(kind):
    layer = make(kind)
    x = np.random.default_rng(0).standard_normal((2, 3, 3))
    y, _ = layer.forward(x)
    arrays = {name: np.asfortranarray(a) for name, a in to_torch(layer).items()}
    strided = {name: np.repeat(a, 2, axis=0)[::2] for name, a in arrays.items()}
    for a in strided.values():
        a.flags.writeable = False
    np.testing.assert_array_equal(from_torch(kind, arrays).forward(x)[0], y)
    np.testing.assert_array_equal(from_torch(kind, strided).forward(x)[0], y)
    torch = need("torch")
    tensors = {name: torch.from_numpy(a).requires_grad_() for name, a in to_torch(layer).items()}
    np.testing.assert_array_equal(from_torch(kind, tensors).forward(x)[0], y)


@recurrent
def test_biases_that_are_not_there_are_zero(kind):
    arrays = {name: a for name, a in to_torch(make(kind)).items() if "bias" not in name}
    layer = from_torch(kind, arrays)
    assert not any(layer.params[name].any() for name in layer.params if name.startswith("b"))


def test_a_mamba_without_convolution_bias_has_zeros():
    arrays = to_torch(make("mamba"))
    del arrays["conv1d.bias"]
    assert not from_torch("mamba", arrays).params["conv_b"].any()


def test_a_mingru_with_a_bias_keeps_it():
    layer = make("min_gru")
    assert to_torch(layer)["to_hidden_and_gate.bias"].tolist() == layer.params["b"].reshape(-1).tolist()
    layer.params["b"][...] = 0
    assert list(to_torch(layer)) == ["to_hidden_and_gate.weight"]


@recurrent
def test_the_layer_of_a_stack_is_chosen_by_its_number(kind):
    arrays = {}
    for k in (0, 1, 11):
        layer = to_torch(make(kind, D=3 + k, seed=k))
        arrays |= {name.replace("_l0", f"_l{k}"): a for name, a in layer.items()}
    for k in (0, 1, 11):
        assert from_torch(kind, arrays, k).input_size == 3 + k
        assert from_torch(kind, arrays, np.int64(k)).input_size == 3 + k
    assert error(kind, arrays, 2).startswith("tensor weight_hh_l2 is missing; there is weight_ih_l0, ")
    arrays["weight_ih_l1"][0, 0] = np.nan  # another layer's trouble
    from_torch(kind, arrays, 0)
    for k in (-1, 1.0, "0", None):
        with pytest.raises(ValueError, match="layer must be a whole number from 0 on"):
            from_torch(kind, arrays, k)
