"""Lab 6, the selective scan, and a cloakroom that is judged by what it does.

Each with its inputs, its answer and its misconceptions. Arrays as in ``lab06_mamba.py``: u (B, T, E),
C (B, T, N), a, b and the states (B, T, E, N).
"""

from functools import partial

import numpy as np

from rnnlib.checks.lab01_rnn import are_gradients, no_inputs
from rnnlib.checks.lab06_mamba import discretise, discretise_inputs, exercise, softplus
from rnnlib.checks.parts import same

# 6.4 The selective scan


def scan_inputs(rng, shapes=None):
    cases = []
    for delta, A_log, Bs in discretise_inputs(rng, shapes):
        a, b = discretise.reference(delta, A_log, Bs)
        if shapes:  # one digit, for work by hand
            a, b = np.abs(rng.normal(size=a.shape)), rng.normal(size=b.shape)
        B, _, E, N = a.shape
        others = rng.normal(size=Bs.shape), rng.normal(size=E), rng.normal(size=(B, E, N))
        cases.append((rng.normal(size=delta.shape), a, b, *others))
    return cases


@exercise(
    "6.4",
    returns={"y": "B, T, E", "hs": "B, T, E, N"},
    inputs=scan_inputs,
    section=("mamba", "The selective scan"),
)
def selective_scan(u, a, b, Cs, skip, h0):
    return scanned(u, a, b, Cs, skip, h0)


def scanned(u, a, b, Cs, skip, h0, enters=None, step=None, read=None, out=None, when=None):
    """h_t = a_t ⊙ h_{t−1} + b_t u_t and y_t = Σ_N C_t ⊙ h_t + skip ⊙ u_t, with places for mistakes.

    Args:
        enters: (h, h0, t) -> the state that enters step t.
        step: (a_t, b_t, u_t, h) -> the new state; u_t has an axis for N.
        read: (h, old, C_t) -> what is read, (B, E); C_t has an axis for E, old is the state before.
        out: (what is read, skip, u_t) -> y_t.
        when: t -> the steps of a, b, u and C that are read at step t.
    """
    enters = enters or (lambda h, h0, t: h)
    step = step or (lambda a_t, b_t, u_t, h: a_t * h + b_t * u_t)
    read = read or (lambda h, old, C_t: (h * C_t).sum(axis=-1))
    out = out or (lambda reading, skip, u_t: reading + skip * u_t)
    when = when or (lambda t: (t, t, t, t))
    h, y, hs, last = h0, np.zeros(u.shape), np.zeros(a.shape), u.shape[1] - 1
    for t in range(last + 1):
        of_a, of_b, of_u, of_C = (min(max(index, 0), last) for index in when(t))
        old = enters(h, h0, t)
        h = step(a[:, of_a], b[:, of_b], u[:, of_u][..., None], old)
        y[:, t] = out(read(h, old, Cs[:, of_C][:, None, :]), skip, u[:, t])
        hs[:, t] = h
    return y, hs


def mistaken_scan(sentence, name, **places):
    """Name a mistake of the scan, by what stands at one of the places of ``scanned``."""

    def mistake(u, a, b, Cs, skip, h0):
        return scanned(u, a, b, Cs, skip, h0, **places)

    mistake.__name__ = name
    selective_scan.misconception(sentence)(mistake)


