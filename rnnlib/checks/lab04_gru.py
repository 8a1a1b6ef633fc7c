"""Lab 4, the gated recurrent unit: its exercises on one step and on whole sequences, both ways.

Each with its inputs, its answer and its misconceptions; ``lab04_weights.py`` has those on weights.

Gates and candidate stand in the order r, z, n, as in ``rnnlib.models.gru``: W_x (3, D, H), W_h (3, H, H),
b (3, H), and b_h (H,), the bias inside the reset. z = 1 takes the new.
"""

import itertools
from functools import partial

import numpy as np

from rnnlib.checks import find_the_mistake
from rnnlib.checks.exercise import exercise as of_lab
from rnnlib.checks.lab01_rnn import are_gradients, no_inputs
from rnnlib.checks.lab03_lstm import sigmoid
from rnnlib.checks.parts import same

exercise = partial(of_lab, "04_gru")

R, Z, N = range(3)
NAMES = "rzn"

#: The orders of r, z and n that are not the course's, and their letters.
OTHER_ORDERS = [
    (list(order), ", ".join(NAMES[gate] for gate in order))
    for order in itertools.permutations(range(3))
    if order != (R, Z, N)
]


def places(order):
    """Where r, z and n stand in an array of this order."""
    return [order.index(gate) for gate in range(3)]


def sizes(rng):
    """B, T, D, H as in lab 1, but no 3 or 4 among B and H, the numbers of r, z, n and of r, z, s, n."""
    return [(5, 4, 2, 6), (1, 5, 3, 2), (6, 2, 3, 1), (2, 1, 1, 5), (1, int(rng.integers(6, 10)), 1, 2)]


# 4.1 One step


def weights(rng, D, H):
    return (
        rng.normal(size=(3, D, H)),
        rng.normal(size=(3, H, H)),
        rng.normal(size=(3, H)),
        rng.normal(size=H),
    )


def step_inputs(rng, shapes=None):
    cases = []
    for B, _, D, H in shapes or sizes(rng):
        h_prev, x = rng.normal(size=(B, H)), rng.normal(size=(B, D))
        cases.append((x, h_prev, *weights(rng, D, H)))
    return cases


STEP = {"h": "B, H", "gates": "3, B, H"}


@exercise("4.1", returns=STEP, inputs=step_inputs, section=("gru", "One step"))
def gru_step(x, h_prev, W_x, W_h, b, b_h):
    return cell(x, h_prev, W_x, W_h, b, b_h)


def cell(x, h_prev, W_x, W_h, b, b_h, sums=None, squash=None, candidate=None, mix=None):
    """One step, with places where the mistakes below come in.

    Args:
        sums: (x, h_prev, W_x, W_h, b) -> what goes into r and z, (2, B, H).
        squash: the function of r and z.
        candidate: (x_n, b_n, r, h_prev, W_hn, b_h) -> n, where x_n is x W_xn.
        mix: (z, n, h_prev) -> h.
    """
    sums = sums or (lambda x, h_prev, W_x, W_h, b: x @ W_x[:2] + h_prev @ W_h[:2] + b[:2, None])
    squash = squash or sigmoid.reference
    candidate = candidate or (
        lambda x_n, b_n, r, h_prev, W_hn, b_h: np.tanh(x_n + b_n + r * (h_prev @ W_hn + b_h))
    )
    mix = mix or (lambda z, n, h_prev: (1 - z) * h_prev + z * n)
    r, z = squash(sums(x, h_prev, W_x, W_h, b))
    n = candidate(x @ W_x[2], b[2], r, h_prev, W_h[2], b_h)
    return mix(z, n, h_prev), np.stack([r, z, n])


def mistaken_step(sentence, name, section=None, **places):
    """Name a mistake of one step, by what stands at one of the places of ``cell``."""

    def mistake(x, h_prev, W_x, W_h, b, b_h):
        return cell(x, h_prev, W_x, W_h, b, b_h, **places)

    mistake.__name__ = name
    gru_step.misconception(sentence, section)(mistake)


ELSEWHERE = "The same cell elsewhere"
Z_KEEPS = "That is the other convention, PyTorch's, where z keeps the old: here z = 1 takes the new."
RESET_BEFORE = (
    "Your r multiplies h_prev before the product, as in Cho's paper: here it multiplies what comes out, "
    "b_h included."
)


def keeping(z, n, h_prev):
    """h where z = 1 keeps the old state."""
    return z * h_prev + (1 - z) * n


def reset_before(x_n, b_n, r, h_prev, W_hn, b_h):
    """n where the reset stands before the product."""
    return np.tanh(x_n + b_n + (r * h_prev) @ W_hn + b_h)


