"""The figures of the chapter on the long short-term memory, in the built book (``jupyter-book build .``)."""

import json
import re

import numpy as np
import pytest

from rnnlib import LSTM

PAGE = "book/lstm.html"
NARROW, WIDE = {"width": 390, "height": 844}, {"width": 1440, "height": 900}
STAR, BELL = 6, 47

pytestmark = pytest.mark.slow


def figure_of(page, name):
    return page.locator(f'figure.explore[data-explore="{name}"]')


def number(text):
    return float(text.replace("−", "-"))


#: Set the sliders and press the button, once for each row of gates.
BY_HAND = """(figure, [button, gates]) => {
    const [again, step] = ["again", button].map(name =>
        [...figure.querySelectorAll("button")].find(element => element.textContent === name));
    again.click();
    for (const values of gates) {
        figure.querySelectorAll("input").forEach((slider, k) => {
            slider.value = values[k];
            slider.dispatchEvent(new Event("input"));
        });
        step.click();
    }
}"""


def play_by_hand(figure, gates, button="step"):
    """Step through the stream with gates(t) = (i, f, o); what is said at the bell."""
    figure.evaluate(BY_HAND, [button, [gates(t) for t in range(BELL + 1)]])
    return figure.locator(".explore-say").inner_text()


#: Gates at each step, and what the bell says.
TRIES = [
    (lambda t: (int(t == STAR), 1, int(t == BELL)), "Caught, held, shown!"),
    (lambda t: (1, int(t != STAR), 1) if t <= STAR else (0, 1, 1), "Caught, held, shown!"),
    (lambda t: (0, 1, 1), "The input gate was open to 0 when the star came."),
    (lambda t: (int(t <= STAR), 1, 1), "The cell was not empty when the star came"),
    (lambda t: (int(t == STAR), 0.95, 1), "the forget gate let 0.12 of it through 41 steps"),
    (lambda t: (1 if t == STAR else 0.3 * (t > STAR), 1, 1), "other numbers came in after it"),
    (lambda t: (int(t == STAR), 1, 0.5), "The cell has it, but the output gate was open to 0.5."),
]


def test_the_bell_says_what_went_wrong(visit):
    figure = figure_of(visit(PAGE), "hold")
    for gates, told in TRIES:
        assert told in play_by_hand(figure, gates)


def test_whoever_wants_no_motion_steps(visit):
    figure = figure_of(visit(PAGE, reduced_motion="reduce"), "hold")
    assert figure.get_by_role("button", name="Play").count() == 0
    assert figure.get_by_role("button", name="Step").count() == 1
    assert "Caught" in play_by_hand(figure, lambda t: (int(t == STAR), 1, int(t == BELL)), button="Step")


def test_time_runs_and_the_solution_is_shown(stopped):
    page = stopped(PAGE)
    figure = figure_of(page, "hold")
    said = figure.locator(".explore-say")
    answers = figure.locator("g.dots.state circle")
    forget = figure.get_by_role("slider", name="forget")
    forget.focus()
    page.keyboard.press("End")
    assert forget.input_value() == "1"
    figure.get_by_role("button", name="Play").press("Enter")
    page.clock.run_for(3000)
    shown = answers.count()
    assert 3 < shown < 12
    figure.get_by_role("button", name="Pause").click()
    page.clock.run_for(3000)
    assert answers.count() == shown
    figure.get_by_role("button", name="step", exact=True).click()
    assert answers.count() == shown + 1
    figure.get_by_role("button", name="Play").click()
    page.clock.run_for(60_000)
    assert "The bell: the output is" in said.inner_text()
    figure.get_by_role("button", name="show me").click()
    page.clock.run_for(60_000)
    assert answers.count() == BELL + 1
    assert "Now you" in said.inner_text()
    output = figure.get_by_role("slider", name="output")
    assert output.input_value() == "1"
    ring, last = figure.locator("svg > circle.state"), answers.last
    for side in ("cx", "cy"):
        assert float(last.get_attribute(side)) == pytest.approx(float(ring.get_attribute(side)), abs=0.1)


def test_the_browser_takes_numpy_s_step(visit):
    page, rng = visit(PAGE), np.random.default_rng(0)
    for _ in range(5):
        (c, g), (i, f, o) = rng.normal(size=2), rng.random(3)
        computed = page.evaluate("([c, g, gates]) => lstmChapter.tick(c, g, gates)", [c, g, [i, f, o]])
        np.testing.assert_allclose(computed, [f * c + i * g, o * np.tanh(f * c + i * g)], rtol=1e-6)


def as_numpy_runs(weights, stream):
    """The library's layer with these weights and the readout: answers (T,) and the last cells (H,)."""
    H = len(weights["v"])
    layer = LSTM(len(weights["W_x"][0]), H, dtype=np.float64)
    for name in layer.params:
        layer.params[name][...] = weights[name]
    y, (_, c) = layer.forward(np.array(stream)[None])
    return y[0] @ weights["v"] + weights["offset"], c[0]