mistaken_scan(
    "y is read from the state before the step: y of step 1 does not hear u of step 1 through the state.",
    "old_state_read",
    read=lambda h, old, C_t: (old * C_t).sum(axis=-1),
)
mistaken_scan(
    "The way past the state is missing: with b = 0, y should be skip ⊙ u.",
    "no_skip",
    out=lambda reading, skip, u_t: reading,
)
mistaken_scan(
    "Every step is read with the first step's C: C changes with t, that is the selectivity.",
    "first_C",
    when=lambda t: (t, t, t, 0),
)
mistaken_scan(
    "Every step takes in with the first step's b: b changes with t, that is the selectivity.",
    "first_b",
    when=lambda t: (t, 0, t, t),
)
mistaken_scan(
    "Every step keeps with the first step's a: a changes with t, that is the selectivity.",
    "first_a",
    when=lambda t: (0, t, t, t),
)
mistaken_scan(
    "What comes in is the input of the step before: h_t hears u_t.",
    "input_one_late",
    when=lambda t: (t, t, t - 1, t),
    step=lambda a_t, b_t, u_t, h: a_t * h + b_t * u_t,
)
mistaken_scan(
    "The factor is that of the step before: a_t multiplies h_{t−1} on its way into h_t.",
    "factor_one_late",
    when=lambda t: (t - 1, t, t, t),
)
mistaken_scan(
    "The factor is that of the step after: a_t multiplies h_{t−1} on its way into h_t.",
    "factor_one_early",
    when=lambda t: (t + 1, t, t, t),
)
mistaken_scan(
    "u has no part in the state: b says how much of u comes in.",
    "state_without_u",
    step=lambda a_t, b_t, u_t, h: a_t * h + b_t,
)
mistaken_scan(
    "u comes in as it is: b says into which of the N numbers, and how much.",
    "state_without_b",
    step=lambda a_t, b_t, u_t, h: a_t * h + u_t,
)
mistaken_scan(
    "a multiplies what comes in as well: it is for the old state.",
    "a_on_both",
    step=lambda a_t, b_t, u_t, h: a_t * (h + b_t * u_t),
)
mistaken_scan(
    "The old state is kept whole: where is a?", "without_a", step=lambda a_t, b_t, u_t, h: h + b_t * u_t
)
mistaken_scan(
    "The old state comes in by 1 − a: a is its share already.",
    "a_from_one",
    step=lambda a_t, b_t, u_t, h: (1 - a_t) * h + b_t * u_t,
)
mistaken_scan(
    "What comes in has the factor 1 − a, as in a MinGRU: here b has all that it needs.",
    "mean",
    step=lambda a_t, b_t, u_t, h: a_t * h + (1 - a_t) * b_t * u_t,
)
mistaken_scan(
    "a and b have exchanged their places.",
    "exchanged",
    step=lambda a_t, b_t, u_t, h: b_t * h + a_t * u_t,
)
mistaken_scan(
    "The new state goes through a tanh in yours: nothing squashes it here.",
    "squashed",
    step=lambda a_t, b_t, u_t, h: np.tanh(a_t * h + b_t * u_t),
)
mistaken_scan(
    "Step 1 ignores h0: does your first state move when h0 does?",
    "zero_start",
    enters=lambda h, h0, t: h if t else 0 * h,
)
mistaken_scan(
    "Every step begins with h0: which state enters step 2?", "always_h0", enters=lambda h, h0, t: h0
)
mistaken_scan(
    "Nothing is handed on: every step begins with 0.", "always_zero", enters=lambda h, h0, t: 0 * h0
)
mistaken_scan(
    "C is not used: it says how much of each of the N numbers is read.",
    "without_C",
    read=lambda h, old, C_t: h.sum(axis=-1),
)
mistaken_scan(
    "That is the mean of the N numbers: their sum, weighted by C, is read.",
    "mean_over_N",
    read=lambda h, old, C_t: (h * C_t).mean(axis=-1),
)
mistaken_scan(
    "One of the N numbers alone is read: all are, each by its C.",
    "first_number",
    read=lambda h, old, C_t: (h * C_t)[..., 0],
)
mistaken_scan(
    "One of the N numbers alone is read: all are, each by its C.",
    "last_number",
    read=lambda h, old, C_t: (h * C_t)[..., -1],
)
mistaken_scan(
    "skip multiplies what is read: it is for u, which goes past the state.",
    "skip_on_reading",
    out=lambda reading, skip, u_t: skip * reading + u_t,
)
mistaken_scan(
    "skip multiplies what is read: it is for u, which goes past the state.",
    "skip_times_reading_added",
    out=lambda reading, skip, u_t: reading + skip * reading,
)
mistaken_scan(
    "skip multiplies both: it is for u, which goes past the state.",
    "skip_on_both",
    out=lambda reading, skip, u_t: skip * (reading + u_t),
)
mistaken_scan(
    "skip is added as a bias: it multiplies u.", "skip_added", out=lambda reading, skip, u_t: reading + skip
)
mistaken_scan(
    "u goes past the state as it is: skip says how much of each channel.",
    "u_added",
    out=lambda reading, skip, u_t: reading + u_t,
)
mistaken_scan("skip is subtracted.", "skip_subtracted", out=lambda reading, skip, u_t: reading - skip * u_t)


