"""Another library's weights: checked before anything is built from them, and filled in."""

import numpy as np

#: What those libraries have and rnnlib has not: part of a tensor's name -> what it belongs to.
REFUSED = {
    "_reverse": "a bidirectional layer",
    "weight_hr_": "an LSTM with proj_size",
    "to_out.": "a minGRU with an output map (expansion_factor)",
    "in_proj.bias": "a Mamba with use_bias",
    "out_proj.bias": "a Mamba with use_bias",
}


def checked(arrays, shapes, where=""):
    """Read the tensors that ``shapes`` lists, once they fit and there are no others.

    Args:
        arrays: name -> NumPy array or torch tensor.
        shapes: the pairs (name, shape); an error ends the reading of them.
        where: what an error begins with, such as the file.

    Returns:
        name -> NumPy array, which may share memory with the tensor.
    """
    for name in arrays:
        for part, owner in REFUSED.items():
            if part in str(name):
                raise ValueError(f"{where}tensor {name} belongs to {owner}, which rnnlib does not have")
    result = {}
    for name, shape in shapes:
        result[name] = array = _tensor(arrays, name, where)
        first = next(iter(result))
        if array.shape != shape:
            raise ValueError(f"{where}tensor {name} has shape {array.shape}, expected {shape}")
        if array.dtype != result[first].dtype:
            dtype, expected = _dtype(arrays[name]), result[first].dtype
            raise ValueError(f"{where}tensor {name} is {dtype}, expected {expected}, like {first}")
        if not np.isfinite(array).all():
            raise ValueError(f"{where}tensor {name} holds NaN or infinity, expected finite numbers")
    for name in arrays:
        if name not in result:
            raise ValueError(f"{where}tensor {name} is unexpected: the model has none of this name")
    return result


def _tensor(arrays, name, where=""):
    """One tensor as a NumPy array, float32 or float64, once it is there; of half precision as float32."""
    if name not in arrays:
        raise ValueError(f"{where}tensor {name} is missing{_present(arrays, name)}")
    array, dtype = arrays[name], _dtype(arrays[name])
    if dtype not in ("float16", "bfloat16", "float32", "float64"):
        raise ValueError(f"{where}tensor {name} is {dtype}, expected float32 or float64, or half precision")
    if np.ma.isMaskedArray(array):
        raise ValueError(f"{where}tensor {name} has a mask, expected plain numbers")
    if hasattr(array, "detach"):
        array = array.detach().cpu()
        array = array.float() if dtype == "bfloat16" else array  # NumPy does not know it
    array = np.asarray(array)
    return array if dtype in ("float32", "float64") else array.astype(np.float32)


def _dtype(array):
    """The name of a tensor's dtype; of something else that of its type."""
    return str(getattr(array, "dtype", type(array).__name__)).removeprefix("torch.")


def _present(arrays, name):
    """What is there in place of a tensor, for an error."""
    names = list(map(str, arrays))
    prefixes = [
        other.removesuffix(name)
        for other in names
        if len(other) > len(name) + 1 and other.endswith(f".{name}")
    ]
    if prefixes:
        choices = listed([f"prefix={prefix!r}" for prefix in prefixes])
        return f", but {listed(prefix + name for prefix in prefixes)} is there: choose with {choices}"
    return f"; there is {listed(arrays)}" if len(arrays) else "; there is none"


def listed(names, most=4):
    """The first of some names, with commas between, and how many more there are."""
    names = [str(name) for name in names]
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def length(arrays, name, axes, axis):
    """The length of one axis of a tensor that must have so many."""
    shape = _tensor(arrays, name).shape
    if len(shape) != axes or 0 in shape:
        raise ValueError(f"tensor {name} has shape {shape}, expected {axes} axes, none of length 0")
    return shape[axis]


def filled(layer, params):
    """Copy the values into the layer's parameters of the same names, and return the layer."""
    for name, p in layer.params.items():
        p[...] = params[name]
    return layer
