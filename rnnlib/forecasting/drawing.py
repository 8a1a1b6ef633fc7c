"""Names in figures are text: no formula is seen in them, and a font that has their letters is used."""

import functools
import warnings
from contextlib import contextmanager

import matplotlib
from matplotlib import font_manager
from matplotlib.text import Text

from rnnlib.tools.names import shortened

#: How much of a name a figure shows, in columns: of a text of one line, and of one beside an axis.
LINE, LABEL = 66, 40


def plain_text(make):
    """The figure that ``make`` makes, in whose texts a $ is a $ whatever matplotlib is set to."""

    @functools.wraps(make)
    def make_plain(*arguments, **options):
        with matplotlib.rc_context({"text.parse_math": False, "text.usetex": False}):
            return make(*arguments, **options)

    return make_plain


def label(name, columns=LABEL):
    """A name for an axis or a legend, which leaves out what begins with an underscore."""
    text = shortened(name, columns)
    return f" {text}" if text.startswith("_") else text


def write(figure, path):
    """Write a figure as PNG, without a word on letters that no font here has."""
    letters = {letter for text in figure.findobj(Text) for letter in text.get_text()}
    with matplotlib.rc_context({"text.usetex": False}), _fonts(figure, letters), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph \d+|Matplotlib currently does not support")
        figure.savefig(path, format="png", dpi=150)


@contextmanager
def _fonts(figure, letters):
    """Let the figure's texts fall back to installed fonts for the letters that their own lacks."""
    texts = figure.findobj(Text)
    more = fallbacks({letter for letter in letters if not letter.isspace()})
    before = [(text, text.get_fontfamily()) for text in texts]
    for text, family in before:
        if more:
            text.set_fontfamily([*family, *more])
    try:
        yield
    finally:
        for text, family in before:
            text.set_fontfamily(family)


def fallbacks(letters):
    """Installed font families that have the letters which matplotlib's usual font lacks; few, maybe none."""
    lacking = letters - _letters(
        font_manager.findfont(font_manager.FontProperties(family=["sans-serif"])), letters
    )
    families = []
    for entry in sorted(font_manager.fontManager.ttflist, key=lambda entry: entry.name) if lacking else []:
        usual = entry.style == "normal" and not entry.name.startswith((".", "Last Resort"))
        if usual and entry.name not in families and (own := _letters(entry.fname, lacking)):
            families.append(entry.name)
            lacking -= own
        if not lacking:
            break
    return families


def _letters(path, letters):
    """Which of the letters a font file can draw; none, if it is not there, or of pixels."""
    try:
        font = font_manager.get_font(path)
        scalable = font.scalable
    except (OSError, RuntimeError):
        return set()
    return {letter for letter in letters if font.get_char_index(ord(letter))} if scalable else set()
