"""The folders of transformers that a MambaLM is read from."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlib import MambaLM, interop
from rnnlib.tests.interop.cases import TINY, assert_close, folder, need, refused, stored_tensors

sizes = st.integers(1, 4)


def test_the_class_and_the_room_have_the_same_reader():
    assert MambaLM.from_pretrained is interop.from_pretrained


def test_the_stored_model_gives_the_stored_logits(tmp_path):
    model = MambaLM.from_pretrained(folder(tmp_path / "model"))
    assert model.dtype == np.float64
    with np.load(TINY / "logits.npz") as file:
        logits, _ = model.forward(file["ids"])
        # transformers' RMSNorm rounds to float32, whatever the model's dtype: no nearer than that
        np.testing.assert_allclose(logits, file["logits"], rtol=0, atol=5e-7)


@pytest.mark.parametrize("tie", [True, False])
@given(
    V=st.integers(2, 9),
    D=st.integers(2, 9),
    N=sizes,
    K=sizes,
    layers=st.integers(1, 3),
    R=st.sampled_from(["auto", 1, 3]),
    conv_bias=st.booleans(),
    eps=st.sampled_from([1e-5, 1e-2]),
    seed=st.integers(0, 2**31),
)
def test_any_model_of_transformers_gives_its_logits(
    tmp_path_factory, tie, V, D, N, K, layers, R, conv_bias, eps, seed
):
    torch, transformers = need("torch"), need("transformers")
    from transformers.models.mamba.modeling_mamba import MambaRMSNorm

    config = transformers.MambaConfig(
        vocab_size=V,
        hidden_size=D,
        state_size=N,
        conv_kernel=K,
        num_hidden_layers=layers,
        time_step_rank=R,
        use_conv_bias=conv_bias,
        layer_norm_epsilon=eps,
        tie_word_embeddings=tie,
        residual_in_fp32=False,
        bos_token_id=0,
        eos_token_id=0,
    )
    torch.manual_seed(seed)
    peer = transformers.MambaForCausalLM(config).double().eval()
    with torch.no_grad():
        for p in peer.parameters():
            p += 0.3 * torch.randn_like(p)
    path = tmp_path_factory.mktemp("model")
    peer.save_pretrained(path)
    ids = torch.randint(V, (2, 7))
    with pytest.MonkeyPatch.context() as patch, torch.no_grad():
        patch.setattr(torch.Tensor, "float", lambda tensor: tensor)  # stay in float64 throughout
        patch.setattr(MambaRMSNorm, "forward", rms_norm)
        expected = peer(ids).logits.numpy()

    model = MambaLM.from_pretrained(path)
    assert model.dtype == np.float64
    assert_close(model.forward(ids.numpy())[0], expected, 1e-11)
    single = MambaLM.from_pretrained(path, dtype=np.float32)
    assert single.dtype == np.float32
    np.testing.assert_allclose(single.forward(ids.numpy())[0], expected, rtol=1e-3, atol=1e-3)


def rms_norm(self, x):
    return self.weight * (x * (x.pow(2).mean(-1, keepdim=True) + self.variance_epsilon).rsqrt())


def test_transformers_as_it_is_generates_the_same_tokens(tmp_path):
    torch, transformers = need("torch"), need("transformers")
    torch.manual_seed(0)
    config = transformers.MambaConfig(vocab_size=20, hidden_size=16, num_hidden_layers=2, eos_token_id=None)
    peer = transformers.MambaForCausalLM(config).eval()
    peer.save_pretrained(tmp_path)
    prompt = torch.tensor([[3, 1, 4]])
    expected = peer.generate(prompt, max_new_tokens=12, do_sample=False)[0, 3:].tolist()
    model = MambaLM.from_pretrained(tmp_path)
    assert model.dtype == np.float32
    assert list(model.generate([3, 1, 4], 12)) == expected


def test_the_authors_name_of_the_embedding_is_read(tmp_path):
    tensors = stored_tensors()
    expected, _ = MambaLM.from_pretrained(folder(tmp_path / "new")).forward(np.array([[1, 2, 3]]))
    tensors["backbone.embedding.weight"] = tensors.pop("backbone.embeddings.weight")
    model = MambaLM.from_pretrained(str(folder(tmp_path / "old", tensors=tensors)))
    np.testing.assert_array_equal(model.forward(np.array([[1, 2, 3]]))[0], expected)
    tensors["backbone.embeddings.weight"] = tensors["backbone.embedding.weight"].copy()
    assert "backbone.embeddings.weight is unexpected" in refused(folder(tmp_path / "both", tensors=tensors))


def test_a_tied_head_is_the_embedding_whatever_the_file_says(tmp_path):
    tensors = {**stored_tensors(), "lm_head.weight": np.full((11, 8), np.nan)}
    expected, _ = MambaLM.from_pretrained(folder(tmp_path / "without")).forward(np.array([[1, 2, 3]]))
    model = MambaLM.from_pretrained(folder(tmp_path / "with", tensors=tensors))
    np.testing.assert_array_equal(model.forward(np.array([[1, 2, 3]]))[0], expected)
    message = refused(folder(tmp_path / "untied", tie_word_embeddings=False))
    assert "tensor lm_head.weight is missing" in message


def test_half_precision_becomes_float32(tmp_path):
    tensors = {name: a.astype(np.float16) for name, a in stored_tensors().items()}
    tensors["backbone.norm_f.weight"] = tensors["backbone.norm_f.weight"].astype(np.float32)
    model = MambaLM.from_pretrained(folder(tmp_path, tensors=tensors))
    assert model.dtype == np.float32
    np.testing.assert_array_equal(model.params["embedding.W"], tensors["backbone.embeddings.weight"])
