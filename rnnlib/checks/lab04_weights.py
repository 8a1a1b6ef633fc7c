"""Lab 4, the gated recurrent unit: its exercises on weights, taken over or chosen.

Arrays and letters are those of ``lab04_gru.py``.
"""

from functools import partial

import numpy as np

from rnnlib.checks.lab01_rnn import are_gradients, no_inputs, rnn_sequence
from rnnlib.checks.lab03_lstm import sigmoid
from rnnlib.checks.lab04_gru import (
    ELSEWHERE,
    OTHER_ORDERS,
    N,
    R,
    Z,
    exercise,
    good_and_bad,
    sizes,
    walk,
)
from rnnlib.checks.parts import Misfit, parts, problem, same

# 4.5 Weights from PyTorch


GRU_WEIGHTS = {"W_x": "3, D, H", "W_h": "3, H, H", "b": "3, H", "b_h": "H,"}


def pytorch_inputs(rng):
    """Arrays as PyTorch names them: rows r, z, n of (3H, ·), two biases."""
    cases = []
    for _, _, D, H in sizes(rng)[:4]:
        shapes = [(3 * H, D), (3 * H, H), (3 * H,), (3 * H,)]
        cases.append(tuple(rng.normal(size=shape) for shape in shapes))
    return cases


@exercise(
    "4.5",
    returns=GRU_WEIGHTS,
    inputs=pytorch_inputs,
    section=("gru", ELSEWHERE),
)
def from_pytorch(weight_ih, weight_hh, bias_ih, bias_hh):
    return converted(weight_ih, weight_hh, bias_ih, bias_hh)


