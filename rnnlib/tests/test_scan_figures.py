"""The figures of the chapter on the scan, in the built book (``jupyter-book build .``)."""

import itertools
import math
import re

import numpy as np
import pytest

PAGE = "book/scan.html"
NARROW, WIDE = {"width": 390, "height": 844}, {"width": 1440, "height": 900}
STEPPERS = {"hillis": 11, "blelloch": 12, "chunks": 6}

pytestmark = pytest.mark.slow


def figure_of(page, name):
    return page.locator(f"#scan-figure-{name} figure.explore")


def number(text):
    return float(text.replace("−", "-"))


def said(figure):
    return figure.locator(".explore-say").inner_text().replace("\xa0", " ")


# ---------------------------------------------------------------- who is first?

NAMES = {"loop": "the loop", "hillis": "Hillis–Steele", "blelloch": "Blelloch", "chunks": "the chunks"}


def run(pairs_of_levels, T):
    """Add numbers by a plan, a list of levels, each a list of (from, to); how many are added at each level.

    Numbers are texts here, so that a stretch left out or taken twice would be seen.
    """
    texts = [chr(97 + t % 26) for t in range(T)]
    for level in pairs_of_levels:
        found = {to: texts[start] + texts[to] for start, to in level}
        assert len(found) == len(level)
        for to, text in found.items():
            texts[to] = text
    return texts, [len(level) for level in pairs_of_levels if level]


def loop(T, P):
    return [[(t - 1, t)] for t in range(1, T)]


def hillis(T, P):
    return [[(t - d, t) for t in range(d, T)] for d in (2**k for k in range(6)) if d < T]


