"""The figures of the chapter on the minimal gated unit, in the built book (``jupyter-book build .``)."""

import re

import numpy as np
import pytest

from rnnlib import MinGRU

PAGE = "book/min_gru.html"
NARROW, WIDE = {"width": 390, "height": 844}, {"width": 1440, "height": 900}

pytestmark = pytest.mark.slow


def figure_of(page, name):
    return page.locator(f"#min-gru-figure-{name} figure.explore")


def number(text):
    return float(text.replace("−", "-"))


def said(figure):
    return figure.locator(".explore-say").inner_text().replace("\xa0", " ")


# ---------------------------------------------------------------- what waits for what


def ticks_of(T):
    return {"gru": 2 * T, "loop": T, "scan": 1 + int(np.ceil(np.log2(T)))}


@pytest.mark.parametrize("T", [4, 5, 7, 16, 33, 48])
def test_nothing_is_computed_before_what_it_waits_for(visit, T):
    """Each way ends with all gates and all states, and a scan that follows its arrows has NumPy's states."""
    ways = visit(PAGE).evaluate("T => minGruChapter.ways(T)", T)
    assert {name: len(ticks) for name, ticks in ways.items()} == ticks_of(T)
    for name, ticks in ways.items():
        shares = {}
        for cells in ticks:
            assert all(shares[tuple(of)] == 1 for cell in cells for of in cell["from"] if name != "scan")
            assert all(tuple(of) in shares for cell in cells for of in cell["from"])
            shares |= {(cell["row"], cell["t"]): cell["share"] for cell in cells}
        assert shares == {(row, t): 1 for row in ("gate", "state") for t in range(T)}

    rng = np.random.default_rng(T)
    a, b = rng.random(T), rng.normal(size=T)
    h, states = 0, []
    for a_t, b_t in zip(a, b, strict=True):
        h = a_t * h + b_t
        states.append(h)
    for cells in ways["scan"][1:]:
        new_a, new_b = a.copy(), b.copy()
        for cell in cells:
            [[row, s]] = cell["from"]
            assert row == "state"
            t = cell["t"]
            new_a[t], new_b[t] = a[t] * a[s], a[t] * b[s] + b[t]
        a, b = new_a, new_b
    np.testing.assert_allclose(b, states, rtol=1e-6)


#: How the sentences of the first ticks begin.
TICKS = [
    "one step's gates in the GRU; all gates in the MinGRU, and its first state with them",
    "h1 in the GRU, h2 in the loop; the scan reaches 1 step back.",
    "gates of step 2 in the GRU, h3 in the loop; the scan reaches 2 steps back.",
]


def test_the_race_by_mouse_and_keys(visit):
    page = visit(PAGE)
    figure = figure_of(page, "wait")
    slider, step = figure.get_by_role("slider"), figure.get_by_role("button", name="step", exact=True)
    slider.focus()
    page.keyboard.press("Home")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert said(figure).startswith("7 steps, three ways through")
    ended = []
    for tick in range(1, 15):
        step.click()
        if tick < 4:  # the scan is not done
            assert said(figure).startswith(f"Tick {tick}: {TICKS[tick - 1]}")
        done = figure.locator("svg text.new").all_text_contents()
        if len(done) > len(ended):
            ended = done
            assert f"done after {tick} ticks" in done
    assert ended == ["done after 14 ticks", "done after 7 ticks", "done after 4 ticks"]
    assert said(figure).startswith("Scan 4 ticks, loop 7, GRU 14. A tick counts on a hand for everything")
    assert figure.locator("svg rect[data-row=state]").count() == 3 * 7
    figure.get_by_role("button", name="again").click()
    assert figure.locator("svg rect[data-row]").count() == 0
    step.click()  # one gate; seven gates and a state; seven gates and seven states that know their own step
    assert [figure.locator(f"svg rect[data-row={row}]").count() for row in ("gate", "state")] == [15, 8]


