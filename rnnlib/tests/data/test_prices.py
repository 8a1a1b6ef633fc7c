"""Prices: what the embedded ones are, the CSV files, and Yahoo Finance with all that goes wrong there."""

import datetime
import json
import os
import re
import subprocess
import sys
import time
import warnings
from contextlib import suppress

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlib.data import prices, yahoo
from rnnlib.data.origin import Origin, origin_of
from rnnlib.tests.data import fake_yahoo
from rnnlib.tests.data.fake_yahoo import FakeYahoo, chart, failure

OHLCV = ["open", "high", "low", "close", "volume"]


def one_line(error):
    message = str(error.value)
    assert message
    assert "\n" not in message
    assert len(message) < 400
    return message


# The embedded prices.


def test_embedded_prices_are_adjusted():
    quotes = prices.load()
    assert list(quotes.columns) == OHLCV
    assert len(quotes) == 3270
    assert quotes.attrs == {"origin": Origin("AAPL", prices.EMBEDDED_SOURCE, "US dollars", prices=True)}
    assert quotes.index.is_monotonic_increasing
    assert quotes.index.name == "date"
    assert quotes.index.dtype == "datetime64[ns]"
    assert set(quotes.dtypes) == {np.dtype(float)}
    assert not quotes.isna().any(axis=None)
    assert (quotes["high"] >= quotes[["open", "close", "low"]].max(axis=1) - 1e-9).all()
    assert quotes["close"].iloc[-1] == pytest.approx(56.1374)
    returns = np.log(quotes["close"]).diff()
    assert returns["2000-06-21"] == pytest.approx(np.log(3.5746 / 3.253))  # 2 for 1: no loss
    assert returns.abs().idxmax() == pd.Timestamp("2000-09-29")  # a real crash stays
    # Two splits of 2 for 1: the first day's 9,616,100 shares are 4 times as many today.
    assert quotes["volume"].iloc[0] == 4 * 9616100
    assert quotes["volume"]["2005-02-25"] == 2 * 16348400
    assert quotes["volume"]["2005-02-28"] == 11635900


@pytest.mark.parametrize(
    "year",
    [
        ("2005-01-01", "2005-12-31"),
        (datetime.date(2005, 1, 1), datetime.datetime(2005, 12, 31, 23, 59)),
        (pd.Timestamp("2005-01-01"), np.datetime64("2005-12-31")),
    ],
)
def test_start_and_end_are_included(year):
    quotes = prices.load("aapl", *year)
    assert quotes.index[0] == pd.Timestamp("2005-01-03")
    assert quotes.index[-1] == pd.Timestamp("2005-12-30")
    one = prices.load(start="2005-12-30", end="2005-12-30")
    assert len(one) == 1
    assert origin_of(one).name == "AAPL"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"symbol": "MSFT"},
            "no embedded prices for 'MSFT': the only symbol is AAPL; .*--source yahoo.* CSV",
        ),
        ({"start": "soon"}, "cannot read the date 'soon': write it as 2005-12-31"),
        ({"start": "02/03/2005"}, "cannot read the date '02/03/2005': write it as 2005-12-31"),
        ({"end": "2005-02-30"}, "cannot read the date '2005-02-30'"),
        ({"end": "2005"}, "cannot read the date '2005'"),
        ({"end": 2005}, "cannot read the date 2005"),
        ({"end": pd.NaT}, "cannot read the date NaT"),
        ({"start": "0001-01-01"}, "cannot read the date"),
        (
            {"start": "2020-01-01"},
            "no data between 2020-01-01 and the last day: .* 2000-03-01 to 2013-03-01",
        ),
        ({"end": "1999-12-31"}, "no data between the first day and 1999-12-31: they run"),
        ({"start": "2005-01-01", "end": "2005-01-02"}, "no data between 2005-01-01 and 2005-01-02"),
        (
            {"start": "2005-01-02", "end": "2005-01-01"},
            "the first day, 2005-01-02, is after the last, 2005-01-01",
        ),
        ({"refresh": True}, "only the source yahoo can be refreshed"),
    ],
)
def test_bad_requests(arguments, message):
    with pytest.raises(ValueError, match=message) as error:
        prices.load(**arguments)
    one_line(error)


# CSV files.


def csv(folder, text, name="prices.csv"):
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_a_file_with_two_columns(tmp_path, monkeypatch):
    path = csv(tmp_path, "close,Date\n2.5,2020-01-02\n1.5,2020-01-01\n")
    quotes = prices.load("mine", source=path)
    assert list(quotes.columns) == ["close"]
    assert list(quotes["close"]) == [1.5, 2.5]
    assert list(quotes.index.strftime("%Y-%m-%d")) == ["2020-01-01", "2020-01-02"]
    source = "file prices.csv, taken as adjusted"
    assert origin_of(quotes) == Origin("mine", source, "unit of the file", prices=True)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    pd.testing.assert_frame_equal(prices.load("mine", source="~/prices.csv"), quotes)
    monkeypatch.chdir(tmp_path)
    path.rename("yahoo")
    assert len(prices.load(source="./yahoo")) == 2
    assert len(prices.load(source="./yahoo", start="2020-01-02")) == 1


def test_a_file_as_yahoo_exports_it(tmp_path):
    path = csv(
        tmp_path,
        "\ufeffDate,Open,High,Low,Close,Adj Close,Volume\r\n"
        "2020-01-02,10,12,8,11,5.5,100\r\n\r\n"
        "2020-01-03 00:00:00-05:00,10,12,8,10,10,100\r\n",
    )
    quotes = prices.load(source=str(path))
    assert origin_of(quotes).source == "file prices.csv"
    assert quotes.index.dtype == prices.load().index.dtype
    assert quotes.to_numpy().tolist() == [[5, 6, 4, 5.5, 200], [10, 12, 8, 10, 100]]


