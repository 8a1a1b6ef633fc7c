"""Lab 5, the minimal gated recurrent unit: its exercises on gates, the recurrence and a fading average.

Each with its inputs, its answer and its misconceptions; ``lab05_scan.py`` has those on the scan.

Candidate and gate stand in the order u, k, as in ``rnnlib.models.min_gru``: W_x (2, D, H), b (2, H).
z = 1 takes the new. T is never a power of two.
"""

from functools import partial

import numpy as np

from rnnlib.checks.exercise import exercise as of_lab
from rnnlib.checks.lab01_rnn import are_gradients, no_inputs
from rnnlib.checks.lab03_lstm import sigmoid
from rnnlib.checks.parts import same

exercise = partial(of_lab, "05_min_gru", steps=3)

LEFT = ("min_gru", "What is left")


def sizes(rng):
    """B, T, D, H as in lab 1, but no 2 among B and H, the number of candidate and gate, and no H is 2B."""
    return [(3, 5, 2, 7), (1, 3, 3, 4), (5, 6, 3, 1), (3, 1, 1, 3), (1, int(rng.integers(9, 15)), 1, 3)]


# 5.1 Gates that do not look back


def gates_inputs(rng, shapes=None):
    return [
        (rng.normal(size=(B, T, D)), rng.normal(size=(2, D, H)), rng.normal(size=(2, H)))
        for B, T, D, H in shapes or sizes(rng)
    ]


@exercise(
    "5.1",
    returns={"a": "B, T, H", "b": "B, T, H"},
    inputs=gates_inputs,
    section=("min_gru", "Gates that do not look back"),
)
def min_gru_gates(x, W_x, b):
    return factors(x, W_x, b)


def factors(x, W_x, b, squash=None, candidate=None, mix=None, sums=None):
    """a and b of h_t = a_t ⊙ h_{t−1} + b_t, with places where the mistakes below come in.

    Args:
        sums: (x, W_x, b) -> u and k, (2, B, T, H).
        squash: the function of k.
        candidate: the function of u.
        mix: (z, n) -> a and b, where n is the candidate.
    """
    sums = sums or with_biases(1, 1)
    squash, candidate = squash or sigmoid.reference, candidate or (lambda u: u)
    mix = mix or (lambda z, n: (1 - z, z * n))
    u, k = sums(x, W_x, b)
    return mix(squash(k), candidate(u))


def with_biases(*shares):
    """u and k where the two biases come in by these factors."""

    def sums(x, W_x, b):
        return np.stack([x @ W + share * bias for W, bias, share in zip(W_x, b, shares, strict=True)])

    return sums


def mistaken_gates(sentence, name, **places):
    """Name a mistake in a and b, by what stands at one of the places of ``factors``."""

    def mistake(x, W_x, b):
        return factors(x, W_x, b, **places)

    mistake.__name__ = name
    min_gru_gates.misconception(sentence)(mistake)


def positive(u):
    """g of the log-space mode."""
    return np.where(u >= 0, u + 0.5, sigmoid.reference(u))


Z_KEEPS = "That is the other convention, where z keeps the old: here z = 1 takes the new, so nothing is left."

