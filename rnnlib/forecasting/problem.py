"""A forecasting problem: which data, from when to when, and what to forecast from what.

The data are loaded with what reads them, pandas and scikit-learn, when they are asked for: a
command's help needs this module, and should not take seconds.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from rnnlib.data.volatility import LOG_VARIANCE

#: What is usual for each kind of data, where a Problem does not say otherwise.
USUAL = {
    "stock": {"features": ["close"], "target": "close", "predict": "return", "test": 0.2},
    "weather": {
        "features": ["temp_max", "temp_min", "precipitation", "wind", "year_sin", "year_cos"],
        "target": "temp_max",
        "predict": "value",
        "test": "2015-01-01",
    },
    "traffic": {
        "features": ["traffic_volume", "day_sin", "day_cos", "week_sin", "week_cos"],
        "target": "traffic_volume",
        "predict": "value",
        "test": 0.2,
    },
}
#: What is usual where the volatility of a stock is forecast.
VOLATILITY = {"features": [LOG_VARIANCE], "target": LOG_VARIANCE, "relative": True}


@dataclass
class Problem:
    """Which data, from when to when, and what to forecast; it can be saved as JSON.

    Attributes:
        data: "stock", "weather" or "traffic", a key of ``USUAL``.
        symbol, source: for stocks, see ``prices.load``; AAPL (a file's name) and "embedded" if None.
        start, end: first and last day, both included; None is as far as the data go.
        features, target, predict, test, relative: see ``make_dataset``; what is usual if None. To
            predict "volatility" is to forecast a stock's log variance, see ``data.volatility``.
        length: steps in a window.
        dates: "mdy" or "dmy", how a CSV file's dates such as 01/02/2024 are read.
    """

    data: str = "stock"
    symbol: str | None = None
    source: str | None = None
    start: str | None = None
    end: str | None = None
    features: list | None = None
    target: str | None = None
    predict: str | None = None
    test: float | str | None = None
    length: int = 30
    relative: bool | None = None
    dates: str | None = None

    def __post_init__(self):
        if self.data not in USUAL:
            raise ValueError(f"unknown data {self.data!r}: choose one of {', '.join(USUAL)}")
        for name in ("source", "symbol"):
            if getattr(self, name) is not None and not str(getattr(self, name)).strip():
                raise ValueError(f"the {name} is empty: name one, or leave it out")
        if self.data == "stock":
            self.source = str(self.source or "embedded")
            if self.source not in ("embedded", "yahoo"):
                path = Path(self.source).expanduser().absolute()  # is found from every folder
                self.symbol, self.source = self.symbol or path.stem, str(path)
            self.symbol = (self.symbol or "AAPL").upper()
        elif self.symbol or self.source:
            raise ValueError(f"a symbol or a source belongs to stocks, not to {self.data}")
        if self.predict == "volatility" and self.data != "stock":
            raise ValueError(f"volatility is that of stocks, not of {self.data}")
        usual = USUAL[self.data] | {"relative": False}
        for name, value in (usual | (VOLATILITY if self.predict == "volatility" else {})).items():
            if getattr(self, name) is None:
                setattr(self, name, value)

    @property
    def has_file(self):
        """Whether the prices come from a file of the user's own."""
        return self.data == "stock" and self.source not in ("embedded", "yahoo")

    def load(self):
        """(frame, origin): the table and its Origin."""
        from rnnlib.data import prices, traffic, weather
        from rnnlib.data.calendar import rhythm
        from rnnlib.data.dates import between
        from rnnlib.data.origin import origin_of
        from rnnlib.data.volatility import notes_on_floor, with_log_variance

        if self.data != "stock":
            frame = {"weather": weather, "traffic": traffic}[self.data].load()
            return between(frame, self.start, self.end), origin_of(frame)
        frame = prices.load(
            self.symbol,
            self.start,
            self.end,
            self.source,
            columns=[name for name in ("close", *self.features, self.target) if name != LOG_VARIANCE],
            dates=self.dates if self.has_file else None,
        )
        if self.predict == "volatility":
            frame, measure = with_log_variance(frame)
            origin = origin_of(frame)
            source = f"{origin.source}; variance {measure}"
            notes = (*origin.notes, *notes_on_floor(frame, measure))
            return frame, replace(origin, source=source, unit="", prices=False, notes=notes)
        return frame, replace(origin_of(frame), season=rhythm(frame.index).season)

    def dataset(self, scaling=None):
        """The Dataset, with the Scaling of an earlier training if one is given."""
        from rnnlib.data.dataset import make_dataset

        frame, origin = self.load()
        return make_dataset(
            frame,
            self.features,
            self.target,
            self.predict,
            self.length,
            relative=self.relative,
            test=self.test,
            scaling=scaling,
            fill_gaps=self.data == "traffic",  # where measurements are missing
            origin=origin,
        )
