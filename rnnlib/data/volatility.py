"""How much a price moved in a day: the logarithm of its variance, which can be forecast."""

import numpy as np

#: The column that ``with_log_variance`` adds.
LOG_VARIANCE = "log_variance"
#: A day that moved less than 0.01% counts as one of 0.01%: the logarithm of 0 would be infinite.
FLOOR = 0.0001**2


def with_log_variance(prices):
    """Add the day's log variance to a table of daily prices.

    From the day's range, if the table has it (Parkinson 1980), v_t = (ln(high_t / low_t))² / (4 ln 2);
    else from the return, v_t = (ln(close_t / close_{t−1}))², which is far noisier; the first day has none.

    Args:
        prices: DataFrame with columns high and low, or else close. An empty column is none.

    Returns:
        (table, measure): the table with the column ``LOG_VARIANCE``, ln max(v_t, ``FLOOR``); and
        "from high and low" or "from squared returns".

    Raises:
        ValueError: there are no such columns; a day has no high or low; or on most days high is low
            though the close moves, so that there is no range to measure.
    """
    columns = {name for name in ("close", "high", "low") if name in prices and prices[name].notna().any()}
    if {"high", "low"} <= columns:
        _check_range(prices)
        variance = np.log(prices["high"] / prices["low"]) ** 2 / (4 * np.log(2))
        measure = "from high and low"
    elif "close" in columns:
        variance = (np.log(prices["close"]).diff() ** 2).iloc[1:]
        prices, measure = prices.iloc[1:], "from squared returns"
    else:
        names = ", ".join(map(str, prices.columns))
        raise ValueError(f"a variance needs the columns high and low, or close: there are {names:.100}")
    return prices.assign(**{LOG_VARIANCE: np.log(variance.clip(lower=FLOOR))}), measure


def notes_on_floor(table, measure):
    """A sentence on the days that count as days of 0.01%, ``FLOOR``; () if there are none.

    Args:
        table, measure: what ``with_log_variance`` returns.
    """
    still = int((table[LOG_VARIANCE] <= np.log(FLOOR) + 1e-9).sum())
    way = "from low to high" if measure == "from high and low" else "from close to close"
    return (f"Days that moved less than 0.01% {way} count as days of 0.01%: {still}.",) if still else ()


def _check_range(prices):
    """Raise a ValueError where high and low are no range."""
    high, low = prices["high"], prices["low"]
    bad = ~(low.gt(0) & high.ge(low) & np.isfinite(high))
    if bad.any():
        days = f"{bad.sum()} days, the first" if bad.sum() > 1 else "the day"
        raise ValueError(
            f"on {days} {prices.index[bad][0]:%Y-%m-%d}, high or low is missing, or high is below low: leave "
            "these days out with start and end, or remove the columns high and low, and the variance is that "
            "of returns"
        )
    if "close" in prices and len(prices) > 1:
        still = (high == low) & (prices["close"].diff() != 0)
        if still.mean() > 0.5:
            raise ValueError(
                f"on {still.sum()} of {len(prices)} days high is low, though the close moves: there is no "
                "range to measure; remove the columns high and low, and the variance is that of returns"
            )
