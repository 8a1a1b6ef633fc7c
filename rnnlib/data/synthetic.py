"""Synthetic tasks: sequences made from a seed, as many as you like, with known answers."""

import numpy as np


def adding(n, T=100, rng=None):
    """Adding problem (Hochreiter and Schmidhuber 1997; with numbers from 0 to 1 as Le et al. 2015).

    Two of T random numbers are marked, here one in each half: what is their sum? Whoever always
    answers 1 has a mean squared error of 1/6.

    Args:
        n: number of sequences.
        T: steps, at least 2.
        rng: ``numpy.random.Generator`` or a seed.

    Returns:
        (x, y): x (n, T, 2) float32 with the number in [0, 1) and the mark, 0 or 1;
        y (n, 1) float32, the sum of the two marked numbers.
    """
    _check(n=n)
    if T < 2:
        raise ValueError(f"adding needs at least 2 steps, got T={T}")
    rng = np.random.default_rng(rng)
    rows = np.arange(n)
    x = np.zeros((n, T, 2), np.float32)
    x[:, :, 0] = rng.random((n, T), np.float32)
    first, second = rng.integers(0, T // 2, n), rng.integers(T // 2, T, n)
    x[rows, first, 1] = x[rows, second, 1] = 1
    return x, (x[rows, first, 0] + x[rows, second, 0])[:, None]


def selective_copying(n, T=64, tokens=4, vocabulary=16, rng=None):
    """Selective copying (Gu and Dao 2023, section 3.1): repeat the tokens, leave out the blanks between.

    ``tokens`` tokens lie at random places among blanks. Then as many "now" signs follow,
    and at each the next token is to be named, in the order in which they came.

    Args:
        n: number of sequences.
        T: steps of tokens and blanks; the whole has T + tokens.
        tokens: how many are to be remembered, at most T.
        vocabulary: V, the number of signs: blank 0, "now" 1, and V − 2 tokens.
        rng: ``numpy.random.Generator`` or a seed.

    Returns:
        (x, y): x (n, T + tokens, V) float32, one-hot; y (n, T + tokens) integers, −1 before the answers.
    """
    _check(n=n, T=T, tokens=tokens)
    if tokens > T:
        raise ValueError(f"{tokens} tokens do not fit into T={T} steps")
    if vocabulary < 4:
        raise ValueError(f"a blank, a sign and two tokens need a vocabulary of 4, got {vocabulary}")
    rng = np.random.default_rng(rng)
    places = np.sort(rng.permuted(np.tile(np.arange(T), (n, 1)), axis=1)[:, :tokens], axis=1)
    answers = rng.integers(2, vocabulary, (n, tokens))
    signs = np.zeros((n, T + tokens), int)
    np.put_along_axis(signs, places, answers, axis=1)
    signs[:, T:] = 1
    y = np.full((n, T + tokens), -1)
    y[:, T:] = answers
    return np.eye(vocabulary, dtype=np.float32)[signs], y


def induction_heads(n, T=64, vocabulary=16, rng=None):
    """Induction heads (Gu and Dao 2023, section 3.1): what came after the special sign last time?

    A special sign stands at one random place among random tokens, and again at the end.
    The answer is the token that followed it.

    Args:
        n: number of sequences.
        T: steps, the final special sign among them, at least 3.
        vocabulary: V, the number of signs: the special one is 0.
        rng: ``numpy.random.Generator`` or a seed.

    Returns:
        (x, y): x (n, T, V) float32, one-hot; y (n,) integers.
    """
    _check(n=n)
    if T < 3:
        raise ValueError(f"induction_heads needs at least 3 steps, got T={T}")
    if vocabulary < 3:
        raise ValueError(f"a special sign and two tokens need a vocabulary of 3, got {vocabulary}")
    rng = np.random.default_rng(rng)
    rows = np.arange(n)
    signs = rng.integers(1, vocabulary, (n, T))
    place = rng.integers(0, T - 2, n)
    signs[rows, place] = signs[:, -1] = 0
    return np.eye(vocabulary, dtype=np.float32)[signs], signs[rows, place + 1]


def sine(n, T=50, noise=0.0, rng=None):
    """Sine waves of random period and phase: what is the next value?

    Args:
        n: number of sequences.
        T: steps.
        noise: standard deviation of the noise on the input; the answer has none.
        rng: ``numpy.random.Generator`` or a seed.

    Returns:
        (x, y): (n, T, 1) float32 each; y at step t is the wave at step t + 1. Periods lie
        between 10 and 40 steps.
    """
    _check(n=n, T=T)
    if not 0 <= noise < np.inf:
        raise ValueError(f"noise must be at least 0 and finite, got {noise}")
    rng = np.random.default_rng(rng)
    period, phase = rng.uniform(10, 40, (n, 1)), rng.uniform(0, 2 * np.pi, (n, 1))
    wave = np.sin(2 * np.pi * np.arange(T + 1) / period + phase)
    x = wave[:, :-1] + noise * rng.standard_normal((n, T))
    return x[:, :, None].astype(np.float32), wave[:, 1:, None].astype(np.float32)


def _check(**sizes):
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"{name} must be at least 1, got {size}")
