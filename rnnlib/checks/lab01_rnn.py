"""Lab 1, the recurrent network: each exercise with its inputs, its answer and its misconceptions.

A misconception is written as the function that a student would write. Where a student's
results equal its results, the check asks the question beside it.
"""

from functools import partial

import numpy as np

from rnnlib.checks.exercise import exercise as of_lab
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


@exercise("1.1", returns={"h": "B, H"}, inputs=step_inputs, equation=("rnn-step", 1))
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


# 1.2 A whole sequence


def sequence_inputs(rng, shapes=None):
    return [
        (rng.normal(size=(B, T, D)), rng.normal(size=(B, H)), *weights(rng, D, H))
        for B, T, D, H in shapes or sizes(rng)
    ]


@exercise("1.2", returns={"hs": "B, T, H"}, inputs=sequence_inputs, equation=("rnn-sequence", 2))
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
    """Functions with a curvature, and a wide eps, so that a one-sided difference shows."""

    def case(shape, eps):
        w = rng.normal(size=shape)
        return (
            lambda x: float((w * np.sin(x)).sum() + x.sum() ** 2 + (x**3).sum()),
            rng.normal(size=shape),
            eps,
        )

    f, x, eps = case((3, 2), 1e-3)
    return [case((2, 3), 1e-3), case((4,), 1e-2), case((2, 1, 2), 1e-3), (lambda x: f(x.T), x.T, eps)]


@exercise(
    "1.3",
    returns={"grad": "the shape of x"},
    inputs=gradient_inputs,
    equation=("rnn-numerical", 3),
)
def numerical_gradient(f, x, eps):
    x = x.copy()
    return gradcheck.numerical_gradient(lambda: f(x), x, eps)


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


@numerical_gradient.misconception(
    "A central difference with this eps is less exact: do you use the eps that the function is given?"
)
def eps_ignored(f, x, eps):
    return difference(f, x, lambda moved: (moved(1e-5) - moved(-1e-5)) / 2e-5)


@numerical_gradient.misconception("a / 2 * eps is (a / 2) times eps: what should stand below the line?")
def missing_brackets(f, x, eps):
    return difference(f, x, lambda moved: (moved(eps) - moved(-eps)) / 2 * eps)


@numerical_gradient.misconception("That is how much f changes: what is it divided by to give a slope?")
def not_divided(f, x, eps):
    return difference(f, x, lambda moved: moved(eps) - moved(-eps))


@numerical_gradient.misconception(
    "All entries are 0: do both points share one array (then x.copy() helps), or is nothing stored?"
)
def one_array_for_both(f, x, eps):
    return np.zeros_like(x)


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


def step_backward_inputs(rng, shapes=None):
    """Each h comes from a real forward step: an answer may recompute tanh."""
    cases = []
    for x, h_prev, W_x, W_h, b in step_inputs(rng, shapes):
        h = rnn_step.reference(x, h_prev, W_x, W_h, b)
        cases.append((rng.normal(size=h.shape), x, h_prev, h, W_x, W_h))
    return cases


@exercise(
    "1.4",
    returns={"dx": "B, D", "dh_prev": "B, H", "dW_x": "D, H", "dW_h": "H, H", "db": "H,"},
    inputs=step_backward_inputs,
    equation=("rnn-step-backward", 4),
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
    "All weight gradients are off by exactly 1/B: the loss decides about means, not the layer."
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
    "W_h stands transposed in dh_prev: forward, h @ W_h sums over its first axis."
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
