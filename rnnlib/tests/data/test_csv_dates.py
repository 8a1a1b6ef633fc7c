"""The days of CSV files: written in many ways, never guessed, without times of day."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlib.data import prices
from rnnlib.data.csv_dates import read_days
from rnnlib.tests.data.csv_texts import days_of, refused
from rnnlib.tests.data.test_csv_forms import STOOQ

WRITINGS = [
    ("%Y-%m-%d", None),
    ("%Y/%m/%d", None),
    ("%Y.%m.%d", None),
    ("%Y%m%d", None),
    ("%b %d, %Y", None),
    ("%B %d, %Y", None),
    ("%d-%b-%Y", None),
    ("%d %B %Y", None),
    ("%a, %b %d, %Y", None),
    ("%m/%d/%Y", "mdy"),
    ("%m-%d-%Y", "mdy"),
    ("%d/%m/%Y", "dmy"),
    ("%d.%m.%Y", "dmy"),
]
dates = st.dates(pd.Timestamp("1700-01-01").date(), pd.Timestamp("2199-12-31").date())


@given(
    days=st.lists(dates, min_size=1), writing=st.sampled_from(WRITINGS), order=st.sampled_from(["mdy", "dmy"])
)
def test_a_day_is_itself_however_it_is_written(days, writing, order):
    form, needed = writing
    cells = [day.strftime(form) for day in days]
    lines = range(2, len(days) + 2)
    assert list(read_days(cells, lines, needed or order)) == [pd.Timestamp(day) for day in days]
    if needed is None:
        assert list(read_days(cells, lines)) == [pd.Timestamp(day) for day in days]
        return
    with pytest.raises(ValueError, match=r"line 2: does .* begin with its month or its day.*mdy.*dmy"):
        read_days(cells, lines)
    other = "dmy" if needed == "mdy" else "mdy"
    if any(day.day > 12 for day in days):
        with pytest.raises(ValueError, match=f"has no month .*give --dates {needed} if"):
            read_days(cells, lines, other)


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (
            ["01/02/2024", "02/02/2024"],
            ["does 01/02/2024 begin with its month", "--dates mdy", "--dates dmy"],
        ),
        (["01/02/2024", "1/16/2024"], ["line 2: does 01/02/2024", "; 1/16/2024 on line 3 fits mdy alone"]),
        (["01.02.2024", "16.1.2024"], ["16.1.2024 on line 3 fits dmy alone"]),
        (["01/16/2024", "16/01/2024"], ["on line 2 fits mdy alone", "on line 3 fits dmy alone"]),
        (["1/2/24"], ["line 2: the year of '1/2/24' has two digits: write it with four"]),
        (["02-Jan-24"], ["has two digits"]),
        (["02-janv-2024"], ["cannot read the date '02-janv-2024'"]),
        (["30 Feb 2024"], ["cannot read the date"]),
        (["1704153600"], ["cannot read the date"]),
        (["2024-1"], ["cannot read the date"]),
        (["2024-01-02 25:00"], ["cannot read the date"]),
        (["2024-01/02"], ["cannot read the date"]),
        (["0001-01-01"], ["cannot read the date"]),
    ],
)
def test_dates_that_cannot_be_known(load, cells, words):
    text = "date,close\n" + "".join(f"{cell},3\n" for cell in cells)
    refused(load, text, words)


def test_the_order_must_fit_the_file_and_be_one_of_two(load):
    text = "date,close\n01/02/2024,3\n13/02/2024,3\n"
    refused(
        load,
        text,
        ["line 3: 13/02/2024 has no month 13", "not month/day/year: give --dates dmy"],
        dates="mdy",
    )
    assert days_of(load(text, dates="dmy")) == ["2024-02-01", "2024-02-13"]
    refused(load, text, ['dates must be "mdy" or "dmy", got \'ymd\''], dates="ymd")
    refused(load, "date,close\n02/30/2024,3\n", ["cannot read the date '02/30/2024'"], dates="mdy")
    refused(load, "date,close\n31/31/2024,3\n", ["cannot read the date"], dates="mdy")
    with pytest.raises(ValueError, match=r"dates \(--dates\) belongs to a CSV file, not to embedded"):
        prices.load(dates="mdy")


@pytest.mark.parametrize(
    ("cells", "days"),
    [
        (["2024-03-08 00:00:00-05:00", "2024-03-11 00:00:00-04:00"], ["2024-03-08", "2024-03-11"]),
        (["2024-03-08", "2024-03-11 00:00:00-04:00"], ["2024-03-08", "2024-03-11"]),
        (["2024-02-01 00:00:00+09:00", "2024-02-02 00:00:00+09:00"], ["2024-02-01", "2024-02-02"]),
        (["2024-02-01 00:00:00+00:00", "2024-02-02T00:00:00Z"], ["2024-02-01", "2024-02-02"]),
        (["2024-02-01 16:00", "2024-02-02 16:00:00"], ["2024-02-01", "2024-02-02"]),
        (["2024-03-28 16:30:00+00:00", "2024-04-02 16:30:00+01:00"], ["2024-03-28", "2024-04-02"]),
        (["2024-02-01 23:59:59", "2024-02-02 23:59:59"], ["2024-02-01", "2024-02-02"]),
        (["Feb 1, 2024, 4:00 PM", "Feb 2, 2024 16:00"], ["2024-02-01", "2024-02-02"]),
        (["2024-02-01T23:59:59.999Z", "2024-02-02T23:59:59.999Z"], ["2024-02-01", "2024-02-02"]),
        (["2024-11-27 16:00:00", "2024-11-29 13:00:00"], ["2024-11-27", "2024-11-29"]),  # half a day
        (["2024-01-02 17:35", "2024-01-03 17:36:02"], ["2024-01-02", "2024-01-03"]),
        (["2024-01-02 17:35+01:00", "2024-07-02 17:36+02:00"], ["2024-01-02", "2024-07-02"]),
        (["2024-01-02", "2024-01-03 16:00"], ["2024-01-02", "2024-01-03"]),
        (["2024-01-07 16:00", "2024-01-12 16:00"], ["2024-01-07", "2024-01-12"]),  # a Sunday and a Friday
        (["2024-01-07 09:30", "2024-01-08 09:30"], ["2024-01-07", "2024-01-08"]),
        (["2024-01-06 20:00", "2024-01-07 20:00"], ["2024-01-06", "2024-01-07"]),  # no weekend: coins
        (["2024-01-07 23:59:59", "2024-01-08 23:59:59"], ["2024-01-07", "2024-01-08"]),
        (["2024-02-01 00:00:00 UTC", "2024-02-02 00:00:00 UTC"], ["2024-02-01", "2024-02-02"]),
    ],
)
def test_a_day_that_stands_once_is_one_bar(load, cells, days):
    assert days_of(load("date,close\n" + "".join(f'"{cell}",3\n' for cell in cells))) == days


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["2024-01-02 09:30:00", "2024-01-02 09:35:00"], ["line 3: the file has times of day: daily prices"]),
        (["2024-01-02 00:00:00+00:00", "2024-01-02 01:00:00+00:00"], ["has times of day"]),
        (["2024-01-03", "2024-01-02", "2024-01-03 16:00"], ["here it is 16:00, on line 2 00:00 of the same"]),
        (["2024-03-08 05:00:00+00:00", "2024-03-11 04:00:00+00:00"], ["line 2: 05:00 in UTC does not tell"]),
        (["2024-03-28 00:00:00Z", "2024-03-31 23:00:00Z"], ["line 3: 23:00 in UTC does not tell the day"]),
        (["2024-03-28", "2024-03-31 23:00:00Z"], ["line 3: 23:00 in UTC"]),
        (["2024-01-04 15:00", "2024-01-07 15:00"], ["line 3: 15:00 on a Sunday, and never on a Friday"]),
        (["2024-01-05 00:00", "2024-04-07 23:00"], ["line 3: 23:00 on a Sunday"]),  # London
        (["2024-01-04 11:00", "2024-07-07 12:00"], ["line 3: 12:00 on a Sunday", "write the exchange's own"]),
        (["2024-01-31 15:00:00+00:00", "2024-02-01 15:00:00+00:00"], ["15:00 in UTC does not tell the day"]),
        (["2024-01-31T15:00:00Z"], ["line 2: 15:00 in UTC"]),
    ],
)
def test_times_of_day_are_refused(load, cells, words):
    refused(load, "date,close\n" + "".join(f"{cell},3\n" for cell in cells), words)


def test_stooq_s_minutes_are_refused(load):
    row = "AAPL.US,5,20240102,153500,9,12,8,10,100,0\n"
    refused(load, STOOQ + row, ["line 2: the file has times of day (period 5): daily prices are needed"])
    row = "AAPL.US,D,20240102,{},9,12,8,10,100,0\n"
    refused(load, STOOQ + row.format("153500") + row.format("154000"), ["times of day", "15:40"])
