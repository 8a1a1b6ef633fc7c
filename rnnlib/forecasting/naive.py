"""Naive forecasts, which every model has to beat."""

import numpy as np
from sklearn.linear_model import LinearRegression

from rnnlib.data.windows import windows


def baselines(data):
    """Naive forecasts of the test part, each one step ahead.

    Args:
        data: a Dataset. ``data.origin.season`` is the number of steps m after which
            the series repeats itself.

    Returns:
        name -> (n,), in the target's unit. "last value" says that nothing changes;
        "seasonal naive" repeats the value m steps before the answer (left out if there are
        fewer than m steps, or no season is known); "AR(L)" is a linear model of the last L
        returns (or values), fitted by least squares to all before the test part.
    """
    found = {"last value": data.before}
    season = data.origin.season
    if season and data.rows[0] >= season:
        found["seasonal naive"] = data.level[data.rows - season]
    series = data.transform.series(data.level)
    x, y = windows(series, series, data.length)  # window i answers row i + L + 1
    past = np.flatnonzero(data.measured[data.length + 1 : data.split.test.start + 1])
    linear = LinearRegression().fit(x[past, :, 0], y[past])
    ahead = linear.predict(x[data.rows - data.length - 1, :, 0])
    found[f"AR({data.length})"] = data.transform.to_level(ahead, data.before)
    return found