def test_the_embedded_file_loads_as_a_file_too():
    path = prices.resources.files("rnnlib.data") / "files" / "aapl_daily.csv"
    quotes = prices.load(source=path)
    assert origin_of(quotes).source == "file aapl_daily.csv"
    pd.testing.assert_frame_equal(quotes, prices.load())


def test_splits_change_the_volume_and_dividends_do_not(tmp_path):
    # 2 for 1 with a dividend of 1%, 20 for 1, 1 for 10, a large dividend of 25%, and 3 for 2.
    steps = np.array([2 / 0.99, 20, 1 / 10, 1 / 0.75, 3 / 2])
    factor = np.append(1 / np.cumprod(steps[::-1])[::-1], 1) * 0.3
    table = pd.DataFrame({"date": pd.bdate_range("2020-01-01", periods=6), "close": 50.0, "volume": 1200})
    table["adj_close"] = table["close"] * factor
    path = tmp_path / "prices.csv"
    table.to_csv(path, index=False)
    quotes = prices.load(source=path)
    assert list(quotes["volume"] / 1200) == pytest.approx([6, 3, 0.15, 1.5, 1.5, 1])
    assert list(quotes["close"]) == pytest.approx(list(table["adj_close"]))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "prices.csv: the file is empty"),
        ("\n \n# nothing\n", "prices.csv: the file is empty"),
        ("date,close\n", "prices.csv: the file has no day below its header"),
        (b"\x89PNG\r\n\x1a\n\xff\xfe", "prices.csv: not text in UTF-8: save it as CSV in UTF-8"),
        ("date,close\n2020-01-02,3€\n".encode("cp1252"), "prices.csv: not text in UTF-8"),
        ("date,close\n2020-01-02,3\n".encode("utf-16"), "prices.csv: not text in UTF-8"),
        ("date,close\n2020-01-02,3\n".encode("utf-16-le"), "prices.csv: not text in UTF-8"),
        ("date,close\n2020-01-02,3\0\n", "prices.csv: not text in UTF-8"),
        ("2020-01-02,3\n2020-01-03,4\n", "prices.csv, line 1: the first line is no header"),
        ("date,open\n2020-01-02,3\n", "prices.csv, line 1: no column close: there are date, open"),
        (
            "date,close,adj_clsoe\n2020-01-02,3,3\n",
            "line 1: unknown column 'adj_clsoe': if it is adj_close, ",
        ),
        (",close\n0,3\n", "line 2: cannot read the date '0'"),
        ("date,close,Close\n2020-01-02,3,3\n", "line 1: two columns close"),
        ('"da\nte",close\n2020-01-02,3\n', "line 2: no column date: there are da te, close"),
        ("date," + "x" * 999 + "\n", "line 1: no column close: there are date, xx"),
        ("date,close,adj" + "x" * 999 + "\n", "line 1: unknown column 'adjxx"),
        ("date,close\n2020-01-02," + "x" * 999, "line 2: cannot read the close 'xx"),
        ("date,close\n" + "x" * 999 + ",3\n", "line 2: cannot read the date 'xx"),
        ("date,close\n2020-01-02," + "1" * 200_000, r"line 2: field larger than field limit \(131072\)"),
        ("date;close\n2020-01-02;3,5\n", "line 1: columns parted by semicolons, tabs or bars: use commas"),
        ("date\tclose\n2020-01-02\t3\n", "line 1: columns parted by semicolons, tabs or bars"),
        ("date,close,open\n2020-01-02,3,3\n2020-01-03,,3\n", "line 3: close is missing: mend or remove the"),
        ("date,close,volume\n2020-01-03,3,1\n2020-01-02,NaN,1\n", "line 3: close is missing"),
        ("date,close\n2020-01-02,null\n", "prices.csv: the file has no day with a price"),
        (
            "date,close,volume\n2020-01-02,3,\n2020-01-03,3,3\n",
            "line 2: volume is missing: mend or remove the line, or do without v",
        ),
        ("date,close\n2020-01-02,three\n", "line 2: cannot read the close 'three': write it as 1234.5"),
        ('date,close\n2020-01-02,"1.234,5"\n', "line 2: cannot read the close '1.234,5': write it as 1234.5"),
        ('date,close\n2020-01-02,"3,5"\n', "line 2: cannot read the close '3,5'"),
        ("date,close\n2020-01-02,3,5\n", "line 2: 3 cells, where the header has 2"),
        ("date,close,volume\n2020-01-02,3\n", "line 2: 2 cells, where the header has 3"),
        ("date,close\n2020-01-02,€3\n", "line 2: cannot read the close '€3'"),
        ("date,close\n2020-01-02,1_000\n", "line 2: cannot read the close '1_000'"),
        ("date,close\n2020-01-02,inf\n", "line 2: cannot read the close 'inf'"),
        ("date,close\n2020-01-02,٣\n", "line 2: cannot read the close '٣'"),
        ("date,close\n2020-01-02,1e999\n", "line 2: close is inf, where a number above 0 is needed"),
        ("date,close\n2020-01-02,0\n", "line 2: close is 0, where a number above 0 is needed"),
        ("date,close\n2020-01-02,-3\n", "line 2: close is -3, where a number above 0 is needed"),
        ("date,close,adj_close\n2020-01-02,3,0\n", "line 2: adj_close is 0"),
        ("date,close,volume\n2020-01-02,3,-1\n", "line 2: volume is -1, where a number 0 or more is needed"),
        ("date,close,high,low\n2020-01-02,3,2,4\n", "line 2: high 2 is below low 4"),
        ("date,close\n2 Mars 2005,3\n", "line 2: cannot read the date '2 Mars 2005': write it as 2005-12-31"),
        ("date,close\n20051302,3\n", "line 2: cannot read the date '20051302'"),
        ("date,close\n2005-13-02,3\n", "line 2: cannot read the date '2005-13-02'"),
        ("date,close\n,3\n", "line 2: cannot read the date ''"),
        ("date,close\n2020-01-02,3\n2020-01-01,3\n2020-01-02,4\n", "line 4: 2020-01-02 stands there twice"),
        ('date,close\n2020-01-02,"3\n', "line 2: unexpected end of data"),
    ],
)
def test_bad_files_are_named_with_their_line(tmp_path, text, message):
    path = csv(tmp_path, text)
    with pytest.raises(ValueError, match=message) as error:
        prices.load(source=path)
    assert str(path) in one_line(error)


