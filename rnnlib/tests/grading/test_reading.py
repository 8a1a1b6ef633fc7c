"""A student's notebook is read for what a grade needs, and no more."""

import json
import re
from contextlib import suppress

import hypothesis.strategies as st
import pytest
from hypothesis import given

from rnnlib.grading import notebook
from rnnlib.grading.intake import reading
from rnnlib.tests.grading.folders import LAB
from rnnlib.tests.grading.submissions import SOLUTION


def is_prose(cell):
    return cell.cell_type != "code" and "def " not in cell.source


def test_what_is_read_is_what_a_grade_needs():
    nb = reading.loads(LAB)
    cells = notebook.read(SOLUTION).cells
    assert notebook.lab_name(nb) == "01_rnn"
    assert [(c.id, c.source, notebook.grade_id(c)) for c in nb.cells] == [
        (c.id, "" if is_prose(c) else c.source, notebook.grade_id(c)) for c in cells
    ]
    assert all(is_prose(c) for c in cells if c.cell_type != "code")
    assert {key for c in nb.cells for key in c} == {"cell_type", "id", "metadata", "source"}
    assert reading.loads(json.dumps(nb).encode()) == nb


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_every_encoding_of_unicode_is_read(encoding):
    assert reading.loads(LAB.decode().encode(encoding)) == reading.loads(LAB)


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_line_ends_are_those_of_python(end):
    nb = json.loads(LAB)
    for cell in nb["cells"]:
        cell["source"] = "".join(cell["source"]).replace("\n", end)
    assert reading.loads(json.dumps(nb).encode()) == reading.loads(LAB)


def test_two_byte_order_marks_cost_nothing():
    assert reading.loads("\ufeff".encode() * 2 + LAB) == reading.loads(LAB)


def test_data_in_a_cell_costs_that_cell_alone():
    """Some paste a picture, or a table, into their code as a text."""
    nb = json.loads(LAB)
    data = "tiny = 1e-12\nDATA = '" + "x" * 7 * 2**20 + "'"
    nb["cells"].insert(1, nb["cells"][1] | {"id": "data", "source": data})
    left_out, *rest = reading.loads(json.dumps(nb).encode()).cells[1:]
    first, *names = left_out.source.splitlines()
    reason = "with it, the notebook holds more than 5 MiB of code"
    assert first == f'raise ValueError("this cell was left out: {reason}")'
    assert names == ["DATA = None", "tiny = None"]
    assert rest == reading.loads(LAB).cells[1:]


def test_a_large_cell_is_read_where_there_is_room():
    nb = json.loads(LAB)
    first, second, *_ = (cell for cell in nb["cells"] if cell["cell_type"] == "code")
    first["source"] = "# " + "x" * 4 * 2**20
    sources = [cell.source for cell in reading.loads(json.dumps(nb).encode()).cells]
    assert first["source"] in sources
    second["source"] = "# " + "x" * 3 * 2**20  # now the larger one gives way
    sources = [cell.source for cell in reading.loads(json.dumps(nb).encode()).cells]
    assert second["source"] in sources
    assert sum(source.startswith("raise ValueError") for source in sources) == 1


