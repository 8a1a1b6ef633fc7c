"""A forecasting problem: which data, from when to when, and what to forecast from what.

The data are loaded with what reads them, pandas and scikit-learn, when they are asked for: a
command's help needs this module, and should not take seconds.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

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


@dataclass
class Problem:
    """Which data, from when to when, and what to forecast; it can be saved as JSON.

    Attributes:
        data: "stock", "weather" or "traffic", a key of ``USUAL``.
        symbol, source: for stocks, see ``prices.load``; AAPL (a file's name) and "embedded" if None.
        start, end: first and last day, both included; None is as far as the data go.
        features, target, predict, test: see ``make_dataset``; what is usual if None.
        length: steps in a window.
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

    def __post_init__(self):
        if self.data not in USUAL:
            raise ValueError(f"unknown data {self.data!r}: choose one of {', '.join(USUAL)}")
        if self.data == "stock":
            self.source = str(self.source or "embedded")
            if self.source not in ("embedded", "yahoo"):
                path = Path(self.source).expanduser().absolute()  # is found from every folder
                self.symbol, self.source = self.symbol or path.stem, str(path)
            self.symbol = (self.symbol or "AAPL").upper()
        elif self.symbol or self.source:
            raise ValueError(f"a symbol or a source belongs to stocks, not to {self.data}")
        for name, value in USUAL[self.data].items():
            if getattr(self, name) is None:
                setattr(self, name, value)

    def load(self):
        """(frame, origin): the table and its Origin."""
        from rnnlib.data import prices, traffic, weather
        from rnnlib.data.dates import between
        from rnnlib.data.origin import origin_of

        if self.data != "stock":
            frame = {"weather": weather, "traffic": traffic}[self.data].load()
            return between(frame, self.start, self.end), origin_of(frame)
        frame = prices.load(self.symbol, self.start, self.end, self.source)
        daily = (frame.index[1:] - frame.index[:-1]).min() == timedelta(days=1)
        return frame, replace(origin_of(frame), season=5 if daily else None)

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
            test=self.test,
            scaling=scaling,
            fill_gaps=self.data == "traffic",  # where measurements are missing
            origin=origin,
        )
