"""What a check says: right answers pass however they are written, wrong ones are named."""

import builtins
import inspect
import json
import re
from types import SimpleNamespace

import numpy as np
import pytest

from rnnlib import checks
from rnnlib.checks import (
    lab01_mistakes,
    lab03_mistakes,
    lab04_mistakes,
    lab05_mistakes,
    lab06_block,
    lab06_mistakes,
)
from rnnlib.checks.parts import evidence
from rnnlib.checks.verdicts import VALUES_MIME, NotFilledIn, WrongAnswer
from rnnlib.grading.comparison import same_values
from rnnlib.tests.grading.submissions import ROOT

EXERCISES = [getattr(checks, name) for name in checks.__all__]
exercises = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
misconceptions = pytest.mark.parametrize(
    ("exercise", "function", "sentence"),
    [
        pytest.param(e, *mistake, marks=[] if e.lab == "01_rnn" else pytest.mark.slow)
        for e in EXERCISES
        for mistake in e.misconceptions
    ],
    ids=lambda value: getattr(value, "__name__", None),
)


def verdict(exercise, function):
    with pytest.raises(WrongAnswer) as caught:
        exercise(function)
    message = str(caught.value)
    assert message.startswith(f"{exercise.title}: ")
    assert "\n" not in message
    assert caught.value._render_traceback_() == [f"✗ {message}"]
    return message


@exercises
def test_the_reference_passes_with_its_values(exercise):
    passed = exercise(exercise.reference)
    bundle = passed._repr_mimebundle_()
    assert bundle["text/plain"].startswith(f"✓ {exercise.title}")
    values = bundle[VALUES_MIME]
    assert json.loads(json.dumps(values)) == values
    numbers = [v for case in values for part in case.values() for v in np.ravel(part)]
    assert 2 < len(numbers) <= 200
    for case, shown in zip(exercise.inputs(np.random.default_rng(0)), values, strict=True):
        for piece in exercise.pieces(exercise.call(exercise.reference, case).value):
            value, listed = np.ravel(piece.value), np.ravel(shown[piece.name])
            if value.dtype.kind == "U":
                assert (listed == value).all()
            elif len(listed) == len(value):
                np.testing.assert_allclose(listed, value, rtol=1e-5)
            else:  # too many to travel: sums with random factors, of the same size
                assert len(listed) < len(value)
                assert 0.1 < np.std(listed) / np.std(value) < 10


def test_evidence_of_large_arrays_moves_with_each_entry():
    exercise = checks.rnn_sequence_backward
    result = exercise.reference(*exercise.inputs(np.random.default_rng(0))[0])
    pieces = exercise.pieces(result)
    before = evidence(pieces, 20)
    assert sum(map(len, before.values())) == 20
    for place, piece in enumerate(pieces):
        for i in np.ndindex(piece.value.shape):
            changed = piece.value.copy()
            changed[i] += 0.01 * np.abs(changed).max()
            after = evidence([*pieces[:place], piece._replace(value=changed), *pieces[place + 1 :]], 20)
            assert not same_values(before, after)


@misconceptions
@pytest.mark.parametrize("seeds", [range(1), pytest.param(range(1, 5), marks=pytest.mark.slow)], ids=str)
def test_a_misconception_is_named_as_itself_and_no_other(exercise, function, sentence, seeds):
    for seed in seeds:
        with pytest.raises(WrongAnswer) as caught:
            exercise(function, seed=seed)
        named = [other for other in {s for _, s in exercise.misconceptions} if other in str(caught.value)]
        assert named == [sentence]