def test_volume_0_and_a_price_in_the_far_past_or_future_are_right(tmp_path):
    path = csv(tmp_path, "date,close,volume\n1700-01-01,3,0\n2199-12-31,1e-3,1e9\n")
    assert len(prices.load(source=path)) == 2


def test_a_price_too_small_for_a_number(tmp_path):
    path = csv(tmp_path, "date,close,adj_close\n2020-01-02,1e300,1e-300\n")
    with pytest.raises(ValueError, match="AAPL on 2020-01-02: close is 0, where a number above 0 is needed"):
        prices.load(source=path)


def test_no_file(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"no file .*prices.csv: the source is embedded, yahoo or a CSV"
    ):
        prices.load(source=tmp_path / "prices.csv")
    with pytest.raises(FileNotFoundError, match="no file Yahoo: "):
        prices.load(source="Yahoo")
    with pytest.raises(IsADirectoryError, match="is a folder: the source is embedded, yahoo or a CSV file"):
        prices.load(source=tmp_path)


@st.composite
def tables(draw):
    """A table of prices that is in order, with one factor of adjustment for all days or none."""
    days = draw(
        st.lists(st.dates(datetime.date(1700, 1, 1), datetime.date(2199, 12, 31)), min_size=1, unique=True)
    )
    price = st.floats(1e-3, 1e6)
    rows = [sorted(draw(st.tuples(price, price, price, price))) for _ in days]
    table = pd.DataFrame(
        {name: [row[i] for row in rows] for i, name in enumerate(["low", "open", "close", "high"])}
    )
    table["volume"] = [draw(st.integers(0, 10**12)) for _ in days]
    table.insert(0, "date", [f"{day}" for day in sorted(days)])
    optional = draw(st.sets(st.sampled_from(["open", "high", "low", "volume"])))
    return table.drop(columns=list(optional)), draw(st.none() | st.floats(1e-3, 10))


@given(tables(), st.randoms(use_true_random=False), st.sampled_from(["\n", "\r\n", "\r"]), st.booleans())
def test_a_file_comes_back_whatever_its_order(tmp_path_factory, table_and_factor, random, newline, mark):
    table, factor = table_and_factor
    written = table.assign(adj_close=table["close"] * factor) if factor else table
    names = random.sample(list(written), k=written.shape[1])
    order = random.sample(range(len(written)), k=len(written))
    header = [random.choice([str.upper, str.title, str.lower])(name) for name in names]
    lines = [",".join(name.replace("_", random.choice("_ ")) for name in header)]
    for i in order:
        row = written.iloc[i]
        cells = (str(row[name]) for name in names)
        lines += [",".join(random.choice(["{}", '"{}"', "{} "]).format(cell) for cell in cells)]
        lines += [""] * random.choice([0, 0, 1])
    path = tmp_path_factory.getbasetemp() / "round_trip.csv"
    path.write_bytes((newline.join(lines) + newline).encode("utf-8-sig" if mark else "utf-8"))

    quotes = prices.load(source=path)
    assert list(quotes) == [name for name in OHLCV if name in table]
    assert list(quotes.index.strftime("%Y-%m-%d")) == list(table["date"])
    assert quotes.index.dtype == "datetime64[ns]"
    assert ("taken as adjusted" in origin_of(quotes).source) == (factor is None)
    for name in quotes:
        expected = table[name] * (factor if factor and name != "volume" else 1)
        np.testing.assert_allclose(quotes[name], expected, rtol=1e-12 if factor else 0)


# Yahoo Finance.


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A cache of its own, at a known time; and no test reaches the real Yahoo."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("RNNLIB_CACHE", str(folder))
    monkeypatch.setattr(yahoo, "_now", lambda: fake_yahoo.NOW)
    monkeypatch.setattr(yahoo, "COMMAND", [sys.executable, "-c", "exit('no server')"])
    monkeypatch.setattr(yahoo, "LIMIT", 120)  # a busy machine takes long to load yfinance
    return folder


def today_is(monkeypatch, day):
    monkeypatch.setattr(yahoo, "_now", lambda: pd.Timestamp(f"{day} 15:00", tz="UTC"))


def ask_at(monkeypatch, base):
    monkeypatch.setattr(yahoo, "COMMAND", [sys.executable, fake_yahoo.__file__, base])


@pytest.fixture
def replay(tmp_path, monkeypatch):
    """Let a quick process answer, without yfinance; gives the list of its answers' symbols."""
    answer = tmp_path / "answer.json"
    log = tmp_path / "log"
    code = (
        "import shutil, sys; shutil.copy(sys.argv[1], sys.argv[4] + '/answer.json'); "
        "print(sys.argv[3], file=open(sys.argv[2], 'a'))"
    )

    def answers(body, status=200):
        text = body if isinstance(body, str) else json.dumps(body)
        answer.write_text(json.dumps([status, text]), encoding="utf-8")
        log.write_text("")
        monkeypatch.setattr(yahoo, "COMMAND", [sys.executable, "-ISc", code, str(answer), str(log)])
        return lambda: log.read_text().split()

    return answers


