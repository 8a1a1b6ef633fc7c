"""Naive forecasts, which every model has to beat."""

import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression

from rnnlib.data.windows import windows

LAST_VALUE, SEASONAL, EWMA, HAR = "last value", "seasonal naive", "EWMA", "HAR"
DECAY = 0.94  # of the EWMA of daily variances (RiskMetrics 1996)
WEEK, MONTH = 5, 22  # trading days


def linear_name(data):
    """The name of the linear forecast: AR(L), an autoregression on the last L steps."""
    return f"AR({data.length})"


def rivals(data):
    """The two naive forecasts that all are tested against, with the ending of the test's columns."""
    linear = {HAR: " vs HAR"} if _has_month(data) else {linear_name(data): " vs AR"}
    return {LAST_VALUE: ""} | linear


def baselines(data, rows=None):
    """Naive forecasts, each one step ahead.

    Args:
        data: a Dataset. ``data.origin.season`` is the number of steps m after which
            the series repeats itself.
        rows: (n,) the rows of ``data.frame`` to forecast, each at least L + 1; those of the test
            part if None.

    Returns:
        name -> (n,), in the target's unit. ``LAST_VALUE`` says that nothing changes;
        ``SEASONAL`` repeats the value m steps before the answer (left out if there are
        fewer than m steps, or no season is known). Of a log variance, ``EWMA`` is the logarithm of the
        exponentially weighted mean of the variances, v̂_t = 0.94 v̂_{t−1} + 0.06 v_{t−1}
        (RiskMetrics 1996), and ``HAR`` a linear model of the last value and of its means over a
        week and a month (Corsi 2009), left out if the past has less than two months.
        ``linear_name(data)`` is a linear model of the last L returns (or values). Linear models are
        fitted by least squares to all before the test part.
    """
    rows = data.rows if rows is None else rows
    before = data.level[rows - 1]
    forecasts = {LAST_VALUE: before}
    season = data.origin.season
    if season and rows[0] >= season:
        forecasts[SEASONAL] = data.level[rows - season]
    if data.has_variance:
        means = pd.Series(np.exp(data.level)).ewm(alpha=1 - DECAY, adjust=False).mean().to_numpy()
        forecasts[EWMA] = np.log(means[rows - 1])
    if _has_month(data):
        forecasts[HAR] = har_paths(data, rows - 1, 1)[:, 0]
    series = data.transform.series(data.level)
    x, y = windows(series, series, data.length)  # window i answers row i + L + 1
    past = np.flatnonzero(data.measured[data.length + 1 : data.split.test.start + 1])
    linear = LinearRegression().fit(x[past, :, 0], y[past])
    ahead = linear.predict(x[rows - data.length - 1, :, 0])
    forecasts[linear_name(data)] = data.transform.to_level(ahead, before)
    return forecasts


def har_paths(data, rows, steps):
    """HAR's forecasts of several steps, each made from the one before it.

    Args:
        data: a Dataset of a log variance.
        rows: (n,) the last known row for each forecast. Where there is no month before it, the first
            value stands for what is not known.
        steps: how many steps to go.

    Returns:
        (n, steps).
    """
    level = np.concatenate([np.full(MONTH - 1, data.level[0]), data.level])
    months = np.lib.stride_tricks.sliding_window_view(level, MONTH)  # months[r] ends with row r
    past = np.arange(MONTH, data.split.test.start + 1)
    linear = LinearRegression().fit(_har_terms(months[past - 1]), data.level[past])
    path = months[rows]
    for _ in range(steps):
        path = np.concatenate([path, linear.predict(_har_terms(path[:, -MONTH:]))[:, None]], axis=1)
    return path[:, MONTH:]


def _har_terms(months):
    """The last value of each month (n, 22), and its means over a week and the month: (n, 3)."""
    return np.stack([months[:, -1], months[:, -WEEK:].mean(axis=1), months.mean(axis=1)], axis=1)


def _has_month(data):
    """Whether the target is a log variance with a past long enough for HAR."""
    return data.has_variance and data.split.test.start >= 2 * MONTH
