"""Lab 1, the recurrent network: each exercise with its inputs, its answer and its misconceptions.

A misconception is written as the function that a student would write. Where a student's
results equal its results, the check asks the question beside it.
"""

import math
from functools import partial

import numpy as np

from rnnlib.checks import find_the_mistake
from rnnlib.checks.calls import Recording, call
from rnnlib.checks.exercise import exercise as of_lab
from rnnlib.checks.parts import same
from rnnlib.models import gradcheck
from rnnlib.models.rnn import RNN

exercise = partial(of_lab, "01_rnn")


def sizes(rng):
    """B, T, D, H: all unequal where it can be, so that a wrong axis shows; ones; and a T to be drawn."""
    return [(3, 5, 2, 4), (1, 4, 3, 2), (4, 2, 3, 1), (2, 1, 1, 3), (1, int(rng.integers(6, 10)), 1, 2)]


def weights(rng, D, H):
    """W_x, W_h and a bias that is not zero, so that a forgotten bias shows."""
    return rng.normal(size=(D, H)), rng.normal(size=(H, H)), rng.normal(size=H)


def layer(W_x, W_h, b):
    """The library's layer with these weights."""
    rnn = RNN(*W_x.shape, dtype=np.float64)
    rnn.params = {"W_x": W_x, "W_h": W_h, "b": b}
    return rnn


# 1.1 One step


def step_inputs(rng, shapes=None):
    return [
        (rng.normal(size=(B, D)), rng.normal(size=(B, H)), *weights(rng, D, H))
        for B, _, D, H in shapes or sizes(rng)
    ]


@exercise("1.1", returns={"h": "B, H"}, inputs=step_inputs, section=("rnn", "One step"))
def rnn_step(x, h_prev, W_x, W_h, b):
    return layer(W_x, W_h, b).step(x, h_prev)[0]


@rnn_step.misconception("Is any |h| above 1? The whole sum goes through tanh.")
def half_a_tanh(x, h_prev, W_x, W_h, b):
    return np.tanh(x @ W_x) + h_prev @ W_h + b


@rnn_step.misconception("There is no tanh in your answer: what keeps h between −1 and 1?")
def no_tanh(x, h_prev, W_x, W_h, b):
    return x @ W_x + h_prev @ W_h + b


@rnn_step.misconception("Is any |h| above 1? The bias belongs inside the tanh.")
def bias_outside(x, h_prev, W_x, W_h, b):
    return np.tanh(x @ W_x + h_prev @ W_h) + b


@rnn_step.misconception("Your answer does not move when x does.")
def no_input(x, h_prev, W_x, W_h, b):
    return np.tanh(h_prev @ W_h + b)


@rnn_step.misconception("Your answer does not move when b does.")
def no_bias(x, h_prev, W_x, W_h, b):
    return np.tanh(x @ W_x + h_prev @ W_h)


@rnn_step.misconception("Your answer does not move when h_prev does: this network has no memory.")
def no_memory(x, h_prev, W_x, W_h, b):
    return np.tanh(x @ W_x + b)


@rnn_step.misconception("Rows are samples here: which axis of W_x has length D?")
def column_habit(x, h_prev, W_x, W_h, b):
    return np.tanh(W_x @ x + W_h @ h_prev + b)


@rnn_step.misconception(
    "Yours is never negative, but the state must be able to be: which function squashes the sum?"
)
def sigmoid_for_tanh(x, h_prev, W_x, W_h, b):
    return 1 / (1 + np.exp(-(x @ W_x + h_prev @ W_h + b)))


@rnn_step.misconception("W_h stands transposed: in a row vector, h @ W_h sums over the first axis of W_h.")
def transposed_W_h(x, h_prev, W_x, W_h, b):
    return np.tanh(x @ W_x + h_prev @ W_h.T + b)


@rnn_step.misconception("One tanh, around the whole sum: yours squashes the parts before they are added.")
def two_tanhs(x, h_prev, W_x, W_h, b):
    return np.tanh(x @ W_x) + np.tanh(h_prev @ W_h) + b


@rnn_step.misconception("One tanh, around the whole sum: yours squashes the parts before they are added.")
def tanh_twice_in_a_row(x, h_prev, W_x, W_h, b):
    return np.tanh(np.tanh(x @ W_x) + np.tanh(h_prev @ W_h) + b)


@rnn_step.misconception("np.tan is the tangent of an angle: which function stays between −1 and 1?")
def tan_for_tanh(x, h_prev, W_x, W_h, b):
    return np.tan(x @ W_x + h_prev @ W_h + b)


@rnn_step.misconception("The bias is added, yours is subtracted.")
def bias_subtracted(x, h_prev, W_x, W_h, b):
    return np.tanh(x @ W_x + h_prev @ W_h - b)


@rnn_step.misconception("The stacked weights stand in another order than what they are multiplied by.")
def stacked_in_another_order(x, h_prev, W_x, W_h, b):
    return np.tanh(np.concatenate([h_prev, x], axis=1) @ np.concatenate([W_x, W_h]) + b)


@rnn_step.misconception("The bias is added twice: here there is one, for input and state together.")
def two_biases(x, h_prev, W_x, W_h, b):
    return np.tanh(x @ W_x + h_prev @ W_h + 2 * b)


@rnn_step.misconception("That cuts the sum at −1 and 1, with corners: which function squashes it smoothly?")
def cut_for_tanh(x, h_prev, W_x, W_h, b):
    return np.clip(x @ W_x + h_prev @ W_h + b, -1, 1)


@rnn_step.clue
def nothing_beside_the_weights(answer, x, h_prev, W_x, W_h, b):
    value = answer(x, h_prev, 0 * W_x, 0 * W_h, 0 * b)
    if np.shape(value) == h_prev.shape and np.abs(value).max() > 1e-6:
        return "With all weights 0 the new state is 0. Yours is not: what gets in beside the weights?"
    if np.abs(answer(x, h_prev, W_x, W_h, b)).max() > 1:
        return "Is any |h| above 1? One tanh, around the whole sum, keeps it below."
    return ""


# 1.2 A whole sequence


def sequence_inputs(rng, shapes=None):
    return [
        (rng.normal(size=(B, T, D)), rng.normal(size=(B, H)), *weights(rng, D, H))
        for B, T, D, H in shapes or sizes(rng)
    ]


@exercise("1.2", returns={"hs": "B, T, H"}, inputs=sequence_inputs, section=("rnn", "A whole sequence"))
def rnn_sequence(x, h0, W_x, W_h, b):
    return layer(W_x, W_h, b).forward(x, h0)[0]


