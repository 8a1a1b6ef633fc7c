"""The figures of the chapter on state space models, in the built book (``jupyter-book build .``)."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

PAGE = "book/ssm.html"
NARROW, WIDE = {"width": 390, "height": 844}, {"width": 1440, "height": 900}
LIVE = ("spring", "discretise", "kernel", "hippo")
PICTURES = Path(__file__).parents[2] / "book" / "figures"
#: (k, c): swinging, without friction, at the limit between the two, and without a swing
SPRINGS = [(4, 0.2), (40, 5), (4, 0), (4, 4), (2, 6)]

pytestmark = pytest.mark.slow


def figure_of(page, name):
    return page.locator(f"#ssm-figure-{name} figure.explore")


def data_of(figure):
    return json.loads(figure.locator('script[type="application/json"]').text_content())


def number(text):
    return float(text.replace("−", "-"))


def said(figure):
    return figure.locator(".explore-say").inner_text().replace("\xa0", " ")


def numbers(text):
    return [number(found) for found in re.findall(r"−?\d+(?:\.\d+)?(?:e−?\d+)?", text)]


def move(slider, value):
    """Move a slider, also to a value between two of its steps."""
    slider.evaluate("(s, v) => { s.value = v; s.dispatchEvent(new Event('input')); }", str(value))


# ---------------------------------------------------------------- the spring and its three rules


def exponential(M):
    """e^M by squaring a series; no eigenvectors, which a spring between swing and no swing does not have."""
    term = total = np.eye(len(M))
    small = M / 2**8
    for n in range(1, 16):
        term = term @ small / n
        total = total + term
    for _ in range(8):
        total = total @ total
    return total


def spring(k, c):
    return np.array([[0.0, 1], [-k, -c]]), np.array([0.0, 1])


def rule_of(name, k, c, dt):
    """Ā and B̄, from A and B alone."""
    A, B = spring(k, c)
    if name == "euler":
        return np.eye(2) + dt * A, dt * B
    if name == "bilinear":
        left = np.eye(2) - dt / 2 * A
        return np.linalg.solve(left, np.eye(2) + dt / 2 * A), np.linalg.solve(left, dt * B)
    both = exponential(dt * np.block([[A, B[:, None]], [np.zeros((1, 3))]]))
    return both[:2, :2], both[:2, 2]


def size_of(name, k, c, dt):
    return abs(np.linalg.eigvals(rule_of(name, k, c, dt)[0])).max()


@pytest.mark.parametrize("name", ["euler", "zoh", "bilinear"])
def test_each_rule_is_numpy_s(visit, name):
    page = visit(PAGE)
    cases = [(k, c, dt) for k, c in SPRINGS for dt in (0.01, 0.1, 0.5, 1.3)]
    call = """([name, cases]) => cases.map(([k, c, dt]) => [
        ssmChapter.RULES[name](k, c, dt).A, ssmChapter.RULES[name](k, c, dt).B,
        ssmChapter.run(name, {k, c, dt}, 9, [0.7, -0.4], 1.5), ssmChapter.eigenvalues(name, {k, c, dt})])"""
    for case, (A, B, positions, eigen) in zip(cases, page.evaluate(call, [name, cases]), strict=True):
        A_bar, B_bar = rule_of(name, *case)
        np.testing.assert_allclose(A, A_bar, atol=1e-6)
        np.testing.assert_allclose(B, B_bar, atol=1e-6)
        h = np.array([0.7, -0.4])
        for position in positions:
            assert position == pytest.approx(h[0], rel=1e-6, abs=1e-6)
            h = A_bar @ h + 1.5 * B_bar
        found = [
            complex(*pair) for pair in eigen
        ]  # two that meet are known to half the digits: their polynomial is compared
        np.testing.assert_allclose(np.poly(found), np.poly(A_bar), atol=1e-6)
        assert abs(found[0]) >= abs(found[1]) - 1e-9


def test_the_true_curve_is_the_exponential_s_and_holds_it(visit):
    """The hold's points lie on the true curve, also under a steady force."""
    page = visit(PAGE)
    call = """([k, c, dt, u]) => [
        [...Array(12).keys()].map(t => ssmChapter.position({k, c}, t * dt, [0.7, -0.4], u)),
        ssmChapter.run("zoh", {k, c, dt}, 11, [0.7, -0.4], u)]"""
    for k, c in SPRINGS:
        for u in (0, 3.0):
            true, held = page.evaluate(call, [k, c, 0.35, u])
            A, B = spring(k, c)
            rest = -np.linalg.solve(A, B * u)
            h = np.array([0.7, -0.4]) - rest
            expected = [(exponential(0.35 * t * A) @ h + rest)[0] for t in range(12)]
            np.testing.assert_allclose(true, expected, atol=1e-6)
            np.testing.assert_allclose(held, expected, atol=1e-6)


