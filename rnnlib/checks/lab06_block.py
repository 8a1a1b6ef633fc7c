"""Lab 6, Mamba's step with constant memory and its block, and the exercise *find the mistake*.

Each with its inputs, its answer and its misconceptions. The weights are a dict ``w`` with the names of
``rnnlib.Mamba``: W_in (D, 2E), conv_W (K, E), conv_b (E,), W_u (E, R + 2N), W_dt (R, E), b_dt, A_log (E, N),
skip (E,), W_out (E, D), and norm (D,) of the block.
"""

import numpy as np

from rnnlib.checks import find_the_mistake
from rnnlib.checks.calls import Recording, call
from rnnlib.checks.lab01_rnn import no_inputs
from rnnlib.checks.lab03_lstm import sigmoid
from rnnlib.checks.lab06_mamba import causal_conv, discretise, exercise, step_sizes
from rnnlib.checks.lab06_scan import selective_scan
from rnnlib.checks.parts import same


def silu(x):
    return x * sigmoid.reference(x)


# 6.6 One step at a time

#: B, E, N, K, R: no two of a case are equal.
STEP_SIZES = [(2, 5, 3, 4, 1), (1, 4, 2, 3, 5), (3, 6, 5, 2, 4), (2, 3, 4, 1, 5)]


def weights_of(rng, E, N, K, R):
    return {
        "conv_W": rng.normal(size=(K, E)),
        "conv_b": rng.normal(size=E),
        "W_u": rng.normal(size=(E, R + 2 * N)),
        "W_dt": rng.normal(size=(R, E)),
        "b_dt": rng.normal(size=E),
        "A_log": 0.7 * rng.normal(size=(E, N)),
        "skip": rng.normal(size=E),
    }


def step_inputs(rng):
    return [
        (
            weights_of(rng, E, N, K, R),
            rng.normal(size=(B, E)),
            (rng.normal(size=(B, K - 1, E)), rng.normal(size=(B, E, N))),
        )
        for B, E, N, K, R in STEP_SIZES
    ]


@exercise(
    "6.6",
    returns={"y_t": "B, E", "state": {"conv": "B, K−1, E", "h": "B, E, N"}},
    inputs=step_inputs,
    section=("mamba", "One step at a time"),
)
def mamba_step(w, p_t, state):
    return one_step(w, p_t, state)


def one_step(
    w,
    p_t,
    state,
    window=None,
    activation=None,
    split=None,
    length=None,
    step=None,
    into=None,
    read=None,
    out=None,
    keep=None,
):
    """From p_t to y_t, with places where the mistakes below come in.

    Args:
        window: (conv, p_t) -> the K steps that the taps meet, (B, K, E).
        activation: v -> u.
        split: (what u W_u gives, R, N) -> r, B_t, C_t.
        length: (r, w) -> Δ_t.
        step: (Δ_t, A_log, B_t), with axes for all of (B, E, N) -> a and b.
        into: (a, h, b, u) -> the new state.
        read: (new state, old state, C_t) -> what is read, (B, E).
        out: (what is read, w, u, p_t) -> y_t.
        keep: (window, v, u, conv) -> the next conv.
    """
    conv, h = state
    window = window or (lambda conv, p_t: np.concatenate([conv, p_t[:, None]], axis=1))
    activation = activation or silu
    split = split or (lambda both, R, N: (both[:, :R], both[:, R : R + N], both[:, R + N :]))
    length = length or (lambda r, w: np.logaddexp(0, r @ w["W_dt"] + w["b_dt"]))
    step = step or (lambda d, A_log, B: (np.exp(d * -np.exp(A_log)), d * B))
    into = into or (lambda a, h, b, u: a * h + b * u)
    read = read or (lambda new, old, C_t: (new * C_t).sum(axis=-1))
    out = out or (lambda reading, w, u, p_t: reading + w["skip"] * u)
    keep = keep or (lambda window, v, u, conv: window[:, 1:])
    R, N = len(w["W_dt"]), h.shape[2]
    steps = window(conv, p_t)
    v = (steps * w["conv_W"]).sum(axis=1) + w["conv_b"]
    u = activation(v)
    r, B_t, C_t = split(u @ w["W_u"], R, N)
    delta = length(r, w)[..., None]
    a, b = step(delta, w["A_log"], B_t[:, None, :])
    new = into(a, h, b, u[..., None])
    y_t = out(read(new, h, C_t[:, None, :]), w, u, p_t)
    return y_t, (keep(steps, v, u, conv).copy(), new)


