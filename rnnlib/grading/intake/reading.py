"""A student's notebook, read for what a grade needs and no more.

That is of each cell its type, its source, its id and its grade_id, and the lab's name. What else a
file holds (outputs, pictures, widgets, metadata of any kind) is left out before anything is measured
or checked, so that it cannot cost a point.
"""

import json
import re

import nbformat

from rnnlib.grading import sources
from rnnlib.grading.notebook import UnreadableNotebook

LARGEST_FILE = 300 * 2**20  # bytes; a larger file is not read
TOO_LARGE = f"the file is larger than {LARGEST_FILE >> 20} MiB"
LARGEST_CODE = 5 * 2**20  # characters in all code cells
LARGEST_CELL = 2**20  # where a notebook holds more, larger cells than this are left out, until it does not
MOST_NAMES = 100  # that such a cell makes, to be told where an answer needs one
TOO_MUCH_CODE = f"the notebook holds more than {LARGEST_CODE >> 20} MiB of code"
LEFT_OUT = f'raise ValueError("this cell was left out: with it, {TOO_MUCH_CODE}")'
LARGEST_TEXT = 20_000  # characters that are kept of a cell that holds no code
ALL_TEXTS = 2**20  # and of all such cells

#: What makes a text more than prose: a function or a value in it may be an answer, or what one needs.
CODE_LIKE = re.compile(r"^(?:async +)?(?:def|class) +\w|^\w+ *(?::[^=\n]*)?=|^checks\.", re.MULTILINE)
LINE_END = re.compile(r"\r\n?")  # of Windows, and of an old Mac: to Python, the same
IN_CODE = {"outputs", "execution_count", "input"}  # keys of cells with code, and of no others
CONFLICT = re.compile(r"^(<{7}|>{7}) ", re.MULTILINE)
ZIP = "a zip file"
OTHER_KINDS = {  # what a file begins with
    b"PK\x03\x04": ZIP,
    b"%PDF": "a PDF file",
    b"\x1f\x8b": "a compressed file",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"Rar!": "a rar archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"version https://git-lfs": "a pointer of Git LFS, without what it points to,",
}


def loads(content):
    """The notebook in a file's bytes, of any version and in any Unicode encoding, as version 4.

    Raises:
        UnreadableNotebook: the bytes are no notebook; the message says what they are.
    """
    if len(content) > LARGEST_FILE:
        raise UnreadableNotebook(TOO_LARGE)
    text, is_utf8 = decode(content)
    text = text.lstrip("\ufeff").rstrip("\0\x1a \t\r\n")  # a disk may fill up a file's last block
    try:
        data = json.loads(text, parse_int=float)  # Python refuses whole numbers of many digits
        if isinstance(data, str):  # a notebook as a text, as some programs send it
            data = json.loads(data, parse_int=float)
    except (ValueError, RecursionError) as error:
        raise _unreadable(_why_no_json(content, text, error)) from error
    cells = [cell for cell in _cells(data) if cell is not None]
    if cells and not any(isinstance(_entry(cell, "cell_type"), str) for cell in cells):
        raise _unreadable("no cell says of which type it is")
    cells = list(map(_cell, cells))
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    length = sum(len(cell["source"]) for cell in code)
    for cell in sorted(code, key=lambda cell: len(cell["source"]), reverse=True):
        if length <= LARGEST_CODE:
            break
        length -= len(cell["source"])
        cell["source"] = _without_data(cell["source"])
        length += len(cell["source"])
    if not is_utf8 and any("\udc80" <= letter <= "\udcff" for cell in code for letter in cell["source"]):
        raise _unreadable("a code cell holds letters that are not UTF-8: save the notebook as UTF-8")
    left = ALL_TEXTS
    for cell in cells:
        if cell["cell_type"] != "code":
            text = cell["source"][: min(LARGEST_TEXT, left)]
            cell["source"] = text if CODE_LIKE.search(text) else ""
            left -= len(cell["source"])
        cell["source"] = whole_letters(cell["source"])
    lab = _entry(data.get("metadata"), "rnnlib", "lab")
    metadata = {"rnnlib": {"lab": whole_letters(lab)}} if isinstance(lab, str) else {}
    return nbformat.from_dict({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells})