def test_right_answers_written_in_other_ways_pass():
    def step(x, h_prev, W_x, W_h, b):
        a = np.concatenate([x, h_prev], axis=1) @ np.concatenate([W_x, W_h]) + b[None]
        return (np.exp(a) - np.exp(-a)) / (np.exp(a) + np.exp(-a))

    def step_with_loops(x, h_prev, W_x, W_h, b):
        h = np.empty_like(h_prev)
        for i in range(len(x)):
            for j in range(len(b)):
                h[i, j] = np.tanh(sum(x[i] * W_x[:, j]) + sum(h_prev[i] * W_h[:, j]) + b[j])
        return h

    def sequence(x, h0, W_x, W_h, b):
        states = [h0]
        for x_t in np.moveaxis(x, 1, 0):
            states.append(step(x_t, states[-1], W_x, W_h, b))
        return np.stack(states[1:], axis=1)

    def gradient(f, x, eps=1e-5):
        result = []
        for i in range(x.size):
            moved = np.zeros(x.size)
            moved[i] = eps
            moved = moved.reshape(x.shape)
            result.append((f(x + moved) - f(x - moved)) / eps / 2)
        return np.reshape(result, x.shape)

    def gradient_in_place(f, x, eps=1e-5):
        grad = np.empty(x.shape)
        with np.nditer(x, flags=["multi_index"], op_flags=["readwrite"]) as entries:
            for entry in entries:
                entry += eps
                above = f(x)
                entry -= 2 * eps
                grad[entries.multi_index] = (above - f(x)) / (2 * eps)
                entry += eps  # puts back, up to the last digit
        return grad

    def backward(dh, x, h_prev, h, W_x, W_h):
        da = dh / np.cosh(np.arctanh(h)) ** 2
        ones = np.ones(len(x))
        return [
            np.einsum("bh,dh->bd", da, W_x),
            np.einsum("bh,kh->bk", da, W_h),
            np.einsum("bd,bh->dh", x, da),
            sum(np.outer(h_i, da_i) for h_i, da_i in zip(h_prev, da, strict=True)),
            ones @ da,
        ]

    assert repr(checks.rnn_step(step)) == "✓ Exercise 1.1 rnn_step"
    checks.rnn_step(step_with_loops)
    checks.rnn_sequence(sequence)
    checks.numerical_gradient(gradient)
    checks.numerical_gradient(gradient_in_place)
    checks.rnn_step_backward(backward)


@exercises
def test_an_open_gap_is_told(exercise):
    def gap(*arguments):
        raise NotImplementedError(exercise.title)

    with pytest.raises(NotFilledIn, match="not filled in yet"):
        exercise(gap)


def test_a_gap_further_down_is_told_by_its_name():
    def sequence(*arguments):
        raise NotImplementedError("Exercise 1.1 rnn_step")

    with pytest.raises(
        NotFilledIn, match=r"1.2 rnn_sequence: it calls Exercise 1\.1 rnn_step, which is not filled"
    ):
        checks.rnn_sequence(sequence)


def test_a_wrong_helper_is_told_before_its_caller():
    scope = {"np": np}
    exec(
        "def rnn_step(x, h_prev, W_x, W_h, b):\n    return np.tanh(x @ W_x + h_prev @ W_h)\n"
        "def rnn_sequence(x, h0, W_x, W_h, b):\n    hs, h = [], h0\n    for t in range(x.shape[1]):\n"
        "        h = rnn_step(x[:, t], h, W_x, W_h, b)\n        hs.append(h)\n"
        "    return np.stack(hs, axis=1)",
        scope,
    )
    message = verdict(checks.rnn_sequence, scope["rnn_sequence"])
    assert "it calls your rnn_step, which is not right yet: begin with Exercise 1.1 rnn_step" in message
    scope["rnn_step"] = right
    checks.rnn_sequence(scope["rnn_sequence"])


def test_a_fixed_number_of_steps_does_not_pass():
    def sequence(x, h0, W_x, W_h, b):
        return checks.rnn_sequence.reference(x[:, :5], h0, W_x, W_h, b)[:, [0, 1, 2, 3, -1]]

    assert "hs has shape" in verdict(checks.rnn_sequence, sequence)


def test_input_in_a_notebook_is_no_gap():
    class StdinNotImplementedError(NotImplementedError):
        pass

    def asks(*arguments):
        raise StdinNotImplementedError("raw_input was called")

    assert "rnn_step stopped with StdinNotImplementedError" in verdict(checks.rnn_step, asks)


right = checks.rnn_step.reference
right_backward = checks.rnn_step_backward.reference


def changes_its_input(x, h_prev, W_x, W_h, b):
    h = right(x, h_prev, W_x, W_h, b)
    h_prev += 1
    return h