def mistaken_step(sentence, name, **places):
    """Name a mistake of the step, by what stands at one of the places of ``one_step``."""

    def mistake(w, p_t, state):
        return one_step(w, p_t, state, **places)

    mistake.__name__ = name
    mamba_step.misconception(sentence)(mistake)


mistaken_step(
    "conv keeps what has gone through the convolution already: the taps meet p itself. Right at step "
    "1, wrong "
    "from step 2 on.",
    "v_kept",
    keep=lambda window, v, u, conv: np.concatenate([conv[:, 1:], v[:, None]], axis=1),
)
mistaken_step(
    "conv keeps what has gone through convolution and SiLU already: the taps meet p itself. Right at step 1, "
    "wrong from step 2 on.",
    "u_kept",
    keep=lambda window, v, u, conv: np.concatenate([conv[:, 1:], u[:, None]], axis=1),
)
mistaken_step(
    "conv is what it was: the present step must get into it, and the oldest go.",
    "conv_not_moved",
    keep=lambda window, v, u, conv: conv,
)
mistaken_step(
    "conv: the newest step stands in front, the oldest has gone from behind. Here the newest stands last.",
    "newest_in_front",
    keep=lambda window, v, u, conv: np.concatenate([window[:, -1:], conv[:, :-1]], axis=1),
)
mistaken_step(
    "conv stands in reversed order: the newest step is the last one.",
    "conv_reversed",
    keep=lambda window, v, u, conv: window[:, :0:-1],
)
mistaken_step(
    "conv: the newest step has come over the newest one: the oldest must go.",
    "newest_overwritten",
    keep=lambda window, v, u, conv: np.concatenate([conv[:, :-1], window[:, -1:]], axis=1),
)
mistaken_step(
    "conv: the oldest step is where it was, and the present one has come into its place: shift first.",
    "oldest_overwritten",
    keep=lambda window, v, u, conv: np.concatenate([window[:, -1:], conv[:, 1:]], axis=1),
)
mistaken_step(
    "The taps meet the steps in reverse: the last row of conv_W is for p_t.",
    "taps_reversed",
    window=lambda conv, p_t: np.concatenate([conv, p_t[:, None]], axis=1)[:, ::-1],
    keep=lambda window, v, u, conv: window[:, ::-1][:, 1:],
)
mistaken_step(
    "p_t stands in front of what came before it: the last row of conv_W is for p_t.",
    "present_in_front",
    window=lambda conv, p_t: np.concatenate([p_t[:, None], conv], axis=1),
    keep=lambda window, v, u, conv: np.concatenate([window[:, 2:], window[:, :1]], axis=1),
)
mistaken_step("SiLU is missing between the convolution and the rest.", "no_silu", activation=lambda v: v)
mistaken_step("σ alone: SiLU is v σ(v).", "sigma_for_silu", activation=lambda v: sigmoid.reference(v))
mistaken_step("tanh stands where SiLU belongs.", "tanh_for_silu", activation=np.tanh)
mistaken_step("relu stands where SiLU belongs.", "relu_for_silu", activation=lambda v: np.maximum(v, 0))
mistaken_step(
    "The parts of u W_u stand in the order r, B, C: yours takes B and C the other way round.",
    "C_before_B",
    split=lambda both, R, N: (both[:, :R], both[:, R + N :], both[:, R : R + N]),
)
mistaken_step(
    "The parts of u W_u stand in the order r, B, C, with R, N and N numbers: yours takes r from the end.",
    "r_last",
    split=lambda both, R, N: (both[:, 2 * N :], both[:, :N], both[:, N : 2 * N]),
)
mistaken_step(
    "B and C are the same part of u W_u in yours: there are two.",
    "B_for_C",
    split=lambda both, R, N: (both[:, :R], both[:, R : R + N], both[:, R : R + N]),
)
mistaken_step(
    "B and C are the same part of u W_u in yours: there are two.",
    "C_for_B",
    split=lambda both, R, N: (both[:, :R], both[:, R + N :], both[:, R + N :]),
)
mistaken_step(
    "Δ has not gone through softplus.", "no_softplus", length=lambda r, w: r @ w["W_dt"] + w["b_dt"]
)
mistaken_step("The bias of Δ plays no part.", "no_b_dt", length=lambda r, w: np.logaddexp(0, r @ w["W_dt"]))
mistaken_step(
    "Δ is exp of its sum: softplus is asked for.",
    "exp_for_softplus",
    length=lambda r, w: np.exp(r @ w["W_dt"] + w["b_dt"]),
)
mistaken_step(
    "h is forgotten: the state that came in has no part in the new one.",
    "state_forgotten",
    into=lambda a, h, b, u: b * u + 0 * h,
)
mistaken_step("The old state is kept whole: where is a?", "kept_whole", into=lambda a, h, b, u: h + b * u)
mistaken_step(
    "The h that comes in plays no part: a multiplies it.",
    "old_h_not_used",
    into=lambda a, h, b, u: a + b * u + 0 * h,
)
mistaken_step(
    "a is above 1: which sign has A?",
    "A_without_minus",
    step=lambda d, A_log, B: (np.exp(d * np.exp(A_log)), d * B),
)
mistaken_step(
    "A is A_log in yours: A = −exp(A_log).",
    "A_log_for_A",
    step=lambda d, A_log, B: (np.exp(d * A_log), d * B),
)
mistaken_step(
    "b is B itself in yours: b = Δ B.",
    "b_without_delta",
    step=lambda d, A_log, B: (np.exp(d * -np.exp(A_log)), B + 0 * d),
)
mistaken_step(
    "Δ stands outside of the exponential: a = exp(Δ A).",
    "delta_outside",
    step=lambda d, A_log, B: (d * np.exp(-np.exp(A_log)), d * B),
)
mistaken_step("u has no part in the state.", "state_without_u", into=lambda a, h, b, u: a * h + b)
mistaken_step(
    "y is read from the state before the step.",
    "old_state_read",
    read=lambda new, old, C_t: (old * C_t).sum(axis=-1),
)
mistaken_step(
    "The way past the state is missing: skip ⊙ u.", "no_skip", out=lambda reading, w, u, p_t: reading
)
mistaken_step(
    "p goes past the state in yours: u does, after convolution and SiLU.",
    "skip_on_p",
    out=lambda reading, w, u, p_t: reading + w["skip"] * p_t,
)
mistaken_step(
    "skip is added as a bias: it multiplies u.",
    "skip_added",
    out=lambda reading, w, u, p_t: reading + w["skip"],
)


