"""A model's forecasts, of the next step and of several."""

import numpy as np

from rnnlib.data.calendar import calendar, following
from rnnlib.training.fit import predict


def one_step(model, data):
    """The model's forecasts of the test part, each one step ahead; (n,), in the target's unit."""
    return _levels(model, data, data.test[0], data.rows)


def past_steps(model, data):
    """The same before the test part, for ``data.past_rows``: what the model learnt from."""
    return _levels(model, data, np.concatenate([data.train[0], data.validation[0]]), data.past_rows)


def _levels(model, data, questions, rows):
    outputs = predict(model, questions)[:, 0].astype(float)
    return data.to_level(outputs, data.level[rows - 1], data.centre(rows))


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
    to_come = calendar(data.frame.index.append(following(data.frame.index, steps)))
    inputs = data.inputs(data.frame)  # inputs[i] belongs to row i + 1
    x = np.stack([inputs[row - length : row] for row in rows])
    levels = data.level[rows[:, None] + np.arange(1 - length, 1)]
    for step in range(1, steps + 1):
        centre = levels[:, -length:].mean(axis=1) if data.relative else np.zeros(len(rows))
        output = predict(model, data.questions(x, centre))[:, 0].astype(float)
        level = data.to_level(output, levels[:, -1], centre)
        levels = np.concatenate([levels, level[:, None]], axis=1)
        new = data.transform.unchanged(x[:, -1], data.features).copy()
        for i, feature in enumerate(data.features):
            if feature == data.target:
                new[:, i] = data.transform.series(levels[:, -2:].T)[0]
            elif feature in to_come.columns:
                new[:, i] = to_come[feature].to_numpy()[rows + step]
        x = np.concatenate([x[:, 1:], new[:, None]], axis=1)
    return levels[:, length:]