def test_the_browser_runs_a_layer_as_the_library_does(visit):
    page, rng = visit(PAGE), np.random.default_rng(0)
    trained = json.loads(figure_of(page, "learnt").locator("script").text_content())["weights"]
    D, H = 2, 4
    own = {"W_x": rng.normal(size=(4, D, H)), "W_h": rng.normal(size=(4, H, H)), "b": rng.normal(size=(4, H))}
    own = {name: array.tolist() for name, array in (own | {"v": rng.normal(size=H)}).items()}
    for weights in (trained, own | {"offset": 0.3}):
        stream = rng.normal(size=(60, len(weights["W_x"][0]))).tolist()
        computed = page.evaluate("([w, x]) => lstmChapter.run(w, x)", [weights, stream])
        answers, cells = as_numpy_runs(weights, stream)
        np.testing.assert_allclose([step["answer"] for step in computed], answers, rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(computed[-1]["cells"], cells, rtol=1e-6, atol=1e-9)


def star_and_answer(figure):
    """The starred number, how many steps later the bell is, and the network's answer, as told."""
    said = figure.locator(".explore-say").inner_text()
    found = re.search(r"star is (−?[\d.]+), and (\d+) steps? later, .* says (−?[\d.e−]+)\.$", said)
    return number(found[1]), int(found[2]), number(found[3])


@pytest.mark.parametrize("viewport", [NARROW, WIDE])
def test_the_network_answers_wherever_the_star_is(visit, viewport):
    page = visit(PAGE, viewport=viewport)
    figure = figure_of(page, "learnt")
    star, bell = figure.get_by_role("slider", name="star"), figure.get_by_role("slider", name="bell")
    first = star_and_answer(figure)
    assert first[:2] == (0.7, BELL - STAR)
    assert abs(first[2] - 0.7) < 0.1

    figure.scroll_into_view_if_needed()
    box, bells = star.bounding_box(), bell.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 100, y + 30, steps=5)
    page.mouse.up()
    dragged = star_and_answer(figure)
    assert dragged[0] < 0.3
    assert 8 < dragged[1] < BELL - STAR - 4
    assert abs(dragged[2] - dragged[0]) < 0.15

    for _ in range(4):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp")
    moved = star_and_answer(figure)
    assert moved[1] == dragged[1] - 4
    assert moved[0] > dragged[0]
    bell.focus()
    page.keyboard.press("ArrowLeft")
    assert star_and_answer(figure)[1] == moved[1] - 1
    assert bell.bounding_box()["x"] < bells["x"]
    assert star.get_attribute("aria-valuetext").startswith("step ")
    before = figure.locator("g.dots.state").inner_html()
    figure.get_by_role("button", name="other numbers").click()
    assert figure.locator("g.dots.state").inner_html() != before
    again = star_and_answer(figure)
    assert abs(again[0] - again[2]) < 0.15


def test_one_unit_holds_and_time_runs(stopped):
    page = stopped(PAGE)
    figure = figure_of(page, "learnt")
    bars = figure.locator("svg g.gate")
    assert bars.count() == 6  # three gates of two units
    assert bars.first.locator("rect").count() == BELL + 1
    figure.get_by_role("button", name="Play").click()
    page.clock.run_for(1000)
    assert 5 < bars.first.locator("rect").count() < 20
    page.clock.run_for(9000)
    assert bars.first.locator("rect").count() == BELL + 1
    heights = [
        [float(rect.get_attribute("height")) / 14 for rect in bars.nth(k).locator("rect").all()]
        for k in range(6)
    ]
    holders = [j for j in (0, 1) if min(heights[3 * j + 1][STAR + 1 :]) > 0.98 and heights[3 * j][STAR] > 0.8]
    assert any(max(heights[3 * j + 2][:BELL]) < 0.1 < 0.9 < heights[3 * j + 2][BELL] for j in holders)


def test_a_unit_s_step_answers_to_its_sliders(stopped):
    page = stopped(PAGE)
    figure = figure_of(page, "cell")
    i, f, o, x, c = 0.25, 1.0, 0.5, 1.0, -0.4
    for slider, value in zip(figure.locator("input[type=range]").all(), (i, f, o, x, c), strict=True):
        slider.fill(str(value))
    for _ in range(3):
        told = figure.locator(".explore-say").inner_text().replace("\xa0", " ")
        new = f * c + i * np.tanh(x)
        cell, output = (number(text) for text in re.findall(r"= (−?[\d.]+)(?:;|$)", told))
        assert cell == pytest.approx(new, abs=0.006)
        assert output == pytest.approx(o * np.tanh(new), abs=0.006)
        c = new
        figure.get_by_role("button", name="next step").click()
    kept = figure.locator("g.arrow[data-part=forget] .shaft").nth(1)
    thick = kept.evaluate("s => parseFloat(s.style.strokeWidth)")
    figure.get_by_role("slider", name="forget").focus()
    for _ in range(10):
        page.keyboard.press("ArrowLeft")
    assert kept.evaluate("s => parseFloat(s.style.strokeWidth)") < thick
    lit = figure.locator("svg .lit").evaluate_all("all => all.map(e => e.dataset.part)")
    assert set(lit) == {"forget"}