@mamba_step.misconception("Channels are mixed by the convolution: each meets its own column of conv_W.")
def channels_mixed(w, p_t, state):
    def mixed(array):
        return np.repeat(array.sum(axis=-1, keepdims=True), array.shape[-1], axis=-1)

    y_t, (_, h) = one_step(w, mixed(p_t), (mixed(state[0]), state[1]))
    return y_t, (np.concatenate([state[0], p_t[:, None]], axis=1)[:, 1:], h)


@mamba_step.misconception("p_t enters the state, and goes past it: u does, after convolution and SiLU.")
def p_for_u(w, p_t, state):
    return one_step(
        w,
        p_t,
        state,
        into=lambda a, h, b, u: a * h + b * p_t[..., None],
        out=lambda reading, w, u, p_t: reading + w["skip"] * p_t,
    )


@mamba_step.misconception("p_t enters the state: u does, after convolution and SiLU.")
def p_into_the_state(w, p_t, state):
    return one_step(w, p_t, state, into=lambda a, h, b, u: a * h + b * p_t[..., None])


@mamba_step.misconception("The bias of the convolution plays no part.")
def no_conv_bias(w, p_t, state):
    return one_step(w | {"conv_b": 0 * w["conv_b"]}, p_t, state)


@mamba_step.misconception(
    "What came before is forgotten by the convolution: conv holds the last K − 1 steps, and the taps "
    "meet them."
)
def conv_not_used(w, p_t, state):
    y_t, (_, h) = one_step(w, p_t, (0 * state[0], state[1]))
    return y_t, (np.concatenate([state[0][:, 1:], p_t[:, None]], axis=1), h)


