"""One safetensors file or several, in full or half precision."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

from rnnlib import MambaLM
from rnnlib.interop.tensor_files import read_tensors
from rnnlib.tests.interop.cases import folder, need, refused, stored_tensors

IDS = np.array([[1, 2, 3]])


def shards(path, tensors, count=3, **changes):
    """A folder with its tensors in several files, and their index."""
    folder(path, **changes)
    (path / "model.safetensors").unlink()
    names = [f"model-{k + 1:05}-of-{count:05}.safetensors" for k in range(count)]
    places = {name: names[i % count] for i, name in enumerate(tensors)}
    for file in names:
        save_file({name: tensors[name] for name in tensors if places[name] == file}, path / file)
    write_index(path, places)
    return places


def write_index(path, places):
    text = json.dumps({"metadata": {}, "weight_map": places})
    (path / "model.safetensors.index.json").write_text(text, "utf-8")


def test_a_model_in_several_files_is_read(tmp_path):
    expected, _ = MambaLM.from_pretrained(folder(tmp_path / "one")).forward(IDS)
    shards(tmp_path / "many", stored_tensors())
    np.testing.assert_array_equal(MambaLM.from_pretrained(tmp_path / "many").forward(IDS)[0], expected)
    shards(tmp_path / "single", stored_tensors(), count=1)
    np.testing.assert_array_equal(MambaLM.from_pretrained(tmp_path / "single").forward(IDS)[0], expected)


def test_a_model_that_transformers_cuts_into_files_is_read(tmp_path):
    torch, transformers = need("torch"), need("transformers")
    torch.manual_seed(0)
    config = transformers.MambaConfig(vocab_size=40, hidden_size=16, num_hidden_layers=3, state_size=4)
    peer = transformers.MambaForCausalLM(config).eval()
    peer.save_pretrained(tmp_path, max_shard_size="8KB")
    assert (tmp_path / "model.safetensors.index.json").is_file()
    with torch.no_grad():
        expected = peer(torch.tensor(IDS)).logits.numpy()
    np.testing.assert_allclose(
        MambaLM.from_pretrained(tmp_path).forward(IDS)[0], expected, rtol=1e-4, atol=1e-5
    )


def test_files_that_do_not_fit_their_index_are_refused(tmp_path):
    tensors = stored_tensors()
    places = shards(tmp_path, tensors)
    names, (first, second, _) = list(tensors), dict.fromkeys(places.values())
    for outside in ("../model.safetensors", "/etc/hosts", "sub/model.safetensors", "..", "", "a\\b", "C:b"):
        write_index(tmp_path, places | {names[0]: outside})
        assert f"index.json: {outside!r} is no file of this folder" in refused(tmp_path)
    write_index(tmp_path, places | {names[0]: second})
    assert f"{second}: tensor {names[0]} is missing, which the index has there" in refused(tmp_path)
    write_index(tmp_path, places | {"more": first})
    assert f"{first}: tensor more is missing, which the index has there" in refused(tmp_path)
    write_index(tmp_path, {name: place for name, place in places.items() if place != first})
    assert f"tensor {names[0]} is missing" in refused(tmp_path)
    for index in ("{}", '{"weight_map": {}}', '{"weight_map": []}', '{"weight_map": null}'):
        (tmp_path / "model.safetensors.index.json").write_text(index)
        assert "index.json lacks weight_map" in refused(tmp_path)
    for index, says in (("{", "is no valid JSON"), ("[]", "must hold a JSON object, got list")):
        (tmp_path / "model.safetensors.index.json").write_text(index)
        assert f"index.json {says}" in refused(tmp_path)
    write_index(tmp_path, places | {names[0]: 3})
    assert "there is no file" in refused(tmp_path, FileNotFoundError)
    write_index(tmp_path, places)
    save_file({names[0]: tensors[names[0]], names[1]: tensors[names[1]]}, tmp_path / second)
    assert f"{second}: tensor {names[0]} is in {first}, too" in refused(tmp_path)
    (tmp_path / second).write_bytes((tmp_path / second).read_bytes()[:-3])
    assert f"{second} is damaged" in refused(tmp_path)
    (tmp_path / second).unlink()
    assert f"{second}, a part of the model by its index" in refused(tmp_path, FileNotFoundError)


@pytest.mark.parametrize("several", [True, False])
def test_bfloat16_becomes_float32(tmp_path, several):
    torch = need("torch")
    from safetensors.torch import save_file as save_tensors

    tensors = {name: torch.from_numpy(a).bfloat16() for name, a in stored_tensors().items()}
    path = folder(tmp_path / "half")
    name = "model.safetensors"
    if several:
        (path / name).unlink()
        name = "model-00001-of-00001.safetensors"
        write_index(path, dict.fromkeys(tensors, name))
    save_tensors(tensors, path / name)
    expected = {name: a.float().numpy() for name, a in tensors.items()}
    model = MambaLM.from_pretrained(path)
    assert model.dtype == np.float32
    twin = MambaLM.from_pretrained(folder(tmp_path / "single", tensors=expected))
    for key, p in twin.params.items():
        np.testing.assert_array_equal(model.params[key], p)
    assert MambaLM.from_pretrained(path, dtype=np.float64).dtype == np.float64


def test_bfloat16_without_torch(tmp_path):
    """A file written by hand: 1.5, −2 and the number after 1 in bfloat16."""
    words = {"x": {"dtype": "BF16", "shape": [3, 1], "data_offsets": [0, 6]}}
    header = json.dumps(words).encode()
    path = tmp_path / "model.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes.fromhex("c03f00c0813f"))
    tensors, source = read_tensors(tmp_path)
    assert source == path
    np.testing.assert_array_equal(tensors["x"], np.array([[1.5], [-2], [1.0078125]], np.float32))
    assert tensors["x"].dtype == np.float32


@given(changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=3))
def test_a_changed_index_gives_a_model_or_one_line(tmp_path_factory, changes):
    path = tmp_path_factory.mktemp("model")
    shards(path, stored_tensors())
    file = path / "model.safetensors.index.json"
    content = bytearray(file.read_bytes())
    for place, byte in changes:
        content[int(place * (len(content) - 1))] = byte
    file.write_bytes(content)
    try:
        MambaLM.from_pretrained(path)
        message = None
    except (ValueError, FileNotFoundError) as error:
        message = str(error)
    assert message is None or ("\n" not in message and str(path) in message)
