"""Lab 6, the way back through the selective scan and through one step of time, in three gaps.

Each with its inputs, its answer and its misconceptions. Arrays as in ``lab06_mamba.py``: u, Δ, dy
(B, T, E), B and C (B, T, N), a, b and the states (B, T, E, N).
"""

import numpy as np

from rnnlib.checks.lab01_rnn import are_gradients
from rnnlib.checks.lab06_mamba import discretise, discretise_inputs, exercise
from rnnlib.checks.lab06_scan import scan_inputs, selective_scan
from rnnlib.checks.parts import same

BACK = ("mamba", "The way back")


def shapes_fit(results, right):
    """Whether results are arrays of the right number and shapes."""
    return are_gradients(results, right) and all(
        mine.shape == wanted.shape for mine, wanted in zip(results, right, strict=True)
    )


def agreements(results, right):
    """For each result whether it is right."""
    return [same(mine, wanted, 1e-6) for mine, wanted in zip(results, right, strict=True)]


# 6.5a What reaches a state


def states_inputs(rng, shapes=None):
    cases = []
    for u, a, _, Cs, _, _ in scan_inputs(rng, shapes):
        size = 1 if shapes else 10  # so that clipping shows
        cases.append((size * rng.normal(size=u.shape), a, Cs))
    return cases


@exercise("6.5a", returns={"dh": "B, T, E, N"}, inputs=states_inputs, section=BACK)
def states_backward(dy, a, Cs):
    return reached(dy, a, Cs)


def reached(dy, a, Cs, factor=None, own=None, joins=None, start=None):
    """dh_t = dy_t C_t + a_{t+1} ⊙ dh_{t+1}, with places where the mistakes below come in.

    Args:
        factor: t -> what dh_{t+1} is multiplied with on its way to h_t.
        own: t -> what y_t sends to h_t, (B, E, N).
        joins: (own, factor, carry) -> dh_t.
        start: what comes back from behind the last step, before its factor.
    """
    T = a.shape[1]
    factor = factor or (lambda t: a[:, t + 1] if t + 1 < T else np.zeros_like(a[:, 0]))
    own = own or (lambda t: dy[:, t, :, None] * Cs[:, t, None, :])
    joins = joins or (lambda own, factor, carry: own + factor * carry)
    carry, dh = np.zeros_like(a[:, 0]) if start is None else start, np.zeros_like(a)
    for t in reversed(range(T)):
        dh[:, t] = carry = joins(own(t), factor(t), carry)
    return dh


def mistaken_states(sentence, name, **places):
    """Name a mistake in dh, by functions of dy, a and Cs that make the places of ``reached``."""

    def mistake(dy, a, Cs):
        return reached(dy, a, Cs, **{key: place(dy, a, Cs) for key, place in places.items()})

    mistake.__name__ = name
    states_backward.misconception(sentence)(mistake)


def at(array, t, otherwise=0.0):
    """Step t of an array (B, T, …); where there is none, a number."""
    return array[:, t] if 0 <= t < array.shape[1] else np.full_like(array[:, 0], otherwise)