def test_the_race_runs_by_itself(stopped):
    page = stopped(PAGE)
    figure = figure_of(page, "wait")
    figure.get_by_role("button", name="Play").press("Enter")
    page.clock.run_for(1500)
    figure.get_by_role("button", name="Pause").click()
    shown = figure.locator("svg rect[data-row]").count()
    page.clock.run_for(3000)
    assert figure.locator("svg rect[data-row]").count() == shown > 0
    figure.get_by_role("button", name="Play").click()
    page.clock.run_for(60_000)
    ended = [f"done after {ticks} ticks" for ticks in ticks_of(16).values()]
    assert figure.locator("svg text.new").all_text_contents() == ended
    assert figure.get_by_role("button", name="Play").count() == 1


# ---------------------------------------------------------------- parity


def counted(a, b, T=24):
    h, states = 0 * a, []
    for _ in range(T):
        h = a * h + b
        states.append(h)
    return np.array(states)


ODD = np.arange(1, 25) % 2 == 1


def test_the_browser_counts_as_numpy_does(visit):
    page, rng = visit(PAGE), np.random.default_rng(0)
    for a, b, threshold in rng.uniform(-1, 1, (5, 3)):
        computed = page.evaluate("([a, b, s]) => minGruChapter.parity(a, b, s, 24)", [a, b, threshold])
        states = counted(a, b)
        np.testing.assert_allclose(computed["states"], states, rtol=1e-6)
        assert computed["right"] == ((states > threshold) == ODD).tolist()


def test_thirteen_is_the_best_where_a_gate_sets_the_factor():
    """Wherever the three sliders stand; and beyond their ends."""
    a, b, threshold = np.meshgrid(
        np.linspace(0, 1, 21), np.linspace(-3, 3, 61), np.linspace(-4, 4, 81), indexing="ij"
    )
    right = ((counted(a, b) > threshold) == ODD[:, None, None, None]).sum(axis=0)
    assert right.max() == 13


#: a, b, threshold, how many are right, and what is said.
COUNTS = [
    (0.9, 0.2, 0.5, 12, "With a ≥ 0 the states only rise, or only fall"),
    (0.5, -1, -1.2, 13, "this is the best there is"),
    (-1, 1, 0.5, 24, "Nothing fades: it swings for ever. And no σ gives this a."),
    (-0.95, 1, 0.5, 24, "the swings fade towards 0.513: the first mistake comes at step 72."),
    (-1, -1, -0.5, 0, "from above"),
]


def test_parity_answers_to_mouse_and_keys(visit):
    page = visit(PAGE)
    figure = figure_of(page, "parity")
    sliders = figure.get_by_role("slider").all()
    for a, b, threshold, right, words in COUNTS:
        for slider, value in zip(sliders, (a, b, threshold), strict=True):
            slider.fill(str(value))
        states = counted(a, b)
        assert ((states > threshold) == ODD).sum() == right
        assert said(figure).startswith(f"Right: {right} of 24.")
        assert words in said(figure)
        assert figure.locator("svg g[data-right=true]").count() == right
        calls = figure.locator("svg g[data-call]").evaluate_all("all => all.map(e => e.dataset.call)")
        assert calls == ["odd" if above else "even" for above in states > threshold]
    sliders[2].focus()
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    assert said(figure).startswith("Right: 12 of 24.")  # the threshold is at 0.5 and the states are below 0
    box = sliders[0].bounding_box()
    page.mouse.click(box["x"] + box["width"] - 3, box["y"] + box["height"] / 2)
    assert sliders[0].input_value() == "1"


def test_parity_gives_nothing_away(visit):
    """That 13 is the best is said after three moves, or when it is found."""
    figure = figure_of(visit(PAGE), "parity")
    a, b, threshold = figure.get_by_role("slider").all()
    assert said(figure) == "Right: 12 of 24. Can you get more?"
    for slider, value in ((b, "0.3"), (threshold, "0.4")):
        slider.fill(value)
        assert said(figure).endswith(" of 24. Can you get more?")
    a.fill("0.8")
    assert said(figure).endswith("13 is the best there is.")

    figure = figure_of(visit(PAGE), "parity")
    a, b, threshold = figure.get_by_role("slider").all()
    b.fill("-1")
    threshold.fill("-1.5")
    assert said(figure).startswith("Right: 13 of 24.")
    assert said(figure).endswith("this is the best there is.")


