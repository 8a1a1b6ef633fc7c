"""Names that people give, as a terminal and a picture can show them."""

import unicodedata

BOX = "\N{REPLACEMENT CHARACTER}"


def one_line(text):
    """The text in one line, of characters that can be shown.

    Line ends and other blanks become a space; control characters, and what stands for the undecodable
    bytes of a file's name, become �. Marks that turn the direction of writing are left out: they could
    turn the rest of a line, too.
    """
    return "".join(map(_shown, str(text)))


def _shown(character):
    category = unicodedata.category(character)
    if category in ("Zs", "Zl", "Zp") or character in "\t\n\v\f\r\x85":
        return " "
    if category in ("Cc", "Cs"):
        return BOX
    return "" if unicodedata.bidirectional(character) in TURNING else character


#: Unicode's names for embeddings, overrides and isolates, and their ends.
TURNING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def shortened(text, columns):
    """The text in one line, with … in its middle where it is wider than so many columns of a terminal."""
    text = one_line(text)
    if width(text) <= columns:
        return text
    half = (columns - 1) // 2
    return f"{_cut(text, half)}…{_cut(text[::-1], half)[::-1]}"


def from_the_right(text):
    """Whether a text begins with Hebrew, Arabic or another script that is written from the right."""
    return unicodedata.bidirectional(text[:1] or " ") in ("R", "AL")


def width(text):
    """How many columns of a terminal a text takes; a Chinese character takes two."""
    return sum(1 + (unicodedata.east_asian_width(character) in "WF") for character in text)


def _cut(text, columns):
    """The longest beginning that is no wider."""
    taken = 0
    for place, character in enumerate(text):
        taken += width(character)
        if taken > columns:
            return text[:place]
    return text
