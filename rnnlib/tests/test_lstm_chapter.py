"""The chapter on the long short-term memory, in the built book (``jupyter-book build .``)."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = "book/lstm.html"

pytestmark = pytest.mark.slow


def number(text):
    """A number as the book prints it: with a minus sign, or as a power of ten."""
    text = text.replace("−", "-").replace(",", "")
    power = re.fullmatch(r"(.+?)\s*[·×]\s*10(-?\d+)", text)
    return float(power[1]) * 10 ** int(power[2]) if power else float(text)


def rows(page, first):
    """The table whose first row of the body has this name: name -> numbers."""
    name = page.locator("tbody th", has_text=re.compile(f"^{first}$"))
    table = page.locator("article table", has=name).first
    return {
        row.locator("th").first.inner_text(): [number(cell) for cell in row.locator("td").all_inner_texts()]
        for row in table.locator("tbody tr").all()
    }


def test_questions_exercises_and_pictures_are_there(visit):
    page = visit(PAGE)
    assert page.locator(".quiz").count() >= 5
    exercises = page.locator(".exercise[id]")
    assert 8 <= exercises.count() <= page.locator(".solution").count()
    marks = " ".join(exercises.all_inner_texts())
    assert all(mark in marks for mark in ("●○○", "●●○", "●●●"))
    assert "Find the mistake" in marks


def assert_they_lead_to_each_other(visit, chapter, lab):
    """Every exercise is linked from the chapter, and each link, there and back, has an end.

    Args:
        chapter: such as "lstm".
        lab: such as "03_lstm".
    """

    def ids(page):
        return set(page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)"))

    page = visit(f"book/{chapter}.html")
    sections = ids(page)
    links = page.locator(f"article a[href*='{lab}.html#']").all()
    links = [link.get_attribute("href").split("#")[1] for link in links]
    assert set(links) <= ids(visit(f"labs/{lab}.html"))
    exercises = {link for link in links if link.startswith("exercise")}
    number = int(lab[:2])
    assert {re.match(rf"exercise-{number}-?(\d)", link)[1] for link in exercises} == set("12345678")
    notebook = json.loads((ROOT / "labs_solutions" / f"{lab}.ipynb").read_text(encoding="utf-8"))
    text = "".join(line for cell in notebook["cells"] for line in cell["source"])
    wanted = set(re.findall(rf"{chapter}\.md#([\w-]+)", text))
    assert wanted
    assert wanted <= sections


def test_chapter_and_lab_lead_to_each_other(visit):
    assert_they_lead_to_each_other(visit, "lstm", "03_lstm")


def test_the_lstm_answers_what_no_cheap_way_out_does(visit):
    page = visit(PAGE)
    tables = page.locator("article table", has=page.locator("th", has_text="LSTM, 16 units"))
    assert tables.count() == 1
    names = tables.locator("tbody th").all_inner_texts()
    worst = [number(row.locator("td").last.inner_text()) for row in tables.locator("tbody tr").all()]
    errors = dict(zip(names, worst, strict=True))
    assert len(errors) == 6
    assert errors.pop("LSTM, 16 units") < 0.005 < 0.01 < min(errors.values())


def test_the_prices_stand_beside_those_of_the_plain_network(visit):
    prices = rows(visit(PAGE), "RNN, seed 0")
    networks = [f"{kind}, seed {seed}" for kind in ("RNN", "LSTM") for seed in range(3)]
    assert list(prices) == [*networks, "last value"]
    before = rows(visit("book/rnn.html"), "seed 0")
    assert prices["last value"] == before["last value"]
    for seed in range(3):
        assert prices[f"RNN, seed {seed}"] == pytest.approx(before[f"seed {seed}"], abs=2e-4)


def test_who_remembers_what_offers_both_models(visit):
    figure = visit(PAGE).locator('figure.explore[data-explore="remember"]')
    said = figure.locator(".explore-say")
    shown = {}
    for name in ("RNN", "LSTM"):
        figure.get_by_role("radio", name=name, exact=True).check()
        shown[name] = said.inner_text()
    assert shown["RNN"] != shown["LSTM"]
