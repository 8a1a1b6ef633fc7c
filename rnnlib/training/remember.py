"""*Who remembers what*, the book's figure of every model on the same sentence."""

import html
import math
import re

import numpy as np

from rnnlib.models.influence import influence
from rnnlib.models.registry import MODELS
from rnnlib.tools.explore import Explorable
from rnnlib.training.text import shipped

#: From the test part of the novel. An open quotation mark, a name, long words: much to remember.
SENTENCE = '"Have you any other objection," said Elizabeth, "than your belief of my indifference?"'
START = SENTENCE.index("ifference")  # the letter that is looked at first

#: Letters worth a look: what a button says, and where it leads.
CASES = {
    "inside a word": SENTENCE.index("zabeth"),
    "a word begins": SENTENCE.index("belief"),
    "a quotation ends": SENTENCE.index('" said'),
}

UNITS = 10_000  # the influence of a row's strongest letter: small whole numbers keep the page light

CELL, HEIGHT, COLUMNS = 12, 26, 29  # of the still picture, which fits a phone


def remember(kinds, start=START):
    """The figure: point at a letter, and the earlier ones shine by their influence on the model's next guess.

    Args:
        kinds: names of models, such as ``["rnn", "lstm"]``. With more than one the reader chooses;
            the last is shown first.
        start: index of the letter that is shown first, and on paper.

    Returns:
        An ``Explorable``. In a chapter it is the last line of a cell.
    """
    models = [_measured(kind) for kind in kinds]
    data = {"sentence": SENTENCE, "start": start, "cases": CASES, "models": models}
    alt = (
        f"A sentence of {len(SENTENCE)} letters, read as far as letter {start + 1}, {SENTENCE[start]}. The "
        f"redder a letter, the more it counts for the next letter that {models[-1]['name']} expects."
    )
    still = _still(models[-1]["influence"][start], start)
    return Explorable("remember", data, alt, still=still, script="remember.js")


def _measured(kind):
    """What the figure shows of one model: influence row by row, and its three best guesses at each letter.

    Influence is in whole units, UNITS of them for the row's strongest letter. No share of a row's
    sum changes by more than T / (2 UNITS), 0.43%: each of at most T numbers moves by half a unit
    at most, and their sum is UNITS or more.
    """
    J, p, alphabet = reading(kind)
    rows = [J[t, : t + 1] for t in range(len(J))]
    return {
        "name": MODELS[kind].layer.__name__,
        "influence": [np.rint(UNITS * row / row.max()).astype(int) for row in rows],
        "guesses": [[[alphabet[i], round(row[i], 3)] for i in np.argsort(-row)[:3]] for row in p],
    }


def reading(kind):
    """The shipped model of this kind reads the sentence, from a state of zero.

    Returns:
        (J, p, alphabet): its influence (T, T), see :func:`rnnlib.models.influence.influence`; its
        probabilities of the next letter (T, V); and the V characters.
    """
    model, extra = shipped(kind)
    alphabet = extra["alphabet"]
    x = np.eye(len(alphabet), dtype=np.float32)[[alphabet.index(letter) for letter in SENTENCE]]
    logits, _ = model.forward(x[None])
    p = np.exp(logits[0].astype(np.float64))
    return influence(model, x), p / p.sum(axis=1, keepdims=True), alphabet


def _still(row, t):
    """The picture without JavaScript, an SVG text: every letter a cell, as in remember.js."""
    cells, line, column = [], 0, 0
    for word in re.findall(r"\S+\s*", SENTENCE):
        if column + len(word.rstrip()) > COLUMNS:
            line, column = line + 1, 0
        cells += [(CELL * (column + i), HEIGHT * line) for i in range(len(word))]
        column += len(word)
    parts, future = [], ' class="quiet"'
    for k, (letter, (x, y)) in enumerate(zip(SENTENCE, cells, strict=True)):
        if k <= t:  # the strongest has 55% red, and what is below a thousandth of it none
            share = 55 * (1 + math.log10(max(row[k] / max(row), 1e-3)) / 3)
            fill = f"color-mix(in srgb, var(--explore-grad) {share:.0f}%, var(--explore-ground))"
            frame = ' stroke="var(--explore-ink)" stroke-width="2"' if k == t else ""
            parts.append(
                f'<rect x="{x}" y="{y}" width="{CELL}" height="{HEIGHT - 4}" style="fill: {fill}"{frame}/>'
            )
        parts.append(
            f'<text x="{x + CELL / 2}" y="{y + 16}" font-family="monospace" font-size="16" '
            f'text-anchor="middle"{future if k > t else ""}>{html.escape(letter)}</text>'
        )
    return f'<svg viewBox="-1 -1 {COLUMNS * CELL + 2} {HEIGHT * (line + 1)}">{"".join(parts)}</svg>'
