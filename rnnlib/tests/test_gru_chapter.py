"""The chapter on the gated recurrent unit, in the built book (``jupyter-book build .``)."""

import re

import pytest

from rnnlib.tests.test_lstm_chapter import assert_they_lead_to_each_other, number, rows

PAGE = "book/gru.html"

pytestmark = pytest.mark.slow


def texts(page, first):
    """The table whose body begins with a row of this name: name -> texts of the cells."""
    name = page.locator("tbody tr:first-child th", has_text=re.compile(f"^{first}$"))
    table = page.locator("article table", has=name)
    assert table.count() == 1
    return {
        row.locator("th").first.inner_text(): row.locator("td").all_inner_texts()
        for row in table.locator("tbody tr").all()
    }


def test_questions_exercises_and_pictures_are_there(visit):
    page = visit(PAGE)
    assert page.locator(".quiz").count() >= 6
    exercises = page.locator(".exercise[id]")
    assert 8 <= exercises.count() <= page.locator(".solution").count()
    marks = " ".join(exercises.all_inner_texts())
    assert all(mark in marks for mark in ("●○○", "●●○", "●●●"))
    assert "Find the mistake" in marks
    names = "hold update state reset average cell limits worked worked-back bias switch"
    names += " learning majority remember"
    missing = [name for name in names.split() if page.locator(f"[id='gru-figure-{name}']").count() != 1]
    assert missing == []


def test_chapter_and_lab_lead_to_each_other(visit):
    assert_they_lead_to_each_other(visit, "gru", "04_gru")


def test_only_the_place_of_the_reset_gate_makes_another_model(visit):
    table = texts(visit(PAGE), "this course")
    assert len(table) >= 12
    for where in ("PyTorch, cuDNN, MXNet", "Keras", "Flax"):
        assert table[where][:2] == ["old", "after"]
    for who, (_, reset, _, _, result) in table.items():
        if reset == "after":
            assert result == "the same", who
        else:
            assert number(result.removeprefix("off by ")) > 0.05, who


def test_one_bias_for_two_leaves_what_the_reset_gate_moves(visit):
    table = rows(visit(PAGE), "unit 1")
    assert len(table) == 5
    for bias, moved, missing in table.values():
        assert missing == pytest.approx(abs(bias) * moved, abs=0.02)
    assert max(missing for *_, missing in table.values()) > 0.05


def test_a_gru_has_three_quarters_of_the_parameters_and_saves_time_where_it_is_wide(visit):
    table = {name: [cells[0], cells[1], cells[3]] for name, cells in texts(visit(PAGE), "16 units").items()}
    assert list(table) == ["16 units", "64 units", "256 units"]
    assert all(number(parameters) == pytest.approx(0.75, abs=0.02) for parameters, *_ in table.values())
    times = [number(time) for _, time, _ in table.values()]
    assert times[0] > times[2]


def test_the_gru_learns_first_on_both_tasks(visit):
    table = texts(visit(PAGE), "LSTM, bias 1, 14 units")
    span = {
        name: [[int(n) for n in cell.split(" to ")] for cell in cells[1:]] for name, cells in table.items()
    }
    lstm, gru = span["LSTM, bias 1, 14 units"], span["GRU, 16 units"]
    assert all(gru[task][-1] < lstm[task][0] for task in (0, 1))  # the slowest before the fastest
    sizes = [number(cells[0]) for cells in table.values()]
    assert max(sizes) < 1.02 * min(sizes)


def test_the_prices_are_judged_as_in_the_first_chapter(visit):
    prices = rows(visit(PAGE), "GRU, seed 0")
    assert list(prices) == [*(f"GRU, seed {seed}" for seed in range(3)), "last value"]
    assert prices["last value"] == rows(visit("book/rnn.html"), "seed 0")["last value"]


def test_who_remembers_what_offers_three_models(visit):
    figure = visit(PAGE).locator('figure.explore[data-explore="remember"]')
    said = figure.locator(".explore-say")
    shown = {}
    for name in ("RNN", "LSTM", "GRU"):
        figure.get_by_role("radio", name=name, exact=True).check()
        shown[name] = said.inner_text()
    assert len(set(shown.values())) == 3


def test_a_smaller_weight_counts_longer_and_none_for_ever(visit):
    table = texts(visit(PAGE), "LSTM")
    assert set(table.pop("LSTM")) == {"right"}
    large, small = table.values()
    assert large.count("right") < small.count("right") < len(small)


def test_a_control_shows_that_the_first_letter_counts_and_not_the_mark(visit):
    shares = [float(cells[0].rstrip("%")) for cells in texts(visit(PAGE), "the mark, first of all").values()]
    mark, letter, _, after_a_sentence = shares
    assert letter > mark / 2 > 50 * after_a_sentence