mistaken_step(Z_KEEPS, "z_keeps", ELSEWHERE, mix=keeping)
mistaken_step(RESET_BEFORE, "reset_before_the_product", ELSEWHERE, candidate=reset_before)
mistaken_step(
    RESET_BEFORE,
    "reset_before_with_b_h_inside",
    candidate=lambda x_n, b_n, r, h_prev, W_hn, b_h: np.tanh(x_n + b_n + (r * h_prev) @ W_hn + r * b_h),
)
mistaken_step(
    RESET_BEFORE,
    "reset_before_without_b_h",
    candidate=lambda x_n, b_n, r, h_prev, W_hn, b_h: np.tanh(x_n + b_n + (r * h_prev) @ W_hn),
)
mistaken_step(
    "Two conventions differ at once: your z keeps the old, and your r stands before the product.",
    "the_original_paper",
    ELSEWHERE,
    candidate=reset_before,
    mix=keeping,
)
mistaken_step(
    "r has no effect in yours: whom does the reset gate multiply?",
    "no_reset",
    candidate=lambda x_n, b_n, r, h_prev, W_hn, b_h: np.tanh(x_n + b_n + h_prev @ W_hn + b_h),
)
mistaken_step(
    "With r = 0 your candidate still feels b_h: that bias stands inside the reset.",
    "b_h_outside",
    candidate=lambda x_n, b_n, r, h_prev, W_hn, b_h: np.tanh(x_n + b_n + r * (h_prev @ W_hn) + b_h),
)
mistaken_step(
    "b_h plays no part in yours: it belongs to the old state's part of the candidate.",
    "b_h_dropped",
    candidate=lambda x_n, b_n, r, h_prev, W_hn, b_h: np.tanh(x_n + b_n + r * (h_prev @ W_hn)),
)
mistaken_step(
    "r multiplies the input's part as well: it resets what comes from the old state alone.",
    "reset_of_all",
    candidate=lambda x_n, b_n, r, h_prev, W_hn, b_h: np.tanh(r * (x_n + b_n + h_prev @ W_hn + b_h)),
)
mistaken_step(
    "r multiplies b[2] as well: that bias belongs to the input's part, b_h to the old state's.",
    "b_inside",
    candidate=lambda x_n, b_n, r, h_prev, W_hn, b_h: np.tanh(x_n + r * (h_prev @ W_hn + b_h + b_n)),
)
mistaken_step(
    "b[2] and b_h have exchanged their places: which one stands inside the reset?",
    "biases_exchanged",
    candidate=lambda x_n, b_n, r, h_prev, W_hn, b_h: np.tanh(x_n + b_h + r * (h_prev @ W_hn + b_n)),
)
mistaken_step(
    "b[2] plays no part in yours: it belongs to the input's part of the candidate.",
    "b_dropped",
    candidate=lambda x_n, b_n, r, h_prev, W_hn, b_h: np.tanh(x_n + r * (h_prev @ W_hn + b_h)),
)
mistaken_step(
    "b[2] comes in twice.",
    "b_twice",
    candidate=lambda x_n, b_n, r, h_prev, W_hn, b_h: np.tanh(x_n + 2 * b_n + r * (h_prev @ W_hn + b_h)),
)
mistaken_step(
    "b_h comes in twice, inside the reset and outside: inside alone.",
    "b_h_outside_as_well",
    candidate=lambda x_n, b_n, r, h_prev, W_hn, b_h: np.tanh(x_n + b_n + b_h + r * (h_prev @ W_hn + b_h)),
)
mistaken_step(
    "The candidate sees nothing of x: W_x has a third matrix.",
    "candidate_without_x",
    candidate=lambda x_n, b_n, r, h_prev, W_hn, b_h: np.tanh(b_n + r * (h_prev @ W_hn + b_h)),
)
mistaken_step(
    "In the candidate W_h[2] stands transposed: in a row vector, h @ W sums over the first axis of W.",
    "transposed_W_h_of_the_candidate",
    candidate=lambda x_n, b_n, r, h_prev, W_hn, b_h: np.tanh(x_n + b_n + r * (h_prev @ W_hn.T + b_h)),
)
mistaken_step(
    "Your candidate is never negative: which function squashes it?",
    "relu_for_candidate",
    candidate=lambda x_n, b_n, r, h_prev, W_hn, b_h: np.maximum(0, x_n + b_n + r * (h_prev @ W_hn + b_h)),
)
mistaken_step(
    "r multiplies the candidate after its tanh: it belongs inside, before the old state's part.",
    "reset_after_the_tanh",
    candidate=lambda x_n, b_n, r, h_prev, W_hn, b_h: r * np.tanh(x_n + b_n + h_prev @ W_hn + b_h),
)
mistaken_step(
    "Your candidate resets with 1 − r: r = 0 must silence the old state's part, r = 1 let it pass.",
    "reset_turned_round",
    candidate=lambda x_n, b_n, r, h_prev, W_hn, b_h: np.tanh(x_n + b_n + (1 - r) * (h_prev @ W_hn + b_h)),
)
mistaken_step(
    "Your candidate sees nothing of the old state: how much of it, r decides.",
    "candidate_from_x_alone",
    candidate=lambda x_n, b_n, r, h_prev, W_hn, b_h: np.tanh(x_n + b_n),
)
mistaken_step(
    "The candidate goes through σ in yours: it must be able to be negative.",
    "sigmoid_for_candidate",
    candidate=lambda x_n, b_n, r, h_prev, W_hn, b_h: sigmoid.reference(x_n + b_n + r * (h_prev @ W_hn + b_h)),
)
mistaken_step(
    "The candidate is not squashed in yours: nothing holds it between −1 and 1.",
    "candidate_not_squashed",
    candidate=lambda x_n, b_n, r, h_prev, W_hn, b_h: x_n + b_n + r * (h_prev @ W_hn + b_h),
)
mistaken_step(
    "The sum has gone through tanh twice.",
    "tanh_twice",
    candidate=lambda x_n, b_n, r, h_prev, W_hn, b_h: np.tanh(np.tanh(x_n + b_n + r * (h_prev @ W_hn + b_h))),
)
mistaken_step(
    "A gate is between 0 and 1, yours can be negative: which function squashes r and z?",
    "tanh_for_gates",
    squash=np.tanh,
)
mistaken_step(
    "The sign in σ: a gate must open when its sum grows.",
    "wrong_sign",
    squash=lambda a: sigmoid.reference(-a),
)
mistaken_step(
    "Your gates do not see x.",
    "gates_blind_to_x",
    sums=lambda x, h_prev, W_x, W_h, b: h_prev @ W_h[:2] + b[:2, None],
)
mistaken_step(
    "Your gates do not see h_prev.",
    "gates_blind_to_h",
    sums=lambda x, h_prev, W_x, W_h, b: x @ W_x[:2] + b[:2, None],
)
mistaken_step(
    "b of the gates r and z plays no part in yours.",
    "gates_without_bias",
    sums=lambda x, h_prev, W_x, W_h, b: x @ W_x[:2] + h_prev @ W_h[:2],
)
mistaken_step(
    "That σ is made of straight lines: here it is 1 / (1 + exp(−a)), the function of the first cell.",
    "hard_sigmoid",
    squash=lambda a: np.clip(0.2 * a + 0.5, 0, 1),
)
mistaken_step(
    "Two things differ at once: your z keeps the old, and b_h stands outside the reset.",
    "z_keeps_and_b_h_outside",
    candidate=lambda x_n, b_n, r, h_prev, W_hn, b_h: np.tanh(x_n + b_n + r * (h_prev @ W_hn) + b_h),
    mix=keeping,
)
mistaken_step(
    "Of the old state nothing is left in yours: what becomes of the part 1 − z?",
    "old_dropped",
    mix=lambda z, n, h_prev: z * n,
)
mistaken_step(
    "The old state is kept whole: how much of it stays when z moves to the new?",
    "old_kept_whole",
    mix=lambda z, n, h_prev: h_prev + z * n,
)
mistaken_step(
    "Old state and candidate both come in by the factor z: together they should make one whole.",
    "both_by_z",
    mix=lambda z, n, h_prev: z * h_prev + z * n,
)
mistaken_step("Both come in whole: where does z come in?", "added_whole", mix=lambda z, n, h_prev: h_prev + n)
mistaken_step(
    "The candidate itself is handed on: where does z come in?", "z_unused", mix=lambda z, n, h_prev: n
)
mistaken_step(
    "The mean of old and new goes through one more tanh in yours: both lie between −1 and 1 already.",
    "squashed_mean",
    mix=lambda z, n, h_prev: np.tanh((1 - z) * h_prev + z * n),
)


@gru_step.misconception("r and z have exchanged their parts: r resets, z mixes.")
def parts_exchanged(x, h_prev, W_x, W_h, b, b_h):
    r, z = sigmoid.reference(x @ W_x[:2] + h_prev @ W_h[:2] + b[:2, None])
    n = np.tanh(x @ W_x[2] + b[2] + z * (h_prev @ W_h[2] + b_h))
    return (1 - r) * h_prev + r * n, np.stack([r, z, n])


@gru_step.misconception("b_h is added to r and z as well: it belongs to the candidate alone.")
def b_h_everywhere(x, h_prev, W_x, W_h, b, b_h):
    return cell(x, h_prev, W_x, W_h, b + np.stack([b_h, b_h, 0 * b_h]), b_h)


@gru_step.misconception(
    "Your first matrices mix and your second ones reset, and z keeps, as in Keras: here r, z, n."
)
def keras(x, h_prev, W_x, W_h, b, b_h):
    h, gates = cell(x, h_prev, *(array[[Z, R, N]] for array in (W_x, W_h, b)), b_h, mix=keeping)
    return h, gates[[Z, R, N]]


@gru_step.misconception("Side by side, x and h_prev must stand in the same order as W_x and W_h do.")
def side_by_side_in_two_orders(x, h_prev, W_x, W_h, b, b_h):
    def sums(x, h_prev, W_x, W_h, b):
        W = np.concatenate([W_h, W_x], axis=1)
        return np.concatenate([x, h_prev], axis=1) @ W[:2] + b[:2, None]

    return cell(x, h_prev, W_x, W_h, b, b_h, sums=sums)


@gru_step.misconception("b[:2] has a row for each gate, (2, H): where is the axis for the samples?")
def gates_bias_without_samples(x, h_prev, W_x, W_h, b, b_h):
    return x @ W_x[:2] + h_prev @ W_h[:2] + b[:2]


@gru_step.misconception("h is right, but gates[2] holds what goes into the tanh: n is what comes out.")
def candidate_before_its_tanh(x, h_prev, W_x, W_h, b, b_h):
    h, (r, z, n) = cell(x, h_prev, W_x, W_h, b, b_h)
    return h, np.stack([r, z, np.arctanh(n)])


@gru_step.misconception("W_h stands transposed: in a row vector, h @ W sums over the first axis of W.")
def transposed_W_h(x, h_prev, W_x, W_h, b, b_h):
    return cell(x, h_prev, W_x, W_h.transpose(0, 2, 1), b, b_h)


