"""Daily weather in Seattle."""

from importlib import resources

import pandas as pd

from rnnlib.data.calendar import calendar
from rnnlib.data.origin import Origin

ORIGIN = Origin("Seattle weather", "embedded NOAA data, 2012–2015", "°C", season=365)  # steps in a year


def load():
    """Load the weather of 2012 to 2015, 1,461 days without a gap.

    Returns:
        DataFrame with a DatetimeIndex ``date`` and the columns temp_max, temp_min (°C),
        precipitation (mm), wind (m/s), year_sin and year_cos (see ``calendar``).
        Its ``attrs["origin"]`` is ``ORIGIN``.
    """
    path = resources.files("rnnlib.data") / "files" / "seattle_weather.csv"
    with path.open(encoding="utf-8") as file:
        days = pd.read_csv(file, index_col="date", parse_dates=["date"])
    days = days[["temp_max", "temp_min", "precipitation", "wind"]]
    days = days.join(calendar(days.index)[["year_sin", "year_cos"]])
    days.attrs["origin"] = ORIGIN
    return days
