"""The built book in a browser: offline, readable, accessible. Needs ``jupyter-book build .`` first."""

import html
import re
from pathlib import Path
from urllib.parse import urlparse
from urllib.request import url2pathname

import pytest

from rnnlib.checks.verdicts import VALUES_MIME
from rnnlib.grading import notebook

ROOT = Path(__file__).parents[2]
PAGES = [
    "book/index.html",
    "book/start/setup.html",
    "book/start/labs.html",
    "book/start/notation.html",
    "book/rnn.html",
    "labs/01_rnn.html",
    "book/gradients.html",
    "book/lstm.html",
    "labs/03_lstm.html",
    "book/gru.html",
    "labs/04_gru.html",
    "book/min_gru.html",
    "book/scan.html",
    "labs/05_min_gru.html",
    "book/ssm.html",
    "book/mamba.html",
    "book/mamba_at_work.html",
    "labs/06_mamba.html",
    "book/appendix/experiments.html",
    "book/appendix/troubleshooting.html",
    "book/appendix/instructors.html",
    "book/appendix/changes.html",
    "book/appendix/bibliography.html",
]
WEIGHT = 1_500_000  # bytes that a page may load, MathJax among them, beside fonts
FONTS = {".woff", ".woff2", ".ttf"}

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


def test_the_quiz_marks_itself_and_explains(visit):
    page = visit("book/rnn.html", java_script_enabled=False)
    assert page.locator(".quiz").count() == 5
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
    exercises = page.locator(".exercise[id]").count()
    assert page.locator("details.sd-dropdown").count() == exercises + 2  # hints, and the library twice
    for hint in page.locator("details.sd-dropdown").all():
        assert not hint.locator(".sd-summary-content").is_visible()
        hint.locator("summary").click()
        assert hint.locator(".sd-summary-content").is_visible()
    for answer in page.locator(".solution.dropdown").all():
        assert not answer.locator(".section, section").first.is_visible()
        answer.locator("button.toggle-button").first.click()
        assert answer.locator(".section, section").first.is_visible()


#: Whether links of a side bar can be seen: on narrow pages it waits beside the window, or in a dialog.
SHOWN = """side => [...document.querySelectorAll(`[id^=pst-${side}-sidebar] a`)].some(link => {
    const box = link.getBoundingClientRect();
    return link.checkVisibility({visibilityProperty: true}) && box.right > 0 && box.left < innerWidth;
})"""


@pytest.mark.parametrize("width", [390, 768, 1100, 1440])
def test_both_menus_open_and_close(visit, width):
    """Narrow pages show a menu over the page; wide ones have it beside, and a button takes it away."""
    page = visit("book/rnn.html", viewport={"width": width, "height": 900})
    for side in ("primary", "secondary"):
        shown = page.evaluate(SHOWN, side)
        button = page.locator(f".{side}-toggle:visible")
        if side == "secondary" and width == 1440:
            assert (shown, button.count()) == (True, 0)  # there is room for it, always
            continue
        assert shown == (side == "primary" and width >= 992)
        for _ in range(2):
            if page.locator("dialog[open]").count():
                page.keyboard.press("Escape")
            else:
                button.click()
            page.wait_for_function(f"([side, shown]) => ({SHOWN})(side) != shown", arg=[side, shown])
            shown = not shown


def test_no_formula_is_a_tab_stop(visit):
    page = visit("book/rnn.html")
    page.wait_for_selector("mjx-container")
    assert page.locator("mjx-container[tabindex], mjx-container [tabindex]").count() == 0
    stops = page.locator("article :is(a, button, input, summary, [tabindex='0'])").count()
    page.locator("article").evaluate("a => { a.tabIndex = -1; a.focus(); }")
    inside = "() => document.activeElement.closest('.math') === null"
    for _ in range(min(stops, 40)):
        page.keyboard.press("Tab")
        assert page.evaluate(inside)


def test_each_tab_stop_shows_a_ring(visit):
    page = visit("book/index.html")
    ring = """() => [document.activeElement, ...document.activeElement.children].some(
        e => getComputedStyle(e).outlineStyle === "solid" && e.getBoundingClientRect().height > 0)"""
    stops = 0
    while True:
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break
        assert page.evaluate(ring), page.evaluate("document.activeElement.outerHTML")
        stops += 1
    assert 20 < stops < 40 + 2 * len(PAGES)  # each page stands in the list on the left


def test_formulas_can_be_read_aloud(visit):
    page = visit("book/rnn.html")
    page.wait_for_selector("mjx-container")
    formulas = page.locator("mjx-container").count()
    assert page.locator("mjx-container mjx-assistive-mml math").count() == formulas


