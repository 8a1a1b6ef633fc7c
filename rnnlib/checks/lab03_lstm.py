"""Lab 3, the long short-term memory: each exercise with its inputs, its answer and its misconceptions.

Gates stand in the order i, f, o, g, as in ``rnnlib.models.lstm``: W_x (4, D, H), W_h (4, H, H), b (4, H).
"""

import itertools
from functools import partial

import numpy as np

from rnnlib.checks import find_the_mistake
from rnnlib.checks.exercise import exercise as of_lab
from rnnlib.checks.lab01_rnn import are_gradients, no_inputs
from rnnlib.checks.parts import same

exercise = partial(of_lab, "03_lstm")

I, F, O, G = range(4)
NAMES = "ifog"


def sizes(rng):
    """B, T, D, H as in lab 1, but no 4 among them, which is the number of gates."""
    return [(3, 5, 2, 6), (1, 3, 3, 2), (5, 2, 3, 1), (2, 1, 1, 3), (1, int(rng.integers(6, 10)), 1, 2)]


# 3.1 A sigmoid that does not overflow


def sigmoid_inputs(rng):
    return [
        (rng.normal(size=(3, 4)) * 3,),
        (np.array([-800.0, -40.0, 0.0, 40.0, 800.0]),),
        (rng.normal(size=(2, 1, 5)),),
    ]


@exercise(
    "3.1",
    returns={"s": "the shape of x"},
    inputs=sigmoid_inputs,
    section=("lstm", "A gate"),
    tolerance=1e-9,
)
def sigmoid(x):
    small = np.exp(-np.abs(x))  # never above 1
    return np.where(x >= 0, 1 / (1 + small), small / (1 + small))


@sigmoid.must
def without_overflow(answer, x):
    try:
        with np.errstate(over="raise", invalid="raise"):
            answer(np.copy(x))
    except FloatingPointError:
        return (
            "exp overflowed on the way (np.where computes both of its branches, for every entry). "
            "Which exponent is never positive?"
        )
    return ""


@sigmoid.must
def small_values_are_kept(answer, x):
    value = answer(np.array([-40.0]))[0]
    if abs(value / sigmoid.reference(np.array([-40.0]))[0] - 1) > 1e-6:
        return (
            f"σ(−40) is 4.2e-18, yours is {value:.2g}: cutting loses what is small, and so does a sum or "
            "difference with 1. Which form keeps it?"
        )
    return ""


@sigmoid.remark
def what_is_kept(answer, x):
    return f"σ(−40) is {float(answer(np.array([-40.0]))[0]):.2g} in yours, where 1 − 1 / (1 + exp(x)) says 0."


@sigmoid.misconception("σ(−20) equals σ(−10) in yours: what is cut off?")
def cut_hard(x):
    return 1 / (1 + np.exp(-np.clip(x, -10, 10)))


@sigmoid.misconception("The sign of the exponent: σ must grow with x.")
def wrong_sign(x):
    return sigmoid.reference(-np.asarray(x))


@sigmoid.misconception("σ(x) and σ(−x) are equal in yours: |x| forgets the sign. What differs for x < 0?")
def sign_forgotten(x):
    return 1 / (1 + np.exp(-np.abs(x)))


@sigmoid.misconception("σ(x) and σ(−x) are equal in yours: |x| forgets the sign. What differs for x ≥ 0?")
def sign_forgotten_the_other_way(x):
    return np.exp(-np.abs(x)) / (1 + np.exp(-np.abs(x)))


@sigmoid.misconception("That is between −1 and 1: σ lies between 0 and 1.")
def tanh_for_sigmoid(x):
    return np.tanh(x)


# 3.2 One step


def weights(rng, D, H):
    return rng.normal(size=(4, D, H)), rng.normal(size=(4, H, H)), rng.normal(size=(4, H))


def step_inputs(rng, shapes=None):
    cases = []
    for B, _, D, H in shapes or sizes(rng):
        c_prev, h_prev, x = rng.normal(size=(B, H)), rng.normal(size=(B, H)), rng.normal(size=(B, D))
        cases.append((x, h_prev, 2 * c_prev, *weights(rng, D, H)))
    return cases


STEP = {"h": "B, H", "c": "B, H", "gates": "4, B, H"}


@exercise("3.2", returns=STEP, inputs=step_inputs, section=("lstm", "One step"))
def lstm_step(x, h_prev, c_prev, W_x, W_h, b):
    return cell(x, h_prev, c_prev, W_x, W_h, b)


def sums(x, h_prev, W_x, W_h, b):
    """What goes into the four gates, (4, B, H)."""
    return x @ W_x + h_prev @ W_h + b[:, None]


def squashed(a):
    return np.concatenate([sigmoid.reference(a[:3]), np.tanh(a[3:])])


def cell(x, h_prev, c_prev, W_x, W_h, b, squash=None, new_c=None, new_h=None):
    """One step, with places where the mistakes below come in.

    Args:
        squash: a (4, B, H) -> the four gates.
        new_c: (i, f, o, g, c_prev) -> c.
        new_h: (i, f, o, g, c, c_prev) -> h.
    """
    squash = squash or squashed
    new_c = new_c or (lambda i, f, o, g, c_prev: f * c_prev + i * g)
    new_h = new_h or (lambda i, f, o, g, c, c_prev: o * np.tanh(c))
    gates = squash(sums(x, h_prev, W_x, W_h, b))
    c = new_c(*gates, c_prev)
    return new_h(*gates, c, c_prev), c, gates


def in_order(order):
    """A step that takes the gates in another order than i, f, o, g."""

    def step(x, h_prev, c_prev, W_x, W_h, b):
        W_x, W_h, b = (array[list(order)] for array in (W_x, W_h, b))
        return cell(x, h_prev, c_prev, W_x, W_h, b)

    step.__name__ = "order_" + "".join(NAMES[gate] for gate in order)
    return step


for order in itertools.permutations(range(4)):
    if order != (I, F, O, G):
        names = ", ".join(NAMES[gate] for gate in order)
        lstm_step.misconception(f"Your gates stand in the order {names}: here it is i, f, o, g.")(
            in_order(order)
        )


@lstm_step.misconception("h without a tanh of c: is any |h| above 1?")
def c_for_tanh_c(x, h_prev, c_prev, W_x, W_h, b):
    return cell(x, h_prev, c_prev, W_x, W_h, b, new_h=lambda i, f, o, g, c, c_prev: o * c)