def changes_a_single_row(x, h_prev, W_x, W_h, b):
    h = right(x, h_prev, W_x, W_h, b)
    if len(x) == 1:
        b += 1e-4
    return h


def breaks_lines(*arguments):
    raise ValueError("first\nsecond")


def calls_exit(*arguments):
    raise SystemExit


def yields_rows(*arguments):
    yield from right(*arguments)


async def waits(*arguments):
    return right(*arguments)


def types_a_cyrillic_x(x, h_prev, W_x, W_h, b):
    return np.tanh(х @ W_x)  # noqa: F821


def forgets_a_greek_name(x, h_prev, W_x, W_h, b):
    return σ(x @ W_x)  # noqa: F821


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (3, "rnn_step must be a function, yours is of type int."),
        (lambda *a: None, "rnn_step returned None. Is the return missing?"),
        (lambda *a: right(*a).tolist(), "h must be a NumPy array, yours is of type list."),
        (
            lambda *a: (right(*a),),
            "h must be a NumPy array, yours is of type tuple. Is there a comma too many?",
        ),
        (lambda *a: "h", "h must be a NumPy array, yours is of type str."),
        (lambda *a: right(*a).T, "h has shape (4, 3), it should be (B, H) = (3, 4)."),
        (lambda *a: right(*a)[:1], "h has shape (1, 4), it should be (B, H) = (3, 4)."),
        (lambda *a: right(*a).astype(int), "h has dtype int64, it should hold floating-point numbers."),
        (lambda *a: right(*a).astype(complex), "h has dtype complex128"),
        (lambda *a: right(*a).astype(object), "h has dtype object"),
        (lambda *a: right(*a) * np.nan, "h[0, 0] is nan."),
        (lambda *a: right(*a) / np.zeros(4), "h[0, 0] is -inf."),
        (lambda *a: right(*a) + 1e-4, "12 of 12 entries are wrong."),
        (lambda *a: right(*a) + 1e-4 * np.eye(len(a[0]), 4, k=1), "h[0, 1] is "),
        (changes_its_input, "your result is right, but the caller's h_prev has changed."),
        (changes_a_single_row, "your result is right, but the caller's b has changed."),
        (breaks_lines, "rnn_step stopped with ValueError: first second in line"),
        (lambda x: x, "rnn_step stopped with TypeError: "),
        (
            lambda *a: a[0] @ a[0],
            "ValueError: the shapes on both sides of @ do not fit, 2 columns meet 3 rows in line",
        ),
        (calls_exit, "rnn_step stopped with SystemExit"),
        (
            yields_rows,
            "h must be a NumPy array, yours is a generator: collect what it yields, and return it.",
        ),
        (waits, "async def returns something to wait for, no result: write def."),
        (types_a_cyrillic_x, "х is written with CYRILLIC SMALL LETTER HA. The function gets x, h_prev,"),
        (forgets_a_greek_name, "σ is written with GREEK SMALL LETTER SIGMA. The function gets x, h_prev,"),
    ],
)
def test_each_kind_of_failure_has_its_sentence(answer, sentence):
    with np.errstate(all="ignore"):
        assert sentence in verdict(checks.rnn_step, answer)


def test_a_generator_in_place_of_a_dict_is_called_one():
    for check in (checks.clip, checks.find_mistakes):
        assert " a generator" in verdict(check, lambda *_: (number for number in (1, 2)))


def test_random_numbers_that_a_notebook_replaces_are_not_the_checks(monkeypatch):
    values = checks.rnn_step(right).values
    monkeypatch.setattr(np.random, "default_rng", lambda seed=None, make=np.random.default_rng: make(3))
    assert checks.rnn_step(right).values == values


def test_rounding_is_no_mistake():
    checks.rnn_step(lambda *a: right(*a) + 1e-9)
    message = verdict(checks.rnn_step, lambda *a: right(*a) + 1e-5)
    assert "12 of 12 entries are wrong" in message


