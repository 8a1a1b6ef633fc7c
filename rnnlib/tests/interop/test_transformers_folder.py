"""The folders of transformers that a MambaLM is read from."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlib import MambaLM, interop
from rnnlib.tests.interop.cases import CONFIG, TINY, assert_close, folder, need, refused, stored_tensors

UNTIED = {"tie_word_embeddings": False}
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


IDS = np.array([[1, 2, 3]])


@pytest.mark.parametrize("said", [True, None])
def test_a_head_that_differs_is_used_whatever_the_config_says(tmp_path, said):
    """Tied by config.json, or by its silence; transformers 5 uses such a head, too."""
    config = {key: value for key, value in CONFIG.items() if said or key != "tie_word_embeddings"}
    head = np.random.default_rng(0).standard_normal((11, 8))
    path = folder(tmp_path / "tied", config, {**stored_tensors(), "lm_head.weight": head})
    with pytest.warns(
        UserWarning, match="lm_head.weight differs from the embedding, so it is used"
    ) as caught:
        model = MambaLM.from_pretrained(path)
    assert caught[0].filename == __file__
    assert str(path / "model.safetensors") in str(caught[0].message)
    assert not model.tie
    np.testing.assert_array_equal(model.params["head.W"], head.T)
    untied = folder(tmp_path / "untied", None, {**stored_tensors(), "lm_head.weight": head}, **UNTIED)
    np.testing.assert_array_equal(model.forward(IDS)[0], MambaLM.from_pretrained(untied).forward(IDS)[0])


def test_a_head_that_equals_the_embedding_is_the_embedding(tmp_path, recwarn):
    tensors = stored_tensors()
    tensors["lm_head.weight"] = tensors["backbone.embeddings.weight"].copy()
    model = MambaLM.from_pretrained(folder(tmp_path / "with", tensors=tensors))
    assert model.tie
    assert not recwarn
    expected, _ = MambaLM.from_pretrained(folder(tmp_path / "without")).forward(IDS)
    np.testing.assert_array_equal(model.forward(IDS)[0], expected)
    message = refused(folder(tmp_path / "untied", **UNTIED))
    assert "tensor lm_head.weight is missing" in message


@pytest.mark.filterwarnings("ignore:.*lm_head.weight differs")
@pytest.mark.parametrize(
    ("head", "says"), [(np.full((11, 8), np.nan), "holds NaN"), (np.ones((12, 8)), "has shape (12, 8)")]
)
def test_a_head_that_cannot_be_used_is_refused(tmp_path, head, says):
    tensors = {**stored_tensors(), "lm_head.weight": head}
    assert f"tensor lm_head.weight {says}" in refused(folder(tmp_path, tensors=tensors))


def test_transformers_uses_the_head_that_differs(tmp_path):
    torch, transformers = need("torch"), need("transformers")
    torch.manual_seed(0)
    sizes = {"vocab_size": 11, "hidden_size": 8, "num_hidden_layers": 1, "state_size": 4}
    peer = transformers.MambaForCausalLM(transformers.MambaConfig(**sizes, tie_word_embeddings=False))
    peer.save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text("utf-8"))
    (tmp_path / "config.json").write_text(json.dumps({**config, "tie_word_embeddings": True}), "utf-8")
    again = transformers.MambaForCausalLM.from_pretrained(tmp_path).eval()
    if torch.equal(again.lm_head.weight, again.backbone.embeddings.weight):
        pytest.skip("this version of transformers ties whatever the file says")
    with torch.no_grad(), pytest.warns(UserWarning, match="lm_head.weight differs"):
        expected, model = again(torch.tensor(IDS)).logits.numpy(), MambaLM.from_pretrained(tmp_path)
    np.testing.assert_allclose(model.forward(IDS)[0], expected, rtol=1e-4, atol=1e-5)


WRAPPERS = {
    "module": lambda name: f"module.{name}",
    "compiled": lambda name: f"_orig_mod.{name}",
    "model": lambda name: f"model.{name}",
    "the bare MambaModel": lambda name: name.removeprefix("backbone."),
    "the bare one, wrapped": lambda name: f"module.{name.removeprefix('backbone.')}",
    "another body": lambda name: name.replace("backbone.", "mamba."),
}


@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.parametrize("tie", [True, False])
def test_the_names_of_a_wrapper_do_not_count(tmp_path, wrapper, tie):
    tensors = stored_tensors()
    if not tie:
        tensors["lm_head.weight"] = np.random.default_rng(0).standard_normal((11, 8))
    changes = {} if tie else UNTIED
    expected, _ = MambaLM.from_pretrained(folder(tmp_path / "plain", None, tensors, **changes)).forward(IDS)
    renamed = {WRAPPERS[wrapper](name): a for name, a in tensors.items()}
    model = MambaLM.from_pretrained(folder(tmp_path / "wrapped", None, renamed, **changes))
    np.testing.assert_array_equal(model.forward(IDS)[0], expected)
    renamed["stray.weight"] = np.ones(3)
    assert "stray.weight is unexpected" in refused(folder(tmp_path / "stray", None, renamed, **changes))


def test_two_bodies_are_no_guess(tmp_path):
    tensors = stored_tensors()
    tensors |= {f"module.{name}": a for name, a in tensors.items()}
    assert "is unexpected" in refused(folder(tmp_path / "both", tensors=tensors))
    tensors = {name.replace("backbone.", f"{k}."): a for k in "ab" for name, a in stored_tensors().items()}
    message = refused(folder(tmp_path / "two", tensors=tensors))
    assert "backbone.embeddings.weight is missing; there is a." in message


def test_half_precision_becomes_float32(tmp_path):
    tensors = {name: a.astype(np.float16) for name, a in stored_tensors().items()}
    tensors["backbone.norm_f.weight"] = tensors["backbone.norm_f.weight"].astype(np.float32)
    model = MambaLM.from_pretrained(folder(tmp_path, tensors=tensors))
    assert model.dtype == np.float32
    np.testing.assert_array_equal(model.params["embedding.W"], tensors["backbone.embeddings.weight"])