@gru_step.misconception("b has a row for each of the three, (3, H): where is the axis for the samples?")
def bias_without_samples(x, h_prev, W_x, W_h, b, b_h):
    return cell(x, h_prev, W_x, W_h, b, b_h, sums=lambda x, h, W_x, W_h, b: (x @ W_x + h @ W_h + b)[:2])


@gru_step.misconception("gates: what comes out of σ and tanh is asked for, yours is what goes in.")
def sums_for_gates(x, h_prev, W_x, W_h, b, b_h):
    h, (r, z, n) = cell(x, h_prev, W_x, W_h, b, b_h)
    return h, np.stack([np.log(r / (1 - r)), np.log(z / (1 - z)), np.arctanh(n)])


def in_order(order):
    """A step that takes its weights to stand in another order than r, z, n."""

    def step(x, h_prev, W_x, W_h, b, b_h):
        return cell(x, h_prev, *(array[places(order)] for array in (W_x, W_h, b)), b_h)

    step.__name__ = "order_" + "".join(NAMES[gate] for gate in order)
    return step


def returned_in_order(order):
    """A right step whose gates are returned in another order than r, z, n."""

    def step(x, h_prev, W_x, W_h, b, b_h):
        h, gates = cell(x, h_prev, W_x, W_h, b, b_h)
        return h, gates[order]

    step.__name__ = "returned_" + "".join(NAMES[gate] for gate in order)
    return step


for order, names in OTHER_ORDERS:
    gru_step.misconception(f"Your weights stand in the order {names}: here it is r, z, n.")(in_order(order))
    gru_step.misconception(
        f"h is right, but your gates are returned in the order {names}: here it is r, z, n."
    )(returned_in_order(order))


@gru_step.clue
def which_of_a_step_are_right(answer, *case):
    right, results = gru_step.reference(*case), answer(*case)
    if not are_gradients(results, right) or results[1].shape != right[1].shape:
        return ""
    good, bad = good_and_bad(results[1], right[1])
    if same(results[0], right[0], 1e-6):
        return f"h is right, so r, z and n are: look at what you return for {', '.join(bad)}."
    if bad == ["n"]:
        return "r and z are right, n is not: a tanh of two parts, which bias and which gate goes with which?"
    if good and bad:
        return f"Right so far: {', '.join(good)}. Not right: {', '.join(bad)}. What is different there?"
    if bad:
        return "None of the three is right: which rows of x, h_prev and the weights meet, and which biases?"
    return "r, z and n are right, h is not: how are n and the old state mixed?"


def good_and_bad(gates, right):
    """The letters of those of r, z and n that are right, and of those that are not."""
    good = [NAMES[gate] for gate in range(3) if same(gates[gate], right[gate], 1e-6)]
    return good, [name for name in NAMES if name not in good]


@gru_step.must
def sums_may_be_large(answer, x, h_prev, W_x, W_h, b, b_h):
    if not all(map(np.isfinite, np.ravel(answer(1000 * x, h_prev, W_x, W_h, b, b_h)[0]))):
        return "Sums of a thousand make h nan: your σ overflows, that of the first cell does not."
    return ""


@gru_step.remark
def between_old_and_new(answer, x, h_prev, W_x, W_h, b, b_h):
    h = answer(x, np.clip(h_prev, -1, 1), W_x, W_h, b, b_h)[0]
    return (
        f"old states within ±1 give new ones within ±{np.abs(h).max():.3f}: a mean never leaves its two ends."
    )


# 4.2 One step backward


def step_backward_inputs(rng, shapes=None):
    """Gates come from a real forward step."""
    cases = []
    for x, h_prev, W_x, W_h, b, b_h in step_inputs(rng, shapes):
        h, gates = gru_step.reference(x, h_prev, W_x, W_h, b, b_h)
        cases.append((rng.normal(size=h.shape), x, h_prev, gates, W_x, W_h, b_h))
    return cases


GRADIENTS = {
    "dx": "B, D",
    "dh_prev": "B, H",
    "dW_x": "3, D, H",
    "dW_h": "3, H, H",
    "db": "3, H",
    "db_h": "H,",
}


@exercise("4.2", returns=GRADIENTS, inputs=step_backward_inputs, section=("gru", "One step backward"))
def gru_step_backward(dh, x, h_prev, gates, W_x, W_h, b_h):
    return back(dh, x, h_prev, gates, W_x, W_h, b_h)


def back(
    dh,
    x,
    h_prev,
    gates,
    W_x,
    W_h,
    b_h,
    to_n=None,
    to_z=None,
    to_r=None,
    slopes=None,
    direct=None,
    to_s=None,
    into_h=None,
    weights=None,
):
    """One step backward, with places where the mistakes below come in.

    Args:
        to_n: (dh, z) -> dn.
        to_z: (dh, n, h_prev) -> dz.
        to_r: (da_n, s, W_hn, h_prev, b_h, dn) -> dr, where s is h_prev W_hn + b_h.
        slopes: gates -> the slopes of σ, σ and tanh, (3, B, H).
        direct: (dh, z) -> what comes to h_prev past all matrices.
        to_s: (da_n, r) -> ds.
        into_h: (through_h, W_h, r, z, dh) -> what comes to h_prev through the matrices; through_h is da_r,
            da_z, ds.
        weights: (x, h_prev, da, through_h) -> the gradients of W_x, W_h, b and b_h.
    """
    to_n = to_n or (lambda dh, z: dh * z)
    to_z = to_z or (lambda dh, n, h_prev: dh * (n - h_prev))
    to_r = to_r or (lambda da_n, s, W_hn, h_prev, b_h, dn: da_n * s)
    slopes = slopes or (lambda g: np.stack([g[0] * (1 - g[0]), g[1] * (1 - g[1]), 1 - g[2] ** 2]))
    direct = direct or (lambda dh, z: dh * (1 - z))
    to_s = to_s or (lambda da_n, r: da_n * r)
    into_h = into_h or (lambda up, W_h, r, z, dh: (up @ W_h.transpose(0, 2, 1)).sum(axis=0))
    weights = weights or (lambda x, h, da, up: (x.T @ da, h.T @ up, da.sum(axis=1), up[2].sum(axis=0)))
    r, z, n = gates
    slope_r, slope_z, slope_n = slopes(gates)
    dn = to_n(dh, z)
    da_n = dn * slope_n
    da_r = to_r(da_n, h_prev @ W_h[2] + b_h, W_h[2], h_prev, b_h, dn) * slope_r
    da_z = to_z(dh, n, h_prev) * slope_z
    da, through_h = np.stack([da_r, da_z, da_n]), np.stack([da_r, da_z, to_s(da_n, r)])
    dx = (da @ W_x.transpose(0, 2, 1)).sum(axis=0)
    return dx, direct(dh, z) + into_h(through_h, W_h, r, z, dh), *weights(x, h_prev, da, through_h)


def mistaken_back(sentence, name, section=None, **places):
    """Name a mistake of one step backward, by what stands at one of the places of ``back``."""

    def mistake(dh, x, h_prev, gates, W_x, W_h, b_h):
        return back(dh, x, h_prev, gates, W_x, W_h, b_h, **places)

    mistake.__name__ = name
    gru_step_backward.misconception(sentence, section)(mistake)


# All three places of z, turned round.
KEEPING = {
    "to_n": lambda dh, z: dh * (1 - z),
    "to_z": lambda dh, n, h_prev: dh * (h_prev - n),
    "direct": lambda dh, z: dh * z,
}