mistaken_states(
    "Each state is read by its own y, and that is all in yours: h_t also goes on into h_{t+1}.",
    "later_steps_lost",
    joins=lambda dy, a, Cs: lambda own, factor, carry: own,
)
mistaken_states(
    "Which factor lies between h_t and h_{t+1}, that of step t or that of step t + 1?",
    "a_not_shifted",
    factor=lambda dy, a, Cs: lambda t: a[:, t],
)
mistaken_states(
    "The factors are moved the wrong way: between h_t and h_{t+1} lies that of step t + 1.",
    "a_shifted_the_wrong_way",
    factor=lambda dy, a, Cs: lambda t: at(a, t - 1),
)
mistaken_states(
    "What comes back from the next step passes its factor a on the way.",
    "without_a",
    factor=lambda dy, a, Cs: lambda t: np.ones_like(a[:, 0]),
)
mistaken_states(
    "What y_t sends to h_t has the factor a in yours: y reads the state after the step.",
    "a_on_both",
    joins=lambda dy, a, Cs: lambda own, factor, carry: np.where(factor == 0, 1, factor) * (own + carry),
)
mistaken_states(
    "What comes back is multiplied by 1 − a: h_{t+1} keeps a of h_t.",
    "one_minus_a",
    factor=lambda dy, a, Cs: lambda t: 1 - at(a, t + 1),
)
mistaken_states(
    "C plays no part: y reads each of the N numbers by its C.",
    "without_C",
    own=lambda dy, a, Cs: lambda t: dy[:, t, :, None] + 0 * Cs[:, t, None, :],
)
mistaken_states(
    "Every step is read with the first step's C in yours: C changes with t.",
    "first_C",
    own=lambda dy, a, Cs: lambda t: dy[:, t, :, None] * Cs[:, 0, None, :],
)
mistaken_states(
    "y_t reads h_t with C_t: yours takes C of the next step.",
    "next_C",
    own=lambda dy, a, Cs: lambda t: dy[:, t, :, None] * at(Cs, t + 1)[:, None, :],
)
mistaken_states(
    "y_t reads h_t with C_t: yours takes C of the step before.",
    "C_before",
    own=lambda dy, a, Cs: lambda t: dy[:, t, :, None] * at(Cs, t - 1)[:, None, :],
)
mistaken_states(
    "h_t is read by y_t: yours takes dy of the next step.",
    "next_dy",
    own=lambda dy, a, Cs: lambda t: at(dy, t + 1)[..., None] * Cs[:, t, None, :],
)
mistaken_states(
    "The last dy comes in twice: as the start and as the last step's own.",
    "last_twice",
    start=lambda dy, a, Cs: dy[:, -1, :, None] * Cs[:, -1, None, :],
    factor=lambda dy, a, Cs: lambda t: at(a, t + 1, 1.0),
)
mistaken_states(
    "Behind the last step nothing comes back: yours wraps round to the first step's factor and begins with "
    "something.",
    "wrapped_start",
    start=lambda dy, a, Cs: np.ones_like(a[:, 0]),
    factor=lambda dy, a, Cs: lambda t: a[:, (t + 1) % a.shape[1]],
)
mistaken_states(
    "dh is cut off at a largest value: clipping comes later, if at all.",
    "clipped",
    joins=lambda dy, a, Cs: lambda own, factor, carry: np.clip(own + factor * carry, -5, 5),
)
mistaken_states(
    "C multiplies again at every step on the way back: it is for y alone.",
    "C_on_the_way",
    joins=lambda dy, a, Cs: lambda own, factor, carry: own + factor * carry,
    factor=lambda dy, a, Cs: lambda t: at(a, t + 1) * Cs[:, t, None, :],
)


@states_backward.misconception(
    "The sum runs forwards: a gradient comes from later steps, so go from the last one."
)
def run_forwards(dy, a, Cs):
    return reached(dy[:, ::-1], a[:, ::-1], Cs[:, ::-1])[:, ::-1]


@states_backward.misconception(
    "The sum runs forwards: a gradient comes from later steps, so go from the last one."
)
def run_as_the_scan(dy, a, Cs):
    carry, dh = np.zeros_like(a[:, 0]), np.zeros_like(a)
    for t in range(a.shape[1]):
        dh[:, t] = carry = dy[:, t, :, None] * Cs[:, t, None, :] + a[:, t] * carry
    return dh


@states_backward.misconception("Your result stands in reversed order: the last step must be last.")
def never_turned_back(dy, a, Cs):
    return reached(dy, a, Cs)[:, ::-1].copy()


@states_backward.misconception(
    "The gradient of the loss reaches a state through the next step alone in yours, one step far: "
    "what reaches "
    "h_{t+1} from later steps goes on as well."
)
def one_step_back(dy, a, Cs):
    own = dy[..., None] * Cs[:, :, None, :]
    dh = own.copy()
    dh[:, :-1] += a[:, 1:] * own[:, 1:]
    return dh