mistaken_gates(Z_KEEPS, "z_keeps", mix=lambda z, n: (z, (1 - z) * n))
mistaken_gates(
    "a is z in yours: with z = 1 the old state must be gone.", "a_is_z", mix=lambda z, n: (z, z * n)
)
mistaken_gates(
    "a is z and b is the whole candidate: z says how much of the candidate comes in, and what it leaves "
    "is the old state's share.",
    "z_and_candidate",
    mix=lambda z, n: (z, n),
)
mistaken_gates(
    "b is the candidate whole: how much of it comes in, z decides.",
    "b_without_z",
    mix=lambda z, n: (1 - z, n),
)
mistaken_gates(
    "b carries 1 − z, the share of the old state: the candidate's is what is missing to 1.",
    "b_by_the_share_of_the_old",
    mix=lambda z, n: (1 - z, (1 - z) * n),
)
mistaken_gates(
    "b is z alone: z multiplies the candidate, and where is that?",
    "b_is_z",
    mix=lambda z, n: (1 - z, z + 0 * n),
)
mistaken_gates(
    "z and the candidate are added in b: a share multiplies.", "b_added", mix=lambda z, n: (1 - z, z + n)
)
mistaken_gates(
    "The old state is kept whole, a is 1: what becomes of it as z opens?",
    "old_kept_whole",
    mix=lambda z, n: (0 * z + 1, z * n),
)
mistaken_gates(
    "a is −z: a share is not negative. What does z leave of 1?",
    "minus_z",
    mix=lambda z, n: (-z, z * n),
)
mistaken_gates(
    "b comes in by z twice.",
    "z_twice",
    mix=lambda z, n: (1 - z, z * z * n),
)
mistaken_gates(
    "The candidate goes through a tanh, a habit of the GRU: here it is linear. What would a tanh be for?",
    "tanh_for_candidate",
    candidate=np.tanh,
)
mistaken_gates(
    "That is g, the candidate of the log-space mode: here it is linear, and may be negative.",
    "g_for_candidate",
    candidate=positive,
)
mistaken_gates(
    "The candidate goes through σ: here it is linear.", "sigmoid_for_candidate", candidate=sigmoid.reference
)
mistaken_gates(
    "Your candidate is never negative: here it is linear.",
    "relu_for_candidate",
    candidate=lambda u: np.maximum(u, 0),
)
mistaken_gates(
    "z must lie between 0 and 1, yours may be negative: which function squashes it?",
    "tanh_for_gate",
    squash=np.tanh,
)
mistaken_gates("The gate is not squashed in yours.", "gate_not_squashed", squash=lambda k: k)
mistaken_gates(
    "That σ is made of straight lines: here it is the function of the first cell.",
    "hard_sigmoid",
    squash=lambda k: np.clip(0.2 * k + 0.5, 0, 1),
)
mistaken_gates(
    "k has gone through σ twice.", "sigmoid_twice", squash=lambda k: sigmoid.reference(sigmoid.reference(k))
)
mistaken_gates(
    "σ and the identity have exchanged their places: the gate is squashed, the candidate is not.",
    "squashed_the_wrong_one",
    squash=lambda k: k,
    candidate=sigmoid.reference,
)
mistaken_gates(
    "Your first matrix makes the gate: here the order is u, k, candidate first.",
    "order_k_u",
    sums=lambda x, W_x, b: with_biases(1, 1)(x, W_x[::-1], b[::-1]),
)
mistaken_gates(
    "The biases stand in the order k, u, the matrices in the order u, k.",
    "biases_in_the_other_order",
    sums=lambda x, W_x, b: with_biases(1, 1)(x, W_x, b[::-1]),
)
mistaken_gates(
    "Gate and candidate come from the same matrix: W_x has two.",
    "one_matrix",
    sums=lambda x, W_x, b: with_biases(1, 1)(x, W_x[[0, 0]], b[[0, 0]]),
)
mistaken_gates(
    "Gate and candidate come from the same matrix: W_x has two.",
    "the_other_matrix",
    sums=lambda x, W_x, b: with_biases(1, 1)(x, W_x[[1, 1]], b[[1, 1]]),
)
mistaken_gates(
    "Both sums take b[0]: the gate's bias is b[1].",
    "the_first_bias_twice",
    sums=lambda x, W_x, b: with_biases(1, 1)(x, W_x, b[[0, 0]]),
)
mistaken_gates(
    "Both sums take b[1]: the candidate's bias is b[0].",
    "the_second_bias_twice",
    sums=lambda x, W_x, b: with_biases(1, 1)(x, W_x, b[[1, 1]]),
)
mistaken_gates(
    "That is the candidate and the gate: which factor do they leave the old state, and what do they add?",
    "candidate_and_gate",
    mix=lambda z, n: (n, z),
)
mistaken_gates(
    "The candidate has got into a: a is what the gate leaves of the old state, b what comes in new.",
    "candidate_in_a",
    mix=lambda z, n: ((1 - z) * n, z),
)
mistaken_gates(
    "These are logarithms, those of the log-space mode: a and b themselves are asked for.",
    "logarithms_of_the_log_mode",
    candidate=positive,
    mix=lambda z, n: (np.log(1 - z), np.log(z * n)),
)
mistaken_gates("The biases play no part.", "no_bias", sums=with_biases(0, 0))
mistaken_gates("The gate's bias b[1] plays no part.", "gate_without_bias", sums=with_biases(1, 0))
mistaken_gates("The candidate's bias b[0] plays no part.", "candidate_without_bias", sums=with_biases(0, 1))
mistaken_gates("The biases are subtracted.", "biases_subtracted", sums=with_biases(-1, -1))


