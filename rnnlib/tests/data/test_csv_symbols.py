"""The symbols that CSV files name: in a column, above columns, or in place of the name of one."""

import pytest

from rnnlib.data.origin import origin_of
from rnnlib.tests.data.csv_texts import days_of, refused

DOWNLOAD = "Price,Close\nTicker,MSFT\nDate,\n2024-01-02,3\n"
ROWS = "date,close,symbol\n2024-01-02,3,MSFT\n"
CLOSES = "Date,MSFT\n2024-01-02,3\n"


@pytest.mark.parametrize("text", [DOWNLOAD, ROWS, CLOSES, ROWS.replace("symbol", "Name")])
def test_a_file_of_one_symbol_is_that_symbol_s(load, text):
    refused(load, text, ["prices.csv: the file holds MSFT, not IBM: give --symbol MSFT"], symbol="ibm")
    assert len(load(text)) == 1  # nobody named a symbol
    for symbol in (
        "MSFT",
        "msft",
        "PRICES",
    ):  # the file's own name, which the commands give, asks for nothing
        quotes = load(text, symbol=symbol)
        assert quotes["close"].tolist() == [3]
        assert origin_of(quotes).source == "file prices.csv, MSFT, taken as adjusted"


def test_a_label_is_free_where_the_file_names_no_symbol(load):
    assert origin_of(load("date,close\n2024-01-02,3\n", symbol="ANY")).name == "ANY"
    assert len(load("date,close,symbol\n2024-01-02,3,\n", symbol="ANY")) == 1
    assert len(load("date,close,name\n2024-01-02,3,Apple Inc.\n")) == 1


def test_stooq_s_ending_for_america_may_be_left_out(load):
    text = "date,close,ticker\n2024-01-02,3,MSFT.US\n"
    assert len(load(text, symbol="MSFT")) == len(load(text, symbol="MSFT.US")) == 1
    refused(load, text.replace(".US", ".DE"), ["holds MSFT.DE, not MSFT"], symbol="MSFT")


def test_capitals_and_small_letters_are_one_symbol(load):
    rows = "date,close,symbol\n2024-01-02,3,MSFT\n2024-01-03,4,msft\n2024-01-04,5,Msft\n"
    assert load(rows, symbol="MSFT")["close"].tolist() == [3, 4, 5]
    several = load(rows + "2024-01-03,9,IBM\n", symbol="msft")
    assert several["close"].tolist() == [3, 4, 5]
    assert "MSFT" in origin_of(several).source
    twice = "Price,Close,Close\nTicker,MSFT,msft\nDate,,\n2024-01-02,3,3\n"
    refused(load, twice, ["two columns close"], symbol="MSFT")


@pytest.mark.parametrize("row", ["2024-01-03,4,\n", "2024-01-03,4,  \n"])
def test_a_row_without_a_symbol_is_told(load, row):
    text = "date,close,Symbol\n2024-01-02,3,MSFT\n"
    refused(load, text + row, ["line 3: no symbol in the column Symbol: fill it in"], symbol="MSFT")
    refused(load, text + "2024-01-02,3,IBM\n" + row, ["line 4: no symbol"], symbol="MSFT")


@pytest.mark.parametrize("first", ["Date", "", "date"])
def test_closes_under_their_symbols(load, first):
    text = f"{first},MSFT,^GSPC,BTC-USD\n2024-01-02,3,7,9\n2024-01-03,4,8,\n"
    assert load(text, symbol="msft")["close"].tolist() == [3, 4]
    assert load(text, symbol="^GSPC")["close"].tolist() == [7, 8]
    assert days_of(load(text, symbol="BTC-USD")) == ["2024-01-02"]
    refused(load, text, ["3 symbols, and none is AAPL: give --symbol, one of MSFT, ^GSPC, BTC-USD"])
    refused(load, text, ["3 symbols, and none is PRICES"], symbol="PRICES")


@pytest.mark.parametrize(
    "header", ["Date,msft", "DATE,LAST", "Date,Last", "Day,MSFT", "Date,Open", "Date,MSFT,Low"]
)
def test_other_columns_are_no_closes(load, header):
    row = "2024-01-02" + ",3" * header.count(",")
    refused(
        load, f"{header}\n{row}\n", ["line 1: no column ", "; call the column of the day date"], symbol="MSFT"
    )


def test_a_symbol_that_stands_above_two_columns_is_refused(load):
    refused(load, "Date,MSFT,MSFT\n2024-01-02,3,4\n", ["two columns close: remove one"], symbol="MSFT")
