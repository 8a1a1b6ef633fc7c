"""The pages of book/start as text, as lines to type, and run cell by cell."""

import linecache
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
START = ROOT / "book" / "start"
PAGES = ["setup", "labs", "notation"]


def text(page):
    return (START / f"{page}.md").read_text(encoding="utf-8")


def commands(page):
    """The lines that the page tells people to type."""
    blocks = re.findall(r"^ *```console\n(.*?)^ *```", text(page), re.MULTILINE | re.DOTALL)
    return [line.strip() for block in blocks for line in block.splitlines()]


def run_page(page, monkeypatch):
    """Run a page's cells as the book does, all but those that show a failed check; its names."""
    pytest.importorskip("myst_nb", reason="the book's packages are not installed")
    monkeypatch.chdir(START)
    names = {"__name__": page}
    cells = re.findall(r"^```\{code-cell\}[^\n]*\n(.*?)^```$", text(page), re.MULTILINE | re.DOTALL)
    assert len(cells) >= 3
    for number, cell in enumerate(cells):
        if "raises-exception" in cell:
            continue
        code = re.sub(r"\A(---\n.*?\n---\n|(:[^\n]*\n)+)", "", cell, flags=re.DOTALL)
        file = f"<{page}, cell {number}>"
        linecache.cache[file] = len(code), None, code.splitlines(keepends=True), file  # a check quotes a line
        exec(compile(code, file, "exec"), names)
    return names
