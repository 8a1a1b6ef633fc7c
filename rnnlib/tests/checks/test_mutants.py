"""Every small change of a right answer is caught, or is proven to change nothing."""

import contextlib
import functools
import warnings
from unittest.mock import patch

import numpy as np
import pytest

from rnnlib import checks
from rnnlib.checks import recognition
from rnnlib.checks.verdicts import CheckFailed
from rnnlib.grading import notebook
from rnnlib.tests.checks.mutants import mutants
from rnnlib.tests.grading.submissions import ROOT

#: Other weights of lab 3's counter that count as well, and why.
COUNTERS = [
    ("20.0, 0, 0, 10", "np.ones(4)", "-10.0, 10, 0, 0", "h moves the gates' sums by at most 1"),
    ("20.0, 1, 0, 10", "np.zeros(4)", "-10.0, 10, 0, 0", "f = σ(11) when a signal comes"),
    ("20.0, -1, 0, 10", "np.zeros(4)", "-10.0, 10, 0, 0", "f = σ(9) when a signal comes"),
    ("20.0, 0, 1, 10", "np.zeros(4)", "-10.0, 10, 0, 0", "the output plays no part"),
    ("20.0, 0, -1, 10", "np.zeros(4)", "-10.0, 10, 0, 0", "the output plays no part"),
    ("20.0, 0, 0, 11", "np.zeros(4)", "-10.0, 10, 0, 0", "tanh(11) is 1 as tanh(10) is"),
    ("20.0, 0, 0, 9", "np.zeros(4)", "-10.0, 10, 0, 0", "tanh(9) is 1 as tanh(10) is"),
    ("20.0, 0, 0, 20", "np.zeros(4)", "-10.0, 10, 0, 0", "tanh(20) is 1 as tanh(10) is"),
    ("20.0, 0, 0, 10", "np.zeros(4)", "-10.0, 11, 0, 0", "f = σ(11) holds as well"),
    ("20.0, 0, 0, 10", "np.zeros(4)", "-10.0, 9, 0, 0", "f = σ(9) loses 2.4% in 200 steps"),
    ("20.0, 0, 0, 10", "np.zeros(4)", "-10.0, 20, 0, 0", "f = σ(20) holds as well"),
    ("20.0, 0, 0, 10", "np.zeros(4)", "-10.0, 10, 1, 0", "the output plays no part"),
    ("20.0, 0, 0, 10", "np.zeros(4)", "-10.0, 10, -1, 0", "the output plays no part"),
    ("20.0, 0, 0, 10", "np.zeros(4)", "-10.0, 10, 0, 1", "i = σ(−10) writes 0.7% in 200 silent steps"),
    ("20.0, 0, 0, 10", "np.zeros(4)", "-10.0, 10, 0, -1", "i = σ(−10) writes 0.7% in 200 silent steps"),
]

NO_RESET = "w_h of n and b_h are 0, so the reset gate has nothing to multiply"
BARELY = "the value moves z's sum by at most 1 of 20"

#: Other weights of lab 4's unit that samples and holds as well, and why.
HOLDERS = [
    ("[0, 0], [0, 40.0], [1, 0]", "1, -20.0, 0", NO_RESET),
    ("[0, 0], [0, 40.0], [1, 0]", "-1, -20.0, 0", NO_RESET),
    ("[1, 0], [0, 40.0], [1, 0]", "0, -20.0, 0", NO_RESET),
    ("[-1, 0], [0, 40.0], [1, 0]", "0, -20.0, 0", NO_RESET),
    ("[0, 1], [0, 40.0], [1, 0]", "0, -20.0, 0", NO_RESET),
    ("[0, -1], [0, 40.0], [1, 0]", "0, -20.0, 0", NO_RESET),
    ("[0, 0], [1, 40.0], [1, 0]", "0, -20.0, 0", BARELY),
    ("[0, 0], [-1, 40.0], [1, 0]", "0, -20.0, 0", BARELY),
]

#: Answers of a line or two: there is less to change.
SHORT = {"step_sizes", "first_bias"}

