"""Explorables and plots: what their HTML holds."""

import doctest
import io
import re

import numpy as np
import pytest
from matplotlib.figure import Figure

from rnnlib.tools import explore
from rnnlib.tools.explore import END, LIVE, Explorable, Plot, Slider, Stepper, inline_svg

SVG = '<svg viewBox="0 0 100 50"><g id="a" data-part="x y"><use href="#a"/></g></svg>'


def figure(slope=1.0, size=13, color="#0072B2"):
    result = Figure(figsize=(5, 3))
    axes = result.subplots()
    axes.plot([0, slope], color=color)
    axes.set_xlabel("step $h_t$ <1>", fontsize=size)
    axes.tick_params(labelsize=13)
    return result


def in_the_book(shown):
    """The HTML of a page, from which the kit is taken out."""
    return re.sub(f"{LIVE}.*?{END}", "", shown._repr_html_(), flags=re.DOTALL)


def test_the_examples_are_true():
    assert doctest.testmod(explore).failed == 0


def test_a_slider_holds_every_frame_and_loads_nothing():
    frames = [figure(slope) for slope in (0, 1, 2)]
    slider = Slider("weight <w>", ["0", "<1>", "2"], frames, ["flat", 'a "line"', "steep"], start=1)
    page = in_the_book(slider)
    found = re.findall(r'<div class="explore-frame plot" data-label="([^"]*)"( hidden)?>', page)
    assert found == [("0", " hidden"), ("&lt;1&gt;", ""), ("2", " hidden")]
    alts = re.findall(r'<svg[^>]* aria-label="([^"]*)"', page)
    assert alts == ["flat", "a &quot;line&quot;", "steep"]
    assert 'data-label="weight &lt;w&gt;" data-start="1"' in page
    assert len(page) < 3 * 12_000
    assert not re.search(r"(?:src|href)=\"(?!#)|https?:", page)


def test_equal_figures_give_equal_pages():
    pages = [Slider("w", ["0"], [figure()], ["x"])._repr_html_() for _ in range(2)]
    assert pages[0] == pages[1]


def test_a_plot_keeps_its_text_and_takes_the_colours_of_the_theme():
    page = in_the_book(Plot(figure(), "A line."))
    assert "stroke:var(--explore-x, #0072b2)" in page
    assert "stroke:var(--explore-ink, #000000)" in page
    assert not re.search(r"(?<!, )#[0-9a-f]{6}\b", page)
    assert "font-family" not in page
    words = re.findall(r"<tspan[^>]*>([^<]*)</tspan>", page)
    assert words[:3] == ["step\xa0", "h", "t"]  # joined, not letter by letter
    assert "\xa0&lt;1&gt;" in words
    assert page.count('class="explore-math"') == 2


@pytest.mark.parametrize(
    ("colour", "expected"),
    [
        ("#d55e00", "var(--explore-state, #d55e00)"),
        ("#009E73", "var(--explore-new, #009e73)"),
        ("black", "var(--explore-ink, #000000)"),
        ("white", "var(--explore-ground, #ffffff)"),
        (
            "#bfbfbf",
            "color-mix(in srgb, var(--explore-ink, #000000) 25%, var(--explore-ground, #ffffff))",
        ),
        ("#123456", "#123456"),
    ],
)
def test_colours_become_variables(colour, expected):
    assert f"stroke:{expected}" in in_the_book(Plot(figure(color=colour), "A line."))


def test_a_plot_is_light_and_its_lines_stay_where_they_were():
    result = figure()
    axes = result.axes[0]
    axes.plot([0, 1, 2], [0.25, 0.5, 0.125], "o-")
    axes.fill([0, 1, 1], [0, 0, 1])
    axes.plot([], [])
    page, file = in_the_book(Plot(result, "Lines.")), io.StringIO()
    result.savefig(file, format="svg")
    before, after = (re.findall(r'\sd="([^"]*)"', svg) for svg in (file.getvalue(), page))
    numbers = [[float(number) for number in re.findall(r"-?[\d.]+", path)] for path in before]
    short = [[float(number) for number in re.findall(r"-?[\d.]+", path)] for path in after]
    for path in short:
        assert any(len(p) == len(path) and np.allclose(p, path, rtol=0, atol=0.051) for p in numbers), path
    assert len(short) >= 6
    assert any(path.endswith("z") for path in after)
    assert "<g>" not in page
    assert page.count("<g") == page.count("</g>")
    assert len(page) < 0.5 * len(file.getvalue())


def test_ids_of_two_plots_differ():
    ids = [set(re.findall(r' id="([^"]+)"', in_the_book(Plot(figure(w), "A line.")))) for w in (1, 2)]
    assert ids[0]
    assert not ids[0] & ids[1]
    page = in_the_book(Plot(figure(), "A line."))
    used = set(re.findall(r'(?:url\(#|href="#)([\w.-]+)', page))
    assert used == set(re.findall(r' id="([^"]+)"', page))


