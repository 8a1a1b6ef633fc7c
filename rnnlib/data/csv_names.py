"""The columns of price files: what the sites that people download from call them.

Forms that are known, as they stood in public files of 2024 to 2026:

- yfinance: ``Ticker.history().to_csv()`` (days with their offset from UTC, Dividends, Stock Splits),
  ``download(...).to_csv()`` (three lines of names, one or several tickers), and the same with
  ``multi_level_index=False``, or of its closes alone, each under its symbol. Yahoo's old export (Adj Close,
  ``null`` on holidays).
- Stooq: Date,Open,High,Low,Close,Volume, the same in Polish, and its ASCII files (<TICKER>,<PER>, …).
- Alpha Vantage: timestamp, newest day first; adjusted_close and split_coefficient where it was paid for.
- Nasdaq: Close/Last, $ before prices, month/day/year, newest day first.
- Investing.com: Price for the close, Vol. with K, M or B, thousands with commas, newest day first.
- Tiingo and Quandl: adjClose or Adj. Close beside adjusted prices of the other kinds.
"""

import difflib
import re

PRICES = ["open", "high", "low", "close"]

#: Our name of a column -> other names that it goes by, in lower case.
ALIASES = {
    "date": ("timestamp", "datetime", "time", "data", ""),
    "time": (),
    "open": ("otwarcie",),
    "high": ("najwyzszy",),
    "low": ("najnizszy",),
    "close": ("close_last", "price", "zamkniecie"),
    "volume": ("vol", "wolumen"),
    "adj_close": ("adjusted_close", "adjclose"),
    "splits": ("stock_splits", "split_coefficient", "split_ratio", "splitfactor"),
    "ticker": ("symbol", "name"),
    "period": ("per",),
}
SYMBOL = re.compile(r"(?=.*[A-Z])[A-Z0-9.^=&:/_-]{1,20}", re.ASCII)


def name_of(cell):
    """A cell of the header in lower case, words joined by _: Adj Close, "5. adjusted close", <CLOSE>."""
    return re.sub(r"^[0-9]+_", "", re.sub(r"[^\w%]+", "_", cell.lower()).strip("_"))


def is_header(cells):
    """Whether a row names both a day and a price."""
    names = {name_of(cell) for cell in cells}
    return all(not names.isdisjoint((name, *filter(None, ALIASES[name]))) for name in ("date", "close"))


def symbols_of(header):
    """The symbols over a table of closes, as ``yf.download(...)["Close"].to_csv()`` writes it; else ().

    They are all the names beside the date, words in capitals among names that are none.
    """
    first, *others = (cell.strip() for cell in header)
    names = {name_of(cell) for cell in others}
    known = {name for column in ALIASES for name in (column, *ALIASES[column])}
    if name_of(first) not in ("date", *ALIASES["date"]) or first.isupper() or names & known:
        return ()
    return tuple(others) if others and all(SYMBOL.fullmatch(cell) for cell in others) else ()


def places(header):
    """Where each of our columns stands in a header.

    Other columns are left alone, unless one may be meant for a column that is missing: adj_clsoe must
    not turn adjusted prices into raw ones.

    Returns:
        Dictionary from our names to places; ``date`` and ``close`` are in it.

    Raises:
        ValueError: they are not there; two columns have one name; or a name looks mistyped.
    """
    names = [name_of(cell) for cell in header]
    columns = {}
    for column, aliases in ALIASES.items():
        free = [name for place, name in enumerate(names) if place not in columns.values()]
        same = [name for name in free if name == column] or [name for name in free if name in aliases]
        if len(same) > 1 and column != "ticker":
            others = ", ".join(name or "one without a name" for name in dict.fromkeys(same))
            raise ValueError(f"two columns {column}{'' if others == column else f' ({others})'}: remove one")
        if same:
            columns[column] = names.index(same[0])
    for column in ("date", "close"):
        if column not in columns:
            cells = ", ".join(" ".join(cell.split()) for cell in header)
            raise ValueError(
                f"no column {column}: there are {cells:.100}; "
                "call the column of the day date, and that of the price close"
            )
    missing = [column for column in (*PRICES, "volume", "adj_close") if column not in columns]
    for place, name in enumerate(names):
        if place in columns.values() or name in columns:
            continue
        near = difflib.get_close_matches(name[:40], missing, n=1, cutoff=0.8)
        if not near and "adj" in name and "adj_close" in missing:
            near = ["adj_close"]
        if near:
            raise ValueError(f"unknown column {name!r:.40}: if it is {near[0]}, call it so; else remove it")
    return columns
