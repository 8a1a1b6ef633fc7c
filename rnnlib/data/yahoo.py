"""Daily prices from Yahoo Finance, the whole history of each symbol kept in a file.

Each split changes all adjusted prices before it, so old prices and new ones must never be
joined: a history is fetched whole, and takes the old one's place whole or not at all.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import numpy as np
import pandas as pd

from rnnlib.data.csv_file import read_csv
from rnnlib.data.csv_names import PRICES
from rnnlib.data.origin import Origin
from rnnlib.data.price_table import check
from rnnlib.tools.whole_file import ready, whole_file

SERVER = "https://query2.finance.yahoo.com"  # a test puts the address of its own here
LIMIT = 30  # seconds for a fetch
COMMAND = [sys.executable, "-m", "rnnlib.data.yahoo"]
COLUMNS = [*PRICES, "volume"]
NOTE = re.compile(r"# (\S+) from Yahoo Finance, fetched ([0-9-]{10}), in (.+), ([0-9]+) days\n")


class Quotes(NamedTuple):
    """The whole history of a symbol.

    Attributes:
        symbol: in capital letters.
        unit: of a price.
        fetched: the day (UTC) of the fetch, such as "2026-11-22".
        frame: DataFrame with the index and the columns of ``prices.load``, and adj_close (which older
            files lack: their prices are adjusted already); neither adjusted nor checked.
    """

    symbol: str
    unit: str
    fetched: str
    frame: pd.DataFrame


def history(symbol, start=None, end=None, *, refresh=False, columns=None):
    """The history of a symbol: from its file if that reaches ``end``, else from Yahoo Finance.

    A file that was fetched today (UTC) need not reach ``end``. Today's prices are left out,
    since they still move.

    Args:
        symbol: as Yahoo Finance writes it: AAPL, ^GSPC, EURUSD=X, M&M.NS.
        start, end: Timestamps or None. A fetch with impossible prices between them failed.
        refresh: fetch even if the file would do.
        columns: those that will be used, see ``price_table.checked``.

    Returns:
        (raw, origin): all days, as the frame of Quotes; and their Origin.

    Raises:
        ValueError: a bad or unknown symbol, an impossible answer, or a damaged file.
        OSError: no answer (ConnectionError), none in ``LIMIT`` seconds (TimeoutError), or the
            file cannot be written. After a failure the file is what it was.
    """
    if not (isinstance(symbol, str) and re.fullmatch(r"(?=.*[A-Za-z0-9])[A-Za-z0-9.^=;&_-]{1,20}", symbol)):
        raise ValueError(f"{symbol!r:.40} is no symbol: write one such as AAPL, ^GSPC or EURUSD=X")
    quotes = _latest(symbol.upper(), start, end, refresh, columns)
    source = f"Yahoo Finance, fetched {quotes.fetched}"
    return quotes.frame, Origin(quotes.symbol, source, quotes.unit, prices=True)


def _latest(symbol, start, end, refresh, columns):
    """The Quotes in the symbol's file if they will do, else those of Yahoo Finance."""
    path = cache_folder() / f"yahoo_{symbol}.csv"  # the prefix, since Windows reserves CON, PRN and others
    old = None
    if path.exists():
        try:
            old = _read(path, symbol)
        except ValueError:
            if not refresh:
                raise
    if old is not None and not refresh:
        reaches_end = end is not None and end <= old.frame.index[-1]
        if reaches_end or old.fetched == f"{_now():%Y-%m-%d}":
            return old

    try:
        ready(path.parent, "cache folder")
    except OSError as error:
        raise OSError(f"{error}: let the environment variable RNNLIB_CACHE name another") from error
    try:
        new = _parse(symbol, *_answer(symbol))
        check(new.frame.loc[start:end], symbol, columns)
    except (OSError, ValueError) as error:
        if old is None:
            raise
        last = f"{old.frame.index[-1]:%Y-%m-%d}"
        raise type(error)(
            f"{error}; the cache holds {symbol} to {last}, fetched {old.fetched}: "
            f"with --end {last} or earlier{', and without --refresh,' if refresh else ''} it is used"
        ) from error
    return _write(path, new)


