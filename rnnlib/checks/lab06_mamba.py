"""Lab 6, Mamba: its exercises on a step of time, the convolution, and how long a step is.

Each with its inputs, its answer and its misconceptions; ``lab06_scan.py`` has the scan and the
cloakroom, ``lab06_backward.py`` the way back, ``lab06_block.py`` the step and the block. E channels,
N numbers of state in each, K taps, R numbers from which Δ is made: u, Δ (B, T, E), B and C
(B, T, N), called Bs and Cs, A_log (E, N).
"""

from functools import partial

import numpy as np

from rnnlib.checks.exercise import exercise as of_lab
from rnnlib.checks.lab01_rnn import are_gradients
from rnnlib.checks.parts import same

exercise = partial(of_lab, "06_mamba", steps=3)

STEP_SIZE = ("mamba", "How long is a step?")


def sizes(rng):
    """B, T, E, N: no two of a case are equal, but for some ones."""
    return [(2, 5, 4, 3), (1, 3, 2, 5), (3, 7, 5, 2), (4, 1, 2, 3), (1, int(rng.integers(9, 15)), 3, 1)]


def above_zero(numbers, by_hand):
    """Numbers as lengths of time; those that one works with by hand keep their one digit."""
    return np.abs(numbers) if by_hand else np.logaddexp(0, numbers)


# 6.1 One step of time


def discretise_inputs(rng, shapes=None):
    return [
        (
            above_zero(rng.normal(size=(B, T, E)), shapes),
            0.7 * rng.normal(size=(E, N)) if shapes is None else rng.normal(size=(E, N)),
            rng.normal(size=(B, T, N)),
        )
        for B, T, E, N in shapes or sizes(rng)
    ]


@exercise(
    "6.1",
    returns={"a": "B, T, E, N", "b": "B, T, E, N"},
    inputs=discretise_inputs,
    section=("ssm", "Three ways to take a step"),
)
def discretise(delta, A_log, Bs):
    return one_step(delta, A_log, Bs)


def one_step(delta, A_log, Bs, rate=None, keeps=None, takes=None):
    """a and b of h_t = a_t ⊙ h_{t−1} + b_t u_t, with places where the mistakes below come in.

    Args:
        rate: A_log -> A.
        keeps: (Δ, A) -> a, with axes for all of (B, T, E, N).
        takes: (Δ, A, B) -> b.
    """
    rate = rate or (lambda A_log: -np.exp(A_log))
    keeps, takes = keeps or (lambda d, A: np.exp(d * A)), takes or (lambda d, A, B: d * B)
    d, A, B = delta[..., None], rate(A_log), Bs[:, :, None, :]
    shape = (*delta.shape, A.shape[-1])
    return tuple(np.broadcast_to(part, shape).copy() for part in (keeps(d, A), takes(d, A, B)))


def mistaken_step(sentence, name, **places):
    """Name a mistake in a and b, by what stands at one of the places of ``one_step``."""

    def mistake(delta, A_log, Bs):
        return one_step(delta, A_log, Bs, **places)

    mistake.__name__ = name
    discretise.misconception(sentence)(mistake)