@states_backward.misconception("You walk along the batch: axis 0 is B, axis 1 is T.")
def states_along_the_batch(dy, a, Cs):
    return reached(*(array.transpose(1, 0, *range(2, array.ndim)) for array in (dy, a, Cs))).transpose(
        1, 0, 2, 3
    )


@states_backward.misconception(
    "One and the same array stands in all steps: what is appended must not change any more."
)
def one_array_in_all_steps(dy, a, Cs):
    return np.repeat(reached(dy, a, Cs)[:, :1], a.shape[1], axis=1)


@states_backward.clue
def which_step_is_the_first_wrong(answer, dy, a, Cs):
    right, mine = states_backward.reference(dy, a, Cs), answer(dy, a, Cs)
    if not shapes_fit([mine], [right]):
        return ""
    if any(not step.any() for step in np.moveaxis(mine, 1, 0)):
        return "Of some steps nothing was stored: does a return stand inside the loop?"
    if not same(mine[:, -1], right[:, -1], 1e-6):
        return "Begin with the last step: nothing comes back to it, so it is dy C of that step."
    return "The last step is right. What does the step before get from it, and by which factor?"


@states_backward.remark
def is_a_scan(answer, dy, a, Cs):
    return "the same recurrence from the end, with each a moved by one step: a scan could do it."


# 6.5b Who used what


def used_inputs(rng, shapes=None):
    cases = []
    for u, a, b, Cs, skip, h0 in scan_inputs(rng, shapes):
        hs = selective_scan.reference(u, a, b, Cs, skip, h0)[1]
        dy = (1 if shapes else 10) * rng.normal(size=u.shape)
        cases.append((dy, states_backward.reference(dy, a, Cs), u, b, skip, h0, hs))
    return cases


USED = {
    "du": "B, T, E",
    "da": "B, T, E, N",
    "db": "B, T, E, N",
    "dCs": "B, T, N",
    "dskip": "E,",
}


@exercise("6.5b", returns=USED, inputs=used_inputs, section=BACK)
def scan_backward(dy, dh, u, b, skip, h0, hs):
    before = np.concatenate([h0[:, None], hs[:, :-1]], axis=1)
    return used(dy, dh, u, b, skip, before, hs)


def used(dy, dh, u, b, skip, before, hs, **instead):
    """The five gradients; ``instead`` maps a name to what stands in its place."""
    results = {
        "du": (dh * b).sum(axis=3) + dy * skip,
        "da": dh * before,
        "db": dh * u[..., None],
        "dCs": (dy[..., None] * hs).sum(axis=2),
        "dskip": (dy * u).sum(axis=(0, 1)),
    }
    return tuple((results | instead).values())


def mistaken_use(sentence, name, *names):
    """Name a mistake in the gradients; the decorated function gives what stands in their places."""

    def add(instead):
        def mistake(dy, dh, u, b, skip, h0, hs):
            before = np.concatenate([h0[:, None], hs[:, :-1]], axis=1)
            values = instead(dy=dy, dh=dh, u=u, b=b, skip=skip, before=before, hs=hs, h0=h0)
            values = values if len(names) > 1 else [values]
            return used(dy, dh, u, b, skip, before, hs, **dict(zip(names, values, strict=True)))

        mistake.__name__ = name
        scan_backward.misconception(sentence)(mistake)
        return instead

    return add


def array_of(function):
    """A function of the exercise's arrays by name, from one of some of them."""
    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    return lambda **arrays: function(*(arrays[name] for name in names))