@mamba_step.misconception(
    "The state that comes out is the one that came in: h is what the step has made of it."
)
def old_state_returned(w, p_t, state):
    y_t, (conv, _) = one_step(w, p_t, state)
    return y_t, (conv, state[1].copy())


@mamba_step.misconception("u W_u is made of p_t in yours: the projection comes after convolution and SiLU.")
def projected_too_early(w, p_t, state):
    conv, h = state
    steps = np.concatenate([conv, p_t[:, None]], axis=1)
    u = silu((steps * w["conv_W"]).sum(axis=1) + w["conv_b"])
    R, N = len(w["W_dt"]), h.shape[2]
    both = p_t @ w["W_u"]
    delta = np.logaddexp(0, both[:, :R] @ w["W_dt"] + w["b_dt"])[..., None]
    new = np.exp(delta * -np.exp(w["A_log"])) * h + delta * both[:, None, R : R + N] * u[..., None]
    return (new * both[:, None, R + N :]).sum(-1) + w["skip"] * u, (steps[:, 1:], new)


def sequence(w, p):
    """The whole sequence at once, by the earlier exercises: y (B, T, E)."""
    u = silu(causal_conv.reference(p, w["conv_W"], w["conv_b"]))
    R, N = len(w["W_dt"]), w["A_log"].shape[1]
    both = u @ w["W_u"]
    delta = step_sizes.reference(both[..., :R], w["W_dt"], w["b_dt"])
    a, b = discretise.reference(delta, w["A_log"], both[..., R : R + N])
    h0 = np.zeros((len(p), *w["A_log"].shape))
    return selective_scan.reference(u, a, b, both[..., R + N :], w["skip"], h0)[0]


STREAM = 7  # steps that the step is walked through


def walked(answer, w, B):
    """y of a random stream, step by step from zeros, beside that of the whole sequence."""
    K, E = w["conv_W"].shape
    p = np.random.default_rng(0).normal(size=(B, STREAM, E))
    state, y = (np.zeros((B, K - 1, E)), np.zeros((B, *w["A_log"].shape))), []
    for t in range(STREAM):
        y_t, state = answer(w, p[:, t].copy(), state)
        y.append(y_t)
    return np.stack(y, axis=1), sequence(w, p)


@mamba_step.must
def step_by_step_is_the_sequence(answer, w, p_t, state):
    if len(p_t) > 1:
        return ""
    y, wanted = walked(answer, w, 1)
    wrong = np.flatnonzero(~np.isclose(y, wanted).all(axis=(0, 2))) + 1
    if not len(wrong):
        return ""
    return (
        f"One call is right, but of a stream that is walked step by step, step {wrong[0]} is wrong: "
        "what was kept?"
    )


@mamba_step.clue
def what_is_right_of_the_step(answer, w, p_t, state):
    right, results = mamba_step.reference(w, p_t, state), answer(w, p_t, state)
    y_t, (conv, h) = results
    if not same(h, right[1][1], 1e-6):
        still = {**w, "conv_W": 0 * w["conv_W"]}
        if same(answer(still, p_t, state)[1][1], mamba_step.reference(still, p_t, state)[1][1], 1e-6):
            return (
                "With a conv_W of zeros the state is right: which K steps do the taps meet, and in "
                "which order?"
            )
        return (
            "The state is not right: from v to u, to r, B and C, to Δ, to a and b, which of them is "
            "the first wrong?"
        )
    if not same(y_t, right[0], 1e-6):
        return "The state is right, y_t is not: how is it read, and what goes past it?"
    if not same(conv, right[1][0], 1e-6):
        return "y_t and h are right, conv is not: what will the taps of the next step want to meet?"
    return ""


@mamba_step.remark
def how_much_is_kept(answer, w, p_t, state):
    conv, h = state
    kept = (conv.size + h.size) // len(p_t)
    return (
        f"step by step is the sequence; {kept} numbers are kept of a stream, after ten steps or after "
        "a million."
    )


# 6.7 The block

EPS = 1e-5