def test_several_results_are_counted_and_named():
    message = verdict(checks.rnn_step_backward, lambda *a: right_backward(*a)[:3])
    assert "must return 5 results (dx, dh_prev, dW_x, dW_h, db), yours returned 3." in message
    message = verdict(checks.rnn_step_backward, lambda *a: right_backward(*a)[::-1])
    assert "dx has shape (4,), it should be (B, D) = (3, 2)." in message


def test_an_error_names_the_line():
    def divides(x, h_prev, W_x, W_h, b):
        return x / W_x

    assert "in line" in verdict(checks.rnn_step, divides)
    assert "return x / W_x" in verdict(checks.rnn_step, divides)


def test_values_that_are_right_for_one_size_only_fail():
    stored = right(*checks.rnn_step.inputs(np.random.default_rng(0))[0])
    verdict(checks.rnn_step, lambda *a: stored)


@exercises
def test_every_sentence_points_to_a_section_of_the_book(exercise):
    chapter = (ROOT / "book" / f"{exercise.section[0]}.md").read_text(encoding="utf-8")
    for section in [exercise.section, *exercise.sections.values()]:
        assert re.search(rf"^##+ {re.escape(section[1])}$", chapter, re.MULTILINE)


def test_a_failure_shows_its_link_below_itself(monkeypatch):
    shown, callbacks = [], []
    shell = SimpleNamespace(
        events=SimpleNamespace(
            register=lambda when, show: callbacks.append(show),
            unregister=lambda when, show: callbacks.remove(show),
        ),
        display_pub=SimpleNamespace(publish=shown.append),
    )
    monkeypatch.setattr(builtins, "get_ipython", lambda: shell, raising=False)
    with pytest.raises(WrongAnswer) as caught:
        checks.rnn_sequence_backward(misconception("carried_by_W_h"))
    caught.value._render_traceback_()
    assert shown == []
    callbacks[0]()
    assert "[One step backward](../book/rnn.md#One-step-backward)" in shown[0]["text/markdown"]
    assert callbacks == []


def misconception(name):
    return next(f for e in EXERCISES for f, _ in e.misconceptions if f.__name__ == name)


def first_case(exercise):
    return exercise.inputs(np.random.default_rng(0))[0]


def long_and_positive():
    """A case of a scan with a long memory at first, then a short one: the product of all factors is 0."""
    rng = np.random.default_rng(0)
    a, b = rng.uniform(0.1, 0.9, size=(2, 1, 2001, 1))
    a[:, :1100] **= 0.01
    return checks.combine.reference, a, b, np.ones((1, 1))


def judged_by(exercise, case=None):
    """What each version is compared with: (version) -> its arguments and the right function."""
    return lambda version: (case or first_case(exercise), exercise.reference)


def pieces_of_mamba(version):
    """Lab 6's versions A and B go from p to y, C goes back through a step of time."""
    if version == "C":
        return judged_by(checks.discretise_backward)(version)
    rng = np.random.default_rng(0)
    return (lab06_block.weights_of(rng, E=3, N=2, K=4, R=1), rng.normal(size=(2, 6, 3))), lab06_block.sequence