def turned(stacked):
    """PyTorch's (3H, K) as (3, K, H)."""
    return stacked.reshape(3, len(stacked) // 3, -1).transpose(0, 2, 1).copy()


def converted(weight_ih, weight_hh, bias_ih, bias_hh, form=turned, flips=None, biases=None, order=(R, Z, N)):
    """PyTorch's arrays in our form, with places where the mistakes below come in.

    Args:
        form: (3H, K) -> (3, K, H).
        flips: what becomes of z's W_x, W_h, its two biases: four functions.
        biases: (b_x, b_h), (3, H) each -> b and b_h.
        order: which of PyTorch's thirds are taken for r, z and n.
    """
    flips = flips or [np.negative] * 4
    biases = biases or (lambda b_x, b_h: (np.stack([b_x[R] + b_h[R], b_x[Z] + b_h[Z], b_x[N]]), b_h[N]))
    H = weight_hh.shape[1]
    order = list(order)
    arrays = (
        form(weight_ih)[order],
        form(weight_hh)[order],
        *(a.reshape(3, H)[order] for a in (bias_ih, bias_hh)),
    )
    for array, flip in zip(arrays, flips, strict=True):
        array[Z] = flip(array[Z])
    W_x, W_h, b_x, b_h = arrays
    return W_x, W_h, *biases(b_x, b_h)


def mistaken_conversion(sentence, name, **places):
    """Name a mistake of the conversion, by what stands at one of the places of ``converted``."""

    def mistake(weight_ih, weight_hh, bias_ih, bias_hh):
        return converted(weight_ih, weight_hh, bias_ih, bias_hh, **places)

    mistake.__name__ = name
    from_pytorch.misconception(sentence)(mistake)


def as_it_is(a):
    return a


def from_one(a):
    return 1 - a


mistaken_conversion(
    "PyTorch's z keeps the old, ours takes the new: 1 − σ(a) = σ(−a). What becomes of z's weights?",
    "not_flipped",
    flips=[as_it_is] * 4,
)
mistaken_conversion(
    "σ(−a) = 1 − σ(a): the sum a changes its sign, the weights are not taken from 1.",
    "one_minus_the_weights",
    flips=[from_one] * 4,
)
mistaken_conversion(
    "z's weights changed their sign, its bias did not: right only where biases are zero.",
    "biases_not_flipped",
    flips=[np.negative, np.negative, as_it_is, as_it_is],
)
mistaken_conversion(
    "z has two biases in PyTorch, and only one of them changed its sign: turn their sum.",
    "bias_ih_alone_flipped",
    flips=[np.negative, np.negative, np.negative, as_it_is],
)
mistaken_conversion(
    "z has two biases in PyTorch, and only one of them changed its sign: turn their sum.",
    "bias_hh_alone_flipped",
    flips=[np.negative, np.negative, as_it_is, np.negative],
)
mistaken_conversion(
    "W_x of z changed its sign, W_h did not: the whole sum a must.",
    "W_x_alone_flipped",
    flips=[np.negative, as_it_is, np.negative, np.negative],
)
mistaken_conversion(
    "W_h of z changed its sign, W_x did not: the whole sum a must.",
    "W_h_alone_flipped",
    flips=[as_it_is, np.negative, np.negative, np.negative],
)
mistaken_conversion(
    "Of the bias b something is missing: PyTorch adds bias_ih and bias_hh, for r and for z.",
    "bias_hh_dropped",
    biases=lambda b_x, b_h: (b_x.copy(), b_h[N]),
)
mistaken_conversion(
    "n has two biases that cannot be merged: one of them stands inside the reset.",
    "biases_of_n_merged",
    biases=lambda b_x, b_h: (b_x + b_h, b_h[N]),
)
mistaken_conversion(
    "n has two biases that cannot be merged: one of them stands inside the reset, and yours has none there.",
    "biases_of_n_merged_outside",
    biases=lambda b_x, b_h: (b_x + b_h, 0 * b_h[N]),
)
mistaken_conversion(
    "The two biases of n are exchanged: which one stands inside the reset?",
    "biases_of_n_exchanged",
    biases=lambda b_x, b_h: (np.stack([b_x[R] + b_h[R], b_x[Z] + b_h[Z], b_h[N]]), b_x[N]),
)
mistaken_conversion(
    "PyTorch's thirds are r, z, n: yours takes them as z, r, n, which is Keras's order.",
    "keras_order",
    order=(Z, R, N),
)
mistaken_conversion(
    "reshape moves no numbers: PyTorch's rows are units, so each third must be transposed.",
    "reshaped",
    form=lambda stacked: stacked.reshape(3, -1, len(stacked) // 3).copy(),
)


@from_pytorch.misconception("Every third changed its sign: only z has another meaning in PyTorch.")
def everything_flipped(weight_ih, weight_hh, bias_ih, bias_hh):
    W_x, W_h, b, b_h = converted(weight_ih, weight_hh, bias_ih, bias_hh)
    for array in (W_x, W_h, b):
        array[[R, N]] *= -1
    return W_x, W_h, b, b_h


def also_flipped(name, thirds, sentence):
    """A conversion in which more, or other, thirds than z's change their sign once more."""

    def mistake(weight_ih, weight_hh, bias_ih, bias_hh):
        W_x, W_h, b, b_h = converted(weight_ih, weight_hh, bias_ih, bias_hh)
        for array in (W_x, W_h, b):
            array[thirds] *= -1
        return W_x, W_h, b, b_h

    mistake.__name__ = name
    from_pytorch.misconception(sentence)(mistake)


also_flipped("r_flipped", [R, Z], "It is r whose sign you changed: r means the same in both, z does not.")
also_flipped("n_flipped", [N, Z], "It is n whose sign you changed: n means the same in both, z does not.")
also_flipped("r_flipped_too", [R], "r changed its sign as well as z: r means the same in both.")
also_flipped("n_flipped_too", [N], "n changed its sign as well as z: n means the same in both.")


def moved(name, sentence, change):
    """A conversion of which a result is moved.

    Args:
        change: (W_x, W_h, b, b_h) of a right conversion, and bias_hh (3, H) -> the four.
    """

    def mistake(weight_ih, weight_hh, bias_ih, bias_hh):
        results = converted(weight_ih, weight_hh, bias_ih, bias_hh)
        return change(*results, bias_hh.reshape(3, -1))

    mistake.__name__ = name
    from_pytorch.misconception(sentence)(mistake)


B_H = "b_h: the bias inside the reset is the third of bias_hh that belongs to n. Where does it begin?"
moved("b_h_of_r", B_H, lambda W_x, W_h, b, b_h, theirs: (W_x, W_h, b, theirs[R]))
moved("b_h_of_z", B_H, lambda W_x, W_h, b, b_h, theirs: (W_x, W_h, b, theirs[Z]))
moved(
    "b_h_one_too_early",
    B_H,
    lambda W_x, W_h, b, b_h, theirs: (W_x, W_h, b, np.append(theirs[Z][-1], theirs[N][:-1])),
)
moved(
    "b_h_flipped",
    "b_h: n means the same in both, so its bias keeps its sign.",
    lambda W_x, W_h, b, b_h, theirs: (W_x, W_h, b, -b_h),
)
moved(
    "b_of_n_flipped",
    "b of n: n means the same in both, so its bias keeps its sign.",
    lambda W_x, W_h, b, b_h, theirs: (W_x, W_h, b * [[1], [1], [-1]], b_h),
)
for order, names in OTHER_ORDERS:
    moved(
        f"returned_{names.replace(', ', '')}",
        f"Your thirds are right, and stand in the order {names}: here it is r, z, n.",
        lambda W_x, W_h, b, b_h, theirs, order=order: (W_x[order], W_h[order], b[order], b_h),
    )
    moved(
        f"W_h_alone_{names.replace(', ', '')}",
        f"W_x is right, W_h stands in the order {names}: here it is r, z, n.",
        lambda W_x, W_h, b, b_h, theirs, order=order: (W_x, W_h[order], b, b_h),
    )


def of_units(stacked):
    """(3H, K) as (3, K, H) as if each unit's three rows stood together."""
    return stacked.reshape(len(stacked) // 3, 3, -1).transpose(1, 2, 0).copy()


mistaken_conversion(
    "The thirds are blocks of H rows, all of r, then all of z, then all of n. Yours takes every third row.",
    "every_third_row",
    form=of_units,
)
mistaken_conversion(
    "Transposed it has 3H columns, and reshape cuts rows, not columns: cut into thirds first, then turn.",
    "turned_then_cut",
    form=lambda stacked: stacked.T.reshape(3, -1, len(stacked) // 3).copy(),
)


@from_pytorch.misconception(
    "b: the first H numbers of a bias are r's, the next z's. Yours takes every third number."
)
def biases_interleaved(weight_ih, weight_hh, bias_ih, bias_hh):
    W_x, W_h, _, b_h = converted(weight_ih, weight_hh, bias_ih, bias_hh)
    b_x, b_y = (bias.reshape(-1, 3).T for bias in (bias_ih, bias_hh))
    return W_x, W_h, np.stack([b_x[R] + b_y[R], -(b_x[Z] + b_y[Z]), b_x[N]]), b_h


@from_pytorch.clue
def which_thirds_are_right(answer, *case):
    right, results = from_pytorch.reference(*case), answer(*case)
    if not are_gradients(results, right) or results[0].shape != right[0].shape:
        return ""
    _, bad = good_and_bad(results[0], right[0])
    if bad == ["z"]:
        return "W_x of r and n is right, that of z is not: what does z = 1 do in PyTorch, what here?"
    if bad:
        return "PyTorch's weight_ih has a row for each unit: (3H, D), where ours is (3, D, H)."
    if not same(results[1], right[1], 1e-6):
        _, bad = good_and_bad(results[1], right[1])
        return f"W_x is right, W_h is not for {', '.join(bad)}: it is made in the same way."
    if same(results[2], right[2], 1e-6):
        return "W_x, W_h and b are right: which third of which bias stands inside the reset?"
    return "W_x and W_h are right: which biases may be added, and which one stands inside the reset?"


# 4.6 Sample and hold, judged by what it does


def held(w_x, w_h, b, b_h, values, marks, h=0.0):
    """The state of one unit after each pair of a value and a mark."""
    states = []
    for x in zip(values, marks, strict=True):
        a = w_x @ x + b  # (3,)
        r, z = sigmoid.reference(a[:2] + w_h[:2] * h)
        n = np.tanh(a[2] + r * (w_h[2] * h + b_h))
        h = (1 - z) * h + z * n
        states.append(float(h))
    return np.array(states)


def about_sample_and_hold(w_x, w_h, b, b_h):
    """What a unit with these weights does not do."""
    run = partial(held, w_x, w_h, b, b_h)
    noise = np.random.default_rng(0).uniform(-1, 1, 1000)
    quiet, mark = np.zeros(1000), np.ones(1)
    taken = {(h, v): run([v], mark, h)[0] for h in (-0.6, 0.0, 0.6) for v in (0.8, -0.5, 0.1)}
    unmarked = run([-0.5], [0], 0.6)[0]
    if abs(unmarked - np.tanh(-0.5)) < 0.05 and abs(taken[0.6, -0.5] - 0.6) < 0.05:
        return (
            "Your unit takes the new value where there is no mark, and keeps the old one at the mark: "
            "here z = 1 takes the new."
        )
    for (h, v), got in taken.items():
        if abs(got - np.tanh(v)) > 0.01:
            return (
                f"A marked {v} makes the state {got:.3f} (it was {h}), not tanh({v}) = {np.tanh(v):.3f}: "
                "how far is z open at a mark, and what is n then?"
            )
    for start, values in [(0.6, noise), (0.76, 0 * noise - 1), (-0.76, 0 * noise + 1)]:
        moved = np.abs(run(values, quiet, start) - start)
        if moved.max() > 0.01:
            step = int(np.argmax(moved > 0.01)) + 1
            return (
                f"A state of {start} has moved by more than 0.01 after {step} steps without a mark: how far "
                "is z open there, whatever the value is, and how much is left of 1 − z over 1,000 steps?"
            )
    values = np.where(np.arange(1000) == 500, 0.3, noise)
    late = run(values, np.arange(1000) == 500, -0.6)
    if abs(late[499] + 0.6) > 0.01 or abs(late[-1] - np.tanh(0.3)) > 0.01:
        return f"With a mark at step 501 of 1,000 the state ends at {late[-1]:.3f}, not at tanh(0.3) = 0.291."
    return ""


@exercise(
    "4.6",
    returns={"w_x": "3, 2", "w_h": "3,", "b": "3,", "b_h": ""},
    inputs=no_inputs,
    section=("gru", "A mean that looks at what comes"),
    accept=about_sample_and_hold,
)
def sample_and_hold():
    return np.array([[0, 0], [0, 60.0], [1, 0]]), np.zeros(3), np.array([0, -30.0, 0]), 0.0


@sample_and_hold.remark
def how_little_is_lost(answer):
    w_x, w_h, b, b_h = answer()
    states = held(w_x, w_h, b, b_h, np.tile([1.0, -1.0], 5000), np.zeros(10000), 0.6)
    return f"after 10,000 steps without a mark a state of 0.6 is {states[-1]:.4f}."


# 4.7 A plain network inside


def played(answer, x, h0, W_x, W_h, b):
    """The states of a GRU with the weights that an answer makes of a plain network's."""
    made = answer(W_x, W_h, b)
    for part in parts(made, rnn_as_gru.reference(W_x, W_h, b), GRU_WEIGHTS, "rnn_as_gru"):
        what, _ = problem(part, tolerance=1, by_value=False)
        if what:
            raise Misfit(what)
    return walk(x, h0, *made)[0]


def rnn_inputs(rng, shapes=None):
    """The last case has inputs and first states that move a gate which looks at them."""
    cases = []
    for B, T, D, H in shapes or sizes(rng):
        plain = rng.normal(size=(D, H)), rng.normal(size=(H, H)), rng.normal(size=H)
        cases.append((rng.normal(size=(B, T, D)), rng.normal(size=(B, H)), *plain))
    x, h0, *plain = cases[0]
    return cases if shapes else [*cases, (100 * x, 100 * h0, *plain)]


@exercise(
    "4.7",
    returns={"hs": "B, T, H"},
    inputs=rnn_inputs,
    section=("gru", "Limiting cases"),
    drive=played,
)
def rnn_as_gru(W_x, W_h, b):
    return gates_held(W_x, W_h, b, r=50.0, z=50.0)


def gates_held(W_x, W_h, b, r, z):
    """A GRU whose candidate has a plain network's weights, its gates held by their biases."""
    none = np.zeros_like(b)
    biases = np.stack([none + r, none + z, b])
    return np.stack([0 * W_x, 0 * W_x, W_x]), np.stack([0 * W_h, 0 * W_h, W_h]), biases, none


@rnn_as_gru.misconception("hs never leaves h0: z = 0 keeps the old state. The other convention?")
def z_held_at_zero(W_x, W_h, b):
    return gates_held(W_x, W_h, b, r=50.0, z=-50.0)


@rnn_as_gru.misconception(
    "Your candidate sees nothing of the old state: is r at 1, and does W_h stand in n's place?"
)
def r_held_at_zero(W_x, W_h, b):
    return gates_held(W_x, W_h, b, r=-50.0, z=50.0)


@rnn_as_gru.misconception("A bias of 0 leaves a gate half open, at σ(0) = 0.5: r and z must both be 1.")
def gates_half_open(W_x, W_h, b):
    return gates_held(W_x, W_h, b, r=0.0, z=0.0)


@rnn_as_gru.misconception("z is half open: σ(0) = 0.5.")
def z_half_open(W_x, W_h, b):
    return gates_held(W_x, W_h, b, r=50.0, z=0.0)


@rnn_as_gru.misconception("r is half open: σ(0) = 0.5.")
def r_half_open(W_x, W_h, b):
    return gates_held(W_x, W_h, b, r=0.0, z=50.0)


@rnn_as_gru.misconception("The bias is in it twice: with r = 1, b of n and b_h are added.")
def bias_twice(W_x, W_h, b):
    *others, _ = gates_held(W_x, W_h, b, r=50.0, z=50.0)
    return *others, b


def changed(name, sentence, change):
    """A GRU that would be the plain network, with something changed.

    Args:
        change: (W_x, W_h, b, b_h) -> the four.
    """

    def mistake(W_x, W_h, b):
        return change(*gates_held(W_x, W_h, b, r=50.0, z=50.0))

    mistake.__name__ = name
    rnn_as_gru.misconception(sentence)(mistake)


changed(
    "b_dropped", "b plays no part in yours.", lambda W_x, W_h, b, b_h: (W_x, W_h, b * [[1], [1], [0]], b_h)
)
changed("W_x_dropped", "W_x plays no part in yours.", lambda W_x, W_h, b, b_h: (0 * W_x, W_h, b, b_h))
changed("W_h_twice", "W_h counts twice in yours.", lambda W_x, W_h, b, b_h: (W_x, 2 * W_h, b, b_h))
changed(
    "W_h_transposed",
    "W_h stands transposed in yours: both networks multiply from the right.",
    lambda W_x, W_h, b, b_h: (W_x, W_h.transpose(0, 2, 1), b, b_h),
)
changed(
    "n_first",
    "Your states are at 1 whatever comes in: does 50 stand in n's row, or do n's weights stand in r's?",
    lambda W_x, W_h, b, b_h: (W_x[::-1], W_h[::-1], b[::-1], b_h),
)
changed(
    "gates_read",
    "At large x and h0 yours differs, since your gates read them: their weights must be 0.",
    lambda W_x, W_h, b, b_h: (W_x[[2, 2, 2]], W_h[[2, 2, 2]], b, b_h),
)


@rnn_as_gru.misconception("r = 0 silences b_h as well as the old state.")
def b_behind_a_shut_reset(W_x, W_h, b):
    W_x, W_h, biases, _ = gates_held(W_x, W_h, b, r=-50.0, z=50.0)
    return W_x, W_h, biases * [[1], [1], [0]], b


@rnn_as_gru.misconception("A gate is σ of its bias: σ(1) is 0.73, not 1.")
def biases_of_one(W_x, W_h, b):
    return gates_held(W_x, W_h, b, r=1.0, z=1.0)


@rnn_as_gru.clue
def how_near(answer, x, h0, W_x, W_h, b):
    right, got = rnn_sequence.reference(x, h0, W_x, W_h, b), played(answer, x, h0, W_x, W_h, b)
    if np.abs(x).max() > 20:
        return "At ordinary x and h0 yours agrees, at large ones not: which of them do your gates read?"
    if np.abs(got - right).max() < 0.02:
        return "Nearly: a gate at σ(10) = 0.99995 is not yet 1. To agree to 1e-6, go further."
    if same(got[:, 0], h0, 1e-6):
        return "The state hardly moves: z = 1 takes the new here."
    return "How far are r and z open in yours, whatever x and h are? And what does the candidate add up?"