@rnn_sequence.misconception(
    "Step 1 ignores the h0 you were given. If you wrote hs[:, t-1]: what is index −1 at t = 0?"
)
def zero_start(x, h0, W_x, W_h, b):
    return layer(W_x, W_h, b).forward(x)[0]


@rnn_sequence.misconception("Step 1 is right, but step 2 does not depend on step 1: which state enters it?")
def never_carried(x, h0, W_x, W_h, b):
    rnn = layer(W_x, W_h, b)
    return np.stack([rnn.step(x[:, t], h0)[0] for t in range(x.shape[1])], axis=1)


@rnn_sequence.misconception("You walk along the batch: axis 0 is B, axis 1 is T.")
def wrong_axis(x, h0, W_x, W_h, b):
    hs, h = np.empty((*x.shape[:2], len(b))), h0
    for t in range(x.shape[1]):
        h = np.tanh(x[t] @ W_x + h @ W_h + b)
        hs[:, t] = h
    return hs


@rnn_sequence.misconception(
    "Every step holds the last state: was one array stored T times, or filled in later?"
)
def last_state_everywhere(x, h0, W_x, W_h, b):
    hs, last = layer(W_x, W_h, b).forward(x, h0)
    return np.repeat(last[:, None], hs.shape[1], axis=1)


@rnn_sequence.misconception(
    "Your states stand one step late: hs[:, 0] is h0, but it should be the state after x_1."
)
def one_step_late(x, h0, W_x, W_h, b):
    hs, _ = layer(W_x, W_h, b).forward(x, h0)
    return np.concatenate([h0[:, None], hs[:, :-1]], axis=1)


@rnn_sequence.misconception(
    "Your hs begins with h0, but hs[:, 0] is the state after the first input, which was never read."
)
def first_input_never_read(x, h0, W_x, W_h, b):
    hs, _ = layer(W_x, W_h, b).forward(x[:, 1:], h0)
    return np.concatenate([h0[:, None], hs], axis=1)


@rnn_sequence.misconception("Every step reads the input of step 1: what changes from step to step?")
def always_the_first_input(x, h0, W_x, W_h, b):
    return layer(W_x, W_h, b).forward(np.repeat(x[:, :1], x.shape[1], axis=1), h0)[0]


@rnn_sequence.misconception("The last step is missing: how many steps does range give?")
def last_step_missing(x, h0, W_x, W_h, b):
    hs, _ = layer(W_x, W_h, b).forward(x, h0)
    hs[:, -1] = 0
    return hs


@rnn_sequence.misconception("The first step is missing: at which t does the loop begin?")
def first_step_missing(x, h0, W_x, W_h, b):
    hs, _ = layer(W_x, W_h, b).forward(x[:, 1:], h0)
    return np.concatenate([np.zeros_like(hs[:, :1]), hs], axis=1)


@rnn_sequence.misconception("Only step 1 is there: does the return stand inside the loop?")
def return_inside_the_loop(x, h0, W_x, W_h, b):
    hs, _ = layer(W_x, W_h, b).forward(x, h0)
    hs[:, 1:] = 0
    return hs


@rnn_sequence.misconception("Step 1 is right. What enters step 2: the state h_1, or the sum before its tanh?")
def sum_carried(x, h0, W_x, W_h, b):
    a, hs = h0, []
    for t in range(x.shape[1]):
        a = x[:, t] @ W_x + a @ W_h + b
        hs.append(np.tanh(a))
    return np.stack(hs, axis=1)


@rnn_sequence.misconception("You begin at the last step: the state runs from step 1 to step T.")
def read_backwards(x, h0, W_x, W_h, b):
    return layer(W_x, W_h, b).forward(x[:, ::-1], h0)[0][:, ::-1]


@rnn_sequence.misconception("You begin at the last step: the state runs from step 1 to step T.")
def read_backwards_stored_forwards(x, h0, W_x, W_h, b):
    return layer(W_x, W_h, b).forward(x[:, ::-1], h0)[0]


@rnn_sequence.misconception("A step reads one input, x[:, t] (B, D): yours gets all T at once.")
def all_inputs_in_a_step(x, h0, W_x, W_h, b):
    return np.tanh(x @ W_x + h0 @ W_h + b)


@rnn_sequence.misconception("Time is axis 1 of x (B, T, D): yours takes the last axis for it.")
def time_on_the_last_axis(x, h0, W_x, W_h, b):
    return np.tanh(x[:, :, 0] @ W_x + h0 @ W_h + b)


# 1.3 The numerical gradient


def gradient_inputs(rng):
    """Functions with a curvature, so that a one-sided difference shows, and each with another eps."""

    def case(shape, eps):
        w = rng.normal(size=shape)

        def f(x):
            if np.iscomplexobj(x):
                raise TypeError("f takes real numbers")
            return float((w * np.sin(x)).sum() + x.sum() ** 2 + (x**3).sum())

        return f, rng.normal(size=shape), eps

    return [case((2, 3), 1e-4), case((4,), 2e-4), case((2, 1, 2), 5e-5)]


@exercise(
    "1.3",
    returns={"grad": "the shape of x"},
    inputs=gradient_inputs,
    section=("rnn", "A gradient that you need not derive"),
)
def numerical_gradient(f, x, eps):
    x = x.copy()
    return gradcheck.numerical_gradient(lambda: f(x), x, eps)


@numerical_gradient.clue
def how_x_moves(answer, f, x, eps):
    """Which entries moved, how far: what f was called with says more than what came out."""
    f = Recording(f)
    outcome = call(answer, (f, x, eps))
    points = [np.asarray(point) for (point, *_) in f.calls]
    if not points and outcome.error is None:
        return "f was never called: how else would you know how much it changes?"
    if not points:
        return ""
    if points[0].shape != x.shape:
        return f"f was called with the shape {points[0].shape}, but it takes an array like x, {x.shape}."
    if points[0].dtype == np.float32:
        return "f was called with float32: of so small a difference nothing but rounding is left."
    moves = [np.abs(point - x).max() for point in points]
    if len(points) > 1 and not any(moves):
        return "f was always called with the x that you were given: is what you move a copy, or moved back?"
    if 0 < max(moves) < eps / 1000:
        return f"x was moved by {max(moves):.0e}: of so small a difference nothing but rounding is left."
    if len(points) > 1 and all(
        np.array_equal(*pair) for pair in zip(points[::2], points[1::2], strict=False)
    ):
        return "Both points are the same: are they one array under two names?"
    if max(moves) > 1.5 * min(moves) > 0 and len(points) == 2 * x.size:
        return f"One entry was moved by {min(moves):.0e}, another by {max(moves):.0e}: all by eps, {eps:.0e}."
    moved = [np.flatnonzero(np.abs(point - x) > eps / 1000) for point in points]
    several = next((entries for entries in moved if len(entries) > 1), None)
    if several is not None:
        return f"f was called with {len(several)} entries moved at once: a gradient asks about one at a time."
    return ""


