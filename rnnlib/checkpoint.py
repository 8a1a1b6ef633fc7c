"""Models on disk: safetensors files with the hyperparameters in their metadata."""

import json
from pathlib import Path

import numpy as np
import safetensors.numpy
from safetensors import SafetensorError, safe_open

from rnnlib.files import whole_file
from rnnlib.model import SequenceModel


def save(path, model, **extra):
    """Write a model to a safetensors file, all or nothing.

    Args:
        path: where to; an existing file is replaced.
        model: a SequenceModel.
        extra: values that JSON can hold, such as the scaler's mean; ``load`` gives them back.
    """
    # One entry: safetensors writes several in any order, and equal models give equal files.
    metadata = {"rnnlib": json.dumps({"config": model.config, "extra": extra})}
    # safetensors writes an array's memory as it lies, so it must lie in C order.
    params = {name: np.ascontiguousarray(p) for name, p in model.params.items()}
    with whole_file(path) as temporary:
        temporary.write_bytes(safetensors.numpy.save(params, metadata))


def load(path):
    """Read a model that ``save`` wrote.

    Returns:
        (model, extra): a SequenceModel with the saved weights, and what was saved with it.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged, or of another kind; the message names the tensor.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}
        description = json.loads(metadata["rnnlib"])
        dtype = next(iter(tensors.values())).dtype if tensors else np.float32
        model = SequenceModel(**description["config"], rng=0, dtype=dtype)
        extra = description["extra"]
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is damaged, or was not written by rnnlib: {error}") from error

    for name, p in model.params.items():
        if name not in tensors:
            raise ValueError(f"{path} lacks the tensor {name}")
        if tensors[name].shape != p.shape:
            raise ValueError(f"{path}: tensor {name} has shape {tensors[name].shape}, expected {p.shape}")
        p[...] = tensors[name]
    return model, extra