def cached():
    """What the cache holds: DataFrame with the columns symbol, first, last, days, fetched."""
    rows = []
    for path in sorted(cache_folder().glob("yahoo_*.csv")):
        symbol, _, fetched, frame = _read(path, path.stem.removeprefix("yahoo_"))
        rows.append((symbol, *frame.index[[0, -1]], len(frame), pd.Timestamp(fetched)))
    return pd.DataFrame(rows, columns=["symbol", "first", "last", "days", "fetched"])


def cache_folder():
    """The folder of the cache: RNNLIB_CACHE, an environment variable, or the user's cache folder."""
    if folder := os.environ.get("RNNLIB_CACHE"):
        return Path(folder).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("rnnlib")


def _read(path, symbol):
    """The Quotes in a file of the cache."""
    try:
        with path.open(encoding="utf-8") as file:
            name, fetched, unit, days = NOTE.fullmatch(file.readline()).groups()
        raw = read_csv(path).frame
        frame = raw[[*COLUMNS, "adj_close"] if "adj_close" in raw else COLUMNS]
        if (name, int(days)) != (symbol, len(frame)):
            raise ValueError("it is not what its first line says")
    except (AttributeError, KeyError, ValueError):
        raise ValueError(
            f"the cache file {path} is damaged: delete it, or: python -m rnnlib data {symbol} --refresh"
        ) from None
    return Quotes(symbol, unit, fetched, frame)


def _write(path, quotes):
    """Replace a file of the cache by one that can be read; returns what ``_read`` finds there."""
    symbol, unit, fetched, frame = quotes
    with whole_file(path) as temporary:
        with temporary.open("w", encoding="utf-8", newline="") as file:
            file.write(f"# {symbol} from Yahoo Finance, fetched {fetched}, in {unit}, {len(frame)} days\n")
            frame.to_csv(file, date_format="%Y-%m-%d", lineterminator="\n")
        return _read(temporary, symbol)


def _now():
    return pd.Timestamp.now("UTC")


def _answer(symbol):
    """Yahoo's answer: its HTTP status and its text.

    yfinance asks in a process of its own. That can be ended in time, whatever hangs in it, and
    all that yfinance prints, warns of, sets and remembers ends with it.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        try:
            child = subprocess.run(
                [*COMMAND, symbol, folder, str(LIMIT), SERVER],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=LIMIT,
            )
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"Yahoo Finance gave no answer in {LIMIT} seconds: try again later") from None
        if child.returncode != 0:
            reason = (child.stderr.splitlines() or [f"exit status {child.returncode}"])[-1]
            raise ChildProcessError(f"yfinance failed ({_line(reason)}): pip install --upgrade yfinance")
        status, text = json.loads(Path(folder, "answer.json").read_text(encoding="utf-8"))
    if status is None:
        reason = re.sub(r".*curl: \(\d+\) |\. See https://curl.*", "", _line(text))
        raise ConnectionError(f"cannot reach Yahoo Finance ({reason}): check the internet connection")
    return status, text


def _ask(symbol, folder, limit, server):
    """Ask Yahoo Finance for a history, and write the status and the text into ``folder``.

    ``Ticker.history`` would sort, drop and fill days in silence, and tells few failures apart;
    so of yfinance only what opens Yahoo's door is used: browser's looks, cookie and crumb.
    """
    import yfinance
    from yfinance.data import YfData
    from yfinance.exceptions import YFRateLimitError

    yfinance.set_tz_cache_location(folder)  # that in the user's home may be damaged, or not writable
    data = YfData()
    request = data._session.request

    def in_time(method, url, **options):
        """Waiting for a cookie must not use up the time: Yahoo gives prices without it, too."""
        seconds = limit if "/finance/chart/" in url else limit / 6
        return request(method, url, **options | {"timeout": seconds})

    data._session.request = in_time
    now = int(time.time())
    century = {"period1": now - 99 * 365 * 86400, "period2": now}  # Yahoo allows no more
    try:
        response = data.get(
            f"{server}/v8/finance/chart/{quote(symbol, safe='')}",
            params={**century, "interval": "1d", "events": "div,splits"},
        )
        answer = response.status_code, response.text
    except YFRateLimitError:
        answer = 429, ""
    except OSError as error:  # all errors of the network
        answer = None, str(error)
    Path(folder, "answer.json").write_text(json.dumps(answer), encoding="utf-8")


def _parse(symbol, status, text):
    """Turn Yahoo's answer into Quotes, or into the exception that says why not."""
    if status == 429:
        raise ConnectionError("Yahoo Finance allows no more requests for now: try again in some minutes")
    try:
        chart = json.loads(text)["chart"]
        refusal = chart["error"] and _line(chart["error"]["description"])
        if status != 200 and not refusal:
            raise ValueError("no reason is given")
    except (LookupError, TypeError, ValueError, RecursionError):
        raise ConnectionError(
            f"Yahoo Finance is out of order (status {status}, {text[:60]!r}): try again later"
        ) from None
    if refusal and status in (200, 404):
        raise ValueError(f"Yahoo Finance has no symbol {symbol} ({refusal}): look it up on finance.yahoo.com")
    if refusal:
        raise ConnectionError(f"Yahoo Finance refuses {symbol} (status {status}, {refusal}): try again later")

    try:
        result = (chart["result"] or [{}])[0]
        frame, unit = _days(symbol, result), _unit(result)
    except (LookupError, TypeError, ValueError, OverflowError, AttributeError) as error:
        reason = f"no {error}" if isinstance(error, KeyError) else _line(error)
        raise ValueError(
            f"Yahoo Finance's answer for {symbol} cannot be used ({reason}): try again later"
        ) from None
    if frame.empty:
        raise ValueError(f"Yahoo Finance has no daily prices of {symbol}")
    return Quotes(symbol, unit, f"{_now():%Y-%m-%d}", frame)