mistaken_step(
    "b: that is the zero-order hold for the input, too, as the paper's Eq. 4 has it. Right mathematics, but "
    "here b is the simpler Δ B, as in the authors' code.",
    "hold_for_b",
    takes=lambda d, A, B: (np.exp(d * A) - 1) / A * B,
)
mistaken_step(
    "a is above 1 in yours, so the state grows without end: which sign has A?",
    "no_minus",
    rate=np.exp,
)
mistaken_step(
    "A is not A_log, but −exp(A_log): whatever number is learnt, A stays below 0.",
    "log_for_rate",
    rate=lambda A_log: A_log,
)
mistaken_step(
    "A is −exp(A_log), not −A_log: whatever number is learnt, A stays below 0.",
    "minus_the_log",
    rate=lambda A_log: -A_log,
)
mistaken_step(
    "A = −exp(A_log): the minus has got inside the exponential.",
    "minus_inside",
    rate=lambda A_log: np.exp(-A_log),
)
mistaken_step(
    "A = −exp(A_log), with one minus sign, and that in front.",
    "minus_twice",
    rate=lambda A_log: -np.exp(-A_log),
)
mistaken_step(
    "a: where Δ is 0 no time goes by, and all of the state is left. Yours leaves nothing.",
    "delta_outside",
    keeps=lambda d, A: d * np.exp(A),
)
mistaken_step(
    "a: that is Euler's rule, 1 + Δ A. In a long step it turns the sign of the state: take the exact "
    "solution "
    "of h' = A h.",
    "euler_for_a",
    keeps=lambda d, A: 1 + d * A,
)
mistaken_step(
    "a: that is the bilinear rule. Here h' = A h is solved exactly.",
    "bilinear_for_a",
    keeps=lambda d, A: (1 + d * A / 2) / (1 - d * A / 2),
)
mistaken_step(
    "a: that is the implicit Euler rule. Here h' = A h is solved exactly.",
    "implicit_for_a",
    keeps=lambda d, A: 1 / (1 - d * A),
)
mistaken_step(
    "a: does a longer step leave less of the state? Yours does not ask how long it was.",
    "a_without_delta",
    keeps=lambda d, A: np.exp(A),
)
mistaken_step(
    "a: all numbers of a channel fade at the same pace in yours, where each has its own A.",
    "a_without_rate",
    keeps=lambda d, A: np.exp(-d) + 0 * A,
)
mistaken_step(
    "a: the longer the step, the less is left. Yours divides by Δ.",
    "divided_by_delta",
    keeps=lambda d, A: np.exp(A / d),
)
mistaken_step(
    "a: Δ belongs to A, not into the logarithm of A.",
    "delta_in_the_log",
    rate=lambda A_log: A_log,
    keeps=lambda d, A_log: np.exp(-np.exp(d * A_log)),
)
mistaken_step(
    "a: that is what fades, 1 − exp(Δ A). What is left of the state is asked for.",
    "what_fades",
    keeps=lambda d, A: 1 - np.exp(d * A),
)
mistaken_step("a is Δ A itself: what solves h' = A h?", "rate_times_time", keeps=lambda d, A: d * A)
mistaken_step(
    "a: a step twice as long leaves the square of what one step leaves. Powers of 2 do that as well, but "
    "h' = A h is solved by powers of e.",
    "powers_of_two",
    keeps=lambda d, A: 2.0 ** (d * A),
)
mistaken_step(
    "Δ has gone through softplus already: here it is a length of time.",
    "softplus_again",
    keeps=lambda d, A: np.exp(np.logaddexp(0, d) * A),
    takes=lambda d, A, B: np.logaddexp(0, d) * B,
)
mistaken_step(
    "b: does an input that lasts longer bring in more? Yours does not ask how long it was.",
    "b_without_delta",
    takes=lambda d, A, B: 0 * d + B,
)
mistaken_step(
    "b is Δ alone: which of the N numbers takes how much, B says.",
    "b_without_B",
    takes=lambda d, A, B: d + 0 * B,
)
mistaken_step(
    "b has the factor a: what comes in at this step has not faded yet.",
    "b_by_a",
    takes=lambda d, A, B: np.exp(d * A) * d * B,
)
mistaken_step(
    "b is (1 − a) B in yours, the rule of a MinGRU. Here it is Δ B: both agree only where A = −1, "
    "and Δ is small.",
    "one_minus_a",
    takes=lambda d, A, B: (1 - np.exp(d * A)) * B,
)
mistaken_step(
    "b has the factor A: A is how the old fades, B how the new comes in.",
    "b_by_rate",
    takes=lambda d, A, B: d * A * B,
)
mistaken_step("Δ and B are added in b: a length of time multiplies.", "b_added", takes=lambda d, A, B: d + B)
mistaken_step(
    "b goes through exp in yours: only what is left of the state is a power of e.",
    "exp_for_b",
    takes=lambda d, A, B: np.exp(d * B),
)
mistaken_step(
    "a and b have their own parts: a is of Δ and A, b is of Δ and B. Yours has B in a.",
    "B_in_a",
    takes=lambda d, A, B: d * A + 0 * B,
    keeps=lambda d, A: np.exp(d * A),
)


@discretise.misconception("b is the same in all channels of yours: each has its own Δ, and b is Δ B.")
def b_without_channels(delta, A_log, Bs):
    return one_step(delta, A_log, Bs)[0], Bs[:, :, None, :].copy()


