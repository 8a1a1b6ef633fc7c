"""The figures of the chapter on gradients through time, in the built book (``jupyter-book build .``)."""

import re

import numpy as np
import pytest

PAGE = "book/gradients.html"
NARROW = {"width": 390, "height": 844}
WIDE = {"width": 1440, "height": 900}
UNIT = {"T": 50, "h_0": 0.5, "target": 0.7}
NAMES = ["gradients-hook", "gradients-river", "gradients-cliff"]

pytestmark = pytest.mark.slow


def figure(page, name):
    return page.locator(f'figure.explore[data-explore="{name}"]')


@pytest.mark.parametrize("button", ["sooner", "slowly", "explodes"])
def test_each_guess_gets_the_answer(visit, button):
    hook = figure(visit(PAGE), "gradients-hook")
    curve = hook.locator("path.line.grad")
    assert not curve.get_attribute("d")
    hook.get_by_role("button", name=button).click()
    assert curve.get_attribute("d")
    said = hook.locator(".explore-say").inner_text()
    assert "doubles at each step" in said
    assert said.startswith("Yes") == (button == "explodes")


@pytest.mark.parametrize("tanh", [False, True])
@pytest.mark.parametrize(
    ("kind", "values", "shear"),
    [("pair", (0.8, 0.45), 2.5), ("pair", (-0.3, 1.1), 0), ("real", (0.9, -1.2), 4)],
)
def test_the_river_computes_what_numpy_computes(visit, kind, values, shear, tanh):
    computed = visit(PAGE).evaluate(
        """([kind, values, shear, tanh]) => {
            const W = gradientsChapter.matrix(kind, values, shear);
            return { W, ...gradientsChapter.matrixRiver(W, [0.1, 0.05], 60, tanh) };
        }""",
        [kind, values, shear, tanh],
    )
    W = np.array(computed["W"])
    first, second = values
    expected = [first, second] if kind == "real" else [first + 1j * second, first - 1j * second]
    np.testing.assert_allclose(np.sort_complex(np.linalg.eigvals(W)), np.sort_complex(expected), atol=1e-9)
    h, jacobian = np.array([0.1, 0.05]), np.eye(2)
    for t in range(60):
        h = np.tanh(h @ W) if tanh else h @ W
        jacobian = jacobian @ (W * (1 - h**2 if tanh else 1))
        np.testing.assert_allclose(computed["h"][t + 1], h, rtol=1e-6, atol=1e-12)
        np.testing.assert_allclose(
            computed["reach"][t + 1], np.linalg.norm(jacobian, 2), rtol=1e-6, atol=1e-14
        )


@pytest.mark.parametrize(("w", "b"), [(1.3, -0.07), (1.3, -0.13), (1.05, 0.02), (2.0, -0.3), (146.7, 322.0)])
def test_the_cliff_computes_what_numpy_computes(visit, w, b):
    computed = visit(PAGE).evaluate("([w, b, unit]) => gradientsChapter.cliff(w, b, unit)", [w, b, UNIT])
    h, states = UNIT["h_0"], [UNIT["h_0"]]
    for _ in range(UNIT["T"]):
        states.append(np.tanh(w * states[-1] + b))
    da, dw, db = 2 * (states[-1] - UNIT["target"]), 0.0, 0.0  # backward, where the page goes forward
    for before, h in zip(states[-2::-1], states[:0:-1], strict=True):
        da = da * (1 - h**2)
        dw, db, da = dw + da * before, db + da, da * w
    np.testing.assert_allclose(computed["loss"], (states[-1] - UNIT["target"]) ** 2, rtol=1e-6)
    np.testing.assert_allclose(computed["gradient"], [dw, db], rtol=1e-6, atol=1e-12)


def test_both_kinds_of_clipping(visit):
    page = visit(PAGE)
    clipped = {
        how: page.evaluate("how => gradientsChapter.clip([-30, 40], how, 1)", how)
        for how in ("none", "norm", "value")
    }
    np.testing.assert_allclose(clipped["none"], [-30, 40])
    np.testing.assert_allclose(clipped["norm"], [-0.6, 0.8])
    np.testing.assert_allclose(clipped["value"], [-1, 1])
    assert page.evaluate("gradientsChapter.clip([0.3, -0.4], 'norm', 1)") == [0.3, -0.4]