@min_gru_gates.misconception(
    "b has a row for u and one for k, (2, H): where are the axes for samples and steps?"
)
def bias_without_axes(x, W_x, b):
    return np.stack([x @ W_x[0], x @ W_x[1]]) + b


@min_gru_gates.misconception("The gate's bias stands outside σ: it belongs to the sum k.")
def bias_outside(x, W_x, b):
    z = sigmoid.reference(x @ W_x[1]) + b[1]
    return 1 - z, z * (x @ W_x[0] + b[0])


@min_gru_gates.misconception("σ is of k alone: yours lets u and k compete, as softmax does.")
def softmax_of_both(x, W_x, b):
    u, k = with_biases(1, 1)(x, W_x, b)
    z = sigmoid.reference(k - u)
    return 1 - z, z * u


@min_gru_gates.misconception(
    "Your name b is overwritten before the gate has read b[1]: take another name for what you return."
)
def bias_overwritten(x, W_x, b):
    u = x @ W_x[0] + b[0]
    z = sigmoid.reference(x @ W_x[1] + u[1])
    return 1 - z, z * u


@min_gru_gates.misconception("That b is the array of biases which came in: b = z ⊙ u is asked for.")
def biases_returned(x, W_x, b):
    return factors(x, W_x, b)[0], b.copy()


@min_gru_gates.misconception("reshape mixes u and k: W_x is (2, D, H), its first axis says which of the two.")
def reshaped(x, W_x, b):
    D, H = W_x.shape[1:]
    both = x @ W_x.reshape(D, 2 * H) + b.reshape(2 * H)
    z = sigmoid.reference(both[..., H:])
    return 1 - z, z * both[..., :H]


@min_gru_gates.clue
def which_of_the_two_is_right(answer, *case):
    right, results = min_gru_gates.reference(*case), answer(*case)
    if not are_gradients(results, right) or any(
        np.shape(r) != w.shape for r, w in zip(results, right, strict=True)
    ):
        return ""
    if any(not step.any() for step in np.moveaxis(results[0], 1, 0)):
        return ""  # nothing was stored there: that is said already
    a_right, b_right = (same(mine, wanted, 1e-6) for mine, wanted in zip(results, right, strict=True))
    if a_right and not b_right:
        return "a is right, so the gate is: what is the candidate, and by which share does it come in?"
    if b_right:
        return "b is right, so gate and candidate are: what does the gate leave of the old state?"
    return (
        "Neither is right: of x, which matrix makes the candidate, which one the gate, and with which bias?"
    )


@min_gru_gates.remark
def all_steps_at_once(answer, x, W_x, b):
    B, T, H = answer(x, W_x, b)[0].shape
    return f"{B * T * H} gates, those of all {T} steps among them, and none of them has waited for a state."


# 5.2 The recurrence