@discretise.clue
def which_of_both_is_right(answer, *case):
    right, results = discretise.reference(*case), answer(*case)
    if not are_gradients(results, right) or any(
        np.shape(r) != w.shape for r, w in zip(results, right, strict=True)
    ):
        return ""
    a_right, b_right = (same(mine, wanted, 1e-6) for mine, wanted in zip(results, right, strict=True))
    if a_right and not b_right:
        return "a is right. And b: an input held for a short time Δ brings in Δ B of it."
    zero = answer(0 * case[0], *case[1:])[0]
    if not same(zero, np.ones(zero.shape), 1e-6):
        return "a: with Δ = 0 no time goes by, so all of the state is left, a = 1. Is it, in yours?"
    halves = answer(case[0] / 2, *case[1:])[0] ** 2
    if not same(halves, results[0], 1e-6):
        return "a: two steps of half the length must leave what one step leaves. Yours do not."
    return "a: of Δ it makes the right use, so look at A: it is made from A_log, and is below 0."


@discretise.remark
def how_long_it_lasts(answer, delta, A_log, Bs):
    a = answer(delta, A_log, Bs)[0]
    return (
        f"one step leaves between {a.min():.0%} and {a.max():.0%} here. Twice as long leaves the "
        "square of it."
    )


# 6.2 A convolution that keeps to the past

TAPS = [3, 4, 2, 5, 1]


def conv_inputs(rng, shapes=None):
    taps = [3] if shapes else TAPS
    return [
        (rng.normal(size=(B, T, E)), rng.normal(size=(K, E)), rng.normal(size=E))
        for (B, T, E, _), K in zip(shapes or sizes(rng), taps, strict=True)
    ]


@exercise(
    "6.2",
    returns={"v": "B, T, E"},
    inputs=conv_inputs,
    section=("mamba", "A convolution that keeps to the past"),
)
def causal_conv(p, conv_W, conv_b):
    return slid(p, conv_W, conv_b)


def slid(p, conv_W, conv_b, before=None, tap=None, adds=None, fill=None):
    """Σ_k p_{t−K+1+k} ⊙ w_k + bias, with places where the mistakes below come in.

    Args:
        before: K -> how many steps of filling stand in front of p; the rest of K − 1 stands behind.
        tap: (k, K) -> the row of conv_W that meets the k-th of K steps, or None.
        adds: (sum, bias, K) -> the result.
        fill: (p, n) -> n steps that stand in front, (B, n, E).
    """
    B, T, E = p.shape
    K = len(conv_W)
    before, tap = before or (lambda K: K - 1), tap or (lambda k, K: k)
    adds = adds or (lambda total, bias, K: total + bias)
    fill = fill or (lambda p, n: np.zeros((B, n, E)))
    n = before(K)
    padded = np.concatenate([fill(p, n), p, np.zeros((B, max(0, K - 1 - n), E))], axis=1)
    total = np.zeros(p.shape)
    for k in range(K):
        if (row := tap(k, K)) is not None:
            total = total + padded[:, k : k + T] * conv_W[row]
    return adds(total, conv_b, K)


def mistaken_conv(sentence, name, **places):
    """Name a mistake of the convolution, by what stands at one of the places of ``slid``."""

    def mistake(p, conv_W, conv_b):
        return slid(p, conv_W, conv_b, **places)

    mistake.__name__ = name
    causal_conv.misconception(sentence)(mistake)


FUTURE = "v of a step changes with a later step of p: your network looks at what it is to foretell."

