"""The front page in a browser: its network steps as NumPy's does. Needs ``jupyter-book build .`` first."""

import json
import re

import numpy as np
import pytest

from rnnlib import checks
from rnnlib.checks.exercise import WrongAnswer

pytestmark = pytest.mark.slow

PAGE = "book/index.html"
KEYS = {-1: "ArrowLeft", 1: "ArrowRight"}


@pytest.fixture
def page(visit):
    """The front page where nothing moves by itself: each press is one tick."""
    return visit(PAGE, reduced_motion="reduce")


def figure_data(page):
    return json.loads(page.locator("figure.explore script").text_content())


def press(page, x):
    """One tick with this input."""
    if x:
        page.keyboard.press(KEYS[x])
    else:
        page.get_by_role("button", name="Step").click()


def said(page):
    """What the window and the network say."""
    return [page.locator(f"figure.explore .says.{name}").text_content() for name in ("quiet", "state")]


def drawn_state(page):
    """(h1, h2) by the place of the point in the square."""
    square = page.locator("figure.explore clipPath#front-square rect")
    left, top, side = (float(square.get_attribute(name)) for name in ("x", "y", "width"))
    point = page.locator("figure.explore .point")
    x, y = (float(point.get_attribute(name)) for name in ("cx", "cy"))
    return np.array([2 * (x - left) / side - 1, 1 - 2 * (y - top) / side])


def next_state(data, h, x):
    return np.tanh(x * np.array(data["W_x"]) + h @ np.array(data["W_h"]) + np.array(data["b"]))


def test_the_page_steps_as_numpy_does(page):
    data = figure_data(page)
    h = np.zeros(2)
    for x in data["run"]:
        h = next_state(data, h, x)
    np.testing.assert_allclose(drawn_state(page), h, atol=1e-6)
    for x in [-1, 0, 0, 1, 1, 0, -1, 1, -1, 0, 0, 0]:
        press(page, x)
        h = next_state(data, h, x)
        np.testing.assert_allclose(drawn_state(page), h, atol=1e-6)


@pytest.mark.parametrize("x", [-1, 1])
def test_the_window_forgets_and_the_network_does_not(page, x):
    sign = {-1: "−1", 1: "+1"}[x]
    press(page, -x)
    press(page, x)
    for _ in range(4):
        press(page, 0)
        assert said(page) == [sign, sign]
    press(page, 0)
    assert said(page) == ["?", sign]
    assert "forgotten" in page.get_by_role("status").inner_text()
    step = page.get_by_role("button", name="Step")
    step.evaluate("button => { for (let i = 5; i < 200; i++) button.click(); }")
    assert "200 ticks" in page.locator("figure.explore .count").text_content()
    assert said(page) == ["?", sign]


def test_the_buttons_send_and_the_keys_work_on_them(page):
    page.get_by_role("button", name="send −1").click()
    assert said(page) == ["−1", "−1"]
    page.keyboard.press("ArrowRight")
    assert said(page) == ["+1", "+1"]
    page.get_by_role("button", name="send −1").press("Enter")
    assert said(page) == ["−1", "−1"]


def test_keys_pressed_elsewhere_send_nothing(page):
    page.get_by_role("link", name="Begin").focus()
    page.keyboard.press("ArrowLeft")
    assert said(page) == ["?", "+1"]


def test_time_goes_by_itself_until_it_is_paused(visit):
    page = visit(PAGE)
    count = page.locator("figure.explore .count")
    first = count.text_content()
    page.wait_for_function(
        "first => document.querySelector('figure.explore .count').textContent !== first", arg=first
    )
    page.get_by_role("button", name="Pause").click()
    paused = count.text_content()
    page.wait_for_timeout(2000)
    assert count.text_content() == paused
    page.keyboard.press("ArrowLeft")
    assert said(page) == ["−1", "−1"]


def test_where_less_motion_is_wanted_nothing_moves(page):
    before = page.locator("figure.explore .count").text_content()
    page.wait_for_timeout(2000)
    assert page.locator("figure.explore .count").text_content() == before


def test_the_first_screen_holds_the_figure_and_the_way_on(visit):
    page = visit(PAGE, viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    for part in (page.locator("figure.explore svg:visible"), page.get_by_role("link", name="Begin")):
        box = part.bounding_box()
        assert box["y"] > 0
        assert box["y"] + box["height"] <= 900


def test_a_phone_shows_the_figure_with_its_buttons_and_letters_to_read(visit):
    page = visit(PAGE, viewport={"width": 390, "height": 844}, reduced_motion="reduce")
    assert page.get_by_role("button", name="send −1").bounding_box()["y"] + 40 < 844
    sizes = page.locator(":is(.explore-stage, .picture) > svg text").evaluate_all(
        "texts => texts.map(t => parseFloat(getComputedStyle(t).fontSize) * t.getScreenCTM().a)"
    )
    assert min(sizes) >= 11


def test_the_state_survives_a_turn_of_the_phone(visit):
    page = visit(PAGE, viewport={"width": 390, "height": 844}, reduced_motion="reduce")
    page.keyboard.press("ArrowLeft")
    before = drawn_state(page)
    page.set_viewport_size({"width": 844, "height": 390})
    page.wait_for_function("document.querySelector('.explore-stage > svg').viewBox.baseVal.width > 600")
    np.testing.assert_allclose(drawn_state(page), before, atol=1e-9)
    assert said(page) == ["−1", "−1"]


def test_without_javascript_one_run_is_drawn(visit):
    page = visit(PAGE, java_script_enabled=False)
    assert page.locator("figure.explore .explore-still svg").is_visible()
    assert page.locator("figure.explore button").count() == 0


def test_begin_leads_to_the_first_chapter(page):
    page.get_by_role("link", name="Begin").click()
    page.wait_for_url(re.compile(r"/book/rnn\.html"))


def test_the_page_shows_what_the_check_says(page):
    def rnn_step(x, h_prev, W_x, W_h, b):
        return np.tanh(x @ W_x) + h_prev @ W_h + b

    with pytest.raises(WrongAnswer) as wrong:
        checks.rnn_step(rnn_step, seed=0)
    assert " ".join(page.locator(".traceback").inner_text().split()) == f"✗ {wrong.value}"
