"""Models on disk: safetensors files with the hyperparameters in their metadata."""

import json
import os
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from rnnlib.model import SequenceModel


def save(path, model, **extra):
    """Write a model to a safetensors file, all or nothing.

    The file is written beside its place and then renamed: whoever reads ``path`` sees the
    old file or the new one, never half of one.

    Args:
        path: where to; an existing file is replaced.
        model: a SequenceModel.
        extra: values that JSON can hold, such as the scaler's mean; ``load`` gives them back.
    """
    path = Path(path)
    # One entry: safetensors writes several in any order, and equal models give equal files.
    metadata = {"rnnlib": json.dumps({"config": model.config, "extra": extra})}
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        save_file(model.params, temporary, metadata)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


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
        config, extra = description["config"], description["extra"]
    except (SafetensorError, KeyError, ValueError) as error:
        raise ValueError(f"{path} is damaged, or was not written by rnnlib: {error}") from error

    dtype = next(iter(tensors.values())).dtype if tensors else np.float32
    model = SequenceModel(**config, rng=0, dtype=dtype)
    for name, p in model.params.items():
        if name not in tensors:
            raise ValueError(f"{path} lacks the tensor {name}")
        if tensors[name].shape != p.shape:
            raise ValueError(f"{path}: tensor {name} has shape {tensors[name].shape}, expected {p.shape}")
        p[...] = tensors[name]
    return model, extra
