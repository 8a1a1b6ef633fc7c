"""What the tests of CSV files share: the days of a table, and a refusal in one line."""

import pytest


def days_of(quotes):
    """The days of a table of prices as text."""
    return [f"{day}" for day in quotes.index.strftime("%Y-%m-%d")]


def refused(load, text, words, **options):
    """A file is refused in one line that holds all these words."""
    with pytest.raises((ValueError, OSError)) as error:
        load(text, **options)
    message = str(error.value)
    assert "\n" not in message
    assert len(message) < 500
    for word in words:
        assert word in message, message
    return message
