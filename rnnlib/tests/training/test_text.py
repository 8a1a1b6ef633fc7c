"""Small models of a novel's letters: those that are shipped, how they came about, and counting."""

from importlib import resources

import numpy as np
import pytest

from rnnlib.training import text
from rnnlib.training.fit import predict
from rnnlib.training.losses import cross_entropy

kinds = pytest.mark.parametrize("kind", text.MODELS)


def test_sequences_are_followed_by_their_next_letters():
    ids = np.arange(500) % 7
    x, y = text.sequences(ids, np.array([0, 3]), 7)
    assert x.shape == (2, text.T, 7)
    assert (x.sum(axis=-1) == 1).all()
    assert x[1].argmax(axis=-1)[:5].tolist() == [3, 4, 5, 6, 0]
    assert y[1, :5].tolist() == [4, 5, 6, 0, 1]


def test_the_parts_are_the_novel_in_its_order():
    train, validation, test, alphabet = text.parts()
    novel = "".join(alphabet[i] for i in np.concatenate([train, validation, test]))
    assert novel == text.text.load()
    assert [round(len(part) / len(novel), 3) for part in (train, validation, test)] == [0.9, 0.05, 0.05]


def test_counting(monkeypatch):
    train, test = np.array([0, 1, 0, 1, 0, 0]), np.array([0, 1, 1])
    monkeypatch.setattr(text, "parts", lambda: (train, test, test, "ab"))
    alone = np.array([4 + 0.5, 2 + 0.5]) / 7  # 4 a and 2 b, and one letter that may be either
    assert text.bits_by_counting(0) == pytest.approx(-np.log2(alone[[0, 1, 1]]).mean())
    pairs = np.array([[1 + alone[0], 2 + alone[1]], [2 + alone[0], 0 + alone[1]]]) / [[4], [3]]
    assert text.bits_by_counting(1) == pytest.approx(-np.log2([pairs[0, 1], pairs[1, 1]]).mean())


@kinds
def test_shipped_models_are_small_and_of_one_size(kind):
    model, _ = text.shipped(kind)
    assert sum(p.size for p in model.params.values()) == pytest.approx(42_300, rel=0.02)
    file = resources.files("rnnlib.data") / "files" / f"text_{kind}.safetensors"
    assert len(file.read_bytes()) < 200_000
    assert model.config["kind"] == kind


def test_an_unknown_model_is_named():
    with pytest.raises(ValueError, match="unknown model 'tree'"):
        text.shipped("tree")


@kinds
def test_a_model_writes(kind):
    model, extra = text.shipped(kind)
    alphabet = extra["alphabet"]
    written = text.sample(model, alphabet, "Mr. Darcy", 60, rng=3)
    assert len(written) == 60
    assert set(written) <= set(alphabet)
    assert written == text.sample(model, alphabet, "Mr. Darcy", 60, rng=np.random.default_rng(3))
    assert written != text.sample(model, alphabet, "Mr. Darcy", 60, rng=4)
    assert text.sample(model, alphabet, "Mr. Darcy", 0, rng=3) == ""


@kinds
def test_the_likeliest_letter_is_that_of_the_whole_text_so_far(kind):
    model, extra = text.shipped(kind)
    alphabet = extra["alphabet"]
    coldest = text.sample(model, alphabet, "Elizabeth s", 12, rng=0, temperature=0)
    assert coldest == text.sample(model, alphabet, "Elizabeth s", 12, rng=1, temperature=1e-4)
    ids = [alphabet.index(letter) for letter in "Elizabeth s" + coldest]
    logits, _ = model.forward(np.eye(len(alphabet), dtype=np.float32)[ids][None])
    assert "".join(alphabet[i] for i in logits[0, -13:-1].argmax(axis=-1)) == coldest


class Constant:
    """A model whose logits are always the same, (V,)."""

    def __init__(self, p):
        self.logits = np.log(p)

    def step(self, x_t, state=None):
        assert x_t.shape == (1, len(self.logits))
        return self.logits[None], None


@pytest.mark.parametrize(("temperature", "expected"), [(1.0, [0.8, 0.2]), (0.5, [16 / 17, 1 / 17])])
def test_letters_are_drawn_as_often_as_the_model_says(temperature, expected):
    written = text.sample(Constant([0.8, 0.2]), "ab", "b", 4000, rng=0, temperature=temperature)
    assert [written.count(letter) / 4000 for letter in "ab"] == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize(
    ("start", "temperature", "message"),
    [
        ("", 1.0, "start must hold one character or more"),
        ("a€b#", 1.0, "start must hold characters of the alphabet alone, not '#€'"),
        ("ab", -1.0, "temperature must be a number from 0 on, got -1.0"),
        ("ab", float("nan"), "temperature must be a number from 0 on, got nan"),
    ],
)
def test_what_cannot_be_continued_is_told(start, temperature, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        text.sample(Constant([0.5, 0.5]), "ab", start, 5, rng=0, temperature=temperature)


@pytest.mark.slow
@kinds
def test_a_shipped_model_guesses_as_well_as_its_file_says(kind):
    model, extra = text.shipped(kind)
    _, _, test, alphabet = text.parts()
    assert extra["alphabet"] == alphabet
    x, y = text.sequences(test, np.arange(0, len(test) - text.T, text.T), len(alphabet))
    loss, _ = cross_entropy(predict(model, x), y)
    assert loss / np.log(2) == pytest.approx(extra["bits"], abs=1e-4)
    assert extra["bits"] < text.bits_by_counting(2)


@pytest.mark.slow
def test_a_shipped_model_can_be_trained_again():
    bits = text.shipped("rnn")[1]["bits"]
    assert text.train("rnn")[1]["bits"] == pytest.approx(bits, abs=0.03)  # processors round differently