#: Answers that are right although they were changed, and why.
EQUIVALENT = {
    "rnn_step": {
        "return np.tanh(x @ W_x + h_prev @ W_h + b.T)": "b has one axis: b.T is b",
    },
    "rnn_sequence": {
        "hs = np.ones((x.shape[0], x.shape[1], h0.shape[1]))": "the loop fills it",
        "hs = np.empty((x.shape[0], x.shape[1], h0.shape[1]))": "the loop fills it",
        "h = rnn_step(x[:, t], h, W_x, W_h, b.T)": "b has one axis: b.T is b",
        "for t in range(hs.shape[1]):": "hs is (B, T, H): its axis 1 is T",
        "for t in range(x.T.shape[1]):": "x.T is (D, T, B): its axis 1 is T",
        "hs = np.zeros((h0.shape[0], x.shape[1], h0.shape[1]))": "h0 is (B, H): its axis 0 is B",
        "hs = np.zeros((x.shape[0], x.T.shape[1], h0.shape[1]))": "x.T is (D, T, B): its axis 1 is T",
        "hs = np.zeros((x.shape[0], x.shape[1], W_h.shape[1]))": "W_h is (H, H): its axis 1 is H",
        "hs = np.zeros((x.shape[0], x.shape[1], W_x.shape[1]))": "W_x is (D, H): its axis 1 is H",
    },
    "numerical_gradient": {
        "without: x = x.copy()": "each entry is put back to its very value",
        "x = x.view()": "each entry is put back to its very value",
        "grad = np.ones(x.shape)": "the loop fills it",
        "grad = np.empty(x.shape)": "the loop fills it",
        "for i in np.ndindex(grad.shape):": "grad has the shape of x",
        "x[i] = value.T": "a number's transpose is the number",
        "x[i] = value.T + eps": "a number's transpose is the number",
        "x[i] = value.T - eps": "a number's transpose is the number",
    },
    "rnn_step_backward": {
        "return (dx, dh_prev, dW_x, dW_h, db.T)": "db has one axis: db.T is db",
    },
    "rnn_sequence_backward": {
        "dx, dh_prev = (np.ones(x.shape), np.zeros(h0.shape))": "the loop fills it",
        "dx, dh_prev = (np.empty(x.shape), np.zeros(h0.shape))": "the loop fills it",
        "dW_h, db = (np.zeros(W_h.T.shape), np.zeros(W_h.shape[0]))": "W_h is square",
        "dW_h, db = (np.zeros(W_h.shape), np.zeros(W_h.T.shape[0]))": "W_h is square",
        "dW_h, db = (np.zeros(W_h.shape), np.zeros(W_h.shape[1]))": "W_h is square",
        "dW_h, db = (np.zeros(W_h.shape), np.zeros(W_h.shape[-1]))": "W_h is square",
        "db += db_t.T": "db_t has one axis: db_t.T is db_t",
        "for t in reversed(range(dx.shape[1])):": "dx has the shape of x",
        "for t in reversed(range(dy.shape[1])):": "dy is (B, T, H): its axis 1 is T",
        "for t in reversed(range(hs.shape[1])):": "hs is (B, T, H): its axis 1 is T",
        "for t in reversed(range(x.T.shape[1])):": "x.T is (D, T, B): its axis 1 is T",
        "return (dx, dh_prev, dW_x, dW_h, db.T)": "db has one axis: db.T is db",
    },
    "clip": {
        "factor = longest / length if length.T > longest else 1": "a number's transpose is the number",
        "factor = longest / length.T if length > longest else 1": "a number's transpose is the number",
        "factor = longest.T / length if length > longest else 1": "a number's transpose is the number",
        "length = np.sqrt(sum(((g.T ** 2).sum() for g in grads.values())))": "a sum of all entries",
    },
    "lstm_sequence": {
        "hs, cs, gates = (np.ones(shape), np.zeros(shape), np.zeros((4, *shape)))": "the loop fills it",
        "hs, cs, gates = (np.empty(shape), np.zeros(shape), np.zeros((4, *shape)))": "the loop fills it",
        "hs, cs, gates = (np.zeros(shape), np.ones(shape), np.zeros((4, *shape)))": "the loop fills it",
        "hs, cs, gates = (np.zeros(shape), np.empty(shape), np.zeros((4, *shape)))": "the loop fills it",
        "hs, cs, gates = (np.zeros(shape), np.zeros(shape), np.ones((4, *shape)))": "the loop fills it",
        "hs, cs, gates = (np.zeros(shape), np.zeros(shape), np.empty((4, *shape)))": "the loop fills it",
        "shape = (h0.shape[0], x.shape[1], h0.shape[1])": "h0 is (B, H): its axis 0 is B",
        "shape = (c0.shape[0], x.shape[1], h0.shape[1])": "c0 is (B, H): its axis 0 is B",
        "shape = (x.shape[0], x.T.shape[1], h0.shape[1])": "x.T is (D, T, B): its axis 1 is T",
        "shape = (x.shape[0], x.shape[1], W_h.shape[1])": "W_h is (4, H, H): its axis 1 is H",
        "shape = (x.shape[0], x.shape[1], b.shape[1])": "b is (4, H): its axis 1 is H",
        "shape = (x.shape[0], x.shape[1], c0.shape[1])": "c0 is (B, H): its axis 1 is H",
        "for t in range(hs.shape[1]):": "hs is (B, T, H): its axis 1 is T",
        "for t in range(cs.shape[1]):": "cs is (B, T, H): its axis 1 is T",
        "for t in range(x.T.shape[1]):": "x.T is (D, T, B): its axis 1 is T",
    },
    "lstm_sequence_backward": {
        "dx, dh, dc = (np.ones(x.shape), np.zeros(h0.shape), np.zeros(c0.shape))": "the loop fills it",
        "dx, dh, dc = (np.empty(x.shape), np.zeros(h0.shape), np.zeros(c0.shape))": "the loop fills it",
        "dx, dh, dc = (np.zeros(x.shape), np.zeros(c0.shape), np.zeros(h0.shape))": "h0 is like c0",
        "dx, dh, dc = (np.zeros(x.shape), np.zeros(c0.shape), np.zeros(c0.shape))": "h0 is like c0",
        "dx, dh, dc = (np.zeros(x.shape), np.zeros(h0.shape), np.zeros(h0.shape))": "h0 is like c0",
        "for t in reversed(range(cs.shape[1])):": "cs is (B, T, H): its axis 1 is T",
        "for t in reversed(range(dx.shape[1])):": "dx has the shape of x",
        "for t in reversed(range(dy.shape[1])):": "dy is (B, T, H): its axis 1 is T",
        "for t in reversed(range(hs.shape[1])):": "hs is (B, T, H): its axis 1 is T",
        "for t in reversed(range(x.T.shape[1])):": "x.T is (D, T, B): its axis 1 is T",
        "sums = [np.zeros(W_x.shape), np.zeros(W_h.shape), np.zeros((4, dc.shape[1]))]": "dc is (B, H)",
        "sums = [np.zeros(W_x.shape), np.zeros(W_h.shape), np.zeros((4, dh.shape[1]))]": "dh is (B, H)",
        "sums = [np.zeros(W_x.shape), np.zeros(W_h.shape), np.zeros((4, c0.shape[1]))]": "c0 is (B, H)",
        "sums = [np.zeros(W_x.shape), np.zeros(W_h.shape), np.zeros((4, W_h.shape[1]))]": "W_h is (4, H, H)",
    },
    "carry_reach": {
        "for t in reversed(range(reach.shape[1] - 1)):": "reach has the shape of fs",
        "for t in reversed(range(fs.T.shape[1] - 1)):": "fs.T is (H, T, B): its axis 1 is T",
    },
    "counter": {f"return (np.array([{w_x}]), {w_h}, np.array([{b}]))": why for w_x, w_h, b, why in COUNTERS},
    "gru_step": {
        "n = np.tanh(x @ W_x[2] + b[2] + r * (h_prev @ W_h[2] + b_h.T))": "b_h has one axis: b_h.T is b_h",
    },
    "gru_step_backward": {"s = h_prev @ W_h[2] + b_h.T": "b_h has one axis: b_h.T is b_h"},
    "gru_sequence": {
        "hs, gates = (np.ones(shape), np.zeros((3, *shape)))": "the loop fills it",
        "hs, gates = (np.empty(shape), np.zeros((3, *shape)))": "the loop fills it",
        "hs, gates = (np.zeros(shape), np.ones((3, *shape)))": "the loop fills it",
        "hs, gates = (np.zeros(shape), np.empty((3, *shape)))": "the loop fills it",
        "h, gates[:, :, t] = gru_step(x[:, t], h, W_x, W_h, b, b_h.T)": "b_h has one axis: b_h.T is b_h",
        "shape = (h0.shape[0], x.shape[1], h0.shape[1])": "h0 is (B, H): its axis 0 is B",
        "shape = (x.shape[0], x.T.shape[1], h0.shape[1])": "x.T is (D, T, B): its axis 1 is T",
        "shape = (x.shape[0], x.shape[1], W_h.shape[1])": "W_h is (3, H, H): its axis 1 is H",
        "shape = (x.shape[0], x.shape[1], b.shape[1])": "b is (3, H): its axis 1 is H",
        "for t in range(hs.shape[1]):": "hs is (B, T, H): its axis 1 is T",
        "for t in range(x.T.shape[1]):": "x.T is (D, T, B): its axis 1 is T",
    },
    "gru_sequence_backward": {
        "dx, dh, H = (np.ones(x.shape), np.zeros(h0.shape), h0.shape[1])": "the loop fills it",
        "dx, dh, H = (np.empty(x.shape), np.zeros(h0.shape), h0.shape[1])": "the loop fills it",
        "dx, dh, H = (np.zeros(x.shape), np.zeros(b_h.shape), h0.shape[1])": "zeros (H,) added to dy (B, H)",
        "dx, dh, H = (np.zeros(x.shape), np.zeros(h0.shape), W_h.shape[1])": "W_h is (3, H, H)",
        "dx[:, t], dh, *own = gru_step_backward(dy[:, t] + dh, *step, W_x, W_h, b_h.T)": "b_h has one axis",
        "for t in reversed(range(hs.shape[1])):": "hs is (B, T, H): its axis 1 is T",
        "for t in reversed(range(dy.shape[1])):": "dy is (B, T, H): its axis 1 is T",
        "for t in reversed(range(dx.shape[1])):": "dx has the shape of x",
        "for t in reversed(range(x.T.shape[1])):": "x.T is (D, T, B): its axis 1 is T",
    },
    "from_pytorch": {
        "return (W_x, W_h, b, b_h[2].view())": "the same numbers, and nobody writes into them",
        "b_x, b_h = (bias_ih.T.reshape(3, H), bias_hh.reshape(3, H))": "bias_ih has one axis",
        "b_x, b_h = (bias_ih.reshape(3, H), bias_hh.T.reshape(3, H))": "bias_hh has one axis",
        "W_x, W_h = (w.reshape(3, H, -2).transpose(0, 2, 1).copy() for w in (weight_ih, weight_hh))": (
            "NumPy takes any negative length for the one to be found"
        ),
    },
    "sample_and_hold": {
        f"return (np.array([{w_x}]), np.zeros(3), np.array([{b}]), 0.0)": why for w_x, b, why in HOLDERS
    },
    "rnn_as_gru": {
        "return (W_x, W_h, np.stack([wide, wide, b]), none.T)": "none has one axis",
        "wide, none = (np.full(len(W_h), 50.0), np.full(len(b), 0.0))": "W_h is (H, H): its length is H",
        "wide, none = (np.full(len(b.T), 50.0), np.full(len(b), 0.0))": "b has one axis",
        "wide, none = (np.full(len(b), 50.0), np.full(len(W_h), 0.0))": "W_h is (H, H): its length is H",
        "wide, none = (np.full(len(b), 50.0), np.full(len(b.T), 0.0))": "b has one axis",
        "W_x, W_h = (np.stack([0 / W, 0 * W, W]) for W in (W_x, W_h))": "0 over a number that is not 0",
        "W_x, W_h = (np.stack([-(0 * W), 0 * W, W]) for W in (W_x, W_h))": "−0 is 0",
        "W_x, W_h = (np.stack([0 * W, 0 / W, W]) for W in (W_x, W_h))": "0 over a number that is not 0",
        "W_x, W_h = (np.stack([0 * W, -(0 * W), W]) for W in (W_x, W_h))": "−0 is 0",
        "return (W_x, W_h, np.stack([wide.T, wide, b]), none)": "wide has one axis",
        "return (W_x, W_h, np.stack([wide, wide.T, b]), none)": "wide has one axis",
        "return (W_x, W_h, np.stack([wide, wide, b.T]), none)": "b has one axis",
    },
    "min_gru_gates": {
        "u, k = (x @ W + bias.T for W, bias in zip(W_x, b, strict=True))": "a bias has one axis",
    },
    "recurrence": {
        "hs, h = (np.ones(b.shape), h0)": "the loop fills it",
        "hs, h = (np.empty(b.shape), h0)": "the loop fills it",
        "hs, h = (np.zeros(a.shape), h0)": "a and b have one shape",
        "for t in range(hs.shape[1]):": "hs has the shape of b",
        "for t in range(a.shape[1]):": "a and b have one shape",
        "for t in range(b.T.shape[1]):": "b.T is (H, T, B): its axis 1 is T",
    },
    "parallel_scan": {
        "while distance < A.shape[1]:": "A has as many steps as b",
        "while distance < a.shape[1]:": "a and b have one shape",
        "while distance < S.shape[1]:": "S has as many steps as b",
        "while distance < b.T.shape[1]:": "b.T is (H, T, B): its axis 1 is T",
    },
    "recurrence_backward": {
        "dh = scan(later[:, ::-1], dy[:, ::-1], 0 / h0)[:, ::-1]": "0 over a number that is not 0",
        "dh = scan(later[:, ::-1], dy[:, ::-1], 0)[:, ::-1]": "0 fits an array of any shape",
        "dh = scan(later[:, ::-1], dy[:, ::-1], -(0 * h0))[:, ::-1]": "−0 is 0",
    },
    "log_recurrence": {
        "for t in range(log_b.shape[1]):": "log_a and log_b have one shape",
        "for t in range(log_a.T.shape[1]):": "its transpose is (H, T, B): its axis 1 is T",
    },
    "fading_average": {
        f"return (np.array([[1.0, 0], [0, {w}]]), np.array([0, np.log((1 - a) / a)]))": "σ is 1 to ten digits"
        for w in (29, 31, 60)
    },
    "discretise": {
        "return (np.exp(d * A), d @ Bs[:, :, None, :])": "a column @ a row is their outer product",
        "return (np.exp(d * A), d * Bs[:, :, None])": "what is not indexed is taken whole",
    },
    "causal_conv": {
        "v = np.tile(conv_b.T, (*p.shape[:2], 1))": "conv_b has one axis: conv_b.T is conv_b",
        "v[:, distance:] += p[:, :p.shape[1] - distance] * row.T": "row has one axis: row.T is row",
        "v[:, distance:] += p[:, :v.shape[1] - distance] * row": "v has the shape of p",
        "v[:, distance:] += p[:, :p.T.shape[1] - distance] * row": "p.T is (E, T, B): its axis 1 is T",
    },
    "step_sizes": {"a = r @ W_dt + b_dt.T": "b_dt has one axis: b_dt.T is b_dt"},
    "first_bias": {
        "return np.log(-np.expm1(-delta)) + delta.T": "delta has one axis: delta.T is delta",
        "return np.log(-np.expm1(-delta.T)) + delta": "delta has one axis: delta.T is delta",
    },
    "selective_scan": {
        "for t in range(a.shape[1]):": "a is (B, T, E, N): its axis 1 is T",
        "for t in range(b.shape[1]):": "b is (B, T, E, N): its axis 1 is T",
        "for t in range(Cs.shape[1]):": "Cs is (B, T, N): its axis 1 is T",
        "for t in range(u.T.shape[1]):": "u.T is (E, T, B): its axis 1 is T",
        "return (np.einsum('bten,btn->bte', hs, Cs) + u * skip.T, hs)": "skip has one axis: skip.T is skip",
    },
    "states_backward": {
        "for t in range(a.shape[1] - 1, 0, -1):": "a is (B, T, E, N): its axis 1 is T",
        "for t in range(Cs.shape[1] - 1, 0, -1):": "Cs is (B, T, N): its axis 1 is T",
        "for t in range(dh.shape[1] - 1, 0, -1):": "dh is (B, T, E, N): its axis 1 is T",
        "for t in range(dy.T.shape[1] - 1, 0, -1):": "dy.T is (E, T, B): its axis 1 is T",
    },
    "scan_backward": {
        "return (du, old * dh, u[..., None] * dh, dCs, dskip.T)": "dskip has one axis: dskip.T is dskip",
        "du = skip.T * dy + np.einsum('bten,bten->bte', dh, b)": "skip has one axis: skip.T is skip",
    },
    "mamba_step": {
        "return (y[:, -1], (window[:, 1:], hs[:, 0]))": "y has one step: the first is the last",
        "return (y[:, 0], (window[:, 1:], hs[:, -1]))": "hs has one step: the first is the last",
    },
    "cloakroom": {
        "return (np.full(4, -20.0), wires.T[:, 1:5], wires[:, 5:], np.log(np.expm1(1)))": "the "
        "identity is its transpose",
        "return (np.full(4, -20.0), wires[:, 1:5], wires.T[:, 5:], np.log(np.expm1(1)))": "the "
        "identity is its transpose",
    },
}


