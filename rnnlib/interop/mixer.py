"""The nine tensors of Mamba's mixer, as transformers names and turns them, and as we do."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Tensor(NamedTuple):
    """A row: our name, their name, their shape in letters, from theirs to ours, from ours to theirs."""

    ours: str
    theirs: str
    shape: str
    read: Callable = np.asarray
    write: Callable = np.asarray


#: Letters as in rnnlib/models/mamba.py. They compute W x, and we x W.
TENSORS = [
    Tensor("W_in", "in_proj.weight", "2E D", np.transpose, np.transpose),
    Tensor("conv_W", "conv1d.weight", "E 1 K", lambda W: W[:, 0].T, lambda W: W.T[:, None]),
    Tensor("conv_b", "conv1d.bias", "E"),
    Tensor("W_u", "x_proj.weight", "R+2N E", np.transpose, np.transpose),
    Tensor("W_dt", "dt_proj.weight", "E R", np.transpose, np.transpose),
    Tensor("b_dt", "dt_proj.bias", "E"),
    Tensor("A_log", "A_log", "E N"),
    Tensor("skip", "D", "E"),
    Tensor("W_out", "out_proj.weight", "D E", np.transpose, np.transpose),
]


def mixer_shapes(D, E, N, K, R, conv_bias=True):
    """The tensors of a mixer of these sizes: their name -> shape."""
    lengths = {"1": 1, "D": D, "E": E, "2E": 2 * E, "N": N, "K": K, "R": R, "R+2N": R + 2 * N}
    shapes = {row.theirs: tuple(lengths[letter] for letter in row.shape.split()) for row in TENSORS}
    if not conv_bias:
        del shapes["conv1d.bias"]
    return shapes


def mixer_params(arrays):
    """Our name -> array from their name -> array; a bias that is not there is 0."""
    return {row.ours: row.read(arrays[row.theirs]) if row.theirs in arrays else 0 for row in TENSORS}


def mixer_tensors(params):
    """Their name -> array from our name -> array."""
    return {row.theirs: row.write(params[row.ours]) for row in TENSORS}