def test_below_its_limit_euler_comes_to_rest(visit):
    page = visit(PAGE)
    for k, c in SPRINGS:
        limit = page.evaluate("([k, c]) => ssmChapter.limit({k, c})", [k, c])
        for dt in np.geomspace(0.01, 2, 60):
            size = size_of("euler", k, c, dt)
            grown = page.evaluate("([k, c, dt]) => ssmChapter.growth('euler', {k, c, dt})", [k, c, dt])
            assert grown == pytest.approx(size, abs=1e-6)
            if abs(size - 1) > 1e-9:
                assert (size < 1) == (dt < limit), (k, c, dt)
            assert size_of("bilinear", k, c, dt) < 1 + 1e-9


def test_the_sentence_tells_all_three(visit):
    page = visit(PAGE)
    figure = figure_of(page, "spring")
    data = data_of(figure)
    step, friction = (figure.get_by_role("slider", name=name) for name in ("step", "friction"))
    for dt, c in ((0.02, 0.2), (0.05, 0.5), (0.2, 0.1), (0.3, 0)):
        move(step, dt)
        move(friction, c)
        k, c, dt = data["k"], float(friction.input_value()), float(step.input_value())
        sizes = [size_of(name, k, c, dt) for name in ("euler", "zoh", "bilinear")]
        text = said(figure)
        found = re.search(
            r"by ([\d.]+) with Euler, which (.*); by ([\d.]+) with the hold, .* by ([\d.]+) with", text
        )
        np.testing.assert_allclose([number(found[i]) for i in (1, 3, 4)], sizes, rtol=0.006)
        end = (
            "explodes"
            if sizes[0] > 1 + 1e-9
            else "swings for ever"
            if sizes[0] > 1 - 1e-9
            else "comes to rest"
        )
        assert found[2].startswith(end)
        true, bilinear = (np.linalg.eigvals(rule_of(name, k, c, dt)[0])[0] for name in ("zoh", "bilinear"))
        longer = number(re.search(r"take ([\d.]+) times as long", text)[1])
        turn = np.sqrt(k - c**2 / 4) * dt
        assert abs(np.angle(true)) == pytest.approx(turn)
        assert longer == pytest.approx(turn / abs(np.angle(bilinear)), rel=0.006)


def mass_of(figure):
    return figure.locator("svg rect.handle")


def test_the_mass_is_pulled_and_swings_when_let_go(stopped):
    page = stopped(PAGE)
    figure = figure_of(page, "spring")
    data, pull = data_of(figure), figure.get_by_role("slider", name="pull")
    T = data.get("T", 8 * np.pi / np.sqrt(data["k"]))
    mass_of(figure).scroll_into_view_if_needed()
    box = mass_of(figure).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y + 40, steps=4)
    pulled = float(pull.input_value())
    assert pulled < 0.9
    assert mass_of(figure).bounding_box()["y"] == pytest.approx(box["y"] + 40, abs=6)
    assert mass_of(figure).get_attribute("aria-valuetext") == f"pulled to {pulled:g}".replace("-", "−")
    page.clock.run_for(200)
    assert float(figure.locator("svg text.explore-mass").text_content().replace("−", "-")) == pulled
    page.mouse.up()
    assert figure.get_by_role("button", name="Pause").count() == 1
    page.clock.run_for(2000)
    seconds = ticks_of(figure) * T / 300
    true = (exponential(seconds * spring(data["k"], data["c"])[0]) @ [pulled, 0])[0]
    assert shown(figure) == pytest.approx(true, abs=0.006)
    page.clock.run_for(12_000)  # to the end
    assert figure.get_by_role("button", name="Play").count() == 1


