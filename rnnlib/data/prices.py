"""Daily stock prices, adjusted for splits and dividends."""

from importlib import resources

import pandas as pd

#: What figures say about the origin of the embedded prices.
EMBEDDED_SOURCE = "embedded Quandl WIKI data, 2000–2013"


def load(symbol="AAPL", start=None, end=None):
    """Load the embedded daily prices.

    Every price is multiplied by adj_close / close of its day, so that no split or
    dividend looks like a loss. The volume is counted in shares of the last day.

    Args:
        symbol: "AAPL", the only one that is embedded.
        start: first day, such as "2005-01-01"; the beginning of the data if None.
        end: last day, included; the end of the data if None.

    Returns:
        DataFrame with a DatetimeIndex ``date`` and the columns open, high, low, close
        (US dollars) and volume (shares). ``attrs["source"]`` says where they come from.

    Raises:
        ValueError: the symbol is not embedded, a date cannot be read, or no day is left.
    """
    if str(symbol).upper() != "AAPL":
        raise ValueError(f"no embedded prices for {symbol!r}: the only symbol is AAPL")
    path = resources.files("rnnlib.data") / "files" / "aapl_daily.csv"
    with path.open(encoding="utf-8") as file:
        raw = pd.read_csv(file, index_col="date", parse_dates=["date"])

    factor = raw["adj_close"] / raw["close"]
    prices = raw[["open", "high", "low", "close"]].mul(factor, axis=0)
    # A split of n for 1 multiplies the factor by n overnight; a dividend moves it by a percent or so.
    split = (factor / factor.shift(fill_value=factor.iloc[0])).round()
    prices["volume"] = raw["volume"] * (split.prod() / split.cumprod())

    first, last = prices.index[[0, -1]]
    prices = prices.loc[_day(start) : _day(end)]
    if prices.empty:
        raise ValueError(
            f"no prices between {start or 'the first day'} and {end or 'the last day'}: "
            f"the data run from {first:%Y-%m-%d} to {last:%Y-%m-%d}"
        )
    prices.attrs["source"] = EMBEDDED_SOURCE
    return prices


def _day(date):
    """A date as pandas' Timestamp; None stays None."""
    if date is None:
        return None
    day = pd.to_datetime(date, format="ISO8601", errors="coerce")
    if day is pd.NaT:
        raise ValueError(f"cannot read the date {date!r}: write it as 2005-12-31")
    return day
