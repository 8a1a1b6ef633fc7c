"""Weights of other libraries that are refused, and what the error says."""

import numpy as np
import pytest

from rnnlib import Linear, Mamba, MinGRU
from rnnlib.interop.torch_weights import from_torch, to_torch
from rnnlib.tests.interop.cases import all_kinds, error, make, need

#: What can be wrong with a tensor: the damage, and what the error says.
DAMAGES = {
    "another axis": (lambda a: a[None], r"has shape \(1, .*expected"),
    "a row less": (lambda a: a[:-1], "has shape .*expected"),
    "empty": (lambda a: a[:0], "has shape .*expected"),
    "a number": (lambda a: a.reshape(-1)[0], r"has shape \(\), expected"),
    "NaN": (lambda a: np.where(np.arange(a.size).reshape(a.shape) == 0, np.nan, a), "holds NaN or infinity"),
    "infinity": (lambda a: np.full_like(a, -np.inf), "holds NaN or infinity"),
    "a mask": (lambda a: np.ma.array(a, mask=np.isnan(a)), "has a mask, expected plain numbers"),
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
        for others in (rest, {**rest, f"my_{name}": arrays[name]}):
            message = error(kind, others)
            assert message.startswith(f"tensor {name} is missing; there is ")
            assert next(iter(others)) in message
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
    for dtype in (torch.int32, torch.float8_e4m3fn, torch.complex64):
        short = str(dtype).removeprefix("torch.")
        message = error("lstm", {**arrays, "weight_hh_l0": arrays["weight_hh_l0"].to(dtype)})
        assert message == f"tensor weight_hh_l0 is {short}, expected float32 or float64, or half precision"
    for dtype in (torch.bfloat16, torch.float16):
        message = error("lstm", {**arrays, "bias_hh_l0": arrays["bias_hh_l0"].to(dtype)})
        short = str(dtype).removeprefix("torch.")
        assert message == f"tensor bias_hh_l0 is {short}, expected float64, like weight_hh_l0"


#: Names as nets have them: what stands before those of the layer, and of what else.
NETS = {
    "a wrapped layer": ("module.", []),
    "a compiled layer": ("_orig_mod.", []),
    "both": ("_orig_mod.module.", []),
    "a whole net": ("encoder.lstm.", ["embedding.weight", "head.weight", "head.bias"]),
}


@all_kinds
@pytest.mark.parametrize("net", NETS)
def test_a_prefix_is_named_and_taken(kind, net):
    prefix, others = NETS[net]
    arrays = to_torch(make(kind))
    state = {prefix + name: a for name, a in arrays.items()} | {name: np.ones(3) for name in others}
    message = error(kind, state)
    assert f"is missing, but {prefix}" in message
    assert message.endswith(f" is there: choose with prefix={prefix!r}")
    layer = from_torch(kind, state, prefix=prefix)
    assert from_torch(kind, state, prefix=prefix.removesuffix(".")).params.keys() == layer.params.keys()
    for name, p in from_torch(kind, arrays).params.items():
        np.testing.assert_array_equal(layer.params[name], p)


def test_two_layers_of_a_net_are_both_named():
    arrays = to_torch(make("gru"))
    state = {f"{part}.{name}": a for part in ("encoder", "decoder") for name, a in arrays.items()}
    assert error("gru", state) == (
        "tensor weight_hh_l0 is missing, but encoder.weight_hh_l0, decoder.weight_hh_l0 is there: "
        "choose with prefix='encoder.', prefix='decoder.'"
    )
    state["decoder.weight_hh_l0"] = 2 * state["decoder.weight_hh_l0"]
    wide = from_torch("gru", state, prefix="decoder.")
    np.testing.assert_array_equal(wide.params["W_h"][0], 2 * make("gru").params["W_h"][0])
    with pytest.raises(ValueError, match=r"no tensor's name begins with 'coder\.'; there is encoder\.weight"):
        from_torch("gru", state, prefix="coder.")


@pytest.mark.parametrize("state", [{}, {"epoch": 3, "state_dict": {}}])
def test_a_file_of_something_else_names_what_is_there(state):
    message = error("lstm", state)
    assert message == f"tensor weight_hh_l0 is missing; there is {', '.join(state) or 'none'}"


@all_kinds
def test_half_precision_becomes_float32(kind):
    arrays = to_torch(make(kind))
    halves = {name: a.astype(np.float16) for name, a in arrays.items()}
    layer = from_torch(kind, halves)
    expected = from_torch(kind, {name: a.astype(np.float32) for name, a in halves.items()})
    assert layer.dtype == np.float32
    for name, p in expected.params.items():
        np.testing.assert_array_equal(layer.params[name], p)
    torch = need("torch")
    tensors = {name: torch.from_numpy(a).bfloat16() for name, a in arrays.items()}
    layer = from_torch(kind, tensors)
    expected = from_torch(kind, {name: a.float() for name, a in tensors.items()})
    assert layer.dtype == np.float32
    for name, p in expected.params.items():
        np.testing.assert_array_equal(layer.params[name], p)


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


@pytest.mark.parametrize("kind", ["min_gru", "mamba"])
def test_what_is_no_stack_has_layer_0_alone(kind):
    with pytest.raises(ValueError, match=f"layer must be 0 for {kind}"):
        from_torch(kind, to_torch(make(kind)), 1)


def test_misuse_is_told_in_a_line():
    for layer in (True, -1, 1.0, None):
        with pytest.raises(ValueError, match="layer must be a whole number from 0 on"):
            from_torch("lstm", to_torch(make("lstm")), layer)
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
