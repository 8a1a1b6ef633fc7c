"""What counts as an array: one check, where arrays come in.

CuPy's arrays and their like, whose functions NumPy dispatches to, pass as they are.
"""

import numpy as np


def array(x, name):
    """``x``, if it is an array of real numbers; np.matrix, np.memmap and such as a plain ndarray.

    A matrix has a ``*`` of its own, and a masked array computes with what its mask hides.

    Args:
        x: an array.
        name: what an error calls it.

    Raises:
        TypeError: it is no array, has a mask, or holds something else, such as objects or dates.
    """
    if type(x) is not np.ndarray:
        if isinstance(x, np.ma.MaskedArray):
            raise TypeError(f"{name} must be an array without a mask: fill or drop what is masked")
        if isinstance(x, np.ndarray | np.generic):
            x = np.asarray(x)
        elif not hasattr(x, "__array_function__"):
            raise TypeError(f"{name} must be an array, got {type(x).__name__}")
    if x.dtype.kind not in "fiub":
        raise TypeError(f"{name} must hold real numbers, got {x.dtype}")
    return x


def as_array(x, name):
    """The same for what ``np.asarray`` makes an array of, too: lists, tables of pandas, torch tensors.

    Raises:
        TypeError: as ``array``.
        ValueError: the rows differ in length.
    """
    if hasattr(x, "__array_function__"):
        return array(x, name)
    try:
        return array(np.asarray(x), name)
    except ValueError as error:
        raise ValueError(f"{name} is no array: its rows differ in length") from error


def floats(x, name):
    """The same, and whole numbers as float64: those would wrap around, or be cut to whole numbers again."""
    x = as_array(x, name)
    return x if x.dtype.kind == "f" else x.astype(np.float64)