@lstm_step.misconception("h was made from the old cell: which c does the output gate let out?")
def old_cell_out(x, h_prev, c_prev, W_x, W_h, b):
    return cell(x, h_prev, c_prev, W_x, W_h, b, new_h=lambda i, f, o, g, c, c_prev: o * np.tanh(c_prev))


@lstm_step.misconception("A gate multiplies what it lets through: yours adds.")
def gates_added(x, h_prev, c_prev, W_x, W_h, b):
    return cell(x, h_prev, c_prev, W_x, W_h, b, new_c=lambda i, f, o, g, c_prev: f * c_prev + i + g)


@lstm_step.misconception(
    "With f = 1 and i = 0 the cell must stay as it is: which gate stands before the old cell?"
)
def input_and_forget_exchanged(x, h_prev, c_prev, W_x, W_h, b):
    return cell(x, h_prev, c_prev, W_x, W_h, b, new_c=lambda i, f, o, g, c_prev: i * c_prev + f * g)


@lstm_step.misconception("Nothing of the old cell is left: where does c_prev come in?")
def old_cell_dropped(x, h_prev, c_prev, W_x, W_h, b):
    return cell(x, h_prev, c_prev, W_x, W_h, b, new_c=lambda i, f, o, g, c_prev: i * g)


@lstm_step.misconception("Nothing new is written: where does the candidate g come in?")
def candidate_dropped(x, h_prev, c_prev, W_x, W_h, b):
    return cell(x, h_prev, c_prev, W_x, W_h, b, new_c=lambda i, f, o, g, c_prev: f * c_prev)


@lstm_step.misconception("The old cell is kept whole: which gate decides how much of it stays?")
def forget_gate_dropped(x, h_prev, c_prev, W_x, W_h, b):
    return cell(x, h_prev, c_prev, W_x, W_h, b, new_c=lambda i, f, o, g, c_prev: c_prev + i * g)


@lstm_step.misconception("All of the candidate is written: which gate decides how much?")
def input_gate_dropped(x, h_prev, c_prev, W_x, W_h, b):
    return cell(x, h_prev, c_prev, W_x, W_h, b, new_c=lambda i, f, o, g, c_prev: f * c_prev + g)


@lstm_step.misconception("All of the cell is shown: which gate decides how much?")
def output_gate_dropped(x, h_prev, c_prev, W_x, W_h, b):
    return cell(x, h_prev, c_prev, W_x, W_h, b, new_h=lambda i, f, o, g, c, c_prev: np.tanh(c))


@lstm_step.misconception(
    "The input gate is 1 − f in yours: that is a coupled gate. Here it has weights of its own."
)
def coupled(x, h_prev, c_prev, W_x, W_h, b):
    return cell(x, h_prev, c_prev, W_x, W_h, b, new_c=lambda i, f, o, g, c_prev: f * c_prev + (1 - f) * g)


@lstm_step.misconception("The cell itself was squashed: it must be able to grow beyond 1.")
def squashed_cell(x, h_prev, c_prev, W_x, W_h, b):
    return cell(
        x,
        h_prev,
        c_prev,
        W_x,
        W_h,
        b,
        new_c=lambda i, f, o, g, c_prev: np.tanh(f * c_prev + i * g),
        new_h=lambda i, f, o, g, c, c_prev: o * c,
    )


@lstm_step.misconception("g is never negative in yours: what is written must be able to lower the cell.")
def sigmoid_for_candidate(x, h_prev, c_prev, W_x, W_h, b):
    return cell(x, h_prev, c_prev, W_x, W_h, b, squash=sigmoid.reference)


@lstm_step.misconception(
    "A gate is between 0 and 1, yours can be negative: which function squashes i, f and o?"
)
def tanh_for_gates(x, h_prev, c_prev, W_x, W_h, b):
    return cell(x, h_prev, c_prev, W_x, W_h, b, squash=np.tanh)


@lstm_step.misconception("σ and tanh are exchanged: which of the four is a candidate, which are gates?")
def squashes_exchanged(x, h_prev, c_prev, W_x, W_h, b):
    def squash(a):
        return np.concatenate([np.tanh(a[:3]), sigmoid.reference(a[3:])])

    return cell(x, h_prev, c_prev, W_x, W_h, b, squash=squash)


def with_forget_bias(order):
    """A step that adds 1 to the forget gate's sum, as some libraries do."""

    def step(x, h_prev, c_prev, W_x, W_h, b):
        W_x, W_h, b = (array[list(order)] for array in (W_x, W_h, b))
        return cell(x, h_prev, c_prev, W_x, W_h, b + np.eye(4)[F][:, None])

    step.__name__ = "forget_bias_" + "".join(NAMES[gate] for gate in order)
    return step


lstm_step.misconception("Your forget gate gets 1 more than it should: here its bias is in b already.")(
    with_forget_bias((I, F, O, G))
)
lstm_step.misconception(
    "Your gates stand in the order i, g, f, o, here it is i, f, o, g; and the forget gate's bias is in b."
)(with_forget_bias((I, O, G, F)))


@lstm_step.misconception("f = 1 must keep the cell: in yours it empties it.")
def forget_gate_turned_round(x, h_prev, c_prev, W_x, W_h, b):
    return cell(x, h_prev, c_prev, W_x, W_h, b, new_c=lambda i, f, o, g, c_prev: (1 - f) * c_prev + i * g)


@lstm_step.misconception("gates: what comes out of σ and tanh is asked for, yours is what goes in.")
def sums_for_gates(x, h_prev, c_prev, W_x, W_h, b):
    h, c, _ = cell(x, h_prev, c_prev, W_x, W_h, b)
    return h, c, sums(x, h_prev, W_x, W_h, b)


@lstm_step.misconception(
    "The gates look at the cell as well in yours (peepholes): here at x and h_prev alone."
)
def peepholes(x, h_prev, c_prev, W_x, W_h, b):
    a = sums(x, h_prev, W_x, W_h, b)
    i, f = sigmoid.reference(a[:2] + c_prev)
    g = np.tanh(a[3])
    c = f * c_prev + i * g
    o = sigmoid.reference(a[2] + c)
    return o * np.tanh(c), c, np.stack([i, f, o, g])


