"""Layers, folders and errors, for the tests of other libraries' weights."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

import rnnlib
from rnnlib import GRU, LSTM, RNN, Mamba, MambaLM, MinGRU
from rnnlib.interop.torch_weights import from_torch

FIXTURES = Path(__file__).parents[1] / "fixtures"
TINY = Path(rnnlib.__file__).parent / "data" / "files" / "tiny_mamba"
RECURRENT = ["rnn", "lstm", "gru"]
KINDS = [*RECURRENT, "min_gru", "mamba"]
sizes = st.integers(1, 5)
seeds = st.integers(0, 2**32 - 1)
recurrent = pytest.mark.parametrize("kind", RECURRENT)
all_kinds = pytest.mark.parametrize("kind", KINDS)
CONFIG = json.loads((TINY / "config.json").read_text("utf-8"))


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


def assert_close(got, expected, tolerance=1e-12):
    np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance)


def error(kind, arrays, layer=0):
    with pytest.raises(ValueError, match=r"tensor") as caught:
        from_torch(kind, arrays, layer)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def folder(path, config=None, tensors=None, **changes):
    """A folder as transformers writes it: the stored model, unless told otherwise."""
    config = {**CONFIG, **changes} if config is None else config
    path.mkdir(exist_ok=True)
    (path / "config.json").write_text(config if isinstance(config, str) else json.dumps(config), "utf-8")
    if tensors is None:
        shutil.copy(TINY / "model.safetensors", path / "model.safetensors")
    else:
        save_file(tensors, path / "model.safetensors")
    return path


def stored_tensors():
    return load_file(TINY / "model.safetensors")


def refused(path, kind=ValueError):
    """The one line that reading the folder ends with."""
    with pytest.raises(kind) as caught:
        MambaLM.from_pretrained(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    return str(caught.value)