mistaken_conv(
    f"{FUTURE} The filling stands on both sides of p, as it does for pictures.",
    "centred",
    before=lambda K: (K - 1) // 2,
)
mistaken_conv(
    f"{FUTURE} The filling stands on both sides of p, as it does for pictures.",
    "centred_the_other_way",
    before=lambda K: K // 2,
)
mistaken_conv(
    f"{FUTURE} The filling stands behind p, or the wrong end was cut.", "filled_behind", before=lambda K: 0
)
mistaken_conv(
    "Your taps meet the steps in reverse: that is np.convolve's way. Here the last row of conv_W is for the "
    "present step.",
    "flipped",
    tap=lambda k, K: K - 1 - k,
)
mistaken_conv(
    "v_t does not hear p_t: to keep to the past means up to t, the present step too.",
    "one_step_late",
    before=lambda K: K,
)
mistaken_conv("The bias plays no part.", "no_bias", adds=lambda total, bias, K: total)
mistaken_conv(
    "The bias comes in with each tap, K times: once is enough.",
    "bias_with_each_tap",
    adds=lambda total, bias, K: total + K * bias,
)
mistaken_conv(
    "The bias multiplies in yours: it is added.", "bias_multiplies", adds=lambda total, bias, K: total * bias
)
mistaken_conv("The bias is subtracted.", "bias_subtracted", adds=lambda total, bias, K: total - bias)
mistaken_conv(
    "That is the mean over the taps: the sum is asked for.",
    "mean_of_the_taps",
    adds=lambda total, bias, K: total / K + bias,
)
mistaken_conv(
    "One tap is missing, that of the oldest step.",
    "oldest_missing",
    tap=lambda k, K: k if k or K == 1 else None,
)
mistaken_conv(
    "One tap is missing, that of the present step.",
    "present_missing",
    tap=lambda k, K: k if k < K - 1 else None,
)
mistaken_conv(
    "The same row of conv_W meets every step: each of the K steps has its own.",
    "one_row",
    tap=lambda k, K: 0,
)
mistaken_conv(
    "The same row of conv_W meets every step: each of the K steps has its own.",
    "one_row_the_last",
    tap=lambda k, K: K - 1,
)
mistaken_conv(
    "Before step 1 there is nothing, so zeros: yours repeats the first step there.",
    "first_step_repeated",
    fill=lambda p, n: np.repeat(p[:, :1], n, axis=1),
)
mistaken_conv(
    "SiLU comes after the convolution, in a line of its own: here it is not asked for yet.",
    "with_silu",
    adds=lambda total, bias, K: (total + bias) / (1 + np.exp(-(total + bias))),
)


@causal_conv.misconception(
    "Before step 1 there is nothing, so zeros: yours has the last steps there. Where do index −1 and np.roll "
    "take them from?"
)
def wrapped_around(p, conv_W, conv_b):
    K = len(conv_W)
    return sum(np.roll(p, K - 1 - k, axis=1) * conv_W[k] for k in range(K)) + conv_b


@causal_conv.misconception(
    "The first K − 1 steps are not there in yours: they have fewer steps behind them, and zeros for the rest."
)
def first_steps_zero(p, conv_W, conv_b):
    v = slid(p, conv_W, conv_b)
    v[:, : len(conv_W) - 1] = 0
    return v


@causal_conv.misconception(
    "The first K − 1 steps get the bias alone: they have fewer steps behind them, and zeros for the rest."
)
def first_steps_bias_alone(p, conv_W, conv_b):
    v = slid(p, conv_W, conv_b)
    v[:, : len(conv_W) - 1] = conv_b
    return v


@causal_conv.misconception("You slide along the batch: axis 0 is B, axis 1 is T.")
def along_the_batch(p, conv_W, conv_b):
    return slid(p.transpose(1, 0, 2), conv_W, conv_b).transpose(1, 0, 2)


@causal_conv.misconception(
    "Channels are mixed: each slides over its own numbers, with its own column of conv_W."
)
def channels_mixed(p, conv_W, conv_b):
    return np.repeat(slid(p, conv_W, 0 * conv_b).sum(axis=2, keepdims=True), p.shape[2], axis=2) + conv_b


@causal_conv.misconception(
    "Each result enters the next one: a convolution hears p alone, not its own results."
)
def fed_back(p, conv_W, conv_b):
    v = np.zeros(p.shape)
    for t in range(p.shape[1]):
        window = np.concatenate([v[:, :t], p[:, t : t + 1]], axis=1)[:, -len(conv_W) :]
        v[:, t] = (window * conv_W[-window.shape[1] :]).sum(axis=1) + conv_b
    return v


@causal_conv.misconception(
    "Near the beginning your taps are counted from the wrong end: the present step always meets the last row."
)
def taps_from_the_front(p, conv_W, conv_b):
    v, K = np.zeros(p.shape), len(conv_W)
    for t in range(p.shape[1]):
        window = p[:, max(0, t - K + 1) : t + 1]
        v[:, t] = (window * conv_W[: window.shape[1]]).sum(axis=1) + conv_b
    return v