@pytest.mark.parametrize("path", PAGES)
def test_without_javascript_formulas_are_readable(visit, path):
    page = visit(path, java_script_enabled=False)
    assert page.locator(".math .tex:visible").count() == 0
    for formula in page.locator(".math:not(.explore-equation)").all():
        assert formula.locator("math").count() == 1, formula.text_content()
        if formula.is_visible():
            assert formula.locator("math").bounding_box()["height"] > 0


def test_a_chapter_has_a_number_and_leads_to_its_lab(visit):
    page = visit("book/rnn.html")
    assert page.locator("h1:visible").inner_text().startswith("1. ")
    page.locator("a.right-next").click()
    page.wait_for_url("**/labs/01_rnn.html")
    chapter = page.locator("#pst-primary-sidebar li.toctree-l1:has(a[href='../book/rnn.html'])")
    assert chapter.locator("li.toctree-l2 a.current:visible").count() == 1
    page.locator("a.left-prev").click()
    page.wait_for_url("**/book/rnn.html")


def test_search_finds_sections_and_marks_the_words(visit):
    """From a file, by keyboard: no page may be read from another, and none need be."""
    page = visit("labs/01_rnn.html")
    page.keyboard.press("Control+k")
    page.keyboard.type("forged output")
    page.keyboard.press("Enter")
    page.wait_for_selector("#search-results li")
    found = page.locator("#search-results li").first
    assert "What a grade guarantees, and what not" in found.inner_text()
    assert {"forged", "outputs"} <= set(found.locator("mark").all_inner_texts())
    found.locator("a").click()
    page.wait_for_selector("article span.highlighted")
    assert page.url.endswith("book/appendix/instructors.html#what-a-grade-guarantees-and-what-not")
    section = page.locator("#what-a-grade-guarantees-and-what-not")
    assert section.locator("span.highlighted", has_text="forged").is_visible()
    assert 0 <= section.locator("h2").bounding_box()["y"] < 450
    assert page.errors == []


@pytest.mark.parametrize("query", ["zebrafish", "<img src=x>"])
def test_search_for_what_is_not_there(visit, query):
    page = visit("search.html")
    page.locator(".bd-search-container input").fill(query)
    page.keyboard.press("Enter")
    page.wait_for_selector("#search-results [role=status]")
    assert page.locator("#search-results [role=status]").inner_text() == f"No section has {query}"
    assert page.locator("#search-results").locator("li, img").count() == 0


def test_folded_code_names_its_figure(visit):
    page = visit("book/rnn.html")
    names = [
        folded.evaluate(
            """d => [d.querySelector("p").textContent,
                     d.closest(".cell").querySelector("figcaption .caption-number")?.textContent.trim()]"""
        )
        for folded in page.locator("details.hide").all()
    ]
    assert all(name == (f"Code of {figure}" if figure else "Code") for name, figure in names), names
    assert any(re.fullmatch(r"Code of Figure 1\.\d+", name) for name, _ in names)


def test_paper_shows_what_a_click_would(visit):
    page = visit("book/rnn.html")
    page.wait_for_selector("mjx-container")
    page.emulate_media(media="print")
    order = """() => [...document.querySelectorAll("article :is(h2, .solution, .quiz)")]
        .map(e => e.className || e.innerText)"""
    before = page.evaluate(order)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    hints, solutions = page.locator("details.sd-dropdown .sd-summary-content"), page.locator(".solution")
    assert 0 < hints.count() == page.locator("details.sd-dropdown .sd-summary-content:visible").count()
    answers = page.locator(".print-answers")
    assert 0 < solutions.count() == answers.locator(".solution").count()
    assert all(solution.locator("p").nth(1).is_visible() for solution in solutions.all())
    assert answers.locator("p", has_text="Quiz, question").count() == page.locator(".quiz").count() > 0
    assert page.evaluate("document.querySelector('article').lastElementChild.className") == "print-answers"
    assert page.locator("article button:visible, details.hide:visible").count() == 0
    for code in page.locator("article pre:visible").all():
        assert code.evaluate("pre => pre.innerText.trim().length") > 0
        assert code.evaluate("pre => getComputedStyle(pre).whiteSpace") == "pre-wrap"
    # A long listing goes on over the page: kept whole, it would leave its card empty on the page before.
    breaks = page.locator("details .literal-block-wrapper pre").first.evaluate(
        "e => [...(function* () { for (; e; e = e.parentElement) yield getComputedStyle(e).breakInside; })()]"
    )
    assert set(breaks) == {"auto"}
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(order) == before
    assert answers.count() == 0
    assert page.locator("details.sd-dropdown[open]").count() == 0