mistaken_back(
    "That is the way back through the other convention, where z keeps the old: here z = 1 takes the new.",
    "z_keeps",
    ELSEWHERE,
    **KEEPING,
)
mistaken_back(
    "dh_prev: with z = 0 the gradient should pass unchanged. Where is the path past all matrices?",
    "direct_path_lost",
    direct=lambda dh, z: 0 * dh,
)
mistaken_back(
    "dh_prev: the old state came in by the factor 1 − z, not z.",
    "direct_path_through_z",
    direct=lambda dh, z: dh * z,
)
mistaken_back(
    "dh_prev: on its straight path the old state came in by the factor 1 − z, yours comes back whole.",
    "direct_path_past_the_gate",
    direct=lambda dh, z: dh,
)
mistaken_back(
    "dz has the wrong sign: does more z move h towards n, or towards the old state?",
    "dz_turned_round",
    to_z=lambda dh, n, h_prev: dh * (h_prev - n),
)
mistaken_back(
    "dz: z stands in two places, before n and in 1 − z. Yours has the first alone.",
    "dz_of_the_new_alone",
    to_z=lambda dh, n, h_prev: dh * n,
)
mistaken_back(
    "dz: z stands in two places, before n and in 1 − z. Yours has the second alone.",
    "dz_of_the_old_alone",
    to_z=lambda dh, n, h_prev: -dh * h_prev,
)
mistaken_back(
    "dz: z stands in two places, before n with a plus, in 1 − z with a minus. Yours adds both.",
    "dz_added",
    to_z=lambda dh, n, h_prev: dh * (n + h_prev),
)
mistaken_back(
    "dr: what does r multiply on the way forward? Yours is the gradient of the variant where it multiplies "
    "h_prev before the product.",
    "dr_of_the_other_variant",
    ELSEWHERE,
    to_r=lambda da_n, s, W_hn, h_prev, b_h, dn: (da_n @ W_hn.T) * h_prev,
)
mistaken_back(
    "dr: between r and n lies the tanh as well, so dr begins with da_n, not with dn.",
    "dr_past_the_tanh",
    to_r=lambda da_n, s, W_hn, h_prev, b_h, dn: dn * s,
)
mistaken_back(
    "dr: in your s, W_h[2] stands transposed.",
    "s_transposed",
    to_r=lambda da_n, s, W_hn, h_prev, b_h, dn: da_n * (h_prev @ W_hn.T + b_h),
)
mistaken_back(
    "dr: r multiplied the whole of s, b_h included.",
    "dr_without_b_h",
    to_r=lambda da_n, s, W_hn, h_prev, b_h, dn: da_n * (s - b_h),
)
mistaken_back(
    "dr: r multiplied h_prev @ W_h[2] + b_h, not h_prev itself.",
    "dr_by_the_old_state",
    to_r=lambda da_n, s, W_hn, h_prev, b_h, dn: da_n * h_prev,
)
mistaken_back(
    "dn: the candidate goes into h by the factor z.",
    "dn_past_the_gate",
    to_n=lambda dh, z: dh,
)
mistaken_back(
    "dn: the candidate goes into h by the factor z, not 1 − z.",
    "dn_of_the_other_convention",
    to_n=lambda dh, z: dh * (1 - z),
)
mistaken_back(
    "dh_prev: n reads the old state through the reset, so what comes back that way carries r.",
    "n_past_the_reset",
    to_s=lambda da_n, r: da_n,
)
mistaken_back(
    "Gradients of the gates, or of what enters them? Between lie σ and tanh, and their slopes.",
    "no_slopes",
    slopes=lambda gates: np.ones_like(gates),
)
mistaken_back(
    "n came out of a tanh, not of a σ: what is its slope?",
    "slope_of_sigmoid_for_n",
    slopes=lambda gates: gates * (1 - gates),
)
mistaken_back(
    "The slope of σ is s (1 − s); yours takes tanh's, 1 − s², for the gates.",
    "slope_of_tanh_for_gates",
    slopes=lambda gates: 1 - gates**2,
)
for name, slope_of_r, slope_of_z, sentence in [
    (
        "no_slope_for_r",
        lambda r, z: 1,
        lambda r, z: z * (1 - z),
        "The slope of σ is missing for r: r (1 − r).",
    ),
    (
        "no_slope_for_z",
        lambda r, z: r * (1 - r),
        lambda r, z: 1,
        "The slope of σ is missing for z: z (1 − z).",
    ),
    (
        "slope_of_tanh_for_r",
        lambda r, z: 1 - r**2,
        lambda r, z: z * (1 - z),
        "r came out of a σ, not of a tanh: what is its slope?",
    ),
    (
        "slope_of_tanh_for_z",
        lambda r, z: r * (1 - r),
        lambda r, z: 1 - z**2,
        "z came out of a σ, not of a tanh: what is its slope?",
    ),
    (
        "slope_of_z_for_r",
        lambda r, z: z * (1 - z),
        lambda r, z: z * (1 - z),
        "r has the slope of z in yours: r (1 − r).",
    ),
    (
        "slope_of_r_for_z",
        lambda r, z: r * (1 - r),
        lambda r, z: r * (1 - r),
        "z has the slope of r in yours: z (1 − z).",
    ),
]:
    mistaken_back(
        sentence,
        name,
        slopes=lambda g, of_r=slope_of_r, of_z=slope_of_z: np.stack(
            [of_r(*g[:2]) * np.ones_like(g[0]), of_z(*g[:2]) * np.ones_like(g[1]), 1 - g[2] ** 2]
        ),
    )
mistaken_back(
    "The slope of tanh is 1 − n²: yours has no slope for n.",
    "no_slope_for_n",
    slopes=lambda g: np.stack([g[0] * (1 - g[0]), g[1] * (1 - g[1]), np.ones_like(g[2])]),
)
mistaken_back(
    "The slope of tanh is 1 − tanh², and n is the tanh already: yours takes tanh once more.",
    "tanh_twice",
    slopes=lambda g: np.stack([g[0] * (1 - g[0]), g[1] * (1 - g[1]), 1 - np.tanh(g[2]) ** 2]),
)
mistaken_back(
    "The slope of σ is s (1 − s), and r and z are σ already: yours takes σ once more.",
    "sigmoid_twice",
    slopes=lambda g: np.stack(
        [*(sigmoid.reference(s) * (1 - sigmoid.reference(s)) for s in g[:2]), 1 - g[2] ** 2]
    ),
)
mistaken_back(
    "dh_prev: each W_h stands the wrong way round. Over which of its axes is summed on the way back?",
    "untransposed_W_h",
    into_h=lambda up, W_h, r, z, dh: (up @ W_h).sum(axis=0),
)
mistaken_back(
    "dh_prev: the straight path is there, but nothing comes back through the matrices.",
    "straight_path_alone",
    into_h=lambda up, W_h, r, z, dh: 0 * dh,
)
for few, sentence in [
    ([R, Z], "n, whose part of h_prev is behind the reset, is missing"),
    ([Z, N], "r is missing"),
    ([R, N], "z is missing"),
    ([N], "r and z are missing"),
]:
    mistaken_back(
        f"dh_prev: three read h_prev through a matrix, r, z and n. Yours lacks some: {sentence}.",
        "into_h_" + "".join(NAMES[gate] for gate in few),
        into_h=lambda up, W_h, *_, few=few: (up[few] @ W_h[few].transpose(0, 2, 1)).sum(axis=0),
    )
mistaken_back(
    "dh_prev: n's part carries r twice.",
    "r_twice",
    into_h=lambda up, W_h, r, z, dh: up[0] @ W_h[0].T + up[1] @ W_h[1].T + (up[2] * r) @ W_h[2].T,
)
mistaken_back(
    "dh_prev: on the way forward W_h[2] comes before r, so on the way back r comes first. Yours is the last.",
    "r_after_the_matrix",
    into_h=lambda up, W_h, r, z, dh: up[0] @ W_h[0].T + up[1] @ W_h[1].T + r * ((up[2] / r) @ W_h[2].T),
)
mistaken_back(
    "dh_prev: z's part comes back through W_h[0], it has a matrix of its own.",
    "z_through_the_matrix_of_r",
    into_h=lambda up, W_h, r, z, dh: (up[0] + up[1]) @ W_h[0].T + up[2] @ W_h[2].T,
)
mistaken_back(
    "dh_prev: in n's part W_h[2] stands the wrong way round.",
    "n_untransposed",
    into_h=lambda up, W_h, r, z, dh: up[0] @ W_h[0].T + up[1] @ W_h[1].T + up[2] @ W_h[2],
)
for gate in range(3):
    mistaken_back(
        "dh_prev: the straight path meets no matrix, dh ⊙ (1 − z) comes back as it is.",
        f"straight_path_through_W_h_{gate}",
        direct=lambda dh, z: 0 * dh,
        into_h=lambda up, W_h, r, z, dh, gate=gate: (
            (up @ W_h.transpose(0, 2, 1)).sum(axis=0) + (dh * (1 - z)) @ W_h[gate].T
        ),
    )