for sentence, mistake, gradient, value in [
    (
        "du: u went two ways, into the state and past it. The way past it, skip, is missing.",
        "du_without_skip",
        "du",
        lambda dh, b: (dh * b).sum(axis=3),
    ),
    (
        "du: u went two ways, past the state and into it. The way through the state is missing.",
        "du_by_skip_alone",
        "du",
        lambda dy, skip: dy * skip,
    ),
    (
        "du has skip as it is: on the way past the state dy comes back, by skip.",
        "du_plus_skip",
        "du",
        lambda dh, b, skip: (dh * b).sum(axis=3) + skip,
    ),
    (
        "du: the way past the state takes the whole dy: skip says how much of it.",
        "du_plus_dy",
        "du",
        lambda dy, dh, b: (dh * b).sum(axis=3) + dy,
    ),
    (
        "du: u entered by b. Without b the N numbers all count alike.",
        "du_without_b",
        "du",
        lambda dy, dh, skip: dh.sum(axis=3) + dy * skip,
    ),
    (
        "du: u entered N numbers, and gets the sum of what comes back, not the mean.",
        "du_mean",
        "du",
        lambda dy, dh, b, skip: (dh * b).mean(axis=3) + dy * skip,
    ),
    (
        "du: through the state comes back what reaches h_t altogether, dh, not dy alone.",
        "du_from_dy",
        "du",
        lambda dy, b, skip: dy * b.sum(axis=3) + dy * skip,
    ),
    (
        "du has the factor u: the derivative of b u by u is b.",
        "du_by_u",
        "du",
        lambda dy, dh, u, b, skip: (dh * b).sum(axis=3) * u + dy * skip,
    ),
    (
        "da: which state did a_t multiply, the old one or the new one?",
        "da_new_state",
        "da",
        lambda dh, hs: dh * hs,
    ),
    (
        "da: before step 1 stands h0, yours takes the last state. What is index −1 at t = 0, and "
        "where does np.roll "
        "put the last one?",
        "da_wrapped",
        "da",
        lambda dh, hs: dh * np.roll(hs, 1, axis=1),
    ),
    (
        "da: the state before step 1 is h0, which need not be zero.",
        "da_zero_before",
        "da",
        lambda dh, hs: dh * np.concatenate([0 * hs[:, :1], hs[:, :-1]], axis=1),
    ),
    (
        "da: every step takes h0 for the state before it.",
        "da_always_h0",
        "da",
        lambda dh, h0: dh * h0[:, None],
    ),
    (
        "da has the state of the step after: a_t multiplied h_{t−1}.",
        "da_state_after",
        "da",
        lambda dh, hs: dh * np.concatenate([hs[:, 1:], 0 * hs[:, :1]], axis=1),
    ),
    ("da is dh: which state did a_t multiply?", "da_is_dh", "da", lambda dh: dh.copy()),
    (
        "da is the old state: what comes back to it, dh, multiplies it.",
        "da_is_state",
        "da",
        lambda before: before.copy(),
    ),
    ("db is dh: b_t met u_t.", "db_is_dh", "db", lambda dh: dh.copy()),
    (
        "db has dy where it needs all that reaches h_t, dh.",
        "db_from_dy",
        "db",
        lambda dy, u, dh: (dy * u)[..., None] + 0 * dh,
    ),
    (
        "db has the factor b: the derivative of b u by b is u.",
        "db_by_b",
        "db",
        lambda dh, b: dh * b,
    ),
    (
        "db has the old state, which a met: b met u.",
        "db_by_state",
        "db",
        lambda dh, before: dh * before,
    ),
    (
        "db takes the input of the step before: b_t met u_t.",
        "db_input_one_late",
        "db",
        lambda dh, u: dh * np.concatenate([0 * u[:, :1], u[:, :-1]], axis=1)[..., None],
    ),
    (
        "dC: y_t read the state after the step, yours takes the one before.",
        "dC_old_state",
        "dCs",
        lambda dy, before: (dy[..., None] * before).sum(axis=2),
    ),
    (
        "dC has dh where dy belongs: C stands between h_t and y_t, and nothing later passes it.",
        "dC_from_dh",
        "dCs",
        lambda dh, hs: (dh * hs).sum(axis=2),
    ),
    (
        "dC: one C_t serves all E channels, and gets the sum of what they send, not the mean.",
        "dC_mean",
        "dCs",
        lambda dy, hs: (dy[..., None] * hs).mean(axis=2),
    ),
    (
        "dC: one C_t serves all E channels. Yours listens to one of them.",
        "dC_one_channel",
        "dCs",
        lambda dy, hs: (dy[..., None] * hs)[:, :, 0],
    ),
    (
        "dC is the sum of the states alone: what comes back through y multiplies them.",
        "dC_without_dy",
        "dCs",
        lambda hs: hs.sum(axis=2),
    ),
    (
        "dskip: skip is used in every sample and every step, and gets the sum of all. Yours keeps one.",
        "dskip_last_step",
        "dskip",
        lambda dy, u: (dy * u)[:, -1].sum(axis=0),
    ),
    (
        "dskip: skip is used in every sample and every step, and gets the sum of all. Yours keeps one.",
        "dskip_first_sample",
        "dskip",
        lambda dy, u: (dy * u)[0].sum(axis=0),
    ),
    (
        "dskip: the sum over samples and steps is asked for, yours is the mean.",
        "dskip_mean",
        "dskip",
        lambda dy, u: (dy * u).mean(axis=(0, 1)),
    ),
    (
        "dskip: the sum over samples and steps is asked for, yours is the mean over the samples.",
        "dskip_mean_over_batch",
        "dskip",
        lambda dy, u: (dy * u).sum(axis=1).mean(axis=0),
    ),
    ("dskip: skip met u, and that is missing.", "dskip_without_u", "dskip", lambda dy: dy.sum(axis=(0, 1))),
    (
        "dskip has dh where dy belongs: what goes by skip goes past the state.",
        "dskip_from_dh",
        "dskip",
        lambda dh, u: (dh.sum(axis=3) * u).sum(axis=(0, 1)),
    ),
    (
        "dC: one C_t serves all E channels. Yours listens to one of them.",
        "dC_last_channel",
        "dCs",
        lambda dy, hs: (dy[..., None] * hs)[:, :, -1],
    ),
    (
        "dskip has the factor skip: the derivative of skip u by skip is u.",
        "dskip_by_skip",
        "dskip",
        lambda dy, u, skip: (dy * u).sum(axis=(0, 1)) * skip,
    ),
]:
    mistaken_use(sentence, mistake, gradient)(array_of(value))