def ticks_of(figure):
    """How many ticks of 300 the dot has moved to the right."""
    return figure.evaluate(
        """f => {
            const { x, width } = f.querySelector("svg .axes .frame").getBBox();
            return Math.round((300 * (f.querySelector("svg circle[r='6']").cx.baseVal.value - x)) / width);
        }"""
    )


def shown(figure):
    return number(figure.locator("svg text.explore-mass").text_content())


def test_euler_moves_the_mass_out_of_the_picture(stopped):
    page = stopped(PAGE)
    figure = figure_of(page, "spring")
    data = data_of(figure)
    T = data.get("T", 8 * np.pi / np.sqrt(data["k"]))
    figure.get_by_role("radio", name="Euler").check()
    move(figure.get_by_role("slider", name="step"), 0.25)
    A_bar, _ = rule_of("euler", data["k"], data["c"], 0.25)
    states = [np.array([1.0, 0])]
    for _ in range(60):
        states.append(A_bar @ states[-1])
    figure.get_by_role("button", name="Play").press("Enter")
    page.clock.run_for(1200)
    figure.get_by_role("button", name="Pause").press("Enter")
    at = ticks_of(figure) * T / 300 / 0.25
    p = np.interp(at, np.arange(61), [state[0] for state in states])
    assert shown(figure) == pytest.approx(p, rel=0.06, abs=0.006)
    figure.get_by_role("button", name="Play").press("Enter")
    for _ in range(24):  # wherever it flies, it stays within the picture
        page.clock.run_for(500)
        inside = figure.evaluate(
            """f => {
                const box = element => f.querySelector(element).getBoundingClientRect();
                const [a, b] = [box("rect.handle"), box(".explore-stage svg")];
                return a.top >= b.top && a.bottom <= b.bottom;
            }"""
        )
        assert inside


@pytest.mark.parametrize(("name", "slider"), [("spring", 0), ("kernel", 1)])
def test_a_finger_drags_and_the_page_stays(visit, name, slider):
    page = visit(PAGE, viewport=NARROW, has_touch=True)
    figure = figure_of(page, name)
    handle = figure.locator("svg .handle").first
    handle.scroll_into_view_if_needed()
    box, value = handle.bounding_box(), figure.locator(".explore-range input").nth(slider)
    touch = page.context.new_cdp_session(page)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    before = float(value.input_value())
    for kind, way in (("touchStart", 0), ("touchMove", 20), ("touchMove", 40), ("touchMove", 50)):
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y + way}]})
        page.wait_for_timeout(50)
    moved = handle.bounding_box()["y"] - box["y"]
    assert float(value.input_value()) < before
    if name == "spring":
        assert moved == pytest.approx(50, abs=4)
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        figure.get_by_role("button", name="Pause").wait_for()  # let go


def test_the_mass_obeys_keys(visit):
    page = visit(PAGE)
    figure = figure_of(page, "spring")
    pull = figure.get_by_role("slider", name="pull")
    mass_of(figure).focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert float(pull.input_value()) == pytest.approx(0.8)
    page.keyboard.press("ArrowUp")
    assert float(pull.input_value()) == pytest.approx(0.9)
    pull.focus()
    page.keyboard.press("ArrowLeft")
    assert shown(figure) == pytest.approx(0.85)
    page.keyboard.press("Home")
    assert shown(figure) == -1


def test_nothing_plays_where_less_motion_is_wanted(visit):
    page = visit(PAGE, reduced_motion="reduce")
    figure = figure_of(page, "spring")
    data = data_of(figure)
    curve = figure.locator("svg path.line.state").first.get_attribute("d")
    box = mass_of(figure).bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 14)
    page.mouse.down()
    page.mouse.move(box["x"] + 20, box["y"] + 44)
    page.mouse.up()
    pulled = shown(figure)
    page.wait_for_timeout(300)
    assert shown(figure) == pulled
    assert (
        figure.locator("svg path.line.state").first.get_attribute("d") != curve
    )  # the whole curve is there at once
    figure.get_by_role("button", name="Step").click()  # one step of Δ
    h = exponential(data["dt"] * spring(data["k"], data["c"])[0]) @ [pulled, 0]
    assert shown(figure) == pytest.approx(h[0], abs=0.006)


