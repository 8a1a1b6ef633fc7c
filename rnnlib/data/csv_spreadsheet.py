"""What a spreadsheet writes into a cell in place of its value: ########, #N/A, #REF!."""

import re

ERRORS = re.compile(r"#[A-Z][A-Z0-9_/ ]*[!?]?", re.ASCII)


def check_cell(cell):
    """Raise a ValueError if a cell holds such a sign: it says how to have the value back."""
    if re.fullmatch("##+", cell):
        raise ValueError(
            f"{cell:.12} stands for a value that did not fit: widen the column in the spreadsheet "
            "and save again"
        )
    if ERRORS.fullmatch(cell):
        raise ValueError(
            f"{cell:.12} is what a spreadsheet writes for a value that it does not have: "
            "mend the cell there and save again, or remove the line"
        )
    if cell.startswith("#"):
        raise ValueError("lines that begin with # may only stand above the header: remove the line")
