"""Who remembers what: the figure's numbers are the model's, and it answers to mouse, finger and keys."""

import json
import re

import numpy as np
import pytest

from rnnlib.models.influence import reach
from rnnlib.training import text
from rnnlib.training.remember import SENTENCE, START, reading, remember

pytestmark = pytest.mark.slow

FIGURE = "figure.explore"


@pytest.fixture(scope="module")
def figure():
    """The figure with two models."""
    return remember(["rnn", "gru"])


@pytest.fixture(scope="module")
def page(figure, tmp_path_factory):
    """A page with nothing but the figure, as a notebook has it."""
    path = tmp_path_factory.mktemp("remember") / "page.html"
    head = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Who remembers what</title>'
        '<meta name="viewport" content="width=device-width"><body style="background: var(--explore-ground)">'
    )
    path.write_text(f"{head}<main>{figure._repr_html_()}</main>", encoding="utf-8")
    return path


def influence_of(figure, model):
    """The data's influence of one model, (T, T)."""
    rows = json.loads(figure.data)["models"][model]["influence"]
    return np.array([row + [0.0] * (len(rows) - len(row)) for row in rows])


def test_the_sentence_was_not_in_the_training():
    train, _, test, alphabet = text.parts()
    parts = ["".join(alphabet[i] for i in part).replace("\n", " ") for part in (train, test)]
    assert [SENTENCE in part for part in parts] == [False, True]
    assert 60 <= len(SENTENCE) <= 110


def test_the_data_are_what_the_model_does(figure):
    J, p, alphabet = reading("gru")
    np.testing.assert_allclose(influence_of(figure, 1), J, rtol=0.006, atol=1e-12)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    letter, probability = json.loads(figure.data)["models"][1]["guesses"][START][0]
    assert letter == alphabet[p[START].argmax()]
    assert probability == pytest.approx(p[START].max(), abs=5e-4)


def test_arrow_keys_move_along_the_sentence(visit, page, figure):
    view = visit(page)
    assert view.errors == []
    slider = view.locator(f"{FIGURE} [role=slider]")
    for _ in range(2):  # the first tab stop, before the choice of the model
        view.keyboard.press("Tab")
        if slider.evaluate("e => e == document.activeElement"):
            break
    said = view.locator(f"{FIGURE} [role=status]")
    J = influence_of(figure, 1)
    for key, t in [("ArrowRight", START + 1), ("Home", 0), ("ArrowLeft", 0), ("End", 85), ("ArrowLeft", 84)]:
        view.keyboard.press(key)
        assert slider.get_attribute("aria-valuenow") == str(t + 1)
        letter = "a quotation mark" if SENTENCE[t] == '"' else f"“{SENTENCE[t]}”"
        assert slider.get_attribute("aria-valuetext") == f"{t + 1}: {letter}"
        half, most = reach(J)[t], reach(J, 0.95)[t]
        words = ["this letter alone" if n == 1 else f"the last {n} letters" for n in (half, most)]
        assert said.inner_text().endswith(f"lies in {words[0]}, 95% in {words[1]}.")
    assert slider.evaluate("e => e == document.activeElement")


def shades(view):
    """How red each letter's ground is, from 0 to 1."""
    grounds = view.locator(f"{FIGURE} g[aria-hidden] rect").all()
    styles = [ground.get_attribute("style") for ground in grounds]
    found = [re.search(r"grad\) ([\d.]+)%", style) for style in styles]
    return np.array([float(match[1]) / 55 if match else 0 for match in found])


@pytest.mark.parametrize("width", [390, 1440])
def test_a_letter_that_is_pointed_at_shows_its_memory(visit, page, figure, width):
    view = visit(page, viewport={"width": width, "height": 844}, has_touch=width == 390)
    t = SENTENCE.index("Elizabeth") + 5
    letter = view.locator(f"{FIGURE} g[aria-hidden] text").nth(t)
    letter.tap() if width == 390 else letter.hover()
    row = influence_of(figure, 1)[t]
    with np.errstate(divide="ignore"):
        expected = np.clip(1 + np.log10(row / row.max()) / 3, 0, 1)
    np.testing.assert_allclose(shades(view), expected, atol=0.002)
    assert view.locator(f"{FIGURE} [role=slider]").get_attribute("aria-valuenow") == str(t + 1)
    sizes = view.locator(f"{FIGURE} svg[role=group]").evaluate(
        "svg => [...svg.querySelectorAll('text')].map(text => "
        "parseFloat(getComputedStyle(text).fontSize) * svg.getScreenCTM().a)"
    )
    assert min(sizes) >= 11
    overflow = view.locator(f"{FIGURE} svg[role=group]").evaluate(
        "svg => Math.max(...[...svg.querySelectorAll('text')].map(t => t.getBoundingClientRect().right))"
        " - svg.getBoundingClientRect().right"
    )
    assert overflow <= 1
    assert view.evaluate("document.documentElement.scrollWidth") <= width


def test_another_model_can_be_chosen(visit, page, figure):
    view = visit(page)
    assert view.get_by_role("radio", name="GRU").is_checked()
    before = shades(view)
    view.get_by_role("radio", name="RNN").check()
    assert view.locator(f"{FIGURE} [role=status]").inner_text().startswith("RNN’s guess after “i”: ")
    row = influence_of(figure, 0)[START]
    expected = np.clip(1 + np.log10(np.maximum(row / row.max(), 1e-9)) / 3, 0, 1)
    np.testing.assert_allclose(shades(view), expected, atol=0.002)
    assert not np.allclose(shades(view), before, atol=0.05)


def test_without_javascript_there_is_a_picture(visit, page):
    view = visit(page, java_script_enabled=False)
    picture = view.locator(f"{FIGURE} .explore-still svg")
    assert picture.is_visible()
    assert picture.get_attribute("aria-label").startswith("A sentence of 86 letters")
    assert "".join(picture.locator("text").all_text_contents()) == SENTENCE


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_accessibility_violation(visit, page, theme):
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
    )
    view = visit(page)
    view.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
    results = axe.Axe().run(view, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]})
    assert [violation["id"] for violation in results.response["violations"]] == []
