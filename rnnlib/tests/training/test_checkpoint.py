"""Models and trainings on disk, and trainings that go on from there."""

import json
import os

import numpy as np
import pytest

from rnnlib import SequenceModel
from rnnlib.tests.training.cases import model, task
from rnnlib.training import checkpoint
from rnnlib.training.fit import fit
from rnnlib.training.history import Training
from rnnlib.training.optimizers import Adam


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_checkpoint_round_trip(tmp_path, dtype):
    saved = SequenceModel("rnn", 2, 3, 1, num_layers=2, readout="every", rng=1, dtype=dtype)
    path = tmp_path / "model.safetensors"
    checkpoint.save(path, saved, mean=0.25, symbol="AAPL")
    loaded, extra = checkpoint.load(path)
    assert extra == {"mean": 0.25, "symbol": "AAPL"}
    assert loaded.config == saved.config
    for name, p in saved.params.items():
        np.testing.assert_array_equal(loaded.params[name], p)
        assert loaded.params[name].dtype == dtype
    assert os.listdir(tmp_path) == ["model.safetensors"]  # nothing temporary is left
    other = tmp_path / "other"
    other.touch()
    assert path.stat().st_mode == other.stat().st_mode  # as readable as any other file


def test_weights_are_saved_as_they_read_not_as_they_lie(tmp_path):
    network = model()
    network.params["layers.0.W_h"] = network.params["layers.0.W_h"].T
    checkpoint.save(tmp_path / "model.safetensors", network)
    loaded, _ = checkpoint.load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(loaded.params["layers.0.W_h"], network.params["layers.0.W_h"])
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        checkpoint.save(tmp_path / "missing" / "model.safetensors", network)


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "model.safetensors"
    checkpoint.save(path, model(seed=1))
    before = path.read_bytes()

    def full_disk(*args):
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "replace", full_disk)
    with pytest.raises(OSError, match="No space"):
        checkpoint.save(path, model(seed=2))
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["model.safetensors"]


def test_damaged_checkpoints_are_told_apart(tmp_path):
    from safetensors.numpy import save_file

    path = tmp_path / "model.safetensors"
    with pytest.raises(FileNotFoundError, match=r"there is no file .*model\.safetensors"):
        checkpoint.load(path)
    checkpoint.save(path, model())
    whole = path.read_bytes()
    for damage in (b"", b"not a checkpoint", whole[:100], whole[:-5], whole + b"more"):
        path.write_bytes(damage)
        with pytest.raises(ValueError, match="damaged, or was not written by rnnlib"):
            checkpoint.load(path)
    configs = ("3", "{}", '{"config": [], "extra": {}}', '{"config": {"kind": "rnn"}, "extra": {}}')
    for metadata in (None, {"rnnlib": "not JSON"}, *({"rnnlib": text} for text in configs)):
        save_file({"a": np.zeros(3)}, path, metadata)
        with pytest.raises(ValueError, match="not written by rnnlib"):
            checkpoint.load(path)
    path.write_bytes(whole)
    network = model()
    network.params["readout.W"] = np.zeros((1, 8), np.float32)
    checkpoint.save(path, network)
    with pytest.raises(ValueError, match=r"tensor readout\.W has shape \(1, 8\), expected \(8, 1\)"):
        checkpoint.load(path)
    del network.params["readout.W"]
    checkpoint.save(path, network)
    with pytest.raises(ValueError, match=r"lacks the tensor readout\.W"):
        checkpoint.load(path)


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop", "sgd"])
@pytest.mark.parametrize("stop", [1, 3, 4])
def test_a_resumed_training_ends_bit_for_bit_like_the_uninterrupted(tmp_path, optimizer, stop):
    settings = {
        "epochs": 6,
        "batch_size": 10,
        "patience": 3,
        "lr": 0.02,
        "optimizer": optimizer,
        "progress": False,
    }
    whole = model()
    expected = fit(whole, task(), task(seed=1), rng=7, **settings)

    path = tmp_path / "last.safetensors"
    stopped = model()

    def keep(training):
        checkpoint.save_training(path, stopped, training, note="here")
        return len(training.history.train_loss) == stop

    fit(stopped, task(), task(seed=1), rng=7, after_epoch=keep, **settings)
    resumed, training, extra = checkpoint.load_training(path)
    assert extra == {"note": "here"}
    assert len(training.history.train_loss) == stop
    history = fit(resumed, task(), task(seed=1), training=training, **settings)
    assert history == expected
    for name, p in whole.params.items():
        np.testing.assert_array_equal(resumed.params[name], p)


def test_a_finished_training_does_not_go_on(tmp_path):
    path = tmp_path / "last.safetensors"
    x, y = task()
    noise = np.random.default_rng(2).standard_normal(y.shape).astype(np.float32)
    network = model()
    settings = {"epochs": 200, "lr": 0.05, "patience": 3, "progress": False}
    history = fit(
        network,
        (x, y),
        (x, noise),
        after_epoch=lambda t: checkpoint.save_training(path, network, t),
        **settings,
    )
    resumed, training, _ = checkpoint.load_training(path)
    assert fit(resumed, (x, y), (x, noise), training=training, **settings) == history
    for name, p in network.params.items():
        np.testing.assert_array_equal(resumed.params[name], p)


def test_damaged_trainings_are_told_apart(tmp_path):
    path = tmp_path / "last.safetensors"
    network = model()
    training = Training(Adam(network.params), np.random.default_rng(0))
    training.best = {name: p.copy() for name, p in network.params.items()}
    checkpoint.save_training(path, network, training)
    whole = path.read_bytes()
    with pytest.raises(ValueError, match="holds a training to resume, not a model"):
        checkpoint.load(path)
    for damage in (b"", whole[:100], whole[:-5]):
        path.write_bytes(damage)
        with pytest.raises(ValueError, match="damaged, or was not written by rnnlib"):
            checkpoint.load_training(path)
    checkpoint.save(path, network)
    with pytest.raises(
        ValueError, match="was not written by rnnlib for this: it lacks history and optimizer and rng"
    ):
        checkpoint.load_training(path)
    for name, damage in (("kind", "adan"), ("lr", -1), ("colour", "red")):
        del training.optimizer  # made anew, and its description damaged
        training.optimizer = Adam(network.params)
        checkpoint.save_training(path, network, training)
        text = path.read_bytes()
        header = int.from_bytes(text[:8], "little")
        meta = json.loads(text[8 : 8 + header])
        description = json.loads(meta["__metadata__"]["rnnlib"])
        description["optimizer"][name] = damage
        meta["__metadata__"]["rnnlib"] = json.dumps(description)
        new = json.dumps(meta).encode()
        path.write_bytes(len(new).to_bytes(8, "little") + new + text[8 + header :])
        with pytest.raises(ValueError, match="is damaged, or was not written by rnnlib"):
            checkpoint.load_training(path)


def test_what_a_killed_process_left_is_removed(tmp_path):
    path = tmp_path / "model.safetensors"
    gone, alive = (tmp_path / f".model.safetensors.{pid}.tmp" for pid in (2**22 + 7, os.getppid()))
    (tmp_path / ".model.safetensors.mine.tmp").touch()  # not ours
    gone.touch()
    alive.touch()
    checkpoint.save(path, model())
    assert sorted(os.listdir(tmp_path)) == sorted([path.name, alive.name, ".model.safetensors.mine.tmp"])