@pytest.mark.parametrize("end", [b"\0" * 4096, b"\r\n\x1a", b"\n\n \t"])
def test_what_a_disk_or_a_system_adds_at_the_end_costs_nothing(end):
    assert reading.loads(LAB + end) == reading.loads(LAB)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (bytes(4096), "the file is empty"),
        (b"\xef\xbb\xbf \n", "the file is empty"),
        (LAB[:5000], "its JSON is cut off: was it saved, or sent, to its end?"),
        (LAB.rstrip()[:-1], "its JSON is cut off: was it saved, or sent, to its end?"),
        (b'{"cells": [{"source": "abc', "its JSON is cut off"),
        (b"  <!DOCTYPE html><title>Sign in</title>", "it is a web page, perhaps of a login"),
        (
            LAB.replace(b'"cells": [', b'\n<<<<<<< HEAD\n"cells": ['),
            "it holds git's conflict markers (<<<<<<<)",
        ),
        (b"[" * 100_000, "its JSON is nested too deep"),
        (b"PK\x03\x04abc", "it is a zip file under a notebook's name"),
        (b"7z\xbc\xaf", "it is a 7z archive under a notebook's name"),
        (b"%PDF-1.4", "it is a PDF file under a notebook's name"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 37024\n",
            "it is a pointer of Git LFS, without what it points to, under a notebook's name",
        ),
        (b"\x89PNG\r\n", "it is a picture under a notebook's name"),
        (bytes(range(256)), "it is no JSON, but another kind of file"),
        (b"import numpy", "it is no JSON, but another kind of file"),
        (b'{"cells": [],}', "it is no JSON (line 1): was it edited by hand?"),
        (b'{"cells": []}\n{"cells": []}', "its JSON ends before the file does (line 2)"),
        (b"[]", "it is JSON, and no notebook: it has no cells"),
        (b"null", "it is JSON, and no notebook: it has no cells"),
        (b'{"worksheets": [3]}', "it is JSON, and no notebook: it has no cells"),
        (b'{"cells": [0]}', "no cell says of which type it is"),
        (b'{"cells": [{"source": "x = 1", "outputs": []}]}', "no cell says of which type it is"),
        (b'{"cells": [{"cell_type": "code", "source": [1]}]}', "the code of a cell is no text"),
        (
            b'{"cells": [{"cell_type": "code", "source": "\xfc"}]}',
            "a code cell holds letters that are not UTF-8",
        ),
    ],
)
def test_what_is_no_notebook_is_told_in_a_line(content, reason):
    with pytest.raises(
        notebook.UnreadableNotebook, match=f"^the notebook cannot be read: {re.escape(reason)}"
    ) as e:
        reading.loads(content)
    assert str(e.value).isprintable()


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(codec="utf-8"), max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab_", max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)
KEYS = st.sampled_from(["metadata", "id", "outputs", "execution_count", "attachments", "colab"])


@given(
    st.dictionaries(st.sampled_from(["metadata", "nbformat", "nbformat_minor", "signature"]), JSON),
    st.lists(st.dictionaries(KEYS, JSON), min_size=1, max_size=4),
    st.lists(JSON, max_size=3),
)
def test_nothing_beside_the_code_costs_it(top, cells, texts):
    """Whatever stands where no grade looks, the code is what it was, and nothing else is left."""
    code = [cell | {"cell_type": "code", "source": f"x = {i}"} for i, cell in enumerate(cells)]
    more = [{"cell_type": "markdown", "source": text} for text in texts]
    nb = reading.loads(json.dumps(top | {"cells": more + code}).encode())
    assert [cell.source for cell in nb.cells[len(more) :]] == [f"x = {i}" for i in range(len(code))]
    assert nb.metadata.keys() <= {"rnnlib"}
    json.dumps(nb, ensure_ascii=False).encode()  # no half letters
    assert reading.loads(json.dumps(nb).encode()) == nb


@given(st.binary(max_size=60) | st.binary(max_size=60).map(lambda b: b'{"cells": [' + b))
def test_any_bytes_are_a_notebook_or_a_line(content):
    with suppress(notebook.UnreadableNotebook):  # and no other error
        reading.loads(content)


def test_numbers_of_any_length_cost_nothing():
    nb = b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": "x", "execution_count": %s}]}'
    assert reading.loads(nb % (b"1" * 5000)).cells[0].source == "x"


def test_of_many_texts_no_more_is_kept_than_has_room(monkeypatch):
    monkeypatch.setattr(reading, "LARGEST_TEXT", 20)
    monkeypatch.setattr(reading, "ALL_TEXTS", 50)
    texts = [{"cell_type": "markdown", "source": "x=" + "1" * 28}] * 9
    nb = reading.loads(json.dumps({"cells": [*texts, {"cell_type": "code", "source": "y" * 99}]}).encode())
    assert [len(cell.source) for cell in nb.cells] == [20, 20, 10, 0, 0, 0, 0, 0, 0, 99]


def test_a_large_notebook_leaves_little_in_memory():
    nb = json.loads(LAB)
    nb["cells"][1]["outputs"] = ["x" * 30_000_000]
    nb["cells"] += [{"cell_type": "markdown", "source": "data:image/png;base64," + "A" * 3_000_000}] * 20
    assert len(json.dumps(reading.loads(json.dumps(nb).encode()))) < 600_000


def test_a_cell_that_has_lost_its_type_is_what_it_holds():
    cells = [
        {"source": "x = 1", "outputs": []},
        {"source": "y = 1", "execution_count": None},
        {"source": "A text."},
        "x = 2",
        17,
        {"source": "z = 1", "cell_type": "code"},
    ]
    student = reading.loads(json.dumps({"cells": cells}).encode())
    assert [cell.cell_type for cell in student.cells] == ["code", "code", "raw", "raw", "raw", "code"]
    assert [cell.source for cell in student.cells] == ["x = 1", "y = 1", "", "x = 2", "", "z = 1"]