@numerical_gradient.must
def moves_by_eps(answer, f, x, eps):
    f = Recording(f)
    call(answer, (f, x, eps))
    moves = [np.abs(point - x).max() for (point, *_) in f.calls]
    if len(moves) == 2 * x.size and np.ptp(moves) < 1e-9 and not np.isclose(moves[0], eps, rtol=0.01):
        return f"Each entry was moved by {moves[0]:.0e}, but the eps that you were given is {eps:.0e}."
    return ""


@numerical_gradient.remark
def calls_and_limits(answer, f, x, eps):
    f, own = Recording(f), x.copy()
    answer(f, own, eps)
    remark = f"f was called {len(f.calls)} times for {x.size} entries: that is why nobody trains with it."
    if not np.array_equal(own, x):
        remark += " (x came back with another last digit: better keep the old value, and put that back.)"
    whole = call(answer, (lambda x: float((x**2).sum()), np.array([1, 2, 3]), eps)).value
    if not same(whole, [2, 4, 6], 1e-3):
        remark += (
            " (For integer arrays it would not work, since there a step of eps is cut off: no harm here.)"
        )
    return remark


def difference(f, x, quotient):
    """quotient(f, x, x with entry i moved by d) for each entry; for the wrong answers below."""
    grad = np.zeros_like(x)
    for i in np.ndindex(x.shape):

        def moved(d, i=i):
            y = x.copy()
            y[i] += d
            return f(y)

        grad[i] = quotient(moved)
    return grad


@numerical_gradient.misconception(
    "That is one-sided: its error shrinks like eps, a central difference's like eps²."
)
def one_sided(f, x, eps):
    return difference(f, x, lambda moved: (moved(eps) - moved(0)) / eps)


@numerical_gradient.misconception(
    "That is one-sided: its error shrinks like eps, a central difference's like eps²."
)
def one_sided_from_below(f, x, eps):
    return difference(f, x, lambda moved: (moved(0) - moved(-eps)) / eps)


@numerical_gradient.misconception("All entries are twice too big: how far apart are the two points?")
def factor_two(f, x, eps):
    return difference(f, x, lambda moved: (moved(eps) - moved(-eps)) / eps)


@numerical_gradient.misconception("Your two points are eps apart, not 2 eps: where does the way down begin?")
def half_the_way(f, x, eps):
    return difference(f, x, lambda moved: (moved(eps) - moved(0)) / (2 * eps))


@numerical_gradient.misconception("a / 2 * eps is (a / 2) times eps: what should stand below the line?")
def missing_brackets(f, x, eps):
    return difference(f, x, lambda moved: (moved(eps) - moved(-eps)) / 2 * eps)


@numerical_gradient.misconception("That is how much f changes: what is it divided by to give a slope?")
def not_divided(f, x, eps):
    return difference(f, x, lambda moved: moved(eps) - moved(-eps))


@numerical_gradient.misconception("All entries have the wrong sign: which of the two values is subtracted?")
def wrong_sign(f, x, eps):
    return difference(f, x, lambda moved: (moved(-eps) - moved(eps)) / (2 * eps))


@numerical_gradient.misconception(
    "x is not what it was before the call: the next entry starts from a moved point."
)
def not_put_back(f, x, eps):
    grad = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        x[i] += eps
        above = f(x)
        x[i] -= 2 * eps
        grad[i] = (above - f(x)) / (2 * eps)
    return grad


@numerical_gradient.misconception("All entries of x move at once: a gradient asks about one entry at a time.")
def all_at_once(f, x, eps):
    return np.full(x.shape, (f(x + eps) - f(x - eps)) / (2 * eps))


@numerical_gradient.misconception("A whole row moves at once: x[i] is a row. Which loop runs over entries?")
def a_row_at_a_time(f, x, eps):
    grad = np.zeros_like(x)
    for i in range(len(x)):
        above, below = x.copy(), x.copy()
        above[i] += eps
        below[i] -= eps
        grad[i] = (f(above) - f(below)) / (2 * eps)
    return grad


@numerical_gradient.misconception(
    "Only the second value is divided by 2 eps: which brackets does the difference need?"
)
def difference_without_brackets(f, x, eps):
    return difference(f, x, lambda moved: moved(eps) - moved(-eps) / (2 * eps))


@numerical_gradient.misconception(
    "Only the first entry is there: does the return stand inside the loop, or x[0] alone move?"
)
def first_entry_alone(f, x, eps):
    grad = np.zeros_like(x)
    first = (0,) * x.ndim
    grad[first] = numerical_gradient.reference(f, x, eps)[first]
    return grad


@numerical_gradient.misconception(
    "The first entry is right, the next are not: the earlier ones are still moved when their turn is over."
)
def all_moved_so_far(f, x, eps):
    grad, e = np.zeros_like(x), np.zeros_like(x)
    for i in np.ndindex(x.shape):
        e[i] = eps
        grad[i] = (f(x + e) - f(x - e)) / (2 * eps)
    return grad


@numerical_gradient.misconception(
    "The entry moves by 1, but the difference is divided by 2 eps: move it by eps."
)
def moved_by_one(f, x, eps):
    return difference(f, x, lambda moved: (moved(1) - moved(-1)) / (2 * eps))


@numerical_gradient.misconception(
    "All entries of x move at once, and the answer is a single number: a gradient has one for each entry."
)
def a_single_number(f, x, eps):
    return (f(x + eps) - f(x - eps)) / (2 * eps)


# 1.4 One step backward


def backward_inputs(inputs, forward, size=1):
    """Inputs of a backward pass: those of a forward pass, its states, and a random gradient of that size.

    The states are real ones: an answer may compute them anew.
    """

    def cases(rng, shapes=None):
        for x, h, W_x, W_h, b in inputs(rng, shapes):
            states = forward(x, h, W_x, W_h, b)
            yield size * rng.normal(size=states.shape), x, h, states, W_x, W_h

    return lambda rng, shapes=None: list(cases(rng, shapes))