def test_a_quiz_without_a_right_answer_is_printed(visit):
    page = visit("book/rnn.html")
    page.evaluate("document.querySelector('.quiz-answer.right').classList.remove('right')")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    answers = page.locator(".print-answers p", has_text="Quiz, question")
    assert answers.count() == page.locator(".quiz").count() - 1
    assert page.errors == []


#: Numbers in an article's running text and tables with a hyphen, or an exponent, as a program prints them.
AS_PROGRAMS_PRINT = r"""article => {
    const walk = document.createTreeWalker(article, NodeFilter.SHOW_TEXT), found = [];
    for (let text = walk.nextNode(); text; text = walk.nextNode()) {
        const aside = text.parentElement.closest("pre, code, script, style, svg, noscript, .math");
        if (!aside && /(^|[\s(])-\d|\de[+-]\d/.test(text.data)) found.push(text.data);
    }
    return found;
}"""


@pytest.mark.parametrize("path", PAGES)
def test_a_negative_number_has_a_minus_sign(visit, path):
    page = visit(path)
    assert page.locator("article").first.evaluate(AS_PROGRAMS_PRINT) == []
    if path == "book/rnn.html":
        texts = page.locator(".pasted-text, article td").all_inner_texts()
        assert any(re.fullmatch(r"\s*−\d[\d.]*\s*", text) for text in texts)


def test_code_on_a_phone_has_small_letters(visit):
    sizes = {}
    for width in (390, 768):
        page = visit("book/rnn.html", viewport={"width": width, "height": 844})
        code = page.locator("article div.highlight pre:visible").first
        sizes[width] = code.evaluate("pre => parseFloat(getComputedStyle(pre).fontSize)")
    assert 11 <= sizes[390] < sizes[768]


def test_headings_grow_lighter_and_formulas_stand_in_the_middle(visit):
    page = visit("book/rnn.html")
    page.wait_for_selector("mjx-container")
    styles = [
        page.locator(f"article {tag}").first.evaluate(
            "h => [parseFloat(getComputedStyle(h).fontSize), +getComputedStyle(h).fontWeight]"
        )
        for tag in ("h1:visible", "h2", "h3")
    ]
    sizes, weights = zip(*styles, strict=True)
    assert sizes[0] > sizes[1] > sizes[2]
    assert weights[0] >= weights[1] > weights[2]
    gaps = page.evaluate(
        """[...document.querySelectorAll("p + div.math:has(+ p)")].map(div => {
            const formula = div.querySelector("mjx-container").getBoundingClientRect();
            const before = div.previousElementSibling.getBoundingClientRect();
            const after = div.nextElementSibling.getBoundingClientRect();
            const math = div.querySelector("mjx-math").getBoundingClientRect();
            const aside = (math.left + math.right) / 2 - (before.left + before.right) / 2;
            return [formula.top - before.bottom, after.top - formula.bottom, aside];
        })"""
    )
    assert len(gaps) > 3
    for above, below, aside in gaps:
        assert abs(above - below) < 3
        assert above < 30
        assert abs(aside) < 40  # a number stands on the right


def test_numbers_of_lines_keep_away_from_the_code(visit):
    page = visit("book/rnn.html")
    numbers = page.locator("span.linenos")
    wide = [number for number in numbers.all() if len(number.text_content().strip()) == 3]
    assert wide
    for number in (wide[0], wide[-1]):
        padding, size = number.evaluate(
            "n => [getComputedStyle(n).paddingRight, getComputedStyle(n).fontSize].map(parseFloat)"
        )
        assert padding >= 0.8 * size


def test_a_table_that_is_cut_off_shows_that_it_scrolls(visit):
    page = visit("book/appendix/instructors.html", viewport={"width": 390, "height": 844})
    tables = [box for box in page.locator(".text_html:has(table), .pst-scrollable-table-container").all()]
    wide = [box for box in tables if box.evaluate("b => b.scrollWidth > b.clientWidth + 1")]
    assert wide
    for box in wide:
        box.scroll_into_view_if_needed()
        box.evaluate("b => { b.scrollLeft = 50; }")
        assert box.evaluate("b => b.scrollLeft") > 0
        assert "scroll" in box.evaluate("b => getComputedStyle(b).backgroundAttachment")
        cells = box.locator("th, td").evaluate_all(
            "cells => cells.map(c => getComputedStyle(c).backgroundColor)"
        )
        assert set(cells) == {"rgba(0, 0, 0, 0)"}  # opaque cells would hide the shadow