def test_prices_from_yahoo(cache, monkeypatch, capfd, tmp_path):
    """The whole way through yfinance, whose own cache is not writable, or damaged."""

    def home(path):
        for name in ("HOME", "XDG_CACHE_HOME", "LOCALAPPDATA"):
            monkeypatch.setenv(name, str(path))

    home(csv(tmp_path, "a file, no folder", "home"))
    loaded, filters = "yfinance" in sys.modules, list(warnings.filters)
    began = int(time.time())
    with FakeYahoo((200, chart())) as server:
        ask_at(monkeypatch, server.base)
        quotes = prices.load("aapl", source="yahoo")
        charts = [path for path in server.paths if "/v8/finance/chart/AAPL?" in path]
        assert len(charts) == 1
        assert re.search("interval=1d", charts[0])
        first, last = re.search(r"period1=(-?\d+)&period2=(\d+)", charts[0]).groups()
        assert began <= int(last) <= time.time() + 1
        assert int(first) < -1e9  # before 1940

        assert list(quotes) == OHLCV
        assert quotes.index.name == "date"
        assert quotes.index.dtype == prices.load().index.dtype
        assert list(quotes.index) == list(pd.bdate_range("2026-11-16", "2026-11-20"))
        assert quotes.iloc[0].tolist() == [49.75, 51, 48.5, 50, 1000]
        assert quotes["close"].tolist() == [50, 50.5, 51, 51.5, 52]
        assert origin_of(quotes).source == "Yahoo Finance, fetched 2026-11-22"
        assert origin_of(quotes).name == "AAPL"
        assert origin_of(quotes).unit == "US dollars"

        number = len(server.paths)
        again = prices.load("AAPL", source="yahoo")
        assert len(server.paths) == number
        pd.testing.assert_frame_equal(again, quotes)

        own = tmp_path / "damaged" / "py-yfinance"
        own.mkdir(parents=True)
        databases = [csv(own, "no database", name) for name in ("cookies.db", "tkr-tz.db", "isin-tkr.db")]
        home(own.parent)
        pd.testing.assert_frame_equal(prices.load("AAPL", source="yahoo", refresh=True), quotes)
        assert len(server.paths) > number
        assert {path.read_text() for path in databases} == {"no database"}
    assert [path.name for path in cache.iterdir()] == ["yahoo_AAPL.csv"]
    assert capfd.readouterr() == ("", "")
    assert ("yfinance" in sys.modules, list(warnings.filters)) == (loaded, filters)


NETWORK = {
    "rate limit": (
        (429, "Too Many Requests"),
        ConnectionError,
        "Yahoo Finance allows no more requests for now: try again in some minutes",
    ),
    "unknown": (
        (404, failure("Not Found", "No data found, symbol may be delisted")),
        ValueError,
        r"Yahoo Finance has no symbol AAPL \(No data found, symbol may be delisted\): look it up on finance",
    ),
    "not found, but no word from Yahoo": (
        (404, "<html><body>Not Found</body></html>"),
        ConnectionError,
        r"Yahoo Finance is out of order \(status 404, '<html><body>Not Found</body></html>'\): try again",
    ),
    "refused": (
        (401, failure("Unauthorized", "Invalid Crumb")),
        ConnectionError,
        r"Yahoo Finance refuses AAPL \(status 401, Invalid Crumb\): try again later",
    ),
    "a long story": (
        (401, failure("Unauthorized", "no\n" * 9999)),
        ConnectionError,
        r"refuses AAPL \(status",
    ),
    "broken": (
        (500, "<html>\n<h1>Internal\nServer Error"),
        ConnectionError,
        r"Yahoo Finance is out of order \(status 500, '<html>.n<h1>Internal.nServer Error'\): try again",
    ),
    "a page": (
        (200, "<!DOCTYPE html>"),
        ConnectionError,
        r"is out of order \(status 200, '<!DOCTYPE html>'\)",
    ),
    "half": ((200, json.dumps(chart())[:200]), ConnectionError, r"is out of order \(status 200, '{"),
    "cut off": (fake_yahoo.cut, ConnectionError, r"cannot reach Yahoo Finance \(.*\): check the internet"),
    "hangs": (fake_yahoo.hang, TimeoutError, r"Yahoo Finance gave no answer in \d+ seconds: try again later"),
    "drips": (fake_yahoo.drip, TimeoutError, r"Yahoo Finance gave no answer in \d+ seconds: try again later"),
}


USUAL = {"rate limit", "unknown", "cut off"}  # one of each exception; each loads yfinance


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=[pytest.mark.slow] if kind not in USUAL else []) for kind in NETWORK]
)
def test_each_failure_of_the_network_has_its_own_line(kind, cache, monkeypatch, capfd):
    answer, exception, message = NETWORK[kind]
    with FakeYahoo(answer) as server:
        ask_at(monkeypatch, server.base)
        for limit in (4, 40) if exception is TimeoutError else (120,):  # 4 where yfinance loads in 3
            monkeypatch.setattr(yahoo, "LIMIT", limit)
            with pytest.raises(exception, match=message) as error:
                prices.load(source="yahoo")
            if exception is TimeoutError:
                assert f" in {limit} seconds" in str(error.value)
            if any("/v8/finance/chart/AAPL" in path for path in server.paths):
                break
        assert any("/v8/finance/chart/AAPL" in path for path in server.paths)
    one_line(error)
    assert list(cache.iterdir()) == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("base", "reason"),
    [
        ("http://127.0.0.1:1", "Failed to connect to 127.0.0.1"),
        pytest.param(  # which asks no name server
            "http://no..host", r"Could not resolve host: no\.\.host", marks=pytest.mark.slow
        ),
    ],
)
def test_without_a_network(base, reason, monkeypatch):
    ask_at(monkeypatch, base)
    with pytest.raises(
        ConnectionError, match=rf"cannot reach Yahoo Finance \({reason}.*\): check the inter"
    ) as error:
        prices.load(source="yahoo")
    assert "curl" not in one_line(error)