@lstm_step.misconception("The bias is added twice: here there is one, for input and output together.")
def two_biases(x, h_prev, c_prev, W_x, W_h, b):
    return cell(x, h_prev, c_prev, W_x, W_h, 2 * b)


RESHAPED = "reshape moves no numbers: side by side, four gates need transpose first. Which axis must move?"


@lstm_step.misconception(RESHAPED)
def weights_reshaped(x, h_prev, c_prev, W_x, W_h, b):
    H = h_prev.shape[1]
    a = x @ W_x.reshape(-1, 4 * H) + h_prev @ W_h.reshape(H, 4 * H) + b.reshape(-1)
    return cell(x, h_prev, c_prev, W_x, W_h, b, squash=lambda _: squashed(np.stack(np.split(a, 4, axis=1))))


@lstm_step.misconception(RESHAPED)
def sums_reshaped(x, h_prev, c_prev, W_x, W_h, b):
    side_by_side = np.concatenate(list(sums(x, h_prev, W_x, W_h, b)), axis=1)
    mixed = side_by_side.reshape(4, *h_prev.shape)
    return cell(x, h_prev, c_prev, W_x, W_h, b, squash=lambda _: squashed(mixed))


@lstm_step.misconception("b has a row for each gate, (4, H): where is the axis for the samples?")
def bias_without_samples(x, h_prev, c_prev, W_x, W_h, b):
    a = x @ W_x + h_prev @ W_h + b
    return cell(x, h_prev, c_prev, W_x, W_h, b, squash=lambda _: squashed(a))


BATCH_FIRST = "np.dot puts the samples first, (B, 4, H), where @ gives (4, B, H)."


@lstm_step.misconception(BATCH_FIRST)
def np_dot_read_by_index(x, h_prev, c_prev, W_x, W_h, b):
    return (np.dot(x, W_x) + np.dot(h_prev, W_h) + b)[3]


@lstm_step.misconception(BATCH_FIRST)
def np_dot_unpacked(x, h_prev, c_prev, W_x, W_h, b):
    _i, _f, _o, _g = np.dot(x, W_x) + np.dot(h_prev, W_h) + b


@lstm_step.misconception("The biases play no part.")
def no_bias(x, h_prev, c_prev, W_x, W_h, b):
    return cell(x, h_prev, c_prev, W_x, W_h, 0 * b)


@lstm_step.misconception("The gates do not look at h_prev.")
def gates_blind_to_h(x, h_prev, c_prev, W_x, W_h, b):
    return cell(x, 0 * h_prev, c_prev, W_x, W_h, b)


@lstm_step.misconception("The gates do not look at x.")
def gates_blind_to_x(x, h_prev, c_prev, W_x, W_h, b):
    return cell(0 * x, h_prev, c_prev, W_x, W_h, b)


@lstm_step.misconception("W_h stands transposed: in a row vector, h @ W sums over the first axis of W.")
def transposed_W_h(x, h_prev, c_prev, W_x, W_h, b):
    return cell(x, h_prev, c_prev, W_x, W_h.transpose(0, 2, 1), b)


@lstm_step.misconception("Your gates read c_prev: they must read h_prev, the old output.")
def cell_for_output(x, h_prev, c_prev, W_x, W_h, b):
    gates = lstm_step.reference(x, c_prev, c_prev, W_x, W_h, b)
    return gates


@lstm_step.clue
def which_gates_of_a_step_are_right(answer, *case):
    right, results = lstm_step.reference(*case), answer(*case)
    if not are_gradients(results, right) or results[2].shape != right[2].shape:
        return ""
    _, c, gates = results
    good, bad = good_and_bad(gates, right[2])
    if good and bad:
        return f"Right so far: {', '.join(good)}. Not right: {', '.join(bad)}. What is different there?"
    if bad:
        return "None of the four gates is right: look at what goes into all of them, x W_x + h_prev W_h + b."
    if not same(c, right[1], 1e-6):
        return "All four gates are right, c is not: which of them stands before the old cell, which before g?"
    return "All four gates and c are right, h is not: what is shown of the cell?"


def good_and_bad(gates, right):
    """The letters of the gates that are right, and of those that are not."""
    good = [NAMES[gate] for gate in range(4) if same(gates[gate], right[gate], 1e-6)]
    return good, [name for name in NAMES if name not in good]


@lstm_step.remark
def beyond_one(answer, x, h_prev, c_prev, W_x, W_h, b):
    h, c, _ = answer(x, h_prev, 10 * c_prev, W_x, W_h, b)
    return f"with large old cells |c| reaches {np.abs(c).max():.1f}, |h| only {np.abs(h).max():.3f}."


# 3.3 One step backward


def step_backward_inputs(rng, shapes=None):
    """Cells and gates come from a real forward step."""
    cases = []
    for x, h_prev, c_prev, W_x, W_h, b in step_inputs(rng, shapes):
        h, c, gates = lstm_step.reference(x, h_prev, c_prev, W_x, W_h, b)
        dh, dc = rng.normal(size=h.shape), rng.normal(size=h.shape)
        cases.append((dh, dc, x, h_prev, c_prev, c, gates, W_x, W_h))
    return cases


GRADIENTS = {
    "dx": "B, D",
    "dh_prev": "B, H",
    "dc_prev": "B, H",
    "dW_x": "4, D, H",
    "dW_h": "4, H, H",
    "db": "4, H",
}


@exercise("3.3", returns=GRADIENTS, inputs=step_backward_inputs, section=("lstm", "One step backward"))
def lstm_step_backward(dh, dc, x, h_prev, c_prev, c, gates, W_x, W_h):
    return back(dh, dc, x, h_prev, c_prev, c, gates, W_x, W_h)


def back(
    dh, dc, x, h_prev, c_prev, c, gates, W_x, W_h, into_c=None, to_gates=None, slopes=None, to_c_prev=None
):
    """One step backward, with places where the mistakes below come in.

    Args:
        into_c: (dh, dc, o, tanh_c) -> the whole gradient of c.
        to_gates: (dh, dc, i, f, o, g, c_prev, c, tanh_c) -> gradients of i, f, o, g.
        slopes: gates -> the slopes of σ and tanh, (4, B, H).
        to_c_prev: (dc, incoming dc, i, f) -> the gradient of c_prev.
    """
    into_c = into_c or (lambda dh, dc, o, tanh_c: dc + dh * o * (1 - tanh_c**2))
    to_gates = to_gates or (
        lambda dh, dc, i, f, o, g, c_prev, c, tanh_c: (dc * g, dc * c_prev, dh * tanh_c, dc * i)
    )
    slopes = slopes or (lambda gates: np.stack([*(s * (1 - s) for s in gates[:3]), 1 - gates[3] ** 2]))
    to_c_prev = to_c_prev or (lambda dc, incoming, i, f: dc * f)
    i, f, o, g = gates
    tanh_c, incoming = np.tanh(c), dc
    dc = into_c(dh, dc, o, tanh_c)
    da = np.stack(to_gates(dh, dc, i, f, o, g, c_prev, c, tanh_c)) * slopes(gates)
    return from_da(da, x, h_prev, W_x, W_h, to_c_prev(dc, incoming, i, f))


