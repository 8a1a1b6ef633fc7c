"""The numbers of CSV files: thousands, $, K and M, and those that could be two."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlib.data.csv_numbers import marks_of, number
from rnnlib.tests.data.csv_texts import refused


@given(
    value=st.floats(0.01, 1e9).map(lambda value: round(value, 2)),
    form=st.sampled_from(["{}", "{:,}", "{:,.2f}", "${:,.2f}", "{:.2f}"]),
)
def test_a_price_is_itself_however_it_is_written(value, form):
    cell = form.format(value)
    assert number("close", cell, marks_of({"close": [cell, "0.5"]}, [2, 3])) == pytest.approx(
        value, abs=0.005
    )


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("12.3M", 12.3e6),
        ("5.5K", 5500),
        ("1.2B", 1.2e9),
        ("82,488,670", 82488670),
        ("12,34,567", 1234567),  # as in India
        ("0.00", 0),
        ("1,234.5K", 1234500),
    ],
)
def test_volumes(load, cell, value):
    assert load(f'date,close,volume\n2024-01-02,3.5,"{cell}"\n')["volume"].tolist() == [pytest.approx(value)]


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["1,234"], ["line 2: the close '1,234' may be 1234 or 1.234", "write it without a comma"]),
        (["1,234", "12.345"], ["may be 1234 or 1.234"]),  # 12.345 may be twelve thousand as well
        (["1.234,50"], ["cannot read the close '1.234,50'", "a comma before decimals is not read"]),
        (["12,5", "13.5"], ["line 2: cannot read the close '12,5'"]),
        (["0,123", "13.5"], ["cannot read the close '0,123'"]),
        (["1234,567", "13.5"], ["cannot read"]),
        (["1.234.567"], ["cannot read"]),
        (["12.3M"], ["line 2: cannot read the close '12.3M'"]),
        (["3.5 USD"], ["cannot read"]),
        (["(3.5)"], ["cannot read"]),
        (["1 234.50"], ["cannot read"]),
    ],
)
def test_numbers_that_cannot_be_known(load, cells, words):
    rows = "".join(f'2024-01-{day:02d},"{cell}"\n' for day, cell in enumerate(cells, 2))
    refused(load, "date,close\n" + rows, words)


@pytest.mark.parametrize("other", ["1,234.50", "12.5", "0.125", "1234.567", "1,234,567"])
def test_another_number_tells_what_a_comma_is(load, other):
    change = (
        load(f'date,close,change %\n2024-01-02,"1,234",{other.replace(",", "")}%\n') if "." in other else None
    )
    assert change is None or change["close"].tolist() == [1234]
    quotes = load(f'date,close\n2024-01-02,"1,234"\n2024-01-03,"{other}"\n')
    assert quotes["close"].tolist() == [1234, float(other.replace(",", ""))]


OPEN = "the close '1,050' may be 1050 or 1.050"


@pytest.mark.parametrize(
    "cell", ["Fixing, ECB, 14:15", "17.30", "0.5", "12.5", "1,2,3", "v1.2", "1,234.50", "$17.30"]
)
def test_texts_of_other_columns_tell_nothing_of_commas(load, cell):
    refused(load, f'date,close,note\n2024-01-02,"1,050","{cell}"\n', [OPEN])
    refused(load, f'note,date,close\n"{cell}",2024-01-02,"1,050"\n', [OPEN])


@pytest.mark.parametrize("cell", ["0,12%", "988,5", "12,3M", "0,123", "1.234,5", "12345,678", "1.234.567,89"])
@pytest.mark.parametrize("price", ["16.218", '"16,218"', "1.014", "$16.218"])
def test_a_decimal_comma_leaves_points_and_commas_open(load, cell, price):
    name = "change" if "%" in cell else "volume"
    text = f'date,close,{name}\n2024-01-02,{price},""\n2024-01-03,12.5,"{cell}"\n'
    quoted = price.strip('"')
    refused(load, text, [f"line 2: the close '{quoted}' may be ", " or "], columns=["close"])
    whole = text.replace(price, "16218.0")
    assert load(whole, columns=["close"])["close"].tolist() == [16218, 12.5]


def test_a_leap_from_hundreds_to_thousands_leaves_the_point_open(load):
    rows = "date,close\n2024-01-02,1.014\n2024-01-03,1.011\n2024-01-04,{}\n2024-01-05,986\n"
    refused(load, rows.format("988"), ["'1.014' may be 1014 or 1.014, since close leaps at line 4"])
    refused(load, "date,close\n2024-01-02,988\n2024-01-03,1.011\n", ["close leaps at line 3", "1.011"])
    near = "date,close\n2024-01-02,101.014\n2024-01-03,102\n2024-01-04,102.125\n"
    assert load(near)["close"].tolist() == [101.014, 102, 102.125]
    assert load(rows.replace("1.011", "1.01").format("988"))["close"].tolist() == [1.014, 1.01, 988, 986]