def test_a_label_too_small_for_a_phone_is_refused():
    Plot(figure(size=11.7), "A line.")
    with pytest.raises(
        ValueError, match=r"'step ht <1>' has 11 points .* 5 inches wide letters need 11.6 points"
    ):
        Plot(figure(size=11), "A line.")


def test_what_style_draws_is_large_enough():
    import matplotlib

    with matplotlib.rc_context(explore.STYLE):
        result = Figure()
        axes = result.subplots()
        axes.semilogy([1, 2], label="$w^t$")
        axes.set(title="title", xlabel="x")
        axes.legend()
        Plot(result, "A line.")


def test_an_explorable_holds_its_data():
    data = {"w": np.float64(0.5), "a": np.arange(3), "text": "</script><!-- ∂"}
    page = in_the_book(Explorable("name", data, "What is <seen>", still=SVG, formulas=["rnn-step"]))
    (found,) = re.findall(r'<script type="application/json">(.*?)</script>', page)
    assert found == r'{"w":0.5,"a":[0,1,2],"text":"\u003c/script>\u003c!-- ∂"}'
    assert 'data-explore="name" data-alt="What is &lt;seen&gt;" data-formulas="rnn-step">' in page
    assert '<div class="explore-still"><svg viewBox="0 0 100 50"' in page
    assert "data-script" not in page
    assert "With JavaScript this figure moves." in page


def test_the_kit_and_the_script_travel_to_a_notebook(tmp_path, monkeypatch):
    monkeypatch.setattr(explore, "STATIC", tmp_path)
    (tmp_path / "chapter.js").write_text("const a = '</script>';")
    shown = Explorable("name", None, "alt", script="chapter.js")
    assert "<script>{\nconst a = '<\\/script>';\n}</script>" in shown._repr_html_()
    assert "const a" not in in_the_book(shown)
    assert 'data-script="chapter.js"' in in_the_book(shown)


@pytest.mark.parametrize("value", [float("nan"), np.array([1.0, np.inf])])
def test_data_that_json_cannot_hold_are_refused(value):
    with pytest.raises(ValueError, match="an explorable's data must be finite numbers"):
        Explorable("name", {"a": value}, "alt")


def test_misuse_is_told_in_a_line():
    with pytest.raises(TypeError, match="not set"):
        Explorable("name", {"a": {1, 2}}, "alt")
    with pytest.raises(FileNotFoundError, match=r"no script 'none.js'"):
        Explorable("name", None, "alt", script="none.js")
    with pytest.raises(ValueError, match="as many labels as figures and alts, got 2, 1, 1"):
        Slider("w", ["0", "1"], [figure()], ["x"])
    with pytest.raises(ValueError, match="got 0, 0, 0"):
        Slider("w", [], [], [])
    for start in (-1, 1):
        with pytest.raises(ValueError, match=f"index of one of 1 frames, got {start}"):
            Slider("w", ["0"], [figure()], ["x"], start=start)
    with pytest.raises(ValueError, match="at least one step"):
        Stepper(SVG, [], alt="alt")
    with pytest.raises(ValueError, match="no part 'z' in the picture, the code or the equation"):
        Stepper(SVG, [("all", ""), ("one", "x z")], alt="alt")
    with pytest.raises(ValueError, match="no <svg> with a viewBox"):
        Stepper("<svg></svg>", [("one", "")], alt="alt")


def test_a_stepper_marks_the_parts_of_picture_equation_and_code():
    page = in_the_book(
        Stepper(
            SVG,
            [("First $h < 1$ and `a < b`.", "x"), ("Then.", "y line")],
            alt="alt",
            code=["import numpy", ("line", "a < b  # less")],
            equation=["a &<", ("x y", "b")],
        )
    )
    assert '<li data-parts="x">First <span class="math notranslate nohighlight">\\(h &lt; 1\\)</span>' in page
    assert "<code>a &lt; b</code>" in page
    assert '<li data-parts="y line">Then.</li>' in page
    assert "a &amp;&lt;\\class{part-x part-y}{b}" in page
    line = re.search(r'<code data-part="line">(.*?)</code>', page)[1]
    assert re.sub(r"<[^>]+>", "", line) == "a &lt; b  # less"


def test_a_file_becomes_part_of_a_page():
    file = '<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="9" viewBox="0 0 100 50">'
    file += '<!-- the tip --><path id="tip"/><use xlink:href="#tip" marker-end="url(#tip)"/></svg>'
    page = inline_svg(file, '"alt"', "file")
    assert page == (
        '<svg viewBox="0 0 100 50" width="100%" style="max-width: 100px" role="img" '
        'aria-label="&quot;alt&quot;">'
        '<path id="file-tip"/><use href="#file-tip" marker-end="url(#file-tip)"/></svg>'
    )