def from_da(da, x, h_prev, W_x, W_h, dc_prev):
    """What follows once the gradients before σ and tanh are known, (4, B, H)."""
    dx = (da @ W_x.transpose(0, 2, 1)).sum(axis=0)
    dh_prev = (da @ W_h.transpose(0, 2, 1)).sum(axis=0)
    return dx, dh_prev, dc_prev, x.T @ da, h_prev.T @ da, da.sum(axis=1)


def mistaken_step(sentence, name, section=None, **places):
    """Name a mistake of one step backward, by what stands at one of the places of ``back``."""

    def mistake(dh, dc, x, h_prev, c_prev, c, gates, W_x, W_h):
        return back(dh, dc, x, h_prev, c_prev, c, gates, W_x, W_h, **places)

    mistake.__name__ = name
    lstm_step_backward.misconception(sentence, section)(mistake)


def gate_mistake(sentence, name, partners):
    """A mistake in what the gradients of i, f, o and g are multiplied with.

    Args:
        partners: (i, f, o, g, c_prev, c, tanh_c) -> the four.
    """

    def to_gates(dh, dc, i, f, o, g, c_prev, c, tanh_c):
        to_i, to_f, to_o, to_g = partners(i, f, o, g, c_prev, c, tanh_c)
        return dc * to_i, dc * to_f, dh * to_o, dc * to_g

    mistaken_step(sentence, name, to_gates=to_gates)


mistaken_step(
    "The cell's gradient comes by two paths, from the next cell and from h: yours forgets the next cell.",
    "next_cell_forgotten",
    into_c=lambda dh, dc, o, tanh_c: dh * o * (1 - tanh_c**2),
)
mistaken_step(
    "The cell's gradient comes by two paths, from the next cell and from h: yours forgets h.",
    "output_forgotten",
    into_c=lambda dh, dc, o, tanh_c: dc,
)
mistaken_step(
    "From h to c the path leads through a tanh: where is its slope?",
    "slope_of_the_cell_forgotten",
    into_c=lambda dh, dc, o, tanh_c: dc + dh * o,
)
mistaken_step(
    "From h to c the path leads through the output gate: where is o?",
    "output_gate_forgotten",
    into_c=lambda dh, dc, o, tanh_c: dc + dh * (1 - tanh_c**2),
)
SQUARED = "From h to c: tanh(c) came out of that tanh, so its slope is 1 − tanh(c)². What did you square?"
mistaken_step(
    SQUARED,
    "cell_squared",
    into_c=lambda dh, dc, o, tanh_c: dc + dh * o * (1 - np.arctanh(tanh_c) ** 2),
)
mistaken_step(
    SQUARED,
    "output_squared",
    into_c=lambda dh, dc, o, tanh_c: dc + dh * o * (1 - (o * tanh_c) ** 2),
)
mistaken_step(
    "The slope of tanh at c is 1 − tanh(c)²: yours takes it of tanh(c) once more.",
    "tanh_of_the_cell_twice",
    into_c=lambda dh, dc, o, tanh_c: dc + dh * o * (1 - np.tanh(tanh_c) ** 2),
)
gate_mistake(
    "do: h is o times tanh(c), and yours multiplies by c.",
    "cell_for_its_tanh",
    lambda i, f, o, g, c_prev, c, tanh_c: (g, c_prev, c, i),
)
gate_mistake(
    "df: which cell did the forget gate multiply, the old one or the new one?",
    "forget_gate_of_the_new_cell",
    lambda i, f, o, g, c_prev, c, tanh_c: (g, c, tanh_c, i),
)
gate_mistake(
    "di and dg: i and g multiply each other, so each gets the other one as its factor.",
    "own_factor",
    lambda i, f, o, g, c_prev, c, tanh_c: (i, c_prev, tanh_c, g),
)
gate_mistake(
    "Each gate gets as its factor what it multiplied: yours takes the gate itself.",
    "each_its_own_factor",
    lambda i, f, o, g, c_prev, c, tanh_c: (i, f, o, g),
)
mistaken_step(
    "Gradients of the gates, or of what enters them? Between lie σ and tanh, and their slopes.",
    "no_slopes",
    slopes=lambda gates: np.ones_like(gates),
)
mistaken_step(
    "The slope of σ is s (1 − s); yours takes tanh's, 1 − s², for the gates.",
    "slope_of_tanh_for_gates",
    slopes=lambda gates: 1 - gates**2,
)
mistaken_step(
    "g came out of a tanh, not of a σ: what is its slope?",
    "slope_of_sigmoid_for_g",
    slopes=lambda gates: gates * (1 - gates),
)
mistaken_step(
    "The slope of σ at a is σ(a)(1 − σ(a)), and the gates are σ(a) already: yours takes σ once more.",
    "sigmoid_twice",
    slopes=lambda gates: np.stack(
        [*(sigmoid.reference(s) * (1 - sigmoid.reference(s)) for s in gates[:3]), 1 - gates[3] ** 2]
    ),
)
mistaken_step(
    "dc_prev: the old cell came in through the forget gate.",
    "dc_prev_past_the_gate",
    to_c_prev=lambda dc, incoming, i, f: dc,
)
mistaken_step(
    "dc_prev: the old cell came in through the forget gate, not through the input gate.",
    "dc_prev_through_the_input_gate",
    to_c_prev=lambda dc, incoming, i, f: dc * i,
)
mistaken_step(
    "dc_prev: what reached c from h goes on to the old cell, too. Yours is what the next cell sent alone.",
    "dc_prev_without_h",
    to_c_prev=lambda dc, incoming, i, f: incoming * f,
)