def block_inputs(rng):
    """Small blocks and a mixer for each; one has inputs so small that ε counts, and a row of zeros."""
    cases = []
    for (B, T, D, E), scale in zip(
        [(2, 4, 3, 5), (1, 5, 4, 2), (3, 2, 5, 7), (2, 3, 4, 6)], [1, 3, 1, 0.004], strict=True
    ):
        w = {
            "norm": 1 + 0.3 * rng.normal(size=D),
            "W_in": rng.normal(size=(D, 2 * E)),
            "W_out": rng.normal(size=(E, D)),
        }
        x = scale * rng.normal(size=(B, T, D)) + 0.5 * scale
        if scale < 1:
            x[0, 0] = 0
        cases.append((w, x, Mix(rng.normal(size=(E, E)))))
    return cases


class Mix:
    """The mixer that is handed in: any function of p (B, T, E) that keeps its shape, and mixes channels."""

    def __init__(self, M):
        self.M = M

    def __call__(self, p):
        return np.tanh(np.cumsum(p, axis=1) @ self.M)

    def __deepcopy__(self, memo):
        return self


@exercise("6.7", returns={"y": "B, T, D"}, inputs=block_inputs, section=("mamba", "The block"))
def block(w, x, mix):
    return built(w, x, mix)


def built(w, x, mix, norm=None, halves=None, gate=None, joins=None, adds=None):
    """x + (mix(p) ⊙ SiLU(z)) W_out with [p | z] = RMSNorm(x) W_in, with places for mistakes.

    Args:
        norm: (x, w) -> the normalised x.
        halves: (both, E) -> p and z.
        gate: z -> the gate.
        joins: (mix, p, gate) -> what goes into W_out.
        adds: (x, normalised x, what is added) -> y.
    """
    norm = norm or (lambda x, w: x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + EPS) * w["norm"])
    halves = halves or (lambda both, E: (both[..., :E], both[..., E:]))
    gate, joins = gate or silu, joins or (lambda mix, p, gate: mix(p) * gate)
    adds = adds or (lambda x, normed, change: x + change)
    normed = norm(x, w)
    p, z = halves(normed @ w["W_in"], len(w["W_out"]))
    return adds(x, normed, joins(mix, p, gate(z)) @ w["W_out"])


def mistaken_block(sentence, name, **places):
    """Name a mistake of the block, by what stands at one of the places of ``built``."""

    def mistake(w, x, mix):
        return built(w, x, mix, **places)

    mistake.__name__ = name
    block.misconception(sentence)(mistake)


def mean_square(x, axis=-1):
    return (x**2).mean(axis=axis, keepdims=True)