@mistaken_use(
    "da and db have exchanged their places: a met the old state, b met u.", "da_and_db_exchanged", "da", "db"
)
def exchanged(dh, u, before, **others):
    return dh * u[..., None], dh * before


@scan_backward.clue
def which_of_the_five_is_right(answer, *case):
    right, results = scan_backward.reference(*case), answer(*case)
    if not shapes_fit(results, right):
        return ""
    du, da, db, dC, _ = agreements(results, right)
    if not du:
        return (
            "du: u_t went into N numbers of the state, each by its b, and past the state, by skip. "
            "What is used "
            "twice gets two gradients, and their sum."
        )
    if not da:
        return "du is right. da: in h_t = a_t ⊙ h_{t−1} + …, what did a_t meet, and what comes back to h_t?"
    if not db:
        return "du and da are right. db: what did b_t meet, and what comes back to h_t?"
    if not dC:
        return "dC: C_t stands between h_t and y_t. Which of the axes (B, T, E, N) does C not have?"
    return "dskip: which axes has dy ⊙ u, and skip has not?"


@scan_backward.remark
def who_was_shared(answer, dy, dh, u, b, skip, h0, hs):
    B, T, E = dy.shape
    return f"one C for {E} channels, one skip for {B * T} steps: what is shared gets a sum."


# 6.5c Back through one step of time


def length_inputs(rng, shapes=None):
    cases = []
    for delta, A_log, Bs in discretise_inputs(rng, shapes):
        a = discretise.reference(delta, A_log, Bs)[0]
        if shapes:
            a = a.round(1)
        size = 1 if shapes else 10
        cases.append((size * rng.normal(size=a.shape), size * rng.normal(size=a.shape), a, delta, A_log, Bs))
    return cases


