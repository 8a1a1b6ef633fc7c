"""The tensors in a folder of transformers: one safetensors file, or several with an index."""

import json
from pathlib import Path

import numpy as np

WHOLE = "model.safetensors"
INDEX = "model.safetensors.index.json"
DTYPES = "F16", "BF16", "F32", "F64"


def read_tensors(folder):
    """All tensors of a model, those in half precision as float32.

    Args:
        folder: a Path.

    Returns:
        (tensors, path): name -> NumPy array, and the file that they were read from, or the index.

    Raises:
        FileNotFoundError: there is no such file, or a part that the index names is not there.
        ValueError: a file is damaged, or of another kind; or the parts do not fit the index.
    """
    if (folder / WHOLE).is_file():
        return _read_file(folder / WHOLE), folder / WHOLE
    if (folder / INDEX).is_file():
        return _read_parts(folder), folder / INDEX
    if any(folder.glob("pytorch_model*.bin")):
        raise FileNotFoundError(
            f"there is no file {folder / WHOLE}, but one for PyTorch, which may run code when it is read: "
            "load that with transformers, if you trust it, and save_pretrained writes the other"
        )
    raise FileNotFoundError(f"there is no file {folder / WHOLE}")


def read_json(path):
    """The object in a JSON file."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is no valid JSON: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path} must hold a JSON object, got {type(content).__name__}")
    return content


def _read_parts(folder):
    """The tensors of several files, each once, in the file where the index has it."""
    index = folder / INDEX
    places = read_json(index).get("weight_map")
    if not isinstance(places, dict) or not places:
        raise ValueError(f"{index} lacks weight_map, which names a file for each tensor")
    tensors, owners = {}, {}
    for part in dict.fromkeys(map(str, places.values())):  # each file once, in their order
        if part != Path(part).name or "\\" in part or part in ("", "..") or ":" in part:
            raise ValueError(f"{index}: {part!r} is no file of this folder")
        if not (folder / part).is_file():
            raise FileNotFoundError(f"there is no file {folder / part}, a part of the model by its index")
        for name, tensor in _read_file(folder / part).items():
            if name in tensors:
                raise ValueError(f"{folder / part}: tensor {name} is in {owners[name]}, too")
            tensors[name], owners[name] = tensor, part
    for name, part in places.items():
        if owners.get(name) != part:
            raise ValueError(f"{folder / str(part)}: tensor {name} is missing, which the index has there")
    return tensors


def _read_file(path):
    """All tensors of a safetensors file."""
    from safetensors import SafetensorError, safe_open

    tensors = {}
    try:
        with safe_open(path, framework="numpy") as file:
            for name in file.keys():
                dtype = file.get_slice(name).get_dtype()
                if dtype not in DTYPES:
                    raise ValueError(f"{path}: tensor {name} is {dtype}, expected one of {', '.join(DTYPES)}")
                tensor = _bfloat16(path, name) if dtype == "BF16" else file.get_tensor(name)
                tensors[name] = tensor.astype(np.float32) if dtype == "F16" else tensor
    except SafetensorError as error:
        raise ValueError(f"{path} is damaged, or no safetensors file: {error}") from error
    return tensors


def _bfloat16(path, name):
    """A tensor of bfloat16, which NumPy does not know, as float32: it is the upper half of one."""
    with path.open("rb") as file:
        header = int.from_bytes(file.read(8), "little")
        entry = json.loads(file.read(header))[name]
        start, stop = entry["data_offsets"]
        file.seek(8 + header + start)
        upper = np.frombuffer(file.read(stop - start), "<u2")
    return (upper.astype(np.uint32) << 16).view(np.float32).reshape(entry["shape"])
