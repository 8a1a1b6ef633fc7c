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


def one_unit(params, x):
    """The loss of one unit on streams x (n, T), and its gradient: the chapter's program, written anew."""
    w_x, w_h, b, v, c = params
    n, T = x.shape
    target, h = np.zeros((n, T)), np.zeros((n, T + 1))
    for t in range(T):
        target[:, t] = np.where(x[:, t] == 0, target[:, t - 1] if t else 0, x[:, t])
        h[:, t + 1] = np.tanh(x[:, t] * w_x + h[:, t] * w_h + b)
    error = h[:, 1:] * v + c - target
    dh, da = np.zeros(n), np.zeros((n, T))
    for t in reversed(range(T)):
        da[:, t] = (1 - h[:, t + 1] ** 2) * (2 * error[:, t] / (n * T) * v + dh)
        dh = da[:, t] * w_h
    gradient = [(x * da).sum(), (h[:, :-1] * da).sum(), da.sum()]
    gradient += [2 * (h[:, 1:] * error).mean(), 2 * error.mean()]
    return (error**2).mean(), np.array(gradient)


@pytest.mark.parametrize("seed", range(3))
def test_the_browser_trains_as_numpy_does(visit, seed):
    rng = np.random.default_rng(seed)
    x = rng.choice([-1.0, 0.0, 1.0], (5, 12), p=[0.1, 0.8, 0.1])
    params = rng.normal(size=5)
    computed = visit(PAGE).evaluate(
        """([params, x]) => [...Array(30)].map(() => {
            const { loss, gradient } = rnnChapter.lossAndGradient(params, x);
            params = rnnChapter.descend(params, gradient, 0.3);
            return [loss, ...gradient, ...params];
        })""",
        [params.tolist(), x.tolist()],
    )
    expected = []
    for _ in range(30):
        loss, gradient = one_unit(params, x)
        params = params - 0.3 * gradient * min(1, 1 / np.linalg.norm(gradient))
        expected.append([loss, *gradient, *params])
    np.testing.assert_allclose(computed, expected, rtol=1e-6, atol=1e-12)


def test_one_unit_learns_before_the_readers_eyes(stopped):
    page = stopped(PAGE)
    figure = page.locator('figure.explore[data-explore="train"]')
    said, play = figure.locator(".explore-say"), figure.get_by_role("button", name="Play")
    loss = figure.locator("path.line.ink")
    assert "Step 0: loss" in said.inner_text()
    play.click()
    page.clock.run_for(1000)
    assert "has not learnt" in said.inner_text()
    page.clock.run_for(9000)
    assert re.search(r"Step 400: loss 0\.00\d+, .*It has learnt the game", said.inner_text())
    end = loss.get_attribute("d")
    figure.get_by_role("radio", name="1", exact=True).check()
    assert "Step 0: loss" in said.inner_text()
    play.click()
    page.clock.run_for(10_000)
    assert "All answers jump up and down" in said.inner_text()
    assert loss.get_attribute("d") != end
    figure.get_by_role("radio", name="0.3").check()
    figure.get_by_role("button", name="other first weights").focus()
    first = said.inner_text()
    page.keyboard.press("Enter")
    assert "Step 0: loss" in said.inner_text()
    assert said.inner_text() != first
    play.click()
    page.clock.run_for(10_000)
    assert "It has learnt the game" in said.inner_text()


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
@pytest.mark.parametrize("name", ["recall", "train", "river"])
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
    told, numbers = [], []
    for _ in range(6):
        on.click()
        told.append(forward.locator(sentence).inner_text())
        numbers.append(forward.locator("svg text.number:not(.ahead)").count())
        lit = forward.locator("svg .lit").count()
        assert lit > 0
        assert forward.locator(".explore-code .lit").count() == 1
    assert numbers == [8, 10, 11, 13, 14, 16]  # seven are given; a, then h and y, as they are reached
    states = [float(re.search(r"= (−?[\d.]+)\. ", text)[1].replace("−", "-")) for text in told[1::2]]
    h, expected = 0.0, []
    for x in (1, 0, -1):
        h = np.tanh(x + 2 * h)
        expected.append(h)
    np.testing.assert_allclose(states, expected, atol=5e-4)
    back.get_by_role("slider").focus()
    page.keyboard.press("End")
    for gradient in ("1.366", "1.059", "−0.761"):  # db, dw_h, dw_x
        assert gradient in back.locator(sentence).inner_text()
        page.keyboard.press("ArrowLeft")


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
