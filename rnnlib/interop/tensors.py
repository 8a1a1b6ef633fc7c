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
            expected = result[first].dtype
            raise ValueError(f"{where}tensor {name} is {array.dtype}, expected {expected}, like {first}")
        if not np.isfinite(array).all():
            raise ValueError(f"{where}tensor {name} holds NaN or infinity, expected finite numbers")
    for name in arrays:
        if name not in result:
            raise ValueError(f"{where}tensor {name} is unexpected: the model has none of this name")
    return result


def _tensor(arrays, name, where=""):
    """One tensor as a NumPy array, once it is there and float32 or float64."""
    if name not in arrays:
        raise ValueError(f"{where}tensor {name} is missing")
    array = arrays[name]
    dtype = str(getattr(array, "dtype", type(array).__name__)).removeprefix("torch.")
    if dtype not in ("float32", "float64"):
        raise ValueError(f"{where}tensor {name} is {dtype}, expected float32 or float64")
    return np.asarray(array.detach().cpu() if hasattr(array, "detach") else array)


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
