"""What an exercise can be: toy exercises of each kind, right and wrong answers to them."""

import json
import re
from functools import lru_cache, partial

import numpy as np
import pytest

from rnnlib import checks
from rnnlib.checks import exercise as exercises
from rnnlib.checks.calls import Recording, call
from rnnlib.checks.verdicts import VALUES_MIME, Crashed, NotFilledIn, TimedOut, WrongAnswer


@pytest.fixture
def toy(monkeypatch):
    """The decorator that makes an exercise of a lab of its own."""
    monkeypatch.setitem(exercises.EXERCISES, "toy", {})
    return partial(exercises.exercise, "toy", section=("rnn", "One step"))


def says(exercise, answer, kind=WrongAnswer):
    with pytest.raises(kind) as caught:
        exercise(answer)
    return str(caught.value)


def drawn(*shape):
    return lambda rng: [(rng.normal(size=shape),) for _ in range(3)]


def test_a_number(toy):
    @toy("1", returns={"mean": ""}, inputs=drawn(4))
    def mean(x):
        return x.mean()

    assert mean(lambda x: float(sum(x) / 4))
    assert mean(lambda x: np.array(x.sum() / 4))
    assert "it should be" in says(mean, lambda x: x.sum())
    assert "mean has shape (4,), it should be a single number" in says(mean, lambda x: x)
    assert "must be a number, yours is of type str" in says(mean, str)


def test_whole_numbers_and_yes_or_no(toy):
    @toy("1", returns={"count": "", "any": ""}, inputs=drawn(5))
    def positive(x):
        return int((x > 0).sum()), bool((x > 0).any())

    assert positive(lambda x: (np.sum(x > 0), np.any(x > 0)))
    assert "count is " in says(positive, lambda x: (99, True))
    assert "any is False, it should be True" in says(positive, lambda x: ((x > 0).sum(), x.max() < 0))
    assert "any must be True or False" in says(positive, lambda x: ((x > 0).sum(), 1))


def test_arrays_by_name_in_dicts_and_in_nested_tuples(toy):
    def reference(x):
        return x.sum(), {"h": x + 1, "state": (x, 2 * x)}

    returns = {"y": "", "out": {"h": "N,", "state": {"a": "N,", "b": "N,"}}}
    nested = toy("1", returns=returns, inputs=drawn(4))(reference)
    passed = nested(lambda x: [x.sum(), {"state": [x, x + x], "h": x + 1, "more": None}])
    assert sorted(passed.values[0]) == ["out['h']", "out['state']: a", "out['state']: b", "y"]
    assert "out['state']: b[0] is" in says(nested, lambda x: (x.sum(), {"h": x + 1, "state": (x, x)}))
    assert "'state' is missing" in says(nested, lambda x: (x.sum(), {"h": x + 1}))
    assert "must hold a dict with the keys 'h', 'state'" in says(nested, lambda x: (x.sum(), x))
    assert "must hold 2 results (a, b)" in says(nested, lambda x: (x.sum(), {"h": x + 1, "state": x[:3]}))


def test_changed_lists_and_dicts_are_seen(toy):
    @toy("1", returns={"total": ""}, inputs=lambda rng: [([1.0, 2.0], {"a": rng.normal(size=2)})])
    def total(numbers, tree):
        return sum(numbers) + tree["a"].sum()

    def takes_out(numbers, tree):
        return numbers.pop() + numbers[0] + tree["a"].sum()

    def scales(numbers, tree):
        result = sum(numbers) + tree["a"].sum()
        tree["a"] *= 2
        return result

    assert "the caller's numbers has changed" in says(total, takes_out)
    assert "the caller's tree has changed" in says(total, scales)


def test_a_generator_as_argument(toy):
    @toy("1", returns={"x": "N,"}, inputs=lambda rng: [(rng, 4)])
    def draw(rng, n):
        return rng.normal(size=n)

    assert draw(lambda rng, n: np.array([rng.normal() for _ in range(n)]))
    assert "entries are wrong" in says(draw, lambda rng, n: rng.uniform(size=n))