def shares(numbers, by_hand):
    """Numbers as shares between 0 and 1; those that one works with by hand get two digits."""
    return (1 + numbers) / 2 if by_hand else sigmoid.reference(numbers)


def recurrence_inputs(rng, shapes=None):
    """a between 0 and 1, b of both signs, and a first state."""
    cases = []
    for B, T, _, H in shapes or sizes(rng):
        a = shares(rng.normal(size=(B, T, H)), by_hand=shapes)
        cases.append((a, rng.normal(size=(B, T, H)), rng.normal(size=(B, H))))
    return cases


@exercise("5.2", returns={"hs": "B, T, H"}, inputs=recurrence_inputs, section=LEFT)
def recurrence(a, b, h0):
    return loop(a, b, h0)


def loop(a, b, h0, enters=None, step=None, reads=None):
    """h_t = a_t ⊙ h_{t−1} + b_t, one step after the other, with places where the mistakes below come in.

    Args:
        enters: (h, t) -> the state that enters step t.
        step: (a_t, b_t, h) -> the new state.
        reads: t -> the steps whose a and b are read at step t.
    """
    enters = enters or (lambda h, t: h)
    step = step or (lambda a_t, b_t, h: a_t * h + b_t)
    reads = reads or (lambda t: (t, t))
    h, hs, last = h0, [], a.shape[1] - 1
    for t in range(a.shape[1]):
        of_a, of_b = (min(step, last) for step in reads(t))
        h = step(a[:, of_a], b[:, of_b], enters(h, t))
        hs.append(h)
    return np.stack(hs, axis=1)


ZERO_START = "Step 1 ignores h0: does your first state move when h0 does?"


def mistaken_loop(sentence, name, enters=None, step=None, reads=None):
    """Name a mistake of the loop, by what stands at a place of ``loop``; ``enters`` gets h0 first."""

    def mistake(a, b, h0):
        return loop(a, b, h0, enters and partial(enters, h0), step, reads)

    mistake.__name__ = name
    recurrence.misconception(sentence)(mistake)


mistaken_loop(ZERO_START, "zero_start", enters=lambda h0, h, t: h if t else 0 * h)
mistaken_loop(
    "Every step begins with h0: which state enters step 2?", "h0_at_every_step", enters=lambda h0, h, t: h0
)
mistaken_loop(
    "a multiplies b in yours: it multiplies the old state.", "a_on_b", step=lambda a_t, b_t, h: h + a_t * b_t
)
mistaken_loop(
    "a multiplies both: b comes in as it is.", "a_on_both", step=lambda a_t, b_t, h: a_t * (h + b_t)
)
mistaken_loop("The old state is kept whole: where is a?", "without_a", step=lambda a_t, b_t, h: h + b_t)
mistaken_loop(
    "b comes in by 1 − a: b has its share already.",
    "mean_again",
    step=lambda a_t, b_t, h: a_t * h + (1 - a_t) * b_t,
)
mistaken_loop(
    "The old state comes in by 1 − a: a is its share already.",
    "a_taken_from_one",
    step=lambda a_t, b_t, h: (1 - a_t) * h + b_t,
)
mistaken_loop("a and b have exchanged their places.", "exchanged", step=lambda a_t, b_t, h: b_t * h + a_t)
mistaken_loop(
    "The new state goes through a tanh in yours: nothing squashes it here.",
    "squashed",
    step=lambda a_t, b_t, h: np.tanh(a_t * h + b_t),
)
mistaken_loop(
    "The factor is that of the step before: a_t multiplies h_{t−1} on its way into h_t.",
    "factor_of_the_step_before",
    reads=lambda t: (t - 1, t),
)
mistaken_loop(
    "The factor is that of the step after: a_t multiplies h_{t−1} on its way into h_t.",
    "factor_of_the_step_after",
    reads=lambda t: (t + 1, t),
)
mistaken_loop(
    "h0 comes in at every step: it enters the first one, and what is left of it goes on by itself.",
    "h0_added_at_every_step",
    enters=lambda h0, h, t: h + h0 if t else h0,
)
mistaken_loop(
    "Every step takes the first step's factor: a changes with t.",
    "always_the_first_a",
    reads=lambda t: (0, t),
)
mistaken_loop(
    "Every step adds the first step's b: b changes with t.", "always_the_first_b", reads=lambda t: (t, 0)
)


