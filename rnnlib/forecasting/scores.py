"""Scores of forecasts: how large the errors are, how often the direction is right, and whether it is luck."""

from typing import NamedTuple

import numpy as np
from scipy import stats


def mase(actual, forecast, past, season=1):
    """Mean absolute scaled error (Hyndman and Koehler 2006): MAE ÷ that of a naive forecast in the past.

    Args:
        actual, forecast: (n,).
        past: (N,) the values before the forecasts; their mean |v_t − v_{t−season}| is the scale.
        season: distance of the naive forecast, 1 for the last value.

    Returns:
        A float; below 1 is better than the naive forecast was in the past. NaN if nothing changed then.
    """
    past = np.asarray(past, float)
    if not 1 <= season < len(past):
        raise ValueError(f"a season of {season} needs more past values than {len(past)}")
    scale = np.abs(past[season:] - past[:-season]).mean()
    return float(np.abs(np.subtract(actual, forecast)).mean() / scale) if scale > 0 else np.nan


def qlike(actual, forecast):
    """The loss of forecasts of a variance (Patton 2011): the mean of v / v̂ − ln(v / v̂) − 1.

    It is 0 where they are equal, and expects the least of the mean of v. To take a variance for half of
    what it is costs more than to take it for twice as much.

    Args:
        actual, forecast: (n,) variances, above 0.

    Returns:
        A float; infinite or NaN where a forecast overflowed.
    """
    with np.errstate(all="ignore"):
        ratio = np.asarray(actual, float) / forecast
        return float((ratio - np.log(ratio) - 1).mean())


class Direction(NamedTuple):
    """How often a forecast has the direction right.

    Attributes:
        accuracy: share of right calls among the n steps, where "no change" counts as wrong;
            NaN if the forecast never calls a direction.
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
    """Judge the sign of the forecast change, forecast − before.

    Args:
        actual, forecast, before: (n,); ``before`` is the value one step before each answer.

    Returns:
        A Direction.
    """
    moves = np.sign(np.asarray(actual) - before)
    calls = np.sign(np.asarray(forecast) - before)[moves != 0]
    moves = moves[moves != 0]
    n = len(moves)
    if n == 0:
        return Direction(np.nan, np.nan, np.nan, np.nan, 0)
    up = float((moves > 0).mean())
    base_rate = max(up, 1 - up)
    if not calls.any():
        return Direction(np.nan, np.nan, np.nan, base_rate, n)
    right = int((calls == moves).sum())
    interval = stats.binomtest(right, n).proportion_ci(0.95, "wilson")
    return Direction(right / n, interval.low, interval.high, base_rate, n)


def diebold_mariano(errors, rival_errors, horizon=1):
    """Could two forecasts have the same mean squared error? (Diebold and Mariano 1995.)

    With the correction and the t distribution of Harvey, Leybourne and Newbold 1997. If the
    estimated variance of the mean is not above 0 (possible for horizons above 1), it is
    estimated with Bartlett weights.

    Args:
        errors, rival_errors: (n,) forecast errors at the same times.
        horizon: how many steps ahead the forecasts were made, below n.

    Returns:
        (statistic, p): below 0 if the first is better; the two-sided p-value. NaN if the
        difference of the squared errors is the same at all times.
    """
    errors, rival_errors = np.asarray(errors, float), np.asarray(rival_errors, float)
    n = len(errors)
    if errors.shape != rival_errors.shape or errors.ndim != 1:
        raise ValueError(f"errors must be two equal vectors, got {errors.shape} and {rival_errors.shape}")
    if not (np.isfinite(errors).all() and np.isfinite(rival_errors).all()):
        raise ValueError("the errors hold a missing or infinite value")
    if not 1 <= horizon < n:
        raise ValueError(f"the horizon must lie between 1 and {n - 1}, got {horizon}")
    difference = errors**2 - rival_errors**2
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