def some_gates_back(name, few):
    """dx and dh_prev from some gates alone."""

    def mistake(dh, dc, x, h_prev, c_prev, c, gates, W_x, W_h):
        results = lstm_step_backward.reference(dh, dc, x, h_prev, c_prev, c, gates, W_x, W_h)
        da, W_x, W_h = (array[few] for array in (whole_da(dh, dc, c_prev, c, gates), W_x, W_h))
        return from_da(da, x, h_prev, W_x, W_h, results[2])[:3] + results[3:]

    letters = "".join(NAMES[gate] for gate in few)
    mistake.__name__ = f"{name}_{letters}_alone"
    lstm_step_backward.misconception(
        "dx and dh_prev: i, f, o and g all read x and h_prev, so four gradients add up. "
        f"Yours have those of {', '.join(letters)} alone."
    )(mistake)


for few in [[I], [F], [O], [G], [I, F, O]]:
    some_gates_back("gradients", few)


UNPACKED = "The gates that you are given stand in the order i, f, o, g: yours takes them as i, f, g, o."


@lstm_step_backward.misconception(UNPACKED)
def gates_unpacked_in_another_order(dh, dc, x, h_prev, c_prev, c, gates, W_x, W_h):
    return back(dh, dc, x, h_prev, c_prev, c, gates[[I, F, G, O]], W_x, W_h)


@lstm_step_backward.misconception(UNPACKED)
def gates_read_and_returned_in_another_order(dh, dc, x, h_prev, c_prev, c, gates, W_x, W_h):
    da = whole_da(dh, dc, c_prev, c, gates[[I, F, G, O]])[[I, F, G, O]]
    whole = dc + dh * gates[G] * (1 - np.tanh(c) ** 2)
    return from_da(da, x, h_prev, W_x, W_h, whole * gates[F])


def whole_da(dh, dc, c_prev, c, gates):
    """The gradients before σ and tanh, (4, B, H)."""
    i, _, o, g = gates
    tanh_c = np.tanh(c)
    dc = dc + dh * o * (1 - tanh_c**2)
    slopes = np.stack([*(s * (1 - s) for s in gates[:3]), 1 - g**2])
    return np.stack([dc * g, dc * c_prev, dh * tanh_c, dc * i]) * slopes


@lstm_step_backward.misconception(
    "dh_prev: each W_h stands the wrong way round. Over which of its axes is summed on the way back?"
)
def untransposed_W_h(dh, dc, x, h_prev, c_prev, c, gates, W_x, W_h):
    dx, _, *others = lstm_step_backward.reference(dh, dc, x, h_prev, c_prev, c, gates, W_x, W_h)
    return dx, (whole_da(dh, dc, c_prev, c, gates) @ W_h).sum(axis=0), *others


@lstm_step_backward.misconception(
    "The weights' gradients are too small by the factor B: the samples add up, nothing is divided."
)
def averaged(dh, dc, x, h_prev, c_prev, c, gates, W_x, W_h):
    dx, dh_prev, dc_prev, *weights = lstm_step_backward.reference(
        dh, dc, x, h_prev, c_prev, c, gates, W_x, W_h
    )
    return dx, dh_prev, dc_prev, *(gradient / len(x) for gradient in weights)


def gradients_in_order(order):
    """Right gradients of the weights, with the gates in another order."""

    def mistake(dh, dc, x, h_prev, c_prev, c, gates, W_x, W_h):
        results = lstm_step_backward.reference(dh, dc, x, h_prev, c_prev, c, gates, W_x, W_h)
        return *results[:3], *(gradient[list(order)] for gradient in results[3:])

    mistake.__name__ = "gradients_" + "".join(NAMES[gate] for gate in order)
    return mistake


for order in itertools.permutations(range(4)):
    if order != (I, F, O, G):
        names = ", ".join(NAMES[gate] for gate in order)
        lstm_step_backward.misconception(
            f"The weights' gradients stand in the order {names}: here it is i, f, o, g."
        )(gradients_in_order(order))


@lstm_step_backward.clue
def which_gates_are_right(answer, *case):
    """Which gates' gradients are right tells where the fault lies, whatever it is."""
    right, results = lstm_step_backward.reference(*case), answer(*case)
    if not are_gradients(results, right) or results[5].shape != right[5].shape:
        return ""
    if not same(results[2], right[2], 1e-6):
        return (
            "dc_prev needs only f and the cell's whole gradient: by which paths does that come, "
            "and what does each of them pass?"
        )
    good, bad = good_and_bad(results[5], right[5])
    if good and bad:
        return (
            f"By db, the path to {', '.join(good)} is right, that to {', '.join(bad)} is not: "
            "look at the partner, then at the slope."
        )
    if bad:
        return "dc_prev is right, db wrong for all four gates: what lies between a gate and what enters it?"
    return "dc_prev and db are right, so all four gates are: which of them, through which matrix, reads what?"


# 3.4 A whole sequence


def sequence_inputs(rng, shapes=None):
    cases = []
    for B, T, D, H in shapes or sizes(rng):
        state = rng.normal(size=(B, H)), rng.normal(size=(B, H))
        cases.append((rng.normal(size=(B, T, D)), *state, *weights(rng, D, H)))
    return cases


SEQUENCE = {"hs": "B, T, H", "cs": "B, T, H", "gates": "4, B, T, H"}


@exercise("3.4", returns=SEQUENCE, inputs=sequence_inputs, section=("lstm", "A whole sequence"))
def lstm_sequence(x, h0, c0, W_x, W_h, b):
    return walk(x, h0, c0, W_x, W_h, b)


def walk(x, h0, c0, W_x, W_h, b, enters=None, reads=None):
    """All steps, with places where the mistakes below come in.

    Args:
        enters: (h, c, t) -> the state that enters step t.
        reads: t -> the input that step t reads.
    """
    enters = enters or (lambda h, c, t: (h, c))
    reads = reads or (lambda t: x[:, t])
    h, c, steps = h0, c0, []
    for t in range(x.shape[1]):
        h, c, gates = lstm_step.reference(reads(t), *enters(h, c, t), W_x, W_h, b)
        steps.append((h, c, gates))
    hs, cs, gates = zip(*steps, strict=True)
    return np.stack(hs, axis=1), np.stack(cs, axis=1), np.stack(gates, axis=2)


