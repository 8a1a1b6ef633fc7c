"""A series prepared for a network: scaled windows in three parts, and the way back to real values."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.preprocessing import StandardScaler

from rnnlib.data.calendar import CIRCLES
from rnnlib.data.origin import Origin, origin_of
from rnnlib.data.table_input import checked_table, first_test_day
from rnnlib.data.transforms import TRANSFORMS, LogReturns, LogVariances, Values
from rnnlib.data.volatility import LOG_VARIANCE
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
        transform: LogReturns, if the network reads and forecasts log returns ln(v_t / v_{t−1});
            Values, if v_t itself; or LogVariances, if it forecasts a log variance.
        relative: whether the target, as a feature and as an answer, is read as its distance from its
            mean over the window.
        length: steps in a window, L.
        split: which of the rows 1 ... N − 1 of ``frame`` (row 0 has no return) are in which part;
            a window belongs to the part that holds its answer.
        scaling: the Scaling; it has seen the training part alone.
        train, validation, test: (x, y) with x (n, L, D) and y (n, 1), float32, scaled.
            Windows whose answer was not measured are left out.
        rows: the rows of ``frame`` that the test answers belong to, (n,).
        past_rows: the rows of the answers before them, in ``train`` and ``validation``.
        level: the target's column, (N,), gaps filled with the last value before them.
        measured: whether the target was measured there, (N,).
    """

    frame: pd.DataFrame
    origin: Origin
    features: list
    target: str
    transform: LogReturns | Values | LogVariances
    relative: bool
    length: int
    split: Split
    scaling: Scaling
    train: tuple
    validation: tuple
    test: tuple
    rows: np.ndarray
    past_rows: np.ndarray
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
    def label(self):
        """The target's name for readers."""
        names = {LOG_VARIANCE: "log variance"} | ({"close": "adjusted close"} if self.origin.prices else {})
        return names.get(self.target, self.target)

    @property
    def quantity(self):
        """The target with its unit, for an axis or a heading."""
        return f"{self.label} ({self.unit})" if self.unit else self.label

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
    def has_variance(self):
        """Whether the target is the logarithm of a variance."""
        return isinstance(self.transform, LogVariances)

    @property
    def frozen_features(self):
        """The features of which nobody knows the future: neither the target nor the calendar."""
        return [name for name in self.features if name != self.target and name not in CIRCLES]

    def centre(self, rows):
        """What the answers of these rows are relative to: the mean of the L values before, or 0; (n,)."""
        if not self.relative:
            return np.zeros(len(rows))
        return self.level[rows[:, None] + np.arange(-self.length, 0)].mean(axis=1)

    def to_level(self, output, before, centre=0.0):
        """The target's values that scaled outputs stand for, given the value a step before and the centre."""
        forecast = output * self.scaling.target_std + self.scaling.target_mean + centre
        with np.errstate(over="ignore"):  # the forecasts of a training that diverged
            return self.transform.to_level(forecast, before)

    def inputs(self, frame):
        """The features of all rows of such a table but the first, not yet scaled, (N − 1, D)."""
        return _features(frame, self.features, self.transform)

    def questions(self, inputs, centre):
        """Windows of such features, (n, L, D), as the network reads them: centred, scaled, float32."""
        return _questions(inputs, centre, self.features, self.target, self.scaling)


def make_dataset(
    frame,
    features=("close",),
    target="close",
    predict="return",
    length=30,
    relative=False,
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
        frame: DataFrame in the order of time, one row a step; columns of text hold numbers such as 1.5.
        features: the columns to read.
        target: the column to forecast.
        predict: "return", the target's log return; "value"; or "volatility", a log variance (see
            ``volatility.with_log_variance``). With "return" the network also reads every feature as a
            log return, with "volatility" prices and the volume.
        length: steps in a window.
        relative: the network reads the target as its distance from its mean over the window, and
            forecasts that distance; for levels that shift. Not with "return".
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
        TypeError: no DataFrame, or its index is text.
    """
    features = [features] if isinstance(features, str) else list(features)
    frame = checked_table(frame, features, target)
    if predict not in TRANSFORMS:
        raise ValueError(f'predict must be "return", "value" or "volatility", got {predict!r}')
    if predict == "volatility" and target != LOG_VARIANCE:
        raise ValueError(
            f"to predict volatility the target must be {LOG_VARIANCE}, see volatility.with_log_variance"
        )
    if relative and predict == "return":
        raise ValueError("relative is for values: a return has no level that shifts")
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
    answers = _features(frame, [target], transform)[:, 0]
    x, y = windows(inputs, answers, length)
    centre = windows(answers, answers, length)[0].mean(axis=(1, 2)) if relative else np.zeros(len(y))
    y = y - centre
    if scaling is None:
        scaling = _scaling(inputs, answers, features, split.train)
        if relative:
            scaling = _about_centre(scaling, y[: split.train.stop - length], features, target)
    x = _questions(x, centre, features, target, scaling)
    y = ((y - scaling.target_mean) / scaling.target_std).astype(np.float32)[:, None]

    def part(steps):
        """The windows that answer these steps (window i answers step i + length), and the answers' rows."""
        places = np.arange(max(steps.start, length), steps.stop)
        places = places[measured[1:][places]]
        return (x[places - length], y[places - length]), places + 1

    (training, past), (validating, recent), (testing, rows) = map(part, split)
    if len(rows) < 2:
        raise ValueError(f"a test part with {len(rows)} measured steps is too short to judge forecasts")
    origin = origin or origin_of(frame)
    past = np.concatenate([past, recent])
    return Dataset(frame, origin, features, target, transform, relative, length, split, scaling,
                   training, validating, testing, rows, past, level, measured)  # fmt: skip


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


def _scaling(inputs, answers, features, train):
    """The Scaling of the training steps."""
    scaler = StandardScaler().fit(inputs[train])
    target_scaler = StandardScaler().fit(answers[train, None])
    return Scaling(scaler.mean_, scaler.scale_, float(target_scaler.mean_[0]), float(target_scaler.scale_[0]))


def _about_centre(scaling, distances, features, target):
    """The Scaling for a target that is read as its distance from a centre, given the training part's."""
    mean, std, own = scaling.mean.copy(), scaling.std.copy(), float(distances.std()) or 1.0
    mean[_place(features, target)], std[_place(features, target)] = 0, own
    return Scaling(mean, std, 0.0, own)


def _questions(inputs, centre, features, target, scaling):
    """Windows of features (n, L, D), the target about the centre (n,), scaled; float32."""
    inputs = inputs.copy()
    inputs[..., _place(features, target)] -= centre[:, None, None]
    return ((inputs - scaling.mean) / scaling.std).astype(np.float32)


def _place(features, target):
    """Where the target stands among the features; an empty list if it is none of them."""
    return [place for place, name in enumerate(features) if name == target]


def _split(index, validation, test):
    """The Split of the steps 1 ... N − 1; ``test`` is a share, or the first test day."""
    steps = len(index) - 1
    if isinstance(test, int | np.integer):
        raise ValueError(f"test is a share such as 0.2, or a day such as '2015-01-01', got {test}")
    if not isinstance(test, float | np.floating):
        day = first_test_day(index, test)
        first = int((index[1:] < day).sum())
        if not 0 < first < steps:
            raise ValueError(
                f"the test part begins on {day:%Y-%m-%d}, "
                f"but the data run from {index[0]:%Y-%m-%d} to {index[-1]:%Y-%m-%d}"
            )
        test = (steps - first) / steps
    return chronological_split(steps, validation, float(test))