def test_eigenvalues_stand_where_they_are(visit):
    page = visit(PAGE)
    figure = figure_of(page, "discretise")
    data, slider = data_of(figure), figure.get_by_role("slider")
    for share in (0.1, 0.4, 0.9):
        move(slider, share * float(slider.get_attribute("max")))
        dt = float(slider.input_value())
        circle = figure.locator("svg path.line.quiet").first.evaluate(
            "e => (({x, y, width, height}) => [x + width / 2, y + height / 2, width / 2])(e.getBBox())"
        )
        for rule in ("euler", "zoh", "bilinear"):
            dots = figure.locator(f"svg g.dots[data-rule={rule}] circle").evaluate_all(
                "all => all.map(e => [e.cx.baseVal.value, e.cy.baseVal.value])"
            )
            found = sorted(((x - circle[0]) / circle[2], (circle[1] - y) / circle[2]) for x, y in dots)
            values = np.linalg.eigvals(rule_of(rule, data["k"], data["c"], dt)[0])
            np.testing.assert_allclose(found, sorted((z.real, z.imag) for z in values), atol=0.01)
            size = size_of(rule, data["k"], data["c"], dt)
            assert any(value == pytest.approx(size, rel=0.006) for value in numbers(said(figure)))
    slider.focus()
    page.keyboard.press("Home")
    assert "comes to rest" in said(figure)
    page.keyboard.press("End")
    assert "explodes" in said(figure)


# ---------------------------------------------------------------- the kernel


def test_a_kernel_is_the_pole_s_powers(visit):
    """K_t = 2 Re(C B̄ Ā^t) with C = 1 / (2 B̄), and nothing in the samples tells an alias from its pole."""
    page = visit(PAGE)
    for re_part, im, dt in ((-0.5, 6, 0.1), (-2, 40, 0.1), (-0.1, 0, 0.5), (-1, 70, 0.1), (-0.3, 9, 1)):
        kernel = page.evaluate("([re, im, dt]) => ssmChapter.kernel(re, im, dt, 40)", [re_part, im, dt])
        pole = complex(re_part, im)
        A_bar = np.exp(pole * dt)
        B_bar = (A_bar - 1) / pole
        powers = 2 * np.real(1 / (2 * B_bar) * B_bar * A_bar ** np.arange(40))
        np.testing.assert_allclose(kernel["values"], powers, atol=1e-6)
        np.testing.assert_allclose(
            kernel["values"],
            np.real(np.exp(complex(re_part, kernel["seen"]) * dt * np.arange(40))),
            atol=1e-6,
        )
        assert np.exp(re_part * dt * kernel["half"]) == pytest.approx(0.5)
        assert kernel["aliased"] == (im * dt > np.pi) == (kernel["seen"] < im - 1e-9)
        assert kernel["seen"] * dt <= np.pi + 1e-9
        if im:
            assert kernel["period"] * im * dt == pytest.approx(2 * np.pi)


def test_the_pole_is_dragged_by_mouse_and_keys(visit):
    page = visit(PAGE)
    figure = figure_of(page, "kernel")
    data, (real, imaginary) = data_of(figure), figure.locator(".explore-range input").all()
    real_part = data["pole"][0]
    assert figure.locator("svg g.dots.x circle").count() == 32
    move(imaginary, 0.5 * np.pi / data["dt"])
    told = numbers(said(figure))
    assert told[0] == pytest.approx(np.log(2) / (-real_part * data["dt"]), rel=0.006)
    assert told[1] == pytest.approx(4, rel=0.006)
    before = figure.locator("svg path.line.state").get_attribute("d")
    pole, mirror = figure.locator("svg circle.handle").all()
    pole.scroll_into_view_if_needed()
    box, other = pole.bounding_box(), mirror.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2 - 30, box["y"] + box["height"] / 2 - 20)
    page.mouse.up()
    assert float(real.input_value()) < real_part
    assert mirror.bounding_box()["y"] == pytest.approx(other["y"] + 20, abs=1)
    assert figure.locator("svg path.line.state").get_attribute("d") != before
    pole.focus()
    was = float(imaginary.input_value())
    page.keyboard.press("ArrowDown")
    assert float(imaginary.input_value()) < was
    mirror.focus()
    page.keyboard.press("ArrowDown")  # away from the axis
    assert float(imaginary.input_value()) == pytest.approx(was, rel=0.02)
    imaginary.focus()
    page.keyboard.press("End")
    assert "Aliasing" in said(figure)
    assert figure.locator("svg path.line.new").get_attribute("d") != ""
    page.keyboard.press("Home")
    assert "does not swing" in said(figure)
    assert (figure.locator("svg path.line.new").get_attribute("d") or "") == ""