@pytest.mark.parametrize("viewport", [NARROW, WIDE])
def test_figure_and_controls_fit_on_one_screen(visit, viewport):
    page = visit(PAGE, viewport=viewport)
    page.wait_for_selector("mjx-container")
    for figure in page.locator("figure.explore:not([data-explore=remember])").all():
        box = figure.bounding_box()
        assert box["height"] <= viewport["height"], figure.get_attribute("data-alt")
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= viewport["width"]


def test_no_label_is_too_small_on_a_phone(visit):
    page = visit(PAGE, viewport=NARROW)
    for figure in page.locator("figure.explore").all():
        sizes = figure.locator("svg text").evaluate_all(
            """all => all.map(text => [
                text.textContent, parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a])"""
        )
        assert len(sizes) > 5
        assert [text for text, size in sizes if size < 11] == []


def three_steps():
    """The worked example, written anew: g, c and h of each step; gates and candidates' gradients."""
    ln3 = np.log(3)
    h, c, cells, outputs, gates = 0.0, 0.0, [0.0], [0.0], []
    for x in (1, 0, -1):
        i, f, o = (1 / (1 + np.exp(-a)) for a in (x * ln3, 2 * ln3, -x * ln3))
        g = np.tanh(x * ln3 + h)
        c = f * c + i * g
        h = o * np.tanh(c)
        cells.append(c), outputs.append(h), gates.append((i, f, o, g))
    return cells, outputs, gates


def test_the_worked_example_forward(visit):
    figure = figure_of(visit(PAGE), "stepper").first
    on = figure.get_by_role("button", name="one step on")
    told, numbers = [], []
    for _ in range(12):
        on.click()
        told.append(figure.locator(".explore-steps li.now").inner_text())
        numbers.append(figure.locator("svg text.number:not(.ahead)").count())
        assert figure.locator("svg .lit").count() > 0
        assert figure.locator(".explore-code .lit").count() in (1, 2)
        assert figure.locator("mjx-container .lit").count() > 0
    assert numbers == [8, 9, 10, 11, 14, 15, 16, 17, 20, 21, 22, 23]  # given are 3 inputs, h_0 and c_0
    assert figure.locator("svg .grad").count() == 0
    cells, outputs, gates = three_steps()
    last = [number(re.search(r".*= (−?[\d.]+)\. ", text, re.DOTALL)[1]) for text in told]
    expected = [value for t in range(3) for value in (gates[t][2], gates[t][3], cells[t + 1], outputs[t + 1])]
    np.testing.assert_allclose(last, expected, atol=5e-4)


def test_the_worked_example_backward(visit):
    page = visit(PAGE)
    figure = figure_of(page, "stepper").nth(1)
    figure.get_by_role("slider").focus()
    page.keyboard.press("End")
    cells, outputs, gates = three_steps()
    from_cell = from_candidate = 0.0
    expected = {}
    for t in (3, 2, 1):
        i, f, o, g = gates[t - 1]
        dh = from_candidate + (outputs[3] - 1 if t == 3 else 0)
        dc = from_cell + dh * o * (1 - np.tanh(cells[t]) ** 2)
        expected |= {f"dh{t}": dh, f"dc{t}": dc, f"da_i{t}": dc * g * i * (1 - i)}
        expected |= {
            f"da_f{t}": dc * cells[t - 1] * f * (1 - f),
            f"da_o{t}": dh * np.tanh(cells[t]) * o * (1 - o),
        }
        expected |= {f"da_g{t}": dc * i * (1 - g**2)}
        from_cell, from_candidate = dc * f, dc * i * (1 - g**2)
    expected |= {"dc0": from_cell, "dh0": from_candidate}
    for part, value in expected.items():
        shown = figure.locator(f'svg g.grad[data-part="{part}"] text.number')
        assert number(shown.text_content()) == pytest.approx(value, abs=5e-4), part
        assert shown.is_visible()
    assert f"= {short(sum(expected[f'da_i{t}'] * x for t, x in ((1, 1), (3, -1))))}:" in said(figure)
    page.keyboard.press("ArrowLeft")
    assert f"= {short(sum(expected[f'da_f{t}'] for t in (1, 2, 3)))}. It is negative" in said(figure)
    page.keyboard.press("Home")
    assert figure.locator("svg .grad text.number:not(.ahead)").count() == 0


def short(value):
    return f"{value:.3f}".rstrip("0").replace("-", "−")


def said(figure):
    return figure.locator(".explore-steps li.now").inner_text()


def test_four_pictures_add_one_part_each(visit):
    page = visit(PAGE)
    boxes = []
    for name in ("candidate", "input", "forget", "output"):
        svg = page.locator(f"#lstm-figure-{name} svg")
        assert len(svg.get_attribute("aria-label")) > 80
        boxes.append(svg.locator(".box").count())
    assert boxes == sorted(set(boxes))
