"""Models that read a novel and guess each next letter: a small one of each kind, and counting beside them.

``python -m rnnlib text`` trains them; the package ships what it wrote, see :func:`shipped`.
"""

import time
from importlib import resources

import numpy as np
from threadpoolctl import threadpool_limits

from rnnlib.data import text
from rnnlib.models.sequence_model import SequenceModel
from rnnlib.training.checkpoint import load, save
from rnnlib.training.fit import fit, predict
from rnnlib.training.losses import cross_entropy

#: One layer of each kind, as wide as some 42,000 weights allow.
MODELS = {
    "rnn": {"hidden_size": 112},
    "lstm": {"hidden_size": 64},
    "gru": {"hidden_size": 72},
    "min_gru": {"hidden_size": 112},
    "mamba": {"hidden_size": 66, "d_state": 8},
}
T = 128  # letters in a sequence
STEPS = 100  # optimizer steps between two validations


def parts():
    """The novel's first 90, next 5 and last 5 percent.

    Returns:
        (train, validation, test, alphabet): letters as numbers from 0 to V − 1, and the V
        characters that they stand for.
    """
    ids, alphabet = text.encode(text.load())
    return *np.split(ids, [len(ids) * 90 // 100, len(ids) * 95 // 100]), alphabet


def sequences(ids, starts, V):
    """T letters from each start, and what they are followed by.

    Args:
        ids: letters as numbers from 0 to V − 1, (N,).
        starts: where each sequence begins, (n,), at most N − T − 1.
        V: how many letters there are.

    Returns:
        (x, y): x (n, T, V) float32, one-hot; y (n, T), the same letters one step later.
    """
    letters = ids[starts[:, None] + np.arange(T + 1)]
    return np.eye(V, dtype=np.float32)[letters[:, :-1]], letters[:, 1:]


def train(kind, *, epochs=20, batch_size=16, lr=0.02, seed=0):
    """Train one model on sequences from random places of the novel, with a step length that falls to zero.

    Args:
        kind: a key of ``MODELS``.
        epochs: each has ``STEPS`` optimizer steps.
        batch_size: sequences in a step.
        lr: Adam's step length in the first epoch.
        seed: for the weights and the places.

    Returns:
        (model, extra): a SequenceModel that maps one-hot letters (B, T, V) to the logits of the
        next ones; and a dict with the ``alphabet``, V characters, and the ``bits`` a letter in the
        test part, whose sequences all begin with a state of zero.
    """
    ids, *held_out, alphabet = parts()
    V = len(alphabet)
    validation, test = (sequences(part, np.arange(0, len(part) - T, T), V) for part in held_out)
    weights_rng, places_rng = np.random.default_rng(seed).spawn(2)
    model = SequenceModel(kind, V, output_size=V, readout="every", rng=weights_rng, **MODELS[kind])

    def batches(rng):
        return (sequences(ids, rng.integers(0, len(ids) - T, batch_size), V) for _ in range(STEPS))

    def slow_down(training):
        training.optimizer.lr = lr * (1 - len(training.history.train_loss) / epochs)

    settings = {"epochs": epochs, "patience": epochs, "lr": lr, "rng": places_rng, "progress": False}
    with threadpool_limits(1):
        fit(model, batches, validation, loss="cross_entropy", after_epoch=slow_down, **settings)
        loss, _ = cross_entropy(predict(model, test[0]), test[1])
    return model, {"alphabet": alphabet, "bits": float(loss / np.log(2))}


def train_and_save(folder, kind):
    """Train a model and write text_KIND.safetensors.

    Returns:
        ((bits a letter, weights, CPU seconds), failure): failure is the OSError if the file could not
        be written, and None if it was: the minutes of work are not lost with it.
    """
    start = time.process_time()
    model, extra = train(kind)
    weights = sum(p.size for p in model.params.values())
    try:
        save(folder / f"text_{kind}.safetensors", model, **extra)
        failure = None
    except OSError as error:
        failure = error
    return (extra["bits"], weights, time.process_time() - start), failure


def shipped(kind):
    """The model of that kind that comes with the package: (model, extra), as ``train`` returned it.

    Raises:
        ValueError: there is none of this kind.
    """
    if kind not in MODELS:
        raise ValueError(f"unknown model {kind!r}: choose one of {', '.join(MODELS)}")
    return load(resources.files("rnnlib.data") / "files" / f"text_{kind}.safetensors")


def sample(model, alphabet, start, length, rng, temperature=1.0):
    """What the model writes after ``start``: letter by letter, and each is its next input.

    Args:
        model: maps one-hot letters (B, T, V) to the logits of the next ones, as ``shipped`` returns it.
        alphabet: its V characters.
        start: the text that it reads first, one character or more.
        length: how many characters it writes, from 0 on.
        rng: ``numpy.random.Generator`` or a seed, for the draws.
        temperature: a letter is drawn from softmax(logits / temperature), so 1 is the model as it
            was trained, and less keeps it to what it thinks likely; 0 takes the likeliest letter.

    Returns:
        The text that comes after ``start``, a string of ``length`` characters.

    Raises:
        ValueError: ``start`` is empty or holds a character that is not in the alphabet, or the
            temperature is below 0.
    """
    if not start:
        raise ValueError("start must hold one character or more")
    if strange := sorted(set(start) - set(alphabet)):
        raise ValueError(f"start must hold characters of the alphabet alone, not {''.join(strange)!r}")
    if not temperature >= 0:
        raise ValueError(f"temperature must be a number from 0 on, got {temperature}")
    rng, V = np.random.default_rng(rng), len(alphabet)
    one_hot = dict(zip(alphabet, np.eye(V, dtype=np.float32)[:, None], strict=True))  # each (1, V)
    *before, letter = start
    written, state = "", None
    for earlier in before:
        _, state = model.step(one_hot[earlier], state)
    for _ in range(length):
        logits, state = model.step(one_hot[letter], state)
        scores = logits[0].astype(np.float64)
        if temperature == 0:
            letter = alphabet[scores.argmax()]
        else:
            p = np.exp((scores - scores.max()) / temperature)
            letter = alphabet[rng.choice(V, p=p / p.sum())]
        written += letter
    return written


def bits_by_counting(context):
    """Bits a letter in the test part without any network: what followed the same letters in training?

    p(letter | n letters before) = (count + p(letter | n − 1 letters before)) / (total + 1), and
    without a count every letter is as likely as the other.

    Args:
        context: how many letters before are looked at, from 0 on.
    """
    ids, _, test, alphabet = parts()
    V = len(alphabet)
    p = 1 / V
    for n in range(context + 1):
        counts = np.bincount(_runs(ids, n + 1, V), minlength=V ** (n + 1)).reshape(-1, V)
        before, letter = np.divmod(_runs(test, n + 1, V)[context - n :], V)
        p = (counts[before, letter] + p) / (counts.sum(axis=1)[before] + 1)
    return float(-np.log2(p).mean())


def _runs(ids, n, V):
    """Every run of n letters as one number with the letters as its digits."""
    return sum(ids[k : len(ids) - n + 1 + k] * V ** (n - 1 - k) for k in range(n))
