"""Weights in and out: PyTorch's nn.RNN, nn.LSTM and nn.GRU, minGRU-pytorch, and Mamba's mixer.

Four things differ between those libraries and this one:

- they compute W x, and we x W: every matrix is transposed;
- they stack a layer's gates in the rows of one matrix, and we along a first axis; the LSTM's
  are i, f, g, o in PyTorch, and i, f, o, g here;
- PyTorch has two biases that add up, and we have one; only the GRU's candidate needs both;
- z of PyTorch's GRU is our 1 − z, and 1 − σ(a) = σ(−a): its weights change sign.
"""

import numpy as np

from rnnlib.interop.mixer import mixer_params, mixer_shapes, mixer_tensors
from rnnlib.interop.tensors import checked, filled, length, listed
from rnnlib.interop.torch_lstm import EXCHANGED, OptimizedLSTM
from rnnlib.models.gru import GRU
from rnnlib.models.lstm import LSTM
from rnnlib.models.mamba import Mamba
from rnnlib.models.min_gru import MinGRU
from rnnlib.models.rnn import RNN

#: PyTorch's layers: kind -> (class, how many gates are stacked in the rows of a matrix).
RECURRENT = {"rnn": (RNN, 1), "lstm": (LSTM, 4), "gru": (GRU, 3)}


def from_torch(kind, arrays, layer=0, prefix=""):
    """Build a layer from another library's weights.

    Args:
        kind: "rnn" (with tanh), "lstm" or "gru" of PyTorch, "min_gru" of minGRU-pytorch, which
            becomes a MinGRU of mode "log", or "mamba", the mixer as transformers names it.
        arrays: name -> NumPy array, or torch tensor; the names of that library's ``state_dict()``.
        layer: k, which layer of a stack to read: the tensors "…_lk". The others are left alone.
            It must be 0 for "min_gru" and "mamba".
        prefix: what stands before the tensors' names, in the ``state_dict()`` of a whole net such as
            "encoder.lstm.", or "module." of a wrapped one. Tensors of other names are left alone.

    Returns:
        A layer of the tensors' dtype, float32 or float64; of half precision float32. Biases that are
        not there are zero.

    Raises:
        TypeError: ``arrays`` does not map names to arrays.
        ValueError: the kind or the layer is none of these; or a tensor is missing, unexpected,
            not finite, or has another shape or dtype than it must: the message names it.

    Examples:
        >>> lstm = LSTM(3, 4, rng=0)
        >>> copy = from_torch("lstm", to_torch(lstm))
        >>> all((copy.params[name] == lstm.params[name]).all() for name in lstm.params)
        True
    """
    if kind not in (*RECURRENT, "min_gru", "mamba"):
        raise ValueError(f"unknown kind {kind!r}: choose one of {', '.join(RECURRENT)}, min_gru, mamba")
    if not hasattr(arrays, "items"):
        raise TypeError(f"arrays must map names to arrays, as state_dict() does, got {type(arrays).__name__}")
    if not isinstance(layer, int | np.integer) or isinstance(layer, bool) or layer < 0:
        raise ValueError(f"layer must be a whole number from 0 on, got {layer!r}")
    if prefix:
        prefix = prefix if prefix.endswith(".") else f"{prefix}."
        own = {name: array for name, array in arrays.items() if str(name).startswith(prefix)}
        if not own:
            raise ValueError(f"no tensor's name begins with {prefix!r}; there is {listed(arrays)}")
        arrays = {str(name).removeprefix(prefix): array for name, array in own.items()}
    if kind in RECURRENT:
        return _read_recurrent(kind, arrays, layer)
    if layer != 0:
        raise ValueError(f"layer must be 0 for {kind}, which is no stack, got {layer}")
    return _read_min_gru(arrays) if kind == "min_gru" else _read_mamba(arrays)


def to_torch(layer):
    """The weights of a layer under another library's names: the inverse of ``from_torch``.

    Args:
        layer: RNN, LSTM, OptimizedLSTM, GRU, MinGRU of mode "log", or Mamba.

    Returns:
        name -> new NumPy array, as in a stack's layer 0. Our one bias becomes bias_ih; bias_hh
        is zero. A MinGRU's bias is left out where it is zero, since minGRU-pytorch has none.

    Raises:
        TypeError: the layer is none of these.
        ValueError: a MinGRU of mode "vanilla".

    Examples:
        >>> {name: array.shape for name, array in to_torch(GRU(3, 4, rng=0)).items()}
        {'weight_ih_l0': (12, 3), 'weight_hh_l0': (12, 4), 'bias_ih_l0': (12,), 'bias_hh_l0': (12,)}
    """
    if isinstance(layer, RNN | LSTM | OptimizedLSTM | GRU):
        arrays = _write_recurrent(layer)
    elif isinstance(layer, MinGRU):
        if layer.mode != "log":
            raise ValueError('minGRU-pytorch has no model like a MinGRU of mode "vanilla", only mode "log"')
        arrays = {"to_hidden_and_gate.weight": _to_rows(layer.params["W_x"])}
        if layer.params["b"].any():
            arrays["to_hidden_and_gate.bias"] = layer.params["b"].reshape(-1)
    elif isinstance(layer, Mamba):
        arrays = mixer_tensors(layer.params)
    else:
        raise TypeError(
            f"to_torch takes a layer of rnnlib, RNN, LSTM, GRU, MinGRU or Mamba, got {type(layer)}"
        )
    return {name: np.array(array, order="C") for name, array in arrays.items()}