@recurrence.misconception("You walk along the batch: axis 0 is B, axis 1 is T.")
def along_the_batch(a, b, h0):
    h, hs = h0, np.zeros_like(b)
    for t in range(len(a)):
        h = a[:, t] * h + b[:, t]
        hs[:, t] = h
    return hs


@recurrence.misconception("You walk along the batch: axis 0 is B, axis 1 is T.")
def samples_for_steps(a, b, h0):
    h, hs = h0, np.zeros(b.shape)
    for t in range(len(a)):
        h = a[t] * h + b[t]
        hs[t] = h
    return hs


@recurrence.misconception("hs[:, 0] is h0 in yours: it should be the state after the first step.")
def first_step_left_out(a, b, h0):
    hs = np.zeros(b.shape)
    hs[:, 0] = h0
    for t in range(1, b.shape[1]):
        hs[:, t] = a[:, t] * hs[:, t - 1] + b[:, t]
    return hs


@recurrence.misconception("The state that goes on is not the one that is stored: one variable for both.")
def another_goes_on(a, b, h0):
    h, hs = h0, np.zeros(b.shape)
    for t in range(b.shape[1]):
        hs[:, t] = a[:, t] * h + b[:, t]
        h = a[:, t] * h + b[:, t - 1]
    return hs


@recurrence.misconception("h0 comes in at step 1 without that step's factor.")
def h0_without_its_factor(a, b, h0):
    hs = np.zeros(b.shape)
    hs[:, 0] = h0 + b[:, 0]
    for t in range(1, b.shape[1]):
        hs[:, t] = a[:, t] * hs[:, t - 1] + b[:, t]
    return hs


@recurrence.misconception("b of a step reaches that step alone: what came in earlier fades, it is not gone.")
def sums_not_handed_on(a, b, h0):
    return np.cumprod(a, axis=1) * h0[:, None] + b


@recurrence.misconception("hs[:, t] is the state that enters step t: the one that leaves it is asked for.")
def one_step_late(a, b, h0):
    hs = loop(a, b, h0)
    return np.concatenate([h0[:, None], hs[:, :-1]], axis=1)


@recurrence.misconception("Step t reads the state of step t + 1: the loop runs the wrong way.")
def read_backwards(a, b, h0):
    return loop(a[:, ::-1], b[:, ::-1], h0)[:, ::-1]


@recurrence.misconception("The last state alone stands in every step: keep each one.")
def last_state_everywhere(a, b, h0):
    hs = loop(a, b, h0)
    return np.repeat(hs[:, -1:], a.shape[1], axis=1)


@recurrence.misconception(
    "Each b is on its way for ever in yours: it fades by the factors of all later steps."
)
def sums_that_do_not_fade(a, b, h0):
    return np.cumprod(a, axis=1) * h0[:, None] + np.cumsum(b, axis=1)


@recurrence.misconception("h0 comes in at the end, as it is: it fades by a at every step.")
def h0_added_at_the_end(a, b, h0):
    return loop(a, b, 0 * h0) + h0[:, None]


DIVIDED = (
    "You divide by the product of all factors so far, which has run to 0 on a long sequence: go step by "
    "step, or never divide."
)


@recurrence.must
def is_right_on_a_long_sequence(answer, a, b, h0):
    rng = np.random.default_rng(0)
    factors, sums = rng.uniform(0.01, 0.2, size=(1, 401, 1)), rng.normal(size=(1, 401, 1))
    case = factors, sums, np.ones((1, 1))
    return "" if same(answer(*case), recurrence.reference(*case), 1e-6) else DIVIDED


