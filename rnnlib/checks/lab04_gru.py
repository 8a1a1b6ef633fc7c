"""Lab 4, the gated recurrent unit: each exercise with its inputs, its answer and its misconceptions.

Gates and candidate stand in the order r, z, n, as in ``rnnlib.models.gru``: W_x (3, D, H), W_h (3, H, H),
b (3, H), and b_h (H,), the bias inside the reset. z = 1 takes the new.
"""

import itertools
from functools import partial

import numpy as np

from rnnlib.checks import find_the_mistake
from rnnlib.checks.exercise import exercise as of_lab
from rnnlib.checks.lab01_rnn import are_gradients, no_inputs, rnn_sequence
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


def sizes(rng):
    """B, T, D, H as in lab 1, but no 3 among B and H, which is the number of gates and candidate."""
    return [(4, 5, 2, 6), (1, 4, 3, 2), (5, 2, 3, 1), (2, 1, 1, 4), (1, int(rng.integers(6, 10)), 1, 2)]


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
        candidate: (a_n, r, h_prev, W_hn, b_h) -> n, where a_n is x W_xn + b_n.
        mix: (z, n, h_prev) -> h.
    """
    sums = sums or (lambda x, h_prev, W_x, W_h, b: x @ W_x[:2] + h_prev @ W_h[:2] + b[:2, None])
    squash = squash or sigmoid.reference
    candidate = candidate or (lambda a_n, r, h_prev, W_hn, b_h: np.tanh(a_n + r * (h_prev @ W_hn + b_h)))
    mix = mix or (lambda z, n, h_prev: (1 - z) * h_prev + z * n)
    r, z = squash(sums(x, h_prev, W_x, W_h, b))
    n = candidate(x @ W_x[2] + b[2], r, h_prev, W_h[2], b_h)
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


def reset_before(a_n, r, h_prev, W_hn, b_h):
    """n where the reset stands before the product."""
    return np.tanh(a_n + (r * h_prev) @ W_hn + b_h)


mistaken_step(Z_KEEPS, "z_keeps", ELSEWHERE, mix=keeping)
mistaken_step(RESET_BEFORE, "reset_before_the_product", ELSEWHERE, candidate=reset_before)
mistaken_step(
    RESET_BEFORE,
    "reset_before_with_b_h_inside",
    candidate=lambda a_n, r, h_prev, W_hn, b_h: np.tanh(a_n + (r * h_prev) @ W_hn + r * b_h),
)
mistaken_step(
    RESET_BEFORE,
    "reset_before_without_b_h",
    candidate=lambda a_n, r, h_prev, W_hn, b_h: np.tanh(a_n + (r * h_prev) @ W_hn),
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
    candidate=lambda a_n, r, h_prev, W_hn, b_h: np.tanh(a_n + h_prev @ W_hn + b_h),
)
mistaken_step(
    "With r = 0 your candidate still feels b_h: that bias stands inside the reset.",
    "b_h_outside",
    candidate=lambda a_n, r, h_prev, W_hn, b_h: np.tanh(a_n + r * (h_prev @ W_hn) + b_h),
)
mistaken_step(
    "b_h plays no part in yours: it belongs to the old state's part of the candidate.",
    "b_h_dropped",
    candidate=lambda a_n, r, h_prev, W_hn, b_h: np.tanh(a_n + r * (h_prev @ W_hn)),
)
mistaken_step(
    "r multiplies the input's part as well: it resets what comes from the old state alone.",
    "reset_of_all",
    candidate=lambda a_n, r, h_prev, W_hn, b_h: np.tanh(r * (a_n + h_prev @ W_hn + b_h)),
)
mistaken_step(
    "r multiplies the candidate after its tanh: it belongs inside, before the old state's part.",
    "reset_after_the_tanh",
    candidate=lambda a_n, r, h_prev, W_hn, b_h: r * np.tanh(a_n + h_prev @ W_hn + b_h),
)
mistaken_step(
    "Your candidate resets with 1 − r: r = 0 must silence the old state's part, r = 1 let it pass.",
    "reset_turned_round",
    candidate=lambda a_n, r, h_prev, W_hn, b_h: np.tanh(a_n + (1 - r) * (h_prev @ W_hn + b_h)),
)
mistaken_step(
    "Your candidate sees nothing of the old state: how much of it, r decides.",
    "candidate_from_x_alone",
    candidate=lambda a_n, r, h_prev, W_hn, b_h: np.tanh(a_n),
)
mistaken_step(
    "The candidate goes through σ in yours: it must be able to be negative.",
    "sigmoid_for_candidate",
    candidate=lambda a_n, r, h_prev, W_hn, b_h: sigmoid.reference(a_n + r * (h_prev @ W_hn + b_h)),
)
mistaken_step(
    "The candidate is not squashed in yours: nothing holds it between −1 and 1.",
    "candidate_not_squashed",
    candidate=lambda a_n, r, h_prev, W_hn, b_h: a_n + r * (h_prev @ W_hn + b_h),
)
mistaken_step(
    "The sum has gone through tanh twice.",
    "tanh_twice",
    candidate=lambda a_n, r, h_prev, W_hn, b_h: np.tanh(np.tanh(a_n + r * (h_prev @ W_hn + b_h))),
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
    """A step that takes its weights in another order than r, z, n."""

    def step(x, h_prev, W_x, W_h, b, b_h):
        return cell(x, h_prev, *(array[order] for array in (W_x, W_h, b)), b_h)

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
    if bad == ["n"]:
        return "r and z are right, n is not: what does r multiply, and what is added to it?"
    if good and bad:
        return f"Right so far: {', '.join(good)}. Not right: {', '.join(bad)}. What is different there?"
    if bad:
        return "None of the three is right: look at what goes into all of them, x W_x + b."
    return "r, z and n are right, h is not: how are n and the old state mixed?"


def good_and_bad(gates, right):
    """The letters of those of r, z and n that are right, and of those that are not."""
    good = [NAMES[gate] for gate in range(3) if same(gates[gate], right[gate], 1e-6)]
    return good, [name for name in NAMES if name not in good]


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
        to_r: (da_n, s, W_hn, h_prev, b_h) -> dr, where s is h_prev W_hn + b_h.
        slopes: gates -> the slopes of σ, σ and tanh, (3, B, H).
        direct: (dh, z) -> what comes to h_prev past all matrices.
        to_s: (da_n, r) -> ds.
        into_h: (through_h, W_h) -> what comes to h_prev through the matrices; through_h is da_r, da_z, ds.
        weights: (x, h_prev, da, through_h) -> the gradients of W_x, W_h, b and b_h.
    """
    to_n = to_n or (lambda dh, z: dh * z)
    to_z = to_z or (lambda dh, n, h_prev: dh * (n - h_prev))
    to_r = to_r or (lambda da_n, s, W_hn, h_prev, b_h: da_n * s)
    slopes = slopes or (lambda g: np.stack([g[0] * (1 - g[0]), g[1] * (1 - g[1]), 1 - g[2] ** 2]))
    direct = direct or (lambda dh, z: dh * (1 - z))
    to_s = to_s or (lambda da_n, r: da_n * r)
    into_h = into_h or (lambda through_h, W_h: (through_h @ W_h.transpose(0, 2, 1)).sum(axis=0))
    weights = weights or (lambda x, h, da, up: (x.T @ da, h.T @ up, da.sum(axis=1), up[2].sum(axis=0)))
    r, z, n = gates
    slope_r, slope_z, slope_n = slopes(gates)
    da_n = to_n(dh, z) * slope_n
    da_r = to_r(da_n, h_prev @ W_h[2] + b_h, W_h[2], h_prev, b_h) * slope_r
    da_z = to_z(dh, n, h_prev) * slope_z
    da, through_h = np.stack([da_r, da_z, da_n]), np.stack([da_r, da_z, to_s(da_n, r)])
    dx = (da @ W_x.transpose(0, 2, 1)).sum(axis=0)
    return dx, direct(dh, z) + into_h(through_h, W_h), *weights(x, h_prev, da, through_h)


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
    to_r=lambda da_n, s, W_hn, h_prev, b_h: (da_n @ W_hn.T) * h_prev,
)
mistaken_back(
    "dr: r multiplied the whole of s, b_h included.",
    "dr_without_b_h",
    to_r=lambda da_n, s, W_hn, h_prev, b_h: da_n * (s - b_h),
)
mistaken_back(
    "dr: r multiplied h_prev @ W_h[2] + b_h, not h_prev itself.",
    "dr_by_the_old_state",
    to_r=lambda da_n, s, W_hn, h_prev, b_h: da_n * h_prev,
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
    into_h=lambda up, W_h: (up @ W_h).sum(axis=0),
)
mistaken_back(
    "dh_prev: the straight path is there, but nothing comes back through the matrices.",
    "straight_path_alone",
    into_h=lambda up, W_h: 0 * up[0],
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
        into_h=lambda up, W_h, few=few: (up[few] @ W_h[few].transpose(0, 2, 1)).sum(axis=0),
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
    if bad == ["r"]:
        return "By db, the ways to z and n are right, that to r is not: what did r multiply?"
    if good and bad:
        return (
            f"By db, the way to {', '.join(good)} is right, that to {', '.join(bad)} is not: "
            "look at the partner, then at the slope."
        )
    if bad:
        return "db is wrong for r, z and n: what lies between each of them and its sum?"
    if not same(results[0], right[0], 1e-6):
        return "db is right, so what enters r, z and n is: which of them, through which matrix, read x?"
    if not same(results[1], right[1], 1e-6):
        return "dx and db are right. Four ways lead to h_prev: three through matrices, which is the fourth?"
    return "dx, dh_prev and db are right: which two factors meet in each weight?"


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
    "Step 1 is right, step 2 begins anew with h0: which state enters it?",
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
    if not isinstance(results, tuple | list) or np.shape(results[0]) != right[0].shape:
        return ""
    first = results[0][:, 0]
    if same(first, gru_step.reference(x[:, 0], 0 * h0, W_x, W_h, b, b_h)[0], 1e-6):
        return ZERO_START
    if not same(first, right[0][:, 0], 1e-6):
        return "Not even step 1 is right: x[:, 0] and h0 enter it, and what comes out is hs[:, 0]."
    if not same(results[0], right[0], 1e-6):
        return "Step 1 is right: which state, and which input, enters step 2?"
    return "hs is right, gates are not: those of step t belong to gates[:, :, t]."


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
        cases.append((rng.normal(size=hs.shape), x, h0, hs, gates, W_x, W_h, b_h))
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
    "The last step is right, the earlier ones are not: h_t is used by the loss and by step t + 1.",
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
    dx, dh0, dW_x, dW_h, db, _ = results
    if not same(dx[:, -1], right[0][:, -1], 1e-6):
        return "Not even the last step's dx is right, and nobody hands anything to it: look at a single step."
    if not same(dx, right[0], 1e-6):
        return "The last step is right, the fault lies between two: what does one hand to the one before?"
    if not same(dh0, right[1], 1e-6):
        return "Every dx is right. What does step 1 hand back, and to whom?"
    if same(dW_x, right[2], 1e-6) and not same(dW_h, right[3], 1e-6):
        return "Of the weights' gradients dW_x is right, dW_h is not: which h entered each step?"
    if same(db, right[4], 1e-6) and same(dW_h, right[3], 1e-6):
        return "Only db_h is wrong: it is a sum over all steps as well."
    return "dx and dh0 are right, so every step is: how do the steps' contributions to the weights meet?"


# 4.5 Weights from PyTorch


def pytorch_inputs(rng):
    """Arrays as PyTorch names them: rows r, z, n of (3H, ·), two biases."""
    cases = []
    for _, _, D, H in sizes(rng)[:4]:
        shapes = [(3 * H, D), (3 * H, H), (3 * H,), (3 * H,)]
        cases.append(tuple(rng.normal(size=shape) for shape in shapes))
    return cases


@exercise(
    "4.5",
    returns={"W_x": "3, D, H", "W_h": "3, H, H", "b": "3, H", "b_h": "H,"},
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


def third_flipped(third, why):
    """A conversion that changes the sign of another third than z's."""

    def mistake(weight_ih, weight_hh, bias_ih, bias_hh):
        W_x, W_h, b, b_h = converted(weight_ih, weight_hh, bias_ih, bias_hh)
        for array in (W_x, W_h, b):
            array[[Z, third]] *= -1
        return W_x, W_h, b, b_h

    mistake.__name__ = f"{NAMES[third]}_flipped"
    from_pytorch.misconception(why)(mistake)


third_flipped(R, "It is r whose sign you changed: r means the same in both, z does not.")
third_flipped(N, "It is n whose sign you changed: n means the same in both, z does not.")


@from_pytorch.clue
def which_thirds_are_right(answer, *case):
    right, results = from_pytorch.reference(*case), answer(*case)
    if not are_gradients(results, right) or results[0].shape != right[0].shape:
        return ""
    _, bad = good_and_bad(results[0], right[0])
    if bad == ["z"]:
        return "W_x of r and n is right, that of z is not: what does z = 1 do in PyTorch, what here?"
    if bad:
        return "PyTorch's W_x has a row for each unit: (3H, D), where ours is (3, D, H)."
    if not same(results[1], right[1], 1e-6):
        return "W_x is right: W_h is made in the same way."
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
    kept = run(noise, quiet, 0.6)
    moved = np.abs(kept - 0.6)
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
    if moved.max() > 0.01:
        step = int(np.argmax(moved > 0.01)) + 1
        return (
            f"A state of 0.6 has moved by more than 0.01 after {step} steps without a mark: how far is z "
            "open there, and how much is left of 1 − z over 1,000 steps?"
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
    section=("gru", "Limiting cases"),
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
    D, H = W_x.shape
    made = answer(W_x, W_h, b)
    shapes = {"W_x": (3, D, H), "W_h": (3, H, H), "b": (3, H), "b_h": (H,)}
    if not isinstance(made, tuple | list) or len(made) != 4:
        raise ValueError("four arrays are asked for: W_x, W_h, b, b_h")
    for (name, shape), array in zip(shapes.items(), made, strict=True):
        if np.shape(array) != shape:
            raise ValueError(f"{name} has the shape {np.shape(array)}, it should be {shape}")
    return walk(x, h0, *made)[0]


def rnn_inputs(rng, shapes=None):
    cases = []
    for B, T, D, H in shapes or sizes(rng):
        plain = rng.normal(size=(D, H)), rng.normal(size=(H, H)), rng.normal(size=H)
        cases.append((rng.normal(size=(B, T, D)), rng.normal(size=(B, H)), *plain))
    return cases


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


@rnn_as_gru.misconception("Your candidate sees the input alone: r = 0 silences the old state.")
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


@rnn_as_gru.misconception("A gate is σ of its bias: σ(1) is 0.73, not 1.")
def biases_of_one(W_x, W_h, b):
    return gates_held(W_x, W_h, b, r=1.0, z=1.0)


@rnn_as_gru.clue
def how_near(answer, x, h0, W_x, W_h, b):
    right, got = rnn_sequence.reference(x, h0, W_x, W_h, b), played(answer, x, h0, W_x, W_h, b)
    if np.abs(got - right).max() < 0.02:
        return "Nearly: a gate at σ(10) = 0.99995 is not yet 1. To agree to 1e-6, go further."
    if same(got[:, 0], h0, 1e-6):
        return "The state hardly moves: z = 1 takes the new here."
    return "How far are r and z open in yours, whatever x and h are? And what does the candidate add up?"


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