@exercise(
    "1.4",
    returns={"dx": "B, D", "dh_prev": "B, H", "dW_x": "D, H", "dW_h": "H, H", "db": "H,"},
    inputs=backward_inputs(step_inputs, rnn_step.reference),
    section=("rnn", "One step backward"),
)
def rnn_step_backward(dh, x, h_prev, h, W_x, W_h):
    return gradients_from((1 - h**2) * dh, x, h_prev, W_x, W_h)


def gradients_from(da, x, h_prev, W_x, W_h):
    """What follows once da is known; the misconceptions below differ in da."""
    return da @ W_x.T, da @ W_h.T, x.T @ da, h_prev.T @ da, da.sum(axis=0)


@rnn_step_backward.misconception("Your da equals dh: what does tanh do to a small change?")
def tanh_forgotten(dh, x, h_prev, h, W_x, W_h):
    return gradients_from(dh, x, h_prev, W_x, W_h)


@rnn_step_backward.misconception("You used h_prev in the derivative: which state came out of this tanh?")
def derivative_of_old_state(dh, x, h_prev, h, W_x, W_h):
    return gradients_from((1 - h_prev**2) * dh, x, h_prev, W_x, W_h)


@rnn_step_backward.misconception("h is already tanh(a): write the derivative in terms of h.")
def tanh_twice(dh, x, h_prev, h, W_x, W_h):
    return gradients_from((1 - np.tanh(h) ** 2) * dh, x, h_prev, W_x, W_h)


@rnn_step_backward.misconception("The derivative of tanh is not 1 − tanh: what is missing?")
def not_squared(dh, x, h_prev, h, W_x, W_h):
    return gradients_from((1 - h) * dh, x, h_prev, W_x, W_h)


@rnn_step_backward.misconception("A saturated unit should pass on less, yours passes on more.")
def reciprocal(dh, x, h_prev, h, W_x, W_h):
    return gradients_from(dh / (1 - h**2), x, h_prev, W_x, W_h)


@rnn_step_backward.misconception("A unit at h = 0 should pass on all, yours passes on nothing.")
def one_is_missing(dh, x, h_prev, h, W_x, W_h):
    return gradients_from(h**2 * dh, x, h_prev, W_x, W_h)


@rnn_step_backward.misconception("All gradients have the wrong sign: what is the derivative of tanh at 0?")
def wrong_sign_of_da(dh, x, h_prev, h, W_x, W_h):
    return gradients_from((h**2 - 1) * dh, x, h_prev, W_x, W_h)


@rnn_step_backward.misconception("That is the derivative of a sigmoid, and this is a tanh.")
def sigmoid_derivative(dh, x, h_prev, h, W_x, W_h):
    return gradients_from(h * (1 - h) * dh, x, h_prev, W_x, W_h)


@rnn_step_backward.misconception(
    "The weights' gradients are too small by the factor B: here the samples add up, nothing is divided."
)
def mean_over_the_batch(dh, x, h_prev, h, W_x, W_h):
    dx, dh_prev, dW_x, dW_h, db = rnn_step_backward.reference(dh, x, h_prev, h, W_x, W_h)
    return dx, dh_prev, dW_x / len(x), dW_h / len(x), db / len(x)


@rnn_step_backward.misconception(
    "db is off by exactly 1/B: do the gradients of the samples add up, or average?"
)
def db_mean(dh, x, h_prev, h, W_x, W_h):
    *others, db = rnn_step_backward.reference(dh, x, h_prev, h, W_x, W_h)
    return *others, db / len(x)


@rnn_step_backward.misconception("dW_h stands transposed: which of its axes is the old state's?")
def transposed_dW_h(dh, x, h_prev, h, W_x, W_h):
    dx, dh_prev, dW_x, dW_h, db = rnn_step_backward.reference(dh, x, h_prev, h, W_x, W_h)
    return dx, dh_prev, dW_x, dW_h.T, db


@rnn_step_backward.misconception("The weights' gradients were made from dh: what reached them is da.")
def weights_from_dh(dh, x, h_prev, h, W_x, W_h):
    dx, dh_prev, *_ = rnn_step_backward.reference(dh, x, h_prev, h, W_x, W_h)
    return dx, dh_prev, x.T @ dh, h_prev.T @ dh, dh.sum(axis=0)


@rnn_step_backward.misconception("b is used by every sample: what happens to its gradients?")
def db_per_sample(dh, x, h_prev, h, W_x, W_h):
    *others, _ = rnn_step_backward.reference(dh, x, h_prev, h, W_x, W_h)
    return *others, (1 - h**2) * dh


@rnn_step_backward.misconception(
    "dh_prev: W_h stands the wrong way round. Forward, the sum runs over its first axis; and on the way back?"
)
def untransposed_W_h(dh, x, h_prev, h, W_x, W_h):
    dx, _, *others = rnn_step_backward.reference(dh, x, h_prev, h, W_x, W_h)
    return dx, ((1 - h**2) * dh) @ W_h, *others


@rnn_step_backward.misconception("W_h was multiplied by h_prev, not by h: which state belongs in dW_h?")
def own_state(dh, x, h_prev, h, W_x, W_h):
    dx, dh_prev, dW_x, _, db = rnn_step_backward.reference(dh, x, h_prev, h, W_x, W_h)
    return dx, dh_prev, dW_x, h.T @ ((1 - h**2) * dh), db


@rnn_step_backward.misconception("Brackets: 1 − h² is multiplied by dh, yours multiplies h² alone.")
def slope_without_brackets(dh, x, h_prev, h, W_x, W_h):
    return gradients_from(1 - h**2 * dh, x, h_prev, W_x, W_h)


@rnn_step_backward.misconception("1 + h² belongs to the tangent of an angle: what is the slope of tanh?")
def slope_of_tan(dh, x, h_prev, h, W_x, W_h):
    return gradients_from((1 + h**2) * dh, x, h_prev, W_x, W_h)


@rnn_step_backward.misconception(
    "You compute the state anew, without the bias. It was handed to you: which argument is it?"
)
def state_without_bias(dh, x, h_prev, h, W_x, W_h):
    a = x @ W_x + h_prev @ W_h
    return gradients_from((1 - np.tanh(a) ** 2) * dh, x, h_prev, W_x, W_h)


@rnn_step_backward.misconception(
    "tanh works entry by entry, so its slope is multiplied entry by entry: * and not @."
)
def product_for_entries(dh, x, h_prev, h, W_x, W_h):
    return gradients_from((1 - h**2) @ dh, x, h_prev, W_x, W_h)


