"""The chapter on Mamba, in the built book (``jupyter-book build .``)."""

import re

import numpy as np
import pytest

from rnnlib.models.gradcheck import numerical_gradient, relative_error
from rnnlib.tests.test_lstm_chapter import assert_they_lead_to_each_other, number

PAGE = "book/mamba.html"

pytestmark = pytest.mark.slow


def paragraph(page, words):
    """The numbers that the page has put into the paragraph with these words; 13% is 13."""
    found = page.locator("article p", has_text=words)
    assert found.count() == 1
    return [number(value.rstrip("%")) for value in found.locator(".pasted-text").all_text_contents()]


def printed(page, words):
    """What the one cell has printed that says these words."""
    outputs = page.locator(".cell_output pre", has_text=words)
    assert outputs.count() == 1
    return outputs.inner_text()


def stepped(page, figure):
    """The sentences of a figure with steps, without their formulas."""
    return [text.replace("\xa0", " ") for text in page.locator(f"[id='{figure}'] li").all_text_contents()]


def test_questions_exercises_and_pictures_are_there(visit):
    page = visit(PAGE)
    assert page.locator(".quiz").count() >= 5
    pages = [page, visit("book/mamba_at_work.html")]  # one chapter on two pages
    exercises = [text for each in pages for text in each.locator(".exercise[id]").all_inner_texts()]
    assert 8 <= len(exercises) <= sum(each.locator(".solution").count() for each in pages)
    marks = " ".join(exercises)
    assert all(mark in marks for mark in ("●○○", "●●○", "●●●"))
    assert "Find the mistake" in marks
    names = "select selective kernel half-lives gate euler worked block conv worked-back step".split()
    missing = [name for name in names if page.locator(f"[id='mamba-figure-{name}']").count() != 1]
    assert missing == []


def test_the_lab_and_the_chapter_lead_to_each_other(visit):
    assert_they_lead_to_each_other(visit, "mamba", "06_mamba")


def test_one_height_for_all_bars_keeps_less_than_a_step_for_each(visit):
    one_height, blank, empty, selected, selected_blank = paragraph(visit(PAGE), "with the best single height")
    assert one_height == 2.7  # (13/14)¹³ / 14: the most of what came 13 steps before the end
    assert selected > 4 * one_height
    assert selected_blank < 15 < 50 < blank
    assert 25 < empty < 100 - blank


def test_a_selective_state_is_right_on_the_four_streams(visit):
    page = visit(PAGE)
    assert page.locator(".cell_output pre", has_text="['q', 'p', 'q', 'p']").count() == 1
    assert page.locator(".cell_output pre", has_text="50 of 50 streams of 1,000 places").count() == 1


def test_new_half_lives_reach_from_below_one_step_to_hundreds(visit):
    low, high = paragraph(visit(PAGE), "A new network has half-lives")
    assert low < 1
    assert 400 < high < 694  # ln 2 / 0.001


def test_with_the_hold_it_is_the_gate_of_min_gru_and_with_euler_it_is_not(visit):
    page = visit(PAGE)
    hold, euler = re.findall(r"by ([\d.e+-]+\d)", printed(page, "off MinGRU's states"))
    assert float(hold) < 1e-12
    assert float(euler) > 1
    assert paragraph(page, "Kept and new add up to 1") == [0.54]  # ln(e − 1)


def test_euler_is_nearly_right_in_the_median_and_off_where_it_is_worst(visit):
    median, worst, share, *_ = paragraph(visit(PAGE), "In a new layer the factor is")
    assert 1 < median < 1.1 < worst < 2.2
    assert 10 < share < 60


def test_every_way_to_compute_the_scan_gives_the_same(visit):
    page = visit(PAGE)
    texts = printed(page, "our loop and the sum differ"), printed(page, "loop and scan differ")
    differences = re.findall(r"differ by ([\d.e+-]+)", " ".join(texts))
    assert len(differences) == 3
    assert all(float(difference) < 1e-12 for difference in differences)


def test_the_worked_example_gives_the_numbers_of_the_table(visit):
    page = visit(PAGE)
    forward, back = (
        " ".join(stepped(page, "mamba-figure-worked")),
        " ".join(stepped(page, "mamba-figure-worked-back")),
    )
    for text in ("(0.25, 0.0625)", "= (4, 8)", "= (−2, 6)", "(−2, 6) · (2, 1) = 2"):
        assert text in forward
    for text in ("= (2, 1)", "= (1, 0.25)", "= (0.25, 0.0156)", "= 4.455", "= −9.545", "= (−8, −4)"):
        assert text in back


def test_an_input_is_not_seen_before_it_comes(visit):
    assert "[ 7  8  9 10]" in printed(visit(PAGE), "a change of p_7")


def test_no_filter_names_the_second_token_of_all_four_streams():
    """For any readout, the scores of the four streams, with these signs, add up to 0."""
    streams = ["-pqr", "-qpr", "rqp-", "rpq-"]
    one_hot = np.array([[np.eye(4)["-pqr".index(token)] for token in stream] for stream in streams])
    kernels = np.random.default_rng(0).standard_normal((10_000, 4, 4))
    scores = np.array([1, -1, 1, -1]) * np.einsum("stv,ktv->ks", one_hot, kernels)
    assert np.abs(scores.sum(axis=1)).max() < 1e-13
    assert (scores > 0).sum(axis=1).max() == 3


def test_the_gradients_of_the_hold_are_those_of_the_exercise():
    rng = np.random.default_rng(0)
    delta, A = rng.uniform(0.1, 2, (7, 3)), -rng.uniform(0.5, 2, (3, 4))
    u, Bs, Cs = (rng.standard_normal(size) for size in ((7, 3), (7, 4), (7, 4)))

    def run():
        h, states, total = np.zeros_like(A), [np.zeros_like(A)], 0
        for t in range(len(u)):
            keep = np.exp(delta[t][:, None] * A)
            h = keep * h + (keep - 1) / A * Bs[t] * u[t][:, None]
            states.append(h)
            total += (h @ Cs[t]).sum()
        return total, states

    _, states = run()
    d_delta, du, dh = np.empty_like(delta), np.empty_like(u), np.zeros_like(A)
    for t in reversed(range(len(u))):
        keep = np.exp(delta[t][:, None] * A)
        dh = dh + Cs[t]
        forgotten, let_in = (dh * keep * states[t] * A).sum(axis=1), (dh * keep * Bs[t]).sum(axis=1) * u[t]
        d_delta[t], du[t] = forgotten + let_in, (dh * (keep - 1) / A * Bs[t]).sum(axis=1)
        dh = keep * dh
    assert relative_error(d_delta, numerical_gradient(lambda: run()[0], delta)) < 1e-7
    assert relative_error(du, numerical_gradient(lambda: run()[0], u)) < 1e-7


def test_gradients_equal_their_difference_quotients(visit):
    page = visit(PAGE)
    errors = re.findall(r"\S+ (\d\S*)", printed(page, "h_0"))
    assert len(errors) == 6
    assert max(float(error) for error in errors) < 1e-7
    (largest,) = page.locator("article p", has_text="The derivation holds").locator(".pasted-text").all()
    assert number(largest.inner_text()) < 1e-6
