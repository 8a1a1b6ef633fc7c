"""Lab 4, the gated recurrent unit: each exercise with its inputs, its answer and its misconceptions.

Gates and candidate stand in the order r, z, n, as in ``rnnlib.models.gru``: W_x (3, D, H), W_h (3, H, H),
b (3, H), and b_h (H,), the bias inside the reset. z = 1 takes the new.
"""

import itertools
from functools import partial

import numpy as np

from rnnlib.checks.exercise import exercise as of_lab
from rnnlib.checks.lab01_rnn import are_gradients
from rnnlib.checks.lab03_lstm import sigmoid
from rnnlib.checks.parts import same

exercise = partial(of_lab, "04_gru")

R, Z, N = range(3)
NAMES = "rzn"


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


def cell(x, h_prev, W_x, W_h, b, b_h, candidate=None, mix=None, squash=None):
    """One step, with places where the mistakes below come in.

    Args:
        candidate: (a_n, r, h_prev, W_hn, b_h) -> n, where a_n is x W_xn + b_n.
        mix: (z, n, h_prev) -> h.
        squash: the function of r and z.
    """
    candidate = candidate or (lambda a_n, r, h_prev, W_hn, b_h: np.tanh(a_n + r * (h_prev @ W_hn + b_h)))
    mix = mix or (lambda z, n, h_prev: (1 - z) * h_prev + z * n)
    squash = squash or sigmoid.reference
    a = x @ W_x + b[:, None]
    r, z = squash(a[:2] + h_prev @ W_h[:2])
    n = candidate(a[2], r, h_prev, W_h[2], b_h)
    return mix(z, n, h_prev), np.stack([r, z, n])


def mistaken_step(sentence, name, **places):
    def mistake(x, h_prev, W_x, W_h, b, b_h):
        return cell(x, h_prev, W_x, W_h, b, b_h, **places)

    mistake.__name__ = name
    gru_step.misconception(sentence)(mistake)


mistaken_step(
    "That is PyTorch's convention, where z keeps: here z = 1 takes the new.",
    "z_keeps",
    mix=lambda z, n, h_prev: z * h_prev + (1 - z) * n,
)
mistaken_step(
    "Cho's variant: r times h before the product. Here r multiplies what comes out of it, b_h included.",
    "reset_before",
    candidate=lambda a_n, r, h_prev, W_hn, b_h: np.tanh(a_n + (r * h_prev) @ W_hn + b_h),
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
    "b_h plays no part.",
    "b_h_dropped",
    candidate=lambda a_n, r, h_prev, W_hn, b_h: np.tanh(a_n + r * (h_prev @ W_hn)),
)
mistaken_step(
    "r multiplies the input's part as well: it resets what comes from the old state alone.",
    "reset_of_all",
    candidate=lambda a_n, r, h_prev, W_hn, b_h: np.tanh(r * (a_n + h_prev @ W_hn + b_h)),
)
mistaken_step(
    "The candidate goes through σ in yours: it must be able to be negative.",
    "sigmoid_for_candidate",
    candidate=lambda a_n, r, h_prev, W_hn, b_h: sigmoid.reference(a_n + r * (h_prev @ W_hn + b_h)),
)
mistaken_step(
    "A gate is between 0 and 1, yours can be negative: which function squashes r and z?",
    "tanh_for_gates",
    squash=np.tanh,
)
mistaken_step(
    "Nothing of the old state is left where z is between 0 and 1: what becomes of the part 1 − z?",
    "old_dropped",
    mix=lambda z, n, h_prev: z * n,
)
mistaken_step(
    "The old state is kept whole: how much of it stays when z moves to the new?",
    "old_kept_whole",
    mix=lambda z, n, h_prev: h_prev + z * n,
)
mistaken_step(
    "The candidate itself is handed on: where does z come in?",
    "update_gate_unused",
    mix=lambda z, n, h_prev: n,
)


def in_order(order):
    """A step that takes its weights in another order than r, z, n."""

    def step(x, h_prev, W_x, W_h, b, b_h):
        W_x, W_h, b = (array[list(order)] for array in (W_x, W_h, b))
        return cell(x, h_prev, W_x, W_h, b, b_h)

    step.__name__ = "order_" + "".join(NAMES[gate] for gate in order)
    return step


for order in itertools.permutations(range(3)):
    if order != (R, Z, N):
        names = ", ".join(NAMES[gate] for gate in order)
        gru_step.misconception(f"Your weights stand in the order {names}: here it is r, z, n.")(
            in_order(order)
        )


@gru_step.clue
def which_of_a_step_are_right(answer, *case):
    right, results = gru_step.reference(*case), answer(*case)
    if not are_gradients(results, right) or results[1].shape != right[1].shape:
        return ""
    good = [NAMES[gate] for gate in range(3) if same(results[1][gate], right[1][gate], 1e-6)]
    bad = [name for name in NAMES if name not in good]
    if good and bad:
        return f"Right so far: {', '.join(good)}. Not right: {', '.join(bad)}. What is different there?"
    if bad:
        return "None of the three is right: look at what goes into all of them."
    return "r, z and n are right, h is not: how are n and the old state mixed?"


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
    "db_h": "H",
}


@exercise("4.2", returns=GRADIENTS, inputs=step_backward_inputs, section=("gru", "One step backward"))
def gru_step_backward(dh, x, h_prev, gates, W_x, W_h, b_h):
    return back(dh, x, h_prev, gates, W_x, W_h, b_h)