# ---------------------------------------------------------------- the best polynomial


def legendre(past, N):
    """c_n = √(2n+1) · mean of f P_n, each step's part of the integral by NumPy's antiderivative."""
    edges, found = np.linspace(-1, 1, len(past) + 1), []
    for n in range(N):
        P = np.polynomial.Legendre.basis(n).integ()
        found.append(np.sqrt(2 * n + 1) * (np.asarray(past) * np.diff(P(edges))).sum() / 2)
    return np.array(found)


def hippo(past, N):
    """The same from step to step: LegS, c' = −A c/t + B f/t, solved for a held input: steady in log t."""
    n = np.arange(N)
    root = np.sqrt(2 * n + 1)
    A, B = np.tril(np.outer(root, root), -1) + np.diag(n + 1.0), root
    c = np.eye(N)[0] * past[0]  # a level past
    for t, value in enumerate(past[1:], start=1):
        decay = exponential(-A * np.log((t + 1) / t))
        rest = np.linalg.solve(A, B) * value
        c = decay @ (c - rest) + rest
    return c


@pytest.mark.parametrize("N", [1, 5, 12])
def test_the_state_is_the_projection_and_hippo_s_recurrence(visit, N):
    page = visit(PAGE)
    past = np.random.default_rng(N).normal(size=37)
    c, curve, sizes = page.evaluate(
        """([past, N]) => {
            const c = ssmChapter.project(past, N), at = [-1, -0.6, 0.1, 0.95, 1];
            return [c, at.map(x => ssmChapter.polynomial(c, x)), ssmChapter.miss(past, c)];
        }""",
        [past.tolist(), N],
    )
    np.testing.assert_allclose(c, legendre(past, N), atol=1e-6)
    np.testing.assert_allclose(c, hippo(past, N), atol=1e-6)
    series = np.polynomial.Legendre(np.array(c) * np.sqrt(2 * np.arange(N) + 1))
    np.testing.assert_allclose(curve, series(np.array([-1, -0.6, 0.1, 0.95, 1])), atol=1e-6)
    fine = (np.arange(37 * 4000) + 0.5) / (37 * 2000) - 1
    error = np.sqrt(np.mean((np.repeat(past, 4000) - series(fine)) ** 2))
    assert sizes["error"] == pytest.approx(error, abs=1e-6)
    assert sizes["size"] == pytest.approx(np.sqrt(np.mean(past**2)))


def test_no_polynomial_of_the_past_is_better(visit):
    """Change any coefficient, and the error grows."""
    page = visit(PAGE)
    past = data_of(figure_of(page, "hippo"))["signal"][:60]
    c = np.array(page.evaluate("past => ssmChapter.project(past, 6)", past))
    x = (np.arange(60 * 500) + 0.5) / (60 * 250) - 1
    basis = np.stack([np.sqrt(2 * n + 1) * np.polynomial.Legendre.basis(n)(x) for n in range(6)])
    best = np.mean((np.repeat(past, 500) - c @ basis) ** 2)
    for n in range(6):
        for by in (-0.01, 0.01):
            assert np.mean((np.repeat(past, 500) - (c + by * np.eye(6)[n]) @ basis) ** 2) > best


