"""SequenceModel: stacks, readouts, lengths, states."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlib import SequenceModel
from rnnlib.tests.models.cases import KINDS, arrays, assert_states_close
from rnnlib.training.losses import mse

OPTIONS = {"mamba": {"d_state": 3, "d_conv": 3}, "lstm": {"forget_bias": 2.0}}
kinds = pytest.mark.parametrize("kind", KINDS)
readouts = pytest.mark.parametrize("readout", ["every", pytest.param("last", marks=pytest.mark.slow)])


def make(kind, readout, num_layers=2, seed=0, B=3, T=5):
    rng = np.random.default_rng(seed)
    options = {"num_layers": num_layers, "readout": readout, **OPTIONS.get(kind, {})}
    model = SequenceModel(kind, 2, 4, 3, rng=rng, dtype=np.float64, **options)
    for p in model.params.values():
        p[...] = 0.5 * rng.standard_normal(p.shape)
    return model, rng.standard_normal((B, T, 2)), rng


@kinds
@readouts
@given(num_layers=st.integers(1, 3), seed=st.integers(0, 999), data=st.data())
def test_padding_changes_nothing(kind, readout, num_layers, seed, data):
    model, x, rng = make(kind, readout, num_layers, seed)
    lengths = np.array(data.draw(st.lists(st.integers(1, 5), min_size=3, max_size=3)))
    padding = data.draw(st.sampled_from([7.0, np.nan, np.inf]))
    dy = rng.standard_normal((3, 3) if readout == "last" else (3, 5, 3))
    for row, length in enumerate(lengths):
        x[row, length:] = padding
        if readout == "every":
            dy[row, length:] = padding
    y, state = model.forward(x, lengths)
    dx, _ = model.backward(dy)
    assert state is None
    padded = model.grads
    total = {name: 0 for name in padded}
    for row, length in enumerate(lengths):
        y_row, _ = model.forward(x[row : row + 1, :length])
        kept = slice(row, row + 1) if readout == "last" else (slice(row, row + 1), slice(length))
        np.testing.assert_allclose(y[kept], y_row, rtol=1e-10, atol=1e-10)
        dx_row, _ = model.backward(dy[kept])
        np.testing.assert_allclose(dx[row : row + 1, :length], dx_row, rtol=1e-10, atol=1e-10)
        assert not dx[row, length:].any()
        if readout == "every":
            assert not y[row, length:].any()
        total = {name: total[name] + model.grads[name] for name in total}
    for name in padded:
        np.testing.assert_allclose(padded[name], total[name], rtol=1e-9, atol=1e-9)


@kinds
@readouts
@given(num_layers=st.integers(1, 2), seed=st.integers(0, 999))
def test_gradients_equal_finite_differences(kind, readout, num_layers, seed):
    model, x, rng = make(kind, readout, num_layers, seed, B=2, T=3)
    lengths = np.array([3, 2]) if readout == "every" else None
    target = rng.standard_normal((2, 3) if readout == "last" else (2, 3, 3))

    def loss():
        return mse(model.forward(x, lengths)[0], target, lengths)[0]

    y, _ = model.forward(x, lengths)
    _, dy = mse(y, target, lengths)
    dx, _ = model.backward(dy)
    by_hand = {"x": dx, **model.grads}
    assert model.grads.keys() == model.params.keys()
    for name, array in {"x": x, **model.params}.items():  # along one random direction in each array
        direction = 1e-5 * rng.standard_normal(array.shape)
        array += direction
        above = loss()
        array -= 2 * direction
        below = loss()
        array += direction
        np.testing.assert_allclose(
            (by_hand[name] * direction).sum(), (above - below) / 2, rtol=1e-5, atol=1e-11, err_msg=name
        )


@kinds
@given(cut=st.integers(1, 4), seed=st.integers(0, 999))
def test_state_carries_a_sequence_on(kind, cut, seed):
    model, x, rng = make(kind, "every", seed=seed)
    y, last = model.forward(x)
    dy = rng.standard_normal(y.shape)
    dx, _ = model.backward(dy)
    grads = model.grads

    first, state = model.forward(x[:, :cut])
    rest, end = model.forward(x[:, cut:], state=state)
    np.testing.assert_allclose(np.concatenate([first, rest], axis=1), y, rtol=1e-12, atol=1e-12)
    for a, b in zip(end, last, strict=True):
        assert_states_close(a, b, rtol=1e-12, atol=1e-12)
    dx2, dstate = model.backward(dy[:, cut:])
    grads2 = model.grads
    model.forward(x[:, :cut])
    dx1, _ = model.backward(dy[:, :cut], dstate)
    np.testing.assert_allclose(np.concatenate([dx1, dx2], axis=1), dx, rtol=1e-9, atol=1e-9)
    for name in grads:
        np.testing.assert_allclose(model.grads[name] + grads2[name], grads[name], rtol=1e-9, atol=1e-9)

    state = None
    for t in range(x.shape[1]):
        y_t, state = model.step(x[:, t], state)
        np.testing.assert_allclose(y_t, y[:, t], rtol=1e-12, atol=1e-12)


@kinds
@readouts
def test_a_step_between_forward_and_backward_does_no_harm(kind, readout):
    model, x, _ = make(kind, readout)
    y, _ = model.forward(x)
    dx, _ = model.backward(np.ones_like(y))
    model.forward(x)
    model.step(x[:, 0])
    dx_again, _ = model.backward(np.ones_like(y))
    np.testing.assert_array_equal(dx, dx_again)


@readouts
def test_lengths_may_be_unsigned_and_a_batch_may_be_empty(readout):
    model, x, _ = make("rnn", readout)
    lengths = [5, 1, 3]
    np.testing.assert_array_equal(
        model.forward(x, np.array(lengths, np.uint8))[0], model.forward(x, lengths)[0]
    )
    y, _ = model.forward(x[:0], np.array([], int))
    dx, _ = model.backward(y)
    assert (len(y), dx.shape) == (0, (0, 5, 2))


@kinds
@readouts
def test_float32_stays_float32(kind, readout):
    model = SequenceModel(kind, 2, 4, 3, readout=readout, rng=0)
    y, _ = model.forward(np.ones((2, 3, 2)), np.array([3, 2]))
    dx, _ = model.backward(np.ones(y.shape))
    assert {a.dtype for a in (y, dx, *model.grads.values())} == {np.dtype("float32")}


@kinds
def test_another_seed_changes_every_part(kind):
    first, second = (SequenceModel(kind, 2, 4, 3, num_layers=2, rng=seed).params for seed in (0, 1))
    for part in ("input", "layers.0", "layers.1", "readout"):
        names = [name for name in first if name.startswith(part)]
        assert any(not np.array_equal(first[name], second[name]) for name in names)
    if kind != "mamba":
        twins = [name for name in first if name.startswith("layers.0") and "W" in name]
        assert not np.array_equal(first[twins[0]], first[twins[0].replace("layers.0", "layers.1")])


@kinds
def test_a_state_to_start_from_has_a_gradient(kind):
    """With lengths too, where no last state is returned."""
    model, x, rng = make(kind, "last")
    _, state = model.forward(x)
    y, _ = model.forward(x, [5, 2, 3], state)
    assert not np.array_equal(y, model.forward(x, [5, 2, 3])[0])
    dy = rng.standard_normal(y.shape)
    model.forward(x, [5, 2, 3], state)
    _, dstate = model.backward(dy)
    for layer_state, layer_dstate in zip(state, dstate, strict=True):
        for array, by_hand in zip(arrays(layer_state), arrays(layer_dstate), strict=True):
            direction = 1e-5 * rng.standard_normal(array.shape)
            array += direction
            above = (model.forward(x, [5, 2, 3], state)[0] * dy).sum()
            array -= 2 * direction
            below = (model.forward(x, [5, 2, 3], state)[0] * dy).sum()
            array += direction
            np.testing.assert_allclose(
                (by_hand * direction).sum(), (above - below) / 2, rtol=1e-5, atol=1e-11
            )


def test_options_reach_the_layers():
    lstm = SequenceModel("lstm", 1, 4, 1, num_layers=2, forget_bias=3)
    assert all((layer.params["b"][1] == 3).all() for layer in lstm.layers)
    assert SequenceModel("min_gru", 1, 4, 1, mode="log").layers[0].mode == "log"
    assert SequenceModel("mamba", 1, 4, 1, d_state=5).layers[0].mixer.d_state == 5
    with pytest.raises(TypeError, match="mode"):
        SequenceModel("rnn", 1, 4, 1, mode="log")


@kinds
def test_config_rebuilds_the_model(kind):
    model, x, _ = make(kind, "every")
    assert model.config.items() >= OPTIONS.get(kind, {}).items()
    twin = SequenceModel(**model.config, dtype=np.float64)
    for name, p in twin.params.items():
        p[...] = model.params[name]
    np.testing.assert_array_equal(model.forward(x)[0], twin.forward(x)[0])


def test_misuse_is_told_in_a_line():
    with pytest.raises(ValueError, match="unknown model 'rrn': choose one of"):
        SequenceModel("rrn", 1, 1, 1)
    with pytest.raises(ValueError, match='readout must be "last" or "every"'):
        SequenceModel("rnn", 1, 1, 1, readout="first")
    with pytest.raises(ValueError, match="SequenceModel: hidden_size must be a whole number above 0, got 0"):
        SequenceModel("rnn", 1, 0, 1)
    model, x, _ = make("rnn", "last")
    with pytest.raises(RuntimeError, match="call forward before backward"):
        model.backward(np.zeros((3, 3)))
    with pytest.raises(ValueError, match="lengths must be between 1 and T=5, got 1 to 6"):
        model.forward(x, np.array([1, 6, 2]))
    with pytest.raises(ValueError, match="lengths must be between 1 and T=5, got 0 to 2"):
        model.forward(x, np.array([1, 0, 2]))
    for bad in (np.array([1.0, 2.0, 2.0]), np.array([True, True, True]), np.array([[1], [2], [2]])):
        with pytest.raises(ValueError, match="lengths must be integers"):
            model.forward(x, bad)
    with pytest.raises(ValueError, match=r"SequenceModel: x must have shape \(B, T, D=2\), got \(3, 5, 1\)"):
        model.forward(x[:, :, :1])
    with pytest.raises(ValueError, match="one entry for each of B=3 sequences, got 2"):
        model.forward(x, np.array([1, 2]))
    with pytest.raises(ValueError, match=r"SequenceModel: x_t must have shape \(B, D=2\), got \(3, 1\)"):
        model.step(x[:, 0, :1])
    model.forward(x, [5, 1, 2])
    with pytest.raises(ValueError, match="dstate must be None"):
        model.backward(np.zeros((3, 3)), [None, None])
    with pytest.raises(ValueError, match="one entry for each of 2 layers"):
        model.forward(x, state=[None])
    with pytest.raises(ValueError, match="at least one time step"):
        model.forward(x[:, :0])
    model.forward(x)
    with pytest.raises(ValueError, match=r"dy must have shape \(B=3, O=3\)"):
        model.backward(np.zeros((3, 5, 3)))
