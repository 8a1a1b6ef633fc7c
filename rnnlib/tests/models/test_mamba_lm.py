"""The language model of Mamba blocks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlib import MambaLM
from rnnlib.models.gradcheck import numerical_gradient

sizes = st.integers(1, 4)
seeds = st.integers(0, 2**32 - 1)
cases = st.tuples(sizes, st.integers(1, 6), sizes, sizes, st.integers(1, 3), st.booleans(), seeds)


def make(case, dtype=np.float64):
    """A model with every parameter random, tokens and a first state."""
    B, T, V, D, layers, tie, seed = case
    rng = np.random.default_rng(seed)
    options = {"d_state": 2, "d_conv": 3, "dt_rank": 2, "eps": 0.1}  # no sharp bend near 0
    model = MambaLM(V, D, layers, tie=tie, rng=rng, dtype=dtype, **options)
    for p in model.params.values():
        p[...] = 0.5 * rng.standard_normal(p.shape)
    state = [(rng.standard_normal((B, 2, 2 * D)), rng.standard_normal((B, 2 * D, 2))) for _ in range(layers)]
    return model, rng.integers(0, V, (B, T)), state, rng


def assert_close(got, expected, tolerance=1e-12):
    np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance)


def assert_states_close(got, expected, tolerance=1e-12):
    for a, b in zip(got, expected, strict=True):
        for part, other in zip(a, b, strict=True):
            assert_close(part, other, tolerance)


@given(case=cases)
def test_step_by_step_equals_whole_sequence(case):
    model, ids, state, _ = make(case)
    logits, last = model.forward(ids, state)
    for t in range(ids.shape[1]):
        logits_t, state = model.step(ids[:, t], state)
        assert_close(logits_t, logits[:, t])
    assert_states_close(state, last)


@given(case=cases, cut=st.integers(0, 6))
def test_split_and_resumed_equals_whole(case, cut):
    model, ids, state, rng = make(case)
    logits, last = model.forward(ids, state)
    dlogits = rng.standard_normal(logits.shape)
    dstate = model.backward(dlogits, last)
    grads = model.grads
    _, middle = model.forward(ids[:, :cut], state)
    second, end = model.forward(ids[:, cut:], middle)
    assert_close(second, logits[:, cut:])
    assert_states_close(end, last)
    dmiddle = model.backward(dlogits[:, cut:], last)
    grads_2 = model.grads
    model.forward(ids[:, :cut], state)
    assert_states_close(model.backward(dlogits[:, :cut], dmiddle), dstate, 1e-9)
    for name, grad in grads.items():
        assert_close(model.grads[name] + grads_2[name], grad, 1e-9)


@pytest.mark.slow
@given(case=cases)
def test_gradients_equal_finite_differences(case):
    model, ids, state, rng = make(case)
    logits, last = model.forward(ids, state)
    G = rng.standard_normal(logits.shape)
    S = [tuple(rng.standard_normal(part.shape) for part in pair) for pair in last]

    def loss():
        logits, last = model.forward(ids, state)
        pairs = zip(last, S, strict=True)
        return (logits * G).sum() + sum((a * b).sum() for p, q in pairs for a, b in zip(p, q, strict=True))

    dstate = model.backward(G, S)
    grads = model.grads
    assert grads.keys() == model.params.keys()
    for name, p in model.params.items():
        expected = numerical_gradient(loss, p)
        np.testing.assert_allclose(grads[name], expected, rtol=1e-5, atol=1e-7, err_msg=name)
    for pair, dpair in zip(state, dstate, strict=True):
        for part, dpart in zip(pair, dpair, strict=True):
            np.testing.assert_allclose(dpart, numerical_gradient(loss, part), rtol=1e-5, atol=1e-7)


@given(case=cases)
def test_inputs_and_results_belong_to_the_caller(case):
    model, ids, state, rng = make(case)
    parts = [part for pair in state for part in pair]
    before = [a.copy() for a in (ids, *parts, *model.params.values())]
    logits, last = model.forward(ids, state)
    dlogits = rng.standard_normal(logits.shape)
    model.backward(dlogits)
    grads = {name: grad.copy() for name, grad in model.grads.items()}
    for a, b in zip((ids, *parts, *model.params.values()), before, strict=True):
        np.testing.assert_array_equal(a, b)
    for a in (logits, *(part for pair in last for part in pair)):
        a[...] = np.nan
    ids[...] = 0
    model.backward(dlogits)
    for name, grad in grads.items():
        np.testing.assert_array_equal(model.grads[name], grad)


def test_it_learns_to_count():
    model = MambaLM(5, 8, 1, rng=0)
    ids = (np.arange(8) + np.arange(5)[:, None]) % 5
    for _ in range(150):
        logits, _ = model.forward(ids[:, :-1])
        p = np.exp(logits - logits.max(axis=2, keepdims=True))
        p /= p.sum(axis=2, keepdims=True)
        model.backward((p - np.eye(5)[ids[:, 1:]]) / ids[:, 1:].size)
        for name, param in model.params.items():
            param -= 0.5 * model.grads[name]
    assert list(model.generate([2], 6)) == [3, 4, 0, 1, 2, 3]


@given(case=cases, prompt=st.integers(1, 4), count=st.integers(0, 4))
def test_greedy_generation_takes_the_likeliest_token_of_the_whole_sequence(case, prompt, count):
    model, _, _, rng = make(case)
    tokens = rng.integers(0, model.vocab_size, prompt).tolist()
    new = list(model.generate(tokens, count))
    assert len(new) == count
    for token in new:
        assert type(token) is int
        logits, _ = model.forward(np.array([tokens]))
        assert logits[0, -1, token] >= logits[0, -1].max() - 1e-12
        tokens.append(token)


def test_drawn_tokens_follow_the_temperature():
    model, *_ = make((1, 1, 4, 3, 1, True, 3))
    logits, _ = model.forward(np.array([[0, 1]]))
    for temperature in (0.5, 2.0):
        p = np.exp((logits[0, -1] - logits[0, -1].max()) / temperature)
        rng = np.random.default_rng(0)
        drawn = [next(model.generate([0, 1], 1, temperature=temperature, rng=rng)) for _ in range(2000)]
        assert_close(np.bincount(drawn, minlength=4) / 2000, p / p.sum(), 0.04)
    first, again = (list(model.generate([0], 9, temperature=1, rng=5)) for _ in range(2))
    assert first == again
    cold = list(model.generate([0], 9, temperature=1e-9, rng=5))
    assert cold == list(model.generate([0], 9))


def test_generation_is_lazy_and_needs_no_more_memory_as_it_goes(monkeypatch):
    model, *_ = make((1, 1, 4, 3, 2, True, 0))
    shapes = []
    step = model.step

    def watched(ids_t, state=None):
        logits, state = step(ids_t, state)
        shapes.append([part.shape for pair in state for part in pair])
        return logits, state

    monkeypatch.setattr(model, "step", watched)
    monkeypatch.setattr(model, "forward", None)
    tokens = model.generate([0, 1, 2], 10**9)
    assert not shapes
    for _ in range(20):
        next(tokens)
    assert len(shapes) == 22
    assert all(shape == shapes[0] for shape in shapes)


def test_wrong_arguments_of_generate_are_told_at_the_call():
    model = MambaLM(4, 2, 1)
    for prompt in ([], (), np.zeros(0, int), 3, [[1]], [1.0], "1", [True], None, np.int64(1)):
        with pytest.raises(ValueError, match="prompt must be a sequence of one token id or more"):
            model.generate(prompt, 1)
    for prompt in ([0, 4], [-1], np.array([2**63], np.uint64)):
        with pytest.raises(ValueError, match="prompt must hold ids from 0 to 3, got"):
            model.generate(prompt, 1)
    for count in (-1, 1.0, None):
        with pytest.raises(ValueError, match="count must be a whole number from 0 on"):
            model.generate([1], count)
    for temperature in (-0.1, np.nan, np.inf):
        with pytest.raises(ValueError, match="temperature must be a number from 0 on"):
            model.generate([1], 1, temperature=temperature)
    prompt = np.array([1, 2])
    tokens = model.generate(prompt, 1)
    expected = list(model.generate([1, 2], 1))
    prompt[...] = 77  # the caller's array
    assert list(tokens) == expected


def test_misuse_is_told_in_a_line():
    model = MambaLM(4, 2, 3)
    with pytest.raises(RuntimeError, match="MambaLM: call forward before backward"):
        model.backward(np.zeros((1, 1, 4)))
    with pytest.raises(ValueError, match=r"ids must have shape \(B, T\), got \(3,\)"):
        model.forward(np.zeros(3, int))
    with pytest.raises(ValueError, match=r"ids_t must have shape \(B\), got \(1, 3\)"):
        model.step(np.zeros((1, 3), int))
    for ids in ([[1]], np.zeros((1, 1)), None):
        with pytest.raises(TypeError, match="ids must be an array of integers"):
            model.forward(ids)
    with pytest.raises(ValueError, match="ids must be from 0 to 3, got 4 to 4"):
        model.forward(np.full((1, 2), 4))
    with pytest.raises(ValueError, match="state must hold one entry for each of 3 layers"):
        model.forward(np.zeros((1, 2), int), [None])
    model.forward(np.zeros((1, 2), int))
    with pytest.raises(ValueError, match=r"dlogits must have shape \(B=1, T=2, V=4\), got \(1, 2, 3\)"):
        model.backward(np.zeros((1, 2, 3)))
    for bad in ({"vocab_size": 0}, {"d_model": 2.0}, {"num_layers": -1}):
        with pytest.raises(ValueError, match=f"MambaLM: {next(iter(bad))} must be a whole number above 0"):
            MambaLM(**{"vocab_size": 4, "d_model": 2, "num_layers": 1, **bad})


@pytest.mark.parametrize(("B", "T"), [(0, 3), (2, 0), (0, 0)])
def test_empty_batches_and_sequences_give_empty_logits(B, T):
    model = MambaLM(4, 2, 2)
    logits, state = model.forward(np.zeros((B, T), int))
    assert logits.shape == (B, T, 4)
    assert len(model.backward(logits, state)) == 2
    assert not any(grad.any() for grad in model.grads.values())
