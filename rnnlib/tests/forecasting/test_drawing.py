"""Names in figures: as they are, in a font that has their letters, and no word on the terminal."""

import io
import warnings
from dataclasses import replace

import matplotlib
import numpy as np
import pandas as pd
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager
from matplotlib.image import imread
from matplotlib.text import Text

from rnnlib import SequenceModel
from rnnlib.data.dataset import make_dataset
from rnnlib.data.origin import Origin
from rnnlib.forecasting import drawing, experiment, figures
from rnnlib.forecasting.forecasts import one_step
from rnnlib.forecasting.judging import compare
from rnnlib.training.history import History

NAMES = {
    "dollars": "CA$$H",
    "a formula": r"US$_CA$ \frac{",
    "braces": "%d{x}\\n",
    "an underscore": "_hidden",
    "markup": "[red]x[/red]",
    "Chinese": "中文",
    "Hebrew": "עברית",
    "emoji": "😀🇩🇪",
    "lines": "two\nlines",
    "controls": "esc\x1b[31m\x00",
    "a broken byte": "bad\udcff",
    "long": "LongName" * 40,
    "long and wide": "長" * 300,
    "caret": "a^_b & #~",
}


def made(name, column="close"):
    """Every figure, with a name wherever there can be one."""
    days = pd.bdate_range("2020-01-01", periods=60)
    close = 50 * np.exp(np.cumsum(0.02 * np.random.default_rng(0).standard_normal(60)))
    origin = Origin(name, f"file {name}.csv", f"unit {name}", credit=f"by {name}")
    data = make_dataset(
        pd.DataFrame({column: close}, index=days), column, column, "value", length=3, origin=origin
    )
    model = SequenceModel("rnn", 1, 2, 1, rng=0)
    history = History([1.0, 0.5], [1.0, 0.6], [1.0, 1.0], 2)
    yield figures.forecast_figure(history, data, one_step(model, data), name=name)
    future = experiment.future(model, data, 2)
    yield figures.future_figure(replace(data, origin=origin), future, name=name)
    table = pd.DataFrame({"model": ["rnn"], "seed": [0], "values_rmse": 1.0, "seconds": 1.0})
    table["peak_memory_mib"] = 1.0
    yield figures.benchmark_figure(table, {("rnn", 0): history}, compare({}, data), data)


def drawn(figure):
    """The picture as an array; any warning is an error."""
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawing.write(figure, file)
    file.seek(0)
    return imread(file)


QUICK = "dollars", "a broken byte", "long and wide"


@pytest.mark.parametrize(
    "case", [case if case in QUICK else pytest.param(case, marks=pytest.mark.slow) for case in NAMES]
)
def test_a_name_is_drawn_as_it_is(case):
    name = NAMES[case]
    for figure in made(name, column=name):
        drawn(figure)
        named = [text for text in figure.findobj(Text) if any(part in text.get_text() for part in "$^_%[")]
        assert not any(text.get_parse_math() for text in named)
        if case in ("dollars", "a formula", "braces", "markup", "caret"):
            assert figure._suptitle.get_text().startswith(f"{name}, {name}: ")
        if case in ("long", "long and wide", "dollars"):
            assert_inside(figure)


def assert_inside(figure):
    """The title is not cut off at the picture's sides."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        figure.draw_without_rendering()
        box = figure._suptitle.get_window_extent()
    assert box.x0 >= 0
    assert box.x1 <= figure.get_size_inches()[0] * figure.dpi


@pytest.mark.parametrize("name", ["_hidden", "$hidden", "_"])
def test_a_model_stands_in_the_legend_whatever_it_is_called(name):
    first, second, _ = made(name)
    for figure, place in ((first, 1), (first, 2), (second, 0)):
        words = [text.get_text().strip() for text in figure.axes[place].get_legend().get_texts()]
        assert name in words


def test_what_matplotlib_is_set_to_does_not_count():
    with matplotlib.rc_context({"text.usetex": True, "text.parse_math": True}):
        for figure in made("CA$$H"):
            drawn(figure)
        assert matplotlib.rcParams["text.parse_math"]  # set back


def test_titles_of_usual_names_are_what_they_were():
    figure, *_ = made("AAPL")
    assert figure._suptitle.get_text() == "AAPL, close: one step ahead\nfile AAPL.csv"


@pytest.fixture
def han_font(tmp_path):
    """A font with one letter, 龘, a black square: installed for the test."""
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "han"])
    builder.setupCharacterMap({ord("龘"): "han"})
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for corner in ((0, 800), (900, 800), (900, 0)):
        pen.lineTo(corner)
    pen.closePath()
    builder.setupGlyf({".notdef": TTGlyphPen(None).glyph(), "han": pen.glyph()})
    builder.setupHorizontalMetrics({".notdef": (1000, 0), "han": (1000, 0)})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "A Test Han", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(tmp_path / "han.ttf")
    before = list(font_manager.fontManager.ttflist)
    font_manager.fontManager.addfont(tmp_path / "han.ttf")
    yield "A Test Han"
    font_manager.fontManager.ttflist[:] = before
    font_manager.fontManager._findfont_cached.cache_clear()


def test_an_installed_font_lends_its_letters(han_font):
    assert drawing.fallbacks(set("abc龘")) == [han_font]
    figure, *_ = made("龘龘龘龘龘龘龘龘龘龘龘龘")
    families = [text.get_fontfamily() for text in figure.findobj(Text)]
    with_font = drawn(figure)
    assert [text.get_fontfamily() for text in figure.findobj(Text)] == families  # left as it was
    font_manager.fontManager.ttflist[:] = [
        entry for entry in font_manager.fontManager.ttflist if entry.name != han_font
    ]
    figure, *_ = made("龘龘龘龘龘龘龘龘龘龘龘龘")
    assert with_font[:80, :, 0].mean() < drawn(figure)[:80, :, 0].mean()  # squares are blacker than boxes


def test_no_font_is_looked_for_where_none_is_needed(monkeypatch):
    opened = []
    monkeypatch.setattr(drawing, "_letters", lambda path, letters: opened.append(path) or letters)
    assert drawing.fallbacks(set("AAPL, close: Ünïcode $%")) == []
    assert len(opened) == 1


def test_fonts_that_are_gone_or_broken_are_passed_over(tmp_path, han_font):
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    for name, path in (("A Broken", tmp_path / "broken.ttf"), ("A Gone", tmp_path / "gone.ttf")):
        entry = font_manager.FontEntry(fname=str(path), name=name)
        font_manager.fontManager.ttflist.insert(0, entry)
    assert drawing.fallbacks({"龘"}) == [han_font]