def _read_recurrent(kind, arrays, k):
    make, gates = RECURRENT[kind]
    endings = f"_l{k}", f"_l{k}_reverse"
    own = {name: array for name, array in arrays.items() if str(name).endswith(endings)} or arrays
    H = length(own, f"weight_hh_l{k}", axes=2, axis=1)
    D = length(own, f"weight_ih_l{k}", axes=2, axis=1)
    shapes = {f"weight_hh_l{k}": (gates * H, H), f"weight_ih_l{k}": (gates * H, D)}
    biases = f"bias_ih_l{k}", f"bias_hh_l{k}"
    if any(name in own for name in biases):
        shapes |= dict.fromkeys(biases, (gates * H,))
    W_h, W_x, *b = checked(own, shapes.items()).values()

    b_ih, b_hh = (_reorder(kind, bias.reshape(gates, H)) for bias in b or np.zeros((2, gates * H)))
    params = {"W_x": _reorder(kind, _to_gates(W_x, gates)), "W_h": _reorder(kind, _to_gates(W_h, gates))}
    params["b"] = b_ih + b_hh
    if kind == "gru":
        params["b"][2], params["b_h"] = b_ih[2], b_hh[2]
    if kind == "rnn":
        params = {name: a[0] for name, a in params.items()}  # no axis for a single gate
    return filled(make(D, H, rng=0, dtype=W_x.dtype), params)


def _write_recurrent(layer):
    kind = "rnn" if isinstance(layer, RNN) else "gru" if isinstance(layer, GRU) else "lstm"
    p = {name: a[None] if kind == "rnn" else a for name, a in layer.params.items()}
    b_hh = np.zeros_like(p["b"])
    if kind == "gru":
        b_hh[2] = p["b_h"]
    return {
        "weight_ih_l0": _to_rows(_reorder(kind, p["W_x"])),
        "weight_hh_l0": _to_rows(_reorder(kind, p["W_h"])),
        "bias_ih_l0": _reorder(kind, p["b"]).reshape(-1),
        "bias_hh_l0": b_hh.reshape(-1),
    }


def _read_min_gru(arrays):
    name = "to_hidden_and_gate.weight"
    H, D = length(arrays, name, axes=2, axis=0) // 2, length(arrays, name, axes=2, axis=1)
    shapes = {name: (2 * H, D)}
    if "to_hidden_and_gate.bias" in arrays:
        shapes["to_hidden_and_gate.bias"] = (2 * H,)
    W, *b = checked(arrays, shapes.items()).values()
    params = {"W_x": _to_gates(W, 2), "b": b[0].reshape(2, H) if b else np.zeros((2, H))}
    return filled(MinGRU(D, H, mode="log", rng=0, dtype=W.dtype), params)


def _read_mamba(arrays):
    D = length(arrays, "in_proj.weight", axes=2, axis=1)
    # Three tensors tell E: the middle one, so that an error names the tensor that differs.
    votes = [length(arrays, name, n, axis=0) for name, n in (("D", 1), ("A_log", 2), ("dt_proj.weight", 2))]
    E = sorted(votes)[1]
    N = length(arrays, "A_log", axes=2, axis=1)
    K = length(arrays, "conv1d.weight", axes=3, axis=2)
    R = length(arrays, "dt_proj.weight", axes=2, axis=1)
    tensors = checked(arrays, mixer_shapes(D, E, N, K, R, "conv1d.bias" in arrays).items())
    if E % D != 0:
        raise ValueError(f"tensor D has shape ({E},), expected a multiple of in_proj.weight's {D} columns")
    mixer = Mamba(D, d_state=N, d_conv=K, expand=E // D, dt_rank=R, rng=0, dtype=tensors["D"].dtype)
    return filled(mixer, mixer_params(tensors))


def _to_gates(W, gates):
    """Rows of several gates, (G H, D), to (G, D, H)."""
    return W.reshape(gates, -1, W.shape[1]).swapaxes(1, 2)


def _to_rows(W):
    """(G, D, H) to the rows of all gates, (G H, D)."""
    return W.swapaxes(1, 2).reshape(-1, W.shape[1])


def _reorder(kind, gates):
    """From PyTorch's gates (G, ...) to ours; the same leads back."""
    if kind == "lstm":
        return gates[EXCHANGED]  # i, f, g, o and i, f, o, g
    if kind == "gru":
        r, z, n = gates
        return np.stack([r, -z, n])
    return gates
