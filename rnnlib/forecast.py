"""Forecasting prices one day ahead, and the honest comparison with the last value."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score
from sklearn.preprocessing import StandardScaler

from rnnlib.data.windows import chronological_split, windows
from rnnlib.train import predict


@dataclass
class ReturnsDataset:
    """Windows of scaled log returns, and what turns a forecast back into a price.

    Attributes:
        train, validation, test: (x, y) pairs, x (n, L, 1) and y (n, 1), float32, scaled.
        mean, std: of the log returns of the training days; scaled = (return − mean) / std.
        dates: the days that the test targets belong to, (n,).
        before: price on the day before each of them, (n,), in the prices' unit.
        actual: price on the day itself, (n,).
    """

    train: tuple
    validation: tuple
    test: tuple
    mean: float
    std: float
    dates: pd.DatetimeIndex
    before: np.ndarray
    actual: np.ndarray


def returns_dataset(close, length=30, validation=0.1, test=0.2):
    """Prepare closing prices for a forecast of tomorrow's log return.

    The scaler sees the training days alone. A window belongs to the part that holds its
    answer; its question may reach back into the part before, which is the past by then.

    Args:
        close: Series of prices above 0, indexed by date.
        length: days in a window.
        validation, test: shares of the days, see ``chronological_split``.

    Returns:
        A ReturnsDataset.

    Raises:
        ValueError: a price is not finite and above 0, the days are not in order, or a part
            would hold no window.
    """
    if not (close.index.is_monotonic_increasing and close.index.is_unique):
        raise ValueError("the days must be in order, each one once: sort the prices by date")
    price = close.to_numpy(float)
    usable = (price > 0) & np.isfinite(price)
    if not usable.all():
        raise ValueError(f"prices must be above 0, found {price[~usable][0]}")
    returns = np.diff(np.log(price))  # returns[i] leads from day i to day i + 1
    split = chronological_split(len(returns), validation, test)
    if split.train.stop <= length:
        raise ValueError(f"{split.train.stop} training days are too few for windows of {length} days")
    scaler = StandardScaler().fit(returns[split.train, None])
    scaled = scaler.transform(returns[:, None])[:, 0]
    x, y = windows(scaled, scaled, length)

    def part(days):
        chosen = slice(max(days.start - length, 0), days.stop - length)
        return x[chosen].astype(np.float32), y[chosen, None].astype(np.float32)

    return ReturnsDataset(
        *(part(days) for days in split),
        mean=float(scaler.mean_[0]),
        std=float(scaler.scale_[0]),
        dates=close.index[1:][split.test],
        before=price[:-1][split.test],
        actual=price[1:][split.test],
    )


def predict_returns(model, data):
    """The model's log returns for the test days of a ReturnsDataset, (n,)."""
    return predict(model, data.test[0])[:, 0] * data.std + data.mean


def compare(predicted, data, name):
    """Score predicted returns beside the last-value forecast, which says "no change".

    Args:
        predicted: log returns for the test days, (n,).
        data: the ReturnsDataset they belong to.
        name: the model's name, for the table.

    Returns:
        DataFrame with two rows, the model and "last value", and the columns
        (prices | returns) x (MSE, RMSE, MAE, R²). Prices are in the data's unit.

    Raises:
        ValueError: there is not one prediction for each test day.
    """
    actual = np.log(data.actual / data.before)
    if np.shape(predicted) != actual.shape:
        raise ValueError(f"predictions must have shape {actual.shape}, got {np.shape(predicted)}")
    rows = {}
    for label, returns in ((name, predicted), ("last value", np.zeros_like(actual))):
        prices = data.before * np.exp(returns)
        rows[label] = {
            (of, metric): value
            for of, truth, forecast in (("prices", data.actual, prices), ("returns", actual, returns))
            for metric, value in _scores(truth, forecast).items()
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def _scores(truth, forecast):
    mse = mean_squared_error(truth, forecast)
    return {
        "MSE": mse,
        "RMSE": mse**0.5,
        "MAE": mean_absolute_error(truth, forecast),
        "R²": r2_score(truth, forecast),
    }