@pytest.mark.slow
def test_a_cookie_that_does_not_come_takes_only_a_part_of_the_time(monkeypatch):
    with FakeYahoo(fake_yahoo.cookies_hang) as server:
        ask_at(monkeypatch, server.base)
        monkeypatch.setattr(yahoo, "LIMIT", 9)
        with suppress(TimeoutError):  # 9 seconds are enough where yfinance loads in 3
            prices.load(source="yahoo")
        monkeypatch.setattr(yahoo, "LIMIT", 90)
        assert len(prices.load(source="yahoo")) == 5  # the file, or another try
        assert any("fc.yahoo.com" in path for path in server.paths)


def test_a_yfinance_that_hangs(monkeypatch):
    monkeypatch.setattr(yahoo, "COMMAND", [sys.executable, "-ISc", "import time; time.sleep(600)"])
    monkeypatch.setattr(yahoo, "LIMIT", 0.5)
    with pytest.raises(TimeoutError, match=r"gave no answer in 0\.5 seconds: try again later") as error:
        prices.load(source="yahoo")
    one_line(error)


def test_a_broken_yfinance(monkeypatch):
    code = "import sys; sys.exit('Traceback\\n  File\\nAttributeError: no such thing')"
    monkeypatch.setattr(yahoo, "COMMAND", [sys.executable, "-Sc", code])
    with pytest.raises(
        ChildProcessError, match=r"yfinance failed \(AttributeError: no such thing\): pip "
    ) as error:
        prices.load(source="yahoo")
    one_line(error)


def variant(**keys):
    """An answer with keys of its result replaced, or removed if None."""
    answer = chart()
    result = answer["chart"]["result"][0]
    for key, value in keys.items():
        part = result["meta"] if key in result["meta"] else result
        part[key] = value
        if value is None:
            del part[key]
    return answer


FIVE = [1.0, 2.0, 3.0, 4.0, 5.0]
DAYS = ["2026-11-16", "2026-11-17", "2026-11-18", "2026-11-19", "2026-11-20"]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (
            variant(symbol="MSFT"),
            r"Yahoo Finance's answer for AAPL cannot be used \(it is for MSFT\): try again",
        ),
        (variant(symbol="M" * 9999), "it is for MMM"),
        (variant(symbol=5), "cannot be used"),
        (variant(dataGranularity="1mo"), "not by the day but by 1mo"),
        (variant(exchangeTimezoneName="Mars/Base"), "cannot be used"),
        (variant(exchangeTimezoneName=None), "no 'exchangeTimezoneName'"),
        (variant(meta=None), "no 'meta'"),
        (variant(indicators=None), "no 'indicators'"),
        (variant(indicators={"quote": [chart()], "adjclose": [{}]}), "no 'open'"),
        (variant(indicators={"quote": [], "adjclose": []}), "cannot be used"),
        (variant(timestamp=["soon"] * 5), "cannot be used"),
        (variant(timestamp=[None] * 5), "cannot be used"),
        (variant(timestamp=[1e300] * 5), "cannot be used"),
        (variant(timestamp=[10**17] * 5), "cannot be used"),
        (variant(timestamp=[10**30] * 5), "cannot be used"),
        (variant(timestamp=[]), "Yahoo Finance has no daily prices of AAPL"),
        (variant(timestamp=None), "Yahoo Finance has no daily prices of AAPL"),
        ({"chart": {"result": [], "error": None}}, "no 'meta'"),
        ({"chart": {"result": None, "error": None}}, "no 'meta'"),
        ({"chart": {"result": "AAPL", "error": None}}, "cannot be used"),
        (chart(open=FIVE[:4]), "cannot be used .*length"),
        (chart(adjclose=FIVE[:4]), "cannot be used .*[Ll]ength"),
        (variant(timestamp=[1, 2, 3, 4]), "cannot be used .*[Ll]ength"),
        (chart(open=[], high=[], low=[], close=[], volume=[], adjclose=[]), "cannot be used .*[Ll]ength"),
        (chart(close=["a"] * 5), "cannot be used"),
        (chart(close=[[1]] * 5), "cannot be used"),
        (chart(close=[10**400] * 5), "cannot be used"),
        (chart(close=None), "cannot be used .*length"),
        (chart(close=7), "cannot be used .*length"),
        (chart(adjclose=7), "cannot be used .*[Ll]ength"),
        (chart(DAYS[:2] + DAYS[1:4]), "2026-11-17 is there twice or in the wrong place"),
        (chart([DAYS[2], *DAYS[:2], *DAYS[3:]]), "2026-11-16 is there twice or in the wrong place"),
        (chart(DAYS[::-1]), "2026-11-19 is there twice or in the wrong place"),
        (chart([*DAYS[:4], "2031-01-01"]), "runs from 2026-11-16 to 2031-01-01, and today is 2026-11-22"),
        (chart(["1690-01-02", *DAYS[1:]]), "it runs from 1690-01-02 to 2026-11-20, and today is 2026-11-22"),
        (chart(close=[1, None, 3, 4, 5]), "AAPL on 2026-11-17: "),
        (chart(close=[1, float("nan"), 3, 4, 5]), "AAPL on 2026-11-17: "),
        (
            chart(open=[100, None, None, 100, 100]),
            r"on 2026-11-17: open is missing \(on 2 days, the last 2026-11-18\)",
        ),
        (
            chart(open=[1, 2, 3, float("inf"), 5]),
            "AAPL on 2026-11-19: open is inf, where a number above 0 is needed",
        ),
        (
            chart(low=[1, 2, 3, 4, -5]),
            "AAPL on 2026-11-20: low is -5, where a number above 0 is needed: leave such",
        ),
        (
            chart(open=[0, 2, 3, 4, 5]),
            "AAPL on 2026-11-16: open is 0, where a number above 0 is needed: leave such",
        ),
        (chart(adjclose=[1, 2, 0, 4, 5]), "AAPL on 2026-11-18: adj_close is 0"),
        (chart(adjclose=[1, 2, -1, 4, 5]), "AAPL on 2026-11-18: adj_close is -1"),
        (chart(close=[1, 2, 0, 4, 5]), "AAPL on 2026-11-18: "),
        (chart(high=FIVE), "AAPL on 2026-11-16: high 1 is below low 97"),
        (
            chart(volume=[1, 2, -3, 4, 5]),
            "AAPL on 2026-11-18: volume is -3, where a number 0 or more is needed",
        ),
        (chart(volume=[1, 2, None, 4, 5]), "AAPL on 2026-11-18: volume is missing"),
    ],
)
def test_a_lying_yahoo(replay, cache, answer, message):
    replay(chart())
    prices.load(source="yahoo")
    before = (cache / "yahoo_AAPL.csv").read_bytes()
    replay(answer)
    with pytest.raises(ValueError, match=message) as error:
        prices.load(source="yahoo", refresh=True)
    assert "the cache holds AAPL to 2026-11-20, fetched 2026-11-22" in one_line(error)
    assert (cache / "yahoo_AAPL.csv").read_bytes() == before
    assert len(list(cache.iterdir())) == 1
    assert len(prices.load(source="yahoo")) == 5


