"""What ``make_dataset`` is given: many kinds of tables are taken, all others refused in one line."""

import numpy as np
import pandas as pd

from rnnlib.data import dates


def checked_table(frame, features, target):
    """A copy of a table whose columns that are used hold floats.

    Args:
        frame: what the user gave as a table.
        features, target: the columns that are used.

    Raises:
        TypeError: no DataFrame, or its index is text.
        ValueError: columns that are not there, are there twice, or hold no numbers.
    """
    if not isinstance(frame, pd.DataFrame):
        raise TypeError(f"the table must be a pandas DataFrame, got {type(frame).__name__}")
    if frame.columns.nlevels > 1:
        levels = ", ".join(str(name) for name in frame.columns.names)
        raise ValueError(
            f"the columns have {frame.columns.nlevels} levels ({levels}): take one symbol, such as "
            "frame.xs('AAPL', axis=1, level='Ticker')"
        )
    if frame.index.nlevels > 1:
        levels = ", ".join(str(name) for name in frame.index.names)
        raise ValueError(
            f"the rows have {frame.index.nlevels} levels ({levels}): take one symbol, such as "
            "frame.xs('AAPL', level='Ticker')"
        )
    if len(frame) and isinstance(frame.index[0], str):
        raise TypeError("the index is text: frame.index = pandas.to_datetime(frame.index) makes it times")
    if not features:
        raise ValueError("at least one feature is needed")
    for column in [*features, target]:
        if column not in frame.columns:
            raise ValueError(
                f"there is no column {column!r}: choose from {', '.join(map(str, frame.columns))}, "
                "or give data that have it"
            )
        if isinstance(frame[column], pd.DataFrame):
            raise ValueError(f"the table has two columns {column!r}: keep one")
    if len(set(features)) < len(features):
        raise ValueError(f"a feature is named twice: {', '.join(features)}")
    frame = frame.copy()
    for column in {*features, target}:
        frame[column] = _floats(frame[column])
    return frame


def first_test_day(index, test):
    """The first test day as a Timestamp in the index's time zone."""
    try:
        if isinstance(test, str):
            dates.day(test)  # 05/06/2024 may be two days
        day = pd.Timestamp(test)
    except (TypeError, ValueError):
        day = pd.NaT
    if day is pd.NaT:
        raise ValueError(f"test is a share such as 0.2, or a day such as '2015-01-01', got {test!r:.40}")
    if not isinstance(index, pd.DatetimeIndex):
        raise ValueError(
            f"test is the day {day:%Y-%m-%d}, but the table's index holds no times: give a share"
        )
    if day.tz is None:
        return day.tz_localize(index.tz)
    return day.tz_convert(index.tz) if index.tz else day.tz_localize(None)


def _floats(column):
    """A column as floats, NaN for what is missing."""
    try:
        if pd.api.types.is_datetime64_any_dtype(column):
            raise TypeError("but times")
        return column.astype(object).to_numpy(float, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise ValueError(f"column {column.name!r} does not hold numbers: {error!s:.200}") from None
