"""Losses. Each returns the loss and its gradient with respect to the prediction.

They take whatever ``np.asarray`` makes an array of numbers of, but no masked array.
"""

import numpy as np

from rnnlib.models.parts.arrays import as_array, floats
from rnnlib.models.parts.functional import valid_steps


def mse(y, target, lengths=None):
    """Mean squared error, L = mean (y − target)².

    Args:
        y: prediction, any shape; (B, T, O) if ``lengths`` is given.
        target: same shape as y.
        lengths: (B,) true lengths of right-padded sequences; the mean is then
            over the valid steps alone.

    Returns:
        (loss, dy): a float, and dL/dy in the shape of y.

    Raises:
        ValueError: the shapes differ (broadcasting would hide a mistake), are empty, or do not
            go with ``lengths``.
        TypeError: an argument is no array of real numbers.
    """
    error, count = _errors("mse", y, target, lengths)
    return float((error**2).sum() / count), 2 * error / count


def mae(y, target, lengths=None):
    """Mean absolute error, L = mean |y − target|.

    Args, returns and errors are those of ``mse``. Where y equals the target, the gradient is 0.
    """
    error, count = _errors("mae", y, target, lengths)
    return float(np.abs(error).sum() / count), np.sign(error) / count


def cross_entropy(y, target):
    """Mean of −log p(target), with p = softmax(y) over the last axis.

    Args:
        y: logits (..., V).
        target: class numbers 0 to V − 1, integers of shape (...); −1 where nothing is asked.
            The mean is over the rest.

    Returns:
        (loss, dy): a float, and dL/dy = (p − one-hot target) / count in the shape of y.

    Raises:
        ValueError: the shapes do not go together, a class does not exist, or nothing is asked.
        TypeError: the target does not hold integers, or an argument is no array of numbers.
    """
    y, target = floats(y, "cross_entropy: y"), as_array(target, "cross_entropy: target")
    if y.ndim < 2 or y.shape[:-1] != target.shape:
        raise ValueError(
            f"cross_entropy: logits {y.shape} need a target of shape {y.shape[:-1]}, got {target.shape}"
        )
    if target.dtype.kind not in "iu":
        raise TypeError(f"cross_entropy: the target holds {target.dtype}; class numbers are integers")
    V = y.shape[-1]
    mask = target != -1  # where something is asked
    count = int(mask.sum())
    if count == 0:
        raise ValueError("cross_entropy: no position is asked for")
    if ((target < -1) | (target >= V)).any():
        raise ValueError(f"cross_entropy: classes run from 0 to {V - 1} (or -1 where nothing is asked)")
    shifted = y - y.max(axis=-1, keepdims=True)  # the largest exponent is 0: no overflow
    exponentials = np.exp(shifted)
    total = exponentials.sum(axis=-1, keepdims=True)
    one_hot = np.arange(V, like=target) == target[..., None]
    log_p = shifted - np.log(total)
    loss = -float(np.where(one_hot, log_p, 0).sum() / count)
    dy = np.where(mask[..., None], exponentials / total - one_hot, 0).astype(y.dtype) / count
    return loss, dy


def _errors(name, y, target, lengths):
    """y − target, zero in the padding, and the number of values to average."""
    y, target = floats(y, f"{name}: y"), floats(target, f"{name}: target")
    if y.shape != target.shape:
        raise ValueError(f"{name}: prediction has shape {y.shape}, target {target.shape}; they must be equal")
    if y.size == 0:
        raise ValueError(f"{name}: no values to average, the shape is {y.shape}")
    error = y - target
    if lengths is None:
        return error, error.size
    if y.ndim != 3:
        raise ValueError(f"{name}: with lengths the prediction must have shape (B, T, O), got {y.shape}")
    mask = valid_steps(lengths, *y.shape[:2], like=y)
    error = np.where(mask[:, :, None], error, 0)  # a padded target may be anything, NaN too
    return error, int(mask.sum()) * y.shape[2]


def asked(loss, target):
    """Over how many answers a loss averages: cross_entropy alone knows −1 as "nothing is asked"."""
    return int((target != -1).sum()) if loss is cross_entropy else target.size


#: The losses by the name that ``fit`` and commands use.
LOSSES = {"mse": mse, "mae": mae, "cross_entropy": cross_entropy}