@pytest.mark.parametrize("viewport", [NARROW, WIDE])
def test_the_river_answers_to_hand_and_keys(visit, viewport):
    page = visit(PAGE, viewport=viewport)
    river = figure(page, "gradients-river")
    said, line = river.locator(".explore-say"), river.locator("path.line.grad")
    assert "never grows" in said.inner_text()
    before = line.get_attribute("d")
    river.get_by_role("slider", name="shear").fill("3")
    assert "is largest at step" in said.inner_text()
    assert "Largest eigenvalue 0.918" in said.inner_text()  # the shear moves no eigenvalue
    assert line.get_attribute("d") != before
    handle = river.get_by_role("slider", name="eigenvalue 1")
    handle.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    assert "Largest eigenvalue 0.918" not in said.inner_text()
    at = said.inner_text()
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] - 20, box["y"] + 10, steps=4)
    page.mouse.up()
    assert said.inner_text() != at
    river.get_by_role("radio", name="two real").check()
    river.get_by_role("radio", name="tanh").check()
    assert river.locator(".handle").count() == 2
    assert re.search(r"after 60 steps (about 10|[\d.]+)", said.inner_text())


@pytest.mark.parametrize("viewport", [NARROW, WIDE])
def test_a_step_from_the_face(visit, viewport):
    page = visit(PAGE, viewport=viewport)
    cliff = figure(page, "gradients-cliff")
    said, step = cliff.locator(".explore-say"), cliff.get_by_role("button", name="take a step")
    cliff.get_by_role("button", name="on the face").click()
    step.click()
    assert "off the map" in said.inner_text()
    assert "no gradient leads back" in said.inner_text()
    lost = said.inner_text()
    step.click()
    assert said.inner_text() == lost
    for way in ("by norm", "by value"):
        cliff.get_by_role("button", name="on the face").click()
        cliff.get_by_role("radio", name=way).check()
        assert f"The next step, {way}" in said.inner_text()
        come = cliff.locator("path.line.x")
        assert come.get_attribute("d").count("L") == 0
        step.click()
        assert "off the map" not in said.inner_text()
        step.click()
        assert come.get_attribute("d").count("L") == 2  # the way of the point, two steps long
    cliff.get_by_role("button", name="at the foot").click()
    point = cliff.get_by_role("slider", name="the point")
    before = said.inner_text()
    point.focus()
    page.keyboard.press("ArrowUp")
    assert said.inner_text() != before
    assert re.search(r"loss is [\d.]+ and the gradient", said.inner_text())


@pytest.mark.parametrize("viewport", [NARROW, WIDE])
@pytest.mark.parametrize("name", NAMES)
def test_figure_and_controls_fit_on_one_screen(visit, name, viewport):
    box = figure(visit(PAGE, viewport=viewport), name).bounding_box()
    assert box["height"] <= viewport["height"]
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= viewport["width"]


@pytest.mark.parametrize("viewport", [NARROW, WIDE])
def test_the_first_screen_holds_the_question_and_its_buttons(visit, viewport):
    hook = figure(visit(PAGE, viewport=viewport), "gradients-hook")
    last = hook.locator(".explore-say").bounding_box()
    assert last["y"] + last["height"] <= viewport["height"]


@pytest.mark.parametrize("viewport", [NARROW, {"width": 768, "height": 1024}, WIDE])
def test_labels_can_be_read(visit, viewport):
    small = visit(PAGE, viewport=viewport).evaluate(
        """() => [...document.querySelectorAll(":is(.explore, .picture) svg text")]
            .filter(text => text.getClientRects().length)
            .map(text => {
              const sizes = [text, ...text.children].map(e => parseFloat(getComputedStyle(e).fontSize));
              return [text.textContent, Math.max(...sizes) * text.ownerSVGElement.getScreenCTM().a];
            }).filter(([, size]) => size < 11)"""
    )
    assert small == []


def test_by_hand_the_tanh_spoils_the_cancellation(visit):
    page = visit(PAGE)
    stepper = figure(page, "stepper")
    shown = stepper.locator("svg text.number:not(.ahead, .ahead text)")
    stepper.get_by_role("slider").focus()
    page.keyboard.press("End")
    texts = shown.all_text_contents()
    assert texts.count("(0, 0)") == 2
    assert "(32, −32)" in texts


def test_questions_and_exercises_are_there(visit):
    page = visit(PAGE)
    assert page.locator(".quiz").count() >= 5
    exercises = page.locator(".admonition.exercise, div.exercise")
    assert exercises.count() >= 8
    marks = " ".join(exercises.all_inner_texts())
    assert all(mark in marks for mark in ("●○○", "●●○", "●●●", "Find the mistake"))
