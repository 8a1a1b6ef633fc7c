"""What the project says of itself: one version, and modules that lie where the changes say."""

import importlib.metadata
import re
from importlib.util import find_spec
from pathlib import Path

import rnnlib

ROOT = Path(__file__).parents[2]
CHANGES = (ROOT / "book" / "appendix" / "changes.md").read_text(encoding="utf-8")


def test_there_is_one_version():
    """In rnnlib/__init__.py; an installation from before a change of it must be made again."""
    assert importlib.metadata.version("rnnlib") == rnnlib.__version__
    released = re.findall(r"^## (\d.*)$", CHANGES, re.MULTILINE)
    assert released[0] == rnnlib.__version__


def test_modules_lie_where_the_changes_say():
    rows = re.findall(r"^ *\| `([\w.]+)` \| `([\w.]+)` \|$", CHANGES, re.MULTILINE)
    assert len(rows) > 30
    package = ROOT / "rnnlib"
    for before, now in rows:
        assert find_spec(f"rnnlib.{now}"), now
        assert not package.joinpath(*before.split(".")).with_suffix(".py").exists(), before
