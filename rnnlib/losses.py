"""Losses. Each returns the loss and its gradient with respect to the prediction."""

import numpy as np

from rnnlib.functional import valid_steps


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
    """
    if y.shape != target.shape:
        raise ValueError(f"mse: prediction has shape {y.shape}, target {target.shape}; they must be equal")
    if y.size == 0:
        raise ValueError(f"mse: no values to average, the shape is {y.shape}")
    error = y - target
    count = error.size
    if lengths is not None:
        if y.ndim != 3:
            raise ValueError(f"mse: with lengths the prediction must have shape (B, T, O), got {y.shape}")
        mask = valid_steps(lengths, *y.shape[:2], like=y)
        error = np.where(mask[:, :, None], error, 0)  # a padded target may be anything, NaN too
        count = int(mask.sum()) * y.shape[2]
    return float((error**2).sum() / count), 2 * error / count