LENGTH = {"d_delta": "B, T, E", "dA_log": "E, N", "dBs": "B, T, N"}


@exercise("6.5c", returns=LENGTH, inputs=length_inputs, section=BACK)
def discretise_backward(da, db, a, delta, A_log, Bs):
    return of_length(da, db, a, delta, A_log, Bs)


def of_length(da, db, a, delta, A_log, Bs, exponent=None, **instead):
    """The gradients of Δ, A_log and B; ``exponent`` makes d(Δ A), ``instead`` maps a name to a function."""
    A = -np.exp(A_log)
    d_exponent = da * a if exponent is None else exponent(da, a)
    results = {
        "d_delta": lambda d, A: (d * A).sum(axis=3) + (db * Bs[:, :, None, :]).sum(axis=3),
        "dA_log": lambda d, A: (d * delta[..., None]).sum(axis=(0, 1)) * A,
        "dBs": lambda d, A: (db * delta[..., None]).sum(axis=2),
    }
    return tuple(function(d_exponent, A) for function in (results | instead).values())


def mistaken_length(sentence, name, gradient, value):
    """Name a mistake in one gradient: (d(Δ A), A, da, db, a, delta, A_log, Bs) -> what stands there."""

    def mistake(da, db, a, delta, A_log, Bs):
        def instead(d, A):
            return value(d, A, da, db, a, delta, A_log, Bs)

        return of_length(da, db, a, delta, A_log, Bs, **{gradient: instead})

    mistake.__name__ = name
    discretise_backward.misconception(sentence)(mistake)


def mistaken_exponent(sentence, name, exponent):
    """Name a mistake in d(Δ A), which all but dB need."""

    def mistake(da, db, a, delta, A_log, Bs):
        return of_length(da, db, a, delta, A_log, Bs, exponent)

    mistake.__name__ = name
    discretise_backward.misconception(sentence)(mistake)


mistaken_exponent(
    "The derivative of exp is exp: on the way from a back to Δ A the factor a is missing.",
    "exp_not_undone",
    lambda da, a: da,
)
mistaken_exponent(
    "The derivative of exp is exp, so a: a (1 − a) would be that of σ.",
    "slope_of_sigma",
    lambda da, a: da * a * (1 - a),
)
mistaken_exponent(
    "The derivative of exp is exp, so a: 1 − a² would be that of tanh.",
    "slope_of_tanh",
    lambda da, a: da * (1 - a**2),
)
mistaken_exponent("Your exp is divided by: its derivative multiplies.", "divided_by_a", lambda da, a: da / a)
mistaken_exponent("The factor a comes in twice.", "a_twice", lambda da, a: da * a * a)

mistaken_exponent(
    "The derivative of exp is exp, so a: yours has its logarithm.",
    "log_of_a",
    lambda da, a: da * np.log(a),
)

TWICE = "dΔ: Δ is used twice, it makes the state fade and lets the input in. Yours has one of the two ways."

