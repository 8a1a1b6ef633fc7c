"""Folders of transformers that are refused, and what the error says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlib import MambaLM
from rnnlib.tests.interop.cases import CONFIG, TINY, folder, refused, stored_tensors


def test_missing_files_are_named(tmp_path):
    assert refused(tmp_path / "none", FileNotFoundError) == f"there is no folder {tmp_path / 'none'}"
    assert "config.json" in refused(tmp_path, FileNotFoundError)
    folder(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    assert "model.safetensors" in refused(tmp_path, FileNotFoundError)
    for name in ("pytorch_model.bin", "pytorch_model-00001-of-00002.bin"):
        (tmp_path / name).touch()
        message = refused(tmp_path, FileNotFoundError)
        assert (
            "but one for PyTorch, which may run code when it is read: load that with transformers" in message
        )
        (tmp_path / name).unlink()


@pytest.mark.parametrize("text", ["", "{", "[1]", "null", '{"a": 1', "\ufeff{}", "[" * 100_000, '"mamba"'])
def test_a_config_that_is_no_json_object_is_refused(tmp_path, text):
    assert "config.json" in refused(folder(tmp_path, config=text))


def test_a_config_of_another_encoding_is_refused(tmp_path):
    folder(tmp_path)
    (tmp_path / "config.json").write_bytes(b'{"model_type": "\xff"}')
    assert "config.json is no valid JSON" in refused(tmp_path)


REQUIRED = ["model_type", "vocab_size", "hidden_size", "num_hidden_layers", "state_size"]


@pytest.mark.parametrize("key", REQUIRED)
def test_a_missing_value_of_the_config_is_named(tmp_path, key):
    config = {k: value for k, value in CONFIG.items() if k != key}
    assert f"config.json lacks {key}" in refused(folder(tmp_path, config=config))


@pytest.mark.parametrize("key", [k for k in CONFIG if k not in REQUIRED])
def test_other_values_have_the_defaults_of_transformers(tmp_path, key):
    config = {k: value for k, value in CONFIG.items() if k != key}
    assert MambaLM.from_pretrained(folder(tmp_path, config=config)).vocab_size == 11


WRONG = [0, -1, 2.0, "8", None, True, [8], float("nan")]


@pytest.mark.parametrize(
    ("key", "value"),
    [(key, value) for key in CONFIG if key != "model_type" for value in WRONG]
    + [("model_type", value) for value in ("mamba2", "falcon_mamba", None, 3)]
    + [("layer_norm_epsilon", value) for value in (0, -1e-5, "1e-5", None, True, float("nan"), float("inf"))]
    + [("use_bias", True), ("use_bias", None), ("use_bias", 0), ("hidden_act", "relu"), ("hidden_act", None)]
    + [(key, value) for key in ("use_conv_bias", "tie_word_embeddings") for value in (None, 1, "true")],
)
def test_a_wrong_value_of_the_config_is_named(tmp_path, key, value):
    message = refused(folder(tmp_path, **{key: value}))
    assert f"config.json: {key} is {value!r}, expected " in message


@pytest.mark.parametrize("key", [k for k in CONFIG if k != "model_type"])
def test_a_config_that_does_not_fit_the_tensors_names_one(tmp_path, key):
    for value in (CONFIG[key] + 1, 10**9):
        message = refused(folder(tmp_path, **{key: value}))
        assert "model.safetensors: tensor backbone." in message
        assert "expected (" in message or "is missing" in message


DAMAGES = {
    "another axis": (lambda a: a[None], "has shape"),
    "a row less": (lambda a: a[:-1].copy(), "has shape"),
    "turned": (lambda a: a.T.copy() if a.shape != a.T.shape else a[:0], "has shape"),
    "NaN": (lambda a: np.full_like(a, np.nan), "holds NaN or infinity"),
    "infinity": (lambda a: np.full_like(a, np.inf), "holds NaN or infinity"),
    "integers": (lambda a: a.astype(np.int64), "is I64, expected one of F16, BF16, F32, F64"),
    "bytes": (lambda a: a.astype(np.uint8), "is U8, expected"),
    "single": (lambda a: a.astype(np.float32), "float32"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_tensor_is_named(tmp_path, damage):
    spoil, expected = DAMAGES[damage]
    tensors = stored_tensors()
    for name, a in tensors.items():
        message = refused(folder(tmp_path, tensors={**tensors, name: spoil(a)}))
        assert f"model.safetensors: tensor {name if damage != 'single' else ''}" in message
        assert name in message
        assert expected in message


def test_missing_and_unexpected_tensors_are_named(tmp_path):
    tensors = stored_tensors()
    for name in tensors:
        rest = {n: a for n, a in tensors.items() if n != name}
        assert f"tensor {name} is missing" in refused(folder(tmp_path, tensors=rest))
        rest[f"{name}s"] = tensors[name]
        assert f"tensor {name} is missing" in refused(folder(tmp_path, tensors=rest))
    for name in ("backbone.layers.2.norm.weight", "x", "backbone.layers.0.mixer.conv1d.biases"):
        message = refused(folder(tmp_path, tensors={**tensors, name: np.zeros(8)}))
        assert f"tensor {name} is unexpected" in message
    for name in ("backbone.layers.0.mixer.in_proj.bias", "backbone.layers.1.mixer.out_proj.bias"):
        message = refused(folder(tmp_path, tensors={**tensors, name: np.zeros(8)}))
        assert f"tensor {name} belongs to a Mamba with use_bias" in message
    message = refused(folder(tmp_path, use_conv_bias=False))
    assert "tensor backbone.layers.0.mixer.conv1d.bias is unexpected" in message


def test_a_truncated_file_is_refused_at_every_length(tmp_path):
    whole = (TINY / "model.safetensors").read_bytes()
    path = folder(tmp_path) / "model.safetensors"
    for length in [*range(40), *range(40, len(whole), 97), len(whole) - 1]:
        path.write_bytes(whole[:length])
        assert "model.safetensors is damaged" in refused(tmp_path)
    path.write_bytes(whole + b"\0")
    assert "model.safetensors is damaged" in refused(tmp_path)


@given(changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=3))
def test_changed_bytes_give_a_model_or_one_line(tmp_path_factory, changes):
    path = folder(tmp_path_factory.mktemp("model"))
    file = path / "model.safetensors"
    content = bytearray(file.read_bytes())
    header = 8 + int.from_bytes(content[:8], "little")
    for place, byte in changes:
        content[int(place * (header - 1))] = byte
    file.write_bytes(content)
    try:
        MambaLM.from_pretrained(path)
        message = None
    except ValueError as error:
        message = str(error)
    assert message is None or ("\n" not in message and "model.safetensors" in message)
