"""A series prepared for a network: scaled windows in three parts, and the way back to real values."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.preprocessing import StandardScaler

from rnnlib.data.calendar import CIRCLES
from rnnlib.data.origin import Origin, origin_of
from rnnlib.data.transforms import TRANSFORMS, LogReturns, Values
from rnnlib.data.windows import Split, chronological_split, windows


class Scaling(NamedTuple):
    """Means and standard deviations of the training part; scaled = (value − mean) / std.

    Attributes:
        mean, std: of each feature, (D,).
        target_mean, target_std: of the target.
    """

    mean: np.ndarray
    std: np.ndarray
    target_mean: float
    target_std: float


@dataclass(repr=False)
class Dataset:
    """What ``make_dataset`` makes of a table with one row a step (a day, an hour).

    Attributes:
        frame: the table.
        origin: its Origin: name, source, unit, season.
        features: the D columns that the network reads.
        target: the column that it forecasts.
        transform: LogReturns, if the network reads and forecasts log returns ln(v_t / v_{t−1}), or
            Values, if v_t itself.
        length: steps in a window, L.
        split: which of the rows 1 ... N − 1 of ``frame`` (row 0 has no return) are in which part;
            a window belongs to the part that holds its answer.
        scaling: the Scaling; it has seen the training part alone.
        train, validation, test: (x, y) with x (n, L, D) and y (n, 1), float32, scaled.
            Windows whose answer was not measured are left out.
        rows: the rows of ``frame`` that the test answers belong to, (n,).
        level: the target's column, (N,), gaps filled with the last value before them.
        measured: whether the target was measured there, (N,).
    """

    frame: pd.DataFrame
    origin: Origin
    features: list
    target: str
    transform: LogReturns | Values
    length: int
    split: Split
    scaling: Scaling
    train: tuple
    validation: tuple
    test: tuple
    rows: np.ndarray
    level: np.ndarray
    measured: np.ndarray

    def __repr__(self):
        parts = " / ".join(str(len(y)) for _, y in (self.train, self.validation, self.test))
        return f"Dataset({self.transform.name} of {self.target}: {parts} windows of {self.length} steps)"

    @property
    def unit(self):
        """The target's unit, "" if it is not known."""
        return self.origin.unit

    @property
    def quantity(self):
        """The target with its unit, for an axis or a heading."""
        name = "adjusted close" if self.origin.prices and self.target == "close" else self.target
        return f"{name} ({self.unit})" if self.unit else name

    @property
    def dates(self):
        """The times of the test answers, (n,)."""
        return self.frame.index[self.rows]

    @property
    def actual(self):
        """The target at these times, (n,), in its unit."""
        return self.level[self.rows]

    @property
    def before(self):
        """The target one step before each of them, (n,)."""
        return self.level[self.rows - 1]

    @property
    def past_level(self):
        """The target before the first test answer."""
        return self.level[: self.split.test.start + 1]

    @property
    def gaps(self):
        """How many steps have no measurement of the target."""
        return int((~self.measured).sum())

    @property
    def has_returns(self):
        """Whether forecasts are judged as those of prices, by their log returns too."""
        return self.origin.prices or self.transform.has_returns

    @property
    def frozen_features(self):
        """The features of which nobody knows the future: neither the target nor the calendar."""
        return [name for name in self.features if name != self.target and name not in CIRCLES]

    def to_level(self, output, before):
        """The target's values that scaled outputs stand for, given the value a step before."""
        forecast = output * self.scaling.target_std + self.scaling.target_mean
        with np.errstate(over="ignore"):  # the forecasts of a training that diverged
            return self.transform.to_level(forecast, before)

    def inputs(self, frame):
        """The scaled features of all rows of such a table but the first, (N − 1, D)."""
        return (_features(frame, self.features, self.transform) - self.scaling.mean) / self.scaling.std