mistaken_block(
    "With W_out = 0 the block must return x: where is the way past it?",
    "no_residual",
    adds=lambda x, normed, change: change,
)
mistaken_block(
    "What goes past the block is x as it came: yours is normalised.",
    "normed_residual",
    adds=lambda x, normed, change: normed + change,
)
mistaken_block(
    "What the block has made is subtracted from x: it is added.",
    "residual_subtracted",
    adds=lambda x, normed, change: x - change,
)
mistaken_block("x goes past the block twice.", "two_residuals", adds=lambda x, normed, change: 2 * x + change)
mistaken_block(
    "The normalisation comes after the block in yours: here it stands before, and x goes past it.",
    "norm_after",
    norm=lambda x, w: x,
    adds=lambda x, normed, change: (x + change) / np.sqrt(mean_square(x + change) + EPS),
)
mistaken_block(
    "The first E columns of W_in make p, the others z: yours takes them the other way round.",
    "halves_exchanged",
    halves=lambda both, E: (both[..., E:], both[..., :E]),
)
mistaken_block(
    "Every other column goes to p in yours: the first E make p, the others z.",
    "every_other",
    halves=lambda both, E: (both[..., ::2], both[..., 1::2]),
)
mistaken_block(
    "p and z are the same half: W_in has E columns for each.",
    "one_half",
    halves=lambda both, E: (both[..., :E], both[..., :E]),
)
mistaken_block(
    "σ(z) opens a gate between 0 and 1: here it is SiLU, z σ(z), which may be larger.",
    "sigma_gate",
    gate=lambda z: sigmoid.reference(z),
)
mistaken_block("z goes through no function: the gate is SiLU(z).", "no_silu", gate=lambda z: z)
mistaken_block("tanh stands where SiLU belongs.", "tanh_gate", gate=np.tanh)
mistaken_block("relu stands where SiLU belongs.", "relu_gate", gate=lambda z: np.maximum(z, 0))
mistaken_block(
    "The gate is missing: what is mixed meets SiLU(z) before W_out.",
    "no_gate",
    joins=lambda mix, p, gate: mix(p),
)
mistaken_block("The gate is added: it multiplies.", "gate_added", joins=lambda mix, p, gate: mix(p) + gate)
mistaken_block(
    "The gate stands before the mixer: first p is mixed, then it meets the gate.",
    "gate_before",
    joins=lambda mix, p, gate: mix(p * gate),
)
mistaken_block(
    "p is not mixed: the function that is handed in has no part in yours.",
    "not_mixed",
    joins=lambda mix, p, gate: p * gate,
)
mistaken_block(
    "mix is called with the gate's half: p is mixed, z makes the gate.",
    "gate_mixed",
    joins=lambda mix, p, gate: p * mix(gate),
)
mistaken_block(
    "That is LayerNorm: adding a constant to x should matter. RMSNorm subtracts no mean.",
    "layer_norm",
    norm=lambda x, w: (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + EPS) * w["norm"],
)
mistaken_block("x is not normalised.", "no_norm", norm=lambda x, w: x)
mistaken_block(
    "x meets the norm's weights, but is not divided by its size.",
    "weights_alone",
    norm=lambda x, w: x * w["norm"],
)
mistaken_block(
    "The norm's weights play no part.", "no_weights", norm=lambda x, w: x / np.sqrt(mean_square(x) + EPS)
)
mistaken_block(
    "The root is missing: x is divided by the root of its mean square.",
    "no_root",
    norm=lambda x, w: x / (mean_square(x) + EPS) * w["norm"],
)
mistaken_block(
    "The *sum* of the squares: their mean is asked for.",
    "sum_of_squares",
    norm=lambda x, w: x / np.sqrt((x**2).sum(-1, keepdims=True) + EPS) * w["norm"],
)
mistaken_block(
    "The mean square runs over the steps in yours: each step has its own, over its D features.",
    "norm_over_time",
    norm=lambda x, w: x / np.sqrt(mean_square(x, 1) + EPS) * w["norm"],
)
mistaken_block(
    "The mean square runs over the batch in yours: each step of each sample has its own, over its D "
    "features.",
    "norm_over_batch",
    norm=lambda x, w: x / np.sqrt(mean_square(x, 0) + EPS) * w["norm"],
)
mistaken_block(
    "One mean square for the whole array: each step has its own, over its D features.",
    "norm_over_all",
    norm=lambda x, w: x / np.sqrt((x**2).mean() + EPS) * w["norm"],
)
mistaken_block(
    "One mean square for a whole sample: each step has its own, over its D features, and so knows no "
    "later step.",
    "norm_over_a_sample",
    norm=lambda x, w: x / np.sqrt(mean_square(x, (1, 2)) + EPS) * w["norm"],
)
WHERE_EPS = "Right for inputs of usual size. For tiny ones ε counts: it is 10⁻⁵, and stands under the root."
mistaken_block(
    WHERE_EPS,
    "eps_outside",
    norm=lambda x, w: x / (np.sqrt(mean_square(x)) + EPS) * w["norm"],
)
mistaken_block(WHERE_EPS, "eps_smaller", norm=lambda x, w: x / np.sqrt(mean_square(x) + 1e-6) * w["norm"])
mistaken_block(
    WHERE_EPS, "eps_much_smaller", norm=lambda x, w: x / np.sqrt(mean_square(x) + 1e-8) * w["norm"]
)
mistaken_block(
    "A row of zeros: 0 / 0 is nan. ε under the root is there for that.",
    "no_eps",
    norm=lambda x, w: x / np.sqrt(mean_square(x)) * w["norm"],
)
mistaken_block(
    "x is divided by the mean of its amounts: the root of the mean square is asked for.",
    "mean_amount",
    norm=lambda x, w: x / (np.abs(x).mean(-1, keepdims=True) + EPS) * w["norm"],
)