mistaken_length(
    TWICE, "through_decay_alone", "d_delta", lambda d, A, da, db, a, delta, A_log, Bs: (d * A).sum(3)
)
mistaken_length(
    TWICE,
    "through_input_alone",
    "d_delta",
    lambda d, A, da, db, a, delta, A_log, Bs: (db * Bs[:, :, None]).sum(3),
)
mistaken_length(
    "dΔ: on the way through the decay A is missing.",
    "decay_without_A",
    "d_delta",
    lambda d, A, da, db, a, delta, A_log, Bs: d.sum(3) + (db * Bs[:, :, None]).sum(3),
)
mistaken_length(
    "dΔ: A is −exp(A_log), and stands with its minus on the way back as well.",
    "sign_of_A",
    "d_delta",
    lambda d, A, da, db, a, delta, A_log, Bs: (-d * A).sum(3) + (db * Bs[:, :, None]).sum(3),
)
mistaken_length(
    "dΔ: A_log stands where A belongs, −exp(A_log).",
    "log_for_A",
    "d_delta",
    lambda d, A, da, db, a, delta, A_log, Bs: (d * A_log).sum(3) + (db * Bs[:, :, None]).sum(3),
)
mistaken_length(
    "dΔ: on the way through the input B is missing.",
    "input_without_B",
    "d_delta",
    lambda d, A, da, db, a, delta, A_log, Bs: (d * A).sum(3) + db.sum(3),
)
mistaken_length(
    "dΔ: the two ways are subtracted. What is used twice gets the sum.",
    "ways_subtracted",
    "d_delta",
    lambda d, A, da, db, a, delta, A_log, Bs: (d * A).sum(3) - (db * Bs[:, :, None]).sum(3),
)
mistaken_length(
    "dΔ: one Δ serves all N numbers, and gets the sum of what they send, not the mean.",
    "mean_over_N",
    "d_delta",
    lambda d, A, da, db, a, delta, A_log, Bs: (d * A + db * Bs[:, :, None]).mean(3),
)
mistaken_length(
    "dΔ has the factor Δ: the derivative of Δ A by Δ is A.",
    "d_delta_by_delta",
    "d_delta",
    lambda d, A, da, db, a, delta, A_log, Bs: (d * A * delta[..., None] + db * Bs[:, :, None]).sum(3),
)
mistaken_length(
    "dΔ: in Δ A, Δ met A. On that way yours has Δ itself.",
    "delta_for_A",
    "d_delta",
    lambda d, A, da, db, a, delta, A_log, Bs: (d * delta[..., None] + db * Bs[:, :, None]).sum(3),
)
mistaken_length(
    "dB: B_t met Δ, and what comes back to their product b is db. Yours takes what comes back to Δ A.",
    "dB_from_the_exponent",
    "dBs",
    lambda d, A, da, db, a, delta, A_log, Bs: (d * delta[..., None]).sum(2),
)
mistaken_length(
    "dB: one B_t serves all E channels. Yours listens to one of them.",
    "dB_last_channel",
    "dBs",
    lambda d, A, da, db, a, delta, A_log, Bs: (db * delta[..., None])[:, :, -1],
)
mistaken_length(
    "dA_log: this is dA. One more link of the chain: A = −exp(A_log).",
    "dA_for_dA_log",
    "dA_log",
    lambda d, A, da, db, a, delta, A_log, Bs: (d * delta[..., None]).sum((0, 1)),
)
mistaken_length(
    "dA_log: A = −exp(A_log), so the derivative of A by A_log is A itself, with its minus.",
    "sign_of_dA_log",
    "dA_log",
    lambda d, A, da, db, a, delta, A_log, Bs: -(d * delta[..., None]).sum((0, 1)) * A,
)
mistaken_length(
    "dA_log: the derivative of −exp(A_log) is −exp(A_log): nothing is divided.",
    "divided_by_A",
    "dA_log",
    lambda d, A, da, db, a, delta, A_log, Bs: (d * delta[..., None]).sum((0, 1)) / A,
)
mistaken_length(
    "dA_log: A_log stands where A belongs, −exp(A_log).",
    "dA_log_by_log",
    "dA_log",
    lambda d, A, da, db, a, delta, A_log, Bs: (d * delta[..., None]).sum((0, 1)) * A_log,
)
mistaken_length(
    "dA_log: A is multiplied by Δ, and that is missing.",
    "dA_log_without_delta",
    "dA_log",
    lambda d, A, da, db, a, delta, A_log, Bs: d.sum((0, 1)) * A,
)
ALL_STEPS = (
    "dA_log: one A serves every sample and every step, and gets the sum of all. Yours has a part of them."
)
mistaken_length(
    ALL_STEPS,
    "dA_log_first_sample",
    "dA_log",
    lambda d, A, da, db, a, delta, A_log, Bs: (d * delta[..., None])[0].sum(0) * A,
)
mistaken_length(
    ALL_STEPS,
    "dA_log_last_step",
    "dA_log",
    lambda d, A, da, db, a, delta, A_log, Bs: (d * delta[..., None])[:, -1].sum(0) * A,
)
mistaken_length(
    ALL_STEPS,
    "dA_log_first_step",
    "dA_log",
    lambda d, A, da, db, a, delta, A_log, Bs: (d * delta[..., None])[:, 0].sum(0) * A,
)
mistaken_length(
    "dA_log: the sum over samples and steps is asked for, yours is the mean.",
    "dA_log_mean",
    "dA_log",
    lambda d, A, da, db, a, delta, A_log, Bs: (d * delta[..., None]).mean((0, 1)) * A,
)
mistaken_length(
    "dA_log: the sum over samples and steps is asked for, yours is the mean over the samples.",
    "dA_log_mean_over_batch",
    "dA_log",
    lambda d, A, da, db, a, delta, A_log, Bs: (d * delta[..., None]).sum(1).mean(0) * A,
)
mistaken_length(
    "dB: one B_t serves all E channels, and gets the sum of what they send, not the mean.",
    "dB_mean",
    "dBs",
    lambda d, A, da, db, a, delta, A_log, Bs: (db * delta[..., None]).mean(2),
)
mistaken_length(
    "dB: one B_t serves all E channels. Yours listens to one of them.",
    "dB_one_channel",
    "dBs",
    lambda d, A, da, db, a, delta, A_log, Bs: (db * delta[..., None])[:, :, 0],
)
mistaken_length(
    "dB: b = Δ B, and Δ is missing.",
    "dB_without_delta",
    "dBs",
    lambda d, A, da, db, a, delta, A_log, Bs: db.sum(2),
)
mistaken_length(
    "dB has the factor B: the derivative of Δ B by B is Δ.",
    "dB_by_B",
    "dBs",
    lambda d, A, da, db, a, delta, A_log, Bs: (db * delta[..., None]).sum(2) * Bs,
)
mistaken_length(
    "dB is made from da: B went into b.",
    "dB_from_da",
    "dBs",
    lambda d, A, da, db, a, delta, A_log, Bs: (da * delta[..., None]).sum(2),
)


