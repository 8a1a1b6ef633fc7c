"""A table of daily prices: its columns, reading it from a CSV file, adjusting and checking it."""

import csv
import io
import re

import numpy as np
import pandas as pd

from rnnlib.data.dates import day

PRICES = ["open", "high", "low", "close"]
COLUMNS = ["date", *PRICES, "volume", "adj_close"]


def read_csv(path):
    """Read daily prices as they stand in a CSV file; lines that begin with # are left out.

    Returns:
        DataFrame sorted by its DatetimeIndex ``date``: the columns of floats that the file
        has, NaN for an empty cell, and ``line``, the number of the line.

    Raises:
        ValueError: names the file, and the line that cannot be read.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
        if "\0" in text:
            raise ValueError("a zero byte")
    except ValueError:
        raise ValueError(f"{path}: not text in UTF-8: save it as CSV in UTF-8") from None
    table = csv.reader(io.StringIO(text, newline=""), strict=True)
    names, days = None, []
    try:
        for row in table:
            if not row or row[0].startswith("#"):
                continue
            if names is None:
                names = _header(row)
            elif len(row) != len(names):
                raise ValueError(f"{len(row)} cells, where the header has {len(names)}")
            else:
                cells = dict(zip(names, row, strict=True))
                date = day(cells.pop("date").strip())
                numbers = {name: _number(name, cell.strip()) for name, cell in cells.items()}
                days.append({"date": date, "line": table.line_num, **numbers})
    except (ValueError, csv.Error) as error:
        raise ValueError(f"{path}, line {table.line_num}: {error}") from None
    if not days:
        raise ValueError(f"{path}: the file {'has no day below its header' if names else 'is empty'}")

    frame = pd.DataFrame(days)
    frame.index = pd.DatetimeIndex(frame.pop("date"), name="date").as_unit("ns")
    frame = frame.sort_index(kind="stable")
    twice = frame[frame.index.duplicated()]
    if len(twice):
        raise ValueError(
            f"{path}, line {twice['line'].iloc[0]}: {twice.index[0]:%Y-%m-%d} stands there twice"
        )
    return frame


def adjusted(raw):
    """The prices in ``raw``, each times adj_close / close of its day; volume as it is."""
    prices = raw[[name for name in PRICES if name in raw]]
    if "adj_close" in raw:
        prices = prices.mul(raw["adj_close"] / raw["close"], axis=0)
    return prices.assign(volume=raw["volume"]) if "volume" in raw else prices


def later_shares(factor):
    """How many shares of the last day one share of each day has become by splits.

    A split of n for 1 multiplies the factor adj_close / close by n overnight, a dividend by
    little more than 1. So a step by 1.4 or more is a split, n being rounded to halves (3 for 2
    is one), and a step down as far is a reverse split.
    """
    step = factor / factor.shift(fill_value=factor.iloc[0])
    times = np.maximum(step, 1 / step)
    times = (2 * times).round().div(2).where(times >= 1.4, 1)
    split = times.where(step > 1, 1 / times)
    return split.prod() / split.cumprod()


def check(prices, symbol):
    """Raise a ValueError that names a day with impossible numbers."""
    if flaw := fault(prices):
        rows, words = flaw
        days = prices.index[rows].strftime("%Y-%m-%d")
        others = f" (on {len(days)} days, the last {days[-1]})" if len(days) > 1 else ""
        raise ValueError(f"{symbol} on {days[0]}: {words}{others}: leave such days out with start and end")


def fault(prices):
    """The rows with a number that cannot be, and what the first is; None if there are none."""
    for name in prices:
        values = prices[name].to_numpy()
        least = "0 or more" if name == "volume" else "above 0"
        bad = ~np.isfinite(values) | (values < 0) | ((values == 0) & (name != "volume"))
        if bad.any():
            first = values[bad][0]
            words = "is missing" if np.isnan(first) else f"is {first:g}, where a number {least} is needed"
            return np.flatnonzero(bad), f"{name} {words}"
    if {"high", "low"} <= set(prices):
        bad = (prices["high"] < prices["low"]).to_numpy()
        if bad.any():
            high, low = prices.loc[bad, ["high", "low"]].iloc[0]
            return np.flatnonzero(bad), f"high {high:g} is below low {low:g}"
    return None


def _header(row):
    """The column names: lower case, spaces as underscores."""
    if any(";" in cell or "\t" in cell for cell in row):
        raise ValueError("columns parted by semicolons or tabs: use commas, and numbers such as 1234.5")
    names = ["_".join(cell.lower().split()) for cell in row]
    if names[0] == "price":
        raise ValueError("several lines of names, as yfinance writes: download with multi_level_index=False")
    for name in ("date", "close"):
        if name not in names:
            raise ValueError(f"no column {name}: there are {', '.join(names):.100}")
    for name in names:
        if name not in COLUMNS:
            raise ValueError(
                f"unknown column {name!r:.40}: known are {', '.join(COLUMNS)}; rename it or remove it"
            )
        if names.count(name) > 1:
            raise ValueError(f"two columns {name}")
    return names


def _number(name, cell):
    """A plain number as a float; NaN for an empty cell."""
    if cell.lower() in ("", "-", "na", "n/a", "nan", "null"):
        return float("nan")
    if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", cell):
        raise ValueError(f"cannot read the {name} {cell!r:.40}: write it as 1234.5")
    return float(cell)