def test_sliders_beside_each_other_stand_on_one_height(visit):
    sliders = figure_of(visit(PAGE), "parity").get_by_role("slider").all()
    assert sliders[1].bounding_box()["y"] == sliders[2].bounding_box()["y"]


def test_the_first_mistake_of_a_swing_that_fades():
    states = counted(-0.95, 1.0, 100)
    wrong = (states > 0.5) != (np.arange(1, 101) % 2 == 1)
    assert np.argmax(wrong) + 1 == 72


def test_the_strip_ends_where_a_is_zero(visit):
    figure = figure_of(visit(PAGE), "parity")
    slider = figure.get_by_role("slider").first.bounding_box()
    halves = figure.locator(".explore-range").first.locator("div span")
    assert halves.all_inner_texts() == ["no σ gives these", "a = 1 − z"]
    middle = slider["x"] + slider["width"] / 2
    assert halves.nth(1).bounding_box()["x"] == pytest.approx(middle, abs=1)


# ---------------------------------------------------------------- one step


@pytest.mark.parametrize("mode", ["vanilla", "log"])
def test_the_browser_takes_the_library_s_step(visit, mode):
    page, rng = visit(PAGE), np.random.default_rng(0)
    layer = MinGRU(1, 1, mode=mode, dtype=np.float64)
    for x, h, w, bias in [*rng.normal(size=(5, 4)), (0, 1, 2, -1)]:
        layer.params["W_x"][:, 0, 0], layer.params["b"][:, 0] = (1, w), (0, bias)
        expected = layer.step(np.array([[x]]), np.array([[h]]))[0].item()
        call = "([x, h, w, bias, mode]) => minGruChapter.unit(x, h, w, bias, mode)"
        computed = page.evaluate(call, [x, h, w, bias, mode])
        assert computed["next"] == pytest.approx(expected, rel=1e-6)
        assert computed["a"] * h + computed["b"] == pytest.approx(expected, rel=1e-6)
        assert computed["z"] == pytest.approx(1 / (1 + np.exp(-(w * x + bias))), rel=1e-6)


def test_a_unit_s_step_answers_to_mouse_and_keys(stopped):
    page = stopped(PAGE)
    figure = figure_of(page, "cell")
    x, h, w, bias = -1.5, 0.8, -1.5, 0.5
    for slider, value in zip(figure.locator("input[type=range]").all(), (x, h, w, bias), strict=True):
        slider.fill(str(value))
    z = 1 / (1 + np.exp(-(w * x + bias)))
    for mode, candidate in (("vanilla", x), ("log", 1 / (1 + np.exp(-x)))):
        figure.get_by_role("radio", name=mode).check()
        for _ in range(2):
            h = (1 - z) * h + z * candidate
            told = [number(text) for text in re.findall(r"= (−?\d+(?:\.\d+)?)(?:;|$|\. )", said(figure))]
            assert told == pytest.approx([z, candidate, h], abs=0.006)
            figure.get_by_role("button", name="next step").click()
    letters = figure.locator("svg tspan.explore-math").all_text_contents()
    assert "h\N{COMBINING TILDE}" in letters  # the tilde stays with its letter
    kept = figure.locator("g.arrow[data-part='keep gate'] .shaft")
    thick = kept.evaluate("s => parseFloat(s.style.strokeWidth)")
    slider = figure.get_by_role("slider", name="weight")
    slider.focus()
    page.keyboard.press("End")  # x < 0: the gate shuts
    assert kept.evaluate("s => parseFloat(s.style.strokeWidth)") > thick
    shown = figure.locator("svg .box").nth(1).locator("text").last  # h_t
    held = shown.text_content()
    assert number(held) == pytest.approx(h, abs=0.006)
    slider = figure.get_by_role("slider", name="x")
    box = slider.bounding_box()
    page.mouse.click(box["x"] + 4, box["y"] + box["height"] / 2)
    assert slider.input_value() == "-2"
    assert shown.text_content() == held  # shut: whatever comes in, the state stays
    lit = figure.locator("svg .lit").evaluate_all("all => all.map(e => e.dataset.part)")
    assert len(lit) > 8
    assert "keep" not in lit  # the old state did not move