def answers():
    """(name, source, scope) of every answer; a scope holds the solution's other functions.

    Plain pytest sees the first of each lab: the others take seconds each.
    """
    for path in sorted((ROOT / "labs_solutions").glob("*.ipynb")):
        cells = notebook.read(path).cells
        sources = {notebook.grade_id(cell): cell.source for cell in cells if notebook.role(cell) == "answer"}
        scope = {}
        for source in [next(cell.source for cell in cells if cell.id == "setup"), *sources.values()]:
            exec(source, scope)
        for i, (name, source) in enumerate(sources.items()):
            yield pytest.param(name, source, scope, id=name, marks=[pytest.mark.slow] if i else [])


ANSWERS = list(answers())


@functools.cache
def mutants_of(source):
    """Every (changed line, source) of an answer's source."""
    return list(mutants(source))


def survives(name, text, scope, asked):
    """Whether a mutant passes its check.

    Args:
        asked: whether the check also looks for its mistake, which takes most of the time.
    """
    scope = dict(scope)
    silent = patch.object(recognition, "question", return_value="")
    with contextlib.nullcontext() if asked else silent, np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(text, scope)
        try:
            getattr(checks, name)(scope[name])
        except CheckFailed:
            return False
    return True


@pytest.mark.parametrize(("name", "source", "scope"), ANSWERS)
def test_every_mutant_is_caught_or_proven_equivalent(name, source, scope):
    tried = mutants_of(source)
    few = getattr(checks, name).accept is not None or name in SHORT
    assert len(tried) > (5 if few else 40)
    survivors = {line for i, (line, text) in enumerate(tried) if survives(name, text, scope, i % 10 == 0)}
    assert survivors == EQUIVALENT.get(name, {}).keys()


@pytest.mark.slow
def test_few_mutants_are_equivalent():
    tried = sum(len(mutants_of(source)) for _, source, _ in (answer.values for answer in ANSWERS))
    assert tried > 100 * len(ANSWERS)
    assert sum(map(len, EQUIVALENT.values())) <= 0.05 * tried
