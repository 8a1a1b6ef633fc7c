"""A CSV file as rows of text below a header: what is no CSV is told, and one symbol of several is taken."""

import csv
import io
import re

from rnnlib.data.csv_names import is_header, name_of, places, symbols_of
from rnnlib.data.csv_numbers import PLAIN
from rnnlib.data.csv_spreadsheet import check_cell

#: What a file that is no CSV begins with.
OTHER_FORMATS = {
    b"\x1f\x8b": "compressed by gzip: unpack it first",
    b"PK\x03\x04": "a zip archive or an Excel workbook: unpack it, or save the sheet as CSV in UTF-8",
    b"\xd0\xcf\x11\xe0": "an Excel workbook: save the sheet as CSV in UTF-8",
    b"PAR1": "a Parquet file: write it as CSV",
    b"%PDF": "a PDF document: export the prices as CSV",
    b"<!": "a web page: download the prices as CSV",
    b"<html": "a web page: download the prices as CSV",
    b"{": "JSON: download the prices as CSV",
    b"[": "JSON: download the prices as CSV",
}
USUAL = "AAPL"  # what ``prices.load`` takes if nobody names a symbol
SIGNS = "[;\t|]"  # that part columns elsewhere


def read_rows(path, symbol=None):
    """(names, rows, ticker) of a file: where each column stands, and the symbol's rows below the header.

    Args:
        path: the file, a Path. Lines that begin with # are left out above the header.
        symbol: which to take of a file with several. Of a file with one it must be that, unless it is
            only the file's own name, or ``USUAL``.

    Returns:
        names: dictionary from our names of the columns, see ``csv_names.places``, to places.
        rows: list of (line, cells), the number of the line and all its texts.
        ticker: the symbol that the file names, or None.

    Raises:
        ValueError: names the file, and the line that cannot be read.
    """
    text = _text(path)
    try:
        return _table(
            _rows(text), symbol, symbol is None or str(symbol).upper() in (path.stem.upper(), USUAL)
        )
    except ValueError as error:
        raise ValueError(f"{path}{error}") from None


def _text(path):
    """The file's text."""
    content = path.read_bytes()
    start = content[:64].removeprefix(b"\xef\xbb\xbf").lstrip()
    for beginning, words in OTHER_FORMATS.items():
        if start.startswith((beginning, beginning.upper())):
            raise ValueError(f"{path}: the file is {words}")
    try:
        text = content.decode("utf-8-sig")
        if "\0" in text:
            raise ValueError("a zero byte")
    except ValueError:
        raise ValueError(f"{path}: not text in UTF-8: save it as CSV in UTF-8") from None
    return text


def _rows(text):
    """The rows that hold something, each with the number of its last line."""
    table = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows = []
    try:
        for row in table:
            comment = not rows and row and row[0].startswith("#")  # below the header it is a lost value
            if any(cell.strip() for cell in row) and not comment:
                rows.append((table.line_num, row))
    except csv.Error as error:
        for number, line in enumerate(text.splitlines()[:20], 1):
            if number == 1 or is_header(re.split(SIGNS, line)):
                _check_separator(number, [line])
        raise ValueError(f", line {table.line_num}: {error}") from None
    if not rows:
        raise ValueError(": the file is empty")
    return rows


