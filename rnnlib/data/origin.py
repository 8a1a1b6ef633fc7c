"""What a table is of, and where its numbers come from: every table and figure made of them says so."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Origin:
    """What a table is of, and where its numbers come from.

    A loader hands it over with its table, as ``frame.attrs["origin"]``.

    Attributes:
        name: of the table, such as a stock's symbol; "" if it has none.
        source: such as "embedded NOAA data, 2012–2015".
        unit: of the column that is usually forecast, "" if it is not known.
        season: steps after which the series repeats itself; None if it does not.
        credit: the line that the licence asks for wherever the data are shown, or "".
        prices: whether the numbers are prices.
        notes: sentences on what the user should know of the data, such as rows that were left out.
    """

    name: str = ""
    source: str = "own data"
    unit: str = ""
    season: int | None = None
    credit: str = ""
    prices: bool = False
    notes: tuple = ()


def origin_of(frame):
    """The Origin of a loader's table; of any other table it is "own data"."""
    return frame.attrs.get("origin", Origin())