def _line(text):
    """What a message can hold of it: one line, not too long."""
    return " ".join(str(text).split())[:200]


def _days(symbol, result):
    """The days of ``result``, a part of Yahoo's answer."""
    meta = result["meta"]
    if meta.get("symbol", symbol).upper() != symbol:
        raise ValueError(f"it is for {meta['symbol']}")
    if meta.get("dataGranularity", "1d") != "1d":
        raise ValueError(f"it is not by the day but by {meta['dataGranularity']}")
    if not result.get("timestamp"):
        return pd.DataFrame()
    quote, adjclose = result["indicators"]["quote"][0], result["indicators"]["adjclose"][0]
    raw = pd.DataFrame({name: np.array(quote[name], dtype=float, ndmin=1) for name in COLUMNS})
    raw["adj_close"] = np.array(adjclose["adjclose"], dtype=float, ndmin=1)

    zone = str(meta["exchangeTimezoneName"])
    local = pd.to_datetime(np.array(result["timestamp"], dtype=np.int64), unit="s", utc=True).tz_convert(zone)
    # In summer time some days begin at 22:00 or 23:00 of the evening before.
    evening = (local.hour >= 22) & (local.minute == 0)
    days = local.tz_localize(None).normalize() + pd.to_timedelta(evening.astype(int), unit="D")
    raw.index = days.as_unit("ns").rename("date")

    first, last = raw.index.min(), raw.index.max()
    today = _now().tz_convert(zone).tz_localize(None).normalize()
    if first.year < 1800 or last > today + pd.Timedelta(days=1):
        raise ValueError(f"it runs from {first:%Y-%m-%d} to {last:%Y-%m-%d}, and today is {today:%Y-%m-%d}")
    raw = raw.dropna(how="all", subset=PRICES)  # holidays
    if len(raw) > 1 and raw.index[-1] == raw.index[-2]:
        raw = pd.concat([raw.iloc[:-2], raw.iloc[-1:]])  # Yahoo repeats the newest day; the last is right
    raw = raw[raw.index < today]
    wrong = ~(np.diff(raw.index) > np.timedelta64(0, "s"))
    if wrong.any():
        raise ValueError(f"{raw.index[1:][wrong][0]:%Y-%m-%d} is there twice or in the wrong place")
    return raw  # its volume knows of splits already


def _unit(result):
    """The unit of the prices in ``result``, from a currency's three letters."""
    currency = str(result["meta"].get("currency"))
    if currency == "USD":
        return "US dollars"
    return currency if re.fullmatch("[A-Za-z]{3}", currency) else "unknown unit"


if __name__ == "__main__":
    _ask(sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[4])
