"""The experiments of the chapter on Mamba, in the built book (``jupyter-book build .``)."""

import re

import pytest

from rnnlib.interop.mixer import TENSORS
from rnnlib.tests.test_gru_chapter import texts
from rnnlib.tests.test_lstm_chapter import rows

CHAPTER, PAGE = "book/mamba.html", "book/mamba_at_work.html"

pytestmark = pytest.mark.slow


def shares(text):
    """'2%, 10%' or '2% to 10%' -> [0.02, 0.1]."""
    return [float(share) / 100 for share in re.findall(r"(\d+)%", text)]


def printed(page, words):
    """What the one cell has printed that says these words, in one piece or in several."""
    outputs = page.locator("div.cell_output", has_text=words)
    assert outputs.count() == 1
    return "\n".join(outputs.locator("pre").all_inner_texts())


def test_the_figures_of_the_experiments_are_there(visit):
    page = visit(PAGE)
    names = "copying copy seven initial remember".split()
    assert [name for name in names if page.locator(f"[id='mamba-figure-{name}']").count() != 1] == []


def test_checkpoints_keep_a_small_part_of_what_storing_keeps(visit):
    table = rows(visit(CHAPTER), "256 steps")
    assert all(few < 0.1 * kept for kept, _, few, _ in table.values())
    _, peak, _, low = table["4,096 steps"]
    assert low < 0.5 * peak


def test_a_stream_can_be_cut_and_resumed(visit):
    text = printed(visit(CHAPTER), "cut in two and resumed")
    differences = re.findall(r"by (\S+)", text)
    assert len(differences) == 2
    assert all(float(difference) < 1e-12 for difference in differences)


def test_no_filter_names_what_networks_that_select_name(visit):
    table = texts(visit(PAGE), "LSTM")
    assert list(table) == ["LSTM", "GRU", "MinGRU, 2 layers", "Mamba", "one filter", "two filters"]
    on_24, on_192 = ({name: shares(cells[column]) for name, cells in table.items()} for column in (2, 5))
    assert max(on_24["Mamba"]) < min(on_24["one filter"])
    arrived, trained = table["Mamba"][1].split(" of ")
    assert trained == "7"
    assert 2 <= int(arrived) <= 6  # some do, some do not: which ones, depends on the processor's rounding
    assert min(on_192["one filter"] + on_192["two filters"]) > 0.5 > max(on_192["GRU"])


def test_a_layer_set_by_hand_finds_every_token_that_followed(visit):
    text = printed(visit(PAGE), "tokens: 0 of 200 wrong")
    found = re.findall(r"([\d,]+) tokens: (\d+) of \d+ wrong", text)
    assert found == [("64", "0"), ("1,000", "0"), ("20,000", "0")]


def test_the_published_format_gives_the_logits_of_transformers(visit):
    text = printed(visit(PAGE), "those of transformers differ")
    assert "read by hand: True" in text
    assert float(re.search(r"those of transformers differ by (\S+)", text)[1]) < 5e-7


def test_the_glossary_names_every_tensor(visit):
    table = texts(visit(PAGE), "T, steps")
    assert len(TENSORS) == 9 == sum(bool(cells[2]) for cells in table.values())
    for tensor in TENSORS:
        assert table[tensor.ours][1:] == [tensor.theirs, tensor.shape]
    assert table["skip"] == ["D", "D", "E"]


def test_prices_are_judged_as_in_the_first_chapter(visit):
    prices = rows(visit(PAGE), "Mamba, seed 0")
    assert list(prices) == [*(f"Mamba, seed {seed}" for seed in range(2)), "last value"]
    assert prices["last value"] == rows(visit("book/rnn.html"), "seed 0")["last value"]


def test_who_remembers_what_offers_two_models(visit):
    figure = visit(PAGE).locator('figure.explore[data-explore="remember"]')
    said = {}
    for name in ("MinGRU", "Mamba"):
        figure.get_by_role("radio", name=name, exact=True).check()
        said[name] = figure.locator(".explore-say").inner_text()
    assert said["MinGRU"] != said["Mamba"]
