"""Explorables in a browser: by mouse, by keys, on paper, in the dark, without a script, in a notebook."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from rnnlib.tools import explore
from rnnlib.tools.explore import Explorable, Plot, Slider, Stepper

ROOT = Path(__file__).parents[2]
FIXTURE = Path(__file__).parent / "fixtures" / "explore"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """The folder of a small book, built with the kit, the style and the extensions of the course."""
    for package in ("myst_nb", "sphinx_book_theme"):
        pytest.importorskip(package, reason="the book's tools are not installed: pip install -e .[book]")
    source = tmp_path_factory.mktemp("explore") / "source"
    shutil.copytree(FIXTURE, source)
    shutil.copytree(ROOT / "book" / "_static", source / "static")
    shutil.move(source / "demo.js", source / "static")
    pages = source.parent / "pages"
    result = subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", str(source), str(pages)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "book" / "_ext")},
        capture_output=True,
        encoding="utf-8",
    )
    assert (pages / "index.html").is_file(), result.stderr
    assert "WARNING:" not in result.stderr
    return pages


@pytest.fixture
def index(visit, book):
    """Open the page with the figures, its formulas set."""

    def open_page(**settings):
        page = visit(book / "index.html", **settings)
        if settings.get("java_script_enabled", True):
            page.wait_for_function("document.querySelectorAll('.math mjx-container').length >= 4")
        return page

    return open_page


def lit(page, place):
    """The names of the parts that shine in a place."""
    name = "e => e.dataset.part ?? [...e.classList].find(c => c.startsWith('part-')).slice(5)"
    found = page.locator(place).locator(".lit").evaluate_all(f"found => found.map({name})")
    return sorted(set(found))  # MathJax keeps each formula a second time, for screen readers


def settle(page):
    """Let every transition be over now."""
    page.evaluate("document.getAnimations().forEach(transition => transition.finish())")


def test_every_kind_of_figure_has_a_number_and_a_caption(index):
    page = index()
    captions = page.locator("figcaption").all_inner_texts()
    assert [caption[:8] for caption in captions] == [
        "Fig. 1 A", "Fig. 2 A", "Fig. 3 A", "Fig. 4 A", "Fig. 5 A",
    ]  # fmt: skip
    assert "See Fig. 1, Fig. 2, Fig. 3, Fig. 4 and Fig. 5." in page.inner_text("article")


def test_a_page_loads_the_kit_once_and_only_where_it_is_used(book):
    page = (book / "index.html").read_text(encoding="utf-8")
    for file in ("explore.js", "explore.css", "demo.js"):
        assert page.count(f"_static/{file}?") == 1
    assert page.index("explore.js?") < page.index("demo.js?")
    assert "var explore" not in page
    assert "--explore-x:" not in page
    assert explore.LIVE not in page
    plain = (book / "plain.html").read_text(encoding="utf-8")
    assert "explore.js" not in plain
    assert "explore.css" not in plain
    assert "demo.js" not in plain


def test_what_a_cell_prints_in_pieces_stands_in_one_box(index):
    boxes = index().locator("article .cell_output").last.locator("pre").all_inner_texts()
    before, *aside, after = [box.strip("\n") for box in boxes]
    assert before == "one thing after the other\nand a third"
    assert aside == ["aside"]
    assert after == "the last"


def test_the_slider_answers_to_keys_and_mouse(index):
    page = index()
    figure = page.locator("figure[data-explore=slider]")
    slider = figure.get_by_role("slider", name="recurrent weight wh")
    shown = figure.locator("svg:visible")
    assert shown.count() == 1
    assert shown.get_attribute("aria-label") == "two"
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert figure.locator("output").inner_text() == slider.get_attribute("aria-valuetext") == "3"
    assert shown.count() == 1
    assert shown.get_attribute("aria-label") == "three"
    box = slider.bounding_box()
    page.mouse.click(box["x"] + 4, box["y"] + box["height"] / 2)
    assert shown.get_attribute("aria-label") == "one"
    page.keyboard.press("End")
    assert shown.get_attribute("aria-label") == "three"


def test_a_stepper_lights_picture_equation_code_and_the_formula_of_the_page(index):
    page = index()
    figure = page.locator("figure[data-explore=stepper]")
    sentence = figure.locator(".explore-steps > li:visible")
    places = [f"figure[data-explore=stepper] {place}" for place in ("svg", ".explore-equation", "code")]
    places.append("#equation-step")
    assert "One step" in sentence.inner_text()
    assert [lit(page, place) for place in places] == [[], [], [], []]
    figure.get_by_role("button", name="one step on").click()
    assert sentence.inner_text() == "The input goes through its matrix."
    assert lit(page, "figure[data-explore=stepper] pre") == ["input"]
    assert [lit(page, places[i]) for i in (0, 1, 3)] == [["input"]] * 3
    page.keyboard.press("ArrowRight")  # the button has the focus
    assert [lit(page, places[i]) for i in (0, 1, 3)] == [["memory"]] * 3
    figure.get_by_role("slider").focus()
    page.keyboard.press("End")
    assert [lit(page, places[i]) for i in (0, 1, 3)] == [["sum"], ["sum"], []]
    assert figure.locator("output").inner_text() == "4 of 4"
    dim = figure.locator("svg [data-part=input]")
    page.wait_for_function("e => getComputedStyle(e).opacity < 0.5", arg=dim.element_handle())
    shining = figure.locator("svg [data-part=sum]").element_handle()
    page.wait_for_function("e => getComputedStyle(e).opacity == 1", arg=shining)
    figure.get_by_role("button", name="one step on").click(force=True)  # the end: it stays
    assert sentence.inner_text() == "They are added."
    page.keyboard.press("ArrowLeft")
    assert sentence.inner_text() == "The state goes through its own."


def curve(page, name):
    """The points of a line of the tanh figure, in px of its viewBox, (n, 2)."""
    path = page.locator(f"figure[data-explore=tanh] path.{name}").get_attribute("d")
    return np.array([point.split() for point in path[1:].split("L")], float)


def test_what_the_page_computes_is_what_numpy_computes(index):
    page = index()
    assert np.array_equal(curve(page, "page"), curve(page, "numpy"))
    page.locator("figure[data-explore=tanh] input[type=range]").focus()
    page.keyboard.press("ArrowRight")
    assert np.abs(curve(page, "page") - curve(page, "numpy")).max() > 0.1


def test_a_live_figure_answers_to_every_control(index):
    page = index()
    figure = page.locator("figure[data-explore=tanh]")
    said = figure.locator(".explore-say")
    slider = figure.get_by_role("slider", name="weight wh")
    assert figure.locator(".explore-still:visible").count() == 0
    slider.fill("1.25")
    assert said.inner_text() == "The slope at 0 is 1.25."
    assert figure.locator("output").inner_text() == slider.get_attribute("aria-valuetext") == "1.25"
    figure.get_by_label("two").check()
    assert said.inner_text() == "The slope at 0 is 2."
    figure.get_by_role("button", name="Reset").click()
    assert said.inner_text() == "The slope at 0 is 0.5."
    figure.get_by_role("button", name="Play").click()
    page.wait_for_function("e => e.innerText == 'The slope at 0 is 3.'", arg=said.element_handle())
    figure.get_by_role("button", name="Play").wait_for()  # at its end it stops by itself


def test_a_handle_is_dragged_by_mouse_and_moved_by_keys(index):
    page = index()
    figure = page.locator("figure[data-explore=tanh]")
    said = figure.locator(".explore-say")
    handle = figure.get_by_role("slider", name="slope at 0")
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    svg = figure.locator(".explore-stage svg").bounding_box()
    one = (svg["width"] / 640) * (640 - 78) / 8  # px of the screen for 1 on the axis
    page.mouse.move(middle[0] + 3, middle[1])
    page.mouse.down()
    page.mouse.move(middle[0] + 3 + one, middle[1] + 30, steps=5)
    page.mouse.up()
    page.mouse.move(middle[0], middle[1])
    assert said.inner_text() == "The slope at 0 is 1.5."
    assert handle.get_attribute("aria-valuetext") == "1.5"
    page.keyboard.press("ArrowLeft")  # it has the focus
    assert float(said.inner_text()[18:-1]) == pytest.approx(1.5 - 20 * 8 / (640 - 78), abs=0.01)


def test_hover_and_focus_light_a_part(index):
    page = index()
    place = "figure[data-explore=boxes]"
    page.locator(f"{place} g.box").hover()
    assert lit(page, place) == ["memory"]
    page.mouse.move(0, 0)
    assert lit(page, place) == []
    page.locator(f"{place} g.box").focus()
    assert lit(page, place) == ["memory"]


@pytest.mark.parametrize(("motion", "button", "slope"), [("reduce", "Step", 1), ("no-preference", "Play", 3)])
def test_nothing_plays_where_less_motion_is_wanted(index, motion, button, slope):
    page = index(reduced_motion=motion)
    figure = page.locator("figure[data-explore=tanh]")
    page.clock.install()
    figure.get_by_role("button", name=button).click()
    page.clock.run_for(60_000)
    assert figure.locator(".explore-say").inner_text() == f"The slope at 0 is {slope}."


def test_a_page_that_gets_narrow_is_drawn_again(index):
    page = index()
    figure = page.locator("figure[data-explore=tanh]")
    figure.get_by_role("slider", name="weight wh").fill("2")
    svg = figure.locator(".explore-stage svg")
    assert svg.get_attribute("viewBox") == "0 0 640 300"
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function("e => e.getAttribute('viewBox') == '0 0 360 300'", arg=svg.element_handle())
    assert svg.locator("path.page").count() == 1
    assert figure.locator(".explore-say").inner_text() == "The slope at 0 is 2."


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1440, 900)])
def test_labels_can_be_read_and_a_figure_fits_the_screen(index, width, height):
    page = index(viewport={"width": width, "height": height})
    small = page.evaluate("""() => [...document.querySelectorAll(":is(.explore, .picture) svg text")]
        .filter(text => text.getClientRects().length)
        .map(text => {
          const sizes = [text, ...text.children].map(e => parseFloat(getComputedStyle(e).fontSize));
          return [text.textContent, Math.max(...sizes) * text.ownerSVGElement.getScreenCTM().a];
        }).filter(([, size]) => size < 11)""")
    assert small == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for figure in page.locator("figure.explore").all():
        assert figure.bounding_box()["height"] < height
    for svg in page.locator(".explore svg:visible").all():
        assert svg.bounding_box()["width"] >= min(330, 0.7 * width)


def test_without_javascript_still_pictures_and_all_sentences_stay(index):
    page = index(java_script_enabled=False)
    assert page.locator("figure[data-explore=slider] svg:visible").count() == 1
    assert page.locator("figure[data-explore=stepper] li:visible").count() == 4
    assert page.locator("figure[data-explore=tanh] .explore-still svg").is_visible()
    assert page.locator(".explore input, .explore button").count() == 0
    assert page.get_by_text("With JavaScript this figure moves.").count() == page.locator(".explore").count()


def test_a_script_that_fails_leaves_the_still_picture(index):
    page = index()
    figure = page.locator("figure[data-explore=broken]")
    assert figure.locator(".explore-still svg").is_visible()
    assert figure.locator("button").count() == 0
    assert page.errors == ["broken on purpose"]
    assert page.title() != "broken"
    data = json.loads(figure.locator("script").inner_text())
    assert data == {"</script><script>document.title = 'broken'</script>": "<!-- <script> &amp; \u2028"}


def test_paper_shows_the_picture_its_values_and_all_sentences(index):
    page = index(color_scheme="dark")
    page.locator("figure[data-explore=slider] input").focus()
    page.keyboard.press("ArrowRight")
    page.get_by_role("button", name="one step on").click()
    page.emulate_media(media="print")
    settle(page)  # what was dim gets bright
    assert page.locator(".explore :is(button, input):visible").count() == 0
    assert page.locator("figure[data-explore=slider] svg:visible").get_attribute("aria-label") == "three"
    assert page.locator("figure[data-explore=slider] output").is_visible()
    assert page.locator("figure[data-explore=stepper] li:visible").count() == 4
    shades = "found => found.map(e => getComputedStyle(e).opacity)"
    assert page.locator("figure[data-explore=stepper] svg g").evaluate_all(shades) == ["1", "1", "1"]
    assert page.locator("figure[data-explore=tanh] label:visible").all_inner_texts() == ["weight wh", "one"]
    ink = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--explore-ink')")
    assert ink.strip() == "#1b1b1f"  # paper is white, whatever the screen was


def test_the_dark_theme_has_dark_pictures(index):
    colours = []
    for scheme in ("light", "dark"):
        page = index(color_scheme=scheme)
        plot = page.locator(".picture.plot")
        words = plot.locator("text").first.evaluate("e => getComputedStyle(e).fill")
        ground = plot.evaluate("""e => {
            const found = [];
            for (; e; e = e.parentElement) found.push(getComputedStyle(e).backgroundColor);
            return found.find(colour => colour !== "rgba(0, 0, 0, 0)");
        }""")
        colours.append([sum(map(int, text[4:-1].split(","))) for text in (words, ground)])
    (light_words, light_ground), (dark_words, dark_ground) = colours
    assert light_words < 150 < 700 < light_ground
    assert dark_ground < 150 < 600 < dark_words


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_no_accessibility_violation(index, scheme, width):
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
    )
    page = index(color_scheme=scheme, viewport={"width": width, "height": 900})
    page.locator("figure[data-explore=stepper]").get_by_role("button", name="one step on").click()
    settle(page)
    rules = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
    for place in ("figure", ".picture"):
        results = axe.Axe().run(page, context=place, options=rules)
        assert [
            (violation["id"], [node["html"][:200] for node in violation["nodes"]][:5])
            for violation in results.response["violations"]
        ] == []


def notebook(folder, outputs):
    """Write a page that shows outputs as JupyterLab does: one by one, with their scripts made anew."""
    shown = json.dumps([output._repr_html_() for output in outputs]).replace("</", "<\\/")
    (folder / "notebook.html").write_text(
        f"""<!doctype html><html lang="en"><title>Notebook</title><body><script>
        for (const output of {shown}) {{
          const area = document.createElement("div");
          area.innerHTML = output;
          for (const script of area.querySelectorAll("script")) {{
            const live = document.createElement("script");
            for (const {{ name, value }} of script.attributes) live.setAttribute(name, value);
            live.textContent = script.textContent;
            script.replaceWith(live);
          }}
          document.body.append(area);
        }}</script></body></html>""",
        encoding="utf-8",
    )
    return folder / "notebook.html"


@pytest.fixture
def static(tmp_path, monkeypatch):
    """A folder with the kit, where a test can put a chapter's script."""
    shutil.copytree(ROOT / "book" / "_static", tmp_path / "static")
    monkeypatch.setattr(explore, "STATIC", tmp_path / "static")
    return tmp_path / "static"


