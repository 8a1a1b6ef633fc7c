"""The chapter on the scan, in the built book (``jupyter-book build .``)."""

import re

import pytest

from rnnlib.tests.test_lstm_chapter import number, rows

PAGE = "book/scan.html"

pytestmark = pytest.mark.slow


def paragraph(page, words):
    """The numbers that the page has put into the paragraph with these words."""
    found = page.locator("article p", has_text=words)
    assert found.count() == 1
    return [number(value) for value in found.locator(".pasted-text").all_text_contents()]


def test_questions_exercises_and_pictures_are_there(visit):
    page = visit(PAGE)
    assert page.locator(".quiz").count() >= 5
    exercises = page.locator(".exercise[id]")
    assert 8 <= exercises.count() <= page.locator(".solution").count()
    marks = " ".join(exercises.all_inner_texts())
    assert all(mark in marks for mark in ("●○○", "●●○", "●●●"))
    assert "Find the mistake" in marks
    names = "race combine hillis blelloch chunks work workers time errors".split()
    missing = [name for name in names if page.locator(f"[id='scan-figure-{name}']").count() != 1]
    assert missing == []


def test_every_exercise_of_the_lab_on_the_scan_is_linked_and_there(visit):
    links = visit(PAGE).locator("article a[href*='05_min_gru.html#']").all()
    ends = {link.get_attribute("href").split("#")[1] for link in links}
    there = visit("labs/05_min_gru.html").evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert ends <= set(there)
    assert {found[1] for end in ends if (found := re.match(r"exercise-5-?(\d)", end))} == set("34567")


def test_scanned_texts_can_be_read(visit):
    outputs = visit(PAGE).locator(".cell_output pre", has_text="one thing").all_inner_texts()
    lines = [line for output in outputs for line in output.strip("\n").split("\n")]
    inclusive = "o · on · one · one thing · one thing after the other"
    assert lines.count(inclusive) == 4  # loop, Hillis and Steele, Blelloch, chunks
    assert sorted({*lines} - {inclusive}) == [" · o · on · one thin · one thing after the othe"]


def test_depth_and_work_are_those_of_the_formulas(visit):
    table = visit(PAGE).locator("article table", has_text="work")
    cells = [cell.replace("\xa0", " ").split("\n") for cell in table.locator("tbody td").all_inner_texts()]
    hillis, chunks = 10 * 1000 - 1023, 2 * 32 * 32 - 2 * 32
    assert [number(count) for count, _ in cells] == [999, 999, 10, hillis, 20, 2 * 1023, 63, chunks]
    assert [formula for _, formula in cells][2:6] == [
        "⌈log₂ T⌉",
        "T⌈log₂ T⌉ − n + 1",
        "2 log₂ n",
        "2 (n − 1)",
    ]


def test_who_is_fastest_depends_on_the_workers(visit):
    numbers = paragraph(visit(PAGE), "One worker: the loop")
    halves, bound, tree, doubling, *_, chunks_from, tree_from, doubling_from, fewest = numbers[:-3]
    assert bound == 666 < halves == 750 < 999 < tree < doubling / 4
    assert chunks_from == 2 < tree_from < doubling_from
    assert fewest == 10
    assert numbers[-3:] == [17, 22, 37]  # 256 workers: Ladner and Fischer, the tree, doubling distances


def test_the_fewest_rounds_do_not_cost_a_logarithm(visit):
    counted = visit(PAGE).locator(".cell_output pre", has_text="1,000 steps: 10 rounds, 3,389 joins")
    assert counted.count() == 1


def test_two_workers_reach_the_bound_in_thirds(visit):
    assert paragraph(visit(PAGE), "Worker 1 runs through the first third") == [666, 750]


def test_a_scan_wins_where_steps_are_narrow_and_loses_where_they_are_wide(visit):
    narrow, long, chunks, doubling = paragraph(visit(PAGE), "Where a step is narrow, a scan wins")
    assert narrow >= 2
    assert long > 3
    assert chunks >= 1
    assert doubling > 2


def test_cumulative_logarithms_lose_digits_that_pairs_keep(visit):
    cumulative, pairs, log_product, spacing = paragraph(visit(PAGE), "In logarithms the cumulative formula")
    assert cumulative > 20 * pairs
    assert cumulative > spacing / 4
    assert log_product < -500


def test_the_cumulative_product_ends_where_one_half_to_that_power_does(visit):
    assert paragraph(visit(PAGE), "It is perfect, and then it is dead") == [1023]


def test_gradients_equal_their_difference_quotients(visit):
    table = rows(visit(PAGE), "step 1")
    assert table == {
        "step 1": [0.5, 4, 5, 1, 2],
        "step 2": [2, -1, 9, 0.5, 2.5],
        "step 3": [0.5, 3, 7.5, 1, 9],
    }
    assert paragraph(visit(PAGE), "to their difference quotients") == [13 + 13 + 1]
