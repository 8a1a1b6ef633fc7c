"""Who remembers what: the figure's numbers are the model's, and it answers to mouse, finger and keys."""

import json
import re

import numpy as np
import pytest

from rnnlib.models.influence import reach
from rnnlib.training import text
from rnnlib.training.remember import SENTENCE, START, UNITS, reading, remember

pytestmark = pytest.mark.slow

FIGURE = "figure.explore"
PAGE = "page.html"
ROUNDING = len(SENTENCE) / 2 / UNITS  # no share of a row's sum is off by more


@pytest.fixture(scope="module")
def figure():
    """The figure with two models."""
    return remember(["rnn", "gru"])


@pytest.fixture(scope="module")
def book(figure, tmp_path_factory):
    """A folder with one page, and on it nothing but the figure, as a notebook has it."""
    folder = tmp_path_factory.mktemp("remember")
    head = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Who remembers what</title>'
        '<meta name="viewport" content="width=device-width"><body style="background: var(--explore-ground)">'
    )
    (folder / PAGE).write_text(f"{head}<main>{figure._repr_html_()}</main>", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def influences():
    """What the figure's two models say of themselves, not rounded: name -> (T, T)."""
    return {"RNN": reading("rnn")[0], "GRU": reading("gru")[0]}


def test_the_sentence_was_not_in_the_training():
    train, _, test, alphabet = text.parts()
    parts = ["".join(alphabet[i] for i in part).replace("\n", " ") for part in (train, test)]
    assert [SENTENCE in part for part in parts] == [False, True]
    assert 60 <= len(SENTENCE) <= 110


def test_the_data_are_what_the_model_does(figure):
    J, p, alphabet = reading("gru")
    model = json.loads(figure.data)["models"][1]
    for t, row in enumerate(model["influence"]):
        np.testing.assert_allclose(row, UNITS * J[t, : t + 1] / J[t].max(), rtol=0, atol=0.5001)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    letter, probability = model["guesses"][START][0]
    assert letter == alphabet[p[START].argmax()]
    assert probability == pytest.approx(p[START].max(), abs=5e-4)


def test_the_data_are_light(figure):
    assert len(figure.data) < 32_000  # of two models


def the_last(said, share):
    """How many letters hold this share of the influence, as the sentence says it."""
    letters = re.search(rf"{share} in (this letter alone|the last (\d+) letters)", said)
    return int(letters[2] or 1)


def test_arrow_keys_move_along_the_sentence(visit, influences):
    view = visit(PAGE)
    assert view.errors == []
    slider = view.locator(f"{FIGURE} [role=slider]")
    for _ in range(2):  # the first tab stop, before the choice of the model
        view.keyboard.press("Tab")
        if slider.evaluate("e => e == document.activeElement"):
            break
    J = influences["GRU"]
    for key, t in [("ArrowRight", START + 1), ("Home", 0), ("ArrowLeft", 0), ("End", 85), ("ArrowLeft", 84)]:
        view.keyboard.press(key)
        assert slider.get_attribute("aria-valuenow") == str(t + 1)
        letter = "a quotation mark" if SENTENCE[t] == '"' else f"“{SENTENCE[t]}”"
        assert slider.get_attribute("aria-valuetext") == f"{t + 1}: {letter}"
        said = view.locator(f"{FIGURE} [role=status]").inner_text()
        for words, share in (("Half of the influence lies", 0.5), ("90%", 0.9)):
            fewest, most = (reach(J, share + error)[t] for error in (-ROUNDING, ROUNDING))
            assert fewest <= the_last(said, words) <= most
        percents = re.findall(r"\(([\d.]+)%\)", said.partition("What counts most: ")[2])
        assert len(percents) == (3 if t > 1 else 0)
        shares = -np.sort(-J[t] / J[t].sum())[: len(percents)]
        np.testing.assert_allclose(np.array(percents, float) / 100, shares, rtol=0, atol=0.005 + ROUNDING)
    assert slider.evaluate("e => e == document.activeElement")


def assert_shades(view, row):
    """Each letter's ground is as red as its influence says, with what rounding allows."""
    relative = row / row.max() + np.array([[-0.5], [0.5]]) / UNITS
    palest, reddest = np.clip(1 + np.log10(np.clip(relative, 1e-9, 1)) / 3, 0, 1)
    shown = shades(view)
    assert (palest - 1e-3 <= shown).all()  # a tenth of a percent of red is rounded, too
    assert (shown <= reddest + 1e-3).all()
    assert shown.max() == 1


def shades(view):
    """How red each letter's ground is, from 0 to 1."""
    grounds = view.locator(f"{FIGURE} g[aria-hidden] rect").all()
    styles = [ground.get_attribute("style") for ground in grounds]
    found = [re.search(r"grad\) ([\d.]+)%", style) for style in styles]
    return np.array([float(match[1]) / 55 if match else 0 for match in found])


@pytest.mark.parametrize("width", [390, 1440])
def test_a_letter_that_is_pointed_at_shows_its_memory(visit, influences, width):
    view = visit(PAGE, viewport={"width": width, "height": 844}, has_touch=width == 390)
    t = SENTENCE.index("Elizabeth") + 5
    letter = view.locator(f"{FIGURE} g[aria-hidden] text").nth(t)
    letter.tap() if width == 390 else letter.hover()
    assert_shades(view, influences["GRU"][t])
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


def test_another_model_can_be_chosen(visit, influences):
    view = visit(PAGE)
    assert view.get_by_role("radio", name="GRU").is_checked()
    before = shades(view)
    view.get_by_role("radio", name="RNN").check()
    assert view.locator(f"{FIGURE} [role=status]").inner_text().startswith("RNN’s guess after “i”: ")
    assert_shades(view, influences["RNN"][START])
    assert not np.allclose(shades(view), before, atol=0.05)


def test_without_javascript_there_is_a_picture(visit):
    view = visit(PAGE, java_script_enabled=False)
    picture = view.locator(f"{FIGURE} .explore-still svg")
    assert picture.is_visible()
    assert picture.get_attribute("aria-label").startswith("A sentence of 86 letters")
    assert "".join(picture.locator("text").all_text_contents()) == SENTENCE


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_accessibility_violation(visit, theme):
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
    )
    view = visit(PAGE)
    view.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
    results = axe.Axe().run(view, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]})
    assert [violation["id"] for violation in results.response["violations"]] == []
