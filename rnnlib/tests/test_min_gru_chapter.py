"""The chapter on the minimal gated recurrent unit, in the built book (``jupyter-book build .``)."""

import re

import pytest

from rnnlib.tests.test_gru_chapter import texts
from rnnlib.tests.test_lstm_chapter import number, rows

PAGE = "book/min_gru.html"

pytestmark = pytest.mark.slow


def share(text):
    """12% -> 0.12."""
    return float(text.rstrip("%")) / 100


def test_questions_exercises_and_pictures_are_there(visit):
    page = visit(PAGE)
    assert page.locator(".quiz").count() >= 6
    exercises = page.locator(".exercise[id]")
    assert 8 <= exercises.count() <= page.locator(".solution").count()
    marks = " ".join(exercises.all_inner_texts())
    assert all(mark in marks for mark in ("●○○", "●●○", "●●●"))
    assert "Find the mistake" in marks
    names = "wait bends gates line cell limits parity learnt g worked worked-back bias price copying"
    names += " remember counter"
    missing = [name for name in names.split() if page.locator(f"[id='min-gru-figure-{name}']").count() != 1]
    assert missing == []


def test_chapter_leads_to_the_first_exercises_of_the_lab(visit):
    page = visit(PAGE)
    links = page.locator("article a[href*='05_min_gru.html#']").all()
    links = {link.get_attribute("href").split("#")[1] for link in links}
    assert {re.match(r"exercise-5-?(\d)", link)[1] for link in links} >= set("128")
    lab = visit("labs/05_min_gru.html")
    assert links <= set(lab.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)"))


def test_the_switch_takes_a_round_for_every_press_and_a_new_gru_few(visit):
    table = rows(visit(PAGE), "10 steps")
    assert list(table) == ["10 steps", "100 steps", "1,000 steps"]
    for new, switch, presses in table.values():
        assert new < 12
        assert switch == presses
    assert table["1,000 steps"][2] > 400


def test_logarithms_last_where_division_ends_and_the_loop_is_nearest(visit):
    table = texts(visit(PAGE), "division, float32")
    ends = {name: cells[0] for name, cells in table.items()}
    assert {name for name, end in ends.items() if end == "none"} == {
        f"{way}, {precision}" for way in ("logarithms", "loop") for precision in ("float32", "float64")
    }
    first = [
        number(ends[f"division, {precision}"].removeprefix("step ")) for precision in ("float32", "float64")
    ]
    assert first[0] < first[1] < 2000
    for precision in ("float32", "float64"):
        logarithms, loop = (number(table[f"{way}, {precision}"][1]) for way in ("logarithms", "loop"))
        assert loop < logarithms / 2


def test_gradients_of_both_modes_agree_with_numerical_ones(visit):
    table = rows(visit(PAGE), "x")
    assert list(table) == ["x", "h0", "W_x", "b"]
    assert max(max(errors) for errors in table.values()) < 1e-7


def test_training_finds_with_two_layers_what_it_does_not_find_with_one(visit):
    table = texts(visit(PAGE), "GRU")
    wrong = {name: [share(part) for part in cells[1].split(" to ")] for name, cells in table.items()}
    assert min(wrong["1 layer"][0], wrong["1 layer, log"][0]) > 2 * max(
        wrong[name][-1] for name in ("GRU", "2 layers", "2 layers, log")
    )
    sizes = [number(cells[0]) for cells in table.values()]
    assert sizes[0] == max(sizes)  # nobody has more parameters than the GRU


def test_one_layer_set_by_hand_copies_without_a_mistake(visit):
    text = visit(PAGE).locator("article").inner_text()
    found = re.findall(r"among +([\d,]+) steps: (\d+) of (\d+) signs wrong", text)
    assert [steps for steps, _, _ in found] == ["12", "2,000"]
    assert all(wrong == "0" and int(asked) >= 500 for _, wrong, asked in found)


def test_the_prices_are_judged_as_in_the_first_chapter(visit):
    prices = rows(visit(PAGE), "MinGRU, seed 0")
    assert list(prices) == [*(f"MinGRU, seed {seed}" for seed in range(3)), "last value"]
    assert prices["last value"] == rows(visit("book/rnn.html"), "seed 0")["last value"]


def test_who_remembers_what_offers_four_models(visit):
    figure = visit(PAGE).locator('figure.explore[data-explore="remember"]')
    said = figure.locator(".explore-say")
    shown = {}
    for name in ("RNN", "LSTM", "GRU", "MinGRU"):
        figure.get_by_role("radio", name=name, exact=True).check()
        shown[name] = said.inner_text()
    assert len(set(shown.values())) == 4


def test_what_the_page_prints_of_itself_is_what_its_text_says(visit):
    text = visit(PAGE).locator("article").inner_text()
    assert "right answers over 20 streams of 10,000 steps: 100%" in text
    assert re.search(r"our loop and the library differ by [0-9]e-1[4-9]|differ by 0e\+00", text)
    space, letter = (
        float(re.search(rf"a far {what} replaced: +([0-9.]+)%", text)[1]) for what in ("space", "letter")
    )
    assert space > 1.5 * letter
