"""Holes in CSV files: what nobody reads, days without trade, and what is missing."""

import pandas as pd
import pytest

from rnnlib.data.origin import origin_of
from rnnlib.tests.data.csv_texts import days_of, refused

DAYS = ["2024-01-02", "2024-01-03", "2024-01-04"]


def test_what_nobody_reads_may_have_holes(load):
    text = "date,open,close,volume\n2024-01-02,,3,\n2024-01-03,3,3,n.a. yet\n"
    quotes = load(text, columns=["close"])
    pd.testing.assert_frame_equal(quotes, load(text, columns="close"))
    assert quotes["close"].tolist() == [3, 3]
    assert quotes["volume"].isna().all()
    assert origin_of(quotes).notes == ()
    refused(load, text, ["line 3: cannot read the volume 'n.a. yet'"])
    refused(
        load, text, ["line 2: open is missing: mend or remove the line, or do without open"], columns=["open"]
    )
    with_low = "date,close,high,low\n2024-01-02,3,2,4\n"
    assert len(load(with_low, columns=["close", "high"])) == 1
    refused(load, with_low, ["high 2 is below low 4"], columns=["high", "low"])
    holes = "date,open,close,adj_close\n2024-01-02,3,3,3\n2024-01-03,3,{}\n"
    refused(load, holes.format(",3"), ["line 3: close is missing: mend or remove the line"], columns=["open"])
    refused(load, holes.format("3,"), ["line 3: adj_close is missing"], columns=["open"])


@pytest.mark.parametrize(
    ("row", "columns"),
    [
        ("2024-01-03,", "close"),
        ("2024-01-03,null,null,null", "close,open,volume"),
        ("2024-01-03,,,0", "close,open,volume"),
        ("2024-01-03,-,,0.00K", "close,open,volume"),
        ("2024-01-03,,nan", "close,adj_close"),
    ],
)
def test_a_date_alone_is_left_out_with_a_sentence(load, row, columns):
    cells = ",".join("3" for _ in columns.split(","))
    quotes = load(f"date,{columns}\n2024-01-02,{cells}\n{row}\n2024-01-04,{cells}\n")
    assert days_of(quotes) == [DAYS[0], DAYS[2]]
    assert origin_of(quotes).notes == (
        "1 row of 3 has a date without a price (line 3, 2024-01-03): left out, as without trade.",
    )


def test_trade_without_a_price_is_a_hole(load):
    text = "date,close,volume\n2024-01-02,3,3\n2024-01-03,,700\n2024-01-01,3,3\n"
    refused(load, text, ["line 3: close is missing"])
    twice = "date,close\n2024-01-05,\n2024-01-02,3\n2024-01-04,\n"
    assert (
        "2 rows of 3 have a date without a price (the first line 4, 2024-01-04)"
        in origin_of(load(twice)).notes[0]
    )


@pytest.mark.parametrize("cell", ["0", "n.a.", "", "-5", "inf", "1,050"])
@pytest.mark.parametrize("column", ["close", "high", "adj_close", "volume"])
def test_days_that_are_not_asked_for_do_no_harm(load, cell, column):
    good = {"date": "{}", "open": "3", "close": "3", "high": "4", "volume": "7", "adj_close": "2"}
    header, whole = ",".join(good), ",".join(good.values())
    broken = ",".join((good | {column: f'"{cell}"' if cell != "0" or column != "volume" else "-1"}).values())
    days = [f"2024-01-{day:02d}" for day in range(1, 7)]
    rows = [(broken if day in (days[0], days[5]) else whole).format(day) for day in days]
    text = "\n".join([header, *rows]) + "\n"
    quotes = load(text, start=days[1], end=days[4])
    assert days_of(quotes) == days[1:5]
    assert quotes["close"].tolist() == [2] * 4
    assert quotes["volume"].tolist() == [7] * 4
    assert origin_of(quotes).notes == ()
    refused(load, text, ["line 2: "], end=days[4])
    refused(load, text, ["line 7: "], start=days[1])
    refused(load, text.replace(days[0], "soon"), ["line 2: cannot read the date"], start=days[1], end=days[4])


def test_days_left_out_are_told_only_of_the_days_asked_for(load):
    text = "date,close\n2024-01-02,\n2024-01-03,3\n2024-01-04,\n2024-01-05,3\n"
    (note,) = origin_of(load(text, start="2024-01-03")).notes
    assert "1 row of 3 has a date without a price (line 4, 2024-01-04)" in note
    assert origin_of(load(text, start="2024-01-05")).notes == ()


def test_a_hole_hides_no_split_from_the_volume(load):
    text = "date,close,volume,adj_close\n2024-01-02,40,5,10\n2024-01-03,40,5,10\n"
    text += "2024-01-04,0,20,10\n2024-01-05,10,20,10\n"
    assert load(text, end="2024-01-03")["volume"].tolist() == [20, 20]


@pytest.mark.parametrize("column", ["high", "open", "volume", "adj_close"])
def test_an_empty_column_is_to_be_removed(load, column):
    text = f"date,close,{column}\n2024-01-02,3,\n2024-01-03,3,-\n"
    message = refused(load, text, [f"prices.csv: the column {column} is empty: remove it"])
    assert "line" not in message
    assert (f"do without {column}" in message) == (column != "adj_close")
    removed = "date,close\n2024-01-02,3\n2024-01-03,3\n"
    assert load(removed)["close"].tolist() == [3, 3]
    refused(load, text.replace("-\n", "3\n"), [f"line 2: {column} is missing: mend or remove the line"])
