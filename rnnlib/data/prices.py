"""Daily prices, adjusted for splits and dividends: embedded, from Yahoo Finance, or from a CSV file."""

from dataclasses import replace
from importlib import resources
from pathlib import Path

from rnnlib.data import yahoo
from rnnlib.data.csv_file import read_csv
from rnnlib.data.dates import between, period
from rnnlib.data.origin import Origin
from rnnlib.data.price_table import adjusted, check, checked, fault, later_shares, split_notes

#: What figures say about the origin of the embedded prices.
EMBEDDED_SOURCE = "embedded Quandl WIKI data, 2000–2013"


def load(symbol="AAPL", start=None, end=None, source="embedded", *, refresh=False, columns=None, dates=None):
    """Load daily prices. What fails is an error: no source ever stands in for another.

    Every price is multiplied by adj_close / close of its day, so that no split or
    dividend looks like a loss. The volume is counted in shares of the last day.

    Args:
        symbol: such as "AAPL", the only one that is embedded. Of a file that names symbols it says which;
            of one that names none, or one while this is "AAPL" or the file's own name, it is only a label.
        start: first day, such as "2005-01-01"; the beginning of the data if None.
        end: last day, included; the end of the data if None. Only the days between are checked.
        source: "embedded"; "yahoo", which keeps what it fetches (see ``yahoo.history``); or
            the path of a CSV file in one of the forms of ``csv_names``: yfinance, Yahoo, Stooq,
            Alpha Vantage, Nasdaq, Investing.com, or your own with columns date and close, and any of
            open, high, low, volume and adj_close. Without adj_close its prices are taken as adjusted.
        refresh: fetch from Yahoo Finance even what is kept.
        columns: those that will be used, such as ["close"]. Only they, and what adjusts them, must be
            whole; in the others what is missing or cannot be read is NaN. All must be whole if None.
        dates: how a file's dates such as 01/02/2024 are read: "mdy" (January 2) or "dmy" (1 February).
            Such dates are refused if None; others, such as 2024-01-02, do not need it.

    Returns:
        DataFrame with a DatetimeIndex ``date`` (ascending, each day once) and the float
        columns open, high, low, close and volume (shares); of a file, those that it has.
        Its ``attrs["origin"]`` is their Origin: symbol, source and unit, and notes on what was left
        out, and on days that look like a split.

    Raises:
        ValueError: a bad symbol, date or file, impossible prices, or no day is left.
        OSError: no such file, or none that can be read again. ConnectionError, TimeoutError: Yahoo
            Finance failed.
    """
    start, end = period(start, end)
    columns = [columns] if isinstance(columns, str) else columns
    if refresh and source != "yahoo":
        raise ValueError("only the source yahoo can be refreshed")
    if dates is not None and source in ("embedded", "yahoo"):
        raise ValueError(f"dates (--dates) belongs to a CSV file, not to {source}")
    if source == "yahoo":
        raw, origin = yahoo.history(symbol, start, end, refresh=refresh, columns=columns)
        origin = replace(origin, notes=split_notes(raw.loc[start:end]))
    elif source == "embedded":
        raw, origin = _embedded(symbol)
    else:
        raw, origin = _own_file(source, symbol, start, end, columns, dates)
    raw = between(raw, start, end)
    check(raw, origin.name, columns)
    prices = adjusted(raw)
    check(prices, origin.name, columns)  # a product may be too large or too small for a number
    prices.attrs["origin"] = origin
    return prices


def _embedded(symbol):
    """The embedded prices and their Origin."""
    if str(symbol).upper() != "AAPL":
        raise ValueError(
            f"no embedded prices for {symbol!r:.40}: the only symbol is AAPL; for another take "
            "the source yahoo (--source yahoo) or a CSV file"
        )
    file = read_csv(resources.files("rnnlib.data") / "files" / "aapl_daily.csv")
    return _in_last_shares(file.frame), Origin("AAPL", EMBEDDED_SOURCE, "US dollars", prices=True)


def _own_file(source, symbol, start, end, columns, dates):
    """All prices of the user's CSV file, checked from start to end, not yet adjusted, and their Origin."""
    path = Path(source).expanduser()
    if not path.exists():
        raise FileNotFoundError(f"no file {path}: the source is embedded, yahoo or a CSV file")
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder: the source is embedded, yahoo or a CSV file")
    if not path.is_file() or str(path.absolute()).startswith(("/dev/fd/", "/dev/std", "/proc/")):
        raise OSError(
            f"{path} is a pipe or a device, which cannot be read again later: save the prices as a CSV file"
        )
    file = read_csv(path, symbol, columns, dates, start, end)
    raw = file.frame
    needed = raw[checked(raw.columns.drop("splits", errors="ignore"), columns)]
    part = needed.loc[start:end]
    if flaw := fault(part):
        rows, name, words = flaw
        if name != "close" and needed[name].isna().all():
            choice = "" if name == "adj_close" else f", and do without {name}"
            raise ValueError(f"{path}: the column {name} is empty: remove it{choice}")
        line = file.lines[part.index[rows[0]]]
        choice = "" if name in ("close", "adj_close") else f", or do without {name}"
        raise ValueError(f"{path}, line {line}: {words}: mend or remove the line{choice}")
    source = f"file {path.name}" + (f", {file.ticker}" if file.ticker else "")
    notes = file.notes
    if "adj_close" not in raw:
        source += ", taken as adjusted"
    notes += split_notes(raw.loc[start:end], file.lines)
    return _in_last_shares(raw), Origin(str(symbol), source, "unit of the file", prices=True, notes=notes)


def _in_last_shares(raw):
    """``raw`` with its volume in shares of the last day, and without the column splits."""
    if "adj_close" in raw and "volume" in raw:
        shares = later_shares(raw["adj_close"] / raw["close"], raw.get("splits"))
        raw = raw.assign(volume=raw["volume"] * shares)
    return raw.drop(columns="splits", errors="ignore")
