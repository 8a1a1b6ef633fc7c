"""The figures of the chapter on Mamba, in the built book (``jupyter-book build .``)."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

PAGE, AT_WORK = "book/mamba.html", "book/mamba_at_work.html"
FIGURES = Path(__file__).parents[2] / "book" / "figures"
NARROW, WIDE = {"width": 390, "height": 844}, {"width": 1440, "height": 900}
NAMES = {PAGE: ("select", "gate"), AT_WORK: ("copy",)}

pytestmark = pytest.mark.slow


def figure_of(page, name):
    return page.locator(f"#mamba-figure-{name} figure.explore")


def number(text):
    return float(text.replace("−", "-"))


def said(figure):
    return figure.locator(".explore-say").inner_text().replace("\xa0", " ")


def data_of(figure):
    return json.loads(figure.locator("script").text_content())


# ---------------------------------------------------------------- be the gate


def shares(tokens, delta):
    """What a state h ← exp(−Δ) h + (1 − exp(−Δ)) x holds, one number for each kind, after each step."""
    h, path = np.zeros(max(tokens) + 1), []
    for token, d in zip(tokens, delta, strict=True):
        h = np.exp(-d) * h + (1 - np.exp(-d)) * np.eye(len(h))[token]
        path.append(h)
    return np.array(path)


def told_shares(figure):
    """The shares that the sentence names: {"A": 0.22, ..., "blanks": 0.074, "empty": 0.2}."""
    pairs = re.findall(r"(\b[A-Z]|blanks|empty) (?:< )?([\d.]+) %", said(figure))
    return {name: float(share) / 100 for name, share in pairs}


def check_end(figure, tokens, delta):
    """The sentence, the numbers beside the stripes and the stripes are what NumPy has."""
    h = shares(tokens, delta)
    names = ["blanks", *(chr(64 + k) for k in range(1, h.shape[1]))]
    expected = dict(zip(names, h[-1], strict=True)) | {"empty": 1 - h[-1].sum()}
    told = told_shares(figure)
    assert told.keys() == expected.keys()
    for name, share in expected.items():
        assert told[name] == pytest.approx(
            share, abs=0.0051 if share > 0.0995 else 0.0011 if share < 0.0005 else 0.00051
        )
    for kind in range(h.shape[1]):
        styles = figure.locator(f'.explore-stage rect[data-kind="{kind}"]').evaluate_all(
            "all => all.map(e => e.getAttribute('style'))"
        )
        drawn = [float(re.search(r"([\d.]+)%", style)[1]) / 100 for style in styles]
        np.testing.assert_allclose(drawn, np.sqrt(h[:, kind]), atol=0.0006)


def test_the_browser_s_shares_are_numpy_s(visit):
    page, rng = visit(PAGE), np.random.default_rng(0)
    for T in (1, 7, 30):
        tokens, delta = rng.integers(0, 4, T).tolist(), rng.exponential(size=T).tolist()
        tokens[0] = 3
        computed = page.evaluate("([tokens, delta]) => mambaChapter.shares(tokens, delta)", [tokens, delta])
        np.testing.assert_allclose(computed, shares(tokens, delta), rtol=1e-6)


def test_no_filter_holds_more_of_the_first_token(visit):
    """Not for any Δ: what the figure says, against a search."""
    page, delta = visit(PAGE), np.geomspace(1e-4, 10, 4001)
    for n in (1, 5, 13, 40):
        best = (-np.expm1(-delta) * np.exp(-delta * n)).max()
        assert page.evaluate("n => mambaChapter.most(n)", n) == pytest.approx(best, rel=1e-5)


def test_a_filter_by_keys(visit):
    page = visit(PAGE)
    figure = figure_of(page, "select")
    tokens = data_of(figure)["tokens"]
    slider = figure.get_by_role("slider")
    assert slider.count() == 1  # one Δ for all
    assert said(figure).endswith("Is there a Δ that keeps 20 % of every token?")
    slider.focus()
    page.keyboard.press("Home")
    check_end(figure, tokens, np.zeros(len(tokens)))
    for k in range(1, 4):
        page.keyboard.press("ArrowRight")
        check_end(figure, tokens, np.full(len(tokens), 0.01 * k))
    back = len(tokens) - 1 - np.flatnonzero(tokens)[0]
    told = re.search(
        r"No Δ does it: of (\w), (\d+) steps before the end, a filter keeps at most ([\d.]+) %", said(figure)
    )
    assert (int(told[2]), chr(64 + tokens[-1 - back])) == (back, told[1])
    assert float(told[3]) / 100 == pytest.approx((back / (back + 1)) ** back / (back + 1), abs=0.00051)
    page.keyboard.press("End")
    check_end(figure, tokens, np.full(len(tokens), 2))


def click_bar(page, figure, t, value):
    """Click where the bar of step t, counted from 0, has this height."""
    box = figure.locator("[data-touch]").bounding_box()
    T = len(data_of(figure)["tokens"])
    page.mouse.click(
        box["x"] + (t + 0.5) * box["width"] / T, box["y"] + box["height"] * (4 + 46 * (2 - value)) / 100
    )


@pytest.mark.parametrize("viewport", [NARROW, WIDE])
def test_the_reader_is_the_gate_by_mouse(visit, viewport):
    page = visit(PAGE, viewport=viewport)
    figure = figure_of(page, "select")
    tokens = data_of(figure)["tokens"]
    figure.get_by_role("radio", name="I do").check()
    assert said(figure).endswith("Drag the bars until each token has 20 %.")
    delta, count = np.full(len(tokens), 0.2), 0
    figure.locator("[data-touch]").scroll_into_view_if_needed()
    for t, token in enumerate(tokens):
        if token:  # each token gets as much as those before it have
            count += 1
            delta[t] = 2 if count == 1 else round(-20 * np.log(1 - 1 / count)) / 20
        else:
            delta[t] = 0
        click_bar(page, figure, t, delta[t])
    check_end(figure, tokens, delta)
    assert said(figure).endswith("tokens are there: you were the gate. But you had seen the whole stream.")
    assert figure.get_by_role("radio", name="I do").is_checked()


def test_one_bar_by_keys(visit):
    page = visit(PAGE)
    figure = figure_of(page, "select")
    tokens = data_of(figure)["tokens"]
    figure.get_by_role("radio", name="I do").check()
    height, step = figure.get_by_role("slider").all()
    delta = np.full(len(tokens), 0.2)
    first = int(np.flatnonzero(tokens)[0])
    assert step.input_value() == str(first + 1)
    height.focus()
    for _ in range(6):
        page.keyboard.press("ArrowUp")
    delta[first] = 0.5
    check_end(figure, tokens, delta)
    step.focus()
    page.keyboard.press("End")
    height.focus()
    page.keyboard.press("Home")
    delta[-1] = 0
    check_end(figure, tokens, delta)
    name = chr(64 + tokens[-1]) if tokens[-1] else "blank"
    assert height.evaluate("e => e.labels[0].innerText") == f"Δ{len(tokens)} ({name})"


def test_the_input_sets_the_bars_and_a_hand_takes_over(visit):
    page = visit(PAGE)
    figure = figure_of(page, "select")
    data = data_of(figure)
    tokens, delta = data["tokens"], np.array(data["delta"])
    figure.get_by_role("radio", name="the input").check()
    check_end(figure, tokens, delta)
    first = int(np.flatnonzero(tokens)[0])
    back = len(tokens) - 1 - first
    told = re.search(r"that leaves ([\d.]+) times what a filter can keep", said(figure))
    best = (back / (back + 1)) ** back / (back + 1)
    assert float(told[1]) == pytest.approx(shares(tokens, delta)[-1, tokens[first]] / best, rel=0.06)
    assert float(told[1]) > 2
    figure.locator("[data-touch]").scroll_into_view_if_needed()
    click_bar(page, figure, first, 1.5)
    assert figure.get_by_role("radio", name="I do").is_checked()
    delta[first] = 1.5
    check_end(figure, tokens, delta)


def test_the_stream_runs_by(stopped):
    page = stopped(PAGE)
    figure = figure_of(page, "select")
    T = len(data_of(figure)["tokens"])
    before = said(figure)
    figure.get_by_role("button", name="Play").press("Enter")
    assert said(figure).startswith(f"Step 1 of {T}:")
    assert figure.locator('.explore-stage rect[data-kind="0"]').count() == 1
    page.clock.run_for(500)
    assert 1 < figure.locator('.explore-stage rect[data-kind="0"]').count() < T
    page.clock.run_for(20_000)
    assert said(figure) == before
    assert figure.get_by_role("button", name="Play").count() == 1


def test_whoever_wants_no_motion_steps(visit):
    figure = figure_of(visit(PAGE, reduced_motion="reduce"), "select")
    T = len(data_of(figure)["tokens"])
    button = figure.get_by_role("button", name="Step")
    for t in range(1, T):
        button.click()
        assert said(figure).startswith(f"Step {t} of {T}:")
    button.click()
    assert said(figure).startswith("At the end:")


# ---------------------------------------------------------------- a step is a gate


def test_the_browser_s_gate_is_numpy_s(visit):
    page = visit(PAGE)
    for z in (-40, -6, -1.3, 0, 0.5413, 2, 6, 40):
        computed = page.evaluate("z => mambaChapter.gate(z)", z)
        delta = np.logaddexp(0, z)
        assert computed["delta"] == computed["euler"] == pytest.approx(delta, rel=1e-6)
        assert computed["keep"] == pytest.approx(np.exp(-delta), rel=1e-6)
        assert computed["hold"] == pytest.approx(1 / (1 + np.exp(-z)), rel=1e-6)  # the theorem
        assert computed["keep"] + computed["hold"] == pytest.approx(1, rel=1e-12)


#: z, and how the sentence ends.
ENDS = [
    (-5, "nearly the same."),
    (0, "times as much."),
    (0.6, "times x: more than there is."),
    (6, "times x: more than there is."),
]


def test_two_bars_by_mouse_and_keys(visit):
    page = visit(PAGE)
    figure = figure_of(page, "gate")
    slider = figure.get_by_role("slider")
    for z, end in ENDS:
        slider.fill(str(z))
        delta = np.logaddexp(0, z)
        told = [number(text) for text in re.findall(r"(?:= |takes )(−?\d[\d.]*)", said(figure))]
        np.testing.assert_allclose(told, [delta, np.exp(-delta), 1 - np.exp(-delta), delta], rtol=0.006)
        assert said(figure).endswith(end)
        widths = {
            (bar["rule"], bar["bar"]): bar["width"]
            for bar in figure.locator(".explore-stage rect[data-bar]").evaluate_all(
                "all => all.map(e => ({...e.dataset, width: +e.getAttribute('width')}))"
            )
        }
        unit = sum(widths["hold", bar] for bar in ("keep", "take"))
        assert widths["hold", "take"] / unit == pytest.approx(1 - np.exp(-delta), abs=1e-6)
        assert widths["euler", "take"] / unit == pytest.approx(min(delta, 3 - np.exp(-delta)), abs=1e-6)
        totals = [
            text for text in figure.locator(".explore-stage text").all_text_contents() if "together" in text
        ]
        assert totals[0] == "together 1"
        assert number(totals[1].split()[-1]) == pytest.approx(np.exp(-delta) + delta, rel=0.001)
        assert totals[1].startswith("→") == (np.exp(-delta) + delta > 3)
    slider.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert slider.input_value() == "-5.9"
    box = slider.bounding_box()
    page.mouse.click(box["x"] + box["width"] - 3, box["y"] + box["height"] / 2)
    assert slider.input_value() == "6"


# ---------------------------------------------------------------- what a trained network lets in


def test_each_step_says_what_came_and_how_far_the_state_moved(visit):
    page = visit(AT_WORK)
    figure = figure_of(page, "copy")
    data = data_of(figure)
    tokens, delta, state = (np.array(data[name]) for name in ("tokens", "delta", "state"))
    T, blanks = len(tokens), np.sort(delta[tokens == 0])
    lengths = np.linalg.norm(state, axis=1)
    moved = np.linalg.norm(np.diff(state, axis=0, prepend=0 * state[:1]), axis=1) / lengths.max()
    np.testing.assert_allclose(page.evaluate("s => mambaChapter.moved(s)", data["state"]), moved, rtol=1e-6)
    letters = {t: chr(63 + sign) for t, sign in enumerate(tokens) if sign > 1}
    drawn = figure.locator(".explore-stage rect[data-sign]").evaluate_all(
        "all => all.map(e => e.dataset.sign)"
    )
    assert drawn == [letters.get(t, "?" if sign else "") for t, sign in enumerate(tokens)]
    places, asked = list(letters), np.flatnonzero(tokens == 1).tolist()
    slider = figure.get_by_role("slider")
    for t in sorted({0, T - 1, *places, *asked, *(place + k for place in places for k in (1, 2, 5))}):
        if t >= T:
            continue
        slider.fill(str(t + 1))
        words = said(figure)
        since = min((t - place for place in places if place < t), default=9)
        if t in letters:
            begin = f"Step {t + 1} brings {letters[t]}:"
        elif t in asked:
            place = places[asked.index(t)]
            begin = (
                f"Step {t + 1} asks for token {asked.index(t) + 1}, {letters[place]}, {t - place} steps ago."
            )
            if data.get("right"):
                right = data["right"][t - T + len(data["right"])]
                begin += f" The answer is {'right' if right else 'wrong'}."
        else:
            begin = f"Step {t + 1} is a blank{f', {since} after {letters[t - since]}' if since < 5 else ''}:"
        assert words.startswith(begin + " Δ = ")
        step, times = re.search(r"Δ = ([\d.]+), ([\d.e]+) times that of a typical blank", words).groups()
        assert float(step) == pytest.approx(delta[t], rel=0.06)
        assert float(times) == pytest.approx(delta[t] / blanks[len(blanks) // 2], rel=0.06)
        assert ("The state moves" in words) == (t not in asked)
        if t not in asked:
            share = float(re.search(r"moves by (?:< )?([\d.]+) %", words)[1]) / 100
            assert share == pytest.approx(moved[t], abs=0.0051 if moved[t] > 0.0995 else 0.0011)


def test_the_mouse_over_the_bars_chooses_the_step(visit):
    page = visit(AT_WORK)
    figure = figure_of(page, "copy")
    T = len(data_of(figure)["tokens"])
    figure.locator(".explore-stage svg").scroll_into_view_if_needed()
    box = figure.locator("[data-touch]").bounding_box()
    for t in (0, T // 2, T - 1):
        page.mouse.move(box["x"] + (t + 0.5) * box["width"] / T, box["y"] + box["height"] / 3)
        assert said(figure).startswith(f"Step {t + 1}")
        assert figure.get_by_role("slider").input_value() == str(t + 1)
        for mark in figure.locator(".explore-stage rect[data-mark]").all():
            left = mark.bounding_box()["x"]
            assert left == pytest.approx(box["x"] + t * box["width"] / T, abs=2)


# ---------------------------------------------------------------- all of them


@pytest.mark.parametrize("path", NAMES)
@pytest.mark.parametrize("viewport", [NARROW, WIDE])
def test_figure_and_controls_fit_on_one_screen_and_do_not_jump(visit, viewport, path):
    page = visit(path, viewport=viewport)
    page.evaluate("window.MathJax?.startup?.promise")  # formulas are set
    for name in NAMES[path]:
        figure = figure_of(page, name)
        heights = {figure.bounding_box()["height"]}
        for choice in figure.get_by_role("radio").all():
            choice.check()
            heights.add(figure.bounding_box()["height"])
        slider = figure.get_by_role("slider").first
        low, high = (float(slider.get_attribute(end)) for end in ("min", "max"))
        for share in np.linspace(0, 1, 14):
            slider.fill(f"{round(low + share * (high - low), 0 if high > 6 else 1):g}")
            heights.add(figure.bounding_box()["height"])
        assert len(heights) == 1, name
        box = figure.bounding_box()
        assert box["height"] <= viewport["height"]
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= viewport["width"]


@pytest.mark.parametrize("path", NAMES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_cut_off(visit, scheme, path):
    page = visit(path, viewport=NARROW, color_scheme=scheme)
    page.evaluate("window.MathJax?.startup?.promise")  # formulas are set
    for name in NAMES[path]:
        svg = figure_of(page, name).locator(".explore-stage svg").bounding_box()
        for text in figure_of(page, name).locator(".explore-stage text").all():
            if box := text.bounding_box():
                assert box["x"] >= svg["x"] - 1, text.text_content()
                assert box["x"] + box["width"] <= svg["x"] + svg["width"] + 1, text.text_content()


def test_light_and_dark_have_different_colours(visit):
    colours = []
    for scheme in ("light", "dark"):
        page = visit(PAGE, color_scheme=scheme)
        find = "e => getComputedStyle(e).fill"
        places = [
            figure_of(page, "select").locator(place).first
            for place in (".explore-stage text", ".explore-stage .gate", "rect[data-kind]")
        ]
        colours.append([place.evaluate(find) for place in places])
    assert all(light != dark for light, dark in zip(*colours, strict=True))


@pytest.mark.parametrize("path", NAMES)
def test_no_label_is_too_small_on_a_phone(visit, path):
    page = visit(path, viewport=NARROW)
    for svg in page.locator(".explore-stage svg, .picture svg.drawing").all():
        sizes = svg.locator("text").evaluate_all(
            """all => all.map(text => [
                text.textContent, parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a])"""
        )
        assert len(sizes) > 5
        assert [text for text, size in sizes if size < 11] == []


# ---------------------------------------------------------------- the drawings

#: What a text can name in each picture.
PARTS = {
    "selective": "A B C delta from out state x",
    "conv": "padding p1 p5 v1 v5 step1 step5 tap0 tap1 tap2 tap3",
    "block": "B C conv delta gate norm out project residual scan select silu skip",
}


@pytest.mark.parametrize("name", PARTS)
def test_a_drawing_says_what_it_shows_and_names_its_parts(name):
    root = ElementTree.parse(FIGURES / f"mamba_{name}.svg").getroot()
    assert len(root.find("{*}title").text) > 10
    assert len(root.find("{*}desc").text) > 80
    parts = {part for element in root.iter() for part in element.get("data-part", "").split()}
    assert parts >= set(PARTS[name].split())


def test_the_convolution_draws_no_line_from_the_future():
    """Four taps lead to each output: from its own step and the three before it, and none from later."""
    root = ElementTree.parse(FIGURES / "mamba_conv.svg").getroot()
    boxes = {
        group.get("data-part"): float(rect.get("x")) + float(rect.get("width")) / 2
        for group in root.findall(".//{*}g")
        for rect in group.findall("{*}rect")
        if group.get("data-part") and group.get("data-part") != "padding"
    }
    pitch = boxes["p2"] - boxes["p1"]
    for t in range(1, 6):
        starts = {}
        for group in root.findall(".//{*}g"):
            parts = group.get("data-part", "").split()
            path = group.find("{*}path")
            if f"step{t}" in parts and path is not None:
                x = float(re.match(r"M([-\d.]+)", path.get("d"))[1])
                starts[int(parts[1][-1])] = (x - boxes["p1"]) / pitch + 1
        assert {k: round(start) for k, start in starts.items()} == {k: t - 3 + k for k in range(4)}


@pytest.mark.parametrize("way", ["", "_back"])
def test_the_worked_example_has_a_place_for_each_number(way):
    svg = (FIGURES / f"mamba_worked{way}.svg").read_text(encoding="utf-8")
    slots = re.findall(r'data-slot="(\w+)"', svg)
    pairs = [f"{name}{t}{n}" for name in "CAhB" for t in (1, 2, 3) for n in "ab"] + ["h0a", "h0b"]
    plain = [f"{name}{t}" for name in "yDus" for t in (1, 2, 3)]
    expected = pairs + plain
    if way:
        expected += [f"d{slot}" for slot in expected]
    assert sorted(slots) == sorted(expected)
    parts = set(" ".join(re.findall(r'data-part="([^"]*)"', svg)).split())
    ways = {f"{name}{t}" for name in ("carry", "add", "enter", "scale", "decay", "read") for t in (1, 2, 3)}
    assert parts >= ways
    red = {
        f"{name}{t}"
        for name in ("back", "into_h", "into_C", "into_A", "into_s", "into_B", "into_D", "into_u", "from_s")
        for t in (1, 2, 3)
    }
    assert (parts >= red) == bool(way)