def chunks(T, P):
    count = min(P, round(math.sqrt(T)))
    ends = np.cumsum([0] + [(T + k) // count for k in range(count)])
    pieces = [range(start, end) for start, end in itertools.pairwise(ends)]
    longest = max(map(len, pieces))
    within = [[(piece[j] - 1, piece[j]) for piece in pieces if j < len(piece)] for j in range(1, longest)]
    over = [[(ends[k] - 1, ends[k + 1] - 1)] for k in range(1, count)]
    return [*within, *over, [(piece[0] - 1, t) for piece in pieces[1:] for t in piece[:-1]]]


def blelloch(T):
    """The totals, and how many are added at each level: stretches on the way up, what is before them down."""
    letters = [chr(97 + t % 26) for t in range(T)]
    own, before, up, down = {(1, t): letter for t, letter in enumerate(letters)}, {}, [], []
    widths = [2**k for k in range(math.ceil(math.log2(T)))]
    for d in widths:
        joined = [t for t in range(0, T, 2 * d) if (d, t + d) in own]
        own |= {(2 * d, t): own[d, t] + own.get((d, t + d), "") for t in range(0, T, 2 * d)}
        up.append(len(joined))
    before[2 * widths[-1], 0] = ""
    for d in reversed(widths):
        right = [t for t in range(d, T, 2 * d)]
        for t in range(0, T, 2 * d):
            before[d, t] = before[2 * d, t]
        for t in right:
            before[d, t] = before[2 * d, t - d] + own[d, t - d]
        down.append(len(right))
    total = own[2 * widths[-1], 0]
    return [*(before[1, t] for t in range(1, T)), total], up + down


def counted(T, P):
    """How many are added at each level of each way; all four must end with the totals."""
    wanted = ["".join(chr(97 + k % 26) for k in range(t + 1)) for t in range(T)]
    levels = {}
    for name, plan in (("loop", loop), ("hillis", hillis), ("chunks", chunks)):
        totals, levels[name] = run(plan(T, P), T)
        assert totals == wanted
    totals, levels["blelloch"] = blelloch(T)
    assert totals == wanted
    return levels


def taken(levels, P):
    return {name: int(np.ceil(np.array(sizes) / P).sum()) for name, sizes in levels.items()}


def test_the_race_counts_what_the_four_ways_do(visit):
    Ts, Ps = (2, 3, 4, 5, 7, 8, 9, 17, 37, 50, 63, 64), (1, 2, 3, 5, 8, 13, 16, 31, 64)
    cases = [[name, T, P] for name in NAMES for T in Ts for P in Ps]
    call = """cases => cases.map(([name, T, P]) => {
        const rounds = scanChapter.WAYS[name](T, P);
        return [rounds, scanChapter.turns(rounds, P)];
    })"""
    for (name, T, P), (levels, busy) in zip(cases, visit(PAGE).evaluate(call, cases), strict=True):
        expected = counted(T, P)
        assert levels == expected[name], (name, T, P)
        assert (len(busy), sum(busy)) == (taken(expected, P)[name], sum(levels))
        assert max(busy) <= P


def test_the_winner_changes_with_the_workers(visit):
    page = visit(PAGE)
    figure = figure_of(page, "race")
    numbers, workers = figure.get_by_role("slider").all()
    seen = []
    for T, P in ((64, 64), (64, 1), (64, 2), (64, 16), (37, 5)):
        numbers.fill(str(T))
        workers.fill(str(P))
        levels = counted(T, P)
        rounds = taken(levels, P)
        best = min(rounds.values())
        first = [name for name in NAMES if rounds[name] == best]
        for name in NAMES:
            words = figure.locator(f'svg g[data-way="{name}"] text').all_text_contents()
            assert f": {sum(levels[name])} addition" in words[0]
            assert words[1].startswith(f"{rounds[name]} turn")
            assert words[1].endswith(", first") == (name in first)
        winners = " and ".join(NAMES[name] for name in first)
        assert said(figure).startswith(f"First: {winners}, after {best} turn")
        if P > 1:
            ratio = number(re.search(r": ([\d.]+) times as fast", said(figure))[1])
            assert ratio == pytest.approx((T - 1) / best, rel=0.05)
        seen.append(first)
    assert seen[:4] == [["hillis"], ["loop", "chunks"], ["chunks"], ["blelloch"]]


def test_the_race_is_run_by_mouse_and_keys(stopped):
    page = stopped(PAGE)
    figure = figure_of(page, "race")
    places = figure.locator("svg g[data-way] text:nth-of-type(2)")
    assert places.all_text_contents() == ["0"] * 4
    assert "Guess" in said(figure)
    figure.get_by_role("button", name="Play").press("Enter")
    page.clock.run_for(1000)
    assert said(figure) == "Turn 3. All totals: nobody yet."  # slowly, as long as it is exciting
    page.clock.run_for(2000)
    assert places.nth(1).text_content() == "6 turns, first"
    assert 6 < int(places.nth(0).text_content()) < 12
    assert said(figure).endswith("All totals: Hillis–Steele.")
    page.clock.run_for(10_000)
    assert places.nth(0).text_content() == "63 turns, last"
    assert "First: Hillis–Steele, after 6 turns: 11 times as fast" in said(figure)
    workers = figure.get_by_role("slider", name="workers")
    workers.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert said(figure).startswith("First: the chunks, after 48 turns: 1.3 times as fast as the loop, with 2")
    box = workers.bounding_box()
    page.mouse.click(box["x"] + box["width"] - 4, box["y"] + box["height"] / 2)
    assert said(figure).startswith("First: Hillis–Steele, after 6 turns")


def test_a_bar_is_as_large_as_its_work(visit):
    """Its area in the picture, over that of one addition, is the number of additions."""
    figure = figure_of(visit(PAGE), "race")
    numbers, workers = figure.get_by_role("slider").all()
    numbers.fill("64")
    workers.fill("4")
    areas = []
    for name in ("hillis", "blelloch", "chunks"):
        path = figure.locator(f'svg g[data-way="{name}"] path:last-child').get_attribute("d")
        left, bottom = map(float, re.match(r"M([\d.]+) ([\d.]+)", path).groups())
        area = 0
        for top, right in re.findall(r"V([\d.]+)H([\d.]+)", path):
            area += (bottom - float(top)) * (float(right) - left)
            left = float(right)
        areas.append(area)
    work = [sum(counted(64, 4)[name]) for name in ("hillis", "blelloch", "chunks")]
    np.testing.assert_allclose(np.array(areas) / areas[0], np.array(work) / work[0], rtol=0.02)


# ---------------------------------------------------------------- the three steppers

A = np.array([0.5, 0.5, 2, 0.5, 2, 0.5, 2, 1, 1])
B = np.array([4.0, -4, 2, -1, 4, 1, 1, -2, 2])
H_0 = 4.0


def join(start, end):
    """Steps start … end, counted from 1, as one: (a, b)."""
    a, b = 1.0, 0.0
    for t in range(start - 1, end):
        a, b = A[t] * a, A[t] * b + B[t]
    return a, b


def states(T):
    h, found = H_0, []
    for t in range(T):
        h = A[t] * h + B[t]
        found.append(h)
    return found


def shown(figure, part):
    """The numbers of a part that can be seen, from left to right."""
    texts = figure.locator(f'svg text.number[data-part~="{part}"]:not(.ahead)').all_text_contents()
    return [number(text) for text in texts]


def walk(figure, steps):
    """Press the button to the end; what each sentence says."""
    told = [figure.locator(".explore-steps li.now").inner_text()]
    for _ in range(steps - 1):
        figure.get_by_role("button", name="one step on").click()
        told.append(figure.locator(".explore-steps li.now").inner_text())
        assert figure.locator("svg .lit").count() > 0
        assert figure.locator(".explore-code .lit").count() > 0
    assert figure.get_by_role("button", name="one step on").get_attribute("aria-disabled") == "true"
    return [re.sub(r"\s+", " ", text.replace("\xa0", " ")) for text in told]


def test_each_round_of_hillis_and_steele(visit):
    page = visit(PAGE)
    page.wait_for_selector("mjx-container")
    figure = figure_of(page, "hillis")
    told = walk(figure, STEPPERS["hillis"])
    for row in range(4):
        expected = [join(max(1, t - 2**row + 1), t) for t in range(1, 9)]
        assert shown(figure, f"a{row}") == [a for a, _ in expected]
        assert shown(figure, f"b{row}") == [b for _, b in expected]
        stretches = figure.locator(f'svg text.quiet[data-part~="row{row}"]').all_text_contents()
        assert stretches[6] == ("7", "6…7", "4…7", "1…7")[row]
        cells = figure.locator(f'svg g.state:has(rect[data-part="row{row}"])')
        assert cells.count() == 2**row  # those that reach back to step 1
        if row:
            a, b = expected[6]
            assert told[3 * row - 1].endswith(f"= {b:g}.")
            assert f"= {a:g}. It stands for steps {stretches[6]} now" in told[3 * row]
    assert shown(figure, "out") == states(8)
    assert "17 joins" in told[-1]


def test_numbers_come_when_their_sentence_comes(visit):
    page = visit(PAGE)
    figure = figure_of(page, "hillis")
    figure.get_by_role("slider").focus()
    counts = []
    for _ in range(4):
        counts.append((len(shown(figure, "b1")), len(shown(figure, "a1"))))
        page.keyboard.press("ArrowRight")
    assert counts == [(0, 0), (1, 1), (8, 1), (8, 8)]  # first the sums: they need the old products
    page.keyboard.press("Home")
    assert shown(figure, "a1") == []


def test_blelloch_s_tree_up_and_down(visit):
    page = visit(PAGE)
    figure = figure_of(page, "blelloch")
    slider = figure.get_by_role("slider")
    slider.fill("3")
    assert [shown(figure, f"before{d}") for d in (8, 4, 2, 1)] == [[], [], [], []]
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert shown(figure, "before8") == [1, 0]  # the turn: the identity
    slider.fill("0")
    told = walk(figure, STEPPERS["blelloch"])
    for d in (1, 2, 4, 8):
        starts = range(1, 9, d)
        assert shown(figure, f"own{d}") == [value for t in starts for value in join(t, t + d - 1)]
        assert shown(figure, f"before{d}") == [value for t in starts for value in join(1, t - 1)]
    assert shown(figure, "out") == states(8)
    so_far = [int(found[1]) for text in told if (found := re.search(r"so far: (\d+)\.", text))]
    assert so_far == [4, 6, 7, 8, 10, 14]  # 2 (n − 1) in all


def test_chunks_within_over_and_all(visit):
    page = visit(PAGE)
    figure = figure_of(page, "chunks")
    told = walk(figure, STEPPERS["chunks"])
    for row in range(3):
        starts = [max(t - (t - 1) % 3, t if (t - 1) % 3 > row else 1) for t in range(1, 10)]
        assert shown(figure, f"row{row}") == [v for t, s in enumerate(starts, start=1) for v in join(s, t)]
    h = states(9)
    assert shown(figure, "rest") == h
    assert shown(figure, "over1") == [H_0, h[2]]
    assert shown(figure, "over2") == [h[2], h[5]]
    assert told[3].endswith(f"= {h[2]:g}.")
    assert told[4].endswith(f"= {h[5]:g}.")
    page.keyboard.press("Home")
    figure.get_by_role("slider").focus()
    page.keyboard.press("Home")
    assert shown(figure, "rest") == []


# ---------------------------------------------------------------- all of them


@pytest.mark.parametrize("viewport", [NARROW, WIDE])
def test_figure_and_controls_fit_on_one_screen(visit, viewport):
    page = visit(PAGE, viewport=viewport)
    page.wait_for_selector("mjx-container")
    race = figure_of(page, "race")
    for P in (1, 2, 30, 64):
        race.get_by_role("slider", name="workers").fill(str(P))
        assert race.bounding_box()["height"] <= viewport["height"]
        for row in race.locator("svg g[data-way]").all():
            name, place = (text.bounding_box() for text in row.locator("text").all())
            assert name["x"] + name["width"] < place["x"]
    for name, count in STEPPERS.items():
        figure = figure_of(page, name)
        heights = set()
        for k in range(count):
            figure.get_by_role("slider").fill(str(k))
            box = figure.bounding_box()
            heights.add(box["height"])
            assert box["height"] <= viewport["height"], f"{name}, step {k + 1}"
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= viewport["width"]
        assert len(heights) == 1, name  # what is below does not jump


def test_no_label_is_too_small_on_a_phone(visit):
    page = visit(PAGE, viewport=NARROW)
    for figure in page.locator("figure.explore, #scan-figure-combine").all():
        sizes = figure.locator("svg text").evaluate_all(
            """all => all.map(text => [
                text.textContent, parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a])"""
        )
        assert len(sizes) > 5
        assert [text for text, size in sizes if size < 11] == []


def test_two_frames_become_one(visit):
    svg = visit(PAGE).locator("#scan-figure-combine svg")
    assert len(svg.get_attribute("aria-label")) > 80
    assert svg.locator("rect.cell").count() == 3
    words = ["".join(text.split()) for text in svg.locator("text.letter").all_text_contents()]
    assert {"a2a1", "a2b1+b2"} < set(words)
    assert words.count("h2") == 2