@rnn_step_backward.misconception("Your dx is made with W_h, your dh_prev with W_x: which led from where?")
def weights_exchanged(dh, x, h_prev, h, W_x, W_h):
    da = (1 - h**2) * dh
    return da @ W_h.T, da @ W_x.T, x.T @ da, h_prev.T @ da, da.sum(axis=0)


@rnn_step_backward.misconception("dx was made from dh: what reaches x has gone through the tanh, it is da.")
def inputs_from_dh(dh, x, h_prev, h, W_x, W_h):
    _, _, *others = rnn_step_backward.reference(dh, x, h_prev, h, W_x, W_h)
    return dh @ W_x.T, dh @ W_h.T, *others


@rnn_step_backward.misconception(
    "dh_prev was made from dh: what reaches h_prev has gone through the tanh, it is da."
)
def state_from_dh(dh, x, h_prev, h, W_x, W_h):
    dx, _, *others = rnn_step_backward.reference(dh, x, h_prev, h, W_x, W_h)
    return dx, dh @ W_h.T, *others


@rnn_step_backward.misconception("db was made from dh: what reaches b has gone through the tanh, it is da.")
def db_from_dh(dh, x, h_prev, h, W_x, W_h):
    *others, _ = rnn_step_backward.reference(dh, x, h_prev, h, W_x, W_h)
    return *others, dh.sum(axis=0)


@rnn_step_backward.misconception("The weights' gradients are the last sample's: the samples add up, = or +=?")
def last_sample_alone(dh, x, h_prev, h, W_x, W_h):
    dx, dh_prev, *_ = rnn_step_backward.reference(dh, x, h_prev, h, W_x, W_h)
    return dx, dh_prev, *rnn_step_backward.reference(dh[-1:], x[-1:], h_prev[-1:], h[-1:], W_x, W_h)[2:]


def are_gradients(results, right):
    """Whether results are as many arrays of float64 as there should be."""
    arrays = isinstance(results, tuple | list) and len(results) == len(right)
    return arrays and all(isinstance(array, np.ndarray) and array.dtype == float for array in results)


@rnn_step_backward.clue
def what_is_right_in_a_step(answer, *case):
    right, results = rnn_step_backward.reference(*case), answer(*case)
    if not are_gradients(results, right):
        return ""
    good = [same(value, wanted, 1e-6) for value, wanted in zip(results, right, strict=True)]
    if good[0] and not good[1]:
        return "dx is right, so da is, too. Who uses an entry of h_prev, and with which weight?"
    if good[0] and good[1]:
        return "dx and dh_prev are right, so da is, too. Which samples use a weight, and with what?"
    return "Not even dx is right, which is made from da alone: look at the way through the tanh."


# 1.5 Backpropagation through time


@exercise(
    "1.5",
    returns={"dx": "B, T, D", "dh0": "B, H", "dW_x": "D, H", "dW_h": "H, H", "db": "H,"},
    inputs=backward_inputs(sequence_inputs, rnn_sequence.reference, size=10),  # so that clipping shows
    section=("rnn", "All steps backward: backpropagation through time"),
)
def rnn_sequence_backward(dy, x, h0, hs, W_x, W_h):
    return all_steps_back(dy, x, h0, hs, W_x, W_h)


def all_steps_back(dy, x, h0, hs, W_x, W_h, step=None, arrives=None, hands_on=None, before=None):
    """Equations (5) and (6) of the chapter, with places where the mistakes below come in.

    Args:
        step: (dh, x_t, h_prev, h_t, W_x, W_h) -> the five gradients; as in exercise 1.4.
        arrives: (dy_t, from_next) -> dh_t; their sum.
        hands_on: (from_next, dh_prev) -> what the step before gets; dh_prev.
        before: t -> the state before step t; hs[:, t - 1], and h0 at t = 0.
    """
    step = step or rnn_step_backward.reference
    arrives = arrives or (lambda dy_t, from_next: dy_t + from_next)
    hands_on = hands_on or (lambda from_next, dh_prev: dh_prev)
    before = before or (lambda t: hs[:, t - 1] if t else h0)
    dx, sums, from_next = np.zeros_like(x), [0, 0, 0], np.zeros_like(h0)
    for t in reversed(range(x.shape[1])):
        dh = arrives(dy[:, t], from_next)
        dx[:, t], dh_prev, *weights = step(dh, x[:, t], before(t), hs[:, t], W_x, W_h)
        sums = [total + gradient for total, gradient in zip(sums, weights, strict=True)]
        from_next = hands_on(from_next, dh_prev)
    return dx, from_next, *sums


@rnn_sequence_backward.misconception(
    "The last step is right, the earlier ones are not: h_t is used twice, by the loss and by step t + 1."
)
def loss_alone(dy, x, h0, hs, W_x, W_h):
    return all_steps_back(dy, x, h0, hs, W_x, W_h, arrives=lambda dy_t, from_next: dy_t)


@rnn_sequence_backward.misconception("All is 0: where do the losses of the steps come in?")
def through_time_alone(dy, x, h0, hs, W_x, W_h):
    return all_steps_back(dy, x, h0, hs, W_x, W_h, arrives=lambda dy_t, from_next: from_next)


@rnn_sequence_backward.misconception(
    "Only the last step's loss is there: where does dy of the others come in?"
)
def last_loss_alone(dy, x, h0, hs, W_x, W_h):
    dy = np.concatenate([np.zeros_like(dy[:, :-1]), dy[:, -1:]], axis=1)
    return all_steps_back(dy, x, h0, hs, W_x, W_h)


@rnn_sequence_backward.misconception(
    "The weights serve every step, and the steps' gradients add up: yours keeps those of step 1 alone."
)
def weights_of_the_first_step(dy, x, h0, hs, W_x, W_h):
    dx, dh0, *_ = all_steps_back(dy, x, h0, hs, W_x, W_h)
    first = [0, 0, 0]

    def step(*arguments):
        dx_t, dh_prev, *weights = rnn_step_backward.reference(*arguments)
        first[:] = weights
        return dx_t, dh_prev, *weights

    all_steps_back(dy, x, h0, hs, W_x, W_h, step=step)
    return dx, dh0, *first


@rnn_sequence_backward.misconception(
    "The weights serve every step: yours keeps the last step's gradients alone."
)
def weights_of_the_last_step(dy, x, h0, hs, W_x, W_h):
    dx, dh0, *_ = all_steps_back(dy, x, h0, hs, W_x, W_h)
    before = hs[:, -2] if x.shape[1] > 1 else h0
    return dx, dh0, *rnn_step_backward.reference(dy[:, -1], x[:, -1], before, hs[:, -1], W_x, W_h)[2:]


