"""A cell that Python cannot read: what stops it, with help where it was pasted or a version differs."""

import html
import re
import sys
import unicodedata

from rnnlib.grading import magics

HERE = f"Python {sys.version_info.major}.{sys.version_info.minor}"
PLACE = re.compile(r" \((?:<\w+>|[\w-]+\.py|[\w<>-]+)(?:, line (\d+))?\)$")
CHARACTER = re.compile(r"^invalid (?:non-printable )?character .*?U\+([0-9A-F]{4,6})")

#: What programs for texts and web pages write in the place of what a keyboard types.
TYPED = dict.fromkeys("“”„‟″«»", '"') | dict.fromkeys("‘’‚‛′`´", "'") | dict.fromkeys("‐‑‒–—−", "-")
TYPED |= {"×": "*", "·": "*", "÷": "/", "≤": "<=", "≥": ">=", "≠": "!=", "…": "...", "²": "**2"}
TYPED |= dict(zip("（），：；。", "(),:;.", strict=True))

MERGE = re.compile(r"(<{7}|>{7}|\|{7})( |$)")
FENCE = re.compile(r"\s*(```|~~~)")  # around code in a text
ENTITY = re.compile(r"&(?:[lg]t|amp|quot|apos|nbsp|#39|#34|#160|#x27);")  # a character in a web page's source
QUOTED = 80  # characters of a line that a message shows
LONGEST = 1000  # characters of a line that are read; on megabytes a pattern runs for hours

STRING = re.compile(r"""'[^']*'|"[^"]*"|#.*""")  # or a comment

#: Since which version Python reads a line.
NEWER = [
    ((3, 11), re.compile(r"^\s*except\s*\*")),
    ((3, 12), re.compile(r"^\s*type\s+\w+\s*(\[.*\]\s*)?=")),
    ((3, 12), re.compile(r"^\s*(async\s+)?(def|class)\s+\w+\s*\[.*\]\s*[(:]")),
    ((3, 12), re.compile(r"""\b[fF][rR]?(['"])[^'"]*\{[^{}]*\1[^{}]*\}""")),  # the same quotes inside
    ((3, 12), re.compile(r"""\b[fF][rR]?(['"]).*\{[^{}]*\\[^{}]*\}""")),
    ((3, 14), re.compile(r"^\s*except\s*\*?\s+[\w.]+\s*,\s*[\w.]+(\s*,\s*[\w.]+)*\s*:")),
    ((3, 14), re.compile(r"""(?<![\w'"])([tT][rR]?|[rR][tT])['"]""")),
]


def explained(name, text, source):
    """A SyntaxError as one line: what stops Python, where, and what may be the cause.

    Args:
        name: the error's type, such as "SyntaxError" or "TabError".
        text: what it says, such as "invalid syntax (123.py, line 2)".
        source: the cell.
    """
    place = PLACE.search(text)
    what, number = PLACE.sub("", text), int(place[1] or 0) if place else 0
    if what == "incomplete input":
        what, number = _open(source) or (what, number)
    lines = [line[:LONGEST] for line in source.splitlines()]
    line = lines[number - 1] if 0 < number <= len(lines) else ""
    where = f" in line {number}" if number else ""
    cause = f"{_typed(what)}{_left(line, lines)}{_newer(line, lines)}"
    return f"{name} on {HERE}: {what}{where}{cause or _quoted(line)}"


def _open(source):
    """What has no end in a source, such as a bracket, and the line where it begins; None if nothing."""
    try:
        magics.parsed(source)
    except SyntaxError as error:
        return error.msg, error.lineno or 0
    except Exception:  # too deep, too long
        return None
    return None


def _left(line, lines):
    """What stands in a cell and is no code: the marks of a text that was pasted, or of git; or ""."""
    if FENCE.match(line):
        return f": the marks {line.strip()[:3]} were pasted with the code; delete this line"
    entity = next(filter(None, (ENTITY.search(STRING.sub("", each)) for each in [line, *lines])), None)
    if entity:
        plain = html.unescape(entity[0]).replace("\xa0", "a space")
        return f": {entity[0]} was pasted from a web page, it seems; type {plain} instead"
    conflict = any(map(MERGE.match, lines))
    return (
        ": git's conflict marks (<<<<<<<) stand in the cell; keep one of the two versions" if conflict else ""
    )


def _quoted(line):
    """A line of the cell, or ""."""
    text = line.strip()
    return f': "{text[:QUOTED]}{" …" * (len(text) > QUOTED)}"' if text else ""


def _typed(what):
    """What to type for a character that Python does not read, or ""."""
    match = CHARACTER.match(what)
    if not match:
        return ": it cannot be seen; write the cell again" if "null bytes" in what else ""
    character = chr(int(match[1], 16))
    plain = TYPED.get(character) or unicodedata.normalize("NFKC", character)
    if plain == " ":
        return ": it looks like a space, and was pasted; type a space instead"
    if unicodedata.category(character) in ("Cf", "Cc"):
        return ": it cannot be seen, and was pasted; delete it"
    return f": it was pasted, it seems; type {plain} instead" if plain.isascii() and plain.strip() else ""


def _newer(line, lines):
    """The Python that reads a line which this one does not read, as far as is known, or ""."""
    for version, pattern in NEWER:
        if version > sys.version_info[:2] and any(map(pattern.search, [line] if line else lines)):
            return f". Python {version[0]}.{version[1]} reads it"
    return ""