def test_the_signal_runs_by(stopped):
    page = stopped(PAGE)
    figure = figure_of(page, "hippo")
    signal = np.array(data_of(figure)["signal"])
    time, count = figure.locator(".explore-range input").all()

    def check(t, N):
        c = legendre(signal[:t], N)
        size = np.sqrt(np.mean(signal[:t] ** 2))
        error = np.sqrt(max(0, size**2 - (c**2).sum()))
        found = re.match(
            rf"{t} steps, kept in {N} numbers?\. Error of the polynomial: ([\d.]+) .*, ([\d.]+) % of",
            said(figure),
        )
        assert number(found[1]) == pytest.approx(error, rel=0.006, abs=1e-4)
        assert number(found[2]) == pytest.approx(100 * error / size, rel=0.06, abs=0.1)
        bars = figure.locator("svg g.state > rect").evaluate_all(
            "all => all.map(e => e.height.baseVal.value)"
        )
        assert len(bars) == N
        np.testing.assert_allclose(np.array(bars) / max(bars), abs(c) / abs(c).max(), atol=1e-3)

    for t, N in ((40, 3), (120, 8), (len(signal), 32)):
        time.fill(str(t))
        count.fill(str(N))
        check(t, N)
    count.fill("6")
    figure.get_by_role("button", name="Play").press("Enter")  # from the end to the beginning
    page.clock.run_for(60 * 30)
    t = int(time.input_value())
    assert 20 < t < 40
    figure.get_by_role("button", name="Pause").press("Enter")
    check(t, 6)
    time.focus()
    page.keyboard.press("ArrowRight")
    check(t + 1, 6)


# ---------------------------------------------------------------- what is drawn


def drawn(figure, circles, x, y, frame=0):
    """Circles as values on the axes of the frame, which go over the ranges x and y."""
    left, top, width, height = (
        figure.locator("svg .axes .frame")
        .nth(frame)
        .evaluate("e => (b => [b.x, b.y, b.width, b.height])(e.getBBox())")
    )
    places = figure.locator(circles).evaluate_all(
        "all => all.map(e => [e.cx.baseVal.value, e.cy.baseVal.value])"
    )
    share = (np.array(places) - [left, top + height]) / [width, -height]
    return share * [x[1] - x[0], y[1] - y[0]] + [x[0], y[0]]


COLOURS = {"euler": "gate", "bilinear": "new", "zoh": "x"}


@pytest.mark.parametrize("viewport", [NARROW, WIDE])
def test_steps_are_drawn_where_they_are(visit, viewport):
    page = visit(PAGE, viewport=viewport)
    spring_figure, pushed = figure_of(page, "spring"), figure_of(page, "discretise")
    data = data_of(spring_figure)
    T = data.get("T", 8 * np.pi / np.sqrt(data["k"]))
    for figure, y, h, k in ((spring_figure, (-1.5, 1.5), [1.0, 0], 0), (pushed, (-0.4, 2.4), [0, 0], None)):
        data = data_of(figure)
        k, T, dt = data["k"] if k is None else k, data.get("T", T), 0.2 / np.sqrt(data["k"])
        slider = figure.get_by_role("slider", name="step")
        move(slider, dt)
        dt = float(slider.input_value())
        for rule, colour in COLOURS.items():
            A_bar, B_bar = rule_of(rule, data["k"], data["c"], dt)
            state, expected = np.array(h), []
            for t in range(int(np.ceil(T / dt)) + 1):
                expected.append((t * dt, state[0]))
                state = A_bar @ state + B_bar * k
            found = drawn(figure, f"svg g.dots.{colour}:not(g.dots[data-rule]) circle", (0, T), y)
            inside, expected = (
                rows[(rows[:, 0] < T - 1e-6) & (rows[:, 1] > 0.99 * y[0]) & (rows[:, 1] < 0.99 * y[1])]
                for rows in (found, np.array(expected))
            )
            assert len(expected) > 20
            np.testing.assert_allclose(inside, expected, atol=1e-3)


def test_kernel_and_pole_are_drawn_where_they_are(visit):
    figure = figure_of(visit(PAGE), "kernel")
    data = data_of(figure)
    pole, dt = complex(*data["pole"]), data["dt"]
    deep, top = max(0.5 / dt, -1.25 * pole.real), 1.5 * np.pi / dt
    found = drawn(figure, "svg circle.handle", (-deep, 0.12 * deep), (-top, top))
    np.testing.assert_allclose(found, [(pole.real, pole.imag), (pole.real, -pole.imag)], atol=1e-3 * top)
    t = np.arange(32)
    found = drawn(figure, "svg g.dots.x circle", (0, 32), (-1.1, 1.1), frame=1)
    np.testing.assert_allclose(found, np.stack([t, np.exp(pole * dt * t).real], axis=1), atol=1e-3)


