"""A CSV file of daily prices as people have it, read into columns of floats."""

import re
from typing import NamedTuple

import pandas as pd

from rnnlib.data.csv_dates import ORDERS, read_days
from rnnlib.data.csv_names import PRICES
from rnnlib.data.csv_numbers import is_empty, marks_of, number
from rnnlib.data.csv_rows import read_rows
from rnnlib.data.price_table import checked

NUMBERS = [*PRICES, "volume", "adj_close"]
EVENT = re.compile(r"[0-9.:/]+ *(dividends?|stock splits?|capital gains?)\.?", re.ASCII | re.IGNORECASE)


class PriceFile(NamedTuple):
    """What ``read_csv`` reads.

    Attributes:
        frame: DataFrame sorted by its DatetimeIndex ``date``: the columns of floats that the file has among
            open, high, low, close, volume, adj_close, NaN for an empty cell; and ``splits``, new shares for
            one old on that day, 1 where there is none; not if they are written otherwise, such as 2:1.
        lines: Series with the same index, the number of each day's line.
        ticker: the symbol that the file names, or None.
        notes: what the user should know: sentences.
    """

    frame: pd.DataFrame
    lines: pd.Series
    ticker: str | None
    notes: tuple


def read_csv(path, symbol=None, columns=None, dates=None, start=None, end=None):
    """Read a CSV file in one of the forms of ``csv_names``; lines with # above the header are left out.

    Args:
        path: the file, a Path.
        symbol: which to take of a file with several.
        columns: those that are used, see ``checked``. In the others a cell that cannot be read becomes NaN.
        dates: "mdy" or "dmy", how to read 01/02/2024.
        start, end: Timestamps or None, the days that are used: outside of them a cell that cannot be read
            becomes NaN, too.

    Raises:
        ValueError: names the file, and the line that cannot be read.
    """
    if dates not in (None, *ORDERS):
        raise ValueError(f'dates must be "mdy" or "dmy", got {dates!r:.40}')
    names, rows, ticker = read_rows(path, symbol)
    try:
        cells = {name: [row[place].strip() for _, row in rows] for name, place in names.items()}
        lines = [line for line, _ in rows]
        _check_period(cells.get("period", []), lines)
        _check_events(rows, names)
        days = read_days(_moments(cells), lines, dates)
        numbers = {name: cells[name] for name in NUMBERS if name in cells}
        asked = (days >= (start or days.min())) & (days <= (end or days.max()))
        held = _with_price(numbers)
        others = set(range(len(rows[0][1]))) - {names[name] for name in numbers}
        marks = marks_of(numbers, lines, ([row[place].strip() for _, row in rows] for place in others))
        needed = checked(numbers, columns)
        floats = {
            name: _floats(name, column, lines, held, marks, asked & (name in needed))
            for name, column in numbers.items()
        }
    except ValueError as error:
        raise ValueError(f"{path}, {error}") from None
    frame = pd.DataFrame(floats, index=days.rename("date"))
    splits = _splits(cells.get("splits", []))
    if splits is not None:
        frame["splits"] = splits
    frame = _in_order(frame.assign(line=lines, held=held), path)
    part = frame.loc[start:end]
    notes = _note_on(part[~part["held"]], len(part))
    frame = frame[frame["held"]]
    if frame.empty:
        raise ValueError(f"{path}: the file has no day with a price")
    return PriceFile(frame.drop(columns=["line", "held"]), frame["line"], ticker, notes)


def _in_order(frame, path):
    """The rows by date; a ValueError if one stands there twice."""
    frame = frame.sort_index(kind="stable")
    twice = frame[frame.index.duplicated()]
    if len(twice):
        day = twice.index[0]
        first, second = sorted(frame.loc[day, "line"].iloc[:2])
        raise ValueError(
            f"{path}, line {second}: {day:%Y-%m-%d} stands there twice: remove one of the lines {first} "
            f"and {second}"
        )
    return frame


def _splits(cells):
    """New shares for one old on each day, 1 where there is no split; None if not all can be read."""
    named = pd.Series(["" if is_empty(cell) else cell for cell in cells], dtype=object)
    splits = pd.to_numeric(named, errors="coerce")
    unread = splits.isna() & (named != "")
    return None if splits.empty or unread.any() else splits.where(splits > 0, 1.0).to_numpy()


def _check_period(cells, lines):
    """Stooq's files say D for a day, and minutes otherwise."""
    for cell, line in zip(cells, lines, strict=False):
        if cell.isdigit():
            raise ValueError(
                f"line {line}: the file has times of day (period {cell:.10}): daily prices are needed"
            )


def _check_events(rows, names):
    """A page of Yahoo that was copied holds lines of dividends and splits among the days."""
    for line, row in rows:
        for cell in (row[place].strip() for name, place in names.items() if name in NUMBERS):
            if EVENT.fullmatch(cell):
                raise ValueError(f"line {line}: {cell!r:.40} is no day's prices: remove such lines")


def _moments(cells):
    """The cells of the dates, each with its time of day where that is a column of its own."""
    times = cells.get("time")
    if times is None:
        return cells["date"]
    times = [f"{time[:2]}:{time[2:4]}" if time.isdigit() and len(time) in (4, 6) else time for time in times]
    return [f"{date} {time}".strip() for date, time in zip(cells["date"], times, strict=True)]


def _with_price(numbers):
    """Whether each row holds more than a date: a price, or trade without one, which is a hole."""
    columns = [numbers[name] for name in NUMBERS if name in numbers]
    quiet = [is_empty if name != "volume" else _no_trade for name in NUMBERS if name in numbers]
    return [
        not all(test(cell) for test, cell in zip(quiet, row, strict=True))
        for row in zip(*columns, strict=True)
    ]


def _no_trade(cell):
    return is_empty(cell) or not cell.strip("0.KMB")


def _floats(name, cells, lines, held, marks, needed):
    """A column of cells as floats; one that cannot be read is an error if it is needed, else NaN."""
    values = []
    for cell, line, there, must in zip(cells, lines, held, needed, strict=True):
        try:
            values.append(number(name, cell, marks) if there else float("nan"))
        except ValueError as error:
            if must:
                raise ValueError(f"line {line}: {error}") from None
            values.append(float("nan"))
    return values


def _note_on(empty, days):
    """The sentence on days without a price, which are left out."""
    if empty.empty:
        return ()
    place = f"line {empty['line'].iloc[0]}, {empty.index[0]:%Y-%m-%d}"
    rows = f"1 row of {days} has" if len(empty) == 1 else f"{len(empty)} rows of {days} have"
    others = "" if len(empty) == 1 else "the first "
    return (f"{rows} a date without a price ({others}{place}): left out, as without trade.",)