@selective_scan.misconception(
    "hs[:, t] is the state that enters step t: the one that leaves it is asked for."
)
def states_one_late(u, a, b, Cs, skip, h0):
    y, hs = scanned(u, a, b, Cs, skip, h0)
    return y, np.concatenate([h0[:, None], hs[:, :-1]], axis=1)


@selective_scan.misconception("The last state alone stands in every step: keep each one.")
def last_state_everywhere(u, a, b, Cs, skip, h0):
    y, hs = scanned(u, a, b, Cs, skip, h0)
    return y, np.repeat(hs[:, -1:], a.shape[1], axis=1)


@selective_scan.misconception("u goes past the state N times: skip ⊙ u stands outside of the sum over N.")
def skip_in_the_sum(u, a, b, Cs, skip, h0):
    y, hs = scanned(u, a, b, Cs, a.shape[-1] * skip, h0)
    return y, hs


@selective_scan.misconception("Your scan begins at the last step: a state comes from earlier steps.")
def from_the_end(u, a, b, Cs, skip, h0):
    y, hs = scanned(u[:, ::-1], a[:, ::-1], b[:, ::-1], Cs[:, ::-1], skip, h0)
    return y[:, ::-1].copy(), hs[:, ::-1].copy()


@selective_scan.misconception("You walk along the batch: axis 0 is B, axis 1 is T.")
def walked_along_the_batch(u, a, b, Cs, skip, h0):
    y, hs, h = np.zeros(u.shape), np.zeros(a.shape), h0
    for t in range(min(len(u), u.shape[1])):
        h = a[:, t] * h + b[:, t] * u[:, t, :, None]
        hs[:, t] = h
        y[:, t] = (h * Cs[:, t, None, :]).sum(axis=-1) + skip * u[:, t]
    return y, hs


@selective_scan.misconception("skip ⊙ u enters the state: it goes past it, into y alone.")
def skip_in_the_state(u, a, b, Cs, skip, h0):
    h, y, hs = h0, np.zeros(u.shape), np.zeros(a.shape)
    for t in range(u.shape[1]):
        h = a[:, t] * h + b[:, t] * u[:, t, :, None] + (skip * u[:, t])[..., None]
        hs[:, t], y[:, t] = h, (h * Cs[:, t, None, :]).sum(axis=-1)
    return y, hs


@selective_scan.misconception(
    "What was taken in does not fade in yours: every later step multiplies it by its a."
)
def nothing_fades(u, a, b, Cs, skip, h0):
    hs = np.cumprod(a, axis=1) * h0[:, None] + np.cumsum(b * u[..., None], axis=1)
    return np.einsum("bten,btn->bte", hs, Cs) + skip * u, hs


@selective_scan.misconception(
    "What comes in at a step meets that step's a and all before it in yours: only later factors act on it."
)
def multiplied_by_all_factors(u, a, b, Cs, skip, h0):
    product = np.cumprod(a, axis=1)
    hs = product * (h0[:, None] + np.cumsum(b * u[..., None], axis=1))
    return np.einsum("bten,btn->bte", hs, Cs) + skip * u, hs


@selective_scan.must
def hears_no_later_step(answer, u, a, b, Cs, skip, h0):
    if u.shape[1] == 1:
        return ""
    moved = u.copy()
    moved[:, -1] += 1
    before, after = (answer(array, a, b, Cs, skip, h0)[0][:, :-1] for array in (u, moved))
    return "" if same(before, after, 1e-9) else "y of a step changes with a later step's u."