def test_in_a_notebook_each_output_is_alive_by_itself(visit, static):
    shutil.copy(FIXTURE / "demo.js", static)
    frames = [Figure(figsize=(4, 3)) for _ in range(2)]
    for frame in frames:
        frame.subplots().set_title("title")
    outputs = [
        Explorable("tanh", {"w": 0.5, "curve": []}, "tanh(w a)", script="demo.js"),
        Explorable("boxes", None, "Two boxes.", script="demo.js"),
        Explorable("tanh", {"w": 1.5, "curve": []}, "tanh(w a)", script="demo.js"),
        Stepper((FIXTURE / "step.svg").read_text(), [("One.", "input"), ("Two.", "sum")], alt="A plus."),
        Slider("w", ["0", "1"], frames, ["zero", "one"]),
        Plot(frames[0], "Empty axes."),
    ]
    page = visit(notebook(static, outputs))
    assert page.errors == []
    first, second = page.locator("figure[data-explore=tanh]").all()
    first.get_by_role("slider", name="weight wh").fill("1")
    second.get_by_label("two").check()
    assert first.locator(".explore-say").inner_text() == "The slope at 0 is 1."
    assert second.locator(".explore-say").inner_text() == "The slope at 0 is 2."
    assert first.get_by_label("one").is_checked()  # the choices of two figures are apart
    ids = page.locator("[id^=explore]").evaluate_all("found => found.map(e => e.id)")
    assert len(ids) == len(set(ids)) > 4
    page.locator("figure[data-explore=boxes] g.box").hover()
    assert lit(page, "figure[data-explore=boxes]") == ["memory"]
    page.get_by_role("button", name="one step on").click()
    assert lit(page, "figure[data-explore=stepper]") == ["sum"]
    page.locator("figure[data-explore=slider] input").fill("1")
    assert page.locator("figure[data-explore=slider] svg:visible").get_attribute("aria-label") == "one"
    axis = page.locator(".picture.plot path[style*='explore-ink']").first
    assert axis.evaluate("e => getComputedStyle(e).stroke") == "rgb(27, 27, 31)"


def test_the_example_for_authors_works(visit, static):
    guide = (ROOT / ".github" / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (script,) = re.findall(r"```js\n(.*?)```", guide, re.DOTALL)
    (cell,) = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    (static / "chapter.js").write_text(script, encoding="utf-8")
    *lines, last = ast.parse(cell).body  # as Jupyter does, the last expression is shown
    names = {}
    exec(compile(ast.Module(lines, []), "cell", "exec"), names)
    page = visit(notebook(static, [eval(ast.unparse(last), names)]))
    page.get_by_role("slider", name="weight w").fill("2")
    assert page.locator(".explore-say").inner_text() == "At w = 2 the slope at 0 is 2."
    assert page.locator("path.line").get_attribute("d").count("L") == 98
    assert page.errors == []