@rnn_sequence_backward.misconception(
    "dW_h: which state did W_h multiply at step t, the one that came out of it?"
)
def own_states(dy, x, h0, hs, W_x, W_h):
    dx, dh0, dW_x, _, db = all_steps_back(dy, x, h0, hs, W_x, W_h)
    dW_h = all_steps_back(dy, x, h0, hs, W_x, W_h, before=lambda t: hs[:, t])[3]
    return dx, dh0, dW_x, dW_h, db


@rnn_sequence_backward.misconception(
    "dW_h: what is hs[:, t - 1] at t = 0? The state before step 1 was handed in."
)
def wrapped_around(dy, x, h0, hs, W_x, W_h):
    return all_steps_back(dy, x, h0, hs, W_x, W_h, before=lambda t: hs[:, t - 1])


@rnn_sequence_backward.misconception("dW_h: the state before step 1 is h0, which need not be zero.")
def zero_before_the_first(dy, x, h0, hs, W_x, W_h):
    return all_steps_back(dy, x, h0, hs, W_x, W_h, before=lambda t: hs[:, t - 1] if t else 0 * h0)


@rnn_sequence_backward.misconception(
    "The last step is right, the earlier ones are not: what the next step hands back passes this tanh, too."
)
def past_the_tanh(dy, x, h0, hs, W_x, W_h):
    def step(both, x_t, h_prev, h_t, W_x, W_h):
        dy_t, from_next = both
        return gradients_from((1 - h_t**2) * dy_t + from_next, x_t, h_prev, W_x, W_h)

    return all_steps_back(dy, x, h0, hs, W_x, W_h, step=step, arrives=lambda *both: both)


@rnn_sequence_backward.misconception(
    "The last step is right, the earlier ones are not: which way round do gradients pass W_h?",
    section="One step backward",
)
def carried_by_W_h(dy, x, h0, hs, W_x, W_h):
    def step(dh, x_t, h_prev, h_t, W_x, W_h):
        dx_t, _, *weights = rnn_step_backward.reference(dh, x_t, h_prev, h_t, W_x, W_h)
        return dx_t, ((1 - h_t**2) * dh) @ W_h, *weights

    return all_steps_back(dy, x, h0, hs, W_x, W_h, step=step)


@rnn_sequence_backward.misconception(
    "A gradient from the next step is handed on: da or dh itself? It passes W_h."
)
def carried_without_W_h(dy, x, h0, hs, W_x, W_h):
    def step(dh, x_t, h_prev, h_t, W_x, W_h):
        dx_t, _, *weights = rnn_step_backward.reference(dh, x_t, h_prev, h_t, W_x, W_h)
        return dx_t, (1 - h_t**2) * dh, *weights

    return all_steps_back(dy, x, h0, hs, W_x, W_h, step=step)


@rnn_sequence_backward.misconception(
    "You walk from the first step to the last: what does step 1 need from step 2?"
)
def walked_forwards(dy, x, h0, hs, W_x, W_h):
    dx, sums, from_next = np.zeros_like(x), [0, 0, 0], np.zeros_like(h0)
    for t in range(x.shape[1]):
        before = hs[:, t - 1] if t else h0
        step = rnn_step_backward.reference(dy[:, t] + from_next, x[:, t], before, hs[:, t], W_x, W_h)
        dx[:, t], from_next, *weights = step
        sums = [total + gradient for total, gradient in zip(sums, weights, strict=True)]
    return dx, from_next, *sums


@rnn_sequence_backward.misconception(
    "The gradients of all later steps pile up: each step hands on its own dh_prev, and no more."
)
def piled_up(dy, x, h0, hs, W_x, W_h):
    return all_steps_back(dy, x, h0, hs, W_x, W_h, hands_on=lambda from_next, dh_prev: from_next + dh_prev)


@rnn_sequence_backward.misconception("dh0: yours is the gradient of h_1. One more step leads back to h0.")
def gradient_of_the_first_state(dy, x, h0, hs, W_x, W_h):
    arrived = []

    def arrives(dy_t, from_next):
        arrived.append(dy_t + from_next)
        return arrived[-1]

    dx, _, *weights = all_steps_back(dy, x, h0, hs, W_x, W_h, arrives=arrives)
    return dx, arrived[-1], *weights


@rnn_sequence_backward.misconception("dh0 is 0: somebody made h0, and waits for its gradient.")
def no_gradient_for_h0(dy, x, h0, hs, W_x, W_h):
    dx, _, *weights = all_steps_back(dy, x, h0, hs, W_x, W_h)
    return dx, np.zeros_like(h0), *weights


@rnn_sequence_backward.misconception(
    "The weights' gradients are too small by the number of steps: do they add up, or average?"
)
def averaged_over_steps(dy, x, h0, hs, W_x, W_h):
    dx, dh0, *weights = all_steps_back(dy, x, h0, hs, W_x, W_h)
    return dx, dh0, *(gradient / x.shape[1] for gradient in weights)


@rnn_sequence_backward.misconception(
    "The weights' gradients are too small by the number of samples: do they add up, or average?"
)
def averaged_over_samples(dy, x, h0, hs, W_x, W_h):
    dx, dh0, *weights = all_steps_back(dy, x, h0, hs, W_x, W_h)
    return dx, dh0, *(gradient / len(x) for gradient in weights)


@rnn_sequence_backward.misconception(
    "Your dx stands in the reverse order: where does the gradient of step t go?"
)
def dx_reversed(dy, x, h0, hs, W_x, W_h):
    dx, *others = all_steps_back(dy, x, h0, hs, W_x, W_h)
    return dx[:, ::-1], *others


@rnn_sequence_backward.misconception("h and h_prev are exchanged in the call of the step.")
def states_exchanged(dy, x, h0, hs, W_x, W_h):
    def step(dh, x_t, h_prev, h_t, W_x, W_h):
        return rnn_step_backward.reference(dh, x_t, h_t, h_prev, W_x, W_h)

    return all_steps_back(dy, x, h0, hs, W_x, W_h, step=step)


@rnn_sequence_backward.misconception("The step goes through the tanh itself: yours goes through it twice.")
def through_the_tanh_twice(dy, x, h0, hs, W_x, W_h):
    def step(dh, x_t, h_prev, h_t, W_x, W_h):
        return rnn_step_backward.reference((1 - h_t**2) * dh, x_t, h_prev, h_t, W_x, W_h)

    return all_steps_back(dy, x, h0, hs, W_x, W_h, step=step)