mistaken_back(
    "dh_prev: r stands in n's way alone. The parts of r and z carry it as well in yours.",
    "r_everywhere",
    into_h=lambda up, W_h, r, z, dh: (up[0] * r) @ W_h[0].T + (up[1] * r) @ W_h[1].T + up[2] @ W_h[2].T,
)
mistaken_back(
    "dW_h: each matrix stands transposed, it should be h_prev.T @ (what comes back).",
    "dW_h_transposed",
    weights=lambda x, h, da, up: (
        x.T @ da,
        (h.T @ up).transpose(0, 2, 1),
        da.sum(axis=1),
        up[2].sum(axis=0),
    ),
)
mistaken_back(
    "dW_h of z is that of r in yours.",
    "dW_h_of_r_for_z",
    weights=lambda x, h, da, up: (x.T @ da, h.T @ up[[0, 0, 2]], da.sum(axis=1), up[2].sum(axis=0)),
)
mistaken_back(
    "db_h: that bias stands in n's sum alone, yours adds what reached r and z.",
    "db_h_of_all_three",
    weights=lambda x, h, da, up: (x.T @ da, h.T @ up, da.sum(axis=1), up.sum(axis=(0, 1))),
)
mistaken_back(
    "db_h: that bias stands in n's sum, behind the reset. Yours is what reached r.",
    "db_h_of_r",
    weights=lambda x, h, da, up: (x.T @ da, h.T @ up, da.sum(axis=1), da[0].sum(axis=0)),
)
mistaken_back(
    "dW_h of n: h_prev's product is behind the reset, so its gradient carries r. Yours is that of n's sum.",
    "dW_h_past_the_reset",
    weights=lambda x, h, da, up: (x.T @ da, h.T @ da, da.sum(axis=1), up[2].sum(axis=0)),
)
mistaken_back(
    "db_h: that bias stands inside the reset, so its gradient carries r. Yours equals db of n.",
    "db_h_past_the_reset",
    weights=lambda x, h, da, up: (x.T @ da, h.T @ up, da.sum(axis=1), da[2].sum(axis=0)),
)
mistaken_back(
    "db of n: that bias stands outside the reset, so r has no part in it. Yours equals db_h.",
    "db_through_the_reset",
    weights=lambda x, h, da, up: (x.T @ da, h.T @ up, up.sum(axis=1), up[2].sum(axis=0)),
)
mistaken_back(
    "dW_x of n: x comes in outside the reset, so r has no part in it.",
    "dW_x_through_the_reset",
    weights=lambda x, h, da, up: (x.T @ up, h.T @ up, da.sum(axis=1), up[2].sum(axis=0)),
)
mistaken_back(
    "The weights' gradients are too small by the factor B: the samples add up, nothing is divided.",
    "averaged",
    weights=lambda x, h, da, up: (
        x.T @ da / len(x),
        h.T @ up / len(x),
        da.mean(axis=1),
        up[2].mean(axis=0),
    ),
)


@gru_step_backward.misconception(
    "dW_h of n: h_prev meets ds = da_n ⊙ r. Yours gives r to h_prev, as in the variant with r before W_h.",
    ELSEWHERE,
)
def dW_h_of_the_other_variant(dh, x, h_prev, gates, W_x, W_h, b_h):
    dx, dh_prev, dW_x, dW_h, db, db_h = back(dh, x, h_prev, gates, W_x, W_h, b_h)
    r, z, n = gates
    dW_h_n = (r * h_prev).T @ (dh * z * (1 - n**2))
    return dx, dh_prev, dW_x, np.stack([*dW_h[:2], dW_h_n]), db, db_h


@gru_step_backward.misconception(
    "dW_h: the state that went in was multiplied, h_prev, not the one that came out."
)
def dW_h_of_the_new_state(dh, x, h_prev, gates, W_x, W_h, b_h):
    h = (1 - gates[1]) * h_prev + gates[1] * gates[2]

    def weights(x, _, da, up):
        return x.T @ da, h.T @ up, da.sum(axis=1), up[2].sum(axis=0)

    return back(dh, x, h_prev, gates, W_x, W_h, b_h, weights=weights)


@gru_step_backward.misconception(
    "A weight is used by every sample: yours keeps the last sample's gradients alone."
)
def last_sample_alone(dh, x, h_prev, gates, W_x, W_h, b_h):
    dx, dh_prev, *_, db_h = back(dh, x, h_prev, gates, W_x, W_h, b_h)
    last = back(dh[-1:], x[-1:], h_prev[-1:], gates[:, -1:], W_x, W_h, b_h)
    return dx, dh_prev, *last[2:5], db_h


@gru_step_backward.misconception(
    ".T turns all three axes of a stack: W_x.transpose(0, 2, 1) turns each matrix."
)
def stack_turned(dh, x, h_prev, gates, W_x, W_h, b_h):
    return gates @ W_x.T


def part_of_dx(few):
    """dx from some of r, z and n alone."""

    def mistake(dh, x, h_prev, gates, W_x, W_h, b_h):
        none = np.zeros_like(W_x)
        none[few] = W_x[few]
        return back(dh, x, h_prev, gates, none, W_h, b_h)

    letters = ", ".join(NAMES[gate] for gate in few)
    mistake.__name__ = "dx_from_" + "".join(NAMES[gate] for gate in few)
    gru_step_backward.misconception(
        f"dx: x is read by three, r, z and n, and the gradients add up. Yours has those of {letters} alone."
    )(mistake)


for few in [[R], [Z], [N], [R, Z], [R, N], [Z, N]]:
    part_of_dx(few)


@gru_step_backward.misconception("dx: each W_x stands the wrong way round, or is reshaped.")
def dx_reshaped(dh, x, h_prev, gates, W_x, W_h, b_h):
    turned = W_x.reshape(3, W_x.shape[2], W_x.shape[1]).transpose(0, 2, 1)
    return back(dh, x, h_prev, gates, turned, W_h, b_h)


@gru_step_backward.misconception("dx: x reads nothing through the reset, it comes in beside it.")
def dx_through_the_reset(dh, x, h_prev, gates, W_x, W_h, b_h):
    dx, *others = back(dh, x, h_prev, gates, W_x, W_h, b_h)
    r, z, n = gates
    return dx + (dh * z * (1 - n**2) * (r - 1)) @ W_x[2].T, *others


def unpacked_in(order):
    """One step backward that takes the gates it is given in another order."""

    def mistake(dh, x, h_prev, gates, W_x, W_h, b_h):
        return back(dh, x, h_prev, gates[order], W_x, W_h, b_h)

    mistake.__name__ = "unpacked_" + "".join(NAMES[gate] for gate in order)
    return mistake


def gradients_in(order):
    """Right gradients of the weights, in another order than r, z, n."""

    def mistake(dh, x, h_prev, gates, W_x, W_h, b_h):
        dx, dh_prev, dW_x, dW_h, db, db_h = back(dh, x, h_prev, gates, W_x, W_h, b_h)
        return dx, dh_prev, dW_x[order], dW_h[order], db[order], db_h

    mistake.__name__ = "gradients_" + "".join(NAMES[gate] for gate in order)
    return mistake


for order, names in OTHER_ORDERS:
    gru_step_backward.misconception(
        f"The weights' gradients stand in the order {names}: here it is r, z, n."
    )(gradients_in(order))
