"""What a network forecasts of a column: its log returns, or its values."""

import numpy as np

from rnnlib.data.calendar import CIRCLES
from rnnlib.data.volatility import LOG_VARIANCE


class LogReturns:
    """The log returns ln(v_t / v_{t−1}) of values above 0."""

    name = "return"
    has_returns = True  # what is forecast so is judged as prices are

    def series(self, values):
        """The log returns of values (N, ...): (N − 1, ...)."""
        return np.diff(np.log(values), axis=0)

    def features(self, values, columns):
        """The log returns of columns (N, D), by their names: (N − 1, D)."""
        values = values + [name == "volume" for name in columns]  # a day without trade has a return too
        for name, column in zip(columns, values.T, strict=True):
            if not (column > 0).all():
                raise ValueError(f"{name} must be above 0 for returns, found {column[column <= 0][0]}")
        return self.series(values)

    def unchanged(self, features, columns):
        """The features (n, D) after a step on which nothing changes: all returns are 0."""
        return np.zeros_like(features)

    def to_level(self, forecast, before):
        """The value that a forecast stands for, given the value one step before."""
        return self.shift(before, forecast)

    def difference(self, values, others):
        """How far values lie above others: the logarithm of their ratio."""
        return np.log(values / others)

    def shift(self, values, difference):
        """The values that lie so far above: ``difference`` undone."""
        return values * np.exp(difference)

    def change(self, values, before):
        """What a figure shows of a step, in %; NaN where a forecast is 0 or infinite."""
        with np.errstate(divide="ignore", invalid="ignore"):
            change = self.difference(values, before)
        return 100 * np.where(np.isfinite(change), change, np.nan)

    def change_label(self, unit):
        """The label of ``change``."""
        return "log return (%)"

    def difference_label(self, quantity):
        """The label of ``difference``."""
        return "log returns"


class Values:
    """The values themselves; each method as that of LogReturns."""

    name = "value"
    has_returns = False

    def series(self, values):
        return values[1:]

    def features(self, values, columns):
        return self.series(values)

    def unchanged(self, features, columns):
        return features

    def to_level(self, forecast, before):
        return forecast

    def difference(self, values, others):
        return values - others

    def shift(self, values, difference):
        return values + difference

    def change(self, values, before):
        return self.difference(values, before)

    def change_label(self, unit):
        return f"change ({unit})" if unit else "change"

    def difference_label(self, quantity):
        return quantity


class LogVariances(Values):
    """The log variance itself; beside it, prices and the volume are read as log returns."""

    name = "volatility"

    def features(self, values, columns):
        features = values[1:].copy()
        moving = self._moving(columns)
        if moving.any():
            names = [name for name, moves in zip(columns, moving, strict=True) if moves]
            features[:, moving] = LogReturns().features(values[:, moving], names)
        return features

    def unchanged(self, features, columns):
        return np.where(self._moving(columns), 0, features)

    def _moving(self, columns):
        """Which columns are read as returns."""
        return np.array([name not in (LOG_VARIANCE, *CIRCLES) for name in columns])


#: The transforms by the name that commands and files use.
TRANSFORMS = {transform.name: transform for transform in (LogReturns(), Values(), LogVariances())}
