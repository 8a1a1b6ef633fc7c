"""Forecasts of the next step and of several, and their honest comparison with naive ones."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.linear_model import LinearRegression
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score

from rnnlib.data.calendar import calendar, following
from rnnlib.data.windows import windows
from rnnlib.train import predict


def forecast(model, data):
    """The model's one-step forecasts for the test part of a Dataset, (n,), in the target's unit."""
    return data.to_level(predict(model, data.test[0])[:, 0].astype(float), data.before)


def baselines(data):
    """Naive one-step forecasts for the test part.

    Args:
        data: a Dataset. ``data.frame.attrs["season"]`` is the number of steps m after which
            the series repeats itself.

    Returns:
        name -> (n,), in the target's unit. "last value" says that nothing changes;
        "seasonal naive" repeats the value m steps before the answer (left out if there are
        fewer than m steps, or no season is known); "AR(L)" is a linear model of the last L
        returns (or values), fitted by least squares to all before the test part.
    """
    found = {"last value": data.before}
    season = data.frame.attrs.get("season")
    if season and data.rows[0] >= season:
        found["seasonal naive"] = data.level[data.rows - season]
    series = np.diff(np.log(data.level)) if data.predict == "return" else data.level[1:]
    x, y = windows(series, series, data.length)  # window i answers row i + L + 1
    known = data.split.test.start - data.length
    linear = LinearRegression().fit(x[:known, :, 0], y[:known])
    ahead = linear.predict(x[data.rows - data.length - 1, :, 0])
    found[f"AR({data.length})"] = data.before * np.exp(ahead) if data.predict == "return" else ahead
    return found


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
    known = calendar(data.frame.index.append(following(data.frame.index, steps)))
    inputs = data.inputs(data.frame)  # inputs[i] belongs to row i + 1
    x = np.stack([inputs[row - length : row] for row in rows]).astype(np.float32)
    level, forecasts = data.level[rows], []
    for step in range(1, steps + 1):
        output = predict(model, x)[:, 0].astype(float)
        level = data.to_level(output, level)
        forecasts.append(level)
        # Unchanged means a log return of 0, or the value of the step before.
        new = np.broadcast_to(-mean / std, x[:, -1].shape) if data.predict == "return" else x[:, -1]
        new = new.astype(np.float32)
        for i, feature in enumerate(data.features):
            if feature == data.target:
                new[:, i] = output  # the target is scaled alike as a feature
            elif feature in known.columns:
                new[:, i] = (known[feature].to_numpy()[rows + step] - mean[i]) / std[i]
        x = np.concatenate([x[:, 1:], new[:, None]], axis=1)
    return np.stack(forecasts, axis=1)


def mase(actual, forecast, training, season=1):
    """Mean absolute scaled error (Hyndman and Koehler 2006): MAE ÷ that of a naive forecast in the past.

    Args:
        actual, forecast: (n,).
        training: (N,) the values before the forecasts; their mean |v_t − v_{t−season}| is the scale.
        season: distance of the naive forecast, 1 for the last value.

    Returns:
        A float; below 1 is better than the naive forecast was in the past. NaN if nothing changed then.
    """
    training = np.asarray(training, float)
    if not 1 <= season < len(training):
        raise ValueError(f"a season of {season} needs more training values than {len(training)}")
    scale = np.abs(training[season:] - training[:-season]).mean()
    return mean_absolute_error(actual, forecast) / scale if scale > 0 else np.nan


class Direction(NamedTuple):
    """How often a forecast has the direction right.

    Attributes:
        accuracy: share of right calls; NaN if the forecast never calls a direction.
        low, high: 95% interval of the accuracy (Wilson).
        base_rate: share of the more frequent direction, which "always up" or "always down" reaches.
        n: steps that were judged: those on which the series moved.
    """

    accuracy: float
    low: float
    high: float
    base_rate: float
    n: int


def direction(actual, forecast, before):
    """Judge the sign of the forecast change, forecast − before. On a step that moved, "no change" is wrong.

    Args:
        actual, forecast, before: (n,); ``before`` is the value one step before each answer.

    Returns:
        A Direction.
    """
    moved = np.sign(np.asarray(actual) - before)
    called = np.sign(np.asarray(forecast) - before)[moved != 0]
    moved = moved[moved != 0]
    n = len(moved)
    if n == 0:
        return Direction(np.nan, np.nan, np.nan, np.nan, 0)
    up = float((moved > 0).mean())
    base_rate = max(up, 1 - up)
    if not called.any():
        return Direction(np.nan, np.nan, np.nan, base_rate, n)
    right = int((called == moved).sum())
    interval = stats.binomtest(right, n).proportion_ci(0.95, "wilson")
    return Direction(right / n, interval.low, interval.high, base_rate, n)


def diebold_mariano(errors, rival_errors, horizon=1, power=2):
    """Could two forecasts be equally good? (Diebold and Mariano 1995.)

    With the correction and the t distribution of Harvey, Leybourne and Newbold 1997. If the
    estimated variance of the mean is not above 0 (possible for horizons above 1), it is
    estimated with Bartlett weights.

    Args:
        errors, rival_errors: (n,) forecast errors at the same times.
        horizon: how many steps ahead the forecasts were made, below n.
        power: the loss is |error|^power.

    Returns:
        (statistic, p): below 0 if the first is better; the two-sided p-value. NaN if the
        difference in loss is the same at all times.
    """
    errors, rival_errors = np.asarray(errors, float), np.asarray(rival_errors, float)
    n = len(errors)
    if errors.shape != rival_errors.shape or errors.ndim != 1:
        raise ValueError(f"errors must be two equal vectors, got {errors.shape} and {rival_errors.shape}")
    if not (np.isfinite(errors).all() and np.isfinite(rival_errors).all()):
        raise ValueError("the errors hold a missing or infinite value")
    if not 1 <= horizon < n:
        raise ValueError(f"the horizon must lie between 1 and {n - 1}, got {horizon}")
    difference = np.abs(errors) ** power - np.abs(rival_errors) ** power
    centred = difference - difference.mean()
    if np.allclose(centred, 0, atol=1e-12 * np.abs(difference).max()):
        return np.nan, np.nan
    covariance = np.array([centred[k:] @ centred[: n - k] for k in range(horizon)]) / n
    variance = covariance[0] + 2 * covariance[1:].sum()
    if variance <= 0:
        variance = covariance[0] + 2 * ((1 - np.arange(1, horizon) / horizon) * covariance[1:]).sum()
    correction = (n + 1 - 2 * horizon + horizon * (horizon - 1) / n) / n
    statistic = difference.mean() / np.sqrt(variance / n) * np.sqrt(correction)
    return float(statistic), float(2 * stats.t.sf(abs(statistic), n - 1))


def compare(forecasts, data):
    """Score one-step forecasts beside the naive ones.

    Args:
        forecasts: name -> (n,) forecasts for the test part, in the target's unit.
        data: the Dataset they belong to.

    Returns:
        DataFrame, one row a forecast, the naive ones last. Columns: (scale, metric) with MSE,
        RMSE, MAE, R², MASE, on the scales "prices" and "returns" (log returns) if the target
        is a price, else on "values"; ("direction", fields of Direction); and
        ("Diebold-Mariano", statistic | p) against the last value, on squared errors of the
        last scale.

    Raises:
        ValueError: there is not one finite forecast for each test step.
    """
    forecasts = {**forecasts, **baselines(data)}
    for name, values in forecasts.items():
        if np.shape(values) != data.actual.shape:
            raise ValueError(f"{name}: forecasts must have shape {data.actual.shape}, got {np.shape(values)}")
        if not np.isfinite(values).all():
            raise ValueError(f"{name}: a forecast is missing or infinite")
    rows = {}
    for name, values in forecasts.items():
        row = {}
        for scale, (change, past) in _scales(data).items():
            found = _scores(change(data.actual), change(values), past)
            row |= {(scale, metric): value for metric, value in found.items()}
        calls = direction(data.actual, values, data.before)._asdict()
        row |= {("direction", field): value for field, value in calls.items()}
        errors, rival = (change(data.actual) - change(f) for f in (values, data.before))
        known = name != "last value" and np.isfinite(errors).all()
        test = diebold_mariano(errors, rival) if known else (np.nan, np.nan)
        row |= zip((("Diebold-Mariano", "statistic"), ("Diebold-Mariano", "p")), test, strict=True)
        rows[name] = row
    return pd.DataFrame.from_dict(rows, orient="index")


def compare_horizons(model, data, steps):
    """Score recursive forecasts 1 to ``steps`` steps ahead, from every test step that allows it.

    Returns:
        DataFrame, one row a horizon, with the RMSE of the model and of the last value (of log
        returns if the model predicts returns, else of values) and the p-value of the
        Diebold–Mariano test for that horizon.
    """
    errors, rivals = _path_errors(model, data, steps)
    rows = []
    for horizon in range(1, steps + 1):
        pair = errors[:, horizon - 1], rivals[:, horizon - 1]
        rows.append((horizon, *(np.sqrt(np.mean(e**2)) for e in pair), diebold_mariano(*pair, horizon)[1]))
    return pd.DataFrame(rows, columns=["horizon", "RMSE", "RMSE of last value", "p"]).set_index("horizon")


def error_bands(model, data, steps, share=0.8):
    """Between which limits the middle ``share`` of the recursive forecasts' errors lay in the test part.

    Returns:
        (low, high): (steps,) each, errors actual − forecast; of logarithms if the model predicts returns.
    """
    errors, _ = _path_errors(model, data, steps)
    return np.quantile(errors, [0.5 - share / 2, 0.5 + share / 2], axis=0)


def _path_errors(model, data, steps, most=500):
    """Errors actual − forecast of recursive forecasts, and of the last value, (n, steps) each.

    From at most ``most`` test steps, evenly spread, that are followed by measured ones.
    """
    measured = np.isin(np.arange(len(data.level) + steps), data.rows)
    starts = data.rows[[measured[row : row + steps].all() for row in data.rows]]
    if len(starts) <= steps:
        raise ValueError(f"the test part is too short to judge forecasts {steps} steps ahead")
    starts = starts[:: -(-len(starts) // most)]
    paths = recursive(model, data, starts - 1, steps)
    actual = np.stack([data.level[row : row + steps] for row in starts])
    last = data.level[starts - 1, None]
    if data.predict == "return":
        return np.log(actual / paths), np.log(actual / last)
    return actual - paths, actual - last


def verdict(scores, name):
    """One sentence on a row of ``compare``: is it better than the last value?"""
    statistic, p = scores.loc[name, "Diebold-Mariano"]
    if np.isnan(p):
        return (
            f"{name} and the last value cannot be compared: equal forecasts, or a price that is not above 0."
        )
    if p >= 0.05:
        return f"{name} cannot be told from the last value (Diebold-Mariano, p = {p:.2f})."
    words = "better than" if statistic < 0 else "worse than"
    return (
        f"{name} is {words} the last value (Diebold-Mariano, p {'< 0.001' if p < 0.001 else f'= {p:.3f}'})."
    )


def _scales(data):
    """scale -> (function of values at the test steps, the past on that scale)."""
    past = data.training_level
    if data.predict == "value" and "symbol" not in data.frame.attrs:
        return {"values": (lambda values: values, past)}
    return {
        "prices": (lambda values: values, past),
        "returns": (lambda values: _log_return(values, data.before), np.diff(np.log(past))),
    }


def _log_return(values, before):
    """ln(value / before); NaN where a forecast price is not above 0."""
    return np.log(np.where(values > 0, values, np.nan) / before)


def _scores(actual, forecast, past):
    if not np.isfinite(forecast).all():
        return dict.fromkeys(("MSE", "RMSE", "MAE", "R²", "MASE"), np.nan)
    mse = mean_squared_error(actual, forecast)
    return {
        "MSE": mse,
        "RMSE": mse**0.5,
        "MAE": mean_absolute_error(actual, forecast),
        "R²": r2_score(actual, forecast),
        "MASE": mase(actual, forecast, past),
    }