gru_step_backward.misconception(
    "The gates that you are given stand in the order r, z, n: yours takes z, r, n."
)(unpacked_in([Z, R, N]))


@gru_step_backward.clue
def which_of_the_three_are_right(answer, *case):
    """Whose gradients are right tells where the fault lies, whatever it is."""
    right, results = gru_step_backward.reference(*case), answer(*case)
    if not are_gradients(results, right) or results[4].shape != right[4].shape:
        return ""
    good, bad = good_and_bad(results[4], right[4])
    if bad and len(case[0]) > 1 and same(results[4] * len(case[0]), right[4], 1e-6):
        return "db is too small by the factor B: the samples add up, nothing is divided."
    if bad == ["r"]:
        return (
            "By db, the ways to z and n are right, that to r is not: look at its partner, then at its slope."
        )
    if good and bad:
        return (
            f"By db, the way to {', '.join(good)} is right, that to {', '.join(bad)} is not: "
            "look at the partner, then at the slope."
        )
    if bad:
        return "db is wrong for r, z and n: what reaches each sum, and is it added over all samples?"
    if not same(results[0], right[0], 1e-6):
        return "db is right, so what reaches r, z and n is: which of them, through which matrix, read x?"
    if not same(results[1], right[1], 1e-6):
        return (
            "dx and db are right. Four ways lead back to h_prev, three through a matrix and one past them: "
            "are all there, and what does each of them meet?"
        )
    for name, place in [("dW_x", 2), ("dW_h", 3)]:
        good, bad = good_and_bad(results[place], right[place])
        if bad:
            right_ones = f"right for {', '.join(good)}, " if good else ""
            return f"{name} is {right_ones}wrong for {', '.join(bad)}: which two factors meet in each weight?"
    return "Only db_h is wrong: what reaches s, summed over the samples?"


@gru_step_backward.remark
def past_all_matrices(answer, dh, x, h_prev, gates, W_x, W_h, b_h):
    shut = np.stack([gates[0], 0 * gates[1], gates[2]])
    if same(answer(dh, x, h_prev, shut, W_x, W_h, b_h)[1], dh, 1e-12):
        return "with z = 0 your dh_prev is dh, to the last digit: nothing fades on that path."
    return ""


# 4.3 A whole sequence


def sequence_inputs(rng, shapes=None):
    return [
        (rng.normal(size=(B, T, D)), rng.normal(size=(B, H)), *weights(rng, D, H))
        for B, T, D, H in shapes or sizes(rng)
    ]


SEQUENCE = {"hs": "B, T, H", "gates": "3, B, T, H"}


@exercise("4.3", returns=SEQUENCE, inputs=sequence_inputs, section=("gru", "A whole sequence"))
def gru_sequence(x, h0, W_x, W_h, b, b_h):
    return walk(x, h0, W_x, W_h, b, b_h)


def walk(x, h0, W_x, W_h, b, b_h, enters=None, reads=None, step=None):
    """All steps, with places where the mistakes below come in.

    Args:
        enters: (h, t) -> the state that enters step t.
        reads: t -> the input that step t reads.
        step: as in exercise 4.1.
    """
    enters, reads = enters or (lambda h, t: h), reads or (lambda t: x[:, t])
    step = step or gru_step.reference
    h, steps = h0, []
    for t in range(x.shape[1]):
        h, gates = step(reads(t), enters(h, t), W_x, W_h, b, b_h)
        steps.append((h, gates))
    hs, gates = zip(*steps, strict=True)
    return np.stack(hs, axis=1), np.stack(gates, axis=2)


def mistaken_walk(sentence, name, **places):
    """Name a mistake of a sequence, by functions of x and h0 that make the places of ``walk``."""

    def mistake(x, h0, W_x, W_h, b, b_h):
        return walk(x, h0, W_x, W_h, b, b_h, **{key: place(x, h0) for key, place in places.items()})

    mistake.__name__ = name
    gru_sequence.misconception(sentence)(mistake)


ZERO_START = "Step 1 ignores the state you were given. If you wrote hs[:, t - 1]: what is index −1 at t = 0?"

mistaken_walk(ZERO_START, "zero_start", enters=lambda x, h0: lambda h, t: h if t else 0 * h)
mistaken_walk(
    "Step 2 begins anew with h0: which state enters it?",
    "never_carried",
    enters=lambda x, h0: lambda h, t: h0,
)
mistaken_walk(
    "Step 2 begins with a state of zeros: it should begin with what step 1 left.",
    "reset_at_every_step",
    enters=lambda x, h0: lambda h, t: 0 * h if t else h,
)
mistaken_walk(
    "Every step reads the input of step 1.", "always_the_first_input", reads=lambda x, h0: lambda t: x[:, 0]
)
mistaken_walk(
    "You begin at the last step: the state runs from step 1 to step T.",
    "read_backwards",
    reads=lambda x, h0: lambda t: x[:, -1 - t],
)
mistaken_walk(Z_KEEPS, "z_keeps", step=lambda x, h0: partial(cell, mix=keeping))
mistaken_walk(
    RESET_BEFORE, "reset_before_the_product", step=lambda x, h0: partial(cell, candidate=reset_before)
)


@gru_sequence.misconception("You walk along the batch: axis 0 is B, axis 1 is T.")
def along_the_batch(x, h0, W_x, W_h, b, b_h):
    return walk(x, h0, W_x, W_h, b, b_h, reads=lambda t: x[t])


@gru_sequence.misconception("hs[:, t] is the state before step t in yours: it should be the one after it.")
def states_before(x, h0, W_x, W_h, b, b_h):
    hs, gates = walk(x, h0, W_x, W_h, b, b_h)
    return np.concatenate([h0[:, None], hs[:, :-1]], axis=1), gates


RESHAPED = (
    "reshape moves no numbers: a list of steps has the axis T in front, np.stack puts it where you say."
)


@gru_sequence.misconception(RESHAPED)
def states_reshaped(x, h0, W_x, W_h, b, b_h):
    hs, gates = walk(x, h0, W_x, W_h, b, b_h)
    return hs.transpose(1, 0, 2).reshape(hs.shape), gates


@gru_sequence.misconception(RESHAPED)
def gates_reshaped(x, h0, W_x, W_h, b, b_h):
    hs, gates = walk(x, h0, W_x, W_h, b, b_h)
    return hs, gates.transpose(2, 0, 1, 3).reshape(gates.shape)


@gru_sequence.misconception(RESHAPED)
def both_reshaped(x, h0, W_x, W_h, b, b_h):
    hs, gates = walk(x, h0, W_x, W_h, b, b_h)
    return hs.transpose(1, 0, 2).reshape(hs.shape), gates.transpose(2, 0, 1, 3).reshape(gates.shape)


@gru_sequence.misconception("The last step is 0: where does the loop end?")
def last_step_left_out(x, h0, W_x, W_h, b, b_h):
    hs, gates = walk(x, h0, W_x, W_h, b, b_h)
    hs[:, -1], gates[:, :, -1] = 0, 0
    return hs, gates


@gru_sequence.misconception("All steps but the first are 0: does the return stand inside the loop?")
def returned_after_one_step(x, h0, W_x, W_h, b, b_h):
    hs, gates = walk(x, h0, W_x, W_h, b, b_h)
    hs[:, 1:], gates[:, :, 1:] = 0, 0
    return hs, gates


@gru_sequence.misconception("Every step holds the last state: is it one array, appended again and again?")
def one_array_for_all(x, h0, W_x, W_h, b, b_h):
    hs, gates = walk(x, h0, W_x, W_h, b, b_h)
    return np.repeat(hs[:, -1:], x.shape[1], axis=1), gates


@gru_sequence.misconception("hs and gates: every step's are asked for, yours stand in the reverse order.")
def stored_backwards(x, h0, W_x, W_h, b, b_h):
    hs, gates = walk(x, h0, W_x, W_h, b, b_h)
    return hs[:, ::-1], gates[:, :, ::-1]