def back(dh, x, h_prev, gates, W_x, W_h, b_h, to_n=None, to_z=None, to_r=None, slopes=None, direct=None):
    """One step backward, with places where the mistakes below come in.

    Args:
        to_n: (dh, z) -> dn.
        to_z: (dh, n, h_prev) -> dz.
        to_r: (da_n, s, W_hn, h_prev) -> dr, where s is h_prev W_hn + b_h.
        slopes: gates -> the slopes of σ, σ and tanh, (3, B, H).
        direct: (dh, z) -> what comes to h_prev past all matrices.
    """
    to_n = to_n or (lambda dh, z: dh * z)
    to_z = to_z or (lambda dh, n, h_prev: dh * (n - h_prev))
    to_r = to_r or (lambda da_n, s, W_hn, h_prev: da_n * s)
    slopes = slopes or (lambda g: np.stack([g[0] * (1 - g[0]), g[1] * (1 - g[1]), 1 - g[2] ** 2]))
    direct = direct or (lambda dh, z: dh * (1 - z))
    r, z, n = gates
    slope_r, slope_z, slope_n = slopes(gates)
    s = h_prev @ W_h[2] + b_h
    da_n = to_n(dh, z) * slope_n
    da = np.stack([to_r(da_n, s, W_h[2], h_prev) * slope_r, to_z(dh, n, h_prev) * slope_z, da_n])
    through_h = np.stack([da[0], da[1], da_n * r])  # n reads h through the reset
    dx = (da @ W_x.transpose(0, 2, 1)).sum(axis=0)
    dh_prev = direct(dh, z) + (through_h @ W_h.transpose(0, 2, 1)).sum(axis=0)
    return dx, dh_prev, x.T @ da, h_prev.T @ through_h, da.sum(axis=1), through_h[2].sum(axis=0)


def mistaken_back(sentence, name, **places):
    def mistake(dh, x, h_prev, gates, W_x, W_h, b_h):
        return back(dh, x, h_prev, gates, W_x, W_h, b_h, **places)

    mistake.__name__ = name
    gru_step_backward.misconception(sentence)(mistake)


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
    "dh_prev: the old state came in by the factor 1 − z.",
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
    "dr: what does r multiply on the way forward? Yours is the gradient of the variant r ⊙ h before the product.",
    "dr_of_the_other_variant",
    to_r=lambda da_n, s, W_hn, h_prev: (da_n @ W_hn.T) * h_prev,
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


# 4.3 A whole sequence


def sequence_inputs(rng, shapes=None):
    return [
        (rng.normal(size=(B, T, D)), rng.normal(size=(B, H)), *weights(rng, D, H))
        for B, T, D, H in shapes or sizes(rng)
    ]


SEQUENCE = {"hs": "B, T, H", "gates": "3, B, T, H"}


@exercise("4.3", returns=SEQUENCE, inputs=sequence_inputs, section=("gru", "A whole sequence"))
def gru_sequence(x, h0, W_x, W_h, b, b_h):
    h, steps = h0, []
    for t in range(x.shape[1]):
        h, gates = gru_step.reference(x[:, t], h, W_x, W_h, b, b_h)
        steps.append((h, gates))
    hs, gates = zip(*steps, strict=True)
    return np.stack(hs, axis=1), np.stack(gates, axis=2)


# 4.4 Weights from PyTorch


def pytorch_inputs(rng):
    """Arrays as PyTorch names them: rows r, z, n of (3H, ·), two biases."""
    cases = []
    for _, _, D, H in sizes(rng)[:4]:
        shapes = [(3 * H, D), (3 * H, H), (3 * H,), (3 * H,)]
        cases.append(tuple(rng.normal(size=shape) for shape in shapes))
    return cases


@exercise(
    "4.4",
    returns={"W_x": "3, D, H", "W_h": "3, H, H", "b": "3, H", "b_h": "H"},
    inputs=pytorch_inputs,
    section=("gru", "The same cell elsewhere"),
)
def from_pytorch(weight_ih, weight_hh, bias_ih, bias_hh):
    return converted(weight_ih, weight_hh, bias_ih, bias_hh)


def converted(weight_ih, weight_hh, bias_ih, bias_hh, flip=lambda a: -a, flip_bias=None, merged=False):
    """PyTorch's arrays in our form, with places where the mistakes below come in.

    Args:
        flip: what becomes of z's weights.
        flip_bias: what becomes of z's bias; as ``flip`` if None.
        merged: whether both biases of n are added.
    """
    H = weight_hh.shape[1]
    W_x, W_h = (w.reshape(3, H, -1).transpose(0, 2, 1).copy() for w in (weight_ih, weight_hh))
    b_x, b_h = bias_ih.reshape(3, H).copy(), bias_hh.reshape(3, H)
    b = b_x + b_h
    if not merged:
        b[N] = b_x[N]
    W_x[Z], W_h[Z], b[Z] = flip(W_x[Z]), flip(W_h[Z]), (flip_bias or flip)(b[Z])
    return W_x, W_h, b, b_h[N].copy()


def mistaken_conversion(sentence, name, **places):
    def mistake(weight_ih, weight_hh, bias_ih, bias_hh):
        return converted(weight_ih, weight_hh, bias_ih, bias_hh, **places)

    mistake.__name__ = name
    from_pytorch.misconception(sentence)(mistake)


mistaken_conversion(
    "z keeps in PyTorch and takes here: 1 − σ(a) = σ(−a). What becomes of z's weights?",
    "not_flipped",
    flip=lambda a: a,
)
mistaken_conversion(
    "σ(−a) = 1 − σ(a): the sum a changes its sign, the weights are not taken from 1.",
    "one_minus_the_weights",
    flip=lambda a: 1 - a,
)
mistaken_conversion(
    "z's weights changed their sign, its bias did not: right only where biases are zero.",
    "bias_not_flipped",
    flip_bias=lambda a: a,
)
mistaken_conversion(
    "n has two biases that cannot be merged: one of them stands inside the reset.",
    "biases_of_n_merged",
    merged=True,
)
