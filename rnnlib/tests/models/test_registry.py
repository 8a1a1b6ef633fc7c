"""The registry: a row is all that a model needs to be typed, stacked, saved and drawn."""

import numpy as np
import pytest

from rnnlib import LSTM, Mamba, MambaBlock, SequenceModel
from rnnlib.commands.options import model_names, model_options, one_of
from rnnlib.models.registry import MODELS, Model, model_named, numpy_models
from rnnlib.tests.models.cases import KINDS
from rnnlib.training import checkpoint


class Wide(LSTM):
    """A model of one's own, with an option of its own."""

    def __init__(self, input_size, hidden_size, *, d_state=3, rng=None, dtype=np.float32):
        super().__init__(input_size, hidden_size, rng=rng, dtype=dtype)
        self.d_state = d_state


def test_the_rows():
    first, last = ["rnn", "lstm", "gru", "min_gru", "mamba"], "optimized_lstm"  # a new one between them
    assert (list(MODELS)[:5], list(MODELS)[-1]) == (first, last)
    assert numpy_models() == list(MODELS)[:-1]
    assert model_named("mamba") == Model(Mamba, block=MambaBlock)
    assert model_named("mamba").options == ["d_state", "d_conv", "expand", "dt_rank"]
    assert model_named("lstm").options == ["forget_bias"]
    assert model_named("rnn").options == []
    with pytest.raises(
        ValueError, match="unknown model 'rrn': choose one of rnn, lstm, gru, min_gru, mamba, "
    ):
        model_named("rrn")


@pytest.mark.parametrize("kind", KINDS)
def test_in_a_stack_all_have_one_width(kind):
    layer = model_named(kind).in_stack(4, rng=0, dtype=np.float64)
    y, _ = layer.forward(np.ones((2, 3, 4)))
    assert (y.shape, y.dtype) == ((2, 3, 4), np.float64)


def test_a_row_is_all_that_a_new_model_needs(tmp_path, monkeypatch):
    monkeypatch.setitem(MODELS, "wide", Model(Wide))
    assert "wide" in model_names("all")
    options = model_options("wide", 4, 2, state_size=5, kernel_size=None)
    model = SequenceModel("wide", 1, output_size=1, rng=0, **options)
    assert [layer.d_state for layer in model.layers] == [5, 5]
    checkpoint.save(tmp_path / "model.safetensors", model)
    twin, _ = checkpoint.load(tmp_path / "model.safetensors")
    x = np.ones((2, 3, 1), np.float32)
    np.testing.assert_array_equal(twin.forward(x)[0], model.forward(x)[0])
    with pytest.raises(ValueError, match="--kernel-size belongs to mamba, not to wide"):
        model_options("wide", 4, 1, None, kernel_size=2)
    with pytest.raises(ValueError, match="--state-size belongs to mamba or wide, not to rnn"):
        model_options("rnn", 4, 1, state_size=2, kernel_size=None)


def test_names_in_a_sentence():
    assert one_of(["a"]) == "a"
    assert one_of(["a", "b"]) == "a or b"
    assert one_of(["a", "b", "c"]) == "a, b or c"
