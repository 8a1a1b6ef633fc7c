"""The figures of the chapter on the recurrent network, in the built book (``jupyter-book build .``)."""

import re

import numpy as np
import pytest

PAGE = "book/rnn.html"
NARROW = {"width": 390, "height": 844}

pytestmark = pytest.mark.slow


def test_the_window_says_what_it_could_not_see(visit):
    page = visit(PAGE)
    figure = page.locator('figure.explore[data-explore="recall"]')
    said = figure.locator(".explore-say")
    outcomes = set()
    for question in range(1, 25):
        shown = figure.locator("svg .box text").all_text_contents()
        signals = [sign for sign in shown if sign in ("+", "−")]  # what the window of five shows
        guess = signals[-1] if signals else "+"
        figure.get_by_role("button", name=f"it was {guess}").click()
        told = said.inner_text()
        outcomes.add(told.split(":")[0] if not signals else "seen")
        assert f"of {question} right" in told
        assert ("It was in your window" in told) == bool(signals)
        if signals:
            assert told.startswith("Right")
        figure.get_by_role("button", name="next").click()
    assert outcomes == {"seen", "Right", "Wrong"}


@pytest.mark.parametrize("viewport", [NARROW, {"width": 1440, "height": 900}])
def test_a_wider_window_shows_more(visit, viewport):
    page = visit(PAGE, viewport=viewport)
    figure = page.locator('figure.explore[data-explore="recall"]')
    seen = figure.locator("svg .box text")
    assert seen.count() == 5
    figure.locator("input[type=range]").focus()
    page.keyboard.press("End")
    assert seen.count() == 20


@pytest.mark.parametrize(("w", "h_0"), [(0.5, 0.9), (1.0, -0.3), (2.0, 1e-4), (2.0, 0.9), (3.0, 1.0)])
def test_the_river_computes_what_numpy_computes(visit, w, h_0):
    computed = visit(PAGE).evaluate("([w, h]) => rnnChapter.river(w, h, 40)", [w, h_0])
    h, reach = [h_0], [1.0]
    for _ in range(40):
        h.append(np.tanh(w * h[-1]))
        reach.append(reach[-1] * w * (1 - h[-1] ** 2))
    np.testing.assert_allclose(computed["h"], h, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(computed["reach"], reach, rtol=1e-6)


def test_the_river_answers_to_sliders_and_buttons(visit):
    page = visit(PAGE)
    figure = page.locator('figure.explore[data-explore="river"]')
    said = figure.locator(".explore-say")
    gradient = figure.locator("path.line.grad")
    figure.get_by_role("button", name="exploding").click()
    assert "grows to 3880 at step 13" in said.inner_text()
    before = gradient.get_attribute("d")
    clip = figure.get_by_role("button", name="clip at 1")
    clip.click()
    assert clip.get_attribute("aria-pressed") == "true"
    assert "cut to 1" in said.inner_text()
    weight_1_1 = figure.get_by_role("slider", name="recurrent weight")
    weight_1_1.fill("1.1")
    assert "after 40 steps 1 is left" in said.inner_text()  # 45.3 without the cut
    assert gradient.get_attribute("d") != before
    weight = figure.get_by_role("slider", name="recurrent weight")
    weight.focus()
    page.keyboard.press("Home")
    assert figure.locator("output").first.inner_text() == "0.1"
    assert "never grows" in said.inner_text()


@pytest.mark.parametrize("viewport", [NARROW, {"width": 1440, "height": 900}])
@pytest.mark.parametrize("name", ["recall", "river"])
def test_figure_and_controls_fit_on_one_screen(visit, name, viewport):
    box = visit(PAGE, viewport=viewport).locator(f'figure.explore[data-explore="{name}"]').bounding_box()
    assert box["height"] <= viewport["height"]
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= viewport["width"]


def test_by_hand_forward_and_backward(visit):
    page = visit(PAGE)
    forward, back = page.locator('figure.explore[data-explore="stepper"]').all()
    sentence = ".explore-steps li.now"
    on = forward.get_by_role("button", name="one step on")
    told = []
    for _ in range(6):
        on.click()
        told.append(forward.locator(sentence).inner_text())
        lit = forward.locator("svg .lit").count()
        assert lit > 0
        assert forward.locator(".explore-code .lit").count() == 1
    states = [float(re.search(r"= (−?[\d.]+)\. ", text)[1].replace("−", "-")) for text in told[1::2]]
    h, expected = 0.0, []
    for x in (1, 0, -1):
        h = np.tanh(x + 2 * h)
        expected.append(h)
    np.testing.assert_allclose(states, expected, atol=5e-4)
    back.get_by_role("slider").focus()
    page.keyboard.press("End")
    assert "−0.761" in back.locator(sentence).inner_text()


def test_questions_exercises_and_pictures_are_there(visit):
    page = visit(PAGE)
    assert page.locator(".quiz").count() >= 5
    exercises = page.locator(".admonition.exercise, div.exercise")
    assert exercises.count() >= 8
    marks = " ".join(exercises.all_inner_texts())
    assert all(mark in marks for mark in ("●○○", "●●○", "●●●"))
    pictures = page.locator("div.picture svg").all()
    assert len(pictures) >= 10
    for picture in pictures:
        assert len(picture.get_attribute("aria-label")) > 40