@causal_conv.misconception(
    "Each channel has its own weights, its column of conv_W, and hears no other channel: yours sums over the "
    "channels."
)
def summed_over_channels(p, conv_W, conv_b):
    shares = p.sum(axis=2, keepdims=True)
    return slid(np.repeat(shares, p.shape[2], axis=2), conv_W, conv_b)


@causal_conv.misconception(
    "K − 1 steps are missing: the first steps have fewer behind them. What stands in front of them?"
)
def not_padded(p, conv_W, conv_b):
    return slid(p, conv_W, conv_b)[:, len(conv_W) - 1 :]


@causal_conv.misconception(
    "K − 1 steps too many: zeros stand in front and behind. What comes out of the last ones has only "
    "begun to "
    "leave: cut it off, or fill in front alone."
)
def filled_on_both_sides(p, conv_W, conv_b):
    longer = np.concatenate([p, np.zeros((len(p), len(conv_W) - 1, p.shape[2]))], axis=1)
    return slid(longer, conv_W, conv_b)


@causal_conv.misconception(
    "conv_W is (K, E): a row for each tap, a column for each channel. Yours has them exchanged."
)
def rows_for_channels(p, conv_W, conv_b):
    K = conv_W.shape[1]
    padded = np.concatenate([np.zeros((len(p), K - 1, p.shape[2])), p], axis=1)
    return sum(padded[:, k : k + p.shape[1]] * conv_W[:, k] for k in range(K)) + conv_b


@causal_conv.misconception("The last step alone stands in every place: slide the window.")
def last_window_everywhere(p, conv_W, conv_b):
    return np.repeat(slid(p, conv_W, conv_b)[:, -1:], p.shape[1], axis=1)


@causal_conv.clue
def what_an_impulse_does(answer, p, conv_W, conv_b):
    """Send a single 1 through, with taps 1, 2, 3, and look where they come out."""
    if not same(answer(0 * p, conv_W, conv_b), np.broadcast_to(conv_b, p.shape), 1e-6):
        return "Of an input of zeros the bias should be left, in every step."
    wanted = np.array([0, 0, 0, 0, 3, 2, 1, 0, 0])
    for channel in (0, 1):
        impulse, taps = np.zeros((1, 9, 2)), np.zeros((3, 2))
        impulse[0, 4, channel], taps[:, channel] = 1, [1, 2, 3]
        reply = np.asarray(answer(impulse, taps, np.zeros(2)))
        if reply.shape != (1, 9, 2):
            return ""
        if reply[0, :, 1 - channel].any():
            return "A channel hears another one: each has its own column of conv_W, and its own past."
        reply = reply[0, :, channel]
        if channel and not same(reply, wanted, 1e-6):
            return "The first channel is right, the second is not: each has its own column of conv_W."
        if not same(reply, wanted, 1e-6):
            numbers = ", ".join(map(_number, reply))
            return (
                "Taps 1, 2, 3 and a single 1 in step 5 must give 0, 0, 0, 0, 3, 2, 1, 0, 0; "
                f"yours give {numbers}."
            )
    return "An impulse comes out rightly in the middle of a sequence: what of its first steps?"


@causal_conv.remark
def keeps_to_the_past(answer, p, conv_W, conv_b):
    moved = p.copy()
    moved[:, -1] += 1
    far = np.abs(answer(moved, conv_W, conv_b) - answer(p, conv_W, conv_b)) > 1e-9
    changed = np.flatnonzero(far.any((0, 2))) + 1
    return f"the last of {p.shape[1]} steps was changed, and v changed in step {changed[0]} alone."


# 6.3 How long is a step?


def step_size_inputs(rng, shapes=None):
    """r, W_dt and b_dt with R = 2 (1 by hand); in one case sums that a plain exp cannot take."""
    cases = []
    for B, T, E, _ in shapes or sizes(rng):
        R = 1 if shapes else 2
        cases.append((rng.normal(size=(B, T, R)), rng.normal(size=(R, E)), rng.normal(size=E)))
    if shapes is None:
        r, W_dt, b_dt = cases[2]
        cases[2] = 1000 * r, W_dt, b_dt
    return cases


