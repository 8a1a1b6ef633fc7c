"""Weights from and to PyTorch, minGRU-pytorch and transformers' Mamba mixer."""

import copy
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlib import GRU, LSTM, RNN, Linear, Mamba, MinGRU
from rnnlib.interop.torch_weights import from_torch, to_torch

FIXTURES = Path(__file__).parents[1] / "fixtures"
RECURRENT = ["rnn", "lstm", "gru"]
KINDS = [*RECURRENT, "min_gru", "mamba"]
sizes = st.integers(1, 5)
seeds = st.integers(0, 2**32 - 1)
recurrent = pytest.mark.parametrize("kind", RECURRENT)
all_kinds = pytest.mark.parametrize("kind", KINDS)


def need(name):
    return pytest.importorskip(name, reason=f"{name} is not installed: pip install {name}")


def make(kind, D=3, H=4, seed=0, dtype=np.float64):
    """A layer with every parameter random."""
    rng = np.random.default_rng(seed)
    layer = {
        "rnn": lambda: RNN(D, H, dtype=dtype),
        "lstm": lambda: LSTM(D, H, dtype=dtype),
        "gru": lambda: GRU(D, H, dtype=dtype),
        "min_gru": lambda: MinGRU(D, H, mode="log", dtype=dtype),
        "mamba": lambda: Mamba(D, d_state=H, d_conv=1 + H % 4, expand=1 + H % 2, dt_rank=2, dtype=dtype),
    }[kind]()
    for p in layer.params.values():
        p[...] = 0.5 * rng.standard_normal(p.shape)
    return layer


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


def assert_close(got, expected, tolerance=1e-12):
    np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance)


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


def error(kind, arrays, layer=0):
    with pytest.raises(ValueError, match=r"tensor") as caught:
        from_torch(kind, arrays, layer)
    assert "\n" not in str(caught.value)
    return str(caught.value)


#: What can be wrong with a tensor: the damage, and what the error says.
DAMAGES = {
    "another axis": (lambda a: a[None], r"has shape \(1, .*expected"),
    "a row less": (lambda a: a[:-1], "has shape .*expected"),
    "empty": (lambda a: a[:0], "has shape .*expected"),
    "a number": (lambda a: a.reshape(-1)[0], r"has shape \(\), expected"),
    "NaN": (lambda a: np.where(np.arange(a.size).reshape(a.shape) == 0, np.nan, a), "holds NaN or infinity"),
    "infinity": (lambda a: np.full_like(a, -np.inf), "holds NaN or infinity"),
    "half": (lambda a: a.astype(np.float16), "is float16, expected float32 or float64"),
    "integers": (lambda a: a.astype(int), "is int64, expected float32 or float64"),
    "objects": (lambda a: a.astype(object), "is object, expected float32 or float64"),
    "complex": (lambda a: a.astype(complex), "is complex128, expected float32 or float64"),
    "a list": (lambda a: a.tolist(), "is (list|float), expected float32 or float64"),
    "None": (lambda a: None, "is NoneType, expected float32 or float64"),
}


@all_kinds
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_tensor_is_named(kind, damage):
    spoil, expected = DAMAGES[damage]
    arrays = to_torch(make(kind, D=3, H=5))
    for name in arrays:
        with pytest.raises(ValueError, match=f"^tensor {name} {expected}"):
            from_torch(kind, {**arrays, name: spoil(arrays[name])})


@all_kinds
def test_missing_and_unexpected_tensors_are_named(kind):
    arrays = to_torch(make(kind))
    for name in arrays.keys() - {"conv1d.bias", "to_hidden_and_gate.bias"}:
        rest = {n: a for n, a in arrays.items() if n != name}
        assert error(kind, rest) == f"tensor {name} is missing"
        assert error(kind, {**rest, f"my_{name}": arrays[name]}) == f"tensor {name} is missing"
    name = "my_bias_ih_l0"
    assert f"tensor {name} is unexpected" in error(kind, {**arrays, name: np.zeros(3)})


