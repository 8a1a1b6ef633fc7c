"""Windows over a series, and splits in the order of time."""

import math
from typing import NamedTuple

import numpy as np
from sklearn.model_selection import TimeSeriesSplit


def windows(features, target, length):
    """Cut a series into questions and answers.

    Window i holds the features of days i to i + length − 1; its answer is the target of
    the next day, i + length. So window i belongs to the split that holds day i + length.

    Args:
        features: (N, D), or (N,) for one feature.
        target: (N,).
        length: days in a window, L.

    Returns:
        (x, y): (N − L, L, D) and (N − L,), both copies.

    Raises:
        ValueError: features and target differ in length, have other shapes, hold NaN, infinity or
            masked values, or are too short for one window.
    """
    features, target = _plain(features), _plain(target)
    if features.ndim == 1:
        features = features[:, None]
    if features.ndim != 2 or target.ndim != 1:
        raise ValueError(
            f"features are (N, D) and the target is (N,), got {features.shape} and {target.shape}"
        )
    if len(features) != len(target):
        raise ValueError(f"features have {len(features)} days, the target {len(target)}; they must agree")
    if length < 1:
        raise ValueError(f"the window length must be at least 1, got {length}")
    if len(target) <= length:
        raise ValueError(f"{len(target)} days are too few for windows of {length} days and an answer")
    for name, array in (("features", features), ("target", target)):
        if not np.isfinite(array).all():
            day = int(np.argwhere(~np.isfinite(array))[0][0])
            raise ValueError(
                f"the {name} hold a missing or infinite value on day {day}: fill or drop it first"
            )
    x = np.lib.stride_tricks.sliding_window_view(features, length, axis=0)[:-1]  # (N − L, D, L)
    return x.transpose(0, 2, 1).copy(), target[length:].copy()


def _plain(values):
    """An array of floats, NaN where a masked array has no value."""
    if np.ma.isMaskedArray(values):
        return np.ma.filled(values.astype(float), np.nan)
    return np.asarray(values, float)


class Split(NamedTuple):
    """Three slices of days, one after the other."""

    train: slice
    validation: slice
    test: slice


def chronological_split(n, validation=0.1, test=0.2):
    """Split n days in the order of time: the past trains, the future tests.

    Args:
        n: number of days.
        validation: share of the days for early stopping, before the test days.
        test: share of the days for the final score, at the end.

    Raises:
        ValueError: a part would be empty.
    """
    test_start = n - round(n * test)
    train_end = test_start - round(n * validation)
    if not 0 < train_end < test_start < n:
        raise ValueError(
            f"{n} days cannot be split into {validation:.0%} validation, {test:.0%} test and a training part"
        )
    return Split(slice(0, train_end), slice(train_end, test_start), slice(test_start, n))


def walk_forward(n, folds=5, validation=0.1, test=None):
    """Splits that walk through n days: each trains on all the past and tests on the stretch after it.

    Args:
        n: number of days.
        folds: number of splits.
        validation: share of the past that each fold holds back for early stopping, at its end.
        test: days that each fold tests; n // (folds + 1) if None.

    Returns:
        List of Splits, in the order of time. The test parts do not overlap, and end with day n − 1.

    Raises:
        ValueError: the days do not suffice for so many folds, or a part would be empty.
    """
    if not 0 < validation < 1:
        raise ValueError(f"validation is a share between 0 and 1, got {validation}")
    splits = []
    for past, future in TimeSeriesSplit(folds, test_size=test).split(np.empty(n)):
        train_end = len(past) - math.ceil(len(past) * validation)
        if train_end == 0:
            raise ValueError(
                f"{len(past)} days cannot be split into {validation:.0%} validation and training"
            )
        splits.append(
            Split(
                slice(0, train_end), slice(train_end, len(past)), slice(int(future[0]), int(future[-1]) + 1)
            )
        )
    return splits