#: x, the old state, weight and bias of the gate, mode; and what the figure says that this has found.
ANSWERS = [
    (0.5, 1, 0, -6, "vanilla", "Kept, whatever comes in: zt is never above 0.00247."),
    (0.5, 1, 0.5, -6, "log", "Kept, whatever comes in: zt is never above 0.00669."),
    (-2, 1, 6, 0, "vanilla", "Kept; but would it be, whatever comes in?"),
    (2, -2.5, 6, 0, "vanilla", "Taken over, from any state"),
    (-1, 0.2, 0, 0, "vanilla", "A positive state has become negative."),
    (-1, 0.2, 0, 0, "log", "In log it stays positive, always"),
    (0.5, 1, 2, 0, "log", ""),
    (1, -0.5, 2, 0, "vanilla", ""),
]


def test_the_figure_says_when_a_question_is_answered(visit):
    figure = figure_of(visit(PAGE), "cell")
    sliders = figure.locator("input[type=range]").all()
    for *values, mode, words in ANSWERS:
        figure.get_by_role("radio", name=mode).check()
        for slider, value in zip(sliders, values, strict=True):
            slider.fill(str(value))
        found = re.split(r"(?<=\d)\. (?=[A-Z])", said(figure), maxsplit=1)[1:]
        assert found[0].startswith(words) if words else found == []


def test_the_light_goes_out(stopped):
    page = stopped(PAGE)
    figure = figure_of(page, "cell")
    figure.get_by_role("button", name="next step").click()
    page.clock.run_for(1500)
    figure.get_by_role("radio", name="log").check()
    page.clock.run_for(1500)  # the first light's time is over; this one is another
    assert figure.locator("svg .lit").count() > 0
    page.clock.run_for(600)
    assert figure.locator(".lit").count() == 0
    assert "lights" not in figure.get_attribute("class")


def test_nothing_is_dimmed_where_less_motion_is_wanted(visit):
    figure = figure_of(visit(PAGE, reduced_motion="reduce"), "cell")
    before = said(figure)
    figure.get_by_role("button", name="next step").click()
    assert said(figure) != before
    assert "lights" not in figure.get_attribute("class")


# ---------------------------------------------------------------- the worked example


def three_steps():
    """The worked example, written anew: z, the candidates, a, b and the states h_0 … h_3."""
    z = 1 / (1 + np.exp(-np.array([1, 0, -1]) * np.log(3)))
    u = np.array([16.0, 0, -16])
    h = [0.0]
    for z_t, u_t in zip(z, u, strict=True):
        h.append((1 - z_t) * h[-1] + z_t * u_t)
    return z, u, 1 - z, z * u, np.array(h)


def test_the_worked_example_forward(visit):
    figure = figure_of(visit(PAGE), "worked")
    on = figure.get_by_role("button", name="one step on")
    told, numbers = [], []
    for _ in range(7):
        on.click()
        told.append(figure.locator(".explore-steps li.now").inner_text().replace("\n", ""))
        numbers.append(figure.locator("svg text.number:not(.ahead)").count())
        assert figure.locator("svg .lit").count() > 0
        assert figure.locator(".explore-code .lit").count() == 1
        assert figure.locator("mjx-container .lit").count() > 0
    assert numbers == [7, 10, 16, 17, 18, 19, 19]  # given are 3 inputs and h_0
    assert figure.locator("svg .grad").count() == 0
    z, u, _, b, h = three_steps()
    last = [[number(v) for v in re.findall(r"= (−?[\d.]+)(?=[;.] |; )", text)] for text in told]
    np.testing.assert_allclose([last[0], last[1], last[2]], [z, u, b], atol=5e-4)
    np.testing.assert_allclose(last[3:], [[h[1]], [h[2]], [h[3]], [h[3]]], atol=5e-4)