@rnn_sequence_backward.misconception("dh_prev has come through W_h already: yours goes through it twice.")
def through_W_h_twice(dy, x, h0, hs, W_x, W_h):
    return all_steps_back(dy, x, h0, hs, W_x, W_h, arrives=lambda dy_t, from_next: dy_t + from_next @ W_h.T)


@rnn_sequence_backward.misconception("The last step has no later step: its dy is counted twice.")
def last_loss_twice(dy, x, h0, hs, W_x, W_h):
    dy = np.concatenate([dy[:, :-1], 2 * dy[:, -1:]], axis=1)
    return all_steps_back(dy, x, h0, hs, W_x, W_h)


@rnn_sequence_backward.misconception(
    "Later losses are added as they are: they reach this step through the steps between, one after the other."
)
def later_losses_added(dy, x, h0, hs, W_x, W_h):
    later = np.cumsum(dy[:, ::-1], axis=1)[:, ::-1]
    return all_steps_back(later, x, h0, hs, W_x, W_h, arrives=lambda later_t, from_next: later_t)


@rnn_sequence_backward.misconception(
    "The later step's dh stays in the sum: it hands back its dh_prev, and no more."
)
def later_dh_kept(dy, x, h0, hs, W_x, W_h):
    kept = [0]

    def arrives(dy_t, from_next):
        kept[0] = kept[0] + dy_t + from_next
        return kept[0]

    return all_steps_back(dy, x, h0, hs, W_x, W_h, arrives=arrives)


@rnn_sequence_backward.misconception(
    "What is used twice gets two gradients, and they add up: yours takes their mean."
)
def mean_of_both(dy, x, h0, hs, W_x, W_h):
    dy = np.concatenate([dy[:, :-1], 2 * dy[:, -1:]], axis=1)
    return all_steps_back(dy, x, h0, hs, W_x, W_h, arrives=lambda dy_t, from_next: (dy_t + from_next) / 2)


@rnn_sequence_backward.misconception("Samples do not know of each other: yours adds what they hand back.")
def handed_to_all_samples(dy, x, h0, hs, W_x, W_h):
    return all_steps_back(
        dy, x, h0, hs, W_x, W_h, arrives=lambda dy_t, from_next: dy_t + from_next.sum(axis=0)
    )


@rnn_sequence_backward.misconception("dy of step t belongs to h_t: yours comes in one step later.")
def loss_one_step_late(dy, x, h0, hs, W_x, W_h):
    dx, _, *weights = all_steps_back(np.concatenate([dy[:, 1:], 0 * dy[:, :1]], axis=1), x, h0, hs, W_x, W_h)
    return dx, _ + dy[:, 0], *weights


@rnn_sequence_backward.misconception("The weights' gradients are 0: is what you add up what you return?")
def sums_lost(dy, x, h0, hs, W_x, W_h):
    dx, dh0, *weights = all_steps_back(dy, x, h0, hs, W_x, W_h)
    return dx, dh0, *(0 * gradient for gradient in weights)


@rnn_sequence_backward.misconception("db was made from dy: what reaches b has gone through the tanhs.")
def db_from_dy(dy, x, h0, hs, W_x, W_h):
    *others, _ = all_steps_back(dy, x, h0, hs, W_x, W_h)
    return *others, dy.sum(axis=(0, 1))


@rnn_sequence_backward.clue
def what_is_right(answer, *case):
    """Which of the results are right tells where the fault lies, whatever it is."""
    right, results = rnn_sequence_backward.reference(*case), answer(*case)
    if not are_gradients(results, right) or results[0].shape != right[0].shape:
        return ""
    dx, *others = results
    if len(dx) > 1 and same(dx[:1], right[0][:1], 1e-6) and not same(dx, right[0], 1e-6):
        return "What does one sample leave behind for the next?"
    if not dx.any(axis=(0, 2)).all():  # a step was left out, which is said elsewhere
        return ""
    good = [same(value, wanted, 1e-6) for value, wanted in zip(others, right[1:], strict=True)]
    if not same(dx[:, -1], right[0][:, -1], 1e-6):
        return "Not even the last step's dx is right, and nobody hands anything to it: look at a single step."
    if not same(dx, right[0], 1e-6):
        return (
            "The last step is right, so the fault lies between two steps: what does a step hand to the one "
            "before, and what is it added to?"
        )
    if not good[0]:
        return "Every dx is right. What is handed back by step 1, and to whom?"
    if good == [True, True, False, True]:
        return "Only dW_h is wrong. Which state goes with which step? Step 1 has one before it, too."
    return "dx and dh0 are right, so every step is: how do the steps' and the samples' contributions meet?"


# 1.6 Find the mistake


def no_inputs(rng):
    return [()]


WRONG_LINES = {"A": (9, "b"), "B": (3, "d"), "C": (1, "h")}


@exercise(
    "1.6",
    returns={version: {"line": "", "why": ""} for version in WRONG_LINES},
    inputs=no_inputs,
    section=("rnn", "Is it right?"),
    accept=find_the_mistake.about(
        WRONG_LINES, "Which results are wrong, in which steps, and which lines have a part in them?"
    ),
)
def find_mistakes():
    return dict(WRONG_LINES)


# 1.7 Clipping


def clip_inputs(rng):
    """Gradients longer than the limit, a little shorter, much shorter, and none at all."""

    def case(size, limit, D, H):
        dW_x, dW_h, db = (size * array for array in weights(rng, D, H))
        grads = {"W_x": dW_x, "W_h": dW_h, "b": db, "V": size * rng.normal(size=(H, 1))}
        return grads, limit * total_length(grads) if size else 1.0

    return [
        case(3, 0.1, 2, 3),
        case(1, 1.2, 3, 2),
        case(0.01, 0.5, 2, 4),
        case(0.01, 5, 1, 2),
        case(0, 1, 1, 2),
    ]


@exercise(
    "1.7",
    returns={"clipped": {"W_x": "D, H", "W_h": "H, H", "b": "H,", "V": "H, O"}},
    inputs=clip_inputs,
    section=("rnn", "Learning"),
)
def clip(grads, longest):
    length = total_length(grads)
    return scaled(grads, longest / length if length > longest else 1)


def total_length(grads):
    return np.sqrt(sum((gradient**2).sum() for gradient in grads.values()))


def scaled(grads, factor):
    return {name: gradient * factor for name, gradient in grads.items()}


@clip.misconception(
    "The arrays were shortened one by one, and their proportions changed: one length for all."
)
def array_by_array(grads, longest):
    return {name: clip.reference({name: gradient}, longest)[name] for name, gradient in grads.items()}


