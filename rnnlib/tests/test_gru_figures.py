"""The figures of the chapter on the gated recurrent unit, in the built book (``jupyter-book build .``)."""

import itertools
import json
import re

import numpy as np
import pytest

from rnnlib import GRU

PAGE = "book/gru.html"
NARROW, WIDE = {"width": 390, "height": 844}, {"width": 1440, "height": 900}
STAR, BELL = 6, 47

pytestmark = pytest.mark.slow


def figure_of(page, name):
    return page.locator(f"#gru-figure-{name} figure.explore")


def number(text):
    return float(text.replace("−", "-"))


def said(figure):
    return figure.locator(".explore-say").inner_text().replace("\xa0", " ")


# ---------------------------------------------------------------- by hand

#: Set the slider and press the button, once for each z.
BY_HAND = """(figure, [button, gates]) => {
    const [again, step] = ["again", button].map(name =>
        [...figure.querySelectorAll("button")].find(element => element.textContent === name));
    const slider = figure.querySelector("input");
    again.click();
    for (const z of gates) {
        slider.value = z;
        slider.dispatchEvent(new Event("input"));
        step.click();
    }
}"""

#: z at each step, and what the bell says.
TRIES = [
    (lambda t: int(t == STAR), "Caught and held, exactly!"),
    (lambda t: int(t <= STAR), "Caught and held, exactly!"),
    (lambda t: 0.95 * (t == STAR), "Caught and held, 0.035 away."),
    (lambda t: 0, "when the star came, z was 0, and the state went only that far"),
    (lambda t: 0.5 * (t == STAR), "when the star came, z was 0.5"),
    (lambda t: 1 if t == STAR else 0.05, "it was caught, but only 12% of it is left after 41 steps"),
    (lambda t: 1, "it was caught, but nothing of it is left after 41 steps"),
]


def play_by_hand(figure, gate, button="step"):
    """Step through the stream with z = gate(t); what is said at the bell."""
    figure.evaluate(BY_HAND, [button, [gate(t) for t in range(BELL + 1)]])
    return said(figure)


@pytest.mark.parametrize("button", ["step", "Step"])
def test_the_bell_says_how_near_the_held_number_is(visit, button):
    """Where the reader wants no motion, the button that plays takes single steps."""
    figure = figure_of(visit(PAGE, reduced_motion="reduce" if button == "Step" else None), "hold")
    data = json.loads(figure.locator("script").text_content())
    assert (data["star"], data["bell"], len(data["x"])) == (STAR, BELL, BELL + 1)
    for gate, told in TRIES:
        h = 0.0
        for t, x in enumerate(data["x"]):
            h = (1 - gate(t)) * h + gate(t) * x
        words = play_by_hand(figure, gate, button)
        assert told in words
        assert number(re.search(r"the state is (−?[\d.e−]+),", words)[1]) == pytest.approx(h, abs=0.0051)


def test_time_runs_and_the_solution_is_shown(stopped):
    page = stopped(PAGE)
    figure = figure_of(page, "hold")
    states, slider = figure.locator("g.dots.state circle"), figure.get_by_role("slider")
    slider.focus()
    page.keyboard.press("Home")
    assert slider.input_value() == "0"
    figure.get_by_role("button", name="Play").press("Enter")
    page.clock.run_for(3000)
    shown = states.count()
    assert 3 < shown < 12
    figure.get_by_role("button", name="Pause").click()
    page.clock.run_for(3000)
    assert states.count() == shown
    figure.get_by_role("button", name="step", exact=True).click()
    assert states.count() == shown + 1
    figure.get_by_role("button", name="show me").click()
    page.clock.run_for(60_000)
    assert states.count() == BELL + 1
    assert said(figure).endswith("exactly! Now you.")
    ring, last = figure.locator("svg > circle.state"), states.last
    for side in ("cx", "cy"):
        assert float(last.get_attribute(side)) == pytest.approx(float(ring.get_attribute(side)), abs=0.1)
    assert slider.input_value() == "0"