def mistaken_walk(sentence, name, **places):
    def mistake(x, h0, c0, W_x, W_h, b):
        return walk(x, h0, c0, W_x, W_h, b, **{k: place(x, h0, c0) for k, place in places.items()})

    mistake.__name__ = name
    lstm_sequence.misconception(sentence)(mistake)


ZERO_START = "Step 1 ignores the state you were given. If you wrote hs[:, t - 1]: what is index −1 at t = 0?"
ZERO_CELL = "Step 1 ignores c0: the state has two parts."
ONE_START = "Step 1 begins with c0 = h0: they are two arrays."
EXCHANGED_START = "Step 1 has h0 and c0 exchanged."

mistaken_walk(
    ZERO_START,
    "zero_start",
    enters=lambda x, h0, c0: lambda h, c, t: (h, c) if t else (0 * h, 0 * c),
)
mistaken_walk(
    ZERO_CELL,
    "zero_cell",
    enters=lambda x, h0, c0: lambda h, c, t: (h, c) if t else (h, 0 * c),
)
mistaken_walk(
    ONE_START,
    "one_start_for_both",
    enters=lambda x, h0, c0: lambda h, c, t: (h, c) if t else (h, h),
)
mistaken_walk(
    EXCHANGED_START,
    "starts_exchanged",
    enters=lambda x, h0, c0: lambda h, c, t: (h, c) if t else (c, h),
)
mistaken_walk(
    "Step 1 is right, step 2 begins anew: which state enters it?",
    "never_carried",
    enters=lambda x, h0, c0: lambda h, c, t: (h0, c0),
)
mistaken_walk(
    "The cell is not carried on: step 2 gets c0 again.",
    "cell_not_carried",
    enters=lambda x, h0, c0: lambda h, c, t: (h, c0),
)
mistaken_walk(
    "The output is not carried on: step 2 gets h0 again.",
    "output_not_carried",
    enters=lambda x, h0, c0: lambda h, c, t: (h0, c),
)
mistaken_walk(
    "h enters the next step in the place of c.",
    "output_for_cell",
    enters=lambda x, h0, c0: lambda h, c, t: (h, h) if t else (h, c),
)
mistaken_walk(
    "Every step reads the input of step 1.",
    "always_the_first_input",
    reads=lambda x, h0, c0: lambda t: x[:, 0],
)
mistaken_walk(
    "You begin at the last step: the state runs from step 1 to step T.",
    "read_backwards",
    reads=lambda x, h0, c0: lambda t: x[:, -1 - t],
)


@lstm_sequence.misconception("You walk along the batch: axis 0 is B, axis 1 is T.")
def along_the_batch(x, h0, c0, W_x, W_h, b):
    return walk(x, h0, c0, W_x, W_h, b, reads=lambda t: x[t])


@lstm_sequence.clue
def what_the_first_step_holds(answer, x, h0, c0, W_x, W_h, b):
    right, results = lstm_sequence.reference(x, h0, c0, W_x, W_h, b), answer(x, h0, c0, W_x, W_h, b)
    if not isinstance(results, tuple | list) or np.shape(results[0]) != right[0].shape:
        return ""
    first = results[0][:, 0]
    if same(first, h0, 1e-6):
        return "hs[:, 0] is h0 in yours: it should be the output after the first input."
    if same(first, right[1][:, 0], 1e-6) or same(first, right[1][:, -1], 1e-6):
        return "hs holds cells in yours: were h and c exchanged, or has one array two names?"
    for state, sentence in [
        ((0 * h0, 0 * c0), ZERO_START),
        ((h0, 0 * c0), ZERO_CELL),
        ((h0, h0), ONE_START),
        ((c0, h0), EXCHANGED_START),
    ]:
        if same(first, lstm_step.reference(x[:, 0], *state, W_x, W_h, b)[0], 1e-6):
            return sentence
    if same(first, right[0][:, 0], 1e-6) and not same(results[0], right[0], 1e-6):
        return "Step 1 is right: which h and which c enter step 2?"
    if same(results[1], right[1], 1e-6):
        return "cs is right, hs is not: what does a step return, and what did you store?"
    return ""


# 3.5 Backpropagation through time


def sequence_backward_inputs(rng, shapes=None):
    cases = []
    for x, h0, c0, W_x, W_h, b in sequence_inputs(rng, shapes):
        hs, cs, gates = lstm_sequence.reference(x, h0, c0, W_x, W_h, b)
        cases.append((rng.normal(size=hs.shape), x, h0, c0, hs, cs, gates, W_x, W_h))
    return cases


ALL_GRADIENTS = {
    "dx": "B, T, D",
    "dh0": "B, H",
    "dc0": "B, H",
    "dW_x": "4, D, H",
    "dW_h": "4, H, H",
    "db": "4, H",
}


@exercise(
    "3.5",
    returns=ALL_GRADIENTS,
    inputs=sequence_backward_inputs,
    section=("lstm", "All steps backward"),
)
def lstm_sequence_backward(dy, x, h0, c0, hs, cs, gates, W_x, W_h):
    return all_back(dy, x, h0, c0, hs, cs, gates, W_x, W_h)


def all_back(dy, x, h0, c0, hs, cs, gates, W_x, W_h, arrives=None, before=None, collect=None, order=None):
    """All steps backward, with places where the mistakes below come in.

    Args:
        arrives: (dy_t, dh, dc) -> the gradients of h_t and c_t.
        before: t -> (h, c) before step t.
        collect: (sum so far, this step's) -> the sum, for the weights' gradients.
        order: the steps, in the order in which they are gone through.
    """
    arrives = arrives or (lambda dy_t, dh, dc: (dy_t + dh, dc))
    before = before or (lambda t: (hs[:, t - 1], cs[:, t - 1]) if t else (h0, c0))
    collect = collect or (lambda total, own: total + own)
    dx, sums, dh, dc = np.zeros_like(x), [0, 0, 0], np.zeros_like(h0), np.zeros_like(c0)
    for t in order or reversed(range(x.shape[1])):
        state = dh, dc = arrives(dy[:, t], dh, dc)
        step = lstm_step_backward.reference(*state, x[:, t], *before(t), cs[:, t], gates[:, :, t], W_x, W_h)
        dx[:, t], dh, dc, *own = step
        sums = [collect(total, gradient) for total, gradient in zip(sums, own, strict=True)]
    return dx, dh, dc, *sums