@pytest.mark.parametrize("text", ["[" * 100_000, "null", "[]", "7", '{"chart": null}', '{"chart": {}}', ""])
def test_json_that_is_no_answer(replay, text):
    replay(text)
    with pytest.raises(ConnectionError, match="Yahoo Finance is out of order") as error:
        prices.load(source="yahoo")
    one_line(error)


def test_an_error_of_the_network_or_the_server_that_brings_more(replay):
    replay("first line\nsecond line", status=None)
    with pytest.raises(
        ConnectionError, match=r"cannot reach Yahoo Finance \(first line second line\): check"
    ):
        prices.load(source="yahoo")
    replay(chart(), status=503)
    with pytest.raises(ConnectionError, match=r"is out of order \(status 503, "):
        prices.load(source="yahoo")


def test_what_yahoo_does_every_day_is_no_lie(replay, monkeypatch):
    """A holiday without prices, the newest day repeated, and today's prices, which still move."""
    holiday = [1.0, None, 3.0, 4.0, 5.0, 6.0]
    columns = dict.fromkeys(["open", "high", "low", "close", "adjclose"], holiday)
    replay(chart([*DAYS, "2026-11-20"], **columns, volume=[0, None, 1, 2, 3, 4]))
    quotes = prices.load(source="yahoo")
    assert quotes["close"].tolist() == [1, 3, 4, 6]
    assert quotes["volume"].tolist() == [0, 1, 2, 4]

    today_is(monkeypatch, "2026-11-20")
    replay(chart(currency="GBp"))
    quotes = prices.load(source="yahoo", refresh=True)
    assert f"{quotes.index[-1]:%Y-%m-%d}" == "2026-11-19"
    assert origin_of(quotes).unit == "GBp"
    replay(chart(DAYS[4:]))
    with pytest.raises(ValueError, match="Yahoo Finance has no daily prices of AAPL"):
        prices.load(source="yahoo", refresh=True)


@pytest.mark.parametrize(
    ("name", "column"),
    [("close", "close"), ("adjclose", "adj_close"), ("volume", "volume"), ("open", "open")],
)
def test_a_hole_in_the_middle_is_named_and_hinders_who_needs_it(replay, name, column):
    replay(chart(**{name: [100, 101, None, 103, 104]}))
    for columns in (None, [column]):
        with pytest.raises(
            ValueError, match=rf"AAPL on 2026-11-18: {column} is missing: leave such days out: start after"
        ) as error:
            prices.load(source="yahoo", columns=columns)
        assert ("do without" in one_line(error)) == (column in ("open", "volume"))
    assert len(prices.load(source="yahoo", start="2026-11-19")) == 2
    if column in ("open", "volume"):
        quotes = prices.load(source="yahoo", columns=["close", "high"])
        assert quotes["close"].tolist() == [50, 50.5, 51, 51.5, 52]
        assert quotes[column].isna().sum() == 1
        with pytest.raises(ValueError, match=f"AAPL on 2026-11-18: {column} is missing"):  # from the cache
            prices.load(source="yahoo", columns=[column])


def test_a_split_that_yahoo_missed_is_told(replay):
    """Of small exchanges Yahoo's adj_close knows not every split."""
    closes = [100.0, 101.0, 25.0, 25.5, 26.0]
    opening = [100.0, 101.0, 25.1, 25.0, 26.0]
    replay(chart(close=closes, open=opening, high=closes, low=closes, adjclose=closes))
    (note,) = origin_of(prices.load(source="yahoo")).notes
    assert note.startswith("On 2026-11-18 the adjusted close goes from 101 to 25, as at a split of 4 for 1")
    assert origin_of(prices.load(source="yahoo", start="2026-11-18")).notes == ()
    assert len(origin_of(prices.load(source="yahoo")).notes) == 1  # from the cache


def test_a_file_that_an_older_version_kept(replay, cache):
    """Its prices were adjusted before they were written."""
    symbols = replay(chart())
    quotes = prices.load(source="yahoo")
    path = cache / "yahoo_AAPL.csv"
    note = path.read_text("utf-8").splitlines()[0]
    path.write_text(f"{note}\n{quotes.to_csv()}", "utf-8")
    pd.testing.assert_frame_equal(prices.load(source="yahoo"), quotes)
    assert symbols() == ["AAPL"]


