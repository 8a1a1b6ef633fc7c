"""Hourly traffic on an interstate road."""

from importlib import resources

import pandas as pd

from rnnlib.data.calendar import calendar
from rnnlib.data.origin import Origin

ORIGIN = Origin(
    name="Interstate 94 traffic",
    source="embedded UCI data, 2016–2018",
    unit="vehicles an hour",
    season=168,  # steps in a week
    credit="Data: UCI Metro Interstate Traffic Volume, CC BY 4.0",
)


def load():
    """Load the traffic of October 2016 to September 2018, 17,520 hours.

    Returns:
        DataFrame with a DatetimeIndex ``datetime`` and the columns traffic_volume (vehicles
        an hour; NaN in 104 hours without a measurement), day_sin, day_cos, week_sin and
        week_cos (see ``calendar``). Its ``attrs["origin"]`` is ``ORIGIN``.
    """
    path = resources.files("rnnlib.data") / "files" / "metro_traffic.csv.gz"
    with path.open("rb") as file:
        hours = pd.read_csv(file, compression="gzip", index_col="datetime", parse_dates=["datetime"])
    hours = hours.join(calendar(hours.index)[["day_sin", "day_cos", "week_sin", "week_cos"]])
    hours.attrs["origin"] = ORIGIN
    return hours