@clip.misconception("That cuts each entry, and bends the direction: only the length may change.")
def by_value(grads, longest):
    return {name: np.clip(gradient, -longest, longest) for name, gradient in grads.items()}


@clip.misconception("A short gradient grew: clipping shortens, and leaves alone what is short enough.")
def always_scaled(grads, longest):
    return scaled(grads, longest / total_length(grads))


@clip.misconception("A short gradient grew: clipping shortens, and leaves alone what is short enough.")
def always_scaled_but_zero(grads, longest):
    length = total_length(grads)
    return scaled(grads, longest / length if length else 1)


@clip.misconception("Lengths do not add up: an array of length 3 and one of length 4 have 5 together, not 7.")
def sum_of_lengths(grads, longest):
    length = sum(np.sqrt((gradient**2).sum()) for gradient in grads.values())
    return scaled(grads, longest / length if length > longest else 1)


@clip.misconception("That is the square of the length: what is missing?")
def without_the_root(grads, longest):
    length = total_length(grads) ** 2
    return scaled(grads, longest / length if length > longest else 1)


@clip.misconception("The length itself is compared with the limit: yours compares its square.")
def square_compared(grads, longest):
    length = total_length(grads)
    return scaled(grads, longest / length if length**2 > longest else 1)


@clip.misconception("The largest entry is not the length: which root of which sum is it?")
def largest_entry(grads, longest):
    length = max(np.abs(gradient).max() for gradient in grads.values())
    return scaled(grads, longest / length if length > longest else 1)


@clip.misconception("It has the length 1 now. How long may it be?")
def made_one_long(grads, longest):
    length = total_length(grads)
    return scaled(grads, 1 / length if length > longest else 1)


@clip.misconception("The factor stands upside down: a long gradient must become shorter.")
def upside_down(grads, longest):
    length = total_length(grads)
    return scaled(grads, length / longest if length > longest else 1)


@clip.misconception(
    "Squares of a mean: the length is the root of the sum of all squares, with nothing divided."
)
def root_of_the_mean(grads, longest):
    length = total_length(grads) / np.sqrt(sum(gradient.size for gradient in grads.values()))
    return scaled(grads, longest / length if length > longest else 1)


@clip.misconception("A long gradient was left out: it should be made shorter, its direction is still good.")
def thrown_away(grads, longest):
    return scaled(grads, 1 if total_length(grads) <= longest else 0)


@clip.misconception("Nothing was shortened: is the result that you computed the one that you return?")
def left_alone(grads, longest):
    return grads


@clip.misconception(
    "np.linalg.norm(…, 2) of a matrix is its largest singular value, not the root of its squares."
)
def spectral_norm(grads, longest):
    length = np.sqrt(sum(np.linalg.norm(gradient, 2) ** 2 for gradient in grads.values()))
    return scaled(grads, longest / length if length > longest else 1)


@clip.misconception("The length is measured again while arrays change: measure it once, before all.")
def measured_again(grads, longest):
    grads = dict(grads)
    for name in grads:
        length = total_length(grads)
        grads[name] = grads[name] * (longest / length if length > longest else 1)
    return grads


@clip.misconception("It is shortened twice, each array and then all: one length, one factor.")
def shortened_twice(grads, longest):
    return clip.reference(array_by_array(grads, longest), longest)


@clip.misconception("The limit is for the length of all arrays together, not a share of it for each.")
def a_share_for_each(grads, longest):
    return array_by_array(grads, longest / np.sqrt(len(grads)))


# 1.8 A memory, judged by what it does

SIGNAL, NOISE, SILENCE = 10, 0.4, 1000  # steps that a signal lasts; size of the noise; steps between signals


def state_after(w_x, w_h, b, h, x, steps):
    """The state of one unit that reads the number x for so many steps."""
    for _ in range(steps):
        h = math.tanh(w_x * x + w_h * h + b)
    return h


def about_memory(w_x, w_h, b):
    """What a unit with these weights does not do, and why."""
    what = what_it_does_not(w_x, w_h, b)
    if what and b and not what_it_does_not(w_x, w_h, 0.0):
        return f"{what.split('. ')[0]}. With b = 0 it would work: what does b do to the two sides?"
    return what


def what_it_does_not(w_x, w_h, b):
    for side, name, other in ((1, "+1", "−1"), (-1, "−1", "+1")):
        after = partial(state_after, w_x, w_h, b)
        h = after(0.0, side, SIGNAL)
        if h * after(h, 0.0, 1) < 0 < h * after(h, 0.0, 2):
            return "In silence the state changes its sign at every step: which weight does that?"
        if side * h < -0.5:
            return f"After {SIGNAL} steps of {name} the state is {h:.2f}: it arrives with the wrong sign."
        if side * h <= 0.5:
            return (
                f"After {SIGNAL} steps of {name} the state is {h:.2f}: the signal does not arrive. "
                "Which weight carries it in, and what does b do against it?"
            )
        kept = after(h, 0.0, SILENCE)
        if min(side * kept, side * after(h, 0.0, SILENCE + 1)) <= 0.5:
            return (
                f"{name} arrives, the state is {h:.2f}, but after {SILENCE} silent steps it is {kept:.2f}. "
                "For which w_h and b does h = tanh(w_h h + b) hold far from 0, on both sides?"
            )
        turned = after(kept, -side, SIGNAL)
        if -side * turned <= 0.5:
            return (
                f"{name} is kept, but {SIGNAL} steps of {other} do not turn it: the state is {turned:.2f}. "
                "Which weight must be larger, or which smaller?"
            )
        disturbed = after(kept, -side * NOISE, SILENCE)
        if side * disturbed <= 0.5:
            return (
                f"{name} is kept in silence, but noise of {-side * NOISE:g} makes it {disturbed:.2f}. "
                "Noise is weaker than a signal: which weight makes both too loud?"
            )
    return ""


@exercise(
    "1.8",
    returns={"w_x": "", "w_h": "", "b": ""},
    inputs=no_inputs,
    section=("rnn", "Why does it remember?"),
    accept=about_memory,
)
def noisy_memory():
    return 1.0, 2.0, 0.0


@noisy_memory.remark
def how_well_it_keeps(answer):
    w_x, w_h, b = map(float, answer())
    h = state_after(w_x, w_h, b, state_after(w_x, w_h, b, 0.0, 1, SIGNAL), -NOISE, SILENCE)
    return f"after {SILENCE} steps of noise against it, a plus is still {h:.2f}."