@gru_sequence.misconception("hs is right, gates holds those of the last step everywhere: were they copied?")
def last_gates_everywhere(x, h0, W_x, W_h, b, b_h):
    hs, gates = walk(x, h0, W_x, W_h, b, b_h)
    return hs, np.repeat(gates[:, :, -1:], x.shape[1], axis=2)


@gru_sequence.clue
def what_the_first_step_holds(answer, x, h0, W_x, W_h, b, b_h):
    right, results = walk(x, h0, W_x, W_h, b, b_h), answer(x, h0, W_x, W_h, b, b_h)
    if not are_gradients(results, right) or any(
        own.shape != wanted.shape for own, wanted in zip(results, right, strict=True)
    ):
        return ""
    first = results[0][:, 0]
    if same(first, gru_step.reference(x[:, 0], 0 * h0, W_x, W_h, b, b_h)[0], 1e-6):
        return ZERO_START
    case = x[:, 0], h0, W_x, W_h, b, b_h
    sentence = mistake_of_a_step(gru_step, case, (first, results[1][:, :, 0]))
    if sentence:
        return sentence
    if not same(first, right[0][:, 0], 1e-6):
        return "Not even step 1 is right: x[:, 0] and h0 enter it, and what comes out is hs[:, 0]."
    if not same(results[0], right[0], 1e-6):
        return "Step 1 is right: which state, and which input, enters step 2?"
    return "hs is right, gates are not: those of step t belong to gates[:, :, t]."