def decode(content):
    """A file's bytes as text, and whether all of them are Unicode; others become lone surrogates."""
    encoding = json.detect_encoding(content)
    try:
        return content.decode(encoding), True
    except UnicodeDecodeError:
        return content.decode("utf-8-sig", "surrogateescape"), False


def whole_letters(text):
    """Text that can be written: U+FFFD stands where half a letter stood, such as half an emoji."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def kind_of(content):
    """What bytes are by their beginning, such as "a PDF file", or ""."""
    return next((kind for begin, kind in OTHER_KINDS.items() if content.startswith(begin)), "")


def looks_like_notebook(content):
    """Whether bytes may be a notebook whatever the file's name; ``loads`` tells for sure."""
    start = content[:100].replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    plain = content.replace(b"\0", b"") if b"\0" in content[:100] else content
    return start.startswith(b"{") and (b'"cells"' in plain or b'"worksheets"' in plain)


def _cells(data):
    """The cells of a notebook of version 4, or of the worksheets of an older one."""
    if isinstance(data, dict) and "cells" not in data and isinstance(data.get("content"), dict):
        data |= data.pop("content")  # as a Jupyter server sends it
    if isinstance(data, dict):
        if isinstance(data.get("cells"), list):
            return data["cells"]
        sheets = data.get("worksheets")
        if isinstance(sheets, list) and all(isinstance(_entry(s, "cells"), list) for s in sheets):
            return [cell for sheet in sheets for cell in sheet["cells"]]
    raise _unreadable("it is JSON, and no notebook: it has no cells")


def _cell(cell):
    """What a grade needs of a cell."""
    if not isinstance(cell, dict):  # a text stands there in a cell's place, or nothing that can be read
        cell = {"source": cell}
    kind = cell.get("cell_type")
    if not isinstance(kind, str):  # this one's was lost
        kind = "code" if IN_CODE.intersection(cell) else "raw"
    source = next((cell[key] for key in ("source", "input", "code") if key in cell), None)
    lines = source if isinstance(source, list) else [source]
    if kind == "code" and not all(isinstance(line, str | None) for line in lines):
        raise _unreadable("the code of a cell is no text")
    needed = {"cell_type": whole_letters(kind), "metadata": {}}
    needed["source"] = LINE_END.sub("\n", "".join(line for line in lines if isinstance(line, str)))
    if isinstance(cell.get("id"), str):
        needed["id"] = whole_letters(cell["id"])
    grade_id = _entry(cell.get("metadata"), "nbgrader", "grade_id")
    if isinstance(grade_id, str):
        needed["metadata"] = {"nbgrader": {"grade_id": whole_letters(grade_id)}}
    return needed


def _without_data(source):
    """What stands in the place of a cell with a picture, or data, as a text.

    Raises:
        UnreadableNotebook: it is no larger than an answer may be.
    """
    if len(source) <= LARGEST_CELL:
        raise UnreadableNotebook(TOO_MUCH_CODE)
    names = sorted(sources.names_made(source))[:MOST_NAMES]
    return "\n".join([LEFT_OUT, *(f"{name} = None" for name in names)])


def _entry(data, *keys):
    """What stands under these keys, one inside the other; None where there is nothing."""
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data


def _unreadable(reason):
    return UnreadableNotebook(f"the notebook cannot be read: {reason}")


def _why_no_json(content, text, error):
    """What a file is that is no JSON."""
    start = text.lstrip("\ufeff \t\r\n")
    if not start:
        return "the file is empty"
    if CONFLICT.search(text):
        return "it holds git's conflict markers (<<<<<<<): merge the two versions first"
    if start.startswith("<"):
        return "it is a web page, perhaps of a login, saved under a notebook's name"
    kind = kind_of(content)
    if kind:
        return f"it is {kind} under a notebook's name"
    if isinstance(error, RecursionError):
        return "its JSON is nested too deep"
    if start[0] not in '{["':
        return "it is no JSON, but another kind of file"
    place = getattr(error, "pos", 0)
    if place >= len(text) or str(error).startswith("Unterminated string"):
        return "its JSON is cut off: was it saved, or sent, to its end?"
    if error.msg == "Extra data":
        return f"its JSON ends before the file does (line {error.lineno}): are there two notebooks in it?"
    return f"it is no JSON (line {error.lineno}): was it edited by hand?"