@selective_scan.clue
def what_is_right_of_the_scan(answer, *case):
    right, results = selective_scan.reference(*case), answer(*case)
    if not are_gradients(results, right) or any(
        np.shape(r) != w.shape for r, w in zip(results, right, strict=True)
    ):
        return ""
    if any(not step.any() for step in np.moveaxis(results[1], 1, 0)):
        return "Of some steps nothing was stored: does a return stand inside the loop?"
    y_right, hs_right = (same(mine, wanted, 1e-6) for mine, wanted in zip(results, right, strict=True))
    if hs_right and not y_right:
        return (
            "The states are right, y is not: C weights the N numbers of each channel, and u also "
            "goes past them."
        )
    if y_right:
        return "y is right, so you had the right states: which did you keep in hs?"
    if same(results[1][:, 0], right[1][:, 0], 1e-6):
        return "The first state is right, a later one is not: what enters step 2?"
    return "Not even the first state is right: it is a_1 ⊙ h0 + b_1 u_1, nothing more."


@selective_scan.remark
def how_many_numbers(answer, u, a, b, Cs, skip, h0):
    _, E, N = h0.shape
    return f"{E} channels with {N} numbers each: the state is {E * N} numbers, and stays so at any T."


# 6.9 A cloakroom, judged by what it does

PEGS = 4


def cloakroom_run(weights, rng, T, puts=True):
    """Coats that are hung up and asked for again: what comes out, and what should.

    Args:
        weights: A_log (PEGS,), W_B and W_C (9, PEGS), b_dt.
        rng: a Generator.
        T: steps.
        puts: whether anything is hung up at all.

    Returns:
        y (T,), and what hangs on the peg that is asked for, nan where none is asked for.
    """
    x, wanted, pegs = np.zeros((T, 1 + 2 * PEGS)), np.full(T, np.nan), np.zeros(PEGS)
    x[:, 0] = rng.uniform(-1, 1, T)  # there is always a value: most belong to nobody
    empty = list(rng.permutation(PEGS)) if puts else []
    for t in range(T):
        if empty and rng.random() < 0.2:
            peg = empty.pop()
            x[t, 1 + peg], pegs[peg] = 1, x[t, 0]
        elif rng.random() < 0.3:
            peg = rng.integers(PEGS)
            x[t, 1 + PEGS + peg], wanted[t] = 1, pegs[peg]
    return cloakroom_answers(weights, x), wanted


def cloakroom_answers(weights, x):
    """y of one channel, u = the value, with B = x W_B, C = x W_C and Δ = softplus(b_dt): (T,)."""
    A_log, W_B, W_C, b_dt = weights
    delta = np.full((1, len(x), 1), softplus(b_dt))
    a, b = discretise.reference(delta, A_log[None], (x @ W_B)[None])
    y, _ = selective_scan.reference(
        x[None, :, :1], a, b, (x @ W_C)[None], np.zeros(1), np.zeros((1, 1, PEGS))
    )
    return y[0, :, 0]


FADES = "what fades is exp(Δ A), with A = −exp(A_log). Which A_log makes A nothing?"


def _why(kept, peg):
    """Why a coat does not come back in the next step, from what it would do if nothing faded.

    Args:
        kept: inputs -> y, with an A of nothing.
        peg: the peg's number, from 0.
    """
    value, put, ask = np.eye(9)[0], np.eye(9)[1 : 1 + PEGS], np.eye(9)[1 + PEGS :]
    coat = 0.8 * value + put[peg]
    if abs(kept(np.array([coat, ask[peg]]))[1] - 0.8) < 0.02:
        return f"of the numbers all but A_log are right for it; {FADES}"
    if abs(kept(np.array([0.8 * value + ask[peg], put[peg]]))[1] - 0.8) < 0.02:
        return "it is hung up where it is asked for, and comes out where something is hung up: W_B and W_C."
    at = np.flatnonzero(np.abs(kept(np.array([coat, *ask]))[1:] - 0.8) < 0.02)
    if len(at):
        return f"it comes out where peg {at[0] + 1} is asked for. Do W_B and W_C mean the same peg?"
    shifted = np.roll(np.eye(9), -1, axis=1)  # what W hears if its rows are counted from the value's
    if (
        abs(kept(np.array([coat, ask[peg]]) @ shifted)[1] - 0.8) < 0.02
        or not kept(np.array([coat, *ask]))[1:].any()
    ):
        return "number 0 of the input is the value, so coats stand in rows 1 to 4, and asking in rows 5 to 8."
    return "Δ B of it comes in, C of it is read. How long is your step, and what are B and C then?"


