"""A model's forecasts, of the next step and of several."""

import numpy as np

from rnnlib.data.calendar import calendar, following
from rnnlib.training.fit import predict


def one_step(model, data):
    """The model's forecasts of the test part, each one step ahead; (n,), in the target's unit."""
    return data.to_level(predict(model, data.test[0])[:, 0].astype(float), data.before)


def recursive(model, data, rows, steps):
    """Forecast several steps: each forecast becomes the input of the next.

    The target and the calendar go on; other features keep their last value.

    Args:
        model: a SequenceModel.
        data: the Dataset that it was trained on.
        rows: (n,) the last known row of ``data.frame`` for each forecast, at least L.
        steps: how many steps to go.

    Returns:
        (n, steps), in the target's unit.
    """
    rows, length = np.asarray(rows), data.length
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps}")
    if rows.min() < length or rows.max() >= len(data.frame):
        raise ValueError(f"rows must lie between {length} and {len(data.frame) - 1}, got {rows}")
    mean, std = data.scaling.mean, data.scaling.std
    to_come = calendar(data.frame.index.append(following(data.frame.index, steps)))
    inputs = data.inputs(data.frame)  # inputs[i] belongs to row i + 1
    x = np.stack([inputs[row - length : row] for row in rows]).astype(np.float32)
    level, forecasts = data.level[rows], []
    for step in range(1, steps + 1):
        output = predict(model, x)[:, 0].astype(float)
        level = data.to_level(output, level)
        forecasts.append(level)
        new = data.transform.unchanged(x[:, -1], data.scaling).astype(np.float32)
        for i, feature in enumerate(data.features):
            if feature == data.target:
                new[:, i] = output  # the target is scaled alike as a feature
            elif feature in to_come.columns:
                new[:, i] = (to_come[feature].to_numpy()[rows + step] - mean[i]) / std[i]
        x = np.concatenate([x[:, 1:], new[:, None]], axis=1)
    return np.stack(forecasts, axis=1)