# ---------------------------------------------------------------- one step


def test_the_browser_takes_numpy_s_step(visit):
    page, rng = visit(PAGE), np.random.default_rng(0)
    for _ in range(5):
        (x, h), (r, z) = rng.normal(size=2), rng.random(2)
        computed = page.evaluate("([x, h, r, z]) => gruChapter.unit(x, h, r, z)", [x, h, r, z])
        n = np.tanh(x + r * 2 * h)
        expected = [2 * h, n, (1 - z) * h + z * n]
        np.testing.assert_allclose([computed[name] for name in ("s", "n", "next")], expected, rtol=1e-6)


def test_a_unit_s_step_answers_to_mouse_and_keys(stopped):
    page = stopped(PAGE)
    figure = figure_of(page, "cell")
    r, z, x, h = 0.25, 0.75, 1.0, -0.4
    for slider, value in zip(figure.locator("input[type=range]").all(), (r, z, x, h), strict=True):
        slider.fill(str(value))
    for _ in range(3):
        n = np.tanh(x + r * 2 * h)
        h = (1 - z) * h + z * n
        told = [number(text) for text in re.findall(r"= (−?[\d.]+)(?:;|$)", said(figure))]
        assert told == pytest.approx([n, h], abs=0.006)
        figure.get_by_role("button", name="next step").click()
    kept = figure.locator("g.arrow[data-part=keep] .shaft").nth(1)
    thick = kept.evaluate("s => parseFloat(s.style.strokeWidth)")
    slider = figure.get_by_role("slider", name="update gate")
    box = slider.bounding_box()
    page.mouse.click(box["x"] + 4, box["y"] + box["height"] / 2)
    assert slider.input_value() == "0"
    assert kept.evaluate("s => parseFloat(s.style.strokeWidth)") > thick
    held = said(figure).split(" = ")[-1]
    figure.get_by_role("slider", name="reset gate").focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    assert said(figure).split(" = ")[-1] == held  # z = 0: whatever the candidate is, the state stays
    lit = figure.locator("svg .lit").evaluate_all("all => all.map(e => e.dataset.part)")
    assert all("reset" in part for part in lit)
    assert len(lit) > 4


# ---------------------------------------------------------------- the same cell elsewhere


def elsewhere(weights, stream, opens, reset):
    """The states (T, H): z = 1 takes the "new" or the "old", r acts "after" or "before" the product."""
    W_x, W_h, b, b_h = (np.array(weights[name]) for name in ("W_x", "W_h", "b", "b_h"))
    h, states = np.zeros_like(b_h), []
    for x in stream:
        r, z = (1 / (1 + np.exp(-(x * W_x[k, 0] + h @ W_h[k] + b[k]))) for k in (0, 1))
        old = r * (h @ W_h[2] + b_h) if reset == "after" else (r * h) @ W_h[2] + b_h
        n = np.tanh(x * W_x[2, 0] + b[2] + old)
        h = (1 - z) * h + z * n if opens == "new" else z * h + (1 - z) * n
        states.append(h)
    return np.array(states)


def turned(weights):
    """The weights with the signs of the update gate's changed."""
    signs = np.array([1, -1, 1])
    return weights | {name: (np.array(weights[name]).T * signs).T for name in ("W_x", "W_h", "b")}


@pytest.fixture(scope="module")
def networks(book):
    """Weights of the page's two networks, the stream, and weights of a larger one."""
    page, rng = (book / PAGE).read_text(encoding="utf-8"), np.random.default_rng(0)
    data = json.loads(re.search(r'data-explore="switch".*?json">(.*?)</script>', page, re.DOTALL)[1])
    H, shapes = 4, {"W_x": (3, 1, 4), "W_h": (3, 4, 4), "b": (3, 4), "b_h": (4,)}
    larger = {name: rng.normal(size=shape).tolist() for name, shape in shapes.items()}
    assert [len(network["b_h"]) for network in data["networks"]] == [2, 1]
    return data["x"], [*data["networks"], larger | {"h": np.zeros((len(data["x"]), H)).tolist()}]