def mistaken_way_back(sentence, name, **places):
    def mistake(dy, x, h0, c0, hs, cs, gates, W_x, W_h):
        own = {key: place(h0, c0, hs, cs) for key, place in places.items()}
        return all_back(dy, x, h0, c0, hs, cs, gates, W_x, W_h, **own)

    mistake.__name__ = name
    lstm_sequence_backward.misconception(sentence)(mistake)


mistaken_way_back(
    "The last step is right, the earlier ones are not: nothing comes back along the cell.",
    "cell_path_lost",
    arrives=lambda *_: lambda dy_t, dh, dc: (dy_t + dh, 0 * dc),
)
mistaken_way_back(
    "The last step is right, the earlier ones are not: nothing comes back along h.",
    "output_path_lost",
    arrives=lambda *_: lambda dy_t, dh, dc: (dy_t, dc),
)
mistaken_way_back(
    "The last step is right, the earlier ones are not: neither h nor c brings anything back.",
    "both_paths_lost",
    arrives=lambda *_: lambda dy_t, dh, dc: (dy_t, 0 * dc),
)
mistaken_way_back(
    "All is 0: where do the losses of the steps come in?",
    "losses_lost",
    arrives=lambda *_: lambda dy_t, dh, dc: (dh, dc),
)
mistaken_way_back(
    "The loss sees h, not c: dy belongs to h alone.",
    "loss_into_the_cell",
    arrives=lambda *_: lambda dy_t, dh, dc: (dy_t + dh, dc + dy_t),
)
mistaken_way_back(
    "What comes back along h and along c is exchanged.",
    "paths_exchanged",
    arrives=lambda *_: lambda dy_t, dh, dc: (dy_t + dc, dh),
)
mistaken_way_back(
    "The weights serve every step, and the steps' gradients add up: yours keeps those of step 1 alone.",
    "weights_of_the_first_step",
    collect=lambda *_: lambda total, own: own,
)
mistaken_way_back(
    "The cell before step 1 is c0, which need not be zero.",
    "zero_cell_before",
    before=lambda h0, c0, hs, cs: lambda t: (hs[:, t - 1], cs[:, t - 1]) if t else (h0, 0 * c0),
)
mistaken_way_back(
    "The state before step 1 is (h0, c0): what is index −1 at t = 0?",
    "wrapped_around",
    before=lambda h0, c0, hs, cs: lambda t: (hs[:, t - 1], cs[:, t - 1]),
)
mistaken_way_back(
    "The states that come out of a step are used in the place of those that go in.",
    "own_states",
    before=lambda h0, c0, hs, cs: lambda t: (hs[:, t], cs[:, t]),
)
mistaken_way_back(
    "The cell that comes out of a step is used in the place of the one that goes in.",
    "own_cell",
    before=lambda h0, c0, hs, cs: lambda t: (hs[:, t - 1] if t else h0, cs[:, t]),
)


def mistaken_h_prev(sentence, name, before):
    """A mistake that shows in dW_h alone: another h is taken for the one that entered a step.

    Args:
        before: (t, h0, hs) -> the h that is taken.
    """

    def mistake(dy, x, h0, c0, hs, cs, gates, W_x, W_h):
        def state(t):
            return before(t, h0, hs), (cs[:, t - 1] if t else c0)

        return all_back(dy, x, h0, c0, hs, cs, gates, W_x, W_h, before=state)

    mistake.__name__ = name
    lstm_sequence_backward.misconception(f"Only dW_h is wrong: {sentence}")(mistake)


mistaken_h_prev(
    "which h entered step 1? At t = 0, index −1 is the last step's.",
    "output_wrapped_around",
    lambda t, h0, hs: hs[:, t - 1],
)
mistaken_h_prev(
    "the output before step 1 is h0, which need not be zero.",
    "zero_output_before",
    lambda t, h0, hs: hs[:, t - 1] if t else 0 * h0,
)
mistaken_h_prev(
    "the h that comes out of a step is used in the place of the one that goes in.",
    "own_output",
    lambda t, h0, hs: hs[:, t],
)
mistaken_h_prev("h0 entered step 1 alone.", "always_h0", lambda t, h0, hs: h0)


@lstm_sequence_backward.misconception(
    "Gradients come back from the later steps: which step must be the first one on the way back?"
)
def from_the_first_step_on(dy, x, h0, c0, hs, cs, gates, W_x, W_h):
    return all_back(dy, x, h0, c0, hs, cs, gates, W_x, W_h, order=range(x.shape[1]))


@lstm_sequence_backward.misconception(
    "Step 1 is left out on the way back: where does range(1, T), or range(T − 1, 0, −1), end?"
)
def first_step_left_out(dy, x, h0, c0, hs, cs, gates, W_x, W_h):
    return all_back(dy, x, h0, c0, hs, cs, gates, W_x, W_h, order=range(x.shape[1] - 1, 0, -1))


@lstm_sequence_backward.misconception(
    "Every step has a loss of its own: dy[:, t] joins at each of them, not at the last alone."
)
def last_loss_alone(dy, x, h0, c0, hs, cs, gates, W_x, W_h):
    last = np.zeros_like(dy)
    last[:, -1] = dy[:, -1]
    return all_back(last, x, h0, c0, hs, cs, gates, W_x, W_h)


@lstm_sequence_backward.misconception("dy[:, t] joins before step t goes back: yours joins after it.")
def losses_one_step_late(dy, x, h0, c0, hs, cs, gates, W_x, W_h):
    late = np.concatenate([dy[:, 1:], np.zeros_like(dy[:, :1])], axis=1)
    dx, dh, *others = all_back(late, x, h0, c0, hs, cs, gates, W_x, W_h)
    return dx, dh + dy[:, 0], *others


@lstm_sequence_backward.clue
def which_steps_are_right(answer, *case):
    right, results = lstm_sequence_backward.reference(*case), answer(*case)
    if not are_gradients(results, right) or results[0].shape != right[0].shape:
        return ""
    dx, dh0, dc0, *_ = results
    if dx.shape[1] > 1 and same(dx[:, ::-1], right[0], 1e-6):
        return "dx stands in the order in which it was found, from the last step to the first."
    if not same(dx[:, -1], right[0][:, -1], 1e-6):
        return "Not even the last step's dx is right, and nobody hands anything to it: look at a single step."
    if not same(dx, right[0], 1e-6):
        return "The last step is right, the fault lies between two: what comes back along h, what along c?"
    if not (same(dh0, right[1], 1e-6) and same(dc0, right[2], 1e-6)):
        return "Every dx is right. What does step 1 hand back, and to whom?"
    if same(results[3], right[3], 1e-6):
        return "Of the weights' gradients dW_x is right, dW_h is not: which h entered each step?"
    return "dx, dh0 and dc0 are right, so every step is: how do the steps' contributions to the weights meet?"