def make_dataset(
    frame,
    features=("close",),
    target="close",
    predict="return",
    length=30,
    validation=0.1,
    test=0.2,
    split=None,
    scaling=None,
    fill_gaps=False,
    origin=None,
):
    """Prepare a table for a forecast of the next step.

    The scaler sees the training part alone. A window belongs to the part that holds its
    answer; its question may reach back into the part before, which is the past by then.

    Args:
        frame: DataFrame in the order of time, one row a step.
        features: the columns to read.
        target: the column to forecast.
        predict: "return", the target's log return, or "value". With "return" the network also reads
            every feature as a log return.
        length: steps in a window.
        validation: share of the steps for early stopping, before the test part.
        test: share of the steps for the final score, at the end; or the first test day.
        split: a Split of the N − 1 steps, such as one of ``walk_forward``, in place of the two shares.
        scaling: the Scaling of an earlier training; that of this table's training part if None.
        fill_gaps: let the last value before a gap stand in its place in the inputs. Otherwise a
            missing value is an error. Where the target was not measured it is never an answer.
        origin: the table's Origin; the one that its loader handed over if None.

    Returns:
        A Dataset.

    Raises:
        ValueError: unknown columns; values missing, or not above 0 where returns are asked for; rows not
            in order; or a part that would hold no window.
    """
    features = [features] if isinstance(features, str) else list(features)
    _check_columns(frame, features, target)
    if predict not in TRANSFORMS:
        raise ValueError(f'predict must be "return" or "value", got {predict!r}')
    if not (frame.index.is_monotonic_increasing and frame.index.is_unique):
        raise ValueError("the days must be in order, each one once: sort the table by date")
    if len(frame) < length + 4:
        raise ValueError(
            f"{len(frame)} days are too few for windows of {length} days and three parts: "
            "give more days, or shorter windows"
        )
    measured = frame[target].notna().to_numpy()
    if fill_gaps:
        frame = frame.ffill()  # looks back only, so no future leaks into the past
    if split is None:
        split = _split(frame.index, validation, test)
    if split.train.stop <= length:
        raise ValueError(f"{split.train.stop} training days are too few for windows of {length} days")
    level = frame[target].to_numpy(float)
    transform = TRANSFORMS[predict]
    inputs = _features(frame, features, transform)
    answers = _features(frame, [target], transform)
    if scaling is None:
        scaler = StandardScaler().fit(inputs[split.train])
        target_scaler = StandardScaler().fit(answers[split.train])
        scaling = Scaling(
            scaler.mean_, scaler.scale_, float(target_scaler.mean_[0]), float(target_scaler.scale_[0])
        )
    scaled = (answers[:, 0] - scaling.target_mean) / scaling.target_std
    x, y = windows((inputs - scaling.mean) / scaling.std, scaled, length)

    def part(steps):
        """The windows that answer these steps (window i answers step i + length), and the answers' rows."""
        places = np.arange(max(steps.start, length), steps.stop)
        places = places[measured[1:][places]]
        pair = x[places - length].astype(np.float32), y[places - length, None].astype(np.float32)
        return pair, places + 1

    (training, _), (validating, _), (testing, rows) = map(part, split)
    if len(rows) < 2:
        raise ValueError(f"a test part with {len(rows)} measured steps is too short to judge forecasts")
    origin = origin or origin_of(frame)
    return Dataset(frame, origin, features, target, transform, length, split, scaling,
                   training, validating, testing, rows, level, measured)  # fmt: skip


def _check_columns(frame, features, target):
    if not features:
        raise ValueError("at least one feature is needed")
    for column in [*features, target]:
        if column not in frame.columns:
            raise ValueError(f"there is no column {column!r}: choose from {', '.join(frame.columns)}")
    if len(set(features)) < len(features):
        raise ValueError(f"a feature is named twice: {', '.join(features)}")


def _features(frame, columns, transform):
    """The columns of all rows but the first, (N − 1, D): log returns, or the values themselves."""
    values = frame[columns].to_numpy(float)
    for i in range(len(columns)):
        if not np.isfinite(values[:, i]).all():
            row = frame.index[~np.isfinite(values[:, i])][0]
            raise ValueError(
                f"{columns[i]} is missing or infinite at {row}: fill it first, or ask for fill_gaps"
            )
    return transform.features(values, columns)


def _split(index, validation, test):
    """The Split of the steps 1 ... N − 1; ``test`` is a share, or the first test day."""
    steps = len(index) - 1
    if isinstance(test, int):
        raise ValueError(f"test is a share such as 0.2, or a day such as '2015-01-01', got {test}")
    if not isinstance(test, float):
        first = int((index[1:] < pd.Timestamp(test)).sum())
        if not 0 < first < steps:
            raise ValueError(
                f"the test part begins on {pd.Timestamp(test):%Y-%m-%d}, "
                f"but the data run from {index[0]:%Y-%m-%d} to {index[-1]:%Y-%m-%d}"
            )
        test = (steps - first) / steps
    return chronological_split(steps, validation, test)
