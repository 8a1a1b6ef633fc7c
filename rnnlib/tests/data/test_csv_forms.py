"""CSV files as each site writes them, and what is no such file."""

import os

import numpy as np
import pandas as pd
import pytest

from rnnlib.data import prices
from rnnlib.data.origin import origin_of
from rnnlib.tests.data.csv_texts import days_of, refused

DAYS = ["2024-01-02", "2024-01-03", "2024-01-04"]

YAHOO = "Date,Open,High,Low,Close,Adj Close,Volume\n"
STOOQ = "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>\n"
ALPHA = "timestamp,open,high,low,close,adjusted_close,volume,dividend_amount,split_coefficient\n"
NASDAQ = "Date,Close/Last,Volume,Open,High,Low\n"
INVESTING = '"Date","Price","Open","High","Low","Vol.","Change %"\n'
FORMS = {
    "yfinance history": "Date,Open,High,Low,Close,Volume,Dividends,Stock Splits\n"
    "2024-01-02 00:00:00-05:00,9,12,8,10,100,0.0,0.0\n"
    "2024-01-03 00:00:00-05:00,9,12,8,11,200,0.0,2.0\n"
    "2024-01-04 00:00:00-05:00,9,13,8,12,300,0.5,0.0\n",
    "yfinance history, not adjusted": YAHOO.replace("\n", ",Dividends,Stock Splits\n")
    + "2024-01-02 00:00:00-05:00,18,24,16,20,10,100,0.0,0.0\n"
    "2024-01-03 00:00:00-05:00,18,24,16,22,11,200,0.0,0.0\n"
    "2024-01-04 00:00:00-05:00,18,26,16,24,12,300,0.5,0.0\n",
    "yfinance download": "Price,Close,High,Low,Open,Volume\n"
    "Ticker,AAPL,AAPL,AAPL,AAPL,AAPL\nDate,,,,,\n"
    "2024-01-02,10,12,8,9,100\n2024-01-03,11,12,8,9,200\n2024-01-04,12,13,8,9,300\n",
    "yfinance download by ticker": "Ticker,AAPL,AAPL,AAPL,AAPL,AAPL\n"
    "Price,Open,High,Low,Close,Volume\nDate,,,,,\n"
    "2024-01-02,9,12,8,10,100\n2024-01-03,9,12,8,11,200\n2024-01-04,9,13,8,12,300\n",
    "yfinance download of an older version": ",Close,Close,High,High,Low,Low,Open,Open,Volume,Volume\n"
    ",AAPL,MSFT,AAPL,MSFT,AAPL,MSFT,AAPL,MSFT,AAPL,MSFT\nDate,,,,,,,,,,\n"
    "2024-01-02,10,,12,,8,,9,,100,\n2024-01-03,11,7,12,7,8,7,9,7,200,7\n"
    "2024-01-04,12,7,13,7,8,7,9,7,300,7\n",
    "yfinance download on one level": "Date,Close,High,Low,Open,Volume\n"
    "2024-01-02,10,12,8,9,100\n2024-01-03,11,12,8,9,200\n2024-01-04,12,13,8,9,300\n",
    "Yahoo": YAHOO
    + "2024-01-02,18,24,16,20,10,100\n2024-01-03,18,24,16,22,11,200\n2024-01-04,18,26,16,24,12,300\n",
    "Stooq": "Date,Open,High,Low,Close,Volume\r\n"
    "2024-01-02,9,12,8,10,100\r\n2024-01-03,9,12,8,11,200\r\n2024-01-04,9,13,8,12,300\r\n",
    "Stooq in Polish": "Data,Otwarcie,Najwyzszy,Najnizszy,Zamkniecie,Wolumen\r\n"
    "2024-01-02,9,12,8,10,100\r\n2024-01-03,9,12,8,11,200\r\n2024-01-04,9,13,8,12,300\r\n",
    "Stooq in ASCII": STOOQ + "AAPL.US,D,20240102,000000,9,12,8,10,100,0\n"
    "AAPL.US,D,20240103,000000,9,12,8,11,200,0\nAAPL.US,D,20240104,000000,9,13,8,12,300,0\n",
    "Alpha Vantage": "timestamp,open,high,low,close,volume\n"
    "2024-01-04,9,13,8,12,300\n2024-01-03,9,12,8,11,200\n2024-01-02,9,12,8,10,100\n",
    "Alpha Vantage, adjusted": ALPHA + "2024-01-04,9,13,8,12,12,300,0.0000,1.0\n"
    "2024-01-03,9,12,8,11,11,200,0.0000,2.0\n2024-01-02,18,24,16,20,10,50,0.0000,1.0\n",
    "Alpha Vantage's Python package": "date,1. open,2. high,3. low,4. close,5. volume\n"
    "2024-01-04,9.0,13.0,8.0,12.0,300.0\n2024-01-03,9.0,12.0,8.0,11.0,200.0\n"
    "2024-01-02,9.0,12.0,8.0,10.0,100.0\n",
    "Nasdaq": NASDAQ + "01/04/2024,$12.00,300,$9.00,$13.00,$8.00\n"
    "01/03/2024,$11.00,200,$9.00,$12.00,$8.00\n01/02/2024,$10.00,100,$9.00,$12.00,$8.00\n",
    "Investing.com": "\ufeff" + INVESTING + '"01/04/2024","12.00","9.00","13.00","8.00","0.30K","9.09%"\n'
    '"01/03/2024","11.00","9.00","12.00","8.00","0.20K","10.00%"\n'
    '"01/02/2024","10.00","9.00","12.00","8.00","0.10K","-1.00%"\n',
    "Investing.com with names of months": INVESTING
    + '"Jan 04, 2024","12.00","9.00","13.00","8.00","0.30K","1%"\n'
    '"Jan 03, 2024","11.00","9.00","12.00","8.00","0.20K","1%"\n'
    '"Jan 02, 2024","10.00","9.00","12.00","8.00","0.10K","1%"\n',
    "Tiingo": "date,close,high,low,open,volume,"
    "adjClose,adjHigh,adjLow,adjOpen,adjVolume,divCash,splitFactor\n"
    "2024-01-02T00:00:00.000Z,20,24,16,18,50,10,12,8,9,100,0.0,1.0\n"
    "2024-01-03T00:00:00.000Z,11,12,8,9,200,11,12,8,9,200,0.0,2.0\n"
    "2024-01-04T00:00:00.000Z,12,13,8,9,300,12,13,8,9,300,0.0,1.0\n",
    "India's NSE": '"Date ","series ","OPEN ","HIGH ","LOW ","PREV. CLOSE ",'
    '"ltp ","close ","vwap ","VOLUME "\n'
    '"04-Jan-2024","EQ","9.00","13.00","8.00","11.00","12.00","12.00","1,234.50","300"\n'
    '"03-Jan-2024","EQ","9.00","12.00","8.00","10.00","11.00","11.00","1,234.50","200"\n'
    '"02-Jan-2024","EQ","9.00","12.00","8.00","10.00","10.00","10.00","1,234.50","100"\n',
    "an index without a name": ",Open,High,Low,Close,Volume\n"
    "2024-01-02,9,12,8,10,100\n2024-01-03,9,12,8,11,200\n2024-01-04,9,13,8,12,300\n",
    "a table of one coin": "SNo,Name,Symbol,Date,High,Low,Open,Close,Volume,Marketcap\n"
    "1,Bitcoin,BTC,2024-01-02 23:59:59,12,8,9,10,100,1\n2,Bitcoin,BTC,2024-01-03 23:59:59,12,8,9,11,200,1\n"
    "3,Bitcoin,BTC,2024-01-04 23:59:59,13,8,9,12,300,1\n",
    "one table of many symbols": "date,open,high,low,close,volume,Name\n2024-01-02,7,7,7,7,7,AAL\n"
    "2024-01-02,9,12,8,10,100,AAPL\n2024-01-03,9,12,8,11,200,AAPL\n2024-01-04,9,13,8,12,300,AAPL\n",
}