def test_each_reference_has_a_link_and_room(visit):
    page = visit("book/appendix/bibliography.html")
    entries = page.locator("div.citation")
    assert entries.count() > 5
    references = (ROOT / "book" / "references.bib").read_text(encoding="utf-8").split("\n@")
    without_address = [r for r in references if not re.search(r"^\s*(doi|eprint|url) = ", r, re.MULTILINE)]
    links = [entry.locator("a.external") for entry in entries.all()]
    assert sum(link.count() == 0 for link in links) <= len(without_address)
    for link in links:
        if link.count():
            target = link.first.get_attribute("href")
            assert target.startswith("https://")
    gaps = entries.evaluate_all(
        "all => all.slice(1).map((e, i) => e.querySelector('p').getBoundingClientRect().top"
        " - all[i].querySelector('p').getBoundingClientRect().bottom)"
    )
    assert min(gaps) >= 10


def test_the_front_page_has_its_title_once(visit):
    page = visit("book/index.html")
    assert page.title().count("Recurrent networks by hand") == 1
    assert page.locator("#pst-primary-sidebar a", has_text="Recurrent networks by hand").count() == 1


def test_a_page_has_an_icon(visit):
    page = visit("book/index.html")
    page.goto(page.locator("link[rel*=icon]").evaluate("link => link.href"))
    assert page.locator("svg").bounding_box()["width"] > 0


@pytest.mark.parametrize("width", [360, 1280])
def test_a_lab_can_be_downloaded(visit, width):
    page = visit("labs/01_rnn.html", viewport={"width": width, "height": 800})
    button, link = page.locator("button.dropdown-toggle"), page.locator("a[href$='.ipynb']")

    def shown():
        page.mouse.move(5, 700)  # the theme opens the menu below the mouse, too
        assert button.get_attribute("aria-expanded") == str(link.is_visible()).lower()
        return link.is_visible()

    assert not shown()
    button.click()
    assert shown()
    box = link.bounding_box()
    assert box["height"] > 20
    assert 0 <= box["x"] < box["x"] + box["width"] <= width
    page.mouse.click(5, 700)
    assert not shown()
    button.press("Enter")
    assert shown()
    link.focus()
    page.keyboard.press("Escape")
    assert not shown()
    assert button.evaluate("b => b === document.activeElement")
    button.press("Enter")
    page.locator("article p a").first.focus()
    assert not shown()


def test_each_button_of_the_head_has_a_name_on_hover(visit):
    page = visit("labs/01_rnn.html")
    buttons = page.locator("[data-bs-toggle=tooltip]:visible")
    assert buttons.count() > 2
    assert all(button.get_attribute("title") for button in buttons.all())


def test_the_theme_changes_at_a_click(visit):
    page = visit("book/rnn.html", color_scheme="light")
    grounds = []
    for _ in range(3):
        page.locator(".theme-switch-button:visible").first.click()
        grounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert len(set(grounds)) == 2  # dark, light, as the system has it


def test_every_button_has_a_picture(visit):
    page = visit("book/rnn.html")
    for icon in page.locator(":is(i, span):is(.fa-solid, .fas):visible").all():
        mask, width = icon.evaluate(
            "i => [getComputedStyle(i, '::before').maskImage, i.getBoundingClientRect().width]"
        )
        assert mask.startswith('url("data:image/svg'), icon.evaluate("i => i.outerHTML")
        assert width > 5


@pytest.mark.parametrize("path", [*PAGES, "search.html"])
def test_a_page_is_light(visit, path):
    page = visit(path)
    formulas = page.locator(".math").count()
    page.wait_for_function("n => document.querySelectorAll('mjx-container').length >= n", arg=formulas)
    files = {Path(url2pathname(urlparse(url).path)) for url in page.loaded if url.startswith("file:")}
    assert any(file.name == "course.css" for file in files)
    assert not formulas or any(file.name == "chtml.js" for file in files)
    sizes = sorted((file.stat().st_size, file.name) for file in files if file.suffix not in FONTS)
    assert sum(size for size, _ in sizes) <= WEIGHT, sizes[-8:]


@pytest.mark.parametrize("width", [360, 390, 768, 1440])
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
    page.evaluate("window.MathJax?.startup?.promise")  # formulas are set
    results = axe.Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]})
    violations = [
        (violation["id"], [node["html"][:200] for node in violation["nodes"]][:5])
        for violation in results.response["violations"]
    ]
    assert violations == []


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