@exercise("6.3a", returns={"delta": "B, T, E"}, inputs=step_size_inputs, section=STEP_SIZE)
def step_sizes(r, W_dt, b_dt):
    return np.logaddexp(0, r @ W_dt + b_dt)


def mistaken_size(sentence, name, above, sums=None):
    """Name a mistake of Δ: the function of the sum, or how the sum is made."""

    def mistake(r, W_dt, b_dt):
        return above(sums(r, W_dt, b_dt) if sums else r @ W_dt + b_dt)

    mistake.__name__ = name
    step_sizes.misconception(sentence)(mistake)


def softplus(x):
    return np.logaddexp(0, x)


OVERFLOWS = (
    "exp(1000) is inf in floating point, so your logarithm is, too: softplus(1000) is 1000. Which "
    "function of "
    "NumPy has log(exp(p) + exp(q)) without leaving the logarithms?"
)

mistaken_size("Δ is negative somewhere: time does not run backwards.", "none", lambda a: a)
mistaken_size(OVERFLOWS, "plain_softplus", lambda a: np.log(1 + np.exp(a)))
mistaken_size(OVERFLOWS, "plain_log1p", lambda a: np.log1p(np.exp(a)))
mistaken_size(
    "That is relu: where the sum is below 0 your step takes no time at all, and nothing is ever "
    "learnt there.",
    "relu",
    lambda a: np.maximum(a, 0),
)
mistaken_size("That is exp: softplus grows like its argument, not like a power.", "exponential", np.exp)
mistaken_size(
    "That is σ: a step of Mamba may last longer than 1.", "sigma", lambda a: 0.5 + np.tanh(a / 2) / 2
)
mistaken_size(
    "Your step becomes longer as the sum becomes smaller: the sign.", "sign", lambda a: softplus(-a)
)
mistaken_size("tanh may be negative: time does not run backwards.", "hyperbolic", np.tanh)
mistaken_size(
    "The amount of the sum: a large negative one should make a short step, yours makes a long one.",
    "amount",
    np.abs,
)
mistaken_size("softplus is applied twice in yours.", "twice", lambda a: softplus(softplus(a)))
mistaken_size(
    "logaddexp2 counts in powers of 2, softplus in powers of e.", "base_two", lambda a: np.logaddexp2(0, a)
)
mistaken_size(
    "That is SiLU, which goes below 0: Δ is made by softplus.",
    "silu",
    lambda a: a * (0.5 + np.tanh(a / 2) / 2),
)
mistaken_size(
    "Cut off at a largest value: softplus(1000) is 1000, yours is not.",
    "cut",
    lambda a: softplus(np.clip(a, -30, 30)),
)
mistaken_size(
    "Cut off at a largest value: softplus(1000) is 1000, yours is not.",
    "cut_far_out",
    lambda a: np.log1p(np.exp(np.clip(a, -500, 500))),
)
mistaken_size(
    "log(exp(a)) is a: the 1 is missing, softplus(a) = log(1 + exp(a)).",
    "without_the_one",
    lambda a: np.log(np.exp(a)),
)
mistaken_size(
    "The bias plays no part, and it is what gives a step its usual length.",
    "no_bias",
    softplus,
    lambda r, W, b: r @ W,
)
mistaken_size(
    "The bias comes in twice: right only where it is 0.",
    "bias_twice",
    softplus,
    lambda r, W, b: r @ W + 2 * b,
)
mistaken_size("The bias is subtracted.", "bias_subtracted", softplus, lambda r, W, b: r @ W - b)


@step_sizes.misconception("The bias stands outside softplus: it belongs to the sum.")
def bias_outside(r, W_dt, b_dt):
    return softplus(r @ W_dt) + b_dt


@step_sizes.misconception("The bias goes through softplus by itself: it belongs to the sum.")
def bias_by_itself(r, W_dt, b_dt):
    return softplus(r @ W_dt) + softplus(b_dt)


@step_sizes.misconception("softplus comes after the sum: first r @ W_dt + b_dt, then its softplus.")
def before_the_sum(r, W_dt, b_dt):
    return softplus(r) @ W_dt + b_dt


