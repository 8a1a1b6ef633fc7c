"""Naive forecasts, which every model has to beat."""

import numpy as np
from sklearn.linear_model import LinearRegression

from rnnlib.data.windows import windows

LAST_VALUE, SEASONAL = "last value", "seasonal naive"


def linear_name(data):
    """The name of the linear forecast: AR(L), an autoregression on the last L steps."""
    return f"AR({data.length})"


def baselines(data):
    """Naive forecasts of the test part, each one step ahead.

    Args:
        data: a Dataset. ``data.origin.season`` is the number of steps m after which
            the series repeats itself.

    Returns:
        name -> (n,), in the target's unit. ``LAST_VALUE`` says that nothing changes;
        ``SEASONAL`` repeats the value m steps before the answer (left out if there are
        fewer than m steps, or no season is known); ``linear_name(data)`` is a linear model of the
        last L returns (or values), fitted by least squares to all before the test part.
    """
    forecasts = {LAST_VALUE: data.before}
    season = data.origin.season
    if season and data.rows[0] >= season:
        forecasts[SEASONAL] = data.level[data.rows - season]
    series = data.transform.series(data.level)
    x, y = windows(series, series, data.length)  # window i answers row i + L + 1
    past = np.flatnonzero(data.measured[data.length + 1 : data.split.test.start + 1])
    linear = LinearRegression().fit(x[past, :, 0], y[past])
    ahead = linear.predict(x[data.rows - data.length - 1, :, 0])
    forecasts[linear_name(data)] = data.transform.to_level(ahead, data.before)
    return forecasts