@recurrence.remark
def how_much_of_h0_is_left(answer, a, b, h0):
    moved = answer(a, b, h0 + 1) - answer(a, b, h0)
    first, last = 100 * moved[0, [0, -1], 0]
    return f"of h0, {first:.0f}% is left in a unit after step 1, {last:.1g}% at the end."


# 5.8 A fading average, judged by what it does

HALF = 2**-0.1  # what a step leaves of a state whose half-life is 10 steps


def averaged(w_x, b, values, marks, h=0.0):
    """The state of one MinGRU unit after each pair of a value and a mark."""
    a, b = min_gru_gates.reference(
        np.stack([values, marks], axis=1)[None].astype(float), w_x[:, :, None], b[:, None]
    )
    return recurrence.reference(a, b, np.array([[float(h)]]))[0, :, 0]


def about_fading_average(w_x, b):
    """What a unit with these weights does not do, and whether its rows are in the other order."""
    missing = what_it_does_not(w_x, b)
    if missing and not what_it_does_not(w_x[::-1], b[::-1]):
        return "Your rows are those of k and u: here the order is u, k, candidate first."
    return missing


def what_it_does_not(w_x, b):
    """What the behaviour of a unit with these weights lacks, or ""."""
    run = partial(averaged, w_x, b)
    none = np.zeros(10)
    settled = run(np.full(300, 0.5), np.zeros(300))[-1]
    faded = run(none, none, 1.0)[-1] - run(none, none, 0.0)[-1]
    taken = run([0.8], [1], -0.6)[0]
    if abs(taken + 0.6) < 0.05 and abs(run([0.8], [0], -0.6)[0] - 0.8) < 0.05:
        return "Your unit keeps at a mark, and takes where there is none: here z = 1 takes the new."
    for h, v in [(-0.6, 0.8), (0.9, -0.5), (0.0, 0.3)]:
        taken = run([v], [1], h)[0]
        if abs(taken - v) > 0.01:
            return (
                f"A marked {v} makes the state {taken:.3f} (it was {h}), not {v}: how far is z open at a "
                "mark, and what is the candidate there?"
            )
    if abs(faded - 0.5) > 0.005:
        return (
            f"Of a state 1, {faded:.3f} is left after 10 steps without a mark, not 0.5: what must each step "
            "leave of it, and which bias makes σ give the rest?"
        )
    if abs(settled - 0.5) > 0.005:
        return f"Fed with 0.5 for ever, without a mark, it settles at {settled:.3f}: what is the candidate?"
    rng = np.random.default_rng(0)
    values, marks = rng.uniform(-1, 1, 300), np.zeros(300)
    marks[[40, 41, 200]] = 1
    wanted = recurrence.reference(
        np.where(marks, 0, HALF)[None, :, None],
        (np.where(marks, 1, 1 - HALF) * values)[None, :, None],
        np.zeros((1, 1)),
    )[0, :, 0]
    far = np.abs(run(values, marks) - wanted) > 0.01
    if far.any():
        return (
            f"On a random stream the state of step {int(np.argmax(far)) + 1} is off by more than 0.01: does "
            "the value move the gate, or the mark the candidate?"
        )
    return ""


@exercise(
    "5.8",
    returns={"w_x": "2, 2", "b": "2,"},
    inputs=no_inputs,
    section=LEFT,
    accept=about_fading_average,
)
def fading_average():
    return np.array([[1.0, 0.0], [0.0, 30.0]]), np.array([0.0, np.log((1 - HALF) / HALF)])


@fading_average.remark
def what_gate_that_is(answer):
    _, b = answer()
    return f"without a mark z is {1 / (1 + np.exp(-b[1])):.4f}, and 1 − 0.5^(1/10) is {1 - HALF:.4f}."