def test_the_polynomial_is_drawn_over_the_past(visit):
    figure = figure_of(visit(PAGE), "hippo")
    signal, time = np.array(data_of(figure)["signal"]), figure.get_by_role("slider", name="time")
    high = 1.25 * abs(signal).max()
    for t in (25, len(signal)):
        time.fill(str(t))
        N = int(figure.get_by_role("slider", name="numbers").input_value())
        left, top, width, height = figure.locator("svg .axes .frame").first.evaluate(
            "e => (b => [b.x, b.y, b.width, b.height])(e.getBBox())"
        )
        path = figure.locator("svg path.line.state").get_attribute("d")
        points = np.array([list(map(float, pair.split())) for pair in re.split("[ML]", path)[1:]])
        x = 2 * (points[:, 0] - left) / width * len(signal) / t - 1
        y = high - 2 * high * (points[:, 1] - top) / height
        curve = np.polynomial.Legendre(legendre(signal[:t], N) * np.sqrt(2 * np.arange(N) + 1))
        assert len(points) == 400
        np.testing.assert_allclose(y, curve(x), atol=0.02 * high)


# ---------------------------------------------------------------- all of them


@pytest.mark.parametrize("viewport", [NARROW, WIDE])
def test_figure_and_controls_fit_on_one_screen(visit, viewport):
    page = visit(PAGE, viewport=viewport)
    page.wait_for_selector("mjx-container")
    for name in LIVE:
        figure = figure_of(page, name)
        heights = set()
        for slider in figure.locator(".explore-range input").all():
            low, high = (float(slider.get_attribute(side)) for side in ("min", "max"))
            for share in (0, 0.07, 0.3, 0.7, 0.93, 1):
                move(slider, low + share * (high - low))
                box = figure.bounding_box()
                heights.add(round(box["height"], 1))
                assert box["height"] <= viewport["height"], name
                assert box["x"] >= 0
                assert box["x"] + box["width"] <= viewport["width"]
        assert len(heights) == 1, (name, heights)  # what is below does not jump


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_label_is_too_small_or_cut_off_on_a_phone(visit, scheme):
    page = visit(PAGE, viewport=NARROW, color_scheme=scheme)
    page.wait_for_selector("mjx-container")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    for place in [
        *(figure_of(page, name) for name in LIVE),
        *page.locator(".picture:has(svg.drawing)").all(),
    ]:
        labels = place.locator("svg text").evaluate_all(
            """all => all.filter(text => text.textContent.trim()).map(text => {
                const { left, right } = text.getBoundingClientRect(), style = getComputedStyle(text);
                const size = parseFloat(style.fontSize) * text.getScreenCTM().a;
                return [text.textContent, size, left, right, style.fill];
            })"""
        )
        assert len(labels) > 3
        assert [text for text, size, *_ in labels if size < 11] == []
        assert [text for text, _, left, right, _ in labels if left < 0 or right > NARROW["width"]] == []
        assert [text for text, *_, fill in labels if fill == ground] == []


def test_the_page_says_nothing_in_error(visit):
    page = visit(PAGE)
    assert page.errors == []
    for name in LIVE:
        assert figure_of(page, name).get_attribute("data-alive") == ""
        assert len(figure_of(page, name).get_attribute("data-alt")) > 80


def test_the_worked_pictures_have_the_bilinear_rule_s_factors():
    """k = 2, c = 1, Δ = 1; the way back has the same arrows, turned round, and a gradient a number."""
    A_bar, B_bar = rule_of("bilinear", 2, 1, 1)
    expected = {
        "pp": A_bar[0, 0],
        "vp": A_bar[0, 1],
        "pv": A_bar[1, 0],
        "vv": A_bar[1, 1],
        "up": B_bar[0],
        "uv": B_bar[1],
    }
    written = {"½": 0.5, "¼": 0.25, "−1": -1, "0": 0}
    names = {f"{name}{t}" for name in "upvy" for t in (1, 2, 3)} | {"p0", "v0"}
    for file, slots in (("ssm_worked", names), ("ssm_worked_back", names | {f"d{name}" for name in names})):
        svg = (PICTURES / f"{file}.svg").read_text(encoding="utf-8")
        for key, value in expected.items():
            factors = re.findall(rf'data-part="{key}\d" data-slot="{key}"[^>]*>([^<]*)<', svg)
            assert [written[factor] for factor in factors] == pytest.approx([value] * 3)
        assert set(re.findall(r'data-slot="(\w+)"[^>]*>–', svg)) == slots