@pytest.mark.parametrize(
    ("find", "judge", "versions", "mended"),
    [
        (
            checks.find_mistakes,
            judged_by(checks.rnn_sequence_backward),
            lab01_mistakes.VERSIONS,
            {
                "A": ("da @ W_h", "da @ W_h.T"),
                "B": (
                    "hs[:, np.arange(x.shape[1]) - 1]",
                    "np.concatenate([h0[:, None], hs[:, :-1]], axis=1)",
                ),
                "C": ("np.tanh(hs) ** 2", "hs**2"),
            },
        ),
        (
            checks.find_lstm_mistakes,
            judged_by(checks.lstm_sequence_backward),
            lab03_mistakes.VERSIONS,
            {
                "A": ("dc * i * g * (1 - g)", "dc * i * (1 - g**2)"),
                "B": ("dc = dh * o[:, t]", "dc = dc + dh * o[:, t]"),
                "C": ("cs[:, 1:]", "cs[:, :-1]"),
            },
        ),
        (
            checks.find_gru_mistakes,
            judged_by(checks.gru_sequence_backward),
            lab04_mistakes.VERSIONS,
            {
                "A": ("dh * z +", "dh * (1 - z) +"),
                "B": ("h_prev, da)", "h_prev, np.stack([*da[:2], da[2] * r]))"),
                "C": ("(n - h)", "(n - h_prev)"),
            },
        ),
        (
            checks.find_scan_mistakes,
            judged_by(checks.parallel_scan, long_and_positive()),
            lab05_mistakes.VERSIONS,
            {
                "A": ("2 * distance", "distance"),
                "B": ("S[:, chunk]", "hs[:, chunk]"),
                "C": ("np.log(np.cumsum(np.exp(terms), axis=1))", "np.logaddexp.accumulate(terms, axis=1)"),
            },
        ),
        (
            checks.find_mamba_mistakes,
            pieces_of_mamba,
            lab06_mistakes.VERSIONS,
            {
                "A": ("(K // 2, K - 1 - K // 2)", "(K - 1, 0)"),
                "B": (
                    'delta[:, :, None] * np.exp(-np.exp(w["A_log"]))',
                    'np.exp(delta[:, :, None] * -np.exp(w["A_log"]))',
                ),
                "C": ("dA = ", "dA += "),
            },
        ),
    ],
    ids=["rnn", "lstm", "gru", "scan", "mamba"],
)
def test_the_mistakes_to_find_are_where_the_exercise_says(find, judge, versions, mended):
    for version, (line, _) in find.reference().items():
        case, reference = judge(version)
        right = reference(*case)
        function = versions[version]
        lines = inspect.getsource(function).splitlines()
        with np.errstate(over="ignore"):  # one of the mistakes is an overflow
            assert not all(map(np.allclose, function(*case), right))
        old, new = mended[version]
        assert lines[line].count(old) == 1
        lines[line] = lines[line].replace(old, new)
        scope = dict(function.__globals__)
        exec("\n".join(lines), scope)
        assert all(map(np.allclose, scope[function.__name__](*case), right))


@pytest.mark.parametrize(
    ("find", "given_away"),
    [
        (checks.find_mistakes, r"line (9|3)\b|\bb\b"),
        (checks.find_lstm_mistakes, r"line (10|8)\b|\b[de]\b"),
        (checks.find_gru_mistakes, r"line (13|14)\b|\b[eg]\b"),
        (checks.find_scan_mistakes, r"line (3|9)\b|\b[bdf]\b"),
        (checks.find_mamba_mistakes, r"line (2|11|6)\b|\b[beg]\b"),
    ],
)
def test_the_answer_to_find_the_mistake_is_not_given_away(find, given_away):
    right = find.reference()
    for wrong in (
        {version: (5, "c") for version in right},
        {version: (line, "c") for version, (line, _) in right.items()},
    ):
        message = verdict(find, lambda wrong=wrong: wrong)
        assert not re.search(given_away, message.replace(find.name, ""))
    (a, why_a), (b, why_b), c = right.values()
    assert find(lambda: {"A": [a, why_a.upper()], "B": (np.int64(b), f" {why_b} "), "C": c})


@pytest.mark.parametrize(
    ("w_x", "b", "sentence"),
    [
        ([0, 0, 0, 10], [10, 10, 0, 1], "what is written when x = 0"),
        ([20, 0, 0, 1], [-10, 10, 0, 0], "One signal makes the cell 0.76"),
        ([20, 0, 0, 10], [-10, 3, 0, 0], "after 200 silent steps the cell is 0.00"),
        ([20, -10, 0, 10], [-10, 10, 0, 0], "A second signal makes the cell 1.50"),
        ([20, 0, 0, 10], [-10, 7.65, 0, 0], "40 signals in 120 steps make 38.9"),
    ],
)
def test_a_counter_is_told_what_it_does_not_do(w_x, b, sentence):
    weights = np.array(w_x, dtype=float), np.zeros(4), np.array(b, dtype=float)
    assert sentence in verdict(checks.counter, lambda: weights)


