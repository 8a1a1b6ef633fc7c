"""Daily prices, adjusted for splits and dividends: embedded, from Yahoo Finance, or from a CSV file."""

from importlib import resources
from pathlib import Path

from rnnlib.data import yahoo
from rnnlib.data.dates import between, period
from rnnlib.data.origin import Origin
from rnnlib.data.price_table import adjusted, check, fault, later_shares, read_csv

#: What figures say about the origin of the embedded prices.
EMBEDDED_SOURCE = "embedded Quandl WIKI data, 2000–2013"


def load(symbol="AAPL", start=None, end=None, source="embedded", *, refresh=False):
    """Load daily prices. What fails is an error: no source ever stands in for another.

    Every price is multiplied by adj_close / close of its day, so that no split or
    dividend looks like a loss. The volume is counted in shares of the last day.

    Args:
        symbol: such as "AAPL", the only one that is embedded. For a file it is only a label.
        start: first day, such as "2005-01-01"; the beginning of the data if None.
        end: last day, included; the end of the data if None.
        source: "embedded"; "yahoo", which keeps what it fetches (see ``yahoo.history``); or
            the path of a CSV file: columns date and close, and any of open, high, low,
            volume and adj_close. Without adj_close its prices are taken as adjusted.
        refresh: fetch from Yahoo Finance even what is kept.

    Returns:
        DataFrame with a DatetimeIndex ``date`` (ascending, each day once) and the float
        columns open, high, low, close and volume (shares); of a file, those that it has.
        Its ``attrs["origin"]`` is their Origin: symbol, source and unit.

    Raises:
        ValueError: a bad symbol, date or file, impossible prices, or no day is left.
        OSError: no such file. ConnectionError, TimeoutError: Yahoo Finance failed.
    """
    start, end = period(start, end)
    if refresh and source != "yahoo":
        raise ValueError("only the source yahoo can be refreshed")
    if source == "yahoo":
        prices, origin = yahoo.history(symbol, start, end, refresh=refresh)
    elif source == "embedded":
        prices, origin = _embedded(symbol)
    else:
        prices, origin = _own_file(source, symbol)
    prices = between(prices, start, end)
    check(prices, origin.name)
    prices.attrs["origin"] = origin
    return prices


def _embedded(symbol):
    """The embedded prices and their Origin."""
    if str(symbol).upper() != "AAPL":
        raise ValueError(
            f"no embedded prices for {symbol!r:.40}: the only symbol is AAPL; for another take "
            "the source yahoo (--source yahoo) or a CSV file"
        )
    prices, _ = _from_csv(resources.files("rnnlib.data") / "files" / "aapl_daily.csv")
    return prices, Origin("AAPL", EMBEDDED_SOURCE, "US dollars", prices=True)


def _own_file(source, symbol):
    """The prices of the user's CSV file and their Origin."""
    path = Path(source).expanduser()
    if not path.exists():
        raise FileNotFoundError(f"no file {path}: the source is embedded, yahoo or a CSV file")
    if not path.is_file():
        raise IsADirectoryError(f"{path} is a folder: the source is embedded, yahoo or a CSV file")
    prices, source = _from_csv(path)
    return prices, Origin(str(symbol), source, "unit of the file", prices=True)


def _from_csv(path):
    """Read a CSV file of prices, check all of it, and adjust it if it says how: (prices, source)."""
    raw = read_csv(path)
    lines = raw.pop("line")
    if flaw := fault(raw):
        rows, words = flaw
        raise ValueError(f"{path}, line {lines.iloc[rows[0]]}: {words}")
    prices = adjusted(raw)
    source = f"file {path.name}"
    if "adj_close" not in raw:
        source += ", taken as adjusted"
    elif "volume" in raw:
        prices["volume"] *= later_shares(raw["adj_close"] / raw["close"])
    return prices, source