@step_sizes.must
def is_above_zero(answer, r, W_dt, b_dt):
    one = np.ones((1, 1))
    delta = answer(np.full((1, 1, 1), -40.0), one, np.zeros(1))[0, 0, 0]
    if abs(delta / np.exp(-40.0) - 1) < 1e-6:
        return ""
    return (
        f"Right so far. But a sum of −40 makes a step of {delta:.3g}, where softplus is 4.25·10⁻¹⁸: 1 "
        "+ exp(−40) is "
        "1 for a computer. NumPy has a function for log(1 + x) that keeps a small x."
    )


@step_sizes.clue
def what_is_small(answer, r, W_dt, b_dt):
    """Feed sums of 0, 1, −1, 30 and 1000, where R, W and b can play no trick."""
    one = np.ones((1, 1))
    for number in (0.0, 1.0, -1.0, 30.0, -30.0):
        mine = np.ravel(answer(np.full((1, 1, 1), number), one, np.zeros(1)))
        right = float(softplus(number))
        if mine.size == 1 and not same(mine, np.array([right]), 1e-6):
            return (
                f"For a sum of {_number(number)} softplus is log(1 + exp({_number(number)})) = "
                f"{right:.7g}, yours is {mine[0]:.7g}."
            )
    if np.abs(r @ W_dt + b_dt).max() > 100:
        return "Right for sums of usual size; for a sum of 1000 softplus is 1000, for −1000 it is 0."
    return (
        "Of a single sum your softplus is right: how is the sum made of r, W_dt and b_dt, for each "
        "step and channel?"
    )


def _number(value):
    return f"{value:g}".replace("-", "−")


@step_sizes.remark
def what_it_is(answer, r, W_dt, b_dt):
    delta = answer(r, W_dt, b_dt)
    return f"steps between {delta.min():.2g} and {delta.max():.2g} long: the network sets its own clock."


def bias_inputs(rng, shapes=None):
    """Lengths of steps as the authors draw them, then long ones, then a very long one."""
    if shapes:
        return [(np.abs(rng.normal(size=1)),)]
    usual = np.exp(rng.uniform(np.log(0.001), np.log(0.1), size=7))
    return [(usual,), (rng.uniform(0.5, 4, size=3),), (np.array([800.0, 1.0, 20.0]),)]


@exercise("6.3b", returns={"b_dt": "E,"}, inputs=bias_inputs, section=("mamba", "Two details: rank and bias"))
def first_bias(delta):
    return delta + np.log(-np.expm1(-delta))


def mistaken_bias(sentence, name, function):
    """Name a mistake of the bias, by the function of Δ."""

    def mistake(delta):
        return function(delta)

    mistake.__name__ = name
    first_bias.misconception(sentence)(mistake)


mistaken_bias(
    "log Δ undoes exp. What undoes softplus? For Δ = 1 you would get a step of softplus(0) = 0.693.",
    "log",
    np.log,
)
mistaken_bias("That is softplus once more: undo it.", "softplus_again", softplus)
mistaken_bias("Solve Δ = log(1 + exp(b)) for b: the last step, a logarithm, is missing.", "no_log", np.expm1)
mistaken_bias(
    "exp(Δ) − 1 before the logarithm: yours has a plus, and so softplus once more.",
    "plus",
    lambda d: np.log(1 + np.exp(d)),
)
mistaken_bias("exp(Δ) is missing its −1: log(exp(Δ)) is Δ.", "as_it_is", lambda d: d.copy())
mistaken_bias("The −1 stands outside the logarithm: it belongs inside.", "minus_outside", lambda d: d - 1)
mistaken_bias(
    "That undoes σ: Δ comes out of softplus.",
    "logit",
    lambda d: np.log(d) - np.log(np.abs(1 - d) + 1e-300),
)
mistaken_bias(
    "The sign: a short step needs a bias far below 0.", "sign", lambda d: -(d + np.log(-np.expm1(-d)))
)
mistaken_bias(
    "log(1 − exp(−Δ)) is right but for the Δ in front: exp(Δ) − 1 = exp(Δ) (1 − exp(−Δ)).",
    "no_delta",
    lambda d: np.log(-np.expm1(-d)),
)
mistaken_bias(
    "The Δ in front is subtracted: exp(Δ) − 1 = exp(Δ) (1 − exp(−Δ)).",
    "delta_subtracted",
    lambda d: -d + np.log(-np.expm1(-d)),
)
mistaken_bias(
    "exp(800) is inf in floating point: take exp(Δ) out, and its logarithm Δ stands in front.",
    "overflow",
    lambda d: np.log(np.exp(d) - 1),
)
mistaken_bias(
    "exp(800) is inf in floating point: take exp(Δ) out, and its logarithm Δ stands in front.",
    "overflow_of_expm1",
    lambda d: np.log(np.expm1(d)),
)
mistaken_bias(
    "Cut off: of a step of 800 your bias makes another one.",
    "cut",
    lambda d: np.log(np.expm1(np.minimum(d, 700))),
)
mistaken_bias(
    "log10 counts in powers of 10, softplus in powers of e.",
    "base_ten",
    lambda d: np.log10(np.expm1(np.minimum(d, 700))),
)
mistaken_bias(
    "log2 counts in powers of 2, softplus in powers of e.",
    "base_two",
    lambda d: np.log2(np.expm1(np.minimum(d, 700))),
)
mistaken_bias(
    "1 / softplus is not what undoes it: solve Δ = log(1 + exp(b)) for b.",
    "one_over",
    lambda d: 1 / softplus(d),
)