@gru_sequence.remark
def the_past_fades(answer, x, h0, W_x, W_h, b, b_h):
    x = np.repeat(x[:1], 100 // x.shape[1], axis=1)
    ends = [answer(x, 0 * h0[:1] + h, 0.3 * W_x, 0.3 * W_h, b, b_h)[0][:, -1] for h in (1, -1)]
    far = np.abs(ends[0] - ends[1]).max()
    return f"with small weights, states that began at 1 and at −1 are {far:.0e} apart after 100 steps."


def mistake_of_a_step(step, case, results):
    """The sentence of the single step's misconception that gives these results, or ""."""
    for mistake, sentence in step.misconceptions:
        value = step.call(mistake, case).value
        if value is not None and all(map(same, value, results, [1e-6] * len(results))):
            return sentence
    return ""


@gru_sequence.must
def a_cut_makes_no_difference(answer, x, h0, W_x, W_h, b, b_h):
    if x.shape[1] < 2:
        return ""
    whole = answer(x, h0, W_x, W_h, b, b_h)[0]
    first = answer(x[:, :1], h0, W_x, W_h, b, b_h)[0]
    rest = answer(x[:, 1:], first[:, -1], W_x, W_h, b, b_h)[0]
    if same(rest[:, -1], whole[:, -1], 1e-6):
        return ""
    return "Cut in two after step 1 and resumed, a sequence gives other states: what outlives a call?"


# 4.4 All steps backward


def sequence_backward_inputs(rng, shapes=None):
    cases = []
    for x, h0, W_x, W_h, b, b_h in sequence_inputs(rng, shapes):
        hs, gates = gru_sequence.reference(x, h0, W_x, W_h, b, b_h)
        dy = 10 * rng.normal(size=hs.shape)  # so that clipping shows
        cases.append((dy, x, h0, hs, gates, W_x, W_h, b_h))
    return cases


ALL_GRADIENTS = {
    "dx": "B, T, D",
    "dh0": "B, H",
    "dW_x": "3, D, H",
    "dW_h": "3, H, H",
    "db": "3, H",
    "db_h": "H,",
}


@exercise(
    "4.4",
    returns=ALL_GRADIENTS,
    inputs=sequence_backward_inputs,
    section=("gru", "A whole sequence"),
)
def gru_sequence_backward(dy, x, h0, hs, gates, W_x, W_h, b_h):
    return all_back(dy, x, h0, hs, gates, W_x, W_h, b_h)


def all_back(
    dy,
    x,
    h0,
    hs,
    gates,
    W_x,
    W_h,
    b_h,
    arrives=None,
    before=None,
    hands_on=None,
    collect=None,
    order=None,
    step=None,
):
    """All steps backward, with places where the mistakes below come in.

    Args:
        arrives: (dy_t, from_next) -> the gradient of h_t.
        before: t -> h before step t.
        hands_on: (from_next, dh_prev) -> what the step before gets.
        collect: (sum so far, this step's) -> the sum, for the weights' gradients.
        order: the steps, in the order in which they are gone through.
        step: as in exercise 4.2.
    """
    arrives = arrives or (lambda dy_t, from_next: dy_t + from_next)
    before = before or (lambda t: hs[:, t - 1] if t else h0)
    hands_on = hands_on or (lambda from_next, dh_prev: dh_prev)
    collect = collect or (lambda total, own: total + own)
    step = step or gru_step_backward.reference
    dx, sums, from_next = np.zeros_like(x), [0, 0, 0, 0], np.zeros_like(h0)
    for t in order or reversed(range(x.shape[1])):
        dh = arrives(dy[:, t], from_next)
        dx[:, t], dh_prev, *own = step(dh, x[:, t], before(t), gates[:, :, t], W_x, W_h, b_h)
        sums = [collect(total, gradient) for total, gradient in zip(sums, own, strict=True)]
        from_next = hands_on(from_next, dh_prev)
    return dx, from_next, *sums


def mistaken_way_back(sentence, name, section=None, **places):
    """Name a mistake of all steps backward: functions of h0 and hs make the places of ``all_back``."""

    def mistake(dy, x, h0, hs, gates, W_x, W_h, b_h):
        own = {key: place(h0, hs) for key, place in places.items()}
        return all_back(dy, x, h0, hs, gates, W_x, W_h, b_h, **own)

    mistake.__name__ = name
    gru_sequence_backward.misconception(sentence, section)(mistake)


mistaken_way_back(
    "h_t is used by its own loss and by step t + 1: yours comes back from the loss alone.",
    "loss_alone",
    arrives=lambda *_: lambda dy_t, from_next: dy_t,
)
mistaken_way_back(
    "All is 0: where do the losses of the steps come in?",
    "losses_lost",
    arrives=lambda *_: lambda dy_t, from_next: from_next,
)
mistaken_way_back(
    "The weights serve every step, and the steps' gradients add up: yours keeps those of step 1 alone.",
    "weights_of_the_first_step",
    collect=lambda *_: lambda total, own: own,
)
mistaken_way_back(
    "The state before step 1 is h0: what is index −1 at t = 0?",
    "wrapped_around",
    before=lambda h0, hs: lambda t: hs[:, t - 1],
)
mistaken_way_back(
    "The state before step 1 is h0, which need not be zero.",
    "zero_before",
    before=lambda h0, hs: lambda t: hs[:, t - 1] if t else 0 * h0,
)
mistaken_way_back(
    "The states that come out of a step are used in the place of those that go in.",
    "own_states",
    before=lambda h0, hs: lambda t: hs[:, t],
)
mistaken_way_back("h0 entered step 1 alone.", "always_h0", before=lambda h0, hs: lambda t: h0)
mistaken_way_back(
    "The gradients of all later steps pile up: each step hands on its own dh_prev, and no more.",
    "piled_up",
    hands_on=lambda *_: lambda from_next, dh_prev: from_next + dh_prev,
)
mistaken_way_back(
    "That is the way back through the other convention, where z keeps the old: here z = 1 takes the new.",
    "z_keeps",
    ELSEWHERE,
    step=lambda *_: partial(back, **KEEPING),
)


mistaken_way_back(
    "The states that come out of a step are used in the place of those that go in, but for step 1.",
    "own_states_but_the_first",
    before=lambda h0, hs: lambda t: hs[:, t] if t else h0,
)
mistaken_way_back(
    "The states are moved to the wrong side: before step t stands what step t − 1 left.",
    "states_of_the_next_step",
    before=lambda h0, hs: lambda t: hs[:, t + 1] if t + 1 < hs.shape[1] else h0,
)


def other_index(name, sentence, shift):
    """A mistake in which one array is read at another step.

    Args:
        shift: (dy, x, gates) -> the three as they are read.
    """

    def mistake(dy, x, h0, hs, gates, W_x, W_h, b_h):
        return all_back(*shift(dy, x, gates)[:2], h0, hs, shift(dy, x, gates)[2], W_x, W_h, b_h)

    mistake.__name__ = name
    gru_sequence_backward.misconception(sentence)(mistake)


other_index(
    "dy_of_the_step_before",
    "dy[:, t] belongs to step t: yours takes that of step t − 1.",
    lambda dy, x, gates: (np.roll(dy, 1, axis=1), x, gates),
)
other_index(
    "gates_of_the_step_before",
    "gates[:, :, t] are those of step t: yours takes those of step t − 1.",
    lambda dy, x, gates: (dy, x, np.roll(gates, 1, axis=2)),
)
other_index(
    "x_of_the_step_before",
    "x[:, t] entered step t: yours takes x of step t − 1.",
    lambda dy, x, gates: (dy, np.roll(x, 1, axis=1), gates),
)


@gru_sequence_backward.misconception("The last step is left out on the way back: where does the loop begin?")
def begun_one_step_early(dy, x, h0, hs, gates, W_x, W_h, b_h):
    return all_back(dy, x, h0, hs, gates, W_x, W_h, b_h, order=range(x.shape[1] - 2, -1, -1))


@gru_sequence_backward.misconception(
    "Gradients come back from the later steps: which step must be the first one on the way back?"
)
def from_the_first_step_on(dy, x, h0, hs, gates, W_x, W_h, b_h):
    return all_back(dy, x, h0, hs, gates, W_x, W_h, b_h, order=range(x.shape[1]))


@gru_sequence_backward.misconception(
    "Step 1 is left out on the way back: where does range(1, T), or range(T − 1, 0, −1), end?"
)
def first_step_left_out(dy, x, h0, hs, gates, W_x, W_h, b_h):
    return all_back(dy, x, h0, hs, gates, W_x, W_h, b_h, order=range(x.shape[1] - 1, 0, -1))


@gru_sequence_backward.misconception(
    "Every step has a loss of its own: dy[:, t] joins at each of them, not at the last alone."
)
def last_loss_alone(dy, x, h0, hs, gates, W_x, W_h, b_h):
    last = np.zeros_like(dy)
    last[:, -1] = dy[:, -1]
    return all_back(last, x, h0, hs, gates, W_x, W_h, b_h)


@gru_sequence_backward.misconception("dy[:, t] joins before step t goes back: yours joins after it.")
def losses_one_step_late(dy, x, h0, hs, gates, W_x, W_h, b_h):
    late = np.concatenate([dy[:, 1:], np.zeros_like(dy[:, :1])], axis=1)
    dx, dh, *others = all_back(late, x, h0, hs, gates, W_x, W_h, b_h)
    return dx, dh + dy[:, 0], *others


@gru_sequence_backward.misconception(
    "dx stands in the order in which it was found, from the last step to the first."
)
def dx_reversed(dy, x, h0, hs, gates, W_x, W_h, b_h):
    dx, *others = all_back(dy, x, h0, hs, gates, W_x, W_h, b_h)
    return dx[:, ::-1], *others


@gru_sequence_backward.misconception("dh0: yours is the gradient of h_1. One more step leads back to h0.")
def gradient_of_the_first_state(dy, x, h0, hs, gates, W_x, W_h, b_h):
    arrived = []

    def arrives(dy_t, from_next):
        arrived.append(dy_t + from_next)
        return arrived[-1]

    dx, _, *others = all_back(dy, x, h0, hs, gates, W_x, W_h, b_h, arrives=arrives)
    return dx, arrived[-1], *others


@gru_sequence_backward.misconception("dh0 is 0: somebody made h0, and waits for its gradient.")
def no_gradient_for_h0(dy, x, h0, hs, gates, W_x, W_h, b_h):
    dx, dh0, *others = all_back(dy, x, h0, hs, gates, W_x, W_h, b_h)
    return dx, 0 * dh0, *others


@gru_sequence_backward.clue
def which_steps_are_right(answer, *case):
    right, results = gru_sequence_backward.reference(*case), answer(*case)
    if not are_gradients(results, right) or results[0].shape != right[0].shape:
        return ""
    dy, x, h0, hs, gates, *weights = case
    dx, dh0, *own = results
    h_prev = hs[:, -2] if x.shape[1] > 1 else h0
    alone = answer(dy[:, -1:], x[:, -1:], h_prev, hs[:, -1:], gates[:, :, -1:], *weights)
    single = dy[:, -1], x[:, -1], h_prev, gates[:, :, -1], *weights
    sentence = mistake_of_a_step(gru_step_backward, single, (alone[0][:, 0], *alone[1:]))
    if sentence:
        return sentence
    if not same(dx[:, -1], right[0][:, -1], 1e-6):
        return (
            "Not even the last step's dx is right, and nobody hands anything to it: which dy, state and "
            "gates does it read?"
        )
    if not same(dx, right[0], 1e-6):
        return "The last step is right, the fault lies between two: what does one hand to the one before?"
    if not same(dh0, right[1], 1e-6):
        return "Every dx is right. What does step 1 hand back, and to whom?"
    for name, mine, wanted in zip(list(ALL_GRADIENTS)[2:], own, right[2:], strict=True):
        limit = np.abs(mine).max()
        cut = np.abs(mine) == limit
        if cut.sum() > 1 and same(mine[~cut], wanted[~cut], 1e-6) and (np.abs(wanted[cut]) >= limit).all():
            return f"{name} is cut off at ±{limit:.3g}: clipping comes later, with all gradients together."
    wrong = [
        name
        for name, mine, wanted in zip(list(ALL_GRADIENTS)[2:], own, right[2:], strict=True)
        if not same(mine, wanted, 1e-6)
    ]
    if wrong == ["dW_h"] and good_and_bad(own[1], right[3])[1] == ["n"]:
        return "Only dW_h of n is wrong: its product is behind the reset, so ds goes into it, not da_n."
    if wrong == ["dW_h"]:
        return "Of the weights' gradients only dW_h is wrong: which h entered each step?"
    if len(wrong) < 4:
        return (
            f"dx and dh0 are right, so every step is. Wrong: {', '.join(wrong)}. What goes into those sums?"
        )
    return (
        "dx and dh0 are right, so every step is: the steps' contributions to the weights add up, and nothing "
        "is divided or cut."
    )


@gru_sequence_backward.remark
def how_much_comes_back(answer, *case):
    def reach(z):
        gates = np.full((3, 1, 100, 1), z)
        dy, x, h0, hs = np.zeros((1, 100, 1)), np.zeros((1, 100, 1)), np.zeros((1, 1)), np.zeros((1, 100, 1))
        dy[:, -1] = 1
        none = np.zeros((3, 1, 1))
        return answer(dy, x, h0, hs, gates, none, none, np.zeros(1))[1].item()

    calm, quick = reach(0.01), reach(0.1)
    return f"after 100 steps with z = 0.01 a gradient of 1 is {calm:.2f}, with z = 0.1 it is {quick:.0e}."


# 4.8 Find the mistake


WRONG_LINES = {"A": (13, "a"), "B": (14, "g"), "C": (7, "e")}


@exercise(
    "4.8",
    returns={version: {"line": "", "why": ""} for version in WRONG_LINES},
    inputs=no_inputs,
    section=("gru", "One step backward"),
    accept=find_the_mistake.about(
        WRONG_LINES,
        "Which rows differ, for which of r, z and n, in which steps, and which lines have a part in them?",
    ),
)
def find_gru_mistakes():
    return dict(WRONG_LINES)
