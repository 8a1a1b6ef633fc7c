"""Models and trainings on disk: safetensors files, all else as JSON in their metadata."""

import datetime
import json
import os
from dataclasses import asdict
from pathlib import Path

import numpy as np
import safetensors.numpy
from safetensors import SafetensorError, safe_open

from rnnlib.models.sequence_model import SequenceModel
from rnnlib.tools.whole_file import whole_file
from rnnlib.training.history import History, Training
from rnnlib.training.optimizers import make_optimizer


def save(path, model, **extra):
    """Write a model to a safetensors file, all or nothing.

    Args:
        path: where to; an existing file is replaced.
        model: a SequenceModel.
        extra: values that JSON can hold, such as the scaler's mean, and NumPy's numbers, paths and
            dates; ``load`` gives them back as ``kept`` shows.

    Raises:
        TypeError: the file cannot hold something of it; the message names it.
        OSError: the file cannot be written.
    """
    _write(path, model.params, {"config": kept(model.config), "extra": kept(extra)})


def load(path):
    """Read a model that ``save`` wrote.

    Returns:
        (model, extra): a SequenceModel with the saved weights, and what was saved with it.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged, or of another kind; the message names the tensor.
    """
    tensors, description = _read(path, {"config", "extra"})
    if "optimizer" in description:
        raise ValueError(f"{path} holds a training to resume, not a model to use")
    model = _model(path, tensors, description)
    _fill(path, model.params, tensors)
    return model, description["extra"]


def kept(extra):
    """What ``load`` will give back of values that ``save`` is given, before any training: as JSON has them.

    Tuples become lists, NumPy's numbers plain ones, paths and dates text.

    Raises:
        TypeError: a file cannot hold one of them; the message names it.
    """
    for name, value in extra.items():
        try:
            json.dumps(value, default=_plain)
        except (TypeError, ValueError) as error:
            raise TypeError(f"{name} cannot be kept in a file: {error}") from error
    return json.loads(json.dumps(extra, default=_plain))


def _plain(value):
    """What JSON has in place of what it does not know."""
    for kind, plain in ((np.bool_, bool), (np.integer, int), (np.floating, float)):
        if isinstance(value, kind) and not isinstance(value, np.timedelta64):  # that is an integer, too
            return plain(value)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, np.datetime64):
        return str(value)
    raise TypeError(f"it holds {type(value).__name__}; give numbers, text, lists and dicts of them")


def save_training(path, model, training, **extra):
    """Write all that a training needs to go on: weights, best weights, optimizer, random state, history.

    Args:
        path, extra: see ``save``.
        model: the SequenceModel, with the weights of the latest epoch.
        training: the ``history.Training`` that ``fit`` hands to ``after_epoch``; its rng is
            that of ``numpy.random.default_rng``.
    """
    optimizer = training.optimizer
    tensors = {f"model.{name}": p for name, p in model.params.items()}
    tensors |= {f"best.{name}": p for name, p in training.best.items()}
    for average, arrays in optimizer.memory.items():
        tensors |= {f"optimizer.{average}.{name}": a for name, a in arrays.items()}
    description = {
        "config": kept(model.config),
        "extra": kept(extra),
        "optimizer": {"kind": type(optimizer).__name__.lower(), "t": optimizer.t, **optimizer.settings},
        "rng": training.rng.bit_generator.state,
        "history": asdict(training.history),
    }
    _write(path, tensors, description)


def load_training(path):
    """Read what ``save_training`` wrote.

    Returns:
        (model, training, extra): pass model and training to ``fit``, and it goes on as if
        it had never stopped.

    Raises:
        FileNotFoundError, ValueError: as ``load``.
    """
    tensors, description = _read(path, {"config", "extra", "optimizer", "rng", "history"})
    model = _model(path, tensors, description)
    _fill(path, model.params, tensors, "model.")
    best = {name: np.empty_like(p) for name, p in model.params.items()}
    _fill(path, best, tensors, "best.")
    try:
        settings = description["optimizer"]
        t = settings.pop("t")
        optimizer = make_optimizer(model.params, **settings)
        optimizer.t = t
        rng = np.random.default_rng()
        rng.bit_generator.state = description["rng"]
        history = History(**description["history"])
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise _damaged(path, error) from error
    for average, arrays in optimizer.memory.items():
        _fill(path, arrays, tensors, f"optimizer.{average}.")
    return model, Training(optimizer, rng, history, best), description["extra"]


def _damaged(path, error):
    return ValueError(f"{path} is damaged, or was not written by rnnlib: {error}")


def _write(path, tensors, description):
    # One entry: safetensors writes several in any order, and equal models give equal files.
    metadata = {"rnnlib": json.dumps(kept(description))}
    # safetensors writes an array's memory as it lies, so it must lie in C order.
    tensors = {name: np.ascontiguousarray(a) for name, a in tensors.items()}
    with whole_file(path) as temporary:
        temporary.write_bytes(safetensors.numpy.save(tensors, metadata))


def _read(path, keys):
    """The tensors, and the description with at least these keys."""
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}
        description = json.loads(metadata["rnnlib"])
        missing = keys - description.keys()
    except (SafetensorError, KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise _damaged(path, error) from error
    if missing:
        raise ValueError(
            f"{path} was not written by rnnlib for this: it lacks {' and '.join(sorted(missing))}"
        )
    return tensors, description


def _model(path, tensors, description):
    """A model of the described shape, with weights yet to be filled in."""
    dtype = next(iter(tensors.values())).dtype if tensors else np.float32
    try:
        return SequenceModel(**description["config"], rng=0, dtype=dtype)
    except (TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise _damaged(path, error) from error


def _fill(path, arrays, tensors, prefix=""):
    """Copy the tensors into the arrays of the same names."""
    for name, a in arrays.items():
        key = prefix + name
        if key not in tensors:
            raise ValueError(f"{path} lacks the tensor {key}")
        if tensors[key].shape != a.shape:
            raise ValueError(f"{path}: tensor {key} has shape {tensors[key].shape}, expected {a.shape}")
        a[...] = tensors[key]