def about_cloakroom(A_log, W_B, W_C, b_dt):
    """What a cloakroom with these weights does wrong, or ""."""
    weights = A_log, W_B, W_C, b_dt
    run = partial(cloakroom_answers, weights)
    value, put, ask = np.eye(9)[0], np.eye(9)[1 : 1 + PEGS], np.eye(9)[1 + PEGS :]
    nobody = run(np.array([value, value, *ask]))[2:]
    if np.abs(nobody).max() > 0.02:
        return (
            f"A value 1 that belonged to nobody, and then peg {int(np.abs(nobody).argmax()) + 1} gives "
            f"{_number(nobody[np.abs(nobody).argmax()])}: what must B be where nothing is hung up?"
        )
    kept = partial(cloakroom_answers, (np.full(PEGS, -30.0), W_B, W_C, b_dt))
    first, second = 0.8 * value + put, ask
    for peg in range(PEGS):
        taken = run(np.array([first[peg], second[peg]]))[1]
        if abs(taken - 0.8) > 0.02:
            return (
                f"0.8 on peg {peg + 1}, asked for in the next step, gives {_number(taken)}: {_why(kept, peg)}"
            )
        others = np.delete(run(np.array([first[peg], *ask]))[1:], peg)
        if np.abs(others).max() > 0.02:
            return (
                f"0.8 is on peg {peg + 1}, and another peg has "
                f"{_number(others[np.abs(others).argmax()])} of it, too."
            )
    early = run(np.array([0.8 * value + put[0], *[0.3 * value] * 10, ask[0]]))[-1]
    late = run(np.array([0.8 * value + put[0], *[0.3 * value] * 1000, ask[0]]))[-1]
    if abs(late - 0.8) > 0.02:
        after, left = ("ten", early) if abs(early - 0.8) > 0.02 else ("a thousand", late)
        return f"0.8 on peg 1 is {_number(left)} after {after} steps: {FADES}"
    quiet = run(np.array([0.8 * value + put[0], 0.5 * value, value]))
    if np.abs(quiet).max() > 0.02:
        return f"Nobody asked, and {_number(quiet[np.abs(quiet).argmax()])} came out: what must C be there?"
    again = run(np.array([first[0], 0.3 * value + ask[0], ask[0]]))[2]
    if abs(again - 0.8) > 0.02:
        return f"0.8 on peg 1 is {_number(again)} after somebody has asked for it: does B hear who asks?"
    for seed in range(3):
        y, wanted = cloakroom_run(weights, np.random.default_rng(seed), 1000)
        far = np.abs(y - np.where(np.isnan(wanted), 0, wanted)) > 0.05
        if far.any():
            t = int(np.argmax(far))
            return (
                f"On a random evening step {t + 1} gives {_number(y[t])}, it should be "
                f"{_number(np.nan_to_num(wanted)[t])}."
            )
    return ""


def _number(value):
    return f"{value:.2f}".replace("-", "−")


@exercise(
    "6.9",
    returns={"A_log": "N,", "W_B": "9, N", "W_C": "9, N", "b_dt": ""},
    inputs=no_inputs,
    section=("mamba", "What is written, what is read"),
    accept=about_cloakroom,
)
def cloakroom():
    W_B, W_C = np.zeros((9, PEGS)), np.zeros((9, PEGS))
    W_B[1 : 1 + PEGS], W_C[1 + PEGS :] = np.eye(PEGS), np.eye(PEGS)
    return np.full(PEGS, -20.0), W_B, W_C, float(np.log(np.expm1(1)))


@cloakroom.remark
def what_each_letter_did(answer):
    A_log, _, _, b_dt = answer()
    lost = 1000 * float(np.max(softplus(b_dt) * np.exp(A_log)))
    return f"B hung up, C asked, A kept: in a thousand steps at most {lost:.1g} of a coat has faded."
