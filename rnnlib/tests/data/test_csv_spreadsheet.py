"""What a spreadsheet writes in place of a value is told, and no line is lost by it."""

import pytest

from rnnlib.tests.data.csv_texts import days_of, refused


@pytest.mark.parametrize(
    ("sign", "words"),
    [
        ("########", "did not fit: widen the column in the spreadsheet and save again"),
        ("##", "widen the column"),
        ("#REF!", "#REF! is what a spreadsheet writes for a value that it does not have"),
        ("#N/A", "mend the cell there and save again, or remove the line"),
        ("#NAME?", "#NAME? is what a spreadsheet writes"),
        ("#DIV/0!", "#DIV/0! is what a spreadsheet writes"),
    ],
)
@pytest.mark.parametrize("rows", ["2024-01-02,3\n{},3\n", "{},3\n2024-01-03,3\n", "2024-01-02,{}\n"])
def test_a_lost_value_is_told_with_its_line(load, sign, words, rows):
    line = 2 + rows.split("{")[0].count("\n")
    refused(load, "# ours\ndate,close\n" + rows.format(sign), [f"line {line + 1}: ", words])


def test_a_comment_stands_above_the_header_alone(load):
    assert days_of(load("# one\n\n#, two\ndate,close\n2024-01-02,3\n")) == ["2024-01-02"]
    refused(
        load,
        "date,close\n2024-01-02,3\n# end,of it\n",
        ["line 3: lines that begin with #", "remove the line"],
    )
    refused(load, "date,close\n2024-01-02,3\n# end\n", ["line 3: "])


def test_a_sign_in_a_first_column_that_nobody_reads_costs_no_day(load):
    text = "volume,date,close\n####,2024-01-02,3\n9,2024-01-03,3\n"
    assert days_of(load(text, columns=["close"])) == ["2024-01-02", "2024-01-03"]
    refused(load, text, ["line 2: #### stands for a value"])
