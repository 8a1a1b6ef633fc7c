"""The table of a class's grades, a CSV file: written, and read again though a spreadsheet has saved it."""

import codecs
import csv
import io
import re
from collections import Counter
from dataclasses import asdict, fields
from pathlib import Path

from rnnlib.grading.report import Row
from rnnlib.grading.verdicts import VERDICTS
from rnnlib.tools.whole_file import whole_file

COLUMNS = [field.name for field in fields(Row)]
NUMBER = re.compile(r"[+-]?\d{1,15}(\.\d*)?")


def write_csv(rows, path):
    """Write a table of grades, whole or not at all; UTF-8 with a mark, for spreadsheets."""
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8-sig", newline="") as file:
        table = csv.DictWriter(file, COLUMNS)
        table.writeheader()
        for row in rows:
            table.writerow({name: harmless(value) for name, value in asdict(row).items()})


def read_csv(path):
    """Read what ``write_csv`` wrote, though a spreadsheet has saved it in its own way since.

    Separated by commas, semicolons or tabs, with decimal points or commas, in UTF-8 or UTF-16.

    Raises:
        ValueError: the file is another table, or holds what is no grade; it says in which line.
    """
    text = re.sub(r"^\"?sep=.\"?\s*\n", "", _text(path))  # a line for a spreadsheet
    head = text.partition("\n")[0]
    sign = max(",;\t", key=head.count)
    table = csv.DictReader(io.StringIO(text, newline=""), delimiter=sign)
    try:
        _refuse_columns(table.fieldnames or [], path)
        return [_row(record, f"{path}, line {table.line_num}") for record in table if any(record.values())]
    except csv.Error as error:
        raise ValueError(f"{path} is no table of grades: move it, or choose another file") from error


def _text(path):
    content = Path(path).read_bytes()
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))  # "Unicode text" of a spreadsheet
    try:
        return content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} is not in UTF-8, so that names would change: save it as CSV UTF-8 in the spreadsheet"
        ) from error


def _refuse_columns(names, path):
    """Raise a ValueError if a table's columns are not the grader's."""
    missing = [name for name in COLUMNS if name not in names]
    others = [name for name, count in Counter(names).items() if name not in COLUMNS or count > 1]
    if len(missing) > len(COLUMNS) / 2:
        raise ValueError(f"{path} is no table of grades: move it, or choose another file")
    if missing:
        raise ValueError(f"{path} has lost its column {missing[0]}: choose another --out, or --fresh")
    if others:
        raise ValueError(f"{path} has a column {others[0]!r} that is not the grader's: take it out")


def _row(record, place):
    """A line of the table as a Row; ``place`` says where it stands."""
    if None in record or None in record.values():
        raise ValueError(f"{place}: it has not the {len(COLUMNS)} cells of the others")
    texts = {name: value.removeprefix("'") for name, value in record.items()}
    numbers = {name: _number(record, name, place) for name in ("points", "of", "seed")}
    if numbers["of"] is None or numbers["seed"] is None or not numbers["seed"].is_integer():
        raise ValueError(f"{place}: the cells of and seed must hold numbers, and seed a whole one")
    if texts["verdict"] not in VERDICTS:
        raise ValueError(f"{place}: verdict is {texts['verdict']!r}, and not one of {', '.join(VERDICTS)}")
    return Row(**texts | numbers | {"seed": int(numbers["seed"])})


def _number(record, name, place):
    """A number of a line; None where the cell is empty."""
    text = record[name].strip().replace(",", ".")
    if not text:
        return None
    if not NUMBER.fullmatch(text):
        raise ValueError(f"{place}: {name} is {record[name]!r}, which is no number")
    return float(text)


def harmless(value):
    """A text that no spreadsheet takes for a formula; points without a needless .0."""
    if isinstance(value, float):
        return f"{value:g}"
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "'")) else value