def test_the_worked_example_backward(visit):
    page = visit(PAGE)
    figure = figure_of(page, "worked-back")
    figure.get_by_role("slider").focus()
    page.keyboard.press("End")
    z, _, a, _, h = three_steps()
    arriving, expected = h[3] - 4.5, {}
    for t in (3, 2, 1):
        expected |= {f"dh{t}": arriving, f"du{t}": arriving * z[t - 1]}
        expected |= {f"dk{t}": arriving * a[t - 1] * (h[t] - h[t - 1])}
        arriving *= a[t - 1]
    expected["dh0"] = arriving
    for part, value in expected.items():
        shown = figure.locator(f'svg g.grad[data-part="{part}"] text.number')
        assert number(shown.text_content()) == pytest.approx(value, abs=5e-4), part
        assert shown.is_visible()
    told = figure.locator(".explore-steps li.now").inner_text()
    for name in ("du", "dk"):
        total = f"{expected[f'{name}1'] - expected[f'{name}3']:g}".replace("-", "−")
        assert f"= {total}" in told
    page.keyboard.press("Home")
    assert figure.locator("svg .grad text.number:not(.ahead)").count() == 0
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    # The line of the states alone: h_0 has its gradient before any gate has one.
    assert figure.locator("svg .grad text.number:not(.ahead)").count() == 4


@pytest.mark.parametrize("name", ["worked", "worked-back"])
def test_the_worked_picture_is_whole(visit, name):
    """Nothing leaves it; b meets the line in a plus; a line from x has two heads; letters have indices."""
    svg = figure_of(visit(PAGE, viewport=NARROW), name).locator("svg")
    for side, length in (("x", "width"), ("y", "height")):
        box, view = svg.evaluate(
            "(s, [side, length]) => [s.getBBox(), s.viewBox.baseVal].map(b => [b[side], b[length]])",
            [side, length],
        )
        assert view[0] < box[0]
        assert box[0] + box[1] < view[0] + view[1]
    for t in (1, 2, 3):
        assert svg.locator(f"[data-part=add{t}] .sign").count() == 1
        assert svg.locator(f"[data-part=bus{t}] .tip").count() == 2
    indices = svg.locator("g[data-part] text.letter tspan").all_text_contents()
    assert sorted(indices) == ["0", *6 * ["1"], *6 * ["2"], *6 * ["3"]]  # h a b z u x
    sizes = svg.locator("tspan").evaluate_all(
        "all => all.map(e => parseFloat(getComputedStyle(e).fontSize) * e.getScreenCTM().a)"
    )
    assert min(sizes) >= 11


# ---------------------------------------------------------------- all of them


@pytest.mark.parametrize("viewport", [NARROW, WIDE])
def test_figure_and_controls_fit_on_one_screen(visit, viewport):
    page = visit(PAGE, viewport=viewport)
    page.wait_for_selector("mjx-container")
    for name in ("wait", "parity", "cell", "worked", "worked-back"):
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
    for name in ("wait", "parity", "cell", "worked", "worked-back", "gates", "line"):
        sizes = page.locator(f"#min-gru-figure-{name} svg text").evaluate_all(
            """all => all.map(text => [
                text.textContent, parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a])"""
        )
        assert len(sizes) > 5
        assert [text for text, size in sizes if size < 11] == []


def test_the_gates_no_longer_read_the_state(visit):
    """In the picture of the two units a line leads down from the GRU's state, and none from the MinGRU's."""
    svg = visit(PAGE).locator("#min-gru-figure-gates svg")
    assert len(svg.get_attribute("aria-label")) > 80
    middle = svg.evaluate("s => s.viewBox.baseVal.width / 2")
    lines = svg.locator("path.line.state").evaluate_all(
        "all => all.map(e => { const { x, width, height } = e.getBBox(); return [x + width / 2, height]; })"
    )
    down = [x for x, height in lines if height > 50]
    assert len(down) == 1
    assert down[0] < middle
    signs = svg.locator("path.sign").evaluate_all("all => all.map(e => e.getBBox().x)")
    assert (sum(x < middle for x in signs), sum(x > middle for x in signs)) == (4, 3)