@first_bias.must
def keeps_its_digits(answer, delta):
    small = np.array([1e-9, 1e-6, 3e-4])
    if np.abs(np.asarray(answer(small), dtype=float) - first_bias.reference(small)).max() < 1e-9:
        return ""
    return (
        "Right so far. But for Δ = 10⁻⁹ the last digits are wrong: exp(x) is so near to 1 there that its "
        "difference from 1 has few digits left. NumPy has a function for exp(x) − 1 that keeps them."
    )


for name, function in {
    "log_subtracted": lambda d: d - np.log(-np.expm1(-d)),
    "log_alone_subtracted": lambda d: -np.log(-np.expm1(-d)),
}.items():
    mistaken_bias(
        "The logarithm of 1 − exp(−Δ) is below 0, and is added: yours is subtracted.", name, function
    )
for name, function in {
    "sign_in_exp": lambda d: d + np.log(np.expm1(np.minimum(d, 700))),
    "sign_in_exp_only": lambda d: d + np.log(np.exp(np.minimum(d, 700)) - 1),
}.items():
    mistaken_bias("The sign in the exponent: exp(Δ) − 1 = exp(Δ) (1 − exp(−Δ)).", name, function)
mistaken_bias(
    "Minus a function does not undo it: solve Δ = log(1 + exp(b)) for b.",
    "minus_softplus",
    lambda d: -softplus(d),
)
mistaken_bias(
    "logaddexp adds exponentials, here one is taken away: exp(Δ) − 1.",
    "logaddexp_of_minus_one",
    lambda d: np.logaddexp(d, -1),
)
mistaken_bias("That undoes σ: Δ comes out of softplus.", "logit_plainly", lambda d: np.log(d) - np.log(1 - d))
mistaken_bias(
    "The logarithm is of a number below 0: exp(−Δ) − 1 is negative, so a minus is missing.",
    "log_of_a_negative",
    lambda d: d + np.log(np.expm1(-d)),
)
SMALL_ADDED = (
    "A small number is added inside the logarithm: for short steps it is not small. 1 − exp(−Δ) is above 0 "
    "by itself."
)
mistaken_bias(SMALL_ADDED, "small_number_added", lambda d: d + np.log(-np.expm1(-d) + 1e-6))


@first_bias.clue
def what_comes_back(answer, delta):
    bias = np.asarray(answer(delta), dtype=float)
    if bias.shape != delta.shape or not np.isfinite(bias).all():
        return ""
    if same(bias, first_bias.reference(delta), 1e-3) and softplus(answer(np.array([1e-9]))[0]) > 2e-9:
        return SMALL_ADDED
    i = int(np.argmax(np.abs(softplus(bias) / delta - 1)))
    return (
        f"With your bias a step of {delta[i]:.7g} would last {softplus(bias[i]):.7g}: what undoes softplus?"
    )


@first_bias.remark
def how_far_below_zero(answer, delta):
    bias = answer(delta)
    return (
        f"steps of {delta.min():.1g} to {delta.max():.1g} need biases of −{-bias.min():.1f} to "
        f"−{-bias.max():.1f}."
    )