# 3.6 How far the carry reaches


@exercise(
    "3.6",
    returns={"reach": "B, T, H"},
    inputs=lambda rng: [(rng.uniform(0.3, 1, size=(B, T, H)),) for B, T, _, H in sizes(rng)],
    section=("lstm", "Why the forget bias"),
)
def carry_reach(fs):
    reach = np.ones_like(fs)
    for t in reversed(range(fs.shape[1] - 1)):
        reach[:, t] = reach[:, t + 1] * fs[:, t + 1]
    return reach


@carry_reach.misconception("Which gate stands between c_t and c_{t+1}, that of step t or that of step t + 1?")
def own_gates(fs):
    return np.cumprod(fs[:, ::-1], axis=1)[:, ::-1]


@carry_reach.misconception(
    "That runs from the first step on: here it is asked how much of c_t is left at the end."
)
def from_the_start(fs):
    return np.cumprod(fs, axis=1)


@carry_reach.misconception("Factors along a path multiply: yours adds them.")
def added(fs):
    return 1 + carry_reach.reference(fs) * 0 + np.cumsum(fs[:, ::-1], axis=1)[:, ::-1] - fs


@carry_reach.misconception("Every gate is another number: yours takes one gate to a power.")
def one_gate_to_a_power(fs):
    T = fs.shape[1]
    return np.stack([fs[:, min(t + 1, T - 1)] ** (T - 1 - t) for t in range(T)], axis=1)


@carry_reach.misconception("You walk along the batch: axis 0 is B, axis 1 is T.")
def along_the_samples(fs):
    return np.moveaxis(carry_reach.reference(np.moveaxis(fs, 0, 1)), 1, 0)


@carry_reach.must
def gates_may_be_shut(answer, fs):
    value = answer(np.full((1, 300, 1), 0.05))
    if np.shape(value) == (1, 300, 1) and not np.isfinite(value).all():
        return (
            "300 gates of 0.05 give nan: a product that has run to 0 cannot be divided by. Begin at the end."
        )
    return ""


@carry_reach.clue
def the_last_steps_first(answer, fs):
    reach = answer(fs)
    if np.shape(reach) != fs.shape or fs.shape[1] < 2:
        return ""
    if not same(reach[:, -1], np.ones_like(fs[:, -1]), 1e-6):
        return "A change of the last cell is there whole: reach of the last step is 1."
    if not same(reach[:, -2], fs[:, -1], 1e-6):
        return "Between the last cell but one and the last stands one gate: which step's?"
    return ""


@carry_reach.misconception("Only the next step is there: the path goes on to the end.")
def next_step_alone(fs):
    return np.concatenate([fs[:, 1:], np.ones_like(fs[:, :1])], axis=1)


@carry_reach.remark
def less_and_less(answer, fs):
    some, most = (answer(np.full((1, 101, 1), f))[0, 0, 0] for f in (0.9, 0.99))
    return f"after 100 steps f = 0.9 leaves {some:.0e}, f = 0.99 leaves {most:.2f}."


# 3.7 Find the mistake


WRONG_LINES = {"A": (10, "d"), "B": (8, "a"), "C": (2, "e")}


@exercise(
    "3.7",
    returns={version: {"line": "", "why": ""} for version in WRONG_LINES},
    inputs=no_inputs,
    section=("lstm", "One step backward"),
    accept=find_the_mistake.about(
        WRONG_LINES,
        "Which rows differ, for which gates, in which steps, and which lines have a part in them?",
    ),
)
def find_lstm_mistakes():
    return dict(WRONG_LINES)


# 3.8 A cell that counts, judged by what it does


def counted(w_x, w_h, b, stream):
    """The cell of one unit after each number of a stream."""
    h = c = 0.0
    cells = []
    for x in stream:
        a = [w_x[gate] * x + w_h[gate] * h + b[gate] for gate in range(4)]
        i, f, o = (float(sigmoid.reference(np.array(s))) for s in a[:3])
        c = f * c + i * np.tanh(a[3])
        h = o * np.tanh(c)
        cells.append(c)
    return np.array(cells)


def about_counter(w_x, w_h, b):
    """What a cell with these weights does not do."""
    silence = counted(w_x, w_h, b, [0] * 200)
    if np.abs(silence).max() > 0.1:
        return f"In 200 silent steps the cell goes to {silence[-1]:.2f}: what is written when x = 0?"
    once = counted(w_x, w_h, b, [1] + [0] * 200)
    if not 0.9 < once[0] < 1.1:
        return f"One signal makes the cell {once[0]:.2f}, not 1: which gate must open, and what is g then?"
    if once[-1] >= 1.1:
        return f"After a signal and 200 silent steps the cell is {once[-1]:.2f}: does h write to it?"
    if once[-1] <= 0.9:
        return (
            f"The signal is counted, but after 200 silent steps the cell is {once[-1]:.2f}: "
            "which gate must be open in silence, and how far?"
        )
    twice = counted(w_x, w_h, b, [1, 0, 1])
    if not 1.8 < twice[-1] < 2.2:
        return f"A second signal makes the cell {twice[-1]:.2f}, not 2: what is f at a signal?"
    many = counted(w_x, w_h, b, [1, 0, 0] * 40)
    if abs(many[-1] - 40) > 1:
        return f"40 signals in 120 steps make {many[-1]:.1f}: is a little lost, or written, at every step?"
    return ""


@exercise(
    "3.8",
    returns={"w_x": "4,", "w_h": "4,", "b": "4,"},
    inputs=no_inputs,
    section=("lstm", "Limiting cases"),
    accept=about_counter,
)
def counter():
    return np.array([20.0, 0, 0, 10]), np.zeros(4), np.array([-10.0, 10, 0, 0])


@counter.remark
def how_far_it_counts(answer):
    cells = counted(*answer(), [1, 0] * 500)
    f = float(sigmoid.reference(np.array(float(answer()[2][F]))))
    return f"500 signals among 1000 steps make the cell {cells[-1]:.1f}; in silence f is {f:.5f}."
