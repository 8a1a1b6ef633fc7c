"""Names that people give, as a terminal and a picture can show them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlib.tools.names import from_the_right, one_line, shortened, width


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("CA$$H", "CA$$H"),
        ("[red]%d{x}:smile:", "[red]%d{x}:smile:"),
        ("a\nb\r\nc\td\u2028e", "a b  c d e"),
        ("no\xa0break\u3000wide", "no break wide"),
        ("esc\x1b[31m\x07\x00", "esc\N{REPLACEMENT CHARACTER}[31m" + 2 * "\N{REPLACEMENT CHARACTER}"),
        ("bad\udcff", "bad\N{REPLACEMENT CHARACTER}"),
        ("\u202egnp.exe\u2066", "gnp.exe"),
        ("नमस्ते क्\u200dष", "नमस्ते क्\u200dष"),  # a joiner belongs to the word
        ("中文", "中文"),
        ("עברית", "עברית"),
        (3, "3"),
        ("", ""),
    ],
)
def test_a_name_in_one_line(name, shown):
    assert one_line(name) == shown


@given(st.text(st.characters(codec=None)))
def test_any_name_can_be_written_in_one_line(name):
    line = one_line(name)
    assert len(line.splitlines()) <= 1
    assert line.encode("utf-8").decode("utf-8") == line
    assert one_line(line) == line


@given(st.text(), st.integers(3, 50))
def test_a_shortened_name_fits(name, columns):
    text = shortened(name, columns)
    assert width(text) <= columns
    if width(one_line(name)) <= columns:
        assert text == one_line(name)
    else:
        assert "…" in text


def test_a_long_name_keeps_both_ends():
    assert shortened("a" * 20 + ".csv", 11) == "aaaaa….csv"[:6] + "a.csv"
    assert shortened("日本語の名前", 7) == "日…前"
    assert width("日本ab") == 6


def test_where_a_script_begins():
    assert [name for name in ("עברית", "العربية", "Latin", "中文", "", "1") if from_the_right(name)] == [
        "עברית",
        "العربية",
    ]