@pytest.mark.parametrize("form", FORMS)
def test_each_site_s_file_is_read(load, form):
    quotes = load(FORMS[form], dates="mdy", symbol="AAPL")
    assert days_of(quotes) == DAYS
    assert quotes["close"].tolist() == [10, 11, 12]
    assert quotes["high"].tolist() == [12, 12, 13]
    assert quotes["low"].tolist() == [8, 8, 8]
    assert quotes["open"].tolist() == [9, 9, 9]
    assert quotes["volume"].tolist() == pytest.approx([100, 200, 300])
    assert list(quotes) == ["open", "high", "low", "close", "volume"]
    assert origin_of(quotes).notes == ()
    assert ("taken as adjusted" in origin_of(quotes).source) == ("dj" not in FORMS[form].splitlines()[0])


@pytest.mark.parametrize("levels", [["Price", "Ticker"], ["Ticker", "Price"]])
def test_what_pandas_writes_of_a_download(tmp_path, levels):
    """The frames of yf.download have these levels; of two tickers one has a day less."""
    names = {"Price": ["Close", "High", "Low", "Open", "Volume"], "Ticker": ["AAPL", "MSFT"]}
    columns = pd.MultiIndex.from_product([names[level] for level in levels], names=levels)
    frame = pd.DataFrame(1.5, index=pd.DatetimeIndex(DAYS, name="Date"), columns=columns)
    frame.loc["2024-01-03", frame.columns.get_level_values("Ticker") == "MSFT"] = np.nan
    path = tmp_path / "two.csv"
    frame.to_csv(path)
    assert days_of(prices.load("aapl", source=path)) == DAYS
    quotes = prices.load("MSFT", source=path)
    assert days_of(quotes) == [DAYS[0], DAYS[2]]
    assert origin_of(quotes).source == "file two.csv, MSFT, taken as adjusted"
    with pytest.raises(ValueError, match="2 symbols, and none is IBM: give --symbol, one of AAPL, MSFT"):
        prices.load("IBM", source=path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("date,colse\n2024-01-02,3\n", ["line 1: no column close: there are date, colse"]),
        (
            "Prices of Apple\ndate,close\n2024-01-02,3\n",
            ["line 1: this is not the header, which stands on line 2"],
        ),
        (
            "Price,Close,Open\nTicker,AAPL\nDate,,\n2024-01-02,3,3\n",
            ["line 2: 2 cells, where the header has 3"],
        ),
        ("date,close,hihg,high_\n2024-01-02,3,x,3\n", []),
        ("date,close,volmue\n2024-01-02,3,1\n", ["unknown column 'volmue': if it is volume, call it so"]),
        ("date,close,adj_open\n2024-01-02,3,1\n", ["unknown column 'adj_open': if it is adj_close"]),
        ("date,close,closeadj\n2024-01-02,3,1\n", ["unknown column 'closeadj': if it is adj_close"]),
        ("date,price,last,close/last\n2024-01-02,3,3,3\n", ["two columns close (price, close_last): remove"]),
        ("date,close,Adj Close,Adj. Close\n2024-01-02,3,3,3\n", ["two columns adj_close"]),
        ("timestamp,time,close\n2024-01-02,00:00,3\n", ["two columns date (timestamp, time)"]),
    ],
)
def test_names_that_are_mistyped_or_double(load, text, words):
    if words:
        refused(load, text, words)
    else:
        assert list(load(text)) == ["high", "close"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x1f\x8b\x08\0", "compressed by gzip: unpack it first"),
        (b"PK\x03\x04", "a zip archive or an Excel workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "an Excel workbook: save the sheet as CSV"),
        (b"PAR1\x15", "a Parquet file: write it as CSV"),
        (b"\n<!DOCTYPE html>", "a web page"),
        (b"<HTML><body>", "a web page"),
        (b'{"Information": "rate limit"}', "JSON"),
        ("Date\tClose\n2024-01-02\t3\n".encode("utf-16"), "not text in UTF-8: save it as CSV in UTF-8"),
        ("Date,Clôture\n".encode("cp1252"), "not text in UTF-8"),
        (b"pk,date,close\n1,2024-01-02,3\n", None),
    ],
)
def test_files_that_are_no_csv_are_told(load, content, words):
    if words:
        refused(load, content, ["prices.csv: ", words])
    else:
        assert len(load(content)) == 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_a_pipe_is_told(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match=r"pipe is a pipe or a device.*: save the prices as a CSV file"):
        prices.load(source=tmp_path / "pipe")
    with pytest.raises(OSError, match="is a pipe or a device"):
        prices.load(source=os.devnull)


