"""A table of daily prices: adjusting it for splits and dividends, and checking it."""

import numpy as np

from rnnlib.data.csv_names import PRICES

#: How far a step may be off its ratio to look like a split: it holds the night's or the day's return, too.
NEAR_OVERNIGHT, NEAR = 0.04, 0.1


def adjusted(raw):
    """The prices in ``raw``, each times adj_close / close of its day; volume as it is."""
    prices = raw[[name for name in PRICES if name in raw]]
    if "adj_close" in raw:
        prices = prices.mul(raw["adj_close"] / raw["close"], axis=0)
    return prices.assign(volume=raw["volume"]) if "volume" in raw else prices


def later_shares(factor, splits=None):
    """How many shares of the last day one share of each day has become by splits.

    A split of n for 1 multiplies the factor adj_close / close by n overnight, a dividend by
    little more than 1. Without ``splits`` a step by 1.4 or more is a split, n being rounded to halves
    (3 for 2 is one), and a step down as far is a reverse split.

    Args:
        factor: Series, (N,).
        splits: Series (N,), new shares for one old on each day. One without a step of the factor is in
            the prices and the volume already.
    """
    factor = factor.where(np.isfinite(factor) & (factor > 0)).ffill().bfill()  # a hole hides no split
    step = factor / factor.shift(fill_value=factor.iloc[0])
    if splits is not None:
        split = splits.where(_nearer(step, splits), 1.0)
    else:
        times = np.maximum(step, 1 / step)
        times = (2 * times).round().div(2).where(times >= 1.4, 1)
        split = times.where(step > 1, 1 / times)
    return split.prod() / split.cumprod()


def split_notes(raw, lines=None):
    """A sentence on the first day on which prices, if need be adjusted, jump as at a split; else ().

    With a column ``splits`` the file itself says when. Else a close that falls to about 1/2, 2/3, 1/3 ... of
    the day before, or rises to twice, three times ..., looks like a split. Where there is an open, the jump
    must lie before it: a crash goes on during the day. The data are left as they are.

    Args:
        raw: DataFrame with close, and open, adj_close and splits if the source has them.
        lines: Series with the days' numbers of lines; None if they are in no file.
    """
    prices = adjusted(raw)
    before = prices["close"].shift()
    step = before / prices["close"]  # n where a split of n for 1 left its trace
    if "splits" in raw:
        ratio, jumps = raw["splits"], _nearer(step, raw["splits"])
        cause = "that the file names, but is not adjusted for"
    else:
        ratio, distance = _ratio(step)
        jumps = distance < np.where(ratio == 1.5, NEAR / 2, NEAR)  # a fall by a third is not so rare
        if "open" in prices and prices["open"].gt(0).all():
            opening, distance = _ratio(before / prices["open"])
            overnight = (distance < NEAR_OVERNIGHT) & _nearer(step, opening)
            ratio, jumps = opening.where(overnight, ratio), overnight | jumps & _off_range(prices)
        cause = "that the prices are not adjusted for, or in a crash or a leap"
    if not jumps.any():
        return ()
    day = raw.index[jumps][0]
    shares = f"{ratio[day]:.4g} for 1" if ratio[day] > 1 else f"1 for {1 / ratio[day]:.4g}"
    others = f" (and {jumps.sum() - 1} more such days)" if jumps.sum() > 1 else ""
    name = "the adjusted close" if "adj_close" in raw else "close"
    change = f"{name} goes from {before[day]:.4g} to {prices['close'][day]:.4g}"
    place = "" if lines is None else f" (line {lines[day]})"
    choice = "whose adj_close knows of it" if "adj_close" in raw else "with adj_close or adjusted prices"
    return (
        f"On {day:%Y-%m-%d}{place} {change}, as at a split of {shares} {cause}{others}. "
        f"If it was a split, take a file {choice}.",
    )


def checked(names, columns=None):
    """Those of a table's columns that must be whole: the ones that are used, and what adjusts them.

    Args:
        names: the columns of the table.
        columns: those that are used; all if None.
    """
    used = set(names if columns is None else columns)
    return [
        name for name in names if name in used or (name in ("close", "adj_close") and "adj_close" in names)
    ]


def check(prices, symbol, columns=None):
    """Raise a ValueError that names a day with impossible numbers in the columns that are used."""
    if flaw := fault(prices[checked(prices, columns)]):
        rows, name, words = flaw
        days = prices.index[rows].strftime("%Y-%m-%d")
        others = f" (on {len(days)} days, the last {days[-1]})" if len(days) > 1 else ""
        choice = "" if name in ("close", "adj_close") else f", or do without {name}"
        raise ValueError(
            f"{symbol} on {days[0]}: {words}{others}: leave such days out: start after them, or end before "
            f"them{choice}"
        )


def fault(prices):
    """The rows with a number that cannot be, its column, and what the first is; None if there are none."""
    for name in prices:
        values = prices[name].to_numpy()
        least = "0 or more" if name == "volume" else "above 0"
        bad = ~np.isfinite(values) | (values < 0) | ((values == 0) & (name != "volume"))
        if bad.any():
            first = values[bad][0]
            words = "is missing" if np.isnan(first) else f"is {first:g}, where a number {least} is needed"
            return np.flatnonzero(bad), name, f"{name} {words}"
    if {"high", "low"} <= set(prices):
        bad = (prices["high"] < prices["low"]).to_numpy()
        if bad.any():
            high, low = prices.loc[bad, ["high", "low"]].iloc[0]
            return np.flatnonzero(bad), "high", f"high {high:g} is below low {low:g}"
    return None


def _nearer(step, splits):
    """Whether each step is nearer to its split than to 1, where there is a split."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return (splits != 1) & (np.abs(np.log(step / splits)) < np.abs(np.log(splits)) / 2)


def _off_range(prices):
    """Whether each close is far below the day's low or above its high: then the open is not in its unit."""
    low, high = (prices.get(name, prices["close"]) for name in ("low", "high"))
    return (prices["close"] < low * (1 - NEAR)) | (prices["close"] > high * (1 + NEAR))


def _ratio(step):
    """(ratio, distance): the nearest n or n + 1/2 to a step down, or 1/n to one up, and how far it is off."""
    down = (2 * step).round().div(2).where(step < 3, step.round())
    ratio = down.where(step > 1, 1 / (1 / step).round())
    return ratio, np.abs(step / ratio - 1).where((ratio >= 1.5) | (ratio <= 0.5))