@pytest.mark.parametrize(
    ("mark", "b_z", "value", "sentence"),
    [
        (-60, 30, 1, "here z = 1 takes the new"),
        (60, -30, 2, "A marked 0.8 makes the state 0.922 (it was -0.6), not tanh(0.8) = 0.664"),
        (20, -20, 1, "how far is z open at a mark"),
        (20, -10, 1, "after 404 steps without a mark"),
        (0, -30, 1, "A marked 0.8 makes the state -0.600"),
    ],
)
def test_a_unit_that_should_hold_is_told_what_it_does_not_do(mark, b_z, value, sentence):
    weights = np.array([[0, 0], [0, mark], [value, 0.0]]), np.zeros(3), np.array([0, b_z, 0.0]), 0.0
    assert sentence in verdict(checks.sample_and_hold, lambda: weights)


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (lambda W_x, W_h, b: (W_x, W_h, b), "must return 4 results (W_x, W_h, b, b_h), yours returned 3"),
        (lambda W_x, W_h, b: (W_x, W_h, b, b), "W_x has shape (2, 6), it should be (3, D, H) = (3, 2, 6)"),
        (
            lambda W_x, W_h, b: (*checks.rnn_as_gru.reference(W_x, W_h, b)[:3], 0.0),
            "b_h has shape (), it should be (H,)",
        ),
    ],
)
def test_weights_of_another_shape_are_told(made, sentence):
    assert sentence in verdict(checks.rnn_as_gru, made)


def test_a_plain_network_inside_a_gru_may_share_its_bias_out():
    def shared_out(W_x, W_h, b):
        *others, biases, _ = checks.rnn_as_gru.reference(W_x, W_h, b)
        return *others, biases - np.stack([0 * b, 0 * b, b / 3]), b / 3

    assert checks.rnn_as_gru(shared_out)


def test_a_sigmoid_that_overflows_on_the_way_is_told():
    def two_branches(x):
        return np.where(x >= 0, 1 / (1 + np.exp(-x)), np.exp(x) / (1 + np.exp(x)))

    assert "overflowed on the way" in verdict(checks.sigmoid, lambda x: 1 / (1 + np.exp(-x)))
    assert "np.where computes both" in verdict(checks.sigmoid, two_branches)
    assert "what is small" in verdict(checks.sigmoid, lambda x: (1 + np.tanh(x / 2)) / 2)


def test_a_list_of_unequal_lists_is_told():
    def ragged(x, h0, c0, W_x, W_h, b):
        hs, cs, gates = checks.lstm_sequence.reference(x, h0, c0, W_x, W_h, b)
        return [hs[0].tolist(), hs[0, 1:].tolist()], cs, gates

    assert "hs" in verdict(checks.lstm_sequence, ragged)


@pytest.mark.parametrize(
    ("weights", "sentence"),
    [
        ((0.1, 0.9, 0.0), "the signal does not arrive"),
        ((0.1, 2.0, 0.0), "do not turn it"),
        ((-1.0, 2.0, 0.0), "it arrives with the wrong sign"),
        ((1.0, 0.9, 0.0), "after 1000 silent steps it is 0.00"),
        ((1.0, -3.0, 0.0), "changes its sign at every step"),
        ((1.0, 2.0, 0.3), "noise of"),
        ((1.0, 3.0, 0.0), "do not turn it"),
        ((5.0, 2.0, 0.0), "noise of -0.4 makes it"),
    ],
)
def test_a_memory_is_told_what_it_does_not_do(weights, sentence):
    assert sentence in verdict(checks.noisy_memory, lambda: weights)


@pytest.mark.parametrize(
    "weights", [(1, 2, 0), (1.2, 2.2, 0.0), (0.4, 1.5, 0.0), (np.float64(2.5), 3.0, 0.05)]
)
def test_many_memories_are_right(weights):
    assert checks.noisy_memory(lambda: weights)


@pytest.mark.slow
@misconceptions
def test_a_slow_answer_is_not_called_often(exercise, function, sentence):
    calls = []

    def counted(*arguments):
        calls.append(1)
        return function(*arguments)

    counted.__signature__ = inspect.signature(function)
    with pytest.raises(WrongAnswer):
        exercise(counted)
    assert len(calls) <= 15