@all_kinds
def test_mixed_dtypes_are_refused(kind):
    arrays = to_torch(make(kind))
    for name in list(arrays)[1:]:
        message = error(kind, {**arrays, name: arrays[name].astype(np.float32)})
        assert name in message
        assert "float32" in message
        assert "float64" in message


def test_tensors_of_another_dtype_or_device_are_refused():
    torch = need("torch")
    arrays = {name: torch.from_numpy(a) for name, a in to_torch(make("lstm")).items()}
    for dtype in (torch.bfloat16, torch.float16, torch.int32):
        short = str(dtype).removeprefix("torch.")
        message = error("lstm", {**arrays, "weight_hh_l0": arrays["weight_hh_l0"].to(dtype)})
        assert message == f"tensor weight_hh_l0 is {short}, expected float32 or float64"


@pytest.mark.parametrize(
    ("kind", "name", "says"),
    [
        ("rnn", "weight_ih_l0_reverse", "bidirectional"),
        ("gru", "bias_hh_l0_reverse", "bidirectional"),
        ("lstm", "weight_hr_l0", "proj_size"),
        ("min_gru", "to_out.weight", "expansion_factor"),
        ("mamba", "in_proj.bias", "use_bias"),
        ("mamba", "out_proj.bias", "use_bias"),
    ],
)
def test_what_rnnlib_does_not_have_is_refused(kind, name, says):
    message = error(kind, {**to_torch(make(kind)), name: np.zeros(3)})
    assert message.startswith(f"tensor {name} belongs to ")
    assert says in message


def test_a_bidirectional_or_projected_pytorch_layer_is_refused():
    torch = need("torch")
    for k in (0, 1):
        peer = torch.nn.LSTM(3, 4, 2, bidirectional=True)
        assert "bidirectional" in error("lstm", peer.state_dict(), k)
        peer = torch.nn.LSTM(3, 4, 2, proj_size=2)
        assert "proj_size" in error("lstm", peer.state_dict(), k)


@recurrent
def test_the_layer_of_a_stack_is_chosen_by_its_number(kind):
    arrays = {}
    for k in (0, 1, 11):
        layer = to_torch(make(kind, D=3 + k, seed=k))
        arrays |= {name.replace("_l0", f"_l{k}"): a for name, a in layer.items()}
    for k in (0, 1, 11):
        assert from_torch(kind, arrays, k).input_size == 3 + k
        assert from_torch(kind, arrays, np.int64(k)).input_size == 3 + k
    assert error(kind, arrays, 2) == "tensor weight_hh_l2 is missing"
    arrays["weight_ih_l1"][0, 0] = np.nan  # another layer's trouble
    from_torch(kind, arrays, 0)
    for k in (-1, 1.0, "0", None):
        with pytest.raises(ValueError, match="layer must be a whole number from 0 on"):
            from_torch(kind, arrays, k)


@pytest.mark.parametrize("kind", ["min_gru", "mamba"])
def test_what_is_no_stack_has_layer_0_alone(kind):
    with pytest.raises(ValueError, match=f"layer must be 0 for {kind}"):
        from_torch(kind, to_torch(make(kind)), 1)


def test_misuse_is_told_in_a_line():
    with pytest.raises(ValueError, match="unknown kind 'LSTM': choose one of rnn, lstm, gru, min_gru, mamba"):
        from_torch("LSTM", {})
    for arrays in ([], None, np.zeros(3)):
        with pytest.raises(TypeError, match="arrays must map names to arrays, as state_dict"):
            from_torch("lstm", arrays)
    for layer in (Linear(2, 3), None, np.zeros(3)):
        with pytest.raises(TypeError, match=r"to_torch takes a layer of rnnlib, .* or Mamba, got"):
            to_torch(layer)
    with pytest.raises(ValueError, match=r'minGRU-pytorch has no .* of mode "vanilla"'):
        to_torch(MinGRU(2, 3))


def test_channels_that_are_no_multiple_of_the_width_are_refused():
    arrays = to_torch(Mamba(3, expand=1))
    arrays["in_proj.weight"] = np.zeros((6, 2), np.float32)
    arrays["out_proj.weight"] = np.zeros((2, 3), np.float32)
    assert "in_proj.weight" in error("mamba", arrays)
