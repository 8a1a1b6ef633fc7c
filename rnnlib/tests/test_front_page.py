"""The front page in a browser: its network steps as NumPy's does. Needs ``jupyter-book build .`` first."""

import itertools
import json
import re

import numpy as np
import pytest

from rnnlib import checks
from rnnlib.checks.verdicts import WrongAnswer

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
    assert f"window forgot. The network: {sign}" in page.get_by_role("status").inner_text()
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


def test_time_goes_by_itself_until_it_is_paused(stopped):
    page = stopped(PAGE)
    count = page.locator("figure.explore .count")
    first = count.text_content()
    page.clock.run_for(60_000)
    page.get_by_role("button", name="Pause").click()
    paused = count.text_content()
    assert paused != first
    page.clock.run_for(60_000)
    assert count.text_content() == paused
    page.keyboard.press("ArrowLeft")
    assert said(page) == ["−1", "−1"]


def test_where_less_motion_is_wanted_nothing_moves(page):
    page.clock.install()
    page.reload()
    before = page.locator("figure.explore .count").text_content()
    page.clock.run_for(60_000)
    assert page.locator("figure.explore .count").text_content() == before


SCREENS = pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])


def labels(page, of=".explore-stage > svg"):
    """The labels of the pictures that are seen: {text, size, left, top, right, bottom} in px."""
    return page.locator(f"{of} text").evaluate_all(
        """texts => texts.map(t => {
            const { left, top, right, bottom } = t.getBoundingClientRect();
            const size = parseFloat(getComputedStyle(t).fontSize) * t.getScreenCTM().a;
            return { text: t.textContent, size, left, top, right, bottom };
        })"""
    )


@SCREENS
def test_the_first_screen_holds_the_figure_its_buttons_and_the_way_on(visit, width, height):
    page = visit(PAGE, viewport={"width": width, "height": height}, reduced_motion="reduce")
    parts = [page.get_by_role("button", name=name) for name in ("send −1", "send +1", "Step")]
    for part in [page.locator(".explore-stage > svg"), *parts, page.get_by_role("link", name="Begin")]:
        box = part.bounding_box()
        assert box["y"] > 0
        assert box["y"] + box["height"] <= height


@SCREENS
def test_the_figure_says_what_its_colours_mean_and_no_label_covers_another(visit, width, height):
    page = visit(PAGE, viewport={"width": width, "height": height}, reduced_motion="reduce")
    page.get_by_role("button", name="Step").evaluate(
        "step => { for (let i = 0; i < 100; i++) step.click(); }"
    )
    found = labels(page)
    assert {"thrown by a signal", "falling in silence", "where silence leads"} <= {t["text"] for t in found}
    for t in found:
        assert 0 <= t["left"], t
        assert t["right"] <= width, t
    for a, b in itertools.combinations(found, 2):
        across = min(a["right"], b["right"]) - max(a["left"], b["left"])
        down = min(a["bottom"], b["bottom"]) - max(a["top"], b["top"])
        # A box is taller than the letters in it.
        assert across <= 0 or down <= min(a["size"], b["size"]) / 3, (a, b)


def test_a_phone_shows_letters_to_read(visit):
    page = visit(PAGE, viewport={"width": 390, "height": 844}, reduced_motion="reduce")
    assert min(t["size"] for t in labels(page, ":is(.explore-stage, .picture) > svg")) >= 11


def test_below_the_figure_nothing_jumps_on_a_phone(visit):
    page = visit(PAGE, viewport={"width": 360, "height": 800}, reduced_motion="reduce")
    begin = page.get_by_role("link", name="Begin")
    tops = {begin.bounding_box()["y"]}
    for x in [-1, -1, 1, 1, 0, 0, 0, 0, 0]:
        press(page, x)
        tops.add(begin.bounding_box()["y"])
    assert len(tops) == 1


def test_the_program_is_folded_and_opens(page):
    program = page.locator("details", has_text="def trained(seed)")
    code = program.locator("pre")
    assert not code.is_visible()
    program.locator("summary").click()
    assert code.is_visible()


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