mistaken_block(
    "std subtracts the mean first: RMSNorm subtracts none.",
    "divided_by_std",
    norm=lambda x, w: x / np.sqrt(x.var(-1, keepdims=True) + EPS) * w["norm"],
)
mistaken_block(
    "std subtracts the mean first: RMSNorm subtracts none.",
    "divided_by_std_plus_eps",
    norm=lambda x, w: x / (x.std(-1, keepdims=True) + EPS) * w["norm"],
)
mistaken_block(
    "That is the root of the *sum* of the squares: their mean is asked for.",
    "divided_by_length",
    norm=lambda x, w: x / np.linalg.norm(x, axis=-1, keepdims=True) * w["norm"],
)
mistaken_block(
    "The square of the mean in yours: the mean of the squares is asked for.",
    "square_of_the_mean",
    norm=lambda x, w: x / np.sqrt(x.mean(-1, keepdims=True) ** 2 + EPS) * w["norm"],
)
mistaken_block(
    "The norm's weights are added: they multiply.",
    "weights_added",
    norm=lambda x, w: x / np.sqrt(mean_square(x) + EPS) + w["norm"],
)
mistaken_block(
    "The norm's weights multiply as they are, without a 1.",
    "one_plus_weights",
    norm=lambda x, w: x / np.sqrt(mean_square(x) + EPS) * (1 + w["norm"]),
)
mistaken_block(
    "p goes through SiLU before it is mixed: the middle has its own, only z makes a gate here.",
    "silu_before_mix",
    joins=lambda mix, p, gate: mix(silu(p)) * gate,
)
mistaken_block(
    "What mix gives goes through SiLU as well: only z does.",
    "silu_on_both",
    joins=lambda mix, p, gate: silu(mix(p)) * gate,
)


@block.misconception("The gate is made of x itself: both halves come from the normalised x.")
def gate_from_raw(w, x, mix):
    E = len(w["W_out"])
    normed = x / np.sqrt(mean_square(x) + EPS) * w["norm"]
    return x + (mix(normed @ w["W_in"][:, :E]) * silu(x @ w["W_in"][:, E:])) @ w["W_out"]


@block.misconception("SiLU is on what is mixed: z makes the gate.")
def silu_on_the_mixed(w, x, mix):
    E = len(w["W_out"])
    normed = x / np.sqrt(mean_square(x) + EPS) * w["norm"]
    return x + (silu(mix(normed @ w["W_in"][:, :E])) * (normed @ w["W_in"][:, E:])) @ w["W_out"]


@block.clue
def what_goes_into_the_mixer(answer, w, x, mix):
    recording = Recording(mix)
    y = call(answer, (w, x, recording)).value
    if not isinstance(y, np.ndarray) or y.shape != x.shape:
        return ""
    if not recording.calls:
        return "mix is never called: p goes through the function that is handed in."
    E = len(w["W_out"])
    normed = x / np.sqrt(mean_square(x) + EPS) * w["norm"]
    (p,) = recording.calls[0][:1]
    if len(recording.calls) >= x.shape[1] > 1 and np.shape(p) != (*x.shape[:2], E):
        return "mix hears the whole sequence at once, (B, T, E): yours hands it one step alone."
    if same(p, normed @ w["W_in"][:, :E], 1e-6):
        quiet = call(answer, ({**w, "W_out": 0 * w["W_out"]}, x, mix)).value
        if not same(quiet, x, 1e-9):
            return "What goes into mix is right. With W_out = 0 the block must return x: does it?"
        return (
            "What goes into mix is right, and x goes past the block. How is the gate made, and what "
            "does it meet?"
        )
    if np.shape(p)[-1:] != (E,):
        return f"What goes into mix should have {E} channels, yours has the shape {np.shape(p)}."
    return (
        "What goes into mix is not right: x is normalised, each step by itself, and the first E "
        "columns of W_in make p."
    )


@block.remark
def how_far_it_is_from_x(answer, w, x, mix):
    quiet = answer({**w, "W_out": 0 * w["W_out"]}, x, mix)
    return (
        f"with W_out = 0 the block changes x by {np.abs(quiet - x).max():.0f}: a stack of them begins "
        "as a plain wire."
    )


# 6.8 Find the mistake

WRONG_LINES = {"A": (2, "b"), "B": (11, "e"), "C": (6, "g")}


@exercise(
    "6.8",
    returns={version: {"line": "", "why": ""} for version in WRONG_LINES},
    inputs=no_inputs,
    section=("mamba", "The block"),
    accept=find_the_mistake.about(
        WRONG_LINES, "Which results are wrong, from which step on, and which lines make them?"
    ),
)
def find_mamba_mistakes():
    return dict(WRONG_LINES)
