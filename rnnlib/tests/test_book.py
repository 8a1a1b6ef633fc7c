"""The built book in a browser: offline, readable, accessible. Needs ``jupyter-book build .`` first."""

import html
import re
from pathlib import Path

import pytest

from rnnlib import checks
from rnnlib.checks.exercise import VALUES_MIME
from rnnlib.grading import notebook

ROOT = Path(__file__).parents[2]
PAGES = [
    "book/index.html",
    "book/rnn.html",
    "labs/01_rnn.html",
    "book/appendix/instructors.html",
    "book/appendix/changes.html",
    "book/appendix/bibliography.html",
]

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_whole_without_a_network(visit, path):
    page = visit(path)
    assert page.errors == []
    assert page.locator("h1:visible").count() == 1
    for image in page.locator("img").all():
        assert image.get_attribute("alt"), image.get_attribute("src")
        if image.get_attribute("hidden") is None:
            assert image.evaluate("i => i.naturalWidth") > 0
    formulas = page.locator(".math").count()
    page.wait_for_function("n => document.querySelectorAll('mjx-container').length >= n", arg=formulas)
    assert page.locator("mjx-merror").count() == 0


def test_formulas_use_mathjax_own_fonts(visit):
    page = visit("book/rnn.html")
    page.wait_for_selector("mjx-container")
    page.evaluate("document.fonts.ready")
    loaded = page.evaluate("[...document.fonts].filter(f => f.status == 'loaded').map(f => f.family)")
    assert any("MJX" in family for family in loaded)


def test_the_slider_answers_to_mouse_and_keyboard(visit):
    page = visit("book/rnn.html")
    figure = page.locator("figure.explore")
    slider = figure.locator("input[type=range]")
    shown = figure.locator("img:visible")
    assert shown.count() == 1
    first = shown.get_attribute("alt")
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert figure.locator("output").inner_text() == slider.get_attribute("aria-valuetext") == "0.6"
    assert shown.count() == 1
    assert shown.get_attribute("alt").startswith("Recurrent weight 0.6")
    assert shown.get_attribute("alt") != first
    box = slider.bounding_box()
    page.mouse.click(box["x"] + box["width"] - 4, box["y"] + box["height"] / 2)
    assert shown.get_attribute("alt").startswith("Recurrent weight 2:")
    page.keyboard.press("Home")
    assert shown.get_attribute("alt").startswith("Recurrent weight 0.1:")


def test_without_javascript_the_first_frame_stays(visit):
    page = visit("book/rnn.html", java_script_enabled=False)
    assert page.locator("figure.explore img:visible").count() == 1


def test_the_quiz_marks_itself_and_explains(visit):
    page = visit("book/rnn.html", java_script_enabled=False)
    assert page.locator(".quiz").count() == 3
    for quiz in page.locator(".quiz").all():
        answers = quiz.locator(".quiz-answer")
        assert quiz.locator(".quiz-answer:visible").count() == 0
        assert quiz.locator(".quiz-answer.right").count() == 1
        for number, choice in enumerate(quiz.locator("input").all()):
            choice.check()
            assert quiz.locator(".quiz-answer:visible").count() == 1
            assert answers.nth(number).is_visible()
            assert len(answers.nth(number).inner_text()) > 40


def test_hints_and_answers_are_folded(visit):
    page = visit("book/rnn.html")
    assert page.locator("details.sd-dropdown").count() == 4
    for hint in page.locator("details.sd-dropdown").all():
        assert not hint.locator(".sd-summary-content").is_visible()
        hint.locator("summary").click()
        assert hint.locator(".sd-summary-content").is_visible()
    for answer in page.locator(".solution.dropdown").all():
        assert not answer.locator(".section, section").first.is_visible()
        answer.locator("button.toggle-button").first.click()
        assert answer.locator(".section, section").first.is_visible()


@pytest.mark.parametrize("width", [390, 768, 1280])
@pytest.mark.parametrize("path", PAGES)
def test_no_page_scrolls_sideways(visit, path, width):
    page = visit(path, viewport={"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_no_accessibility_violation(visit, path, scheme):
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
    )
    page = visit(path, color_scheme=scheme)
    page.wait_for_timeout(500)
    results = axe.Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]})
    violations = [
        (violation["id"], [node["html"][:200] for node in violation["nodes"]][:5])
        for violation in results.response["violations"]
    ]
    assert violations == []


def test_each_check_points_to_an_equation_of_the_book(book):
    for name in checks.__all__:
        label, number = getattr(checks, name).equation
        page = (book / "book" / f"{label.split('-')[0]}.html").read_text(encoding="utf-8")
        assert re.search(rf'class="eqno">\({number}\)<a [^>]*href="#equation-{label}"', page)


def test_no_page_holds_a_solution_of_a_lab(book):
    blocks = [
        notebook.BLOCK.search(cell.source)[2]
        for path in (ROOT / "labs_solutions").glob("*.ipynb")
        for cell in notebook.read(path).cells
        if notebook.role(cell) == "answer"
    ]
    assert blocks
    labs = [*(book / "labs").rglob("*"), *(book / "_sources" / "labs").rglob("*")]
    assert labs
    for path in labs:
        text = re.sub(r"<[^>]+>", "", html.unescape(path.read_text(encoding="utf-8")))
        for hidden in (VALUES_MIME, notebook.BEGIN, "✓ Exercise", *blocks):
            assert "".join(hidden.split()) not in "".join(text.split()), path
    for path in [*book.rglob("*.html"), *book.rglob("*.ipynb"), *book.rglob("*.js")]:
        assert VALUES_MIME not in path.read_text(encoding="utf-8", errors="replace")


def test_no_page_names_another_host_to_load_from(book):
    for path in PAGES:
        page = (book / path).read_text(encoding="utf-8")
        loads = re.findall(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=\"(?:https?:)?//[^\"]+\"", page)
        assert loads == []