@discretise_backward.misconception(
    "a and Δ have gone through no σ or softplus here: softplus comes later, on the way to its sum."
)
def through_softplus(da, db, a, delta, A_log, Bs):
    d_delta, dA_log, dBs = of_length(da, db, a, delta, A_log, Bs)
    return d_delta * -np.expm1(-delta), dA_log, dBs


@discretise_backward.clue
def which_of_the_three_is_right(answer, *case):
    right, results = discretise_backward.reference(*case), answer(*case)
    if not shapes_fit(results, right):
        return ""
    d_delta, dA_log, _ = agreements(results, right)
    if not d_delta:
        quiet = (case[0], 0 * case[1], *case[2:])
        if same(answer(*quiet)[0], discretise_backward.reference(*quiet)[0], 1e-6):
            return "dΔ: what comes through the decay is right. And through b = Δ B, from db?"
        return (
            "dΔ: Δ went into a = exp(Δ A) and into b = Δ B. What is used twice gets two gradients, "
            "each summed "
            "over the N numbers."
        )
    if not dA_log:
        return (
            "dΔ is right. dA_log: in exp(Δ A), what did A meet, in which samples and steps? Then A = "
            "−exp(A_log)."
        )
    return "dΔ and dA_log are right. dB: in b = Δ B, what did B_t meet, and in which channels?"


@discretise_backward.remark
def two_ways(answer, da, db, a, delta, A_log, Bs):
    through_a = answer(da, 0 * db, a, delta, A_log, Bs)[0]
    through_b = answer(0 * da, db, a, delta, A_log, Bs)[0]
    share = np.abs(through_a).sum() / (np.abs(through_a).sum() + np.abs(through_b).sum())
    return f"of what Δ hears, {share:.0%} came through what fades, the rest through what is let in."