@pytest.mark.parametrize("header", ["date,close", "Data,Zamkniecie", "timestamp,price"])
@pytest.mark.parametrize(
    "lines", ["Symbol: AAPL,\n", "Symbol: AAPL,\n,\nFrom,2024\n", "sep=,\n", "Apple\n", '"A; B",\n']
)
def test_what_stands_above_the_header_is_to_be_removed(load, header, lines):
    text = f"{lines}{header}\n2024-01-02,3\n"
    if ";" in lines:
        refused(load, text, ["line 1: columns parted by semicolons"])
        return
    place = 1 + lines.count("\n")
    refused(
        load, text, [f"line 1: this is not the header, which stands on line {place}: remove what is above"]
    )
    assert len(load(f"{header}\n2024-01-02,3\n")) == 1


@pytest.mark.parametrize("row", ["2024-01-02,3", "1704153600,3.5,4", "20240102,3"])
def test_a_file_without_a_header_is_told(load, row):
    refused(
        load, f"{row}\n{row}\n", ["line 1: the first line is no header: write the names", "date,open,high"]
    )


@pytest.mark.parametrize("sign", [";", "\t", "|"])
@pytest.mark.parametrize("above", ["", "Apple\n", "# ours\n"])
@pytest.mark.parametrize("quote", ["", '"'])
def test_other_signs_between_columns_are_told_before_all_else(load, sign, above, quote):
    row = sign.join(f"{quote}{cell}{quote}" for cell in ("2024-01-02", "3"))
    text = f"{above}date{sign}close\n{row}\n"
    line = 1 + above.count("\n")
    message = refused(load, text, ["columns parted by semicolons, tabs or bars: use commas"])
    assert f"line {line}: " in message


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("Source: Yahoo", ["line 3: 1 cell, where the header has 2: complete the line or remove it"]),
        ("2024-01", ["line 3: 1 cell"]),
        ("2024-01-03,187,15", ["line 3: 3 cells, where the header has 2: remove a comma", "187.15"]),
        ("2024-01-02,4", ["line 3: 2024-01-02 stands there twice: remove one of the lines 2 and 3"]),
        ("2024-01-02,0.24 Dividend", ["line 3: '0.24 Dividend' is no day's prices: remove such lines"]),
        ("2024-01-02,4:1 Stock Splits", ["line 3: '4:1 Stock Splits' is no day's prices"]),
    ],
)
def test_a_line_that_is_no_day_comes_with_what_to_do(load, row, words):
    refused(load, f"date,close\n2024-01-02,3\n{row}\n", words)


def test_lines_that_are_twice_are_named_by_their_place_in_the_file(load):
    text = "date,close\n2024-01-05,3\n2024-01-04,3\n2024-01-03,3\n2024-01-05,3\n"
    refused(load, text, ["line 5: 2024-01-05 stands there twice: remove one of the lines 2 and 5"])


@pytest.mark.parametrize("words", ["No data", "Exceeded the daily hits limit"])
def test_an_answer_without_a_table_is_told(load, words):
    refused(load, words + "\n", [f"prices.csv: the file holds no table but the words '{words}': download it"])


def test_a_header_in_the_middle_is_told(load):
    text = "date,close\n2024-01-02,3\n"
    refused(load, text + text.replace("02", "03"), ["line 3: the header stands there again: remove the line"])