def test_the_browser_runs_each_cell_as_numpy_does(visit, networks):
    page, (stream, all_weights) = visit(PAGE), networks
    for weights, opens, reset in itertools.product(all_weights, ("new", "old"), ("after", "before")):
        for name, used in (("w", weights), ("gruChapter.convert(w)", turned(weights))):
            call = f"([w, x, opens, reset]) => gruChapter.run({name}, x, {{ opens, reset }})"
            computed = page.evaluate(call, [weights, stream, opens, reset])
            np.testing.assert_allclose(computed, elsewhere(used, stream, opens, reset), rtol=1e-6, atol=1e-9)


def test_the_rings_are_the_library_s(networks):
    stream, all_weights = networks
    for weights in all_weights[:2]:
        layer = GRU(1, len(weights["b_h"]), dtype=np.float64)
        for name in layer.params:
            layer.params[name][...] = weights[name]
        states, _ = layer.forward(np.reshape(stream, (1, -1, 1)))
        np.testing.assert_allclose(weights["h"], states[0], atol=1e-12)
    assert all_weights[1]["b_h"] == [0]


def test_only_what_can_be_converted_becomes_equal(visit, networks):
    page, (stream, all_weights) = visit(PAGE), networks
    figure = figure_of(page, "switch")
    choices = [figure.locator("fieldset").nth(k).get_by_role("radio") for k in range(4)]
    for picked in itertools.product(range(2), repeat=4):
        for radios, k in zip(choices, picked, strict=True):
            radios.nth(k).check()
        keeps, before, converted, one = picked
        weights = all_weights[one]
        used = turned(weights) if converted else weights
        states = elsewhere(used, stream, ("new", "old")[keeps], ("after", "before")[before])
        largest = np.abs(states - np.array(weights["h"])).max()
        equal = keeps == converted and (one or not before)
        assert (largest < 1e-9) == equal
        told = re.match(r"(Equal|Not equal): the largest difference is ([\d.e−]+)[.,] ", said(figure))
        assert told[1] == ("Equal" if equal else "Not equal")
        assert number(told[2]) == pytest.approx(largest, abs=1e-12 if equal else 0.006)
        grounds = figure.locator("svg rect.new").count()
        assert grounds == 2 * keeps + before
        assert figure.locator("svg g.dots.state circle").count() == (2 - one) * len(stream)
        assert ("conversion puts r right" in said(figure)) == (before and keeps == converted and not one)
    choices[0].nth(1).focus()
    page.keyboard.press("ArrowLeft")
    assert choices[0].nth(0).is_checked()
    assert figure.locator("svg rect.new").count() == 1


# ---------------------------------------------------------------- the worked example


def three_steps():
    """The worked example, written anew: the states; r, z, s and n of each step."""
    ln3 = np.log(3)
    states, inner = [0.0], []
    for x in (1, 0, -1):
        r, z = (1 / (1 + np.exp(-a)) for a in (-x * ln3, x * ln3))
        s = 2 * states[-1]
        n = np.tanh(x * ln3 + r * s)
        states.append((1 - z) * states[-1] + z * n)
        inner.append((r, z, s, n))
    return states, inner