def test_a_drive_plays_with_a_class_and_with_a_closure(toy):
    def played(Mean, x):
        mean = Mean()
        for value in x:
            mean.add(value)
        return mean.value(), mean.count

    @toy("1", returns={"value": "", "count": ""}, inputs=drawn(4), drive=played)
    class Mean:
        def __init__(self):
            self.total, self.count = 0.0, 0

        def add(self, value):
            self.total, self.count = self.total + value, self.count + 1

        def value(self):
            return self.total / self.count

    class Forgetful(Mean.reference):
        def add(self, value):
            self.total, self.count = value, self.count + 1

    class Unfinished(Mean.reference):
        def value(self):
            return self.totl

    assert Mean(Mean.reference)
    assert "value is" in says(Mean, Forgetful)
    assert "has no attribute 'totl'" in says(Mean, Unfinished, Crashed)

    @toy("2", returns={"y": ""}, inputs=drawn(3), drive=lambda make, x: make(2.0)(x[0]))
    def scaled_by(factor):
        return lambda value: factor * value

    assert scaled_by(lambda factor: factor.__mul__)
    assert "y is" in says(scaled_by, lambda factor: lambda value: factor + value)


def test_a_recording_tells_who_called_with_what(toy):
    @toy("1", returns={"total": ""}, inputs=lambda rng: [(lambda a, b: a + b, rng.normal(size=4))])
    def fold(combine, x):
        return combine(combine(x[0], x[1]), combine(x[2], x[3]))

    @fold.must
    def few_calls(answer, combine, x):
        combine = Recording(combine)
        call(answer, (combine, x))
        return "" if len(combine.calls) == 3 else f"combine was called {len(combine.calls)} times."

    assert fold(lambda combine, x: combine(combine(combine(x[0], x[1]), x[2]), x[3]))
    assert "combine was called 0 times." in says(fold, lambda combine, x: x.sum())


def test_a_property_has_its_sentence(toy):
    @toy("1", returns={"z": "T,"}, inputs=drawn(6))
    def scaled(x):
        return (x - x[:4].mean()) / x[:4].std()

    @scaled.must
    def the_future_plays_no_part(answer, x):
        later = np.append(x[:5], 9.0)
        return (
            "" if np.allclose(answer(x)[:4], answer(later)[:4]) else "A test day changes a training number."
        )

    assert scaled(scaled.reference)
    assert "A test day changes a training number." in says(scaled, lambda x: (x - x.mean()) / x.std())


def test_a_step_handed_in_hides_nobodys_mistake(toy):
    def inputs(rng):
        return [(lambda x, h: np.tanh(x + h), rng.normal(size=5))]

    @toy("1", returns={"hs": "T,"}, inputs=inputs)
    def unrolled(step, x):
        hs, h = [], 0.0
        for value in x:
            h = step(value, h)
            hs.append(h)
        return np.array(hs)

    assert unrolled(unrolled.reference)
    message = says(unrolled, lambda step, x: np.array([step(value, 0.0) for value in x]))
    assert "Step 1 is right, steps 2 to 5 are not." in message


def test_what_an_accept_refuses_is_wrong_in_the_notebook_and_for_the_grader(toy):
    def about(a, b):
        return "" if a * b > 1 else f"{a:g} times {b:g} is not above 1."

    @toy("1", returns={"a": "", "b": ""}, inputs=lambda rng: [()], accept=about)
    def large():
        return 2.0, 3.0

    passed = large(lambda: (5, 0.5))
    values = json.loads(json.dumps(passed._repr_mimebundle_()[VALUES_MIME]))
    assert large.judge(values) == ""
    assert "0.5 times 1 is not above 1." in says(large, lambda: (0.5, 1.0))
    assert "a is nan" in says(large, lambda: (np.nan, 1.0))
    assert "a must be a number" in says(large, lambda: ("2", 1.0))
    forged = [
        [{"a": 0.5, "b": 1.0}],
        [{"a": float("nan"), "b": 1.0}],
        [{"a": "2", "b": "3"}],
        [{"a": [2.0], "b": 3.0}],
        [{"a": 10**400, "b": 3}],
        [{"a": True, "b": 3}],
        [{"a": None, "b": 3}],
        [{"b": 3.0}],
        [{"a": 2.0, "b": 3.0}] * 2,
        [],
        7,
        None,
        {"a": 2.0, "b": 3.0},
    ]
    assert all(large.judge(each) for each in forged)


