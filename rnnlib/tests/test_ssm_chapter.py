"""The chapter on state space models, in the built book (``jupyter-book build .``)."""

import re

import pytest

from rnnlib.tests.test_lstm_chapter import number, rows
from rnnlib.tests.test_scan_chapter import paragraph as numbers

PAGE = "book/ssm.html"

pytestmark = pytest.mark.slow


def test_questions_exercises_and_pictures_are_there(visit):
    page = visit(PAGE)
    assert page.locator(".quiz").count() >= 5
    exercises = page.locator(".exercise[id]")
    assert 8 <= exercises.count() <= page.locator(".solution").count()
    marks = " ".join(exercises.all_inner_texts())
    assert all(mark in marks for mark in ("●○○", "●●○", "●●●"))
    assert "Find the mistake" in marks
    names = (
        "spring forces hold rules discretise circle worked worked-back convolution time kernel hippo fade "
        "lists delay copying remember"
    )
    missing = [name for name in names.split() if page.locator(f"[id='ssm-figure-{name}']").count() != 1]
    assert missing == []


def test_the_first_exercise_of_the_lab_is_linked_and_there(visit):
    links = visit(PAGE).locator("article a[href*='06_mamba.html#']").all()
    ends = {link.get_attribute("href").split("#")[1] for link in links}
    there = visit("labs/06_mamba.html").evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert ends
    assert ends <= set(there)


def test_decays_do_not_make_a_swing(visit):
    table = rows(visit(PAGE), "2 decays")
    assert list(table) == [f"{H} decays" for H in (2, 4, 8, 16, 32)]
    errors = [row[0] for row in table.values()]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] > 0.05
    assert table["32 decays"][2] > 1e6
    assert all(row[3] <= int(name.split()[0]) for name, row in table.items())


def test_no_min_gru_learns_to_swing_and_a_gru_does(visit):
    page = visit(PAGE)
    table = page.locator("article table", has=page.locator("th", has_text="MinGRU, 3 layers"))
    worst = {}
    for row in table.locator("tbody tr").all():
        cells = row.locator("td").all_inner_texts()
        worst[row.locator("th").first.inner_text()] = [number(cell.split(" to ")[0]) for cell in cells[1:]]
    networks = [f"MinGRU, {n} layer{'s' * (n > 1)}" for n in (1, 3)]
    assert set(worst) == {*networks, "GRU, 1 layer"}
    assert all(worst[name][1] > 0.9 for name in networks)
    assert worst["GRU, 1 layer"][1] < 0.05


def test_euler_explodes_at_the_first_figures_step(visit):
    growth, limit = numbers(visit(PAGE), "So the spring of the first figure")
    assert growth == pytest.approx((1 - 0.05 + 0.25) ** 0.5, abs=1e-3)
    assert limit == 0.05


def test_the_wrong_rest_is_not_the_right_one(visit):
    solution = visit(PAGE).locator(".solution", has_text="not")
    values = solution.filter(has_text="steady force of 1").locator(".pasted-text").all_text_contents()
    right, wrong = (number(value) for value in values)
    assert right == 0.25
    assert abs(wrong - right) > 0.1


def test_detail_fades_in_legs_and_not_in_legt(visit):
    words = "Of the past’s size (root mean square) LegS misses"
    values = visit(PAGE).locator("article p", has_text=words).locator(".pasted-text")
    after_100, after_200, after_400, window = (
        number(value.rstrip("%")) for value in values.all_text_contents()
    )
    assert after_100 < after_200 < after_400
    assert window < after_400 / 2


def test_the_aliases_are_those_of_the_literature(visit):
    assert numbers(visit(PAGE), "The fastest pair turns with") == [1303, 1283, 97, 13, 21]


def test_the_way_back_has_three_witnesses(visit):
    table = rows(visit(PAGE), "rate")
    assert set(table) == {"rate", "frequency", "C_re", "C_im", "log_dt", "skip", "u"}
    assert max(loop for loop, _ in table.values()) < 1e-9
    assert max(slope for _, slope in table.values()) < 1e-6


def test_the_layer_finds_the_spring(visit):
    printed = visit(PAGE).locator(".cell_output pre", has_text="seed 0: λ").inner_text()
    found = re.findall(r"k = ([\d.]+), c = ([\d.]+)", printed)
    assert len(found) == 3
    for k, c in found:
        assert float(k) == pytest.approx(4, abs=0.01)
        assert float(c) == pytest.approx(0.2, abs=0.01)


def test_where_one_begins_decides(visit):
    lin, lin_worst, inv, inv_worst, real, _ = numbers(visit(PAGE), "Lin ends at")
    assert lin_worst < inv / 2
    assert inv_worst < real
    assert lin <= lin_worst


def test_who_has_no_list_answers_nothing(visit):
    page = visit(PAGE)
    table = page.locator("article table", has=page.locator("th", has_text="GRU, 48 units"))
    errors = [number(cell) for cell in table.locator("tbody tr td:last-child").all_inner_texts()[1:]]
    assert len(errors) == 2
    assert min(errors) > 0.95


def test_a_filter_cannot_choose(visit):
    page = visit(PAGE)

    def shares(words):
        values = page.locator("article p", has_text=words).locator(".pasted-text")
        return [number(value.rstrip("%")) for value in values.all_text_contents()]

    one, _, wide, _ = shares("At fixed places the filter makes no mistake")
    two, two_worst, longer, _, gated, gated_longer, single, _ = shares("With a second layer the wall is")
    assert min(one, wide) > 30
    assert gated < two <= two_worst < one
    assert gated_longer < longer
    assert gated < single