def test_the_worked_example_forward(visit):
    figure = figure_of(visit(PAGE), "worked")
    on = figure.get_by_role("button", name="one step on")
    told, numbers = [], []
    for _ in range(12):
        on.click()
        told.append(figure.locator(".explore-steps li.now").inner_text())
        numbers.append(figure.locator("svg text.number:not(.ahead)").count())
        assert figure.locator("svg .lit").count() > 0
        assert figure.locator(".explore-code .lit").count() in (1, 2)
        assert figure.locator("mjx-container .lit").count() > 0
    assert numbers == [6, 7, 8, 9, 11, 12, 13, 14, 16, 17, 18, 19]  # given are 3 inputs and h_0
    assert figure.locator("svg .grad").count() == 0
    states, inner = three_steps()
    last = [number(re.search(r".*= (−?[\d.]+)\. ", text, re.DOTALL)[1]) for text in told]
    expected = [value for t in range(3) for value in (*inner[t][1:], states[t + 1])]
    np.testing.assert_allclose(last, expected, atol=5e-4)


def test_the_worked_example_backward(visit):
    page = visit(PAGE)
    figure = figure_of(page, "worked-back")
    figure.get_by_role("slider").focus()
    page.keyboard.press("End")
    states, inner = three_steps()
    arriving, expected = states[3] - 1, {}
    for t in (3, 2, 1):
        r, z, s, n = inner[t - 1]
        da_n = arriving * z * (1 - n**2)
        expected |= {f"dh{t}": arriving, f"da_n{t}": da_n, f"ds{t}": da_n * r}
        expected |= {f"da_r{t}": da_n * s * r * (1 - r)}
        expected |= {f"da_z{t}": arriving * (n - states[t - 1]) * z * (1 - z)}
        arriving = arriving * (1 - z) + da_n * r * 2
    expected["dh0"] = arriving
    for part, value in expected.items():
        shown = figure.locator(f'svg g.grad[data-part="{part}"] text.number')
        assert number(shown.text_content()) == pytest.approx(value, abs=5e-4), part
        assert shown.is_visible()
    now = figure.locator(".explore-steps li.now")
    for name in ("ds", "da_n"):  # the last sentence, and the one before it
        total = f"{sum(expected[f'{name}{t}'] for t in (1, 2, 3)):.3f}".rstrip("0").replace("-", "−")
        assert f"= {total}:" in now.inner_text()
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("Home")
    assert figure.locator("svg .grad text.number:not(.ahead)").count() == 0


# ---------------------------------------------------------------- all of them


@pytest.mark.parametrize("viewport", [NARROW, WIDE])
def test_figure_and_controls_fit_on_one_screen(visit, viewport):
    page = visit(PAGE, viewport=viewport)
    page.wait_for_selector("mjx-container")
    for name in ("hold", "cell", "worked", "worked-back", "switch"):
        figure = figure_of(page, name)
        steps = figure.locator(".explore-stepper input")
        for k in range(int(steps.get_attribute("max")) + 1 if steps.count() else 1):
            if steps.count():
                steps.fill(str(k))
            box = figure.bounding_box()
            assert box["height"] <= viewport["height"], f"{name}, step {k + 1}"
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= viewport["width"]


def test_no_label_is_too_small_on_a_phone(visit):
    page = visit(PAGE, viewport=NARROW)
    pictures = ", ".join(f"#gru-figure-{name}" for name in ("update", "state", "reset"))
    for figure in page.locator(f"figure.explore, {pictures}").all():
        sizes = figure.locator("svg text").evaluate_all(
            """all => all.map(text => [
                text.textContent, parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a])"""
        )
        assert len(sizes) > 5
        assert [text for text, size in sizes if size < 11] == []


def test_three_pictures_go_down_from_the_lstm(visit):
    """One gate for two; then no way out of its own, so fewer boxes; then one gate more."""
    page = visit(PAGE)
    boxes, letters = [], []
    for name in ("update", "state", "reset"):
        svg = page.locator(f"#gru-figure-{name} svg")
        assert len(svg.get_attribute("aria-label")) > 80
        boxes.append(svg.locator(".box").count())
        letters.append(set("".join(svg.locator("text.letter").all_text_contents())) & set("cgnhoriz"))
    assert boxes[1] < boxes[2] < boxes[0]
    assert letters == [set("cghoz"), set("ghz"), set("hnrz")]
