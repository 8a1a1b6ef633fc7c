"""The numbers in a column of a price file: 1234.5, $1,234.50, 12.3M."""

import re
from typing import NamedTuple

from rnnlib.data.csv_spreadsheet import check_cell

EMPTY = ("", "-", "--", "na", "n/a", "nan", "null")  # in lower case
PLAIN = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
GROUPED = re.compile(
    r"[+-]?[1-9]([0-9]{0,2}(,[0-9]{3})+|[0-9]?(,[0-9]{2})+,[0-9]{3})(\.[0-9]*)?"
)  # 12,34,567 too
#: Numbers whose point cannot part thousands, or whose commas must.
POINT = re.compile(
    r".*,[0-9]{3}\.[0-9]*|.*,.*,.*|0*\.[0-9]+|[0-9]{4,}\.[0-9]+|[0-9]*\.([0-9]{1,2}|[0-9]{4,})"
)
#: Numbers whose comma must stand before decimals.
DECIMAL_COMMA = re.compile(
    r"([0-9]{1,3}(\.[0-9]{3})*),[0-9]{1,2}|0*,[0-9]+|[0-9]*,[0-9]{4,}|[0-9]{4,},[0-9]+|"
    r"[0-9]{1,3}(\.[0-9]{3})+,[0-9]+"
)
#: Numbers whose point parts thousands where a comma stands before decimals.
THREE_DECIMALS = re.compile(r"[1-9][0-9]{0,2}\.[0-9]{3}")
SUFFIXES = {"K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}


def is_empty(cell):
    """Whether a cell says that there is no number."""
    return cell.lower() in EMPTY


class Marks(NamedTuple):
    """What a file's numbers tell of its points and commas.

    Attributes:
        commas: whether a single comma parts thousands.
        points: why a single point may part thousands as well, in words; "" if nothing says so.
    """

    commas: bool = False
    points: str = ""


UNKNOWN = Marks()


def marks_of(columns, lines, others=()):
    """The Marks of columns of numbers.

    Some number must tell: that of 1,234.50 has a point before the decimals. Texts, such as times, tell
    nothing. One decimal comma, or 988 next to 1.011 in a column, leaves open what the point of 1.011 is.

    Args:
        columns: dictionary from names to cells, each (N,).
        lines: the number of each one's line.
        others: columns of other cells, each (N,); of them those with a % are numbers for sure.
    """
    shares = [[cell if cell.endswith("%") else "" for cell in cells] for cells in others]
    cells = [
        (line, cell)
        for column in (*columns.values(), *shares)
        for line, cell in zip(lines, column, strict=True)
    ]
    commas = any(POINT.fullmatch(_bare(cell)) for _, cell in cells)
    decimal = [(line, cell) for line, cell in cells if DECIMAL_COMMA.fullmatch(_bare(cell))]
    if decimal:
        return Marks(False, "{1!r:.40} on line {0} has a comma before decimals".format(*decimal[0]))
    for name, column in columns.items():
        if line := _leap(column, lines):
            return Marks(commas, f"{name} leaps at line {line}")
    return Marks(commas)


def _leap(cells, lines):
    """The line where thousands written with a point meet hundreds without one (1.011, 988); None if none."""
    bare = [_bare(cell) for cell in cells]
    if any("." in cell and not THREE_DECIMALS.fullmatch(cell) for cell in bare):
        return None
    for line, one, two in zip(lines[1:], bare, bare[1:], strict=False):
        whole, point = (one, two) if "." in two else (two, one)
        if re.fullmatch("[1-9][0-9]{2}", whole) and THREE_DECIMALS.fullmatch(point):
            if 0.5 < 1000 * float(point) / float(whole) < 2:
                return line
    return None


def number(name, cell, marks=UNKNOWN):
    """A cell as a float, NaN if it is empty.

    Args:
        name: the column. Prices may have a $ before them, volumes K, M, B or T after them.
        cell: its text.
        marks: what the file tells of points and commas.

    Raises:
        ValueError: it cannot be read, or with one comma or point it could be two numbers.
    """
    if is_empty(cell):
        return float("nan")
    bare, factor = cell, 1
    if name == "volume":
        factor = SUFFIXES.get(cell[-1], 1)
        bare = cell if factor == 1 else cell[:-1].rstrip()
    else:
        bare = cell.removeprefix("$")
    if marks.points and THREE_DECIMALS.fullmatch(bare.lstrip("+-")):
        raise ValueError(
            f"the {name} {cell!r:.40} may be {bare.replace('.', '')} or {bare}, since {marks.points}: "
            "write all numbers as 1234.5"
        )
    if PLAIN.fullmatch(bare):
        return float(bare) * factor
    if GROUPED.fullmatch(bare):
        if marks.commas or "." in bare or bare.count(",") > 1:
            return float(bare.replace(",", "")) * factor
        raise ValueError(
            f"the {name} {cell!r:.40} may be {bare.replace(',', '')} or {bare.replace(',', '.')}, and no "
            "other number in the file tells: write it without a comma"
        )
    check_cell(cell)
    hint = " (a comma before decimals is not read)" if re.search("[0-9],[0-9]", bare) else ""
    raise ValueError(f"cannot read the {name} {cell!r:.40}: write it as 1234.5{hint}")


def _bare(cell):
    """A cell without the signs around its number."""
    return cell.strip("$%+- KMBT")