def test_tolerance_follows_the_arrays_size_and_its_precision(toy):
    @toy("1", returns={"y": "N,"}, inputs=lambda rng: [(1e-8 * rng.normal(size=4),)])
    def tiny(x):
        return 3 * x

    assert "it should be" in says(tiny, lambda x: x)
    assert tiny(lambda x: x + x + x)

    @toy("2", returns={"y": "N,"}, inputs=lambda rng: [(rng.normal(size=4).astype(np.float32),)])
    def single(x):
        return np.exp(x)

    assert single(lambda x: np.exp(x.astype(float)).astype(np.float32) * np.float32(1 + 1e-6))
    assert single(lambda x: np.exp(x.astype(float)))
    assert "it should be" in says(single, lambda x: np.exp(x) * np.float32(1.01))


def test_a_result_stored_by_shape_is_seen(toy):
    @toy("1", returns={"y": "N,"}, inputs=lambda rng: [(rng.normal(size=n),) for n in (2, 3)])
    def doubled(x):
        return 2 * x

    stored = {}

    def by_shape(x):
        return stored.setdefault(x.shape, 2 * x)

    assert "it should be" in says(doubled, by_shape)


def test_nothing_runs_for_ever(toy, monkeypatch):
    monkeypatch.setattr(exercises, "LIMIT", 0.2)

    @toy("1", returns={"y": "N,"}, inputs=drawn(2))
    def same(x):
        return x

    def endless(x):
        while True:
            try:
                x = x + 1
            except Exception:
                pass

    assert "did not finish in 0.2 seconds: is there an endless loop?" in says(same, endless, TimedOut)
    assert same(lambda x: x)


def test_labs_may_name_exercises_alike(toy):
    @toy("1", returns={"h": "N,"}, inputs=drawn(2))
    def rnn_step(x):
        return x

    assert exercises.EXERCISES["toy"]["rnn_step"] is rnn_step
    assert exercises.EXERCISES["01_rnn"]["rnn_step"] is checks.rnn_step


def defined(source, **scope):
    scope = {"np": np, **scope}
    exec(source, scope)
    return scope


def test_values_from_outside_are_named():
    scope = defined(
        "def rnn_step(x, h_prev, W_x, W_h, b):\n    return np.tanh(x @ W_x + h_prev @ W_h + bias)",
        bias=np.ones(4),
    )
    message = says(checks.rnn_step, scope["rnn_step"])
    assert "It reads bias from outside: what the check hands in is x, h_prev, W_x, W_h, b." in message


def test_a_cache_is_no_place_for_arrays():
    source = (
        "@lru_cache\ndef rnn_step(x, h_prev, W_x, W_h, b):\n    return np.tanh(x @ W_x + h_prev @ W_h + b)"
    )
    message = says(checks.rnn_step, defined(source, lru_cache=lru_cache)["rnn_step"], Crashed)
    assert "cannot be a key of a dict, or an argument of a function under @cache" in message


@pytest.mark.parametrize("values", [{}, {"x": np.ones((2, 3))}])
def test_a_parameter_with_letters_that_look_alike_is_named(values):
    alike = "\N{CYRILLIC SMALL LETTER HA}"
    source = f"def rnn_step({alike}, h_prev, W_x, W_h, b):\n    return np.tanh(x @ W_x + h_prev @ W_h + b)"
    message = says(checks.rnn_step, defined(source, **values)["rnn_step"], WrongAnswer if values else Crashed)
    assert f"The parameter {alike} is written with CYRILLIC SMALL LETTER HA." in message