def test_a_day_that_begins_the_evening_before_in_summer_time(replay):
    stamps = pd.DatetimeIndex(
        ["2026-06-30 23:00", "2026-07-01 22:00", "2026-07-03 22:30", "2026-07-06", "2026-07-07"]
    )
    answer = variant(timestamp=stamps.tz_localize("Europe/London").as_unit("s").astype("int64").tolist())
    answer["chart"]["result"][0]["meta"]["exchangeTimezoneName"] = "Europe/London"
    replay(answer)
    days = prices.load(source="yahoo").index.strftime("%m-%d")
    assert list(days) == ["07-01", "07-02", "07-03", "07-06", "07-07"]


def test_impossible_prices_outside_the_days_asked_for_do_no_harm(replay):
    """Yahoo has an open of 0 for old days of many symbols."""
    symbols = replay(chart(open=[0, 0, 100, 100, 100], symbol="KO", currency=None))
    quotes = prices.load("KO", source="yahoo", start="2026-11-18")
    assert len(quotes) == 3
    assert origin_of(quotes).unit == "unknown unit"
    with pytest.raises(
        ValueError, match=r"KO on 2026-11-16: open is 0, .* \(on 2 days, the last 2026-11-17\): leave"
    ):
        prices.load("KO", source="yahoo")
    assert symbols() == ["KO"]


def test_no_prices_between_two_days(replay):
    symbols = replay(chart())
    for _ in range(2):
        with pytest.raises(
            ValueError, match=r"no data between 2026-11-21 and 2026-11-22: .* 2026-11-16 to 2026-11-2"
        ):
            prices.load(source="yahoo", start="2026-11-21", end="2026-11-22")
    assert symbols() == ["AAPL"]


# The cache.


def test_the_cache_is_used_as_long_as_it_reaches_the_end(replay, monkeypatch):
    symbols = replay(chart())
    prices.load(source="yahoo")
    assert symbols() == ["AAPL"]
    today_is(monkeypatch, "2026-11-25")
    old = prices.load(source="yahoo", end="2026-11-20")
    assert origin_of(old).source == "Yahoo Finance, fetched 2026-11-22"
    assert len(prices.load(source="yahoo", end="2026-11-18")) == 3
    assert symbols() == ["AAPL"]
    prices.load(source="yahoo", end="2026-11-23")
    assert symbols() == ["AAPL"] * 2
    newer = prices.load(source="yahoo")  # fetched today, so no more can be had
    assert origin_of(newer).source == "Yahoo Finance, fetched 2026-11-25"
    assert symbols() == ["AAPL"] * 2
    prices.load(source="yahoo", end="2026-11-17", refresh=True)
    assert symbols() == ["AAPL"] * 3
    today_is(monkeypatch, "2026-11-26")
    prices.load(source="yahoo")
    assert symbols() == ["AAPL"] * 4


def test_a_new_history_replaces_the_old_one_whole(replay, monkeypatch):
    """After a split of 2 for 1 every old price has changed: none of them may stay."""
    replay(chart())
    old = prices.load(source="yahoo")
    today_is(monkeypatch, "2026-11-23")
    replay(chart(adjclose=[25, 25.25, 25.5, 25.75, 26]))
    new = prices.load(source="yahoo")
    np.testing.assert_allclose(new["close"], old["close"] / 2)


def test_a_failure_says_what_the_cache_holds_and_keeps_it(replay, cache, monkeypatch):
    replay(chart())
    prices.load(source="yahoo")
    before = (cache / "yahoo_AAPL.csv").read_bytes()
    today_is(monkeypatch, "2026-11-25")
    replay("", status=429)
    with pytest.raises(
        ConnectionError,
        match=r"allows no more requests.*; the cache holds AAPL to 2026-11-20, fetched 2026-11-22: "
        "with --end 2026-11-20 or earlier it is used$",
    ) as error:
        prices.load(source="yahoo")
    one_line(error)
    with pytest.raises(ConnectionError, match=r"or earlier, and without --refresh, it is used$"):
        prices.load(source="yahoo", end="2026-11-20", refresh=True)
    with pytest.raises(ConnectionError, match=r"some minutes$"):  # nothing of MSFT
        prices.load("MSFT", source="yahoo")
    assert (cache / "yahoo_AAPL.csv").read_bytes() == before
    assert len(prices.load(source="yahoo", end="2026-11-20")) == 5