def _table(rows, symbol, free):
    """(names, rows, ticker): where each column stands, and the symbol's rows below the header."""
    line, header = rows[0]
    _check_separator(line, header)
    depth = _depth_of_header(rows)
    _check_lengths(rows[:depth], len(header))
    ticker, chosen = None, list(range(len(header)))
    if depth > 1:
        upper, lower = rows[0][1], rows[1][1]
        header, tickers = (lower, upper) if "close" in map(name_of, lower) else (upper, lower)
        header = ["date", *header[1:]]
        ticker = _choose(tickers[1:], symbol, free)
        chosen = [place for place in chosen if place == 0 or tickers[place].upper() == ticker.upper()]
    elif symbols := symbols_of(header):
        ticker = _choose(symbols, symbol, free)
        chosen = [0, *(place for place, cell in enumerate(symbols, 1) if cell == ticker)]
        header = ["close" if place in chosen[1:] else cell for place, cell in enumerate(header)]
    try:
        names = {name: chosen[i] for name, i in places([header[place] for place in chosen]).items()}
    except ValueError as error:
        _check_first_line(rows)
        raise ValueError(f", line {line}: {error}") from None
    rows = rows[depth:]
    _check_lengths(rows, len(header))
    if again := [number for number, row in rows if row == header]:
        raise ValueError(f", line {again[0]}: the header stands there again: remove the line")
    if not rows:
        raise ValueError(": the file has no day below its header")
    if "ticker" in names:
        column = header[names["ticker"]].strip()
        cells = [row[names["ticker"]].strip() for _, row in rows]
        if not any(cells):
            return names, rows, None
        if "" in cells:
            line = rows[cells.index("")][0]
            raise ValueError(
                f", line {line}: no symbol in the column {column:.40}: fill it in, or remove the line"
            )
        company = name_of(column) == "name" and not cells[0].isupper()  # Apple Inc.
        ticker = _choose(cells, symbol, free or company)
        rows = [row for row, cell in zip(rows, cells, strict=True) if cell.upper() == ticker.upper()]
    return names, rows, ticker


def _depth_of_header(rows):
    """How many lines of names there are: three as yf.download writes them (Price, Ticker, Date), else one."""
    labels = [name_of(row[0]) for _, row in rows[:3]]
    if len(rows) > 2 and labels[2] in ("date", "datetime") and not any(rows[2][1][1:]):
        return 3
    return 2 if set(labels[:2]) == {"price", "ticker"} else 1


def _check_separator(line, header):
    if any(re.search(SIGNS, cell) for cell in header):
        raise ValueError(
            f", line {line}: columns parted by semicolons, tabs or bars: use commas, and numbers "
            "such as 1234.5"
        )


def _check_first_line(rows):
    """A ValueError if the first line is no header: what stands there, and where the header is."""
    line, first = rows[0]
    if len(rows) == len(first) == 1:
        raise ValueError(
            f": the file holds no table but the words {first[0].strip()!r:.60}: download it again"
        )
    for number, row in rows[1:20]:
        if is_header(row):
            raise ValueError(
                f", line {line}: this is not the header, which stands on line {number}: "
                "remove what is above it"
            )
        cells = re.split(SIGNS, ",".join(row))
        if is_header(cells):
            _check_separator(number, row)
    if re.search("[0-9]", first[0]) and any(PLAIN.fullmatch(cell.strip()) for cell in first):
        raise ValueError(
            f", line {line}: the first line is no header: write the names of the columns above it, "
            "such as date,open,high,low,close,volume"
        )


def _check_lengths(rows, length):
    for line, row in rows:
        if len(row) == length:
            continue
        try:
            check_cell(row[0].strip())
        except ValueError as error:
            raise ValueError(f", line {line}: {error}") from None
        advice = "complete the line or remove it"
        if len(row) > length:
            advice = "remove a comma (before decimals stands a point: 187.15)"
        cells = "1 cell" if len(row) == 1 else f"{len(row)} cells"
        raise ValueError(f", line {line}: {cells}, where the header has {length}: {advice}")


def _choose(tickers, symbol, free):
    """The one ticker of a file, or that of several which is the symbol, whatever the case of its letters.

    Args:
        tickers: as the file writes them.
        symbol: what is asked for.
        free: whether the symbol is only a label, which a file with one ticker need not know.
    """
    tickers = list({ticker.upper(): ticker for ticker in reversed(tickers)}.values())[::-1]
    asked = str(symbol).upper()
    same = [ticker for ticker in tickers if ticker.upper() == asked]
    same = same or [ticker for ticker in tickers if ticker.upper() == f"{asked}.US"]  # Stooq
    if same or (free and len(tickers) == 1):
        return (same or tickers)[0]
    if len(tickers) == 1:
        raise ValueError(
            f": the file holds {tickers[0]:.40}, not {asked:.40}: give --symbol {tickers[0]:.40}"
        )
    some = ", ".join(tickers[:5]) + (", …" if len(tickers) > 5 else "")
    raise ValueError(f": {len(tickers)} symbols, and none is {symbol}: give --symbol, one of {some:.100}")