@pytest.mark.parametrize(
    "body",
    [
        "return np.stack([rnn_step(x[:, t], h0, W_x, W_h, b) for t in range(x.shape[1])], axis=1)",
        "return walk(x, h0, W_x, W_h, b)",
    ],
)
def test_a_cell_that_was_not_run_is_named(body):
    scope = defined(
        f"def walk(x, h, *weights):\n    return rnn_step(x[:, 0], h, *weights)\n"
        f"def rnn_sequence(x, h0, W_x, W_h, b):\n    {body}"
    )
    message = says(checks.rnn_sequence, scope["rnn_sequence"], kind=(WrongAnswer, NotFilledIn))
    assert "un the cell of Exercise 1.1 rnn_step first" in message


def test_a_method_of_the_same_name_is_no_exercise():
    scope = defined(
        "def rnn_step(x, h_prev, W_x, W_h, b):\n"
        "    return np.tanh(np.clip(x @ W_x + h_prev @ W_h, -99, 99) + b)"
    )
    assert checks.rnn_step(scope["rnn_step"])


def answer_above_which_the_raise_stands(x, h_prev, W_x, W_h, b):
    raise NotImplementedError("Exercise 1.1 rnn_step")
    return np.tanh(x @ W_x + h_prev @ W_h + b)


def test_the_raise_that_still_stands_above_is_named():
    message = says(checks.rnn_step, answer_above_which_the_raise_stands, NotFilledIn)
    assert "the raise still stands above your answer and ends the call: delete that line" in message


def test_the_example_can_be_worked_by_hand():
    case = checks.rnn_step.example()
    assert list(case) == ["x", "h_prev", "W_x", "W_h", "b"]
    assert all(np.size(value) == 1 and round(float(value.squeeze()), 1) == value for value in case.values())
    message = says(checks.rnn_step, lambda *a: 2 * checks.rnn_step.reference(*a))
    assert f"give h = {checks.rnn_step.reference(*case.values()).item():.3g}".replace("-", "−") in message


T = 7  # an axis that an answer may read from outside


def test_a_crash_names_a_length_that_was_read_from_outside(toy):
    @toy("1", returns={"last": "B,"}, inputs=drawn(2, 3))
    def last(x):
        return x[:, -1]

    assert "It reads T from outside" in says(last, lambda x: x[:, T - 1], Crashed)


def test_a_crash_tells_the_shapes_in_dicts_and_tuples_and_the_keys_of_a_dict(toy):
    @toy(
        "1",
        returns={"y": "B,"},
        inputs=lambda rng: [({"W": rng.normal(size=(3, 4))}, (rng.normal(size=2), rng.normal(size=5)))] * 2,
    )
    def of_both(w, state):
        return state[0]

    message = says(of_both, lambda w, state: state[0] + state[1], Crashed)
    assert 'w["W"] (3, 4), state[0] (2,), state[1] (5,)' in message
    assert "w holds W." in says(of_both, lambda w, state: w["V"], Crashed)


def test_results_in_another_order_inside_a_pair(toy):
    @toy("1", returns={"y": "B,", "state": {"a": "B,", "b": "B,"}}, inputs=drawn(4))
    def step(x):
        return x + 1, (x + 2, x + 3)

    assert step(lambda x: [x + 1, [x + 2, x + 3]])
    assert "return y, (a, b)" in says(step, lambda x: (x + 1, (x + 3, x + 2)))
    assert "must return 2 results" in says(step, lambda x: x + 1)


def test_a_difference_in_the_last_digits_is_shown(toy):
    @toy("1", returns={"y": "B,"}, inputs=drawn(4))
    def same_again(x):
        return x

    got, wanted = re.search(
        r"is (\S+), it should be (\S+),", says(same_again, lambda x: x * (1 + 3e-6))
    ).groups()
    assert got != wanted