def test_a_write_that_fails_or_is_killed_leaves_the_old_file(replay, cache, monkeypatch):
    replay(chart())
    prices.load(source="yahoo")
    before = (cache / "yahoo_AAPL.csv").read_bytes()

    def full(frame, file, **options):
        file.write("date,open\n2026")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(pd.DataFrame, "to_csv", full)
        with pytest.raises(OSError, match="No space left"):
            prices.load(source="yahoo", refresh=True)
    assert {path.name: path.read_bytes() for path in cache.iterdir()} == {"yahoo_AAPL.csv": before}

    code = (
        "import os, sys; import pandas as pd; from rnnlib.data import yahoo\n"
        "def die(frame, file, **options): file.write('date'); file.flush(); os._exit(9)\n"
        f"pd.DataFrame.to_csv = die; yahoo.COMMAND = {yahoo.COMMAND!r}\n"
        f"yahoo._now = lambda: pd.Timestamp({str(fake_yahoo.NOW)!r})\n"
        "yahoo.history('AAPL', refresh=True)"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=600).returncode == 9
    assert (cache / "yahoo_AAPL.csv").read_bytes() == before
    assert len(prices.load(source="yahoo")) == 5
    assert list(yahoo.cached()["symbol"]) == ["AAPL"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: text[:-20],
        lambda text: "".join(text.splitlines(keepends=True)[:-1]),
        lambda text: text.replace("# AAPL", "# MSFT"),
        lambda text: text.replace("fetched 2026", "fetched soon"),
        lambda text: text.split("\n", 1)[1],
        lambda text: text.replace("2026-11-17", "2026-11-16"),
        lambda text: text.replace(",volume", ",adj_close"),
        lambda text: text.replace("99.5", "9q.5"),
        lambda text: "\xff\xfe" + text,
        lambda text: text.replace("\n", "\0"),
    ],
)
def test_a_damaged_cache_file(replay, cache, damage):
    replay(chart())
    quotes = prices.load(source="yahoo")
    path = cache / "yahoo_AAPL.csv"
    path.write_bytes(damage(path.read_text("utf-8")).encode("latin-1"))
    message = "is damaged: delete it, or: python -m rnnlib data AAPL --refresh"
    for use in (lambda: prices.load(source="yahoo"), yahoo.cached):
        with pytest.raises(ValueError, match=message) as error:
            use()
        assert str(path) in one_line(error)
    replay("", status=429)
    with pytest.raises(ConnectionError, match=r"some minutes$"):
        prices.load(source="yahoo", refresh=True)
    replay(chart())
    pd.testing.assert_frame_equal(prices.load(source="yahoo", refresh=True), quotes)


def test_prices_come_back_from_the_cache_as_they_are(replay):
    rng = np.random.default_rng(0)
    close, factor = rng.lognormal(4, 2, 5), rng.uniform(0.1, 1, 5)
    columns = {
        "open": close,
        "high": close * 1.1,
        "low": close * 0.9,
        "close": close,
        "adjclose": close * factor,
    }
    replay(chart(**{name: column.tolist() for name, column in columns.items()}))
    for _ in range(2):
        quotes = prices.load(source="yahoo")
        np.testing.assert_array_equal(quotes["high"], close * 1.1 * (close * factor / close))


def test_what_is_cached(replay, cache, monkeypatch):
    assert yahoo.cached().empty
    assert not cache.exists()
    symbols = (
        "AAPL",
        "con",
        "^GSPC",
        ".DJI",
        "EURUSD=X",
        "brk-b",
        "M&M.NS",
        "NIFTY_FIN_SERVICE.NS",
        "0700.HK",
    )
    for symbol in symbols:
        replay(chart(symbol=symbol.upper()))
        assert origin_of(prices.load(symbol, source="yahoo")).name == symbol.upper()
    (cache / "notes.csv").write_text("mine")
    (cache / ".yahoo_X.csv.1.tmp").write_text("half")
    contents = yahoo.cached()
    assert list(contents) == ["symbol", "first", "last", "days", "fetched"]
    assert sorted(contents["symbol"]) == sorted(symbol.upper() for symbol in symbols)
    assert contents.iloc[0].tolist()[1:] == [
        pd.Timestamp("2026-11-16"),
        pd.Timestamp("2026-11-20"),
        5,
        pd.Timestamp("2026-11-22"),
    ]
    assert not any(set(path.name) & set('<>:"/\\|?*') for path in cache.iterdir())  # forbidden on Windows
    reserved = {"CON", "PRN", "AUX", "NUL"}
    assert all(path.name.split(".")[0].upper() not in reserved for path in cache.iterdir())


@pytest.mark.parametrize(
    "symbol",
    ["", "..", "^", "../AAPL", "A/B", "A\\B", "A A", "AAPL\n", "A" * 21, "ÄPL", "ſ", "A:B", "A%", None, 5],
)
def test_symbols_that_are_none(symbol, cache):
    with pytest.raises(
        ValueError, match=r"is no symbol: write one such as AAPL, \^GSPC or EURUSD=X"
    ) as error:
        prices.load(symbol, source="yahoo")
    one_line(error)
    assert not cache.exists()


def test_a_cache_folder_that_cannot_be_written(replay, monkeypatch, tmp_path):
    symbols = replay(chart())
    (tmp_path / "file").write_text("mine")
    monkeypatch.setenv("RNNLIB_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(
        OSError, match=r"cannot write into the cache folder .* RNNLIB_CACHE name another"
    ) as error:
        prices.load(source="yahoo")
    one_line(error)
    assert symbols() == []


def test_the_cache_folder(monkeypatch):
    monkeypatch.setenv("RNNLIB_CACHE", "~/here")
    assert yahoo.cache_folder() == yahoo.Path.home() / "here"
    monkeypatch.delenv("RNNLIB_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert "rnnlib" in yahoo.cache_folder().parts
    assert os.fspath(yahoo.cache_folder()).startswith(os.path.expanduser("~"))


def test_a_symbol_is_text_in_the_address(monkeypatch):
    """M&M.NS, and what else has a meaning in an address."""
    with FakeYahoo((200, chart(symbol="M&M^=;_.NS"))) as server:
        ask_at(monkeypatch, server.base)
        assert origin_of(prices.load("m&m^=;_.ns", source="yahoo")).name == "M&M^=;_.NS"
        assert any("/v8/finance/chart/M%26M%5E%3D%3B_.NS?" in path for path in server.paths)


def test_the_child_asks_the_server_of_this_process(monkeypatch):
    with FakeYahoo((200, chart())) as server:
        monkeypatch.setattr(yahoo, "SERVER", server.base)
        monkeypatch.setattr(yahoo, "COMMAND", [sys.executable, "-m", "rnnlib.data.yahoo"])
        monkeypatch.setattr(yahoo, "_now", lambda: fake_yahoo.NOW)
        assert len(prices.load(source="yahoo")) == 5
        assert any("/finance/chart/AAPL" in path for path in server.paths)
